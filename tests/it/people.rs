//! Users, projects, quotas and volumes: who may do what, and how much.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::slapd::{self, Slapd};
use crate::support::{PASSWORD, Server, docker, job, job_with, native};

fn text(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &*String::from_utf8_lossy(&output.stderr)
}

fn in_project(script: &str, project: &str) -> Value {
    let mut job = job(script);
    job["user"] = json!({ "project": project });
    job
}

async fn ok(server: &Server, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = server.call(method, path, Some(body)).await;
    assert_eq!(status, 200, "{method} {path}: {answer}");
    answer
}

async fn why(server: &Server, id: u64, code: &str) -> Value {
    server.until(id, code, |task| task["status"]["pending"]["code"] == code).await
}

#[tokio::test]
async fn local_users_map_users_of_the_host() {
    let server = native().start().await;
    // A system user that every Debian has.
    let made =
        server.go_d_user(&["create", "games", "--password-stdin", "--mail", "games@lab.example"], "a good one\n");
    assert!(text(&made).contains("uid 5, gid 60"), "{}", text(&made));
    for (args, stdin, said) in [
        (&["create", "games", "--no-password"][..], "", "already"),
        (&["create", "no-such-system-user", "--no-password"], "", "the host has no user"),
        (&["create", "zed", "--no-password", "--uid", "0", "--gid", "0"], "", "never run as root"),
        (&["create", "zed", "--password-stdin", "--uid", "7", "--gid", "7"], "short", "at least 8"),
        (&["create", "../zed", "--no-password"], "", "not a user id"),
        (&["passwd", "nobody-here", "--password-stdin"], "long enough", "there is no user"),
        (&["delete", "admin"], "", "last administrator"),
    ] {
        let output = server.go_d_user(args, stdin);
        assert!(!output.status.success() && text(&output).contains(said), "{args:?}: {}", text(&output));
    }
    let mapped = ["create", "zed", "--no-password", "--system-user", "games", "--groups", "7,8", "--home", "/srv/zed"];
    assert!(server.go_d_user(&mapped, "").status.success());
    let zed = server.get("/user/zed").await;
    assert_eq!(
        (&zed["uid"], &zed["gid"], &zed["sgids"], &zed["homeDirectory"]),
        (&json!(5), &json!(60), &json!([7, 8]), &json!("/srv/zed")),
        "what is given wins"
    );
    let listed: Value = serde_json::from_slice(&server.go_d_user(&["list", "--json"], "").stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 3);
    assert!(server.go_d_user(&["passwd", "zed", "--password-stdin"], "another one\n").status.success());
    let audit = server.get("/audit?actor=go-d%20user").await;
    let actions: Vec<_> = audit.as_array().unwrap().iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["user.password", "user.create", "user.create"]);
}

#[tokio::test]
async fn a_link_named_go_d_user_is_that_command() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("go-d-user");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_go-d"), &link).unwrap();
    let output = std::process::Command::new(link).arg("list").arg("--data-dir").arg(dir.path()).output().unwrap();
    let output = if output.status.success() {
        output
    } else {
        let link = dir.path().join("go-d-user");
        std::process::Command::new(link).args(["--data-dir", dir.path().to_str().unwrap(), "list"]).output().unwrap()
    };
    assert!(output.status.success() && text(&output).contains("LOGIN"), "{}", text(&output));
}

