use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use godocker::config;
use godocker::domain::InstanceId;
use godocker::plugins::executor::conformance::{self, Fixture};
use godocker::plugins::executor::native::NativeExecutor;
use godocker::plugins::executor::{Executor, ExecutorError, Launch, Sighting};
use tokio::sync::mpsc;

const NOBODY: u32 = 65534;
const PATIENCE: Duration = Duration::from_secs(20);

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

async fn open(data_dir: &Path, instance: &InstanceId) -> Arc<NativeExecutor> {
    let config = config::Native { cpus: None, ram: None, cgroups: std::env::var_os("NO_CGROUPS").is_none() };
    let program = env!("CARGO_BIN_EXE_go-d").into();
    Arc::new(NativeExecutor::new(&config, instance.clone(), data_dir, program).unwrap())
}

struct Place {
    fixture: Fixture,
    executor: Arc<NativeExecutor>,
    // Removed when the test is over.
    _directory: tempfile::TempDir,
}

async fn place(label: &str) -> Place {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let instance: InstanceId = format!("{label}{}", std::process::id()).parse().unwrap();
    let data_dir = directory.path().join("data");
    let executor = open(&data_dir, &instance).await;
    let (uid, gid) = if is_root() { (NOBODY, NOBODY) } else { ids_of_ours() };
    let fixture = Fixture {
        samples: true,
        instance: instance.clone(),
        directory: directory.path().join("jobs"),
        uid,
        gid,
        groups: if is_root() { vec![4242, 4243] } else { vec![] },
        node: "any".into(),
        image: "none".into(),
        refused_image: None,
        reopen: Box::new(move || {
            let (data_dir, instance) = (data_dir.clone(), instance.clone());
            Box::pin(async move { open(&data_dir, &instance).await as Arc<dyn Executor> })
        }),
        only_create: None,
        patience: PATIENCE,
    };
    Place { fixture, executor, _directory: directory }
}

fn ids_of_ours() -> (u32, u32) {
    (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw())
}

impl Place {
    /// Runs a script to its end; its exit code and whether memory ran out.
    async fn run(&self, launch: &Launch) -> (Option<i32>, bool) {
        let (sender, mut ends) = mpsc::channel(8);
        let _ = self.executor.watch(sender).await;
        self.executor.launch(launch.clone()).await.unwrap();
        let end = self.fixture.end_of(&mut ends, &launch.name).await;
        (end.exit.code, end.exit.out_of_memory)
    }

    /// The first number of the attempt's record is its wrapper's.
    fn wrapper_of(&self, launch: &Launch) -> nix::unistd::Pid {
        let record = self._directory.path().join(format!("data/native/{}/claim", launch.name));
        let claim = std::fs::read_to_string(record).unwrap();
        nix::unistd::Pid::from_raw(claim.split(' ').next().unwrap().parse().unwrap())
    }
}

