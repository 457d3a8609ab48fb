use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::files::{Entry, EntryKind};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::data;
use crate::web::error::ApiError;
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::pages::said::{Said, said};
use crate::web::words::{Date, Words};

/// A page lists so many names; programs ask the API for more.
const MOST_ROWS: usize = 1000;

#[derive(Template)]
#[template(path = "data.html")]
pub(super) struct DataPage {
    chrome: Chrome,
    /// The folder, encoded for links: empty or with a slash at its end.
    link: String,
    /// From the top to this one: name and link.
    crumbs: Vec<(String, String)>,
    rows: Vec<Row>,
    more: usize,
    used: u64,
    used_text: String,
    quota: u64,
    quota_text: String,
    /// Bytes that still fit; empty where there is no limit.
    left: String,
    may_write: bool,
    ftp: Option<String>,
    fault: Option<Said>,
}

struct Row {
    name: String,
    link: String,
    is_folder: bool,
    is_file: bool,
    size: String,
    modified: Date,
}

pub async fn root(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
) -> Result<HttpResponse, PageError> {
    shown(&site, &request, &caller, "").await
}

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    shown(&site, &request, &caller, &path).await
}

async fn shown(site: &Site, request: &HttpRequest, caller: &Caller, path: &str) -> Result<HttpResponse, PageError> {
    let built = data_page(site, request, caller, path.trim_matches('/'), None).await;
    Ok(page(&built.map_err(|error| PageError::of(request, Some(caller), error))?))
}

pub(super) async fn data_page(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    path: &str,
    fault: Option<&ApiError>,
) -> Result<DataPage, ApiError> {
    let asked = path.to_owned();
    let mut entries = data::within(site, caller, move |space| space.list(&asked)).await?;
    entries.sort_by_key(|entry| entry.kind != EntryKind::Dir);
    let usage = data::usage(site, caller).await?;
    let settings = &site.config.ftp;
    let listens = settings.with_up && !settings.listen.is_unspecified();
    let host = settings.public_host.clone().or_else(|| listens.then(|| settings.listen.to_string()));
    let chrome = Chrome::new(request, Some(caller), "data");
    let words = &chrome.words;
    Ok(DataPage {
        link: folder_link(path),
        crumbs: crumbs(path),
        more: entries.len().saturating_sub(MOST_ROWS),
        rows: entries.iter().take(MOST_ROWS).map(|entry| row(words, entry)).collect(),
        used: usage.used,
        used_text: words.bytes(usage.used),
        quota: usage.quota,
        quota_text: words.bytes(usage.quota),
        left: if usage.quota == 0 { String::new() } else { usage.quota.saturating_sub(usage.used).to_string() },
        may_write: caller.user.may_submit(),
        ftp: host.map(|host| format!("{host}:{}", settings.port)),
        fault: fault.map(|error| said(words, error)),
        chrome,
    })
}

fn row(words: &Words, entry: &Entry) -> Row {
    Row {
        name: entry.name.clone(),
        link: encoded(&entry.name),
        is_folder: entry.kind == EntryKind::Dir,
        is_file: entry.kind == EntryKind::File,
        size: match entry.kind {
            EntryKind::File => words.bytes(entry.size),
            EntryKind::Dir => String::new(),
            EntryKind::Link | EntryKind::Other => words.t("data-odd"),
        },
        modified: words.date(entry.modified),
    }
}

fn encoded(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

pub(super) fn folder_link(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty()).map(|part| encoded(part) + "/").collect()
}

fn crumbs(path: &str) -> Vec<(String, String)> {
    let mut link = String::new();
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            link = format!("{link}/{}", encoded(part));
            (part.to_owned(), link.clone())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_only_to_themselves() {
        assert_eq!(folder_link("a b/c?#"), "a%20b/c%3F%23/");
        assert_eq!(folder_link(""), "");
        let crumbs = crumbs("a/..%2f");
        assert_eq!(crumbs[1], ("..%2f".to_owned(), "/a/%2E%2E%252f".to_owned()));
    }
}
