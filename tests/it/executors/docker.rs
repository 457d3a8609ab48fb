use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use godocker::config;
use godocker::domain::{Acl, InstanceId, Memory, Mount};
use godocker::plugins::executor::conformance::{self, Fixture};
use godocker::plugins::executor::docker::DockerExecutor;
use godocker::plugins::executor::{Executor, ExecutorError, Launch};
use tokio::sync::mpsc;

use crate::support::engine::Engine;

/// What scripts/test-image makes.
const IMAGE: &str = "godocker/busybox";
const NOBODY: u32 = 65534;
const PATIENCE: Duration = Duration::from_secs(60);

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("docker is installed");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Says aloud when it is not there: a test that ran nothing must not pass for one that did.
fn engine_answers() -> bool {
    let answers =
        Command::new("docker").args(["image", "inspect", IMAGE]).output().is_ok_and(|out| out.status.success());
    if !answers {
        eprintln!("NOT RUN: no Docker engine with the image {IMAGE} (scripts/test-image)");
    }
    answers
}

fn settings() -> config::Docker {
    config::Docker {
        url: None,
        tls: None,
        registry: None,
        pids_limit: 100,
        pull: false,
        port_allocate: true,
        port_start: 24_000,
        port_range: 500,
        gpus: 0,
        concurrency: 8,
    }
}

fn open(instance: &InstanceId) -> Arc<DockerExecutor> {
    Arc::new(DockerExecutor::new(&settings(), instance.clone(), false))
}

struct Place {
    fixture: Fixture,
    executor: Arc<DockerExecutor>,
    // Removed when the test is over.
    _directory: tempfile::TempDir,
}

impl Drop for Place {
    fn drop(&mut self) {
        let ours = format!("label=godocker.instance={}", self.fixture.instance);
        for left in docker(&["ps", "-aq", "--filter", &ours]).lines() {
            docker(&["rm", "-f", left]);
        }
    }
}

fn place(label: &str) -> Place {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let instance: InstanceId = format!("{label}{}", std::process::id()).parse().unwrap();
    let executor = open(&instance);
    let reopened = instance.clone();
    let fixture = Fixture {
        samples: true,
        instance: instance.clone(),
        directory: directory.path().join("jobs"),
        uid: NOBODY,
        gid: NOBODY,
        groups: vec![4242, 4243],
        node: "any".into(),
        image: IMAGE.into(),
        refused_image: Some("godocker/there-is-no-such-image".into()),
        reopen: Box::new(move || {
            let executor: Arc<dyn Executor> = open(&reopened);
            Box::pin(async move { executor })
        }),
        only_create: Some(Box::new(|launch| Box::pin(only_create(launch)))),
        patience: PATIENCE,
    };
    Place { fixture, executor, _directory: directory }
}

/// As go-d killed between create and start leaves it.
async fn only_create(launch: Launch) {
    let (name, instance) = (launch.name.to_string(), format!("godocker.instance={}", launch.name.instance));
    docker(&["create", "--name", &name, "--label", &instance, "--entrypoint", "/bin/sh", IMAGE, "-c", "exit 4"]);
}

