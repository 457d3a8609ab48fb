//! What is known of an attempt, on disk: a directory of root's for each, gone when it is forgotten.
//!
//! `claim` (pid and start time of the wrapper and of the job, when it began; then where to write that it did) is written by the wrapper before the user's
//! program begins; `status` (exit code, when) after it ended; `suspended` while it is. The directory itself is made
//! before the fork, with the effect that a second launch of the same attempt does nothing.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::process::Pid;

use crate::domain::{AttemptName, Timestamp};

pub const CLAIM: &str = "claim";
pub const STATUS: &str = "status";
const SUSPENDED: &str = "suspended";

pub struct Records {
    directory: PathBuf,
}

#[derive(Debug, Clone)]
pub struct Record {
    pub name: AttemptName,
    /// The wrapper's; 0 when it died before it wrote its claim.
    pub pid: i32,
    start: u64,
    job_pid: i32,
    pub started: Timestamp,
    pub status: Option<Status>,
    pub suspended: bool,
    /// Where it is written, when it is forgotten, that it was begun.
    begun: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Status {
    pub code: i32,
    pub ended: Timestamp,
}

impl Records {
    pub fn open(directory: &Path) -> io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        Ok(Records { directory: directory.to_owned() })
    }

    pub fn path(&self, name: &AttemptName) -> PathBuf {
        self.directory.join(name.to_string())
    }

    pub fn get(&self, name: &AttemptName) -> io::Result<Option<Record>> {
        let path = self.path(name);
        let made = match std::fs::symlink_metadata(&path) {
            Ok(metadata) => metadata.modified().ok(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let claim = read(&path.join(CLAIM))?.unwrap_or_default();
        let (claim, begun) = claim.split_once('\n').unwrap_or((&claim, ""));
        let mut numbers = claim.split_whitespace().map(|number| number.parse::<i64>().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        let (pid, start, job_pid, started) = (next(), next(), next(), next());
        let made = made.and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok());
        Ok(Some(Record {
            name: name.clone(),
            pid: pid as i32,
            start: start as u64,
            job_pid: job_pid as i32,
            started: if started > 0 { Timestamp(started) } else { Timestamp(made.map_or(0, |m| m.as_millis() as i64)) },
            status: read(&path.join(STATUS))?.and_then(|text| parse_status(&text)),
            suspended: path.join(SUSPENDED).exists(),
            begun: PathBuf::from(begun),
        }))
    }

    pub fn all(&self) -> io::Result<Vec<Record>> {
        let mut records = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            if let Some(name) = name.to_str().and_then(AttemptName::parse) {
                records.extend(self.get(&name)?);
            }
        }
        Ok(records)
    }

    pub fn mark_suspended(&self, name: &AttemptName, suspended: bool) -> io::Result<()> {
        let path = self.path(name).join(SUSPENDED);
        if suspended {
            return std::fs::write(path, "");
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Forgets an attempt, and leaves word with its job that it was begun.
    pub fn delete(&self, record: &Record) -> io::Result<()> {
        if !record.begun.as_os_str().is_empty() {
            let mut options = std::fs::OpenOptions::new();
            match options.write(true).create(true).truncate(false).mode(0o600).open(&record.begun) {
                Ok(_) => {}
                // Gone with its job, which nobody launches any more.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        match std::fs::remove_dir_all(self.path(&record.name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes a record that nobody has claimed. One that was claimed this moment stays.
    pub fn delete_unclaimed(&self, name: &AttemptName) -> io::Result<()> {
        match std::fs::remove_dir(self.path(name)) {
            Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse_status(text: &str) -> Option<Status> {
    let (code, ended) = text.trim().split_once(' ')?;
    Some(Status { code: code.parse().ok()?, ended: Timestamp(ended.parse().ok()?) })
}

impl Record {
    /// A wrapper that has not written its claim yet was forked moments ago, or died at once: the spawner or its
    /// absence tells which.
    pub fn wrapper_is_alive(&self) -> bool {
        self.pid != 0 && start_time(self.pid) == Some(self.start)
    }

    pub fn pidfd(&self) -> Option<OwnedFd> {
        super::pidfd_of(self.pid, self.start)
    }

    /// The job is the leader of its own group.
    pub fn job_group(&self) -> Option<Pid> {
        Pid::from_raw(self.job_pid).filter(|_| self.job_pid > 1)
    }
}

/// When a process began, in the kernel's ticks: with the pid, this names a process for as long as the machine runs.
/// `None` for one that is gone or only waits to be reaped.
pub fn start_time(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name, in parentheses, may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    // starttime is field 22 of the line, the 20th after the name.
    let start = fields.nth(18)?.parse().ok()?;
    (state != "Z" && state != "X").then_some(start)
}
