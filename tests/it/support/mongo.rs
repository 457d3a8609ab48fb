//! A server that speaks MongoDB's protocol, with transactions: SecantusDB, from PyPI, in a virtual environment of its own.
//! It presents itself as a replica set of one member.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

static INSTALLED: LazyLock<PathBuf> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("secantusdb-0.7");
    if !dir.join("done").exists() {
        let _ = std::fs::remove_dir_all(&dir);
        let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
        run(Command::new("python3").args(["-m", "venv"]).arg(&dir));
        run(Command::new(dir.join("bin/pip")).args(["install", "-q", "SecantusDB==0.7.0b3"]));
        std::fs::write(dir.join("done"), "").unwrap();
    }
    dir
});

/// Ends when dropped, with all it holds.
pub struct Mongo {
    host: String,
    port: u16,
    dir: tempfile::TempDir,
    flags: &'static [&'static str],
    child: Child,
}

impl Mongo {
    /// On a free port of 127.0.0.1, with a directory of its own. What it has answered survives a kill, as with MongoDB.
    pub fn start() -> Self {
        Self::start_at("127.0.0.1")
    }

    /// The same, on another address of this machine.
    pub fn start_at(host: &str) -> Self {
        Self::start_with(host, &["--sync-on-commit"])
    }

    /// For tests that do not kill it: it does not wait for its disk.
    pub fn start_hasty() -> Self {
        Self::start_with("127.0.0.1", &[])
    }

    /// Without transactions, as far as a client can see. It does not wait for its disk.
    pub fn start_standalone() -> Self {
        Self::start_with("127.0.0.1", &["--standalone"])
    }

    fn start_with(host: &str, flags: &'static [&'static str]) -> Self {
        let port = TcpListener::bind((host, 0)).unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let child = spawn(host, port, dir.path(), flags);
        Mongo { host: host.to_owned(), port, dir, flags, child }
    }

    /// For `mongo_url`.
    pub fn url(&self) -> String {
        format!("mongodb://{}:{}/?directConnection=true", self.host, self.port)
    }

    /// With no time to tidy up.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// On the same port, with what it had stored.
    pub fn start_again(&mut self) {
        self.kill();
        self.child = spawn(&self.host, self.port, self.dir.path(), self.flags);
    }
}

impl Drop for Mongo {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(host: &str, port: u16, dir: &Path, flags: &[&str]) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(dir.join("log")).unwrap();
    let mut child = Command::new(INSTALLED.join("bin/secantusd-py"))
        .args(["--host", host, "--port", &port.to_string(), "--log-level", "ERROR", "--storage-path"])
        .arg(dir.join("data"))
        .args(flags)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect((host, port)).is_err() {
        let said = || std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        assert!(child.try_wait().unwrap().is_none(), "SecantusDB has ended: {}", said());
        assert!(Instant::now() < deadline, "SecantusDB does not answer: {}", said());
        std::thread::sleep(Duration::from_millis(50));
    }
    child
}
