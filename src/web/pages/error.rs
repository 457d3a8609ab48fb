//! What a page says when it cannot be shown.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::chrome::{Chrome, Visitor, next, page_with};
use super::said::{Said, said};
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::words::says;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    chrome: &'a Chrome,
    status: u16,
    title: String,
    message: String,
    /// The message is English, and the page is not.
    english: bool,
    /// What the reader can do about it.
    hint: String,
}

pub enum PageError {
    /// Not logged in (any more).
    LogIn {
        base: String,
        next: String,
    },
    Failed {
        chrome: Box<Chrome>,
        error: ApiError,
    },
}

impl PageError {
    pub fn of(request: &HttpRequest, caller: Option<&Caller>, error: ApiError) -> Self {
        PageError::Failed { chrome: Box::new(Chrome::new(request, caller, "")), error }
    }
}

impl PageError {
    /// What keeps a request from its page: who is not logged in is asked to.
    pub fn refused(request: &HttpRequest, caller: Option<&Caller>, error: ApiError) -> Self {
        match error {
            ApiError::Unauthorized => {
                PageError::LogIn { base: Chrome::new(request, None, "").base, next: next(request) }
            }
            error => PageError::of(request, caller, error),
        }
    }
}

impl fmt::Debug for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PageError::LogIn { .. } => f.write_str("log in first"),
            PageError::Failed { error, .. } => error.fmt(f),
        }
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            PageError::LogIn { .. } => StatusCode::SEE_OTHER,
            PageError::Failed { error, .. } => error.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            PageError::LogIn { base, next } => {
                let next = utf8_percent_encode(next, NON_ALPHANUMERIC);
                HttpResponse::SeeOther().insert_header(("Location", format!("{base}/login?next={next}"))).finish()
            }
            PageError::Failed { chrome, error } => {
                let (_, status) = error.describe();
                if status == StatusCode::INTERNAL_SERVER_ERROR {
                    tracing::error!(?error, "a page failed");
                }
                let (title, hint) = told(status, error);
                let (title, hint) = (chrome.t(title), chrome.t(hint));
                // The administrators' message is at the top of every page.
                let Said { text: message, english } = match error {
                    ApiError::Maintenance(_) => Said { text: String::new(), english: false },
                    error => said(&chrome.words, error),
                };
                page_with(status, &ErrorPage { chrome, status: status.as_u16(), title, message, english, hint })
            }
        }
    }
}

/// The heading, and what the reader can do.
fn told(status: StatusCode, error: &ApiError) -> (&'static str, &'static str) {
    if matches!(error, ApiError::Maintenance(_)) {
        return ("error-maintenance", "error-maintenance-hint");
    }
    match status {
        StatusCode::NOT_FOUND => ("error-not-found", "error-not-found-hint"),
        StatusCode::FORBIDDEN => ("error-forbidden", "error-forbidden-hint"),
        StatusCode::CONFLICT => ("error-conflict", "error-conflict-hint"),
        StatusCode::TOO_MANY_REQUESTS => ("error-too-many", "error-too-many-hint"),
        StatusCode::SERVICE_UNAVAILABLE => ("error-unavailable", "error-unavailable-hint"),
        status if status.is_server_error() => ("error-broken", "error-broken-hint"),
        _ => ("error-bad", "error-bad-hint"),
    }
}

/// A form, query or path that no page of ours sends.
pub fn not_understood(error: impl fmt::Display, request: &HttpRequest) -> actix_web::Error {
    let error = ApiError::BadRequest(says("fault-not-understood").set("why", error.to_string()));
    let caller = request.extensions().get::<Caller>().cloned();
    PageError::of(request, caller.as_ref(), error).into()
}

pub async fn not_found(request: HttpRequest, visitor: Visitor) -> Result<HttpResponse, PageError> {
    Err(PageError::of(&request, Some(&visitor.0), ApiError::NotFound("page")))
}
