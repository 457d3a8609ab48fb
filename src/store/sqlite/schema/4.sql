-- Over jobs that are not archived yet, by their end: what a retention asks every hour, however many are archived.
CREATE INDEX jobs_kept ON jobs (ended) WHERE parent IS NULL AND phase = 3;
