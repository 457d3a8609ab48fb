//! A user's upload space, as the protocol's server wants a file system.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use std::{future::Future, io};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use unftp_core::storage::{Error, ErrorKind, FEATURE_RESTART, Fileinfo, Metadata, Permissions, Result, StorageBackend};

use super::connection::Connection;
use super::login::Visitor;
use super::path::within;
use crate::domain::Scope;
use crate::files::upload_space::{Cut, ReceiveError, receive};
use crate::files::{Entry, EntryKind, FileError, OpenedFile, UploadSpace};

/// What is read before it is sent.
const PIECE: usize = 256 * 1024;

#[derive(Debug, Clone)]
pub struct Space {
    connection: Arc<Connection>,
}

#[derive(Debug)]
pub struct Meta(Entry);

impl Metadata for Meta {
    fn len(&self) -> u64 {
        self.0.size
    }

    fn is_dir(&self) -> bool {
        self.0.kind == EntryKind::Dir
    }

    fn is_file(&self) -> bool {
        self.0.kind == EntryKind::File
    }

    fn is_symlink(&self) -> bool {
        self.0.kind == EntryKind::Link
    }

    fn modified(&self) -> Result<SystemTime> {
        let millis = u64::try_from(self.0.modified.0).unwrap_or(0);
        Ok(SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(SystemTime::UNIX_EPOCH))
    }

    fn gid(&self) -> u32 {
        0
    }

    fn uid(&self) -> u32 {
        0
    }

    fn permissions(&self) -> Permissions {
        Permissions(if self.is_dir() { 0o700 } else { 0o600 })
    }
}

impl Space {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Space { connection }
    }

    /// The space of a visitor who may do this now.
    async fn of(&self, visitor: &Visitor, needed: Scope) -> Result<UploadSpace> {
        let known = visitor.now(&self.connection).await;
        let allowed = known.filter(|(user, scope)| *scope >= needed && (needed == Scope::Read || user.may_submit()));
        let (user, _) = allowed.ok_or_else(|| Error::from(ErrorKind::PermissionDenied))?;
        self.connection.works().spaces.open(&user).await.map_err(told)
    }

    async fn on<T: Send + 'static>(
        &self,
        visitor: &Visitor,
        needed: Scope,
        work: impl FnOnce(UploadSpace) -> std::result::Result<T, FileError> + Send + 'static,
    ) -> Result<T> {
        let space = self.of(visitor, needed).await?;
        match tokio::task::spawn_blocking(move || work(space)).await {
            Ok(done) => done.map_err(told),
            Err(error) => Err(Error::new(ErrorKind::LocalError, error)),
        }
    }

    async fn entries(&self, visitor: &Visitor, path: &Path) -> Result<Vec<Fileinfo<PathBuf, Meta>>> {
        let path = within(path)?;
        let found = self.on(visitor, Scope::Read, move |space| match space.list(&path) {
            // Of a file, the file.
            Err(FileError::NotFound) => Ok(vec![space.look(&path)?]),
            listed => listed,
        });
        let found = found.await?;
        Ok(found
            .into_iter()
            .map(|entry| Fileinfo { path: PathBuf::from(&entry.name), metadata: Meta(entry) })
            .collect())
    }

    /// That the next transfer is as safe as it must be.
    fn check_wire(&self) -> Result<()> {
        if self.connection.may_transfer() { Ok(()) } else { Err(ErrorKind::PermissionDenied.into()) }
    }

    async fn open(&self, visitor: &Visitor, path: &Path, at: u64) -> Result<tokio::fs::File> {
        use std::io::{Seek, SeekFrom};
        let path = within(path)?;
        let opened = self.on(visitor, Scope::Read, move |space| {
            let OpenedFile { mut file, .. } = space.open_file(&path)?;
            file.seek(SeekFrom::Start(at))?;
            Ok(file)
        });
        Ok(tokio::fs::File::from_std(opened.await?))
    }

    async fn send(&self, mut file: tokio::fs::File, output: &mut (impl AsyncWrite + Unpin + ?Sized)) -> Result<u64> {
        file.set_max_buf_size(PIECE);
        let (mut sent, mut piece) = (0, vec![0; PIECE]);
        loop {
            let count = file.read(&mut piece).await?;
            if count == 0 {
                return Ok(sent);
            }
            let written = tokio::time::timeout(self.connection.silence(), output.write_all(&piece[..count]));
            written.await.map_err(|_| Error::from(ErrorKind::ConnectionClosed))??;
            self.connection.moved();
            sent += count as u64;
        }
    }

    async fn store(&self, visitor: &Visitor, input: impl AsyncRead + Unpin, path: &Path, at: u64) -> Result<u64> {
        let path = within(path)?;
        let (name, user) = (path.clone(), visitor.to_string());
        let begun = self.on(visitor, Scope::Submit, move |space| match at {
            0 => space.create(&path),
            at => space.append(&path, at, false),
        });
        let upload = begun.await?;
        let transfer = self.connection.transfer();
        let mut stopping = transfer.stopping.clone();
        let input = Moving {
            input,
            connection: Arc::clone(&self.connection),
            stopping: Box::pin(async move {
                // Without a sender there is nobody who stops it.
                let stopped = stopping.wait_for(|stopping| *stopping).await.is_ok();
                if !stopped {
                    std::future::pending::<()>().await;
                }
            }),
        };
        let size = receive(upload, input, self.connection.silence(), Cut::Keep).await.map_err(|error| {
            tracing::info!(user, name, %error, "an upload over FTP failed");
            match error {
                ReceiveError::File(error) => told(error),
                ReceiveError::Cut(error) => Error::new(ErrorKind::ConnectionClosed, error),
            }
        })?;
        drop(transfer);
        Ok(size.saturating_sub(at))
    }

    /// A transfer from an offset that failed is this connection's last.
    fn settle<T>(&self, at: u64, done: Result<T>) -> Result<T> {
        if done.is_err() && at > 0 {
            self.connection.spend();
        }
        done
    }
}

