//! Jobs in words: their state, what happens to them now, and why they wait.

use std::time::Duration;

use super::{Language, Message, Words, says};
use crate::domain::{
    DependencyOn, EndReason, Ending, Job, JobState, KnownEnd, Outcome, PendingReason, Place, Rejection, Request,
    Resources, Timestamp, WaitingJob,
};

/// A state's colour: a class of the style sheet.
pub type Tone = &'static str;

/// How long it ran, or has run.
pub fn run_time(job: &Job, now: Timestamp) -> Option<Duration> {
    let started = job.state.started()?;
    Some(job.state.outcome().map_or(now, |outcome| outcome.ended).since(started))
}

impl Words {
    /// [`run_time`] in words; a dash where it never ran.
    pub fn run_time(&self, job: &Job, now: Timestamp) -> String {
        run_time(job, now).map_or_else(|| "–".to_owned(), |span| self.duration(span))
    }

    /// The state in a word, and its colour.
    pub fn state(&self, job: &Job) -> (String, Tone) {
        let (id, tone) = match &job.state {
            JobState::Pending { .. } => ("state-pending", "wait"),
            JobState::Starting { .. } => ("state-starting", "run"),
            JobState::Running { suspended: true, .. } => ("state-suspended", "wait"),
            JobState::Running { .. } => ("state-running", "run"),
            JobState::Over(outcome) | JobState::Archived { outcome, .. } => ending(outcome.ending),
        };
        (self.t(id), tone)
    }

    /// How a job ended, in a word, and its colour.
    pub fn ending(&self, how: Ending) -> (String, Tone) {
        let (id, tone) = ending(how);
        (self.t(id), tone)
    }

    /// What happens now, in a sentence.
    pub fn sentence(&self, job: &Job, waiting: Option<&WaitingJob>) -> String {
        if let Some(request) = job.request {
            return self.t(asked(request));
        }
        match &job.state {
            JobState::Pending { .. } => match waiting {
                Some(waiting) => self.waiting(waiting),
                None if job.is_array_parent() => self.t("now-array-waits"),
                None => self.t("now-waits"),
            },
            JobState::Starting { attempt, .. } => self.with("now-starting").set("node", &attempt.node).to_string(),
            JobState::Running { suspended: true, attempt, .. } => {
                self.with("now-suspended").set("node", &attempt.node).to_string()
            }
            JobState::Running { attempt, .. } => match job.place {
                Place::ArrayParent { children, over, .. } => {
                    self.with("now-array-runs").set("over", over).set("children", children).to_string()
                }
                Place::Single | Place::ArrayChild { .. } => {
                    self.with("now-runs").set("node", &attempt.node).to_string()
                }
            },
            JobState::Archived { .. } => self.t("now-archived"),
            JobState::Over(outcome) => self.ended(job, outcome),
        }
    }

    /// How it ended and why, in a sentence. What an executor or an administrator said of it is told as it was said.
    pub fn ended(&self, job: &Job, outcome: &Outcome) -> String {
        if let Place::ArrayParent { children, failed, .. } = job.place
            && failed > 0
        {
            return self.known_end(&KnownEnd::ArrayChildren { failed, children });
        }
        // Databases hold English for these from before a reason was data.
        let was_ours = matches!(outcome.ending, Ending::Rejected(Rejection::Quota | Rejection::Dependency));
        match &outcome.reason {
            Some(EndReason::Said(_)) if was_ours && self.language != Language::English => {}
            Some(EndReason::Said(text)) => return as_sentence(text),
            Some(EndReason::Known(known)) => return self.known_end(known),
            None => {}
        }
        match (outcome.ending, outcome.exit_code) {
            (Ending::Failed, Some(code)) => self.with("ended-failed").set("code", code.to_string()).to_string(),
            (Ending::Failed, None) => self.t("ended-failed-somehow"),
            (Ending::Done, _) => self.t("ended-done"),
            (Ending::Killed, _) => self.t("ended-killed"),
            (Ending::OutOfMemory, _) => self.t("ended-out-of-memory"),
            (Ending::TimeLimit, _) => self.t("ended-time-limit"),
            (Ending::NodeFailure, _) => self.t("ended-node-failure"),
            (Ending::Rejected(Rejection::Quota), _) => self.t("ended-quota"),
            (Ending::Rejected(Rejection::Impossible), _) => self.t("ended-impossible"),
            (Ending::Rejected(Rejection::Dependency), _) => self.t("ended-dependency"),
        }
    }

    fn known_end(&self, known: &KnownEnd) -> String {
        match known {
            KnownEnd::OutOfMemory { asked } => {
                self.with("ended-out-of-memory-asked").set("ram", self.number(asked.as_gb(), 3)).to_string()
            }
            KnownEnd::TimeLimit => self.t("ended-time-limit"),
            KnownEnd::NodeFailed => self.t("ended-node-failure"),
            KnownEnd::KilledWaiting => self.t("ended-killed-waiting"),
            KnownEnd::ArrayChildren { failed, children } => {
                self.with("ended-array").set("failed", failed).set("children", children).to_string()
            }
            KnownEnd::QuotaUser { quota } => self.with("ended-quota-user").set("quota", self.quota(quota)).to_string(),
            KnownEnd::QuotaProject { quota } => {
                self.with("ended-quota-project").set("quota", self.quota(quota)).to_string()
            }
            KnownEnd::Dependency { job, on, ended } => {
                let said = match ended {
                    Some(ended) => self.with("ended-dependency-other").set("ending", self.ending(*ended).0),
                    None => self.with("ended-dependency-gone"),
                };
                said.set("job", job.to_string()).set("wanted", self.condition(*on)).to_string()
            }
        }
    }

