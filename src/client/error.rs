//! What can go wrong for a user of `god`, as they are told, and the exit code of each.

use std::io;
use std::path::PathBuf;

use serde::Deserialize;

/// Exit codes beside the job's own; `god --help` lists them.
pub mod exit {
    pub const USAGE: u8 = 2;
    pub const TIMEOUT: u8 = 124;
    /// The job is over without an exit code: rejected, or its node failed.
    pub const NO_EXIT_CODE: u8 = 125;
    pub const INTERRUPTED: u8 = 130;
    pub const REFUSED: u8 = 65;
    pub const NOT_FOUND: u8 = 66;
    pub const AWAY: u8 = 69;
    pub const SERVER_FAULT: u8 = 70;
    pub const LOCAL_FILE: u8 = 73;
    pub const TRY_LATER: u8 = 75;
    pub const NOT_ALLOWED: u8 = 77;
    pub const CREDENTIALS: u8 = 78;
    /// What a shell reports of a program whose reader went away.
    pub const PIPE_CLOSED: u8 = 141;
}

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{0}")]
    Usage(String),
    #[error("you are not logged in: run `god login`")]
    NotLoggedIn,
    #[error("the server at {server} does not accept this user name or API key: log in again with `god login`")]
    LoginDenied { server: String },
    /// The same, of one who is logging in.
    #[error("the server at {server} does not accept this user name or API key; nothing was stored")]
    LoginRefused { server: String },
    #[error("{}: {why}; `god login` writes it anew", path.display())]
    Credentials { path: PathBuf, why: String },
    #[error("the server at {server} does not answer ({why}). Your jobs are not affected.")]
    Away { server: String, why: String },
    #[error(
        "the server at {server} did not answer ({why}), and may or may not have taken the request: \
         look with `god job list` before you send it again"
    )]
    Unsure { server: String, why: String },
    #[error("{}", .0.sentence())]
    Refused(Refusal),
    #[error("what answers at {server} does not speak GoDocker's API ({why}): is the address right?")]
    NotGoDocker { server: String, why: String },
    #[error("{what}: {error}")]
    Local { what: String, error: io::Error },
    #[error("the output could not be written: {0}")]
    Output(io::Error),
    #[error("job {job} is not over after {seconds} s; it goes on")]
    Timeout { job: crate::domain::JobId, seconds: u64 },
}

/// A no from the server, in its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
    pub fields: Vec<FieldFault>,
    pub retry_after: Option<u64>,
    /// What it was about: `job 12`.
    pub subject: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct FieldFault {
    pub field: String,
    pub message: String,
}

impl Refusal {
    fn sentence(&self) -> String {
        let about = self.subject.as_ref().map(|subject| format!("{subject}: ")).unwrap_or_default();
        let message = &self.message;
        match self.status {
            400 if !self.fields.is_empty() => {
                let faults = self.fields.iter().map(|fault| match option_of(&fault.field) {
                    Some(option) => format!("\n  {option} ({}): {}", fault.field, fault.message),
                    None => format!("\n  {}: {}", fault.field, fault.message),
                });
                format!("{about}the server did not accept this:{}", faults.collect::<String>())
            }
            401 => "the server does not accept your login any more: run `god login`".into(),
            403 => format!("{about}you may not do this: {message}"),
            429 => match self.retry_after {
                Some(seconds) => format!("{about}too much at once: {message} (try again in {seconds} s)"),
                None => format!("{about}too much at once: {message}"),
            },
            503 => format!("{about}not now: {message}"),
            500.. => format!("{about}the server has a fault ({}): {message}. Your jobs are not affected.", self.status),
            _ => format!("{about}{message}"),
        }
    }

    fn exit_code(&self) -> u8 {
        match self.status {
            401 | 403 => exit::NOT_ALLOWED,
            404 => exit::NOT_FOUND,
            429 | 503 => exit::TRY_LATER,
            500.. => exit::SERVER_FAULT,
            _ => exit::REFUSED,
        }
    }
}

