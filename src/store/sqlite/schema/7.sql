-- The node a job is on, or was on last: what an administrator asks who is about to drain it.
ALTER TABLE jobs ADD COLUMN node TEXT;
UPDATE jobs SET node = coalesce(state ->> '$.outcome.attempt.node', state ->> '$.attempt.node')
    WHERE children IS NULL AND phase > 0;
CREATE INDEX jobs_node ON jobs (node) WHERE node IS NOT NULL AND children IS NULL;
CREATE INDEX jobs_node_active ON jobs (node) WHERE node IS NOT NULL AND children IS NULL AND ended IS NULL;

-- Jobs are found by what they depend on: `d` and its id, among their terms.
INSERT OR IGNORE INTO job_terms
    SELECT j.user, 'd' || (d.value ->> '$.job'), j.id
    FROM jobs j JOIN specs s ON s.id = j.spec, json_each(s.body, '$.dependencies') d
    WHERE j.parent IS NULL;
