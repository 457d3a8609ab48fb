//! What is around every page, and who looks at it.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use askama::Template;

use super::assets::VERSION;
use super::error::PageError;
use super::language;
use super::said::label;
use crate::domain::{Maintenance, Theme, Zone};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::access::session::csrf_token;
use crate::web::accounts::site::DEFAULT_MESSAGE;
use crate::web::error::ApiError;
use crate::web::words::{Language, Saying, Words};

/// The frame of a page: for templates.
pub struct Chrome {
    /// Before every path of ours.
    pub base: String,
    pub words: Words,
    pub version: &'static str,
    pub user: Option<String>,
    pub admin: bool,
    /// `light` or `dark`, where the reader has chosen.
    pub theme: Option<&'static str>,
    pub csrf: String,
    /// The part of the site this is.
    pub here: &'static str,
    /// What administrators say while nothing new is taken.
    pub notice: Option<String>,
    /// The program's.
    pub release: &'static str,
    /// Each language: its tag, what it calls itself, and this page in it.
    pub languages: Vec<(&'static str, &'static str, String)>,
}

impl Chrome {
    pub fn new(request: &HttpRequest, user: Option<&Caller>, here: &'static str) -> Self {
        let site = request.app_data::<web::Data<Site>>().expect("every app is built with its site");
        let words = Words::new(
            language::chosen(request, user),
            user.and_then(|caller| caller.user.preferences.zone.as_ref()).map(Zone::time_zone),
        );
        let notice = request.extensions().get::<Maintenance>().map(|maintenance| maintenance.message.clone());
        Chrome {
            base: site.config.web.prefix.clone(),
            version: VERSION.as_str(),
            user: user.map(|caller| caller.id().to_string()),
            admin: user.is_some_and(Caller::is_admin),
            theme: user.map(|caller| caller.user.preferences.theme).filter(|t| *t != Theme::Auto).map(Theme::as_str),
            csrf: csrf_token(request),
            here,
            // What nobody has worded is said in the reader's language.
            notice: notice.map(|said| if said == DEFAULT_MESSAGE { words.t("base-maintenance-default") } else { said }),
            release: env!("CARGO_PKG_VERSION"),
            languages: Language::ALL
                .map(|one| (one.tag(), one.own_name(), language::link(request, &site.config.web.prefix, one)))
                .to_vec(),
            words,
        }
    }
}

impl Chrome {
    /// [`Words::t`].
    pub fn t(&self, id: &str) -> String {
        self.words.t(id)
    }

    /// [`Words::with`].
    pub fn with(&self, id: &'static str) -> Saying {
        self.words.with(id)
    }

    /// What a page calls a field of a document.
    pub fn field(&self, field: &str) -> String {
        label(field).map_or_else(|| field.to_owned(), |id| self.words.t(id))
    }
}

/// A known, active user at a page: everybody else is sent to log in.
pub struct Visitor(pub Caller);

impl FromRequest for Visitor {
    type Error = PageError;
    type Future = Ready<Result<Visitor, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Caller>().cloned();
        ready(caller.map(Visitor).ok_or_else(|| PageError::refused(request, None, ApiError::Unauthorized)))
    }
}

/// Where to go on after the login. What a form was sent to is no page.
pub(super) fn next(request: &HttpRequest) -> String {
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
