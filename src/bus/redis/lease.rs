//! The right to be the scheduler: one key with an expiry, renewed by whoever holds it.
//!
//! The lease keeps two schedulers from working against each other; it does not keep a late one from doing harm. That is
//! the fence's part ([`crate::store::JobStore::raise_fence`]): the store refuses the plans of whoever led before.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;

use super::link::Link;

pub struct Lease {
    link: Arc<Link>,
    key: String,
    /// This process, in this run.
    holder: String,
    ttl: Duration,
}

/// Takes the lease if it is free or ours, and sets its expiry. A lease that a flush of Redis took away is free.
const TAKE: &str = r"
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1";

const RELEASE: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0";

const KEY: &str = "lease";

/// The process that has the lease, if any.
///
/// # Errors
/// Redis'.
pub async fn holder(link: &Link) -> RedisResult<Option<String>> {
    let holder: Option<String> = link.one(redis::cmd("GET").arg(link.key(KEY))).await?;
    Ok(holder.map(|holder| holder.rsplit_once(' ').map_or_else(|| holder.clone(), |(process, _)| process.to_owned())))
}

impl Lease {
    pub fn new(link: Arc<Link>, process: &str, ttl: Duration) -> Self {
        let holder = format!("{process} {:016x}", rand::random::<u64>());
        Lease { key: link.key(KEY), link, holder, ttl }
    }

    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Takes or renews it; false when another has it.
    ///
    /// # Errors
    /// Redis'; whoever held it holds it until it expires.
    pub async fn take(&self) -> RedisResult<bool> {
        let mut take = redis::cmd("EVAL");
        take.arg(TAKE).arg(1).arg(&self.key).arg(&self.holder).arg(self.ttl.as_millis() as u64);
        self.link.one(&take).await
    }

    /// Gives it back, if it is ours.
    ///
    /// # Errors
    /// Redis'; it then expires.
    pub async fn release(&self) -> RedisResult<()> {
        let mut release = redis::cmd("EVAL");
        self.link.one(release.arg(RELEASE).arg(1).arg(&self.key).arg(&self.holder)).await
    }
}
