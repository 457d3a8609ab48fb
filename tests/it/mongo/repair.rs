//! A server without transactions: what a process left that died between any two writes is gone on with, once.

use std::sync::Arc;

use godocker::domain::{AuditEntry, Ending, JobId, JobState, Place, Timestamp, User, UserKind};
use godocker::store::conformance::builders::{a_job, charge, commit, end, get, name, outcome, run_now, submit};
use godocker::store::mongo::{Mode, MongoStore};
use godocker::store::{
    AccountChange, Applied, AuditFilter, Changed, JobStore, LedgerStore, NewJob, SettingStore, UserStore,
};
use mongodb::bson::{Bson, Document, doc, oid::ObjectId, serialize_to_bson};
use serde_json::{Value, json};

use super::Database;

const DAY: i64 = 20_000;
const CHILD: JobId = JobId(2);
const PARENT: JobId = JobId(1);

async fn standalone() -> (Database, Arc<MongoStore>) {
    let database = Database::new().await;
    let store = database.store(Mode::Standalone).await;
    (database, store)
}

fn of(id: JobId) -> Document {
    doc! { "god.id": id.0 as i64 }
}

/// An array of one, whose child runs.
fn an_array() -> NewJob {
    let mut job = a_job();
    job.spec.array = Some(godocker::domain::ArraySpec { first: 1, last: 1, step: 1, throttle: None });
    job
}

async fn running_child(store: &MongoStore) {
    assert_eq!(submit(store, an_array()).await, PARENT);
    run_now(store, CHILD, 2_000).await;
}

/// As the compare-and-set that ends the child leaves it.
async fn end_counts(database: &Database, store: &MongoStore) -> String {
    let job = get(store, CHILD).await;
    let used = charge(&job, DAY);
    let key = format!("{CHILD}:{}", job.revision);
    let outbox = doc! {
        "key": &key, "at": 1i64, "disk": 12i64, "parent": { "ended": { "ok": true, "at": 3_000i64 } },
        "charge": {
            "user": used.user.as_str(), "project": used.project.as_str(), "image": used.image, "day": DAY,
            "cpu": used.cpu, "ram": used.ram, "gpus": used.gpus, "seconds": used.seconds,
        },
    };
    let state = serialize_to_bson(&JobState::Over(outcome(Ending::Done, 3_000))).unwrap();
    let set = doc! { "god.phase": 3, "god.state": state, "god.ended": 3_000i64, "god.outbox": outbox };
    let update = doc! { "$set": set, "$inc": { "god.rev": 1i64 } };
    database.collection("jobs").update_one(of(CHILD), update).await.unwrap();
    key
}

/// The same end, to its end, in a database of its own.
async fn ended_whole() -> Database {
    let (database, store) = standalone().await;
    running_child(&store).await;
    let job = get(&*store, CHILD).await;
    let mut ended = end(&job, Ending::Done, 3_000);
    ended.charge = Some(charge(&job, DAY));
    assert_eq!(commit(&*store, ended).await, Applied::Done { revision: job.revision + 1, parent_over: Some(PARENT) });
    database
}

async fn copy(from: &Database, to: &Database, collection: &str, filter: Document) {
    let document = from.collection(collection).find_one(filter).await.unwrap().unwrap();
    to.collection(collection).insert_one(document).await.unwrap();
}

/// What comes after the compare-and-set, in its order. Each is a place to die behind.
async fn step(n: usize, whole: &Database, database: &Database, key: &str) {
    let jobs = database.collection("jobs");
    match n {
        0 => copy(whole, database, "god_ledger", doc! {}).await,
        1 => copy(whole, database, "god_images", doc! {}).await,
        2 => copy(whole, database, "god_disk", doc! {}).await,
        3 => {
            let counted = doc! { "$inc": { "god.counts.over": 1, "god.rev": 1i64 }, "$push": { "god.applied": key } };
            jobs.update_one(of(PARENT), counted).await.unwrap();
        }
        4 => {
            let over = whole.collection("jobsover").find_one(of(PARENT)).await.unwrap().unwrap();
            let mut god = over.get_document("god").unwrap().clone();
            god.insert("outbox", doc! { "key": "1:9", "at": 1i64, "disk": 0i64 });
            jobs.update_one(of(PARENT), doc! { "$set": { "god": god } }).await.unwrap();
        }
        5 => copy(whole, database, "jobsover", of(PARENT)).await,
        6 => drop(jobs.delete_one(of(PARENT)).await.unwrap()),
        7 => copy(whole, database, "jobsover", of(CHILD)).await,
        _ => unreachable!("there are eight steps"),
    }
}

