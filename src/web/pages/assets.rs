//! Style and script, part of the program.

use std::sync::LazyLock;

use actix_web::http::header::{self, EntityTag, Header, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Parts of static/, one after the other.
macro_rules! parts {
    ($( $name:literal ),+) => { concat!($( include_str!(concat!("../../../static/", $name)) ),+) };
}

/// What all pages share, then a file for each that has a look of its own.
const CSS: &str = parts!(
    "god.css",
    "chart.css",
    "home.css",
    "jobs.css",
    "job.css",
    "new.css",
    "files.css",
    "usage.css",
    "profile.css",
    "admin.css"
);
/// Each of them in a block of its own, so that their names do not meet.
const JS: &str = parts!("god.js", "jobs.js", "job.js", "new.js");

/// Part of the address of style and script, so that a new release is seen at once and an old one kept for long.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::new().chain_update(CSS).chain_update(JS).finalize();
    hex::encode(&digest[..6])
});

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    v: String,
}

pub async fn get(name: web::Path<String>, asked: web::Query<Asked>, request: HttpRequest) -> HttpResponse {
    let (text, kind) = match name.as_str() {
        "god.css" => (CSS, "text/css; charset=utf-8"),
        "god.js" => (JS, "text/javascript; charset=utf-8"),
        _ => return HttpResponse::NotFound().finish(),
    };
    let tag = EntityTag::new_weak(VERSION.clone());
    let has_it = match IfNoneMatch::parse(&request) {
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(&tag)),
        Ok(IfNoneMatch::Any) | Err(_) => false,
    };
    // Of another version than this program's, the address must not keep what this program has.
    let keep = if asked.v == *VERSION { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = if has_it { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::CACHE_CONTROL, keep))
        .insert_header((header::ETAG, tag.to_string()))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if has_it { response.finish() } else { response.content_type(kind).body(text) }
}
