//! Job directories, and safe access to files that users own.
//!
//! Everything here assumes the worst of what lies in a job directory: we are root, the user is not. Access goes through
//! a directory handle and openat2 beneath it; links are never followed when owners or sizes are read or files deleted.
//!
//! A job's place is `<shared_dir>/tasks/pairtree_root/<pairs>/`, which is root's, and with it everything above: only
//! there may a path be trusted. In it lie `task` (the job directory, the user's) and `.god` (root's alone). Unprivileged
//! all of it is our own, and nothing changes owner.
//!
//! A user's upload space ([`upload_space`]) is `<shared_dir>/data/<user>`: the user's too, and written by us on their
//! behalf.
//!
//! Deliberately not here: what a job's files mean (god.log, god.info: the executors), and who may read them (`web`).

mod beneath;
mod cursor;
mod error;
mod guest_home;
mod job_dirs;
mod numbered;
mod pack;
mod prepare;
mod remove;
mod settle;
#[cfg(test)]
pub(crate) mod tests;
pub mod upload_space;
mod walk;

pub use beneath::{Entry, EntryKind, JobDirectory, OpenedFile};
pub use error::{FileError, PathFault};
pub use guest_home::{make_guest_home, remove_guest_home};
pub use job_dirs::{JobDirs, Prepared};
pub use pack::{Format, Tree};
pub use upload_space::{UploadSpace, UploadSpaces};
