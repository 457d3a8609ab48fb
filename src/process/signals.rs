//! How a daemon is asked to end.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Comes back when this process is asked to end, by SIGTERM or SIGINT. From the first time this is polled, those
/// signals no longer end the process by themselves.
///
/// # Errors
/// When the signals cannot be listened to; nothing was asked then.
pub async fn shutdown_requested() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
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
