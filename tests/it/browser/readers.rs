//! What readers have of their own: their zone, their colours.

use jiff::Timestamp;
use serde_json::json;

use super::{log_in, words};
use crate::support::chromium::{Reader, Theme};
use crate::support::native;

#[tokio::test(flavor = "multi_thread")]
async fn dates_are_in_the_readers_zone() {
    let server = native().start().await;
    let id = server.submit(crate::support::job("true")).await;
    let task = server.over(id).await;
    let submitted = Timestamp::from_second(task["date"].as_f64().unwrap() as i64).unwrap();
    let mut browser = Reader::default().open().await;
    log_in(&browser, &server, "admin", "/jobs").await;
    for zone in ["Asia/Tokyo", "America/New_York", "Asia/Kolkata"] {
        browser.seat(Reader { zone, ..Reader::default() }).await;
        browser.open(&format!("{}/jobs/{id}", server.url())).await;
        let there = submitted.in_tz(zone).unwrap().strftime("%-I:%M %p").to_string();
        let shown = browser.run("return document.querySelector('main time').textContent", json!([])).await;
        let shown = shown.as_str().unwrap().replace('\u{202f}', " ");
        assert!(shown.ends_with(&there), "{shown:?} for {there} in {zone}");
    }
    // Without scripts the zone is said.
    browser.seat(Reader { zone: "Asia/Tokyo", ..Reader::without_scripts() }).await;
    browser.open(&format!("{}/jobs/{id}", server.url())).await;
    browser.says(&submitted.strftime("%H:%M").to_string()).await;
    browser.says("UTC").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_that_is_chosen_stays() {
    let server = native().start().await;
    let mut browser = Reader::default().open().await;
    log_in(&browser, &server, "admin", "/profile").await;
    let paper = "return getComputedStyle(document.body).backgroundColor";
    let light = browser.run(paper, json!([])).await;
    browser.choose(words::COLOURS, "dark").await;
    browser.click(words::SAVE).await;
    browser.says("Saved").await;
    let dark = browser.run(paper, json!([])).await;
    assert_ne!(light, dark, "dark by choice, where the system is light");
    browser.choose(words::COLOURS, "light").await;
    browser.click(words::SAVE).await;
    browser.says("Saved").await;
    browser.seat(Reader { theme: Theme::Dark, ..Reader::default() }).await;
    browser.open(&format!("{}/jobs", server.url())).await;
    assert_eq!(browser.run(paper, json!([])).await, light, "light by choice, where the system is dark");
}
