//! Adding to a row once, on a server without transactions: the row remembers the last keys that it was told.

use mongodb::bson::{Bson, Document, doc};

use super::ledger::{DISK, IMAGES, LEDGER, increments, row_id, row_key, usage_of};
use super::ops::{Done, Ops};
use super::outbox::{Outbox, Use};
use crate::domain::UserId;

/// How many keys a row remembers. What is taken up again after more than that came between is counted twice; `repair`
/// comes within seconds.
pub const REMEMBERED: i32 = 1_000;

/// `$push` of a key to a list that remembers.
pub fn remember(list: &str, key: &str) -> Document {
    doc! { list: { "$each": [key], "$slice": -REMEMBERED } }
}

pub async fn effects(ops: &mut Ops<'_>, user: &UserId, outbox: &Outbox) -> Done<()> {
    if let Some(charge) = &outbox.charge {
        charged(ops, charge, &outbox.key).await?;
    }
    held(ops, user, outbox.disk, &outbox.key).await
}

async fn charged(ops: &mut Ops<'_>, charge: &Use, key: &str) -> Done<()> {
    let (day, user, project) = (charge.day, &charge.user, &charge.project);
    let row = row_key(day, user, project);
    add_once(ops, LEDGER, &row_id(day, user, project), key, increments(usage_of(charge)), row).await?;
    add_once(ops, IMAGES, &charge.image, key, doc! { "uses": 1i64 }, Document::new()).await
}

pub async fn held(ops: &mut Ops<'_>, user: &UserId, bytes: i64, key: &str) -> Done<()> {
    if bytes == 0 {
        return Ok(());
    }
    add_once(ops, DISK, user.as_str(), key, doc! { "bytes": bytes }, Document::new()).await
}

async fn add_once(
    ops: &mut Ops<'_>,
    collection: &str,
    id: &str,
    key: &str,
    add: Document,
    of_a_new_one: Document,
) -> Done<()> {
    loop {
        let fresh = doc! { "_id": id, "applied": { "$ne": key } };
        let update = doc! { "$inc": add.clone(), "$push": remember("applied", key) };
        if ops.update_one(collection, fresh, update).await? > 0 {
            return Ok(());
        }
        match ops.find_one(collection, doc! { "_id": id }).await? {
            Some(row) if knows(&row, key) => return Ok(()),
            // Made by somebody else meanwhile.
            Some(_) => {}
            None => {
                let mut row = doc! { "_id": id, "applied": [key] };
                row.extend(of_a_new_one.clone());
                row.extend(add.clone());
                match ops.insert(collection, vec![row]).await {
                    Err(fault) if fault.is_duplicate() => {}
                    inserted => return inserted,
                }
            }
        }
    }
}

fn knows(row: &Document, key: &str) -> bool {
    row.get_array("applied").is_ok_and(|keys| keys.contains(&Bson::from(key)))
}
