//! How the site does: load, queue, waiting times, use, failures, nodes.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::domain::{Ending, EndingKind, Phase, Rejection};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::chart::{Chart, Series, Shape, Unit, gauge, tone};
use crate::web::error::ApiError;
use crate::web::overview::{DAYS, Overview, overview};
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::processes::processes;
use crate::web::words::Words;

/// Days that are looked back unless asked otherwise.
const USUALLY: u32 = 7;
/// Of each list; the rest is a link away.
const ROWS: usize = 10;

#[derive(Template)]
#[template(path = "admin_overview.html")]
struct OverviewPage {
    chrome: Chrome,
    here: &'static str,
    days: u32,
    /// The spans there are, in words.
    spans: Vec<(u32, String)>,
    away: Vec<(String, String)>,
    /// Roles that nobody has.
    missing: Vec<String>,
    /// What it counts, how many, and where they are listed.
    counts: Vec<(String, String, &'static str)>,
    load: Vec<Part>,
    nodes: Vec<NodeRow>,
    more_nodes: usize,
    /// `None`: the scheduler does not answer.
    reasons: Option<Vec<Part>>,
    waited: Option<(String, String)>,
    waits: String,
    waits_of_projects: Vec<(String, String, String)>,
    users: Vec<Part>,
    endings: Vec<Part>,
    ended: String,
    /// Not all that ended were looked at.
    sampled: bool,
}

/// Something, how much of it there is, as a picture.
struct Part {
    name: String,
    text: String,
    picture: String,
    /// Below the site's prefix.
    link: Option<String>,
}

struct NodeRow {
    name: String,
    state: String,
    tone: &'static str,
    cpu: String,
    picture: String,
}

#[derive(Deserialize)]
pub struct Asked {
    days: Option<u32>,
}

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let shown = overview_page(&site, &request, &caller, asked.days.unwrap_or(USUALLY)).await;
    Ok(page(&shown.map_err(|error| PageError::of(&request, Some(&caller), error))?))
}

async fn overview_page(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    days: u32,
) -> Result<OverviewPage, ApiError> {
    let (found, known) = tokio::join!(overview(site, days), processes(site));
    let found = found?;
    let chrome = Chrome::new(request, Some(caller), "admin");
    let words = &chrome.words;
    let all: u64 = found.ends.by_ending.iter().map(|(_, jobs)| jobs).sum();
    let nodes = nodes(words, &found);
    Ok(OverviewPage {
        here: "overview",
        days,
        spans: DAYS.map(|days| (days, words.with("admin-days").set("days", days).to_string())).to_vec(),
        away: found.away.clone(),
        // Whoever looks at it here has the store's answer already; that of the status plugin may be missing.
        missing: known.map(|known| known.missing()).unwrap_or_default().iter().map(|r| r.as_str().to_owned()).collect(),
        counts: counts(words, &found),
        load: load(words, &found),
        more_nodes: nodes.len().saturating_sub(ROWS),
        nodes: nodes.into_iter().take(ROWS).collect(),
        reasons: found.reasons.as_ref().map(|reasons| {
            let most = reasons.iter().map(|reason| reason.jobs).max().unwrap_or(1);
            let part = |reason: &crate::domain::ReasonCount| Part {
                name: words.reason(&reason.reason),
                text: words.count(reason.jobs),
                picture: gauge(reason.jobs as f64 / most.max(1) as f64, None, "fine"),
                link: None,
            };
            reasons.iter().map(part).collect()
        }),
        waited: found.ends.waiting.map(|waited| (seconds(words, waited.median), seconds(words, waited.ninetieth))),
        waits: waits(words, &found),
        waits_of_projects: found
            .ends
            .waiting_by_project
            .iter()
            .take(ROWS)
            .map(|(project, waited)| {
                (project.to_string(), seconds(words, waited.median), seconds(words, waited.ninetieth))
            })
            .collect(),
        users: users(words, &found),
        endings: found.ends.by_ending.iter().map(|(kind, jobs)| ending(words, *kind, *jobs, all)).collect(),
        ended: words.with("admin-ended").set("count", all as f64).to_string(),
        sampled: !found.ends.complete,
        chrome,
    })
}

fn seconds(words: &Words, seconds: f64) -> String {
    words.duration(Duration::from_secs_f64(seconds.max(0.0)))
}

fn counts(words: &Words, found: &Overview) -> Vec<(String, String, &'static str)> {
    let of = |(phase, jobs): &(Phase, u64)| {
        let (id, link) = match phase {
            Phase::Pending => ("admin-pending", "/jobs?user=%2A&state=pending"),
            Phase::Starting => ("admin-starting", "/jobs?user=%2A&state=starting"),
            Phase::Running => ("admin-running", "/jobs?user=%2A&state=running"),
            Phase::Over | Phase::Archived => ("admin-over", "/jobs?user=%2A&state=over"),
        };
        (words.t(id), words.count(*jobs), link)
    };
    found.jobs.iter().map(of).collect()
}

