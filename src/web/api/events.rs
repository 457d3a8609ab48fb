//! What happens, as it happens.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use crate::web::access::Caller;
use crate::web::{Site, job_events};

pub async fn events(site: web::Data<Site>, caller: Caller) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Compressing or gathering it would hold back what is to be known now.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(job_events::changes(&site, caller))
}
