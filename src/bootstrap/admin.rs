//! The first administrator.

use anyhow::bail;

use crate::config::Config;
use crate::domain::{Clock, User, UserId, UserKind};
use crate::plugins::auth::password;
use crate::process::system_user;
use crate::store::{AccountChange, Changed, Store};
use crate::web::access;

/// The first administrator, as flags and environment want them.
pub struct FirstAdmin {
    pub id: UserId,
    /// Who its jobs run as when root starts us.
    pub run_as: String,
    pub password: Option<String>,
    pub api_key: Option<String>,
}

/// The first start makes an administrator, and says once how to get in.
pub async fn create_first_admin(
    config: &Config,
    store: &dyn Store,
    clock: &dyn Clock,
    admin: FirstAdmin,
) -> anyhow::Result<()> {
    if !store.users().await?.is_empty() {
        return Ok(());
    }
    let system = system_user::first_administrator_maps_to(&admin.run_as)?;
    let random = |bytes: usize| hex::encode((0..bytes).map(|_| rand::random::<u8>()).collect::<Vec<_>>());
    let (told_password, password_text) = (admin.password.is_none(), admin.password.unwrap_or_else(|| random(10)));
    let (told_key, api_key) = (admin.api_key.is_none(), admin.api_key.unwrap_or_else(|| random(20)));
    let user = User {
        uid: system.uid,
        gid: system.gid,
        groups: system.groups,
        home: Some(system.home),
        admin: true,
        password_hash: Some(password::hash(&password_text).await?),
        api_key_hash: Some(access::secret_hash(&api_key)),
        priority: config.defaults.priority,
        ..User::new(admin.id.clone(), UserKind::Local, clock.now())
    };
    if store.change(vec![AccountChange::PutUser(Box::new(user))], Vec::new()).await? == Changed::Stale {
        bail!("another process made the administrator {} at this moment: start again", admin.id);
    }
    println!("Administrator {} is made; jobs run as {} (uid {}).", admin.id, system.name, system.uid);
    if told_password {
        println!("  password: {password_text}");
    }
    if told_key {
        println!("  API key:  {api_key}");
    }
    if told_password || told_key {
        println!("  This is shown once.");
    }
    Ok(())
}
