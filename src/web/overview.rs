//! How the site does, for administrators: what waits and why, how long jobs waited, how they ended, who used most.
//!
//! Made anew at most every [`GOOD_FOR`]; of what ended, the last [`SAMPLE`] jobs are looked at.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::error::ApiError;
use super::view::{date, number};
use super::words::expected_one_of;
use super::{NodeUse, Site};
use crate::domain::usage::Usage;
use crate::domain::{EndingKind, Phase, ProjectId, ReasonCount, Timestamp, UserId};
use crate::store::{EndedRow, JobFilter};

const GOOD_FOR: Duration = Duration::from_secs(10);
/// How many ends are looked at.
pub const SAMPLE: usize = 20_000;
/// Spans that are kept ready; other numbers of days are not offered.
pub const DAYS: [u32; 3] = [1, 7, 30];
const MOST_USERS: usize = 20;

/// By days, what was made last and until when it is good. Held while it is made, so that many readers ask once.
#[derive(Default)]
pub struct Kept(Mutex<BTreeMap<u32, (Instant, Arc<Overview>)>>);

#[derive(Debug, Clone)]
pub struct Overview {
    pub at: Timestamp,
    pub days: u32,
    /// Jobs by phase, arrays' children among them.
    pub jobs: Vec<(Phase, u64)>,
    /// Why jobs wait, the most first; `None` when the scheduler does not answer.
    pub reasons: Option<Vec<ReasonCount>>,
    pub nodes: Vec<NodeUse>,
    /// Executors that do not answer, and what is the matter.
    pub away: Vec<(String, String)>,
    pub ends: Ends,
    /// Who used most run time in those days.
    pub users: Vec<(UserId, Usage)>,
    pub projects: Vec<(ProjectId, Usage)>,
}

/// What jobs that ended tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Ends {
    /// From when on this is of all that ended: later than asked when there were more than [`SAMPLE`].
    pub since: Timestamp,
    /// All that ended since then were looked at.
    pub complete: bool,
    /// How many ended in which way, the most first.
    pub by_ending: Vec<(EndingKind, u64)>,
    /// From submission to start.
    pub waiting: Option<Waiting>,
    pub waiting_by_day: Vec<(i64, Waiting)>,
    /// By name.
    pub waiting_by_project: Vec<(ProjectId, Waiting)>,
}

/// Seconds that jobs waited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Waiting {
    pub jobs: u64,
    pub median: f64,
    /// Nine of ten waited no longer.
    pub ninetieth: f64,
}

/// The overview of the last `days` (one of [`DAYS`]), at most [`GOOD_FOR`] old.
///
/// # Errors
/// A number of days that is not offered, or the store's.
pub async fn overview(site: &Site, days: u32) -> Result<Arc<Overview>, ApiError> {
    if !DAYS.contains(&days) {
        return Err(ApiError::field("days", expected_one_of(&["1", "7", "30"])));
    }
    let mut kept = site.overview.0.lock().await;
    if let Some((until, made)) = kept.get(&days)
        && Instant::now() < *until
    {
        return Ok(Arc::clone(made));
    }
    let made = Arc::new(make(site, days).await?);
    kept.insert(days, (Instant::now() + GOOD_FOR, Arc::clone(&made)));
    Ok(made)
}

async fn make(site: &Site, days: u32) -> Result<Overview, ApiError> {
    let at = site.clock.now();
    let since = Timestamp(at.0 - i64::from(days) * 86_400_000);
    let mut jobs = Vec::new();
    for phase in Phase::ACTIVE {
        let filter = JobFilter { phases: vec![phase], with_children: true, ..JobFilter::default() };
        jobs.push((phase, site.store.count(&filter).await?));
    }
    let (reasons, nodes, away) = tokio::join!(site.queue.reasons(), site.queue.nodes(), site.queue.away());
    let rows = site.store.recent_ends(since, SAMPLE).await?;
    let pairs = site.store.usage_by_pair(at.day() - i64::from(days) + 1).await?;
    let users = most(pairs.iter().map(|(user, _, usage)| (user.clone(), *usage)));
    let projects = most(pairs.iter().map(|(_, project, usage)| (project.clone(), *usage)));
    Ok(Overview { at, days, jobs, reasons, nodes, away, ends: ends(&rows, since), users, projects })
}

/// Summed up by name, the most run time first.
fn most<T: Ord>(rows: impl Iterator<Item = (T, Usage)>) -> Vec<(T, Usage)> {
    let mut sums: BTreeMap<T, Usage> = BTreeMap::new();
    for (name, usage) in rows {
        let sum = sums.entry(name).or_default();
        *sum = sum.plus(usage);
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|one, other| other.1.time.total_cmp(&one.1.time));
    sums.truncate(MOST_USERS);
    sums
}

