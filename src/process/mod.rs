//! What a daemon is to the host: pid files, privileges, the host's users, signals.
//!
//! Deliberately not here: who may do what in GoDocker (`web::access`); this only asks the host.

pub mod daemon;
pub mod privileges;
pub mod signals;
pub mod system_user;

pub use privileges::is_root;
pub use signals::shutdown_requested;
pub use system_user::{SystemUser, SystemUserError, by_name, by_uid, first_administrator_maps_to};

use std::net::SocketAddr;

use crate::domain::{ProcessRole, ProcessStatus, Timestamp};

/// What this process says of itself. Its id is GOD_PROCID, or made of role, host and pid.
pub fn status(role: ProcessRole, started: Timestamp) -> ProcessStatus {
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let host = host.unwrap_or_else(|| "localhost".to_owned());
    let pid = std::process::id();
    let made_up = || format!("{}-{host}-{pid}", role.as_str());
    ProcessStatus {
        id: process_id().unwrap_or_else(made_up),
        role,
        host,
        pid,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        seen: started,
        address: None,
        leader: false,
    }
}

/// How others reach `address` of this host: by its name, where it listens on all of the host's addresses.
pub fn reachable(status: &ProcessStatus, address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("{}:{}", status.host, address.port()) } else { address.to_string() }
}

/// GOD_PROCID, where it is set.
pub fn process_id() -> Option<String> {
    std::env::var("GOD_PROCID").ok().filter(|id| !id.is_empty())
}
