//! From a chosen job to a running one: the job directory, the environment, the executor.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Works, ending};
use crate::domain::{AttemptName, EndReason, Ending, Job, JobState, Place, Rejection, Transition};
use crate::files::FileError;
use crate::measures::{self, Fault};
use crate::plugins::executor::{AttemptEnd, DATA_MOUNT, ExecutorError, Exit, Launch, Started};
use crate::store::Change;

/// How a launch went.
pub enum Launched {
    Running(Arc<Job>, Started),
    /// The job itself cannot be run; the sentence is for its owner.
    Refused(Arc<Job>, String),
    /// It was begun before, and no backend knows how it ended; its exit code, if it has said it itself.
    Lost(Arc<Job>, Option<i32>),
    /// Nothing wrong with the job: back to the queue until `executor` answers again.
    NotNow {
        job: Arc<Job>,
        executor: String,
        message: String,
    },
}

pub fn attempt_name(works: &Works, job: &Job) -> Option<AttemptName> {
    let number = job.state.attempt()?.number;
    Some(AttemptName { instance: works.instance.clone(), job: job.id, attempt: number })
}

/// Launches a starting job. Doing it twice has the effect of once, by the executor's guarantee.
pub async fn launch(works: &Works, job: Arc<Job>) -> Option<Launched> {
    let JobState::Starting { attempt, .. } = &job.state else { return None };
    let attempt = attempt.clone();
    let executor_name = attempt.executor.clone();
    let not_now = |fault, message: String| {
        measures::error(fault);
        Some(Launched::NotNow { job: job.clone(), executor: executor_name.clone(), message })
    };
    let Some(executor) = works.executor(&attempt.executor) else {
        return not_now(Fault::Executor, "it is not configured any more".to_owned());
    };
    let prepared = match works.files.prepare(&job).await {
        Ok(prepared) => prepared,
        Err(FileError::DiskFull) => return not_now(Fault::Files, FileError::DiskFull.to_string()),
        Err(error) => {
            return not_now(Fault::Files, format!("the job directory cannot be made: {error}"));
        }
    };
    let launch = Launch {
        name: attempt_name(works, &job)?,
        job: job.clone(),
        attempt,
        directory: prepared.directory,
        private_directory: prepared.private_directory,
        mounts: job.spec.volumes.clone(),
        data: data(works, &job).await,
        env: environment(&job),
    };
    match executor.launch(launch).await {
        Ok(started) => Some(Launched::Running(job, started)),
        Err(ExecutorError::BegunBefore) => {
            let said = works.files.exit_said(job.id).await;
            Some(Launched::Lost(job, said))
        }
        Err(ExecutorError::Refused(reason)) => Some(Launched::Refused(job, reason)),
        Err(error @ (ExecutorError::Unavailable(_) | ExecutorError::NoSuchAttempt)) => {
            not_now(Fault::Executor, error.to_string())
        }
    }
}

/// The owner's upload space, unless a volume of the site has its place.
async fn data(works: &Works, job: &Job) -> Option<PathBuf> {
    let is_taken = job.spec.volumes.iter().any(|volume| volume.mount == Path::new(DATA_MOUNT));
    if is_taken { None } else { works.files.uploads().existing(&job.owner.user).await }
}

/// What the job is told of itself. The array variables carry the original's spelling too.
fn environment(job: &Job) -> Vec<(String, String)> {
    let mut env = vec![("GODOCKER_JID".to_owned(), job.id.to_string())];
    if let (Place::ArrayChild { index, .. }, Some(array)) = (&job.place, job.spec.array) {
        let values = [("ID", *index), ("FIRST", array.first), ("LAST", array.last), ("STEP", array.step)];
        for (what, value) in values {
            env.push((format!("GODOCKER_TASK_{what}"), value.to_string()));
            env.push((format!("GOGOCKER_TASK_{what}"), value.to_string()));
        }
    }
    env
}

/// The change that stores how a launch went; `None` when the job has moved on meanwhile.
pub fn change_after(works: &Works, launched: &Launched) -> Option<Change> {
    let now = works.clock.now();
    match launched {
        Launched::Running(job, started) => Some(Change {
            id: job.id,
            expect: job.revision,
            state: job.state.next(Transition::Launched { attempt: started.attempt.clone(), at: started.at }).ok()?,
            request: job.request,
            failed_nodes: job.failed_nodes.clone(),
            charge: None,
        }),
        Launched::Refused(job, reason) => {
            let ending = Ending::Rejected(Rejection::Impossible);
            ending::without_running(job, ending, Some(EndReason::Said(reason.clone())), now).ok()
        }
        Launched::Lost(job, said) => {
            let exit = Exit { code: *said, out_of_memory: false };
            let end = AttemptEnd { name: attempt_name(works, job)?, exit, started: None, ended: now };
            ending::after_attempt(job, &end, 0, now).ok()
        }
        Launched::NotNow { job, .. } => Some(Change {
            id: job.id,
            expect: job.revision,
            state: job.state.next(Transition::Requeue { at: now, launched: false }).ok()?,
            request: job.request,
            failed_nodes: job.failed_nodes.clone(),
            charge: None,
        }),
    }
}

impl Launched {
    pub fn job(&self) -> &Arc<Job> {
        match self {
            Launched::Running(job, _)
            | Launched::Refused(job, _)
            | Launched::Lost(job, _)
            | Launched::NotNow { job, .. } => job,
        }
    }

    /// The same result for the job as it is now in the store.
    pub fn with_job(self, job: Arc<Job>) -> Self {
        match self {
            Launched::Running(_, started) => Launched::Running(job, started),
            Launched::Refused(_, reason) => Launched::Refused(job, reason),
            Launched::Lost(_, said) => Launched::Lost(job, said),
            Launched::NotNow { executor, message, .. } => Launched::NotNow { job, executor, message },
        }
    }
}
