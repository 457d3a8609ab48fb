//! Over jobs that are archived without being asked, some time after their end, and the mail beforehand.
//!
//! Where owners are told, a job is archived only when the mail about it is as old as was promised: also at a site that
//! has just switched this on, or has shortened its time. What was told when is kept in one setting.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Works;
use super::archive::{Archiver, Freed};
use crate::bus::Command;
use crate::config::Retention;
use crate::domain::{Job, JobId, Phase, ProcessRole, Request, Timestamp};
use crate::store::{JobFilter, Page, Store, StoreError};

/// How often it is looked for what is due.
pub const EVERY: Duration = Duration::from_secs(3600);

/// Jobs that one step takes.
const STEP: u64 = 1_000;

/// The setting that holds the marks.
const SETTING: &str = "retention_told";

/// By `at`, the owners of all jobs that ended before `ended` had been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    at: Timestamp,
    ended: Timestamp,
}

/// Of several archivers one does this, so that nobody is told twice: the first by name of those who live. `me` is empty
/// where there is but one.
///
/// # Errors
/// The store's.
pub async fn is_for(store: &dyn Store, me: &str, now: Timestamp) -> Result<bool, StoreError> {
    if me.is_empty() {
        return Ok(true);
    }
    let processes = store.processes().await?;
    let archivers = processes.iter().filter(|process| process.role == ProcessRole::Archive && process.is_alive_at(now));
    Ok(archivers.map(|process| process.id.as_str()).min().is_none_or(|first| first >= me))
}

/// Tells who is to be told, and archives what is due.
///
/// # Errors
/// The store's; what was done stands, and the next round goes on from there.
pub async fn round(works: &Works, retention: Retention) -> Result<Freed, StoreError> {
    let now = works.clock.now();
    let mut due = now.minus(retention.archive_after);
    if let Some(before) = retention.warn_before {
        let told = tell(works, now, retention.archive_after, before).await?;
        due = due.min(told);
    }
    let mut filter = JobFilter { phases: vec![Phase::Over], ended_before: Some(due), ..JobFilter::default() };
    let mut freed = Freed::default();
    loop {
        let jobs = step(works.store.as_ref(), &mut filter).await?;
        if jobs.is_empty() {
            break;
        }
        freed.add(archive(Archiver::of(works), &jobs).await?);
    }
    if freed.jobs > 0 {
        tracing::info!(jobs = freed.jobs, bytes = freed.bytes, "archived, as their time was over");
        works.tell(Command::AccountsChanged).await;
    }
    Ok(freed)
}

/// The next jobs of a walk by ids; none at its end.
///
/// # Errors
/// The store's.
pub async fn step(store: &dyn Store, filter: &mut JobFilter) -> Result<Vec<Job>, StoreError> {
    let jobs = store.list(filter, Page::first(STEP)).await?;
    filter.after = jobs.last().map(|job| job.id).or(filter.after);
    Ok(jobs)
}

/// Asks for the archive of these over jobs, and does it. Nobody else needs to live, and nobody disturbs who does.
///
/// # Errors
/// The store's.
pub async fn archive(archiver: Archiver<'_>, jobs: &[Job]) -> Result<Freed, StoreError> {
    // What is to be deleted with its record is not made to be archived only.
    let ids: Vec<JobId> = jobs.iter().filter(|job| job.request.is_none()).map(|job| job.id).collect();
    archiver.store.request(&ids, Request::Archive, &[Phase::Over]).await?;
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    archiver.many(&ids).await
}

/// Tells the owners of jobs that are due in less than `before`. Answers up to which end jobs may be archived now.
async fn tell(works: &Works, now: Timestamp, after: Duration, before: Duration) -> Result<Timestamp, StoreError> {
    let mut marks = marks(works.store.as_ref()).await?;
    let told = marks.last().map_or(Timestamp(i64::MIN), |mark| mark.ended);
    let soon = now.minus(after.saturating_sub(before));
    if soon > told {
        let mut filter = JobFilter { phases: vec![Phase::Over], ended_before: Some(soon), ..JobFilter::default() };
        loop {
            let jobs = step(works.store.as_ref(), &mut filter).await?;
            if jobs.is_empty() {
                break;
            }
            let new = jobs.iter().filter(|job| job.state.outcome().is_some_and(|outcome| outcome.ended >= told));
            let ids: Vec<JobId> = new.map(|job| job.id).collect();
            if !ids.is_empty() {
                works.tell(Command::ArchiveAnnounced { ids, at: now.plus(before) }).await;
            }
        }
        // After the mail is on its way: told twice is better than not at all.
        marks.push(Mark { at: now, ended: soon });
        let old_enough = |mark: &Mark| mark.at.plus(before) <= now;
        let keep_from = marks.iter().rposition(old_enough).unwrap_or(0);
        let kept = serde_json::to_string(&marks[keep_from..]).expect("marks are always JSON");
        works.store.put_setting(SETTING, &kept).await?;
    }
    let old_enough = marks.iter().filter(|mark| mark.at.plus(before) <= now);
    Ok(old_enough.map(|mark| mark.ended).max().unwrap_or(Timestamp(i64::MIN)))
}

