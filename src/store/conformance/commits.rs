use std::collections::BTreeSet;
use std::sync::Arc;

use super::builders::*;
use crate::domain::usage::Usage;
use crate::domain::{
    DependencyOn, EndReason, Ending, JobId, JobState, KnownEnd, Memory, Place, Rejection, Request, StopCause,
    Timestamp, Transition,
};
use crate::store::{Applied, Change, DependencyOutcome, NewJob, Page, Store};

pub async fn ids_rise_and_are_never_used_twice(store: &dyn Store) {
    let first = submit(store, a_job()).await;
    let second = submit(store, a_job()).await;
    assert!(first.0 > 0 && second > first);
    end_now(store, second, Ending::Killed, 2_000).await;
    assert!(store.remove(second).await.expect("the store answers"));
    assert!(submit(store, a_job()).await > second, "an id came back after its job was removed");
}

pub async fn a_job_reads_back_as_it_was_submitted(store: &dyn Store) {
    let sent: NewJob = a_job().tagged(&["rna", "rna", "o'neil"]);
    let id = submit(store, sent.clone()).await;
    let job = get(store, id).await;
    assert_eq!((job.id, &job.owner, &*job.spec, job.submitted), (id, &sent.owner, &sent.spec, sent.submitted));
    assert_eq!(job.place, Place::Single);
    assert_eq!(job.state, JobState::Pending { since: sent.submitted, attempts: 0 });
    assert_eq!((job.request, job.failed_nodes), (None, vec![]));
}

pub async fn unknown_ids_are_left_out(store: &dyn Store) {
    let id = submit(store, a_job()).await;
    let nobody = [JobId(0), JobId(id.0 + 1), JobId(u64::MAX)];
    for id in nobody {
        assert_eq!(store.job(id).await.expect("the store answers"), None);
        assert!(!store.remove(id).await.expect("the store answers"));
        assert!(store.children(id, Page::ALL).await.expect("the store answers").is_empty());
        assert!(!store.replace_spec(id, 1, a_job().spec).await.expect("the store answers"));
    }
    let asked = [id, nobody[0], nobody[1], nobody[2], id];
    let jobs = store.jobs(&asked).await.expect("the store answers");
    assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [id]);
    assert_eq!(ask(store, &asked, Request::Suspend).await, [id]);
    let job = get(store, id).await;
    let stranger = crate::store::Change { id: JobId(u64::MAX), ..start(&job, 1) };
    assert_eq!(commit(store, stranger).await, Applied::Stale);
}

pub async fn only_a_change_of_the_present_revision_applies(store: &dyn Store) {
    let id = submit(store, a_job()).await;
    let seen = get(store, id).await;
    let mut started = start(&seen, 2_000);
    started.request = Some(Request::Kill(StopCause::TimeLimit));
    started.failed_nodes = vec!["n7".into(), "n8".into()];
    let Applied::Done { revision, parent_over } = commit(store, started.clone()).await else { panic!("it is fresh") };
    let now = get(store, id).await;
    assert!(revision > seen.revision && now.revision == revision);
    assert_eq!(parent_over, None);
    assert_eq!(now.state, JobState::Starting { attempt: attempt(), since: Timestamp(2_000) });
    assert_eq!(now.request, Some(Request::Kill(StopCause::TimeLimit)));
    assert_eq!(now.failed_nodes, ["n7", "n8"]);
    assert_eq!(commit(store, started).await, Applied::Stale);
    assert_eq!(get(store, id).await, now);

    let requeued = change(&now, Transition::Requeue { at: Timestamp(3_000), launched: true });
    assert!(matches!(commit(store, requeued).await, Applied::Done { .. }));
    assert_eq!(get(store, id).await.state, JobState::Pending { since: Timestamp(3_000), attempts: 1 });
}

