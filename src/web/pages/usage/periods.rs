//! A report as pictures: its rows by period and by what they are told apart by.

use std::collections::BTreeMap;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::usage::Usage;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::chart::{Chart, Series, Shape, Unit};
use crate::web::error::ApiError;
use crate::web::usage::{Period, Query, Report, Row, report};
use crate::web::words::Words;

/// More than these are not told apart in a picture: the rest is one.
const MOST: usize = 5;
/// More bars than these no eye tells apart, and no page carries.
const MOST_DAYS: i64 = 100;

/// The report that a page was asked for; and whether it tells months, because days would be too many.
pub(in crate::web::pages) async fn drawable(
    site: &Site,
    caller: &Caller,
    query: &Query,
) -> Result<(Report, bool), ApiError> {
    let found = report(site, caller, query).await?;
    let coarser = found.by == Period::Day && found.days() > MOST_DAYS;
    Ok((if coarser { found.by_month() } else { found }, coarser))
}

/// The same question to the API, escaped for an address.
pub(in crate::web::pages) fn address(query: &Query, report: &Report) -> String {
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    let parts = [
        ("from", report.from.to_string()),
        ("to", report.to.to_string()),
        ("by", report.by.as_str().to_owned()),
        ("project", said(&query.project)),
        ("user", said(&query.user)),
    ];
    let parts = parts.iter().filter(|(_, value)| !value.is_empty());
    let parts: Vec<_> =
        parts.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))).collect();
    parts.join("&")
}

/// What of a use is drawn.
#[derive(Clone, Copy)]
pub(in crate::web::pages) enum Figure {
    Hours,
    Jobs,
}

impl Figure {
    fn of(self, usage: &Usage) -> f64 {
        match self {
            Figure::Hours => usage.time / 3600.0,
            Figure::Jobs => usage.jobs as f64,
        }
    }
}

/// What one user or project used in all.
pub(in crate::web::pages) struct Total {
    pub name: String,
    pub jobs: String,
    pub time: String,
    pub cpu: String,
    pub ram: String,
    pub gpu: String,
}

/// Sums by what `name` says of a row, the most run time first.
fn sums(report: &Report, name: impl Fn(&Row) -> String) -> Vec<(String, Usage)> {
    let mut sums: BTreeMap<String, Usage> = BTreeMap::new();
    for row in &report.rows {
        let sum = sums.entry(name(row)).or_default();
        *sum = sum.plus(row.usage);
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|one, other| other.1.time.total_cmp(&one.1.time));
    sums
}

pub(in crate::web::pages) fn total(words: &Words, name: String, usage: &Usage) -> Total {
    Total {
        name,
        jobs: words.count(usage.jobs),
        time: words.duration(Duration::from_secs_f64(usage.time.max(0.0).round())),
        cpu: words.number(usage.cpu, 1),
        ram: words.number(usage.ram, 1),
        gpu: words.number(usage.gpu, 0),
    }
}

pub(in crate::web::pages) fn totals(words: &Words, report: &Report, name: impl Fn(&Row) -> String) -> Vec<Total> {
    sums(report, name).into_iter().map(|(name, usage)| total(words, name, &usage)).collect()
}

/// Bars over the periods, those without any use among them.
pub(in crate::web::pages) fn picture(
    words: &Words,
    report: &Report,
    title: String,
    figure: Figure,
    name: impl Fn(&Row) -> String,
) -> String {
    let names: Vec<String> = sums(report, &name).into_iter().map(|(name, _)| name).collect();
    let periods = periods(report);
    let place: BTreeMap<&str, usize> = periods.iter().enumerate().map(|(at, period)| (period.as_str(), at)).collect();
    let shown = names.len().min(MOST);
    let mut series: Vec<Series> =
        names[..shown].iter().map(|name| Series { name: name.clone(), values: vec![0.0; periods.len()] }).collect();
    if names.len() > MOST {
        series.push(Series { name: words.t("usage-others"), values: vec![0.0; periods.len()] });
    }
    for row in &report.rows {
        let name = name(row);
        let at = names.iter().position(|known| *known == name).unwrap_or(MOST).min(MOST);
        if let (Some(series), Some(place)) = (series.get_mut(at), place.get(row.period.as_str())) {
            series.values[*place] += figure.of(&row.usage);
        }
    }
    let format = |value: f64| match figure {
        Figure::Hours => words.with("usage-hours").set("count", words.number(value, 1)).to_string(),
        Figure::Jobs => words.number(value, 1),
    };
    // The year is in the form above, and what is left fits beneath a picture on a phone.
    let labels = match report.by {
        Period::Day => periods.iter().map(|day| day.get(5..).unwrap_or(day).to_owned()).collect(),
        Period::Month => periods,
    };
    Chart { title, shape: Shape::Bars, labels, series, limit: None, unit: Unit::Number, format: &format }.html(words)
}

/// Every period of the report's days, as its rows call them.
fn periods(report: &Report) -> Vec<String> {
    let mut periods: Vec<String> = Vec::new();
    let mut day = report.from;
    while day <= report.to {
        let period = report.by.of(day);
        if periods.last() != Some(&period) {
            periods.push(period);
        }
        match day.tomorrow() {
            Ok(next) => day = next,
            Err(_) => break,
        }
    }
    periods
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::words::Language;

    fn row(period: &str, project: &str, hours: f64) -> Row {
        let usage = Usage { time: hours * 3600.0, jobs: 1, ..Usage::default() };
        Row { period: period.into(), user: None, project: project.parse().unwrap(), usage }
    }

    fn report(by: Period, rows: Vec<Row>) -> Report {
        let (from, to) = (jiff::civil::date(2026, 10, 30), jiff::civil::date(2026, 11, 2));
        Report { from, to, by, rows, total: Usage::default() }
    }

    #[test]
    fn periods_without_use_are_there_too() {
        assert_eq!(periods(&report(Period::Day, vec![])).len(), 4);
        assert_eq!(periods(&report(Period::Month, vec![])), ["2026-10", "2026-11"]);
    }

    #[test]
    fn what_is_used_most_is_told_apart_and_the_rest_is_one() {
        let words = Words::new(Language::English, None);
        let rows = (1..=7).map(|n| row("2026-11-01", &format!("p{n}"), f64::from(n))).collect();
        let report = report(Period::Day, rows);
        let html = picture(&words, &report, "Use".into(), Figure::Hours, |row| row.project.to_string());
        assert!(html.contains("11-01: p7 7 h") && html.contains("11-01: others 3 h"), "{html}");
        assert!(!html.contains(">p2<"), "{html}");
        let totals = totals(&words, &report, |row| row.project.to_string());
        assert_eq!((totals.len(), totals[0].name.as_str(), totals[0].time.as_str()), (7, "p7", "7 h 00 min"));
    }
}
