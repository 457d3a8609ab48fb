//! What a caller may do with their upload space; API and page both come here.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use tokio_util::io::StreamReader;

use super::Site;
use super::access::Caller;
use super::error::ApiError;
use super::jobs::blocking;
use super::words::says;
use crate::files::upload_space::{Cut, ReceiveError, receive};
use crate::files::{FileError, UploadSpace};

/// How long a sender may be silent.
const SILENCE: Duration = Duration::from_secs(300);

/// What is used of what may be.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub used: u64,
    /// 0 is no limit.
    pub quota: u64,
}

pub async fn space(site: &Site, caller: &Caller) -> Result<UploadSpace, ApiError> {
    Ok(site.files.uploads().open(&caller.user).await?)
}

/// Does `work` with the caller's space where blocking is fine.
pub async fn within<T: Send + 'static>(
    site: &Site,
    caller: &Caller,
    work: impl FnOnce(UploadSpace) -> Result<T, FileError> + Send + 'static,
) -> Result<T, ApiError> {
    let space = space(site, caller).await?;
    Ok(blocking(move || work(space)).await?)
}

pub async fn usage(site: &Site, caller: &Caller) -> Result<Usage, ApiError> {
    within(site, caller, |space| Ok(Usage { used: space.used()?, quota: space.quota() })).await
}

/// Makes a folder in one that is there.
pub async fn make_folder(site: &Site, caller: &Caller, path: String) -> Result<(), ApiError> {
    within(site, caller, move |space| space.make_directory(&path)).await
}

/// Moves a file or folder. A file in the way is replaced, or with `keep` kept.
///
/// # Errors
/// 409 for what is in the way.
pub async fn rename(site: &Site, caller: &Caller, from: String, to: String, keep: bool) -> Result<(), ApiError> {
    let done = within(site, caller, move |space| match space.look(&to) {
        Ok(_) if keep && from != to => Err(FileError::Exists),
        _ => space.rename(&from, &to),
    });
    done.await
}

/// Deletes a file or an empty folder; with `all` a folder with what it holds.
///
/// # Errors
/// 409 for a folder that is not empty.
pub async fn remove(site: &Site, caller: &Caller, path: String, all: bool) -> Result<(), ApiError> {
    let done = within(site, caller, move |space| match space.remove_file(&path) {
        Err(FileError::IsDirectory) if all => space.remove_all(&path),
        Err(FileError::IsDirectory) => space.remove_directory(&path),
        done => done,
    });
    done.await
}

/// A file to be received.
pub struct Incoming {
    pub path: String,
    /// Goes on with the file, which must end there.
    pub offset: Option<u64>,
    /// Bytes that will come, where that is known.
    pub length: Option<u64>,
}

/// Receives a file, and answers its size. What does not fit leaves no trace. What breaks off can be gone on with, unless
/// it would have replaced something, which then stays.
///
/// # Errors
/// 413 for what does not fit, 409 for an offset that is not the file's end.
pub async fn store<E>(
    site: &Site,
    caller: &Caller,
    incoming: Incoming,
    bytes: impl Stream<Item = Result<Bytes, E>> + 'static,
) -> Result<u64, ApiError>
where
    E: std::error::Error + 'static,
{
    let Incoming { path, offset, length } = incoming;
    let begun = within(site, caller, move |space| {
        space.check_room(length.unwrap_or(0))?;
        match offset {
            None => space.create(&path),
            Some(at) => match space.append(&path, at, true) {
                Err(FileError::NotFound) if at == 0 => space.create(&path),
                begun => begun,
            },
        }
    });
    let upload = begun.await?;
    let reader = StreamReader::new(bytes.map_err(|error| std::io::Error::other(error.to_string())).boxed_local());
    // Goes on when the sender, and with it this request, is gone: what had come is then put away.
    let receiving = actix_web::rt::spawn(receive(upload, reader, SILENCE, Cut::KeepIfNew));
    match receiving.await {
        Ok(Ok(size)) => Ok(size),
        Ok(Err(ReceiveError::File(error))) => Err(error.into()),
        Ok(Err(ReceiveError::Cut(error))) => {
            Err(ApiError::BadRequest(says("fault-file-cut").set("why", error.to_string())))
        }
        Err(error) => Err(FileError::Io(std::io::Error::other(error)).into()),
    }
}
