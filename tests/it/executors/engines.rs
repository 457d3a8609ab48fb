//! What the docker and the swarm executor have in common, on real engines: TLS with client certificates, and a registry
//! of the site's own that asks for a login.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use godocker::config::{self, DockerTls, Registry, Secret};
use godocker::domain::InstanceId;
use godocker::plugins::executor::conformance::Fixture;
use godocker::plugins::executor::docker::DockerExecutor;
use godocker::plugins::executor::swarm::SwarmExecutor;
use godocker::plugins::executor::{Executor, ExecutorError};
use tokio::sync::mpsc;

use super::swarm::settings;
use crate::support::IMAGE;
use crate::support::swarm::{SwarmCluster, swarm_is_possible};

const NOBODY: u32 = 65534;
const REGISTRY: &str = "127.0.0.1:5000";

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn fixture(label: &str, directory: &Path, image: &str) -> Fixture {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    Fixture {
        samples: true,
        instance: format!("{label}{}", std::process::id()).parse().unwrap(),
        directory: directory.join("jobs"),
        uid: NOBODY,
        gid: NOBODY,
        groups: vec![],
        node: "node1".into(),
        image: image.into(),
        refused_image: None,
        reopen: Box::new(|| unreachable!("nothing is restarted here")),
        only_create: None,
        patience: Duration::from_secs(60),
    }
}

/// Both executors on one engine, which is a swarm of one.
fn both(host: &str, settings: &config::Docker, instance: &InstanceId) -> [Arc<dyn Executor>; 2] {
    let docker = config::Docker { url: Some(host.to_owned()), ..settings.clone() };
    let swarm = config::Swarm { url: Some(host.to_owned()) };
    let grace = Duration::from_secs(2);
    [
        Arc::new(DockerExecutor::new(&docker, instance.clone(), false)),
        Arc::new(SwarmExecutor::new(&docker, &swarm, grace, instance.clone(), false)),
    ]
}

/// Runs a job that ends with 3, and tells which image it was exactly.
async fn run_one(executor: &dyn Executor, fixture: &Fixture, id: u64) -> Option<String> {
    let (sender, mut ends) = mpsc::channel(8);
    executor.watch(sender).await.unwrap();
    let launch = fixture.launch(id, "#!/bin/sh\nexit 3\n");
    let started = executor.launch(launch.clone()).await.unwrap();
    assert_eq!(fixture.end_of(&mut ends, &launch.name).await.exit.code, Some(3), "by {}", executor.name());
    executor.forget(&launch.name).await.unwrap();
    started.attempt.digest
}

/// An authority, a certificate for 127.0.0.1 and one for us.
fn certificates(dir: &Path) -> DockerTls {
    let openssl = |arguments: &str| {
        succeed(Command::new("openssl").current_dir(dir).args(arguments.split_whitespace()));
    };
    let request = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let extensions = "basicConstraints=critical,CA:TRUE";
    openssl(&format!("{request} -x509 -days 2 -subj /CN=ca -addext {extensions} -keyout ca-key.pem -out ca.pem"));
    for (name, usage) in [("server", "serverAuth\nsubjectAltName=IP:127.0.0.1"), ("client", "clientAuth")] {
        std::fs::write(dir.join(format!("{name}.ext")), format!("extendedKeyUsage={usage}\n")).unwrap();
        openssl(&format!("{request} -subj /CN={name} -keyout {name}-key.pem -out {name}.csr"));
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile {name}.ext -out {name}.pem"
        ));
    }
    DockerTls { authority: dir.join("ca.pem"), certificate: dir.join("client.pem"), key: dir.join("client-key.pem") }
}

#[test]
fn engines_are_spoken_to_over_tls_with_a_client_certificate() {
    if !swarm_is_possible() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let tls = certificates(dir.path());
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (ca, certificate, key) = (file("ca.pem"), file("server.pem"), file("server-key.pem"));
    let url = "tcp://127.0.0.1:2376";
    let arguments = ["--host", url, "--tlsverify", "--tlscacert", &ca, "--tlscert", &certificate, "--tlskey", &key];
    let cluster = SwarmCluster::start_with(1, &arguments);
    let network = std::fs::File::open(cluster.network(0)).unwrap();
    // The engine is reached from its own network only: what this thread opens, it opens there.
    let tried = std::thread::spawn(move || {
        nix::sched::setns(network, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = fixture("tls", dir.path(), IMAGE);
            let strangers = config::Docker { tls: None, ..settings() };
            for executor in both(url, &strangers, &fixture.instance) {
                assert!(executor.nodes().await.is_err(), "without a certificate nobody is answered");
            }
            let ours = config::Docker { tls: Some(tls), ..settings() };
            for (id, executor) in (1..).zip(both(url, &ours, &fixture.instance)) {
                assert_eq!(executor.nodes().await.unwrap()[0].name, "node1");
                run_one(executor.as_ref(), &fixture, id).await;
            }
        });
    });
    let tried = tried.join();
    drop(cluster);
    tried.unwrap();
}

