//! `god data`: the upload space over HTTP.

mod get;
mod put;

use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Method, Response, header};
use serde_json::{Value, json};

use super::{Done, Session};
use crate::client::cli::data::Data;
use crate::client::error::ClientError;
use crate::client::http::Call;

/// What tells a folder from a file, JSON or not, that a user uploaded.
const FOLDER: &str = "application/json; charset=utf-8";

pub async fn data(session: &Session, asked: Data) -> Done {
    match asked {
        Data::Put(asked) => put::put(session, asked).await,
        Data::Get(asked) => get::get(session, asked).await,
        Data::Ls { path } => list(session, &path).await,
        Data::Rm { paths, recursive } => remove(session, &paths, recursive).await,
    }
}

async fn list(session: &Session, path: &str) -> Done {
    let response = open(session, path, None).await?;
    if !is_folder(&response) {
        return Err(ClientError::Usage(format!("{path} is a file: fetch it with `god data get {path}`")));
    }
    let entries = json_of(session, response).await?;
    session.output.table(&entries, "nothing is there", || super::files::table(&entries))?;
    let usage = session.server.json(Call::read(&["data-usage"])).await?;
    let (used, quota) = (usage["used"].as_u64().unwrap_or(0), usage["quota"].as_u64().unwrap_or(0));
    match quota {
        0 => session.output.note(&format!("{used} bytes used")),
        quota => session.output.note(&format!("{used} of {quota} bytes used")),
    }
    Ok(0)
}

async fn remove(session: &Session, paths: &[String], recursive: bool) -> Done {
    for path in paths {
        let mut call = call(Method::DELETE, path)?.about(path);
        if recursive {
            call = call.query("recursive", 1);
        }
        session.server.json(call).await?;
        session.output.result(&json!({ "deleted": path }), String::new)?;
    }
    Ok(0)
}

/// The call that does this to `path`.
fn call(method: Method, path: &str) -> Result<Call, ClientError> {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err(ClientError::Usage(format!("{path:?} leads out of the space: give a path without ..")));
    }
    let segments: Vec<&str> = ["data"].into_iter().chain(if parts.is_empty() { vec![""] } else { parts }).collect();
    Ok(if method == Method::GET { Call::read(&segments) } else { Call::act(method, &segments) })
}

/// A file or folder of the space; of a file what comes after its first `from` bytes, if it is still the one of `tag`.
async fn open(session: &Session, path: &str, part: Option<(u64, &str)>) -> Result<Response, ClientError> {
    let mut call = call(Method::GET, path)?.about(if path.is_empty() { "the space" } else { path }).stream();
    if let Some((from, tag)) = part {
        call = call.header(header::RANGE, format!("bytes={from}-")).header(header::IF_RANGE, tag);
    }
    session.server.open(call).await
}

fn is_folder(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case(FOLDER))
}

async fn json_of(session: &Session, response: Response) -> Result<Value, ClientError> {
    response.json().await.map_err(|error| ClientError::NotGoDocker {
        server: session.server.address(),
        why: format!("its list of files is not understood: {error}"),
    })
}

/// How far a file is, for somebody at a terminal.
fn progress(session: &Session, name: &str, size: u64) -> ProgressBar {
    if session.output.json || !session.output.err_is_terminal {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(
        "{msg} {bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}",
    );
    let bar = ProgressBar::new(size).with_message(name.to_owned());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn join(folder: &str, name: &str) -> String {
    let folder = folder.trim_matches('/');
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
