//! Fetching files. What came of a file waits beside its place, under the name of that very version, for the next try.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};

use super::{is_folder, join, json_of, open, progress};
use crate::client::cli::data::Get;
use crate::client::commands::{Done, Session};
use crate::client::error::ClientError;
use crate::client::http::{Backoff, Patience};

const QUIET: Duration = Duration::from_secs(60);

pub async fn get(session: &Session, asked: Get) -> Done {
    let mut response = open(session, &asked.path, None).await?;
    if is_folder(&response) {
        if !asked.recursive {
            let path = &asked.path;
            return Err(ClientError::Usage(format!("{path:?} is a folder: -r fetches it with all it holds")));
        }
        let target = target(&asked)?;
        return fetch_folder(session, &asked.path, response, &target).await;
    }
    if asked.output.as_deref() == Some(Path::new("-")) {
        while let Some(bytes) = session.server.chunk(&mut response, QUIET).await? {
            session.output.text(&bytes)?;
        }
        return Ok(0);
    }
    let target = target(&asked)?;
    fetch(session, &asked.path, response, &target).await?;
    Ok(0)
}

/// Its own name, here, where nothing has that name yet; or wherever the user says.
fn target(asked: &Get) -> Result<PathBuf, ClientError> {
    let name = asked.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = if name.is_empty() { "data" } else { name };
    match &asked.output {
        Some(output) if output.is_dir() => Ok(output.join(name)),
        Some(output) => Ok(output.clone()),
        None if Path::new(name).exists() => {
            Err(ClientError::Usage(format!("{name} exists here already: -o {name} replaces it")))
        }
        None => Ok(name.into()),
    }
}

async fn fetch_folder(session: &Session, path: &str, listed: Response, target: &Path) -> Done {
    let mut left = vec![(path.trim_matches('/').to_owned(), json_of(session, listed).await?, target.to_owned())];
    while let Some((path, entries, target)) = left.pop() {
        fs::create_dir_all(&target).map_err(failed(&target))?;
        for entry in entries.as_array().into_iter().flatten() {
            let Some(name) = entry["name"].as_str().filter(|name| is_name(name)) else { continue };
            let (path, target) = (join(&path, name), target.join(name));
            if entry["type"] == "dir" {
                let listed: Value = json_of(session, open(session, &path, None).await?).await?;
                left.push((path, listed, target));
            } else {
                let response = open(session, &path, None).await?;
                fetch(session, &path, response, &target).await?;
            }
        }
    }
    Ok(0)
}

/// A name that leads nowhere else, whatever the server says.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !matches!(name, "." | "..") && !name.contains('/')
}

async fn fetch(session: &Session, path: &str, first: Response, target: &Path) -> Result<(), ClientError> {
    let tag = header_text(&first, header::ETAG);
    let size = header_text(&first, header::CONTENT_LENGTH).parse().unwrap_or(0);
    let part = part_of(target, &tag);
    let bar = progress(session, path, size);
    let (mut first, mut backoff) = (Some(first), Backoff::new(Patience::Long));
    loop {
        let there = fs::metadata(&part).map_or(0, |known| known.len());
        if size > 0 && there == size {
            break;
        }
        let mut response = match (there, first.take()) {
            (0, Some(first)) => first,
            (0, None) => open(session, path, None).await?,
            (there, _) => open(session, path, Some((there, &tag))).await?,
        };
        match append(session, &mut response, &part, &bar).await {
            Err(ClientError::Away { .. }) if backoff.pause().await => {}
            done => {
                done?;
                break;
            }
        }
    }
    fs::rename(&part, target).map_err(failed(target))?;
    bar.finish_and_clear();
    let shown = target.display().to_string();
    session.output.result(&json!({ "file": shown, "size": size }), || format!("{shown} ({size} bytes)\n"))
}

/// Writes what comes where it belongs.
async fn append(
    session: &Session,
    response: &mut Response,
    part: &Path,
    bar: &indicatif::ProgressBar,
) -> Result<(), ClientError> {
    let goes_on = response.status() == StatusCode::PARTIAL_CONTENT;
    let mut options = OpenOptions::new();
    options.create(true).write(true);
    let mut file: File =
        if goes_on { options.append(true) } else { options.truncate(true) }.open(part).map_err(failed(part))?;
    bar.set_position(if goes_on { fs::metadata(part).map_or(0, |known| known.len()) } else { 0 });
    while let Some(bytes) = session.server.chunk(response, QUIET).await? {
        file.write_all(&bytes).map_err(failed(part))?;
        bar.inc(bytes.len() as u64);
    }
    Ok(())
}

fn part_of(target: &Path, tag: &str) -> PathBuf {
    let tag: String = tag.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{tag}.part"));
    target.with_file_name(name)
}

fn header_text(response: &Response, name: header::HeaderName) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn failed(target: &Path) -> impl FnOnce(io::Error) -> ClientError + use<> {
    ClientError::local(format!("{} cannot be written", target.display()))
}