    /// What somebody waits for another job to do.
    fn condition(&self, on: DependencyOn) -> String {
        match on {
            DependencyOn::Ok => self.t("word-ends-well"),
            DependencyOn::Failed => self.t("word-fails"),
            DependencyOn::Any => self.t("word-ends-at-all"),
        }
    }

    /// Why it waits, its place in the queue, and when it may start.
    pub fn waiting(&self, waiting: &WaitingJob) -> String {
        let reason = self.reason(&waiting.reason);
        match waiting.position {
            Some(position) => format!("{reason} {}", self.place(position, waiting.estimate_secs)),
            None => reason,
        }
    }

    /// A place in the queue, and when it may start, in a sentence.
    pub fn place(&self, position: u64, estimate_secs: Option<u64>) -> String {
        let said = match estimate_secs {
            Some(seconds) => {
                self.with("waiting-place-and-time").set("time", self.duration(Duration::from_secs(seconds.max(1))))
            }
            None => self.with("waiting-place"),
        };
        said.set("position", self.count(position)).to_string()
    }

    /// Why it waits, in a sentence.
    pub fn reason(&self, reason: &PendingReason) -> String {
        match reason {
            PendingReason::NotConsidered => self.t("reason-not-considered"),
            PendingReason::Queue => self.t("reason-queue"),
            PendingReason::Capacity { needs } => {
                self.with("reason-capacity").set("needs", self.resources(needs)).to_string()
            }
            PendingReason::HeldFor { job } => self.with("reason-held-for").set("job", job.to_string()).to_string(),
            PendingReason::Dependency { waits_for } => {
                let jobs: Vec<_> = waits_for.iter().map(|d| format!("{} ({})", d.job, self.condition(d.on))).collect();
                self.with("reason-dependency").set("jobs", jobs.join(", ")).to_string()
            }
            PendingReason::ArrayThrottle { limit } => {
                self.with("reason-array-throttle").set("limit", limit).to_string()
            }
            PendingReason::Labels { labels } => self.with("reason-labels").set("labels", labels.join(", ")).to_string(),
            PendingReason::Drained { nodes } => self.with("reason-drained").set("nodes", nodes.join(", ")).to_string(),
            PendingReason::QuotaUser { quota } if quota == "disk" => self.t("reason-quota-disk"),
            PendingReason::QuotaUser { quota } => {
                self.with("reason-quota-user").set("quota", self.quota(quota)).to_string()
            }
            PendingReason::QuotaProject { quota } => {
                self.with("reason-quota-project").set("quota", self.quota(quota)).to_string()
            }
            PendingReason::Maintenance => self.t("reason-maintenance"),
            PendingReason::AccountDisabled => self.t("reason-account-disabled"),
            PendingReason::NotMember { project } => {
                self.with("reason-not-member").set("project", project.to_string()).to_string()
            }
            PendingReason::ExecutorAway { executor, message } => {
                self.with("reason-executor-away").set("executor", executor).set("message", message).to_string()
            }
            PendingReason::ArrayChildren => self.t("reason-array-children"),
            PendingReason::Retry { attempts } => self.with("reason-retry").set("launch", attempts + 1).to_string(),
        }
    }

    /// Cores, memory, and GPUs where there are any.
    pub fn resources(&self, what: &Resources) -> String {
        let text = self
            .with("word-resources")
            .set("count", what.cpu.as_f64())
            .set("cores", self.number(what.cpu.as_f64(), 3))
            .set("ram", self.number(what.ram.as_gb(), 3))
            .to_string();
        if what.gpus > 0 { format!("{text}, {}", self.with("word-gpus").set("count", what.gpus)) } else { text }
    }

    fn quota(&self, name: &str) -> String {
        match name {
            "time" => self.t("word-quota-time"),
            "cpu" => self.t("word-quota-cpu"),
            "ram" => self.t("word-quota-ram"),
            "gpu" => self.t("word-quota-gpu"),
            "disk" => self.t("word-quota-disk"),
            other => other.to_owned(),
        }
    }
}

/// With a capital at its beginning and a full stop at its end.
pub fn as_sentence(said: &str) -> String {
    let mut letters = said.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if said.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// How a job ended, in a word.
pub fn ending_word(how: Ending) -> Message {
    says(ending(how).0)
}

fn ending(how: Ending) -> (&'static str, Tone) {
    match how {
        Ending::Done => ("ending-done", "good"),
        Ending::Killed => ("ending-killed", "rest"),
        Ending::Failed => ("ending-failed", "bad"),
        Ending::OutOfMemory => ("ending-out-of-memory", "bad"),
        Ending::TimeLimit => ("ending-time-limit", "bad"),
        Ending::NodeFailure => ("ending-node-failure", "bad"),
        Ending::Rejected(_) => ("ending-rejected", "bad"),
    }
}

fn asked(request: Request) -> &'static str {
    match request {
        Request::Kill(_) => "asked-kill",
        Request::Suspend => "asked-suspend",
        Request::Resume => "asked-resume",
        Request::Reschedule => "asked-reschedule",
        Request::Archive => "asked-archive",
        Request::Purge => "asked-purge",
    }
}
