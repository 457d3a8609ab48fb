//! What must be there before the store is used, and what must not.

use mongodb::Database;
use mongodb::bson::doc;
use mongodb::error::ErrorKind;

use super::account_lock::LOCK;
use super::document::{JOBS, OVER, SPECS};
use super::fence::COUNTERS;
use super::indexes;
use super::ledger::DISK;
use super::ops::{Done, Find, Ops};
use super::people::{PROJECTS, USERS};
use super::settings::{self, SETTINGS};
use crate::store::{Result, StoreError};

/// The version of our documents.
const VERSION: i64 = 1;
const SCHEMA: &str = "schema";

/// Refuses a database of a later version, and one of the original's that was not taken over.
pub async fn check(ops: &mut Ops<'_>) -> Result<()> {
    match settings::setting(ops, SCHEMA).await? {
        Some(version) => known(&version),
        None if is_the_originals(ops).await? => Err(StoreError::NotTakenOver),
        None => Ok(()),
    }
}

/// For [`super::takeover`], which comes before there is a version.
pub async fn check_version(ops: &mut Ops<'_>) -> Result<()> {
    settings::setting(ops, SCHEMA).await?.map_or(Ok(()), |version| known(&version))
}

fn known(version: &str) -> Result<()> {
    match version.parse() {
        Ok(found) if found > VERSION => Err(StoreError::TooNew { found, known: VERSION }),
        Ok(_) => Ok(()),
        Err(error) => Err(super::error::corrupt(SETTINGS, error)),
    }
}

async fn is_the_originals(ops: &mut Ops<'_>) -> Done<bool> {
    for collection in [USERS, JOBS, OVER, PROJECTS] {
        let any = Find { limit: Some(1), ..Find::all(doc! { "god": { "$exists": false } }) };
        if !ops.find(collection, any).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Collections, indexes, counters, and last the version: from then on it is ours.
pub async fn make_ready(db: &Database) -> Result<()> {
    make_collections(db).await?;
    let ops = &mut Ops::alone(db);
    settings::init_setting(ops, SCHEMA, &VERSION.to_string()).await?;
    Ok(())
}

pub async fn make_collections(db: &Database) -> Result<()> {
    indexes::make(db).await?;
    // A transaction of an older server cannot make one.
    for collection in [SPECS, DISK, SETTINGS, COUNTERS, settings::PROCESSES] {
        match db.create_collection(collection).await {
            Err(error) if !is_there(&error) => return Err(error.into()),
            _ => {}
        }
    }
    let ops = &mut Ops::alone(db);
    for (counter, start) in [
        ("jobs", doc! { "n": 0i64 }),
        ("audit", doc! { "n": 0i64 }),
        ("fence", doc! { "n": 0i64 }),
        (LOCK, doc! { "until": 0i64 }),
    ] {
        match ops.upsert(COUNTERS, doc! { "_id": counter }, doc! { "$setOnInsert": start }).await {
            // Two processes that start at one moment.
            Err(fault) if fault.is_duplicate() => {}
            made => made?,
        }
    }
    Ok(())
}

fn is_there(error: &mongodb::error::Error) -> bool {
    const NAMESPACE_EXISTS: i32 = 48;
    matches!(error.kind.as_ref(), ErrorKind::Command(error) if error.code == NAMESPACE_EXISTS)
}
