//! Upload spaces over FTP, with the clients that people have: lftp and curl.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::certificates::make_certificates;
use crate::support::{API_KEY, Options, Server, docker, job, native};

const ANN: u32 = 7_101;

/// A server with FTP on a port of its own, and ports for passive connections of its own.
fn with_ftp(options: Options, first_port: u16) -> Options {
    options
        .with("GODOCKER_FTP", "true")
        .with("GODOCKER_FTP_PORT", &first_port.to_string())
        .with("GODOCKER_FTP_PASSIVE_PORTS", &format!("{}-{}", first_port + 1, first_port + 200))
}

fn plain(first_port: u16) -> Options {
    with_ftp(native(), first_port).with("GODOCKER_FTP_ALLOW_PLAIN", "true")
}

struct Ftp {
    server: Server,
    port: u16,
    key: String,
    here: tempfile::TempDir,
}

impl Ftp {
    async fn start(options: Options, port: u16) -> Self {
        let server = options.start().await;
        let key = key_of(&server, "ann", ANN);
        let here = tempfile::tempdir().unwrap();
        Ftp { server, port, key, here }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.here.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Where ann's files are.
    fn space(&self, name: &str) -> PathBuf {
        self.server.dir().join("data/shared/data/ann").join(name)
    }

    fn url(&self, path: &str) -> String {
        format!("ftp://127.0.0.1:{}/{path}", self.port)
    }

    fn curl_as(&self, login: &str, args: &[&str]) -> Output {
        let mut command = Command::new("curl");
        command.args(["-sS", "--max-time", "60", "--user", login]).args(args);
        command.current_dir(self.here.path()).stdin(Stdio::null()).output().unwrap()
    }

    fn curl(&self, args: &[&str]) -> Output {
        self.curl_as(&format!("ann:{}", self.key), args)
    }

    fn curl_well(&self, args: &[&str]) -> String {
        well(&self.curl(args))
    }

    fn put(&self, file: &Path, to: &str) -> Output {
        self.curl(&["-T", file.to_str().unwrap(), &self.url(to)])
    }

    /// Commands of lftp, as ann.
    fn lftp(&self, commands: &str) -> Output {
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

    fn lftp_well(&self, commands: &str) -> String {
        well(&self.lftp(commands))
    }
}

fn well(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn key_of(server: &Server, id: &str, uid: u32) -> String {
    let uid = uid.to_string();
    let made = server.go_d_user(&["create", id, "--no-password", "--uid", &uid, "--gid", &uid], "");
    let said = text(&made.stdout);
    said.split("API key: ").nth(1).unwrap_or_else(|| panic!("{said}")).lines().next().unwrap().to_owned()
}

async fn set_quota(server: &Server, bytes: u64) {
    let change = json!({ "usage": { "quota_upload": bytes } });
    let (status, answer) = server.call("PUT", "/user/ann", Some(change)).await;
    assert_eq!((status, &answer["usage"]["quota_upload"]), (200, &json!(bytes)), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_folders_are_written_read_renamed_and_deleted() {
    let ftp = Ftp::start(plain(23_000), 23_000).await;
    let a = ftp.file("a.txt", b"hello");
    ftp.lftp_well("mkdir -p in/deep; put a.txt -o in/deep/a.txt; mv in/deep/a.txt in/b.txt; get in/b.txt -o back.txt");
    assert_eq!(std::fs::read(ftp.here.path().join("back.txt")).unwrap(), b"hello");
    let meta = std::fs::metadata(ftp.space("in/b.txt")).unwrap();
    assert_eq!((meta.uid(), meta.mode() & 0o777), (ANN, 0o600));
    let listed = ftp.lftp_well("cls -1 in");
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["in/b.txt", "in/deep/"]);
    well(&ftp.put(&a, "c.txt"));
    assert_eq!(ftp.curl_well(&[&ftp.url("c.txt")]), "hello");
    assert!(ftp.curl_well(&[&ftp.url("")]).contains(" c.txt"));
    ftp.lftp_well("rm c.txt; rmdir in/deep; rm -r in");
    assert_eq!(std::fs::read_dir(ftp.space("")).unwrap().count(), 0);
    // What is not there, and what is no empty directory.
    assert!(!ftp.curl(&[&ftp.url("none")]).status.success());
    ftp.lftp_well("mkdir full; put a.txt -o full/a.txt");
    assert!(!ftp.curl(&["-Q", "RMD full", &ftp.url("")]).status.success());
    // A whole tree, and back.
    std::fs::create_dir_all(ftp.here.path().join("tree/of/things")).unwrap();
    for name in ["tree/1", "tree/of/2", "tree/of/things/3"] {
        ftp.file(name, name.as_bytes());
    }
    ftp.lftp_well("mirror -R tree tree; mirror tree again");
    assert_eq!(std::fs::read(ftp.here.path().join("again/of/things/3")).unwrap(), b"tree/of/things/3");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_in_has_a_key_or_a_token_and_may_what_it_says() {
    let ftp = Ftp::start(plain(23_300), 23_300).await;
    let token = ftp.server.token_of("ann", &ftp.key).await;
    let made = async |scope: &str| {
        let wanted = json!({ "name": scope, "scope": scope });
        ftp.server.call_as(&token, "POST", "/user/ann/token", Some(wanted)).await.1["token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (reads, submits) = (made("read").await, made("submit").await);
    let file = ftp.file("a", b"hello");
    let put = |secret: &str| ftp.curl_as(&format!("ann:{secret}"), &["-T", file.to_str().unwrap(), &ftp.url("a")]);
    well(&put(&submits));
    let refused = put(&reads);
    assert!(!refused.status.success());
    assert_eq!(well(&ftp.curl_as(&format!("ann:{reads}"), &[&ftp.url("a")])), "hello");
    // The administrator's key opens no other account; a signed token of the API opens none.
    for login in [
        format!("ann:{API_KEY}"),
        "ann:".into(),
        "nobody:x".into(),
        format!("ann:{token}"),
        format!("admin:{}", ftp.key),
    ] {
        let refused = ftp.curl_as(&login, &[&ftp.url("")]);
        assert_eq!(refused.status.code(), Some(67), "{login}: {}", text(&refused.stderr));
    }
    // Neither did any of it show.
    assert!(!ftp.server.log().contains(&ftp.key) && !ftp.server.log().contains(&reads), "{}", ftp.server.log());
    // An account that is closed is closed also to who is in.
    let mut session = Session::open(ftp.port);
    session.log_in("ann", &ftp.key);
    assert!(session.say("CWD /").starts_with("250"));
    assert_eq!(ftp.server.call("PUT", "/user/ann", Some(json!({ "standing": "disabled" }))).await.0, 200);
    assert!(session.say("CWD /").starts_with("550"));
    assert_eq!(put(&submits).status.code(), Some(67));
    // Guessers wait.
    for _ in 0..12 {
        ftp.curl_as("admin:wrong", &[&ftp.url("")]);
    }
    assert_eq!(ftp.curl_as(&format!("admin:{API_KEY}"), &[&ftp.url("")]).status.code(), Some(67));
}

/// The protocol by hand.
struct Session(std::io::BufReader<std::net::TcpStream>);

impl Session {
    fn open(port: u16) -> Self {
        let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut session = Session(std::io::BufReader::new(stream));
        assert!(session.hear().starts_with("220"));
        session
    }

    /// The last line of a reply; nothing at the end.
    fn hear(&mut self) -> String {
        use std::io::BufRead;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap_or(0) == 0 || line.as_bytes().get(3) == Some(&b' ') {
                return line;
            }
        }
    }

    fn say(&mut self, command: &str) -> String {
        self.0.get_mut().write_all(format!("{command}\r\n").as_bytes()).unwrap();
        self.hear()
    }

    fn log_in(&mut self, user: &str, key: &str) {
        assert!(self.say(&format!("USER {user}")).starts_with("331"));
        assert!(self.say(&format!("PASS {key}")).starts_with("230"));
    }

    fn passive(&mut self) -> std::net::TcpStream {
        let reply = self.say("EPSV");
        let port = reply.split('|').nth(3).unwrap_or_else(|| panic!("{reply}"));
        std::net::TcpStream::connect(("127.0.0.1", port.parse::<u16>().unwrap())).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_files_cross_the_network_by_tls_alone_unless_plain_is_allowed() {
    let certificates = tempfile::tempdir().unwrap();
    make_certificates(certificates.path());
    let at = |name: &str| certificates.path().join(name).display().to_string();
    let options = with_ftp(native(), 23_600)
        .with("GODOCKER_FTP_TLS_CERT", &at("server.pem"))
        .with("GODOCKER_FTP_TLS_KEY", &at("server.key"));
    let ftp = Ftp::start(options, 23_600).await;
    std::fs::copy(at("ca.pem"), ftp.here.path().join("ca.pem")).unwrap();
    let file = ftp.file("a.txt", b"hello");
    // The key is not asked for.
    let mut session = Session::open(ftp.port);
    let refused = session.say("USER ann");
    assert!(refused.starts_with("5"), "{refused}");
    assert_eq!(ftp.put(&file, "a.txt").status.code(), Some(67));
    let authority = at("ca.pem");
    let tls = ["--ssl-reqd", "--cacert", &authority];
    let with_tls = |more: &[&str]| ftp.curl(&[&tls[..], more].concat());
    well(&with_tls(&["-T", file.to_str().unwrap(), &ftp.url("a.txt")]));
    assert_eq!(well(&with_tls(&[&ftp.url("a.txt")])), "hello");
    assert!(well(&with_tls(&[&ftp.url("")])).contains("a.txt"));
    for version in ["--tls-max", "--tlsv1.3"] {
        let choice: &[&str] = if version == "--tls-max" { &["--tls-max", "1.2"] } else { &["--tlsv1.3"] };
        let output = with_tls(&[choice, &["-T", file.to_str().unwrap(), &ftp.url("b.txt")]].concat());
        well(&output);
    }
    // Another authority's word is not taken by the client: the certificate is the one that was given.
    let other = at("other-ca.pem");
    assert!(!ftp.curl(&["--ssl-reqd", "--cacert", &other, &ftp.url("")]).status.success());
    ftp.lftp_well("put a.txt -o c.txt; get c.txt -o back.txt; cls");
    assert_eq!(std::fs::read(ftp.here.path().join("back.txt")).unwrap(), b"hello");
    // Neither PASV nor EPSV gives a connection for files without TLS.
    for passive in [&["--disable-epsv"][..], &[]] {
        let in_the_clear = |more: &[&str]| {
            let control_only = ["--ftp-ssl-control", "--cacert", authority.as_str()];
            ftp.curl(&[&control_only[..], passive, more].concat())
        };
        assert!(!in_the_clear(&["-T", file.to_str().unwrap(), &ftp.url("plain.txt")]).status.success(), "{passive:?}");
        let read = in_the_clear(&[&ftp.url("a.txt")]);
        assert!(!read.status.success() && read.stdout.is_empty(), "{passive:?}");
        let listed = in_the_clear(&[&ftp.url("")]);
        assert!(!listed.status.success() && listed.stdout.is_empty(), "{passive:?}");
    }
    assert!(!ftp.space("plain.txt").exists());
}

#[test]
fn ftp_does_not_start_where_keys_would_cross_the_network_in_the_clear() {
    let dir = tempfile::tempdir().unwrap();
    let start = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_go-d"));
        command.args(args).env_clear().env("GODOCKER_DATA_DIR", dir.path().join("data")).envs(env.iter().copied());
        let output = command.output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let (code, said) = start(&["up", "--listen", "127.0.0.1:0"], &[("GODOCKER_FTP", "true")]);
    assert!(
        code == Some(2) && said.contains("GODOCKER_FTP: ftp_tls_cert, ftp_tls_key: expected a certificate"),
        "{said}"
    );
    let cluster =
        [("GODOCKER_REDIS_HOST", "127.0.0.1"), ("GODOCKER_REDIS_PORT", "1"), ("GODOCKER_EXECUTORS", "native")];
    let (code, said) = start(&["ftp", "run"], &cluster);
    assert!(code == Some(1) && said.contains("ftp_allow_plain: true"), "{said}");
    let missing = [("GODOCKER_FTP_TLS_CERT", "/no/such"), ("GODOCKER_FTP_TLS_KEY", "/no/such")];
    let (code, said) = start(&["ftp", "run"], &[&cluster[..], &missing].concat());
    assert!(code == Some(1) && said.contains("/no/such cannot be used"), "{said}");
    let (code, said) = start(&["config", "check"], &[("GODOCKER_FTP_PASSIVE_PORTS", "9-1"), missing[0]]);
    assert_eq!(code, Some(2), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_and_no_link_leads_out_of_the_space() {
    let ftp = Ftp::start(plain(23_900), 23_900).await;
    let file = ftp.file("a", b"mine");
    well(&ftp.put(&file, "a"));
    let bens = key_of(&ftp.server, "ben", ANN + 1);
    well(&ftp.curl_as(&format!("ben:{bens}"), &["-T", file.to_str().unwrap(), &ftp.url("theirs")]));
    for (target, link) in
        [("/etc", "etc"), ("/etc/shadow", "shadow"), ("../ben", "ben"), ("../ben/theirs", "theirs"), ("/", "root")]
    {
        symlink(target, ftp.space(link)).unwrap();
        std::os::unix::fs::lchown(ftp.space(link), Some(ANN), Some(ANN)).unwrap();
    }
    std::fs::hard_link("/etc/shadow", ftp.space("hard")).ok();
    let mut session = Session::open(ftp.port);
    session.log_in("ann", &ftp.key);
    for path in [
        "shadow",
        "etc/shadow",
        "ben/theirs",
        "theirs",
        "root/etc/passwd",
        "../ben/theirs",
        "/../ben/theirs",
        "../../../../etc/passwd",
        "hard",
    ] {
        let mut data = session.passive();
        let reply = session.say(&format!("RETR {path}"));
        let reply = if reply.starts_with('1') { session.hear() } else { reply };
        assert!(reply.starts_with('5'), "RETR {path}: {reply}");
        let mut got = Vec::new();
        std::io::Read::read_to_end(&mut data, &mut got).ok();
        assert!(got.is_empty(), "{path}");
    }
    for path in ["etc/god-test", "ben/new", "theirs/new", "root/tmp/god-test"] {
        let mut data = session.passive();
        let reply = session.say(&format!("STOR {path}"));
        let _ = data.write_all(b"x");
        drop(data);
        let reply = if reply.starts_with('1') { session.hear() } else { reply };
        assert!(reply.starts_with('5'), "STOR {path}: {reply}");
    }
    for command in [
        "DELE ben/theirs",
        "DELE etc/passwd",
        "MKD ben/x",
        "RMD ben",
        "CWD ben",
        "CWD etc",
        "SIZE shadow/x",
        "MDTM etc/passwd",
        "DELE ../ben/theirs",
    ] {
        let reply = session.say(command);
        assert!(reply.starts_with('5') || reply.starts_with('4'), "{command}: {reply}");
    }
    // Climbing ends at the top.
    assert!(session.say("CWD ../../..").starts_with("250"));
    assert!(session.say("SIZE a").starts_with("213 4"));
    // Over a link, what is written takes the link's place.
    well(&ftp.put(&file, "theirs"));
    assert_eq!(std::fs::read(ftp.server.dir().join("data/shared/data/ben/theirs")).unwrap(), b"mine");
    assert!(std::fs::symlink_metadata(ftp.space("theirs")).unwrap().is_file());
    assert!(!Path::new("/etc/god-test").exists() && Path::new("/etc/passwd").exists());
    well(&ftp.curl(&["-Q", "RNFR etc", "-Q", "RNTO moved", &ftp.url("")]));
    assert!(Path::new("/etc").is_dir() && std::fs::symlink_metadata(ftp.space("moved")).unwrap().is_symlink());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_the_quota_is_refused_on_the_way_and_removed() {
    let ftp = Ftp::start(plain(24_200), 24_200).await;
    set_quota(&ftp.server, 3_000_000).await;
    let (small, large) = (ftp.file("small", &[1; 1_000_000]), ftp.file("large", &[2; 30_000_000]));
    well(&ftp.put(&small, "one"));
    well(&ftp.put(&small, "two"));
    let refused = ftp.put(&large, "three");
    assert!(!refused.status.success());
    assert!(!ftp.space("three").exists() && ftp.space("one").exists() && ftp.space("two").exists());
    let parts = ftp.server.dir().join("data/shared/data/.parts/ann");
    assert_eq!(std::fs::read_dir(parts).unwrap().count(), 0);
    // It is said why.
    let mut session = Session::open(ftp.port);
    session.log_in("ann", &ftp.key);
    let mut data = session.passive();
    assert!(session.say("STOR three").starts_with("150"));
    let sent = (0..300).take_while(|_| data.write_all(&[0; 100_000]).is_ok()).count();
    assert!(sent < 200, "it was taken to the end");
    assert!(session.hear().starts_with("552"));
    // Nor by going on with a file: it stays what it was.
    let refused = ftp.curl(&["--append", "-T", large.to_str().unwrap(), &ftp.url("one")]);
    assert!(!refused.status.success());
    assert_eq!(std::fs::metadata(ftp.space("one")).unwrap().len(), 1_000_000);
    // What still fits does; what was deleted is free again.
    well(&ftp.put(&small, "three"));
    assert!(!ftp.put(&ftp.file("tiny", b"x"), "four").status.success());
    ftp.curl_well(&["-Q", "DELE one", &ftp.url("")]);
    well(&ftp.put(&small, "four"));
    // Many at once stay within it too.
    for name in ["two", "three", "four"] {
        ftp.curl_well(&["-Q", &format!("DELE {name}"), &ftp.url("")]);
    }
    std::thread::scope(|scope| {
        for n in 0..12 {
            let (ftp, small) = (&ftp, &small);
            scope.spawn(move || ftp.put(small, &format!("many{n}")));
        }
    });
    let kept: Vec<_> =
        std::fs::read_dir(ftp.space("")).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).collect();
    assert!(kept.iter().all(|size| *size == 1_000_000) && kept.len() <= 3, "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_was_cut_is_gone_on_with() {
    let ftp = Ftp::start(plain(24_500), 24_500).await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    ftp.file("whole", &bytes);
    let mut session = Session::open(ftp.port);
    session.log_in("ann", &ftp.key);
    let mut data = session.passive();
    assert!(session.say("STOR up").starts_with("150"));
    data.write_all(&bytes[..1_234_567]).unwrap();
    drop((data, session));
    let part = ftp.space("up");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !part.exists() {
        assert!(Instant::now() < deadline, "{}", ftp.server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(std::fs::metadata(&part).unwrap().len(), 1_234_567);
    ftp.lftp_well("put -c whole -o up");
    assert!(std::fs::read(&part).unwrap() == bytes);
    // By curl, and downwards by both.
    std::fs::File::options().write(true).open(&part).unwrap().set_len(777_777).unwrap();
    ftp.curl_well(&["-C", "-", "-T", "whole", &ftp.url("up")]);
    assert!(std::fs::read(&part).unwrap() == bytes);
    for client in ["curl", "lftp"] {
        ftp.file("down", &bytes[..555_555]);
        match client {
            "curl" => drop(ftp.curl_well(&["-C", "-", "-o", "down", &ftp.url("up")])),
            _ => drop(ftp.lftp_well("get -c up -o down")),
        }
        assert!(std::fs::read(ftp.here.path().join("down")).unwrap() == bytes, "{client}");
    }
    // An offset beyond the end is none; and one of a transfer that failed is not the next one's.
    let mut session = Session::open(ftp.port);
    session.log_in("ann", &ftp.key);
    assert!(session.say("REST 100").starts_with("350"));
    let data = session.passive();
    let reply = session.say("STOR new");
    drop(data);
    assert!(reply.starts_with('5') || session.hear().starts_with('5'));
    assert_eq!(session.hear(), "", "the connection ends");
    assert!(!ftp.space("new").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_transfers_at_once_all_arrive() {
    let ftp = Ftp::start(plain(24_800), 24_800).await;
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 241) as u8).collect();
    let file = ftp.file("a", &bytes);
    std::thread::scope(|scope| {
        let uploads: Vec<_> = (0..100)
            .map(|n| {
                scope.spawn({
                    let (ftp, file) = (&ftp, &file);
                    // Slow enough that all of them are there at once.
                    move || {
                        ftp.curl(&["--limit-rate", "150k", "-T", file.to_str().unwrap(), &ftp.url(&format!("file{n}"))])
                    }
                })
            })
            .collect();
        for upload in uploads {
            well(&upload.join().unwrap());
        }
    });
    for n in 0..100 {
        assert!(std::fs::read(ftp.space(&format!("file{n}"))).unwrap() == bytes, "file{n}");
    }
    std::thread::scope(|scope| {
        let downloads: Vec<_> = (0..100)
            .map(|n| {
                scope.spawn({
                    let ftp = &ftp;
                    move || ftp.curl(&[&ftp.url(&format!("file{n}"))])
                })
            })
            .collect();
        for download in downloads {
            let output = download.join().unwrap();
            assert!(output.status.success() && output.stdout == bytes, "{}", text(&output.stderr));
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_counted_and_silent_ones_end() {
    let options = plain(25_100)
        .with("GODOCKER_FTP_MAX_CONNECTIONS", "4")
        .with("GODOCKER_FTP_MAX_PER_USER", "2")
        .with("GODOCKER_FTP_IDLE_TIMEOUT", "2s");
    let ftp = Ftp::start(options, 25_100).await;
    let begun = Instant::now();
    let mut sessions: Vec<_> = (0..4).map(|_| Session::open(ftp.port)).collect();
    let mut fifth = std::io::BufReader::new(std::net::TcpStream::connect(("127.0.0.1", ftp.port)).unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut fifth, &mut line).unwrap();
    assert!(line.starts_with("421 Too many connections"), "{line}");
    sessions[0].log_in("ann", &ftp.key);
    sessions[1].log_in("ann", &ftp.key);
    assert!(sessions[2].say("USER ann").starts_with("331"));
    assert!(sessions[2].say(&format!("PASS {}", ftp.key)).starts_with("530"));
    // A transfer that stands still ends too, and keeps what had come.
    let mut data = sessions[1].passive();
    assert!(sessions[1].say("STOR half").starts_with("150"));
    data.write_all(b"half").unwrap();
    for session in &mut sessions {
        while !session.hear().is_empty() {}
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(std::fs::read(ftp.space("half")).unwrap(), b"half");
    // There is room again.
    well(&ftp.put(&ftp.file("a", b"x"), "a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gibibytes_arrive_whole() {
    const SIZE: u64 = 2 << 30;
    let ftp = Ftp::start(plain(25_400), 25_400).await;
    let large = ftp.here.path().join("large");
    let file = std::fs::File::create(&large).unwrap();
    file.set_len(SIZE).unwrap();
    // Holes but for some marks: what is at them shows whether anything moved.
    use std::os::unix::fs::FileExt;
    let marks = [0, 1_234_567, (1 << 31) - 3, SIZE - 8];
    for at in marks {
        file.write_all_at(&at.to_le_bytes(), at).unwrap();
    }
    let begun = Instant::now();
    well(&ftp.put(&large, "large"));
    println!("2 GiB in {:?}", begun.elapsed());
    let same = Command::new("cmp").arg(&large).arg(ftp.space("large")).status().unwrap();
    assert!(same.success());
    std::fs::remove_file(&large).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_reads_what_was_uploaded_and_cannot_write_it() {
    let ftp = Ftp::start(with_ftp(docker(), 25_700).with("GODOCKER_FTP_ALLOW_PLAIN", "true"), 25_700).await;
    let token = ftp.server.token_of("ann", &ftp.key).await;
    let run = async |script: &str| {
        let id = ftp.server.submit_as(&token, job(script)).await;
        let task = ftp.server.over(id).await;
        assert_eq!(task["status"]["ending"], "done", "{task}");
        ftp.server.file(id, "god.log").await
    };
    // Before anything was uploaded there is nothing.
    assert_eq!(run("echo $GODOCKER_DATA; ls /mnt/god-data 2>/dev/null; true").await, "/mnt/god-data\n");
    well(&ftp.put(&ftp.file("in.txt", b"42\n"), "in.txt"));
    let log = run("cat $GODOCKER_DATA/in.txt; for f in in.txt new; do echo x > $GODOCKER_DATA/$f || echo kept; done; rm -f $GODOCKER_DATA/in.txt || echo kept").await;
    assert_eq!(log, "42\nkept\nkept\nkept\n");
    assert_eq!(std::fs::read(ftp.space("in.txt")).unwrap(), b"42\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_have_a_space_each_and_write_once_they_are_activated() {
    use godocker::domain::{Clock, Standing, SystemClock, User, UserKind};
    use godocker::store::sqlite::SqliteStore;
    use godocker::store::{AccountChange, Changed, UserStore};
    use godocker::web::access::secret_hash;
    let mut ftp = Ftp::start(plain(26_000), 26_000).await;
    ftp.server.stop();
    let store = SqliteStore::open(&ftp.server.dir().join("data/godocker.db")).unwrap();
    for (id, standing) in [("guest-a", Standing::Active), ("guest-b", Standing::Active), ("guest-new", Standing::New)] {
        let user = User {
            uid: 5,
            gid: 60,
            standing,
            api_key_hash: Some(secret_hash(id)),
            ..User::new(id.parse().unwrap(), UserKind::Guest, SystemClock.now())
        };
        let put = AccountChange::PutUser(Box::new(user));
        assert_eq!(store.change(vec![put], Vec::new()).await.unwrap(), Changed::Done);
    }
    drop(store);
    ftp.server.start_again().await;
    let file = ftp.file("a", b"hello");
    let put = |id: &str| ftp.curl_as(&format!("{id}:{id}"), &["-T", file.to_str().unwrap(), &ftp.url(id)]);
    well(&put("guest-a"));
    well(&put("guest-b"));
    assert!(!put("guest-new").status.success());
    well(&ftp.curl_as("guest-new:guest-new", &[&ftp.url("")]));
    for path in ["../guest-b/guest-b", "%2Fguest-b/guest-b", "guest-b"] {
        let tried = ftp.curl_as("guest-a:guest-a", &["--path-as-is", &ftp.url(path)]);
        assert!(!tried.status.success(), "{path}");
    }
    let spaces = ftp.server.dir().join("data/shared/data");
    let meta = std::fs::metadata(spaces.join("guest-b/guest-b")).unwrap();
    assert_eq!((meta.uid(), meta.gid()), (5, 60));
    assert_eq!(std::fs::metadata(&spaces).unwrap().mode() & 0o777, 0o711);
    // With the account goes what it had.
    assert_eq!(ftp.server.call("DELETE", "/user/guest-b", None).await.0, 200);
    let deadline = Instant::now() + Duration::from_secs(20);
    while spaces.join("guest-b").exists() {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ftp_is_a_role_of_a_cluster_and_a_stop_loses_nothing_that_came() {
    use crate::support::cluster::{cluster, until};
    use crate::support::redis::Redis;
    const PORT: u16 = 26_300;
    let mut cluster = cluster(Redis::start())
        .with("GODOCKER_FTP_ALLOW_PLAIN", "true")
        .with("GODOCKER_FTP_PORT", &PORT.to_string())
        .with("GODOCKER_FTP_PASSIVE_PORTS", "26301-26400")
        .begin(&["ftp-1"]);
    let connects = || std::net::TcpStream::connect(("127.0.0.1", PORT)).ok();
    until("it listens", connects).await;
    let part = cluster.data_dir().join("shared/data/admin/part");
    let mut session = Session::open(PORT);
    session.log_in("admin", API_KEY);
    let mut data = session.passive();
    assert!(session.say("STOR part").starts_with("150"));
    data.write_all(&[7; 100_000]).unwrap();
    // Until it is there to be put away.
    let parts = cluster.data_dir().join("shared/data/.parts/admin");
    drop(until("it is being received", || std::fs::read_dir(&parts).ok()?.next()?.ok()).await);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(cluster.stop("ftp-1"), Some(0));
    assert_eq!(std::fs::metadata(&part).unwrap().len(), 100_000);
    // In the background, by its verbs.
    assert!(cluster.go_d_well(&["ftp", "start"]).contains("go-d-ftp runs"));
    until("it listens again", connects).await;
    let mut session = Session::open(PORT);
    session.log_in("admin", API_KEY);
    assert!(session.say("SIZE part").starts_with("213 100000"));
    assert_eq!(cluster.go_d(&["ftp", "status"]).status.code(), Some(0));
    cluster.go_d_well(&["ftp", "stop"]);
    assert_eq!(cluster.go_d(&["ftp", "status"]).status.code(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_told_the_public_address_and_a_port_that_is_open() {
    let options = plain(26_450)
        .with("GODOCKER_FTP_PUBLIC_ENDPOINT", "ftp://192.0.2.7:21")
        .with("GODOCKER_FTP_PASSIVE_PORTS", "26451-26453");
    let ftp = Ftp::start(options, 26_450).await;
    let mut session = Session::open(ftp.port);
    session.log_in("ann", &ftp.key);
    for _ in 0..3 {
        let reply = session.say("PASV");
        let numbers = reply.split(['(', ')']).nth(1).unwrap_or_else(|| panic!("{reply}"));
        let numbers: Vec<u16> = numbers.split(',').map(|number| number.parse().unwrap()).collect();
        assert_eq!(numbers[..4], [192, 0, 2, 7]);
        let port = numbers[4] * 256 + numbers[5];
        assert!((26_451..=26_453).contains(&port), "{port}");
    }
    let html = {
        let mut browser = crate::support::browser::Browser::at(&ftp.server);
        browser.log_in("").await;
        browser.page("/data").await
    };
    assert!(html.contains("192.0.2.7:26450"), "{html}");
    // No connection on a port that the site has not opened, even where the client asks for one to itself.
    assert!(session.say("PORT 127,0,0,1,200,200").starts_with('5'));
}
