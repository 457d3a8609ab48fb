//! Pages of a million finished jobs.

use std::time::Instant;

use godocker::domain::{
    Attempt, Cores, Ending, EndingKind, JobSpec, JobState, Memory, Outcome, Owner, Phase, Resources, Timestamp,
};
use godocker::store::search::{JobSearch, SortBy, Span, Start, words};
use godocker::store::sqlite::SqliteStore;
use godocker::store::{Change, JobFilter, JobOrder, JobStore, NewJob, Page};

use crate::{millis, row};

const JOBS: usize = 1_000_000;
const BATCH: usize = 20_000;

pub fn new_job(user: usize) -> NewJob {
    let spec = JobSpec {
        name: "finished".into(),
        description: String::new(),
        tags: Vec::new(),
        image: "debian:stable".into(),
        script: "#!/bin/sh\ntrue\n".into(),
        resources: Resources { cpu: Cores::whole(1), ram: Memory::gb(1), gpus: 0 },
        array: None,
        dependencies: Vec::new(),
        labels: Vec::new(),
        ports: Vec::new(),
        retries: 0,
        executor: None,
        max_lifespan: None,
        volumes: Vec::new(),
        network: true,
        root: false,
        notify_email: false,
        tmp_storage: None,
    };
    let owner = Owner {
        user: format!("user{user}").parse().expect("an id"),
        project: "default".parse().expect("an id"),
        uid: 1000,
        gid: 1000,
        groups: Vec::new(),
        email: None,
    };
    NewJob { owner, spec, submitted: Timestamp(0) }
}

pub fn over(at: i64) -> JobState {
    JobState::Over(Outcome {
        ending: Ending::Done,
        exit_code: Some(0),
        started: Some(Timestamp(at - 1)),
        ended: Timestamp(at),
        attempt: Some(Attempt {
            number: 1,
            executor: "native".into(),
            node: "n".into(),
            container: None,
            digest: None,
            ports: vec![],
        }),
        disk_bytes: 0,
        reason: None,
    })
}

pub async fn first_page_of_a_million() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(&dir.path().join("bench.db")).expect("a database");
    for batch in 0..JOBS / BATCH {
        let inserts = (0..BATCH).map(|n| store.submit(new_job((batch * BATCH + n) % 100)));
        let submitted = futures::future::try_join_all(inserts).await.expect("they are stored");
        let changes = submitted.iter().map(|submitted| Change {
            id: submitted.id,
            expect: 1,
            state: over(submitted.id.0 as i64 * 10),
            request: None,
            failed_nodes: Vec::new(),
            charge: None,
        });
        store.commit(changes.collect()).await.expect("they are stored");
    }
    for (what, owner) in [("of all users", None), ("of one user", Some("user7".parse().expect("an id")))] {
        let filter = JobFilter {
            owner,
            phases: vec![Phase::Over, Phase::Archived],
            order: JobOrder::EndedDescending,
            ..JobFilter::default()
        };
        let mut times = Vec::new();
        for _ in 0..300 {
            let begun = Instant::now();
            assert_eq!(store.list(&filter, Page::first(50)).await.expect("a page").len(), 50);
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        row(&format!("first page of 1,000,000 over, {what}, 99th percentile"), millis(times[296]), "≤ 20 ms", "");
    }
    narrowed(&store).await;
}

/// Pages of searches, those among them that find nothing however far they go.
async fn narrowed(store: &SqliteStore) {
    let all = JobSearch::default;
    let user = || JobSearch { owner: Some("user7".parse().expect("an id")), ..all() };
    let other: godocker::domain::ProjectId = "rna".parse().expect("an id");
    let half = Span { from: Some(Timestamp(0)), until: Some(Timestamp(JOBS as i64 * 5)) };
    for (what, search, expected) in [
        ("by words of the name", JobSearch { words: words("finished"), ..all() }, 50),
        ("by words of the name, of one user", JobSearch { words: words("finished"), ..user() }, 50),
        ("failed ones, of which there are none", JobSearch { endings: vec![EndingKind::Failed], ..all() }, 0),
        ("of a project that has none, of one user", JobSearch { project: Some(other), ..user() }, 0),
        ("by run time, of all users", JobSearch { sort: SortBy::RunTime, ..all() }, 50),
        ("that ended in the first half, by run time", JobSearch { sort: SortBy::RunTime, ended: half, ..all() }, 0),
        ("with a tag that none has, by end", JobSearch { sort: SortBy::Ended, tag: Some("x".into()), ..all() }, 0),
    ] {
        let mut times = Vec::new();
        for _ in 0..300 {
            let begun = Instant::now();
            let found = store.search(&search, Start::First, 50).await.expect("a page");
            assert_eq!(found.jobs.len(), expected, "{what}");
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        row(&format!("page of 1,000,000 over, {what}, 99th percentile"), millis(times[296]), "≤ 20 ms", "");
    }
}
