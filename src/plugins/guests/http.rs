//! The HTTP client that providers are asked with.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer's body.
const MAX_ANSWER: usize = 1 << 20;

/// Follows no redirect: one could make it ask a host of the inside, with our secret.
pub struct Http(reqwest::Client);

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not the error itself: its text names the address, with what that holds.
    #[error("{0}")]
    Failed(String),
    #[error("the answer is longer than {MAX_ANSWER} bytes")]
    TooLong,
    #[error("`{0}` is not an address that starts with https:// or http://")]
    Address(String),
}

impl Http {
    /// For a provider at these addresses. When they are all https, nothing is asked without.
    pub fn new(addresses: &[&String]) -> Result<Self, FetchError> {
        for address in addresses {
            let known = reqwest::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
            if !known {
                return Err(FetchError::Address((*address).clone()));
            }
        }
        // An error here means that one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .https_only(addresses.iter().all(|address| address.to_ascii_lowercase().starts_with("https:")))
            .user_agent(concat!("godocker/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Http(client))
    }

    pub async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let mut response = self.0.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(FetchError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        FetchError::Failed(text)
    }
}
