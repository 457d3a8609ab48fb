//! What happens, as it happens.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::web::access::Caller;
use crate::web::{Site, job_events};

#[derive(Deserialize)]
pub struct Asked {
    /// Seconds to listen, for who does not want to for long.
    timeout: Option<u64>,
}

pub async fn events(site: web::Data<Site>, caller: Caller, asked: web::Query<Asked>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Compressing or gathering it would hold back what is to be known now.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(job_events::changes(&site, caller, asked.timeout.map(Duration::from_secs)))
}