#[tokio::test]
async fn a_user_of_the_directory_runs_jobs_as_themselves() {
    let directory = Slapd::start();
    let server = docker()
        .with("GODOCKER_AUTH_POLICY", "ldap")
        .with("GODOCKER_LDAP_HOST", "127.0.0.1")
        .with("GODOCKER_LDAP_PORT", &directory.port().to_string())
        .with("GODOCKER_LDAP_DN", slapd::BASE_DN)
        .with("GODOCKER_LDAP_BASE_DN_FILTER", "ou=people")
        .with("GODOCKER_LDAP_ADMIN_DN", slapd::ADMIN_DN)
        .with("GODOCKER_LDAP_ADMIN_PASSWORD", slapd::ADMIN_PASSWORD)
        .with("GODOCKER_VOLUMES_CHECK", "false")
        .start()
        .await;
    let mut browser = crate::support::browser::Browser::at(&server);
    assert_eq!(browser.log_in_as(slapd::ANN, "wrong", "").await.status, 401);
    assert_eq!(server.call("GET", "/user/ann", None).await.0, 404, "nobody is made by guessing");
    assert_eq!(browser.log_in_as(slapd::ANN_MAIL, slapd::ANN_PASSWORD, "").await.location, "/");
    let ann = server.get("/user/ann").await;
    assert_eq!(
        (&ann["uid"], &ann["gid"], &ann["type"], &ann["email"], &ann["homeDirectory"]),
        (&json!(5), &json!(60), &json!("ldap"), &json!(slapd::ANN_MAIL), &json!(slapd::ANN_HOME))
    );
    let csrf = browser.csrf().await;
    let fields = [
        ("csrf", csrf.as_str()),
        ("name", "id"),
        ("image", crate::support::IMAGE),
        ("script", "#!/bin/sh\nid -u; id -g; id -G; touch made\n"),
        ("cpu", "1"),
        ("ram", "0.5"),
        ("project", "default"),
    ];
    let seen = browser.post("/jobs/new", &fields).await;
    let id: u64 = seen.location.strip_prefix("/jobs/").unwrap_or_else(|| panic!("{}", seen.html)).parse().unwrap();
    let task = server.over(id).await;
    assert_eq!(task["status"]["exitcode"], 0, "{task}");
    let said = server.file(id, "god.log").await;
    let lines: Vec<_> = said.lines().collect();
    assert_eq!((lines[0], lines[1]), ("5", "60"));
    let mut groups: Vec<u64> = lines[2].split(' ').map(|group| group.parse().unwrap()).collect();
    let mut expected = vec![60];
    expected.extend(ann["sgids"].as_array().unwrap().iter().map(|group| group.as_u64().unwrap()));
    groups.sort_unstable();
    expected.sort_unstable();
    assert_eq!(groups, expected);
    use std::os::unix::fs::MetadataExt;
    let made = PathBuf::from(task["container"]["volumes"][0]["path"].as_str().unwrap()).join("made");
    assert_eq!(std::fs::metadata(made).unwrap().uid(), 5);
    // The first administrator is local, and comes in without the directory.
    drop(directory);
    let mut away = crate::support::browser::Browser::at(&server);
    assert_eq!(away.log_in_as(slapd::ANN, slapd::ANN_PASSWORD, "").await.status, 503);
    assert_eq!(away.log_in_as("admin", PASSWORD, "").await.status, 303);
}

#[tokio::test]
async fn a_trusted_proxy_says_who_is_there_and_nobody_else_does() {
    let start = async |trusted: &str| {
        native()
            .with("GODOCKER_TRUSTED_PROXIES", trusted)
            .with("GODOCKER_ALLOW_PROXY_REMOTE_USER", "true")
            .start()
            .await
    };
    for (trusted, logged_in) in [("127.0.0.0/8", true), ("192.0.2.1", false)] {
        let server = start(trusted).await;
        server.new_user("ann", 7001).await;
        let mut browser = crate::support::browser::Browser::at(&server);
        browser.header = Some(("X-Remote-User".to_owned(), "ann".to_owned()));
        let seen = browser.get("/login?next=%2Fprofile").await;
        assert_eq!(
            (seen.status, seen.location == "/profile"),
            (if logged_in { 303 } else { 200 }, logged_in),
            "{trusted}"
        );
        let seen = browser.get("/profile").await;
        assert_eq!(seen.status == 200 && seen.html.contains("<h1>ann</h1>"), logged_in, "{trusted}");
        if logged_in {
            browser.header = Some(("X-Remote-User".to_owned(), "stranger".to_owned()));
            assert_eq!(browser.get("/profile").await.status, 303, "somebody else is at the proxy now");
            assert_eq!(browser.get("/login").await.status, 403);
        }
    }
}

#[tokio::test]
async fn a_user_over_a_quota_waits_until_the_usage_is_reset() {
    let server = native().start().await;
    let ann = server.new_user("ann", 7001).await;
    ok(&server, "PUT", "/user/ann", json!({ "usage": { "quota_cpu": 2 } })).await;
    let (running, done) = (server.submit_as(&ann, job("sleep 60")).await, server.submit_as(&ann, job("true")).await);
    server.running(running).await;
    server.over(done).await;
    let third = server.submit_as(&ann, job("true")).await;
    let task = why(&server, third, "quota_user").await;
    assert_eq!(task["status"]["pending"]["quota"], "cpu");
    assert!(task["status"]["reason"].as_str().unwrap().contains("cpu quota"), "{task}");
    // Others are not held up.
    server.over(server.submit(job("true")).await).await;
    assert_eq!(server.call_as(&ann, "PUT", "/user/ann", Some(json!({ "usage": { "quota_cpu": 9 } }))).await.0, 403);
    ok(&server, "DELETE", "/user/ann/quota", Value::Null).await;
    server.over(third).await;
    // What ran was charged once: two cores of three jobs, and what still runs.
    let usage = server.get("/user/ann/usage").await;
    assert_eq!((&usage[0]["cpu"], &usage[0]["jobs"]), (&json!(2), &json!(2)), "{usage}");
}

