//! Jobs with defaults, and short ways to move them on.

use std::str::FromStr;

use crate::domain::{
    ArraySpec, Attempt, Cores, Ending, Job, JobId, JobSpec, JobState, Memory, Outcome, Owner, Request, Resources,
    Timestamp, Transition,
};
use crate::store::{Applied, Change, Charge, NewJob, Store};

pub fn name<T: FromStr>(text: &str) -> T {
    text.parse().ok().expect("a valid name")
}

pub fn a_job() -> NewJob {
    NewJob {
        owner: Owner {
            user: name("ann"),
            project: name("default"),
            uid: 1001,
            gid: 1002,
            groups: vec![1003, 1004],
            email: Some("ann@example.org".into()),
        },
        spec: JobSpec {
            name: "blast".into(),
            description: "it's \"quoted\"; DROP TABLE jobs".into(),
            tags: vec![],
            image: "debian:stable".into(),
            script: "#!/bin/sh\necho 'hé'\n".into(),
            resources: Resources { cpu: Cores::from_millis(1500), ram: Memory::gb(2), gpus: 1 },
            array: None,
            dependencies: vec![],
            labels: vec![],
            ports: vec![8080],
            retries: 2,
            executor: None,
            max_lifespan: Some(std::time::Duration::from_secs(90)),
            volumes: vec![],
            network: true,
            root: false,
            notify_email: false,
            tmp_storage: None,
        },
        submitted: Timestamp(1_000),
    }
}

impl NewJob {
    pub(super) fn of(mut self, user: &str, project: &str) -> Self {
        self.owner.user = name(user);
        self.owner.project = name(project);
        self
    }

    pub(super) fn tagged(mut self, tags: &[&str]) -> Self {
        self.spec.tags = tags.iter().map(ToString::to_string).collect();
        self
    }

    pub(super) fn array(mut self, first: u64, last: u64, step: u64) -> Self {
        self.spec.array = Some(ArraySpec { first, last, step, throttle: None });
        self
    }
}

pub async fn submit(store: &dyn Store, job: NewJob) -> JobId {
    store.submit(job).await.expect("a job is accepted").id
}

pub async fn get(store: &dyn Store, id: JobId) -> Job {
    store.job(id).await.expect("the store answers").expect("the job exists")
}

pub fn attempt() -> Attempt {
    Attempt {
        number: 1,
        executor: "native".into(),
        node: "n1".into(),
        container: Some("c1".into()),
        digest: Some("debian@sha256:6c0c".into()),
        ports: vec![crate::domain::PortMapping { host: 20_000, container: 8080 }],
    }
}

pub fn outcome(ending: Ending, at: i64) -> Outcome {
    Outcome {
        ending,
        exit_code: Some(i32::from(!ending.is_ok())),
        started: Some(Timestamp(at - 10)),
        ended: Timestamp(at),
        attempt: Some(attempt()),
        disk_bytes: 12,
        reason: None,
    }
}

/// The change that moves `job` on, made against it as it is.
pub fn change(job: &Job, transition: Transition) -> Change {
    Change {
        id: job.id,
        expect: job.revision,
        state: job.state.next(transition).expect("a transition that may follow"),
        request: None,
        failed_nodes: job.failed_nodes.clone(),
        charge: None,
    }
}

pub fn start(job: &Job, at: i64) -> Change {
    change(job, Transition::Start { attempt: attempt(), at: Timestamp(at) })
}

pub fn end(job: &Job, ending: Ending, at: i64) -> Change {
    change(job, Transition::End(outcome(ending, at)))
}

pub fn charge(job: &Job, day: i64) -> Charge {
    Charge {
        user: job.owner.user.clone(),
        project: job.owner.project.clone(),
        image: job.spec.image.clone(),
        day,
        cpu: 1.5,
        ram: 2.0,
        gpus: 1.0,
        seconds: 60.0,
    }
}

pub async fn commit(store: &dyn Store, change: Change) -> Applied {
    let mut applied = store.commit(vec![change]).await.expect("the store commits");
    assert_eq!(applied.len(), 1, "one answer a change");
    applied.remove(0)
}

pub async fn start_now(store: &dyn Store, id: JobId, at: i64) {
    let applied = commit(store, start(&get(store, id).await, at)).await;
    assert!(matches!(applied, Applied::Done { .. }));
}

pub async fn run_now(store: &dyn Store, id: JobId, at: i64) {
    start_now(store, id, at).await;
    let launched = Transition::Launched { attempt: attempt(), at: Timestamp(at) };
    let applied = commit(store, change(&get(store, id).await, launched)).await;
    assert!(matches!(applied, Applied::Done { .. }));
}

/// Ends an active job; answers the parent that ended with it.
pub async fn end_now(store: &dyn Store, id: JobId, ending: Ending, at: i64) -> Option<JobId> {
    match commit(store, end(&get(store, id).await, ending, at)).await {
        Applied::Done { parent_over, .. } => parent_over,
        Applied::Stale => panic!("nothing came between"),
    }
}

pub async fn archive_now(store: &dyn Store, id: JobId, at: i64) {
    let applied = commit(store, change(&get(store, id).await, Transition::Archive { at: Timestamp(at) })).await;
    assert!(matches!(applied, Applied::Done { .. }));
}

pub async fn ask(store: &dyn Store, ids: &[JobId], request: Request) -> Vec<JobId> {
    let mut ids = store.request(ids, request, &crate::domain::Phase::ACTIVE).await.expect("the store answers");
    ids.sort_unstable();
    ids
}

pub fn is_pending(job: &Job) -> bool {
    matches!(job.state, JobState::Pending { .. })
}
