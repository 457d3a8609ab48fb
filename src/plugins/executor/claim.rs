//! Who may begin an attempt: a file beside the job directory, made once.
//!
//! A launch can be told twice, and the one who was told first may have been stopped in the middle and go on much later,
//! when the attempt has long been launched by another, has ended and was forgotten. So a launch first makes something
//! that does not run yet, and whoever's thing is named in the claim may set it going: what was forgotten cannot be.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Launch;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The attempt is begun with this one, now.
    Ours,
    /// It was claimed for this one before, which may have begun since.
    OursBefore,
    /// It was begun with another, or is about to be.
    Others(String),
}

/// The file that says that an attempt was begun.
pub fn path(directory: &Path, attempt: u32) -> PathBuf {
    directory.join(format!("attempt-{attempt}"))
}

/// Claims an attempt for `what` (the id of a container or service).
///
/// # Errors
/// The file system's; nothing is claimed then, or what is claimed is ours.
pub async fn claim(launch: &Launch, what: &str) -> io::Result<Claim> {
    let what = what.to_owned();
    at(launch, move |private, _, attempt| claim_in(private, attempt, &what)).await
}

/// Gives a claim back: `what` is gone, and was never set going. Where that cannot be written, the attempt counts as begun.
pub async fn give_back(launch: &Launch, what: &str) {
    let what = what.to_owned();
    if let Err(error) = at(launch, move |private, _, attempt| give_back_in(private, attempt, &what)).await {
        tracing::warn!(name = %launch.name, %error, "the attempt now counts as begun");
    }
}

/// What the wrapper of an attempt has left in the job directory since it was claimed.
///
/// # Errors
/// The file system's.
pub async fn trace(launch: &Launch) -> io::Result<Trace> {
    at(launch, trace_in).await
}

/// Runs what touches the disk where blocking is fine: with the private directory, the job directory, the attempt's number.
async fn at<T: Send + 'static>(
    launch: &Launch,
    work: impl FnOnce(&Path, &Path, u32) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (private, directory) = (launch.private_directory.clone(), launch.directory.clone());
    let attempt = launch.attempt.number;
    let done = tokio::task::spawn_blocking(move || work(&private, &directory, attempt)).await;
    done.map_err(io::Error::other).and_then(|done| done)
}

fn give_back_in(directory: &Path, attempt: u32, what: &str) -> io::Result<()> {
    let path = path(directory, attempt);
    let holder = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        holder => holder?,
    };
    if holder == what { std::fs::remove_file(path) } else { Ok(()) }
}

/// `directory` is the job's private one: root's, on the shared file system, gone with the job.
fn claim_in(directory: &Path, attempt: u32, what: &str) -> io::Result<Claim> {
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
            Ok(if holder == what { Claim::OursBefore } else { Claim::Others(holder) })
        }
        Err(error) => Err(error),
    }
}

/// What the wrapper of an attempt has left in the job directory since it was claimed. All of these lie on one file
/// system, so that their times are of one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// It has not begun.
    Nothing,
    /// It began, this long after which it has not ended yet.
    Begun(Duration),
    /// It has said its exit code.
    Ended,
}

fn trace_in(private_directory: &Path, directory: &Path, attempt: u32) -> io::Result<Trace> {
    let claimed = std::fs::metadata(path(private_directory, attempt))?.modified()?;
    // Links are not followed: the directory is the user's.
    let since = |name: &str| {
        let found = std::fs::symlink_metadata(directory.join(name)).ok()?;
        (found.modified().ok()? >= claimed).then_some(found)
    };
    if since("god.info").is_none() {
        return Ok(Trace::Nothing);
    }
    let ended = since("god.exit").is_some_and(|said| said.len() > 0);
    Ok(if ended { Trace::Ended } else { Trace::Begun(claimed.elapsed().unwrap_or_default()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_attempt_left_is_not_what_an_earlier_one_did() {
        let dir = tempfile::tempdir().unwrap();
        let (private, task) = (dir.path().join("private"), dir.path().join("task"));
        [&private, &task].iter().for_each(|made| std::fs::create_dir(made).unwrap());
        let write = |name: &str, text: &str, age: u64| {
            let path = task.join(name);
            std::fs::write(&path, text).unwrap();
            let then = std::time::SystemTime::now() - Duration::from_secs(age);
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
        };
        write("god.info", "1\n2\n", 100);
        write("god.exit", "7\n", 100);
        claim_in(&private, 2, "c2").unwrap();
        let trace = || trace_in(&private, &task, 2).unwrap();
        assert_eq!(trace(), Trace::Nothing);
        write("god.info", "3\n", 0);
        assert!(matches!(trace(), Trace::Begun(_)));
        write("god.exit", "", 0);
        assert!(matches!(trace(), Trace::Begun(_)));
        write("god.exit", "0\n", 0);
        assert_eq!(trace(), Trace::Ended);
    }

    #[test]
    fn an_attempt_is_begun_with_one_thing_only() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(claim_in(dir.path(), 1, "c1").unwrap(), Claim::Ours);
        assert_eq!(claim_in(dir.path(), 1, "c2").unwrap(), Claim::Others("c1".into()));
        assert_eq!(claim_in(dir.path(), 1, "c1").unwrap(), Claim::OursBefore);
        assert_eq!(claim_in(dir.path(), 2, "c2").unwrap(), Claim::Ours);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no drafts are left");
        give_back_in(dir.path(), 1, "c2").unwrap();
        assert_eq!(claim_in(dir.path(), 1, "c2").unwrap(), Claim::Others("c1".into()), "it was not c2's to give");
        give_back_in(dir.path(), 1, "c1").unwrap();
        assert_eq!(claim_in(dir.path(), 1, "c2").unwrap(), Claim::Ours);
    }
}
