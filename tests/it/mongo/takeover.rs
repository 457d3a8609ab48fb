//! A database of the original becomes ours.

use std::process::Command;

use godocker::domain::usage::Usage;
use godocker::domain::{Ending, JobId, JobState, Place, Rejection, Request, Standing, StopCause, UserKind};
use godocker::store::conformance::builders::{get, name};
use godocker::store::mongo::takeover::{Site, Taken, take_over};
use godocker::store::mongo::{Mode, MongoStore};
use godocker::store::{JobFilter, JobStore, Page, Store, StoreError};
use mongodb::bson::{Document, doc};

use super::fixtures::{LEFT, TODAY, written_by_the_original};
use super::{Database, in_both_modes};
use crate::support::{API_KEY, native};

async fn taken(database: &Database, mode: Mode) -> Taken {
    // The fixtures' day counts, whatever the clock says; the first days after the epoch do not.
    let site = Site { window: 20_000, executors: vec!["native".into()] };
    take_over(&database.server.url(), &database.name, Some(mode), &site).await.unwrap()
}

fn left(taken: &Taken) -> Vec<(&str, &str)> {
    let mut left: Vec<_> = taken.left.iter().map(|left| (left.collection, left.id.as_str())).collect();
    left.sort_unstable();
    left
}

async fn ending(store: &dyn Store, id: u64) -> Ending {
    get(store, JobId(id)).await.state.outcome().unwrap().ending
}

async fn jobs_are_ours(store: &dyn Store) {
    let pending = get(store, JobId(10)).await;
    assert!(matches!(pending.state, JobState::Pending { attempts: 0, .. }));
    assert_eq!((pending.owner.user.as_str(), pending.owner.project.as_str()), ("ann", "rna"));
    assert_eq!((pending.spec.name.as_str(), pending.spec.script.as_str()), ("blast", "#!/bin/bash\necho hello"));
    assert_eq!((pending.spec.retries, pending.spec.volumes.len(), pending.spec.dependencies.len()), (1, 1, 2));
    assert_eq!(pending.spec.max_lifespan.unwrap().as_secs(), 172_800);
    let suspended = get(store, JobId(11)).await;
    let JobState::Running { attempt, suspended: true, .. } = &suspended.state else { panic!("{suspended:?}") };
    assert_eq!((attempt.node.as_str(), attempt.executor.as_str()), ("node1", "native"));
    assert_eq!(get(store, JobId(12)).await.request, Some(Request::Kill(StopCause::User)));
    let parent = get(store, JobId(20)).await;
    assert_eq!(parent.place, Place::ArrayParent { children: 3, over: 1, failed: 1 });
    assert_eq!(get(store, JobId(22)).await.place, Place::ArrayChild { parent: JobId(20), index: 3 });
    assert_eq!(store.children(JobId(20), Page::ALL).await.unwrap().len(), 3);
    let endings = [
        (1, Ending::Done),
        (2, Ending::Done),
        (3, Ending::Killed),
        (4, Ending::Rejected(Rejection::Impossible)),
        (5, Ending::OutOfMemory),
        (23, Ending::Failed),
        (30, Ending::Done),
    ];
    for (id, expected) in endings {
        assert_eq!(ending(store, id).await, expected, "job {id}");
    }
    assert!(matches!(get(store, JobId(1)).await.state, JobState::Archived { .. }));
    let rows = store.pending(JobId(0), 100).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id.0).collect::<Vec<_>>(), [10, 22]);
}

/// Jobs 2, 3, 4, 5, 23 and 30 of one minute each; of the node, where there was one, 1,000 bytes each.
async fn use_is_counted_once(store: &dyn Store) {
    let day = TODAY.div_euclid(86_400);
    let days = store.user_usage(&name("ann"), 1).await.unwrap();
    assert_eq!(days.len(), 1);
    let expected = Usage { cpu: 12.0, ram: 24.0, gpu: 0.0, time: 360.0, jobs: 6 };
    assert_eq!((days[0].day, days[0].usage), (day, expected));
    assert_eq!(store.disk_use().await.unwrap(), [(name("ann"), 3_000)]);
}

