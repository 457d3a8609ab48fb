//! What the rest asks of a database: inside a transaction, or each by itself.

use futures::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use mongodb::error::WriteFailure;
use mongodb::options::ReturnDocument;
use mongodb::{ClientSession, Collection, Database};

use super::error::{Fault, corrupt};
use crate::store::StoreError;

pub type Done<T> = std::result::Result<T, Fault>;

/// Statements and documents sent at once; a message holds 48 MB.
const CHUNK: usize = 1_000;

pub struct Ops<'s> {
    db: &'s Database,
    session: Option<&'s mut ClientSession>,
}

/// Sends `$action` in the session, if there is one.
macro_rules! send {
    ($self:ident, $action:expr) => {{
        let action = $action;
        match $self.session.as_deref_mut() {
            Some(session) => action.session(session).await?,
            None => action.await?,
        }
    }};
}

/// A list of documents to be found.
#[derive(Default, Clone)]
pub struct Find {
    pub filter: Document,
    pub projection: Option<Document>,
    pub sort: Option<Document>,
    pub skip: u64,
    /// `None` is all.
    pub limit: Option<i64>,
}

impl Find {
    pub fn all(filter: Document) -> Self {
        Find { filter, ..Find::default() }
    }
}

/// One statement of [`Ops::updates`].
pub struct Update {
    pub filter: Document,
    pub update: Document,
    pub upsert: bool,
}

impl<'s> Ops<'s> {
    pub fn alone(db: &'s Database) -> Self {
        Ops { db, session: None }
    }

    /// The same database, outside of any session.
    pub fn beside(&self) -> Ops<'s> {
        Ops::alone(self.db)
    }

    pub fn within(db: &'s Database, session: &'s mut ClientSession) -> Self {
        Ops { db, session: Some(session) }
    }

    fn collection(&self, name: &str) -> Collection<Document> {
        self.db.collection(name)
    }

    pub async fn find(&mut self, collection: &str, find: Find) -> Done<Vec<Document>> {
        let collection = self.collection(collection);
        let mut action = collection.find(find.filter).skip(find.skip);
        if let Some(projection) = find.projection {
            action = action.projection(projection);
        }
        if let Some(sort) = find.sort {
            action = action.sort(sort);
        }
        if let Some(limit) = find.limit {
            action = action.limit(limit);
        }
        Ok(match self.session.as_deref_mut() {
            Some(session) => {
                let mut cursor = action.session(&mut *session).await?;
                cursor.stream(session).try_collect().await?
            }
            None => action.await?.try_collect().await?,
        })
    }

    pub async fn find_one(&mut self, collection: &str, filter: Document) -> Done<Option<Document>> {
        let collection = self.collection(collection);
        Ok(send!(self, collection.find_one(filter)))
    }

    pub async fn aggregate(&mut self, collection: &str, stages: Vec<Document>) -> Done<Vec<Document>> {
        let collection = self.collection(collection);
        let action = collection.aggregate(stages);
        Ok(match self.session.as_deref_mut() {
            Some(session) => {
                let mut cursor = action.session(&mut *session).await?;
                cursor.stream(session).try_collect().await?
            }
            None => action.await?.try_collect().await?,
        })
    }

    pub async fn count(&mut self, collection: &str, filter: Document) -> Done<u64> {
        let collection = self.collection(collection);
        Ok(send!(self, collection.count_documents(filter)))
    }

    pub async fn insert(&mut self, collection: &str, documents: Vec<Document>) -> Done<()> {
        let collection = self.collection(collection);
        for chunk in documents.chunks(CHUNK) {
            send!(self, collection.insert_many(chunk));
        }
        Ok(())
    }

    /// Answers how many matched.
    pub async fn update_one(&mut self, collection: &str, filter: Document, update: Document) -> Done<u64> {
        let collection = self.collection(collection);
        Ok(send!(self, collection.update_one(filter, update)).matched_count)
    }

    pub async fn update_many(&mut self, collection: &str, filter: Document, update: Document) -> Done<u64> {
        let collection = self.collection(collection);
        Ok(send!(self, collection.update_many(filter, update)).matched_count)
    }

    pub async fn upsert(&mut self, collection: &str, filter: Document, update: Document) -> Done<()> {
        let collection = self.collection(collection);
        send!(self, collection.update_one(filter, update).upsert(true));
        Ok(())
    }

    pub async fn replace(&mut self, collection: &str, filter: Document, with: Document) -> Done<()> {
        let collection = self.collection(collection);
        send!(self, collection.replace_one(filter, with).upsert(true));
        Ok(())
    }

    /// Changes one document, made if it is not there, and answers it as it is then.
    pub async fn change_one(&mut self, collection: &str, filter: Document, update: Document) -> Done<Document> {
        let found = self.collection(collection);
        let action = found.find_one_and_update(filter, update).upsert(true).return_document(ReturnDocument::After);
        let changed = send!(self, action);
        Ok(changed.ok_or_else(|| corrupt(collection, "a document that was made is not there"))?)
    }

    /// Answers how many there were.
    pub async fn delete(&mut self, collection: &str, filter: Document) -> Done<u64> {
        let collection = self.collection(collection);
        Ok(send!(self, collection.delete_many(filter)).deleted_count)
    }

    /// Many updates of one document each in few messages: only within a transaction, as what an error in the midst would
    /// leave behind is not told.
    pub async fn updates(&mut self, collection: &str, updates: Vec<Update>) -> Done<()> {
        for chunk in updates.chunks(CHUNK) {
            let statements: Vec<_> =
                chunk.iter().map(|one| doc! { "q": &one.filter, "u": &one.update, "upsert": one.upsert }).collect();
            let command = doc! { "update": collection, "updates": statements };
            let answer = send!(self, self.db.run_command(command));
            if let Ok(errors) = answer.get_array("writeErrors") {
                let first = errors.first().and_then(|error| error.as_document());
                return Err(refused(first));
            }
        }
        Ok(())
    }
}

/// The first write error of a raw answer, as the driver would have made it.
fn refused(error: Option<&Document>) -> Fault {
    let parsed = error.and_then(|error| mongodb::bson::deserialize_from_document(error.clone()).ok());
    match parsed {
        Some(error) => Fault::Driver(mongodb::error::ErrorKind::Write(WriteFailure::WriteError(error)).into()),
        None => Fault::Store(StoreError::Unavailable("a write was refused".into())),
    }
}
