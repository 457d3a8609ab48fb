//! What every executor must do, as tests that any of them can be given.
//!
//! [`run`] panics with the guarantee that was broken. A backend's own promises (users, limits, mounts) are tested with
//! the backend.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::{AttemptEnd, Executor, ExecutorError, Launch, Sighting};
use crate::domain::{
    Attempt, AttemptName, Cores, InstanceId, Job, JobId, JobSpec, JobState, Memory, Owner, Place, ProjectId, Reading,
    Resources, Timestamp,
};

type Made<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the suite needs of the place where it runs.
pub struct Fixture {
    /// What runs here can be asked for what it uses.
    pub samples: bool,
    /// Of this run alone: nobody else's attempts show up.
    pub instance: InstanceId,
    /// Job directories are made in it. Its users may enter it.
    pub directory: PathBuf,
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    /// Where attempts go; of no matter to an executor of one machine.
    pub node: String,
    /// An image with sh, sleep and cat.
    pub image: String,
    /// One that the backend refuses; `None` where images do not matter.
    pub refused_image: Option<String>,
    /// A new executor on the same backend, as after a restart of GoDocker.
    pub reopen: Box<dyn Fn() -> Made<Arc<dyn Executor>> + Send + Sync>,
    /// Makes an attempt without starting it; `None` where there is no such thing.
    pub only_create: Option<Box<dyn Fn(Launch) -> Made<()> + Send + Sync>>,
    /// How long anything may take here.
    pub patience: Duration,
}

impl Fixture {
    /// A launch of a new job that runs `script`.
    pub fn launch(&self, job: u64, script: &str) -> Launch {
        self.launch_of(self.job(job, script))
    }

    pub fn job(&self, id: u64, script: &str) -> Job {
        let spec = JobSpec {
            name: format!("conformance {id}"),
            description: String::new(),
            tags: vec![],
            image: self.image.clone(),
            script: script.into(),
            resources: Resources { cpu: Cores::whole(1), ram: Memory::from_bytes(256 << 20), gpus: 0 },
            array: None,
            dependencies: vec![],
            labels: vec![],
            ports: vec![],
            retries: 0,
            executor: None,
            max_lifespan: None,
            volumes: vec![],
            network: false,
            root: false,
            notify_email: false,
            tmp_storage: None,
        };
        Job {
            id: JobId(id),
            revision: 1,
            owner: Owner {
                user: "ann".parse().expect("a valid id"),
                project: ProjectId::default_project(),
                uid: self.uid,
                gid: self.gid,
                groups: self.groups.clone(),
                email: None,
            },
            spec: Arc::new(spec),
            submitted: Timestamp(0),
            place: Place::Single,
            state: JobState::Pending { since: Timestamp(0), attempts: 0 },
            request: None,
            failed_nodes: vec![],
        }
    }

    /// The job's first attempt, with its directories made and its script written.
    pub fn launch_of(&self, job: Job) -> Launch {
        use std::os::unix::fs::{PermissionsExt, chown};
        let name = AttemptName { instance: self.instance.clone(), job: job.id, attempt: 1 };
        let directory = self.directory.join(format!("{}", job.id)).join("task");
        let private_directory = self.directory.join(format!("{}", job.id)).join("private");
        for made in [&directory, &private_directory] {
            std::fs::create_dir_all(made).expect("job directories can be made");
        }
        let script = directory.join("cmd.sh");
        std::fs::write(&script, &job.spec.script).expect("a script can be written");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("modes can be set");
        for owned in [&directory, &script] {
            chown(owned, Some(self.uid), Some(self.gid)).expect("we may give files to the job's user");
        }
        let node = self.node.clone();
        let attempt = Attempt { number: 1, executor: "any".into(), node, container: None, digest: None, ports: vec![] };
        let env = vec![("GODOCKER_JID".into(), job.id.to_string())];
        Launch { name, job: Arc::new(job), attempt, directory, private_directory, mounts: vec![], data: None, env }
    }

    /// What the attempt wrote; empty where there is nothing.
    pub fn read(&self, launch: &Launch, file: &str) -> String {
        std::fs::read_to_string(launch.directory.join(file)).unwrap_or_default()
    }

