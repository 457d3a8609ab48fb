use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::graph::{Graph, graph};
use super::output::{Output, output};
use super::repeat::command_line;
use super::timeline::Timeline;
use super::used::{Used, used};
use super::view::{Action, Detail, actions, details, node_link};
use crate::domain::{Job, JobId, Phase, Place};
use crate::store::Page;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::{job_use, jobs};

#[derive(Deserialize)]
pub struct Asked {
    /// Of an array: jobs to pass over.
    #[serde(default)]
    skip: u64,
    /// What was just done.
    #[serde(default)]
    did: String,
}

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    chrome: Chrome,
    id: JobId,
    name: String,
    description: String,
    told: String,
    phase: &'static str,
    state: String,
    tone: &'static str,
    sentence: String,
    actions: Vec<Action>,
    timeline: Timeline,
    array: Option<Array>,
    follow: bool,
    output: Output,
    used: Option<Used>,
    /// Said in place of output.
    /// There is output to search and to fetch, or there may be.
    has_log: bool,
    no_output: String,
    no_files: String,
    graph: Option<Graph>,
    details: Vec<Detail>,
    tags: Vec<String>,
    /// A child of an array has the array's tags.
    own_tags: bool,
    retries: u32,
    attempts: Vec<Launched>,
    script: String,
    repeat: String,
}

struct Array {
    children: Vec<Child>,
    over: u32,
    failed: u32,
    total: u32,
    newer: Option<String>,
    older: Option<String>,
}

struct Child {
    id: JobId,
    index: String,
    state: String,
    tone: &'static str,
    duration: String,
}

/// A launch of the job, and what became of it.
struct Launched {
    number: u32,
    node: String,
    link: String,
    outcome: String,
    tone: &'static str,
}

const CHILDREN: u64 = 50;

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    id: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let id: JobId = id.parse().map_err(|_| failed(ApiError::NotFound("job")))?;
    let job = jobs::visible(&site, &caller, id).await.map_err(failed)?;
    let chrome = Chrome::new(&request, Some(&caller), "jobs");
    let shown = job_page(&site, chrome, &caller, &job, &asked).await.map_err(failed)?;
    Ok(page(&shown))
}

async fn job_page(site: &Site, chrome: Chrome, caller: &Caller, job: &Job, asked: &Asked) -> Result<JobPage, ApiError> {
    let now = site.clock.now();
    let words = &chrome.words;
    let waiting = if job.state.phase() == Phase::Pending { site.queue.explain(&[job.id]).await } else { Vec::new() };
    let (state, tone) = words.state(job);
    let may_purge = caller.may_manage(&job.owner.user);
    let (no_output, no_files) = match job.state.phase() {
        Phase::Pending | Phase::Starting | Phase::Running => ("job-no-output-yet", "job-no-files-yet"),
        Phase::Over => ("job-no-output", "job-no-files"),
        Phase::Archived => ("job-output-archived", "job-files-archived"),
    };
    let output = output(site, words, job).await?;
    let may_come = matches!(job.state.phase(), Phase::Starting | Phase::Running);
    let has_log = may_come || !(output.log.text.is_empty() && output.err.text.is_empty());
    Ok(JobPage {
        id: job.id,
        name: job.spec.name.clone(),
        description: job.spec.description.clone(),
        told: told(&chrome, &asked.did),
        phase: job.state.phase().as_str(),
        state,
        tone,
        sentence: words.sentence(job, waiting.first()),
        actions: actions(&chrome, job, &site.queue.executors(), may_purge),
        timeline: Timeline::of(&chrome, job, now),
        array: array(site, &chrome, job, asked.skip).await?,
        follow: job.state.is_active(),
        output,
        has_log,
        used: used(&chrome, &job_use::of(site, caller, job.id, None).await?),
        no_output: chrome.t(no_output),
        no_files: chrome.t(no_files),
        graph: graph(site, &chrome, caller, job).await?,
        details: details(&chrome, job),
        tags: job.spec.tags.clone(),
        own_tags: job.parent().is_none(),
        retries: job.spec.retries,
        attempts: attempts(&chrome, job),
        script: job.spec.script.clone(),
        repeat: command_line(job),
        chrome,
    })
}

fn told(chrome: &Chrome, did: &str) -> String {
    match did {
        "tags" => chrome.t("job-did-tags"),
        "template" => chrome.t("job-did-template"),
        _ => String::new(),
    }
}

/// Those whose node failed, and the last one. There are some to tell of only where there was more than one.
fn attempts(chrome: &Chrome, job: &Job) -> Vec<Launched> {
    if job.failed_nodes.is_empty() {
        return Vec::new();
    }
    let failed = |(at, node): (usize, &String)| Launched {
        number: at as u32 + 1,
        node: node.clone(),
        link: node_link(chrome, node),
        outcome: chrome.t("job-node-failed"),
        tone: "bad",
    };
    let mut attempts: Vec<Launched> = job.failed_nodes.iter().enumerate().map(failed).collect();
    if let Some(attempt) = job.state.attempt().filter(|attempt| attempt.number as usize > attempts.len()) {
        let (outcome, tone) = chrome.words.state(job);
        let (node, link) = (attempt.node.clone(), node_link(chrome, &attempt.node));
        attempts.push(Launched { number: attempt.number, node, link, outcome, tone });
    }
    attempts
}

async fn array(site: &Site, chrome: &Chrome, job: &Job, skip: u64) -> Result<Option<Array>, ApiError> {
    let Place::ArrayParent { children: total, over, failed } = job.place else { return Ok(None) };
    let now = site.clock.now();
    let children = site.store.children(job.id, Page { skip, limit: Some(CHILDREN) }).await?;
    let child = |job: &Job| {
        let (state, tone) = chrome.words.state(job);
        Child {
            id: job.id,
            index: match job.place {
                Place::ArrayChild { index, .. } => index.to_string(),
                Place::Single | Place::ArrayParent { .. } => String::new(),
            },
            state,
            tone,
            duration: chrome.words.run_time(job, now),
        }
    };
    let link = |skip: u64| format!("/jobs/{}?skip={skip}#array", job.id);
    Ok(Some(Array {
        children: children.iter().map(child).collect(),
        over,
        failed,
        total,
        newer: (skip > 0).then(|| link(skip.saturating_sub(CHILDREN))),
        older: (skip.saturating_add(CHILDREN) < u64::from(total)).then(|| link(skip + CHILDREN)),
    }))
}