/// What our jobs hold of all nodes that take jobs.
fn load(words: &Words, found: &Overview) -> Vec<Part> {
    let is_away = |executor: &str| found.away.iter().any(|(name, _)| name == executor);
    let ready = || found.nodes.iter().filter(|seen| !seen.node.drained && !is_away(&seen.node.executor));
    let part = |name: &str, text: &'static str, used: f64, total: f64| {
        let part = if total > 0.0 { used / total } else { 0.0 };
        Part {
            name: words.t(name),
            text: words.with(text).set("used", words.number(used, 1)).set("total", words.number(total, 1)).to_string(),
            picture: gauge(part, None, "fine"),
            link: None,
        }
    };
    let cpu = (ready().map(|n| n.used.cpu.as_f64()).sum(), ready().map(|n| n.node.total.cpu.as_f64()).sum());
    let ram = (ready().map(|n| n.used.ram.as_gb()).sum(), ready().map(|n| n.node.total.ram.as_gb()).sum());
    let gpus: (u32, u32) = (ready().map(|n| n.used.gpus).sum(), ready().map(|n| n.node.total.gpus).sum());
    let mut parts =
        vec![part("admin-cpu", "admin-cores-of", cpu.0, cpu.1), part("admin-memory", "admin-gb-of", ram.0, ram.1)];
    if gpus.1 > 0 {
        parts.push(part("admin-gpu", "admin-gpus-of", f64::from(gpus.0), f64::from(gpus.1)));
    }
    parts
}

/// Those that something is the matter with first, then the fullest.
fn nodes(words: &Words, found: &Overview) -> Vec<NodeRow> {
    let mut nodes: Vec<_> = found
        .nodes
        .iter()
        .map(|seen| {
            let away = found.away.iter().any(|(name, _)| *name == seen.node.executor);
            let total = seen.node.total.cpu.as_f64();
            let part = if total > 0.0 { seen.used.cpu.as_f64() / total } else { 0.0 };
            (!away && !seen.node.drained, part, away, seen)
        })
        .collect();
    nodes.sort_by(|one, other| one.0.cmp(&other.0).then(other.1.total_cmp(&one.1)));
    let row = |(_, part, away, seen): (bool, f64, bool, &crate::domain::NodeUse)| {
        let (state, colour) = match (away, seen.node.drained) {
            (true, _) => ("admin-node-away", "bad"),
            (false, true) => ("admin-node-drained", "wait"),
            (false, false) => ("admin-node-ready", "good"),
        };
        let used = words.number(seen.used.cpu.as_f64(), 1);
        let total = words.number(seen.node.total.cpu.as_f64(), 1);
        NodeRow {
            name: seen.node.name.clone(),
            state: words.t(state),
            tone: colour,
            cpu: words.with("admin-cores-of").set("used", used).set("total", total).to_string(),
            picture: gauge(part, None, "fine"),
        }
    };
    nodes.into_iter().map(row).collect()
}

fn waits(words: &Words, found: &Overview) -> String {
    let days = &found.ends.waiting_by_day;
    if days.len() < 2 {
        return String::new();
    }
    let series = |id: &str, of: fn(&crate::web::overview::Waiting) -> f64| Series {
        name: words.t(id),
        values: days.iter().map(|(_, waited)| of(waited)).collect(),
    };
    let day = |day: i64| {
        let date = crate::web::usage::date(day).to_string();
        date.get(5..).unwrap_or_default().to_owned()
    };
    Chart {
        title: words.t("admin-waits-by-day"),
        shape: Shape::Lines,
        labels: days.iter().map(|(at, _)| day(*at)).collect(),
        series: vec![series("admin-median", |w| w.median), series("admin-ninetieth", |w| w.ninetieth)],
        limit: None,
        unit: Unit::Seconds,
        format: &|value| seconds(words, value),
    }
    .html(words)
}

fn users(words: &Words, found: &Overview) -> Vec<Part> {
    let most = found.users.first().map_or(1.0, |(_, usage)| usage.time.max(1.0));
    let part = |(user, usage): &(crate::domain::UserId, crate::domain::usage::Usage)| Part {
        name: user.to_string(),
        text: words
            .with("admin-used")
            .set("time", seconds(words, usage.time.round()))
            .set("count", usage.jobs as f64)
            .to_string(),
        picture: gauge(usage.time / most, None, "fine"),
        link: Some(format!("/admin/users/{user}")),
    };
    found.users.iter().take(ROWS).map(part).collect()
}

fn ending(words: &Words, kind: EndingKind, jobs: u64, all: u64) -> Part {
    let how = match kind {
        EndingKind::Done => Ending::Done,
        EndingKind::Failed => Ending::Failed,
        EndingKind::Killed => Ending::Killed,
        EndingKind::OutOfMemory => Ending::OutOfMemory,
        EndingKind::TimeLimit => Ending::TimeLimit,
        EndingKind::NodeFailure => Ending::NodeFailure,
        EndingKind::Rejected => Ending::Rejected(Rejection::Impossible),
    };
    let part = jobs as f64 / all.max(1) as f64;
    let colour = if kind == EndingKind::Done { "good" } else { tone(1.0) };
    Part {
        name: words.ending(how).0,
        text: words
            .with("admin-part")
            .set("jobs", words.count(jobs))
            .set("part", words.number(part * 100.0, 1))
            .to_string(),
        picture: gauge(part, None, colour),
        link: Some(format!("/jobs?user=%2A&state={}", kind.as_str())),
    }
}
