use super::builders::*;
use crate::domain::{Dependency, DependencyOn, Ending, JobId, Label, Phase, Request, Timestamp, Transition};
use crate::store::{JobFilter, JobOrder, Page, Store};

/// Jobs of every sort. Ends rise against ids, so that the two orders differ.
struct Population {
    pending: JobId,
    starting: JobId,
    running: JobId,
    over: JobId,
    archived: JobId,
    parent: JobId,
    child_over: JobId,
    child_pending: JobId,
}

async fn populate(store: &dyn Store) -> Population {
    let pending = submit(store, a_job().of("ann", "default").tagged(&["x", "y"])).await;
    let starting = submit(store, a_job().of("bob", "rna")).await;
    start_now(store, starting, 2_000).await;
    let running = submit(store, a_job().of("ann", "rna").tagged(&["x"])).await;
    run_now(store, running, 2_000).await;
    let over = submit(store, a_job().of("ann", "rna")).await;
    end_now(store, over, Ending::Done, 9_000).await;
    let archived = submit(store, a_job().of("bob", "default").tagged(&["x"])).await;
    end_now(store, archived, Ending::Failed, 8_000).await;
    archive_now(store, archived, 10_000).await;
    let parent = submit(store, a_job().of("ann", "rna").tagged(&["array"]).array(1, 2, 1)).await;
    let (child_over, child_pending) = (JobId(parent.0 + 1), JobId(parent.0 + 2));
    end_now(store, child_over, Ending::Done, 7_000).await;
    ask(store, &[running, child_pending], Request::Suspend).await;
    Population { pending, starting, running, over, archived, parent, child_over, child_pending }
}

async fn ids(store: &dyn Store, filter: JobFilter) -> Vec<JobId> {
    let jobs = store.list(&filter, Page::ALL).await.expect("the store answers");
    jobs.iter().map(|job| job.id).collect()
}

pub async fn lists_honour_every_filter(store: &dyn Store) {
    let p = populate(store).await;
    let all = JobFilter::default;
    let top = [p.pending, p.starting, p.running, p.over, p.archived, p.parent];
    assert_eq!(ids(store, all()).await, top);
    let everything = ids(store, JobFilter { with_children: true, ..all() }).await;
    assert_eq!(everything, [&top[..], &[p.child_over, p.child_pending]].concat());
    let ann = ids(store, JobFilter { owner: Some(name("ann")), ..all() }).await;
    assert_eq!(ann, [p.pending, p.running, p.over, p.parent]);
    let rna = ids(store, JobFilter { project: Some(name("rna")), ..all() }).await;
    assert_eq!(rna, [p.starting, p.running, p.over, p.parent]);
    let of_both = JobFilter { owner: Some(name("bob")), project: Some(name("rna")), ..all() };
    assert_eq!(ids(store, of_both).await, [p.starting]);
    let active = JobFilter { phases: Phase::ACTIVE.to_vec(), ..all() };
    assert_eq!(ids(store, active.clone()).await, [p.pending, p.starting, p.running, p.parent]);
    let active = JobFilter { with_children: true, ..active };
    assert_eq!(ids(store, active).await, [p.pending, p.starting, p.running, p.parent, p.child_pending]);
    let mixed = JobFilter { phases: vec![Phase::Archived, Phase::Running], ..all() };
    assert_eq!(ids(store, mixed).await, [p.running, p.archived]);
    assert_eq!(ids(store, JobFilter { tag: Some("x".into()), ..all() }).await, [p.pending, p.running, p.archived]);
    let array = JobFilter { tag: Some("array".into()), ..all() };
    assert_eq!(ids(store, array.clone()).await, [p.parent]);
    let array = JobFilter { with_children: true, ..array };
    assert_eq!(ids(store, array).await, [p.parent, p.child_over, p.child_pending]);
    let injected = JobFilter { tag: Some("' OR 1 = 1 --".into()), ..all() };
    assert!(ids(store, injected).await.is_empty());
    let before = JobFilter { ended_before: Some(Timestamp(9_000)), ..all() };
    assert_eq!(ids(store, before).await, [p.archived], "ended before, not at");
    let requested = JobFilter { requested: true, ..all() };
    assert_eq!(ids(store, requested.clone()).await, [p.running]);
    let requested = JobFilter { with_children: true, ..requested };
    assert_eq!(ids(store, requested).await, [p.running, p.child_pending]);
    let after = JobFilter { after: Some(p.over), ..all() };
    assert_eq!(ids(store, after).await, [p.archived, p.parent]);
}

