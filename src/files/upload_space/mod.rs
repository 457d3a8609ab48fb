//! Upload spaces: a directory a user, with a quota, that pages, API and FTP read and write on the user's behalf.
//!
//! `<shared_dir>/data/<user>` is the user's (0700); guests' belong to whom they are bound to, and it is pages, API and
//! FTP that keep one from another's. What is being received lies in `<shared_dir>/data/.parts/<user>/`, which is root's,
//! and takes its name in the space when it is there: [`transfer`]. How much is used: [`account`]. Every access goes through a
//! handle on the space and follows no link, as the user may change anything in it at any moment.
//!
//! Deliberately not here: who may (`web`, `ftp`).

mod account;
mod measure;
mod receive;
#[cfg(test)]
mod tests;
mod transfer;

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, fchmod, fchown, fstat, mkdirat, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::beneath::{Entry, OpenedFile, checked, entries, entry, open_linkless, opened, size_of};
use super::job_dirs::{blocking, is_root};
use super::remove::delete_tree;
use super::{FileError, PathFault};
use crate::domain::{User, UserId};
use account::Account;

pub use receive::{Cut, ReceiveError, receive};
pub use transfer::Upload;

const PARTS: &str = ".parts";
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Users pass through to their own, and see nothing on the way.
const PASSABLE: Mode = Mode::from_raw_mode(0o711);
const OWNERS_ALONE: Mode = Mode::from_raw_mode(0o700);
/// How old a figure may be that is only shown.
const SHOWN_FOR: Duration = Duration::from_secs(2);

/// The upload spaces of a site. Cheap to clone: what is known of their use is shared.
#[derive(Debug, Clone)]
pub struct UploadSpaces {
    root: Arc<PathBuf>,
    /// Bytes for users who have no quota of their own; 0 is no limit.
    site_quota: u64,
    accounts: Arc<Mutex<HashMap<UserId, Arc<Account>>>>,
}

/// An open upload space. Cheap to clone. Its methods block; call them where blocking is fine.
#[derive(Debug, Clone)]
pub struct UploadSpace {
    dir: Arc<OwnedFd>,
    parts: Arc<OwnedFd>,
    owner: (u32, u32),
    /// Bytes; 0 is none.
    quota: u64,
    account: Arc<Account>,
}

impl UploadSpaces {
    pub fn new(shared_dir: &Path) -> Self {
        UploadSpaces { root: Arc::new(shared_dir.join("data")), site_quota: 0, accounts: Arc::default() }
    }

    /// With a quota for users who have none of their own.
    pub fn with_quota(self, bytes: u64) -> Self {
        UploadSpaces { site_quota: bytes, ..self }
    }

    pub fn path_of(&self, user: &UserId) -> PathBuf {
        self.root.join(user.as_str())
    }

    /// Opens the user's space; the first time makes it.
    pub async fn open(&self, user: &User) -> Result<UploadSpace, FileError> {
        let account = {
            let mut accounts = self.accounts.lock().expect("no holder of this lock panics");
            Arc::clone(accounts.entry(user.id.clone()).or_default())
        };
        let root = Arc::clone(&self.root);
        let (owner, quota, name) =
            ((user.uid, user.gid), user.quotas.upload.unwrap_or(self.site_quota), user.id.clone());
        blocking(move || {
            let root = open_root(&root)?;
            let dir = directory(root.as_fd(), name.as_str(), OWNERS_ALONE)?;
            if is_root() && fstat(&dir)?.st_uid != owner.0 {
                fchown(&dir, Some(Uid::from_raw(owner.0)), Some(Gid::from_raw(owner.1)))?;
            }
            let parts = directory(root.as_fd(), PARTS, OWNERS_ALONE)?;
            let parts = directory(parts.as_fd(), name.as_str(), OWNERS_ALONE)?;
            Ok(UploadSpace { dir: Arc::new(dir), parts: Arc::new(parts), owner, quota, account })
        })
        .await
    }

