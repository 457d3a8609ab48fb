use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::login_page;
use crate::web::pages::chrome::page;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    next: String,
}

pub async fn get(request: HttpRequest, asked: web::Query<Asked>) -> HttpResponse {
    page(&login_page(&request, None, String::new(), asked.into_inner().next))
}
