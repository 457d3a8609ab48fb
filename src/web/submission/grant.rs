//! What a draft may have: the site's and the user's side of a submission.

use std::path::Path;

use super::{Draft, VolumeWish, Wanted, volumes};
use crate::config::Config;
use crate::domain::project::Project;
use crate::domain::{Dependency, DependencyOn, Ending, JobId, JobSpec, Mount, Resources, TmpStorage, User};
use crate::plugins::executor::{Capabilities, Node};
use crate::web::error::FieldFault;
use crate::web::words::{Message, ending_word, says};

/// What a submission stands on: the site and the user as they are now.
pub struct Ground<'a> {
    pub config: &'a Config,
    /// Whose job it will be.
    pub user: &'a User,
    /// The projects that user is in.
    pub projects: &'a [Project],
    /// By name, in order of preference.
    pub executors: &'a [(String, Capabilities)],
    pub nodes: &'a [Node],
    /// The jobs the draft waits for, as far as they exist and the caller may see them.
    pub parents: &'a [Parent],
}

/// A job to wait for, as it stands.
#[derive(Debug, Clone, Copy)]
pub struct Parent {
    pub id: JobId,
    /// `None` while it is active.
    pub ending: Option<Ending>,
}

pub(super) type Faults = Vec<FieldFault>;

pub(super) fn fault(faults: &mut Faults, field: impl Into<String>, message: Message) {
    faults.push(FieldFault::new(field, message));
}

/// The job that `draft` becomes.
///
/// # Errors
/// Everything in it that this user or this site cannot have.
pub fn grant(draft: Draft, ground: &Ground) -> Result<JobSpec, Faults> {
    let mut faults = Vec::new();
    let config = ground.config;
    let project = ground.projects.iter().find(|project| project.id == draft.project);
    if !draft.project.is_default() && project.is_none() {
        let message = says("fault-not-member").set("user", &ground.user.id).set("project", &draft.project);
        fault(&mut faults, "user.project", message);
    }
    if !config.access.allow_user_images && !config.images.iter().any(|image| image.url == draft.image) {
        let offered: Vec<_> = config.images.iter().map(|image| image.url.as_str()).collect();
        let message = says("fault-images-of-site").set("images", offered.join(", "));
        fault(&mut faults, "container.image", message);
    }
    if draft.root && !config.access.allow_root {
        fault(&mut faults, "container.root", says("fault-root"));
    } else if draft.root && ground.user.is_guest() && !config.guests.as_ref().is_some_and(|guests| guests.allow_root) {
        fault(&mut faults, "container.root", says("fault-root-guests"));
    }
    let executor = executor(&draft, ground, &mut faults);
    if let Some((name, capabilities)) = executor {
        check_capabilities(&draft, name, *capabilities, &mut faults);
        if ground.user.is_guest() && !capabilities.volumes {
            let message = says("fault-guests-contained").set("executor", name);
            fault(&mut faults, "requirements.executor", message);
        }
        let nodes: Vec<&Node> = ground.nodes.iter().filter(|node| node.executor == *name).collect();
        check_possible(&draft, &nodes, &mut faults);
    }
    check_dependencies(&draft.dependencies, ground.parents, &mut faults);
    let offered = volumes::offered(ground, project);
    let confines = executor.is_some_and(|(_, capabilities)| capabilities.volumes);
    let volumes = volumes::granted(&draft, &offered, confines, &mut faults);
    if faults.is_empty() { Ok(spec(draft, volumes, config)) } else { Err(faults) }
}

fn spec(draft: Draft, volumes: Vec<Mount>, config: &Config) -> JobSpec {
    JobSpec {
        name: draft.name,
        description: draft.description,
        tags: draft.tags,
        image: draft.image,
        script: draft.script,
        resources: draft.resources,
        array: draft.array,
        dependencies: draft.dependencies.into_iter().map(|wanted| wanted.what).collect(),
        labels: draft.labels,
        ports: draft.ports,
        retries: draft.retries,
        executor: draft.executor,
        max_lifespan: draft.max_lifespan,
        volumes,
        network: draft.network && !config.access.network_disabled,
        root: draft.root,
        notify_email: draft.notify_email,
        tmp_storage: draft.tmp_storage,
    }
}

/// The executor that will run it; `None` when that is not known.
fn executor<'a>(draft: &Draft, ground: &Ground<'a>, faults: &mut Faults) -> Option<&'a (String, Capabilities)> {
    let Some(wanted) = &draft.executor else { return ground.executors.first() };
    let found = ground.executors.iter().find(|(name, _)| name == wanted);
    if found.is_none() {
        let offered: Vec<_> = ground.executors.iter().map(|(name, _)| name.as_str()).collect();
        let message = says("fault-executor-unknown").set("executor", format!("{wanted:?}"));
        let message = message.set("offered", offered.join(", "));
        fault(faults, "requirements.executor", message);
    }
    found
}

