//! `go-d clean`: archives over jobs, old ones or those named.

use std::time::Duration;

use clap::Args;

use super::{progress, site, tell_scheduler};
use crate::actors::archive::{Archiver, Freed, bytes_of};
use crate::actors::retention;
use crate::bus::LocalBus;
use crate::client::table::Table;
use crate::config::{Config, parse_duration};
use crate::domain::{Clock, Job, JobId, Phase, ProjectId, SystemClock, Timestamp, UserId, readable_bytes};
use crate::store::{JobFilter, Page, Store, StoreError};

/// Children of an array that are read at once.
const STEP: u64 = 1_000;

#[derive(Debug, Args)]
pub struct CleanArgs {
    /// Jobs to archive, whatever their age. Without any: all that have been over for longer than clean_old days.
    #[arg(value_name = "JOB", conflicts_with_all = ["older_than", "user", "project", "tag"])]
    ids: Vec<JobId>,
    /// Say what would be archived, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Jobs that have been over for longer than this: days, or 12h, 30d, 2w. Default: clean_old.
    #[arg(long, value_name = "AGE", value_parser = age)]
    older_than: Option<Duration>,
    /// Of this user only.
    #[arg(long)]
    user: Option<UserId>,
    /// Of this project only.
    #[arg(long)]
    project: Option<ProjectId>,
    /// With this tag only.
    #[arg(long)]
    tag: Option<String>,
}

fn age(text: &str) -> Result<Duration, String> {
    let in_days = if text.bytes().all(|byte| byte.is_ascii_digit()) { format!("{text}d") } else { text.to_owned() };
    parse_duration(&in_days).ok_or_else(|| "expected days, or an age like 12h, 30d or 2w".to_owned())
}

/// Answers whether all that was asked for is archived.
///
/// # Errors
/// What kept it from being done, as a sentence; doing it again is right.
pub async fn clean(config: &Config, asked: CleanArgs) -> anyhow::Result<bool> {
    let site = site(config).await?;
    let (bus, clock) = (LocalBus::default(), SystemClock);
    let archiver = Archiver { store: site.store.as_ref(), files: &site.files, bus: &bus, clock: &clock };
    let cleaning =
        Cleaning { archiver, dry_run: asked.dry_run, table: Table::new(["JOB", "USER", "ENDED", "SIZE", "NAME"]) };
    let (freed, all) = if asked.ids.is_empty() {
        let before = clock.now().minus(asked.older_than.unwrap_or(config.disk.clean_old));
        cleaning.old(filter(&asked, before)).await?
    } else {
        cleaning.named(&asked.ids).await?
    };
    if freed.jobs > 0 && !asked.dry_run {
        tell_scheduler(config).await;
    }
    println!("{}", summary(&freed, asked.dry_run));
    Ok(all)
}

fn filter(asked: &CleanArgs, ended_before: Timestamp) -> JobFilter {
    JobFilter {
        owner: asked.user.clone(),
        project: asked.project.clone(),
        tag: asked.tag.clone(),
        phases: vec![Phase::Over],
        ended_before: Some(ended_before),
        ..JobFilter::default()
    }
}

fn summary(freed: &Freed, dry_run: bool) -> String {
    let jobs = if freed.jobs == 1 { "1 job".to_owned() } else { format!("{} jobs", freed.jobs) };
    let bytes = format!("{} ({} bytes)", readable_bytes(freed.bytes), freed.bytes);
    match (dry_run, freed.failed) {
        (true, _) => format!("{jobs} would be archived, which would free {bytes}."),
        (false, 0) => format!("{jobs} archived, which freed {bytes}."),
        (false, failed) => {
            format!("{jobs} archived, which freed {bytes}; {failed} could not be: the messages above say why.")
        }
    }
}

struct Cleaning<'a> {
    archiver: Archiver<'a>,
    dry_run: bool,
    /// Of a dry run.
    table: Table,
}

