//! Taking over a database that the original wrote: each of its documents gets its `god`, once.
//!
//! It can be killed at any moment and run again: what has `god` is done, and a document that is not understood stays as it
//! is, is told with its reason, and is tried again by the next run. Nothing is deleted but two secrets that the original
//! kept readable beside our hashes (`credentials.apikey`, and `password`, which moves). The original must not run meanwhile,
//! nor afterwards.
//!
//! Jobs that run are taken over as running. The original named their containers otherwise than we do, so that recovery
//! finds them gone: they end as a node failure, or start again where their `failure_policy` says so.

mod fields;
mod grammar;
mod job;
mod jobs;
mod people;

use std::fmt;

use mongodb::bson::{Bson, Document, doc};
use mongodb::{Client, Database};

use self::fields::{Fields, Reason};
use super::connect::{Mode, connect};
use super::document::{JOBS, OVER};
use super::ops::{Done, Find, Ops};
use super::people::{PROJECTS, USERS, project_fields, user_fields};
use super::{moves, prepare, submit};
use crate::domain::{Clock as _, SystemClock, Timestamp};
use crate::store::Result;

/// What a takeover came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub users: u64,
    pub projects: u64,
    pub pending: u64,
    pub running: u64,
    /// And archived.
    pub over: u64,
    /// What was not understood: collection, id and reason.
    pub left: Vec<Left>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Left {
    pub collection: &'static str,
    pub id: String,
    pub reason: String,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.collection, self.id, self.reason)
    }
}

impl Taken {
    pub fn is_nothing(&self) -> bool {
        *self == Taken::default()
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Taken { users, projects, pending, running, over, .. } = self;
        write!(f, "{users} users, {projects} projects, {pending} pending, {running} running and {over} over jobs")
    }
}

/// What a takeover must know of the site.
#[derive(Debug, Default)]
pub struct Site {
    /// The days of use that count for fair share and quotas.
    pub window: u32,
    /// Those configured, the first one's first. A running job of another is taken for one of the first: that one finds it
    /// gone, which nobody else would.
    pub executors: Vec<String>,
}

struct Run<'r> {
    site: &'r Site,
    client: &'r Client,
    db: &'r Database,
    mode: Mode,
    /// Use of days before this one counts no more.
    from_day: i64,
    taken: Taken,
}

impl Run<'_> {
    fn ops(&self) -> Ops<'_> {
        Ops::alone(self.db)
    }

    fn executor(&self, named: &str) -> String {
        let executors = &self.site.executors;
        let known = executors.is_empty() || executors.iter().any(|executor| executor == named);
        if known { named.to_owned() } else { executors[0].clone() }
    }

    fn leave(&mut self, collection: &'static str, document: &Document, reason: Reason) {
        let id = document.get("id").or(document.get("_id")).unwrap_or(&Bson::Null);
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        self.taken.left.push(Left { collection, id, reason });
    }
}

/// Makes the database ours.
///
/// # Errors
/// What kept it from being done; doing it again goes on with it.
pub async fn take_over(url: &str, db: &str, mode: Option<Mode>, site: &Site) -> Result<Taken> {
    let (client, db, mode) = connect(url, db, mode).await?;
    let from_day = SystemClock.now().day() - i64::from(site.window);
    let mut run = Run { site, client: &client, db: &db, mode, from_day, taken: Taken::default() };
    prepare::check_version(&mut run.ops()).await?;
    prepare::make_collections(&db).await?;
    raise_ids(&mut run.ops()).await?;
    moves::finish_older(&mut run.ops(), Timestamp(i64::MAX)).await?;
    accounts(&mut run).await?;
    let mut parents = Vec::new();
    for collection in [OVER, JOBS] {
        let keys = untouched(&mut run.ops(), collection).await?;
        parents.push((collection, jobs::take(&mut run, collection, keys, false).await?));
    }
    for (collection, keys) in parents {
        jobs::take(&mut run, collection, keys, true).await?;
    }
    prepare::make_ready(&db).await?;
    Ok(run.taken)
}

/// New jobs get numbers above all that are there, understood or not.
async fn raise_ids(ops: &mut Ops<'_>) -> Done<()> {
    for collection in [JOBS, OVER] {
        let highest = Find {
            filter: doc! { "id": { "$type": "number" } },
            projection: Some(doc! { "id": 1 }),
            sort: Some(doc! { "id": -1 }),
            limit: Some(1),
            ..Find::default()
        };
        for found in ops.find(collection, highest).await? {
            if let Some(id) = found.get("id").and_then(fields::whole).and_then(|id| i64::try_from(id).ok()) {
                submit::raise_counter(ops, id).await?;
            }
        }
    }
    Ok(())
}

/// Keys of the documents that nobody has taken over.
async fn untouched(ops: &mut Ops<'_>, collection: &str) -> Done<Vec<Bson>> {
    let find = Find {
        projection: Some(doc! { "_id": 1 }),
        sort: Some(doc! { "_id": 1 }),
        ..Find::all(doc! { "god": { "$exists": false } })
    };
    let found = ops.find(collection, find).await?;
    Ok(found.into_iter().filter_map(|mut document| document.remove("_id")).collect())
}

async fn accounts(run: &mut Run<'_>) -> Done<()> {
    for collection in [USERS, PROJECTS] {
        for key in untouched(&mut run.ops(), collection).await? {
            let fresh = doc! { "_id": key, "god": { "$exists": false } };
            let Some(document) = run.ops().find_one(collection, fresh.clone()).await? else { continue };
            let update = match account(collection, &document)? {
                Ok(update) => update,
                Err(reason) => {
                    run.leave(collection, &document, reason);
                    continue;
                }
            };
            match run.ops().update_one(collection, fresh, update).await {
                Ok(_) if collection == USERS => run.taken.users += 1,
                Ok(_) => run.taken.projects += 1,
                Err(fault) if fault.is_duplicate() => run.leave(collection, &document, "another has its id".into()),
                Err(fault) => return Err(fault),
            }
        }
    }
    Ok(())
}

/// Its `god`, and no more than that, but for secrets that have become hashes.
fn account(collection: &str, document: &Document) -> Result<std::result::Result<Document, Reason>> {
    let fields = if collection == USERS {
        match people::user(document, SystemClock.now()) {
            Ok(user) => user_fields(&user)?,
            Err(reason) => return Ok(Err(reason)),
        }
    } else {
        match people::project(document) {
            Ok(project) => project_fields(&project)?,
            Err(reason) => return Ok(Err(reason)),
        }
    };
    let mut update = doc! { "$set": { "god": fields.get("god").cloned() } };
    let readable = ["credentials.apikey", "password"].into_iter().filter(|path| Fields(document).get(path).is_some());
    let readable: Document =
        readable.filter(|_| collection == USERS).map(|path| (path.to_owned(), "".into())).collect();
    if !readable.is_empty() {
        update.insert("$unset", readable);
    }
    Ok(Ok(update))
}
