//! What a caller may do with jobs; API and pages both come here.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::Site;
use super::access::Caller;
use super::accounts::entry as audit_line;
use super::accounts::site::{maintenance, told_of_maintenance};
use super::error::ApiError;
use super::submission::{self, Draft, Ground, Parent};
use super::words::{Message, says};
use crate::bus::{Command, Event};
use crate::domain::{Dependency, Job, JobId, JobSpec, JobState, Owner, Phase, Request, StopCause, User, UserId};
use crate::files::make_guest_home;
use crate::store::{JobFilter, NewJob, Page, Submitted};

/// How many jobs one step of a walk takes.
const STEP: u64 = 1_000;
/// Events may be lost: after so long the store is asked untold.
const UNTOLD: Duration = Duration::from_secs(5);

/// Validates, authorizes, stores, and tells the scheduler.
pub async fn submit(site: &Site, caller: &Caller, document: &Value) -> Result<Submitted, ApiError> {
    let job = accepted(site, caller, document, Purpose::Submit).await?;
    let (owner, project) = (job.owner.user.clone(), job.owner.project.clone());
    let submitted = site.store.submit(job).await?;
    tell(site, Command::JobSubmitted { id: submitted.id, children: submitted.children }).await;
    site.bus.publish(Event::JobChanged { id: submitted.id, parent: None, owner, project, phase: Phase::Pending });
    Ok(submitted)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Submit,
    /// Nothing is changed by it.
    Preview,
}

/// The job that this document is, if it may be submitted now.
pub(super) async fn accepted(
    site: &Site,
    caller: &Caller,
    document: &Value,
    purpose: Purpose,
) -> Result<NewJob, ApiError> {
    if let Some(maintenance) = maintenance(site).await? {
        return Err(ApiError::Maintenance(told_of_maintenance(&maintenance)));
    }
    let draft = submission::parse(document, &site.config).map_err(ApiError::Invalid)?;
    let user = on_behalf(site, caller, draft.user.as_ref()).await?;
    let owner = Owner {
        user: user.id.clone(),
        project: draft.project.clone(),
        uid: user.uid,
        gid: user.gid,
        groups: user.groups.clone(),
        email: user.email.clone(),
    };
    let guest_home = user.home.as_deref().filter(|_| user.is_guest());
    if let Some(home) = guest_home.filter(|_| purpose == Purpose::Submit) {
        make_guest_home(home, user.uid, user.gid).await?;
    }
    // A guest's home is made by the first submit, and need not be there before.
    let made_then = guest_home.filter(|_| purpose == Purpose::Preview);
    let spec = granted(site, caller, &user, draft, made_then).await?;
    check_rate(site, &owner.user, spec.array.map_or(1, |array| array.len())).await?;
    Ok(NewJob { owner, spec, submitted: site.clock.now() })
}

/// The user a job is for: the caller, or whom an administrator names.
async fn on_behalf(site: &Site, caller: &Caller, named: Option<&UserId>) -> Result<User, ApiError> {
    let Some(id) = named.filter(|id| *id != caller.id()) else { return Ok(caller.user.clone()) };
    if !caller.is_admin() {
        return Err(ApiError::Forbidden(says("fault-on-behalf")));
    }
    let user = site.store.user(id).await?.filter(User::may_submit);
    user.ok_or_else(|| ApiError::field("user.id", says("fault-no-active-user").set("user", id)))
}

async fn granted(
    site: &Site,
    caller: &Caller,
    user: &User,
    draft: Draft,
    made_later: Option<&Path>,
) -> Result<JobSpec, ApiError> {
    let projects = site.store.projects_of(&user.id).await?;
    let wanted: Vec<Dependency> = draft.dependencies.iter().map(|wanted| wanted.what).collect();
    let parents = parents(site, caller, &wanted).await?;
    let volumes = draft.volumes.clone();
    let ground = Ground {
        config: &site.config,
        user,
        projects: &projects,
        executors: &site.queue.executors(),
        nodes: &site.queue.nodes().await.into_iter().map(|seen| seen.node).collect::<Vec<_>>(),
        parents: &parents,
    };
    let spec = submission::grant(draft, &ground).map_err(ApiError::Invalid)?;
    if site.config.volumes_check && !spec.volumes.is_empty() {
        let mut mounts = spec.volumes.clone();
        mounts.retain(|mount| Some(mount.path.as_path()) != made_later);
        let checked = blocking(move || submission::check_paths(&volumes, &mounts)).await;
        checked.map_err(ApiError::Invalid)?;
    }
    Ok(spec)
}

