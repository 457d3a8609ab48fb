//! Directories below the job directory.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::domain::JobId;
use crate::files::{Entry, EntryKind, FileError};
use crate::web::Site;
use crate::web::error::ApiError;
use crate::web::jobs::{self, blocking};
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::pages::text;

/// What a name must not bring into a path of ours.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'/')
    .add(b'\\')
    .add(b'{')
    .add(b'}');

pub struct FileRow {
    pub name: String,
    /// Below the prefix.
    pub link: String,
    pub size: String,
}

pub fn file_rows(id: JobId, path: &str, entries: &[Entry]) -> Vec<FileRow> {
    let path: String = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| format!("{}/", utf8_percent_encode(part, IN_PATH)))
        .collect();
    let row = |entry: &Entry| {
        let name = utf8_percent_encode(&entry.name, IN_PATH);
        match entry.kind {
            EntryKind::Dir => FileRow {
                name: format!("{}/", entry.name),
                link: format!("/jobs/{id}/files/{path}{name}"),
                size: String::new(),
            },
            EntryKind::File | EntryKind::Link | EntryKind::Other => FileRow {
                name: entry.name.clone(),
                link: format!("/api/1.0/task/{id}/files/{path}{name}"),
                size: if entry.kind == EntryKind::File {
                    text::bytes(entry.size)
                } else {
                    "not a plain file".to_owned()
                },
            },
        }
    };
    entries.iter().map(row).collect()
}

#[derive(Template)]
#[template(path = "files.html")]
struct FilesPage {
    chrome: Chrome,
    id: String,
    path: String,
    files: Vec<FileRow>,
}

pub async fn files(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    place: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let (id, path) = place.into_inner();
    let id: JobId = id.parse().map_err(|_| failed(ApiError::NotFound("job")))?;
    jobs::visible(&site, &caller, id).await.map_err(failed)?;
    let listed = list(&site, id, path.trim_matches('/').to_owned()).await;
    let (path, entries) = listed.map_err(|error| failed(error.into()))?;
    let files = file_rows(id, &path, &entries);
    Ok(page(&FilesPage { chrome: Chrome::new(&request, Some(&caller), "jobs"), id: id.to_string(), path, files }))
}

async fn list(site: &Site, id: JobId, path: String) -> Result<(String, Vec<Entry>), FileError> {
    let directory = site.files.open(id).await?;
    blocking(move || {
        let entries = directory.list(&path)?;
        Ok((path, entries))
    })
    .await
}
