//! What is around every page, and who looks at it.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use askama::Template;

use super::assets::VERSION;
use super::error::PageError;
use crate::web::Site;
use crate::web::access::{self, Caller};
use crate::web::error::ApiError;

/// The frame of a page: for templates.
pub struct Chrome {
    /// Before every path of ours.
    pub base: String,
    pub version: &'static str,
    pub user: Option<String>,
    pub csrf: String,
    /// The part of the site this is.
    pub here: &'static str,
    pub notice: Option<String>,
}

impl Chrome {
    pub fn new(request: &HttpRequest, user: Option<&Caller>, here: &'static str) -> Self {
        let site = request.app_data::<web::Data<Site>>().expect("every app is built with its site");
        Chrome {
            base: site.config.web.prefix.clone(),
            version: VERSION.as_str(),
            user: user.map(|caller| caller.id().to_string()),
            csrf: access::csrf_token(request),
            here,
            notice: None,
        }
    }
}

/// A known, active user at a page: everybody else is sent to log in.
pub struct Visitor(pub Caller);

impl FromRequest for Visitor {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Visitor, PageError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match access::caller(&request).await {
                Ok(caller) => Ok(Visitor(caller)),
                Err(ApiError::Unauthorized) => {
                    Err(PageError::LogIn { base: Chrome::new(&request, None, "").base, next: next(&request) })
                }
                Err(error) => Err(PageError::of(&request, None, error)),
            }
        })
    }
}

/// Where to go on after the login. What a form was sent to is no page.
fn next(request: &HttpRequest) -> String {
    let page = request.uri().path_and_query().filter(|_| request.method() == Method::GET);
    page.map_or_else(String::new, ToString::to_string)
}

pub fn page(template: &impl Template) -> HttpResponse {
    page_with(StatusCode::OK, template)
}

pub fn page_with(status: StatusCode, template: &impl Template) -> HttpResponse {
    match template.render() {
        Ok(html) => HttpResponse::build(status).content_type("text/html; charset=utf-8").body(html),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            HttpResponse::InternalServerError().body("this page cannot be shown")
        }
    }
}

/// To another page of ours, after a form.
pub fn see(base: &str, path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header(("Location", format!("{base}{path}"))).finish()
}
