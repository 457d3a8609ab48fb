//! Archiving and purging over jobs: their files first, their record second.
//!
//! Killed anywhere, this is run again and finishes: until the record says so, the request is still on the job.

use futures::stream::{self, TryStreamExt};

use crate::bus::{Bus, Event};
use crate::domain::{Clock, Job, JobId, JobState, Request, Transition};
use crate::files::{FileError, JobDirs};
use crate::store::{Applied, Change, Page, Store, StoreError};

/// Children looked at, and committed, together.
const BATCH: u64 = 1000;
/// Directories deleted at once.
const DELETIONS: usize = 4;
/// How often somebody else may change the job first.
const TRIES: u32 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveDone {
    /// Its files are gone, its record says so.
    Archived,
    /// Its files and its record are gone.
    Purged,
    /// It is not there, not over, or nobody asked (any more).
    NothingToDo,
}

#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("the files of job {job} could not be deleted: {error}")]
    Files { job: JobId, error: FileError },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("job {0} is being changed all the time: try again later")]
    Contended(JobId),
}

/// Does what is asked of an over job (archive or purge), with all its children if it is an array's parent. Idempotent.
///
/// Children are not announced one by one: their parent's event stands for them.
pub async fn archive_one(
    store: &dyn Store,
    files: &JobDirs,
    bus: &dyn Bus,
    clock: &dyn Clock,
    id: JobId,
) -> Result<ArchiveDone, ArchiveError> {
    for _ in 0..TRIES {
        let Some(job) = store.job(id).await? else { return Ok(ArchiveDone::NothingToDo) };
        if job.state.is_active() {
            return Ok(ArchiveDone::NothingToDo);
        }
        let purge = match job.request {
            Some(Request::Archive) => false,
            Some(Request::Purge) => true,
            None | Some(Request::Kill(_) | Request::Suspend | Request::Resume | Request::Reschedule) => {
                return Ok(ArchiveDone::NothingToDo);
            }
        };
        if job.is_array_parent() {
            archive_children(store, files, clock, id, purge).await?;
        }
        delete_files(files, id).await?;
        let done = if purge { store.remove(id).await? } else { record(store, clock, &[&job]).await? };
        if done {
            return Ok(announce(bus, &job, purge));
        }
    }
    Err(ArchiveError::Contended(id))
}

/// Deletes the files of an array's children, and unless their records go with the parent's, writes that there.
async fn archive_children(
    store: &dyn Store,
    files: &JobDirs,
    clock: &dyn Clock,
    parent: JobId,
    purge: bool,
) -> Result<(), ArchiveError> {
    let mut skip = 0;
    loop {
        let children = store.children(parent, Page { skip, limit: Some(BATCH) }).await?;
        let with_files: Vec<_> = children.iter().filter(|child| matches!(child.state, JobState::Over(_))).collect();
        stream::iter(with_files.iter().map(|child| Ok(child.id)))
            .try_for_each_concurrent(DELETIONS, |child| delete_files(files, child))
            .await?;
        if !purge {
            // A child that somebody changed meanwhile carries a request of its own, or gets one: it is found again.
            record(store, clock, &with_files).await?;
        }
        let read = children.len() as u64;
        if read < BATCH {
            return Ok(());
        }
        skip += read;
    }
}

async fn delete_files(files: &JobDirs, id: JobId) -> Result<(), ArchiveError> {
    files.remove(id).await.map_err(|error| ArchiveError::Files { job: id, error })
}

/// Writes on jobs that they are archived and that nothing is asked of them any more. False when one was changed
/// meanwhile.
async fn record(store: &dyn Store, clock: &dyn Clock, jobs: &[&Job]) -> Result<bool, ArchiveError> {
    if jobs.is_empty() {
        return Ok(true);
    }
    let at = clock.now();
    let changes = jobs.iter().map(|job| Change {
        id: job.id,
        expect: job.revision,
        // One that is archived already stays what it is, and loses its request.
        state: job.state.next(Transition::Archive { at }).unwrap_or_else(|_| job.state.clone()),
        request: None,
        failed_nodes: job.failed_nodes.clone(),
        charge: None,
    });
    let applied = store.commit(changes.collect()).await?;
    Ok(applied.iter().all(|applied| matches!(applied, Applied::Done { .. })))
}

