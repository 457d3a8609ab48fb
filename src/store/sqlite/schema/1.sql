-- Ids come from here, so that one is never used twice, also after its job's record was deleted.
CREATE TABLE job_counter (one INTEGER PRIMARY KEY CHECK (one = 1), next INTEGER NOT NULL) STRICT;
INSERT INTO job_counter VALUES (1, 1);

-- Specs hold scripts; apart from the jobs, so that a change of state does not write a script again, and so that an
-- array's children share one.
CREATE TABLE specs (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;

-- `ended` is set exactly when the job is over or archived. Indices ask it rather than `phase`, because a job changes
-- its phase often and ends once.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    state TEXT NOT NULL,
    request TEXT,
    ended INTEGER,
    failed_nodes TEXT,
    parent INTEGER,
    task INTEGER,
    children INTEGER,
    children_over INTEGER,
    children_failed INTEGER,
    spec INTEGER NOT NULL,
    user TEXT NOT NULL,
    project TEXT NOT NULL,
    uid INTEGER NOT NULL,
    gid INTEGER NOT NULL,
    gids TEXT NOT NULL,
    email TEXT,
    submitted INTEGER NOT NULL,
    cpu_millis INTEGER NOT NULL,
    ram_bytes INTEGER NOT NULL,
    gpus INTEGER NOT NULL,
    needs TEXT
) STRICT;

-- Every index ends with the id (SQLite appends the row's key). Which one answers which filter: filter.rs.
CREATE INDEX jobs_active ON jobs (phase) WHERE ended IS NULL;
CREATE INDEX jobs_children ON jobs (parent) WHERE parent IS NOT NULL;
CREATE INDEX jobs_requested ON jobs (id) WHERE request IS NOT NULL;

-- Below, without the children of arrays: lists show the parent.
CREATE INDEX jobs_top ON jobs (id) WHERE parent IS NULL;
CREATE INDEX jobs_top_user ON jobs (user) WHERE parent IS NULL;
CREATE INDEX jobs_top_project ON jobs (project) WHERE parent IS NULL;
CREATE INDEX jobs_active_top ON jobs (id) WHERE parent IS NULL AND ended IS NULL;
CREATE INDEX jobs_active_user ON jobs (user) WHERE parent IS NULL AND ended IS NULL;
CREATE INDEX jobs_active_project ON jobs (project) WHERE parent IS NULL AND ended IS NULL;
CREATE INDEX jobs_over ON jobs (ended) WHERE parent IS NULL AND ended IS NOT NULL;
CREATE INDEX jobs_over_user ON jobs (user, ended) WHERE parent IS NULL AND ended IS NOT NULL;
CREATE INDEX jobs_over_project ON jobs (project, ended) WHERE parent IS NULL AND ended IS NOT NULL;
CREATE INDEX jobs_over_user_project ON jobs (user, project, ended) WHERE parent IS NULL AND ended IS NOT NULL;

-- Children have their parent's tags.
CREATE TABLE job_tags (tag TEXT NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (tag, job)) STRICT, WITHOUT ROWID;
CREATE INDEX job_tags_of ON job_tags (job);

-- How many jobs there are of each sort, kept with every change: counting a million rows is slow.
CREATE TABLE tallies (
    user TEXT NOT NULL,
    project TEXT NOT NULL,
    child INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    jobs INTEGER NOT NULL,
    PRIMARY KEY (user, project, child, phase)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    day INTEGER NOT NULL,
    user TEXT NOT NULL,
    project TEXT NOT NULL,
    cpu REAL NOT NULL,
    ram REAL NOT NULL,
    seconds REAL NOT NULL,
    jobs INTEGER NOT NULL,
    PRIMARY KEY (day, user, project)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_user ON ledger (user, day);
CREATE INDEX ledger_project ON ledger (project, day);

CREATE TABLE images (image TEXT PRIMARY KEY, uses INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX images_uses ON images (uses DESC, image);

CREATE TABLE users (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- `body` is the project without its members.
CREATE TABLE projects (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE project_members (
    user TEXT NOT NULL,
    project TEXT NOT NULL,
    PRIMARY KEY (user, project)
) STRICT, WITHOUT ROWID;
CREATE INDEX project_members_of ON project_members (project, user);

CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
