//! Decisions, as pure functions: who runs next, where, and why not yet.
//!
//! Snapshot in, plan out. Nothing here waits, locks, logs or asks a clock: time is an argument. [`queue`] is the one
//! structure that lives on between passes, and it only holds what the scheduler actor told it; [`plan`] decides on it,
//! [`policy`] orders it, [`quotas`] and [`capacity`] say no with a reason, [`explain`] repeats the reason, [`preview`] says
//! it of a job that is not there yet.

pub mod capacity;
pub mod explain;
pub mod plan;
pub mod policy;
pub mod preview;
pub mod queue;
pub mod quotas;
pub mod synthetic;

#[cfg(test)]
mod tests;
