//! Dates, spans, sizes and numbers.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::{Language, Words};
use crate::domain::{Timestamp, readable_bytes};

/// A moment: for programs, and in words.
#[derive(Debug, Clone)]
pub struct Date {
    pub iso: String,
    /// In the zone that the reader chose; else UTC, until the page's script puts the browser's own.
    pub text: String,
}

impl Words {
    pub fn date(&self, moment: Timestamp) -> Date {
        let moment = jiff::Timestamp::from_millisecond(moment.0).unwrap_or_default();
        let text = match &self.zone {
            Some(zone) => moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
            None => moment.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        };
        Date { iso: moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), text }
    }

    /// The zone of dates that a day or a month is counted in.
    pub fn zone_or_utc(&self) -> TimeZone {
        self.zone.clone().unwrap_or(TimeZone::UTC)
    }

    pub fn duration(&self, span: Duration) -> String {
        let seconds = span.as_secs();
        let day = match self.language {
            Language::English => "d",
            Language::French => "j",
        };
        match seconds {
            0 if span.as_millis() >= 10 => format!("{} s", self.number(span.as_secs_f64(), 2)),
            0 if !span.is_zero() => self.t("word-instant"),
            0..60 => format!("{seconds} s"),
            60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
            3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
            _ => format!("{} {day} {:02} h", seconds / 86_400, seconds / 3600 % 24),
        }
    }

    /// In thousands: `3.4 GB`, `3,4 Go`.
    pub fn bytes(&self, bytes: u64) -> String {
        let text = readable_bytes(bytes);
        match self.language {
            Language::English => text,
            Language::French => text.replace('.', ",").replace('B', "o"),
        }
    }

    /// With at most `decimals` places, none of them an idle zero, and groups of three: `12,345.5`, `12 345,5`.
    pub fn number(&self, value: f64, decimals: usize) -> String {
        let (group, point) = match self.language {
            Language::English => (',', '.'),
            Language::French => ('\u{202f}', ','),
        };
        let text = format!("{value:.decimals$}");
        let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
        let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
        let mut shown = String::from(sign);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                shown.push(group);
            }
            shown.push(digit);
        }
        let rest = rest.trim_end_matches('0');
        if !rest.is_empty() {
            shown.push(point);
            shown.push_str(rest);
        }
        shown
    }

    pub fn count(&self, value: u64) -> String {
        self.number(value as f64, 0)
    }
}
