//! What a user has used of what they may, and beside what others have used: quotas, disk, uploads, fair share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::Site;
use super::error::ApiError;
use super::jobs::blocking;
use super::view::number;
use crate::domain::usage::Usage;
use crate::domain::{Phase, Quotas, User, UserId};
use crate::store::{JobFilter, Page};

/// How long what all have used is good enough for a comparison.
const GOOD_FOR: Duration = Duration::from_secs(30);
/// Running jobs that are looked at: beyond so many, nobody compares them one by one.
const MOST_RUNNING: u64 = 500;

pub struct Allowance {
    /// Days of use that count.
    pub days: u32,
    /// By jobs that ended in those days, and by those that run.
    pub used: Usage,
    pub quotas: Quotas,
    pub disk: Room,
    /// `None` where the space cannot be looked at now.
    pub uploads: Option<Room>,
    pub share: Share,
}

/// Bytes; a quota of 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub used: u64,
    pub quota: u64,
}

/// Run time, beside that of everybody.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Seconds.
    pub mine: f64,
    pub all: f64,
    /// Who used anything at all.
    pub users: usize,
    pub priority: u8,
}

impl Share {
    /// `mine` is of now; what it was when the others were asked is not counted beside it.
    fn of(everybody: &RunTimes, user: &User, mine: f64) -> Share {
        let others = || everybody.iter().filter(|(id, time)| **id != user.id && **time > 0.0).map(|(_, time)| time);
        Share {
            mine,
            all: others().sum::<f64>() + mine,
            users: others().count() + usize::from(mine > 0.0),
            priority: user.priority,
        }
    }

    /// From 0 to 1; `None` where nothing was used.
    pub fn part(self) -> Option<f64> {
        (self.all > 0.0).then(|| (self.mine / self.all).clamp(0.0, 1.0))
    }

    /// What everybody would have if all had the same.
    pub fn even(self) -> f64 {
        1.0 / self.users.max(1) as f64
    }
}

/// What all have used, and until when that is good. Held while it is made, so that many readers ask once.
#[derive(Default)]
pub struct Kept(Mutex<Option<(Instant, Arc<RunTimes>)>>);

/// Seconds by user.
type RunTimes = BTreeMap<UserId, f64>;

/// # Errors
/// The store's.
pub async fn of(site: &Site, user: &User) -> Result<Allowance, ApiError> {
    let days = site.config.scheduler.usage_window_days;
    let from = site.clock.now().day() - i64::from(days) + 1;
    let ended = site.store.user_usage(&user.id, from).await?;
    let counted = match user.reset {
        Some(reset) => reset.applied_to(&ended),
        None => ended.iter().fold(Usage::default(), |sum, day| sum.plus(day.usage)),
    };
    let running = JobFilter {
        owner: Some(user.id.clone()),
        phases: vec![Phase::Starting, Phase::Running],
        with_children: true,
        ..JobFilter::default()
    };
    let running = site.store.list(&running, Page::first(MOST_RUNNING)).await?;
    let held = running.iter().filter(|job| !job.is_array_parent()).map(|job| Usage::of_one(&job.spec.resources));
    let everybody = everybody(site, from).await?;
    let defaults = site.config.defaults.quotas;
    let disk = site.store.disk_use_of(&user.id).await?;
    Ok(Allowance {
        days,
        used: held.fold(counted, Usage::plus),
        quotas: user.quotas,
        disk: Room { used: disk, quota: user.quotas.disk_with(defaults) },
        uploads: uploads(site, user).await,
        share: Share::of(&everybody, user, counted.time),
    })
}

async fn uploads(site: &Site, user: &User) -> Option<Room> {
    let space = site.files.uploads().open(user).await.ok()?;
    blocking(move || space.used().map(|used| Room { used, quota: space.quota() })).await.ok()
}

async fn everybody(site: &Site, from: i64) -> Result<Arc<RunTimes>, ApiError> {
    let mut kept = site.shares.0.lock().await;
    if let Some((until, made)) = &*kept
        && Instant::now() < *until
    {
        return Ok(Arc::clone(made));
    }
    let mut sums = BTreeMap::new();
    for (user, _, usage) in site.store.usage_by_pair(from).await? {
        *sums.entry(user).or_default() += usage.time;
    }
    let made = Arc::new(sums);
    *kept = Some((Instant::now() + GOOD_FOR, Arc::clone(&made)));
    Ok(made)
}

impl Allowance {
    /// As the API shows it. What has no quota has null in its place.
    pub fn document(&self) -> Value {
        let of = |used: f64, quota: u64| json!({ "used": number(used), "quota": (quota > 0).then_some(quota) });
        let room = |room: Room| of(room.used as f64, room.quota);
        json!({
            "days": self.days,
            "time": of(self.used.time.round(), self.quotas.time),
            "cpu": of(self.used.cpu, self.quotas.cpu),
            "ram": of(self.used.ram, self.quotas.ram),
            "gpu": of(self.used.gpu, self.quotas.gpu),
            "disk": room(self.disk),
            "upload": self.uploads.map(room),
            "share": {
                "mine": number(self.share.mine.round()), "all": number(self.share.all.round()),
                "users": self.share.users, "prio": self.share.priority,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_part_of_what_there_is() {
        let share = |mine, all, users| Share { mine, all, users, priority: 50 };
        assert_eq!((share(1.0, 4.0, 2).part(), share(1.0, 4.0, 2).even()), (Some(0.25), 0.5));
        assert_eq!((share(0.0, 0.0, 0).part(), share(0.0, 0.0, 0).even()), (None, 1.0));
    }

    #[test]
    fn what_others_have_used_is_older_than_what_this_one_has() {
        let ann = crate::store::sqlite::testing::a_user("ann");
        let everybody = BTreeMap::from([(ann.id.clone(), 1.0), ("bob".parse().unwrap(), 6.0)]);
        let share = Share::of(&everybody, &ann, 2.0);
        assert_eq!((share.mine, share.all, share.users), (2.0, 8.0, 2));
        assert_eq!(Share::of(&BTreeMap::new(), &ann, 2.0).part(), Some(1.0));
    }
}
