//! What users keep in order: tags, templates, and the rows of the ledger.

use serde_json::json;

use super::builders::*;
use crate::domain::{Ending, JobId, ProjectId, Timestamp, UserId};
use crate::store::search::{JobSearch, Start};
use crate::store::{AccountChange, Change, Changed, Store, Template};

fn texts(tags: &[&str]) -> Vec<String> {
    tags.iter().map(ToString::to_string).collect()
}

async fn retag(store: &dyn Store, ids: &[JobId], add: &[&str], remove: &[&str]) -> Vec<JobId> {
    store.retag(ids, &texts(add), &texts(remove)).await.expect("the store answers")
}

async fn tagged(store: &dyn Store, tag: &str) -> Vec<JobId> {
    let search = JobSearch { tag: Some(tag.into()), ascending: true, ..JobSearch::default() };
    let found = store.search(&search, Start::First, 50).await.expect("the store answers");
    found.jobs.iter().map(|job| job.id).collect()
}

pub async fn tags_change_in_every_state(store: &dyn Store) {
    let pending = submit(store, a_job().tagged(&["old", "kept"])).await;
    let running = submit(store, a_job()).await;
    run_now(store, running, 2_000).await;
    let archived = submit(store, a_job().tagged(&["old"])).await;
    end_now(store, archived, Ending::Done, 3_000).await;
    archive_now(store, archived, 4_000).await;
    let before = get(store, pending).await;
    let all = [pending, running, archived];
    let unknown = JobId(9_999);
    assert_eq!(retag(store, &[archived, pending, unknown, running], &["new"], &["old"]).await, all);
    assert_eq!(tagged(store, "new").await, all);
    assert_eq!(tagged(store, "old").await, []);
    let after = get(store, pending).await;
    assert_eq!(after.spec.tags, ["kept", "new"]);
    assert_eq!((&after.spec.script, &after.state), (&before.spec.script, &before.state));
    assert!(after.revision > before.revision, "whoever changes it meanwhile must look again");
    assert_eq!(retag(store, &all, &["new"], &[]).await, all);
    assert_eq!(get(store, pending).await.revision, after.revision, "it was as wanted already");
    assert!(!store.replace_spec(pending, before.revision, (*before.spec).clone()).await.expect("the store answers"));
}

pub async fn tags_of_an_array_are_its_childrens(store: &dyn Store) {
    let parent = submit(store, a_job().tagged(&["old"]).array(1, 2, 1)).await;
    let child = JobId(parent.0 + 1);
    end_now(store, child, Ending::Done, 2_000).await;
    assert_eq!(retag(store, &[child], &["new"], &[]).await, [], "a child has its parent's");
    assert_eq!(retag(store, &[parent], &["new"], &["old"]).await, [parent]);
    assert_eq!(get(store, child).await.spec.tags, ["new"]);
    let with_children = |tag: &str| crate::store::JobFilter {
        tag: Some(tag.into()),
        with_children: true,
        ..crate::store::JobFilter::default()
    };
    assert_eq!(store.count(&with_children("new")).await.expect("the store answers"), 3);
    assert_eq!(store.count(&with_children("old")).await.expect("the store answers"), 0);
}

fn template(user: &str, id: &str, text: &str) -> Template {
    let document = json!({ "meta": { "name": text }, "$x.y": [1.5, null] });
    let (created, changed) = (Timestamp(1), Timestamp(2));
    Template { user: name(user), id: id.into(), name: text.into(), document, created, changed }
}

pub async fn templates_are_a_users_own(store: &dyn Store) {
    let put = async |template: &Template| store.put_template(template, 2).await.expect("the store answers");
    let of = async |user: &str| store.templates(&name(user)).await.expect("the store answers");
    let (blast, align) = (template("ann", "1", "blast"), template("ann", "2", "align"));
    assert!(put(&blast).await && put(&align).await);
    assert!(put(&template("bob", "1", "blast")).await, "another's name is free");
    assert_eq!(of("ann").await, [align.clone(), blast.clone()]);
    assert!(!put(&template("ann", "3", "third")).await, "she has two");
    let renamed = Template { name: "map".into(), changed: Timestamp(3), ..align };
    assert!(put(&renamed).await);
    assert!(!put(&Template { name: "blast".into(), ..renamed.clone() }).await, "one has that name");
    assert_eq!(of("ann").await, [blast, renamed]);
    assert!(store.remove_template(&name("ann"), "1").await.expect("the store answers"));
    assert!(!store.remove_template(&name("ann"), "1").await.expect("the store answers"));
    assert_eq!((of("ann").await.len(), of("bob").await.len()), (1, 1));
    let removed = store.change(vec![AccountChange::RemoveUser(name("ann"))], Vec::new()).await;
    assert_eq!(removed.expect("the store answers"), Changed::Done);
    assert_eq!((of("ann").await.len(), of("bob").await.len()), (0, 1), "they go with their user");
}

pub async fn ledger_rows_are_narrowed(store: &dyn Store) {
    for (n, (user, project, day)) in
        [("ann", "rna", 10), ("ann", "rna", 10), ("ann", "default", 12), ("bob", "rna", 11)].into_iter().enumerate()
    {
        let id = submit(store, a_job().of(user, project)).await;
        let job = get(store, id).await;
        let ended = Change { charge: Some(charge(&job, day)), ..end(&job, Ending::Done, 2_000 + n as i64) };
        commit(store, ended).await;
    }
    let (ann, rna): (UserId, ProjectId) = (name("ann"), name("rna"));
    let rows = async |user: Option<&UserId>, project: Option<&ProjectId>, from, to| {
        let rows = store.usage_rows(user, project, from, to).await.expect("the store answers");
        rows.iter()
            .map(|row| (row.day, row.user.to_string(), row.project.to_string(), row.usage.jobs))
            .collect::<Vec<_>>()
    };
    let line = |day: i64, user: &str, project: &str, jobs: u64| (day, user.to_owned(), project.to_owned(), jobs);
    let (first, second, third) = (line(10, "ann", "rna", 2), line(11, "bob", "rna", 1), line(12, "ann", "default", 1));
    assert_eq!(rows(None, None, 10, 12).await, [first.clone(), second.clone(), third.clone()]);
    assert_eq!(rows(None, None, 11, 11).await, std::slice::from_ref(&second));
    assert_eq!(rows(Some(&ann), None, 0, 99).await, [first.clone(), third]);
    assert_eq!(rows(None, Some(&rna), 0, 99).await, [first.clone(), second]);
    assert_eq!(rows(Some(&ann), Some(&rna), 0, 99).await, [first]);
}
