//! What `/metrics` says after jobs have run, and to whom.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use godocker::domain::{Clock, SystemClock, User, UserKind};
use godocker::measures;
use godocker::store::sqlite::SqliteStore;
use godocker::store::{AccountChange, Changed, UserStore};
use godocker::web::access::secret_hash;
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::{Server, job, job_with, native};

/// What the server says to one with these headers.
async fn ask(server: &Server, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request = reqwest::Client::new().get(server.url() + path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Values by name and labels, of a text that is as Prometheus wants it.
async fn metrics(server: &Server) -> BTreeMap<String, f64> {
    let (status, text) = ask(server, "/metrics", &[]).await;
    assert_eq!(status, 200, "{text}");
    let mut values = BTreeMap::new();
    let mut described = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split(' ').next()) {
            assert!(!described.contains(&name.to_owned()), "{name} is described twice");
            described.push(name.to_owned());
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(values.insert(name.to_owned(), value.parse().unwrap()), None, "{name} is there twice");
        }
    }
    for name in values.keys() {
        let family = name.split('{').next().unwrap();
        let parts = ["_bucket", "_sum", "_count"];
        let base = parts.iter().find_map(|part| family.strip_suffix(part)).unwrap_or(family);
        assert!(measures::find(base).or(measures::find(family)).is_some(), "{name} is not in the table");
        assert!(described.iter().any(|known| known == base || known == family), "{name} is not described");
    }
    values
}

/// Of the only node.
fn of_node(values: &BTreeMap<String, f64>, name: &str) -> f64 {
    let begins = format!("{name}{{executor=\"native\",node=");
    let mut of_name = values.iter().filter(|(name, _)| name.starts_with(&begins));
    let (_, value) = of_name.next().unwrap_or_else(|| panic!("no {name} in {values:#?}"));
    *value
}

