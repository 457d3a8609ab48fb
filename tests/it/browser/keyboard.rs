//! Nobody needs a mouse.

use serde::Deserialize;
use serde_json::json;
use thirtyfour::Key;

use super::states::{STATES, State, Tour};
use super::{log_in, words};
use crate::support::chromium::verbs::Role;
use crate::support::chromium::{Chromium, Reader};
use crate::support::native;

#[derive(Debug, Deserialize)]
struct Focus {
    all: Vec<String>,
    at: i64,
    seen: bool,
}

async fn focus(browser: &Chromium) -> Focus {
    serde_json::from_value(browser.run(include_str!("../../support/tab.js"), json!([])).await).unwrap()
}

/// Presses Tab until this has the focus.
async fn tab_to(browser: &Chromium, role: Role, name: &str) {
    let wanted = browser.the(role, name).await;
    for _ in 0..200 {
        if browser.driver.active_element().await.unwrap() == wanted {
            return;
        }
        browser.press(Key::Tab).await;
    }
    panic!("Tab does not lead to {name:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_submitted_and_killed_by_keys_alone() {
    let server = native().start().await;
    let browser = Reader::without_scripts().open().await;
    browser.open(&format!("{}/jobs/new", server.url())).await;
    tab_to(&browser, Role::Field, words::USER).await;
    browser.press("admin").await;
    tab_to(&browser, Role::Field, words::PASSWORD).await;
    browser.press(crate::support::PASSWORD.to_owned() + Key::Enter).await;
    browser.is_at("/jobs/new").await;
    tab_to(&browser, Role::Field, words::NAME).await;
    browser.press("by-keys").await;
    tab_to(&browser, Role::Field, words::IMAGE).await;
    browser.press("none").await;
    tab_to(&browser, Role::Field, words::SCRIPT).await;
    browser.select_all().await;
    browser.press("exec sleep 1000").await;
    tab_to(&browser, Role::Button, words::SUBMIT).await;
    browser.press(Key::Enter).await;
    browser.is_at("/jobs/1").await;
    server.running(1).await;
    browser.says_in_the_end(words::RUNNING).await;
    tab_to(&browser, Role::Button, words::KILL).await;
    browser.press(Key::Enter).await;
    browser.says_in_the_end(words::KILLED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_key_skips_to_the_content() {
    let server = native().start().await;
    let browser = Reader::default().open().await;
    log_in(&browser, &server, "admin", "/jobs").await;
    browser.press(Key::Tab).await;
    let skip = browser.driver.active_element().await.unwrap();
    assert_eq!(skip.text().await.unwrap(), words::SKIP);
    assert!(focus(&browser).await.seen, "it is shown when it has the focus");
    browser.press(Key::Enter).await;
    browser.press(Key::Tab).await;
    let inside = "return document.querySelector('main').contains(document.activeElement)";
    assert_eq!(browser.run(inside, json!([])).await, json!(true));
}

/// On every page Tab leads to everything one can use, in the order in which it stands there, and shows where it is.
#[tokio::test(flavor = "multi_thread")]
async fn tab_reaches_everything_in_its_order_and_shows_where_it_is() {
    let mut tour = Tour::begin(Reader::default().open().await).await;
    let mut faults = Vec::new();
    // Lists are the same thing many times over; their pages are long.
    let long = |state: &State| state.name.contains("over") || state.name.starts_with("file-") || state.name == "disk";
    for state in STATES.iter().filter(|state| !long(state)) {
        tour.go(state).await;
        // A list that changes while one walks through it is another: it is walked through anew.
        let mut found = walk(&tour.browser).await;
        for _ in 0..2 {
            if !found.is_empty() {
                found = walk(&tour.browser).await;
            }
        }
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", state.name)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

async fn walk(browser: &Chromium) -> Vec<String> {
    browser.run("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)", json!([])).await;
    let mut faults = Vec::new();
    let mut reached = std::collections::BTreeSet::new();
    let (mut last, mut all) = (-1, Vec::new());
    for _ in 0..300 {
        browser.press(Key::Tab).await;
        let now = focus(browser).await;
        all = now.all;
        if now.at < 0 {
            // Round the window, and in again at the top.
            last = -1;
            continue;
        }
        // A date has several stops in it.
        if now.at == last {
            continue;
        }
        if !reached.insert(now.at) {
            break;
        }
        let name = &all[now.at as usize];
        if now.at < last {
            faults.push(format!("{name} comes after what stands behind it"));
        }
        if !now.seen {
            faults.push(format!("{name} has the focus and does not show it"));
        }
        last = now.at;
    }
    let missed = (0..all.len() as i64).filter(|at| !reached.contains(at));
    faults.extend(missed.map(|at| format!("{} is not reached", all[at as usize])));
    faults
}
