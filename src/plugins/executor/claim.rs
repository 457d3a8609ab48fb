//! Who may begin an attempt: a file beside the job directory, made once.
//!
//! A launch can be told twice, and the one who was told first may have been stopped in the middle and go on much later,
//! when the attempt has long been launched by another, has ended and was forgotten. So a launch first makes something
//! that does not run yet, and whoever's thing is named in the claim may set it going: what was forgotten cannot be.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The attempt is begun with this one, now or by whoever claimed it for it before.
    Ours,
    /// It was begun with another, or is about to be.
    Others(String),
}

/// The file that says that an attempt was begun.
pub fn path(directory: &Path, attempt: u32) -> PathBuf {
    directory.join(format!("attempt-{attempt}"))
}

/// Gives a claim back: `what` is gone, and was never set going.
///
/// # Errors
/// The file system's; the attempt then counts as begun.
pub fn give_back(directory: &Path, attempt: u32, what: &str) -> io::Result<()> {
    let path = path(directory, attempt);
    let holder = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        holder => holder?,
    };
    if holder == what { std::fs::remove_file(path) } else { Ok(()) }
}

/// Claims an attempt for `what` (the id of a container or service). `directory` is the job's private one: root's, on the
/// shared file system, gone with the job.
///
/// # Errors
/// The file system's; nothing is claimed then, or what is claimed is ours.
pub fn claim(directory: &Path, attempt: u32, what: &str) -> io::Result<Claim> {
    let path = path(directory, attempt);
    // Written beside and linked into place: a claim is whole or is not there, on every file system that links.
    let draft = directory.join(format!("attempt-{attempt}.{}.{:x}", std::process::id(), rand::random::<u64>()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let linked = file.write_all(what.as_bytes()).and_then(|()| std::fs::hard_link(&draft, &path));
    // What is left behind goes with the job.
    let _ = std::fs::remove_file(&draft);
    match linked {
        Ok(()) => Ok(Claim::Ours),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut holder = String::new();
            std::fs::File::open(&path)?.read_to_string(&mut holder)?;
            Ok(if holder == what { Claim::Ours } else { Claim::Others(holder) })
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_begun_with_one_thing_only() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(claim(dir.path(), 1, "c1").unwrap(), Claim::Ours);
        assert_eq!(claim(dir.path(), 1, "c2").unwrap(), Claim::Others("c1".into()));
        assert_eq!(claim(dir.path(), 1, "c1").unwrap(), Claim::Ours);
        assert_eq!(claim(dir.path(), 2, "c2").unwrap(), Claim::Ours);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no drafts are left");
    }
}
