//! The files of a job: directories as lists or archives, files as streams.
//!
//! What lies there was written by a job and may be anything: nothing of it may run as ours in a browser.

mod packed;

use std::io::SeekFrom;
use std::os::unix::fs::FileExt;

use actix_web::body::SizedStream;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::range::{Part, part};
use crate::domain::JobId;
use crate::files::{Entry, EntryKind, FileError, Format, OpenedFile};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::jobs::{self, blocking};
use crate::web::shown::Shown;
use crate::web::words::{expected_one_of, says};

const CHUNK: usize = 64 * 1024;
/// Of what is shown as itself: it loads nothing, runs nothing, and is of no origin.
const IN_A_FRAME: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'";

/// How a file or directory is asked for. All of it is optional.
#[derive(Deserialize)]
pub struct Asked {
    /// A directory as one file: `tar` or `zip`.
    archive: Option<String>,
    /// 1: as what it is where a browser may show that, in a frame of our pages.
    inline: Option<u8>,
}

impl Asked {
    fn format(&self) -> Result<Option<Format>, ApiError> {
        match self.archive.as_deref() {
            None => Ok(None),
            Some("tar") => Ok(Some(Format::Tar)),
            Some("zip") => Ok(Some(Format::Zip)),
            Some(_) => Err(ApiError::field("archive", expected_one_of(&["tar", "zip"]))),
        }
    }
}

pub async fn root(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<JobId>,
    asked: web::Query<Asked>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    answer(&site, &caller, *id, "", &asked, &request).await
}

pub async fn file(
    site: web::Data<Site>,
    caller: Caller,
    place: web::Path<(JobId, String)>,
    asked: web::Query<Asked>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let (id, path) = place.into_inner();
    answer(&site, &caller, id, path.trim_end_matches('/'), &asked, &request).await
}

enum Found {
    Directory(Vec<Entry>),
    /// With what of it may be shown.
    File(OpenedFile, Option<Shown>),
}

async fn answer(
    site: &Site,
    caller: &Caller,
    id: JobId,
    path: &str,
    asked: &Asked,
    request: &HttpRequest,
) -> Result<HttpResponse, ApiError> {
    jobs::visible(site, caller, id).await?;
    let format = asked.format()?;
    let directory = match site.files.open(id).await {
        // A job that never began has no directory yet.
        Err(FileError::NotFound) if path.is_empty() && format.is_none() => return Ok(listing(&[])),
        opened => opened?,
    };
    if let Some(format) = format {
        return packed::answer(site, id, directory, path, format).await;
    }
    let (wanted, inline) = (path.to_owned(), asked.inline == Some(1));
    let found = blocking(move || {
        if wanted.is_empty() {
            return directory.list("").map(Found::Directory);
        }
        match directory.open_file(&wanted) {
            Err(FileError::NotAFile) => match directory.list(&wanted) {
                Err(FileError::NotFound) => Err(FileError::NotAFile),
                listed => listed.map(Found::Directory),
            },
            opened => opened.and_then(|file| {
                let shown = if inline { shown(&file)? } else { None };
                Ok(Found::File(file, shown))
            }),
        }
    });
    match found.await? {
        Found::Directory(entries) => Ok(listing(&entries)),
        Found::File(file, shown) => {
            let limit = site.config.limits.max_file_download;
            if limit > 0 && file.size > limit {
                let message = says("fault-file-large").set("path", path).set("size", file.size).set("most", limit);
                return Err(ApiError::Forbidden(message));
            }
            stream(file, path, shown, request).await
        }
    }
}

fn shown(file: &OpenedFile) -> Result<Option<Shown>, FileError> {
    let mut head = [0; 16];
    let read = file.file.read_at(&mut head, 0).map_err(FileError::Io)?;
    Ok(Shown::of(&head[..read]))
}

/// Old clients compare the content type to the letter.
pub(super) fn listing(entries: &[Entry]) -> HttpResponse {
    let shown: Vec<_> = entries
        .iter()
        .map(|entry| {
            let kind = if entry.kind == EntryKind::Dir { "dir" } else { "file" };
            json!({ "name": entry.name, "type": kind, "size": entry.size, "modified": entry.modified.as_secs() })
        })
        .collect();
    guarded(StatusCode::OK)
        .insert_header((header::CONTENT_TYPE, "application/json; charset=UTF-8"))
        .body(json!(shown).to_string())
}

/// An answer that no browser takes for anything but data.
fn guarded(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"));
    response
}

pub(super) async fn stream(
    file: OpenedFile,
    path: &str,
    shown: Option<Shown>,
    request: &HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let tag = format!("\"{:x}-{:x}\"", file.size, file.modified.0);
    let asked = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    // A part of another version of the file is of no use: then all of it is sent.
    let is_same = asked(header::IF_RANGE).is_none_or(|known| known == tag);
    let wanted = asked(header::RANGE).filter(|_| is_same).map_or(Part::Whole, |range| part(range, file.size));
    let (status, first, length) = match wanted {
        Part::Whole => (StatusCode::OK, 0, file.size),
        Part::Bytes { first, last } => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Part::Beyond => {
            let msg = format!("the file has {} bytes, and the range begins after them", file.size);
            return Ok(guarded(StatusCode::RANGE_NOT_SATISFIABLE)
                .insert_header((header::CONTENT_RANGE, format!("bytes */{}", file.size)))
                .json(json!({ "error": "range", "msg": msg })));
        }
    };
    let mut response = guarded(status);
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some(shown) = shown {
        response
            .insert_header((header::CONTENT_TYPE, shown.content_type()))
            // In a frame of ours, and of nobody else's.
            .insert_header((header::X_FRAME_OPTIONS, "SAMEORIGIN"))
            .insert_header((header::CONTENT_SECURITY_POLICY, IN_A_FRAME));
    } else if is_text(name) {
        response.insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"));
    } else {
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
        response
            .insert_header((header::CONTENT_TYPE, "application/octet-stream"))
            .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}")));
    }
    response
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::ETAG, tag))
        // Compressed on the way, a part would no longer be the part that was asked for.
        .insert_header((header::CONTENT_ENCODING, "identity"));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {first}-{}/{}", first + length - 1, file.size);
        response.insert_header((header::CONTENT_RANGE, range));
    }
    let mut opened = tokio::fs::File::from_std(file.file);
    if first > 0 {
        opened.seek(SeekFrom::Start(first)).await.map_err(FileError::Io)?;
    }
    let bytes = ReaderStream::with_capacity(opened.take(length), CHUNK);
    Ok(response.body(SizedStream::new(length, bytes)))
}

/// What a browser may show instead of saving it.
fn is_text(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let shown = ["log", "err", "out", "info", "txt", "sh", "md", "csv", "tsv", "fasta", "fa"];
    extension.is_some_and(|extension| shown.contains(&extension.as_str()))
}
