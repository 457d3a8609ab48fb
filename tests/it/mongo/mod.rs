//! The store in MongoDB, on a server: in transactions, and as on a server that has none.

mod contention;
mod dead;
mod fixtures;
mod outage;
mod plans;
mod repair;
mod takeover;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use godocker::domain::Ending;
use godocker::store::conformance::builders;
use godocker::store::mongo::{Mode, MongoStore};
use godocker::store::{Store, conformance};
use mongodb::bson::Document;
use mongodb::{Client, Collection};

use crate::support::mongo::Mongo;

/// One for all tests that do not stop it and run at a time; it ends with the last of them.
fn shared() -> Arc<Mongo> {
    static SHARED: Mutex<Weak<Mongo>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let started = Arc::new(Mongo::start_hasty());
        *shared = Arc::downgrade(&started);
        started
    })
}

/// A database of one test.
struct Database {
    server: Arc<Mongo>,
    name: String,
    client: Client,
}

impl Database {
    async fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("t{}", MADE.fetch_add(1, Ordering::SeqCst));
        let server = tokio::task::spawn_blocking(shared).await.unwrap();
        let client = Client::with_uri_str(server.url()).await.unwrap();
        Database { server, name, client }
    }

    async fn store(&self, mode: Mode) -> Arc<MongoStore> {
        MongoStore::open_as(&self.server.url(), &self.name, Some(mode)).await.unwrap()
    }

    fn collection(&self, name: &str) -> Collection<Document> {
        self.client.database(&self.name).collection(name)
    }

    async fn run(&self, command: Document) -> Document {
        self.client.database(&self.name).run_command(command).await.unwrap()
    }

    async fn end(self) {
        self.client.database(&self.name).drop().await.unwrap();
    }
}

/// On servers that say of themselves what they can.
#[tokio::test]
async fn what_a_server_can_is_found_out() {
    let starts: [(fn() -> Mongo, Mode); 2] =
        [(Mongo::start_hasty, Mode::Transactions), (Mongo::start_standalone, Mode::Standalone)];
    for (start, mode) in starts {
        let server = tokio::task::spawn_blocking(start).await.unwrap();
        let store = MongoStore::open(&server.url(), "godocker").await.unwrap();
        assert_eq!(store.mode(), mode);
        let id = builders::submit(&*store, builders::a_job()).await;
        builders::run_now(&*store, id, 2_000).await;
        builders::end_now(&*store, id, Ending::Done, 3_000).await;
    }
}

async fn in_both_modes(test: impl AsyncFn(Mode)) {
    test(Mode::Transactions).await;
    test(Mode::Standalone).await;
}

/// Every check of the suite, and no question in it without an index.
async fn conforms(mode: Mode) {
    let last: tokio::sync::Mutex<Option<Database>> = tokio::sync::Mutex::default();
    conformance::run(async || {
        let database = Database::new().await;
        let store = database.store(mode).await;
        plans::listen(&database).await;
        if let Some(before) = last.lock().await.replace(database) {
            plans::all_have_an_index(&before).await;
            before.end().await;
        }
        store as Arc<dyn Store>
    })
    .await;
    if let Some(database) = last.into_inner() {
        plans::all_have_an_index(&database).await;
        database.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_passes_the_conformance_suite_in_transactions() {
    conforms(Mode::Transactions).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_passes_the_conformance_suite_as_on_a_standalone_server() {
    conforms(Mode::Standalone).await;
}
