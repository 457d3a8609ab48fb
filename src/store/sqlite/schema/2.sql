-- People: where accounts come from, what opens them, who changed them; graphics cards and disk in the accounts.
ALTER TABLE ledger ADD COLUMN gpus REAL NOT NULL DEFAULT 0;

-- Bytes of the directories of over jobs, kept with every end and every archive.
CREATE TABLE disk_use (user TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO disk_use
    SELECT user, sum(json_extract(state, '$.disk_bytes')) FROM jobs WHERE phase = 3 GROUP BY user;

UPDATE users SET body = json_set(
    json_remove(body, '$.active'), '$.standing', iif(json_extract(body, '$.active'), 'active', 'disabled'), '$.revision', 1);
UPDATE projects SET body = json_set(body, '$.revision', 1);

CREATE TABLE identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user TEXT NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_user ON identities (user);

CREATE TABLE credentials (
    hash TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    user TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX credentials_user ON credentials (user, kind, created);
CREATE INDEX credentials_expired ON credentials (expires) WHERE expires IS NOT NULL;

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    address TEXT,
    details TEXT NOT NULL
) STRICT;
CREATE INDEX audit_actor ON audit (actor);
CREATE INDEX audit_subject ON audit (subject);
CREATE INDEX audit_action ON audit (action);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'lines of the audit log are not changed'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'lines of the audit log are not deleted'); END;
