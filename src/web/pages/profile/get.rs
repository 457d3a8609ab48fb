use actix_web::{HttpRequest, HttpResponse};

use super::profile_page;
use crate::web::pages::chrome::{Visitor, page};

pub async fn get(request: HttpRequest, Visitor(caller): Visitor) -> HttpResponse {
    page(&profile_page(&request, &caller, None))
}
