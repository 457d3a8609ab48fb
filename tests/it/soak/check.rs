//! What must be true in the end, by the store and by what the jobs wrote.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::time::{Duration, Instant};

use godocker::domain::usage::Usage;
use godocker::domain::{Ending, Job, JobState, Phase, Place as ArrayPlace, ProjectId, UserId};
use godocker::files::JobDirs;
use godocker::store::{JobFilter, Page, Store};

use super::load::{Kind, Submitted};
use super::place::{NOT_OURS, Place};

pub struct Summary {
    jobs: usize,
    by_kind: HashMap<Kind, usize>,
    endings: BTreeMap<&'static str, usize>,
    archived: usize,
    attempts: u32,
    latencies: Vec<Duration>,
}

impl Summary {
    pub fn of(&self, kind: Kind) -> usize {
        self.by_kind.get(&kind).copied().unwrap_or(0)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |part: f64| self.latencies[((self.latencies.len() - 1) as f64 * part) as usize].as_secs_f64();
        write!(
            f,
            "{} jobs, each ended once and as it had to: {:?}; {} archived; {} launches beyond the first; submit to end: \
             median {:.1} s, 99 % within {:.1} s; ledger, disk use, images and arrays equal their recount; nothing left over",
            self.jobs,
            self.endings,
            self.archived,
            self.attempts,
            at(0.5),
            at(0.99)
        )
    }
}

async fn count(store: &dyn Store, phases: &[Phase]) -> u64 {
    let filter = JobFilter { phases: phases.to_vec(), with_children: true, ..JobFilter::default() };
    store.count(&filter).await.unwrap()
}

