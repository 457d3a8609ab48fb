//! The caller's upload space: directories as lists, files as streams in both directions.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::files::{listing, stream};
use crate::files::{Entry, FileError, OpenedFile};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::data::{self, Incoming};
use crate::web::error::ApiError;
use crate::web::words::says;

pub async fn usage(site: web::Data<Site>, caller: Caller) -> Result<HttpResponse, ApiError> {
    let usage = data::usage(&site, &caller).await?;
    Ok(HttpResponse::Ok().json(json!({ "used": usage.used, "quota": usage.quota })))
}

pub async fn root(site: web::Data<Site>, caller: Caller, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    answer(&site, &caller, String::new(), &request).await
}

pub async fn get(
    site: web::Data<Site>,
    caller: Caller,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    answer(&site, &caller, path.into_inner(), &request).await
}

enum Found {
    Directory(Vec<Entry>),
    File(OpenedFile),
}

async fn answer(site: &Site, caller: &Caller, path: String, request: &HttpRequest) -> Result<HttpResponse, ApiError> {
    let asked = path.clone();
    let found = data::within(site, caller, move |space| match space.list(&asked) {
        Err(FileError::NotFound) => space.open_file(&asked).map(Found::File),
        listed => listed.map(Found::Directory),
    });
    match found.await? {
        Found::Directory(entries) => Ok(listing(&entries)),
        Found::File(file) => {
            let mut response = stream(file, &path, None, request).await?;
            // Whatever it is: it is saved, and not shown.
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/octet-stream"));
            if !headers.contains_key(header::CONTENT_DISPOSITION) {
                headers.insert(header::CONTENT_DISPOSITION, header::HeaderValue::from_static("attachment"));
            }
            Ok(response)
        }
    }
}

#[derive(Deserialize)]
pub struct Put {
    /// Where the file ends now, to go on with it.
    offset: Option<u64>,
}

pub async fn put(
    site: web::Data<Site>,
    caller: Caller,
    path: web::Path<String>,
    asked: web::Query<Put>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let path = path.into_inner();
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let incoming = Incoming { path: path.clone(), offset: asked.offset, length };
    let size = data::store(&site, &caller, incoming, payload).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "stored", "name": path, "size": size })))
}

#[derive(Deserialize)]
pub struct Post {
    /// Make the path a directory.
    dir: Option<u8>,
    /// Move what this names to the path; a file there is replaced.
    from: Option<String>,
}

pub async fn post(
    site: web::Data<Site>,
    caller: Caller,
    path: web::Path<String>,
    asked: web::Query<Post>,
) -> Result<HttpResponse, ApiError> {
    let (path, asked) = (path.into_inner(), asked.into_inner());
    let msg = match (asked.dir, asked.from) {
        (None, Some(from)) => {
            data::rename(&site, &caller, from, path, false).await?;
            "moved"
        }
        (Some(_), None) => {
            data::make_folder(&site, &caller, path).await?;
            "made"
        }
        _ => return Err(ApiError::BadRequest(says("fault-data-verb"))),
    };
    Ok(HttpResponse::Ok().json(json!({ "msg": msg })))
}

#[derive(Deserialize)]
pub struct Delete {
    /// A directory with all it holds, too.
    recursive: Option<u8>,
}

pub async fn delete(
    site: web::Data<Site>,
    caller: Caller,
    path: web::Path<String>,
    asked: web::Query<Delete>,
) -> Result<HttpResponse, ApiError> {
    data::remove(&site, &caller, path.into_inner(), asked.recursive.is_some()).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "deleted" })))
}