#[tokio::test]
async fn what_has_happened_is_counted() {
    let server = native().start().await;
    let before = metrics(&server).await;
    assert_eq!((before["godocker_jobs_ended_total{ending=\"done\"}"], before["godocker_leader"]), (0.0, 1.0));
    let mut ids = Vec::new();
    for script in ["true", "true", "exit 3"] {
        ids.push(server.submit(job(script)).await);
    }
    ids.push(server.submit(job_with("true", "requirements", "array", json!({ "values": "1:2" }))).await);
    let endless = server.submit(job("sleep 600")).await;
    server.running(endless).await;
    server.kill_job(endless).await;
    ids.push(endless);
    for id in ids {
        server.over(id).await;
    }
    // Of the jobs in all phases the last answer was good for some seconds.
    let deadline = Instant::now() + Duration::from_secs(40);
    let now = loop {
        let now = metrics(&server).await;
        if now["godocker_jobs{phase=\"over\"}"] == 5.0 && of_node(&now, "godocker_node_cpu_cores_used") == 0.0 {
            break now;
        }
        assert!(Instant::now() < deadline, "{now:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    for (name, value) in [
        ("godocker_jobs_ended_total{ending=\"done\"}", 4.0),
        ("godocker_jobs_ended_total{ending=\"failed\"}", 1.0),
        ("godocker_jobs_ended_total{ending=\"killed\"}", 1.0),
        ("godocker_jobs_ended_total{ending=\"rejected\"}", 0.0),
        ("godocker_job_seconds_count", 6.0),
        ("godocker_job_seconds_bucket{le=\"+Inf\"}", 6.0),
        ("godocker_wait_seconds_count", 6.0),
        ("godocker_launch_seconds_count{executor=\"native\"}", 6.0),
        ("godocker_pass_jobs_total{decision=\"started\"}", 6.0),
        ("godocker_pass_jobs_total{decision=\"rejected\"}", 0.0),
        ("godocker_errors_total{kind=\"store\"}", 0.0),
        ("godocker_errors_total{kind=\"executor\"}", 0.0),
        ("godocker_fence_refused_total", 0.0),
        ("godocker_jobs{phase=\"pending\"}", 0.0),
        ("godocker_jobs{phase=\"running\"}", 0.0),
        ("godocker_queue_depth{role=\"executor\"}", 0.0),
        ("godocker_executor_away{executor=\"native\"}", 0.0),
        ("godocker_http_requests_total{method=\"POST\",route=\"/api/1.0/task\",status=\"200\"}", 5.0),
    ] {
        assert_eq!(now.get(name), Some(&value), "{name} in {now:#?}");
    }
    assert_eq!(of_node(&now, "godocker_node_cpu_cores"), 8.0);
    assert!(now["godocker_pass_duration_seconds_count"] >= 2.0);
    assert!(now["godocker_job_seconds_sum"] > 0.0 && now["process_start_time_seconds"] > 1.7e9);
    // Paths that are no route make no metrics.
    for path in ["/no/such/page", "/api/1.0/nothing/12", "/%6ao"] {
        ask(&server, path, &[]).await;
    }
    let after = metrics(&server).await;
    let routes = after.keys().filter(|name| name.starts_with("godocker_http_requests_total"));
    assert!(
        routes.clone().all(|name| !name.contains("such") && !name.contains("12")),
        "{:#?}",
        routes.collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_launch_that_is_refused_is_counted_as_such() {
    let mut server = native().start().await;
    server.stop();
    let store = SqliteStore::open(&server.dir().join("data/godocker.db")).unwrap();
    // Whose jobs the native executor does not run.
    let user = User {
        uid: 0,
        gid: 0,
        api_key_hash: Some(secret_hash("a key of root's")),
        ..User::new("superuser".parse().unwrap(), UserKind::Local, SystemClock.now())
    };
    let put = AccountChange::PutUser(Box::new(user));
    assert_eq!(store.change(vec![put], Vec::new()).await.unwrap(), Changed::Done);
    drop(store);
    server.start_again().await;
    let token = server.token_of("superuser", "a key of root's").await;
    let id = server.submit_as(&token, job("true")).await;
    server.over(id).await;
    let now = metrics(&server).await;
    assert_eq!(now["godocker_errors_total{kind=\"launch_refused\"}"], 1.0, "{now:#?}");
    assert_eq!(now["godocker_jobs_ended_total{ending=\"rejected\"}"], 1.0, "{now:#?}");
    assert!(!now.contains_key("godocker_wait_seconds_count"), "it never started: {now:#?}");
}

#[tokio::test]
async fn a_server_whose_database_is_gone_lives_and_is_not_ready() {
    let server = native().start().await;
    assert_eq!(ask(&server, "/readyz", &[]).await, (200, "it is ready\n".to_owned()));
    for file in ["godocker.db", "godocker.db-wal"] {
        let path = server.dir().join("data").join(file);
        let zeros = vec![0; std::fs::metadata(&path).unwrap().len() as usize];
        std::fs::File::options().write(true).open(path).unwrap().write_all(&zeros).unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while ask(&server, "/readyz", &[]).await != (503, "the database does not answer\n".to_owned()) {
        assert!(Instant::now() < deadline, "{}", server.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ask(&server, "/healthz", &[]).await.0, 200);
    let now = metrics(&server).await;
    assert!(now["godocker_errors_total{kind=\"store\"}"] > 0.0, "{now:#?}");
    assert!(!now.contains_key("godocker_jobs{phase=\"over\"}"), "what cannot be counted is not said: {now:#?}");
    // Nobody becomes somebody meanwhile.
    let seen = Browser::at(&server).get("/admin/users/metrics").await;
    assert_eq!(seen.status, 500);
    assert_eq!(ask(&server, "/metrics", &[("Via", "1.1 proxy")]).await.0, 403);
}

#[tokio::test]
async fn metrics_are_for_the_addresses_that_may_and_for_administrators() {
    let server = native().start().await;
    let user = server.new_user("ann", 7001).await;
    let (admin, user) = (format!("Bearer {}", server.token()), format!("Bearer {user}"));
    let status = async |headers: &[(&str, &str)]| ask(&server, "/metrics", headers).await.0;
    assert_eq!(status(&[]).await, 200, "from this machine");
    // A proxy that is not trusted speaks for anybody.
    for (name, value) in [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-For", ""),
        ("Forwarded", "for=127.0.0.1"),
        ("Via", "1.1 proxy"),
    ] {
        assert_eq!(status(&[(name, value)]).await, 403, "{name}: {value}");
        assert_eq!(status(&[(name, value), ("Authorization", &admin)]).await, 200, "{name}: {value}");
        assert_eq!(status(&[(name, value), ("Authorization", &user)]).await, 403, "{name}: {value}");
    }
    let read = json!({ "name": "reads", "scope": "read" });
    let (_, made) = server.call("POST", "/user/admin/token", Some(read)).await;
    let reads = format!("Bearer {}", made["token"].as_str().unwrap());
    assert_eq!(status(&[("Via", "1.1 proxy"), ("Authorization", &reads)]).await, 403);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(ask(&server, path, &[("X-Forwarded-For", "10.9.9.9")]).await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn whom_a_trusted_proxy_names_counts() {
    let server = native()
        .with("GODOCKER_WEB_PREFIX", "/god")
        .with("GODOCKER_METRICS_ALLOW", "10.0.0.0/8")
        .with("GODOCKER_TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    let status = async |forwarded: &str| ask(&server, "/metrics", &[("X-Forwarded-For", forwarded)]).await.0;
    assert_eq!(ask(&server, "/metrics", &[]).await.0, 403, "the proxy itself");
    assert_eq!(status("10.1.2.3").await, 200);
    let (_, text) = ask(&server, "/metrics", &[("X-Forwarded-For", "10.1.2.3")]).await;
    assert!(text.contains(r#"{method="GET",route="/metrics",status="403"} 1"#), "without the prefix: {text}");
    assert_eq!(status("192.0.2.1, 10.1.2.3").await, 200, "what comes before is only claimed");
    assert_eq!(status("10.1.2.3, 192.0.2.1").await, 403);
    assert_eq!(status("nonsense").await, 403);
    let (code, text) = ask(&server, "/metrics", &[("X-Forwarded-For", "192.0.2.1")]).await;
    assert_eq!(code, 403);
    assert!(text.contains("metrics_allow does not have this address"), "{text}");
}
