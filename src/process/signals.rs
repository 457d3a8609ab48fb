//! How a daemon is asked to end.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use nix::sys::signal::{SigHandler, Signal};
use tokio::signal::unix::{SignalKind, signal};

/// Comes back when this process is asked to end, by SIGTERM or SIGINT. From the first time this is polled, those
/// signals no longer end the process by themselves.
///
/// # Errors
/// When the signals cannot be listened to; nothing was asked then.
pub async fn shutdown_requested() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Before anybody listened.
    if ASKED_TO_END.load(Ordering::SeqCst) {
        return Ok(());
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Comes back when this process is asked to read its configuration anew, by SIGHUP.
///
/// # Errors
/// When the signal cannot be listened to; nothing was asked then.
pub async fn reload_requested() -> io::Result<()> {
    signal(SignalKind::hangup())?.recv().await;
    Ok(())
}

static ASKED_TO_END: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
const ENDING: [Signal; 2] = [Signal::SIGTERM, Signal::SIGINT];

/// From now on it is remembered when this process is asked to end, also while nobody waits for it.
///
/// # Errors
/// When the signals cannot be listened to.
pub fn remember_end() -> io::Result<()> {
    ENDING.iter().try_for_each(|signal| signal_hook::flag::register(*signal as i32, ASKED_TO_END.clone()).map(drop))
}

/// From here on a request to end ends the process at once. True when there has been one.
pub fn end_at_once() -> bool {
    for signal in ENDING {
        // SAFETY: the default action runs no code of ours.
        let _ = unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) };
    }
    ASKED_TO_END.load(Ordering::SeqCst)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nix::sys::signal::{Signal, raise};

    use super::*;

    #[tokio::test]
    async fn sigterm_asks_to_end() {
        let asked = shutdown_requested();
        tokio::pin!(asked);
        // One poll, so that the signal finds its listener.
        assert!(futures::poll!(&mut asked).is_pending());
        raise(Signal::SIGTERM).unwrap();
        tokio::time::timeout(Duration::from_secs(5), asked).await.expect("the signal arrives").unwrap();
    }
}