pub async fn lists_come_in_order_and_pages(store: &dyn Store) {
    let p = populate(store).await;
    let mut newest = ids(store, JobFilter { order: JobOrder::IdDescending, ..JobFilter::default() }).await;
    newest.reverse();
    assert_eq!(newest, ids(store, JobFilter::default()).await);
    let ended = JobFilter { order: JobOrder::EndedDescending, ..JobFilter::default() };
    assert_eq!(ids(store, ended.clone()).await, [p.over, p.archived], "only what is over has an end");
    let last = submit(store, a_job()).await;
    end_now(store, last, Ending::Done, 9_000).await;
    let ended = JobFilter { with_children: true, ..ended };
    assert_eq!(ids(store, ended).await, [last, p.over, p.archived, p.child_over], "of one moment, the newer first");
    let walk = |page| async move {
        let jobs = store.list(&JobFilter::default(), page).await.expect("the store answers");
        jobs.iter().map(|job| job.id).collect::<Vec<_>>()
    };
    assert_eq!(walk(Page::first(2)).await, [p.pending, p.starting]);
    assert_eq!(walk(Page { skip: 2, limit: Some(2) }).await, [p.running, p.over]);
    assert_eq!(walk(Page { skip: 5, limit: None }).await, [p.parent, last]);
    assert!(walk(Page { skip: u64::MAX, limit: Some(u64::MAX) }).await.is_empty());
    assert!(walk(Page::first(0)).await.is_empty());
}

/// Every combination of filters: each list must be what one picks by hand from all jobs, and be counted as such.
pub async fn counts_are_the_lengths_of_lists(store: &dyn Store) {
    let p = populate(store).await;
    let everything = JobFilter { with_children: true, ..JobFilter::default() };
    let all = store.list(&everything, Page::ALL).await.expect("the store answers");
    for filter in combinations(p.starting) {
        let found = ids(store, filter.clone()).await;
        let ends_only = filter.ended_before.is_some() || filter.order == JobOrder::EndedDescending;
        let mut expected: Vec<_> = all
            .iter()
            .filter(|job| filter.with_children || job.parent().is_none())
            .filter(|job| filter.owner.as_ref().is_none_or(|user| job.owner.user == *user))
            .filter(|job| filter.project.as_ref().is_none_or(|project| job.owner.project == *project))
            .filter(|job| filter.phases.is_empty() || filter.phases.contains(&job.state.phase()))
            .filter(|job| filter.tag.as_ref().is_none_or(|tag| job.spec.tags.contains(tag)))
            .filter(|job| filter.after.is_none_or(|after| job.id > after))
            .filter(|job| !filter.requested || job.request.is_some())
            .filter(|job| !ends_only || job.state.outcome().is_some())
            .filter(|job| {
                filter.ended_before.is_none_or(|end| job.state.outcome().is_some_and(|outcome| outcome.ended < end))
            })
            .map(|job| (job.id, job.state.outcome().map(|outcome| outcome.ended)))
            .collect();
        match filter.order {
            JobOrder::IdAscending => {}
            JobOrder::IdDescending => expected.reverse(),
            JobOrder::EndedDescending => expected.sort_by_key(|(id, ended)| std::cmp::Reverse((*ended, *id))),
        }
        assert_eq!(found, expected.iter().map(|(id, _)| *id).collect::<Vec<_>>(), "{filter:?}");
        let count = store.count(&filter).await.expect("the store answers");
        assert_eq!(count, found.len() as u64, "{filter:?}");
    }
}

