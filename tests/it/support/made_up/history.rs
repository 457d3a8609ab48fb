//! Four months of jobs that have ended.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use godocker::domain::{
    ArraySpec, Attempt, Cores, Ending, Job, JobId, JobSpec, JobState, KnownEnd, Memory, Outcome, Owner, Place, Reading,
    Rejection, Resources, Samples, Timestamp, Transition,
};
use godocker::files::JobDirs;
use godocker::store::sqlite::SqliteStore;
use godocker::store::{Applied, AttemptSamples, Change, Charge, JobStore, NewJob, SampleStore, UserStore};

use super::people::DAY;
use super::{Named, files};

/// How many jobs end in those months, beside those that have names.
const JOBS: u64 = 1_000;
const DAYS: u64 = 120;

/// What people run: name, image, script, cores, GB, minutes, tags.
type Kind = (&'static str, &'static str, &'static str, u32, u64, u64, &'static [&'static str]);
const KINDS: [Kind; 7] = [
    ("blast-nr", "ncbi/blast:2.16.0", "blastp -query in.fa -db nr -num_threads 4", 4, 8, 95, &["blast", "rna"]),
    ("align-reads", "biocontainers/bwa:0.7.17", "bwa mem ref.fa reads.fq > out.sam", 8, 16, 140, &["rna"]),
    ("fastqc", "biocontainers/fastqc:0.12.1", "fastqc reads.fq", 1, 2, 6, &["quality"]),
    ("fit-model", "r-base:4.4.1", "Rscript fit.R", 2, 6, 30, &["model"]),
    ("downscale", "climate/cdo:2.4.0", "cdo remapbil,grid in.nc out.nc", 4, 12, 75, &["climate"]),
    ("segment-cells", "imaging/cellpose:3.0", "cellpose --dir images", 2, 10, 45, &["images"]),
    ("count-k-mers", "debian:stable", "sort -u kmers.txt | wc -l", 1, 1, 3, &[]),
];

/// Who runs how much of it.
const PEOPLE: [(&str, u32, &str); 8] = [
    ("ann", 7001, "rna"),
    ("ann", 7001, "default"),
    ("ann", 7001, "climate"),
    ("bob", 7002, "rna"),
    ("bob", 7002, "imaging"),
    ("carla", 7003, "climate"),
    ("dmitri", 7004, "default"),
    ("guest-finn", 5, "rna"),
];

/// Numbers that look drawn, and are the same each time (Steele, Lea and Flood's splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn ending(&mut self) -> Ending {
        match self.below(100) {
            0..86 => Ending::Done,
            86..92 => Ending::Failed,
            92..95 => Ending::Killed,
            95..97 => Ending::OutOfMemory,
            97 => Ending::TimeLimit,
            98 => Ending::NodeFailure,
            _ => Ending::Rejected(Rejection::Dependency),
        }
    }
}

/// A job of the past and what became of it.
struct Past {
    job: NewJob,
    ending: Ending,
    started: Timestamp,
    ended: Timestamp,
    node: &'static str,
    disk: u64,
}

pub async fn write(store: &Arc<SqliteStore>, shared: &Path, now: Timestamp, named: &mut Named) {
    let mut dice = Dice(6);
    let mut past: Vec<_> = (0..JOBS).map(|_| drawn(&mut dice, now)).collect();
    past.sort_by_key(|past| past.job.submitted);
    let ids = run(store, &past).await;
    // What is old is archived, as the site's cleaning does.
    let old: Vec<_> = ids.into_iter().zip(&past).filter(|(_, past)| past.ended < now.minus(DAY * 30)).collect();
    let old: Vec<_> = old.into_iter().map(|(id, _)| id).collect();
    advance(store, &old, |_| Transition::Archive { at: now.minus(DAY) }).await;
    with_names(store, shared, now, named).await;
    array(store, now, named).await;
    upload(store, shared).await;
}

fn drawn(dice: &mut Dice, now: Timestamp) -> Past {
    let kind = KINDS[dice.below(KINDS.len() as u64) as usize];
    let (user, uid, project) = PEOPLE[dice.below(PEOPLE.len() as u64) as usize];
    // Fewer at night, and fewer the longer ago.
    let ago = dice.below(DAYS).min(dice.below(DAYS)) * 86_400 + 14_400 + dice.below(36_000);
    let ended = now.minus(Duration::from_secs(ago));
    let minutes = kind.5 * (40 + dice.below(120)) / 100 + 1;
    let started = ended.minus(Duration::from_secs(minutes * 60 + dice.below(60)));
    let submitted = started.minus(Duration::from_secs(5 + dice.below(dice_wait(kind.3))));
    Past {
        job: NewJob { owner: owner(user, uid, project), spec: spec(kind), submitted },
        ending: dice.ending(),
        started,
        ended,
        node: ["node-1", "node-2", "node-3"][dice.below(3) as usize],
        disk: dice.below(40_000_000),
    }
}

