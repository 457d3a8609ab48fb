//! `god job kill`, `suspend`, `resume`, `reschedule`, `archive`, `delete`: each job is asked, whatever the others answered.
//! What is archived is asked for together.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Done, Session};
use crate::client::error::{ClientError, Refusal};
use crate::client::http::{Call, Server};
use crate::client::output::Output;
use crate::domain::JobId;

/// How many one request may name.
const MOST_AT_ONCE: usize = 1_000;

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
    let (answers, fault) = match wish {
        Wish::Archive if ids.len() > 1 => archive_together(session, ids).await,
        _ => one_by_one(session, ids, wish).await,
    };
    told(session.output, wish, answers, fault)
}

type Answers = Vec<(JobId, Result<Value, ClientError>)>;

/// What each job's answer was, and what kept the rest from being asked.
async fn one_by_one(session: &Session, ids: &[JobId], wish: Wish) -> (Answers, Option<ClientError>) {
    let mut answers = Vec::new();
    for &id in ids {
        match session.server.json(wish.call(id)).await {
            Ok(answer) => answers.push((id, Ok(answer))),
            // Concerns the one job, and not the others.
            Err(error @ ClientError::Refused(_)) => answers.push((id, Err(error))),
            Err(error) => return (answers, Some(error)),
        }
    }
    (answers, None)
}

async fn archive_together(session: &Session, ids: &[JobId]) -> (Answers, Option<ClientError>) {
    let mut answers = Vec::new();
    for ids in ids.chunks(MOST_AT_ONCE) {
        let call = Call::act(Method::POST, &["archive"]).body(json!({ "ids": ids }));
        match session.server.json(call).await {
            Ok(answer) => answers.extend(ids.iter().zip(outcomes(&answer)).map(|(id, outcome)| (*id, outcome))),
            Err(error) => return (answers, Some(error)),
        }
    }
    (answers, None)
}

/// In the order in which they were asked for.
fn outcomes(answer: &Value) -> impl Iterator<Item = Result<Value, ClientError>> {
    answer["tasks"].as_array().into_iter().flatten().map(|task| {
        let text = |key: &str| task[key].as_str().unwrap_or_default().to_owned();
        match task["status"].as_u64().and_then(|status| u16::try_from(status).ok()) {
            Some(200) => Ok(task.clone()),
            status => Err(ClientError::Refused(Refusal {
                status: status.unwrap_or(500),
                code: text("error"),
                message: text("msg"),
                fields: Vec::new(),
                retry_after: None,
                subject: Some(format!("job {}", task["id"])),
            })),
        }
    })
}

fn told(output: Output, wish: Wish, answers: Answers, mut first_fault: Option<ClientError>) -> Done {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_jobs_archived_together_each_has_its_answer() {
        let answer = json!({ "msg": "Tasks archive requested", "count": 1, "tasks": [
            { "id": 3, "status": 200, "msg": "Task archive requested" },
            { "id": 4, "status": 409, "error": "conflict", "msg": "job 4 is running" },
        ]});
        let outcomes: Vec<_> = outcomes(&answer).collect();
        assert_eq!(outcomes[0].as_ref().unwrap()["id"], 3);
        let refused = outcomes[1].as_ref().unwrap_err();
        assert_eq!((refused.exit_code(), refused.to_string().as_str()), (65, "job 4: job 4 is running"));
    }
}
