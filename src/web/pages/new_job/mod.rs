//! The form that submits a job. It sends what the API takes, so that both are checked by the same rules.
//!
//! Its second button checks what is typed and says when it could start; a third keeps it as a template. With JavaScript
//! the page checks by itself, by sending the form as that button does and taking the answer's part of the page.

mod form;
mod get;
mod outlook;
mod post;

use actix_web::HttpRequest;
use askama::Template;

use super::chrome::Chrome;
use crate::domain::Acl;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::{ApiError, FieldFault};
use crate::web::free::free;
use crate::web::preview::Preview;
use crate::web::submission::offered_to;
use crate::web::templates;
use form::Form;
use outlook::{Left, OutlookView, Room};

pub use get::get;
pub use post::post;

#[derive(Template)]
#[template(path = "new.html")]
struct NewJobPage {
    chrome: Chrome,
    form: Form,
    faults: Vec<FieldFault>,
    /// The faults are a submit's, and not a check's.
    refused: bool,
    /// What was done instead of submitting it.
    done: Option<String>,
    outlook: Option<OutlookView>,
    free: Vec<Room>,
    left: Vec<Left>,
    templates: Vec<TemplateLink>,
    executors: Vec<String>,
    may_tmp: bool,
    images: Vec<String>,
    projects: Vec<String>,
    volumes: Vec<VolumeChoice>,
    may_root: bool,
    /// Something beyond the first fields is set, or at fault.
    more: bool,
}

/// How many images are proposed: the site's first, then those most used.
const MOST_IMAGES: usize = 100;

impl NewJobPage {
    fn faults_of(&self, field: &str) -> Vec<&FieldFault> {
        self.faults.iter().filter(|fault| belongs(&fault.field, field)).collect()
    }

    /// Faults of what has no field on this page.
    fn other_faults(&self) -> Vec<&FieldFault> {
        self.faults.iter().filter(|fault| !FIELDS.iter().any(|field| belongs(&fault.field, field))).collect()
    }
}

/// The fields of the document that have one on the page.
const FIELDS: [&str; 18] = [
    "user.project",
    "meta.name",
    "meta.description",
    "meta.tags",
    "container.image",
    "container.volumes",
    "command.cmd",
    "requirements.cpu",
    "requirements.ram",
    "requirements.gpus",
    "requirements.maxlifespan",
    "requirements.tmpstorage",
    "requirements.executor",
    "requirements.array",
    "requirements.tasks",
    "requirements.label",
    "requirements.ports",
    "requirements.failure_policy",
];

/// Whether `at` is `field` or something in it: `meta.tags[1]` is in `meta.tags`.
fn belongs(at: &str, field: &str) -> bool {
    at.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

struct VolumeChoice {
    name: String,
    acls: &'static [&'static str],
    chosen: String,
}

/// A template one may begin from.
struct TemplateLink {
    id: String,
    name: String,
}

/// What came of what was typed.
#[derive(Default)]
struct Answer {
    faults: Vec<FieldFault>,
    refused: bool,
    done: Option<String>,
    preview: Option<Preview>,
}

async fn new_job_page(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    form: Form,
    answer: Answer,
) -> Result<NewJobPage, ApiError> {
    let config = &site.config;
    let chrome = Chrome::new(request, Some(caller), "new");
    let (projects, own) = futures::try_join!(
        async { Ok::<_, ApiError>(site.store.projects_of(caller.id()).await?) },
        templates::list(site, caller)
    )?;
    let chosen = projects.iter().find(|project| project.id.as_str() == form.project);
    let volumes = offered_to(&caller.user, config, chosen).into_iter().filter(|volume| !volume.always).map(|volume| {
        let chosen = form.volume(&volume.name).to_owned();
        VolumeChoice { acls: if volume.acl == Acl::Rw { &["ro", "rw"] } else { &["ro"] }, chosen, name: volume.name }
    });
    let mut images: Vec<_> = config.images.iter().map(|image| image.url.clone()).collect();
    for used in site.store.images(MOST_IMAGES).await? {
        if !images.contains(&used) {
            images.push(used);
        }
    }
    let free = match &answer.preview {
        Some(_) => None,
        None => Some(free(site, caller.id(), chosen.map(|project| &project.id)).await?),
    };
    let free = free.as_ref().or(answer.preview.as_ref().map(|preview| &preview.free));
    let executors = site.queue.executors();
    Ok(NewJobPage {
        outlook: answer.preview.as_ref().map(|preview| OutlookView::of(&chrome.words, preview, &form.script)),
        free: free.map_or_else(Vec::new, |free| outlook::rooms(&chrome.words, free)),
        left: free.map_or_else(Vec::new, |free| outlook::left(&chrome.words, free)),
        templates: own.into_iter().map(|kept| TemplateLink { id: kept.id, name: kept.name }).collect(),
        may_tmp: executors.iter().any(|(_, capabilities)| capabilities.tmp_storage),
        executors: executors.into_iter().map(|(name, _)| name).collect(),
        images,
        projects: projects.iter().map(|project| project.id.to_string()).collect(),
        volumes: volumes.collect(),
        may_root: config.access.allow_root
            && (!caller.user.is_guest() || config.guests.as_ref().is_some_and(|guests| guests.allow_root)),
        more: form.has_more() || !answer.faults.is_empty(),
        form,
        faults: answer.faults,
        refused: answer.refused,
        done: answer.done,
        chrome,
    })
}