/// The jobs waited for, as far as the caller may see them.
async fn parents(site: &Site, caller: &Caller, wanted: &[Dependency]) -> Result<Vec<Parent>, ApiError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<JobId> = wanted.iter().map(|dependency| dependency.job).collect();
    let jobs = site.store.jobs(&ids).await?;
    let visible = jobs.iter().filter(|job| caller.may_see(job));
    Ok(visible.map(|job| Parent { id: job.id, ending: job.state.outcome().map(|outcome| outcome.ending) }).collect())
}

async fn check_rate(site: &Site, user: &UserId, new: u64) -> Result<(), ApiError> {
    let limits = &site.config.limits;
    let pending =
        |owner| JobFilter { owner, phases: vec![Phase::Pending], with_children: true, ..JobFilter::default() };
    let too_many = |id, limit: u64, pending: u64| {
        let message = says(id).set("pending", pending).set("limit", limit).set("new", new);
        ApiError::TooMany { message: message.set("left", limit.saturating_sub(pending)), retry_after_secs: 60 }
    };
    if let Some(limit) = limits.rate_limit {
        let own = site.store.count(&pending(Some(user.clone()))).await?;
        if own + new > limit {
            return Err(too_many("fault-rate-own", limit, own));
        }
    }
    if let Some(limit) = limits.rate_limit_all {
        let all = site.store.count(&pending(None)).await?;
        if all + new > limit {
            return Err(too_many("fault-rate-all", limit, all));
        }
    }
    Ok(())
}

/// A job that the caller may see; [`ApiError::NotFound`] otherwise.
pub async fn visible(site: &Site, caller: &Caller, id: JobId) -> Result<Job, ApiError> {
    let job = site.store.job(id).await?;
    job.filter(|job| caller.may_see(job)).ok_or(ApiError::NotFound("job"))
}

/// The caller's own jobs that `filter` finds; everybody's in a project whose members share theirs.
pub fn visible_to(caller: &Caller, filter: JobFilter) -> JobFilter {
    let shared = filter.project.as_ref().is_some_and(|project| caller.shares(project));
    JobFilter { owner: (!shared).then(|| caller.id().clone()), ..filter }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Kill,
    Suspend,
    Resume,
    Reschedule,
    Archive,
    Purge,
}

impl Wish {
    fn request(self) -> Request {
        match self {
            Wish::Kill => Request::Kill(StopCause::User),
            Wish::Suspend => Request::Suspend,
            Wish::Resume => Request::Resume,
            Wish::Reschedule => Request::Reschedule,
            Wish::Archive => Request::Archive,
            Wish::Purge => Request::Purge,
        }
    }

    /// The phases in which a job can be asked this.
    fn phases(self) -> &'static [Phase] {
        match self {
            Wish::Kill => &Phase::ACTIVE,
            Wish::Suspend | Wish::Resume => &[Phase::Running],
            Wish::Reschedule => &[Phase::Starting, Phase::Running],
            Wish::Archive => &[Phase::Over],
            Wish::Purge => &[Phase::Over, Phase::Archived],
        }
    }

    fn done(self) -> Message {
        says(match self {
            Wish::Kill => "done-killed",
            Wish::Suspend => "done-suspended",
            Wish::Resume => "done-resumed",
            Wish::Reschedule => "done-rescheduled",
            Wish::Archive => "done-archived",
            Wish::Purge => "done-deleted",
        })
    }
}

/// Writes the wish on the job, then tells whoever carries it out. [`ApiError::Conflict`] with a sentence when the job is
/// in no state for it.
pub async fn ask(site: &Site, caller: &Caller, id: JobId, wish: Wish) -> Result<(), ApiError> {
    let job = visible(site, caller, id).await?;
    if wish == Wish::Purge && !caller.may_manage(&job.owner.user) {
        return Err(ApiError::Forbidden(says("fault-purge").set("job", id)));
    }
    if let Some(sentence) = refusal(&job, wish) {
        return Err(ApiError::Conflict(sentence));
    }
    let asked = match (wish, job.is_array_parent()) {
        (Wish::Suspend | Wish::Resume | Wish::Reschedule, true) => running_children(site, id, wish).await?,
        _ => vec![job],
    };
    if matches!(wish, Wish::Suspend | Wish::Resume) {
        check_pause(site, &asked)?;
    }
    let ids: Vec<JobId> = asked.iter().map(|job| job.id).collect();
    if wish == Wish::Purge {
        log_purge(site, caller, &asked).await?;
    }
    let written = write(site, &ids, wish).await?;
    // A second kill of a job that is being killed has nothing left to write.
    let is_being_killed = wish == Wish::Kill && asked.iter().any(|job| matches!(job.request, Some(Request::Kill(_))));
    if written.is_empty() && !is_being_killed {
        return Err(has_changed(id, wish));
    }
    Ok(())
}

