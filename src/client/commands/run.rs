//! `god run`: a job that feels like a command.

use serde_json::json;

use super::{Done, Session, submit, wait};
use crate::client::cli::Run;
use crate::client::document::{self, Work};
use crate::client::error::{ClientError, exit};
use crate::client::follow::{Followed, Interrupts, Show, follow};
use crate::client::quote;
use crate::domain::JobId;

pub async fn run(session: &Session, asked: Run) -> Done {
    let script = quote::script(&asked.command);
    let name = submit::name_of(&asked.command);
    let work = Work { name: &name, image: &asked.image, script: &script, array: None };
    let id = submit::send(session, document::job(&asked.options, work)).await?;
    let output = session.output;
    if output.json {
        output.line(&json!({ "event": "submitted", "id": id }))?;
    }
    let how_to_follow =
        format!("job {id} goes on; see it with `god job log -f {id}`, stop it with `god job kill {id}`");
    let ended = finish(session, id).await;
    match &ended {
        Ok(None) => output.note(&how_to_follow),
        Err(error) if !error.is_silent() => output.note(&how_to_follow),
        _ => {}
    }
    Ok(ended?.unwrap_or(exit::INTERRUPTED))
}

/// The job's exit code; `None` when it was left running.
async fn finish(session: &Session, id: JobId) -> Result<Option<u8>, ClientError> {
    let interrupts = Interrupts::new()?;
    match follow(&session.server, id, session.output, Show::Both, Some(interrupts)).await? {
        Followed::Left => Ok(None),
        Followed::ToItsEnd => {
            let task = wait::over(session, id, None).await?;
            wait::tell(session, &task);
            Ok(Some(task.exit_code()))
        }
    }
}