/// What a client is told; what is wrong here is logged.
fn told(error: FileError) -> Error {
    let kind = match &error {
        FileError::NotFound | FileError::NotAFile | FileError::IsDirectory | FileError::Exists => {
            ErrorKind::PermanentFileNotAvailable
        }
        FileError::OtherSize { .. } | FileError::AnothersDirectory { .. } => ErrorKind::PermanentFileNotAvailable,
        FileError::NotEmpty => ErrorKind::PermanentDirectoryNotEmpty,
        FileError::Outside => ErrorKind::PermissionDenied,
        FileError::InvalidPath(_) => ErrorKind::FileNameNotAllowedError,
        FileError::OverQuota { .. } => ErrorKind::ExceededStorageAllocationError,
        FileError::DiskFull => ErrorKind::InsufficientStorageSpaceError,
        FileError::Io(error) => {
            tracing::warn!(%error, "a file could not be reached for FTP");
            ErrorKind::LocalError
        }
    };
    Error::new(kind, error)
}

/// What comes in; it says that something moved, and breaks off when the server stops.
struct Moving<R> {
    input: R,
    connection: Arc<Connection>,
    stopping: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Moving<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.stopping.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the server stops")));
        }
        let came = Pin::new(&mut self.input).poll_read(cx, buffer);
        if came.is_ready() {
            self.connection.moved();
        }
        came
    }
}

#[async_trait]
impl StorageBackend<Visitor> for Space {
    type Metadata = Meta;

    fn name(&self) -> &str {
        "GoDocker"
    }

    fn supported_features(&self) -> u32 {
        FEATURE_RESTART
    }

    async fn metadata<P: AsRef<Path> + Send + Debug>(&self, visitor: &Visitor, path: P) -> Result<Meta> {
        let path = within(path.as_ref())?;
        self.on(visitor, Scope::Read, move |space| space.look(&path)).await.map(Meta)
    }

    async fn list<P: AsRef<Path> + Send + Debug>(
        &self,
        visitor: &Visitor,
        path: P,
    ) -> Result<Vec<Fileinfo<PathBuf, Meta>>> {
        self.check_wire()?;
        self.entries(visitor, path.as_ref()).await
    }

    /// Over the connection of the commands.
    async fn list_vec<P: AsRef<Path> + Send + Debug>(&self, visitor: &Visitor, path: P) -> Result<Vec<String>> {
        Ok(self.entries(visitor, path.as_ref()).await?.iter().map(ToString::to_string).collect())
    }

    async fn get<P: AsRef<Path> + Send + Debug>(
        &self,
        visitor: &Visitor,
        path: P,
        at: u64,
    ) -> Result<Box<dyn AsyncRead + Send + Sync + Unpin>> {
        self.check_wire()?;
        Ok(Box::new(self.open(visitor, path.as_ref(), at).await?))
    }

    async fn get_into<'a, P, W: ?Sized>(&self, visitor: &Visitor, path: P, at: u64, output: &'a mut W) -> Result<u64>
    where
        W: AsyncWrite + Unpin + Sync + Send,
        P: AsRef<Path> + Send + Debug,
    {
        let path = path.as_ref().to_owned();
        let sent = async {
            self.check_wire()?;
            let file = self.open(visitor, &path, at).await?;
            self.send(file, output).await
        };
        let sent = sent.await;
        self.settle(at, sent)
    }

    async fn put<P: AsRef<Path> + Send + Debug, R: AsyncRead + Send + Sync + Unpin + 'static>(
        &self,
        visitor: &Visitor,
        input: R,
        path: P,
        at: u64,
    ) -> Result<u64> {
        let path = path.as_ref().to_owned();
        let stored = async {
            self.check_wire()?;
            self.store(visitor, input, &path, at).await
        };
        let stored = stored.await;
        self.settle(at, stored)
    }

    async fn del<P: AsRef<Path> + Send + Debug>(&self, visitor: &Visitor, path: P) -> Result<()> {
        let path = within(path.as_ref())?;
        self.on(visitor, Scope::Submit, move |space| space.remove_file(&path)).await
    }

    async fn mkd<P: AsRef<Path> + Send + Debug>(&self, visitor: &Visitor, path: P) -> Result<()> {
        let path = within(path.as_ref())?;
        self.on(visitor, Scope::Submit, move |space| space.make_directory(&path)).await
    }

    async fn rename<P: AsRef<Path> + Send + Debug>(&self, visitor: &Visitor, from: P, to: P) -> Result<()> {
        let (from, to) = (within(from.as_ref())?, within(to.as_ref())?);
        self.on(visitor, Scope::Submit, move |space| space.rename(&from, &to)).await
    }

    async fn rmd<P: AsRef<Path> + Send + Debug>(&self, visitor: &Visitor, path: P) -> Result<()> {
        let path = within(path.as_ref())?;
        self.on(visitor, Scope::Submit, move |space| space.remove_directory(&path)).await
    }

    async fn cwd<P: AsRef<Path> + Send + Debug>(&self, visitor: &Visitor, path: P) -> Result<()> {
        let path = within(path.as_ref())?;
        self.on(visitor, Scope::Read, move |space| space.list(&path).map(drop)).await
    }
}
