//! What an installation makes up once: its id, and what it signs with.

use std::os::unix::fs::OpenOptionsExt;

use anyhow::Context as _;

use crate::config::Config;
use crate::domain::InstanceId;
use crate::store::SettingStore;

pub async fn instance_id(config: &Config, store: &(impl SettingStore + ?Sized)) -> anyhow::Result<InstanceId> {
    if let Some(id) = &config.instance_id {
        return Ok(id.parse()?);
    }
    let id = hex::encode(rand::random::<[u8; 4]>());
    Ok(store.init_setting("instance_id", &id).await?.parse()?)
}

/// What tokens and cookies of one process are signed with: the site's, or a random one that is kept beside the
/// database.
pub fn own_secret(config: &Config) -> anyhow::Result<Vec<u8>> {
    if let Some(secret) = &config.access.secret {
        return Ok(secret.reveal().as_bytes().to_vec());
    }
    let path = config.data_dir.join("signing.key");
    match std::fs::read(&path) {
        Ok(key) if key.len() >= 32 => return Ok(key),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
    let key = rand::random::<[u8; 32]>();
    // Written beside and renamed, so that a crash leaves no half a key.
    let beside = config.data_dir.join(".signing.key.new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    std::io::Write::write_all(&mut file, &key)?;
    file.sync_all()?;
    std::fs::rename(&beside, &path)?;
    Ok(key.to_vec())
}

/// What all web processes sign with: the site's, or a random one that the database keeps for them.
pub async fn common_secret(config: &Config, store: &(impl SettingStore + ?Sized)) -> anyhow::Result<Vec<u8>> {
    if let Some(secret) = &config.access.secret {
        return Ok(secret.reveal().as_bytes().to_vec());
    }
    let made_up = hex::encode(rand::random::<[u8; 32]>());
    Ok(store.init_setting("signing_key", &made_up).await?.into_bytes())
}