pub async fn a_stale_change_leaves_nothing_behind(store: &dyn Store) {
    let (fresh, stale) = (submit(store, a_job()).await, submit(store, a_job()).await);
    let (fresh, stale) = (get(store, fresh).await, get(store, stale).await);
    let mut late = end(&stale, Ending::Done, 2_000);
    late.expect += 7;
    late.charge = Some(charge(&stale, 1));
    let gone = crate::store::Change { id: JobId(stale.id.0 + 100), ..late.clone() };
    let applied = store.commit(vec![gone, late, start(&fresh, 2_000)]).await.expect("the store commits");
    assert!(matches!(applied[..], [Applied::Stale, Applied::Stale, Applied::Done { .. }]), "{applied:?}");
    assert_eq!(get(store, stale.id).await, stale);
    assert!(store.user_usage(&stale.owner.user, 0).await.expect("the store answers").is_empty());
    assert!(store.images(10).await.expect("the store answers").is_empty());
    assert!(store.commit(vec![]).await.expect("nothing to do is done").is_empty());
}

pub async fn one_of_many_concurrent_changes_wins(store: Arc<dyn Store>) {
    let id = submit(&*store, a_job()).await;
    let job = get(&*store, id).await;
    let racers = (0..16).map(|at| {
        let (store, change) = (Arc::clone(&store), start(&job, 5_000 + at));
        tokio::spawn(async move { commit(&*store, change).await })
    });
    let mut won = 0;
    for racer in racers.collect::<Vec<_>>() {
        won += usize::from(racer.await.expect("no racer panics") != Applied::Stale);
    }
    assert_eq!(won, 1);
}

pub async fn concurrent_submits_get_ids_of_their_own(store: Arc<dyn Store>) {
    let senders = (0..64_u64).map(|n| {
        let store = Arc::clone(&store);
        let job = if n % 2 == 0 { a_job() } else { a_job().array(1, 3, 1) };
        tokio::spawn(async move { store.submit(job).await.expect("a job is accepted") })
    });
    let mut ids = BTreeSet::new();
    for sender in senders.collect::<Vec<_>>() {
        let submitted = sender.await.expect("no sender panics");
        for id in submitted.id.0..=submitted.id.0 + u64::from(submitted.children) {
            assert!(ids.insert(id), "{id} was given twice");
            get(&*store, JobId(id)).await;
        }
    }
    assert_eq!(ids.len(), 32 + 32 * 4);
}

pub async fn a_charge_is_counted_once(store: &dyn Store) {
    let id = submit(store, a_job()).await;
    run_now(store, id, 2_000).await;
    let job = get(store, id).await;
    let mut ended = end(&job, Ending::Done, 3_000);
    ended.charge = Some(charge(&job, 20_000));
    assert!(matches!(commit(store, ended.clone()).await, Applied::Done { .. }));
    assert_eq!(commit(store, ended).await, Applied::Stale);
    let days = store.user_usage(&job.owner.user, 0).await.expect("the store answers");
    assert_eq!(days.len(), 1);
    assert_eq!((days[0].day, days[0].usage), (20_000, Usage { cpu: 1.5, ram: 2.0, time: 60.0, gpu: 1.0, jobs: 1 }));
    assert_eq!(store.images(10).await.expect("the store answers"), ["debian:stable"]);
}

pub async fn outcomes_tell_how_jobs_ended(store: &dyn Store) {
    let endings = [None, Some(Ending::Done), Some(Ending::Rejected(Rejection::Dependency)), Some(Ending::OutOfMemory)];
    let mut expected = Vec::new();
    for ending in endings {
        let id = submit(store, a_job()).await;
        if let Some(ending) = ending {
            end_now(store, id, ending, 2_000).await;
        }
        expected.push(DependencyOutcome { id, ending });
    }
    archive_now(store, expected[3].id, 3_000).await;
    let mut asked: Vec<_> = expected.iter().map(|outcome| outcome.id).collect();
    asked.push(JobId(999_999));
    let mut outcomes = store.outcomes(&asked).await.expect("the store answers");
    outcomes.sort_by_key(|outcome| outcome.id);
    assert_eq!(outcomes, expected);
}

