//! `god job log`.

use std::time::Duration;

use serde_json::json;

use super::{Done, Session};
use crate::client::cli::Log;
use crate::client::error::ClientError;
use crate::client::follow::{Show, follow};
use crate::client::http::Call;
use crate::client::task::Task;
use crate::domain::JobId;

/// A file that comes this slowly has stopped coming.
const QUIET: Duration = Duration::from_secs(60);

pub async fn log(session: &Session, asked: Log) -> Done {
    let output = session.output;
    if asked.follow {
        let show = if asked.err { Show::Errors } else { Show::Both };
        follow(&session.server, asked.id, output, show, None).await?;
        return Ok(0);
    }
    if output.json {
        let mut document = json!({ "id": asked.id });
        if !asked.err {
            let mut text = Vec::new();
            out(session, asked.id, &mut |bytes| {
                text.extend(bytes);
                Ok(())
            })
            .await?;
            document["out"] = json!(String::from_utf8_lossy(&text));
        }
        let mut text = Vec::new();
        err(session, asked.id, &mut |bytes| {
            text.extend(bytes);
            Ok(())
        })
        .await?;
        document["err"] = json!(String::from_utf8_lossy(&text));
        output.line(&document)?;
        return Ok(0);
    }
    let mut written = 0;
    if !asked.err {
        written += out(session, asked.id, &mut |bytes| output.text(bytes)).await?;
    }
    written +=
        err(session, asked.id, &mut |bytes| if asked.err { output.text(bytes) } else { output.error_text(bytes) })
            .await?;
    if written == 0 {
        explain_silence(session, asked.id).await?;
    }
    Ok(0)
}

type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), ClientError>;

async fn out(session: &Session, id: JobId, sink: Sink<'_>) -> Result<usize, ClientError> {
    let call = Call::read(&["task", &id.to_string(), "log"]).about(format!("job {id}"));
    copy(session, call, sink).await
}

async fn err(session: &Session, id: JobId, sink: Sink<'_>) -> Result<usize, ClientError> {
    let path = id.to_string();
    let call = Call::read(&["task", &path, "files", "god.err"]).about(format!("job {id}"));
    match copy(session, call, sink).await {
        // The job, or only its file? A job that has not begun has none.
        Err(ClientError::Refused(refusal)) if refusal.status == 404 => {
            session.server.json(Call::read(&["task", &path]).about(format!("job {id}"))).await?;
            Ok(0)
        }
        copied => copied,
    }
}

async fn copy(session: &Session, call: Call, sink: Sink<'_>) -> Result<usize, ClientError> {
    let mut response = session.server.open(call.stream()).await?;
    let mut written = 0;
    while let Some(bytes) = session.server.chunk(&mut response, QUIET).await? {
        written += bytes.len();
        sink(&bytes)?;
    }
    Ok(written)
}

async fn explain_silence(session: &Session, id: JobId) -> Result<(), ClientError> {
    let task = Task(session.server.json(Call::read(&["task", &id.to_string()])).await?);
    let told = if task.is_array() {
        "is an array: its jobs have the logs".to_owned()
    } else if task.is_over() {
        "wrote nothing".to_owned()
    } else {
        format!("is {} and has written nothing yet. {}", task.state(), task.why())
    };
    session.output.note(&format!("job {id} {}", told.trim_end()));
    Ok(())
}
