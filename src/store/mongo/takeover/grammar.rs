//! The original's small languages, as far as its documents hold them.

use crate::domain::{ArraySpec, Dependency, DependencyOn, JobId};

/// `last`, `first:last` or `first:last:step`.
pub fn array(text: &str) -> Option<ArraySpec> {
    let numbers = text.trim().split(':').map(|part| part.trim().parse().ok()).collect::<Option<Vec<u64>>>()?;
    let (first, last, step) = match numbers[..] {
        [last] => (1, last, 1),
        [first, last] => (first, last, 1),
        [first, last, step] => (first, last, step),
        _ => return None,
    };
    let fits = step > 0 && first <= last && i64::try_from(last).is_ok();
    fits.then_some(ArraySpec { first, last, step, throttle: None })
}

/// `12` as text, or with how the job must have ended.
pub fn dependency(text: &str) -> Option<Dependency> {
    let (job, on) = text.trim().split_once(':').unwrap_or((text.trim(), "ok"));
    let on = match on {
        "ok" => DependencyOn::Ok,
        "failed" => DependencyOn::Failed,
        "any" => DependencyOn::Any,
        _ => return None,
    };
    Some(Dependency { job: job.parse::<JobId>().ok()?, on })
}