fn check_capabilities(draft: &Draft, executor: &str, can: Capabilities, faults: &mut Faults) {
    if draft.root && !can.root {
        fault(faults, "container.root", says("fault-executor-root").set("executor", executor));
    }
    if !draft.ports.is_empty() && !can.ports {
        fault(faults, "requirements.ports", says("fault-executor-ports").set("executor", executor));
    }
    if let Some(tmp) = &draft.tmp_storage {
        check_tmp_storage(tmp, draft, executor, can, faults);
    }
    if !can.volumes {
        for wish in draft.volumes.iter().filter(|wish| wish.what.name != volumes::HOME) {
            let message = says("fault-executor-volumes").set("executor", executor);
            fault(faults, format!("{}.name", wish.field), message);
        }
    }
}

fn check_tmp_storage(tmp: &TmpStorage, draft: &Draft, executor: &str, can: Capabilities, faults: &mut Faults) {
    if !can.tmp_storage {
        let message = says("fault-executor-tmp").set("executor", executor);
        fault(faults, "requirements.tmpstorage", message);
    } else if tmp.bytes > draft.resources.ram.bytes() {
        let message = says("fault-tmp-memory").set("ram", draft.resources.ram);
        fault(faults, "requirements.tmpstorage.size", message);
    }
}

/// Whether some node could ever run it.
fn check_possible(draft: &Draft, nodes: &[&Node], faults: &mut Faults) {
    if nodes.is_empty() {
        return;
    }
    let before = faults.len();
    let wants = draft.resources;
    let biggest = nodes.iter().fold(Resources::default(), |most, node| Resources {
        cpu: most.cpu.max(node.total.cpu),
        ram: most.ram.max(node.total.ram),
        gpus: most.gpus.max(node.total.gpus),
    });
    if wants.cpu > biggest.cpu {
        fault(faults, "requirements.cpu", says("fault-nodes-cores").set("most", biggest.cpu));
    }
    if wants.ram > biggest.ram {
        fault(faults, "requirements.ram", says("fault-nodes-memory").set("most", biggest.ram));
    }
    if wants.gpus > biggest.gpus {
        let message = match biggest.gpus {
            0 => says("fault-nodes-no-gpu"),
            most => says("fault-nodes-gpus").set("most", most),
        };
        fault(faults, "requirements.gpus", message);
    }
    let carries = |node: &&&Node| draft.labels.iter().all(|label| node.labels.contains(label));
    let mut labelled = nodes.iter().filter(carries).peekable();
    if labelled.peek().is_none() {
        let labels = Message::joined("word-and", draft.labels.iter().map(Message::verbatim));
        fault(faults, "requirements.label", says("fault-nodes-labels").set("labels", labels));
    } else if faults.len() == before && !labelled.any(|node| wants.fits_in(&node.total)) {
        fault(faults, "requirements", says("fault-nodes-together").set("wants", asked(wants)));
    }
}

/// As [`Resources`] shows itself.
fn asked(wants: Resources) -> Message {
    let id = if wants.gpus > 0 { "fault-resources-gpus" } else { "fault-resources" };
    let asked = says(id).set("cpu", wants.cpu).set("ram", wants.ram);
    if wants.gpus > 0 { asked.set("gpus", wants.gpus) } else { asked }
}

fn check_dependencies(wanted: &[Wanted<Dependency>], parents: &[Parent], faults: &mut Faults) {
    for Wanted { field, what } in wanted {
        let Some(parent) = parents.iter().find(|parent| parent.id == what.job) else {
            fault(faults, field, says("fault-job-unseen").set("job", what.job));
            continue;
        };
        let too_late = match (what.on, parent.ending) {
            (_, None) | (DependencyOn::Any, _) => None,
            (DependencyOn::Ok, Some(ending)) => (!ending.is_ok()).then_some(("fault-dependency-well", ending)),
            (DependencyOn::Failed, Some(ending)) => ending.is_ok().then_some(("fault-dependency-badly", ending)),
        };
        if let Some((id, ending)) = too_late {
            fault(faults, field, says(id).set("job", what.job).set("ending", ending_word(ending)));
        }
    }
}

/// Refuses volumes whose directory is not there (`volumes_check`). Touches the disk.
///
/// # Errors
/// Each volume without a directory, under the path it had in the document (`wanted`).
pub fn check_paths(wanted: &[Wanted<VolumeWish>], granted: &[Mount]) -> Result<(), Faults> {
    let missing = |mount: &&Mount| !Path::is_dir(&mount.path);
    let faults: Faults = granted
        .iter()
        .filter(missing)
        .map(|mount| {
            let field =
                wanted.iter().find(|wish| wish.what.name == mount.name).map_or("container.volumes", |w| &w.field);
            FieldFault::new(format!("{field}.name"), says("fault-volume-directory").set("name", &mount.name))
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
