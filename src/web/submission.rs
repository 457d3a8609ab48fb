//! From what was sent to a valid job.
//!
//! Two steps, both pure: [`parse`] reads the document into a [`Draft`] and knows only the site's limits; [`grant`] turns
//! a draft into a [`JobSpec`] for one user of this site. Both collect every fault there is, with the path of its field.
//! Deliberately not here: who asks, the store, the disk ([`super::jobs`]).

mod grammar;
mod grant;
mod parse;
mod reader;
#[cfg(test)]
pub(crate) mod tests;
mod volumes;

use std::time::Duration;

pub use grammar::{array_spec, image_reference, lifespan, lifespan_text};
pub use grant::{Ground, Parent, check_paths, grant};
pub use parse::{MOST_TAGS, lifespan_value, parse, tags_of};
pub use volumes::{Offered, offered_to};

use crate::domain::{Acl, ArraySpec, Dependency, Label, ProjectId, Resources, TmpStorage, UserId};

/// What a document asks for, well formed; nothing in it is granted yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Who it is for, when the document says so.
    pub user: Option<UserId>,
    pub project: ProjectId,
    pub name: String,
    pub description: String,
    pub tags: Vec<String>,
    pub image: String,
    pub script: String,
    pub resources: Resources,
    pub array: Option<ArraySpec>,
    pub dependencies: Vec<Wanted<Dependency>>,
    pub labels: Vec<Label>,
    pub ports: Vec<u16>,
    pub retries: u32,
    pub executor: Option<String>,
    pub max_lifespan: Option<Duration>,
    pub volumes: Vec<Wanted<VolumeWish>>,
    pub network: bool,
    pub root: bool,
    pub notify_email: bool,
    pub tmp_storage: Option<TmpStorage>,
}

/// An element of a list, with the path it had in the document, for faults that are found later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<T> {
    pub field: String,
    pub what: T,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeWish {
    pub name: String,
    /// `None` takes what the site grants.
    pub acl: Option<Acl>,
}
