//! A store for the tests of other modules, with jobs and users in any state they need.

use std::sync::Arc;

use tempfile::TempDir;

use super::SqliteStore;
use super::commit::commit;
use super::row::{key, to_json};
use super::submit;
use crate::domain::{Job, JobId, JobState, Place, Timestamp, User, UserKind};
use crate::store::{AccountChange, Change, Changed, Charge, JobStore, NewJob, UserStore};

/// Gone when dropped.
pub(crate) struct TestStore {
    pub store: Arc<SqliteStore>,
    _dir: TempDir,
}

/// Active, without password, key or rights.
pub(crate) fn a_user(id: &str) -> User {
    User {
        uid: 54_321,
        gid: 54_321,
        ..User::new(id.parse().expect("a test names its users well"), UserKind::Local, Timestamp(0))
    }
}

impl TestStore {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        TestStore { store: SqliteStore::open(&dir.path().join("godocker.db")).unwrap(), _dir: dir }
    }

    pub async fn add_user(&self, user: User) {
        let change = AccountChange::PutUser(Box::new(user));
        assert_eq!(self.store.change(vec![change], Vec::new()).await.unwrap(), Changed::Done);
    }

    /// With the id, state and place that it has.
    pub async fn add_job(&self, job: Job) {
        self.store
            .writer
            .write(move |c| {
                let new = NewJob { owner: job.owner.clone(), spec: (*job.spec).clone(), submitted: job.submitted };
                let children = match job.place {
                    Place::ArrayParent { children, .. } => Some(children),
                    Place::Single | Place::ArrayChild { .. } => None,
                };
                submit::insert_with_id(c, job.id, &new, children)?;
                let (parent, task) = match job.place {
                    Place::ArrayChild { parent, index } => (Some(key(parent)), Some(index.cast_signed())),
                    Place::Single | Place::ArrayParent { .. } => (None, None),
                };
                let request = job.request.as_ref().map(|request| to_json("a request", request)).transpose()?;
                c.execute(
                    "UPDATE jobs SET revision = ?2, phase = ?3, state = ?4, request = ?5, parent = ?6, task = ?7, ended = ?8
                     WHERE id = ?1",
                    rusqlite::params![
                        key(job.id),
                        job.revision.cast_signed(),
                        job.state.phase() as i64,
                        to_json("a state", &job.state)?,
                        request,
                        parent,
                        task,
                        job.state.outcome().map(|outcome| outcome.ended.0)
                    ],
                )?;
                Ok(())
            })
            .await
            .unwrap();
    }

    pub async fn set_state(&self, id: JobId, state: JobState) {
        self.change_job(id, state, None).await;
    }

    /// As if a job of this charge had ended.
    pub async fn charge(&self, id: JobId, state: JobState, charge: Charge) {
        self.change_job(id, state, Some(charge)).await;
    }

    async fn change_job(&self, id: JobId, state: JobState, charge: Option<Charge>) {
        let job = self.store.job(id).await.unwrap().unwrap();
        let change =
            Change { id, expect: job.revision, state, request: job.request, failed_nodes: job.failed_nodes, charge };
        self.store.writer.write(move |c| commit(c, &[change])).await.unwrap();
    }
}
