//! Job directories, and safe access to files that users own.
//!
//! Everything here assumes the worst of what lies in a job directory: we are root, the user is not. Access goes through
//! a directory handle and openat2 beneath it; links are never followed when owners or sizes are read or files deleted.

mod beneath;
mod error;
mod job_dirs;

pub use beneath::{Entry, EntryKind, JobDirectory, OpenedFile};
pub use error::FileError;
pub use job_dirs::{JobDirs, Prepared};
