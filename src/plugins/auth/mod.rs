//! Who is at the door: backends that check a login and a password.

pub mod fake;
pub mod local;
pub mod password;

use async_trait::async_trait;

use crate::domain::{User, UserId};
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Wrong login or password; which of them is not told.
    #[error("wrong user name or password")]
    Denied,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[async_trait]
pub trait AuthBackend: Send + Sync {
    /// Its name in go-d.ini.
    fn name(&self) -> &'static str;

    /// The user behind login and password, active and up to date in the store.
    async fn login(&self, user: &UserId, password: &str) -> Result<User, AuthError>;
}
