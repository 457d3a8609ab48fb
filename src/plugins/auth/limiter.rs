//! Slows down whoever guesses passwords and keys.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use crate::domain::Timestamp;

/// This has failed too often within the last minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    pub retry_after_secs: u64,
}

/// Failed logins of the last minute, by address, by account, and by both.
///
/// Whoever fails often from one address waits. An account that is guessed at from many addresses is closed to addresses
/// that never got in, and stays open for its owner where they are known.
#[derive(Default)]
pub struct LoginLimiter(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    failures: HashMap<String, (u32, Timestamp)>,
    /// Accounts and the addresses that got in.
    known: HashSet<(String, String)>,
}

const WINDOW: Duration = Duration::from_secs(60);
/// Failures for one account from one address.
const PAIR: u32 = 10;
/// Failures from one address, whatever the account: many people may be behind it.
const ADDRESS: u32 = 50;
/// Failures for one account, wherever from.
const ACCOUNT: u32 = 30;
/// Addresses remembered; beyond, the memory begins anew.
const MOST_KNOWN: usize = 100_000;

impl LoginLimiter {
    /// `address` is `None` where it tells nothing, as behind a proxy that is not trusted.
    ///
    /// # Errors
    /// [`TooMany`] while this has failed too often within the last minute.
    pub fn check(&self, account: &str, address: Option<&str>, now: Timestamp) -> Result<(), TooMany> {
        let seen = self.0.lock().expect("no holder of this lock panics");
        let over = |key: &str, limit: u32| {
            seen.failures.get(key).is_some_and(|(count, last)| *count >= limit && now.since(*last) < WINDOW)
        };
        let address_text = address.unwrap_or_default();
        let known = seen.known.contains(&(account.to_owned(), address_text.to_owned()));
        let blocked = over(&pair(account, address_text), PAIR)
            || address.is_some_and(|address| over(&from(address), ADDRESS))
            || (!known && over(&to(account), ACCOUNT));
        if !blocked {
            return Ok(());
        }
        Err(TooMany { retry_after_secs: WINDOW.as_secs() })
    }

    pub fn failed(&self, account: &str, address: Option<&str>, now: Timestamp) {
        let mut seen = self.0.lock().expect("no holder of this lock panics");
        seen.failures.retain(|_, (_, last)| now.since(*last) < WINDOW);
        let keys = [Some(pair(account, address.unwrap_or_default())), Some(to(account)), address.map(from)];
        for key in keys.into_iter().flatten() {
            let entry = seen.failures.entry(key).or_insert((0, now));
            *entry = (entry.0 + 1, now);
        }
    }

    pub fn succeeded(&self, account: &str, address: Option<&str>) {
        let mut seen = self.0.lock().expect("no holder of this lock panics");
        if seen.known.len() >= MOST_KNOWN {
            seen.known.clear();
        }
        seen.known.insert((account.to_owned(), address.unwrap_or_default().to_owned()));
    }
}

fn pair(account: &str, address: &str) -> String {
    format!("{} from {address}", short(account))
}

fn from(address: &str) -> String {
    format!("from {address}")
}

fn to(account: &str) -> String {
    format!("to {}", short(account))
}

/// Whatever was typed, little is kept of it.
fn short(account: &str) -> String {
    account.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guesses_waits_and_the_owner_does_not() {
        let limiter = LoginLimiter::default();
        let now = Timestamp(1_000_000);
        limiter.succeeded("ann", Some("home"));
        for _ in 0..PAIR {
            assert!(limiter.check("ann", Some("evil"), now).is_ok());
            limiter.failed("ann", Some("evil"), now);
        }
        assert!(limiter.check("ann", Some("evil"), now).is_err());
        assert!(limiter.check("ann", Some("home"), now).is_ok());
        for n in 0..ACCOUNT {
            limiter.failed("ann", Some(&format!("evil{n}")), now);
        }
        assert!(limiter.check("ann", Some("a new one"), now).is_err(), "guessed at from everywhere");
        assert!(limiter.check("ann", Some("home"), now).is_ok(), "its owner comes in");
        assert!(limiter.check("bob", Some("a new one"), now).is_ok());
        assert!(limiter.check("ann", Some("evil"), now.plus(WINDOW)).is_ok(), "after a minute");
    }

    #[test]
    fn one_address_does_not_try_every_account() {
        let limiter = LoginLimiter::default();
        for n in 0..ADDRESS {
            limiter.failed(&format!("user{n}"), Some("evil"), Timestamp(0));
        }
        assert!(limiter.check("ann", Some("evil"), Timestamp(1)).is_err());
    }
}