fn kill(pid: nix::unistd::Pid) {
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_native_executor_conforms() {
    let place = place("conf").await;
    conformance::run(place.executor.clone(), &place.fixture).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_job_is_its_user_and_nobody_else() {
    let place = place("who").await;
    let script = "#!/bin/sh\nid -u; id -g; id -G; umask; ulimit -c\ngrep -E 'NoNewPrivs|CapEff' /proc/self/status\n\
                  ls -l /proc/self/fd | grep -c socket\n";
    let launch = place.fixture.launch(1, script);
    assert_eq!(place.run(&launch).await, (Some(1), false));
    for file in ["god.log", "god.err", "god.info"] {
        let metadata = std::fs::metadata(launch.directory.join(file)).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (place.fixture.uid, place.fixture.gid), "{file}");
        assert_eq!(metadata.mode() & 0o7777, 0o644, "{file}");
    }
    if is_root() {
        let log = place.fixture.read(&launch, "god.log");
        let words: Vec<_> = log.split_whitespace().collect();
        let expected = [
            "65534",
            "65534",
            "65534",
            "4242",
            "4243",
            "0022",
            "0",
            "CapEff:",
            "0000000000000000",
            "NoNewPrivs:",
            "1",
            "0",
        ];
        assert_eq!(words, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_in_a_job_directory_lead_root_nowhere() {
    let place = place("link").await;
    let launch = place.fixture.launch(1, "#!/bin/sh\nexit 0\n");
    let precious = place.fixture.directory.join("precious");
    std::fs::write(&precious, "kept").unwrap();
    std::fs::set_permissions(&precious, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(&precious, launch.directory.join("god.info")).unwrap();
    std::os::unix::fs::symlink(&precious, launch.directory.join("god.log")).unwrap();
    assert_eq!(place.run(&launch).await.0, Some(126));
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "kept");
    assert!(place.fixture.read(&launch, "god.err").contains("god.log"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_a_native_job_left_behind_outlives_it() {
    let place = place("left").await;
    let script =
        "#!/bin/sh\nsetsid sh -c 'echo $$ > daemon; exec sleep 1000' &\nwhile [ ! -s daemon ]; do sleep 0.05; done\n";
    let launch = place.fixture.launch(1, script);
    assert_eq!(place.run(&launch).await.0, Some(0));
    let pid = place.fixture.read(&launch, "daemon");
    assert!(!Path::new("/proc").join(pid.trim()).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_job_that_takes_too_much_memory_is_out_of_memory() {
    if !is_root() || !cgroups_work() {
        return;
    }
    let place = place("oom").await;
    let mut job = place.fixture.job(1, "#!/bin/sh\nexec tail /dev/zero\n");
    Arc::make_mut(&mut job.spec).resources.ram = godocker::domain::Memory::from_bytes(32 << 20);
    let launch = place.fixture.launch_of(job);
    assert_eq!(place.run(&launch).await, (Some(137), true));
    place.executor.forget(&launch.name).await.unwrap();
    for controller in ["memory", "pids"] {
        let group = format!("/sys/fs/cgroup/{controller}/godocker/{}", launch.name);
        assert!(!Path::new(&group).exists());
    }
}

fn cgroups_work() -> bool {
    std::fs::create_dir_all("/sys/fs/cgroup/memory/godocker").is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_spawner_is_replaced_and_its_jobs_go_on() {
    let place = place("spawner").await;
    let (sender, mut ends) = mpsc::channel(8);
    place.executor.watch(sender).await.unwrap();
    let before = place.fixture.launch(1, "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.05; done\nexit 3\n");
    place.executor.launch(before.clone()).await.unwrap();
    kill(parent_of(place.wrapper_of(&before)));
    let after = place.fixture.launch(2, "#!/bin/sh\nexit 4\n");
    place.executor.launch(after.clone()).await.unwrap();
    assert_eq!(place.fixture.end_of(&mut ends, &after.name).await.exit.code, Some(4));
    std::fs::write(before.directory.join("go"), "").unwrap();
    assert_eq!(place.fixture.end_of(&mut ends, &before.name).await.exit.code, Some(3));
}

fn parent_of(pid: nix::unistd::Pid) -> nix::unistd::Pid {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    nix::unistd::Pid::from_raw(parent.trim().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_killed_wrapper_nobody_knows_the_end_but_it_ends() {
    let place = place("wrapper").await;
    let (sender, mut ends) = mpsc::channel(8);
    place.executor.watch(sender).await.unwrap();
    let launch = place.fixture.launch(1, "#!/bin/sh\nwhile true; do echo . >> ticks; sleep 0.02; done\n");
    place.executor.launch(launch.clone()).await.unwrap();
    place.fixture.until_written(&launch, "ticks", ".").await;
    kill(place.wrapper_of(&launch));
    assert_eq!(place.fixture.end_of(&mut ends, &launch.name).await.exit.code, None);
    assert!(matches!(&place.executor.list().await.unwrap()[..], [Sighting::Ended(end)] if end.exit.code.is_none()));
    place.executor.forget(&launch.name).await.unwrap();
    assert!(place.executor.list().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zero_byte_in_the_environment_is_refused() {
    let place = place("zero").await;
    let mut launch = place.fixture.launch(1, "#!/bin/sh\n");
    launch.env.push(("BAD".into(), "a\0b".into()));
    assert!(matches!(place.executor.launch(launch).await, Err(ExecutorError::Refused(_))));
}

/// Not a test: how many trivial jobs a second. `cargo test --test it launches_per_second -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn launches_per_second() {
    let place = place("speed").await;
    let (sender, mut ends) = mpsc::channel(4096);
    place.executor.watch(sender).await.unwrap();
    let count = 3000;
    let launches: Vec<_> = (1..=count).map(|job| place.fixture.launch(job, "#!/bin/sh\ntrue\n")).collect();
    let begun = std::time::Instant::now();
    let executor = place.executor.clone();
    let launching = async {
        futures::stream::StreamExt::for_each_concurrent(futures::stream::iter(launches), 16, |launch| {
            let executor = executor.clone();
            async move { drop(executor.launch(launch).await.unwrap()) }
        })
        .await;
    };
    let ending = async {
        for _ in 0..count {
            let end = ends.recv().await.unwrap();
            assert_eq!(end.exit.code, Some(0));
            place.executor.forget(&end.name).await.unwrap();
        }
    };
    tokio::join!(launching, ending);
    println!("{:.0} jobs/s", count as f64 / begun.elapsed().as_secs_f64());
}
