//! One attempt's wrapper: forks the job, waits for it, writes how it ended. Stays what we are (root, mostly); only the
//! job takes the user's ids, and everything in the job directory is opened with the user's rights.

use std::ffi::CString;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, killpg, pthread_sigmask, signal};
use nix::sys::wait::waitpid;
use nix::unistd::{
    ForkResult, Gid, Pid, Uid, fork, setfsgid, setfsuid, setgroups, setpgid, setresgid, setresuid, setsid,
};

use super::record::{CLAIM, STATUS, start_time};
use super::spawner::{failed, say, was_begun};
use super::wire::{Launched, Order, Said};

/// Exit codes of a job that could not be begun, as a shell has them.
const CANNOT_RUN: i32 = 126;

pub fn run(order: Order) -> ! {
    // The session is the attempt's own: nothing that ends GoDocker's reaches it.
    let _ = setsid();
    // SAFETY: no handler is installed, only dispositions that need no code.
    unsafe {
        let _ = signal(Signal::SIGCHLD, SigHandler::SigDfl);
        for ignored in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            let _ = signal(ignored, SigHandler::SigIgn);
        }
    }
    leave_standard_streams();
    std::process::exit(attempt(&order))
}

/// Input and errors are nobody's; output stays the pipe that we answer by.
fn leave_standard_streams() {
    if let Ok(null) = File::options().read(true).write(true).open("/dev/null") {
        // SAFETY: dup2 onto descriptors that nothing here reads or writes.
        unsafe {
            libc::dup2(null.as_raw_fd(), 0);
            libc::dup2(null.as_raw_fd(), 2);
        }
    }
}

fn attempt(order: &Order) -> i32 {
    // What the job leaves behind becomes ours, however it detached itself.
    let _ = nix::sys::prctl::set_child_subreaper(true);
    let wrapper = nix::unistd::getpid();
    let Ok((gate, opener)) = std::io::pipe() else {
        return give_back(order, "no pipe could be made");
    };
    // SAFETY: this process has one thread, so the child may do anything.
    let job = match unsafe { fork() } {
        Ok(ForkResult::Child) => {
            drop(opener);
            begin_job(order, gate, wrapper)
        }
        Ok(ForkResult::Parent { child }) => child,
        Err(error) => return give_back(order, &error.to_string()),
    };
    drop(gate);
    // Both sides set it, so that it is set whoever comes first.
    let _ = setpgid(job, job);
    let claimed = claim(order, job);
    if !matches!(claimed, Ok(Launched::Started)) {
        // The job is still behind its gate, which closes without a word.
        drop(opener);
        let _ = waitpid(job, None);
        return match claimed {
            Ok(launched) => {
                say(&Said { ticket: order.ticket, launched });
                1
            }
            Err(error) => give_back(order, &error.to_string()),
        };
    }
    say(&Said { ticket: order.ticket, launched: Launched::Started });
    let _ = (&opener).write_all(b"!");
    drop(opener);
    let code = wait(job);
    clear_leftovers();
    as_user(order, || drop(append_now(&order.directory.join("god.info"))));
    write_status(order, code);
    0
}

fn give_back(order: &Order, message: &str) -> i32 {
    // Only what nobody claimed: the record may be another wrapper's by now.
    let _ = std::fs::remove_dir(&order.record);
    failed(order.ticket, message);
    1
}

fn millis() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Written once: of two wrappers of one attempt, only one goes on. And then only if the attempt was not begun and forgotten
/// while we were slow: our record may have been taken for one that nobody was at, and this one be a later launch's.
fn claim(order: &Order, job: Pid) -> std::io::Result<Launched> {
    let me = std::process::id() as i32;
    let start = start_time(me).unwrap_or(0);
    let path = order.record.join(CLAIM);
    let mut file = match File::options().write(true).create_new(true).mode(0o600).open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(Launched::Exists),
        file => file?,
    };
    let numbers = format!("{me} {start} {job} {}\n", millis());
    let written = file.write_all(numbers.as_bytes()).and_then(|()| file.write_all(order.begun.as_os_str().as_bytes()));
    let launched = written.and_then(|()| was_begun(order)).map(|begun| match begun {
        true => Launched::BegunBefore,
        false => Launched::Started,
    });
    if !matches!(launched, Ok(Launched::Started)) {
        let _ = std::fs::remove_file(path);
        let _ = std::fs::remove_dir(&order.record);
    }
    launched
}

