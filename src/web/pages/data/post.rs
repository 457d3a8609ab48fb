//! The page's forms: files (multipart, its CSRF token in the query: see the gate), a new folder, renaming, deleting.

use actix_multipart::Multipart;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use futures::StreamExt;
use serde::Deserialize;

use super::get::{data_page, folder_link};
use crate::files::{FileError, PathFault};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::access::guard::is_multipart;
use crate::web::data::{self, Incoming};
use crate::web::error::ApiError;
use crate::web::pages::chrome::{Visitor, page_with, see};
use crate::web::pages::error::PageError;
use crate::web::words::says;

#[derive(Deserialize)]
struct Act {
    /// `folder`, `rename` or `delete`.
    act: String,
    name: String,
    /// What it is called from now on; with a /, where in the space.
    #[serde(default)]
    to: String,
}

pub async fn post_root(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    body: web::Payload,
) -> Result<HttpResponse, PageError> {
    answer(&site, &request, &caller, "", body).await
}

pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, PageError> {
    answer(&site, &request, &caller, path.trim_matches('/'), body).await
}

async fn answer(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    folder: &str,
    body: web::Payload,
) -> Result<HttpResponse, PageError> {
    let done = if is_multipart(request) {
        take_in(site, request, caller, folder, body).await
    } else {
        act(site, request, caller, folder, body).await
    };
    let Err(error) = done else { return Ok(see(&site.config.web.prefix, &format!("/data/{}", folder_link(folder)))) };
    let (_, status) = error.describe();
    if status.is_server_error() || matches!(error, ApiError::NotFound(_)) {
        return Err(PageError::of(request, Some(caller), error));
    }
    let shown = data_page(site, request, caller, folder, Some(&error)).await;
    let status = if status == StatusCode::PAYLOAD_TOO_LARGE { status } else { StatusCode::BAD_REQUEST };
    Ok(page_with(status, &shown.map_err(|error| PageError::of(request, Some(caller), error))?))
}

/// Each file of the form under its own name, one after the other.
async fn take_in(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    folder: &str,
    body: web::Payload,
) -> Result<(), ApiError> {
    let mut form = Multipart::new(request.headers(), body);
    while let Some(field) = form.next().await {
        let field = field
            .map_err(|error| ApiError::BadRequest(says("fault-form-not-understood").set("why", error.to_string())))?;
        let sent = field.content_disposition().and_then(|about| about.get_filename()).unwrap_or_default();
        // Some browsers send whole paths.
        let name = sent.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        if name.is_empty() {
            continue;
        }
        let incoming = Incoming { path: below(folder, &name), offset: None, length: None };
        data::store(site, caller, incoming, field).await.map_err(|error| named(&name, error))?;
    }
    Ok(())
}

async fn act(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    folder: &str,
    body: web::Payload,
) -> Result<(), ApiError> {
    let mut payload: Payload = body.into_inner();
    let form = web::Form::<Act>::from_request(request, &mut payload).await;
    let Act { act, name, to } = form
        .map_err(|error| ApiError::BadRequest(says("fault-form-not-understood").set("why", error.to_string())))?
        .into_inner();
    let path = below(folder, name.trim());
    let done = match act.as_str() {
        "folder" if name.contains('/') => Err(FileError::InvalidPath(PathFault::SlashInName).into()),
        "folder" => data::make_folder(site, caller, path).await,
        "rename" => data::rename(site, caller, below(folder, &name), place(folder, to.trim()), true).await,
        "delete" => data::remove(site, caller, below(folder, &name), true).await,
        _ => return Err(ApiError::NotFound("page")),
    };
    done.map_err(|error| named(&name, error))
}

/// What somebody typed in `folder`: from there, or with a / before it from the top.
fn place(folder: &str, typed: &str) -> String {
    typed.strip_prefix('/').map_or_else(|| below(folder, typed), str::to_owned)
}

fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// What was wrong with which of them; a fault of ours stays one.
fn named(name: &str, error: ApiError) -> ApiError {
    let (_, status) = error.describe();
    match &error {
        ApiError::File(FileError::OverQuota { .. }) => error,
        _ if status.is_server_error() => error,
        _ => ApiError::BadRequest(says("fault-at").set("field", format!("{name:?}")).set("fault", error.message())),
    }
}
