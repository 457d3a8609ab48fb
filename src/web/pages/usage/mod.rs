//! What was used, by day or month and project: pictures, a table, and the same for programs.

mod get;
mod periods;

pub use get::get;
pub(super) use periods::{Figure, Total, address, drawable, picture, total, totals};
