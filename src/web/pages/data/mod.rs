//! The upload space: what is there, uploads, folders, deleting.

mod get;
mod post;

pub use get::{get, root};
pub use post::{post, post_root};
