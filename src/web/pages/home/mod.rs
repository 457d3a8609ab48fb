//! The start page: what my jobs do, what I may still use, what came out.
//!
//! A handful of questions whatever there is, and none for each job.

mod allowed;
mod get;

pub(super) use allowed::{Gauge, gauges};
pub use get::get;
