//! Talking to the server: tokens, retries, and what its answers mean.
//!
//! What only reads is tried again while the server is away; what changes something is sent once, because a request
//! without an answer may have been taken.

mod answer;
mod patience;

use std::fs::File;
use std::time::Duration;

use futures::TryStreamExt;
use indicatif::ProgressBar;
use reqwest::header::{CONTENT_LENGTH, HeaderName};
use reqwest::{Client, Method, Response, StatusCode, Url, redirect};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;
use tokio_util::io::ReaderStream;

use super::credentials::{ApiKey, Credentials, server_url, shown};
use super::error::ClientError;
pub use patience::{Backoff, Patience};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// What is read of a file before it is sent.
const PIECE: usize = 256 * 1024;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// One request. It is sent once unless it only reads.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    subject: Option<String>,
    headers: Vec<(HeaderName, String)>,
    /// For the whole answer; `None` for a stream.
    timeout: Option<Duration>,
    patience: Patience,
    /// Without an answer, it may have been taken.
    changes: bool,
}

impl Call {
    /// Only reads: tried again for a moment while the server is away.
    pub fn read(path: &[&str]) -> Self {
        Call { patience: Patience::Brief, changes: false, ..Self::act(Method::GET, path) }
    }

    /// Changes something there: sent once, whatever comes of it.
    pub fn act(method: Method, path: &[&str]) -> Self {
        Call {
            method,
            path: path.iter().map(ToString::to_string).collect(),
            query: Vec::new(),
            body: None,
            subject: None,
            headers: Vec::new(),
            timeout: Some(ANSWER_TIMEOUT),
            patience: Patience::None,
            changes: true,
        }
    }

    /// Sent as POST all the same.
    pub fn post(self) -> Self {
        Call { method: Method::POST, body: Some(json!({})), ..self }
    }

    pub fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    pub fn body(self, body: Value) -> Self {
        Call { body: Some(body), ..self }
    }

    /// What it is about, for messages.
    pub fn about(self, subject: impl ToString) -> Self {
        Call { subject: Some(subject.to_string()), ..self }
    }

    /// Survives a restart of the server.
    pub fn patiently(self) -> Self {
        Call { patience: Patience::Long, ..self }
    }

    pub fn timeout(self, timeout: Duration) -> Self {
        Call { timeout: Some(timeout), ..self }
    }

    /// The answer is read as it comes, for as long as it takes.
    pub fn stream(self) -> Self {
        Call { timeout: None, ..self }
    }