pub async fn until_all_is_over(place: &Place, within: Duration) {
    let store = place.store().await;
    let deadline = Instant::now() + within;
    loop {
        let left = count(&*store, &Phase::ACTIVE).await;
        let asked = JobFilter { requested: true, with_children: true, ..JobFilter::default() };
        let asked = store.list(&asked, Page::ALL).await.unwrap();
        if left == 0 && asked.is_empty() {
            return;
        }
        if Instant::now() > deadline {
            let filter = JobFilter { phases: Phase::ACTIVE.to_vec(), with_children: true, ..JobFilter::default() };
            let jobs = store.list(&filter, Page::first(20)).await.unwrap();
            let states: Vec<_> = jobs.iter().chain(&asked).map(|job| (job.id, &job.state, job.request)).collect();
            panic!("{left} jobs are not over: {states:#?}\n{}", place.cluster.logs());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// An attempt whose end is stored while its engine is away is removed by the next recovery that reaches it.
pub async fn until_no_attempt_is_left(place: &Place, within: Duration) {
    let deadline = Instant::now() + within;
    while (place.containers(), place.native_records()) != (only_not_ours(), Vec::new()) && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn only_not_ours() -> String {
    format!("{NOT_OURS} running")
}

pub async fn until_the_bus_is_empty(place: &Place) {
    for role in ["scheduler", "executor", "watcher", "archiver", "notifier"] {
        let key = format!("god:bus:{role}");
        crate::support::cluster::until(&format!("{key} is empty"), || {
            (place.cluster.redis.command::<u64>(&format!("XLEN {key}")) == 0).then_some(())
        })
        .await;
        let aside: u64 = place.cluster.redis.command(&format!("XLEN {key}:aside"));
        assert_eq!(aside, 0, "nothing was set aside");
    }
}

/// What the processes said of a job and its attempts.
fn told_of(logs: &str, job: &Job) -> String {
    let (end, inside, attempts) = (format!("job={}", job.id), format!("job={} ", job.id), format!("-{}-", job.id));
    let of_it = |line: &&str| line.ends_with(&end) || line.contains(&inside) || line.contains(&attempts);
    logs.lines().filter(of_it).collect::<Vec<_>>().join("\n")
}

/// `taken`: jobs of which an attempt was taken away.
pub async fn everything(place: &Place, submitted: &Submitted, taken: &[u64]) -> Summary {
    let store = place.store().await;
    let filter = JobFilter { with_children: true, ..JobFilter::default() };
    let jobs = store.list(&filter, Page::ALL).await.unwrap();
    let known: HashSet<u64> = jobs.iter().map(|job| job.id.0).collect();
    assert_eq!(known.len(), jobs.len(), "no id is there twice");
    let lost: Vec<_> = submitted.accepted.iter().filter(|id| !known.contains(id)).collect();
    assert!(lost.is_empty(), "accepted and not there: {lost:?}");
    let files = JobDirs::new(place.shared_dir());
    let logs = place.cluster.logs();
    let mut wrong = Vec::new();
    for job in &jobs {
        // What is removed by force is killed first, and the engine may say so rather than that it is gone.
        let was_killed = job.state.outcome().is_some_and(|outcome| outcome.exit_code == Some(137));
        let faults = if taken.contains(&job.id.0) && was_killed { Vec::new() } else { faults_of(job, &files) };
        if !faults.is_empty() {
            println!("soak: what the processes said of job {}:\n{}", job.id, told_of(&logs, job));
            wrong.extend(faults);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}\n{logs}");
    ledger_equals_its_recount(&*store, &jobs).await;
    disk_use_equals_its_recount(&*store, &jobs).await;
    arrays_equal_their_recount(&jobs);
    assert_eq!(place.containers(), only_not_ours(), "a container is left over, or another's is not");
    assert_eq!(place.native_records(), [""; 0], "an attempt is left over");
    let lease: Option<String> = place.cluster.redis.command("GET god:lease");
    assert_eq!(lease, None, "a lease is left over");
    summary(&jobs)
}

/// What is not as the job's kind says, a sentence each.
fn faults_of(job: &Job, files: &JobDirs) -> Vec<String> {
    let kind = Kind::of(&job.spec.name);
    let mut wrong = Vec::new();
    let mut expect = |holds: bool, what: String| {
        if !holds {
            wrong.push(format!("job {} ({}): {what}", job.id, job.spec.name));
        }
    };
    let Some(outcome) = job.state.outcome() else {
        return vec![format!("job {} has not ended: {:?}", job.id, job.state)];
    };
    let (ending, code) = match kind {
        Kind::Killed => (Ending::Killed, Some(137)),
        Kind::Badly => (Ending::Failed, Some(3)),
        Kind::Well | Kind::Array | Kind::After | Kind::Retried => (Ending::Done, Some(0)),
    };
    expect((outcome.ending, outcome.exit_code) == (ending, code), format!("it ended as {outcome:?}"));
    expect(job.request.is_none(), format!("{:?} is still asked of it", job.request));
    if job.is_array_parent() || matches!(job.state, JobState::Archived { .. }) {
        let there = files.directory_of(job.id).exists();
        expect(!there || job.is_array_parent(), "its files are still there".into());
        return wrong;
    }
    let said = std::fs::read_to_string(files.directory_of(job.id).join("runs")).unwrap_or_default();
    let (begun, ended) = (said.matches("begun").count(), said.matches("ended").count());
    let launches = outcome.attempt.as_ref().map_or(0, |attempt| attempt.number as usize);
    let allowed = if kind == Kind::Retried { launches } else { 1 };
    expect(begun <= allowed, format!("it ran {begun} times, in {launches} launches"));
    // One that is launched again may have been lost between its last word and its end.
    let came_to_its_end = begun >= 1 && (1..=allowed).contains(&ended);
    expect(kind == Kind::Killed || came_to_its_end, format!("it says {said:?}"));
    expect(kind != Kind::Killed || ended == 0, "it was killed, and ended by itself".into());
    wrong
}

async fn ledger_equals_its_recount(store: &dyn Store, jobs: &[Job]) {
    let mut recount: BTreeMap<(UserId, ProjectId), Usage> = BTreeMap::new();
    let mut images: HashSet<String> = HashSet::new();
    for job in jobs.iter().filter(|job| !job.is_array_parent()) {
        let Some(outcome) = job.state.outcome() else { continue };
        let Some(started) = outcome.started else { continue };
        let one = Usage { time: outcome.ended.since(started).as_secs_f64(), ..Usage::of_one(&job.spec.resources) };
        let sum = recount.entry((job.owner.user.clone(), job.owner.project.clone())).or_default();
        *sum = sum.plus(one);
        images.insert(job.spec.image.clone());
    }
    let ledger = store.usage_by_pair(0).await.unwrap();
    assert_eq!(ledger.len(), recount.len());
    let near = |a: f64, b: f64| (a - b).abs() < 1e-6 * (1.0 + a.abs());
    for (user, project, usage) in ledger {
        let counted = recount[&(user.clone(), project.clone())];
        let same = usage.jobs == counted.jobs
            && near(usage.cpu, counted.cpu)
            && near(usage.ram, counted.ram)
            && near(usage.time, counted.time);
        assert!(same, "{user} in {project}: the ledger has {usage:?}, a recount {counted:?}");
    }
    let stored: HashSet<String> = store.images(100).await.unwrap().into_iter().collect();
    assert_eq!(stored, images);
}

async fn disk_use_equals_its_recount(store: &dyn Store, jobs: &[Job]) {
    let mut recount: BTreeMap<UserId, u64> = BTreeMap::new();
    for job in jobs {
        if let JobState::Over(outcome) = &job.state {
            *recount.entry(job.owner.user.clone()).or_default() += outcome.disk_bytes;
        }
    }
    recount.retain(|_, bytes| *bytes > 0);
    let mut stored: BTreeMap<UserId, u64> = store.disk_use().await.unwrap().into_iter().collect();
    stored.retain(|_, bytes| *bytes > 0);
    assert_eq!(stored, recount);
}

fn arrays_equal_their_recount(jobs: &[Job]) {
    for parent in jobs {
        let ArrayPlace::ArrayParent { children, over, failed } = parent.place else { continue };
        let own: Vec<_> = jobs.iter().filter(|job| job.parent() == Some(parent.id)).collect();
        let badly = |job: &&&Job| job.state.outcome().is_some_and(|outcome| !outcome.ending.is_ok());
        let counted = (own.len() as u32, own.len() as u32, own.iter().filter(badly).count() as u32);
        assert_eq!((children, over, failed), counted, "array {}", parent.id);
    }
}

fn summary(jobs: &[Job]) -> Summary {
    let mut by_kind = HashMap::new();
    let mut endings = BTreeMap::new();
    let mut latencies = Vec::new();
    for job in jobs {
        *by_kind.entry(Kind::of(&job.spec.name)).or_insert(0) += 1;
        let Some(outcome) = job.state.outcome() else { continue };
        *endings.entry(outcome.ending.as_str()).or_insert(0) += 1;
        latencies.push(outcome.ended.since(job.submitted));
    }
    latencies.sort();
    let attempts = jobs.iter().filter_map(|job| job.state.attempt()).map(|attempt| attempt.number - 1).sum();
    let archived = jobs.iter().filter(|job| job.state.phase() == Phase::Archived).count();
    Summary { jobs: jobs.len(), by_kind, endings, archived, attempts, latencies }
}
