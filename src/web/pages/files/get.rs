use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::listing::{self, Crumb, Listing, crumbs};
use super::look::{Content, Seen, look};
use super::search::Found;
use super::window::{Spot, Window};
use crate::domain::JobId;
use crate::web::Site;
use crate::web::error::ApiError;
use crate::web::jobs::{self, blocking};
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::shown::Shown;
use crate::web::words::{Date, Words};

#[derive(Deserialize)]
pub struct Asked {
    /// Of a directory: names to pass over.
    #[serde(default)]
    skip: usize,
    /// Of a text: where to begin, in bytes, and the number of that line if it is known.
    #[serde(default)]
    offset: u64,
    line: Option<u64>,
    /// What to look for.
    #[serde(default)]
    q: String,
}

#[derive(Template)]
#[template(path = "file.html")]
struct FilePage {
    chrome: Chrome,
    id: String,
    name: String,
    crumbs: Vec<Crumb>,
    size: String,
    modified: Date,
    /// Below the prefix: the bytes themselves.
    raw: String,
    /// Below the prefix: this page without a query.
    here: String,
    q: String,
    view: View,
}

enum View {
    Text(Part),
    Found(Matches),
    /// Its width and height in pixels, where they are known.
    Picture(Option<(usize, usize)>),
    Pdf,
    Data,
}

/// A window with its links, each a query.
struct Part {
    /// `None` where it is not known.
    first: Option<u64>,
    lines: Vec<Line>,
    before: Option<String>,
    after: Option<String>,
    last: Option<String>,
}

struct Line {
    number: u64,
    text: String,
}

struct Matches {
    rows: Vec<MatchRow>,
    more: Option<String>,
    from_start: bool,
}

struct MatchRow {
    link: String,
    line: String,
    text: String,
}

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    place: web::Path<(String, String)>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let (id, path) = place.into_inner();
    let id: JobId = id.parse().map_err(|_| failed(ApiError::NotFound("job")))?;
    jobs::visible(&site, &caller, id).await.map_err(failed)?;
    let path = path.trim_matches('/').to_owned();
    let asked = asked.into_inner();
    let seen = seen(&site, id, path.clone(), Spot { offset: asked.offset, line: asked.line }, asked.q.clone()).await;
    let chrome = Chrome::new(&request, Some(&caller), "jobs");
    match seen.map_err(failed)? {
        Seen::Directory(entries) => Ok(page(&Listing::new(chrome, id, &path, &entries, asked.skip))),
        Seen::File { size, modified, content } => {
            let (crumbs, name) = crumbs(&chrome.words, id, &path);
            let encoded = listing::encoded(&path);
            let words = chrome.words.clone();
            Ok(page(&FilePage {
                chrome,
                id: id.to_string(),
                name,
                crumbs,
                size: words.bytes(size),
                modified: words.date(modified),
                raw: format!("/api/1.0/task/{id}/files/{encoded}"),
                here: format!("/jobs/{id}/files/{encoded}"),
                view: view(&words, content, size, &asked),
                q: asked.q,
            }))
        }
    }
}

async fn seen(site: &Site, id: JobId, path: String, at: Spot, needle: String) -> Result<Seen, ApiError> {
    let directory = site.files.open(id).await?;
    let seen = blocking(move || look(&directory, &path, at, &needle));
    Ok(seen.await?)
}

fn view(words: &Words, content: Content, size: u64, asked: &Asked) -> View {
    match content {
        Content::Text(window) => View::Text(part(window, size)),
        Content::Found(found) => View::Found(matches(words, found, asked)),
        Content::Shown(Shown::Picture(_), size) => View::Picture(size),
        Content::Shown(Shown::Pdf, _) => View::Pdf,
        Content::Data => View::Data,
    }
}

fn query(spot: Spot) -> String {
    match spot {
        Spot { offset: 0, .. } => String::new(),
        Spot { offset, line: Some(line) } => format!("?offset={offset}&line={line}"),
        Spot { offset, line: None } => format!("?offset={offset}"),
    }
}

fn part(window: Window, size: u64) -> Part {
    let first = window.first.line;
    let line = |(index, text): (usize, String)| Line { number: first.unwrap_or(1) + index as u64, text };
    Part {
        first,
        lines: window.lines.into_iter().enumerate().map(line).collect(),
        // The end, and what leads to it from there.
        last: window.after.map(|_| format!("?offset={size}")),
        before: window.before.map(query),
        after: window.after.map(query),
    }
}

fn matches(words: &Words, found: Found, asked: &Asked) -> Matches {
    let q = utf8_percent_encode(&asked.q, NON_ALPHANUMERIC);
    let row = |found: super::search::Match| {
        let anchor = found.line.map_or_else(String::new, |line| format!("#L{line}"));
        MatchRow {
            link: format!("{}{anchor}", query(found.around)),
            line: found.line.map_or_else(
                || words.t("files-a-line"),
                |line| words.with("files-line").set("number", line.to_string()).to_string(),
            ),
            text: found.text,
        }
    };
    Matches {
        rows: found.matches.into_iter().map(row).collect(),
        more: found.more.map(|spot| format!("{}&q={q}", query(spot))),
        from_start: asked.offset == 0,
    }
}
