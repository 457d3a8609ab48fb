use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::asked::{Asked, SIZES, Which};
use super::chips::{Chip, chips, state_word};
use super::row::{Array, ChildRow, Row, child_row, row};
use crate::domain::{EndingKind, Job, JobId, Phase, Place, Timestamp};
use crate::store::Page;
use crate::store::search::{Found, Start};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::pages::chrome::{Chrome, Visitor, page_with};
use crate::web::pages::error::PageError;
use crate::web::search;

#[derive(Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    chrome: Chrome,
    asked: Asked,
    views: Vec<Link>,
    whose: Vec<Link>,
    saved: Vec<Saved>,
    chips: Vec<Chip>,
    states: Vec<Choice>,
    projects: Vec<String>,
    orders: Vec<Choice>,
    sizes: Vec<Choice>,
    /// Fields whose filters say nothing that can be looked for.
    faults: Vec<String>,
    /// Rows are of several people's jobs.
    of_many: bool,
    rows: Vec<Row>,
    /// Below the prefix.
    newer: Option<String>,
    older: Option<String>,
    /// This page as it is, to come back to.
    here: String,
    /// The list without its filters, among jobs of any state.
    everything: String,
    /// Nothing of this person's was ever narrowed away: there is nothing.
    bare: bool,
    /// The search gave up for now, and goes on where it was.
    tired: bool,
    /// The same as JSON.
    json: String,
    told: String,
    live: bool,
}

struct Link {
    text: String,
    to: String,
    here: bool,
}

/// A list that the reader keeps.
struct Saved {
    name: String,
    to: String,
    here: bool,
}

/// A box or option.
struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

/// Jobs of an array that are shown in the list.
const CHILDREN: u64 = 25;

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    pairs: web::Query<Vec<(String, String)>>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let mut asked = Asked::of(&pairs);
    if asked.rest.user.as_deref() == Some("*") && !caller.is_admin() {
        asked.rest.user = None;
    }
    let (found, faults) = match search::page(&site, &caller, &asked.query()).await {
        Ok(found) => (found, Vec::new()),
        Err(ApiError::Invalid(faults)) => (Found::default(), faults.into_iter().map(|fault| fault.field).collect()),
        Err(error) => return Err(failed(error)),
    };
    // A cursor that is none of ours is in no form: there is nothing to mend on the page.
    let start = asked.rest.start().map_err(failed)?;
    let status = if faults.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let chrome = Chrome::new(&request, Some(&caller), "jobs");
    let rows = rows(&site, &chrome, &asked, start, &found.jobs).await.map_err(failed)?;
    let projects = site.store.projects_of(caller.id()).await.map_err(|error| failed(error.into()))?;
    let projects = projects.iter().map(|project| project.id.to_string()).collect();
    let shown = jobs_page(chrome, &caller, asked, start, found, rows, projects, faults);
    Ok(page_with(status, &shown))
}

async fn rows(site: &Site, chrome: &Chrome, asked: &Asked, start: Start, jobs: &[Job]) -> Result<Vec<Row>, ApiError> {
    let ids: Vec<_> = jobs.iter().filter(|job| job.state.phase() == Phase::Pending).map(|job| job.id).collect();
    let waiting = if ids.is_empty() { Vec::new() } else { site.queue.explain(&ids).await };
    let waiting: HashMap<JobId, _> = waiting.into_iter().map(|waiting| (waiting.job, waiting)).collect();
    let now = site.clock.now();
    let mut rows = Vec::with_capacity(jobs.len());
    for job in jobs {
        let array = array(site, chrome, asked, start, job, now).await?;
        rows.push(row(chrome, job, waiting.get(&job.id), now, array));
    }
    Ok(rows)
}

async fn array(
    site: &Site,
    chrome: &Chrome,
    asked: &Asked,
    start: Start,
    job: &Job,
    now: Timestamp,
) -> Result<Option<Array>, ApiError> {
    let Place::ArrayParent { children, over, .. } = job.place else { return Ok(None) };
    let open = asked.open.contains(&job.id);
    let shown = if open { site.store.children(job.id, Page::first(CHILDREN)).await? } else { Vec::new() };
    let rows: Vec<ChildRow> = shown.iter().map(|child| child_row(chrome, child, now)).collect();
    let more = rows.len() < children as usize;
    Ok(Some(Array { toggle: asked.toggled(job.id, start), open, children, over, rows, more }))
}

