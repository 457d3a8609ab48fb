//! Secrets that programs log in with: how they are made, what is stored of them, whom they open.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::{CredentialKind, Scope, Timestamp, User, UserId};
use crate::store::{Store, StoreError};

/// SHA-256 of a secret, hex: what the store keeps of API keys, personal tokens and sessions. They are random and long, so
/// a slow hash would add nothing.
pub fn secret_hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// 256 random bits, hex.
pub fn new_secret() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

/// Whether `key` is the user's API key.
pub fn api_key_matches(user: &User, key: &str) -> bool {
    opens(user, &secret_hash(key))
}

fn opens(user: &User, hash: &str) -> bool {
    user.standing.may_come_in()
        && user.api_key_hash.as_ref().is_some_and(|known| known.as_bytes().ct_eq(hash.as_bytes()).into())
}

/// A user who has shown a secret of theirs. It may be worth nothing a moment later: see [`Login::still_valid`].
#[derive(Debug, Clone)]
pub struct Login {
    user: UserId,
    hash: String,
    /// A personal token, and not the API key.
    is_token: bool,
}

impl Login {
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// The hash of the personal token, where it was one.
    pub fn token_hash(&self) -> Option<&str> {
        self.is_token.then_some(self.hash.as_str())
    }

    /// The account and what may be done with it, if the secret still opens it.
    ///
    /// # Errors
    /// The store's.
    pub async fn still_valid(&self, store: &dyn Store, now: Timestamp) -> Result<Option<(User, Scope)>, StoreError> {
        let Some(user) = store.user(&self.user).await? else { return Ok(None) };
        if !self.is_token {
            return Ok(opens(&user, &self.hash).then_some((user, Scope::Admin)));
        }
        let token = store
            .credential(&self.hash)
            .await?
            .filter(|token| token.kind == CredentialKind::Token && token.user == self.user && token.is_valid_at(now));
        Ok(token.filter(|_| user.standing.may_come_in()).map(|token| (user, token.scope)))
    }
}

/// The user whose API key, or personal token, this is: for programs a token is as good as a key.
///
/// # Errors
/// The store's.
pub async fn log_in(
    store: &dyn Store,
    user: &UserId,
    secret: &str,
    now: Timestamp,
) -> Result<Option<(Login, User, Scope)>, StoreError> {
    for is_token in [false, true] {
        let login = Login { user: user.clone(), hash: secret_hash(secret), is_token };
        if let Some((user, scope)) = login.still_valid(store, now).await? {
            return Ok(Some((login, user, scope)));
        }
    }
    Ok(None)
}
