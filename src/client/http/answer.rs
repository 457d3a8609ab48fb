//! What the server's answers, and their absence, mean.

use std::error::Error;
use std::io;

use reqwest::{Response, Url, header};
use serde_json::Value;

use crate::client::credentials::shown;
use crate::client::error::{ClientError, FieldFault, Refusal};

/// Longer than any sentence; a proxy's page is cut.
const LONGEST_MESSAGE: usize = 2_000;

/// No answer, or half of one.
pub fn away(root: &Url, error: &reqwest::Error) -> ClientError {
    ClientError::Away { server: shown(root), why: cause(root, error) }
}

fn cause(root: &Url, error: &reqwest::Error) -> String {
    let chain: Vec<&dyn Error> = std::iter::successors(Some(error as &dyn Error), |error| (*error).source()).collect();
    let kind = chain.iter().rev().find_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind);
    if error.is_timeout() {
        return "it took too long".into();
    }
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => return "connection refused".into(),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => return "the connection broke".into(),
        _ => {}
    }
    if chain.iter().any(|error| error.to_string().contains("dns error")) {
        return format!("the name {} is not known", root.host_str().unwrap_or_default());
    }
    chain.last().map(ToString::to_string).unwrap_or_default()
}

pub async fn document(root: &Url, response: Response) -> Result<Value, ClientError> {
    let text = response.bytes().await.map_err(|error| away(root, &error))?;
    serde_json::from_slice(&text)
        .map_err(|_| ClientError::NotGoDocker { server: shown(root), why: "its answer is not JSON".into() })
}

/// An answer other than the one hoped for.
pub async fn refusal(root: &Url, response: Response, subject: Option<String>) -> ClientError {
    let status = response.status();
    let retry_after = header_text(&response, header::RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
    let location = header_text(&response, header::LOCATION);
    let body: Option<Value> = match response.bytes().await {
        Ok(text) => serde_json::from_slice(&text).ok(),
        Err(error) => return away(root, &error),
    };
    // Our own 503 (maintenance) says why.
    let ours = body.as_ref().is_some_and(|body| body["msg"].is_string() && body["error"].is_string());
    if matches!(status.as_u16(), 502..=504) && !ours {
        return ClientError::Away { server: shown(root), why: format!("a proxy answers {status}") };
    }
    if status.is_redirection() {
        let why = format!("it redirects to {}", location.unwrap_or_else(|| "elsewhere".into()));
        return ClientError::NotGoDocker { server: shown(root), why };
    }
    let Some(message) = body.as_ref().and_then(|body| body["msg"].as_str()) else {
        return ClientError::NotGoDocker { server: shown(root), why: format!("it answers {status}") };
    };
    let text_of = |key: &str| body.as_ref().and_then(|body| body.get(key));
    let fields: Vec<FieldFault> =
        text_of("fields").and_then(|fields| serde_json::from_value(fields.clone()).ok()).unwrap_or_default();
    ClientError::Refused(Refusal {
        status: status.as_u16(),
        code: text_of("error").and_then(Value::as_str).unwrap_or("refused").to_owned(),
        message: message.chars().take(LONGEST_MESSAGE).collect(),
        fields,
        retry_after,
        subject,
    })
}

fn header_text(response: &Response, name: header::HeaderName) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}
