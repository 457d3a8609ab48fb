//! GoDocker: a multi-user batch system for scientific clusters.
//!
//! A user describes a job; GoDocker decides who runs when, runs it in a container under that user's own uid and gid,
//! keeps its files and shows it in a page. This crate is everything behind the two programs `go-d` (the server, every
//! role) and `god` (the users' client).
//!
//! The map, in the order in which imports may point (each module only at those before it):
//!
//! | module | what lives there |
//! |---|---|
//! | [`domain`] | what a job, a user, a project are, and how a job's state may change; knows no database and no HTTP |
//! | [`scheduling`] | decisions as pure functions: who runs next, where, and why not yet |
//! | [`config`] | go-d.ini, the environment, validation |
//! | [`measures`] | what is counted and timed: the table of metrics |
//! | [`store`] | the database behind small traits; SQLite |
//! | [`bus`] | typed messages between actors, in the process or over Redis |
//! | [`files`] | job directories and upload spaces, and safe access to files that users own |
//! | [`plugins`] | executors, policies, authentication, watchers, each behind a trait |
//! | [`telemetry`] | logs; metrics and readiness for those who read them |
//! | [`actors`] | what moves: messages in, a pure decision, an effect out |
//! | [`web`] | the HTTP API and the pages |
//! | [`ftp`] | upload spaces over FTP |
//! | [`client`] | the users' client `god` |
//! | [`process`] | privileges and signals of a daemon |
//! | [`accounts`] | `go-d user`: accounts by hand |
//! | [`upkeep`] | `go-d clean` and `go-d recount`: job files by hand |
//! | [`daemons`] | `go-d scheduler`, `watcher`, `archive`, `web`, `ftp` and their verbs |
//! | [`status`] | `go-d status` |
//! | [`bootstrap`] | the only place that wires everything |

pub mod accounts;
pub mod actors;
pub mod bootstrap;
pub mod bus;
pub mod client;
pub mod config;
pub mod daemons;
pub mod domain;
pub mod files;
pub mod ftp;
pub mod measures;
pub mod plugins;
pub mod process;
pub mod scheduling;
pub mod status;
pub mod store;
pub mod telemetry;
pub mod upkeep;
pub mod web;
