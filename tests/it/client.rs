//! The real `god` against a small server that speaks API.md.

mod fake;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use fake::{FakeServer, KEY};

/// A user with a home of their own.
struct User {
    home: TempDir,
    server: String,
}

impl User {
    fn of(server: &FakeServer) -> Self {
        User { home: tempfile::tempdir().unwrap(), server: server.url() }
    }

    /// Without credentials.
    fn stranger(&self, arguments: &[&str]) -> Command {
        let mut god = Command::new(env!("CARGO_BIN_EXE_god"));
        god.args(arguments).env_clear().env("HOME", self.home.path()).current_dir(self.home.path());
        god.stdin(Stdio::null());
        god
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut god = self.stranger(arguments);
        god.env("GOD_SERVER", &self.server).env("GOD_USER", "ann").env("GOD_APIKEY", KEY);
        god
    }

    fn god(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn a_login_is_checked_and_kept_private() {
    let server = FakeServer::start();
    let user = User::of(&server);
    let login = |key: &str| {
        let mut god = user.stranger(&["login", "--server", &server.url(), "--user", "ann", "--api-key-stdin"]);
        let mut child = god.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{key}\n").as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let file = user.home.path().join(".config/god/credentials.json");

    let refused = login("wrong");
    assert_eq!(code(&refused), 77);
    assert!(!file.exists());

    let accepted = login(KEY);
    assert_eq!((code(&accepted), err(&accepted)), (0, String::new()));
    assert!(!out(&accepted).contains(KEY));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);

    let whoami = user.stranger(&["whoami"]).output().unwrap();
    assert_eq!(out(&whoami), format!("ann, at {}\n", server.url()));

    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let whoami = user.stranger(&["whoami"]).output().unwrap();
    assert!(err(&whoami).contains("chmod 600") && !err(&whoami).contains(KEY), "{}", err(&whoami));
}

#[test]
fn one_who_is_not_logged_in_is_told_how() {
    let server = FakeServer::start();
    let list = User::of(&server).stranger(&["job", "list"]).output().unwrap();
    assert_eq!((code(&list), err(&list)), (77, "god: you are not logged in: run `god login`\n".into()));
}

#[test]
fn a_run_shows_the_jobs_output_and_ends_with_its_code() {
    let server = FakeServer::start();
    let run = User::of(&server).god(&["run", "--cpu", "2", "debian", "--", "sh", "-c", "echo it's"]);
    // The fake breaks the log off in the middle, once.
    assert_eq!((out(&run), err(&run), code(&run)), ("hello\nworld é\n".into(), "oops\n".into(), 3));
    let sent = server.submitted();
    assert_eq!(sent["command"]["cmd"], "#!/bin/sh\nexec sh -c 'echo it'\\''s'\n");
    assert_eq!(sent["container"]["image"], "debian");
    assert_eq!(sent["requirements"]["cpu"], 2);
    assert_eq!(sent["meta"]["name"], "sh");
}

#[test]
fn a_run_for_programs_is_one_event_a_line() {
    let server = FakeServer::start();
    let run = User::of(&server).god(&["--json", "run", "debian", "--", "true"]);
    let events: Vec<Value> = out(&run).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.first(), Some(&json!({ "event": "submitted", "id": 7 })));
    assert_eq!(events.last(), Some(&json!({ "event": "end", "id": 7, "ending": "failed", "exitcode": 3 })));
    assert!(events.contains(&json!({ "event": "err", "id": 7, "text": "oops\n" })));
}

#[test]
fn an_interrupted_run_leaves_the_job_and_says_how_to_follow() {
    let server = FakeServer::start();
    let user = User::of(&server);
    let mut god = user.command(&["run", "--name", "endless", "debian", "--", "sleep", "inf"]);
    let mut child = god.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n");
    let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 130);
    assert!(err(&output).contains("god job log -f 8"), "{}", err(&output));
    assert_eq!(server.count("DELETE /task/8"), 0);
}

#[test]
fn a_server_that_is_away_is_told_of_in_one_sentence() {
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let user = User { home: tempfile::tempdir().unwrap(), server: format!("http://{free}/god") };
    let expected = format!(
        "god: the server at http://{free}/god does not answer (connection refused). Your jobs are not affected.\n"
    );
    for arguments in [&["job", "list"][..], &["job", "kill", "7"], &["run", "debian", "--", "true"]] {
        let output = user.god(arguments);
        assert_eq!((code(&output), err(&output)), (69, expected.clone()), "{arguments:?}");
    }
    let json = user.god(&["--json", "job", "list"]);
    assert_eq!(serde_json::from_str::<Value>(&err(&json)).unwrap()["error"], "away");
}