    /// Where jobs find it; `None` for a user who has never used it.
    pub async fn existing(&self, user: &UserId) -> Option<PathBuf> {
        let path = self.path_of(user);
        let known = tokio::fs::symlink_metadata(&path).await.ok()?;
        known.is_dir().then_some(path)
    }

    /// Deletes the space with all it holds. One that is not there is deleted. Blocks.
    ///
    /// # Errors
    /// What the system says; doing it again goes on from there.
    pub fn remove(&self, user: &UserId) -> Result<(), FileError> {
        let root = match openat(CWD, &*self.root, DIRECTORY, Mode::empty()) {
            Ok(root) => root,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        };
        if let Ok(parts) = openat(&root, PARTS, DIRECTORY, Mode::empty()) {
            delete_tree(parts.as_fd(), user.as_str())?;
        }
        self.accounts.lock().expect("no holder of this lock panics").remove(user);
        delete_tree(root.as_fd(), user.as_str())
    }
}

fn open_root(path: &Path) -> Result<OwnedFd, FileError> {
    let above = path.parent().ok_or(FileError::NotFound)?;
    std::fs::create_dir_all(above)?;
    let above = openat(CWD, above, DIRECTORY.difference(OFlags::NOFOLLOW), Mode::empty())?;
    directory(above.as_fd(), "data", PASSABLE)
}

/// Opens a directory of ours; makes it where it is not there.
fn directory(parent: BorrowedFd<'_>, name: &str, mode: Mode) -> Result<OwnedFd, FileError> {
    let made = match mkdirat(parent, name, mode) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(errno) => return Err(errno.into()),
    };
    let dir = openat(parent, name, DIRECTORY, Mode::empty())?;
    if made {
        // Whatever the umask said.
        fchmod(&dir, mode)?;
    }
    Ok(dir)
}

