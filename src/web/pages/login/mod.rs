//! Logging in and out.

mod get;
mod guest;
mod post;

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::chrome::{Chrome, see};
use super::said::{Said, said};
use crate::domain::User;
use crate::web::Site;
use crate::web::access::session;
use crate::web::error::ApiError;

pub use get::get;
pub use guest::{begin as begin_guest, finish_guest};
pub use post::{logout, post};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    chrome: Chrome,
    error: Option<Said>,
    user: String,
    next: String,
    /// Names and titles of those who vouch for guests.
    providers: Vec<(String, String)>,
}

fn login_page(site: &Site, request: &HttpRequest, error: Option<&ApiError>, user: String, next: String) -> LoginPage {
    let chrome = Chrome::new(request, None, "login");
    let providers = site.config.guests.iter().flat_map(|guests| &guests.providers);
    let next = own_path(next);
    LoginPage {
        providers: providers.map(|provider| (provider.name.clone(), provider.title.clone())).collect(),
        error: error.map(|error| said(&chrome.words, error)),
        chrome,
        user,
        next,
    }
}

/// Opens the session, and goes where its user wanted to.
async fn finish(site: &Site, request: &HttpRequest, user: &User, next: String) -> Result<HttpResponse, ApiError> {
    session::begin(site, request, user).await?;
    // What comes back begins with the prefix already.
    match own_path(next) {
        next if next.is_empty() => Ok(see(&site.config.web.prefix, "/")),
        next => Ok(see("", &next)),
    }
}

/// Only paths of ours are gone on to; `//elsewhere` and `/\elsewhere` are other hosts to a browser.
fn own_path(next: String) -> String {
    let ours =
        next.starts_with('/') && !next.starts_with("//") && !next.contains('\\') && !next.chars().any(char::is_control);
    if ours { next } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn a_login_leads_to_our_own_pages_only() {
        assert_eq!(own_path("/jobs/7?x=1".into()), "/jobs/7?x=1");
        for elsewhere in ["//evil.org", "/\\evil.org", "https://evil.org", "javascript:x", "", "/a\nb"] {
            assert_eq!(own_path(elsewhere.into()), "", "{elsewhere:?}");
        }
    }
}
