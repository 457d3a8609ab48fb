//! What finished jobs used, by day; the images that they ran; the bytes that their directories hold.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mongodb::bson::{Bson, Document, doc};

use super::document::OVER;
use super::error::corrupt;
use super::ops::{Done, Find, Ops, Update};
use super::outbox::{Outbox, Use};
use super::transact::{Verdict, Work};
use crate::domain::usage::{DailyUsage, Usage};
use crate::domain::{Phase, ProjectId, UserId};
use crate::store::{Result, UsageRow};

/// `{_id: "day user project", day, user, project, cpu, ram, gpus, seconds, jobs}`
pub const LEDGER: &str = "god_ledger";
/// `{_id: image, uses}`
pub const IMAGES: &str = "god_images";
/// `{_id: user, bytes}`
pub const DISK: &str = "god_disk";

/// What a transaction adds, summed up by the rows it goes to.
#[derive(Default)]
pub struct Totals {
    rows: BTreeMap<(i64, UserId, ProjectId), Usage>,
    images: BTreeMap<String, i64>,
    disk: BTreeMap<UserId, i64>,
}

impl Totals {
    pub fn add(&mut self, user: &UserId, news: &Outbox) {
        if let Some(charge) = &news.charge {
            self.charge(charge);
        }
        self.held(user, news.disk);
    }

    pub fn charge(&mut self, charge: &Use) {
        let used = usage_of(charge);
        let row = self.rows.entry((charge.day, charge.user.clone(), charge.project.clone())).or_default();
        *row = row.plus(used);
        *self.images.entry(charge.image.clone()).or_default() += 1;
    }

    pub fn held(&mut self, user: &UserId, bytes: i64) {
        if bytes != 0 {
            *self.disk.entry(user.clone()).or_default() += bytes;
        }
    }

    pub async fn write(self, ops: &mut Ops<'_>) -> Done<()> {
        let rows = self.rows.into_iter().map(|((day, user, project), usage)| Update {
            filter: doc! { "_id": row_id(day, &user, &project) },
            update: doc! { "$inc": increments(usage), "$setOnInsert": row_key(day, &user, &project) },
            upsert: true,
        });
        ops.updates(LEDGER, rows.collect()).await?;
        let counted = |(id, n): (String, i64), field: &str| Update {
            filter: doc! { "_id": id },
            update: doc! { "$inc": { field: n } },
            upsert: true,
        };
        ops.updates(IMAGES, self.images.into_iter().map(|image| counted(image, "uses")).collect()).await?;
        let disk = self.disk.into_iter().map(|(user, bytes)| counted((user.to_string(), bytes), "bytes"));
        ops.updates(DISK, disk.collect()).await
    }
}

pub fn usage_of(charge: &Use) -> Usage {
    Usage { cpu: charge.cpu, ram: charge.ram, gpu: charge.gpus, time: charge.seconds, jobs: 1 }
}

pub fn increments(usage: Usage) -> Document {
    let jobs = usage.jobs.cast_signed();
    doc! { "cpu": usage.cpu, "ram": usage.ram, "gpus": usage.gpu, "seconds": usage.time, "jobs": jobs }
}

pub fn row_id(day: i64, user: &UserId, project: &ProjectId) -> String {
    format!("{day} {user} {project}")
}

pub fn row_key(day: i64, user: &UserId, project: &ProjectId) -> Document {
    doc! { "day": day, "user": user.as_str(), "project": project.as_str() }
}

pub async fn images(ops: &mut Ops<'_>, limit: usize) -> Done<Vec<String>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    if limit == 0 {
        return Ok(Vec::new());
    }
    let find = Find { sort: Some(doc! { "uses": -1, "_id": 1 }), limit: Some(limit), ..Find::default() };
    let found = ops.find(IMAGES, find).await?;
    Ok(found.iter().filter_map(|image| image.get_str("_id").ok().map(str::to_owned)).collect())
}

/// Of the days since `from_day`, those where `field` is `name`.
pub async fn days(ops: &mut Ops<'_>, field: &str, name: &str, from_day: i64) -> Done<Vec<DailyUsage>> {
    let stages = vec![
        doc! { "$match": { field: name, "day": { "$gte": from_day } } },
        doc! { "$group": summed("$day") },
        doc! { "$sort": { "_id": 1 } },
    ];
    let rows = ops.aggregate(LEDGER, stages).await?;
    let day = |row: &Document| Ok(DailyUsage { day: integer(row, "_id")?, usage: usage(row)? });
    Ok(rows.iter().map(day).collect::<Result<_>>()?)
}

pub async fn rows(
    ops: &mut Ops<'_>,
    user: Option<&UserId>,
    project: Option<&ProjectId>,
    from_day: i64,
    to_day: i64,
) -> Done<Vec<UsageRow>> {
    let mut filter = doc! { "day": { "$gte": from_day, "$lte": to_day } };
    if let Some(user) = user {
        filter.insert("user", user.as_str());
    }
    if let Some(project) = project {
        filter.insert("project", project.as_str());
    }
    let find = Find { sort: Some(doc! { "day": 1, "user": 1, "project": 1 }), ..Find::all(filter) };
    let row = |row: &Document| {
        Ok(UsageRow {
            day: integer(row, "day")?,
            user: name(row, "user")?,
            project: name(row, "project")?,
            usage: usage(row)?,
        })
    };
    Ok(ops.find(LEDGER, find).await?.iter().map(row).collect::<Result<_>>()?)
}