    /// Waits until `condition` holds; panics with `what` when patience ends.
    pub async fn until<F: Future<Output = bool>>(&self, what: &str, mut condition: impl FnMut() -> F) {
        let deadline = Instant::now() + self.patience;
        while !condition().await {
            assert!(Instant::now() < deadline, "not within {:?}: {what}", self.patience);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn until_written(&self, launch: &Launch, file: &str, text: &str) {
        self.until(&format!("{text:?} in {file}"), || async { self.read(launch, file).contains(text) }).await;
    }

    /// The next end of this attempt.
    pub async fn end_of(&self, ends: &mut mpsc::Receiver<AttemptEnd>, name: &AttemptName) -> AttemptEnd {
        let received = tokio::time::timeout(self.patience, async {
            loop {
                let end = ends.recv().await.expect("the executor keeps its sender");
                if end.name == *name {
                    return end;
                }
            }
        });
        received.await.unwrap_or_else(|_| panic!("the end of {name} was not reported within {:?}", self.patience))
    }
}

/// One executor under test with its reports.
struct Bench<'a> {
    executor: Arc<dyn Executor>,
    ends: mpsc::Receiver<AttemptEnd>,
    fixture: &'a Fixture,
}

pub async fn run(executor: Arc<dyn Executor>, fixture: &Fixture) {
    let (sender, ends) = mpsc::channel(64);
    executor.watch(sender).await.expect("watch is accepted");
    let mut bench = Bench { executor, ends, fixture };
    bench.nodes_have_something().await;
    bench.an_end_is_reported_with_its_exit_code().await;
    bench.a_script_finds_what_it_was_promised().await;
    bench.a_second_launch_changes_nothing().await;
    bench.two_launches_at_once_are_one().await;
    bench.an_ended_attempt_launched_again_reports_its_end().await;
    bench.a_stop_escalates().await;
    bench.a_stop_lets_the_script_clean_up().await;
    bench.a_suspended_attempt_stands_still().await;
    bench.a_suspended_attempt_can_be_stopped().await;
    bench.what_runs_tells_what_it_uses().await;
    bench.forgetting_kills_what_runs().await;
    bench.unknown_names_are_said_to_be_unknown().await;
    bench.a_refused_image_leaves_nothing().await;
    bench.what_was_only_created_is_finished().await;
    bench.a_restart_loses_nothing().await;
}

impl Bench<'_> {
    async fn launch(&self, launch: &Launch) {
        self.executor.launch(launch.clone()).await.expect("the launch takes");
    }

    async fn end_of(&mut self, launch: &Launch) -> AttemptEnd {
        self.fixture.end_of(&mut self.ends, &launch.name).await
    }

    async fn forget(&self, launch: &Launch) {
        self.executor.forget(&launch.name).await.expect("what is known can be forgotten");
        assert!(self.sighting(launch).await.is_none(), "what was forgotten is gone");
    }

    async fn sighting(&self, launch: &Launch) -> Option<Sighting> {
        let all = self.executor.list().await.expect("a listing");
        all.into_iter().find(|sighting| *sighting.name() == launch.name)
    }

    async fn until_suspended_is(&self, launch: &Launch, wanted: bool) {
        let what = format!("{} suspended: {wanted}", launch.name);
        self.fixture
            .until(&what, || async {
                matches!(self.sighting(launch).await, Some(Sighting::Running { suspended, .. }) if suspended == wanted)
            })
            .await;
    }

    async fn nodes_have_something(&self) {
        let nodes = self.executor.nodes().await.expect("nodes");
        let node = nodes.first().expect("there is a node");
        assert!(node.total.cpu >= Cores::MIN && node.total.ram >= Memory::MIN, "{node:?}");
        assert_eq!(node.executor, self.executor.name());
    }