/// Waits for the job; what it left in its process group goes with it, as it would in a container.
fn wait(job: Pid) -> i32 {
    loop {
        let Some(dead) = next_dead(true) else { continue };
        if dead == job {
            // Before it is buried: its number still names its group and nothing else.
            let _ = killpg(job, Signal::SIGKILL);
        }
        let code = bury(dead);
        if dead == job {
            return code;
        }
    }
}

/// Kills what left the process group, too: it is our child by now. Not for ever: a process may be stuck in the kernel.
fn clear_leftovers() {
    for _ in 0..200 {
        while let Some(dead) = next_dead(false) {
            bury(dead);
        }
        let left = own_children();
        if left.is_empty() {
            return;
        }
        for pid in left {
            let _ = nix::sys::signal::kill(pid, Signal::SIGKILL);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn own_children() -> Vec<Pid> {
    let me = std::process::id();
    let text = std::fs::read_to_string(format!("/proc/{me}/task/{me}/children")).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect()
}

/// A child that has ended, not buried yet. (nix's own waits know no death by a real-time signal.)
fn next_dead(wait: bool) -> Option<Pid> {
    let flags = libc::WEXITED | libc::WNOWAIT | if wait { 0 } else { libc::WNOHANG };
    // SAFETY: zeroes are a valid siginfo_t; its pid is read only when the call filled it in, or left it zero.
    let pid = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        if libc::waitid(libc::P_ALL, 0, &mut info, flags) == 0 { info.si_pid() } else { 0 }
    };
    (pid > 0).then(|| Pid::from_raw(pid))
}

/// The exit code of a child that has ended, as a shell would say it.
fn bury(pid: Pid) -> i32 {
    let mut status = 0;
    // SAFETY: status lives until the call returns.
    unsafe { libc::waitpid(pid.as_raw(), &mut status, 0) };
    if libc::WIFSIGNALED(status) { 128 + libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) }
}

/// Beside and renamed: a reader sees all of it or none. Tried again while the disk is full.
fn write_status(order: &Order, code: i32) {
    let (beside, path) = (order.record.join(".status"), order.record.join(STATUS));
    let text = format!("{code} {}", millis());
    while order.record.exists() {
        if std::fs::write(&beside, &text).and_then(|()| std::fs::rename(&beside, &path)).is_ok() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

/// Opens files with the user's rights for once.
fn as_user(order: &Order, work: impl FnOnce()) {
    if !Uid::effective().is_root() {
        return work();
    }
    setfsgid(Gid::from_raw(order.gid));
    setfsuid(Uid::from_raw(order.uid));
    work();
    setfsuid(Uid::from_raw(0));
    setfsgid(Gid::from_raw(0));
}

fn append_now(path: &Path) -> std::io::Result<()> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let mut file = File::options().append(true).create(true).mode(0o644).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { writeln!(file, "{}", millis() / 1000) } else { Ok(()) }
}

fn begin_job(order: &Order, mut gate: std::io::PipeReader, wrapper: Pid) -> ! {
    let me = nix::unistd::getpid();
    let _ = setpgid(me, me);
    if gate.read_exact(&mut [0]).is_err() {
        std::process::exit(CANNOT_RUN);
    }
    drop(gate);
    let error = match become_user(order, wrapper) {
        Ok(()) => match open_streams() {
            Ok(()) => exec(order),
            Err(error) => error,
        },
        Err(error) => error,
    };
    eprintln!("godocker: the job could not be begun: {error}");
    std::process::exit(CANNOT_RUN)
}

fn become_user(order: &Order, wrapper: Pid) -> std::io::Result<()> {
    for procs in &order.cgroup {
        std::fs::write(procs, "0")?;
    }
    if Uid::effective().is_root() {
        let groups: Vec<_> = order.groups.iter().map(|group| Gid::from_raw(*group)).collect();
        let (uid, gid) = (Uid::from_raw(order.uid), Gid::from_raw(order.gid));
        setgroups(&groups)?;
        setresgid(gid, gid, gid)?;
        setresuid(uid, uid, uid)?;
    }
    // Should the wrapper be killed, nobody would know of the job any more: it goes too. A change of user resets it.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    if nix::unistd::getppid() != wrapper {
        return Err(std::io::Error::other("its wrapper is gone"));
    }
    // SAFETY: plain system calls on ourselves.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::umask(0o022);
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        for ignored in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGPIPE] {
            let _ = signal(ignored, SigHandler::SigDfl);
        }
    }
    let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
    std::env::set_current_dir(&order.directory)
}

