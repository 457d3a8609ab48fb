//! Which volumes a job gets, and how: names and acls come from the request, paths and mounts from the site, the project
//! or the guest's place, and a request can only lower an acl.

use std::path::PathBuf;

use super::grant::{Faults, Ground, fault};
use super::{Draft, VolumeWish, Wanted};
use crate::config;
use crate::domain::project::Project;
use crate::domain::{Acl, Mount, User};
use crate::web::words::{Message, says};

pub(super) const HOME: &str = "home";
const HOME_MOUNT: &str = "/mnt/home";

/// A volume that this user may have in this project.
#[derive(Debug, Clone, PartialEq)]
pub struct Offered {
    pub name: String,
    pub acl: Acl,
    /// `None` where the site or the user has none; the sentence says why.
    pub path: Result<PathBuf, Message>,
    pub mount: PathBuf,
    /// Mounted unasked: a project's.
    pub always: bool,
}

/// What this user may have in jobs of `project`. Guests share one uid, so that nothing but their own directory is
/// theirs: no volume of the site, none of a project, and another home.
pub fn offered(ground: &Ground, project: Option<&Project>) -> Vec<Offered> {
    offered_to(ground.user, ground.config, project)
}

/// The same, for a page that offers them.
pub fn offered_to(user: &User, config: &config::Config, project: Option<&Project>) -> Vec<Offered> {
    if user.is_guest() {
        let place = user.home.clone();
        let home =
            |path| Offered { name: HOME.into(), acl: Acl::Rw, path: Ok(path), mount: HOME_MOUNT.into(), always: false };
        return place.map(home).into_iter().collect();
    }
    let of_site = config.volumes.iter().map(|volume| Offered {
        name: volume.name.clone(),
        acl: volume.acl,
        path: host_path(volume, user),
        mount: PathBuf::from(volume.mount.clone().unwrap_or_else(|| format!("/mnt/{}", volume.name))),
        always: false,
    });
    let of_project = project.into_iter().flat_map(|project| &project.volumes).map(|volume| Offered {
        name: volume.name.clone(),
        acl: volume.acl,
        path: Ok(for_user(&volume.path.to_string_lossy(), user)),
        mount: volume.mount.clone(),
        always: true,
    });
    // A project's volume stands before one of the site with its name or place: it is the nearer one.
    let of_project: Vec<_> = of_project.collect();
    let hidden = |volume: &Offered| of_project.iter().any(|p| p.name == volume.name || p.mount == volume.mount);
    let of_site: Vec<_> = of_site.filter(|volume| !hidden(volume)).collect();
    of_site.into_iter().chain(of_project).collect()
}

/// Where a volume lies on the host, for this user.
fn host_path(volume: &config::Volume, user: &User) -> Result<PathBuf, Message> {
    match &volume.path {
        Some(path) => Ok(for_user(path, user)),
        None if volume.name == HOME => user
            .home
            .clone()
            .filter(|home| home.is_absolute())
            .ok_or_else(|| says("fault-no-home").set("user", &user.id)),
        None => Err(says("fault-volume-no-path")),
    }
}

/// A user's id is a path component by its own rule, so that it leads nowhere else.
fn for_user(path: &str, user: &User) -> PathBuf {
    PathBuf::from(path.replace("$USERID", user.id.as_str()))
}

/// What the draft asks for of what is offered, and what comes unasked. `confines`: the executor has containers; elsewhere
/// a job sees the host as its user does, and there is nothing to mount.
pub(super) fn granted(draft: &Draft, offered: &[Offered], confines: bool, faults: &mut Faults) -> Vec<Mount> {
    let asked: Vec<Mount> = draft.volumes.iter().filter_map(|wish| mount(wish, draft.root, offered, faults)).collect();
    let unasked = offered.iter().filter(|volume| volume.always && confines);
    let unasked = unasked.filter(|volume| !asked.iter().any(|mount| mount.name == volume.name));
    let unasked: Vec<Mount> = unasked
        .filter_map(|volume| {
            let acl = if draft.root { Acl::Ro } else { volume.acl };
            let path = volume.path.clone().ok()?;
            Some(Mount { name: volume.name.clone(), acl, path, mount: volume.mount.clone() })
        })
        .collect();
    asked.into_iter().chain(unasked).collect()
}

fn mount(wish: &Wanted<VolumeWish>, root: bool, offered: &[Offered], faults: &mut Faults) -> Option<Mount> {
    let name = &wish.what.name;
    let Some(volume) = offered.iter().find(|volume| volume.name == *name) else {
        let names: Vec<_> = offered.iter().map(|volume| volume.name.as_str()).collect();
        let message = match names.is_empty() {
            true => says("fault-volume-none"),
            false => says("fault-volume-unknown").set("offered", names.join(", ")),
        };
        let message = message.set("name", format!("{name:?}"));
        fault(faults, format!("{}.name", wish.field), message);
        return None;
    };
    let path = match &volume.path {
        Ok(path) => path.clone(),
        Err(message) => {
            fault(faults, format!("{}.name", wish.field), message.clone());
            return None;
        }
    };
    if wish.what.acl == Some(Acl::Rw) && volume.acl == Acl::Ro {
        fault(faults, format!("{}.acl", wish.field), says("fault-volume-read-only").set("name", name));
        return None;
    }
    let acl = if root { Acl::Ro } else { wish.what.acl.unwrap_or(volume.acl) };
    Some(Mount { name: name.clone(), acl, path, mount: volume.mount.clone() })
}
