//! What the directories of running jobs take, from time to time, for disk quotas: the scheduler is told, nothing is
//! stored. At the end of a job it is measured once more, and that counts.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::Works;
use super::share::Share;
use crate::bus::Command;
use crate::domain::{Job, Phase};
use crate::store::{JobFilter, Page, StoreError};

/// Sizes that one message carries.
const TOLD_TOGETHER: usize = 500;

/// One directory at a time, and a round only when the last is done: a slow file system is not made slower.
pub async fn measure_for_ever(works: Works, share: Share, every: Duration) {
    let mut tick = interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = round(&works, &share).await {
            tracing::warn!(%error, "running jobs could not be measured; it is tried again");
        }
    }
}

/// Measures what is in `share`, and tells the scheduler.
///
/// # Errors
/// The store's.
pub async fn round(works: &Works, share: &Share) -> Result<(), StoreError> {
    let filter = JobFilter { phases: vec![Phase::Running], with_children: true, ..JobFilter::default() };
    let jobs = works.store.list(&filter, Page::ALL).await?;
    let ours: Vec<&Job> = jobs.iter().filter(|job| !job.is_array_parent() && share.has(job.id)).collect();
    for jobs in ours.chunks(TOLD_TOGETHER) {
        let mut sizes = Vec::with_capacity(jobs.len());
        for job in jobs {
            match works.files.measure(job.id).await {
                Ok(bytes) => sizes.push((job.id, bytes)),
                Err(error) => tracing::warn!(job = %job.id, %error, "its directory could not be measured"),
            }
        }
        works.tell(Command::DiskMeasured { sizes }).await;
    }
    Ok(())
}
