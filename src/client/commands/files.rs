//! `god job files` and `god job get`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Response, header};
use serde_json::{Value, json};

use super::{Done, Session};
use crate::client::cli::{Archive, Get};
use crate::client::error::ClientError;
use crate::client::http::Call;
use crate::client::table::Table;
use crate::domain::JobId;

/// What tells a directory from a file, JSON or not, that a job made.
const DIRECTORY: &str = "application/json; charset=utf-8";
const QUIET: Duration = Duration::from_secs(60);

pub async fn list(session: &Session, id: JobId, path: &str) -> Done {
    let response = open(session, id, path, None).await?;
    if !is_directory(&response) {
        let told = format!("{path} is a file: fetch it with `god job get {id} {path}`");
        return Err(ClientError::Usage(told));
    }
    let entries: Value = response.json().await.map_err(|error| ClientError::NotGoDocker {
        server: session.server.address(),
        why: format!("its list of files is not understood: {error}"),
    })?;
    session.output.table(&entries, "no files", || table(&entries))?;
    Ok(0)
}

/// A directory's entries, of whatever space.
pub(super) fn table(entries: &Value) -> Table {
    let mut table = Table::new(["SIZE", "NAME"]);
    for entry in entries.as_array().into_iter().flatten() {
        let name = entry["name"].as_str().unwrap_or_default();
        match entry["type"].as_str() {
            Some("dir") => table.row(["-".into(), format!("{name}/")]),
            _ => table.row([entry["size"].to_string(), name.to_owned()]),
        }
    }
    table
}

pub async fn get(session: &Session, asked: Get) -> Done {
    let mut response = open(session, asked.id, &asked.path, asked.archive).await?;
    if is_directory(&response) {
        let (id, path) = (asked.id, &asked.path);
        let told = format!(
            "{path:?} is a directory: list it with `god job files {id} {path}`, or fetch all of it with --archive tar"
        );
        return Err(ClientError::Usage(told));
    }
    if asked.output.as_deref() == Some(Path::new("-")) {
        while let Some(bytes) = session.server.chunk(&mut response, QUIET).await? {
            session.output.text(&bytes)?;
        }
        return Ok(0);
    }
    let target = target(&asked)?;
    let mut download = Download::begin(target)?;
    while let Some(bytes) = session.server.chunk(&mut response, QUIET).await? {
        download.write(&bytes)?;
    }
    let (target, size) = download.finish()?;
    let shown = target.display().to_string();
    let document = json!({ "file": shown, "size": size });
    session.output.result(&document, || format!("{shown} ({size} bytes)\n"))?;
    Ok(0)
}

/// Its own name, here, where nothing has that name yet; or wherever the user says.
fn target(asked: &Get) -> Result<PathBuf, ClientError> {
    let last = asked.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = match asked.archive {
        None => last.to_owned(),
        Some(format) if last.is_empty() => format!("job-{}.{}", asked.id, format.as_str()),
        Some(format) => format!("{last}.{}", format.as_str()),
    };
    match &asked.output {
        Some(output) if output.is_dir() => Ok(output.join(name)),
        Some(output) => Ok(output.clone()),
        None if Path::new(&name).exists() => {
            Err(ClientError::Usage(format!("{name} exists here already: -o {name} replaces it")))
        }
        None => Ok(name.into()),
    }
}

async fn open(session: &Session, id: JobId, path: &str, archive: Option<Archive>) -> Result<Response, ClientError> {
    let id = id.to_string();
    let mut segments = vec!["task", id.as_str(), "files"];
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err(ClientError::Usage(format!("{path:?} leads out of the job directory: give a path without ..")));
    }
    // The directory itself is `files/`.
    segments.extend(if parts.is_empty() { vec![""] } else { parts });
    let about = if path.is_empty() { format!("job {id}") } else { format!("{path} of job {id}") };
    let call = Call::read(&segments).about(about).stream();
    let call = match archive {
        Some(format) => call.query("archive", format.as_str()),
        None => call,
    };
    session.server.open(call).await
}

fn is_directory(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case(DIRECTORY))
}

/// A file that appears under its name only when it is whole.
struct Download {
    target: PathBuf,
    part: PathBuf,
    file: File,
    size: u64,
    is_whole: bool,
}

impl Download {
    fn begin(target: PathBuf) -> Result<Self, ClientError> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = target.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&part).map_err(failed(&target))?;
        Ok(Download { target, part, file, size: 0, is_whole: false })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).map_err(failed(&self.target))
    }

    fn finish(mut self) -> Result<(PathBuf, u64), ClientError> {
        fs::rename(&self.part, &self.target).map_err(failed(&self.target))?;
        self.is_whole = true;
        Ok((self.target.clone(), self.size))
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if !self.is_whole {
            let _ = fs::remove_file(&self.part);
        }
    }
}

fn failed(target: &Path) -> impl FnOnce(io::Error) -> ClientError + use<> {
    ClientError::local(format!("{} cannot be written", target.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_that_breaks_off_leaves_nothing() {
        let here = tempfile::tempdir().unwrap();
        let target = here.path().join("result.txt");
        fs::write(&target, "old").unwrap();
        let mut download = Download::begin(target.clone()).unwrap();
        download.write(b"half").unwrap();
        drop(download);
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        let mut download = Download::begin(target.clone()).unwrap();
        download.write(b"whole").unwrap();
        assert_eq!(download.finish().unwrap().1, 5);
        assert_eq!(fs::read_to_string(&target).unwrap(), "whole");
        assert_eq!(fs::read_dir(here.path()).unwrap().count(), 1);
    }
}