pub async fn by_pair(ops: &mut Ops<'_>, from_day: i64) -> Done<Vec<(UserId, ProjectId, Usage)>> {
    let stages = vec![
        doc! { "$match": { "day": { "$gte": from_day } } },
        doc! { "$group": summed(doc! { "user": "$user", "project": "$project" }) },
        doc! { "$sort": { "_id.user": 1, "_id.project": 1 } },
    ];
    let rows = ops.aggregate(LEDGER, stages).await?;
    let pair = |row: &Document| {
        let names = row.get_document("_id").map_err(|error| corrupt(LEDGER, error))?;
        Ok((name(names, "user")?, name(names, "project")?, usage(row)?))
    };
    Ok(rows.iter().map(pair).collect::<Result<_>>()?)
}

fn summed(by: impl Into<Bson>) -> Document {
    let mut group = doc! { "_id": by.into() };
    for field in ["cpu", "ram", "gpus", "seconds", "jobs"] {
        group.insert(field, doc! { "$sum": format!("${field}") });
    }
    group
}

/// One row a user: they are all read.
pub async fn disk_use(ops: &mut Ops<'_>) -> Done<Vec<(UserId, u64)>> {
    let rows = ops.find(DISK, Find::default()).await?;
    let one = |row: &Document| Ok((name(row, "_id")?, integer(row, "bytes")?));
    let all = rows.iter().map(one).collect::<Result<Vec<_>>>()?;
    Ok(all.into_iter().filter(|(_, bytes)| *bytes > 0).map(|(user, bytes)| (user, bytes.cast_unsigned())).collect())
}

pub async fn disk_use_of(ops: &mut Ops<'_>, user: &UserId) -> Done<u64> {
    let row = ops.find_one(DISK, doc! { "_id": user.to_string() }).await?;
    let bytes = row.map(|row| integer(&row, "bytes")).transpose()?;
    Ok(bytes.unwrap_or(0).max(0).cast_unsigned())
}

/// What directories of over jobs hold, as their records say. On a server on its own an end may fall between the reading
/// and the writing: the next recount has it.
pub struct RecountDisk;

impl RecountDisk {
    pub async fn write(&self, ops: &mut Ops<'_>) -> Done<()> {
        let over = doc! { "$match": { "god.ended": { "$gte": 0i64 }, "god.phase": Phase::Over as i32 } };
        let sum = doc! { "$group": { "_id": "$god.user", "bytes": { "$sum": "$god.state.disk_bytes" } } };
        let mut bytes: BTreeMap<String, i64> = BTreeMap::new();
        for row in ops.find(DISK, Find::default()).await? {
            bytes.insert(name::<UserId>(&row, "_id")?.to_string(), 0);
        }
        for row in ops.aggregate(OVER, vec![over, sum]).await? {
            bytes.insert(name::<UserId>(&row, "_id")?.to_string(), integer(&row, "bytes")?);
        }
        for (user, bytes) in bytes {
            ops.upsert(DISK, doc! { "_id": user }, doc! { "$set": { "bytes": bytes } }).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Work for RecountDisk {
    type Answer = ();

    async fn run(&self, ops: &mut Ops<'_>) -> Done<Verdict<()>> {
        self.write(ops).await.map(Verdict::Keep)
    }
}

fn usage(row: &Document) -> Result<Usage> {
    let number = |key| real(row, key);
    Ok(Usage {
        cpu: number("cpu")?,
        ram: number("ram")?,
        gpu: number("gpus")?,
        time: number("seconds")?,
        jobs: integer(row, "jobs")?.cast_unsigned(),
    })
}

fn name<T: std::str::FromStr<Err: ToString>>(row: &Document, key: &str) -> Result<T> {
    let text = row.get_str(key).map_err(|error| corrupt(LEDGER, error))?;
    text.parse().map_err(|error: T::Err| corrupt(LEDGER, error))
}

/// Sums of whole numbers may come in either width.
fn integer(row: &Document, key: &str) -> Result<i64> {
    match row.get(key) {
        Some(Bson::Int64(n)) => Ok(*n),
        Some(Bson::Int32(n)) => Ok(i64::from(*n)),
        Some(Bson::Double(n)) => Ok(*n as i64),
        other => Err(corrupt(LEDGER, format!("{key}: expected a whole number, got {other:?}"))),
    }
}

fn real(row: &Document, key: &str) -> Result<f64> {
    match row.get(key) {
        Some(Bson::Double(n)) => Ok(*n),
        Some(Bson::Int64(n)) => Ok(*n as f64),
        Some(Bson::Int32(n)) => Ok(f64::from(*n)),
        other => Err(corrupt(LEDGER, format!("{key}: expected a number, got {other:?}"))),
    }
}
