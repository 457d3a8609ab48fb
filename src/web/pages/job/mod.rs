//! One job: what happens now, its output as it grows, its files, and what may be asked of it.

mod get;
mod post;
mod view;

pub use get::get;
pub use post::post;
