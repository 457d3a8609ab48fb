//! OpenID Connect: discovery, the code flow with PKCE, a verified ID token.

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdTokenClaims, CoreProviderMetadata,
    CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::http::HeaderValue;
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, DiscoveryError, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse, UserInfoError,
};

use super::http::{FetchError, Http};
use super::{Begun, GuestError, GuestProvider, Known, token_error, unavailable};

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

pub async fn begin(
    provider: &GuestProvider,
    issuer: &str,
    http: &Http,
    redirect_uri: &str,
) -> Result<(String, Begun), GuestError> {
    let client = client(provider, discover(issuer, http).await?, redirect_uri)?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(["profile", "email"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    let begun = Begun {
        provider: provider.name.clone(),
        state: state.into_secret(),
        nonce: nonce.secret().clone(),
        verifier: verifier.into_secret(),
    };
    Ok((url.into(), begun))
}

pub async fn finish(
    provider: &GuestProvider,
    issuer: &str,
    http: &Http,
    begun: &Begun,
    redirect_uri: &str,
    code: &str,
) -> Result<Known, GuestError> {
    let metadata = discover(issuer, http).await?;
    let has_userinfo = metadata.userinfo_endpoint().is_some();
    let client = client(provider, metadata, redirect_uri)?;
    let tokens = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .map_err(|_| unavailable("its configuration names nothing that answers for tokens"))?
        .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier.clone()))
        .request_async(http)
        .await
        .map_err(token_error)?;
    let claims = verified(&client, &tokens, &Nonce::new(begun.nonce.clone()))?;
    let mut known = Known {
        issuer: claims.issuer().to_string(),
        subject: claims.subject().to_string(),
        name: claims.preferred_username().map(|name| name.to_string()),
        email: claims.email().filter(|_| claims.email_verified() == Some(true)).map(|email| email.to_string()),
    };
    // Many providers leave what the scopes ask for out of the ID token.
    if has_userinfo && (claims.preferred_username().is_none() || claims.email().is_none()) {
        let more = userinfo(&client, http, tokens.access_token(), &claims).await?;
        known.name = known.name.or_else(|| more.preferred_username().map(|name| name.to_string()));
        if claims.email().is_none() && more.email_verified() == Some(true) {
            known.email = more.email().map(|email| email.to_string());
        }
    }
    Ok(known)
}

async fn discover(issuer: &str, http: &Http) -> Result<CoreProviderMetadata, GuestError> {
    let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|_| unavailable("its issuer is no URL"))?;
    CoreProviderMetadata::discover_async(issuer, http).await.map_err(|error| match error {
        DiscoveryError::Request(error) => unavailable(error),
        error => unavailable(format!("its configuration cannot be had: {error}")),
    })
}

fn client(provider: &GuestProvider, metadata: CoreProviderMetadata, redirect_uri: &str) -> Result<Client, GuestError> {
    let redirect = RedirectUrl::new(redirect_uri.to_owned()).map_err(|_| unavailable("our own address is no URL"))?;
    let methods = metadata.token_endpoint_auth_methods_supported().map_or(&[][..], |methods| methods);
    let in_body = methods.contains(&CoreClientAuthMethod::ClientSecretPost)
        && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic);
    let secret = ClientSecret::new(provider.client_secret.reveal().to_owned());
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new(provider.client_id.clone()), Some(secret))
        .set_redirect_uri(redirect)
        .set_auth_type(if in_body { AuthType::RequestBody } else { AuthType::BasicAuth });
    Ok(client)
}

/// The ID token's claims: signature, issuer, audience, expiry and nonce are right, and the access token is its own.
fn verified(client: &Client, tokens: &CoreTokenResponse, nonce: &Nonce) -> Result<CoreIdTokenClaims, GuestError> {
    let token = tokens.id_token().ok_or_else(|| unavailable("it gives no ID token"))?;
    let verifier = client.id_token_verifier();
    let claims = token.claims(&verifier, nonce).map_err(|error| refused(&error))?;
    if let Some(expected) = claims.access_token_hash() {
        let hash = token.signing_alg().ok().zip(token.signing_key(&verifier).ok());
        let hash = hash.and_then(|(alg, key)| AccessTokenHash::from_token(tokens.access_token(), alg, key).ok());
        if hash.as_ref() != Some(expected) {
            return Err(GuestError::Refused("the access token is not that of the ID token".to_owned()));
        }
    }
    Ok(claims.clone())
}

async fn userinfo(
    client: &Client,
    http: &Http,
    token: &AccessToken,
    claims: &CoreIdTokenClaims,
) -> Result<CoreUserInfoClaims, GuestError> {
    // The library takes for granted that a token fits into a header.
    HeaderValue::from_str(token.secret()).map_err(|_| unavailable("its access token is none"))?;
    let request = client
        .user_info(token.clone(), Some(claims.subject().clone()))
        .map_err(|_| unavailable("its configuration names nothing that answers for users"))?;
    request.request_async(http).await.map_err(|error: UserInfoError<FetchError>| match error {
        UserInfoError::ClaimsVerification(error) => refused(&error),
        UserInfoError::Request(error) => unavailable(error),
        _ => unavailable("what it says of the user cannot be read"),
    })
}

/// Not the library's own text, which shows what the token holds.
fn refused(error: &ClaimsVerificationError) -> GuestError {
    let what = match error {
        ClaimsVerificationError::Expired(_) => "the ID token has expired",
        ClaimsVerificationError::InvalidAudience(_) => "the ID token is meant for another site (audience)",
        ClaimsVerificationError::InvalidIssuer(_) => "the ID token is another provider's (issuer)",
        ClaimsVerificationError::InvalidNonce(_) => "the ID token belongs to another login (nonce)",
        ClaimsVerificationError::InvalidSubject(_) => "the provider speaks of another user (subject)",
        ClaimsVerificationError::SignatureVerification(_) => "the ID token's signature is wrong",
        _ => "what the provider says cannot be verified",
    };
    GuestError::Refused(what.to_owned())
}
