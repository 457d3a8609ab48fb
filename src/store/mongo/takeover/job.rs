//! A job of the original, as ours.

use mongodb::bson::Document;

use super::fields::{Fields, Reason, whole};
use super::grammar;
use crate::domain::{
    Acl, ArraySpec, Attempt, Cores, Dependency, DependencyOn, EndReason, Ending, JobId, JobSpec, JobState, Label,
    Memory, Mount, Outcome, Owner, Phase, PortMapping, ProjectId, Rejection, Request, Resources, StopCause, Timestamp,
    UserId,
};
use crate::store::NewJob;

/// What is understood of it.
pub struct OldJob {
    pub id: JobId,
    pub new: NewJob,
    pub state: JobState,
    pub request: Option<Request>,
    pub failed_nodes: Vec<String>,
    /// Parent and index.
    pub child_of: Option<(JobId, u64)>,
    pub is_parent: bool,
}

pub fn read(document: &Document) -> Result<OldJob, Reason> {
    let fields = Fields(document);
    let id = fields.whole("id")?.filter(|id| *id > 0).ok_or("id: expected a job's number")?;
    let child_of = child_of(fields)?;
    let is_parent = child_of.is_none() && fields.whole("requirements.array.nb_tasks")?.unwrap_or(0) > 0;
    let mut spec = spec(fields)?;
    spec.array = if is_parent { Some(array(fields)?) } else { None };
    let submitted = fields.date("date")?.ok_or("date: expected Unix seconds")?;
    let state = state(fields, submitted)?;
    if state.phase() == Phase::Pending && fields.bool_or("command.interactive", false)? {
        return Err("command.interactive: there are no interactive jobs here".into());
    }
    let names_array = fields.text("requirements.array.values")?.is_some_and(|values| !values.is_empty());
    if state.phase() == Phase::Pending && names_array && !is_parent && child_of.is_none() {
        return Err("requirements.array: its jobs were not made yet, submit it again".into());
    }
    let owner = owner(fields, state.is_active())?;
    Ok(OldJob {
        id: JobId(id),
        request: request(fields, &state)?,
        failed_nodes: fields.texts("status.failure.nodes").unwrap_or_default(),
        new: NewJob { owner, spec, submitted },
        state,
        child_of,
        is_parent,
    })
}

fn child_of(fields: Fields<'_>) -> Result<Option<(JobId, u64)>, Reason> {
    let Some(parent) = fields.whole("parent_task_id")?.filter(|parent| *parent > 0) else { return Ok(None) };
    Ok(Some((JobId(parent), fields.whole("requirements.array.task_id")?.unwrap_or(0))))
}

fn owner(fields: Fields<'_>, is_active: bool) -> Result<Owner, Reason> {
    let user: UserId = fields.parsed("user.id")?.ok_or("user.id: expected a name")?;
    let uid = fields.whole_or("user.uid", 65_534)?;
    if is_active && uid == 0 {
        return Err("user.uid: jobs do not run as root".into());
    }
    Ok(Owner {
        user,
        project: fields.parsed("user.project")?.unwrap_or_else(ProjectId::default_project),
        uid,
        gid: fields.whole_or("user.gid", uid)?,
        groups: fields.wholes("user.sgids")?,
        email: fields.text("user.email")?,
    })
}

fn spec(fields: Fields<'_>) -> Result<JobSpec, Reason> {
    let cpu = fields.number("requirements.cpu")?.unwrap_or(1.0);
    let ram = fields.number("requirements.ram")?.unwrap_or(1.0);
    Ok(JobSpec {
        name: fields.text("meta.name")?.unwrap_or_default(),
        description: fields.text("meta.description")?.unwrap_or_default(),
        tags: fields.texts("meta.tags")?,
        image: fields.needed("container.image")?,
        script: fields.text("command.cmd")?.unwrap_or_default(),
        resources: Resources {
            cpu: Cores::from_number(cpu).ok_or("requirements.cpu: expected a number of cores")?,
            ram: Memory::from_number(ram).ok_or("requirements.ram: expected a number of GB")?,
            gpus: fields.whole_or("requirements.gpus", 0)?,
        },
        array: None,
        dependencies: dependencies(fields)?,
        labels: fields.texts("requirements.label")?.iter().map(|text| label(text)).collect::<Result<_, _>>()?,
        ports: fields.wholes("requirements.ports")?,
        retries: retries(fields),
        executor: fields.text("requirements.executor")?.filter(|name| !name.is_empty()),
        max_lifespan: lifespan(fields)?,
        volumes: volumes(fields)?,
        network: fields.bool_or("container.network", true)?,
        root: fields.bool_or("container.root", false)?,
        notify_email: fields.bool_or("notify.email", false)?,
        tmp_storage: None,
    })
}

fn array(fields: Fields<'_>) -> Result<ArraySpec, Reason> {
    let text = fields.needed("requirements.array.values")?;
    grammar::array(&text).ok_or_else(|| format!("requirements.array.values: expected first:last:step, got {text:?}"))
}

/// `12` was met by any end, and is met by a good one here, as for everyone.
fn dependencies(fields: Fields<'_>) -> Result<Vec<Dependency>, Reason> {
    let wrong = || "requirements.tasks: expected numbers of jobs".to_owned();
    let one = |value| match whole(value).filter(|id| *id > 0) {
        Some(id) => Ok(Dependency { job: JobId(id), on: DependencyOn::Ok }),
        None => value.as_str().and_then(grammar::dependency).ok_or_else(wrong),
    };
    fields.list("requirements.tasks")?.iter().map(one).collect()
}

fn label(text: &str) -> Result<Label, Reason> {
    let (name, value) = text.split_once("==").ok_or("requirements.label: expected name==value")?;
    Ok(Label { name: name.trim().to_owned(), value: value.trim().to_owned() })
}