/// Asks for the archive of each of `ids`, whatever becomes of the others, and answers what became of it, in their order.
pub async fn archive_many(
    site: &Site,
    caller: &Caller,
    ids: &[JobId],
) -> Result<Vec<(JobId, Result<(), ApiError>)>, ApiError> {
    let wish = Wish::Archive;
    let found = site.store.jobs(ids).await?;
    let jobs: HashMap<JobId, &Job> = found.iter().filter(|job| caller.may_see(job)).map(|job| (job.id, job)).collect();
    let mut willing: Vec<JobId> = jobs.values().filter(|job| refusal(job, wish).is_none()).map(|job| job.id).collect();
    willing.sort_unstable();
    let written: HashSet<JobId> = write(site, &willing, wish).await?.into_iter().collect();
    let outcome = |id: &JobId| {
        let job = jobs.get(id).ok_or(ApiError::NotFound("job"))?;
        match refusal(job, wish) {
            Some(sentence) => Err(ApiError::Conflict(sentence)),
            None if written.contains(id) => Ok(()),
            None => Err(has_changed(*id, wish)),
        }
    };
    Ok(ids.iter().map(|id| (*id, outcome(id))).collect())
}

pub(super) fn just_changed(id: JobId, wish: Wish) -> Message {
    says("fault-job-changed").set("job", id).set("done", wish.done())
}

fn has_changed(id: JobId, wish: Wish) -> ApiError {
    ApiError::Conflict(just_changed(id, wish))
}

/// Before it is done: a line too many is better than a deletion that nobody finds.
async fn log_purge(site: &Site, caller: &Caller, jobs: &[Job]) -> Result<(), ApiError> {
    let line = |job: &Job| {
        let details = json!({ "owner": job.owner.user, "project": job.owner.project, "name": job.spec.name });
        audit_line(site, caller, "job.purge", &job.id.to_string(), details)
    };
    let lines = jobs.iter().map(line).collect();
    // There is nothing that could be stale.
    let _ = site.store.change(Vec::new(), lines).await?;
    Ok(())
}

/// Why the job cannot be asked this as it stands.
pub(super) fn refusal(job: &Job, wish: Wish) -> Option<Message> {
    let id = job.id;
    let phase = job.state.phase();
    if !wish.phases().contains(&phase) {
        let only = Message::joined("word-or", wish.phases().iter().map(|phase| phase_word(*phase)));
        let refused = says("fault-job-phase").set("job", id).set("phase", phase_word(phase));
        return Some(refused.set("only", only).set("done", wish.done()));
    }
    if wish != Wish::Kill && matches!(job.request, Some(Request::Kill(_))) && job.state.is_active() {
        return Some(says("fault-job-being-killed").set("job", id).set("done", wish.done()));
    }
    match (&job.state, wish) {
        (JobState::Running { suspended: true, .. }, Wish::Suspend) => Some(says("fault-job-suspended").set("job", id)),
        (JobState::Running { suspended: false, .. }, Wish::Resume)
            if !job.is_array_parent() && job.request != Some(Request::Suspend) =>
        {
            Some(says("fault-job-not-suspended").set("job", id))
        }
        _ => None,
    }
}

fn phase_word(phase: Phase) -> Message {
    says(match phase {
        Phase::Pending => "state-pending",
        Phase::Starting => "state-starting",
        Phase::Running => "state-running",
        Phase::Over => "phase-over",
        Phase::Archived => "phase-archived",
    })
}

/// The children of an array that can be asked this; the parent itself runs nothing.
async fn running_children(site: &Site, parent: JobId, wish: Wish) -> Result<Vec<Job>, ApiError> {
    let mut children = site.store.children(parent, Page::ALL).await?;
    children.retain(|child| refusal(child, wish).is_none());
    if children.is_empty() {
        let message = says("fault-array-none-now").set("job", parent).set("done", wish.done());
        return Err(ApiError::Conflict(message));
    }
    Ok(children)
}

fn check_pause(site: &Site, jobs: &[Job]) -> Result<(), ApiError> {
    let executors = site.queue.executors();
    for attempt in jobs.iter().filter_map(|job| job.state.attempt()) {
        let can = executors.iter().find(|(name, _)| *name == attempt.executor).is_some_and(|(_, can)| can.pause);
        if !can {
            let message = says("fault-executor-pause").set("executor", &attempt.executor);
            return Err(ApiError::Conflict(message));
        }
    }
    Ok(())
}