#[tokio::test]
async fn a_quota_may_reject_instead() {
    let server = native().with("GODOCKER_QUOTA_POLICY", "reject").start().await;
    let ann = server.new_user("ann", 7001).await;
    ok(&server, "PUT", "/user/ann", json!({ "usage": { "quota_ram": 1 } })).await;
    let first = server.submit_as(&ann, job("sleep 60")).await;
    server.running(first).await;
    let second = server.submit_as(&ann, job("true")).await;
    let task = server.over(second).await;
    assert_eq!(task["status"]["secondary"], "quota reached", "{task}");
    assert!(task["status"]["reason"].as_str().unwrap().contains("ram quota"), "{task}");
}

#[tokio::test]
async fn a_full_disk_quota_is_freed_by_archiving() {
    let server = native().start().await;
    let ann = server.new_user("ann", 7001).await;
    ok(&server, "PUT", "/user/ann", json!({ "usage": { "quota_disk": 100_000 } })).await;
    let big = server.submit_as(&ann, job("head -c 200000 /dev/zero > big")).await;
    server.over(big).await;
    assert!(server.get("/user/ann").await["usage"]["disk"].as_u64().unwrap() >= 200_000);
    let next = server.submit_as(&ann, job("true")).await;
    assert_eq!(why(&server, next, "quota_user").await["status"]["pending"]["quota"], "disk");
    assert_eq!(server.call_as(&ann, "GET", &format!("/task/{big}/archive"), None).await.0, 200);
    server.over(next).await;
}

#[tokio::test]
async fn a_projects_quota_counts_all_its_members() {
    let server = native().start().await;
    let (ann, bob) = (server.new_user("ann", 7001).await, server.new_user("bob", 7002).await);
    ok(&server, "POST", "/project", json!({ "id": "rna", "members": ["ann", "bob"], "quota_cpu": 2, "prio": 60 }))
        .await;
    for token in [&ann, &bob] {
        server.over(server.submit_as(token, in_project("true", "rna")).await).await;
    }
    let third = server.submit_as(&bob, in_project("true", "rna")).await;
    assert_eq!(why(&server, third, "quota_project").await["status"]["pending"]["quota"], "cpu");
    // Elsewhere they may.
    server.over(server.submit_as(&bob, job("true")).await).await;
    assert_eq!(server.call_as(&ann, "DELETE", "/project/rna/quota", None).await.0, 403);
    ok(&server, "DELETE", "/project/rna/quota", Value::Null).await;
    server.over(third).await;
    let usage = server.call_as(&ann, "GET", "/project/rna/usage", None).await.1;
    assert_eq!(usage[0]["jobs"], 3);
}

#[tokio::test]
async fn membership_is_needed_to_submit_and_still_to_start() {
    let server = native().with("GODOCKER_NATIVE_CPUS", "1").start().await;
    let (ann, bob) = (server.new_user("ann", 7001).await, server.new_user("bob", 7002).await);
    ok(&server, "POST", "/project", json!({ "id": "rna", "members": ["ann"], "owner": "bob" })).await;
    let (status, answer) = server.call_as(&bob, "POST", "/task", Some(in_project("true", "rna"))).await;
    assert_eq!(
        (status, &answer["fields"][0]["field"]),
        (400, &json!("user.project")),
        "its owner is no member: {answer}"
    );
    assert_eq!(server.call_as(&bob, "GET", "/project/rna", None).await.0, 404);
    assert_eq!(server.call_as(&ann, "GET", "/project/rna", None).await.0, 200);
    let holds = server.submit_as(&bob, job("sleep 60")).await;
    server.running(holds).await;
    let waits = server.submit_as(&ann, in_project("true", "rna")).await;
    why(&server, waits, "capacity").await;
    let (status, _) = server.call("DELETE", "/project/rna", None).await;
    assert_eq!(status, 409, "a job of it waits");
    ok(&server, "POST", "/project/rna", json!({ "members": [] })).await;
    server.kill_job(holds).await;
    let task = why(&server, waits, "not_member").await;
    assert!(task["status"]["reason"].as_str().unwrap().contains("not a member"), "{task}");
    ok(&server, "POST", "/project/rna", json!({ "members": ["ann"] })).await;
    server.over(waits).await;
    ok(&server, "DELETE", "/project/rna", Value::Null).await;
    assert_eq!(server.call("GET", "/project/rna", None).await.0, 404);
    assert_eq!(server.call("DELETE", "/project/default", None).await.0, 409);
}

