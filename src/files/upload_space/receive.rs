//! From a stream into a space.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::{JoinHandle, spawn_blocking};

use super::Upload;
use crate::files::FileError;
use crate::files::job_dirs::blocking;

/// What is read before it is written; one more is on its way to the disk meanwhile.
const PIECE: usize = 512 * 1024;

/// What becomes of what had come when a stream breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It takes its name, so that it can be gone on with.
    Keep,
    /// The same, unless something has that name, which then stays as it is.
    KeepIfNew,
}

#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error(transparent)]
    File(#[from] FileError),
    /// The sender went away, or nothing came for too long.
    #[error("the file was not sent whole: {0}")]
    Cut(io::Error),
}

/// Receives until `from` ends. Answers the size of the file.
///
/// # Errors
/// What does not fit or cannot be written leaves everything as it was; of what breaks off, `cut` says what stays.
pub async fn receive(
    upload: Upload,
    mut from: impl AsyncRead + Unpin,
    silence: Duration,
    cut: Cut,
) -> Result<u64, ReceiveError> {
    let mut writing = spawn_blocking(move || Ok((upload, Vec::with_capacity(PIECE))));
    let mut buffer = Vec::with_capacity(PIECE);
    let mut broken = None;
    loop {
        buffer.clear();
        let ended = match fill(&mut from, &mut buffer, silence).await {
            Ok(ended) => ended,
            Err(error) => {
                broken = Some(error);
                true
            }
        };
        let (mut upload, emptied) = written(writing).await?;
        let piece = std::mem::replace(&mut buffer, emptied);
        writing = spawn_blocking(move || {
            upload.write(&piece)?;
            Ok((upload, piece))
        });
        if ended {
            break;
        }
    }
    let (upload, _) = written(writing).await?;
    let keeps = broken.is_none() || cut == Cut::Keep || !upload.replaces();
    let size = if keeps { blocking(move || upload.finish()).await? } else { 0 };
    match broken {
        None => Ok(size),
        Some(error) => Err(ReceiveError::Cut(error)),
    }
}

/// The upload and an empty buffer, once the piece is written.
async fn written(writing: JoinHandle<Result<(Upload, Vec<u8>), FileError>>) -> Result<(Upload, Vec<u8>), FileError> {
    match writing.await {
        Ok(done) => done,
        Err(error) => Err(FileError::Io(io::Error::other(error))),
    }
}

/// Fills the buffer; true at the stream's end.
async fn fill(from: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>, silence: Duration) -> io::Result<bool> {
    while buffer.len() < PIECE {
        let mut room = from.take((PIECE - buffer.len()) as u64);
        let came = match tokio::time::timeout(silence, room.read_buf(buffer)).await {
            Ok(came) => came?,
            Err(_) => return Err(io::Error::new(io::ErrorKind::TimedOut, "nothing came for too long")),
        };
        if came == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
