//! Finds out who calls, and applies the rules of the route table: at each resource, before any of its handlers runs.

use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};
use futures::StreamExt;

use super::identify::identify;
use super::session::check_csrf;
use super::{By, Caller, Rule, decide, may_scrape};
use crate::web::Site;
use crate::web::accounts::site::maintenance;
use crate::web::error::ApiError;
use crate::web::pages::PageError;
use crate::web::probes::PROBES;
use crate::web::words::says;

/// Where a page's script puts its session's CSRF token.
const CSRF_HEADER: &str = "X-CSRF-Token";
/// How long the database may take to tell who asks whether this process is well.
const LEARN_WITHIN: Duration = Duration::from_secs(1);
/// A form as sent may be as large as a body of the API: what is in it has limits of its own, which name the field.
pub const MAX_FORM: usize = 16 * 1024 * 1024;

/// Who calls, and whether this is maintenance: found out once, before the request is dispatched, so that every page,
/// also that of an error, can say so.
pub async fn recognize(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if is_probe(&request) {
        // Those who look after us ask just then when the database is away. Whoever they are, they are nobody then.
        let _ = tokio::time::timeout(LEARN_WITHIN, learn(&mut request)).await;
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    match learn(&mut request).await {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(error) => {
            // Only how it is told depends on how the path is spelled.
            let error = refuse(request.request(), request.path().contains("/api/"), None, error);
            // Answered here, so that the headers around us are on it too.
            Ok(request.error_response(error).map_into_boxed_body())
        }
    }
}

fn is_probe(request: &ServiceRequest) -> bool {
    let site = request.app_data::<web::Data<Site>>().expect("every app is built with its site");
    request.path().strip_prefix(&site.config.web.prefix).is_some_and(|path| PROBES.contains(&path))
}

async fn learn(request: &mut ServiceRequest) -> Result<(), ApiError> {
    let site = request.app_data::<web::Data<Site>>().expect("every app is built with its site").clone();
    let caller = identify(&site, request.request()).await?;
    let maintenance = maintenance(&site).await?;
    let mut extensions = request.extensions_mut();
    if let Some(maintenance) = maintenance {
        extensions.insert(maintenance);
    }
    if let Some(caller) = caller {
        extensions.insert(caller);
    }
    Ok(())
}

/// The gate of one resource, of the API or of the pages: lets through whom the rule of the method allows, if they mean it. A method without a rule
/// has no handler, and is answered with 405.
pub async fn guard(
    is_api: bool,
    rules: &'static [(&'static str, Rule)],
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Programs ask for metrics, and no page would tell them anything.
    let is_api = is_api || rules.iter().any(|(_, rule)| *rule == Rule::Metrics);
    let rule = rules.iter().find(|(method, _)| *method == request.method().as_str()).map(|(_, rule)| *rule);
    let caller = request.extensions().get::<Caller>().cloned();
    let site = request.app_data::<web::Data<Site>>().expect("every app is built with its site");
    let decided = match rule {
        None => Ok(()),
        Some(Rule::Metrics) if may_scrape(site, request.request()) => Ok(()),
        Some(Rule::Metrics) => {
            decide(Rule::Metrics, caller.as_ref()).map_err(|_| ApiError::Forbidden(says("fault-metrics")))
        }
        Some(rule) => match decide(rule, caller.as_ref()) {
            Ok(()) => meant(&mut request, is_api, rule, caller.as_ref()).await,
            refused => refused,
        },
    };
    match decided {
        Ok(()) => next.call(request).await,
        Err(error) => {
            let error = refuse(request.request(), is_api, caller.as_ref(), error);
            Ok(request.error_response(error))
        }
    }
}

/// A request that a browser sends with its session must come from a page of ours: several changes are plain GETs in this
/// API, which a link on a foreign page could otherwise have it send. The login's form too, so that nobody is logged in
/// as somebody else unawares.
async fn meant(
    request: &mut ServiceRequest,
    is_api: bool,
    rule: Rule,
    caller: Option<&Caller>,
) -> Result<(), ApiError> {
    if is_api {
        if !rule.changes() || caller.is_none_or(|caller| caller.by == By::Token) {
            return Ok(());
        }
        let sent = request.headers().get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        return check_csrf(request.request(), sent);
    }
    if *request.method() != Method::POST {
        return Ok(());
    }
    if is_multipart(request.request()) {
        // Files are as long as they are and are not read here: the form's address carries the token.
        let sent = form_value(request.query_string().as_bytes(), "csrf").unwrap_or_default();
        return check_csrf(request.request(), &sent);
    }
    let body = body(request).await?;
    let sent = form_value(&body, "csrf").unwrap_or_default();
    request.set_payload(Payload::from(body));
    check_csrf(request.request(), &sent)
}

/// A form with files.
pub fn is_multipart(request: &HttpRequest) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("multipart/")
}

async fn body(request: &mut ServiceRequest) -> Result<web::Bytes, ApiError> {
    let mut payload = request.take_payload();
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|error| ApiError::BadRequest(says("fault-form-cut").set("why", error.to_string())))?;
        if body.len() + chunk.len() > MAX_FORM {
            return Err(ApiError::BadRequest(says("fault-form-large").set("most", MAX_FORM)));
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

fn refuse(request: &HttpRequest, is_api: bool, caller: Option<&Caller>, error: ApiError) -> Error {
    if is_api { error.into() } else { PageError::refused(request, caller, error).into() }
}