#[test]
fn jobs_are_listed_for_people_and_for_programs() {
    let server = FakeServer::start();
    let user = User::of(&server);
    let json = user.god(&["job", "list", "--json"]);
    let tasks: Value = serde_json::from_str(&out(&json)).unwrap();
    assert_eq!(tasks, json!([fake::running(7), fake::pending(8)]));
    let plain = user.god(&["job", "list", "--tag", "rna"]);
    insta::assert_snapshot!(out(&plain), @r"
    ID  NAME   STATE    IMAGE   CPU  GB  TIME  WHY
    7   blast  running  debian  2    4   42 s
    8   blast  pending  debian  2    4         No node has 2 cpu free. (3 in the queue, about 2 min)
    ");
    assert_eq!(server.count("GET /task/active?tag=rna"), 1);
    assert_eq!(code(&user.god(&["job", "list", "--over", "--limit", "5"])), 0);
    assert_eq!(server.count("POST /task/over/0/5"), 1);
}

#[test]
fn every_fault_of_a_refused_job_is_shown() {
    let server = FakeServer::start();
    let submit = User::of(&server).god(&["job", "submit", "--name", "bad", "--image", "d", "--cmd", "true"]);
    let expected = "god: the server did not accept this:\n  --cpu (requirements.cpu): too many\n  --after (requirements.tasks[0]): there is no job 9\n";
    assert_eq!((code(&submit), err(&submit)), (65, expected.into()));
}

#[test]
fn a_submission_without_an_answer_is_not_sent_again() {
    let server = FakeServer::start();
    let submit = User::of(&server).god(&["job", "submit", "--name", "lost", "--image", "d", "--cmd", "true"]);
    assert_eq!(code(&submit), 69);
    assert!(err(&submit).contains("may or may not have taken"), "{}", err(&submit));
    assert_eq!(server.count("POST /task"), 1);
}

#[test]
fn a_submission_prints_the_id_and_takes_the_sites_default_image() {
    let server = FakeServer::start();
    let user = User::of(&server);
    fs::write(user.home.path().join("work.sh"), "#!/bin/bash\necho a\n").unwrap();
    let submit = user.god(&["job", "submit", "--script", "work.sh", "--array", "1:4", "--after", "5:any"]);
    assert_eq!((code(&submit), out(&submit)), (0, "7\n".into()));
    let sent = server.submitted();
    assert_eq!(sent["container"]["image"], "debian:stable");
    assert_eq!(sent["command"]["cmd"], "#!/bin/bash\necho a\n");
    assert_eq!(sent["requirements"]["array"]["values"], "1:4");
    assert_eq!(sent["meta"]["name"], "work.sh");
    let waited = user.god(&["job", "submit", "--cmd", "exit 3", "--wait"]);
    assert_eq!((code(&waited), out(&waited)), (3, "7\n".into()));
}

#[test]
fn a_wait_survives_a_restart_and_ends_with_the_worst_code() {
    let server = FakeServer::start();
    let wait = User::of(&server).god(&["job", "wait", "9", "7"]);
    assert_eq!(code(&wait), 3, "{}", err(&wait));
    assert_eq!(server.count("GET /task/9/wait?timeout=60"), 3);
    let gone = User::of(&server).god(&["job", "wait", "404"]);
    assert_eq!((code(&gone), err(&gone)), (66, "god: job 404: there is no job here that you may see\n".into()));
}

#[test]
fn a_wait_gives_up_when_it_is_told_to() {
    let server = FakeServer::start();
    let wait = User::of(&server).god(&["job", "wait", "10", "--timeout", "1s"]);
    assert_eq!((code(&wait), err(&wait)), (124, "god: job 10 is not over after 1 s; it goes on\n".into()));
}

#[test]
fn an_expired_token_is_renewed_unseen() {
    let server = FakeServer::start();
    server.expire_tokens(1);
    let kill = User::of(&server).god(&["job", "kill", "7", "404"]);
    assert_eq!((code(&kill), out(&kill)), (66, "job 7: asked to stop\n".into()));
    assert_eq!(server.count("POST /authenticate"), 2);
}

#[test]
fn files_are_listed_and_fetched_whole() {
    let server = FakeServer::start();
    let user = User::of(&server);
    let files = user.god(&["job", "files", "7"]);
    assert_eq!(out(&files), "SIZE  NAME\n-     sub/\n6     a b.txt\n", "{}", err(&files));
    let get = user.god(&["job", "get", "7", "sub/a b.txt"]);
    assert_eq!(code(&get), 0, "{}", err(&get));
    assert_eq!(fs::read(user.home.path().join("a b.txt")).unwrap(), b"data\n\xff");
    assert_eq!(code(&user.god(&["job", "get", "7", "sub/a b.txt"])), 2, "what exists is not overwritten unasked");
    let piped = user.god(&["job", "get", "7", "sub/a b.txt", "-o", "-"]);
    assert_eq!(piped.stdout, b"data\n\xff");
    assert_eq!(code(&user.god(&["job", "get", "7", "../x"])), 2);
    let gone = user.god(&["job", "get", "7", "gone"]);
    assert_eq!((code(&gone), err(&gone)), (66, "god: gone of job 7: there is no file here that you may see\n".into()));
}

#[test]
fn a_log_is_shown_as_the_job_wrote_it() {
    let server = FakeServer::start();
    let user = User::of(&server);
    let log = user.god(&["job", "log", "7"]);
    assert_eq!((out(&log), err(&log)), ("hello\nworld é\n".into(), "oops\n".into()));
    let errors = user.god(&["job", "log", "--err", "7"]);
    assert_eq!((out(&errors), err(&errors)), ("oops\n".into(), String::new()));
    let followed = user.god(&["job", "log", "-f", "--err", "7"]);
    assert_eq!((out(&followed), code(&followed)), ("oops\n".into(), 0));
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let server = FakeServer::start();
    let user = User::of(&server);
    let mut god = user.command(&["job", "show", "7"]);
    let mut child = god.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), err(&output)), (141, String::new()));
}
