//! The files of a job: a directory as a list, a file as what it is.
//!
//! Text is shown here in windows ([`window`]) and looked through ([`search`]); pictures as such, where nothing runs; PDF
//! in a frame that is of no origin; everything else is a download. What a job wrote is never part of a page but as text.

mod get;
mod listing;
mod look;
mod search;
mod window;

pub use get::get;
pub use listing::{FileRow, file_rows};
