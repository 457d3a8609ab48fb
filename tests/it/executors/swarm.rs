use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Arc;
use std::time::{Duration, Instant};

use godocker::config;
use godocker::domain::{Cores, InstanceId, Label, Memory, PortMapping, Resources};
use godocker::plugins::executor::conformance::{self, Fixture};
use godocker::plugins::executor::swarm::SwarmExecutor;
use godocker::plugins::executor::{AttemptEnd, Executor, ExecutorError, Launch, Node, Sighting};
use tokio::sync::mpsc;

use crate::support::IMAGE;
use crate::support::swarm::{SwarmCluster, swarm_is_possible};

const NOBODY: u32 = 65534;
const PATIENCE: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(2);

pub fn settings() -> config::Docker {
    config::Docker {
        url: None,
        tls: None,
        registry: None,
        pids_limit: 100,
        pull: true,
        port_allocate: true,
        port_start: 24_000,
        port_range: 500,
        gpus: 0,
        concurrency: 8,
    }
}

fn open(host: &str, settings: &config::Docker, instance: &InstanceId) -> Arc<SwarmExecutor> {
    let swarm = config::Swarm { url: Some(host.to_owned()) };
    Arc::new(SwarmExecutor::new(settings, &swarm, GRACE, instance.clone(), false))
}

struct Place {
    fixture: Fixture,
    executor: Arc<SwarmExecutor>,
    ends: mpsc::Receiver<AttemptEnd>,
    cluster: Arc<SwarmCluster>,
    // Removed when the test is over.
    _directory: tempfile::TempDir,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.cluster.remove_services(&self.fixture.instance.to_string());
    }
}

/// Jobs go to `node`.
async fn place(label: &str, cluster: Arc<SwarmCluster>, node: usize) -> Place {
    place_with(label, cluster, node, settings()).await
}

async fn place_with(label: &str, cluster: Arc<SwarmCluster>, node: usize, settings: config::Docker) -> Place {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let instance: InstanceId = format!("{label}{}", std::process::id()).parse().unwrap();
    let executor = open(&cluster.host(0), &settings, &instance);
    let (sender, ends) = mpsc::channel(64);
    executor.watch(sender).await.unwrap();
    let (host, name, reopened) = (cluster.host(0), cluster.name(node), instance.clone());
    let fixture = Fixture {
        samples: node == 0,
        instance,
        directory: directory.path().join("jobs"),
        uid: NOBODY,
        gid: NOBODY,
        groups: vec![4242, 4243],
        node: name.clone(),
        image: IMAGE.into(),
        refused_image: Some("godocker/there-is-no-such-image".into()),
        reopen: Box::new({
            let host = host.clone();
            move || {
                let executor: Arc<dyn Executor> = open(&host, &settings, &reopened);
                Box::pin(async move { executor })
            }
        }),
        only_create: Some(Box::new(move |launch| Box::pin(only_create(host.clone(), name.clone(), launch)))),
        patience: PATIENCE,
    };
    Place { fixture, executor, ends, cluster, _directory: directory }
}

/// The only node whose engine we can reach.
#[tokio::test(flavor = "multi_thread")]
async fn what_runs_on_the_manager_tells_what_it_uses() {
    if !swarm_is_possible() {
        return;
    }
    let mut place = place("suse", SwarmCluster::shared(), 0).await;
    let busy = place.fixture.launch(1, "#!/bin/sh\nwhile [ ! -e go ]; do :; done\n");
    place.executor.launch(busy.clone()).await.unwrap();
    let names = [busy.name.clone()];
    let used = || async {
        let all = place.executor.sample(&names).await.unwrap();
        all.iter().any(|(_, reading)| reading.cpu >= Duration::from_millis(300) && reading.memory > 0)
    };
    place.fixture.until("a moment of a processor", used).await;
    std::fs::write(busy.directory.join("go"), "").unwrap();
    place.fixture.end_of(&mut place.ends, &busy.name).await;
    place.executor.forget(&busy.name).await.unwrap();
}

