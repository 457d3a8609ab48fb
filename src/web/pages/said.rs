//! What went wrong, in the reader's language where it is one of those that readers meet; else as the API says it, in
//! English.

use crate::web::access::session::FORM_EXPIRED;
use crate::web::access::{ADMINISTRATORS_ONLY, NOT_ACTIVATED};
use crate::web::error::ApiError;
use crate::web::words::{Language, Words, as_sentence};

pub struct Said {
    pub text: String,
    /// It is English on a page that is not.
    pub english: bool,
}

pub fn said(words: &Words, error: &ApiError) -> Said {
    match id(error) {
        Some(id) => Said { text: words.t(id), english: false },
        None => Said { text: as_sentence(&error.describe().2), english: words.language != Language::English },
    }
}

fn id(error: &ApiError) -> Option<&'static str> {
    match error {
        ApiError::NotFound("job") => Some("error-no-job"),
        ApiError::NotFound("project") => Some("error-no-project"),
        ApiError::NotFound("user") => Some("error-no-user"),
        ApiError::NotFound(_) => Some("error-no-page"),
        ApiError::LoginDenied => Some("error-login-denied"),
        ApiError::LoginUnavailable => Some("error-login-unavailable"),
        ApiError::TooMany { message, .. } if message.starts_with("too many failed logins") => {
            Some("error-login-too-many")
        }
        ApiError::Forbidden(why) => match why.as_str() {
            NOT_ACTIVATED => Some("error-not-activated"),
            ADMINISTRATORS_ONLY => Some("error-administrators-only"),
            FORM_EXPIRED => Some("error-form-expired"),
            _ => None,
        },
        _ => None,
    }
}
