//! Pages on paper: what they are about, and nothing to click.

use serde_json::json;

use super::log_in;
use super::words::KILL;
use crate::support::chromium::Reader;
use crate::support::chromium::verbs::Role;
use crate::support::native;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_printed_whole_and_without_its_buttons() {
    let server = native().start().await;
    let lines = "#!/bin/sh\nn=0; while [ $n -lt 80 ]; do n=$((n+1)); echo line $n; done; exec sleep 1000\n";
    let id = server.submit(crate::support::job(lines)).await;
    server.running(id).await;
    let browser = Reader::default().open().await;
    log_in(&browser, &server, "admin", &format!("/jobs/{id}")).await;
    browser.says("line 80").await;
    assert!(browser.has(Role::Button, KILL).await);
    browser.on_paper().await;
    assert!(!browser.has(Role::Button, KILL).await, "nothing to press on paper");
    assert!(!browser.has(Role::Link, "Administration").await, "nowhere to go on paper");
    let cut = "return [...document.querySelectorAll('pre')].some((part) => part.scrollHeight > part.clientHeight + 1)";
    assert_eq!(browser.run(cut, json!([])).await, json!(false), "all of the log is there");
    assert!(browser.has(Role::Heading, &format!("{id} test")).await);
}