/// As go-d killed before it began the service leaves it.
async fn only_create(host: String, node: String, launch: Launch) {
    let (name, instance) = (launch.name.to_string(), format!("godocker.instance={}", launch.name.instance));
    let (attempt, constraint) = (format!("godocker.attempt={name}"), format!("node.hostname=={node}"));
    let mut arguments = vec!["service", "create", "--detach", "--no-resolve-image", "--replicas", "0", "--name", &name];
    arguments.extend(["--label", &instance, "--label", &attempt, "--restart-condition", "none"]);
    arguments.extend(["--container-label", &instance, "--container-label", &attempt, "--constraint", &constraint]);
    arguments.extend(["--entrypoint", "/bin/sh", IMAGE, "-c", "exit 4"]);
    let made = crate::support::engine::docker(Some(&host), &arguments);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

impl Place {
    /// Runs a script to its end; its exit code and whether memory ran out.
    async fn run(&mut self, launch: &Launch) -> (Option<i32>, bool) {
        self.executor.launch(launch.clone()).await.unwrap();
        let end = self.end_of(launch).await;
        (end.exit.code, end.exit.out_of_memory)
    }

    async fn end_of(&mut self, launch: &Launch) -> AttemptEnd {
        self.fixture.end_of(&mut self.ends, &launch.name).await
    }

    async fn sighting(&self, launch: &Launch) -> Option<Sighting> {
        self.executor.list().await.unwrap().into_iter().find(|sighting| *sighting.name() == launch.name)
    }

    async fn node(&self, node: usize) -> Node {
        let name = self.cluster.name(node);
        self.executor.nodes().await.unwrap().into_iter().find(|node| node.name == name).unwrap()
    }

    /// Not taken, with this in the reason, and nothing is left of it.
    async fn is_not_taken(&self, launch: &Launch, reason: &str) {
        match self.executor.launch(launch.clone()).await {
            Err(ExecutorError::Unavailable(message)) => assert!(message.contains(reason), "{message:?}"),
            other => panic!("not taken, instead of {other:?}"),
        }
        assert_eq!(self.sighting(launch).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_swarm_executor_conforms_on_a_remote_node() {
    if swarm_is_possible() {
        let place = place("sconf", SwarmCluster::shared(), 1).await;
        // Watched anew: the suite keeps the reports for itself.
        conformance::run(open(&place.cluster.host(0), &settings(), &place.fixture.instance), &place.fixture).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_its_user_without_powers_or_network() {
    if !swarm_is_possible() {
        return;
    }
    let mut place = place("swho", SwarmCluster::shared(), 1).await;
    let script = "#!/bin/bash\nid -u; id -g; id -G; pwd\ngrep -E 'NoNewPrivs|CapEff' /proc/self/status | tr -d '\\t'\n\
                  way=$(ip route | sed -n 's/default via \\([^ ]*\\).*/\\1/p')\n\
                  for to in $way 10.77.0.2 10.77.0.1; do echo x | nc -w 1 $to 7946 | wc -c; done\n";
    let launch = place.fixture.launch(1, script);
    assert_eq!(place.run(&launch).await, (Some(0), false));
    let log = place.fixture.read(&launch, "god.log");
    let words: Vec<_> = log.split_whitespace().collect();
    assert_eq!(words[..6], ["65534", "65534", "65534", "4242", "4243", "/mnt/go-docker"]);
    assert_eq!(words[6..8], ["CapEff:0000000000000000", "NoNewPrivs:1"]);
    assert!(words[8..].iter().all(|heard| *heard == "0"), "an isolated job reaches nobody: {log}");
    for file in ["god.log", "god.err", "god.info"] {
        assert_eq!(std::fs::metadata(launch.directory.join(file)).unwrap().uid(), NOBODY, "{file}");
    }

    let mut job = place.fixture.job(2, script);
    Arc::make_mut(&mut job.spec).network = true;
    let launch = place.fixture.launch_of(job);
    assert_eq!(place.run(&launch).await, (Some(0), false));
    let log = place.fixture.read(&launch, "god.log");
    assert!(log.split_whitespace().skip(8).any(|heard| heard != "0"), "one with a network reaches its node: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_lands_on_the_node_that_the_plan_chose_and_its_end_is_heard() {
    if !swarm_is_possible() {
        return;
    }
    let mut place = place("sland", SwarmCluster::shared(), 0).await;
    for node in 0..2 {
        place.fixture.node = place.cluster.name(node);
        let launch =
            place.fixture.launch(node as u64 + 1, "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.05; done\nexit 3\n");
        let started = place.executor.launch(launch.clone()).await.unwrap();
        assert_eq!(started.attempt.node, place.cluster.name(node));
        let Some(Sighting::Running { started: seen, .. }) = place.sighting(&launch).await else { panic!("it runs") };
        assert_eq!(seen.attempt.node, place.cluster.name(node));
        let here = format!("label=godocker.attempt={}", launch.name);
        for other in 0..3 {
            let found = place.cluster.succeed(other, &["ps", "-q", "--filter", &here]);
            assert_eq!(found.is_empty(), other != node, "{found:?} on {other}");
        }
        std::fs::write(launch.directory.join("go"), "").unwrap();
        let asked = Instant::now();
        assert_eq!(place.end_of(&launch).await.exit.code, Some(3));
        assert!(asked.elapsed() < Duration::from_secs(10), "heard after {:?}", asked.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_have_labels_and_what_others_do_not_hold() {
    if !swarm_is_possible() {
        return;
    }
    let own = SwarmCluster::OWN_NODE;
    let mut place = place("slabel", SwarmCluster::shared(), own).await;
    place.cluster.label(own, "storage=ssd");
    let ssd = Label { name: "storage".into(), value: "ssd".into() };
    let before = place.node(own).await;
    assert!(before.labels.contains(&ssd) && !place.node(0).await.labels.contains(&ssd));

    let mut job = place.fixture.job(1, "#!/bin/sh\nexit 6\n");
    Arc::make_mut(&mut job.spec).labels = vec![ssd.clone()];
    let launch = place.fixture.launch_of(job.clone());
    assert_eq!(place.run(&launch).await.0, Some(6));
    job.id.0 = 2;
    place.fixture.node = place.cluster.name(0);
    place.is_not_taken(&place.fixture.launch_of(job), "labels").await;

    let constraint = format!("node.hostname=={}", place.cluster.name(own));
    let name = format!("others{}", std::process::id());
    let others =
        ["--reserve-memory", "1000000000", "--entrypoint", "/bin/sleep", "--constraint", &constraint, "--name"];
    let create = ["service", "create", "--detach", "--no-resolve-image"];
    place.cluster.succeed(0, &[&create[..], &others, &[&name, IMAGE, "1000"]].concat());
    let reserved = Resources { ram: Memory::gb(1), ..Resources::default() };
    place
        .fixture
        .until("it is not ours", || async { place.node(own).await.others == before.others.plus(reserved) })
        .await;
    place.cluster.succeed(0, &["service", "rm", &name]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_takes_too_much_memory_is_out_of_memory() {
    if !swarm_is_possible() {
        return;
    }
    let mut place = place("soom", SwarmCluster::shared(), 1).await;
    let mut job = place.fixture.job(1, "#!/bin/sh\nexec tail /dev/zero\n");
    Arc::make_mut(&mut job.spec).resources.ram = Memory::from_bytes(32 << 20);
    let launch = place.fixture.launch_of(job);
    assert_eq!(place.run(&launch).await, (Some(137), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_are_open_on_the_jobs_node_and_a_taken_one_is_passed_over() {
    if !swarm_is_possible() {
        return;
    }
    let place = place("sport", SwarmCluster::shared(), 1).await;
    let mut taken: Vec<PortMapping> = vec![];
    for id in [1, 26] {
        // Both jobs' first choice is the same port.
        let mut job = place.fixture.job(id, "#!/bin/sh\nwhile true; do nc -lp 8080 -e echo here; done\n");
        let spec = Arc::make_mut(&mut job.spec);
        (spec.ports, spec.network, spec.resources.cpu) = (vec![8080], true, Cores::from_millis(100));
        let launch = place.fixture.launch_of(job);
        let started = place.executor.launch(launch.clone()).await.unwrap();
        assert_eq!(started.attempt.ports, place.executor.launch(launch).await.unwrap().attempt.ports);
        taken.extend(started.attempt.ports);
    }
    assert_eq!(taken.len(), 2);
    assert_ne!(taken[0].host, taken[1].host);
    for port in taken {
        let (host, mut heard) = (port.host.to_string(), String::new());
        let deadline = Instant::now() + PATIENCE;
        while !heard.contains("here") {
            assert!(Instant::now() < deadline, "nothing is heard on {host}");
            let said = place.cluster.inside(0, "busybox").args(["nc", "-w", "1", "10.77.0.2", &host]).output().unwrap();
            heard = String::from_utf8_lossy(&said.stdout).into_owned();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_paused_or_drained_gets_nothing_new() {
    if !swarm_is_possible() {
        return;
    }
    let mut place = place("spause", SwarmCluster::shared(), 2).await;
    let runs = place.fixture.launch(1, "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.05; done\nexit 5\n");
    place.executor.launch(runs.clone()).await.unwrap();
    let changed = {
        let executor = place.executor.clone();
        tokio::spawn(async move { executor.nodes_changed().await })
    };

    // The plan is older than the pause: the task waits in vain, and is taken back.
    let late = place.fixture.launch(2, "#!/bin/sh\nexit 0\n");
    place.node(2).await;
    place.cluster.pause(2);
    let (_, told) = tokio::join!(place.is_not_taken(&late, "node"), changed);
    told.unwrap();
    assert!(place.node(2).await.drained);
    place.is_not_taken(&place.fixture.launch(3, "#!/bin/sh\n"), "takes no new jobs").await;
    assert!(matches!(place.sighting(&runs).await, Some(Sighting::Running { .. })), "what runs goes on");
    std::fs::write(runs.directory.join("go"), "").unwrap();
    assert_eq!(place.end_of(&runs).await.exit.code, Some(5));

    place.cluster.activate(2);
    place.fixture.until("it takes jobs again", || async { !place.node(2).await.drained }).await;
    assert_eq!(place.run(&late).await.0, Some(0), "what was taken back had not begun");

    // To drain is to have Swarm stop what runs: the node failed under the job.
    let stopped = place.fixture.launch(4, "#!/bin/sh\nexec sleep 1000\n");
    place.executor.launch(stopped.clone()).await.unwrap();
    place.cluster.drain(2);
    assert!(place.node(2).await.drained);
    assert_eq!(place.end_of(&stopped).await.exit.code, None);
    place.is_not_taken(&place.fixture.launch(5, "#!/bin/sh\n"), "takes no new jobs").await;
    place.cluster.activate(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_engine_dies_keeps_its_jobs_until_it_can_say_how_they_ended() {
    if !swarm_is_possible() {
        return;
    }
    let cluster = Arc::new(SwarmCluster::start(2));
    let mut place = place("skill", cluster, 1).await;
    let goes_on = place.fixture.launch(1, "#!/bin/sh\nwhile true; do sleep 0.05; done\n");
    let ends = place.fixture.launch(2, "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.05; done\nexit 12\n");
    let unclaimed = place.fixture.launch(3, "#!/bin/sh\nwhile true; do sleep 0.05; done\n");
    for launch in [&goes_on, &ends, &unclaimed] {
        let mut launch = launch.clone();
        Arc::make_mut(&mut Arc::make_mut(&mut launch.job).spec).resources.cpu = Cores::from_millis(100);
        place.executor.launch(launch).await.unwrap();
    }
    place.cluster.notice_soon();
    place.cluster.kill_engine(1);
    place.cluster.until_state(1, "down");
    assert!(place.node(1).await.drained);
    std::fs::write(ends.directory.join("go"), "").unwrap();
    place.fixture.until("it has ended", || async { place.fixture.read(&ends, "god.info").lines().count() == 2 }).await;
    for launch in [&goes_on, &ends] {
        let seen = place.sighting(launch).await;
        assert!(matches!(seen, Some(Sighting::Running { .. })), "nobody knows better: {seen:?}");
    }
    assert!(place.ends.try_recv().is_err());
    let asked = Instant::now();
    place.executor.forget(&unclaimed.name).await.unwrap();
    assert!(asked.elapsed() < GRACE, "a node that is away is not waited for: {:?}", asked.elapsed());
    place.cluster.restart_engine(1);
    // In whatever order they are heard of.
    let mut codes = std::collections::HashMap::new();
    while codes.len() < 2 {
        let end = tokio::time::timeout(PATIENCE, place.ends.recv()).await.expect("both are heard of").unwrap();
        codes.insert(end.name, end.exit.code);
    }
    // An engine that comes back may find a container no more, and then what its wrapper wrote counts.
    let said = |launch: &Launch| codes[&launch.name].or(place.fixture.read(launch, "god.exit").trim().parse().ok());
    assert_eq!(said(&ends), Some(12));
    assert_eq!(codes[&goes_on.name], None, "the engine that came back ended it: {codes:?}");
}