/// The option behind a field of the document.
fn option_of(field: &str) -> Option<&'static str> {
    let stem = field.split('[').next().unwrap_or(field);
    Some(match stem {
        "meta.name" => "--name",
        "meta.description" => "--description",
        "meta.tags" => "--tag",
        "user.project" => "--project",
        "container.image" => "--image",
        "container.volumes" => "--volume",
        "container.root" => "--root",
        "container.network" => "--no-network",
        "requirements.cpu" => "--cpu",
        "requirements.ram" => "--ram",
        "requirements.gpus" => "--gpus",
        "requirements.array" | "requirements.array.values" => "--array",
        "requirements.tasks" => "--after",
        "requirements.label" => "--label",
        "requirements.ports" => "--port",
        "requirements.failure_policy" => "--retries",
        "requirements.executor" => "--executor",
        "requirements.maxlifespan" => "--time-limit",
        "command.cmd" => "--script",
        _ => return None,
    })
}

impl ClientError {
    pub fn local(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| ClientError::Local { what, error }
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            ClientError::Usage(_) => exit::USAGE,
            ClientError::NotLoggedIn | ClientError::LoginDenied { .. } | ClientError::LoginRefused { .. } => {
                exit::NOT_ALLOWED
            }
            ClientError::Credentials { .. } => exit::CREDENTIALS,
            ClientError::Away { .. } | ClientError::Unsure { .. } => exit::AWAY,
            ClientError::NotGoDocker { .. } => exit::SERVER_FAULT,
            ClientError::Refused(refusal) => refusal.exit_code(),
            ClientError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => exit::PIPE_CLOSED,
            ClientError::Local { .. } | ClientError::Output(_) => exit::LOCAL_FILE,
            ClientError::Timeout { .. } => exit::TIMEOUT,
        }
    }

    /// Whether the reader of our output went away: nobody is left to tell.
    pub fn is_silent(&self) -> bool {
        self.exit_code() == exit::PIPE_CLOSED
    }

    /// The same for a program.
    pub fn to_json(&self) -> serde_json::Value {
        let (code, fields) = match self {
            ClientError::Usage(_) => ("usage", None),
            ClientError::NotLoggedIn => ("not_logged_in", None),
            ClientError::LoginDenied { .. } | ClientError::LoginRefused { .. } => ("login_denied", None),
            ClientError::Credentials { .. } => ("credentials", None),
            ClientError::Away { .. } => ("away", None),
            ClientError::Unsure { .. } => ("unsure", None),
            ClientError::Refused(refusal) => (refusal.code.as_str(), Some(&refusal.fields)),
            ClientError::NotGoDocker { .. } => ("not_godocker", None),
            ClientError::Local { .. } | ClientError::Output(_) => ("local_file", None),
            ClientError::Timeout { .. } => ("timeout", None),
        };
        let mut document = serde_json::json!({ "error": code, "msg": self.to_string() });
        if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
            document["fields"] = serde_json::json!(fields);
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16) -> Refusal {
        let fields = vec![FieldFault { field: "requirements.tasks[0]".into(), message: "there is no job 9".into() }];
        Refusal {
            status,
            code: "x".into(),
            message: "no".into(),
            fields,
            retry_after: Some(7),
            subject: Some("job 3".into()),
        }
    }

    #[test]
    fn every_fault_of_a_field_is_shown_with_its_option() {
        let told = ClientError::Refused(refusal(400)).to_string();
        assert_eq!(
            told,
            "job 3: the server did not accept this:\n  --after (requirements.tasks[0]): there is no job 9"
        );
    }

    #[test]
    fn refusals_have_their_own_exit_codes_and_sentences() {
        let told = |status| ClientError::Refused(refusal(status));
        assert_eq!([400, 401, 403, 404, 409, 429, 500].map(|s| told(s).exit_code()), [65, 77, 77, 66, 65, 75, 70]);
        assert_eq!(told(429).to_string(), "job 3: too much at once: no (try again in 7 s)");
        assert_eq!(told(404).to_string(), "job 3: no");
        assert!(told(401).to_string().contains("god login"));
    }
}
