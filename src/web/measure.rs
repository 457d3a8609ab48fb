//! Counts and times requests, by the route table's templates.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;

use crate::measures;

pub async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let method = method(request.method());
    let answer = next.call(request).await?;
    // What is no route is one: whoever tries paths makes no metrics.
    let route = answer.request().match_pattern().unwrap_or_else(|| "none".to_owned());
    measures::request(method, route, answer.status().as_u16(), began.elapsed());
    Ok(answer)
}

fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        _ => "other",
    }
}
