//! What opens an account without its password: browser sessions and personal access tokens.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Timestamp, UserId};

/// What a token allows; each allows what those before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// To look.
    Read,
    /// To submit jobs and manage them and their files.
    Submit,
    /// Everything its user may do: the account itself, and administration for an administrator.
    Admin,
}

impl Scope {
    pub const ALL: [Scope; 3] = [Scope::Read, Scope::Submit, Scope::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Submit => "submit",
            Scope::Admin => "admin",
        }
    }

    pub fn named(name: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CredentialKind {
    Session,
    Token,
}

/// A session or token as it is stored. The secret itself is only with who was given it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// SHA-256 of the secret, hex.
    pub hash: String,
    /// Names it to its user; tells nothing of the secret.
    pub id: String,
    pub user: UserId,
    pub kind: CredentialKind,
    /// For people: what a token is for, which browser a session is of.
    pub name: String,
    pub scope: Scope,
    pub created: Timestamp,
    /// `None` is never.
    pub expires: Option<Timestamp>,
}

impl Credential {
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// SHA-256 of a secret, hex: what the store keeps of API keys, personal tokens and sessions. They are random and long, so
/// a slow hash would add nothing.
pub fn secret_hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
