//! One table from what went wrong to what the caller is told.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

use crate::bus::BusError;
use crate::files::FileError;
use crate::plugins::auth::{AuthError, TooMany};
use crate::store::StoreError;
use crate::store::update::UpdateError;

/// One fault in what was sent: the field, and what was expected of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldFault {
    /// As in the document: `requirements.cpu`, `container.volumes[1].name`.
    pub field: String,
    pub message: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{}", faults_sentence(.0))]
    Invalid(Vec<FieldFault>),
    /// The request as a whole cannot be understood or carried out now.
    #[error("{0}")]
    BadRequest(String),
    #[error("log in first: no valid token or session came with the request")]
    Unauthorized,
    #[error("wrong user name, password or key")]
    LoginDenied,
    #[error("logins cannot be checked at the moment: try again later")]
    LoginUnavailable,
    #[error("{0}")]
    Forbidden(String),
    /// What does not exist, and what the caller may not see.
    #[error("there is no {0} here that you may see")]
    NotFound(&'static str),
    #[error("{0}")]
    Conflict(String),
    /// Nothing new is taken; the administrators' message.
    #[error("{0}")]
    Maintenance(String),
    #[error("{message}")]
    TooMany { message: String, retry_after_secs: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Bus(#[from] BusError),
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Denied => ApiError::LoginDenied,
            AuthError::NotUsable(message) => ApiError::Forbidden(message),
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
        let message = "too many failed logins: wait a minute and try again".into();
        ApiError::TooMany { message, retry_after_secs }
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

fn faults_sentence(faults: &[FieldFault]) -> String {
    faults.iter().map(|f| format!("{}: {}", f.field, f.message)).collect::<Vec<_>>().join("; ")
}

impl ApiError {
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        ApiError::Invalid(vec![FieldFault { field: field.into(), message: message.into() }])
    }

    /// The code, the status, and what may be told.
    pub fn describe(&self) -> (&'static str, StatusCode, String) {
        let told = self.to_string();
        match self {
            ApiError::Invalid(_) => ("invalid_field", StatusCode::BAD_REQUEST, told),
            ApiError::BadRequest(_) => ("bad_request", StatusCode::BAD_REQUEST, told),
            ApiError::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED, told),
            ApiError::LoginDenied => ("login_denied", StatusCode::UNAUTHORIZED, told),
            ApiError::LoginUnavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE, told),
            ApiError::Forbidden(_) => ("forbidden", StatusCode::FORBIDDEN, told),
            ApiError::NotFound(_) => ("not_found", StatusCode::NOT_FOUND, told),
            ApiError::Conflict(_) => ("conflict", StatusCode::CONFLICT, told),
            ApiError::Maintenance(_) => ("maintenance", StatusCode::SERVICE_UNAVAILABLE, told),
            ApiError::TooMany { .. } => ("too_many", StatusCode::TOO_MANY_REQUESTS, told),
            ApiError::File(FileError::NotFound) => ("not_found", StatusCode::NOT_FOUND, told),
            ApiError::File(FileError::Outside | FileError::NotAFile | FileError::InvalidPath(_)) => {
                ("invalid_field", StatusCode::BAD_REQUEST, format!("path: {told}"))
            }
            ApiError::File(
                FileError::IsDirectory | FileError::Exists | FileError::NotEmpty | FileError::OtherSize { .. },
            ) => ("conflict", StatusCode::CONFLICT, told),
            ApiError::File(FileError::OverQuota { .. }) => ("over_quota", StatusCode::PAYLOAD_TOO_LARGE, told),
            ApiError::File(FileError::DiskFull) | ApiError::Store(StoreError::DiskFull) => {
                ("disk_full", StatusCode::INTERNAL_SERVER_ERROR, told)
            }
            ApiError::Store(StoreError::Unavailable(_)) | ApiError::Bus(_) => {
                ("unavailable", StatusCode::INTERNAL_SERVER_ERROR, "the service is not available right now".into())
            }
            ApiError::File(FileError::Io(_))
            | ApiError::Store(StoreError::Corrupt { .. } | StoreError::TooNew { .. } | StoreError::NotTakenOver) => {
                ("internal", StatusCode::INTERNAL_SERVER_ERROR, "something went wrong here; the log says what".into())
            }
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.describe().1
    }

    fn error_response(&self) -> HttpResponse {
        let (code, status, msg) = self.describe();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = ?self, "request failed");
        }
        let mut body = json!({ "error": code, "msg": msg });
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
