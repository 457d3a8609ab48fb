//! What engines answer, as ours.

use bollard::errors::Error;

use crate::domain::Timestamp;
use crate::plugins::executor::ExecutorError;

/// What an engine that was away says of a container that it does not find any more.
const LOST: i64 = 255;

pub fn status_code(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// The engine did not answer, as opposed to having said no.
pub fn is_away(error: &Error) -> bool {
    !matches!(error, Error::DockerResponseServerError { .. } | Error::DockerStreamError { .. })
}

pub fn is_port_taken(error: &Error) -> bool {
    let text = error.to_string();
    text.contains("port is already allocated") || text.contains("address already in use")
}

/// What the engine said, without the trimmings.
pub fn sentence(error: &Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message.trim().trim_end_matches('.').to_owned(),
        Error::DockerStreamError { error } => error.trim().trim_end_matches('.').to_owned(),
        other => root_cause(other),
    }
}

/// What the libraries in between say of a connection that cannot be made tells nobody anything.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

pub fn of_docker(error: Error) -> ExecutorError {
    match status_code(&error) {
        Some(404) => ExecutorError::NoSuchAttempt,
        // The request itself is wrong: an image without sh, a volume that is gone, a name that is none.
        Some(400..=499) => ExecutorError::Refused(format!("Docker refuses it: {}.", sentence(&error))),
        Some(_) if sentence(&error).contains("OCI runtime") => {
            ExecutorError::Refused(format!("Docker cannot start it: {}.", sentence(&error)))
        }
        _ => ExecutorError::Unavailable(sentence(&error)),
    }
}

/// `None` when the engine does not know it. A job that ended so by itself has said it in its job directory.
pub fn exit_code(said: Option<i64>) -> Option<i32> {
    said.filter(|code| *code != LOST).and_then(|code| i32::try_from(code).ok())
}

pub fn moment(text: Option<&String>) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text?.parse().ok()?;
    // The engine writes the year 1 for never.
    (moment.as_second() > 0).then(|| Timestamp(moment.as_millisecond()))
}
