//! A job from its form to its archive.

use super::{log_in, words};
use crate::support::chromium::Reader;
use crate::support::chromium::verbs::Role;
use crate::support::native;

/// Goes on when the file `on` is there, so that a test sees the log before and after. What it says does not stand in it.
const SCRIPT: &str =
    "#!/bin/sh\necho part $((40 + 1))\nuntil [ -e on ]; do sleep 0.1; done\necho part $((40 + 2))\nexec sleep 1000\n";

/// Submitted, watched, killed, archived.
async fn a_whole_life(reader: Reader) {
    let server = native().start().await;
    let browser = reader.open().await;
    log_in(&browser, &server, "admin", "/jobs").await;
    browser.follow(words::NEW_JOB).await;
    browser.fill(words::NAME, "by-hand").await;
    browser.fill(words::IMAGE, "none").await;
    browser.fill(words::SCRIPT, SCRIPT).await;
    browser.fill(words::MEMORY, "0.1").await;
    browser.click(words::SUBMIT).await;
    browser.is_at("/jobs/1").await;
    browser.says_in_the_end("part 41").await;
    browser.says_in_the_end(words::RUNNING).await;

    // Where scripts run, the page grows; it is not loaded again.
    let mark = "const was = !!window.theSame; window.theSame = true; return was";
    browser.run(mark, serde_json::json!([])).await;
    assert!(!browser.text().await.contains("part 42"));
    let directory = server.task(1).await["container"]["volumes"][0]["path"].as_str().unwrap().to_owned();
    std::fs::write(format!("{directory}/on"), "").unwrap();
    browser.says_in_the_end("part 42").await;
    assert_eq!(browser.run(mark, serde_json::json!([])).await, serde_json::json!(reader.scripts));

    browser.click_and_agree(words::KILL).await;
    browser.says_in_the_end(words::KILLED).await;
    assert_eq!(server.over(1).await["status"]["ending"], "killed");
    browser.click_and_agree(words::ARCHIVE).await;
    browser.says_when_looked_at_again(words::ARCHIVED).await;
    assert_eq!(server.task(1).await["status"]["primary"], "archived");
    assert!(!std::path::Path::new(&directory).exists());
    browser.follow("Jobs").await;
    browser.is_at("/jobs").await;
    assert!(!browser.has(Role::Link, "1 by-hand").await, "it is not among the active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_submitted_watched_killed_and_archived() {
    a_whole_life(Reader::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_without_scripts() {
    a_whole_life(Reader::without_scripts()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_job_is_said_at_its_field() {
    let server = native().start().await;
    for reader in [Reader::default(), Reader::without_scripts()] {
        let browser = reader.open().await;
        log_in(&browser, &server, "admin", "/jobs/new").await;
        browser.fill(words::NAME, "wrong").await;
        browser.fill(words::IMAGE, "none").await;
        browser.fill(words::SCRIPT, "#!/bin/sh\necho kept\n").await;
        browser.fill(words::MEMORY, "a lot").await;
        browser.click(words::SUBMIT).await;
        let field = browser.until("the field is not marked", async || {
            let field = browser.the(Role::Field, words::MEMORY).await;
            (field.attr("aria-invalid").await.ok()?.as_deref() == Some("true")).then_some(field)
        });
        let said = field.await.attr("aria-describedby").await.unwrap().expect("the fault is tied to its field");
        let fault = browser.run("return document.getElementById(arguments[0]).textContent", serde_json::json!([said]));
        assert!(fault.await.as_str().unwrap().contains("number"));
        // What was typed is still there.
        let script = browser.the(Role::Field, words::SCRIPT).await;
        assert!(script.prop("value").await.unwrap().unwrap().contains("echo kept"));
    }
    assert_eq!(server.get("/task").await.as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ticked_jobs_are_archived_together() {
    let server = native().start().await;
    for _ in 0..3 {
        let id = server.submit(crate::support::job("true")).await;
        server.over(id).await;
    }
    for (reader, id) in [(Reader::default(), 1), (Reader::without_scripts(), 3)] {
        let browser = reader.open().await;
        log_in(&browser, &server, "admin", "/jobs?over=1").await;
        browser.tick(&format!("Job {id}")).await;
        browser.click_and_agree(words::ARCHIVE_TICKED).await;
        server.until(id, "archived", |task| task["status"]["primary"] == "archived").await;
    }
    assert_eq!(server.task(2).await["status"]["primary"], "over");
}
