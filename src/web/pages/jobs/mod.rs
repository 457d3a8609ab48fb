//! Jobs as a list that is narrowed, sorted, and paged by cursors; an array is one row that opens.
//!
//! What the address says is [`asked`], what is set of it and how to take it away again [`chips`]; what is done with many
//! at once is [`many`], lists that are kept under a name [`saved`].

mod asked;
mod chips;
mod get;
mod many;
mod row;
mod saved;

pub use get::get;
pub use many::{archive, many};
pub use saved::save;
