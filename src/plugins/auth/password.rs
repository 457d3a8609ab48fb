//! Passwords: argon2id, as PHC strings; the original's bcrypt hashes verify too. Off the async threads, and few at a time: each takes 19 MiB and some 20 ms.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use tokio::sync::Semaphore;

#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("the password cannot be hashed: {0}")]
    Hash(argon2::password_hash::Error),
    #[error("the program is ending")]
    Ending,
}

/// Hashes at once: a flood of logins waits here instead of taking the memory of the machine.
static TURNS: Semaphore = Semaphore::const_new(4);

/// Opens nothing: what a login is checked against that has no password. Made once, as costly as a real one.
static NOBODYS: LazyLock<String> =
    LazyLock::new(|| hash_now("nobody's password").expect("argon2 hashes any short text with its default parameters"));

/// A new hash of a password, with a new salt.
pub async fn hash(password: &str) -> Result<String, PasswordError> {
    let password = password.to_owned();
    in_turn(move || hash_now(&password).map_err(PasswordError::Hash)).await?
}

/// Whether this is the password that was hashed. Without a hash the answer is no, after as much work: how long it takes
/// does not tell whether there is such a user.
pub async fn verify(password: &str, hash: Option<&str>) -> bool {
    let (password, hash) = (password.to_owned(), hash.map(str::to_owned));
    let verified = in_turn(move || {
        let matches = verify_now(&password, hash.as_deref().unwrap_or(&NOBODYS));
        matches && hash.is_some()
    });
    verified.await.unwrap_or(false)
}

fn hash_now(password: &str) -> Result<String, argon2::password_hash::Error> {
    let salt = SaltString::generate(&mut OsRng);
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt)?.to_string())
}

/// Whether a hash is to be replaced at the next login.
pub fn is_outdated(hash: &str) -> bool {
    is_bcrypt(hash)
}

/// `$2a$`, `$2b$`, `$2y$`.
fn is_bcrypt(hash: &str) -> bool {
    hash.starts_with("$2")
}

fn verify_now(password: &str, hash: &str) -> bool {
    if is_bcrypt(hash) {
        // A hash that cannot be read opens nothing.
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    match PasswordHash::new(hash) {
        Ok(hash) => Argon2::default().verify_password(password.as_bytes(), &hash).is_ok(),
        Err(_) => false,
    }
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
    let _turn = TURNS.acquire().await.map_err(|_| PasswordError::Ending)?;
    tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_that_was_hashed_verifies() {
        let stored = hash("correct horse").await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert_ne!(stored, hash("correct horse").await.unwrap(), "every hash has its own salt");
        assert!(verify("correct horse", Some(&stored)).await);
        assert!(!verify("wrong horse", Some(&stored)).await);
        assert!(!verify("", Some(&stored)).await);
    }

    #[tokio::test]
    async fn what_is_no_hash_verifies_nothing() {
        assert!(!verify("", Some("")).await);
        assert!(!verify("x", Some("x")).await);
        assert!(!verify("nobody's password", None).await);
    }
}