    async fn an_end_is_reported_with_its_exit_code(&mut self) {
        for (job, script, code) in [
            (1, "#!/bin/sh\nexit 0\n", 0),
            (2, "#!/bin/sh\nexit 7\n", 7),
            (3, "#!/bin/sh\nkill -KILL $$\n", 137),
            (4, "exit 5\n", 5),
            (5, "#!/no/such/interpreter\nexit 6\n", 6),
        ] {
            let launch = self.fixture.launch(job, script);
            let started = self.executor.launch(launch.clone()).await.expect("the launch takes");
            assert_eq!(started.attempt.number, 1);
            assert!(started.attempt.container.is_some());
            let end = self.end_of(&launch).await;
            assert_eq!(end.exit.code, Some(code), "of {script:?}");
            assert!(!end.exit.out_of_memory);
            let seen = self.sighting(&launch).await;
            let Some(Sighting::Ended(seen)) = seen else { panic!("ended until forgotten, not {seen:?}") };
            assert_eq!(seen.exit, end.exit);
            self.forget(&launch).await;
        }
    }

    async fn a_script_finds_what_it_was_promised(&mut self) {
        let script = "#!/bin/sh\ncat /dev/stdin\npwd; echo \"$GODOCKER_PWD|$GODOCKER_HOME|$HOME|$GODOCKER_JID\"\n\
                      echo \"quote's \\\"$ODD\\\"\"\necho oops >&2\n";
        let mut launch = self.fixture.launch(10, script);
        launch.env.push(("ODD".into(), "a 'b' \"c\" $(touch pwned) \n d".into()));
        self.launch(&launch).await;
        assert_eq!(self.end_of(&launch).await.exit.code, Some(0));
        let log = self.fixture.read(&launch, "god.log");
        let lines: Vec<_> = log.lines().collect();
        let here = lines[0];
        assert_eq!(lines[1], format!("{here}|{here}|{here}|10"), "in {log:?}");
        assert!(log.contains("quote's \"a 'b' \"c\" $(touch pwned) \n d\""), "in {log:?}");
        assert_eq!(self.fixture.read(&launch, "god.err"), "oops\n");
        let info = self.fixture.read(&launch, "god.info");
        let times: Vec<i64> = info.lines().map(|line| line.parse().expect("Unix seconds")).collect();
        assert!(times.len() == 2 && times[0] <= times[1], "god.info is {info:?}");
        assert!(!launch.directory.join("pwned").exists());
        self.forget(&launch).await;
    }

    async fn a_second_launch_changes_nothing(&mut self) {
        let launch = self.fixture.launch(20, "#!/bin/sh\necho begun >> runs\nwhile [ ! -e go ]; do sleep 0.05; done\n");
        let first = self.executor.launch(launch.clone()).await.expect("the first launch");
        let second = self.executor.launch(launch.clone()).await.expect("the second launch");
        assert_eq!(first.attempt.container, second.attempt.container);
        std::fs::write(launch.directory.join("go"), "").expect("a file can be made");
        assert_eq!(self.end_of(&launch).await.exit.code, Some(0));
        assert_eq!(self.fixture.read(&launch, "runs"), "begun\n");
        self.forget(&launch).await;
    }

    async fn two_launches_at_once_are_one(&mut self) {
        let launch = self.fixture.launch(21, "#!/bin/sh\necho begun >> runs\n");
        let launches = (0..4).map(|_| self.executor.launch(launch.clone()));
        for outcome in futures::future::join_all(launches).await {
            outcome.expect("each of them takes");
        }
        assert_eq!(self.end_of(&launch).await.exit.code, Some(0));
        assert_eq!(self.fixture.read(&launch, "runs"), "begun\n");
        self.forget(&launch).await;
    }

    async fn an_ended_attempt_launched_again_reports_its_end(&mut self) {
        let launch = self.fixture.launch(22, "#!/bin/sh\necho begun >> runs\nexit 3\n");
        self.launch(&launch).await;
        let end = self.end_of(&launch).await;
        self.launch(&launch).await;
        assert_eq!(self.end_of(&launch).await.exit, end.exit);
        assert_eq!(self.fixture.read(&launch, "runs"), "begun\n");
        self.forget(&launch).await;
    }

