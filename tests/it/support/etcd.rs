//! A real etcd, with ports and a directory of its own.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Etcd {
    child: Child,
    pub port: u16,
    _dir: tempfile::TempDir,
}

impl Etcd {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // A port that was free may be taken by the time etcd opens it.
        for _ in 0..5 {
            let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let (port, peers) = (port(), port());
            let url = |port| format!("http://127.0.0.1:{port}");
            let mut child = Command::new("etcd")
                .args(["--name", "tests", "--data-dir"])
                .arg(dir.path().join("data"))
                .args(["--listen-client-urls", &url(port), "--advertise-client-urls", &url(port)])
                .args(["--listen-peer-urls", &url(peers), "--initial-advertise-peer-urls", &url(peers)])
                .args(["--initial-cluster", &format!("tests={}", url(peers))])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let deadline = Instant::now() + Duration::from_secs(30);
            while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Etcd { child, port, _dir: dir };
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("etcd does not start");
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