pub async fn usage_sums_by_day_and_by_pair(store: &dyn Store) {
    for (user, project, image, day) in [
        ("ann", "default", "a", 10),
        ("ann", "rna", "b", 10),
        ("ann", "rna", "b", 11),
        ("bob", "rna", "b", 11),
        ("bob", "rna", "a", 12),
    ] {
        let mut new = a_job().of(user, project);
        new.spec.image = image.into();
        let id = submit(store, new).await;
        let job = get(store, id).await;
        let mut ended = end(&job, Ending::Failed, 2_000);
        ended.charge = Some(charge(&job, day));
        commit(store, ended).await;
    }
    let sum = |jobs: u32| {
        let n = f64::from(jobs);
        Usage { cpu: 1.5 * n, ram: 2.0 * n, time: 60.0 * n, gpu: n, jobs: u64::from(jobs) }
    };
    let days = |days: Vec<crate::domain::usage::DailyUsage>| -> Vec<_> {
        days.into_iter().map(|day| (day.day, day.usage)).collect()
    };
    let ann = store.user_usage(&name("ann"), 10).await.expect("the store answers");
    assert_eq!(days(ann), [(10, sum(2)), (11, sum(1))]);
    let rna = store.project_usage(&name("rna"), 11).await.expect("the store answers");
    assert_eq!(days(rna), [(11, sum(2)), (12, sum(1))]);
    let mut pairs = store.usage_by_pair(11).await.expect("the store answers");
    pairs.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    assert_eq!(pairs, [(name("ann"), name("rna"), sum(1)), (name("bob"), name("rna"), sum(2))]);
    assert_eq!(store.images(10).await.expect("the store answers"), ["b", "a"]);
    assert_eq!(store.images(1).await.expect("the store answers"), ["b"]);
}

pub async fn the_reason_of_an_end_is_read_back(store: &dyn Store) {
    let other =
        KnownEnd::Dependency { job: JobId(4), on: DependencyOn::Ok, ended: Some(Ending::Rejected(Rejection::Quota)) };
    let gone = KnownEnd::Dependency { job: JobId(4), on: DependencyOn::Any, ended: None };
    let memory = KnownEnd::OutOfMemory { asked: Memory::gb(2) };
    let children = KnownEnd::ArrayChildren { failed: 1, children: 3 };
    let known = [other, gone, memory, children, KnownEnd::QuotaUser { quota: "cpu".into() }, KnownEnd::TimeLimit];
    let said = EndReason::Said("The image is not to be had.".into());
    for reason in known.map(EndReason::from).into_iter().chain([said]) {
        let id = submit(store, a_job()).await;
        let mut ended = end(&get(store, id).await, Ending::Failed, 2_000);
        if let JobState::Over(outcome) = &mut ended.state {
            outcome.reason = Some(reason.clone());
        }
        commit(store, ended).await;
        assert_eq!(get(store, id).await.state.outcome().and_then(|outcome| outcome.reason.clone()), Some(reason));
    }
}

async fn disk_used(store: &dyn Store) -> std::collections::BTreeMap<String, u64> {
    let all = store.disk_use().await.expect("the store answers");
    for user in ["ann", "bob", "cat", "nobody"] {
        let user = user.parse().expect("a name");
        let listed = all.iter().find(|(id, _)| *id == user).map_or(0, |(_, bytes)| *bytes);
        assert_eq!(store.disk_use_of(&user).await.expect("the store answers"), listed, "{user}");
    }
    all.into_iter().filter(|(_, bytes)| *bytes > 0).map(|(user, bytes)| (user.to_string(), bytes)).collect()
}

