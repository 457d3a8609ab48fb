//! Sending files. A file grows under a name of its own, which tells what it is a part of, and takes its name when it
//! is whole: a job never sees half of it, and a later try goes on with what is there.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{call, join, progress};
use crate::client::cli::data::Put;
use crate::client::commands::{Done, Session};
use crate::client::error::ClientError;
use crate::client::http::{Backoff, Body, Patience};

pub async fn put(session: &Session, asked: Put) -> Done {
    make_folders(session, &asked.to).await?;
    for file in &asked.files {
        let name = name_of(file)?;
        let known = fs::metadata(file).map_err(unreadable(file))?;
        if known.is_dir() && !asked.recursive {
            return Err(ClientError::Usage(format!("{} is a folder: -r sends it with all it holds", file.display())));
        }
        put_one(session, file, &known, &join(&asked.to, &name)).await?;
    }
    Ok(0)
}

fn name_of(file: &Path) -> Result<String, ClientError> {
    let named = file.canonicalize().map_err(unreadable(file))?;
    let name = file.file_name().or_else(|| named.file_name()).and_then(|name| name.to_str());
    name.map(str::to_owned)
        .ok_or_else(|| ClientError::Usage(format!("{} has no name to be sent under", file.display())))
}

/// A file, or a folder with all it holds; what is neither is left out.
async fn put_one(session: &Session, file: &Path, known: &Metadata, to: &str) -> Result<(), ClientError> {
    let mut left = vec![(file.to_owned(), known.clone(), to.to_owned())];
    while let Some((file, known, to)) = left.pop() {
        if known.is_file() {
            send(session, &file, &known, &to).await?;
        } else if known.is_dir() {
            make_folders(session, &to).await?;
            for entry in fs::read_dir(&file).map_err(unreadable(&file))? {
                let path = entry.map_err(unreadable(&file))?.path();
                let known = fs::symlink_metadata(&path).map_err(unreadable(&path))?;
                let to = join(&to, &name_of(&path)?);
                left.push((path, known, to));
            }
        } else {
            session.output.note(&format!("{} is no plain file, and is left out", file.display()));
        }
    }
    Ok(())
}

async fn make_folders(session: &Session, path: &str) -> Result<(), ClientError> {
    let mut made = String::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        made = join(&made, part);
        match session.server.json(call(Method::POST, &made)?.query("dir", 1).about(&made)).await {
            Err(ClientError::Refused(refusal)) if refusal.status == 409 => {}
            done => drop(done?),
        }
    }
    Ok(())
}

async fn send(session: &Session, file: &Path, known: &Metadata, to: &str) -> Result<(), ClientError> {
    let (part, size) = (part_of(to, known), known.len());
    let bar = progress(session, to, size);
    let mut backoff = Backoff::new(Patience::Long);
    loop {
        let from = match length(session, &part).await {
            Ok(from) => from.filter(|from| *from <= size).unwrap_or(0),
            Err(ClientError::Away { .. }) if backoff.pause().await => continue,
            Err(error) => return Err(error),
        };
        bar.set_position(from);
        let body = Body { file: open_at(file, from)?, length: size - from, progress: bar.clone() };
        let sent =
            session.server.upload(call(Method::PUT, &part)?.query("offset", from).about(to).stream(), body).await;
        match sent {
            Ok(_) => break,
            // What had come is there, and is gone on with.
            Err(ClientError::Away { .. } | ClientError::Unsure { .. }) if backoff.pause().await => {}
            Err(error) => {
                if let ClientError::Refused(refusal) = &error
                    && refusal.status == 413
                {
                    // It would never fit. That it is gone is not what is told.
                    let _ = session.server.json(call(Method::DELETE, &part)?).await;
                }
                return Err(error);
            }
        }
    }
    session.server.json(call(Method::POST, to)?.query("from", &part).about(to)).await?;
    bar.finish_and_clear();
    session.output.result(&json!({ "file": to, "size": size }), || format!("{to} ({size} bytes)\n"))
}

/// Of this very file: another size or time makes another name.
fn part_of(to: &str, known: &Metadata) -> String {
    let modified =
        known.modified().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
    let digest = Sha256::digest(format!("{to}\0{}\0{}", known.len(), modified.as_nanos()));
    let (folder, _) = to.rsplit_once('/').unwrap_or(("", to));
    join(folder, &format!(".god-{}.part", hex::encode(&digest[..8])))
}

/// How much of it is there; `None` when nothing is.
async fn length(session: &Session, path: &str) -> Result<Option<u64>, ClientError> {
    match session.server.open(call(Method::HEAD, path)?.about(path)).await {
        Ok(response) => {
            let length = response.headers().get(reqwest::header::CONTENT_LENGTH);
            Ok(length.and_then(|length| length.to_str().ok()?.parse().ok()))
        }
        Err(ClientError::Refused(refusal)) if refusal.status == 404 => Ok(None),
        Err(ClientError::NotGoDocker { why, .. }) if why.contains("404") => Ok(None),
        Err(error) => Err(error),
    }
}

fn open_at(file: &Path, from: u64) -> Result<File, ClientError> {
    use std::io::{Seek, SeekFrom};
    let mut opened = File::open(file).map_err(unreadable(file))?;
    opened.seek(SeekFrom::Start(from)).map_err(unreadable(file))?;
    Ok(opened)
}

fn unreadable(file: &Path) -> impl FnOnce(io::Error) -> ClientError + use<> {
    let file: PathBuf = file.to_owned();
    move |error| ClientError::Local { what: format!("{} cannot be read", file.display()), error }
}
