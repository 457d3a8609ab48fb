//! Jobs in words and numbers, as pages show them.

use std::time::Duration;

use crate::domain::Timestamp;

/// A moment: for programs, and in words (UTC; the script puts the reader's own zone).
pub struct Date {
    pub iso: String,
    pub text: String,
}

impl Date {
    pub fn of(moment: Timestamp) -> Self {
        let moment = jiff::Timestamp::from_millisecond(moment.0).unwrap_or_default();
        Date {
            iso: moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            text: moment.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        }
    }
}

pub fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 if span.as_millis() >= 10 => format!("{:.2} s", span.as_secs_f64()),
        0 if !span.is_zero() => "under 0.01 s".to_owned(),
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

pub use crate::domain::readable_bytes as bytes;
