//! `go-d recount`: sets disk figures right, from the job directories as they are.

use clap::Args;
use futures::StreamExt;
use futures::stream;

use super::{Site, progress, site, tell_scheduler};
use crate::config::Config;
use crate::domain::{Job, Phase, Transition, UserId, readable_bytes};
use crate::store::{Applied, Change, JobFilter, Page, StoreError};

/// Jobs that one step takes.
const STEP: u64 = 1_000;
/// Directories measured at once.
const AT_ONCE: usize = 4;

#[derive(Debug, Args)]
pub struct RecountArgs {
    /// Look at the directories of this user's jobs only. The sums of all are set in any case.
    #[arg(long)]
    user: Option<UserId>,
}

#[derive(Debug, Default)]
struct Found {
    jobs: u64,
    corrected: u64,
    failed: u64,
}

/// Answers whether every directory could be measured.
///
/// # Errors
/// What kept it from being done, as a sentence; doing it again is right.
pub async fn recount(config: &Config, asked: RecountArgs) -> anyhow::Result<bool> {
    let site = site(config).await?;
    let before = total(&site).await?;
    let filter =
        JobFilter { owner: asked.user, phases: vec![Phase::Over], with_children: true, ..JobFilter::default() };
    let found = records(&site, filter).await?;
    site.store.recount_disk_use().await?;
    let after = total(&site).await?;
    tell_scheduler(config).await;
    println!(
        "{} job directories measured, {} corrected; all users together: {} before, {} now.",
        found.jobs,
        found.corrected,
        readable_bytes(before),
        readable_bytes(after)
    );
    if found.failed > 0 {
        println!("{} could not be measured and stay as they were: the messages above say why.", found.failed);
    }
    Ok(found.failed == 0)
}

async fn total(site: &Site) -> Result<u64, StoreError> {
    Ok(site.store.disk_use().await?.iter().map(|(_, bytes)| bytes).sum())
}

/// Corrects what the records of over jobs say.
async fn records(site: &Site, mut filter: JobFilter) -> Result<Found, StoreError> {
    let bar = progress(site.store.count(&filter).await?);
    let mut found = Found::default();
    loop {
        let jobs = site.store.list(&filter, Page::first(STEP)).await?;
        let Some(last) = jobs.last() else { break };
        filter.after = Some(last.id);
        let measured = stream::iter(jobs.iter().filter(|job| !job.is_array_parent()))
            .map(|job| async move { (job, site.files.measure(job.id).await) })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        let mut changes = Vec::new();
        for (job, size) in measured {
            found.jobs += 1;
            match size {
                Ok(bytes) => changes.extend(correction(job, bytes)),
                Err(error) => {
                    found.failed += 1;
                    tracing::error!(job = %job.id, %error, "its directory cannot be measured");
                }
            }
        }
        // One that somebody changed meanwhile is being archived or deleted.
        let applied = site.store.commit(changes).await?;
        found.corrected += applied.iter().filter(|applied| matches!(applied, Applied::Done { .. })).count() as u64;
        bar.inc(jobs.len() as u64);
    }
    bar.finish_and_clear();
    Ok(found)
}

fn correction(job: &Job, disk_bytes: u64) -> Option<Change> {
    let is_wrong = job.state.outcome().is_some_and(|outcome| outcome.disk_bytes != disk_bytes);
    let state = is_wrong.then(|| job.state.next(Transition::Measured { disk_bytes }).ok()).flatten()?;
    Some(Change {
        id: job.id,
        expect: job.revision,
        state,
        request: job.request,
        failed_nodes: job.failed_nodes.clone(),
        charge: None,
    })
}
