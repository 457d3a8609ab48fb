//! What processes that died in the midst of a transaction keep from the others: nothing, once it is known that they died.

use std::time::Duration;

use godocker::domain::{Ending, ProcessRole, ProcessStatus, Timestamp};
use godocker::store::conformance::builders::{a_job, end_now, run_now, submit};
use godocker::store::mongo::{Mode, MongoStore};
use godocker::store::{JobStore, ProcessStore};
use mongodb::ClientSession;
use mongodb::bson::{Document, doc};

use super::Database;

/// Far less than the minute after which a server ends such a transaction by itself.
const SOON: Duration = Duration::from_secs(20);

/// As a process of this run leaves it that was killed before its commit: it has written to these documents.
async fn dies_in_a_transaction(database: &Database, run: &str, written: &[(&str, Document)]) -> ClientSession {
    let mut session = database.client.start_session().await.unwrap();
    let id = session.id().get("id").unwrap().clone();
    database.collection("god_sessions").insert_one(doc! { "_id": id, "run": run }).await.unwrap();
    session.start_transaction().await.unwrap();
    for (collection, filter) in written {
        let update = doc! { "$set": { "touched": true } };
        let touched = database.collection(collection).update_one(filter.clone(), update).session(&mut session).await;
        assert_eq!(touched.unwrap().matched_count, 1, "{collection}");
    }
    session
}

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, work).await.unwrap_or_else(|_| panic!("not within {SOON:?}: {what}"))
}

fn process(id: &str, seen: Timestamp) -> ProcessStatus {
    ProcessStatus {
        id: id.into(),
        role: ProcessRole::Watcher,
        host: "n1".into(),
        pid: 1,
        version: String::new(),
        started: Timestamp(0),
        seen,
        address: None,
        leader: false,
    }
}

async fn a_running_job(store: &MongoStore) -> (godocker::domain::JobId, Document) {
    let id = submit(store, a_job()).await;
    run_now(store, id, 2_000).await;
    (id, doc! { "god.id": id.0 as i64 })
}

#[tokio::test]
async fn a_new_leader_does_not_wait_for_the_one_that_was_killed() {
    let database = Database::new().await;
    let store = database.store(Mode::Transactions).await;
    store.raise_fence().await.unwrap();
    let counters = database.collection("god_counters");
    counters.update_one(doc! { "_id": "fence" }, doc! { "$set": { "by": "killed" } }).await.unwrap();
    let _left = dies_in_a_transaction(&database, "killed", &[("god_counters", doc! { "_id": "fence" })]).await;
    assert_eq!(soon("the fence is raised", store.raise_fence()).await.unwrap(), 2);
    let fence = counters.find_one(doc! { "_id": "fence" }).await.unwrap().unwrap();
    assert!(fence.get_str("by").is_ok_and(|by| by != "killed") && !fence.contains_key("touched"), "{fence}");
    database.end().await;
}

#[tokio::test]
async fn one_that_is_back_under_its_name_ends_what_it_had_under_way() {
    let database = Database::new().await;
    let store = database.store(Mode::Transactions).await;
    let (id, filter) = a_running_job(&store).await;
    let before = doc! { "_id": "watcher-1", "run": "killed", "body": "{}", "seen": 0i64 };
    database.collection("god_processes").insert_one(before).await.unwrap();
    let _left = dies_in_a_transaction(&database, "killed", &[("jobs", filter)]).await;
    store.put_process(&process("watcher-1", Timestamp(1))).await.unwrap();
    soon("its job ends", end_now(&*store, id, Ending::Done, 3_000)).await;
    database.end().await;
}

#[tokio::test]
async fn what_one_had_that_stays_away_is_ended_by_repairs() {
    let database = Database::new().await;
    let store = database.store(Mode::Transactions).await;
    let (id, filter) = a_running_job(&store).await;
    let dead = doc! { "_id": "watcher-2", "run": "killed", "body": "{}", "seen": 1i64 };
    database.collection("god_processes").insert_one(dead).await.unwrap();
    store.put_process(&process("watcher-1", Timestamp(i64::MAX / 2))).await.unwrap();
    let _left = dies_in_a_transaction(&database, "killed", &[("jobs", filter)]).await;
    store.repair().await.unwrap();
    soon("its job ends", end_now(&*store, id, Ending::Done, 3_000)).await;
    let known = database.collection("god_processes").find_one(doc! { "_id": "watcher-2" }).await.unwrap().unwrap();
    assert!(!known.contains_key("run"), "it is looked at once: {known}");
    database.end().await;
}
