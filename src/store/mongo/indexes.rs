//! Indexes: one for whatever a page, a pass or a recovery asks. Making them again does nothing.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Database, IndexModel};

use super::audit::AUDIT;
use super::credentials::CREDENTIALS;
use super::document::{JOBS, OVER};
use super::journal::JOURNAL;
use super::ledger::{IMAGES, LEDGER};
use super::people::{PROJECTS, USERS};
use super::samples::SAMPLES;
use super::sessions::{self, SESSIONS};
use super::settings::PROCESSES;
use super::templates::TEMPLATES;
use crate::store::Result;

/// What the original wrote has no `god`, and is not in a sparse one.
fn unique(keys: Document) -> IndexModel {
    IndexModel::builder().keys(keys).options(IndexOptions::builder().unique(true).sparse(true).build()).build()
}

fn on(keys: Document) -> IndexModel {
    IndexModel::builder().keys(keys).build()
}

/// Only where `field` is.
fn where_there_is(field: &str, keys: Document) -> IndexModel {
    let only = doc! { field: { "$exists": true } };
    IndexModel::builder().keys(keys).options(IndexOptions::builder().partial_filter_expression(only).build()).build()
}

/// By a round of the server's own.
fn forgotten_after(age: Duration, keys: Document) -> IndexModel {
    IndexModel::builder().keys(keys).options(IndexOptions::builder().expire_after(age).build()).build()
}

fn all() -> Vec<(&'static str, Vec<IndexModel>)> {
    let both = || {
        vec![
            unique(doc! { "god.id": 1 }),
            on(doc! { "god.parent": 1, "god.id": 1 }),
            on(doc! { "god.top": 1, "god.id": 1 }),
            on(doc! { "god.user": 1, "god.top": 1, "god.id": 1 }),
            on(doc! { "god.project": 1, "god.top": 1, "god.id": 1 }),
            on(doc! { "god.tags": 1, "god.id": 1 }),
            on(doc! { "god.terms": 1, "god.id": 1 }),
            on(doc! { "god.user": 1, "god.terms": 1, "god.id": 1 }),
            on(doc! { "god.top": 1, "god.submitted": 1, "god.id": 1 }),
            where_there_is("god.node", doc! { "god.node": 1, "god.id": 1 }),
            where_there_is("god.request", doc! { "god.request": 1, "god.id": 1 }),
        ]
    };
    let mut jobs = both();
    jobs.push(on(doc! { "god.phase": 1, "god.id": 1 }));
    jobs.push(on(doc! { "god.user": 1, "god.phase": 1, "god.id": 1 }));
    jobs.push(where_there_is("god.outbox", doc! { "god.outbox.at": 1 }));
    let mut over = both();
    over.extend([
        on(doc! { "god.top": 1, "god.ended": 1, "god.id": 1 }),
        on(doc! { "god.user": 1, "god.top": 1, "god.ended": 1, "god.id": 1 }),
        on(doc! { "god.project": 1, "god.top": 1, "god.ended": 1, "god.id": 1 }),
        on(doc! { "god.ended": 1, "god.id": 1 }),
        on(doc! { "god.top": 1, "god.ending": 1, "god.id": 1 }),
        on(doc! { "god.user": 1, "god.top": 1, "god.ending": 1, "god.id": 1 }),
        on(doc! { "god.top": 1, "god.ran": 1, "god.id": 1 }),
        on(doc! { "god.user": 1, "god.top": 1, "god.ran": 1, "god.id": 1 }),
        where_there_is("god.outbox", doc! { "god.outbox.at": 1 }),
    ]);
    let identity = doc! { "god.identity.issuer": 1, "god.identity.subject": 1 };
    let one_identity = IndexOptions::builder()
        .unique(true)
        .partial_filter_expression(doc! { "god.identity.subject": { "$exists": true } })
        .build();
    let one_name = IndexOptions::builder().unique(true).build();
    let template_name = IndexModel::builder().keys(doc! { "user": 1, "name": 1 }).options(one_name).build();
    vec![
        (JOBS, jobs),
        (OVER, over),
        (USERS, vec![unique(doc! { "god.id": 1 }), IndexModel::builder().keys(identity).options(one_identity).build()]),
        (PROJECTS, vec![unique(doc! { "god.id": 1 }), on(doc! { "god.members": 1 })]),
        (CREDENTIALS, vec![on(doc! { "user": 1, "kind": 1, "created": -1 }), on(doc! { "expires": 1 })]),
        (AUDIT, ["actor", "subject", "action"].map(|field| on(doc! { field: 1, "_id": -1 })).into()),
        (LEDGER, vec![on(doc! { "user": 1, "day": 1 }), on(doc! { "project": 1, "day": 1 }), on(doc! { "day": 1 })]),
        (TEMPLATES, vec![template_name]),
        (IMAGES, vec![on(doc! { "uses": -1, "_id": 1 })]),
        (JOURNAL, vec![on(doc! { "kind": 1, "at": 1 })]),
        (SESSIONS, vec![on(doc! { "run": 1 }), forgotten_after(sessions::FORGET, doc! { "at": 1 })]),
        (PROCESSES, vec![on(doc! { "seen": 1 })]),
        (SAMPLES, vec![on(doc! { "job": 1, "attempt": 1 })]),
    ]
}

pub async fn make(db: &Database) -> Result<()> {
    for (collection, indexes) in all() {
        db.collection::<Document>(collection).create_indexes(indexes).await?;
    }
    Ok(())
}
