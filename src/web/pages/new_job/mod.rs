//! The form that submits a job. It sends what the API takes, so that both are checked by the same rules.

mod form;
mod get;
mod post;

use actix_web::HttpRequest;
use askama::Template;

use super::chrome::Chrome;
use crate::domain::Acl;
use crate::store::StoreError;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::FieldFault;
use crate::web::submission::offered_to;
use form::Form;

pub use get::get;
pub use post::post;

#[derive(Template)]
#[template(path = "new.html")]
struct NewJobPage {
    chrome: Chrome,
    form: Form,
    faults: Vec<FieldFault>,
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
const FIELDS: [&str; 16] = [
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

async fn new_job_page(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    form: Form,
    faults: Vec<FieldFault>,
) -> Result<NewJobPage, StoreError> {
    let config = &site.config;
    let projects = site.store.projects_of(caller.id()).await?;
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
    Ok(NewJobPage {
        chrome: Chrome::new(request, Some(caller), "new"),
        images,
        projects: projects.iter().map(|project| project.id.to_string()).collect(),
        volumes: volumes.collect(),
        may_root: config.access.allow_root
            && (!caller.user.is_guest() || config.guests.as_ref().is_some_and(|guests| guests.allow_root)),
        more: form.has_more() || !faults.is_empty(),
        form,
        faults,
    })
}