/// From here on we are the user, in the job directory.
fn open_streams() -> std::io::Result<()> {
    let fresh = |name: &str| {
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
        let opened = File::options().write(true).create(true).truncate(true).mode(0o644).custom_flags(flags).open(name);
        opened.map_err(|error| std::io::Error::new(error.kind(), format!("{name}: {error}")))
    };
    // Errors first: they tell why the others cannot be opened.
    for (name, onto) in [("god.err", 2), ("god.log", 1)] {
        let file = fresh(name)?;
        // Appending and blocking, as a program expects of its output.
        // SAFETY: a descriptor that we own, onto one that nothing of ours holds.
        let done = unsafe {
            libc::fcntl(file.as_raw_fd(), libc::F_SETFL, libc::O_APPEND) >= 0 && libc::dup2(file.as_raw_fd(), onto) >= 0
        };
        if !done {
            return Err(std::io::Error::last_os_error());
        }
    }
    writeln!(fresh("god.info")?, "{}", millis() / 1000)
}

/// Replaces us with the script; comes back only with an error.
fn exec(order: &Order) -> std::io::Error {
    let text = |bytes: &[u8]| CString::new(bytes).map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidInput));
    let run = || -> std::io::Result<()> {
        let script = order.directory.join("cmd.sh");
        let path = text(script.as_os_str().as_bytes())?;
        let env: Vec<CString> = order
            .env
            .iter()
            .map(|(name, value)| text(format!("{name}={value}").as_bytes()))
            .collect::<std::io::Result<_>>()?;
        if has_its_interpreter(&script) {
            // Falls through to the shell when the kernel does not know the format, or may not run from here.
            let _ = nix::unistd::execve(&path, std::slice::from_ref(&path), &env);
        }
        let shell = c"/bin/sh".to_owned();
        nix::unistd::execve(&shell, &[shell.clone(), path], &env)?;
        Ok(())
    };
    run().err().unwrap_or_else(|| std::io::Error::from(std::io::ErrorKind::Other))
}

fn has_its_interpreter(script: &Path) -> bool {
    let mut first = Vec::new();
    let read = File::open(script).and_then(|file| BufReader::new(file).take(256).read_until(b'\n', &mut first));
    let line = String::from_utf8_lossy(&first);
    let interpreter = line.strip_prefix("#!").and_then(|rest| rest.split_whitespace().next());
    read.is_ok() && interpreter.is_some_and(|path| nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn order(dir: &Path) -> Order {
        let record = dir.join("record");
        std::fs::create_dir(&record).unwrap();
        Order {
            ticket: 1,
            name: "god-test-1-1".into(),
            record,
            begun: dir.join("attempt-1"),
            directory: PathBuf::from("/nowhere"),
            uid: 1,
            gid: 1,
            groups: Vec::new(),
            env: Vec::new(),
            cgroup: Vec::new(),
        }
    }

    #[test]
    fn a_slow_wrapper_does_not_begin_what_was_begun_and_forgotten_meanwhile() {
        let dir = tempfile::tempdir().unwrap();
        let order = order(dir.path());
        let claim = || claim(&order, Pid::from_raw(2)).unwrap();
        assert!(matches!(claim(), Launched::Started) && matches!(claim(), Launched::Exists));
        // It ran, it ended, it was forgotten; and a later launch is just looking whether it may begin.
        std::fs::remove_dir_all(&order.record).unwrap();
        std::fs::write(&order.begun, "").unwrap();
        std::fs::create_dir(&order.record).unwrap();
        assert!(matches!(claim(), Launched::BegunBefore));
        assert!(!order.record.exists(), "nothing looks as if it ran");
    }
}
