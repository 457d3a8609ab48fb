//! What a job used while it ran, against what it asked for, and what to ask for the next time.

use std::time::Duration;

use serde_json::{Value, json};

use super::Site;
use super::access::Caller;
use super::error::ApiError;
use super::jobs::visible;
use crate::domain::advice::{Observed, advise};
use crate::domain::{Advice, Job, JobId, Samples};
use crate::plugins::watcher::maxlifespan::MaxLifespan;

pub struct JobUsage {
    pub job: Job,
    /// The attempt that `samples` are of.
    pub attempt: Option<u32>,
    /// All of which there are some.
    pub attempts: Vec<u32>,
    /// `None` where nothing was seen: it is too young or was too short, its backend cannot tell, or nobody looks.
    pub samples: Option<Samples>,
    /// What ends it if it runs for longer.
    pub limit: Option<Duration>,
    pub advice: Vec<Advice>,
}

/// Of one attempt, or the last.
pub async fn of(site: &Site, caller: &Caller, id: JobId, attempt: Option<u32>) -> Result<JobUsage, ApiError> {
    let job = visible(site, caller, id).await?;
    let mut all = site.store.samples(&[id]).await?;
    let limit = limit(site, &job);
    let last = job.state.attempt().map(|attempt| attempt.number);
    let of_last = all.iter().find(|one| Some(one.attempt) == last).map(|one| &one.samples);
    let advice = advice(&job, limit, of_last);
    let attempts: Vec<u32> = all.iter().map(|one| one.attempt).collect();
    let wanted = attempt.or(last.filter(|last| attempts.contains(last))).or(attempts.last().copied());
    let found = all.iter().position(|one| Some(one.attempt) == wanted).map(|index| all.swap_remove(index));
    Ok(JobUsage { attempt: wanted, attempts, samples: found.map(|one| one.samples), limit, advice, job })
}

fn limit(site: &Site, job: &Job) -> Option<Duration> {
    let is_on = site.config.watchers.iter().any(|rule| rule == MaxLifespan::NAME);
    job.spec.max_lifespan.or(site.config.max_lifespan).filter(|_| is_on)
}

/// Of what has run and ended.
fn advice(job: &Job, limit: Option<Duration>, samples: Option<&Samples>) -> Vec<Advice> {
    let Some(outcome) = job.state.outcome().filter(|_| !job.is_array_parent()) else { return Vec::new() };
    let Some(started) = outcome.started else { return Vec::new() };
    let (asked, took) = (job.spec.resources, outcome.ended.since(started));
    advise(&Observed { asked, limit, ending: outcome.ending, took, samples })
}

impl JobUsage {
    pub fn document(&self) -> Value {
        let asked = self.job.spec.resources;
        let samples = self.samples.as_ref();
        let curve: Vec<Value> = samples.map_or_else(Vec::new, |samples| {
            let shown = |point: &crate::domain::Sample| {
                json!({ "at": point.at.as_secs_f64(), "cpu": rounded(point.cpu), "memory": point.memory })
            };
            samples.curve().iter().map(shown).collect()
        });
        json!({
            "id": self.job.id,
            "attempt": self.attempt,
            "attempts": self.attempts,
            "samples": curve,
            "requested": { "cpu": asked.cpu, "memory": asked.ram.bytes(), "limit_secs": self.limit.map(|l| l.as_secs()) },
            "peak": samples.map(|used| json!({ "cpu": rounded(used.peak_cpu()), "memory": used.peak_memory() })),
            "average": samples.map(|used| json!({ "cpu": rounded(used.average_cpu()) })),
            "cpu_seconds": samples.map(|used| rounded(used.cpu_time().as_secs_f64())),
            "covered_seconds": samples.map(|used| rounded(used.covers().as_secs_f64())),
            "advice": self.advice,
        })
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
