//! `store`: the site's database, which has the signs of life already.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Result, StatusBackend};
use crate::domain::ProcessStatus;
use crate::store::Store;

pub struct StoreStatus {
    store: Arc<dyn Store>,
}

impl StoreStatus {
    pub const NAME: &str = "store";

    pub fn new(store: Arc<dyn Store>) -> Self {
        StoreStatus { store }
    }
}

#[async_trait]
impl StatusBackend for StoreStatus {
    async fn put(&self, process: &ProcessStatus) -> Result<()> {
        Ok(self.store.put_process(process).await?)
    }

    async fn all(&self) -> Result<Vec<ProcessStatus>> {
        Ok(self.store.processes().await?)
    }

    async fn remove(&self, process: &ProcessStatus) -> Result<()> {
        Ok(self.store.remove_process(&process.id).await?)
    }
}
