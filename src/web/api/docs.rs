//! The API described: OpenAPI, and a page to try it.

mod foretold;
mod operations;

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use crate::web::Site;

pub async fn openapi(site: web::Data<Site>) -> HttpResponse {
    HttpResponse::Ok().json(operations::document(&site.config.web.prefix))
}

fn page_part(content_type: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, content_type))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'",
        ))
        .body(text)
}

pub async fn page() -> HttpResponse {
    page_part("text/html; charset=utf-8", include_str!("../../../static/api-docs.html"))
}

pub async fn script() -> HttpResponse {
    page_part("text/javascript; charset=utf-8", include_str!("../../../static/api-docs.js"))
}

pub async fn style() -> HttpResponse {
    page_part("text/css; charset=utf-8", include_str!("../../../static/api-docs.css"))
}