async fn is_whole(database: &Database, store: &MongoStore, cut: usize) {
    let days = store.user_usage(&name("ann"), 0).await.unwrap();
    assert_eq!((days.len(), days[0].usage.jobs, days[0].usage.time), (1, 1, 60.0), "cut {cut}");
    let image = database.collection("god_images").find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(image.get_i64("uses").unwrap(), 1, "cut {cut}");
    assert_eq!(store.disk_use().await.unwrap(), [(name("ann"), 12)], "cut {cut}");
    let parent = get(store, PARENT).await;
    assert_eq!(parent.place, Place::ArrayParent { children: 1, over: 1, failed: 0 }, "cut {cut}");
    for (id, job) in [(PARENT, parent), (CHILD, get(store, CHILD).await)] {
        assert_eq!(job.state.outcome().map(|outcome| outcome.ending), Some(Ending::Done), "cut {cut}");
        assert_eq!(database.collection("jobs").count_documents(of(id)).await.unwrap(), 0, "cut {cut}");
        let moved = database.collection("jobsover").find_one(of(id)).await.unwrap().unwrap();
        assert!(!moved.get_document("god").unwrap().contains_key("outbox"), "cut {cut}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_was_cut_anywhere_is_gone_on_with() {
    let whole = ended_whole().await;
    for cut in 0..=8 {
        let (database, store) = standalone().await;
        running_child(&store).await;
        let key = end_counts(&database, &store).await;
        for n in 0..cut {
            step(n, &whole, &database, &key).await;
        }
        assert!(!get(&*store, CHILD).await.state.is_active(), "it counts already");
        store.repair().await.unwrap();
        is_whole(&database, &store, cut).await;
        store.repair().await.unwrap();
        is_whole(&database, &store, cut).await;
        database.end().await;
    }
    whole.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_next_goes_on_with_it_too() {
    let (database, store) = standalone().await;
    running_child(&store).await;
    end_counts(&database, &store).await;
    let over = get(&*store, CHILD).await;
    let archived = over.state.next(godocker::domain::Transition::Archive { at: Timestamp(9_000) }).unwrap();
    let change = godocker::store::Change { state: archived, ..end(&get(&*store, PARENT).await, Ending::Done, 1) };
    let change = godocker::store::Change { id: CHILD, expect: over.revision, ..change };
    assert!(matches!(commit(&*store, change).await, Applied::Done { .. }));
    assert!(!get(&*store, PARENT).await.state.is_active(), "the end was told before the archive");
    assert_eq!(store.disk_use().await.unwrap(), [], "what came was given back");
    database.end().await;
}

async fn write_down(database: &Database, kind: &str, at: i64, body: Value) -> ObjectId {
    let id = ObjectId::new();
    let entry = doc! { "_id": id, "kind": kind, "at": at, "body": body.to_string() };
    database.collection("god_journal").insert_one(entry).await.unwrap();
    id
}

async fn entries(database: &Database) -> u64 {
    database.collection("god_journal").count_documents(doc! {}).await.unwrap()
}

fn now() -> i64 {
    use godocker::domain::{Clock, SystemClock};
    SystemClock.now().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_submission_is_not_seen_and_then_gone() {
    let (database, store) = standalone().await;
    let whole = submit(&*store, a_job()).await;
    let mut job = an_array();
    job.spec.array = Some(godocker::domain::ArraySpec { first: 1, last: 3, step: 1, throttle: None });
    let half = submit(&*store, job).await;
    database.collection("jobs").delete_one(of(JobId(half.0 + 3))).await.unwrap();
    let body = json!({ "Submit": { "first": half.0, "last": half.0 + 3 } });
    let young = write_down(&database, "submit", now(), body.clone()).await;
    let pending = async || {
        let rows = store.pending(JobId(0), 10).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(pending().await, [whole]);
    store.repair().await.unwrap();
    assert!(store.job(half).await.unwrap().is_some(), "it may still be under way");
    database.collection("god_journal").delete_one(doc! { "_id": young }).await.unwrap();
    write_down(&database, "submit", 1, body).await;
    store.repair().await.unwrap();
    assert_eq!((pending().await, entries(&database).await), (vec![whole], 0));
    assert_eq!(database.collection("jobs").count_documents(doc! {}).await.unwrap(), 1);
    assert_eq!(database.collection("god_specs").count_documents(doc! {}).await.unwrap(), 1);
    database.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_change_of_accounts_is_finished_once() {
    for by_repair in [true, false] {
        let (database, store) = standalone().await;
        let user = |id: &str| User::new(name(id), UserKind::Local, Timestamp(1));
        let put = |id: &str| AccountChange::PutUser(Box::new(user(id)));
        let setting = AccountChange::PutSetting { key: "motto".into(), value: "carpe".into() };
        let entry = AuditEntry {
            at: Timestamp(5),
            actor: "root".into(),
            address: None,
            action: "user.create".into(),
            subject: "ann".into(),
            details: json!({}),
        };
        // Ann was written, and nothing else.
        assert_eq!(store.change(vec![put("ann")], Vec::new()).await.unwrap(), Changed::Done);
        let changes = json!([put("ann"), put("bob"), setting]);
        write_down(&database, "accounts", 1, json!({ "Accounts": { "changes": changes, "audit": [[1, entry]] } }))
            .await;
        if by_repair {
            store.repair().await.unwrap();
        } else {
            let other = AccountChange::PutSetting { key: "k".into(), value: "v".into() };
            assert_eq!(store.change(vec![other], Vec::new()).await.unwrap(), Changed::Done);
        }
        let users = store.users().await.unwrap();
        assert_eq!(users.iter().map(|u| (u.id.as_str(), u.revision)).collect::<Vec<_>>(), [("ann", 1), ("bob", 1)]);
        assert_eq!(store.setting("motto").await.unwrap().as_deref(), Some("carpe"));
        assert_eq!(store.audit(&AuditFilter::default(), 9).await.unwrap().len(), 1);
        assert_eq!(entries(&database).await, 0);
        database.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_removal_is_finished_once() {
    let (database, store) = standalone().await;
    for id in [1, 2] {
        assert_eq!(submit(&*store, a_job()).await, JobId(id));
        commit(&*store, end(&get(&*store, JobId(id)).await, Ending::Done, 2_000)).await;
    }
    assert_eq!(store.disk_use().await.unwrap(), [(name("ann"), 24)]);
    // The bytes were given back, and its record is there still.
    let given = doc! { "$inc": { "bytes": -12i64 }, "$push": { "applied": "2:removed" } };
    database.collection("god_disk").update_one(doc! { "_id": "ann" }, given).await.unwrap();
    write_down(&database, "remove", 1, json!({ "Remove": { "id": 2, "disk": [["ann", 12]] } })).await;
    store.repair().await.unwrap();
    assert_eq!(store.job(JobId(2)).await.unwrap(), None);
    assert_eq!((store.disk_use().await.unwrap(), entries(&database).await), (vec![(name("ann"), 12)], 0));
    database.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_change_of_a_spec_is_finished_or_was_none() {
    for began in [true, false] {
        let (database, store) = standalone().await;
        let id = submit(&*store, a_job()).await;
        let before = get(&*store, id).await;
        let mut spec = (*before.spec).clone();
        spec.name = "another".into();
        let expect = before.revision + u64::from(!began);
        let body = json!({ "ReplaceSpec": { "id": id, "expect": expect, "spec": spec } });
        let entry = write_down(&database, "spec", 1, body).await;
        if began {
            let update = doc! { "$set": { "god.spec_by": Bson::from(entry) }, "$inc": { "god.rev": 1i64 } };
            database.collection("jobs").update_one(of(id), update).await.unwrap();
        }
        store.repair().await.unwrap();
        let name = get(&*store, id).await.spec.name.clone();
        assert_eq!((name.as_str(), entries(&database).await), (if began { "another" } else { "blast" }, 0));
        database.end().await;
    }
}
