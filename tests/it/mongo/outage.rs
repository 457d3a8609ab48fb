//! A server that goes away, and comes back.

use std::time::{Duration, Instant};

use godocker::domain::{Ending, JobId};
use godocker::store::conformance::builders::{a_job, end, get, run_now, submit};
use godocker::store::mongo::MongoStore;
use godocker::store::{JobStore, StoreError};

use crate::support::mongo::Mongo;

/// Short, so that what nobody answers fails soon.
fn impatient(mongo: &Mongo) -> String {
    format!("{}&serverSelectionTimeoutMS=500", mongo.url())
}

async fn until_it_answers(store: &MongoStore, id: JobId) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while store.job(id).await.is_err() {
        assert!(Instant::now() < deadline, "the store does not find back to its server");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_goes_on_when_its_server_is_back() {
    let mut mongo = tokio::task::spawn_blocking(Mongo::start).await.unwrap();
    let store = MongoStore::open(&impatient(&mongo), "godocker").await.unwrap();
    let id = submit(&*store, a_job()).await;
    run_now(&*store, id, 2_000).await;
    let before = get(&*store, id).await;
    for _ in 0..2 {
        mongo.kill();
        let missed = store.submit(a_job()).await.unwrap_err();
        assert!(matches!(missed, StoreError::Unavailable(_)), "{missed}");
        let since = Instant::now();
        let missed = store.commit(vec![end(&before, Ending::Done, 3_000)]).await.unwrap_err();
        assert!(matches!(missed, StoreError::Unavailable(_)), "{missed}");
        assert!(since.elapsed() < Duration::from_secs(15), "it was tried for {:?}", since.elapsed());
        let mongo = &mut mongo;
        tokio::task::block_in_place(|| mongo.start_again());
        until_it_answers(&store, id).await;
        assert_eq!(get(&*store, id).await, before, "what was answered is there");
        assert!(submit(&*store, a_job()).await > id);
    }
}

#[tokio::test]
async fn no_server_is_said_clearly_and_without_the_password() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("mongodb://god:sesame@127.0.0.1:{port}/?serverSelectionTimeoutMS=300");
    let error = MongoStore::open(&url, "godocker").await.err().unwrap();
    assert!(matches!(error, StoreError::Unavailable(_)) && !error.to_string().contains("sesame"), "{error}");
    for wrong in ["mongodb://god:ses@me@x:y/", "mongodb://god:sesame@127.0.0.1:none/"] {
        let said = MongoStore::open(wrong, "godocker").await.err().unwrap().to_string();
        assert!(said.contains("mongo_url is not understood") && !said.contains("ses"), "{said}");
    }
}
