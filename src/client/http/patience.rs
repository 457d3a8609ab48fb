//! How long a read goes on while the server is away.

use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    None,
    /// Someone waits at a prompt.
    Brief,
    /// Someone waits for a job, and the server may be restarted meanwhile.
    Long,
}

impl Patience {
    fn limit(self) -> Duration {
        match self {
            Patience::None => Duration::ZERO,
            Patience::Brief => Duration::from_millis(700),
            Patience::Long => Duration::from_secs(300),
        }
    }
}

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses that double, until patience ends.
#[derive(Debug)]
pub struct Backoff {
    patience: Patience,
    since: Instant,
    next: Duration,
}

impl Backoff {
    pub fn new(patience: Patience) -> Self {
        Backoff { patience, since: Instant::now(), next: FIRST }
    }

    /// Something went well: begins anew.
    pub fn reset(&mut self) {
        *self = Backoff::new(self.patience);
    }

    /// Waits before the next try; false, at once, when there is to be none.
    pub async fn pause(&mut self) -> bool {
        if self.since.elapsed() + self.next > self.patience.limit() {
            return false;
        }
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(LONGEST);
        true
    }
}