async fn accounts_are_ours(store: &dyn Store, database: &Database) {
    let admin = store.user(&name("admin")).await.unwrap().unwrap();
    assert!(admin.admin && admin.password_hash.unwrap().starts_with("$2"));
    let ann = store.user(&name("ann")).await.unwrap().unwrap();
    assert_eq!((ann.uid, ann.groups, ann.kind), (1001, vec![27, 100], UserKind::Ldap));
    assert_eq!((ann.priority, ann.quotas.ram, ann.standing), (60, 12, Standing::Active));
    assert_eq!(ann.api_key_hash.unwrap().len(), 64);
    assert_eq!(store.user(&name("guest1")).await.unwrap().unwrap().standing, Standing::New);
    let stored = database.collection("users").find_one(doc! { "id": "ann" }).await.unwrap().unwrap();
    let credentials = stored.get_document("credentials").unwrap();
    assert!(!credentials.contains_key("apikey") && credentials.contains_key("private"), "{credentials}");
    let projects = store.projects_of(&name("ann")).await.unwrap();
    assert_eq!(projects.iter().map(|project| project.id.as_str()).collect::<Vec<_>>(), ["default", "rna"]);
    assert_eq!((projects[1].priority, projects[1].quotas.time, projects[1].volumes.len()), (70, 3_600, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_original_wrote_becomes_ours_once() {
    in_both_modes(async |mode| {
        let database = Database::new().await;
        written_by_the_original(&database).await;
        let refused = MongoStore::open_as(&database.server.url(), &database.name, Some(mode)).await.err().unwrap();
        assert!(matches!(refused, StoreError::NotTakenOver), "{refused}");

        let first = taken(&database, mode).await;
        let counts = (first.users, first.projects, first.pending, first.running, first.over);
        assert_eq!(counts, (3, 1, 2, 4, 7), "{first:?}");
        assert_eq!(left(&first), LEFT, "{first:?}");
        let again = taken(&database, mode).await;
        assert_eq!((left(&again), again.to_string()), (LEFT.to_vec(), Taken::default().to_string()));

        let store = database.store(mode).await;
        jobs_are_ours(&*store).await;
        use_is_counted_once(&*store).await;
        accounts_are_ours(&*store, &database).await;
        let new = store.submit(godocker::store::conformance::builders::a_job()).await.unwrap();
        assert!(new.id > JobId(40), "{} is above all numbers, understood or not", new.id);
        database.end().await;
    })
    .await;
}

/// Documents of another database that was taken over to the end, put where a takeover that was killed had come to.
async fn put_back(from: &Database, to: &Database, collection: &str, id: impl Into<mongodb::bson::Bson>) {
    let filter = doc! { "id": id };
    let done: Document = from.collection(collection).find_one(filter.clone()).await.unwrap().unwrap();
    let update = doc! { "$set": { "god": done.get_document("god").unwrap() } };
    to.collection(collection).update_one(filter, update).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_takeover_that_was_killed_goes_on() {
    in_both_modes(async |mode| {
        let (whole, cut) = (Database::new().await, Database::new().await);
        written_by_the_original(&whole).await;
        written_by_the_original(&cut).await;
        taken(&whole, mode).await;
        // Some accounts and jobs are done; of job 2 is written what it means, and nothing of that is done.
        put_back(&whole, &cut, "users", "ann").await;
        put_back(&whole, &cut, "jobs", 10).await;
        put_back(&whole, &cut, "jobsover", 2).await;
        for id in [2i64, 10] {
            let spec = whole.collection("god_specs").find_one(doc! { "_id": id }).await.unwrap().unwrap();
            cut.collection("god_specs").insert_one(spec).await.unwrap();
        }
        let day = TODAY.div_euclid(86_400);
        let charge = doc! {
            "user": "ann", "project": "rna", "image": "debian:stable", "day": day,
            "cpu": 2.0, "ram": 4.0, "gpus": 0.0, "seconds": 60.0,
        };
        let outbox = doc! { "key": "2:0", "at": 1i64, "charge": charge, "disk": 1_000i64 };
        let update = doc! { "$set": { "god.outbox": outbox } };
        cut.collection("jobsover").update_one(doc! { "id": 2 }, update).await.unwrap();

        let rest = taken(&cut, mode).await;
        assert_eq!((rest.users, rest.pending, rest.over, left(&rest)), (2, 1, 6, LEFT.to_vec()));
        let store = cut.store(mode).await;
        jobs_are_ours(&*store).await;
        use_is_counted_once(&*store).await;
        assert_eq!(store.count(&JobFilter { with_children: true, ..JobFilter::default() }).await.unwrap(), 13);
        whole.end().await;
        cut.end().await;
    })
    .await;
}

fn go_d(args: &[&str], database: &Database, dir: &std::path::Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_go-d"))
        .args(args)
        .env("GODOCKER_DATA_DIR", dir.join("data"))
        .env("GODOCKER_EXECUTORS", "native")
        .env("GODOCKER_MONGO_URL", database.server.url())
        .env("GODOCKER_MONGO_DB", &database.name)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &*String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

/// By the programs: init says what it did, and who had an API key and a job has them still.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_and_jobs_of_the_original_go_on_after_init() {
    let database = Database::new().await;
    written_by_the_original(&database).await;
    let dir = tempfile::tempdir().unwrap();
    let (started, said) = go_d(&["user", "list"], &database, dir.path());
    assert!(!started && said.contains("go-d scheduler init"), "{said}");
    let (ready, said) = go_d(&["scheduler", "init"], &database, dir.path());
    assert!(ready && said.contains("3 users, 1 projects, 2 pending, 4 running and 7 over jobs"), "{said}");
    assert!(said.contains("users bob: uid: expected") && !said.contains(API_KEY), "{said}");

    let server = native()
        .with("GODOCKER_MONGO_URL", &database.server.url())
        .with("GODOCKER_MONGO_DB", &database.name)
        .start()
        .await;
    let old = server.task(2).await;
    assert_eq!((&old["status"]["primary"], &old["user"]["id"]), (&"over".into(), &"ann".into()), "{old}");
    let id = server.submit(crate::support::job("exit 3")).await;
    assert_eq!(server.over(id).await["status"]["exitcode"], 3);
    let in_mongo = database.collection("jobsover").find_one(doc! { "id": id as i64 }).await.unwrap().unwrap();
    assert_eq!(in_mongo.get_document("status").unwrap().get_i32("exitcode").unwrap(), 3);
    // Job 11 ran in a container that nobody here knows.
    let gone = server.until(11, "is settled", |task| task["status"]["primary"] != "running").await;
    assert_ne!(gone["status"]["primary"], "running");
}
