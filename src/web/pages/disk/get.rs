use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::Job;
use crate::web::Site;
use crate::web::disk;
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::words::{Date, Words};

#[derive(Template)]
#[template(path = "disk.html")]
struct DiskPage {
    chrome: Chrome,
    id: String,
    used: String,
    quota: Option<String>,
    /// Of the quota; beyond 100 where it is exceeded.
    percent: u64,
    exceeded: bool,
    rows: Vec<Row>,
    jobs: u64,
    /// How many are not listed.
    more: u64,
}

struct Row {
    id: String,
    name: String,
    size: String,
    ended: Option<Date>,
    /// `3 %`, of all that is used.
    share: String,
}

const ROWS: usize = 100;

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
) -> Result<HttpResponse, PageError> {
    let found = disk::of(&site, &caller.user, ROWS).await;
    let found = found.map_err(|error| PageError::of(&request, Some(&caller), error))?;
    let (used, quota) = (found.used, found.quota);
    let chrome = Chrome::new(&request, Some(&caller), "jobs");
    let words = &chrome.words;
    Ok(page(&DiskPage {
        id: caller.id().to_string(),
        used: words.bytes(used),
        quota: (quota > 0).then(|| words.bytes(quota)),
        percent: percent(used, quota),
        exceeded: quota > 0 && used >= quota,
        more: found.jobs - found.largest.len() as u64,
        jobs: found.jobs,
        rows: found.largest.iter().map(|(job, bytes)| row(words, job, *bytes, used)).collect(),
        chrome,
    }))
}

fn row(words: &Words, job: &Job, bytes: u64, used: u64) -> Row {
    Row {
        id: job.id.to_string(),
        name: job.spec.name.clone(),
        size: words.bytes(bytes),
        ended: job.state.outcome().map(|outcome| words.date(outcome.ended)),
        share: match percent(bytes, used) {
            0 if bytes > 0 => words.t("disk-little"),
            percent => format!("{percent} %"),
        },
    }
}

fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 { 0 } else { u64::try_from(u128::from(part) * 100 / u128::from(whole)).unwrap_or(u64::MAX) }
}
