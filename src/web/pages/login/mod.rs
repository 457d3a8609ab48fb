//! Logging in and out.

mod get;
mod post;

use actix_web::HttpRequest;
use askama::Template;

use super::chrome::Chrome;

pub use get::get;
pub use post::{logout, post};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    chrome: Chrome,
    error: Option<String>,
    user: String,
    next: String,
}

fn login_page(request: &HttpRequest, error: Option<String>, user: String, next: String) -> LoginPage {
    LoginPage { chrome: Chrome::new(request, None, "login"), error, user, next: own_path(next) }
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
