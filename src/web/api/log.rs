//! What a job writes, while it does.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::domain::JobId;
use crate::files::FileError;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::jobs::{self, blocking};
use crate::web::log_follow::{self, OUT, Position};

#[derive(Deserialize)]
pub struct Asked {
    /// Anything but absent, `0` and `false` follows.
    follow: Option<String>,
    /// The byte of god.log to begin at.
    #[serde(default)]
    from: u64,
    /// When following: the bytes of god.log and god.err that the caller has already.
    from_out: Option<u64>,
    #[serde(default)]
    from_err: u64,
}

pub async fn log(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<JobId>,
    asked: web::Query<Asked>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    jobs::visible(&site, &caller, *id).await?;
    if !asked.follow.as_deref().is_some_and(|follow| !matches!(follow, "" | "0" | "false")) {
        return plain(&site, *id, asked.from).await;
    }
    // A browser whose connection broke says where it was.
    let last = request.headers().get("Last-Event-ID").and_then(|value| value.to_str().ok());
    let position = last
        .and_then(Position::parse)
        .unwrap_or(Position { out: asked.from_out.unwrap_or(asked.from), err: asked.from_err });
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Compressing or gathering it would hold back what is to be seen now.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(log_follow::follow(site.get_ref().clone(), *id, position)))
}

/// What there is of god.log now, from a byte on.
async fn plain(site: &Site, id: JobId, from: u64) -> Result<HttpResponse, ApiError> {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    let opened = match site.files.open(id).await {
        Ok(directory) => blocking(move || directory.open_file(OUT)).await,
        Err(error) => Err(error),
    };
    let file = match opened {
        Ok(opened) => opened,
        Err(FileError::NotFound) => return Ok(response.body("")),
        Err(error) => return Err(error.into()),
    };
    let mut log = tokio::fs::File::from_std(file.file);
    log.seek(std::io::SeekFrom::Start(from.min(file.size))).await.map_err(FileError::Io)?;
    let length = file.size.saturating_sub(from);
    Ok(response.streaming(ReaderStream::new(log.take(length))))
}
