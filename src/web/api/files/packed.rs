//! A directory as an archive that is made while it is sent.

use std::io::{self, Write};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

use super::guarded;
use crate::domain::JobId;
use crate::files::{Format, JobDirectory};
use crate::web::Site;
use crate::web::error::ApiError;
use crate::web::jobs::blocking;
use crate::web::words::says;

/// Archives at once in this process: each is a thread, and work for the disk.
const AT_ONCE: usize = 32;
static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);

const CHUNK: usize = 64 * 1024;
/// Chunks that wait for a slow reader.
const WAITING: usize = 8;
/// A reader who takes nothing for so long has gone.
const PATIENCE: Duration = Duration::from_secs(120);

pub async fn answer(
    site: &Site,
    id: JobId,
    directory: JobDirectory,
    path: &str,
    format: Format,
) -> Result<HttpResponse, ApiError> {
    let Ok(place) = PLACES.try_acquire() else {
        let message = says("fault-archives-many").set("count", AT_ONCE);
        return Err(ApiError::TooMany { message, retry_after_secs: 60 });
    };
    let most = Some(site.config.limits.max_file_download).filter(|limit| *limit > 0);
    let asked = path.to_owned();
    let opened = blocking(move || {
        let tree = directory.tree(&asked)?;
        // What may not be downloaded is refused before it begins.
        let size = most.map(|_| tree.measure()).transpose()?;
        Ok::<_, ApiError>((tree, size))
    });
    let (tree, size) = opened.await?;
    if let (Some(most), Some(size)) = (most, size)
        && size > most
    {
        let message = says("fault-directory-large").set("size", size).set("most", most);
        return Err(ApiError::Forbidden(message));
    }
    let name = path.rsplit('/').next().filter(|name| !name.is_empty()).map_or(format!("job-{id}"), str::to_owned);
    let file_name = format!("{name}.{}", format.extension());
    let (chunks, taken) = mpsc::channel(WAITING);
    let out = Chunks { chunks, runtime: Handle::current(), filled: Vec::with_capacity(CHUNK), _place: place };
    let pack = move || {
        let mut out = out;
        match tree.pack(format, &name, most, &mut out) {
            Ok(()) => {}
            Err(error) => out.fail(&error.to_string()),
        }
    };
    // A thread of its own: it waits for the network, which would hold up those that wait for the disk.
    std::thread::Builder::new().name("pack".to_owned()).spawn(pack).map_err(crate::files::FileError::Io)?;
    let body = futures::stream::unfold(taken, async |mut taken| taken.recv().await.map(|chunk| (chunk, taken)));
    let file_name = utf8_percent_encode(&file_name, NON_ALPHANUMERIC);
    Ok(guarded(StatusCode::OK)
        .insert_header((header::CONTENT_TYPE, content_type(format)))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{file_name}")))
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .streaming(body))
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Tar => "application/x-tar",
        Format::Zip => "application/zip",
    }
}

/// From the thread that packs to the connection. Dropped whole it is the archive's end.
struct Chunks {
    chunks: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
    filled: Vec<u8>,
    _place: SemaphorePermit<'static>,
}

impl Chunks {
    fn send(&mut self, chunk: io::Result<Bytes>) -> io::Result<()> {
        let sent = async { tokio::time::timeout(PATIENCE, self.chunks.send(chunk)).await };
        match self.runtime.block_on(sent) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// The connection breaks off, so that nobody takes a part for the whole.
    fn fail(&mut self, error: &str) {
        tracing::info!(error, "an archive was not sent to its end");
        let _ = self.send(Err(io::Error::other("the archive could not be made to its end")));
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.filled.len());
        self.filled.extend_from_slice(&bytes[..taken]);
        if self.filled.len() == CHUNK {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.filled.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.filled, Vec::with_capacity(CHUNK));
        self.send(Ok(chunk.into()))
    }
}