async fn over_with(store: &dyn Store, new: NewJob, bytes: u64) -> JobId {
    let id = submit(store, new).await;
    let job = get(store, id).await;
    let mut ended = end(&job, Ending::Done, 2_000);
    if let JobState::Over(outcome) = &mut ended.state {
        outcome.disk_bytes = bytes;
    }
    commit(store, ended).await;
    id
}

pub async fn disk_use_is_of_over_jobs(store: &dyn Store) {
    let of = |user: &str, bytes: u64| (user.to_owned(), bytes);
    let mut ids = Vec::new();
    for (user, bytes) in [("ann", 100), ("ann", 20), ("bob", 3)] {
        ids.push(over_with(store, a_job().of(user, "default"), bytes).await);
    }
    assert_eq!(disk_used(store).await, [of("ann", 120), of("bob", 3)].into());
    archive_now(store, ids[0], 3_000).await;
    assert_eq!(disk_used(store).await, [of("ann", 20), of("bob", 3)].into());
    assert!(store.remove(ids[0]).await.expect("the store answers"));
    assert!(store.remove(ids[1]).await.expect("the store answers"));
    assert_eq!(disk_used(store).await, [of("bob", 3)].into());
}

pub async fn disk_use_is_recounted_from_the_records(store: &dyn Store) {
    let of = |user: &str, bytes: u64| (user.to_owned(), bytes);
    let measured = over_with(store, a_job().of("ann", "default"), 100).await;
    let emptied = over_with(store, a_job().of("bob", "default"), 7).await;
    archive_now(store, over_with(store, a_job().of("ann", "default"), 50).await, 3_000).await;
    submit(store, a_job().of("cat", "default")).await;
    for (id, disk_bytes) in [(measured, 30), (emptied, 0)] {
        let job = get(store, id).await;
        assert!(matches!(commit(store, change(&job, Transition::Measured { disk_bytes })).await, Applied::Done { .. }));
        assert_eq!(get(store, id).await.state.outcome().map(|outcome| outcome.disk_bytes), Some(disk_bytes));
    }
    for _ in 0..2 {
        store.recount_disk_use().await.expect("the store counts");
        assert_eq!(disk_used(store).await, [of("ann", 30)].into());
    }
    archive_now(store, measured, 4_000).await;
    assert!(disk_used(store).await.is_empty());
}

pub async fn ids_go_on_after_what_is_passed_over(store: &dyn Store) {
    assert_eq!(store.last_id().await.expect("the store answers"), JobId(0));
    let first = submit(store, a_job()).await;
    assert_eq!(store.last_id().await.expect("the store answers"), first);
    let last = JobId(first.0 + 41);
    for passed in [last, first, JobId(0)] {
        store.pass_over(passed).await.expect("the store answers");
        assert_eq!(store.last_id().await.expect("the store answers"), last);
    }
    assert_eq!(submit(store, a_job()).await, JobId(last.0 + 1));
}

pub async fn only_the_newest_fence_lets_through(store: &dyn Store) {
    let (first, second) = (submit(store, a_job()).await, submit(store, a_job()).await);
    let old = store.raise_fence().await.expect("the store answers");
    let started = store.commit_fenced(old, vec![start(&get(store, first).await, 2_000)]).await;
    assert!(matches!(started.expect("the store answers").as_deref(), Some([Applied::Done { .. }])));
    let new = store.raise_fence().await.expect("the store answers");
    assert!(new > old);
    let job = get(store, second).await;
    for fence in [old, 0, new + 1] {
        let refused = store.commit_fenced(fence, vec![start(&job, 3_000)]).await.expect("the store answers");
        assert_eq!(refused, None, "fence {fence}");
    }
    assert_eq!(get(store, second).await, job);
    let again = Change { expect: job.revision + 7, ..start(&job, 3_000) };
    let both = store.commit_fenced(new, vec![again, start(&job, 3_000)]).await.expect("the store answers");
    assert!(matches!(both.as_deref(), Some([Applied::Stale, Applied::Done { .. }])));
    store.repair().await.expect("the store answers");
}
