//! What tokens and cookies are signed with.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use crate::domain::credential::secret_hash;
use crate::domain::{Scope, Timestamp, User, UserId};

/// What tokens and cookies are signed with.
pub struct SigningKeys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    cookie: [u8; 64],
}

/// What a token of `/authenticate` says: who, until when, and what it is good for. Never the key it was made from.
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    iat: i64,
    exp: i64,
    /// The user's `token_epoch` then.
    epoch: i64,
    scope: Scope,
    /// The hash of the personal token it was made from: it ends with that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    via: Option<String>,
}

/// A token that was signed by us and has not expired.
pub struct Signed {
    pub user: UserId,
    pub epoch: i64,
    pub scope: Scope,
    pub via: Option<String>,
}

impl SigningKeys {
    /// Keys for tokens and for cookies, each derived from `secret`.
    pub fn derive(secret: &[u8]) -> Self {
        let derived = |purpose: &str, part: u8| {
            let mut hasher = Sha256::new();
            hasher.update(purpose.as_bytes());
            hasher.update([part]);
            hasher.update(secret);
            <[u8; 32]>::from(hasher.finalize())
        };
        let token = derived("godocker token", 0);
        let mut cookie = [0; 64];
        cookie[..32].copy_from_slice(&derived("godocker cookie", 0));
        cookie[32..].copy_from_slice(&derived("godocker cookie", 1));
        SigningKeys { encoding: EncodingKey::from_secret(&token), decoding: DecodingKey::from_secret(&token), cookie }
    }

    pub fn cookie_key(&self) -> actix_web::cookie::Key {
        actix_web::cookie::Key::from(&self.cookie)
    }

    /// A token for `user`, valid for `duration`; made from the personal token with the hash `via`, or from the API key.
    pub fn token(&self, user: &User, scope: Scope, via: Option<String>, now: Timestamp, duration: Duration) -> String {
        let claims = Claims {
            sub: user.id.to_string(),
            iat: now.as_secs(),
            exp: now.plus(duration).as_secs(),
            epoch: user.token_epoch,
            scope,
            via,
        };
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &self.encoding)
            .expect("claims of text and numbers always encode")
    }

    pub fn read(&self, token: &str) -> Option<Signed> {
        let claims =
            jsonwebtoken::decode::<Claims>(token, &self.decoding, &Validation::new(Algorithm::HS256)).ok()?.claims;
        Some(Signed { user: claims.sub.parse().ok()?, epoch: claims.epoch, scope: claims.scope, via: claims.via })
    }
}
