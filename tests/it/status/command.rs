//! `go-d status`, as an administrator and as monitoring sees it.

use std::os::unix::fs::symlink;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use godocker::domain::ProcessStatus;
use serde_json::{Value, json};

use super::cluster::Cluster;
use crate::support::browser::Browser;
use crate::support::etcd::Etcd;
use crate::support::{API_KEY, PASSWORD, Server, native};

fn status(server: &Server, args: &[&str]) -> (Option<i32>, String) {
    // By its link, as it is installed.
    let link = server.dir().join("go-d-status");
    let _ = symlink(env!("CARGO_BIN_EXE_go-d"), &link);
    let output = Command::new(link).args(args).env("GODOCKER_DATA_DIR", server.dir().join("data")).output().unwrap();
    (output.status.code(), said(&output))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn until_status(server: &Server, code: i32) -> String {
    let deadline = Instant::now() + ProcessStatus::DEAD_AFTER * 3;
    loop {
        let (got, text) = status(server, &[]);
        if got == Some(code) {
            return text;
        }
        assert!(Instant::now() < deadline, "{got:?}: {text}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test]
async fn a_go_d_up_is_all_that_jobs_need_until_it_is_dead() {
    let mut server = native().start().await;
    let text = until_status(&server, 0);
    let row = text.lines().find(|line| line.starts_with("up ")).unwrap_or_else(|| panic!("{text}"));
    assert!(row.contains(&server.address) && row.ends_with("leads"), "{text}");
    let (code, text) = status(&server, &["--json"]);
    let shown: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &shown["ok"], &shown["processes"][0]["alive"]), (Some(0), &json!(true), &json!(true)), "{text}");
    assert!(!text.contains(API_KEY) && !text.contains(PASSWORD));
    server.crash();
    let crashed = Instant::now();
    let text = until_status(&server, 3);
    assert!(crashed.elapsed() > ProcessStatus::DEAD_AFTER / 2, "it said that it lives a moment ago");
    assert!(text.contains("dead") && text.ends_with("Missing: no scheduler, no watcher, no web.\n"), "{text}");
    // One that stops in order takes back what it said.
    server.start_again().await;
    until_status(&server, 0);
    server.stop();
    let (code, text) = status(&server, &[]);
    assert!(code == Some(3) && !text.lines().any(|line| line.starts_with("up ") && !line.ends_with("dead")), "{text}");
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let run = |env: &str, value: &str| Command::new(env!("CARGO_BIN_EXE_go-d")).arg("status").env(env, value).output();
    let output = run("GODOCKER_DATA_DIR", "/dev/null/data").unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(run("GODOCKER_STATUS_POLICY", "zookeeper").unwrap().status.code(), Some(2));
    let help = Command::new(env!("CARGO_BIN_EXE_go-d")).args(["status", "--help"]).output().unwrap();
    assert!(said(&help).contains("Exit codes: 0 a scheduler, a watcher and a web live"), "{}", said(&help));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_is_missed_and_found_and_tells_of_itself() {
    let mut cluster = Cluster::new(&[]);
    for role in ["scheduler", "watcher", "web", "archive"] {
        cluster.start(role);
    }
    let leads = |said: &Value| said["lease"].is_string() && said["processes"].as_array().unwrap().len() == 4;
    let known = cluster.status(0, leads);
    let scheduler = known["processes"].as_array().unwrap().iter().find(|process| process["leader"] == true).unwrap();
    assert_eq!((&scheduler["role"], &scheduler["id"]), (&json!("scheduler"), &known["lease"]), "{known}");
    assert_eq!(known["queues"].as_array().unwrap().len(), 5, "{known}");

    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let get = async |role: &str, path: &str| {
        let url = cluster.address(role, &known) + path;
        let answer = client.get(&url).send().await.unwrap_or_else(|error| panic!("{url}: {error}"));
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for role in ["scheduler", "watcher", "web", "archive"] {
        assert_eq!(get(role, "/healthz").await, (200, "it lives\n".to_owned()), "{role}");
        assert_eq!(get(role, "/readyz").await, (200, "it is ready\n".to_owned()), "{role}");
        let (code, metrics) = get(role, "/metrics").await;
        let info = format!("role=\"{role}\"}} 1\n");
        assert!(
            code == 200 && metrics.contains(&info) && metrics.contains("godocker_bus_lag_seconds{role"),
            "{metrics}"
        );
        assert_eq!(metrics.contains("\ngodocker_leader 1\n"), role == "scheduler", "{metrics}");
    }
    // The web tells the same.
    let login = json!({ "user": "admin", "apikey": API_KEY });
    let web = cluster.address("web", &known);
    let login = client.post(format!("{web}/api/1.0/authenticate")).json(&login).send().await.unwrap();
    let token = login.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned();
    let told = client.get(format!("{web}/api/1.0/admin/processes")).bearer_auth(token).send().await.unwrap();
    let told: Value = told.json().await.unwrap();
    assert_eq!((&told["lease"], &told["ok"]), (&known["lease"], &json!(true)), "{told}");

    // Nobody else gets in by saying that they were forwarded.
    let url = cluster.address("scheduler", &known) + "/metrics";
    assert_eq!(client.get(url).header("X-Forwarded-For", "127.0.0.1").send().await.unwrap().status(), 403);

    cluster.stop("watcher");
    let text = said(&cluster.go_d(&["status"]));
    assert!(text.ends_with("Missing: no watcher.\n"), "{text}");
    assert_eq!(cluster.status(3, |_| true)["missing"], json!(["watcher"]));

    let redirects = reqwest::redirect::Policy::none();
    let browser_client = reqwest::Client::builder().redirect(redirects).pool_max_idle_per_host(0).build().unwrap();
    let mut browser = Browser { client: browser_client, url: web, cookie: String::new(), header: None };
    browser.log_in("").await;
    let page = browser.page("/admin/processes").await;
    let holder = format!("is with {}.", known["lease"].as_str().unwrap());
    for wanted in ["<li>watcher: ", &holder, "<strong>notifier</strong>"] {
        assert!(page.contains(wanted), "no {wanted} in {page}");
    }

    cluster.stop_redis();
    assert!(browser.page("/admin/processes").await.contains("Redis does not answer"));
    let get = async |role: &str, path: &str| {
        let answer = client.get(cluster.address(role, &known) + path).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for role in ["scheduler", "web"] {
        assert_eq!(get(role, "/readyz").await, (503, "Redis does not answer\n".to_owned()), "{role}");
        assert_eq!(get(role, "/healthz").await.0, 200, "{role}");
    }
    let text = said(&cluster.go_d(&["status"]));
    assert!(text.contains("Redis does not answer"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etcd_that_goes_away_stops_no_job() {
    let etcd = Etcd::start();
    let mut cluster =
        Cluster::new(&[("GODOCKER_STATUS_POLICY", "etcd".to_owned()), ("GODOCKER_ETCD_PORT", etcd.port.to_string())]);
    for role in ["scheduler", "watcher", "web"] {
        cluster.start(role);
    }
    let known = cluster.status(0, |said| said["lease"].is_string());
    drop(etcd);
    let output = cluster.go_d(&["status"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("this is what the database has"), "{told}");

    let god = Command::new("timeout")
        .args(["60", env!("CARGO_BIN_EXE_god"), "run", "none", "--", "sh", "-c", "exit 5"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs([("GOD_SERVER", cluster.address("web", &known).as_str()), ("GOD_USER", "admin"), ("GOD_APIKEY", API_KEY)])
        .env("HOME", cluster.dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&god.stderr).into_owned();
    assert_eq!(god.status.code(), Some(5), "{said}\n{}", cluster.log("watcher"));
    let deadline = Instant::now() + Duration::from_secs(30);
    while !cluster.log("watcher").contains("cannot be announced; jobs go on") {
        assert!(Instant::now() < deadline, "{}", cluster.log("watcher"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // It ends in order all the same.
    cluster.stop("watcher");
}
