//! The processes: who lives, who leads, what waits for them.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::bus::Depth;
use crate::domain::{ProcessRole, ProcessStatus, Timestamp};
use crate::web::Site;
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::processes::processes;
use crate::web::words::{Date, Words};

#[derive(Template)]
#[template(path = "admin_processes.html")]
struct ProcessesPage {
    chrome: Chrome,
    here: &'static str,
    missing: Vec<Missing>,
    rows: Vec<Row>,
    queues: Vec<Queue>,
    lease: String,
}

/// A role that nobody has, and what that means.
struct Missing {
    role: &'static str,
    means: String,
}

struct Row {
    id: String,
    role: &'static str,
    state: String,
    tone: &'static str,
    host: String,
    pid: u32,
    version: String,
    up: String,
    started: Date,
    seen: String,
    address: String,
}

struct Queue {
    role: &'static str,
    waiting: u64,
    lag: String,
}

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
) -> Result<HttpResponse, PageError> {
    let known = processes(&site).await.map_err(|error| PageError::of(&request, Some(&caller), error))?;
    let chrome = Chrome::new(&request, Some(&caller), "admin");
    let words = &chrome.words;
    let lease = match (&known.lease, &site.config.redis) {
        (Some(holder), _) => words.with("admin-lease").set("holder", holder).to_string(),
        (None, Some(_)) => words.t("admin-no-lease"),
        (None, None) => String::new(),
    };
    Ok(page(&ProcessesPage {
        here: "processes",
        missing: known.missing().into_iter().map(|role| missing(words, role)).collect(),
        rows: known.all.iter().map(|process| row(words, process, known.now)).collect(),
        queues: known.queues.iter().map(|depth| queue(words, depth)).collect(),
        lease,
        chrome,
    }))
}

fn missing(words: &Words, role: ProcessRole) -> Missing {
    let means = match role {
        ProcessRole::Scheduler => "admin-no-scheduler",
        ProcessRole::Watcher => "admin-no-watcher",
        ProcessRole::Web => "admin-no-web",
        ProcessRole::Archive => "admin-no-archive",
        ProcessRole::Ftp => "admin-no-ftp",
        ProcessRole::Up => "admin-no-up",
    };
    Missing { role: role.as_str(), means: words.t(means) }
}

fn row(words: &Words, process: &ProcessStatus, now: Timestamp) -> Row {
    let (state, tone) = match (process.is_alive_at(now), process.leader) {
        (false, _) => ("admin-dead", "bad"),
        (true, true) => ("admin-leads", "run"),
        (true, false) => ("admin-lives", "good"),
    };
    Row {
        id: process.id.clone(),
        role: process.role.as_str(),
        state: words.t(state),
        tone,
        host: process.host.clone(),
        pid: process.pid,
        version: process.version.clone(),
        up: words.duration(process.uptime_at(now)),
        started: words.date(process.started),
        seen: words.with("admin-ago").set("span", words.duration(now.since(process.seen))).to_string(),
        address: process.address.clone().unwrap_or_default(),
    }
}

fn queue(words: &Words, depth: &Depth) -> Queue {
    let lag = depth.lag.filter(|_| depth.waiting > 0).map(|lag| words.duration(lag)).unwrap_or_default();
    Queue { role: depth.role.as_str(), waiting: depth.waiting, lag }
}
