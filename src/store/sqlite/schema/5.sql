-- What lists of jobs are narrowed and sorted by: how jobs ended, how long they ran, their tags, images and words.
ALTER TABLE jobs ADD COLUMN ending INTEGER;
ALTER TABLE jobs ADD COLUMN ran INTEGER;
UPDATE jobs SET
    ending = CASE coalesce(state ->> '$.outcome.ending', state ->> '$.ending')
        WHEN 'done' THEN 0 WHEN 'failed' THEN 1 WHEN 'killed' THEN 2 WHEN 'out_of_memory' THEN 3
        WHEN 'time_limit' THEN 4 WHEN 'node_failure' THEN 5 ELSE 6 END,
    ran = max(0, ended - coalesce(state ->> '$.outcome.started', state ->> '$.started'))
    WHERE ended IS NOT NULL;

CREATE INDEX jobs_submitted ON jobs (submitted) WHERE parent IS NULL;
CREATE INDEX jobs_ending ON jobs (ending) WHERE parent IS NULL AND ended IS NOT NULL;
CREATE INDEX jobs_ending_user ON jobs (user, ending) WHERE parent IS NULL AND ended IS NOT NULL;
CREATE INDEX jobs_ran ON jobs (ran) WHERE parent IS NULL AND ran IS NOT NULL;
CREATE INDEX jobs_ran_user ON jobs (user, ran) WHERE parent IS NULL AND ran IS NOT NULL;
-- All that statistics ask of an end: they read it from the index alone.
CREATE INDEX jobs_ends ON jobs (ended, ending, ran, submitted, project) WHERE children IS NULL AND ended IS NOT NULL;

-- `t` and a tag, `i` and an image, `w` and a word of the name (store::search). Children have their parent's.
CREATE TABLE job_terms (
    user TEXT NOT NULL,
    term TEXT NOT NULL,
    job INTEGER NOT NULL,
    PRIMARY KEY (user, term, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_terms_all ON job_terms (term, job);
INSERT INTO job_terms
    SELECT j.user, t.value, j.id FROM jobs j JOIN specs s ON s.id = j.spec, json_each(god_terms(s.body)) t
    WHERE j.parent IS NULL;
DROP TABLE job_tags;

CREATE TABLE templates (
    user TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (user, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX templates_name ON templates (user, name);
