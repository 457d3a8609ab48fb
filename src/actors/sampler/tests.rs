//! With an executor that says what it is told to.

use std::sync::Arc;

use tokio::sync::watch;

use super::*;
use crate::actors::testing::Stage;
use crate::domain::{JobState, ManualClock, Reading};
use crate::files::tests::a_job;
use crate::store::SampleStore as _;

impl Stage {
    fn reads(&self, id: u64, secs: i64, cpu_secs: u64, memory: u64) {
        let reading = Reading { at: Timestamp(1_000 + secs * 1_000), cpu: Duration::from_secs(cpu_secs), memory };
        self.puppet.readings.lock().unwrap().insert(JobId(id), reading);
    }

    async fn stored(&self, id: u64) -> Option<Samples> {
        self.store.store.samples(&[JobId(id)]).await.unwrap().pop().map(|one| one.samples)
    }
}

#[tokio::test]
async fn a_round_asks_once_and_stores_what_each_job_used() {
    let place = Stage::with_running(&[1, 2, 3]).await;
    place.store.add_job(a_job(4)).await;
    place.reads(1, 10, 20, 500);
    place.reads(2, 10, 5, 700);
    let kept = look(&place.works, &Share::everything(), Whom::All, Kept::new()).await;
    place.reads(1, 20, 30, 400);
    let kept = look(&place.works, &Share::everything(), Whom::All, kept).await;
    assert_eq!(*place.puppet.asked.lock().unwrap(), [3, 3], "one question a round, of what runs");
    let samples = place.stored(1).await.unwrap();
    assert_eq!(samples.curve().iter().map(|point| point.cpu).collect::<Vec<_>>(), [2.0, 1.0]);
    assert_eq!((samples.peak_memory(), place.stored(2).await.unwrap().peak_memory()), (500, 700));
    assert_eq!((place.stored(3).await, kept.len()), (None, 2));
}

#[tokio::test]
async fn another_watcher_goes_on_from_what_is_stored() {
    let place = Stage::with_running(&[1]).await;
    for secs in [10, 20, 30] {
        place.reads(1, secs, 1, 100);
        // Killed after every round: nothing is kept.
        look(&place.works, &Share::everything(), Whom::All, Kept::new()).await;
    }
    assert_eq!(place.stored(1).await.unwrap().readings(), 3);
}

#[tokio::test]
async fn each_watcher_looks_at_its_own_jobs() {
    let ids: Vec<u64> = (1..=40).collect();
    let place = Stage::with_running(&ids).await;
    ids.iter().for_each(|id| place.reads(*id, 10, 1, 100));
    let watchers: Arc<[String]> = Arc::from(["w1".to_owned(), "w2".to_owned()]);
    let mut seen = Vec::new();
    for me in ["w1", "w2"] {
        let share = Share::new(me.into(), watch::channel(watchers.clone()).1);
        let kept = look(&place.works, &share, Whom::All, Kept::new()).await;
        assert!(!kept.is_empty() && kept.len() < 40, "{me} looks at {}", kept.len());
        seen.extend(kept.into_keys().map(|name| name.job.0));
    }
    seen.sort_unstable();
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn what_runs_no_more_is_not_kept() {
    let place = Stage::with_running(&[1]).await;
    place.reads(1, 10, 1, 100);
    let kept = look(&place.works, &Share::everything(), Whom::All, Kept::new()).await;
    assert_eq!(kept.len(), 1);
    let outcome = crate::store::conformance::builders::outcome(crate::domain::Ending::Done, 20_000);
    place.store.set_state(JobId(1), JobState::Over(outcome)).await;
    assert!(look(&place.works, &Share::everything(), Whom::All, kept).await.is_empty());
    assert!(place.stored(1).await.is_some(), "its record keeps it");
}

#[actix::test]
async fn a_job_that_has_just_begun_is_looked_at_soon() {
    let place = Stage::with_running(&[1]).await;
    let clock = Arc::new(ManualClock::at(Timestamp(1_000)));
    let works = Works { clock: clock.clone(), ..place.works.clone() };
    place.reads(1, 4, 3, 100);
    let actor = SamplerActor::new(works, Share::everything(), Duration::from_secs(3_600)).start();
    actor.send(Began(JobId(1))).await.unwrap();
    actor.send(EarlyRound).await.unwrap();
    assert!(place.puppet.asked.lock().unwrap().is_empty(), "it may be over in a moment");
    clock.advance(FIRST_AFTER);
    actor.send(EarlyRound).await.unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while place.stored(1).await.is_none() {
        assert!(std::time::Instant::now() < deadline, "it was not looked at");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    actor.send(Ended(JobId(1))).await.unwrap();
    let asked = place.puppet.asked.lock().unwrap().len();
    actor.send(EarlyRound).await.unwrap();
    actor.send(Shutdown).await.unwrap();
    assert_eq!(place.puppet.asked.lock().unwrap().len(), asked, "who has ended is not young");
}
