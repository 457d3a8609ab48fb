//! One table from what went wrong to what the caller is told.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

use super::words::{Message, says};
use crate::bus::BusError;
use crate::domain::{IdKind, InvalidId};
use crate::files::{FileError, PathFault};
use crate::plugins::auth::{AuthError, NotUsable, TooMany};
use crate::store::StoreError;
use crate::store::update::UpdateError;

/// One fault in what was sent: the field, and what was expected of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FieldFault {
    /// As in the document: `requirements.cpu`, `container.volumes[1].name`.
    pub field: String,
    pub message: Message,
}

impl FieldFault {
    pub fn new(field: impl Into<String>, message: Message) -> Self {
        FieldFault { field: field.into(), message }
    }

    /// With its field before it.
    pub fn told(&self) -> Message {
        says("fault-at").set("field", &self.field).set("fault", &self.message)
    }
}

/// Shown, it is what the log says; what the caller is told is its [`ApiError::message`].
#[derive(Debug)]
pub enum ApiError {
    Invalid(Vec<FieldFault>),
    /// The request as a whole cannot be understood or carried out now.
    BadRequest(Message),
    Unauthorized,
    LoginDenied,
    LoginUnavailable,
    Forbidden(Message),
    /// What does not exist, and what the caller may not see.
    NotFound(&'static str),
    Conflict(Message),
    /// Nothing new is taken; the administrators' message.
    Maintenance(Message),
    TooMany {
        message: Message,
        retry_after_secs: u64,
    },
    Store(StoreError),
    File(FileError),
    Bus(BusError),
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ApiError::Store(error) => error.fmt(f),
            ApiError::File(error) => error.fmt(f),
            ApiError::Bus(error) => error.fmt(f),
            told => told.message().fmt(f),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        ApiError::Store(error)
    }
}

impl From<FileError> for ApiError {
    fn from(error: FileError) -> Self {
        ApiError::File(error)
    }
}

impl From<BusError> for ApiError {
    fn from(error: BusError) -> Self {
        ApiError::Bus(error)
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Denied => ApiError::LoginDenied,
            AuthError::NotUsable(NotUsable::Name(error)) => {
                ApiError::Forbidden(says("fault-login-name").set("why", Message::from(error)))
            }
            AuthError::NotUsable(NotUsable::Incomplete) => ApiError::Forbidden(says("fault-login-incomplete")),
            AuthError::Unavailable(message) => {
                tracing::error!(message, "logins cannot be checked");
                ApiError::LoginUnavailable
            }
            AuthError::Store(error) => ApiError::Store(error),
        }
    }
}

impl From<TooMany> for ApiError {
    fn from(TooMany { retry_after_secs }: TooMany) -> Self {
        ApiError::TooMany { message: says("fault-login-too-many"), retry_after_secs }
    }
}

impl From<UpdateError<ApiError>> for ApiError {
    fn from(error: UpdateError<ApiError>) -> Self {
        match error {
            UpdateError::Refused(error) => error,
            UpdateError::Store(error) => ApiError::Store(error),
        }
    }
}

/// Names of users, projects and jobs are read where they come in; here is what their readers say, in words.
impl From<InvalidId> for Message {
    fn from(error: InvalidId) -> Self {
        let id = match error.kind {
            IdKind::Job => "fault-job-id",
            IdKind::User => "fault-user-id",
            IdKind::Project => "fault-project-id",
            IdKind::Instance => return Message::verbatim(&error),
        };
        says(id).set("text", format!("{:?}", error.text))
    }
}

impl ApiError {
    pub fn field(field: impl Into<String>, message: Message) -> Self {
        ApiError::Invalid(vec![FieldFault::new(field, message)])
    }

    /// What may be told.
    pub fn message(&self) -> Message {
        match self {
            ApiError::Invalid(faults) => Message::joined("fault-and-another", faults.iter().map(FieldFault::told)),
            ApiError::Unauthorized => says("fault-unauthorized"),
            ApiError::LoginDenied => says("fault-login-denied"),
            ApiError::LoginUnavailable => says("fault-login-unavailable"),
            ApiError::NotFound(what) => says("fault-not-found").set("what", *what),
            ApiError::BadRequest(message)
            | ApiError::Forbidden(message)
            | ApiError::Conflict(message)
            | ApiError::Maintenance(message)
            | ApiError::TooMany { message, .. } => message.clone(),
            ApiError::File(error) => of_file(error),
            ApiError::Store(StoreError::DiskFull) => says("fault-database-full"),
            ApiError::Store(StoreError::Unavailable(_)) | ApiError::Bus(_) => says("fault-unavailable"),
            ApiError::Store(StoreError::Corrupt { .. } | StoreError::TooNew { .. } | StoreError::NotTakenOver) => {
                says("fault-internal")
            }
        }
    }

