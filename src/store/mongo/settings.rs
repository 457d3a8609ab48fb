//! Small facts (`{_id: key, value}`), and signs of life (`{_id: id, body}`).

use mongodb::bson::{Document, doc};

use super::document::{body, to_json};
use super::error::corrupt;
use super::ops::{Done, Find, Ops};
use crate::domain::{ProcessStatus, Timestamp};
use crate::store::Result;

pub const SETTINGS: &str = "god_settings";
pub const PROCESSES: &str = "god_processes";

pub async fn setting(ops: &mut Ops<'_>, key: &str) -> Done<Option<String>> {
    let found = ops.find_one(SETTINGS, doc! { "_id": key }).await?;
    Ok(found.as_ref().map(value).transpose()?)
}

fn value(document: &Document) -> Result<String> {
    document.get_str("value").map(str::to_owned).map_err(|error| corrupt("a setting", error))
}

pub async fn put_setting(ops: &mut Ops<'_>, key: &str, value: &str) -> Done<()> {
    ops.upsert(SETTINGS, doc! { "_id": key }, doc! { "$set": { "value": value } }).await
}

/// Written and then read: of several at one moment a server may refuse all but one, or tell the others nothing.
pub async fn init_setting(ops: &mut Ops<'_>, key: &str, given: &str) -> Done<String> {
    match ops.upsert(SETTINGS, doc! { "_id": key }, doc! { "$setOnInsert": { "value": given } }).await {
        Err(fault) if fault.is_duplicate() => {}
        written => written?,
    }
    let found = setting(ops, key).await?;
    Ok(found.ok_or_else(|| corrupt(SETTINGS, format!("{key} was written and is not there")))?)
}

/// Answers the run that had this name before, if that was another.
pub async fn put_process(ops: &mut Ops<'_>, process: &ProcessStatus, run: &str) -> Done<Option<String>> {
    let body = to_json("a process", process)?;
    let update = doc! { "$set": { "body": body, "seen": process.seen.0, "run": run } };
    if ops.update_one(PROCESSES, doc! { "_id": &process.id, "run": run }, update.clone()).await? > 0 {
        return Ok(None);
    }
    let before = ops.find_one(PROCESSES, doc! { "_id": &process.id }).await?;
    ops.upsert(PROCESSES, doc! { "_id": &process.id }, update).await?;
    Ok(before.and_then(|before| before.get_str("run").map(str::to_owned).ok()))
}

/// The runs of processes that have died by `now`; each is answered once.
pub async fn take_dead(ops: &mut Ops<'_>, now: Timestamp) -> Done<Vec<String>> {
    let long_ago = now.0 - ProcessStatus::DEAD_AFTER.as_millis() as i64;
    let mut taken = Vec::new();
    for process in ops.find(PROCESSES, Find::all(doc! { "seen": { "$lt": long_ago } })).await? {
        let (Some(id), Ok(run)) = (process.get("_id"), process.get_str("run")) else { continue };
        let forget = doc! { "$unset": { "run": "" } };
        if ops.update_one(PROCESSES, doc! { "_id": id.clone(), "run": run }, forget).await? > 0 {
            taken.push(run.to_owned());
        }
    }
    Ok(taken)
}

pub async fn processes(ops: &mut Ops<'_>) -> Done<Vec<ProcessStatus>> {
    let find = Find { sort: Some(doc! { "_id": 1 }), ..Find::default() };
    let found = ops.find(PROCESSES, find).await?;
    Ok(found.iter().map(|process| body("a process", process, "body")).collect::<Result<_>>()?)
}

pub async fn remove_process(ops: &mut Ops<'_>, id: &str) -> Done<()> {
    ops.delete(PROCESSES, doc! { "_id": id }).await.map(drop)
}
