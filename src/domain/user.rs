//! Who submits jobs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::usage::UsageReset;
use super::{Timestamp, UserId};

/// Where an account comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserKind {
    /// Maps a user of the host.
    Local,
    /// Comes from the site's directory.
    Ldap,
    /// Comes from a provider on the web, and runs jobs as `guest_bind`.
    Guest,
    Fake,
}

impl UserKind {
    pub fn as_str(self) -> &'static str {
        match self {
            UserKind::Local => "local",
            UserKind::Ldap => "ldap",
            UserKind::Guest => "guest",
            UserKind::Fake => "fake",
        }
    }
}

/// What an account may do at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// A guest whom no administrator has activated: may look, and nothing else.
    New,
    Active,
    /// Cannot come in; pending jobs do not start.
    Disabled,
    /// Being deleted with all data: cannot come in, and never again.
    Leaving,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::New => "new",
            Standing::Active => "active",
            Standing::Disabled => "disabled",
            Standing::Leaving => "leaving",
        }
    }

    pub fn may_come_in(self) -> bool {
        matches!(self, Standing::New | Standing::Active)
    }
}

/// Who a guest is to the provider that vouches for them. Mail addresses change hands; this does not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
}

/// Limits over the window of `user_reset_usage_duration` days; 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Quotas {
    /// Seconds of run time.
    pub time: u64,
    /// Summed cores of the jobs.
    pub cpu: u64,
    /// Summed GB of the jobs.
    pub ram: u64,
    /// Summed graphics cards of the jobs.
    pub gpu: u64,
    /// Bytes that job directories hold now; no window. `None`: what the site gives everyone.
    pub disk: Option<u64>,
    /// Bytes of the upload space; no window. `None`: what the site gives everyone.
    pub upload: Option<u64>,
}

impl Quotas {
    /// What a new account gets of the site's: not what holds for everyone, which it then follows.
    pub fn for_new_account(self) -> Quotas {
        Quotas { disk: None, upload: None, ..self }
    }

    /// Bytes of job directories; 0 is no limit.
    pub fn disk_with(self, site: Quotas) -> u64 {
        self.disk.or(site.disk).unwrap_or(0)
    }

    /// Bytes of the upload space; 0 is no limit.
    pub fn upload_with(self, site: Quotas) -> u64 {
        self.upload.or(site.upload).unwrap_or(0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the reader's system has it.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

    pub fn as_str(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub fn named(name: &str) -> Option<Theme> {
        Theme::ALL.into_iter().find(|theme| theme.as_str() == name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// As the reader's browser asks.
    #[default]
    Auto,
    En,
    Fr,
}

impl Language {
    pub const ALL: [Language; 3] = [Language::Auto, Language::En, Language::Fr];

    pub fn as_str(self) -> &'static str {
        match self {
            Language::Auto => "auto",
            Language::En => "en",
            Language::Fr => "fr",
        }
    }

    pub fn named(name: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.as_str() == name)
    }
}

/// A time zone by its name in the IANA database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Zone(String);

impl Zone {
    /// `None` for a name that is not in the database.
    pub fn named(name: &str) -> Option<Zone> {
        let zone = jiff::tz::TimeZone::get(name).ok()?;
        Some(Zone(zone.iana_name()?.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// UTC, should the database have forgotten the name.
    pub fn time_zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::get(&self.0).unwrap_or(jiff::tz::TimeZone::UTC)
    }
}

/// What a user likes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    pub theme: Theme,
    pub language: Language,
    /// `None`: as the reader's browser has it.
    pub zone: Option<Zone>,
    /// The page's form asks for mail at the end of a job unless told otherwise.
    pub notify: bool,
    /// Lists of jobs that are looked at often.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<SavedList>,
}

/// A list of jobs under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedList {
    pub name: String,
    /// What its page's address says after the question mark.
    pub query: String,
}

impl SavedList {
    /// Of a user.
    pub const MOST: usize = 20;
    pub const LONGEST_NAME: usize = 40;
    pub const LONGEST_QUERY: usize = 1_000;

    pub fn is_sound(&self) -> bool {
        let (name, query) = (self.name.trim(), &self.query);
        let is_name = !name.is_empty() && name.len() == self.name.len() && !name.contains(char::is_control);
        let is_query = query.len() <= Self::LONGEST_QUERY && query.bytes().all(|byte| byte.is_ascii_graphic());
        is_name && name.chars().count() <= Self::LONGEST_NAME && is_query
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    /// Raised by every change; a change made against an older one is refused. 0 is not stored yet.
    #[serde(default)]
    pub revision: u64,
    pub uid: u32,
    pub gid: u32,
    /// Secondary groups.
    pub groups: Vec<u32>,
    pub email: Option<String>,
    pub home: Option<PathBuf>,
    pub admin: bool,
    pub standing: Standing,
    pub kind: UserKind,
    /// Of guests.
    #[serde(default)]
    pub identity: Option<Identity>,
    /// argon2id (PHC string), or the original's bcrypt until the next login; `None`: no password opens this account.
    pub password_hash: Option<String>,
    /// SHA-256 of the API key, hex. Keys are random, so a slow hash would only slow the API down.
    pub api_key_hash: Option<String>,
    /// Raised to end every token of `/authenticate` that was given out before.
    #[serde(default)]
    pub token_epoch: i64,
    /// Public keys, one a line.
    pub ssh_public: Option<String>,
    #[serde(default)]
    pub preferences: Preferences,
    /// 0 to 100; 50 is everyone's.
    pub priority: u8,
    pub quotas: Quotas,
    #[serde(default)]
    pub reset: Option<UsageReset>,
    pub created: Timestamp,
}

impl User {
    /// An active account that nothing opens yet.
    pub fn new(id: UserId, kind: UserKind, created: Timestamp) -> Self {
        User {
            id,
            revision: 0,
            uid: 65_534,
            gid: 65_534,
            groups: Vec::new(),
            email: None,
            home: None,
            admin: false,
            standing: Standing::Active,
            kind,
            identity: None,
            password_hash: None,
            api_key_hash: None,
            // An account that is made again under an old name does not take that one's tokens.
            token_epoch: created.0,
            ssh_public: None,
            preferences: Preferences::default(),
            priority: 50,
            quotas: Quotas::default(),
            reset: None,
            created,
        }
    }

    pub fn is_guest(&self) -> bool {
        self.kind == UserKind::Guest
    }

    pub fn may_submit(&self) -> bool {
        self.standing == Standing::Active
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_has_a_name_of_the_database() {
        assert_eq!(Zone::named("Europe/Paris").unwrap().as_str(), "Europe/Paris");
        for bad in ["Europe/Atlantis", "", "../etc/passwd", "CET-1CEST"] {
            assert_eq!(Zone::named(bad), None, "{bad}");
        }
    }

    #[test]
    fn preferences_of_earlier_releases_are_read() {
        let read: Preferences = serde_json::from_str(r#"{"theme":"dark","notify":true}"#).unwrap();
        assert_eq!((read.language, read.zone, read.theme), (Language::Auto, None, Theme::Dark));
    }
}