/// The more cores, the longer a job waits: the most seconds.
fn dice_wait(cores: u32) -> u64 {
    u64::from(cores) * 900
}

fn owner(user: &str, uid: u32, project: &str) -> Owner {
    Owner { user: user.parse().unwrap(), project: project.parse().unwrap(), uid, gid: uid, groups: vec![], email: None }
}

fn spec((name, image, script, cpu, ram, _, tags): Kind) -> JobSpec {
    JobSpec {
        name: name.into(),
        description: String::new(),
        tags: tags.iter().map(ToString::to_string).collect(),
        image: image.into(),
        script: format!("#!/bin/sh\nset -e\n{script}\n"),
        resources: Resources { cpu: Cores::whole(cpu), ram: Memory::gb(ram), gpus: 0 },
        array: None,
        dependencies: vec![],
        labels: vec![],
        ports: vec![],
        retries: 0,
        executor: None,
        max_lifespan: None,
        volumes: vec![],
        network: true,
        root: false,
        notify_email: false,
        tmp_storage: None,
    }
}

/// Submits and ends them all, in their order.
async fn run(store: &Arc<SqliteStore>, past: &[Past]) -> Vec<JobId> {
    let submitted = stream::iter(past.iter().map(|past| store.submit(past.job.clone()))).buffered(64);
    let ids: Vec<_> = submitted.map(|submitted| submitted.unwrap().id).collect().await;
    let of = |job: &Job| &past[ids.iter().position(|id| *id == job.id).unwrap()];
    let ran: Vec<_> = ids.iter().zip(past).filter(|(_, past)| !matches!(past.ending, Ending::Rejected(_))).collect();
    let ran: Vec<_> = ran.into_iter().map(|(id, _)| *id).collect();
    advance(store, &ran, |job| Transition::Start { attempt: attempt(of(job).node), at: of(job).started }).await;
    advance(store, &ran, |job| Transition::Launched { attempt: attempt(of(job).node), at: of(job).started }).await;
    advance(store, &ids, |job| Transition::End(outcome(job, of(job)))).await;
    ids
}

fn attempt(node: &str) -> Attempt {
    Attempt {
        number: 1,
        executor: "docker".into(),
        node: node.into(),
        container: Some("3f9c1a7be2d0".into()),
        digest: Some(DIGEST.into()),
        ports: vec![],
    }
}

fn outcome(job: &Job, past: &Past) -> Outcome {
    let (exit_code, reason) = match past.ending {
        Ending::Done => (Some(0), None),
        Ending::Failed => (Some(1), None),
        Ending::Killed | Ending::TimeLimit | Ending::OutOfMemory => (Some(137), None),
        Ending::NodeFailure => (None, Some(KnownEnd::NodeFailed.into())),
        Ending::Rejected(_) => (None, None),
    };
    Outcome {
        ending: past.ending,
        exit_code,
        started: job.state.started(),
        ended: past.ended,
        attempt: job.state.attempt().cloned(),
        disk_bytes: if job.state.started().is_some() { past.disk } else { 0 },
        reason,
    }
}

/// Moves jobs on; one that ends after it ran is charged, as the watcher would.
async fn advance(store: &Arc<SqliteStore>, ids: &[JobId], transition: impl Fn(&Job) -> Transition) {
    for ids in ids.chunks(500) {
        let jobs = store.jobs(ids).await.unwrap();
        let changes = jobs.iter().map(|job| {
            let state = job.state.next(transition(job)).unwrap();
            let charge = matches!(job.state, JobState::Running { .. }).then(|| charge(job, &state)).flatten();
            Change { id: job.id, expect: job.revision, state, request: None, failed_nodes: vec![], charge }
        });
        let applied = store.commit(changes.collect()).await.unwrap();
        assert!(applied.iter().all(|applied| matches!(applied, Applied::Done { .. })));
    }
}

fn charge(job: &Job, state: &JobState) -> Option<Charge> {
    let outcome = state.outcome()?;
    let resources = job.spec.resources;
    Some(Charge {
        user: job.owner.user.clone(),
        project: job.owner.project.clone(),
        image: job.spec.image.clone(),
        day: outcome.ended.day(),
        cpu: resources.cpu.as_f64(),
        ram: resources.ram.as_gb(),
        gpus: 0.0,
        seconds: outcome.ended.since(outcome.started?).as_secs_f64(),
    })
}

