//! The pages of processes and nodes.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::{job, native};

#[tokio::test]
async fn administrators_see_the_processes_and_what_waits() {
    let server = native().start().await;
    let mut browser = Browser::at(&server);
    browser.log_in("").await;
    let html = browser.page("/admin/processes").await;
    for wanted in [
        "<strong>up</strong>",
        ">leads</span>",
        &server.address,
        env!("CARGO_PKG_VERSION"),
        "<strong>executor</strong>",
    ] {
        assert!(html.contains(wanted), "no {wanted} in {html}");
    }
    assert!(!html.contains("runs nowhere") && !html.contains("The lease"), "{html}");
    let known = server.get("/admin/processes").await;
    assert_eq!((&known["ok"], &known["missing"], &known["lease"]), (&json!(true), &json!([]), &json!(null)), "{known}");
    assert_eq!(known["processes"][0]["address"], server.address);
    assert_eq!(
        known["queues"][0],
        json!({ "role": "scheduler", "waiting": known["queues"][0]["waiting"], "lag": null })
    );
}

#[tokio::test]
async fn administrators_see_the_load_of_nodes_and_who_is_away() {
    let server = native()
        .with("GODOCKER_EXECUTORS", "native,docker")
        // Nobody listens there.
        .with("GODOCKER_DOCKER_URL", "tcp://127.0.0.1:1")
        .start()
        .await;
    let id = server.submit(job("sleep 600")).await;
    server.running(id).await;
    let mut browser = Browser::at(&server);
    browser.log_in("").await;
    let html = browser.page("/admin/nodes").await;
    for wanted in
        ["1 of 8 cores", "<meter min=\"0\" max=\"8\" value=\"1\" aria-label=\"CPU of ", ">ready</span>", "<li>docker: "]
    {
        assert!(html.contains(wanted), "no {wanted} in {html}");
    }
    server.kill_job(id).await;
}
