//! Executors against the machine they run on: the shared conformance suite, and what each promises beyond it.

mod docker;
mod engines;
mod native;
mod swarm;
