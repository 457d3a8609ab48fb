//! The process that forks wrappers, and GoDocker's end of it.
//!
//! It is our own binary, executed anew before any launch: small and single-threaded, so that a fork of it is cheap and
//! safe. Orders come in by its standard input; it and the wrappers answer by its standard output, a line at a time,
//! each shorter than what a pipe writes whole. It ends with its input. Should it die, the wrappers go on and answer by
//! themselves, and the next launch starts another.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{ForkResult, fork};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;

use super::wire::{Launched, Order, Said};
use super::{unavailable, wrapper};
use crate::domain::AttemptName;
use crate::plugins::executor::ExecutorError;

/// The argument that makes `go-d` a spawner; `main` looks for it before it does anything else.
pub const SPAWNER_ARG: &str = "native-spawner";

/// Told of every wrapper that is through.
pub trait OnExit: Send + Sync + 'static {
    fn exited(self: Arc<Self>, name: AttemptName);
}

#[derive(Clone)]
pub struct Spawner {
    program: PathBuf,
    input: Arc<tokio::sync::Mutex<Option<ChildStdin>>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<HashMap<String, oneshot::Sender<Launched>>>,
    /// Launched by this process and not through yet.
    watched: Mutex<HashSet<AttemptName>>,
}

impl Spawner {
    pub fn new(program: PathBuf) -> Self {
        Spawner { program, input: Arc::default(), shared: Arc::default() }
    }

    pub fn watches(&self, name: &AttemptName) -> bool {
        self.shared.watched.lock().expect("no holder of this lock panics").contains(name)
    }

    /// # Errors
    /// [`ExecutorError::Unavailable`] when the spawner cannot be started or died over it.
    pub async fn launch(
        &self,
        order: Order,
        name: &AttemptName,
        on_exit: Arc<dyn OnExit>,
    ) -> Result<Launched, ExecutorError> {
        let mut line = serde_json::to_vec(&order).map_err(unavailable)?;
        line.push(b'\n');
        let (launched, answer) = oneshot::channel();
        self.shared.waiting.lock().expect("no holder of this lock panics").insert(order.name, launched);
        self.shared.watched.lock().expect("no holder of this lock panics").insert(name.clone());
        let answered = match self.send(&line, on_exit).await {
            Ok(()) => answer.await.map_err(|_| unavailable("the native spawner died; it is started again")),
            Err(error) => Err(unavailable(format!("the native spawner cannot be used: {error}"))),
        };
        if !matches!(answered, Ok(Launched::Started { .. })) {
            self.shared.watched.lock().expect("no holder of this lock panics").remove(name);
        }
        answered
    }

    async fn send(&self, line: &[u8], on_exit: Arc<dyn OnExit>) -> std::io::Result<()> {
        let mut input = self.input.lock().await;
        if input.is_none() {
            *input = Some(self.start(on_exit)?);
        }
        let pipe = input.as_mut().expect("it was just made");
        let sent = pipe.write_all(line).await;
        if sent.is_err() {
            *input = None;
        }
        sent
    }

    fn start(&self, on_exit: Arc<dyn OnExit>) -> std::io::Result<ChildStdin> {
        let mut child = Command::new(&self.program)
            .arg(SPAWNER_ARG)
            .current_dir("/")
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let input = child.stdin.take().expect("asked for above");
        let output = child.stdout.take().expect("asked for above");
        let shared = self.shared.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                shared.hear(&line, &on_exit);
            }
        });
        tokio::spawn(self.clone().bury(child));
        Ok(input)
    }

    /// Wrappers keep the output open, so that the spawner's own end is seen here only.
    async fn bury(self, mut child: Child) {
        let status = child.wait().await;
        tracing::warn!(?status, "the native spawner ended");
        *self.input.lock().await = None;
        self.shared.waiting.lock().expect("no holder of this lock panics").clear();
    }
}

impl Shared {
    fn hear(&self, line: &str, on_exit: &Arc<dyn OnExit>) {
        match serde_json::from_str(line) {
            Ok(Said::Launched { name, launched }) => {
                let waiting = self.waiting.lock().expect("no holder of this lock panics").remove(&name);
                // Whoever asked may have gone away; the record tells it.
                drop(waiting.map(|waiting| waiting.send(launched)));
            }
            Ok(Said::Exited { name }) => {
                let Some(name) = AttemptName::parse(&name) else { return };
                self.watched.lock().expect("no holder of this lock panics").remove(&name);
                on_exit.clone().exited(name);
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
    let name = order.name.clone();
    match std::fs::DirBuilder::new().mode(0o700).create(&order.record) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return say(&Said::Launched { name, launched: Launched::Exists });
        }
        Err(error) => return failed(name, &error.to_string()),
    }
    // SAFETY: this process has one thread, so the child may do anything.
    match unsafe { fork() } {
        Ok(ForkResult::Parent { .. }) => {}
        Ok(ForkResult::Child) => wrapper::run(order),
        Err(error) => {
            // The claim is given back, so that it can be tried again.
            let _ = std::fs::remove_dir(&order.record);
            failed(name, &error.to_string());
        }
    }
}

pub(super) fn failed(name: String, message: &str) {
    say(&Said::Launched { name, launched: Launched::Failed { message: message.to_owned() } });
}

/// One write of one line: a pipe keeps it whole among those of the other wrappers.
pub(super) fn say(said: &Said) {
    let mut line = serde_json::to_vec(said).expect("names and numbers are JSON");
    line.push(b'\n');
    // Nobody may listen any more; the record has it all.
    let _ = std::io::stdout().lock().write_all(&line).and_then(|()| std::io::stdout().flush());
}
