//! What uses the reader's space, the largest first, to be archived from there.

mod get;
mod post;

pub use get::get;
pub use post::post;
