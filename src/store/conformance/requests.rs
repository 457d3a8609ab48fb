use super::builders::*;
use crate::domain::{Ending, Phase, Request, StopCause};
use crate::store::{Applied, Store};

pub async fn a_request_is_written_on_the_phases_named(store: &dyn Store) {
    let (pending, running, over) =
        (submit(store, a_job()).await, submit(store, a_job()).await, submit(store, a_job()).await);
    run_now(store, running, 2_000).await;
    end_now(store, over, Ending::Done, 2_000).await;
    let before = get(store, running).await;
    let all = [pending, running, over];
    assert_eq!(store.request(&all, Request::Suspend, &[Phase::Running]).await.expect("the store answers"), [running]);
    let asked = get(store, running).await;
    assert_eq!(asked.request, Some(Request::Suspend));
    assert!(asked.revision > before.revision);
    assert_eq!(commit(store, end(&before, Ending::Done, 3_000)).await, Applied::Stale);
    assert_eq!((get(store, pending).await.request, get(store, over).await.request), (None, None));
    let archive = store.request(&all, Request::Archive, &[Phase::Over]).await.expect("the store answers");
    assert_eq!(archive, [over]);
    assert!(store.request(&[], Request::Suspend, &Phase::ACTIVE).await.expect("the store answers").is_empty());
    assert!(store.request(&all, Request::Suspend, &[]).await.expect("the store answers").is_empty());
}

pub async fn nothing_replaces_a_kill(store: &dyn Store) {
    let id = submit(store, a_job()).await;
    for request in [Request::Suspend, Request::Kill(StopCause::TimeLimit)] {
        assert_eq!(ask(store, &[id], request).await, [id]);
        assert_eq!(get(store, id).await.request, Some(request));
    }
    let killed = get(store, id).await;
    for request in [Request::Resume, Request::Reschedule, Request::Kill(StopCause::User)] {
        assert!(ask(store, &[id], request).await.is_empty(), "{request:?} was said to be written");
        assert_eq!(get(store, id).await, killed);
    }
}

pub async fn a_request_reaches_the_children_of_an_array(store: &dyn Store) {
    let parent = submit(store, a_job().array(1, 3, 1)).await;
    let [first, second, third] = [1, 2, 3].map(|n| crate::domain::JobId(parent.0 + n));
    end_now(store, first, Ending::Done, 2_000).await;
    run_now(store, second, 2_000).await;
    let kill = Request::Kill(StopCause::User);
    let pending = store.request(&[parent], kill, &[Phase::Pending]).await.expect("the store answers");
    assert_eq!(pending, [third], "the parent runs, its first child is over, its second runs");
    assert_eq!(ask(store, &[parent, second], kill).await, [parent, second]);
    assert_eq!(get(store, first).await.request, None);
}

pub async fn a_spec_is_replaced_on_an_active_job_only(store: &dyn Store) {
    let id = submit(store, a_job().tagged(&["old"])).await;
    let job = get(store, id).await;
    let mut spec = (*job.spec).clone();
    spec.max_lifespan = None;
    spec.tags = vec!["new".into()];
    assert!(!store.replace_spec(id, job.revision + 1, spec.clone()).await.expect("the store answers"));
    assert_eq!(get(store, id).await, job);
    assert!(store.replace_spec(id, job.revision, spec.clone()).await.expect("the store answers"));
    let now = get(store, id).await;
    assert_eq!(*now.spec, spec);
    assert!(now.revision > job.revision);
    assert!(!store.replace_spec(id, job.revision, spec.clone()).await.expect("the store answers"));
    for (tag, found) in [("old", 0), ("new", 1)] {
        let filter = crate::store::JobFilter { tag: Some(tag.into()), ..Default::default() };
        assert_eq!(store.count(&filter).await.expect("the store answers"), found);
    }
    end_now(store, id, Ending::Done, 2_000).await;
    let over = get(store, id).await;
    assert!(!store.replace_spec(id, over.revision, spec).await.expect("the store answers"));
}

pub async fn only_what_is_over_is_removed(store: &dyn Store) {
    let id = submit(store, a_job().tagged(&["t"])).await;
    assert!(!store.remove(id).await.expect("the store answers"));
    run_now(store, id, 2_000).await;
    assert!(!store.remove(id).await.expect("the store answers"));
    end_now(store, id, Ending::Done, 3_000).await;
    archive_now(store, id, 4_000).await;
    assert!(store.remove(id).await.expect("the store answers"));
    assert!(!store.remove(id).await.expect("the store answers"));
    assert_eq!(store.job(id).await.expect("the store answers"), None);
}
