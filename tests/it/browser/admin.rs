//! What administrators do with their pages.

use super::{log_in, words};
use crate::support::chromium::Reader;
use crate::support::native;

async fn an_administrators_day(reader: Reader) {
    let server = native().start().await;
    let ann = server.new_user("ann", 7001).await;
    let browser = reader.open().await;
    log_in(&browser, &server, "admin", "/admin/users").await;
    browser.follow("ann").await;
    browser.is_at("/admin/users/ann").await;
    browser.fill(words::QUOTA_TIME, "3600").await;
    browser.fill(words::PRIORITY, "70").await;
    browser.click(words::SAVE).await;
    browser.says(words::SAVED).await;
    let usage = server.get("/user/ann").await["usage"].clone();
    assert_eq!((&usage["quota_time"], &usage["prio"]), (&3600.into(), &70.into()));

    browser.follow("Administration").await;
    browser.follow("Maintenance").await;
    browser.is_at("/admin/maintenance").await;
    browser.fill(words::MESSAGE, "Back at noon").await;
    browser.click(words::SWITCH_ON).await;
    browser.says("Back at noon").await;
    browser.follow("Jobs").await;
    browser.is_at("/jobs").await;
    browser.says("Back at noon").await;
    let job = crate::support::job("true");
    assert_eq!(server.call_as(&ann, "POST", "/task", Some(job.clone())).await.0, 503);
    browser.follow("Administration").await;
    browser.follow("Maintenance").await;
    browser.click(words::SWITCH_OFF).await;
    browser.says(words::MAINTENANCE_OFF).await;
    server.submit_as(&ann, job).await;

    browser.follow("Audit log").await;
    browser.is_at("/admin/audit").await;
    for said in ["maintenance.on", "maintenance.off", "user.change", "ann"] {
        browser.says(said).await;
    }
    browser.click(words::LOG_OUT).await;
    browser.is_at("/login").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_and_maintenance_are_changed_and_written_down() {
    an_administrators_day(Reader::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_without_scripts() {
    an_administrators_day(Reader::without_scripts()).await;
}