/// Also what a backend asks its database to explain.
pub(in crate::store) fn combinations(after: JobId) -> Vec<JobFilter> {
    let mut filters = vec![JobFilter::default()];
    let mut also = |each: &dyn Fn(&JobFilter) -> Vec<JobFilter>| {
        filters = filters.iter().flat_map(each).collect();
    };
    let phases: [&[Phase]; 6] = [
        &[],
        &Phase::ACTIVE,
        &[Phase::Starting, Phase::Running],
        &[Phase::Pending],
        &[Phase::Archived, Phase::Over],
        &[Phase::Over, Phase::Running],
    ];
    let orders = [JobOrder::IdAscending, JobOrder::IdDescending, JobOrder::EndedDescending];
    also(&|f| phases.map(|phases| JobFilter { phases: phases.to_vec(), ..f.clone() }).to_vec());
    also(&|f| orders.map(|order| JobFilter { order, ..f.clone() }).to_vec());
    also(&|f| [false, true].map(|with_children| JobFilter { with_children, ..f.clone() }).to_vec());
    also(&|f| [None, Some("ann")].map(|user| JobFilter { owner: user.map(name), ..f.clone() }).to_vec());
    also(&|f| [None, Some("rna")].map(|project| JobFilter { project: project.map(name), ..f.clone() }).to_vec());
    also(&|f| {
        vec![
            f.clone(),
            JobFilter { tag: Some("x".into()), ..f.clone() },
            JobFilter { requested: true, ..f.clone() },
            JobFilter { ended_before: Some(Timestamp(9_000)), ..f.clone() },
            JobFilter { after: Some(after), ..f.clone() },
        ]
    });
    filters
}

pub async fn pending_rows_hold_what_the_scheduler_asks(store: &dyn Store) {
    let mut new = a_job().of("bob", "rna");
    new.spec.labels = vec![Label { name: "storage".into(), value: "ssd".into() }];
    new.spec.dependencies = vec![Dependency { job: JobId(1), on: DependencyOn::Any }];
    new.spec.executor = Some("docker".into());
    let id = submit(store, new.clone()).await;
    start_now(store, id, 2_000).await;
    let mut back = change(&get(store, id).await, Transition::Requeue { at: Timestamp(3_000), launched: true });
    back.failed_nodes = vec!["n1".into()];
    commit(store, back).await;
    ask(store, &[id], Request::Reschedule).await;
    let rows = store.pending(JobId(0), 10).await.expect("the store answers");
    let [row] = &rows[..] else { panic!("one job is pending: {rows:?}") };
    assert_eq!((row.id, row.revision), (id, get(store, id).await.revision));
    assert_eq!((&row.user, &row.project, row.submitted), (&new.owner.user, &new.owner.project, new.submitted));
    assert_eq!((row.resources, &row.labels), (new.spec.resources, &new.spec.labels));
    assert_eq!((&row.dependencies, &row.executor), (&new.spec.dependencies, &new.spec.executor));
    assert_eq!((row.attempts, &row.failed_nodes[..]), (1, &["n1".to_owned()][..]));
    assert_eq!((row.request, row.parent, row.throttle), (Some(Request::Reschedule), None, None));
}

pub async fn pending_rows_come_in_pages(store: &dyn Store) {
    let single = submit(store, a_job()).await;
    let mut array = a_job().array(1, 3, 1);
    if let Some(array) = &mut array.spec.array {
        array.throttle = Some(2);
    }
    let parent = submit(store, array).await;
    let running = submit(store, a_job()).await;
    start_now(store, running, 2_000).await;
    let first = store.pending(JobId(0), 2).await.expect("the store answers");
    let ids = |rows: &[crate::store::PendingRow]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(&first), [single, JobId(parent.0 + 1)], "a parent is not among them");
    assert_eq!((first[1].parent, first[1].throttle), (Some(parent), Some(2)));
    let rest = store.pending(first[1].id, 10).await.expect("the store answers");
    assert_eq!(ids(&rest), [JobId(parent.0 + 2), JobId(parent.0 + 3)]);
    assert!(store.pending(JobId(u64::MAX), 10).await.expect("the store answers").is_empty());
}