fn announce(bus: &dyn Bus, job: &Job, purged: bool) -> ArchiveDone {
    if purged {
        bus.publish(Event::JobRemoved { id: job.id });
        return ArchiveDone::Purged;
    }
    bus.publish(Event::JobChanged {
        id: job.id,
        parent: job.parent(),
        owner: job.owner.user.clone(),
        project: job.owner.project.clone(),
        phase: crate::domain::Phase::Archived,
    });
    ArchiveDone::Archived
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::LocalBus;
    use crate::domain::{Ending, ManualClock, Outcome, Phase, Place, Timestamp};
    use crate::files::tests::a_job;
    use crate::store::JobStore;
    use crate::store::sqlite::testing::TestStore;

    struct Site {
        _tmp: tempfile::TempDir,
        files: JobDirs,
        store: TestStore,
        bus: LocalBus,
    }

    impl Site {
        fn new() -> Site {
            let tmp = tempfile::tempdir().unwrap();
            let files = JobDirs::new(tmp.path().join("shared"));
            Site { _tmp: tmp, files, store: TestStore::new(), bus: LocalBus::default() }
        }

        async fn add(&self, job: Job) {
            self.files.prepare(&job).await.unwrap();
            self.store.add_job(job).await;
        }

        async fn array(&self, children: u32, request: Request) {
            let place = Place::ArrayParent { children, over: children, failed: 0 };
            self.add(Job { place, request: Some(request), ..over(1) }).await;
            for n in 1..=u64::from(children) {
                let place = Place::ArrayChild { parent: JobId(1), index: n };
                self.add(Job { place, request: Some(request), ..over(1 + n) }).await;
            }
        }

        async fn run(&self, id: u64) -> ArchiveDone {
            fn may_be_spawned<T: Send>(future: T) -> T {
                future
            }
            let clock = ManualClock::at(Timestamp(9));
            may_be_spawned(archive_one(self.store.store.as_ref(), &self.files, &self.bus, &clock, JobId(id)))
                .await
                .unwrap()
        }

        fn has_files(&self, id: u64) -> bool {
            self.files.directory_of(JobId(id)).exists()
        }
    }

    fn over(id: u64) -> Job {
        let outcome = Outcome {
            ending: Ending::Done,
            exit_code: Some(0),
            started: Some(Timestamp(1)),
            ended: Timestamp(2),
            attempt: None,
            disk_bytes: 0,
            reason: None,
        };
        Job { state: JobState::Over(outcome), ..a_job(id) }
    }

    #[tokio::test]
    async fn an_archived_job_keeps_its_record_and_loses_its_files() {
        let site = Site::new();
        let mut events = site.bus.events();
        site.add(Job { request: Some(Request::Archive), ..over(7) }).await;
        assert_eq!(site.run(7).await, ArchiveDone::Archived);
        let job = site.store.store.job(JobId(7)).await.unwrap().unwrap();
        assert!(matches!(job.state, JobState::Archived { at: Timestamp(9), .. }) && job.request.is_none());
        assert!(!site.has_files(7));
        assert!(matches!(events.try_recv(), Ok(Event::JobChanged { id: JobId(7), phase: Phase::Archived, .. })));
        assert_eq!(site.run(7).await, ArchiveDone::NothingToDo);
    }

    #[tokio::test]
    async fn a_purged_job_leaves_nothing() {
        let site = Site::new();
        let mut events = site.bus.events();
        site.add(Job { request: Some(Request::Purge), ..over(7) }).await;
        assert_eq!(site.run(7).await, ArchiveDone::Purged);
        assert!(site.store.store.job(JobId(7)).await.unwrap().is_none() && !site.has_files(7));
        assert!(matches!(events.try_recv(), Ok(Event::JobRemoved { id: JobId(7) })));
        assert_eq!(site.run(7).await, ArchiveDone::NothingToDo);
    }

    #[tokio::test]
    async fn an_array_goes_with_all_its_children() {
        for (request, done) in [(Request::Archive, ArchiveDone::Archived), (Request::Purge, ArchiveDone::Purged)] {
            let site = Site::new();
            site.array(5, request).await;
            assert_eq!(site.run(1).await, done);
            for id in 1..=6 {
                assert!(!site.has_files(id), "{id}");
                let job = site.store.store.job(JobId(id)).await.unwrap();
                assert_eq!(
                    job.map(|job| (job.state.phase(), job.request)),
                    match done {
                        ArchiveDone::Archived => Some((Phase::Archived, None)),
                        _ => None,
                    }
                );
            }
        }
    }

    #[tokio::test]
    async fn what_was_cut_short_is_finished() {
        let site = Site::new();
        site.array(3, Request::Purge).await;
        // Killed after some files were gone.
        site.files.remove(JobId(1)).await.unwrap();
        site.files.remove(JobId(3)).await.unwrap();
        assert_eq!(site.run(1).await, ArchiveDone::Purged);
        assert!((1..=4).all(|id| !site.has_files(id)));
    }

    #[tokio::test]
    async fn an_archived_job_can_still_be_purged_or_asked_again() {
        let site = Site::new();
        let outcome = over(7).state.outcome().unwrap().clone();
        let archived = JobState::Archived { outcome, at: Timestamp(3) };
        site.store.add_job(Job { state: archived.clone(), request: Some(Request::Archive), ..over(7) }).await;
        site.store.add_job(Job { state: archived.clone(), request: Some(Request::Purge), ..over(8) }).await;
        assert_eq!(site.run(7).await, ArchiveDone::Archived);
        let job = site.store.store.job(JobId(7)).await.unwrap().unwrap();
        assert_eq!((job.state, job.request), (archived, None));
        assert_eq!(site.run(8).await, ArchiveDone::Purged);
    }

    #[tokio::test]
    async fn nothing_is_taken_from_a_job_that_is_active_or_was_not_asked() {
        let site = Site::new();
        site.add(Job { request: Some(Request::Purge), ..a_job(7) }).await;
        site.add(over(8)).await;
        assert_eq!((site.run(7).await, site.run(8).await), (ArchiveDone::NothingToDo, ArchiveDone::NothingToDo));
        assert!(site.has_files(7) && site.has_files(8));
    }
}
