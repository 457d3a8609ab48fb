//! One job: what happens now, when what happened, its output as it grows, its files, what it waits for, how to have it
//! again, and what may be asked of it.

mod get;
mod graph;
mod output;
mod post;
mod repeat;
mod timeline;
mod used;
mod view;

pub use get::get;
pub use post::post;
