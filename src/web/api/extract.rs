//! What handlers take from a request.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures::StreamExt;
use serde_json::Value;

use crate::web::error::ApiError;
use crate::web::words::says;

const MAX_BODY: usize = 10 * 1024 * 1024;

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

/// The body as JSON, whatever its content type says: scripts forget it.
#[derive(Debug)]
pub struct Document(pub Value);

impl FromRequest for Document {
    type Error = ApiError;
    type Future = Extracting<Document>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut payload = payload.take();
        Box::pin(async move {
            let mut body = Vec::new();
            while let Some(chunk) = payload.next().await {
                let chunk = chunk.map_err(|error| super::not_understood("body", &error))?;
                if body.len() + chunk.len() > MAX_BODY {
                    return Err(ApiError::BadRequest(says("fault-body-large").set("most", MAX_BODY)));
                }
                body.extend_from_slice(&chunk);
            }
            let document = serde_json::from_slice(&body);
            document.map(Document).map_err(|error| super::not_understood("body", &error))
        })
    }
}
