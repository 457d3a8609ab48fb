//! GitHub, which speaks OAuth 2 but not OpenID Connect: the user is who its API says the token is for.

use oauth2::basic::BasicClient;
use oauth2::http::header::{ACCEPT, AUTHORIZATION};
use oauth2::http::{HeaderValue, Request, StatusCode};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, TokenResponse, TokenUrl,
};
use serde::Deserialize;

use super::http::Http;
use super::{Begun, GuestError, GuestProvider, Known, token_error, unavailable};

const ISSUER: &str = "https://github.com";

pub struct Asked<'a> {
    pub token_url: &'a str,
    pub user_url: &'a str,
    pub redirect_uri: &'a str,
}

/// Of `GET /user`. A login can be given up and taken by somebody else, the id cannot.
#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
}

pub fn begin(provider: &GuestProvider, auth_url: &str, redirect_uri: &str) -> Result<(String, Begun), GuestError> {
    let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
        .set_auth_uri(AuthUrl::new(auth_url.to_owned()).map_err(unavailable)?)
        .set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned()).map_err(unavailable)?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    // Without any scope: what is public is enough.
    let (url, state) = client.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge).url();
    let begun = Begun {
        provider: provider.name.clone(),
        state: state.into_secret(),
        nonce: String::new(),
        verifier: verifier.into_secret(),
    };
    Ok((url.into(), begun))
}

pub async fn finish(
    provider: &GuestProvider,
    asked: Asked<'_>,
    http: &Http,
    begun: &Begun,
    code: &str,
) -> Result<Known, GuestError> {
    let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
        .set_client_secret(ClientSecret::new(provider.client_secret.reveal().to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(TokenUrl::new(asked.token_url.to_owned()).map_err(unavailable)?)
        .set_redirect_uri(RedirectUrl::new(asked.redirect_uri.to_owned()).map_err(unavailable)?);
    let tokens = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier.clone()))
        .request_async(http)
        .await
        .map_err(token_error)?;
    let user = user(asked.user_url, http, tokens.access_token().secret()).await?;
    Ok(Known { issuer: ISSUER.to_owned(), subject: user.id.to_string(), name: Some(user.login), email: None })
}

async fn user(url: &str, http: &Http, token: &str) -> Result<User, GuestError> {
    let mut bearer =
        HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| unavailable("its access token is none"))?;
    bearer.set_sensitive(true);
    let request = Request::get(url)
        .header(ACCEPT, "application/vnd.github+json")
        .header(AUTHORIZATION, bearer)
        .body(Vec::new())
        .map_err(unavailable)?;
    let answer = http.fetch(request).await.map_err(unavailable)?;
    if answer.status() != StatusCode::OK {
        return Err(unavailable(format!("it answers {} when asked for the user", answer.status())));
    }
    serde_json::from_slice(answer.body()).map_err(|_| unavailable("what it says of the user cannot be read"))
}
