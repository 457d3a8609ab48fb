//! The processes: who lives, who leads, what waits for them.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::bus::Depth;
use crate::domain::{ProcessRole, ProcessStatus, Timestamp};
use crate::web::Site;
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::pages::text::{Date, duration};
use crate::web::processes::processes;

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
    means: &'static str,
}

struct Row {
    id: String,
    role: &'static str,
    state: &'static str,
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
    let lease = match (&known.lease, &site.config.redis) {
        (Some(holder), _) => format!("The lease, the right to plan, is with {holder}."),
        (None, Some(_)) => "Nobody has the lease: no job is planned until a scheduler takes it.".to_owned(),
        (None, None) => String::new(),
    };
    Ok(page(&ProcessesPage {
        chrome: Chrome::new(&request, Some(&caller), "admin"),
        here: "processes",
        missing: known.missing().into_iter().map(missing).collect(),
        rows: known.all.iter().map(|process| row(process, known.now)).collect(),
        queues: known.queues.iter().map(queue).collect(),
        lease,
    }))
}

fn missing(role: ProcessRole) -> Missing {
    let means = match role {
        ProcessRole::Scheduler => "no pending job starts",
        ProcessRole::Watcher => "no job is launched, and no end is noticed",
        ProcessRole::Web => "nobody reaches pages and API",
        ProcessRole::Archive => "no files are deleted",
        ProcessRole::Ftp => "nobody uploads files",
        ProcessRole::Up => "nothing runs",
    };
    Missing { role: role.as_str(), means }
}

fn row(process: &ProcessStatus, now: Timestamp) -> Row {
    let (state, tone) = match (process.is_alive_at(now), process.leader) {
        (false, _) => ("dead", "bad"),
        (true, true) => ("leads", "run"),
        (true, false) => ("lives", "good"),
    };
    Row {
        id: process.id.clone(),
        role: process.role.as_str(),
        state,
        tone,
        host: process.host.clone(),
        pid: process.pid,
        version: process.version.clone(),
        up: duration(process.uptime_at(now)),
        started: Date::of(process.started),
        seen: format!("{} s", now.since(process.seen).as_secs()),
        address: process.address.clone().unwrap_or_default(),
    }
}

fn queue(depth: &Depth) -> Queue {
    let lag = depth.lag.filter(|_| depth.waiting > 0).map(duration).unwrap_or_default();
    Queue { role: depth.role.as_str(), waiting: depth.waiting, lag }
}
