//! What the actors' tests work with: a store, files, and an executor that says what it is told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::Works;
use crate::bus::LocalBus;
use crate::domain::{Attempt, AttemptName, Job, JobId, JobState, ManualClock, Reading, Timestamp};
use crate::files::JobDirs;
use crate::files::tests::a_job;
use crate::plugins::executor::{AttemptEnd, Capabilities, Executor, ExecutorError, Launch, Node, Sighting, Started};
use crate::store::JobStore as _;
use crate::store::sqlite::testing::TestStore;

/// Called native, as most jobs of the tests are its.
#[derive(Default)]
pub struct Puppet {
    /// What jobs use.
    pub readings: Mutex<HashMap<JobId, Reading>>,
    /// How many attempts each question for that was of.
    pub asked: Mutex<Vec<usize>>,
    /// What is there: gone when it is forgotten.
    pub there: Mutex<Vec<Sighting>>,
    pub forgotten: Mutex<Vec<AttemptName>>,
    /// What happens elsewhere while it is next asked what is there.
    pub meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

#[async_trait]
impl Executor for Puppet {
    fn name(&self) -> &'static str {
        "native"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn nodes(&self) -> Result<Vec<Node>, ExecutorError> {
        Ok(Vec::new())
    }

    async fn watch(&self, _: mpsc::Sender<AttemptEnd>) -> Result<(), ExecutorError> {
        Ok(())
    }

    async fn launch(&self, _: Launch) -> Result<Started, ExecutorError> {
        Err(ExecutorError::NoSuchAttempt)
    }

    async fn list(&self) -> Result<Vec<Sighting>, ExecutorError> {
        if let Some(meanwhile) = self.meanwhile.lock().unwrap().take() {
            meanwhile();
        }
        Ok(self.there.lock().unwrap().clone())
    }

    async fn stop(&self, _: &AttemptName, _: Duration) -> Result<(), ExecutorError> {
        Err(ExecutorError::NoSuchAttempt)
    }

    async fn suspend(&self, _: &AttemptName) -> Result<(), ExecutorError> {
        Err(ExecutorError::NoSuchAttempt)
    }

    async fn resume(&self, _: &AttemptName) -> Result<(), ExecutorError> {
        Err(ExecutorError::NoSuchAttempt)
    }

    async fn forget(&self, name: &AttemptName) -> Result<(), ExecutorError> {
        self.there.lock().unwrap().retain(|sighting| sighting.name() != name);
        self.forgotten.lock().unwrap().push(name.clone());
        Ok(())
    }

    async fn sample(&self, names: &[AttemptName]) -> Result<Vec<(AttemptName, Reading)>, ExecutorError> {
        self.asked.lock().unwrap().push(names.len());
        let readings = self.readings.lock().unwrap();
        Ok(names.iter().filter_map(|name| Some((name.clone(), *readings.get(&name.job)?))).collect())
    }
}

pub struct Stage {
    pub store: TestStore,
    pub puppet: Arc<Puppet>,
    pub works: Works,
    _dir: tempfile::TempDir,
}

/// In its first attempt.
pub fn running(id: u64) -> Job {
    let attempt = Attempt {
        number: 1,
        executor: "native".into(),
        node: "n".into(),
        container: None,
        digest: None,
        ports: vec![],
    };
    Job { state: JobState::Running { attempt, started: Timestamp(1_000), suspended: false }, ..a_job(id) }
}

impl Stage {
    pub async fn with_running(ids: &[u64]) -> Stage {
        let (store, puppet, dir) = (TestStore::new(), Arc::new(Puppet::default()), tempfile::tempdir().unwrap());
        for id in ids {
            store.add_job(running(*id)).await;
        }
        let works = Works {
            store: store.store.clone(),
            bus: Arc::new(LocalBus::default()),
            files: JobDirs::new(dir.path().to_owned()),
            clock: Arc::new(ManualClock::at(Timestamp(1_000))),
            executors: Arc::new(vec![puppet.clone() as Arc<dyn Executor>]),
            instance: "test".parse().unwrap(),
            kill_grace: Duration::ZERO,
        };
        Stage { store, puppet, works, _dir: dir }
    }

    /// Of a job's attempt.
    pub fn name(&self, job: u64, attempt: u32) -> AttemptName {
        AttemptName { instance: self.works.instance.clone(), job: JobId(job), attempt }
    }

    pub async fn job(&self, id: u64) -> Job {
        self.store.store.job(JobId(id)).await.unwrap().unwrap()
    }
}
