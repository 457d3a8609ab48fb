-- Processes: who lives.
CREATE TABLE processes (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
