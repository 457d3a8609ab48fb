use actix_web::{HttpRequest, HttpResponse, web};

use super::asked::Asked;
use crate::domain::JobId;
use crate::store::search::Start;
use crate::web::error::ApiError;
use crate::web::jobs;
use crate::web::pages::chrome::{Chrome, Visitor, see};
use crate::web::pages::error::PageError;
use crate::web::{Site, many as asks};

type Fields = Vec<(String, String)>;

fn said<'a>(form: &'a Fields, name: &'a str) -> impl Iterator<Item = &'a str> {
    form.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// What is no id was not ticked on a page of ours.
fn ticked(form: &Fields) -> Vec<JobId> {
    said(form, "id").filter_map(|id| id.parse().ok()).collect()
}

/// Asks for the archive of all that were ticked; back to the page they were ticked on.
pub async fn archive(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<Fields>,
) -> Result<HttpResponse, PageError> {
    // What cannot be archived any more is seen on the page that comes next.
    let asked = jobs::archive_many(&site, &caller, &ticked(&form)).await;
    asked.map_err(|error| PageError::of(&request, Some(&caller), error))?;
    let next = if said(&form, "back").next() == Some("disk") { "/disk" } else { "/jobs?over=1" };
    Ok(see(&Chrome::new(&request, None, "").base, next))
}

/// Does what the button says with all that were ticked, and says on the list what came of it.
pub async fn many(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<Fields>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let ids = ticked(&form);
    let verb = said(&form, "do").next().unwrap_or_default();
    let tags: Vec<String> = said(&form, "tag")
        .flat_map(|tags| tags.split(','))
        .map(|tag| tag.trim().to_owned())
        .filter(|tag| !tag.is_empty())
        .collect();
    let outcome = match verb {
        _ if ids.is_empty() => None,
        "tag" | "untag" if tags.is_empty() => None,
        "kill" => Some(counted(asks::kill(&site, &caller, &ids).await.map_err(failed)?)),
        "archive" => {
            let outcomes = jobs::archive_many(&site, &caller, &ids).await.map_err(failed)?;
            let done = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count();
            Some((done, outcomes.len() - done))
        }
        "tag" => Some(counted(asks::tag(&site, &caller, &ids, &tags, &[]).await.map_err(failed)?)),
        "untag" => Some(counted(asks::tag(&site, &caller, &ids, &[], &tags).await.map_err(failed)?)),
        _ => return Err(failed(ApiError::NotFound("page"))),
    };
    let did = match outcome {
        Some((done, refused)) => format!("did={verb}&n={done}&no={refused}"),
        None => "did=nothing".to_owned(),
    };
    let back = back(said(&form, "back").next().unwrap_or_default());
    let sign = if back.contains('?') { '&' } else { '?' };
    Ok(see(&Chrome::new(&request, None, "").base, &format!("{back}{sign}{did}")))
}

fn counted(outcomes: asks::Outcomes) -> (usize, usize) {
    (outcomes.done.len(), outcomes.refused.len())
}

/// The list that a form came from, read and written anew: what it says leads nowhere else.
pub fn back(link: &str) -> String {
    let query = link.split_once('?').map_or("", |(_, query)| query);
    let asked = Asked::of(&serde_urlencoded::from_str::<Fields>(query).unwrap_or_default());
    asked.link(asked.rest.start().unwrap_or(Start::First))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_a_list_and_nowhere_else() {
        assert_eq!(back("/jobs?over=1&tag=a&did=kill&n=3"), "/jobs?over=1&tag=a");
        assert_eq!(back("/jobs?after=9-9"), "/jobs?after=9-9");
        for elsewhere in ["https://evil.example/", "//evil.example?x=1", "", "/jobs?after=x\r\nSet-Cookie: a=b"] {
            assert_eq!(back(elsewhere), "/jobs");
        }
    }
}
