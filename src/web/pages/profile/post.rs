use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::{Said, profile_page};
use crate::web::Site;
use crate::web::access::{Caller, session};
use crate::web::accounts::{tokens, users};
use crate::web::error::ApiError;
use crate::web::pages::chrome::{Visitor, page_with, see};
use crate::web::pages::error::PageError;
use crate::web::templates;

/// The page again, with what came of the form.
async fn show(site: &Site, request: &HttpRequest, caller: &Caller, said: Said) -> Result<HttpResponse, PageError> {
    let status = if said.faults.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let shown = profile_page(site, request, caller, said).await;
    Ok(page_with(status, &shown.map_err(|error| PageError::of(request, Some(caller), error))?))
}

async fn show_error(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    error: ApiError,
) -> Result<HttpResponse, PageError> {
    match error {
        ApiError::Invalid(faults) => show(site, request, caller, Said::faults(faults)).await,
        error => Err(PageError::of(request, Some(caller), error)),
    }
}

/// What a form of the page holds of it; what it does not hold stays.
#[derive(Deserialize)]
pub struct Profile {
    email: Option<String>,
    ssh_public: Option<String>,
    theme: Option<String>,
    language: Option<String>,
    zone: Option<String>,
    notify: Option<String>,
}

pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<Profile>,
) -> Result<HttpResponse, PageError> {
    let mut sent = json!({});
    if let Some(keys) = &form.ssh_public {
        sent["credentials"] = json!({ "public": keys });
    }
    for (name, text) in [("theme", &form.theme), ("language", &form.language), ("zone", &form.zone)] {
        if let Some(text) = text {
            sent["preferences"][name] = json!(text);
        }
    }
    // A box that is not ticked is not sent.
    if form.theme.is_some() {
        sent["preferences"]["notify"] = json!(form.notify.is_some());
    }
    if let Some(email) = &form.email {
        sent["email"] = json!(email);
    }
    match users::change(&site, &caller, caller.id(), &sent).await {
        Ok(user) => {
            if form.language.is_some() {
                session::keep_language(&request, None);
            }
            show(&site, &request, &Caller { user, ..caller }, Said { saved: true, ..Said::default() }).await
        }
        Err(error) => show_error(&site, &request, &caller, error).await,
    }
}

/// One that is gone already is as its owner wants it.
pub async fn delete_template(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    template: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    match templates::delete(&site, &caller, &template).await {
        Ok(()) | Err(ApiError::NotFound(_)) => Ok(see(&site.config.web.prefix, "/profile#templates")),
        Err(error) => Err(PageError::of(&request, Some(&caller), error)),
    }
}

pub async fn renew_key(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
) -> Result<HttpResponse, PageError> {
    match users::renew_key(&site, &caller, caller.id()).await {
        Ok(key) => show(&site, &request, &caller, Said { key: Some(key), ..Said::default() }).await,
        Err(error) => show_error(&site, &request, &caller, error).await,
    }
}

#[derive(Deserialize)]
pub struct Passwords {
    old: String,
    new: String,
}

pub async fn change_password(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<Passwords>,
) -> Result<HttpResponse, PageError> {
    match users::change_password(&site, &caller, &form.old, &form.new).await {
        Ok(()) => Ok(see(&site.config.web.prefix, "/login")),
        Err(error) => show_error(&site, &request, &caller, error).await,
    }
}

pub async fn log_out_everywhere(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
) -> Result<HttpResponse, PageError> {
    match users::log_out_everywhere(&site, &caller, caller.id()).await {
        Ok(()) => Ok(see(&site.config.web.prefix, "/login")),
        Err(error) => show_error(&site, &request, &caller, error).await,
    }
}

#[derive(Deserialize)]
pub struct NewToken {
    name: String,
    scope: String,
    #[serde(default)]
    days: String,
}

pub async fn create_token(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<NewToken>,
) -> Result<HttpResponse, PageError> {
    let sent = json!({ "name": form.name, "scope": form.scope, "days": form.days });
    match tokens::create(&site, &caller, caller.id(), &sent).await {
        Ok((_, token)) => show(&site, &request, &caller, Said { token: Some(token), ..Said::default() }).await,
        Err(error) => show_error(&site, &request, &caller, error).await,
    }
}

pub async fn delete_token(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    token: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    match tokens::delete(&site, &caller, caller.id(), &token).await {
        Ok(()) => Ok(see(&site.config.web.prefix, "/profile")),
        Err(error) => show_error(&site, &request, &caller, error).await,
    }
}