    /// The code and the status.
    pub fn describe(&self) -> (&'static str, StatusCode) {
        match self {
            ApiError::Invalid(_) => ("invalid_field", StatusCode::BAD_REQUEST),
            ApiError::BadRequest(_) => ("bad_request", StatusCode::BAD_REQUEST),
            ApiError::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED),
            ApiError::LoginDenied => ("login_denied", StatusCode::UNAUTHORIZED),
            ApiError::LoginUnavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
            ApiError::Forbidden(_) => ("forbidden", StatusCode::FORBIDDEN),
            ApiError::NotFound(_) => ("not_found", StatusCode::NOT_FOUND),
            ApiError::Conflict(_) => ("conflict", StatusCode::CONFLICT),
            ApiError::Maintenance(_) => ("maintenance", StatusCode::SERVICE_UNAVAILABLE),
            ApiError::TooMany { .. } => ("too_many", StatusCode::TOO_MANY_REQUESTS),
            ApiError::File(FileError::NotFound) => ("not_found", StatusCode::NOT_FOUND),
            ApiError::File(FileError::Outside | FileError::NotAFile | FileError::InvalidPath(_)) => {
                ("invalid_field", StatusCode::BAD_REQUEST)
            }
            ApiError::File(
                FileError::IsDirectory
                | FileError::Exists
                | FileError::NotEmpty
                | FileError::AnothersDirectory { .. }
                | FileError::OtherSize { .. },
            ) => ("conflict", StatusCode::CONFLICT),
            ApiError::File(FileError::OverQuota { .. }) => ("over_quota", StatusCode::PAYLOAD_TOO_LARGE),
            ApiError::File(FileError::DiskFull) | ApiError::Store(StoreError::DiskFull) => {
                ("disk_full", StatusCode::INTERNAL_SERVER_ERROR)
            }
            ApiError::Store(StoreError::Unavailable(_)) | ApiError::Bus(_) => {
                ("unavailable", StatusCode::INTERNAL_SERVER_ERROR)
            }
            ApiError::File(FileError::Io(_))
            | ApiError::Store(StoreError::Corrupt { .. } | StoreError::TooNew { .. } | StoreError::NotTakenOver) => {
                ("internal", StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

fn of_file(error: &FileError) -> Message {
    let of_the_path = |fault: Message| says("fault-at").set("field", says("fault-of-path")).set("fault", fault);
    match error {
        FileError::NotFound => says("fault-file-not-found"),
        FileError::Outside => of_the_path(says("fault-file-outside")),
        FileError::NotAFile => of_the_path(says("fault-file-not-a-file")),
        FileError::InvalidPath(fault) => of_the_path(says(match fault {
            PathFault::Nul => "fault-path-nul",
            PathFault::Absolute => "fault-path-absolute",
            PathFault::EmptyName => "fault-path-empty-name",
            PathFault::TooLong => "fault-path-too-long",
            PathFault::Top => "fault-path-top",
            PathFault::ControlCharacter => "fault-path-control",
            PathFault::SlashInName => "fault-path-slash",
            PathFault::GuestHome => "fault-path-guest-home",
        })),
        FileError::IsDirectory => says("fault-file-directory"),
        FileError::Exists => says("fault-file-exists"),
        FileError::NotEmpty => says("fault-file-not-empty"),
        FileError::AnothersDirectory { uid } => says("fault-file-anothers").set("uid", uid.to_string()),
        FileError::OtherSize { size } => says("fault-file-size").set("size", *size),
        FileError::OverQuota { used, quota } => says("fault-file-over-quota").set("used", *used).set("quota", *quota),
        FileError::DiskFull => says("fault-disk-full"),
        FileError::Io(_) => says("fault-internal"),
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.describe().1
    }

    fn error_response(&self) -> HttpResponse {
        let (code, status) = self.describe();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = ?self, "request failed");
        }
        let mut body = json!({ "error": code, "msg": self.message() });
        if let ApiError::Invalid(faults) = self {
            body["fields"] = json!(faults);
        }
        let mut response = HttpResponse::build(status);
        if let ApiError::TooMany { retry_after_secs, .. } = self {
            response.insert_header(("Retry-After", retry_after_secs.to_string()));
        }
        response.json(body)
    }
}
