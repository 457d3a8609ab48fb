//! Pages, as a browser asks for them: the time until the last byte, over the site that the tests make up.

use std::time::Instant;

use crate::support::browser::Browser;
use crate::support::made_up::MadeUp;
use crate::{millis, row};

const PAGES: [(&str, &str); 7] = [
    ("the start page", "/"),
    ("jobs", "/jobs?state=any&user=*"),
    ("a job that runs", "/jobs/{running}"),
    ("a new job", "/jobs/new"),
    ("usage", "/usage"),
    ("overview for administrators", "/admin"),
    ("usage of the site", "/admin/usage"),
];
const TIMES: usize = 50;

pub async fn pages() {
    let site = MadeUp::start().await;
    let mut browser = Browser::at(&site.server);
    browser.log_in("").await;
    for (what, path) in PAGES {
        let path = site.path(path);
        let mut times = Vec::new();
        let mut bytes = 0;
        for _ in 0..TIMES {
            let begun = Instant::now();
            bytes = browser.page(&path).await.len();
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let size = format!("{:.0} kB before compression", bytes as f64 / 1000.0);
        row(&format!("page: {what}, median of {TIMES}"), millis(times[TIMES / 2]), "≤ 50 ms", &size);
    }
}
