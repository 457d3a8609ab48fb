//! Whose transactions are whose, so that those of a process that died are ended and not waited for.
//!
//! What a transaction has written is kept from everybody else until it ends, and the server ends one whose process was
//! killed only after a minute (`transactionLifetimeLimitSeconds`). So a session is noted in `god_sessions` before its first
//! transaction, under the *run* that has it: this opening of the store by this process. Whoever raises the fence ends what
//! the leader before has under way; a process that is back under its name ends what it had then, and repairs end what dead
//! processes had. Ending what a live one has does no harm: it tries again.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mongodb::bson::{Bson, DateTime, Document, doc};
use mongodb::{Client, ClientSession, Database};

use super::ops::{Done, Find, Ops};
use super::transact::{Work, transact};
use crate::store::Result;

/// `{_id: lsid, run, at}`.
pub const SESSIONS: &str = "god_sessions";
/// When a note is forgotten, by an index.
pub const FORGET: Duration = Duration::from_secs(3 * 86_400);
/// And when it is written anew.
const NOTE_AGAIN: Duration = Duration::from_secs(86_400);

/// Where transactions of this run are made.
pub struct Sessions {
    client: Client,
    db: Database,
    run: String,
    /// The sessions that are noted, and when they were.
    noted: Mutex<HashMap<Vec<u8>, Instant>>,
}

impl Sessions {
    pub fn new(client: Client, db: Database) -> Self {
        let run = hex::encode(rand::random::<[u8; 16]>());
        Sessions { client, db, run, noted: Mutex::default() }
    }

    pub fn db(&self) -> &Database {
        &self.db
    }

    pub fn run(&self) -> &str {
        &self.run
    }

    pub async fn transact<W: Work>(&self, work: &W) -> Result<W::Answer> {
        let mut session = self.client.start_session().await?;
        self.note(&session).await?;
        transact(&mut session, &self.db, work).await
    }

    async fn note(&self, session: &ClientSession) -> Done<()> {
        let id = session.id().get("id").cloned().unwrap_or(Bson::Null);
        let Bson::Binary(binary) = &id else { return Ok(()) };
        let is_noted = |noted: &HashMap<Vec<u8>, Instant>| {
            noted.get(&binary.bytes).is_some_and(|noted| noted.elapsed() < NOTE_AGAIN)
        };
        if is_noted(&self.noted.lock().expect("no holder of this lock panics")) {
            return Ok(());
        }
        let note = doc! { "$set": { "run": &self.run, "at": DateTime::now() } };
        Ops::alone(&self.db).upsert(SESSIONS, doc! { "_id": &id }, note).await?;
        self.noted.lock().expect("no holder of this lock panics").insert(binary.bytes.clone(), Instant::now());
        Ok(())
    }

    /// Ends the transactions that another run has under way.
    pub async fn end_others(&self, run: &str) -> Done<()> {
        if run == self.run {
            return Ok(());
        }
        let of_run = Find { projection: Some(doc! { "_id": 1 }), ..Find::all(doc! { "run": run }) };
        let found = Ops::alone(&self.db).find(SESSIONS, of_run).await?;
        let sessions: Vec<Document> =
            found.iter().filter_map(|one| Some(doc! { "id": one.get("_id")?.clone() })).collect();
        if !sessions.is_empty() {
            self.client.database("admin").run_command(doc! { "killSessions": sessions }).await?;
        }
        Ok(())
    }
}
