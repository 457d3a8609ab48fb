//! `maxlifespan`: a job may run so long and no longer, by its own limit or the site's.

use std::time::Duration;

use super::WatcherRule;
use crate::domain::{Job, StopCause, Timestamp};

pub struct MaxLifespan {
    /// The site's limit for jobs that set none; `None` is no limit.
    pub default: Option<Duration>,
}

impl MaxLifespan {
    pub const NAME: &'static str = "maxlifespan";
}

impl WatcherRule for MaxLifespan {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn deadline(&self, job: &Job) -> Option<(Timestamp, StopCause)> {
        let limit = job.spec.max_lifespan.or(self.default)?;
        Some((job.state.started()?.plus(limit), StopCause::TimeLimit))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Attempt, JobState};
    use crate::files::tests::a_job;

    const HOUR: Duration = Duration::from_secs(3600);

    fn running_since(started: i64, own_limit: Option<Duration>) -> Job {
        let mut job = a_job(1);
        Arc::make_mut(&mut job.spec).max_lifespan = own_limit;
        let attempt = Attempt {
            number: 1,
            executor: "native".into(),
            node: "n1".into(),
            container: None,
            digest: None,
            ports: vec![],
        };
        job.state = JobState::Running { attempt, started: Timestamp::from_secs(started), suspended: false };
        job
    }

    #[test]
    fn a_jobs_own_limit_counts_before_the_sites() {
        let rule = MaxLifespan { default: Some(2 * HOUR) };
        let deadline = |own| rule.deadline(&running_since(100, own));
        assert_eq!(deadline(Some(HOUR)), Some((Timestamp::from_secs(3700), StopCause::TimeLimit)));
        assert_eq!(deadline(None), Some((Timestamp::from_secs(7300), StopCause::TimeLimit)));
        assert_eq!(deadline(Some(24 * HOUR)), Some((Timestamp::from_secs(86_500), StopCause::TimeLimit)));
    }

    #[test]
    fn without_any_limit_a_job_may_run_for_ever() {
        assert_eq!(MaxLifespan { default: None }.deadline(&running_since(100, None)), None);
        let forever = MaxLifespan { default: Some(Duration::MAX) }.deadline(&running_since(100, None));
        assert_eq!(forever, Some((Timestamp(i64::MAX), StopCause::TimeLimit)));
    }

    #[test]
    fn a_job_that_does_not_run_has_no_deadline() {
        assert_eq!(MaxLifespan { default: Some(HOUR) }.deadline(&a_job(1)), None);
    }
}
