//! What a site may choose: executors, scheduling policies, authentication, watcher rules, each behind one small trait;
//! and the providers that its guests log in with.
//!
//! A kind of plugin is a folder with its trait in `mod.rs` and one file a plugin. [`registry`] maps the names of
//! go-d.ini to constructors; an unknown name is answered with those that are known.

pub mod auth;
pub mod executor;
pub mod guests;
pub mod registry;
pub mod status;
pub mod watcher;
