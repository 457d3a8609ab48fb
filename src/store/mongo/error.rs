//! The driver's errors as the store's.

use mongodb::error::{Error, ErrorKind, WriteFailure};

use crate::measures;
use crate::store::StoreError;

/// What a piece of work may fail with. The driver's own errors are kept whole until a transaction has looked at them:
/// some of them ask for another try.
#[derive(Debug)]
pub enum Fault {
    Driver(Error),
    Store(StoreError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Driver(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Fault::Store(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Driver(error) => error.into(),
            Fault::Store(error) => error,
        }
    }
}

impl Fault {
    /// A unique index did not allow it.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Fault::Driver(error) if code(error) == Some(DUPLICATE_KEY))
    }

    /// Not where no server answers, though the driver says so of that too: it has looked for one long enough.
    pub fn asks_for_another_try(&self) -> bool {
        let Fault::Driver(error) = self else { return false };
        let is_there = !matches!(error.kind.as_ref(), ErrorKind::ServerSelection { .. });
        is_there && error.contains_label(mongodb::error::TRANSIENT_TRANSACTION_ERROR)
    }
}

const DUPLICATE_KEY: i32 = 11_000;
const OUT_OF_DISK_SPACE: i32 = 14_031;

fn code(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        ErrorKind::InsertMany(error) => {
            let first = error.write_errors.as_ref().and_then(|errors| errors.first());
            first.map(|error| error.code).or(error.write_concern_error.as_ref().map(|error| error.code))
        }
        _ => None,
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        measures::error(measures::Fault::Store);
        match error.kind.as_ref() {
            _ if code(&error) == Some(OUT_OF_DISK_SPACE) => StoreError::DiskFull,
            ErrorKind::BsonDeserialization(_) | ErrorKind::Bson(_) => corrupt("a document", &error),
            // The driver names servers, never what logs in to them.
            _ => StoreError::Unavailable(error.to_string()),
        }
    }
}

pub fn corrupt(place: impl Into<String>, message: impl ToString) -> StoreError {
    StoreError::Corrupt { place: place.into(), message: message.to_string() }
}
