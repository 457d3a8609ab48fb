use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::allowed::{Gauge, Shared, gauges, shared, warnings};
use crate::domain::{Job, JobState, Phase, WaitingJob};
use crate::store::{JobFilter, JobOrder, Page, StoreError};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::allowance;
use crate::web::error::ApiError;
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::words::{Date, Words};

/// Of each kind; the list of jobs has all.
const ROWS: usize = 6;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    chrome: Chrome,
    id: String,
    /// A guest whom nobody has activated yet.
    waits_for_activation: bool,
    /// There has never been a job.
    first_time: bool,
    /// How many run and wait, in words.
    summary: String,
    active: Vec<Row>,
    /// There are more than are shown.
    more_active: bool,
    ended: Vec<Row>,
    days: u32,
    gauges: Vec<Gauge>,
    /// What it means that some of it is used up.
    warnings: Vec<String>,
    shared: Shared,
}

struct Row {
    id: String,
    name: String,
    state: String,
    tone: &'static str,
    /// What happens, or why it waits and when it may start, or how it ended.
    said: String,
    /// When it was submitted, of what waits, or when it ended.
    submitted: Option<Date>,
    ended: Option<Date>,
    /// How long it ran, or has run.
    run_time: Option<String>,
    project: Option<String>,
}

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
) -> Result<HttpResponse, PageError> {
    let shown = home_page(&site, &request, &caller).await;
    Ok(page(&shown.map_err(|error| PageError::of(&request, Some(&caller), error))?))
}

async fn home_page(site: &Site, request: &HttpRequest, caller: &Caller) -> Result<HomePage, ApiError> {
    let running = [Phase::Starting, Phase::Running];
    let (runs, waits, ended, run_count, wait_count, allowance) = tokio::try_join!(
        mine(site, caller, &running, JobOrder::IdDescending),
        mine(site, caller, &[Phase::Pending], JobOrder::IdAscending),
        mine(site, caller, &[Phase::Over, Phase::Archived], JobOrder::EndedDescending),
        count(site, caller, &running),
        count(site, caller, &[Phase::Pending]),
        async { allowance::of(site, &caller.user).await },
    )?;
    let ids: Vec<_> = waits.iter().map(|job| job.id).collect();
    let waiting = if ids.is_empty() { Vec::new() } else { site.queue.explain(&ids).await };
    let chrome = Chrome::new(request, Some(caller), "home");
    let words = &chrome.words;
    let rows = |jobs: &[Job]| -> Vec<Row> {
        jobs.iter().map(|job| row(site, words, job, waiting.iter().find(|one| one.job == job.id))).collect()
    };
    let mut active = rows(&runs);
    active.extend(rows(&waits));
    let summary = [("home-run", run_count), ("home-wait", wait_count)];
    let summary = summary.map(|(id, count)| words.with(id).set("count", count as f64).to_string());
    Ok(HomePage {
        id: caller.id().to_string(),
        waits_for_activation: !caller.user.may_submit(),
        first_time: active.is_empty() && ended.is_empty(),
        summary: summary.join(" "),
        more_active: run_count + wait_count > active.len() as u64,
        active,
        ended: rows(&ended),
        days: allowance.days,
        warnings: warnings(words, &allowance),
        gauges: gauges(words, &allowance),
        shared: shared(words, &site.config.scheduler.policy, &allowance),
        chrome,
    })
}

fn filter(caller: &Caller, phases: &[Phase], order: JobOrder) -> JobFilter {
    JobFilter { owner: Some(caller.id().clone()), phases: phases.to_vec(), order, ..JobFilter::default() }
}

async fn mine(site: &Site, caller: &Caller, phases: &[Phase], order: JobOrder) -> Result<Vec<Job>, ApiError> {
    Ok(site.store.list(&filter(caller, phases, order), Page::first(ROWS as u64)).await?)
}

async fn count(site: &Site, caller: &Caller, phases: &[Phase]) -> Result<u64, ApiError> {
    let count: Result<u64, StoreError> = site.store.count(&filter(caller, phases, JobOrder::IdAscending)).await;
    Ok(count?)
}

fn row(site: &Site, words: &Words, job: &Job, waiting: Option<&WaitingJob>) -> Row {
    let (state, tone) = words.state(job);
    let waits = matches!(job.state, JobState::Pending { .. });
    Row {
        id: job.id.to_string(),
        name: job.spec.name.clone(),
        state,
        tone,
        said: match job.state.outcome() {
            // The word beside it says it all.
            Some(outcome) if outcome.ending.is_ok() => String::new(),
            Some(outcome) => words.ended(job, outcome),
            None => words.sentence(job, waiting),
        },
        submitted: waits.then(|| words.date(job.submitted)),
        ended: job.state.outcome().map(|outcome| words.date(outcome.ended)),
        run_time: job.state.started().map(|_| words.run_time(job, site.clock.now())),
        project: Some(&job.owner.project).filter(|project| !project.is_default()).map(ToString::to_string),
    }
}
