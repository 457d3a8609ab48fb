//! Style and script, part of the program.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use sha2::{Digest, Sha256};

const CSS: &str = include_str!("../../../static/god.css");
const JS: &str = include_str!("../../../static/god.js");

/// Part of the address of style and script, so that a new release is seen at once and an old one kept for long.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::new().chain_update(CSS).chain_update(JS).finalize();
    hex::encode(&digest[..6])
});

pub async fn get(name: web::Path<String>) -> HttpResponse {
    let (text, kind) = match name.as_str() {
        "god.css" => (CSS, "text/css; charset=utf-8"),
        "god.js" => (JS, "text/javascript; charset=utf-8"),
        _ => return HttpResponse::NotFound().finish(),
    };
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header(("Cache-Control", "public, max-age=31536000, immutable"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(text)
}
