//! `god job wait`: until jobs are over.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Done, Session};
use crate::client::cli::Wait;
use crate::client::error::ClientError;
use crate::client::http::Call;
use crate::client::table::{Table, printable};
use crate::client::task::Task;
use crate::domain::JobId;

/// How long the server is asked to hold one answer back.
const POLL: u64 = 60;

pub async fn wait(session: &Session, asked: Wait) -> Done {
    let deadline = asked.timeout.map(|timeout| Deadline { at: Instant::now() + timeout, timeout });
    let mut tasks = Vec::new();
    for id in asked.ids {
        // One after the other: together they take as long as the longest.
        tasks.push(over(session, id, deadline).await?);
    }
    let worst = tasks.iter().map(Task::exit_code).max().unwrap_or(0);
    let documents = Value::Array(tasks.iter().map(|task| task.0.clone()).collect());
    session.output.table(&documents, "", || table(&tasks))?;
    Ok(worst)
}

fn table(tasks: &[Task]) -> Table {
    let mut table = Table::new(["ID", "NAME", "STATE", "EXIT", "TIME", "WHY"]);
    for task in tasks {
        let exit = task.exit_code().to_string();
        table.row([task.id(), task.text("/meta/name"), task.state(), exit, task.ran(0.0), task.why()]);
    }
    table
}

#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    timeout: Duration,
}

/// The job, once it is over.
pub async fn over(session: &Session, id: JobId, deadline: Option<Deadline>) -> Result<Task, ClientError> {
    let text = id.to_string();
    loop {
        let left = deadline.map(|deadline| deadline.at.saturating_duration_since(Instant::now()));
        let poll = left.map_or(POLL, |left| left.as_secs_f64().ceil().min(POLL as f64) as u64);
        let call = Call::read(&["task", &text, "wait"])
            .query("timeout", poll)
            .timeout(Duration::from_secs(poll + 30))
            .patiently()
            .about(format!("job {id}"));
        let asked = Instant::now();
        let task = Task(session.server.json(call).await?);
        if task.is_over() {
            return Ok(task);
        }
        if let Some(Deadline { at, timeout }) = deadline
            && Instant::now() >= at
        {
            return Err(ClientError::Timeout { job: id, seconds: timeout.as_secs() });
        }
        // A server that answers at once does not know this wait: it is not asked without end.
        if asked.elapsed() < Duration::from_millis(200) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Says aside how a job ended, where its exit code alone does not.
pub fn tell(session: &Session, task: &Task) {
    let ending = task.ending().unwrap_or_default();
    if !matches!(ending.as_str(), "done" | "failed") {
        session.output.note(&format!("job {}: {}. {}", task.id(), ending, printable(&task.why())));
    }
}
