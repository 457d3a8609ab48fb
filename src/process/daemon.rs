//! Daemons by hand: into the background, a pid file that cannot lie, a stop that waits.
//!
//! A pid file is locked for as long as its process lives: whoever can lock it knows that nobody does, whatever number it
//! holds and whoever has that number by now.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The descriptor on which a daemon says to who started it that it is ready.
const READY: &str = "GOD_READY_FD";
/// The descriptors of the socket and of the pid file that a daemon which begins anew goes on with.
const LISTENER: &str = "GOD_LISTENER_FD";
const PID_FILE: &str = "GOD_PID_FILE_FD";
/// How long a daemon may take from locking its pid file to writing into it.
const WRITES_WITHIN: Duration = Duration::from_secs(2);

/// A pid file of one's own; the lock ends with the process.
#[derive(Debug)]
pub struct PidFile {
    locked: Flock<File>,
}

#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error("it runs already, as process {0}")]
    Runs(i32),
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error("it ended before it was ready; {log} says why")]
    NotReady { log: PathBuf },
    #[error("process {0} was asked to end and has not")]
    DoesNotEnd(i32),
}

pub type Result<T> = std::result::Result<T, DaemonError>;

fn of(path: &Path) -> impl FnOnce(io::Error) -> DaemonError + '_ {
    move |error| DaemonError::File { path: path.to_owned(), error }
}

/// Takes the pid file for this process.
///
/// # Errors
/// [`DaemonError::Runs`] when another has it.
pub fn take_pid_file(path: &Path) -> Result<PidFile> {
    make_parent(path)?;
    let file = match inherited(PID_FILE) {
        Some(descriptor) => File::from(descriptor),
        None => open(path).map_err(of(path))?,
    };
    let mut locked = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(locked) => locked,
        Err((mut file, _)) => return Err(DaemonError::Runs(pid_in(&mut file))),
    };
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    write(&mut locked).map_err(of(path))?;
    Ok(PidFile { locked })
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o644).custom_flags(libc::O_NOFOLLOW).open(path)
}

fn make_parent(path: &Path) -> Result<()> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    std::fs::DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(of(parent))
}

fn pid_in(file: &mut File) -> i32 {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
    text.trim().parse().unwrap_or(0)
}

/// Who has the pid file; `None` when nobody does.
///
/// # Errors
/// The file's, but for its absence.
pub fn running(path: &Path) -> Result<Option<i32>> {
    let asked = Instant::now();
    loop {
        match holder(path)? {
            Some(0) if asked.elapsed() < WRITES_WITHIN => std::thread::sleep(Duration::from_millis(5)),
            holder => return Ok(holder),
        }
    }
}

/// The same; 0 for one that has only just taken it.
fn holder(path: &Path) -> Result<Option<i32>> {
    let file = match OpenOptions::new().read(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(of(path)(error)),
    };
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Ok(_) => Ok(None),
        Err((mut file, _)) => Ok(Some(pid_in(&mut file))),
    }
}

/// Starts this program again with `arguments`, in a session of its own, its output going to `log`; comes back when it is
/// ready.
///
/// # Errors
/// [`DaemonError::NotReady`] when it ended first.
pub fn start(arguments: &[String], log: &Path) -> Result<i32> {
    make_parent(log)?;
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o640).custom_flags(libc::O_NOFOLLOW);
    let output = options.open(log).map_err(of(log))?;
    let program = std::env::current_exe().map_err(of(Path::new("/proc/self/exe")))?;
    let (mut ready, ours) = io::pipe().map_err(of(log))?;
    let ours = OwnedFd::from(ours);
    let number = ours.as_raw_fd();
    let mut command = Command::new(program);
    command.args(arguments).env(READY, number.to_string()).current_dir("/").stdin(Stdio::null());
    command.stdout(output.try_clone().map_err(of(log))?).stderr(output);
    // SAFETY: only calls that are safe between fork and exec.
    unsafe {
        use std::os::unix::process::CommandExt;
        command.pre_exec(move || {
            nix::unistd::setsid()?;
            // It is the one descriptor that the new program inherits.
            if libc::fcntl(number, libc::F_SETFD, 0) < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
        });
    }
    let child = command.spawn().map_err(of(log))?;
    drop(ours);
    let mut word = String::new();
    let _ = ready.read_to_string(&mut word);
    if word == "ready" { Ok(child.id() as i32) } else { Err(DaemonError::NotReady { log: log.to_owned() }) }
}

/// Says to who started this process in the background that it is ready.
pub fn say_ready() {
    let Some(number) = std::env::var(READY).ok().and_then(|number| number.parse().ok()) else { return };
    // SAFETY: the descriptor was made for this, is used once, and nobody else here knows of it.
    let mut pipe = unsafe { File::from_raw_fd(number) };
    // Whoever started us may have gone.
    let _ = pipe.write_all(b"ready");
}

/// Starts this program again in this process, with the same arguments, pid and pid file, and `listener` where it served.
///
/// # Errors
/// Always the system's: where it works, nobody is left to come back.
pub fn begin_anew(pid_file: &PidFile, listener: Option<TcpListener>) -> io::Error {
    use std::os::unix::process::CommandExt;
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env_remove(READY).env_remove(LISTENER);
    if let Some(name) = std::env::args_os().next() {
        command.arg0(name);
    }
    let listener = listener.as_ref().map(|listener| (LISTENER, listener.as_raw_fd()));
    for (name, descriptor) in [(PID_FILE, pid_file.locked.as_raw_fd())].into_iter().chain(listener) {
        // SAFETY: it is ours; only the flag that closes it at exec is taken away.
        if unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) } < 0 {
            return io::Error::last_os_error();
        }
        command.env(name, descriptor.to_string());
    }
    command.exec()
}

/// The socket that the program before us, in this process, served. Asked once.
pub fn inherited_listener() -> Option<TcpListener> {
    inherited(LISTENER).map(TcpListener::from)
}

/// What the program before us left for us. Asked once.
fn inherited(name: &str) -> Option<OwnedFd> {
    let number = std::env::var(name).ok()?.parse().ok()?;
    // SAFETY: programs that this one starts are not to have it; where it is not open there is nothing to take.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return None;
    }
    // SAFETY: the descriptor was left for this, and nobody else here knows of it.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Asks the process with this pid file to end, and waits until it has. False when there was none.
///
/// # Errors
/// [`DaemonError::DoesNotEnd`] when it takes longer than `within`.
pub fn stop(path: &Path, within: Duration) -> Result<bool> {
    let Some(pid) = running(path)? else { return Ok(false) };
    if pid > 1 {
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    let asked = Instant::now();
    while running(path)?.is_some() {
        if asked.elapsed() > within {
            return Err(DaemonError::DoesNotEnd(pid));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_tells_whether_its_process_lives() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/go-d-web.pid");
        assert_eq!(running(&path).unwrap(), None);
        let taken = take_pid_file(&path).unwrap();
        let me = std::process::id() as i32;
        assert_eq!(running(&path).unwrap(), Some(me));
        assert!(matches!(take_pid_file(&path), Err(DaemonError::Runs(pid)) if pid == me));
        drop(taken);
        assert_eq!(running(&path).unwrap(), None, "the number alone says nothing");
        take_pid_file(&path).expect("it can be taken again");
    }
}
