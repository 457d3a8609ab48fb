//! The host's users (NSS): whose uid and groups jobs run under.

use std::ffi::CString;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::unistd::{Gid, Uid, User, geteuid, getgrouplist};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemUser {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    /// Secondary groups, without `gid`.
    pub groups: Vec<u32>,
    pub home: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum SystemUserError {
    #[error("the host's users cannot be asked: {0}")]
    Host(#[from] Errno),
    #[error("the host has no user {0:?}: name one that exists, whose uid jobs may run under")]
    Unknown(String),
    #[error("{0:?} is root (uid 0), and jobs never run as root: name another user")]
    IsRoot(String),
}

pub type Result<T> = std::result::Result<T, SystemUserError>;

pub fn by_name(name: &str) -> Result<Option<SystemUser>> {
    // What cannot be a name is nobody's.
    if name.is_empty() || name.contains('\0') {
        return Ok(None);
    }
    User::from_name(name)?.map(with_groups).transpose()
}

pub fn by_uid(uid: u32) -> Result<Option<SystemUser>> {
    User::from_uid(Uid::from_raw(uid))?.map(with_groups).transpose()
}

/// Who on the host the first administrator's jobs run as; never root.
///
/// Not root ourselves: us. Root by sudo: who called it. Root itself: `run_as`.
pub fn first_administrator_maps_to(run_as: &str) -> Result<SystemUser> {
    let caller = std::env::var("SUDO_UID").ok();
    first_administrator(geteuid().as_raw(), caller.as_deref(), run_as)
}

fn first_administrator(euid: u32, sudo_uid: Option<&str>, run_as: &str) -> Result<SystemUser> {
    if euid != 0 {
        return Ok(by_uid(euid)?.unwrap_or_else(|| nameless(euid)));
    }
    if let Some(caller) = sudo_uid.and_then(|uid| uid.parse().ok()).filter(|uid| *uid != 0) {
        return by_uid(caller)?.ok_or_else(|| SystemUserError::Unknown(caller.to_string()));
    }
    let user = by_name(run_as)?.ok_or_else(|| SystemUserError::Unknown(run_as.to_owned()))?;
    if user.uid == 0 { Err(SystemUserError::IsRoot(run_as.to_owned())) } else { Ok(user) }
}

/// A uid without an entry, as in a container started with `--user`.
fn nameless(uid: u32) -> SystemUser {
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from);
    SystemUser { name: format!("uid{uid}"), uid, gid: nix::unistd::getegid().as_raw(), groups: Vec::new(), home }
}

/// The groups that the host lists `name` in, without `gid`. A name that the host does not know is in none.
pub fn groups_of(name: &str, gid: u32) -> Result<Vec<u32>> {
    let name = CString::new(name).map_err(|_| SystemUserError::Unknown(name.to_owned()))?;
    let groups = getgrouplist(&name, Gid::from_raw(gid))?;
    Ok(groups.into_iter().map(Gid::as_raw).filter(|group| *group != gid).collect())
}

fn with_groups(user: User) -> Result<SystemUser> {
    let gid = user.gid.as_raw();
    let groups = groups_of(&user.name, gid)?;
    Ok(SystemUser { name: user.name, uid: user.uid.as_raw(), gid, groups, home: user.dir })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_uid() {
        let nobody = by_name("nobody").unwrap().unwrap();
        assert_eq!(by_uid(nobody.uid).unwrap().unwrap().gid, nobody.gid);
        for none in ["", "no such user", "a\0b"] {
            assert_eq!(by_name(none).unwrap(), None, "{none:?}");
        }
        assert_eq!(by_uid(4_000_000_001).unwrap(), None);
    }

    #[test]
    fn the_first_administrator_is_never_root() {
        let nobody = by_name("nobody").unwrap().unwrap();
        assert_eq!(first_administrator(nobody.uid, None, "root").unwrap(), nobody, "not root: ourselves");
        assert_eq!(first_administrator(nobody.uid, Some("0"), "root").unwrap(), nobody);
        assert_eq!(
            first_administrator(0, Some(&nobody.uid.to_string()), "root").unwrap(),
            nobody,
            "by sudo: who called"
        );
        assert_eq!(first_administrator(0, Some("0"), "nobody").unwrap(), nobody, "root's sudo: run_as");
        assert_eq!(first_administrator(0, None, "nobody").unwrap(), nobody);
        assert!(matches!(first_administrator(0, None, "root"), Err(SystemUserError::IsRoot(_))));
        assert!(matches!(first_administrator(0, None, "no such user"), Err(SystemUserError::Unknown(_))));
        assert!(matches!(first_administrator(0, Some("4000000001"), "nobody"), Err(SystemUserError::Unknown(_))));
        assert_eq!(first_administrator(4_000_000_001, None, "nobody").unwrap().uid, 4_000_000_001);
    }
}
