//! Who is at the door: backends that check a login and a password.
//!
//! [`local`] knows passwords of its own; [`directory`] keeps users up to date with the
//! site's LDAP server, which [`ldap`] speaks to;
//! [`fake`] is for tests. Whoever comes without a backend, by API key or token, is found by [`secret`]; [`limiter`] slows
//! down guessers at every door. Deliberately not here: sessions, signed tokens and what an account may do (`web::access`), and guests,
//! who never have a password here (`plugins::guests`).

pub mod directory;
pub mod fake;
pub mod ldap;
pub mod limiter;
pub mod local;
pub mod password;
pub mod secret;

use async_trait::async_trait;

use crate::config::Defaults;
use crate::domain::{InvalidId, Timestamp, User, UserId, UserKind};
use crate::store::StoreError;
use crate::store::update::UpdateError;

pub use limiter::{LoginLimiter, TooMany};
pub use secret::{Login, api_key_matches, log_in, new_secret, secret_hash};

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Wrong login or password; which of them is not told.
    #[error("wrong user name or password")]
    Denied,
    /// Right, but there is something that an administrator must put right first.
    #[error(transparent)]
    NotUsable(NotUsable),
    /// The backend does not answer; nothing is wrong with who asked.
    #[error("logins cannot be checked now: {0}")]
    Unavailable(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a login that is right opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotUsable {
    #[error("the directory's login cannot be used here: {0}")]
    Name(InvalidId),
    /// A uid, a gid.
    #[error("the directory lacks what jobs need to run as you: ask an administrator")]
    Incomplete,
}

impl From<UpdateError<AuthError>> for AuthError {
    fn from(error: UpdateError<AuthError>) -> Self {
        match error {
            UpdateError::Refused(error) => error,
            UpdateError::Store(error) => AuthError::Store(error),
        }
    }
}

#[async_trait]
pub trait AuthBackend: Send + Sync {
    /// Its name in go-d.ini.
    fn name(&self) -> &'static str;

    /// The user behind login and password, who may come in, up to date in the store.
    async fn login(&self, login: &str, password: &str) -> Result<User, AuthError>;

    /// The same for a login that a trusted proxy has checked.
    async fn vouched(&self, login: &str) -> Result<User, AuthError>;
}

/// An account that comes for the first time, with what the site gives everyone.
fn first_seen(id: UserId, kind: UserKind, defaults: &Defaults, now: Timestamp) -> User {
    User { priority: defaults.priority, quotas: defaults.quotas.for_new_account(), ..User::new(id, kind, now) }
}
