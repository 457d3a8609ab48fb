//! Whether a shell could read a script: its syntax, as the shell that its first line names says it.
//!
//! Nothing of the script is run. The shell reads it with `-n` from a file that exists in memory only, without
//! environment, as nobody, with limits on time, memory and what it says; the script is in no argument. What it finds is a
//! warning: the image's shell may understand what this machine's does not.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::Semaphore;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shell {
    Sh,
    Bash,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Who read it; `None` where nobody did: another language, no such shell here, too busy.
    pub shell: Option<Shell>,
    pub faults: Vec<ScriptFault>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScriptFault {
    /// 1 is the first.
    pub line: u64,
    pub message: String,
}

/// Shells at once.
static TURNS: Semaphore = Semaphore::const_new(4);
const TURN_WITHIN: Duration = Duration::from_secs(2);
const WITHIN: Duration = Duration::from_secs(2);
/// Seconds of processor, and bytes, for a shell that goes wrong.
const CPU_LIMIT: u64 = 2;
const MEMORY_LIMIT: u64 = 256 << 20;
/// Of what it says.
const MOST_SAID: u64 = 8 << 10;
const MOST_FAULTS: usize = 20;
const LONGEST_MESSAGE: usize = 300;
const NOBODY: u32 = 65_534;
/// What the shell is told to read.
const INPUT: &str = "/dev/stdin";

/// Reads nothing but `script`, and writes nothing.
pub async fn check(script: &str) -> Checked {
    let unchecked = Checked { shell: None, faults: Vec::new() };
    let Some(shell) = shell_of(script) else { return unchecked };
    if let Some(at) = script.find('\0') {
        let line = script[..at].matches('\n').count() as u64 + 1;
        let message = "there is a NUL byte, which no script may have".to_owned();
        return Checked { shell: Some(shell), faults: vec![ScriptFault { line, message }] };
    }
    let Some(program) = program(shell) else { return unchecked };
    let Ok(Ok(_turn)) = tokio::time::timeout(TURN_WITHIN, TURNS.acquire()).await else { return unchecked };
    match said(program, script).await {
        Some(said) => Checked { shell: Some(shell), faults: faults(&said) },
        None => unchecked,
    }
}

/// The shell that runs it; a script without a first line of that kind is run by `sh`.
fn shell_of(script: &str) -> Option<Shell> {
    let Some(line) = script.strip_prefix("#!") else { return Some(Shell::Sh) };
    let mut words = line.lines().next().unwrap_or_default().split_whitespace();
    let program = words.next()?;
    let name = if program.ends_with("/env") { words.find(|word| !word.starts_with('-'))? } else { program };
    match name.rsplit('/').next() {
        Some("sh") => Some(Shell::Sh),
        Some("bash") => Some(Shell::Bash),
        _ => None,
    }
}

fn program(shell: Shell) -> Option<&'static Path> {
    let known = match shell {
        Shell::Sh => ["/bin/sh", "/usr/bin/sh"],
        Shell::Bash => ["/bin/bash", "/usr/bin/bash"],
    };
    known.into_iter().map(Path::new).find(|path| path.exists())
}

/// What the shell says of the script; `None` when it did not come to an end.
async fn said(program: &Path, script: &str) -> Option<String> {
    let input = in_memory(script).ok()?;
    let mut command = std::process::Command::new(program);
    command.args(["-n", INPUT]).env_clear().current_dir("/");
    command.stdin(input).stdout(Stdio::null()).stderr(Stdio::piped());
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    // SAFETY: only system calls that may be made between fork and exec.
    unsafe { command.pre_exec(confine) };
    let mut child = Command::from(command).kill_on_drop(true).spawn().ok()?;
    let mut errors = child.stderr.take()?.take(MOST_SAID);
    let mut said = Vec::new();
    let read = async {
        errors.read_to_end(&mut said).await.ok()?;
        // One that has more to say than is read stays in its pipe for ever, or dies of it.
        drop(errors);
        child.wait().await.ok()
    };
    let ended = tokio::time::timeout(WITHIN, read).await;
    let _ = child.start_kill();
    // Whether well or badly: by a signal it has not come to an end.
    ended.ok().flatten()?.code()?;
    Some(String::from_utf8_lossy(&said).into_owned())
}

/// A file without a name, at its beginning, that the shell may read and nobody may write any more.
fn in_memory(script: &str) -> std::io::Result<File> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    let mut file = File::from(memfd_create("script", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.write_all(script.as_bytes())?;
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    std::io::Seek::rewind(&mut file)?;
    Ok(file)
}

/// No files, no further processes, little time and memory; and no way to more rights.
fn confine() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limits = [
        (Resource::Cpu, CPU_LIMIT),
        (Resource::As, MEMORY_LIMIT),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
        (Resource::Nofile, 32),
    ];
    for (resource, limit) in limits {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    rustix::thread::set_no_new_privs(true)?;
    Ok(())
}

/// `/dev/stdin: line 3: message` of bash and busybox, `/dev/stdin: 3: message` of dash; the line that bash repeats is left
/// out.
fn faults(said: &str) -> Vec<ScriptFault> {
    let lines = said.lines().filter_map(|line| {
        let rest = line.strip_prefix(INPUT)?.strip_prefix(": ")?;
        let rest = rest.strip_prefix("line ").unwrap_or(rest);
        let (number, message) = rest.split_once(": ")?;
        let repeats = message.starts_with('`') && message.ends_with('\'');
        let message: String = message.chars().filter(|c| !c.is_control()).take(LONGEST_MESSAGE).collect();
        Some(ScriptFault { line: number.parse().ok()?, message }).filter(|_| !repeats)
    });
    lines.take(MOST_FAULTS).collect()
}

#[cfg(test)]
mod tests;
