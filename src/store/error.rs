#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The disk under the database is full; nothing was written.
    #[error("the database's disk is full: nothing was stored, free some space and try again")]
    DiskFull,
    /// The database cannot be reached or opened now.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// What was read is not what this version writes.
    #[error("the database holds something unexpected in {place}: {message}")]
    Corrupt { place: String, message: String },
    /// It is the original's, and nobody has run `init` on it.
    #[error("the database was written by the original GoDocker: run `go-d scheduler init` to take it over")]
    NotTakenOver,
    #[error("the database was written by a newer GoDocker (schema {found}, this one knows {known})")]
    TooNew { found: i64, known: i64 },
}
