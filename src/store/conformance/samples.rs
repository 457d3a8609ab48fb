//! What attempts used.

use std::time::Duration;

use super::builders::*;
use crate::domain::{Ending, JobId, Reading, Samples, Timestamp};
use crate::store::{AttemptSamples, Store};

fn used(job: JobId, attempt: u32, readings: u64) -> AttemptSamples {
    let began = Timestamp(1_000_000);
    let mut samples = Samples::since(began);
    for n in 1..=readings {
        let span = Duration::from_secs(n * 30);
        samples.add(&Reading { at: began.plus(span), cpu: span.mul_f64(1.7), memory: n * 1_000_003 });
    }
    AttemptSamples { job, attempt, samples }
}

async fn kept(store: &dyn Store, jobs: &[JobId]) -> Vec<AttemptSamples> {
    store.samples(jobs).await.expect("the store answers")
}

async fn put(store: &dyn Store, all: Vec<AttemptSamples>) {
    store.put_samples(all).await.expect("they are taken");
}

pub async fn samples_are_replaced_by_attempt(store: &dyn Store) {
    let (first, second) = (submit(store, a_job()).await, submit(store, a_job()).await);
    run_now(store, first, 2_000).await;
    assert!(kept(store, &[first, second]).await.is_empty());
    put(store, vec![used(first, 2, 5), used(second, 1, 3), used(first, 1, 700)]).await;
    assert_eq!(
        kept(store, &[second, first, first]).await,
        [used(first, 1, 700), used(first, 2, 5), used(second, 1, 3)]
    );
    put(store, vec![used(first, 2, 6)]).await;
    assert_eq!(kept(store, &[first]).await, [used(first, 1, 700), used(first, 2, 6)]);
    put(store, Vec::new()).await;
    assert!(kept(store, &[]).await.is_empty());
}

pub async fn samples_stay_until_the_record_goes(store: &dyn Store) {
    let (id, array) = (submit(store, a_job()).await, submit(store, a_job().array(1, 2, 1)).await);
    let children = [JobId(array.0 + 1), JobId(array.0 + 2)];
    for job in [id, children[0], children[1]] {
        run_now(store, job, 2_000).await;
        put(store, vec![used(job, 1, 4)]).await;
        end_now(store, job, Ending::Done, 3_000).await;
    }
    put(store, vec![used(id, 1, 5)]).await;
    archive_now(store, id, 4_000).await;
    assert_eq!(kept(store, &[id]).await, [used(id, 1, 5)]);
    assert!(store.remove(id).await.expect("the store answers"));
    assert!(kept(store, &[id]).await.is_empty());
    assert_eq!(kept(store, &children).await.len(), 2);
    assert!(store.remove(array).await.expect("the store answers"));
    assert!(kept(store, &children).await.is_empty());
    // A watcher that has not heard of it yet writes once more.
    put(store, vec![used(id, 1, 6), used(children[0], 1, 6), used(JobId(999_999), 1, 6)]).await;
    assert!(kept(store, &[id, children[0], JobId(999_999)]).await.is_empty());
}
