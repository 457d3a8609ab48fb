//! What a process tells of itself to those who look after it: [`logs`], [`exposition`] (metrics, and whether it is
//! ready), and a [`listener`] for the roles that serve nothing else.
//!
//! Deliberately not here: what is counted and when (`measures`), and that a process lives (`actors::presence`).

pub mod exposition;
pub mod listener;
pub mod logs;
pub mod site;

pub use exposition::Exposition;
pub use logs::init;
