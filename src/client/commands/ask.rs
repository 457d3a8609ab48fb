//! `god job kill`, `suspend`, `resume`, `reschedule`, `archive`, `delete`: each job is asked, whatever the others answered.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Done, Session};
use crate::client::error::ClientError;
use crate::client::http::{Call, Server};
use crate::domain::JobId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Kill,
    Suspend,
    Resume,
    Reschedule,
    Archive,
    Delete,
}

impl Wish {
    fn call(self, id: JobId) -> Call {
        let id = id.to_string();
        match self {
            Wish::Kill => Call::act(Method::DELETE, &["task", &id]),
            Wish::Suspend => Call::act(Method::GET, &["task", &id, "suspend"]),
            Wish::Resume => Call::act(Method::GET, &["task", &id, "resume"]),
            Wish::Reschedule => Call::act(Method::GET, &["task", &id, "reschedule"]),
            Wish::Archive => Call::act(Method::GET, &["task", &id, "archive"]),
            Wish::Delete => Call::act(Method::DELETE, &["task", &id, "archive"]),
        }
        .about(format!("job {id}"))
    }

    fn asked(self) -> &'static str {
        match self {
            Wish::Kill => "asked to stop",
            Wish::Suspend => "asked to pause",
            Wish::Resume => "asked to go on",
            Wish::Reschedule => "asked to go back to the queue",
            Wish::Archive => "its files are being deleted",
            Wish::Delete => "it is being deleted",
        }
    }
}

pub async fn kill(server: &Server, id: JobId) -> Result<Value, ClientError> {
    server.json(Wish::Kill.call(id)).await
}

/// Asks every job; ends with the first thing that went wrong.
pub(super) async fn all(session: &Session, ids: &[JobId], wish: Wish) -> Done {
    let output = session.output;
    let mut answers = Vec::new();
    let mut first_fault = None;
    for &id in ids {
        match session.server.json(wish.call(id)).await {
            Ok(answer) => answers.push((id, Ok(answer))),
            // Concerns the one job, and not the others.
            Err(error @ ClientError::Refused(_)) => answers.push((id, Err(error))),
            Err(error) => {
                first_fault = Some(error);
                break;
            }
        }
    }
    if output.json {
        output.line(&answers.iter().map(|(id, answer)| document(*id, answer)).collect())?;
    }
    for (id, answer) in answers {
        match answer {
            Ok(_) if output.json => {}
            Ok(_) => output.text(format!("job {id}: {}\n", wish.asked()).as_bytes())?,
            Err(error) => {
                // The last word belongs to the first fault: the program ends with it.
                match first_fault {
                    None => first_fault = Some(error),
                    Some(_) => output.error(&error),
                }
            }
        }
    }
    first_fault.map_or(Ok(0), Err)
}

fn document(id: JobId, answer: &Result<Value, ClientError>) -> Value {
    match answer {
        Ok(answer) => json!({ "id": id, "msg": answer["msg"] }),
        Err(error) => {
            let mut document = error.to_json();
            document["id"] = json!(id);
            document
        }
    }
}
