//! Archiving and purging over jobs: their files first, their record second.
//!
//! Killed anywhere, this is run again and finishes: until the record says so, the request is still on the job.

use futures::StreamExt;
use futures::stream::{self, TryStreamExt};

use super::Works;
use crate::bus::{Bus, Event};
use crate::domain::{Clock, Job, JobId, JobState, Request, Transition};
use crate::files::{FileError, JobDirs};
use crate::store::{Applied, Change, Page, Store, StoreError};

/// Jobs looked at, and committed, together.
const BATCH: usize = 1000;
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

/// What came of it, for many.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Freed {
    /// Archived or purged; an array counts as one.
    pub jobs: u64,
    /// By the records of the jobs, those of arrays included.
    pub bytes: u64,
    /// Still to be done; why is in the log.
    pub failed: u64,
}

impl Freed {
    pub fn add(&mut self, other: Freed) {
        self.jobs += other.jobs;
        self.bytes += other.bytes;
        self.failed += other.failed;
    }
}

/// Who does what was asked of over jobs. All of it is idempotent, and may be done by several at once.
#[derive(Clone, Copy)]
pub struct Archiver<'a> {
    pub store: &'a dyn Store,
    pub files: &'a JobDirs,
    pub bus: &'a dyn Bus,
    pub clock: &'a dyn Clock,
}

impl<'a> Archiver<'a> {
    pub fn of(works: &'a Works) -> Self {
        Archiver {
            store: works.store.as_ref(),
            files: &works.files,
            bus: works.bus.as_ref(),
            clock: works.clock.as_ref(),
        }
    }

    /// [`Archiver::one`] for each of `ids`, many in one commit; what fails does not keep the others.
    ///
    /// # Errors
    /// The store's, when it does not even tell what was asked.
    pub async fn many(self, ids: &[JobId]) -> Result<Freed, StoreError> {
        let mut freed = Freed::default();
        for ids in ids.chunks(BATCH) {
            let mut jobs = self.store.jobs(ids).await?;
            // Children before their parent, whose record takes theirs with it.
            jobs.sort_by_key(|job| std::cmp::Reverse(job.id));
            let (simple, others): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(is_simple);
            let mut others: Vec<JobId> = others.iter().map(|job| job.id).collect();
            others.extend(self.simple(&simple, &mut freed).await);
            for id in others {
                match self.one_and_its_bytes(id).await {
                    Ok((ArchiveDone::NothingToDo, _)) => {}
                    Ok((ArchiveDone::Archived | ArchiveDone::Purged, bytes)) => {
                        freed.jobs += 1;
                        freed.bytes += bytes;
                    }
                    Err(error) => failed(&mut freed, id, &error),
                }
            }
        }
        Ok(freed)
    }

    /// Archives jobs that stand for themselves; answers those that somebody changed meanwhile.
    async fn simple(self, jobs: &[Job], freed: &mut Freed) -> Vec<JobId> {
        let deletions = stream::iter(jobs.iter().map(|job| async move { (job, self.delete_files(job.id).await) }));
        let deleted: Vec<_> = deletions.buffer_unordered(DELETIONS).collect().await;
        let mut without_files = Vec::new();
        for (job, deleted) in deleted {
            match deleted {
                Ok(()) => without_files.push(job),
                Err(error) => failed(freed, job.id, &error),
            }
        }
        let applied = match self.store.commit(self.changes(&without_files)).await {
            Ok(applied) => applied,
            Err(error) => {
                freed.failed += without_files.len() as u64;
                tracing::error!(%error, "jobs without files are not recorded as archived yet; it is tried again");
                return Vec::new();
            }
        };
        let mut stale = Vec::new();
        for (job, applied) in without_files.into_iter().zip(applied) {
            if applied == Applied::Stale {
                stale.push(job.id);
                continue;
            }
            freed.jobs += 1;
            freed.bytes += bytes_of(job);
            self.announce(job, false);
        }
        stale
    }

