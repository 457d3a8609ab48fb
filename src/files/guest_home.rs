//! The directory of a guest: below a root that is the site's, owned by whom guests' jobs run as, open to no one else.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, fchown, mkdirat, openat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::job_dirs::is_root;
use super::remove::delete_tree;
use super::{FileError, PathFault};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Makes it, where it is not there; all guests have one uid, so that what keeps them apart is that each job sees one.
///
/// # Errors
/// What the system says, and [`FileError::InvalidPath`] for a path without a parent or a name.
pub async fn make_guest_home(path: &Path, uid: u32, gid: u32) -> Result<(), FileError> {
    let path = path.to_owned();
    super::job_dirs::blocking(move || make(&path, uid, gid)).await
}

fn make(path: &Path, uid: u32, gid: u32) -> Result<(), FileError> {
    let (root, name) = parts(path)?;
    std::fs::create_dir_all(root).map_err(FileError::Io)?;
    let root = openat(CWD, root, DIRECTORY, Mode::empty())?;
    match mkdirat(root.as_fd(), name, Mode::from_raw_mode(0o700)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    // Also where it was there: we may have been killed between the two.
    let home = openat(root.as_fd(), name, DIRECTORY, Mode::empty())?;
    if is_root() {
        fchown(home, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    }
    Ok(())
}

/// Deletes it with all it holds, following no link. One that is not there is deleted.
///
/// # Errors
/// What the system says.
pub fn remove_guest_home(path: &Path) -> Result<(), FileError> {
    let (root, name) = parts(path)?;
    match openat(CWD, root, DIRECTORY, Mode::empty()) {
        Ok(root) => delete_tree(root.as_fd(), name),
        Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

fn parts(path: &Path) -> Result<(&Path, &str), FileError> {
    let invalid = || FileError::InvalidPath(PathFault::GuestHome);
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(invalid)?;
    Ok((path.parent().ok_or_else(invalid)?, name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[tokio::test]
    async fn it_is_made_once_and_goes_with_what_it_holds_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let (home, outside) = (dir.path().join("guests/g"), dir.path().join("outside"));
        std::fs::write(&outside, "kept").unwrap();
        for _ in 0..2 {
            make_guest_home(&home, 65_534, 65_534).await.unwrap();
        }
        assert_eq!(std::fs::metadata(&home).unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::create_dir(home.join("deep")).unwrap();
        symlink(&outside, home.join("deep/link")).unwrap();
        symlink(dir.path(), home.join("up")).unwrap();
        for _ in 0..2 {
            remove_guest_home(&home).unwrap();
        }
        assert!(!home.exists() && outside.exists());
    }

    #[tokio::test]
    async fn a_link_in_its_place_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("guests")).unwrap();
        symlink("/etc", dir.path().join("guests/g")).unwrap();
        assert!(make_guest_home(&dir.path().join("guests/g"), 65_534, 65_534).await.is_err());
    }
}