#[expect(clippy::too_many_arguments, reason = "a page is made of all there is to show")]
fn jobs_page(
    chrome: Chrome,
    caller: &Caller,
    asked: Asked,
    start: Start,
    found: Found,
    rows: Vec<Row>,
    projects: Vec<String>,
    faults: Vec<String>,
) -> JobsPage {
    let chips = chips(&chrome, &asked);
    let cleared = Asked { which: asked.which.clone(), ..Asked::default() };
    JobsPage {
        views: views(&chrome, &asked),
        whose: whose(&chrome, caller, &asked),
        saved: saved(caller, &asked),
        states: states(&chrome, &asked),
        orders: orders(&chrome, &asked),
        sizes: sizes(&asked),
        faults: faults.iter().map(|field| chrome.t(fault(field))).collect(),
        of_many: rows.iter().any(|row| row.owner != *caller.id().as_str()) || asked.rest.user.is_some(),
        newer: found.previous.map(|cursor| asked.link(Start::Before(cursor))),
        older: found.next.map(|cursor| asked.link(Start::After(cursor))),
        here: asked.link(start),
        everything: Asked { which: Which::Any, ..Asked::default() }.first(),
        bare: chips.is_empty() && asked.rest == cleared.rest,
        tired: found.tired,
        json: format!("/api/1.0/task/search?{}", asked.query().link(start)),
        told: asked.told.as_ref().map_or_else(String::new, |told| told_of(&chrome, told)),
        live: rows.iter().any(|row| row.can == "kill")
            || matches!((&asked.which, start), (Which::Active, Start::First)),
        chips,
        projects,
        rows,
        asked,
        chrome,
    }
}

fn views(chrome: &Chrome, asked: &Asked) -> Vec<Link> {
    let views = [("jobs-active", Which::Active), ("jobs-over", Which::Over), ("jobs-any", Which::Any)];
    let link = |(id, which): (&str, Which)| Link {
        text: chrome.t(id),
        here: asked.which == which,
        to: asked.among(which).first(),
    };
    views.into_iter().map(link).collect()
}

/// Ways from one's own jobs to those of others, where there are any to see.
fn whose(chrome: &Chrome, caller: &Caller, asked: &Asked) -> Vec<Link> {
    let (user, project) = (asked.rest.user.as_deref(), asked.rest.project.as_deref());
    let shared = caller.shared.iter().map(|project| project.as_str());
    let of_project = |name: &str| Link {
        text: chrome.with("jobs-of-project").set("project", name).to_string(),
        to: asked.of_whom(None, Some(name)).first(),
        here: user.is_none() && project == Some(name),
    };
    let mut links: Vec<Link> = shared.map(of_project).collect();
    if caller.is_admin() {
        let everyone = asked.of_whom(Some("*"), None).first();
        links.push(Link { text: chrome.t("jobs-everyone"), to: everyone, here: user == Some("*") });
    }
    if !links.is_empty() {
        let is_own = user.is_none() && links.iter().all(|link| !link.here);
        links.insert(0, Link { text: chrome.t("jobs-mine"), to: asked.of_whom(None, None).first(), here: is_own });
    }
    links
}

fn saved(caller: &Caller, asked: &Asked) -> Vec<Saved> {
    let here = asked.first();
    let saved = |list: &crate::domain::SavedList| {
        let to = if list.query.is_empty() { "/jobs".to_owned() } else { format!("/jobs?{}", list.query) };
        Saved { name: list.name.clone(), here: to == here, to }
    };
    caller.user.preferences.lists.iter().map(saved).collect()
}

fn states(chrome: &Chrome, asked: &Asked) -> Vec<Choice> {
    let phases = Phase::ACTIVE.map(Phase::as_str);
    let words = phases.into_iter().chain(EndingKind::ALL.map(EndingKind::as_str)).chain(["archived"]);
    let choice =
        |word: &str| Choice { value: word.to_owned(), text: state_word(chrome, word), chosen: asked.which.has(word) };
    words.map(choice).collect()
}

fn orders(chrome: &Chrome, asked: &Asked) -> Vec<Choice> {
    let chosen = asked.query().sort.unwrap_or_default();
    let orders = [
        ("submitted", "jobs-order-newest"),
        ("-submitted", "jobs-order-oldest"),
        ("ended", "jobs-order-ended"),
        ("-ended", "jobs-order-ended-first"),
        ("run_time", "jobs-order-longest"),
        ("-run_time", "jobs-order-shortest"),
    ];
    let choice =
        |(value, id): (&str, &str)| Choice { value: value.to_owned(), text: chrome.t(id), chosen: chosen == value };
    orders.into_iter().map(choice).collect()
}

fn sizes(asked: &Asked) -> Vec<Choice> {
    let chosen = asked.rest.limit().unwrap_or_default();
    let choice = |size: usize| Choice { value: size.to_string(), text: size.to_string(), chosen: size == chosen };
    SIZES.map(choice).into_iter().collect()
}

fn fault(field: &str) -> &'static str {
    match field {
        "state" => "jobs-fault-state",
        "user" => "jobs-fault-user",
        "project" => "jobs-fault-project",
        "q" => "jobs-fault-text",
        "from" | "until" | "ended_from" | "ended_until" => "jobs-fault-day",
        _ => "jobs-fault-other",
    }
}

fn told_of(chrome: &Chrome, (what, done, refused): &(String, u64, u64)) -> String {
    let id = match what.as_str() {
        "kill" => "jobs-did-kill",
        "archive" => "jobs-did-archive",
        "tag" => "jobs-did-tag",
        "untag" => "jobs-did-untag",
        "save" => return chrome.t("jobs-did-save"),
        "forget" => return chrome.t("jobs-did-forget"),
        _ => return chrome.t("jobs-did-nothing"),
    };
    let mut told = chrome.with(id).set("count", done).to_string();
    if *refused > 0 {
        told = format!("{told} {}", chrome.with("jobs-did-not").set("count", refused));
    }
    told
}
