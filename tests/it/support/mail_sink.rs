//! A mail server that keeps what it gets: aiosmtpd, from PyPI, in a virtual environment of its own.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct MailSink {
    pub port: u16,
    child: Child,
    dir: tempfile::TempDir,
}

fn venv() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aiosmtpd");
    if !dir.join("done").exists() {
        let _ = std::fs::remove_dir_all(&dir);
        let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
        run(Command::new("python3").args(["-m", "venv"]).arg(&dir));
        run(Command::new(dir.join("bin/pip")).args(["install", "-q", "aiosmtpd"]));
        std::fs::write(dir.join("done"), "").unwrap();
    }
    dir
}

impl MailSink {
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let child = Command::new(venv().join("bin/aiosmtpd"))
            .args(["-n", "-l", &format!("127.0.0.1:{port}"), "-c", "aiosmtpd.handlers.Mailbox"])
            .arg(dir.path().join("mail"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let sink = MailSink { port, child, dir };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the mail server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        sink
    }

    /// What has come in: its Maildir's new mails.
    pub fn mails(&self) -> Vec<String> {
        let new = std::fs::read_dir(self.dir.path().join("mail/new"));
        new.into_iter().flatten().flatten().filter_map(|entry| std::fs::read_to_string(entry.path()).ok()).collect()
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
