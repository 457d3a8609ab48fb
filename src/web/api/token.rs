//! Personal access tokens.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::extract::Document;
use crate::domain::UserId;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::accounts::tokens::{self, document};
use crate::web::error::ApiError;

pub async fn list(site: web::Data<Site>, caller: Caller, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let tokens = tokens::list(&site, &caller, &id).await?;
    Ok(HttpResponse::Ok().json(tokens.iter().map(document).collect::<Vec<_>>()))
}

/// The answer's `token` is readable here and never again.
pub async fn create(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<UserId>,
    Document(sent): Document,
) -> Result<HttpResponse, ApiError> {
    let (token, secret) = tokens::create(&site, &caller, &id, &sent).await?;
    let mut shown = document(&token);
    shown["token"] = json!(secret);
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(shown))
}

pub async fn delete(
    site: web::Data<Site>,
    caller: Caller,
    place: web::Path<(UserId, String)>,
) -> Result<HttpResponse, ApiError> {
    let (id, token) = place.into_inner();
    tokens::delete(&site, &caller, &id, &token).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "Token deleted", "id": token })))
}
