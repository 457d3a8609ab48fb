//! Which of several watchers sees to a job: the one with the highest hash of both, so that a watcher that comes or goes
//! moves only its own share.
//!
//! It divides work and guarantees nothing: two that both think that a job is theirs do the same thing twice, which the
//! store makes once; a job that is nobody's for a moment is found by the next recovery.

use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::{JobId, ProcessRole, ProcessStatus, Timestamp};

/// The part of the jobs that is this process's.
#[derive(Clone)]
pub struct Share {
    me: String,
    watchers: watch::Receiver<Arc<[String]>>,
}

impl Share {
    /// `watchers`: the ids of those who live.
    pub fn new(me: String, watchers: watch::Receiver<Arc<[String]>>) -> Self {
        Share { me, watchers }
    }

    /// Everything is ours: the only watcher there is.
    pub fn everything() -> Self {
        Share { me: String::new(), watchers: watch::channel(Arc::from([])).1 }
    }

    pub fn has(&self, job: JobId) -> bool {
        self.now().has(job)
    }

    /// As it is now, for whoever asks more than once and must hear the same: watchers come and go at any moment.
    pub fn now(&self) -> Part<'_> {
        Part { me: &self.me, watchers: self.watchers.borrow().clone() }
    }

    /// Comes back when the watchers have changed; never where there is but one.
    pub async fn changed(&mut self) {
        if self.watchers.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A share that does not change.
pub struct Part<'a> {
    me: &'a str,
    watchers: Arc<[String]>,
}

impl Part<'_> {
    pub fn has(&self, job: JobId) -> bool {
        // Who has not been seen by the others yet takes part already: a job done twice is better than one by nobody.
        let others = self.watchers.iter().filter(|id| **id != self.me);
        let mine = weight(self.me, job);
        others.map(|id| weight(id, job)).all(|other| other < mine)
    }
}

/// The watchers among `processes` that live at `now`, by id.
pub fn watchers(processes: &[ProcessStatus], now: Timestamp) -> Arc<[String]> {
    let alive = processes.iter().filter(|process| process.role == ProcessRole::Watcher && process.is_alive_at(now));
    let mut ids: Vec<_> = alive.map(|process| process.id.clone()).collect();
    ids.sort_unstable();
    ids.into()
}

/// Rendezvous hashing: FNV-1a of the name, mixed with the job by splitmix64's finalizer. The same in every process,
/// whatever it was compiled with.
fn weight(watcher: &str, job: JobId) -> u64 {
    let name = watcher
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut mixed = name ^ job.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(me: &str, all: &[&str]) -> Share {
        Share::new(me.into(), watch::channel(all.iter().map(|id| (*id).to_owned()).collect()).1)
    }

    #[test]
    fn every_job_is_one_watchers_and_the_shares_are_alike() {
        let all = ["w1", "w2", "w3"];
        let shares: Vec<_> = all.iter().map(|me| share(me, &all)).collect();
        let mut held = [0; 3];
        for job in 1..=3000 {
            let holders: Vec<_> = (0..3).filter(|i| shares[*i].has(JobId(job))).collect();
            assert_eq!(holders.len(), 1, "job {job}");
            held[holders[0]] += 1;
        }
        assert!(held.iter().all(|jobs| (800..1200).contains(jobs)), "{held:?}");
    }

    #[test]
    fn a_dead_watchers_share_goes_to_the_others_and_nothing_else_moves() {
        let before = share("w1", &["w1", "w2", "w3"]);
        let after = share("w1", &["w1", "w2"]);
        assert!((1..=3000).map(JobId).all(|job| !before.has(job) || after.has(job)));
        assert!((1..=3000).map(JobId).any(|job| !before.has(job) && after.has(job)));
    }

    #[test]
    fn the_only_watcher_has_everything() {
        assert!((1..=100).map(JobId).all(|job| Share::everything().has(job)));
        assert!((1..=100).map(JobId).all(|job| share("w1", &[]).has(job)));
    }
}
