//! What Ctrl-C means while a job is followed: a question on a terminal, farewell elsewhere.

use std::io::{self, IsTerminal, Write};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::domain::JobId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Kill,
    GoOn,
    Leave,
}

/// Ctrl-C, from now on for us and no longer the end of the process.
pub struct Interrupts(Signal);

impl Interrupts {
    pub fn new() -> Result<Self, ClientError> {
        let failed = ClientError::local("Ctrl-C cannot be listened for");
        signal(SignalKind::interrupt()).map(Interrupts).map_err(failed)
    }

    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending().await
        }
    }

    /// Asks whether to kill the job; a second Ctrl-C leaves it running.
    pub async fn ask(&mut self, id: JobId, output: Output) -> Wish {
        if output.json || !output.err_is_terminal || !io::stdin().is_terminal() {
            return Wish::Leave;
        }
        let _ = write!(io::stderr(), "\nKill job {id}? [y/N] (Ctrl-C again leaves it running) ");
        let (tell, told) = oneshot::channel();
        // A thread of its own: a read of a terminal cannot be taken back, and must not hold up our end.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = io::stdin().read_line(&mut line);
            let _ = tell.send(read.map(|_| line));
        });
        tokio::select! {
            () = self.next() => {
                let _ = writeln!(io::stderr());
                Wish::Leave
            }
            answer = told => match answer {
                Ok(Ok(line)) if is_yes(&line) => Wish::Kill,
                Ok(Ok(line)) if !line.is_empty() => Wish::GoOn,
                // The terminal is gone, or said it is done.
                _ => Wish::Leave,
            }
        }
    }
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_kills() {
        assert!(is_yes("y\n") && is_yes(" YES\n"));
        assert!(!is_yes("\n") && !is_yes("n\n") && !is_yes("yesterday\n"));
    }
}