impl Cleaning<'_> {
    /// Those that have ended long ago.
    async fn old(mut self, mut filter: JobFilter) -> Result<(Freed, bool), StoreError> {
        let bar = progress(self.archiver.store.count(&filter).await?);
        let mut freed = Freed::default();
        loop {
            let jobs = retention::step(self.archiver.store, &mut filter).await?;
            if jobs.is_empty() {
                break;
            }
            // In small steps, so that the progress is seen.
            for jobs in jobs.chunks(100) {
                freed.add(self.some(jobs).await?);
                bar.inc(jobs.len() as u64);
            }
        }
        bar.finish_and_clear();
        self.print();
        Ok((freed, freed.failed == 0))
    }

    /// Those that were named; what is wrong with one does not keep the others.
    async fn named(mut self, ids: &[JobId]) -> Result<(Freed, bool), StoreError> {
        let known = self.archiver.store.jobs(ids).await?;
        let mut all = true;
        for id in ids {
            let fault = match known.iter().find(|job| job.id == *id).map(|job| job.state.phase()) {
                None => "there is none".to_owned(),
                Some(Phase::Over) => continue,
                Some(Phase::Archived) => {
                    eprintln!("job {id}: it is archived already");
                    continue;
                }
                Some(active) => format!("it is {}: only a job that is over is archived", active.as_str()),
            };
            eprintln!("job {id}: {fault}");
            all = false;
        }
        let over: Vec<Job> = known.into_iter().filter(|job| job.state.phase() == Phase::Over).collect();
        let freed = self.some(&over).await?;
        self.print();
        Ok((freed, all && freed.failed == 0))
    }

    async fn some(&mut self, jobs: &[Job]) -> Result<Freed, StoreError> {
        if !self.dry_run {
            return retention::archive(self.archiver, jobs).await;
        }
        let mut freed = Freed { jobs: jobs.len() as u64, ..Freed::default() };
        for job in jobs {
            let bytes = with_children(self.archiver.store, job).await?;
            freed.bytes += bytes;
            self.table.row([
                job.id.to_string(),
                job.owner.user.to_string(),
                job.state.outcome().map(|outcome| moment(outcome.ended)).unwrap_or_default(),
                readable_bytes(bytes),
                job.spec.name.clone(),
            ]);
        }
        Ok(freed)
    }

    fn print(&self) {
        if !self.table.is_empty() {
            print!("{}", self.table.plain());
        }
    }
}

/// What a job's directory holds, and for an array those of its jobs.
async fn with_children(store: &dyn Store, job: &Job) -> Result<u64, StoreError> {
    let mut bytes = bytes_of(job);
    let mut page = Page::first(STEP);
    while job.is_array_parent() {
        let children = store.children(job.id, page).await?;
        bytes += children.iter().map(bytes_of).sum::<u64>();
        page.skip += STEP;
        if (children.len() as u64) < STEP {
            break;
        }
    }
    Ok(bytes)
}

fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_in_days_unless_it_says_otherwise() {
        let hours = |hours: u64| Ok(Duration::from_secs(hours * 3600));
        assert_eq!((age("30"), age("12h"), age("2w"), age("0")), (hours(720), hours(12), hours(336), hours(0)));
        assert!(age("old").is_err() && age("").is_err() && age("-1").is_err());
    }

    #[test]
    fn the_summary_says_what_was_freed() {
        let freed = Freed { jobs: 1, bytes: 3_400_000_000, failed: 0 };
        assert_eq!(summary(&freed, false), "1 job archived, which freed 3.4 GB (3400000000 bytes).");
        let many = Freed { jobs: 2, bytes: 5, failed: 0 };
        assert_eq!(summary(&many, true), "2 jobs would be archived, which would free 5 B (5 bytes).");
        assert!(summary(&Freed { failed: 3, ..many }, false).contains("3 could not be"));
    }
}
