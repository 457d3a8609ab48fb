//! Lists of jobs: active and over.

mod get;

pub use get::{get, home};
