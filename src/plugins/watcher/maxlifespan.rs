//! `maxlifespan`: a job may run so long and no longer, by its own limit or the site's.

use std::time::Duration;

use super::WatcherRule;
use crate::domain::{Job, StopCause, Timestamp};

pub struct MaxLifespan {
    /// The site's limit for jobs that set none; `None` is no limit.
    pub default: Option<Duration>,
}

impl WatcherRule for MaxLifespan {
    fn name(&self) -> &'static str {
        "maxlifespan"
    }

    fn deadline(&self, job: &Job) -> Option<(Timestamp, StopCause)> {
        let limit = job.spec.max_lifespan.or(self.default)?;
        Some((job.state.started()?.plus(limit), StopCause::TimeLimit))
    }
}
