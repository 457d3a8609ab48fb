//! SQLite's errors, and serde's, as the store's.

use rusqlite::{Error, ErrorCode};

use crate::measures::{self, Fault};
use crate::store::StoreError;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        measures::error(Fault::Store);
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::DiskFull,
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => corrupt("its file", &error),
            Some(_) => StoreError::Unavailable(error.to_string()),
            None => match error {
                Error::FromSqlConversionFailure(..)
                | Error::IntegralValueOutOfRange(..)
                | Error::InvalidColumnType(..)
                | Error::Utf8Error(..) => corrupt("a column", &error),
                other => StoreError::Unavailable(other.to_string()),
            },
        }
    }
}

pub fn corrupt(place: impl Into<String>, message: impl ToString) -> StoreError {
    StoreError::Corrupt { place: place.into(), message: message.to_string() }
}