/// By their time. A setting that is not understood counts as none: everybody is told anew.
async fn marks(store: &dyn Store) -> Result<Vec<Mark>, StoreError> {
    let setting = store.setting(SETTING).await?;
    Ok(setting.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::bus::{LocalBus, Role};
    use crate::domain::{Ending, JobState, ManualClock, Outcome};
    use crate::files::JobDirs;
    use crate::files::tests::a_job;
    use crate::store::sqlite::testing::TestStore;

    const HOUR: i64 = 3_600_000;

    struct Site {
        _tmp: tempfile::TempDir,
        store: TestStore,
        clock: Arc<ManualClock>,
        works: Works,
    }

    impl Site {
        fn new() -> Site {
            let tmp = tempfile::tempdir().unwrap();
            let store = TestStore::new();
            let clock = Arc::new(ManualClock::default());
            let works = Works {
                store: store.store.clone(),
                bus: Arc::new(LocalBus::default()),
                files: JobDirs::new(tmp.path().to_owned()),
                clock: clock.clone(),
                executors: Arc::default(),
                instance: "site".parse().unwrap(),
                kill_grace: Duration::ZERO,
            };
            Site { _tmp: tmp, store, clock, works }
        }

        /// A job that ended at this hour.
        async fn ended(&self, id: u64, hour: i64) {
            let outcome = Outcome {
                ending: Ending::Done,
                exit_code: Some(0),
                started: None,
                ended: Timestamp(hour * HOUR),
                attempt: None,
                disk_bytes: 10,
                reason: None,
            };
            self.works.files.prepare(&a_job(id)).await.unwrap();
            self.store.add_job(Job { state: JobState::Over(outcome), ..a_job(id) }).await;
        }

        /// Does a round at this hour; how many were archived.
        async fn round(&self, hour: i64, warn_before: Option<u64>) -> u64 {
            self.clock.set(Timestamp(hour * HOUR));
            assert_eq!(self.works.clock.now(), Timestamp(hour * HOUR));
            let hours = |hours: u64| Duration::from_secs(hours * 3600);
            let retention = Retention { archive_after: hours(100), warn_before: warn_before.map(hours) };
            round(&self.works, retention).await.unwrap().jobs
        }
    }

    fn told(commands: &mut tokio::sync::mpsc::Receiver<crate::bus::Delivery>) -> Vec<u64> {
        let mut told = Vec::new();
        while let Ok(delivery) = commands.try_recv() {
            if let Command::ArchiveAnnounced { ids, .. } = delivery.command {
                told.extend(ids.iter().map(|id| id.0));
            }
        }
        told
    }

    #[tokio::test]
    async fn a_job_is_archived_when_its_time_is_over_and_no_sooner() {
        let site = Site::new();
        site.ended(1, 0).await;
        site.ended(2, 50).await;
        site.store.add_job(a_job(3)).await;
        assert_eq!(site.round(100, None).await, 0);
        assert_eq!(site.round(101, None).await, 1);
        assert!(!site.works.files.directory_of(JobId(1)).exists() && site.works.files.directory_of(JobId(2)).exists());
        assert_eq!(site.round(101, None).await, 0);
        assert_eq!(site.round(1000, None).await, 1, "one that waits stays");
    }

    #[tokio::test]
    async fn each_owner_is_told_once_and_in_time_also_at_first_and_after_a_restart() {
        let site = Site::new();
        let mut mail = site.works.bus.commands(Role::Notifier).unwrap();
        site.ended(1, 0).await;
        site.ended(2, 520).await;
        // Switched on when the first is long due.
        assert_eq!(site.round(500, Some(24)).await, 0);
        assert_eq!(told(&mut mail), [1]);
        assert_eq!(site.round(510, Some(24)).await, 0);
        assert_eq!(site.round(523, Some(24)).await, 0);
        assert!(told(&mut mail).is_empty());
        assert_eq!(site.round(524, Some(24)).await, 1, "a day after the mail");
        assert_eq!(site.round(597, Some(24)).await, 0);
        assert_eq!(told(&mut mail), [2]);
        for hour in 598..621 {
            assert_eq!(site.round(hour, Some(24)).await, 0, "{hour}");
        }
        assert_eq!(site.round(622, Some(24)).await, 1);
        assert!(told(&mut mail).is_empty());
        let marks = marks(site.works.store.as_ref()).await.unwrap();
        assert!(marks.len() < 30, "{}", marks.len());
    }

    #[tokio::test]
    async fn what_is_to_be_deleted_is_not_archived_only() {
        let site = Site::new();
        site.ended(1, 0).await;
        site.works.store.request(&[JobId(1)], Request::Purge, &[Phase::Over]).await.unwrap();
        assert_eq!(site.round(101, None).await, 1);
        assert!(site.works.store.job(JobId(1)).await.unwrap().is_none());
    }
}
