//! Templates of jobs that users keep: `{_id: "user id", user, name, body}`.

use mongodb::bson::doc;

use super::document::{body, to_json};
use super::ops::{Done, Find, Ops};
use crate::domain::UserId;
use crate::store::{Result, Template};

pub const TEMPLATES: &str = "god_templates";

fn key(user: &UserId, id: &str) -> String {
    format!("{user} {id}")
}

pub async fn of(ops: &mut Ops<'_>, user: &UserId) -> Done<Vec<Template>> {
    let find = Find { sort: Some(doc! { "name": 1 }), ..Find::all(doc! { "user": user.as_str() }) };
    let found = ops.find(TEMPLATES, find).await?;
    Ok(found.iter().map(|template| body("a template", template, "body")).collect::<Result<_>>()?)
}

/// Of several at once there may come to be a few more than `most`; names are held apart by an index.
pub async fn put(ops: &mut Ops<'_>, template: &Template, most: usize) -> Done<bool> {
    let id = key(&template.user, &template.id);
    let others = doc! { "user": template.user.as_str(), "_id": { "$ne": &id } };
    if ops.count(TEMPLATES, others).await? >= most as u64 {
        return Ok(false);
    }
    let document = doc! {
        "_id": &id, "user": template.user.as_str(), "name": &template.name, "body": to_json("a template", template)?,
    };
    match ops.replace(TEMPLATES, doc! { "_id": id }, document).await {
        Err(fault) if fault.is_duplicate() => Ok(false),
        put => put.map(|()| true),
    }
}

pub async fn remove(ops: &mut Ops<'_>, user: &UserId, id: &str) -> Done<bool> {
    Ok(ops.delete(TEMPLATES, doc! { "_id": key(user, id) }).await? > 0)
}
