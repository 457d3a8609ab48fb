//! The integration tests: one binary, real processes, real engines.
//!
//! `support` starts servers and speaks to them; each other module is a part of what GoDocker promises. They need what
//! `scripts/with-services` starts: run them by `make test`.

mod access;
mod architecture;
mod bad_input;
mod browser;
mod cleaning;
mod client;
mod client_people;
mod cluster;
mod cluster_page;
mod data;
mod data_story;
mod docker_jobs;
mod executors;
mod faults;
mod files;
mod ftp;
mod guests;
mod install;
mod job_pages;
mod job_use;
mod ldap;
mod life;
mod mongo;
mod old_client;
mod pages;
mod pages_admin;
mod pages_faults;
mod pages_home;
mod pages_new;
mod pages_own;
mod people;
mod redis;
mod schemathesis;
mod secrets;
mod soak;
mod starting;
mod status;
mod support;
mod swarm_jobs;