    async fn a_stop_escalates(&mut self) {
        let script = "#!/bin/sh\ntrap 'echo asked >> trapped' TERM\necho ready > state\n\
                      while true; do sleep 0.05; done\n";
        let launch = self.fixture.launch(30, script);
        self.launch(&launch).await;
        self.fixture.until_written(&launch, "state", "ready").await;
        let asked = Instant::now();
        let grace = Duration::from_millis(700);
        self.executor.stop(&launch.name, grace).await.expect("a stop");
        assert!(asked.elapsed() < grace, "stop does not wait");
        self.executor.stop(&launch.name, grace).await.expect("a second stop");
        assert_eq!(self.end_of(&launch).await.exit.code, Some(137));
        assert!(asked.elapsed() >= grace, "the grace is given");
        assert!(self.fixture.read(&launch, "trapped").contains("asked"), "SIGTERM came first");
        let late = self.executor.stop(&launch.name, grace).await;
        assert!(matches!(late, Ok(()) | Err(ExecutorError::NoSuchAttempt)), "a stop of what has ended: {late:?}");
        self.forget(&launch).await;
    }

    async fn a_stop_lets_the_script_clean_up(&mut self) {
        let script = "#!/bin/sh\ntrap 'echo clean > state; exit 9' TERM\necho ready > state\n\
                      while true; do sleep 0.05; done\n";
        let launch = self.fixture.launch(31, script);
        self.launch(&launch).await;
        self.fixture.until_written(&launch, "state", "ready").await;
        self.executor.stop(&launch.name, self.fixture.patience * 2).await.expect("a stop");
        assert_eq!(self.end_of(&launch).await.exit.code, Some(9));
        assert_eq!(self.fixture.read(&launch, "state"), "clean\n");
        self.forget(&launch).await;
    }

    async fn a_suspended_attempt_stands_still(&mut self) {
        if !self.executor.capabilities().pause {
            return;
        }
        let launch = self
            .fixture
            .launch(40, "#!/bin/sh\necho ready > state\nwhile true; do echo . >> ticks; sleep 0.02; done\n");
        self.launch(&launch).await;
        self.fixture.until_written(&launch, "ticks", ".").await;
        for _ in 0..2 {
            self.executor.suspend(&launch.name).await.expect("suspend, also twice");
        }
        self.until_suspended_is(&launch, true).await;
        let ticks = || self.fixture.read(&launch, "ticks").len();
        self.fixture
            .until("it stands still", || async {
                let before = ticks();
                tokio::time::sleep(Duration::from_millis(200)).await;
                ticks() == before
            })
            .await;
        let before = ticks();
        for _ in 0..2 {
            self.executor.resume(&launch.name).await.expect("resume, also twice");
        }
        self.until_suspended_is(&launch, false).await;
        self.fixture.until("it goes on", || async { ticks() > before }).await;
        self.forget(&launch).await;
    }

    async fn a_suspended_attempt_can_be_stopped(&mut self) {
        if !self.executor.capabilities().pause {
            return;
        }
        let script = "#!/bin/sh\ntrap 'exit 8' TERM\necho ready > state\nwhile true; do sleep 0.05; done\n";
        let launch = self.fixture.launch(41, script);
        self.launch(&launch).await;
        self.fixture.until_written(&launch, "state", "ready").await;
        self.executor.suspend(&launch.name).await.expect("a suspend");
        self.until_suspended_is(&launch, true).await;
        self.executor.stop(&launch.name, self.fixture.patience * 2).await.expect("a stop");
        assert_eq!(self.end_of(&launch).await.exit.code, Some(8));
        self.forget(&launch).await;
    }

