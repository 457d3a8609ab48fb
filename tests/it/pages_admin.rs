//! How the site does, what was used, and what was done to whom.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::{job, job_with, native};

#[tokio::test]
async fn administrators_begin_with_how_the_site_does() {
    let server = native().start().await;
    for script in ["true", "exit 3"] {
        let id = server.submit(job(script)).await;
        server.over(id).await;
    }
    let runs = server.submit(job("sleep 600")).await;
    server.running(runs).await;
    let waits = server.submit(job_with("true", "requirements", "tasks", json!([runs]))).await;
    let waiting = |task: &serde_json::Value| task["status"]["pending"]["code"] == "dependency";
    server.until(waits, "waiting for the other", waiting).await;
    let mut browser = Browser::at(&server);
    browser.log_in("").await;
    let html = browser.page("/admin").await;
    for wanted in [
        "<strong>1</strong> waiting",
        "<strong>1</strong> running",
        "1 of 8 cores",
        &format!("It waits for jobs: {runs} (ends well)."),
        "Half of the jobs started within",
        "href=\"/admin/users/admin\"",
        "2 jobs ended.",
        "1 (50 %)",
        "state=failed\"",
        "/api/1.0/admin/overview?days=7",
    ] {
        assert!(html.contains(wanted), "{wanted}: {html}");
    }
    assert_eq!(browser.get("/admin?days=5").await.status, 400);
    let html = browser.page("/admin/usage?by=month").await;
    assert!(html.contains("<th scope=\"row\" class=\"first\"><a href=\"/admin/users/admin\">"), "{html}");
    let report = browser.get("/api/1.0/usage.csv?by=month").await;
    assert!(report.status == 200 && report.html.contains("\"admin\",\"default\""), "{}", report.html);
    server.kill_job(runs).await;
}

#[tokio::test]
async fn accounts_have_their_history_and_all_that_is_named_is_a_link() {
    let server = native().start().await;
    server.new_user("ann", 7001).await;
    server.call("POST", "/project", Some(json!({ "id": "rna", "members": ["ann"], "owner": "ann" }))).await;
    server.call("PUT", "/user/ann", Some(json!({ "usage": { "prio": 70 } }))).await;
    let mut browser = Browser::at(&server);
    browser.log_in("").await;
    let html = browser.page("/admin/users/ann").await;
    for wanted in
        ["usage.prio: 50 → 70", "go-d user", "href=\"/admin/projects/rna\"", "href=\"/jobs?user=ann", "no quota"]
    {
        assert!(html.contains(wanted), "{wanted}: {html}");
    }
    assert!(!html.contains("project.create"), "{html}");
    let html = browser.page("/admin/projects/rna").await;
    assert!(html.contains("project.create") && html.contains("href=\"/admin/users/ann\""), "{html}");
    let html = browser.page("/admin/audit").await;
    for link in ["/admin/users/ann", "/admin/users/admin", "/admin/projects/rna"] {
        assert!(html.contains(&format!("href=\"{link}\"")), "{link}: {html}");
    }
    assert!(!html.contains("href=\"/admin/users/go-d"), "{html}");
}
