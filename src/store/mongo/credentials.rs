//! Sessions and personal tokens: `{_id: hash, id, user, kind, name, scope, created, expires}`.

use mongodb::bson::{Document, doc};

use super::error::corrupt;
use super::ops::{Done, Find, Ops};
use crate::domain::{Credential, CredentialKind, Scope, Timestamp, UserId};
use crate::store::Result;

pub const CREDENTIALS: &str = "god_credentials";

pub fn kind_text(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Session => "session",
        CredentialKind::Token => "token",
    }
}

pub fn credential_document(credential: &Credential) -> Document {
    doc! {
        "_id": &credential.hash,
        "id": &credential.id,
        "user": credential.user.as_str(),
        "kind": kind_text(credential.kind),
        "name": &credential.name,
        "scope": credential.scope.as_str(),
        "created": credential.created.0,
        "expires": credential.expires.map(|expires| expires.0),
    }
}

pub async fn credential(ops: &mut Ops<'_>, hash: &str) -> Done<Option<Credential>> {
    let found = ops.find_one(CREDENTIALS, doc! { "_id": hash }).await?;
    Ok(found.as_ref().map(read).transpose()?)
}

pub async fn credentials_of(ops: &mut Ops<'_>, user: &UserId, kind: CredentialKind) -> Done<Vec<Credential>> {
    let filter = doc! { "user": user.as_str(), "kind": kind_text(kind) };
    let find = Find { sort: Some(doc! { "created": -1, "id": 1 }), ..Find::all(filter) };
    Ok(ops.find(CREDENTIALS, find).await?.iter().map(read).collect::<Result<_>>()?)
}

fn read(document: &Document) -> Result<Credential> {
    let wrong = |error: &dyn ToString| corrupt("a credential", error.to_string());
    let text = |key| document.get_str(key).map_err(|error| wrong(&error));
    let scope = text("scope")?;
    Ok(Credential {
        hash: text("_id")?.to_owned(),
        id: text("id")?.to_owned(),
        user: text("user")?.parse().map_err(|error| wrong(&error))?,
        kind: if text("kind")? == "session" { CredentialKind::Session } else { CredentialKind::Token },
        name: text("name")?.to_owned(),
        scope: Scope::named(scope).ok_or_else(|| wrong(&format!("scope {scope}")))?,
        created: Timestamp(document.get_i64("created").map_err(|error| wrong(&error))?),
        expires: document.get("expires").and_then(|expires| expires.as_i64()).map(Timestamp),
    })
}
