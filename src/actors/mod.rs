//! (being written)
pub mod archive;
pub mod notify;