/// One job of ann's for each way to end, some with files.
async fn with_names(store: &Arc<SqliteStore>, shared: &Path, now: Timestamp, named: &mut Named) {
    let names = [
        ("archived", Ending::Done, 0),
        ("node-failure", Ending::NodeFailure, 3),
        ("time-limit", Ending::TimeLimit, 1),
        ("out-of-memory", Ending::OutOfMemory, 3),
        ("killed", Ending::Killed, 4),
        ("rejected", Ending::Rejected(Rejection::Dependency), 0),
        ("failed", Ending::Failed, 1),
        ("done", Ending::Done, 0),
    ];
    let past: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(i, (_, ending, kind))| {
            let ended = now.minus(Duration::from_secs(12_600 - i as u64 * 1_500));
            let started = ended.minus(Duration::from_secs(61 * (i as u64 + 3)));
            let job = NewJob {
                owner: owner("ann", 7001, "rna"),
                spec: spec(KINDS[*kind]),
                submitted: started.minus(Duration::from_secs(9)),
            };
            Past { job, ending: *ending, started, ended, node: "node-2", disk: 1_300_000 }
        })
        .collect();
    let ids = run(store, &past).await;
    advance(store, &ids[..1], |_| Transition::Archive { at: now }).await;
    let dirs = JobDirs::new(shared.to_owned());
    for ((name, ..), id) in names.iter().zip(&ids) {
        named.call(name, id.0);
        let job = store.job(*id).await.unwrap().unwrap();
        if job.state.started().is_some() && matches!(job.state, JobState::Over(_)) {
            files::write(&dirs, &job, name).await;
            store.put_samples(vec![samples(&job)]).await.unwrap();
            let disk_bytes = dirs.settle(&job).await.unwrap();
            advance(store, &[*id], |_| Transition::Measured { disk_bytes }).await;
        }
    }
}

/// What it used, every five seconds: one core while it reads, then nearly all it asked for, and ever more memory.
fn samples(job: &Job) -> AttemptSamples {
    let (began, ended) = (job.state.started().unwrap(), job.state.outcome().unwrap().ended);
    let (asked, span) = (job.spec.resources, ended.since(began).as_secs());
    let mut samples = Samples::since(began);
    let mut cpu = 0.0;
    for second in (5..=span).step_by(5) {
        let done = second as f64 / span as f64;
        let wave = 1.0 - 0.15 * (second as f64 / 17.0).sin().abs();
        cpu += 5.0 * if done < 0.2 { 1.0 } else { asked.cpu.as_f64() * 0.95 * wave };
        let memory = asked.ram.bytes() as f64 * (0.1 + 0.55 * done.sqrt());
        let at = began.plus(Duration::from_secs(second));
        samples.add(&Reading { at, cpu: Duration::from_secs_f64(cpu), memory: memory as u64 });
    }
    AttemptSamples { job: job.id, attempt: 1, samples }
}

/// An array of which two children failed.
async fn array(store: &Arc<SqliteStore>, now: Timestamp, named: &mut Named) {
    let mut spec = spec(KINDS[2]);
    spec.array = Some(ArraySpec { first: 1, last: 24, step: 1, throttle: Some(8) });
    let began = now.minus(Duration::from_secs(7_200));
    let job = NewJob { owner: owner("ann", 7001, "rna"), spec, submitted: began };
    let submitted = store.submit(job).await.unwrap();
    named.call("array-over", submitted.id.0);
    let ids: Vec<_> = (1..=u64::from(submitted.children)).map(|child| JobId(submitted.id.0 + child)).collect();
    let index = |job: &Job| match job.place {
        Place::ArrayChild { index, .. } => index,
        Place::Single | Place::ArrayParent { .. } => unreachable!("only children are asked about"),
    };
    let at = |seconds: u64| began.plus(Duration::from_secs(seconds));
    advance(store, &ids, |job| Transition::Start { attempt: attempt("node-1"), at: at(index(job) * 20) }).await;
    advance(store, &ids, |job| Transition::Launched { attempt: attempt("node-1"), at: at(index(job) * 20) }).await;
    advance(store, &ids, |job| {
        let ending = if index(job) % 11 == 0 { Ending::Failed } else { Ending::Done };
        let started = job.state.started().unwrap();
        let past = Past {
            job: NewJob { owner: job.owner.clone(), spec: (*job.spec).clone(), submitted: job.submitted },
            ending,
            started,
            ended: started.plus(Duration::from_secs(100 + index(job) % 7)),
            node: "node-1",
            disk: 21_000,
        };
        Transition::End(outcome(job, &past))
    })
    .await;
}

/// Ann's upload space.
async fn upload(store: &Arc<SqliteStore>, shared: &Path) {
    let ann = store.user(&"ann".parse().unwrap()).await.unwrap().unwrap();
    files::upload(shared, &ann).await;
}

/// As an engine tells it of an image that came from a registry.
const DIGEST: &str = "debian@sha256:6c0c6a1f2d7e8b9a5f4e3d2c1b0a99887766554433221100ffeeddccbbaa9988";
