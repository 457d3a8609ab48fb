//! A document of the original, read with patience: numbers of any width, texts as bytes, what is null or missing.

use mongodb::bson::{Bson, Document};

use crate::domain::Timestamp;

/// Why a document is not understood: a field, and what was expected there.
pub type Reason = String;

#[derive(Clone, Copy)]
pub struct Fields<'d>(pub &'d Document);

impl<'d> Fields<'d> {
    /// By a path with dots; null is missing.
    pub fn get(self, path: &str) -> Option<&'d Bson> {
        let mut parts = path.split('.');
        let mut found = self.0.get(parts.next()?)?;
        for part in parts {
            found = found.as_document()?.get(part)?;
        }
        (*found != Bson::Null).then_some(found)
    }

    fn wrong<T>(path: &str, expected: &str) -> Result<T, Reason> {
        Err(format!("{path}: expected {expected}"))
    }

    pub fn text(self, path: &str) -> Result<Option<String>, Reason> {
        match self.get(path) {
            None => Ok(None),
            Some(Bson::String(text)) => Ok(Some(text.clone())),
            Some(Bson::Binary(bytes)) => match std::str::from_utf8(&bytes.bytes) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_) => Self::wrong(path, "text"),
            },
            Some(_) => Self::wrong(path, "text"),
        }
    }

    pub fn needed(self, path: &str) -> Result<String, Reason> {
        self.text(path)?.map_or_else(|| Self::wrong(path, "text"), Ok)
    }

    pub fn parsed<T: std::str::FromStr<Err: ToString>>(self, path: &str) -> Result<Option<T>, Reason> {
        let parsed = |text: String| text.parse().map_err(|error: T::Err| format!("{path}: {}", error.to_string()));
        self.text(path)?.filter(|text| !text.is_empty()).map(parsed).transpose()
    }

    pub fn number(self, path: &str) -> Result<Option<f64>, Reason> {
        self.get(path).map_or(Ok(None), |value| match number(value) {
            Some(number) => Ok(Some(number)),
            None => Self::wrong(path, "a number"),
        })
    }

    /// A whole number from 0 up.
    pub fn whole(self, path: &str) -> Result<Option<u64>, Reason> {
        self.get(path).map_or(Ok(None), |value| match whole(value) {
            Some(number) => Ok(Some(number)),
            None => Self::wrong(path, "a whole number"),
        })
    }

    pub fn whole_or<T: TryFrom<u64>>(self, path: &str, default: T) -> Result<T, Reason> {
        let Some(number) = self.whole(path)? else { return Ok(default) };
        T::try_from(number).map_or_else(|_| Self::wrong(path, "a smaller number"), Ok)
    }

    pub fn bool_or(self, path: &str, default: bool) -> Result<bool, Reason> {
        match self.get(path) {
            None => Ok(default),
            Some(Bson::Boolean(value)) => Ok(*value),
            Some(Bson::Int32(n)) => Ok(*n != 0),
            Some(_) => Self::wrong(path, "true or false"),
        }
    }

    /// Unix seconds.
    pub fn date(self, path: &str) -> Result<Option<Timestamp>, Reason> {
        Ok(self.number(path)?.map(|seconds| Timestamp((seconds * 1000.0).round() as i64)))
    }

    pub fn list(self, path: &str) -> Result<&'d [Bson], Reason> {
        match self.get(path) {
            None => Ok(&[]),
            Some(Bson::Array(values)) => Ok(values),
            Some(_) => Self::wrong(path, "a list"),
        }
    }

    /// Every item of a list, as a text.
    pub fn texts(self, path: &str) -> Result<Vec<String>, Reason> {
        let text = |value: &Bson| value.as_str().map_or_else(|| Self::wrong(path, "texts"), |text| Ok(text.to_owned()));
        self.list(path)?.iter().map(text).collect()
    }

    pub fn documents(self, path: &str) -> Result<Vec<Fields<'d>>, Reason> {
        let one =
            |value: &'d Bson| value.as_document().map_or_else(|| Self::wrong(path, "documents"), |d| Ok(Fields(d)));
        self.list(path)?.iter().map(one).collect()
    }

    pub fn wholes<T: TryFrom<u64>>(self, path: &str) -> Result<Vec<T>, Reason> {
        let one = |value: &Bson| whole(value).and_then(|number| T::try_from(number).ok());
        self.list(path)?.iter().map(|value| one(value).map_or_else(|| Self::wrong(path, "numbers"), Ok)).collect()
    }
}

pub fn number(value: &Bson) -> Option<f64> {
    match value {
        Bson::Double(n) => n.is_finite().then_some(*n),
        Bson::Int32(n) => Some(f64::from(*n)),
        Bson::Int64(n) => Some(*n as f64),
        Bson::String(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
        _ => None,
    }
}

pub fn whole(value: &Bson) -> Option<u64> {
    match value {
        Bson::Int64(n) => u64::try_from(*n).ok(),
        other => number(other).filter(|n| *n >= 0.0 && n.fract() == 0.0 && *n < 9e15).map(|n| n as u64),
    }
}
