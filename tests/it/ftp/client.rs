//! A server with FTP, and its clients: lftp, curl, and the protocol by hand.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::support::{Options, Server, native};

pub const ANN: u32 = 7_101;

/// A server with FTP on a port of its own, and ports for passive connections of its own.
pub fn with_ftp(options: Options, first_port: u16) -> Options {
    options
        .with("GODOCKER_FTP", "true")
        .with("GODOCKER_FTP_PORT", &first_port.to_string())
        .with("GODOCKER_FTP_PASSIVE_PORTS", &format!("{}-{}", first_port + 1, first_port + 200))
}

pub fn plain(first_port: u16) -> Options {
    with_ftp(native(), first_port).with("GODOCKER_FTP_ALLOW_PLAIN", "true")
}

pub struct Ftp {
    pub server: Server,
    pub port: u16,
    pub key: String,
    pub here: tempfile::TempDir,
}

impl Ftp {
    pub async fn start(options: Options, port: u16) -> Self {
        let server = options.start().await;
        let key = key_of(&server, "ann", ANN);
        let here = tempfile::tempdir().unwrap();
        Ftp { server, port, key, here }
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.here.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Where ann's files are.
    pub fn space(&self, name: &str) -> PathBuf {
        self.server.dir().join("data/shared/data/ann").join(name)
    }

    pub fn url(&self, path: &str) -> String {
        format!("ftp://127.0.0.1:{}/{path}", self.port)
    }

    pub fn curl_as(&self, login: &str, args: &[&str]) -> Output {
        let mut command = Command::new("curl");
        command.args(["-sS", "--max-time", "60", "--user", login]).args(args);
        command.current_dir(self.here.path()).stdin(Stdio::null()).output().unwrap()
    }

    pub fn curl(&self, args: &[&str]) -> Output {
        self.curl_as(&format!("ann:{}", self.key), args)
    }

    pub fn curl_well(&self, args: &[&str]) -> String {
        well(&self.curl(args))
    }

    pub fn put(&self, file: &Path, to: &str) -> Output {
        self.curl(&["-T", file.to_str().unwrap(), &self.url(to)])
    }

    /// Commands of lftp, as ann.
    pub fn lftp(&self, commands: &str) -> Output {
        let opening = format!(
            "set net:max-retries 1; set net:timeout 30; set ssl:ca-file {0}/ca.pem; set ftp:ssl-allow true; \
             open -u ann,{1} ftp://localhost:{2}; ",
            self.here.path().display(),
            self.key,
            self.port
        );
        let mut command = Command::new("lftp");
        command.args(["--norc", "-c", &(opening + commands)]).env("HOME", self.here.path());
        command.current_dir(self.here.path()).stdin(Stdio::null()).output().unwrap()
    }

    pub fn lftp_well(&self, commands: &str) -> String {
        well(&self.lftp(commands))
    }
}

pub fn well(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn key_of(server: &Server, id: &str, uid: u32) -> String {
    let uid = uid.to_string();
    let made = server.go_d_user(&["create", id, "--no-password", "--uid", &uid, "--gid", &uid], "");
    let said = text(&made.stdout);
    said.split("API key: ").nth(1).unwrap_or_else(|| panic!("{said}")).lines().next().unwrap().to_owned()
}

pub async fn set_quota(server: &Server, bytes: u64) {
    let change = json!({ "usage": { "quota_upload": bytes } });
    let (status, answer) = server.call("PUT", "/user/ann", Some(change)).await;
    assert_eq!((status, &answer["usage"]["quota_upload"]), (200, &json!(bytes)), "{answer}");
}

/// The protocol by hand.
pub struct Session(std::io::BufReader<std::net::TcpStream>);

impl Session {
    pub fn open(port: u16) -> Self {
        let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut session = Session(std::io::BufReader::new(stream));
        assert!(session.hear().starts_with("220"));
        session
    }

    /// The last line of a reply; nothing at the end.
    pub fn hear(&mut self) -> String {
        use std::io::BufRead;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap_or(0) == 0 || line.as_bytes().get(3) == Some(&b' ') {
                return line;
            }
        }
    }

    pub fn say(&mut self, command: &str) -> String {
        self.0.get_mut().write_all(format!("{command}\r\n").as_bytes()).unwrap();
        self.hear()
    }

    pub fn log_in(&mut self, user: &str, key: &str) {
        assert!(self.say(&format!("USER {user}")).starts_with("331"));
        assert!(self.say(&format!("PASS {key}")).starts_with("230"));
    }

    pub fn passive(&mut self) -> std::net::TcpStream {
        let reply = self.say("EPSV");
        let port = reply.split('|').nth(3).unwrap_or_else(|| panic!("{reply}"));
        std::net::TcpStream::connect(("127.0.0.1", port.parse::<u16>().unwrap())).unwrap()
    }
}
