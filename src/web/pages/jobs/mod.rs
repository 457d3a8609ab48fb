//! Lists of jobs: active and over.

mod archive;
mod get;

pub use archive::archive;
pub use get::get;