/// Writes the request on what of `ids` can take it, and tells those who carry it out. Answers where it was written.
pub(super) async fn write(site: &Site, ids: &[JobId], wish: Wish) -> Result<Vec<JobId>, ApiError> {
    let written = site.store.request(ids, wish.request(), wish.phases()).await?;
    if written.is_empty() {
        return Ok(written);
    }
    let mut jobs = site.store.jobs(&written).await?;
    // Children before their parent, whose record takes theirs with it.
    jobs.sort_by_key(|job| std::cmp::Reverse(job.id));
    let (mut pending, mut active, mut over) = (Vec::new(), Vec::new(), Vec::new());
    for job in &jobs {
        match job.state.phase() {
            // An array's parent is nowhere but in the store, and ends with its last child.
            Phase::Pending | Phase::Starting | Phase::Running if job.is_array_parent() => {}
            Phase::Pending => pending.push(job.id),
            Phase::Starting | Phase::Running => active.push(job.id),
            Phase::Over | Phase::Archived => over.push(job.id),
        }
        site.bus.publish(changed(job));
    }
    let is_for_over = matches!(wish, Wish::Archive | Wish::Purge);
    if !pending.is_empty() {
        tell(site, Command::PendingRequested { ids: pending }).await;
    }
    if !active.is_empty() {
        tell(site, Command::ActiveRequested { ids: active }).await;
    }
    if is_for_over && !over.is_empty() {
        tell(site, Command::ArchiveRequested { ids: over }).await;
    }
    Ok(written)
}

/// Asks for the kill of every active job of `user`, or of those with `tag`. Answers on how many jobs it was written.
pub async fn kill_all(site: &Site, caller: &Caller, user: &UserId, tag: Option<&str>) -> Result<usize, ApiError> {
    if !caller.may_manage(user) {
        return Err(ApiError::NotFound("user"));
    }
    let filter = JobFilter { phases: Phase::ACTIVE.to_vec(), ..of_user(user, tag) };
    ask_each(site, caller, filter, Wish::Kill).await
}

/// Asks for the archive, or the deletion, of the caller's jobs that have been over for `days`, or of those with `tag`.
pub async fn archive_older(
    site: &Site,
    caller: &Caller,
    days: u32,
    tag: Option<&str>,
    purge: bool,
) -> Result<usize, ApiError> {
    let wish = if purge { Wish::Purge } else { Wish::Archive };
    let age = Duration::from_secs(u64::from(days) * 86_400);
    let before = crate::domain::Timestamp(site.clock.now().0.saturating_sub(age.as_millis() as i64));
    let filter = JobFilter { phases: wish.phases().to_vec(), ended_before: Some(before), ..of_user(caller.id(), tag) };
    ask_each(site, caller, filter, wish).await
}

fn of_user(user: &UserId, tag: Option<&str>) -> JobFilter {
    JobFilter { owner: Some(user.clone()), tag: tag.map(str::to_owned), ..JobFilter::default() }
}

/// Walks the jobs of a filter by their ids, so that what changes on the way is neither missed nor met twice.
async fn ask_each(site: &Site, caller: &Caller, mut filter: JobFilter, wish: Wish) -> Result<usize, ApiError> {
    let mut written = 0;
    loop {
        let jobs = site.store.list(&filter, Page::first(STEP)).await?;
        let Some(last) = jobs.last() else { return Ok(written) };
        filter.after = Some(last.id);
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        if wish == Wish::Purge {
            log_purge(site, caller, &jobs).await?;
        }
        written += write(site, &ids, wish).await?.len();
    }
}

/// A job as soon as it is over, or as it is after `patience`.
pub async fn wait_over(site: &Site, caller: &Caller, id: JobId, patience: Duration) -> Result<Job, ApiError> {
    let deadline = tokio::time::Instant::now() + patience;
    // Listening begins before the first look, so that no end falls between them.
    let mut events = site.bus.events();
    loop {
        let job = visible(site, caller, id).await?;
        if !job.state.is_active() || tokio::time::Instant::now() >= deadline {
            return Ok(job);
        }
        let look_again = deadline.min(tokio::time::Instant::now() + UNTOLD);
        let _ = tokio::time::timeout_at(look_again, told_of(&mut events, id)).await;
    }
}

/// Waits for an event about `id`, or for the news that some were missed.
async fn told_of(events: &mut broadcast::Receiver<Event>, id: JobId) {
    loop {
        match events.recv().await {
            Ok(Event::JobChanged { id: changed, .. } | Event::JobRemoved { id: changed }) if changed != id => {}
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
            // No more events will come; the caller's own deadline wakes it.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// What pages are told when `job` is not what it was.
pub fn changed(job: &Job) -> Event {
    Event::JobChanged {
        id: job.id,
        parent: job.parent(),
        owner: job.owner.user.clone(),
        project: job.owner.project.clone(),
        phase: job.state.phase(),
    }
}

/// Sends a command. What it asks is in the store already, where a lost one is found again: failing now would only make
/// the caller ask a second time.
pub(super) async fn tell(site: &Site, command: Command) {
    if let Err(error) = site.bus.send(command).await {
        tracing::warn!(%error, "a command was not delivered; it will be found in the store");
    }
}

/// Runs what touches the disk where blocking is fine.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        // The runtime cancels blocking work only when it goes down, with this task.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