    /// Does what is asked of an over job (archive or purge), with all its children if it is an array's parent.
    ///
    /// Children are not announced one by one: their parent's event stands for them.
    pub async fn one(self, id: JobId) -> Result<ArchiveDone, ArchiveError> {
        self.one_and_its_bytes(id).await.map(|(done, _)| done)
    }

    async fn one_and_its_bytes(self, id: JobId) -> Result<(ArchiveDone, u64), ArchiveError> {
        for _ in 0..TRIES {
            let Some(job) = self.store.job(id).await? else { return Ok((ArchiveDone::NothingToDo, 0)) };
            if job.state.is_active() {
                return Ok((ArchiveDone::NothingToDo, 0));
            }
            let purge = match job.request {
                Some(Request::Archive) => false,
                Some(Request::Purge) => true,
                None | Some(Request::Kill(_) | Request::Suspend | Request::Resume | Request::Reschedule) => {
                    return Ok((ArchiveDone::NothingToDo, 0));
                }
            };
            let of_children = if job.is_array_parent() { self.children(id, purge).await? } else { 0 };
            self.delete_files(id).await?;
            let done = if purge { self.store.remove(id).await? } else { self.record(&[&job]).await? };
            if done {
                return Ok((self.announce(&job, purge), of_children + bytes_of(&job)));
            }
        }
        Err(ArchiveError::Contended(id))
    }

    /// Deletes the files of an array's children, and unless their records go with the parent's, writes that there.
    /// Answers the bytes they had.
    async fn children(self, parent: JobId, purge: bool) -> Result<u64, ArchiveError> {
        let (mut skip, mut bytes) = (0, 0);
        loop {
            let children = self.store.children(parent, Page { skip, limit: Some(BATCH as u64) }).await?;
            let with_files: Vec<_> = children.iter().filter(|child| matches!(child.state, JobState::Over(_))).collect();
            stream::iter(with_files.iter().map(|child| Ok(child.id)))
                .try_for_each_concurrent(DELETIONS, |child| self.delete_files(child))
                .await?;
            bytes += with_files.iter().map(|child| bytes_of(child)).sum::<u64>();
            if !purge {
                // A child that somebody changed meanwhile carries a request of its own, or gets one: it is found again.
                self.record(&with_files).await?;
            }
            skip += children.len() as u64;
            if children.len() < BATCH {
                return Ok(bytes);
            }
        }
    }

    async fn delete_files(self, id: JobId) -> Result<(), ArchiveError> {
        self.files.remove(id).await.map_err(|error| ArchiveError::Files { job: id, error })
    }

    /// Writes on jobs that they are archived and that nothing is asked of them any more. False when one was changed
    /// meanwhile.
    async fn record(self, jobs: &[&Job]) -> Result<bool, ArchiveError> {
        let applied = self.store.commit(self.changes(jobs)).await?;
        Ok(applied.iter().all(|applied| matches!(applied, Applied::Done { .. })))
    }

    fn changes(self, jobs: &[&Job]) -> Vec<Change> {
        let at = self.clock.now();
        let change = |job: &&Job| Change {
            id: job.id,
            expect: job.revision,
            // One that is archived already stays what it is, and loses its request.
            state: job.state.next(Transition::Archive { at }).unwrap_or_else(|_| job.state.clone()),
            request: None,
            failed_nodes: job.failed_nodes.clone(),
            charge: None,
        };
        jobs.iter().map(change).collect()
    }

    fn announce(self, job: &Job, purged: bool) -> ArchiveDone {
        if purged {
            self.bus.publish(Event::JobRemoved { id: job.id });
            return ArchiveDone::Purged;
        }
        self.bus.publish(Event::JobChanged {
            id: job.id,
            parent: job.parent(),
            owner: job.owner.user.clone(),
            project: job.owner.project.clone(),
            phase: crate::domain::Phase::Archived,
        });
        ArchiveDone::Archived
    }
}

