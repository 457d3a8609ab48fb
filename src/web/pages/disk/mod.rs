//! What uses the reader's space, the largest first, to be archived from there.

mod get;

pub use get::get;
