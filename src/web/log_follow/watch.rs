//! inotify on a job directory, where it can be had.

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::PathBuf;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::unix::AsyncFd;

const READ: tokio::io::Interest = tokio::io::Interest::READABLE;

/// Tells when one of a job's logs grows; tells nothing, ever, where the kernel has no watch left to give.
pub(super) struct Watch {
    directory: PathBuf,
    inotify: Option<AsyncFd<Raw>>,
    begun: bool,
}

/// [`AsyncFd`] asks for the number.
struct Raw(Inotify);

impl AsRawFd for Raw {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Watch {
    pub fn new(directory: PathBuf) -> Self {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).ok();
        // SAFETY: `Raw` owns its inotify descriptor and never replaces or closes it while it lives.
        let inotify = inotify.and_then(|inotify| unsafe { AsyncFd::register_with_interest(Raw(inotify), READ) }.ok());
        Watch { directory, inotify, begun: false }
    }

    /// Begins to watch the directory, which must exist by now; does nothing a second time.
    pub fn begin(&mut self) {
        let Some(inotify) = self.inotify.as_ref().filter(|_| !self.begun) else { return };
        let flags = AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_ONLYDIR
            | AddWatchFlags::IN_DONT_FOLLOW;
        self.begun = inotify.get_ref().0.add_watch(&self.directory, flags).is_ok();
    }

    /// Returns when a log has grown or appeared.
    pub async fn grown(&self) {
        let Some(inotify) = &self.inotify else { return std::future::pending().await };
        loop {
            let Ok(mut guard) = inotify.readable().await else { return std::future::pending().await };
            match inotify.get_ref().0.read_events() {
                Ok(events) => {
                    let is_log = |name: &std::ffi::OsString| name == super::OUT || name == super::ERR;
                    if events.iter().any(|event| event.name.as_ref().is_some_and(is_log)) {
                        return;
                    }
                }
                Err(_) => guard.clear_ready(),
            }
        }
    }
}
