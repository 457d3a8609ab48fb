use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::domain::{Job, Phase, Place, ProjectId, Timestamp, WaitingJob};
use crate::store::{JobFilter, JobOrder, Page, StoreError};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::pages::text::{self, Date};

#[derive(Deserialize)]
pub struct Asked {
    over: Option<u8>,
    /// Of all users; for administrators.
    all: Option<u8>,
    /// Of everybody in a project whose members share theirs.
    project: Option<String>,
    #[serde(default)]
    skip: u64,
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    chrome: Chrome,
    over: bool,
    all: bool,
    admin: bool,
    /// Projects whose jobs their members share.
    shared: Vec<String>,
    /// That of these which is shown.
    project: Option<String>,
    rows: Vec<Row>,
    /// Some of them can be archived.
    archivable: bool,
    /// Not the first page: there may be nothing on it.
    later: bool,
    newer: Option<String>,
    older: Option<String>,
}

struct Row {
    id: String,
    /// Its files are kept.
    archivable: bool,
    name: String,
    owner: String,
    state: &'static str,
    tone: &'static str,
    /// Why it waits, or how far an array is.
    note: String,
    image: String,
    cpu: String,
    ram: String,
    date: Date,
    duration: String,
}

const ROWS: u64 = 50;

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let (over, all) = (asked.over == Some(1), asked.all == Some(1) && caller.is_admin());
    let project = caller.shared.iter().find(|project| Some(project.as_str()) == asked.project.as_deref());
    let jobs = list(&site, &caller, over, all, project, asked.skip).await;
    let mut jobs = jobs.map_err(|error| PageError::of(&request, Some(&caller), error.into()))?;
    let more = jobs.len() as u64 > ROWS;
    jobs.truncate(ROWS as usize);
    let ids: Vec<_> = jobs.iter().filter(|job| job.state.phase() == Phase::Pending).map(|job| job.id).collect();
    let waiting = if ids.is_empty() { Vec::new() } else { site.queue.explain(&ids).await };
    let now = site.clock.now();
    let rows: Vec<Row> = jobs.iter().map(|job| row(job, waiting.iter().find(|w| w.job == job.id), now)).collect();
    let chrome = Chrome::new(&request, Some(&caller), "jobs");
    let link = |skip: u64| {
        let (base, over, all) = (&chrome.base, if over { "over=1&" } else { "" }, if all { "all=1&" } else { "" });
        let project = project.map_or_else(String::new, |project| format!("project={project}&"));
        format!("{base}/jobs?{over}{all}{project}skip={skip}")
    };
    let newer = (asked.skip > 0).then(|| link(asked.skip.saturating_sub(ROWS)));
    let older = more.then(|| link(asked.skip + ROWS));
    Ok(page(&JobsPage {
        over,
        all: all || project.is_some(),
        admin: caller.is_admin(),
        shared: caller.shared.iter().map(ToString::to_string).collect(),
        project: project.map(ToString::to_string),
        archivable: rows.iter().any(|row| row.archivable),
        rows,
        later: asked.skip > 0,
        newer,
        older,
        chrome,
    }))
}

async fn list(
    site: &Site,
    caller: &Caller,
    over: bool,
    all: bool,
    project: Option<&ProjectId>,
    skip: u64,
) -> Result<Vec<Job>, StoreError> {
    let filter = JobFilter {
        owner: (!all && project.is_none()).then(|| caller.id().clone()),
        project: project.cloned(),
        phases: if over { vec![Phase::Over, Phase::Archived] } else { Phase::ACTIVE.to_vec() },
        order: if over { JobOrder::EndedDescending } else { JobOrder::IdDescending },
        ..JobFilter::default()
    };
    // One more than is shown tells whether there is another page, without counting them all.
    site.store.list(&filter, Page { skip, limit: Some(ROWS + 1) }).await
}

fn row(job: &Job, waiting: Option<&WaitingJob>, now: Timestamp) -> Row {
    let (state, tone) = text::state(job);
    let note = match (&job.place, waiting) {
        (Place::ArrayParent { children, over, .. }, _) => format!("{over} of {children}"),
        (_, Some(waiting)) => waiting.reason.to_string(),
        _ => job
            .state
            .outcome()
            .and_then(|o| o.exit_code)
            .filter(|c| *c != 0)
            .map_or_else(String::new, |c| format!("exit {c}")),
    };
    Row {
        id: job.id.to_string(),
        archivable: job.state.phase() == Phase::Over,
        name: job.spec.name.clone(),
        owner: job.owner.user.to_string(),
        state,
        tone,
        note,
        image: job.spec.image.clone(),
        cpu: job.spec.resources.cpu.to_string(),
        ram: job.spec.resources.ram.to_string(),
        date: Date::of(job.state.outcome().map_or(job.submitted, |outcome| outcome.ended)),
        duration: text::run_time(job, now).map_or_else(|| "–".to_owned(), text::duration),
    }
}
