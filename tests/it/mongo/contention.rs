//! Many that write to the same rows at one moment.

use std::sync::Arc;

use godocker::domain::{Ending, JobId, Phase, Place, Request, StopCause};
use godocker::store::conformance::builders::{a_job, charge, end, get, name, run_now, start, submit};
use godocker::store::mongo::Mode;
use godocker::store::{Applied, JobStore, LedgerStore};
use mongodb::bson::Document;

use super::{Database, in_both_modes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_ends_at_once_each_is_counted() {
    in_both_modes(async |mode| {
        let database = Database::new().await;
        // As processes of their own.
        let stores = [database.store(mode).await, database.store(mode).await];
        let mut array = a_job();
        array.spec.array = Some(godocker::domain::ArraySpec { first: 1, last: 64, step: 1, throttle: None });
        let parent = submit(&*stores[0], array).await;
        let mut ends = Vec::new();
        for n in 1..=64 {
            let job = get(&*stores[0], JobId(parent.0 + n)).await;
            let mut change = end(&job, Ending::Done, 3_000);
            change.charge = Some(charge(&job, 20_000));
            let store = Arc::clone(&stores[n as usize % 2]);
            ends.push(tokio::spawn(async move { store.commit(vec![change]).await.unwrap() }));
        }
        let mut parent_over = 0;
        for ended in ends {
            match ended.await.unwrap()[..] {
                [Applied::Done { parent_over: over, .. }] => parent_over += usize::from(over == Some(parent)),
                ref other => panic!("{other:?}"),
            }
        }
        let days = stores[0].user_usage(&name("ann"), 0).await.unwrap();
        assert_eq!((days.len(), days[0].usage.jobs, days[0].usage.cpu), (1, 64, 96.0));
        assert_eq!(stores[0].disk_use().await.unwrap(), [(name("ann"), 64 * 12)]);
        let parent = get(&*stores[0], parent).await;
        assert_eq!(parent.place, Place::ArrayParent { children: 64, over: 64, failed: 0 });
        assert!(!parent.state.is_active());
        assert_eq!(parent_over, 1, "one child is told that it was the last");
        database.end().await;
    })
    .await;
}

/// A leader that is deposed while it writes its plans: of each plan all is there, or it was told that it leads no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deposed_leader_starts_nothing() {
    in_both_modes(async |mode| {
        let database = Database::new().await;
        let store = database.store(mode).await;
        for _ in 0..4 {
            let mut jobs = Vec::new();
            for _ in 0..3 {
                let id = submit(&*store, a_job()).await;
                jobs.push(get(&*store, id).await);
            }
            let fence = store.raise_fence().await.unwrap();
            let plan = jobs.iter().map(|job| start(job, 5_000)).collect();
            let (planned, raised) = tokio::join!(store.commit_fenced(fence, plan), store.raise_fence());
            assert!(raised.unwrap() > fence);
            let started = planned.unwrap().is_some();
            for job in jobs {
                let now = get(&*store, job.id).await;
                assert_eq!(now.state == job.state, !started, "{now:?}");
            }
        }
        let fence = store.raise_fence().await.unwrap();
        let id = submit(&*store, a_job()).await;
        run_now(&*store, id, 2_000).await;
        assert!(store.commit_fenced(fence, Vec::new()).await.unwrap().is_some());
        database.end().await;
    })
    .await;
}

/// Too large for one transaction: all of it is there when it is said to be, and nothing of it is still under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_array_is_written_whole() {
    let database = Database::new().await;
    let store = database.store(Mode::Transactions).await;
    let mut array = a_job();
    array.spec.array = Some(godocker::domain::ArraySpec { first: 1, last: 5_001, step: 1, throttle: None });
    let submitted = store.submit(array).await.unwrap();
    let rows = store.pending(submitted.id, 10_000).await.unwrap();
    assert_eq!((rows.len(), rows[5_000].id.0), (5_001, submitted.id.0 + 5_001));
    assert_eq!(database.collection("god_journal").count_documents(Document::new()).await.unwrap(), 0);
    let asked = store.request(&[submitted.id], Request::Kill(StopCause::User), &Phase::ACTIVE).await.unwrap();
    assert_eq!(asked.len(), 5_002);
    database.end().await;
}
