//! What a daemon is to the host: privileges, the host's users, signals.
//!
//! Deliberately not here: who may do what in GoDocker (`web::access`); this only asks the host.

pub mod privileges;
pub mod signals;
pub mod system_user;

pub use privileges::is_root;
pub use signals::shutdown_requested;
pub use system_user::{SystemUser, SystemUserError, by_name, by_uid, first_administrator_maps_to};