/// Debian's docker-registry, in a node's own network: engines speak in the clear to 127.0.0.1 only.
struct RegistryServer {
    child: Child,
    _dir: tempfile::TempDir,
}

impl RegistryServer {
    fn start(cluster: &SwarmCluster) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        std::fs::write(path("htpasswd"), succeed(Command::new("htpasswd").args(["-nbB", "god", "the password"])))
            .unwrap();
        let config = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\n\
             http: {{ addr: '{REGISTRY}' }}\nauth: {{ htpasswd: {{ realm: god, path: {} }} }}\n",
            path("images"),
            path("htpasswd")
        );
        std::fs::write(path("config.yml"), config).unwrap();
        let child = cluster
            .inside(0, "docker-registry")
            .args(["serve", &path("config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Ended also when it never answers.
        let server = RegistryServer { child, _dir: dir };
        let deadline = Instant::now() + Duration::from_secs(30);
        let answers = || {
            let asked =
                cluster.inside(0, "busybox").args(["nc", "-w", "1", "127.0.0.1", "5000"]).stdin(Stdio::null()).output();
            asked.unwrap().status.success()
        };
        while !answers() {
            assert!(Instant::now() < deadline, "the registry does not answer");
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }

    /// Puts the test image there, and away from the engine.
    fn fill(&self, cluster: &SwarmCluster, image: &str) {
        let there = format!("{REGISTRY}/{image}");
        let client = tempfile::tempdir().unwrap();
        let docker = |arguments: &[&str]| {
            succeed(
                Command::new("docker")
                    .args(["--config", client.path().to_str().unwrap(), "-H", &cluster.host(0)])
                    .args(arguments),
            )
        };
        docker(&["tag", IMAGE, &there]);
        docker(&["login", "-u", "god", "-p", "the password", REGISTRY]);
        docker(&["push", &there]);
        docker(&["rmi", &there]);
    }
}

impl Drop for RegistryServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn images_come_from_the_sites_registry_with_its_login() {
    let installed = ["docker-registry", "htpasswd"]
        .iter()
        .all(|tool| Command::new("which").arg(tool).output().is_ok_and(|found| found.status.success()));
    if !installed {
        eprintln!("NOT RUN: docker-registry and htpasswd (apache2-utils) are not installed");
    }
    if !installed || !swarm_is_possible() {
        return;
    }
    let cluster = SwarmCluster::start(1);
    let server = RegistryServer::start(&cluster);
    server.fill(&cluster, "tools/busybox:1");
    let dir = tempfile::tempdir().unwrap();
    let fixture = fixture("reg", dir.path(), "tools/busybox:1");
    let with = |password: &str| config::Docker {
        registry: Some(Registry {
            host: REGISTRY.into(),
            user: Some("god".into()),
            password: Some(Secret::new(password)),
        }),
        ..settings()
    };
    for (id, executor) in (1..).zip(both(&cluster.host(0), &with("a wrong one"), &fixture.instance)) {
        let refused = executor.launch(fixture.launch(id, "#!/bin/sh\n")).await;
        let Err(ExecutorError::Refused(sentence)) = refused else { panic!("refused, not {refused:?}") };
        assert!(sentence.contains("tools/busybox:1"), "{sentence}");
    }
    for (id, executor) in (11..).zip(both(&cluster.host(0), &with("the password"), &fixture.instance)) {
        let exactly = run_one(executor.as_ref(), &fixture, id).await.unwrap();
        let name = format!("{REGISTRY}/tools/busybox@sha256:");
        assert!(exactly.starts_with(&name) && exactly.len() == name.len() + 64, "by {}: {exactly}", executor.name());
        cluster.succeed(0, &["container", "prune", "-f"]);
        cluster.succeed(0, &["rmi", "-f", &exactly]);
    }
}