/// A number, or a document that counts.
fn retries(fields: Fields<'_>) -> u32 {
    let number = |path| fields.whole(path).ok().flatten().and_then(|number| u32::try_from(number).ok());
    number("requirements.failure_policy").or(number("requirements.failure_policy.count")).unwrap_or(0)
}

fn lifespan(fields: Fields<'_>) -> Result<Option<std::time::Duration>, Reason> {
    let path = "requirements.maxlifespan";
    if let Ok(Some(seconds)) = fields.whole(path) {
        return Ok(Some(std::time::Duration::from_secs(seconds)));
    }
    let Some(text) = fields.text(path)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    crate::config::parse_duration(&text)
        .map(Some)
        .ok_or_else(|| format!("{path}: expected a time like 2d, got {text:?}"))
}

/// The job directory is not among ours: it goes without saying.
fn volumes(fields: Fields<'_>) -> Result<Vec<Mount>, Reason> {
    let mut volumes = Vec::new();
    for volume in fields.documents("container.volumes")? {
        let name = volume.needed("name")?;
        let (Some(path), Some(mount)) = (volume.text("path")?, volume.text("mount")?) else { continue };
        if !["go-docker", "god-data", "god-ftp"].contains(&name.as_str()) {
            let acl = if volume.text("acl")?.as_deref() == Some("rw") { Acl::Rw } else { Acl::Ro };
            volumes.push(Mount { name, acl, path: path.into(), mount: mount.into() });
        }
    }
    Ok(volumes)
}

fn state(fields: Fields<'_>, submitted: Timestamp) -> Result<JobState, Reason> {
    match fields.needed("status.primary")?.as_str() {
        "pending" => Ok(JobState::Pending { since: submitted, attempts: 0 }),
        "running" => Ok(JobState::Running {
            attempt: attempt(fields)?.unwrap_or_else(nowhere),
            started: fields.date("status.date_running")?.unwrap_or(submitted),
            suspended: ["suspended", "resume requested"].contains(&secondary(fields)?.as_str()),
        }),
        "over" => Ok(JobState::Over(outcome(fields, submitted)?)),
        "archived" => {
            let outcome = outcome(fields, submitted)?;
            Ok(JobState::Archived { at: outcome.ended, outcome })
        }
        other => Err(format!("status.primary: {other:?} is not known")),
    }
}

fn secondary(fields: Fields<'_>) -> Result<String, Reason> {
    Ok(fields.text("status.secondary")?.unwrap_or_default())
}

/// The original's container, which our executors know nothing of: they find it gone, and the policy on failures decides.
fn attempt(fields: Fields<'_>) -> Result<Option<Attempt>, Reason> {
    let Some(node) = fields.text("container.meta.Node.Name")? else { return Ok(None) };
    let mut ports = Vec::new();
    for mapping in fields.documents("container.port_mapping")? {
        ports.push(PortMapping { host: mapping.whole_or("host", 0)?, container: mapping.whole_or("container", 0)? });
    }
    Ok(Some(Attempt {
        number: 1,
        executor: fields.text("requirements.executor")?.filter(|name| !name.is_empty()).unwrap_or_else(the_original),
        node,
        container: fields.text("container.id")?,
        digest: None,
        ports,
    }))
}

fn nowhere() -> Attempt {
    Attempt {
        number: 1,
        executor: the_original(),
        node: "unknown".into(),
        container: None,
        digest: None,
        ports: Vec::new(),
    }
}

fn the_original() -> String {
    "docker".into()
}

fn outcome(fields: Fields<'_>, submitted: Timestamp) -> Result<Outcome, Reason> {
    let exit_code = fields.number("status.exitcode")?.or(fields.number("container.meta.State.ExitCode")?);
    let exit_code = exit_code.map(|code| code as i32);
    let started = fields.date("status.date_running")?;
    let ended = fields.date("status.date_over")?.or(started).unwrap_or(submitted);
    Ok(Outcome {
        ending: ending(fields, exit_code)?,
        exit_code,
        started,
        ended,
        attempt: attempt(fields)?,
        disk_bytes: fields.number("container.meta.disk_size").ok().flatten().map_or(0, |bytes| bytes as u64),
        reason: fields.text("status.reason")?.filter(|reason| !reason.is_empty()).map(EndReason::Said),
    })
}

fn ending(fields: Fields<'_>, exit_code: Option<i32>) -> Result<Ending, Reason> {
    let out_of_memory = fields.bool_or("container.meta.State.OOMKilled", false)?;
    Ok(match (secondary(fields)?.as_str(), exit_code) {
        ("killed" | "kill requested", _) => Ending::Killed,
        ("quota reached", _) => Ending::Rejected(Rejection::Quota),
        ("rejected by scheduler", _) => Ending::Rejected(Rejection::Impossible),
        _ if out_of_memory => Ending::OutOfMemory,
        (_, Some(0)) => Ending::Done,
        (_, Some(_)) => Ending::Failed,
        (_, None) if !fields.texts("status.failure.nodes").unwrap_or_default().is_empty() => Ending::NodeFailure,
        (_, None) => Ending::Failed,
    })
}

fn request(fields: Fields<'_>, state: &JobState) -> Result<Option<Request>, Reason> {
    let is_running = state.phase() == Phase::Running;
    Ok(match secondary(fields)?.as_str() {
        _ if !state.is_active() => None,
        "kill requested" => Some(Request::Kill(StopCause::User)),
        "suspend requested" if is_running => Some(Request::Suspend),
        "resume requested" if is_running => Some(Request::Resume),
        "reschedule requested" if is_running => Some(Request::Reschedule),
        _ => None,
    })
}
