//! Reaching the server, and finding out whether it has transactions.

use std::time::Duration;

use mongodb::bson::doc;
use mongodb::options::{
    Acknowledgment, ClientOptions, DatabaseOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Database};

use crate::store::{Result, StoreError};

/// How a move of several documents is made whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// In a transaction: a replica set or a sharded cluster.
    Transactions,
    /// In an order that can be taken up again: a server on its own.
    Standalone,
}

/// How long a server is looked for before an operation fails. What runs goes on by itself once there is one again.
const FIND_WITHIN: Duration = Duration::from_secs(8);

/// `mode` is found out unless it is given.
pub async fn connect(url: &str, db: &str, mode: Option<Mode>) -> Result<(Client, Database, Mode)> {
    // What the driver says of a wrong URL may repeat it, with the password.
    let wrong =
        |_| StoreError::Unavailable("mongo_url is not understood: expected mongodb://user:password@host:port/".into());
    let mut options = ClientOptions::parse(url).await.map_err(wrong)?;
    options.app_name.get_or_insert_with(|| "godocker".into());
    options.server_selection_timeout.get_or_insert(FIND_WITHIN);
    options.connect_timeout.get_or_insert(FIND_WITHIN);
    let client = Client::with_options(options)?;
    let mode = match mode {
        Some(mode) => mode,
        None => found_mode(&client).await?,
    };
    let database = client.database_with_options(db, concerns(mode));
    Ok((client, database, mode))
}

async fn found_mode(client: &Client) -> Result<Mode> {
    let hello = client.database("admin").run_command(doc! { "hello": 1 }).await?;
    let is_router = hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
    Ok(if is_router || hello.contains_key("setName") { Mode::Transactions } else { Mode::Standalone })
}

/// What was answered survives the loss of the primary, and what is read is never taken back.
fn concerns(mode: Mode) -> DatabaseOptions {
    let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
    match mode {
        Mode::Transactions => DatabaseOptions::builder()
            .selection_criteria(primary)
            .read_concern(ReadConcern::majority())
            .write_concern(WriteConcern::majority())
            .build(),
        Mode::Standalone => DatabaseOptions::builder()
            .selection_criteria(primary)
            .write_concern(WriteConcern::builder().w(Acknowledgment::Nodes(1)).journal(true).build())
            .build(),
    }
}
