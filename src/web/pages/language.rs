//! Which language a page speaks: what its address asks for (`?lang=fr`), which this browser keeps; else what it keeps;
//! else the account's; else what the browser asks for.

use actix_web::HttpRequest;
use actix_web::http::Method;

use crate::domain;
use crate::web::access::{Caller, session};
use crate::web::words::Language;

const PARAMETER: &str = "lang";

pub(super) fn chosen(request: &HttpRequest, user: Option<&Caller>) -> Language {
    let asked = parameters(request).find_map(|(name, value)| (name == PARAMETER).then_some(value));
    if let Some(language) = asked.and_then(Language::tagged) {
        session::keep_language(request, Some(language.tag()));
        return language;
    }
    let kept = session::language(request).and_then(|tag| Language::tagged(&tag));
    let liked = user.and_then(|caller| match caller.user.preferences.language {
        domain::Language::Auto => None,
        domain::Language::En => Some(Language::English),
        domain::Language::Fr => Some(Language::French),
    });
    kept.or(liked).unwrap_or_else(|| Language::of(request))
}

/// This page in another language. What a form was answered with is no page: from there, as from the
/// prefix alone, the start page.
pub(super) fn link(request: &HttpRequest, base: &str, language: Language) -> String {
    if *request.method() != Method::GET || request.path() == base {
        return format!("{base}/?{PARAMETER}={}", language.tag());
    }
    let mut query = String::new();
    for (name, value) in parameters(request).filter(|(name, _)| *name != PARAMETER) {
        query.push_str(&format!("{name}={value}&"));
    }
    // Two slashes, or a backslash, would lead to another host.
    let path = request.path().trim_start_matches(['/', '\\']);
    format!("/{path}?{query}{PARAMETER}={}", language.tag())
}

/// As they were sent, encoded.
fn parameters(request: &HttpRequest) -> impl Iterator<Item = (&str, &str)> {
    request
        .query_string()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}
