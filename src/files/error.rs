#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("no such file or directory")]
    NotFound,
    /// A link or `..` that leads out of the job directory.
    #[error("that path leads out of the job directory")]
    Outside,
    #[error("not a regular file")]
    NotAFile,
    #[error("{0}")]
    InvalidPath(&'static str),
    #[error("the disk under the shared directory is full")]
    DiskFull,
    #[error("file access failed: {0}")]
    Io(std::io::Error),
}
