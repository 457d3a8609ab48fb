use rustix::io::Errno;

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("no such file or directory")]
    NotFound,
    /// A link or `..` that leads out of the directory.
    #[error("that path leads out of the directory")]
    Outside,
    #[error("not a regular file")]
    NotAFile,
    #[error("it is a directory")]
    IsDirectory,
    #[error("something of that name is there already")]
    Exists,
    /// Of an earlier job with the same number, as there may be where an older database was put back.
    #[error("a directory of uid {uid} is there already, and not this job's")]
    AnothersDirectory { uid: u32 },
    #[error("the directory is not empty")]
    NotEmpty,
    /// What was to be continued is not as long as was thought.
    #[error("the file has {size} bytes now: go on from there, or send it anew")]
    OtherSize { size: u64 },
    #[error("it does not fit: {quota} bytes may be kept, and {used} are used")]
    OverQuota { used: u64, quota: u64 },
    #[error(transparent)]
    InvalidPath(PathFault),
    #[error("the disk under the shared directory is full")]
    DiskFull,
    #[error("file access failed: {0}")]
    Io(std::io::Error),
}

/// Why a text is no path of a file here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    #[error("a path holds no NUL")]
    Nul,
    #[error("the path must be relative to the directory")]
    Absolute,
    #[error("a path holds no empty names")]
    EmptyName,
    #[error("the path is too long")]
    TooLong,
    /// The space itself.
    #[error("expected a file or directory in the space")]
    Top,
    #[error("a name holds no control characters")]
    ControlCharacter,
    #[error("a folder's name holds no /")]
    SlashInName,
    #[error("a guest's directory has a name and a place")]
    GuestHome,
}

impl From<Errno> for FileError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::NOTDIR => FileError::NotFound,
            // openat2 answers XDEV for what would leave the directory; LOOP is a link where none is followed.
            Errno::XDEV | Errno::LOOP => FileError::Outside,
            // What opening a socket or the far end of nothing gives.
            Errno::NXIO | Errno::NODEV => FileError::NotAFile,
            Errno::ISDIR => FileError::IsDirectory,
            Errno::EXIST => FileError::Exists,
            Errno::NOTEMPTY => FileError::NotEmpty,
            Errno::NAMETOOLONG => FileError::InvalidPath(PathFault::TooLong),
            Errno::NOSPC | Errno::DQUOT => FileError::DiskFull,
            other => FileError::Io(other.into()),
        }
    }
}

impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(errno) => errno.into(),
            None => FileError::Io(error),
        }
    }
}