#[tokio::test]
async fn members_share_their_jobs_where_the_site_says_so() {
    for shared in [false, true] {
        let server = native().with("GODOCKER_SHARE_PROJECT_TASKS", if shared { "true" } else { "false" }).start().await;
        let (ann, bob) = (server.new_user("ann", 7001).await, server.new_user("bob", 7002).await);
        ok(&server, "POST", "/project", json!({ "id": "rna", "members": ["ann", "bob"] })).await;
        let id = server.submit_as(&ann, in_project("sleep 60", "rna")).await;
        let own = server.submit_as(&ann, job("sleep 60")).await;
        server.running(id).await;
        let seen = |shared: bool| if shared { 200 } else { 404 };
        assert_eq!(server.call_as(&bob, "GET", &format!("/task/{id}"), None).await.0, seen(shared));
        assert_eq!(server.call_as(&bob, "GET", &format!("/task/{own}"), None).await.0, 404);
        let listed = server.call_as(&bob, "GET", "/task/active?project=rna", None).await.1;
        assert_eq!(listed.as_array().unwrap().len(), usize::from(shared));
        assert_eq!(server.call_as(&bob, "DELETE", &format!("/task/{id}"), None).await.0, seen(shared));
        if shared {
            server.over(id).await;
        }
        server.go_d_user(&["passwd", "bob", "--password-stdin"], PASSWORD);
        let mut browser = crate::support::browser::Browser::at(&server);
        browser.log_in_as("bob", PASSWORD, "").await;
        let over = browser.page("/jobs?over=1&project=rna").await;
        assert_eq!(over.contains(&format!("/jobs/{id}\"")), shared, "{over}");
        let active = browser.page("/jobs?project=rna").await;
        assert!(!active.contains(&format!("/jobs/{id}\"")) && !active.contains(&format!("/jobs/{own}\"")), "{active}");
    }
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_its_jobs_do_not_start() {
    let server = native().with("GODOCKER_NATIVE_CPUS", "1").start().await;
    let ann = server.new_user("ann", 7001).await;
    let holds = server.submit(job("sleep 60")).await;
    server.running(holds).await;
    let waits = server.submit_as(&ann, job("true")).await;
    why(&server, waits, "capacity").await;
    let made = server.call_as(&ann, "POST", "/user/ann/token", Some(json!({ "name": "x", "scope": "read" }))).await.1;
    let personal = made["token"].as_str().unwrap().to_owned();
    assert_eq!(server.call_as(&personal, "GET", "/task", None).await.0, 200);
    ok(&server, "PUT", "/user/ann", json!({ "standing": "disabled" })).await;
    for token in [&ann, &personal] {
        assert_eq!(server.call_as(token, "GET", "/task", None).await.0, 401);
    }
    server.kill_job(holds).await;
    why(&server, waits, "account_disabled").await;
    ok(&server, "PUT", "/user/ann", json!({ "standing": "active" })).await;
    server.over(waits).await;
    assert_eq!(server.call_as(&personal, "GET", "/task", None).await.0, 401, "its tokens do not come back");
    let refused = server.call("PUT", "/user/admin", Some(json!({ "admin": false }))).await;
    assert_eq!(refused.0, 409, "{}", refused.1);
}

#[tokio::test]
async fn a_deleted_user_leaves_nothing() {
    let server = native().start().await;
    let ann = server.new_user("ann", 7001).await;
    let over = server.submit_as(&ann, job("echo kept > file")).await;
    let directory = server.over(over).await["container"]["volumes"][0]["path"].as_str().unwrap().to_owned();
    let runs = server.submit_as(&ann, job("sleep 60")).await;
    server.running(runs).await;
    assert_eq!(server.call_as(&ann, "DELETE", "/user/ann", None).await.0, 403);
    ok(&server, "DELETE", "/user/ann", Value::Null).await;
    assert_eq!(server.call_as(&ann, "GET", "/task", None).await.0, 401);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while server.call("GET", &format!("/task/{runs}"), None).await.0 != 404 {
        assert!(std::time::Instant::now() < deadline, "{}", server.task(runs).await);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(server.call("GET", &format!("/task/{over}"), None).await.0, 404);
    assert!(!std::path::Path::new(&directory).exists());
    while server.go_d_user(&["list"], "").stdout.windows(3).any(|word| word == b"ann") {
        assert!(std::time::Instant::now() < deadline, "the account is still there");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let usage = server.get("/audit?subject=ann&action=user.delete").await;
    assert_eq!(usage[0]["actor"], "admin");
    server.new_user("ann", 7001).await;
    assert_eq!(server.call_as(&ann, "GET", "/task", None).await.0, 401, "the old token is not the new account's");
}

#[tokio::test]
async fn maintenance_takes_and_starts_nothing_and_lets_the_rest_go_on() {
    let server = native().with("GODOCKER_NATIVE_CPUS", "1").start().await;
    let ann = server.new_user("ann", 7001).await;
    let runs = server.submit_as(&ann, job("while [ ! -e /tmp/none ]; do sleep 0.1; done")).await;
    server.running(runs).await;
    let waits = server.submit_as(&ann, job("true")).await;
    assert_eq!(server.call_as(&ann, "PUT", "/maintenance", Some(json!({ "on": true }))).await.0, 403);
    ok(&server, "PUT", "/maintenance", json!({ "on": true, "message": "New disks until noon." })).await;
    let (status, answer) = server.call_as(&ann, "POST", "/task", Some(job("true"))).await;
    assert_eq!(
        (status, &answer["error"], &answer["msg"]),
        (503, &json!("maintenance"), &json!("New disks until noon."))
    );
    assert_eq!(server.task(runs).await["status"]["phase"], "running");
    assert_eq!(server.call_as(&ann, "GET", "/task/active", None).await.0, 200);
    let mut browser = crate::support::browser::Browser::at(&server);
    assert!(browser.page("/login").await.contains("New disks until noon."));
    browser.log_in("").await;
    assert!(browser.page("/jobs").await.contains("New disks until noon."));
    server.kill_job(runs).await;
    server.over(runs).await;
    why(&server, waits, "maintenance").await;
    ok(&server, "PUT", "/maintenance", json!({ "on": false })).await;
    server.over(waits).await;
    let actions = server.get("/audit?subject=site").await;
    let actions: Vec<_> = actions.as_array().unwrap().iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["maintenance.off", "maintenance.on"]);
}

#[tokio::test]
async fn the_audit_log_says_who_changed_what_and_is_not_changed() {
    let server = native().start().await;
    let ann = server.new_user("ann", 7001).await;
    ok(&server, "PUT", "/user/ann", json!({ "usage": { "prio": 70 } })).await;
    ok(&server, "PUT", "/user/ann", json!({ "usage": { "prio": 70 } })).await;
    let lines = server.get("/audit?subject=ann&action=user.change").await;
    assert_eq!(lines.as_array().unwrap().len(), 1, "what changes nothing is no line");
    assert_eq!((&lines[0]["actor"], &lines[0]["details"]), (&json!("admin"), &json!({ "usage.prio": [50, 70] })));
    let csv = server.call("GET", "/audit?format=csv", None).await.1;
    assert!(csv.as_str().unwrap().starts_with("number,date,actor,address,action,subject,details\r\n"), "{csv}");
    assert_eq!(server.call_as(&ann, "GET", "/audit", None).await.0, 403);
    let database = server.dir().join("data/godocker.db");
    let changed = rusqlite::Connection::open(database).unwrap().execute("DELETE FROM audit", []);
    assert!(changed.unwrap_err().to_string().contains("not deleted"));
}

/// Caller x volume x acl x root, in real containers that try to write.
#[tokio::test]
async fn volumes_are_granted_as_the_site_and_the_project_say() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let place = |name: &str, owner: u32| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
        chown(&path, Some(owner), Some(owner)).unwrap();
        path.display().to_string()
    };
    let (home, bank, work) = (place("ann-home", 7001), place("bank", 0), place("work/ann", 7001));
    place("work/bob", 7002);
    let team = place("team", 0);
    let config = dir.path().join("go-d.ini");
    let root = dir.path().display();
    std::fs::write(
        &config,
        format!(
            "volumes:\n  - {{ name: home, acl: rw }}\n  - {{ name: bank, acl: ro, path: {bank}, mount: /bank }}\n  \
             - {{ name: work, acl: rw, path: '{root}/work/$USERID' }}\nallow_root: true\n"
        ),
    )
    .unwrap();
    let server = docker().with("GOD_CONFIG", config.to_str().unwrap()).start().await;
    let made =
        server.go_d_user(&["create", "ann", "--no-password", "--uid", "7001", "--gid", "7001", "--home", &home], "");
    let key = text(&made).split("API key: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let (ann, bob) = (server.token_of("ann", &key).await, server.new_user("bob", 7002).await);
    let volumes = json!([{ "name": "team", "path": team, "mount": "/team", "acl": "rw" }]);
    ok(&server, "POST", "/project", json!({ "id": "rna", "members": ["ann"], "volumes": volumes })).await;

    // volume, acl asked for, root, project: what a write there ends as, "refused" before it runs, or "absent".
    type Case<'a> = (&'a str, Option<&'a str>, bool, &'a str, &'a str, &'a str);
    let cases: [Case; 14] = [
        ("home", None, false, "default", "/mnt/home", "written"),
        ("home", Some("ro"), false, "default", "/mnt/home", "read only"),
        ("home", Some("rw"), true, "default", "/mnt/home", "read only"),
        ("bank", None, false, "default", "/bank", "read only"),
        ("bank", Some("ro"), false, "default", "/bank", "read only"),
        ("bank", Some("rw"), false, "default", "/bank", "refused"),
        ("work", Some("rw"), false, "default", "/mnt/work", "written"),
        ("work", Some("rw"), true, "default", "/mnt/work", "read only"),
        ("", None, false, "rna", "/team", "written"),
        ("team", Some("ro"), false, "rna", "/team", "read only"),
        ("", None, true, "rna", "/team", "read only"),
        ("", None, false, "default", "/team", "absent"),
        ("team", None, false, "default", "/team", "refused"),
        ("etc", None, false, "default", "/etc", "refused"),
    ];
    let mut ids = Vec::new();
    for (volume, acl, root, project, mount, expected) in &cases {
        let script = format!(
            "[ -d {mount} ] || {{ echo absent; exit; }}; touch {mount}/probe 2>/dev/null && echo written || echo read only"
        );
        let mut wanted = in_project(&script, project);
        wanted["requirements"]["ram"] = json!(0.1);
        wanted["container"]["root"] = json!(root);
        if !volume.is_empty() {
            // What is sent as path and mount reaches nothing.
            let mut asked = json!({ "name": volume, "path": "/etc", "mount": "/stolen" });
            if let Some(acl) = acl {
                asked["acl"] = json!(acl);
            }
            wanted["container"]["volumes"] = json!([asked]);
        }
        let (status, answer) = server.call_as(&ann, "POST", "/task", Some(wanted)).await;
        assert_eq!(status == 400, *expected == "refused", "{volume} {acl:?} {root} {project}: {answer}");
        ids.push(answer["id"].as_u64());
    }
    for (case, id) in cases.iter().zip(ids) {
        let Some(id) = id else { continue };
        server.over(id).await;
        assert_eq!(server.file(id, "god.log").await.trim(), case.5, "{case:?}");
    }
    assert!(PathBuf::from(&home).join("probe").exists() && PathBuf::from(&work).join("probe").exists());
    assert!(PathBuf::from(&team).join("probe").exists() && !PathBuf::from(&bank).join("probe").exists());

    // Bob is in no project and has no home; his work is his own.
    for (wanted, field) in [
        (in_project("true", "rna"), "user.project"),
        (job_with("true", "container", "volumes", json!([{ "name": "home" }])), "container.volumes[0].name"),
        (job_with("true", "container", "volumes", json!([{ "name": "team" }])), "container.volumes[0].name"),
    ] {
        let (status, answer) = server.call_as(&bob, "POST", "/task", Some(wanted)).await;
        assert_eq!((status, &answer["fields"][0]["field"]), (400, &json!(field)), "{answer}");
    }
    let id = server
        .submit_as(
            &bob,
            job_with("ls /mnt/work; touch /mnt/work/bobs", "container", "volumes", json!([{ "name": "work" }])),
        )
        .await;
    server.over(id).await;
    assert_eq!(server.file(id, "god.log").await, "", "ann's probe is not to be seen");
    let shown = server.call_as(&ann, "GET", "/project/rna", None).await.1;
    assert_eq!(shown["volumes"][0]["path"], Value::Null, "where it lies is for administrators");
}
