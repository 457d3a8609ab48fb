//! Where spaces are, who has one, and where nothing leads.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use super::client::*;
use crate::support::{API_KEY, docker, job};

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
