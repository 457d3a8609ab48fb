use std::sync::Arc;

use super::builders::*;
use crate::domain::{Attempt, Cores, Ending, Job, JobId, JobState, Place, Request, StopCause, Timestamp};
use crate::store::{Applied, JobFilter, Page, Store};

/// An array of three, with its children's ids.
async fn three(store: &dyn Store) -> (JobId, [JobId; 3]) {
    let id = submit(store, a_job().array(1, 3, 1)).await;
    (id, [1, 2, 3].map(|n| JobId(id.0 + n)))
}

async fn children(store: &dyn Store, id: JobId) -> Vec<Job> {
    store.children(id, Page::ALL).await.expect("the store answers")
}

fn counts(job: &Job) -> (u32, u32, u32) {
    match job.place {
        Place::ArrayParent { children, over, failed } => (children, over, failed),
        Place::Single | Place::ArrayChild { .. } => panic!("job {} is no array", job.id),
    }
}

pub async fn children_follow_their_parent_without_gaps(store: &dyn Store) {
    submit(store, a_job()).await;
    let sent = a_job().array(2, 11, 3).tagged(&["t"]);
    let submitted = store.submit(sent.clone()).await.expect("an array is accepted");
    assert_eq!(submitted.children, 4);
    let parent = get(store, submitted.id).await;
    assert_eq!(parent.place, Place::ArrayParent { children: 4, over: 0, failed: 0 });
    let all = children(store, parent.id).await;
    let ids: Vec<_> = all.iter().map(|job| job.id.0).collect();
    assert_eq!(ids, (parent.id.0 + 1..=parent.id.0 + 4).collect::<Vec<_>>());
    for (child, index) in all.iter().zip([2, 5, 8, 11]) {
        assert_eq!(child.place, Place::ArrayChild { parent: parent.id, index });
        assert_eq!((&child.owner, &*child.spec), (&sent.owner, &sent.spec));
        assert!(is_pending(child) && child.submitted == sent.submitted);
    }
    assert!(Arc::ptr_eq(&all[0].spec, &all[3].spec), "children share a spec");
    let page = store.children(parent.id, Page { skip: 1, limit: Some(2) }).await.expect("the store answers");
    assert_eq!(page.iter().map(|job| job.id).collect::<Vec<_>>(), [all[1].id, all[2].id]);
    assert!(submit(store, a_job()).await > all[3].id);
}

pub async fn a_starting_child_starts_its_parent(store: &dyn Store) {
    let (parent, [first, second, _]) = three(store).await;
    start_now(store, second, 5_000).await;
    let expected = JobState::Running {
        attempt: Attempt { container: None, digest: None, ports: vec![], ..attempt() },
        started: Timestamp(5_000),
        suspended: false,
    };
    let running = get(store, parent).await;
    assert_eq!(running.state, expected);
    start_now(store, first, 6_000).await;
    assert_eq!(get(store, parent).await.state, expected, "a parent starts once");
    assert_eq!(counts(&running), (3, 0, 0));
}

pub async fn an_array_ends_with_its_last_child(store: &dyn Store) {
    let (parent, [first, second, third]) = three(store).await;
    for id in [first, second, third] {
        run_now(store, id, 5_000).await;
    }
    assert_eq!(end_now(store, second, Ending::Done, 6_000).await, None);
    assert_eq!(end_now(store, first, Ending::Done, 7_000).await, None);
    let almost = get(store, parent).await;
    assert_eq!((counts(&almost), almost.state.is_active()), ((3, 2, 0), true));
    assert_eq!(end_now(store, third, Ending::Done, 8_000).await, Some(parent));
    archive_now(store, third, 8_500).await;
    let over = get(store, parent).await;
    assert_eq!(counts(&over), (3, 3, 0), "a child is counted when it ends, and then no more");
    let outcome = over.state.outcome().expect("it is over");
    assert_eq!((outcome.ending, outcome.ended), (Ending::Done, Timestamp(8_000)));
    assert_eq!(outcome.started, Some(Timestamp(5_000)));
}

pub async fn an_array_fails_with_a_child(store: &dyn Store) {
    let (parent, [first, second, third]) = three(store).await;
    end_now(store, first, Ending::Failed, 6_000).await;
    end_now(store, second, Ending::Done, 6_000).await;
    assert_eq!(end_now(store, third, Ending::OutOfMemory, 7_000).await, Some(parent));
    let over = get(store, parent).await;
    assert_eq!(counts(&over), (3, 3, 2));
    assert_eq!(over.state.outcome().map(|outcome| outcome.ending), Some(Ending::Failed));
}

pub async fn a_killed_array_is_killed(store: &dyn Store) {
    let (parent, all) = three(store).await;
    start_now(store, all[0], 5_000).await;
    let asked = ask(store, &[parent], Request::Kill(StopCause::User)).await;
    assert_eq!(asked, [parent, all[0], all[1], all[2]]);
    for id in all {
        end_now(store, id, Ending::Killed, 6_000).await;
    }
    let over = get(store, parent).await;
    assert_eq!(over.state.outcome().map(|outcome| outcome.ending), Some(Ending::Killed));
    assert_eq!(over.request, None, "what was asked is done");
}

pub async fn an_array_may_end_within_one_commit(store: &dyn Store) {
    let (parent, _) = three(store).await;
    let ends = children(store, parent).await.iter().map(|child| end(child, Ending::Done, 6_000)).collect();
    let applied = store.commit(ends).await.expect("the store commits");
    let over: Vec<_> = applied
        .iter()
        .map(|applied| match applied {
            Applied::Done { parent_over, .. } => *parent_over,
            Applied::Stale => panic!("nothing came between"),
        })
        .collect();
    assert_eq!(over, [None, None, Some(parent)]);
}

pub async fn a_new_spec_of_an_array_is_its_childrens(store: &dyn Store) {
    let (parent, [first, second, _]) = three(store).await;
    end_now(store, first, Ending::Done, 6_000).await;
    let before = get(store, second).await;
    let mut own = (*before.spec).clone();
    own.name = "its own".into();
    assert!(store.replace_spec(second, before.revision, own).await.expect("the store answers"));
    let whole = get(store, parent).await;
    let mut spec = (*whole.spec).clone();
    spec.name = "everyone's".into();
    spec.resources.cpu = Cores::whole(7);
    assert!(store.replace_spec(parent, whole.revision, spec).await.expect("the store answers"));
    let names: Vec<_> = children(store, parent).await.iter().map(|child| child.spec.name.clone()).collect();
    assert_eq!(names, ["everyone's", "its own", "everyone's"]);
    let rows = store.pending(parent, 10).await.expect("the store answers");
    let cpu: Vec<_> = rows.iter().map(|row| row.resources.cpu).collect();
    assert_eq!(cpu, [before.spec.resources.cpu, Cores::whole(7)]);
}

pub async fn removing_an_array_removes_its_children(store: &dyn Store) {
    let (parent, all) = three(store).await;
    let alone = submit(store, a_job()).await;
    for id in all {
        end_now(store, id, Ending::Done, 6_000).await;
    }
    assert!(store.remove(all[1]).await.expect("the store answers"));
    assert_eq!(children(store, parent).await.len(), 2);
    assert!(store.remove(parent).await.expect("the store answers"));
    let everything = JobFilter { with_children: true, ..JobFilter::default() };
    let left = store.list(&everything, Page::ALL).await.expect("the store answers");
    assert_eq!(left.iter().map(|job| job.id).collect::<Vec<_>>(), [alone]);
    assert_eq!(store.count(&everything).await.expect("the store answers"), 1);
}
