//! Who a guest is, as told by a provider the site trusts: OpenID Connect, or GitHub's OAuth 2.
//!
//! Two steps, both without state of their own: [`Guests::begin`] sends the browser away, [`Guests::finish`] asks the
//! provider who came back. Users, sessions and routes are not known here.

mod github;
mod http;
mod oidc;

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

pub use crate::config::{GuestProvider, ProviderKind};
use http::{FetchError, Http};

/// What the visitor's (encrypted) session keeps between the two steps.
#[derive(Clone, Serialize, Deserialize)]
pub struct Begun {
    pub provider: String,
    pub state: String,
    /// Empty for a provider without ID tokens.
    pub nonce: String,
    /// Of PKCE.
    pub verifier: String,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// A guest; `issuer` and `subject` together are the identity that lasts, the rest may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub issuer: String,
    pub subject: String,
    /// What the provider would have them called: `preferred_username`, or GitHub's login.
    pub name: Option<String>,
    /// Only when the provider says that it is verified.
    pub email: Option<String>,
}

/// None of them carries a secret, a code or a token.
#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    #[error("no provider for guests is named `{0}`")]
    UnknownProvider(String),
    /// Forged or stale: state, nonce, signature, audience, issuer or expiry are wrong, or the code is.
    #[error("the login is refused: {0}")]
    Refused(String),
    /// The provider does not answer as it should, or the site's settings for it are wrong.
    #[error("the provider cannot be used: {0}")]
    Unavailable(String),
}

pub struct Guests {
    providers: Vec<(GuestProvider, Http)>,
}

impl Guests {
    /// Speaks to nobody yet. `Unavailable` for a provider with an address that is none.
    pub fn new(providers: Vec<GuestProvider>) -> Result<Self, GuestError> {
        let providers = providers.into_iter().map(|provider| {
            let http = match &provider.kind {
                ProviderKind::Oidc { issuer } => Http::new(&[issuer]),
                ProviderKind::GitHub { auth_url, token_url, user_url } => Http::new(&[auth_url, token_url, user_url]),
            };
            let http = http.map_err(|error| GuestError::Unavailable(format!("{}: {error}", provider.name)))?;
            Ok((provider, http))
        });
        Ok(Guests { providers: providers.collect::<Result<_, GuestError>>()? })
    }

    /// Where to send the browser, and what to remember. `redirect_uri` is absolute, and registered with the provider;
    /// one of its own for each provider, or one could pass its codes off as another's.
    pub async fn begin(&self, provider: &str, redirect_uri: &str) -> Result<(String, Begun), GuestError> {
        let (provider, http) = self.provider(provider)?;
        match &provider.kind {
            ProviderKind::Oidc { issuer } => oidc::begin(provider, issuer, http, redirect_uri).await,
            ProviderKind::GitHub { auth_url, .. } => github::begin(provider, auth_url, redirect_uri),
        }
    }

    /// What the provider says of who came back with `code` and `state`. `redirect_uri` is that of [`Guests::begin`].
    pub async fn finish(
        &self,
        begun: &Begun,
        redirect_uri: &str,
        state: &str,
        code: &str,
    ) -> Result<Known, GuestError> {
        if !bool::from(begun.state.as_bytes().ct_eq(state.as_bytes())) {
            return Err(GuestError::Refused("it was not begun in this session (state)".to_owned()));
        }
        let (provider, http) = self.provider(&begun.provider)?;
        match &provider.kind {
            ProviderKind::Oidc { issuer } => oidc::finish(provider, issuer, http, begun, redirect_uri, code).await,
            ProviderKind::GitHub { token_url, user_url, .. } => {
                let asked = github::Asked { token_url, user_url, redirect_uri };
                github::finish(provider, asked, http, begun, code).await
            }
        }
    }

    fn provider(&self, name: &str) -> Result<&(GuestProvider, Http), GuestError> {
        let found = self.providers.iter().find(|(provider, _)| provider.name == name);
        found.ok_or_else(|| GuestError::UnknownProvider(name.to_owned()))
    }
}

fn unavailable(what: impl fmt::Display) -> GuestError {
    GuestError::Unavailable(what.to_string())
}

/// An answer of the token endpoint that is no token. What the provider writes for people is left out: it may well
/// repeat the code.
fn token_error(error: oauth2::basic::BasicRequestTokenError<FetchError>) -> GuestError {
    use oauth2::RequestTokenError::{Other, Parse, Request, ServerResponse};
    use oauth2::basic::BasicErrorResponse;
    let answer = match error {
        Request(error) => return unavailable(error),
        ServerResponse(answer) => Some(answer),
        // GitHub's errors come with status 200.
        Parse(_, body) => serde_json::from_slice::<BasicErrorResponse>(&body).ok(),
        Other(_) => None,
    };
    match answer.as_ref().map(|answer| answer.error().as_ref()) {
        None => unavailable("what answers for tokens gives neither a token nor an error of OAuth 2"),
        Some(
            error @ ("invalid_client"
            | "unauthorized_client"
            | "unsupported_grant_type"
            | "invalid_scope"
            | "incorrect_client_credentials"
            | "redirect_uri_mismatch"),
        ) => unavailable(format!("it does not accept this site's settings ({error})")),
        Some(_) => GuestError::Refused("the provider does not accept the code".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_between_the_steps_is_not_shown() {
        let begun = Begun {
            provider: "elixir".to_owned(),
            state: "secret-1".to_owned(),
            nonce: "secret-2".to_owned(),
            verifier: "secret-3".to_owned(),
        };
        assert_eq!(format!("{begun:?}"), r#"Begun { provider: "elixir", .. }"#);
    }
}