impl Place {
    /// Runs a script to its end; its exit code and whether memory ran out.
    async fn run(&self, launch: &Launch) -> (Option<i32>, bool) {
        let (sender, mut ends) = mpsc::channel(8);
        self.executor.watch(sender).await.unwrap();
        self.executor.launch(launch.clone()).await.unwrap();
        let end = self.fixture.end_of(&mut ends, &launch.name).await;
        (end.exit.code, end.exit.out_of_memory)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_docker_executor_conforms() {
    if engine_answers() {
        let place = place("dconf");
        conformance::run(place.executor.clone(), &place.fixture).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_its_user_without_powers() {
    if !engine_answers() {
        return;
    }
    let place = place("dwho");
    let script = "#!/bin/bash\nid -u; id -g; id -G; pwd\ngrep -E 'NoNewPrivs|CapEff' /proc/self/status | tr -d '\\t'\n\
                  ls /sys/class/net; echo volume > /mnt/rw/f; echo volume > /mnt/ro/f; true\n";
    let mut launch = place.fixture.launch(1, script);
    for (name, acl) in [("ro", Acl::Ro), ("rw", Acl::Rw)] {
        let path = place.fixture.directory.join(name);
        std::fs::create_dir_all(&path).unwrap();
        std::os::unix::fs::chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        launch.mounts.push(Mount { name: name.into(), acl, path, mount: format!("/mnt/{name}").into() });
    }
    assert_eq!(place.run(&launch).await, (Some(0), false));
    let log = place.fixture.read(&launch, "god.log");
    let words: Vec<_> = log.split_whitespace().collect();
    let groups = ["65534", "65534", "65534", "4242", "4243", "/mnt/go-docker"];
    assert_eq!(words[..6], groups);
    assert_eq!(words[6..], ["CapEff:0000000000000000", "NoNewPrivs:1", "lo"]);
    assert!(place.fixture.directory.join("rw/f").exists());
    assert!(!place.fixture.directory.join("ro/f").exists());
    for file in ["god.log", "god.err", "god.info"] {
        assert_eq!(std::fs::metadata(launch.directory.join(file)).unwrap().uid(), NOBODY, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_takes_too_much_memory_is_out_of_memory() {
    if !engine_answers() {
        return;
    }
    let place = place("doom");
    let mut job = place.fixture.job(1, "#!/bin/sh\nexec tail /dev/zero\n");
    Arc::make_mut(&mut job.spec).resources.ram = Memory::from_bytes(32 << 20);
    let launch = place.fixture.launch_of(job);
    assert_eq!(place.run(&launch).await, (Some(137), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn root_in_a_container_sees_its_volumes_read_only() {
    if !engine_answers() {
        return;
    }
    let place = place("droot");
    let mut job = place.fixture.job(1, "#!/bin/sh\nid -u\necho x > /mnt/rw/f || echo refused\n");
    Arc::make_mut(&mut job.spec).root = true;
    let mut launch = place.fixture.launch_of(job);
    let path = place.fixture.directory.join("rw");
    std::fs::create_dir_all(&path).unwrap();
    launch.mounts.push(Mount { name: "rw".into(), acl: Acl::Rw, path, mount: "/mnt/rw".into() });
    assert_eq!(place.run(&launch).await.0, Some(0));
    assert_eq!(place.fixture.read(&launch, "god.log"), "0\nrefused\n");
}

/// As by a launch that was told twice, and told the engine so when all was over.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_started_again_does_nothing() {
    if !engine_answers() {
        return;
    }
    let place = place("dtwice");
    let launch = place.fixture.launch(1, "#!/bin/sh\necho begun >> runs\nexit 3\n");
    assert_eq!(place.run(&launch).await, (Some(3), false));
    let name = launch.name.to_string();
    docker(&["start", &name]);
    assert_eq!(docker(&["wait", &name]), "3", "it ends as it did");
    assert_eq!(place.fixture.read(&launch, "runs"), "begun\n");
}

/// What an engine was about to begin when it was killed may stand in the way of that container for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_cannot_be_started_any_more_is_made_anew() {
    if !engine_answers() {
        return;
    }
    let engine = Engine::start();
    let place = place("danew");
    let settings = config::Docker { url: Some(engine.host()), ..settings() };
    let executor = DockerExecutor::new(&settings, place.fixture.instance.clone(), true);
    let launch = place.fixture.launch(1, "#!/bin/sh\necho begun >> runs\nexit 3\n");
    let (name, host) = (launch.name.to_string(), engine.host());
    let id = docker(&["-H", &host, "create", "--name", &name, "--entrypoint", "/bin/sh", IMAGE, "-c", "exit 4"]);
    std::fs::create_dir_all(engine.runtime_state_of(&id)).unwrap();
    let (sender, mut ends) = mpsc::channel(8);
    executor.watch(sender).await.unwrap();
    for try_number in 1..=2 {
        let refused = executor.launch(launch.clone()).await;
        let Err(ExecutorError::Unavailable(why)) = refused else { panic!("{try_number}: {refused:?}") };
        assert!(why.contains("file exists"), "{why}");
    }
    executor.launch(launch.clone()).await.unwrap();
    assert_eq!(place.fixture.end_of(&mut ends, &launch.name).await.exit.code, Some(3));
    assert_eq!(place.fixture.read(&launch, "runs"), "begun\n");
    executor.forget(&launch.name).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_host_port_is_passed_over() {
    if !engine_answers() {
        return;
    }
    let place = place("dport");
    let wait = "#!/bin/sh\nsleep 1000\n";
    let mut taken = vec![];
    for id in [1, 26] {
        // Both jobs' first choice lies in the same range; whatever they get, it differs and is published.
        let mut job = place.fixture.job(id, wait);
        let spec = Arc::make_mut(&mut job.spec);
        (spec.ports, spec.network) = (vec![8080], true);
        let launch = place.fixture.launch_of(job);
        let started = place.executor.launch(launch.clone()).await.unwrap();
        let again = place.executor.launch(launch).await.unwrap();
        assert_eq!(started.attempt.ports, again.attempt.ports);
        taken.extend(started.attempt.ports);
    }
    assert_eq!(taken.len(), 2);
    assert_ne!(taken[0].host, taken[1].host);
    assert!(taken.iter().all(|port| port.container == 8080 && (24_000..24_500).contains(&port.host)));
}