/// Over, to be archived, and without children.
fn is_simple(job: &Job) -> bool {
    matches!(job.state, JobState::Over(_)) && job.request == Some(Request::Archive) && !job.is_array_parent()
}

/// What its directory held; nothing for one that is archived.
pub fn bytes_of(job: &Job) -> u64 {
    match &job.state {
        JobState::Over(outcome) => outcome.disk_bytes,
        JobState::Pending { .. } | JobState::Starting { .. } | JobState::Running { .. } | JobState::Archived { .. } => {
            0
        }
    }
}

fn failed(freed: &mut Freed, job: JobId, error: &ArchiveError) {
    freed.failed += 1;
    tracing::error!(%job, %error, "not archived; it is tried again");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::LocalBus;
    use crate::domain::{Ending, ManualClock, Outcome, Phase, Place, Timestamp};
    use crate::files::tests::a_job;
    use crate::store::JobStore;
    use crate::store::sqlite::testing::TestStore;

    /// What each directory of these tests holds, by its record.
    const BYTES: u64 = 100;

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
            may_be_spawned(self.archiver(&clock).one(JobId(id))).await.unwrap()
        }

        fn archiver<'a>(&'a self, clock: &'a ManualClock) -> Archiver<'a> {
            Archiver { store: self.store.store.as_ref(), files: &self.files, bus: &self.bus, clock }
        }

        async fn phase(&self, id: u64) -> Option<Phase> {
            self.store.store.job(JobId(id)).await.unwrap().map(|job| job.state.phase())
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
            disk_bytes: BYTES,
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
    async fn many_are_archived_together_each_as_it_was_asked() {
        let site = Site::new();
        site.array(2, Request::Archive).await;
        for (id, request) in
            [(7, Some(Request::Archive)), (8, Some(Request::Archive)), (9, Some(Request::Purge)), (10, None)]
        {
            site.add(Job { request, ..over(id) }).await;
        }
        let ids: Vec<_> = [10, 9, 8, 7, 3, 2, 1, 99].map(JobId).to_vec();
        let clock = ManualClock::at(Timestamp(9));
        let freed = site.archiver(&clock).many(&ids).await.unwrap();
        assert_eq!(freed, Freed { jobs: 6, bytes: 5 * BYTES + BYTES, failed: 0 });
        for id in [1, 2, 3, 7, 8] {
            assert!(site.phase(id).await == Some(Phase::Archived) && !site.has_files(id), "{id}");
        }
        assert!(site.phase(9).await.is_none() && !site.has_files(9));
        assert!(site.phase(10).await == Some(Phase::Over) && site.has_files(10), "nobody asked");
        assert_eq!(site.archiver(&clock).many(&ids).await.unwrap(), Freed::default(), "once");
    }

    #[tokio::test]
    async fn what_cannot_be_deleted_keeps_nobody_else() {
        use std::os::unix::fs::symlink;
        let site = Site::new();
        for id in [7, 8] {
            site.add(Job { request: Some(Request::Archive), ..over(id) }).await;
        }
        // What no job can do: its place itself leads elsewhere.
        let place = site.files.directory_of(JobId(7)).parent().unwrap().to_owned();
        std::fs::rename(&place, place.with_file_name("kept")).unwrap();
        symlink(place.with_file_name("kept"), &place).unwrap();
        let clock = ManualClock::at(Timestamp(9));
        let freed = site.archiver(&clock).many(&[JobId(7), JobId(8)]).await.unwrap();
        assert_eq!(freed, Freed { jobs: 1, bytes: BYTES, failed: 1 });
        assert_eq!((site.phase(7).await, site.phase(8).await), (Some(Phase::Over), Some(Phase::Archived)));
        assert!(place.with_file_name("kept").join("task/cmd.sh").exists());
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
