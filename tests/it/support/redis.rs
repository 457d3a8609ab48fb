//! A Redis server of a test's own, which it may flush, kill and start again.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Redis {
    child: Option<Child>,
    port: u16,
    /// More addresses to listen on than 127.0.0.1.
    also: Vec<String>,
    options: Vec<String>,
    dir: tempfile::TempDir,
}

impl Redis {
    pub fn start() -> Self {
        Self::with(&[], &[])
    }

    /// `also`: further addresses it listens on; `options`: as on its command line.
    pub fn with(also: &[&str], options: &[&str]) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let dir = tempfile::tempdir().unwrap();
        let mut redis = Redis { child: None, port: free_port(), also: owned(also), options: owned(options), dir };
        redis.go_on();
        redis
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Keeps nothing from before, as it never writes to a disk.
    pub fn go_on(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--save", "", "--appendonly", "no", "--protected-mode", "no"]);
        command.arg("--bind").arg("127.0.0.1").args(&self.also);
        command.arg("--dir").arg(self.dir.path()).args(&self.options);
        let log = std::fs::File::create(self.log_path()).unwrap();
        self.child = Some(command.stdout(log).stderr(Stdio::null()).spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.client().and_then(|client| client.get_connection()).is_err() {
            let log = std::fs::read_to_string(self.log_path()).unwrap_or_default();
            assert!(Instant::now() < deadline, "Redis does not answer: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log_path(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn client(&self) -> redis::RedisResult<redis::Client> {
        redis::Client::open(self.url())
    }

    pub fn url(&self) -> String {
        let password = self.options.windows(2).find(|pair| pair[0] == "--requirepass");
        let login = password.map(|pair| format!(":{}@", pair[1])).unwrap_or_default();
        format!("redis://{login}127.0.0.1:{}/0", self.port)
    }

    /// One command, like `SET a 1`.
    pub fn command<T: redis::FromRedisValue>(&self, words: &str) -> T {
        let mut words = words.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        command.query(&mut self.client().unwrap().get_connection().unwrap()).unwrap()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
