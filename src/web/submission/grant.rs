//! What a draft may have: the site's and the user's side of a submission.

use std::path::Path;

use super::{Draft, VolumeWish, Wanted, volumes};
use crate::config::Config;
use crate::domain::project::Project;
use crate::domain::{Dependency, DependencyOn, Ending, JobId, JobSpec, Mount, Resources, TmpStorage, User};
use crate::plugins::executor::{Capabilities, Node};
use crate::web::error::FieldFault;

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

pub(super) fn fault(faults: &mut Faults, field: impl Into<String>, message: impl Into<String>) {
    faults.push(FieldFault { field: field.into(), message: message.into() });
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
        let user = &ground.user.id;
        fault(&mut faults, "user.project", format!("{user} is in no project {}", draft.project));
    }
    if !config.access.allow_user_images && !config.images.iter().any(|image| image.url == draft.image) {
        let offered: Vec<_> = config.images.iter().map(|image| image.url.as_str()).collect();
        let message = format!("only the images of this site may be used: {}", offered.join(", "));
        fault(&mut faults, "container.image", message);
    }
    if draft.root && !config.access.allow_root {
        fault(&mut faults, "container.root", "jobs may not run as root here");
    } else if draft.root && ground.user.is_guest() && !config.guests.as_ref().is_some_and(|guests| guests.allow_root) {
        fault(&mut faults, "container.root", "guests' jobs may not run as root here");
    }
    let executor = executor(&draft, ground, &mut faults);
    if let Some((name, capabilities)) = executor {
        check_capabilities(&draft, name, *capabilities, &mut faults);
        if ground.user.is_guest() && !capabilities.volumes {
            let message = format!("guests' jobs run in containers only, and the executor {name} has none");
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
        let message = format!("there is no executor {wanted:?} here, but {}", offered.join(", "));
        fault(faults, "requirements.executor", message);
    }
    found
}

fn check_capabilities(draft: &Draft, executor: &str, can: Capabilities, faults: &mut Faults) {
    if draft.root && !can.root {
        fault(faults, "container.root", format!("the executor {executor} cannot run jobs as root"));
    }
    if !draft.ports.is_empty() && !can.ports {
        fault(faults, "requirements.ports", format!("the executor {executor} cannot open ports"));
    }
    if let Some(tmp) = &draft.tmp_storage {
        check_tmp_storage(tmp, draft, executor, can, faults);
    }
    if !can.volumes {
        for wish in draft.volumes.iter().filter(|wish| wish.what.name != volumes::HOME) {
            let message = format!("the executor {executor} cannot grant volumes, as it runs jobs on the host itself");
            fault(faults, format!("{}.name", wish.field), message);
        }
    }
}

fn check_tmp_storage(tmp: &TmpStorage, draft: &Draft, executor: &str, can: Capabilities, faults: &mut Faults) {
    if !can.tmp_storage {
        let message = format!("the executor {executor} cannot provide temporary storage");
        fault(faults, "requirements.tmpstorage", message);
    } else if tmp.bytes > draft.resources.ram.bytes() {
        let ram = draft.resources.ram;
        let message =
            format!("it is in memory, and the job asks for {ram} GB of that: ask for more ram, or less of this");
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
        fault(faults, "requirements.cpu", format!("none of the nodes has more than {} cores", biggest.cpu));
    }
    if wants.ram > biggest.ram {
        fault(faults, "requirements.ram", format!("none of the nodes has more than {} GB", biggest.ram));
    }
    if wants.gpus > biggest.gpus {
        let message = match biggest.gpus {
            0 => "none of the nodes has one".to_owned(),
            most => format!("none of the nodes has more than {most}"),
        };
        fault(faults, "requirements.gpus", message);
    }
    let carries = |node: &&&Node| draft.labels.iter().all(|label| node.labels.contains(label));
    let mut labelled = nodes.iter().filter(carries).peekable();
    if labelled.peek().is_none() {
        let labels: Vec<_> = draft.labels.iter().map(ToString::to_string).collect();
        fault(faults, "requirements.label", format!("none of the nodes is labelled {}", labels.join(" and ")));
    } else if faults.len() == before && !labelled.any(|node| wants.fits_in(&node.total)) {
        fault(faults, "requirements", format!("none of the nodes has all of {wants} with the labels asked for"));
    }
}

fn check_dependencies(wanted: &[Wanted<Dependency>], parents: &[Parent], faults: &mut Faults) {
    for Wanted { field, what } in wanted {
        let Some(parent) = parents.iter().find(|parent| parent.id == what.job) else {
            fault(faults, field, format!("there is no job {} that you may see", what.job));
            continue;
        };
        let too_late = match (what.on, parent.ending) {
            (_, None) | (DependencyOn::Any, _) => None,
            (DependencyOn::Ok, Some(ending)) => (!ending.is_ok()).then_some(("well", ending)),
            (DependencyOn::Failed, Some(ending)) => ending.is_ok().then_some(("badly", ending)),
        };
        if let Some((how, ending)) = too_late {
            let message = format!("job {} can no longer end {how}: it ended as {}", what.job, ending.as_str());
            fault(faults, field, message);
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
            let message = format!("the directory of the volume {} does not exist", mount.name);
            FieldFault { field: format!("{field}.name"), message }
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
