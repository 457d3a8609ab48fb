//! The audit log: `{_id: number, at, actor, address, action, subject, details}`.
//!
//! Numbers come from a counter that is raised in the transaction that writes the line, so that they rise as lines come
//! to be seen. Nothing here changes or deletes a line.

use mongodb::bson::{Document, doc};

use super::document::{from_json, to_json};
use super::error::corrupt;
use super::ops::{Done, Find, Ops};
use crate::domain::{AuditEntry, AuditLine, Timestamp};
use crate::store::{AuditFilter, Result};

pub const AUDIT: &str = "god_audit";
pub const COUNTER: &str = "audit";

pub async fn write(ops: &mut Ops<'_>, number: u64, entry: &AuditEntry) -> Done<()> {
    let line = doc! {
        "_id": number.cast_signed(),
        "at": entry.at.0,
        "actor": &entry.actor,
        "address": entry.address.clone(),
        "action": &entry.action,
        "subject": &entry.subject,
        "details": to_json("an audit line", &entry.details)?,
    };
    ops.insert(AUDIT, vec![line]).await
}

pub async fn lines(ops: &mut Ops<'_>, filter: &AuditFilter, limit: u64) -> Done<Vec<AuditLine>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let mut conditions = Document::new();
    if let Some(before) = filter.before {
        conditions.insert("_id", doc! { "$lt": i64::try_from(before).unwrap_or(i64::MAX) });
    }
    for (field, value) in [("actor", &filter.actor), ("subject", &filter.subject)] {
        if let Some(value) = value {
            conditions.insert(field, value.as_str());
        }
    }
    if let Some(action) = &filter.action {
        // All that begins with it and a dot: `/` follows the dot.
        let parts = doc! { "$gte": format!("{action}."), "$lt": format!("{action}/") };
        conditions.insert("$or", vec![doc! { "action": action }, doc! { "action": parts }]);
    }
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let find = Find { sort: Some(doc! { "_id": -1 }), limit: Some(limit), ..Find::all(conditions) };
    Ok(ops.find(AUDIT, find).await?.iter().map(read).collect::<Result<_>>()?)
}

fn read(line: &Document) -> Result<AuditLine> {
    let wrong = |error| corrupt("an audit line", error);
    let text = |key| line.get_str(key).map(str::to_owned).map_err(wrong);
    Ok(AuditLine {
        number: line.get_i64("_id").map_err(wrong)?.cast_unsigned(),
        entry: AuditEntry {
            at: Timestamp(line.get_i64("at").map_err(wrong)?),
            actor: text("actor")?,
            address: line.get_str("address").ok().map(str::to_owned),
            action: text("action")?,
            subject: text("subject")?,
            details: from_json("an audit line", &text("details")?)?,
        },
    })
}
