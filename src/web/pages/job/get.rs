use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::view::{Action, Fact, actions, facts};
use crate::domain::{Job, JobId, Phase, Place};
use crate::files::{FileError, JobDirectory};
use crate::store::Page;
use crate::web::Site;
use crate::web::error::ApiError;
use crate::web::jobs::{self, blocking};
use crate::web::log_follow::begun;
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::pages::files::{FileRow, file_rows};
use crate::web::pages::text::{self, Date};

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    skip: u64,
}

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    chrome: Chrome,
    id: String,
    name: String,
    description: String,
    phase: &'static str,
    state: &'static str,
    tone: &'static str,
    sentence: String,
    actions: Vec<Action>,
    submitted: Date,
    started: Option<Date>,
    ended: Option<Date>,
    duration: String,
    children: Vec<Child>,
    children_over: u32,
    children_total: u32,
    newer: Option<String>,
    older: Option<String>,
    follow: bool,
    log: String,
    log_at: u64,
    log_cut: bool,
    err: String,
    err_at: u64,
    err_cut: bool,
    /// Said in place of output.
    no_output: &'static str,
    files: Vec<FileRow>,
    more_files: usize,
    no_files: &'static str,
    facts: Vec<Fact>,
    dependencies: Vec<DependencyLink>,
    script: String,
}

struct Child {
    id: String,
    index: String,
    state: &'static str,
    tone: &'static str,
    duration: String,
}

struct DependencyLink {
    id: String,
    text: String,
}

/// Of output that is part of the page; the rest is a click away.
const LOG_BYTES: u64 = 64 * 1024;
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
    let shown = job_page(&site, chrome, &job, caller.may_manage(&job.owner.user), asked.skip).await.map_err(failed)?;
    Ok(page(&shown))
}

async fn job_page(site: &Site, chrome: Chrome, job: &Job, may_purge: bool, skip: u64) -> Result<JobPage, ApiError> {
    let now = site.clock.now();
    let waiting = if job.state.phase() == Phase::Pending { site.queue.explain(&[job.id]).await } else { Vec::new() };
    let (state, tone) = text::state(job);
    let (children_total, children_over) = match job.place {
        Place::ArrayParent { children, over, .. } => (children, over),
        Place::Single | Place::ArrayChild { .. } => (0, 0),
    };
    let children = children(site, job, skip).await?;
    let output = output(site, job).await?;
    let link = |skip: u64| format!("{}/jobs/{}?skip={skip}", chrome.base, job.id);
    Ok(JobPage {
        newer: (skip > 0).then(|| link(skip.saturating_sub(CHILDREN))),
        older: (skip + CHILDREN < u64::from(children_total)).then(|| link(skip + CHILDREN)),
        id: job.id.to_string(),
        name: job.spec.name.clone(),
        description: job.spec.description.clone(),
        phase: job.state.phase().as_str(),
        state,
        tone,
        sentence: text::sentence(job, waiting.first()),
        actions: actions(job, &site.queue.executors(), may_purge),
        submitted: Date::of(job.submitted),
        started: job.state.started().map(Date::of),
        ended: job.state.outcome().map(|outcome| Date::of(outcome.ended)),
        duration: text::run_time(job, now).map_or_else(|| "no time".to_owned(), text::duration),
        children,
        children_over,
        children_total,
        follow: job.state.is_active(),
        log: output.log.text,
        log_at: output.log.at,
        log_cut: output.log.cut,
        err: output.err.text,
        err_at: output.err.at,
        err_cut: output.err.cut,
        no_output: if job.state.is_active() { "Nothing yet." } else { "It wrote nothing." },
        no_files: if job.state.phase() == Phase::Archived {
            "They were deleted when the job was archived."
        } else {
            "None yet."
        },
        files: output.files,
        more_files: output.more_files,
        facts: facts(job),
        dependencies: job
            .spec
            .dependencies
            .iter()
            .map(|dependency| DependencyLink { id: dependency.job.to_string(), text: dependency.to_string() })
            .collect(),
        script: job.spec.script.clone(),
        chrome,
    })
}

async fn children(site: &Site, job: &Job, skip: u64) -> Result<Vec<Child>, ApiError> {
    if !job.is_array_parent() {
        return Ok(Vec::new());
    }
    let now = site.clock.now();
    let children = site.store.children(job.id, Page { skip, limit: Some(CHILDREN) }).await?;
    let child = |job: &Job| {
        let (state, tone) = text::state(job);
        Child {
            id: job.id.to_string(),
            index: match job.place {
                Place::ArrayChild { index, .. } => index.to_string(),
                Place::Single | Place::ArrayParent { .. } => String::new(),
            },
            state,
            tone,
            duration: text::run_time(job, now).map_or_else(|| "–".to_owned(), text::duration),
        }
    };
    Ok(children.iter().map(child).collect())
}

#[derive(Default)]
struct Output {
    log: Tail,
    err: Tail,
    files: Vec<FileRow>,
    more_files: usize,
}

/// The end of a file, and where it ends.
#[derive(Default)]
struct Tail {
    text: String,
    at: u64,
    cut: bool,
}

async fn output(site: &Site, job: &Job) -> Result<Output, ApiError> {
    if job.is_array_parent() {
        return Ok(Output::default());
    }
    let id = job.id;
    let directory = match site.files.open(id).await {
        Ok(directory) => directory,
        Err(FileError::NotFound) => return Ok(Output::default()),
        Err(error) => return Err(error.into()),
    };
    let read = blocking(move || {
        let (files, more_files) = file_rows(id, "", &directory.list("")?, 0);
        let (log, err) = (tail(&directory, "god.log")?, tail(&directory, "god.err")?);
        Ok::<_, FileError>(Output { log, err, files, more_files })
    });
    Ok(read.await?)
}

fn tail(directory: &JobDirectory, name: &str) -> Result<Tail, FileError> {
    use std::io::{Read, Seek, SeekFrom};
    let mut opened = match directory.open_file(name) {
        Ok(opened) => opened,
        Err(FileError::NotFound | FileError::NotAFile | FileError::Outside) => return Ok(Tail::default()),
        Err(error) => return Err(error),
    };
    let from = opened.size.saturating_sub(LOG_BYTES);
    let mut bytes = Vec::new();
    opened.file.seek(SeekFrom::Start(from)).map_err(FileError::Io)?;
    opened.file.take(opened.size - from).read_to_end(&mut bytes).map_err(FileError::Io)?;
    Ok(tail_of(bytes, from))
}

/// What a page shows of a file's end: whole lines, if it is not the whole file, and whole characters, so that who reads
/// on at `at` begins with one.
fn tail_of(mut bytes: Vec<u8>, from: u64) -> Tail {
    bytes.truncate(bytes.len() - begun(&bytes));
    let at = from + bytes.len() as u64;
    let line = if from > 0 { bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1) } else { 0 };
    Tail { text: String::from_utf8_lossy(&bytes[line..]).into_owned(), at, cut: from > 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_file_is_whole_lines_and_whole_characters() {
        let all = tail_of(b"half\nthen \xe2\x82".to_vec(), 0);
        assert_eq!((all.text.as_str(), all.at, all.cut), ("half\nthen ", 10, false));
        let end = tail_of(b"\x82\xac torn\nwhole\n".to_vec(), 100);
        assert_eq!((end.text.as_str(), end.at, end.cut), ("whole\n", 114, true));
        let one_line = tail_of(b"no end of line".to_vec(), 100);
        assert_eq!(one_line.text, "no end of line");
    }
}
