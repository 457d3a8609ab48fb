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

/// A page lists so many names; programs ask the API for more.
const MOST_ROWS: usize = 1000;

/// Rows for a page, and how many are left out.
pub fn file_rows(id: JobId, path: &str, entries: &[Entry]) -> (Vec<FileRow>, usize) {
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
    (entries.iter().take(MOST_ROWS).map(row).collect(), entries.len().saturating_sub(MOST_ROWS))
}

#[derive(Template)]
#[template(path = "files.html")]
struct FilesPage {
    chrome: Chrome,
    id: String,
    path: String,
    /// Below the prefix, the directory above.
    up: String,
    files: Vec<FileRow>,
    more_files: usize,
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
    let (files, more_files) = file_rows(id, &path, &entries);
    let up = up(id, &path);
    let chrome = Chrome::new(&request, Some(&caller), "jobs");
    Ok(page(&FilesPage { chrome, id: id.to_string(), path, up, files, more_files }))
}

fn up(id: JobId, path: &str) -> String {
    match path.rsplit_once('/') {
        Some((above, _)) => {
            let parts: Vec<_> = above.split('/').map(|part| utf8_percent_encode(part, IN_PATH).to_string()).collect();
            format!("/jobs/{id}/files/{}", parts.join("/"))
        }
        None => format!("/jobs/{id}"),
    }
}

async fn list(site: &Site, id: JobId, path: String) -> Result<(String, Vec<Entry>), FileError> {
    let directory = site.files.open(id).await?;
    blocking(move || {
        let entries = directory.list(&path)?;
        Ok((path, entries))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn entry(name: &str, kind: EntryKind) -> Entry {
        Entry { name: name.to_owned(), kind, size: 7, modified: Timestamp(0) }
    }

    #[test]
    fn names_lead_only_to_themselves() {
        let entries = [entry("a b#c?&\"<.txt", EntryKind::File), entry("..%2f", EntryKind::Dir)];
        let (rows, _) = file_rows(JobId(7), "of x/deep", &entries);
        assert_eq!(rows[0].link, "/api/1.0/task/7/files/of%20x/deep/a%20b%23c%3F&%22%3C.txt");
        assert_eq!(rows[1].link, "/jobs/7/files/of%20x/deep/..%252f");
        assert_eq!(up(JobId(7), "of x/deep/er"), "/jobs/7/files/of%20x/deep");
        assert_eq!(up(JobId(7), "deep"), "/jobs/7");
    }

    #[test]
    fn a_directory_of_many_files_is_shown_in_part() {
        let entries: Vec<_> = (0..MOST_ROWS + 5).map(|n| entry(&n.to_string(), EntryKind::File)).collect();
        let (rows, more) = file_rows(JobId(7), "", &entries);
        assert_eq!((rows.len(), more), (MOST_ROWS, 5));
    }
}
