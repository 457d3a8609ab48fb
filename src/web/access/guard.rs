//! Applies the route table's rules, before any handler runs.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};
use futures::StreamExt;

use super::identify::identify;
use super::session::check_csrf;
use super::{By, Caller, Rule, decide};
use crate::web::Site;
use crate::web::accounts::site::maintenance;
use crate::web::error::ApiError;
use crate::web::pages::PageError;
use crate::web::routes::{self, Route};

/// Where a page's script puts its session's CSRF token.
const CSRF_HEADER: &str = "X-CSRF-Token";
/// A form as sent may be as large as a body of the API: what is in it has limits of its own, which name the field.
pub const MAX_FORM: usize = 16 * 1024 * 1024;

static RULES: LazyLock<HashMap<(&str, &str), Rule>> =
    LazyLock::new(|| routes::all().map(|Route { method, path, rule }| ((*method, *path), *rule)).collect());

/// The one gate.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut request = request;
    if let Err(error) = admit(&mut request).await {
        // Answered here, so that the session's cookie and the headers around us are on refusals too.
        return Ok(request.error_response(error).map_into_boxed_body());
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

async fn admit(request: &mut ServiceRequest) -> Result<(), Error> {
    let site = request.app_data::<web::Data<Site>>().expect("every app is built with its site").clone();
    let caller =
        identify(&site, request.request()).await.map_err(|error| refuse(request.request(), None, error.into()))?;
    let maintenance = maintenance(&site).await.map_err(|error| refuse(request.request(), None, error))?;
    if let Some(maintenance) = maintenance {
        request.extensions_mut().insert(maintenance);
    }
    if let Some(caller) = &caller {
        request.extensions_mut().insert(caller.clone());
    }
    let decided = match rule_of(&site, request) {
        // No resource of ours, or one that does not know the method: answered with 404 or 405.
        Ok(None) => return Ok(()),
        Ok(Some(rule)) => decide(rule, caller.as_ref()).map(|()| rule),
        Err(error) => Err(error),
    };
    let decided = match decided {
        Ok(rule) => meant(request, rule, caller.as_ref()).await,
        Err(refused) => Err(refused),
    };
    decided.map_err(|error| refuse(request.request(), caller.as_ref(), error))
}

/// The rule of the table for this request. What is served but is not in the table is nobody's.
fn rule_of(site: &Site, request: &ServiceRequest) -> Result<Option<Rule>, ApiError> {
    let Some(pattern) = request.match_pattern() else { return Ok(None) };
    let path = pattern.strip_prefix(&site.config.web.prefix).unwrap_or(&pattern);
    if let Some(rule) = RULES.get(&(request.method().as_str(), path)) {
        return Ok(Some(*rule));
    }
    if routes::all().any(|route| route.path == path) {
        return Ok(None);
    }
    tracing::error!(pattern, "a route is served that is not in the route table");
    Err(ApiError::NotFound("page"))
}

/// A request that a browser sends with its session must come from a page of ours: several changes are plain GETs in this
/// API, which a link on a foreign page could otherwise have it send. The login's form too, so that nobody is logged in
/// as somebody else unawares.
async fn meant(request: &mut ServiceRequest, rule: Rule, caller: Option<&Caller>) -> Result<(), ApiError> {
    if is_api(request.request()) {
        if !rule.changes() || caller.is_none_or(|caller| caller.by == By::Token) {
            return Ok(());
        }
        let sent = request.headers().get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        return check_csrf(request.request(), sent);
    }
    if *request.method() != Method::POST {
        return Ok(());
    }
    let body = body(request).await?;
    let sent = form_value(&body, "csrf").unwrap_or_default();
    request.set_payload(Payload::from(body));
    check_csrf(request.request(), &sent)
}

async fn body(request: &mut ServiceRequest) -> Result<web::Bytes, ApiError> {
    let mut payload = request.take_payload();
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| ApiError::BadRequest(format!("the form was not sent whole: {error}")))?;
        if body.len() + chunk.len() > MAX_FORM {
            return Err(ApiError::BadRequest(format!("the form is larger than {MAX_FORM} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// A field of an urlencoded form. Only hexadecimal values are asked for here, which need no decoding.
fn form_value(body: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    text.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name)).map(|(_, v)| v.to_owned())
}

pub fn is_api(request: &HttpRequest) -> bool {
    let site = request.app_data::<web::Data<Site>>().expect("every app is built with its site");
    request.path().strip_prefix(&site.config.web.prefix).is_some_and(|path| path.starts_with("/api/"))
}

fn refuse(request: &HttpRequest, caller: Option<&Caller>, error: ApiError) -> Error {
    if is_api(request) { error.into() } else { PageError::refused(request, caller, error).into() }
}
