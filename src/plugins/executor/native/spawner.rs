//! The process that forks wrappers, and GoDocker's end of it.
//!
//! It is our own binary, executed anew before any launch: small and single-threaded, so that a fork of it is cheap and
//! safe. Orders come in by its standard input; it and the wrappers answer by its standard output, a line at a time,
//! each shorter than what a pipe writes whole. It ends with its input. Should it die, the wrappers go on and answer by
//! themselves, and the next launch starts another.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{ForkResult, fork};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;

use super::wire::{Launched, Order, Said};
use super::{unavailable, wrapper};
use crate::plugins::executor::ExecutorError;

/// The argument that makes `go-d` a spawner; `main` looks for it before it does anything else.
pub const SPAWNER_ARG: &str = "native-spawner";

#[derive(Clone)]
pub struct Spawner {
    program: PathBuf,
    input: Arc<tokio::sync::Mutex<Option<Input>>>,
    shared: Arc<Shared>,
}

/// The way to the spawner of this generation.
struct Input {
    generation: u64,
    pipe: ChildStdin,
}

#[derive(Default)]
struct Shared {
    next_number: AtomicU64,
    /// By ticket; with the generation that was asked.
    waiting: Mutex<HashMap<u64, (u64, oneshot::Sender<Launched>)>>,
}

/// How often an order is given to a new spawner when one died over it.
const TRIES: u32 = 3;

impl Spawner {
    pub fn new(program: PathBuf) -> Self {
        Spawner { program, input: Arc::default(), shared: Arc::default() }
    }

    /// An order over which the spawner died is given again: the record makes that harmless.
    ///
    /// # Errors
    /// [`ExecutorError::Unavailable`] when the spawner cannot be started or keeps dying.
    pub async fn launch(&self, mut order: Order) -> Result<Launched, ExecutorError> {
        for _ in 0..TRIES {
            order.ticket = self.shared.number();
            let line = serde_json::to_string(&order).map_err(unavailable)? + "\n";
            let answer = self
                .send(order.ticket, line.as_bytes())
                .await
                .map_err(|error| unavailable(format!("the native spawner cannot be used: {error}")))?;
            if let Ok(launched) = answer.await {
                return Ok(launched);
            }
        }
        Err(unavailable("the native spawner keeps dying"))
    }

    /// The answer to come; it is dropped when the spawner dies first.
    async fn send(&self, ticket: u64, line: &[u8]) -> std::io::Result<oneshot::Receiver<Launched>> {
        let mut input = self.input.lock().await;
        if input.is_none() {
            *input = Some(self.start()?);
        }
        let current = input.as_mut().expect("it was just made");
        let (launched, answer) = oneshot::channel();
        self.shared.waiting().insert(ticket, (current.generation, launched));
        if current.pipe.write_all(line).await.is_err() {
            *input = None;
            self.shared.waiting().remove(&ticket);
        }
        Ok(answer)
    }

    fn start(&self) -> std::io::Result<Input> {
        let mut child = Command::new(&self.program)
            .arg(SPAWNER_ARG)
            .current_dir("/")
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let pipe = child.stdin.take().expect("asked for above");
        let output = child.stdout.take().expect("asked for above");
        let generation = self.shared.number();
        let shared = self.shared.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                shared.hear(&line);
            }
        });
        tokio::spawn(bury(Arc::downgrade(&self.input), self.shared.clone(), child, generation));
        Ok(Input { generation, pipe })
    }
}

/// Wrappers keep the output open for a while, so that the spawner's own end is seen here only. By now there may be
/// another, whose orders are not touched.
async fn bury(
    input: std::sync::Weak<tokio::sync::Mutex<Option<Input>>>,
    shared: Arc<Shared>,
    mut child: Child,
    generation: u64,
) {
    let status = child.wait().await;
    let Some(input) = input.upgrade() else { return };
    tracing::warn!(?status, "the native spawner ended");
    let mut input = input.lock().await;
    if input.as_ref().is_some_and(|input| input.generation == generation) {
        *input = None;
    }
    shared.waiting().retain(|_, (asked, _)| *asked != generation);
}

impl Shared {
    fn number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, (u64, oneshot::Sender<Launched>)>> {
        self.waiting.lock().expect("no holder of this lock panics")
    }

    fn hear(&self, line: &str) {
        match serde_json::from_str::<Said>(line) {
            Ok(said) => {
                let waiting = self.waiting().remove(&said.ticket);
                // Whoever asked may have gone away; the record tells it.
                drop(waiting.map(|(_, waiting)| waiting.send(said.launched)));
            }
            Err(error) => tracing::error!(%error, line, "the native spawner says what nobody understands"),
        }
    }
}

/// The spawner's whole life. Called by `main` before any thread exists.
pub fn spawner_main() -> ! {
    // SAFETY: no handler is installed, only the two dispositions that need no code.
    unsafe {
        // Wrappers are reaped by the kernel: their records say how they ended.
        let _ = signal(Signal::SIGCHLD, SigHandler::SigIgn);
        let _ = signal(Signal::SIGPIPE, SigHandler::SigIgn);
    }
    let mut input = std::io::stdin().lock();
    let mut line = String::new();
    loop {
        line.clear();
        match input.read_line(&mut line) {
            Ok(0) | Err(_) => std::process::exit(0),
            Ok(_) => {}
        }
        if let Ok(order) = serde_json::from_str::<Order>(&line) {
            launch(order);
        }
    }
}

fn launch(order: Order) {
    let ticket = order.ticket;
    match std::fs::DirBuilder::new().mode(0o700).create(&order.record) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return say(&Said { ticket, launched: Launched::Exists });
        }
        Err(error) => return failed(ticket, &error.to_string()),
    }
    // Looked for behind our own record: what is forgotten from here on is not this attempt. The wrapper looks once more,
    // when the record is certainly its own.
    match was_begun(&order) {
        Ok(false) => {}
        outcome => {
            let _ = std::fs::remove_dir(&order.record);
            return match outcome {
                Ok(_) => say(&Said { ticket, launched: Launched::BegunBefore }),
                Err(error) => failed(ticket, &error.to_string()),
            };
        }
    }
    // SAFETY: this process has one thread, so the child may do anything.
    match unsafe { fork() } {
        Ok(ForkResult::Parent { .. }) => {}
        Ok(ForkResult::Child) => wrapper::run(order),
        Err(error) => {
            // The claim is given back, so that it can be tried again.
            let _ = std::fs::remove_dir(&order.record);
            failed(ticket, &error.to_string());
        }
    }
}

/// Whether there is word that the attempt was begun, and forgotten.
pub(super) fn was_begun(order: &Order) -> std::io::Result<bool> {
    match std::fs::symlink_metadata(&order.begun) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn failed(ticket: u64, message: &str) {
    say(&Said { ticket, launched: Launched::Failed { message: message.to_owned() } });
}

/// One write of one line: a pipe keeps it whole among those of the other wrappers.
pub(super) fn say(said: &Said) {
    let mut line = serde_json::to_vec(said).expect("names and numbers are JSON");
    line.push(b'\n');
    // Nobody may listen any more; the record has it all.
    let _ = std::io::stdout().lock().write_all(&line).and_then(|()| std::io::stdout().flush());
}