fn ends(rows: &[EndedRow], since: Timestamp) -> Ends {
    let complete = rows.len() < SAMPLE;
    let oldest = rows.last().map_or(since, |row| row.ended);
    let mut by_ending: BTreeMap<EndingKind, u64> = BTreeMap::new();
    let mut all = Vec::new();
    let mut by_day: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    let mut by_project: BTreeMap<ProjectId, Vec<f64>> = BTreeMap::new();
    for row in rows {
        *by_ending.entry(row.ending).or_default() += 1;
        let Some(started) = row.started else { continue };
        let waited = (started.0 - row.submitted.0).max(0) as f64 / 1000.0;
        all.push(waited);
        by_day.entry(row.ended.day()).or_default().push(waited);
        by_project.entry(row.project.clone()).or_default().push(waited);
    }
    let mut by_ending: Vec<_> = by_ending.into_iter().collect();
    by_ending.sort_by_key(|(_, jobs)| std::cmp::Reverse(*jobs));
    Ends {
        since: if complete { since } else { oldest },
        complete,
        by_ending,
        waiting: waiting(all),
        waiting_by_day: each(by_day),
        waiting_by_project: each(by_project),
    }
}

fn each<T>(groups: BTreeMap<T, Vec<f64>>) -> Vec<(T, Waiting)> {
    groups.into_iter().filter_map(|(name, waits)| Some((name, waiting(waits)?))).collect()
}

fn waiting(mut waits: Vec<f64>) -> Option<Waiting> {
    waits.sort_by(f64::total_cmp);
    // The smallest value that so many of a hundred do not exceed.
    let at = |percent: usize| waits.get((waits.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    Some(Waiting { jobs: waits.len() as u64, median: at(50)?, ninetieth: at(90)? })
}

impl Waiting {
    fn document(&self) -> Value {
        json!({ "jobs": self.jobs, "median": number(self.median), "ninetieth": number(self.ninetieth) })
    }
}

impl Overview {
    pub fn document(&self) -> Value {
        let named = |name: Value, key: &str, mut shown: Value| {
            shown[key] = name;
            shown
        };
        let usage = |usage: &Usage| {
            json!({
                "jobs": usage.jobs, "time": number(usage.time.round()), "cpu": number(usage.cpu),
                "ram": number(usage.ram), "gpu": number(usage.gpu),
            })
        };
        let reason = |count: &ReasonCount| {
            let code = json!(count.reason)["code"].clone();
            json!({ "code": code, "example": count.reason.to_string(), "jobs": count.jobs })
        };
        let node = |seen: &NodeUse| {
            json!({
                "name": seen.node.name, "executor": seen.node.executor, "total": seen.node.total, "used": seen.used,
                "drained": seen.node.drained,
            })
        };
        let by_day = |(day, waiting): &(i64, Waiting)| {
            named(json!(super::usage::date(*day).to_string()), "day", waiting.document())
        };
        let ends = &self.ends;
        json!({
            "at": date(self.at),
            "days": self.days,
            "jobs": self.jobs.iter().map(|(phase, jobs)| (phase.as_str().to_owned(), json!(jobs))).collect::<serde_json::Map<_, _>>(),
            "queue": self.reasons.as_ref().map(|reasons| reasons.iter().map(reason).collect::<Vec<_>>()),
            "nodes": self.nodes.iter().map(node).collect::<Vec<_>>(),
            "away": self.away.iter()
                .map(|(executor, message)| json!({ "executor": executor, "message": message }))
                .collect::<Vec<_>>(),
            "ends": {
                "since": date(ends.since),
                "complete": ends.complete,
                "by_ending": ends.by_ending.iter()
                    .map(|(ending, jobs)| json!({ "ending": ending.as_str(), "jobs": jobs }))
                    .collect::<Vec<_>>(),
                "waiting": ends.waiting.map(|waiting| waiting.document()),
                "waiting_by_day": ends.waiting_by_day.iter().map(by_day).collect::<Vec<_>>(),
                "waiting_by_project": ends.waiting_by_project.iter()
                    .map(|(project, waiting)| named(json!(project), "project", waiting.document()))
                    .collect::<Vec<_>>(),
            },
            "users": self.users.iter().map(|(user, used)| named(json!(user), "user", usage(used))).collect::<Vec<_>>(),
            "projects": self.projects.iter()
                .map(|(project, used)| named(json!(project), "project", usage(used)))
                .collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ended: i64, waited: Option<i64>, ending: EndingKind) -> EndedRow {
        EndedRow {
            ended: Timestamp(ended),
            ending,
            started: waited.map(|waited| Timestamp(1_000 + waited * 1_000)),
            submitted: Timestamp(1_000),
            project: "rna".parse().unwrap(),
        }
    }

    #[test]
    fn waits_are_those_of_what_ran() {
        let mut rows: Vec<_> = (1..=10).rev().map(|n| row(n * 1_000_000, Some(n), EndingKind::Done)).collect();
        rows.push(row(5, None, EndingKind::Killed));
        let ends = ends(&rows, Timestamp(0));
        assert_eq!(ends.waiting, Some(Waiting { jobs: 10, median: 5.0, ninetieth: 9.0 }));
        assert_eq!(ends.by_ending, [(EndingKind::Done, 10), (EndingKind::Killed, 1)]);
        assert_eq!((ends.complete, ends.waiting_by_day.len(), ends.waiting_by_project.len()), (true, 1, 1));
        assert_eq!(super::ends(&[], Timestamp(7)).waiting, None);
    }
}
