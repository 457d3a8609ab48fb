//! The pages in a real browser: what people do with them, with scripts and without, by hand and by keyboard; and of every
//! page in every state ([`states`]) what axe finds, what it weighs, how it moves, how it looks (`make screenshots`).
//!
//! Things are found by role and visible name. The names that more than one test needs are in [`words`].

mod accessible;
mod admin;
mod guests;
mod jobs;
mod keyboard;
mod light;
mod paper;
mod readers;
mod screenshots;
mod states;
mod words;

use crate::support::chromium::Chromium;
use crate::support::{Api, PASSWORD};

/// Logs in by the form; `next` is where that leads.
pub async fn log_in(browser: &Chromium, site: &Api, user: &str, next: &str) {
    browser.open(&format!("{}{next}", site.url())).await;
    browser.fill(words::USER, user).await;
    browser.fill(words::PASSWORD, PASSWORD).await;
    browser.click(words::LOG_IN).await;
    browser.is_at(next.split('?').next().unwrap()).await;
}