    async fn what_runs_tells_what_it_uses(&mut self) {
        let busy = self.fixture.launch(72, "#!/bin/sh\nwhile [ ! -e go ]; do :; done\n");
        let ended = self.fixture.launch(73, "#!/bin/sh\nexit 0\n");
        self.launch(&busy).await;
        self.launch(&ended).await;
        self.end_of(&ended).await;
        let unknown = AttemptName { job: JobId(9_999), ..busy.name.clone() };
        let names = [unknown, busy.name.clone(), ended.name.clone()];
        let executor = self.executor.clone();
        let sample = async || executor.sample(&names).await.expect("who cannot tell says nothing");
        if self.fixture.samples {
            let what = "a second of a processor and some memory";
            let is_busy = |(name, reading): &(AttemptName, Reading)| {
                assert_eq!(*name, busy.name, "only this one runs");
                reading.cpu >= Duration::from_millis(500) && reading.memory > 0
            };
            self.fixture.until(what, || async { sample().await.iter().any(is_busy) }).await;
        } else {
            assert!(sample().await.is_empty(), "it is out of reach");
        }
        std::fs::write(busy.directory.join("go"), "").expect("a file can be made");
        self.end_of(&busy).await;
        assert!(sample().await.is_empty(), "what has ended uses nothing");
        self.forget(&busy).await;
        self.forget(&ended).await;
    }

    async fn forgetting_kills_what_runs(&mut self) {
        let launch =
            self.fixture.launch(50, "#!/bin/sh\ntrap '' TERM\nwhile true; do echo . >> ticks; sleep 0.02; done\n");
        self.launch(&launch).await;
        self.fixture.until_written(&launch, "ticks", ".").await;
        self.forget(&launch).await;
        let before = self.fixture.read(&launch, "ticks").len();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(self.fixture.read(&launch, "ticks").len(), before, "what was forgotten does not run");
    }

    async fn unknown_names_are_said_to_be_unknown(&self) {
        let name = AttemptName { instance: self.fixture.instance.clone(), job: JobId(99_999), attempt: 1 };
        let executor = &self.executor;
        let mut answers = vec![executor.stop(&name, Duration::ZERO).await, executor.forget(&name).await];
        if executor.capabilities().pause {
            answers.extend([executor.suspend(&name).await, executor.resume(&name).await]);
        }
        assert!(answers.iter().all(|answer| matches!(answer, Err(ExecutorError::NoSuchAttempt))), "{answers:?}");
    }

    async fn a_refused_image_leaves_nothing(&self) {
        let Some(image) = &self.fixture.refused_image else { return };
        let mut job = self.fixture.job(60, "#!/bin/sh\n");
        Arc::make_mut(&mut job.spec).image = image.clone();
        let launch = self.fixture.launch_of(job);
        match self.executor.launch(launch.clone()).await {
            Err(ExecutorError::Refused(sentence)) => assert!(sentence.contains(image.as_str()), "{sentence:?}"),
            other => panic!("refused, not {other:?}"),
        }
        assert!(self.sighting(&launch).await.is_none());
    }

    async fn what_was_only_created_is_finished(&mut self) {
        let Some(only_create) = &self.fixture.only_create else { return };
        let launch = self.fixture.launch(70, "#!/bin/sh\nexit 4\n");
        only_create(launch.clone()).await;
        assert!(matches!(self.sighting(&launch).await, Some(Sighting::Created(_))));
        self.launch(&launch).await;
        assert_eq!(self.end_of(&launch).await.exit.code, Some(4));
        self.forget(&launch).await;
    }

    /// One attempt runs on over the restart, one ends while nobody looks.
    async fn a_restart_loses_nothing(&mut self) {
        let runs = self.fixture.launch(80, "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.05; done\nexit 11\n");
        let ends = self.fixture.launch(81, "#!/bin/sh\nexit 12\n");
        self.launch(&runs).await;
        self.launch(&ends).await;
        self.end_of(&ends).await;

        let (sender, receiver) = mpsc::channel(64);
        self.executor = (self.fixture.reopen)().await;
        self.executor.watch(sender).await.expect("watch is accepted");
        self.ends = receiver;

        match self.sighting(&ends).await {
            Some(Sighting::Ended(end)) => assert_eq!(end.exit.code, Some(12)),
            other => panic!("ended, not {other:?}"),
        }
        match self.sighting(&runs).await {
            Some(Sighting::Running { suspended, .. }) => assert!(!suspended),
            other => panic!("running, not {other:?}"),
        }
        std::fs::write(runs.directory.join("go"), "").expect("a file can be made");
        assert_eq!(self.end_of(&runs).await.exit.code, Some(11));
        self.forget(&runs).await;
        self.forget(&ends).await;
    }
}
