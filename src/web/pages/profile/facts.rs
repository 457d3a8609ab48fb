//! What the site knows of an account.

use std::time::Duration;

use crate::domain::{Quotas, User, UserKind};
use crate::web::words::Words;

/// A name and a value; the value leads somewhere where more is told of it.
pub(in crate::web::pages) struct Fact {
    pub name: String,
    pub value: String,
    /// Below the site's prefix.
    pub link: Option<&'static str>,
}

pub(super) fn facts(words: &Words, user: &User, disk: u64, site: Quotas) -> Vec<Fact> {
    let fact = |name: &str, value: String| Fact { name: words.t(name), value, link: None };
    let none = || words.t("profile-none");
    let groups: Vec<_> = user.groups.iter().map(ToString::to_string).collect();
    let home = user.home.as_ref().map_or_else(none, |home| home.display().to_string());
    let runs_as = words.with("profile-uid-gid").set("uid", user.uid.to_string()).set("gid", user.gid.to_string());
    let mut facts = vec![
        fact("profile-runs-as", runs_as.to_string()),
        fact("profile-groups", if groups.is_empty() { none() } else { groups.join(", ") }),
        fact("profile-home", home),
        fact("profile-account", words.t(kind(user.kind))),
        fact("profile-priority", user.priority.to_string()),
        Fact { link: Some("/"), ..fact("profile-quotas", quotas(words, user, site)) },
        Fact { link: Some("/disk"), ..fact("profile-disk", words.bytes(disk)) },
    ];
    if user.admin {
        facts.push(Fact { link: Some("/admin"), ..fact("profile-rights", words.t("profile-administrator")) });
    }
    facts
}

pub(in crate::web::pages) fn kind(kind: UserKind) -> &'static str {
    match kind {
        UserKind::Local => "profile-kind-local",
        UserKind::Ldap => "profile-kind-ldap",
        UserKind::Guest => "profile-kind-guest",
        UserKind::Fake => "profile-kind-fake",
    }
}

fn quotas(words: &Words, user: &User, site: Quotas) -> String {
    let quotas = user.quotas;
    let said = |id: &str, quota: u64, text: String| (quota > 0).then(|| format!("{} {text}", words.t(id)));
    let (disk, upload) = (quotas.disk_with(site), quotas.upload_with(site));
    let gigabytes = words.with("home-gb").set("count", words.count(quotas.ram)).to_string();
    let all: Vec<_> = [
        said("home-time", quotas.time, words.duration(Duration::from_secs(quotas.time))),
        said("home-cpu", quotas.cpu, words.count(quotas.cpu)),
        said("home-ram", quotas.ram, gigabytes),
        said("home-gpu", quotas.gpu, words.count(quotas.gpu)),
        said("home-disk", disk, words.bytes(disk)),
        said("home-upload", upload, words.bytes(upload)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if all.is_empty() { words.t("profile-none") } else { all.join(", ") }
}