    pub fn header(mut self, name: HeaderName, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub fn after_event(self, id: Option<String>) -> Self {
        match id {
            Some(id) => self.header(HeaderName::from_static("last-event-id"), id),
            None => self,
        }
    }

    /// What it is when the call was sent, and its answer lost.
    fn lost(&self, error: ClientError) -> ClientError {
        match error {
            ClientError::Away { server, why } if self.changes => ClientError::Unsure { server, why },
            error => error,
        }
    }
}

/// What is left of a file to be sent.
pub struct Body {
    /// At where it begins.
    pub file: File,
    pub length: u64,
    pub progress: ProgressBar,
}

pub struct Server {
    client: Client,
    root: Url,
    user: String,
    apikey: ApiKey,
    /// Asked for when it is first needed, and again when the server no longer takes it.
    token: Mutex<Option<String>>,
}

impl Server {
    pub fn new(credentials: &Credentials) -> Result<Self, ClientError> {
        let root = server_url(&credentials.server)?;
        let mut builder = Client::builder()
            .user_agent(concat!("god/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            // A key is for the server it was given for, and a redirected POST would come out a GET.
            .redirect(redirect::Policy::none());
        if root.scheme() == "http" {
            // Loads no certificates, and works where there are none.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| answer::away(&root, &error))?;
        let (user, apikey) = (credentials.user.clone(), credentials.apikey.clone());
        Ok(Server { client, root, user, apikey, token: Mutex::new(None) })
    }

    pub fn user(&self) -> &str {
        &self.user
    }

    /// The server's address, for people.
    pub fn address(&self) -> String {
        shown(&self.root)
    }

    /// Whether the server takes the user name and key.
    pub async fn verify(&self) -> Result<(), ClientError> {
        self.authenticate().await.map(|_| ())
    }

    /// The answer's JSON document.
    pub async fn json(&self, call: Call) -> Result<Value, ClientError> {
        let mut backoff = Backoff::new(call.patience);
        loop {
            let answered = match self.send_once(&call).await {
                Ok(response) => answer::document(&self.root, response).await.map_err(|error| call.lost(error)),
                Err(error) => Err(error),
            };
            match answered {
                Err(ClientError::Away { .. }) if backoff.pause().await => {}
                answered => return answered,
            }
        }
    }

    /// The answer itself, its head received and good.
    pub async fn open(&self, call: Call) -> Result<Response, ClientError> {
        let mut backoff = Backoff::new(call.patience);
        loop {
            match self.send_once(&call).await {
                Err(ClientError::Away { .. }) if backoff.pause().await => {}
                answered => return answered,
            }
        }
    }

    /// Sends a file. Not tried again: what came of it is the server's to say.
    pub async fn upload(&self, call: Call, body: Body) -> Result<Value, ClientError> {
        let Body { file, length, progress } = body;
        let read = ReaderStream::with_capacity(tokio::fs::File::from_std(file).take(length), PIECE);
        let counted = read.inspect_ok(move |bytes| progress.inc(bytes.len() as u64));
        let token = self.token().await?;
        let request = self.request(&call, &token).header(CONTENT_LENGTH, length);
        let response = request.body(reqwest::Body::wrap_stream(counted)).send().await;
        let response = response.map_err(|error| call.lost(answer::away(&self.root, &error)))?;
        if response.status() != StatusCode::OK {
            return Err(answer::refusal(&self.root, response, call.subject.clone()).await);
        }
        answer::document(&self.root, response).await.map_err(|error| call.lost(error))
    }

    /// The next piece of an answer that is read as it comes; `None` at its end.
    pub async fn chunk(&self, response: &mut Response, patience: Duration) -> Result<Option<Vec<u8>>, ClientError> {
        match tokio::time::timeout(patience, response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk.map(Into::into)),
            Ok(Err(error)) => Err(answer::away(&self.root, &error)),
            Err(_) => Err(ClientError::Away {
                server: self.address(),
                why: format!("nothing came for {} s", patience.as_secs()),
            }),
        }
    }

    async fn send_once(&self, call: &Call) -> Result<Response, ClientError> {
        let token = self.token().await?;
        let mut response = self.transmit(call, &token).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            // Refused means not taken, so that even a change may be sent again.
            *self.token.lock().await = None;
            let token = self.token().await?;
            response = self.transmit(call, &token).await?;
        }
        if response.status() == StatusCode::OK || response.status() == StatusCode::PARTIAL_CONTENT {
            Ok(response)
        } else {
            Err(call.lost(answer::refusal(&self.root, response, call.subject.clone()).await))
        }
    }

    async fn transmit(&self, call: &Call, token: &str) -> Result<Response, ClientError> {
        self.request(call, token).send().await.map_err(|error| {
            let away = answer::away(&self.root, &error);
            if error.is_connect() { away } else { call.lost(away) }
        })
    }

    fn request(&self, call: &Call, token: &str) -> reqwest::RequestBuilder {
        let mut request = self.client.request(call.method.clone(), self.url(&call.path)).bearer_auth(token);
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(timeout) = call.timeout {
            request = request.timeout(timeout);
        }
        request
    }

    async fn token(&self) -> Result<String, ClientError> {
        let mut token = self.token.lock().await;
        if let Some(token) = &*token {
            return Ok(token.clone());
        }
        let fresh = self.authenticate().await?;
        Ok(token.insert(fresh).clone())
    }

    async fn authenticate(&self) -> Result<String, ClientError> {
        let request = self
            .client
            .post(self.url(&["authenticate"]))
            .timeout(ANSWER_TIMEOUT)
            .json(&json!({ "user": self.user, "apikey": self.apikey.reveal() }));
        let response = request.send().await.map_err(|error| answer::away(&self.root, &error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => return Err(ClientError::LoginDenied { server: self.address() }),
            _ => return Err(answer::refusal(&self.root, response, None).await),
        }
        let answered = answer::document(&self.root, response).await?;
        let token = answered["token"].as_str().ok_or_else(|| ClientError::NotGoDocker {
            server: self.address(),
            why: "its answer to the login holds no token".into(),
        })?;
        Ok(token.to_owned())
    }

    fn url(&self, path: &[impl AsRef<str>]) -> Url {
        let mut url = self.root.clone();
        url.path_segments_mut()
            .expect("http addresses have paths")
            .pop_if_empty()
            .extend(["api", "1.0"])
            .extend(path.iter().map(AsRef::as_ref));
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(root: &str) -> Server {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let apikey = ApiKey::new("k");
        Server::new(&Credentials { server: root.into(), user: "ann".into(), apikey }).unwrap()
    }

    #[test]
    fn paths_come_after_the_prefix_and_are_escaped() {
        assert_eq!(server("http://h:1").url(&["task", "7"]).as_str(), "http://h:1/api/1.0/task/7");
        let url = server("https://h/god/").url(&["task", "7", "files", "a b", "c?d#e%2f"]);
        assert_eq!(url.as_str(), "https://h/god/api/1.0/task/7/files/a%20b/c%3Fd%23e%252f");
    }
}
