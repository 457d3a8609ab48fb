//! `god job submit`.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Done, Session, wait};
use crate::client::cli::Submit;
use crate::client::document::{self, Work};
use crate::client::error::ClientError;
use crate::client::http::Call;
use crate::client::quote;
use crate::domain::JobId;

pub async fn submit(session: &Session, asked: Submit) -> Done {
    let (name, script) = script(&asked)?;
    let image = match asked.image.clone() {
        Some(image) => image,
        None => default_image(session).await?,
    };
    let work = Work { name: &name, image: &image, script: &script, array: asked.array.as_deref() };
    let id = send(session, document::job(&asked.options, work)).await?;
    // With --wait, the document of the job that is over is the answer.
    if !(asked.wait && session.output.json) {
        session.output.result(&json!({ "id": id }), || format!("{id}\n"))?;
    }
    if !asked.wait {
        return Ok(0);
    }
    let task = wait::over(session, id, None).await?;
    wait::tell(session, &task);
    if session.output.json {
        session.output.line(&task.0)?;
    }
    Ok(task.exit_code())
}

/// Sends a job, once.
pub async fn send(session: &Session, job: Value) -> Result<JobId, ClientError> {
    let answered = session.server.json(Call::act(Method::POST, &["task"]).body(job)).await?;
    answered["id"].as_u64().map(JobId).ok_or_else(|| ClientError::NotGoDocker {
        server: session.server.address(),
        why: "its answer holds no job's id".into(),
    })
}

/// The script, and a name after it.
fn script(asked: &Submit) -> Result<(String, String), ClientError> {
    if let Some(path) = &asked.script {
        let name = path.file_name().filter(|name| *name != "-").map(|name| name.to_string_lossy().into_owned());
        return Ok((name.unwrap_or_else(|| "job".into()), read(path)?));
    }
    if let Some(text) = &asked.cmd {
        return Ok(("job".into(), document::script(text)));
    }
    if asked.command.is_empty() {
        return Err(ClientError::Usage("nothing to run: give --script FILE, --cmd TEXT, or a command after --".into()));
    }
    Ok((name_of(&asked.command), quote::script(&asked.command)))
}

/// A job is named after its program.
pub fn name_of(command: &[String]) -> String {
    let program = command.first().map(String::as_str).unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    if name.trim().is_empty() { "job".into() } else { name.chars().filter(|c| !c.is_control()).take(100).collect() }
}

fn read(path: &Path) -> Result<String, ClientError> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    text.map_err(ClientError::local(format!("the script {} cannot be read", path.display())))
}

async fn default_image(session: &Session) -> Result<String, ClientError> {
    let config = session.server.json(Call::read(&["config"])).await?;
    let images = config["images"].as_array().map(Vec::as_slice).unwrap_or_default();
    let default = images.iter().find(|image| image["default"].as_bool() == Some(true));
    let url = default.and_then(|image| image["url"].as_str());
    url.map(str::to_owned).ok_or_else(|| {
        ClientError::Usage("this site has no default image: give one with --image (`god image list`)".into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_named_after_its_program() {
        let name = |program: &str| name_of(&[program.into(), "x".into()]);
        assert_eq!([name("/usr/bin/blastn"), name("ls"), name("/"), name("")], ["blastn", "ls", "job", "job"]);
    }
}