impl UploadSpace {
    /// The entries of a directory, by name; `""` is the space itself.
    pub fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        entries(self.open_directory(checked(path)?)?.as_fd())
    }

    pub fn open_file(&self, path: &str) -> Result<OpenedFile, FileError> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        opened(open_linkless(&*self.dir, checked(path)?, flags)?, self.owner.0)
    }

    /// What `path` is; a link is a link.
    pub fn look(&self, path: &str) -> Result<Entry, FileError> {
        let path = checked(path)?;
        if path == "." {
            return Ok(entry(c"", &fstat(&*self.dir)?));
        }
        let (parent, name) = self.parent(path)?;
        let name = std::ffi::CString::new(name).map_err(|_| FileError::InvalidPath(PathFault::Nul))?;
        Ok(entry(&name, &statat(&parent, name.as_c_str(), AtFlags::SYMLINK_NOFOLLOW)?))
    }

    pub fn make_directory(&self, path: &str) -> Result<(), FileError> {
        let (parent, name) = self.new_name(path)?;
        mkdirat(&parent, name, OWNERS_ALONE)?;
        self.give(openat(&parent, name, DIRECTORY, Mode::empty())?.as_fd())
    }

    /// Deletes a file, or a link, or whatever else is no directory.
    pub fn remove_file(&self, path: &str) -> Result<(), FileError> {
        let (parent, name) = self.parent(checked(path)?)?;
        let freed = sole_size(parent.as_fd(), name);
        unlinkat(&parent, name, AtFlags::empty())?;
        self.account.give_back(freed);
        Ok(())
    }

    /// Deletes an empty directory.
    pub fn remove_directory(&self, path: &str) -> Result<(), FileError> {
        let (parent, name) = self.parent(checked(path)?)?;
        Ok(unlinkat(&parent, name, AtFlags::REMOVEDIR)?)
    }

    /// Deletes whatever `path` is, with all it holds, following no link.
    pub fn remove_all(&self, path: &str) -> Result<(), FileError> {
        let (parent, name) = self.parent(checked(path)?)?;
        statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let deleted = delete_tree(parent.as_fd(), name);
        self.account.forget();
        deleted
    }

    /// A file in the place of `to` is replaced.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        let (old_parent, old_name) = self.parent(checked(from)?)?;
        let (parent, name) = self.new_name(to)?;
        let freed = sole_size(parent.as_fd(), name);
        renameat(&old_parent, old_name, &parent, name)?;
        self.account.give_back(freed);
        Ok(())
    }

    /// Begins a new file, which takes the place of an older one when it is finished.
    pub fn create(&self, path: &str) -> Result<Upload, FileError> {
        let (parent, name) = self.new_name(path)?;
        if matches!(statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW), Ok(stat) if is_directory(stat.st_mode)) {
            return Err(FileError::IsDirectory);
        }
        Upload::create(self.clone(), parent, name)
    }

    /// Goes on with the file at its byte `at`; what it has from there on is dropped. With `exactly`, that must be its end.
    pub fn append(&self, path: &str, at: u64, exactly: bool) -> Result<Upload, FileError> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = open_linkless(&*self.dir, checked(path)?, flags)?;
        let stat = fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(FileError::NotAFile);
        }
        // By another name it may be anybody's.
        if stat.st_nlink > 1 || (is_root() && stat.st_uid != self.owner.0) {
            return Err(FileError::Outside);
        }
        let size = size_of(&stat);
        if at > size || (exactly && at != size) {
            return Err(FileError::OtherSize { size });
        }
        Upload::go_on(self.clone(), fd, at, size)
    }

    /// Bytes that are used, as of some seconds ago.
    pub fn used(&self) -> Result<u64, FileError> {
        self.account.used(SHOWN_FOR, || self.measure())
    }

    /// Bytes that may be kept; 0 is no limit.
    pub fn quota(&self) -> u64 {
        self.quota
    }

    /// Whether `more` bytes can be said not to fit before any has come.
    ///
    /// # Errors
    /// [`FileError::OverQuota`] when they do not.
    pub fn check_room(&self, more: u64) -> Result<(), FileError> {
        self.account.check(self.quota, more, || self.measure())
    }

    fn measure(&self) -> Result<u64, FileError> {
        Ok(measure::tree(&self.dir)?.saturating_add(measure::parts(&self.parts)?))
    }

    /// The directory that holds what `path` names, and its name there. Not of the space itself.
    fn parent<'a>(&self, path: &'a str) -> Result<(OwnedFd, &'a str), FileError> {
        let (above, name) = path.rsplit_once('/').unwrap_or((".", path));
        if name == "." {
            return Err(FileError::InvalidPath(PathFault::Top));
        }
        Ok((self.open_directory(above)?, name))
    }

    fn new_name<'a>(&self, path: &'a str) -> Result<(OwnedFd, &'a str), FileError> {
        let path = checked(path)?;
        if path.contains(char::is_control) {
            return Err(FileError::InvalidPath(PathFault::ControlCharacter));
        }
        self.parent(path)
    }

    fn open_directory(&self, path: &str) -> Result<OwnedFd, FileError> {
        open_linkless(&*self.dir, path, OFlags::RDONLY | OFlags::DIRECTORY)
    }

    fn give(&self, fd: BorrowedFd<'_>) -> Result<(), FileError> {
        if is_root() {
            fchown(fd, Some(Uid::from_raw(self.owner.0)), Some(Gid::from_raw(self.owner.1)))?;
        }
        Ok(())
    }
}

fn is_directory(mode: rustix::fs::RawMode) -> bool {
    FileType::from_raw_mode(mode) == FileType::Directory
}

/// What is freed when this name goes: nothing where the file has others.
fn sole_size(parent: BorrowedFd<'_>, name: &str) -> u64 {
    match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink == 1 => {
            size_of(&stat)
        }
        _ => 0,
    }
}
