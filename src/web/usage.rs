//! What was used, by user, project and day or month: for users of their own, for administrators of all.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Site;
use super::access::Caller;
use super::error::{ApiError, FieldFault};
use super::spreadsheet::quoted;
use super::view::number;
use super::words::{Message, expected_one_of, says};
use crate::domain::usage::Usage;
use crate::domain::{ProjectId, UserId};
use crate::store::UsageRow;

/// Days that are reported unless asked otherwise, and at most.
const DAYS: i64 = 30;
const MOST_DAYS: i64 = 3_700;
/// All users together.
const EVERYONE: &str = "*";

/// What a report is asked for. All of it is optional; an empty text says nothing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    /// Days as `2026-11-23`, both included; the last thirty unless said otherwise.
    pub from: Option<String>,
    #[serde(alias = "until")]
    pub to: Option<String>,
    /// `day` (unless said otherwise) or `month`.
    pub by: Option<String>,
    pub project: Option<String>,
    /// A user's name, or `*` for all users together. Nothing: the caller; for administrators everyone, each apart.
    pub user: Option<String>,
    /// `csv`, else JSON.
    pub format: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Day,
    Month,
}

impl Period {
    /// `2026-11-23` or `2026-11`: the period that a day is in.
    pub fn of(self, day: Date) -> String {
        match self {
            Period::Day => day.to_string(),
            Period::Month => day.strftime("%Y-%m").to_string(),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Period::Day => "day",
            Period::Month => "month",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub from: Date,
    pub to: Date,
    pub by: Period,
    /// By period, user, project.
    pub rows: Vec<Row>,
    pub total: Usage,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// `2026-11-23` or `2026-11`, UTC.
    pub period: String,
    /// `None` is all users together.
    pub user: Option<UserId>,
    pub project: ProjectId,
    pub usage: Usage,
}

/// Whose use is reported.
#[derive(Debug, PartialEq)]
enum Whose {
    One(UserId),
    Each,
    Together,
}

/// The report of what the caller may see: their own use; all of a project they are in, its users together;
/// administrators everything.
///
/// # Errors
/// Every field at fault; 403 for the use of others.
pub async fn report(site: &Site, caller: &Caller, query: &Query) -> Result<Report, ApiError> {
    let said =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let mut faults = Vec::new();
    let mut fault = |field: &str, message: Message| faults.push(FieldFault::new(field, message));
    let today = site.clock.now().day();
    let mut day = |field: &str, text: Option<String>, otherwise: i64| match text.map(|text| text.parse::<Date>()) {
        None => otherwise,
        Some(Ok(date)) => day_of(date),
        Some(Err(_)) => {
            fault(field, says("fault-day"));
            otherwise
        }
    };
    let to = day("to", said(&query.to), today);
    let from = day("from", said(&query.from), to - DAYS + 1);
    if from > to || to - from >= MOST_DAYS {
        fault("from", says("fault-period").set("most", MOST_DAYS));
    }
    let by = match said(&query.by).as_deref() {
        None | Some("day") => Period::Day,
        Some("month") => Period::Month,
        Some(_) => {
            fault("by", expected_one_of(&["day", "month"]));
            Period::Day
        }
    };
    let project: Option<ProjectId> = said(&query.project)
        .and_then(|text| text.parse().map_err(|error: crate::domain::InvalidId| fault("project", error.into())).ok());
    let user = said(&query.user);
    let named: Option<UserId> = user
        .as_deref()
        .filter(|user| *user != EVERYONE)
        .and_then(|text| text.parse().map_err(|error: crate::domain::InvalidId| fault("user", error.into())).ok());
    if !faults.is_empty() {
        return Err(ApiError::Invalid(faults));
    }
    let whose = whose(site, caller, user.as_deref() == Some(EVERYONE), named, project.as_ref()).await?;
    let user = if let Whose::One(user) = &whose { Some(user) } else { None };
    let rows = site.store.usage_rows(user, project.as_ref(), from, to).await?;
    Ok(summed(rows, by, whose == Whose::Together, (from, to)))
}

async fn whose(
    site: &Site,
    caller: &Caller,
    together: bool,
    named: Option<UserId>,
    project: Option<&ProjectId>,
) -> Result<Whose, ApiError> {
    match named {
        Some(user) if caller.may_manage(&user) => Ok(Whose::One(user)),
        Some(_) => Err(ApiError::Forbidden(says("fault-others-use"))),
        None if together => {
            let mut is_open = caller.is_admin();
            if let Some(project) = project.filter(|project| !is_open && !project.is_default()) {
                is_open = site.store.projects_of(caller.id()).await?.iter().any(|known| known.id == *project);
            }
            if is_open { Ok(Whose::Together) } else { Err(ApiError::Forbidden(says("fault-project-use"))) }
        }
        None if caller.is_admin() => Ok(Whose::Each),
        None => Ok(Whose::One(caller.id().clone())),
    }
}

fn summed(rows: Vec<UsageRow>, by: Period, together: bool, (from, to): (i64, i64)) -> Report {
    let total = rows.iter().fold(Usage::default(), |sum, row| sum.plus(row.usage));
    let rows = rows.into_iter().map(|row| Row {
        period: by.of(date(row.day)),
        user: (!together).then_some(row.user),
        project: row.project,
        usage: row.usage,
    });
    Report { from: date(from), to: date(to), by, rows: merged(rows), total }
}

/// One row for each period, user and project, in their order.
fn merged(rows: impl Iterator<Item = Row>) -> Vec<Row> {
    let mut sums: BTreeMap<(String, Option<UserId>, ProjectId), Usage> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry((row.period, row.user, row.project)).or_default();
        *sum = sum.plus(row.usage);
    }
    sums.into_iter().map(|((period, user, project), usage)| Row { period, user, project, usage }).collect()
}

/// Days since the epoch, as dates.
pub fn date(day: i64) -> Date {
    let span = jiff::Span::new().try_days(day);
    let epoch = jiff::civil::date(1970, 1, 1);
    span.and_then(|span| epoch.checked_add(span)).unwrap_or(epoch)
}

fn day_of(date: Date) -> i64 {
    date.duration_since(jiff::civil::date(1970, 1, 1)).as_hours() / 24
}

fn figures(usage: &Usage) -> Value {
    json!({
        "jobs": usage.jobs, "time": number(usage.time.round()), "cpu": number(usage.cpu), "ram": number(usage.ram),
        "gpu": number(usage.gpu),
    })
}

impl Report {
    /// How many days it is about, both ends included.
    pub fn days(&self) -> i64 {
        day_of(self.to) - day_of(self.from) + 1
    }

    /// The same, with the days of a month as one period.
    pub fn by_month(self) -> Report {
        let month = |row: Row| {
            let period = row.period.parse().map_or(row.period, |day| Period::Month.of(day));
            Row { period, ..row }
        };
        Report { by: Period::Month, rows: merged(self.rows.into_iter().map(month)), ..self }
    }

    pub fn document(&self) -> Value {
        let row = |row: &Row| {
            let mut shown = figures(&row.usage);
            shown["period"] = json!(row.period);
            shown["user"] = json!(row.user);
            shown["project"] = json!(row.project);
            shown
        };
        json!({
            "from": self.from.to_string(), "to": self.to.to_string(),
            "by": self.by.as_str(),
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(), "total": figures(&self.total),
        })
    }

    /// Comma-separated values, the first line names.
    pub fn csv(&self) -> String {
        let mut text = String::from("user,project,period,jobs,time_s,cpu,ram_gb,gpu\r\n");
        for Row { period, user, project, usage } in &self.rows {
            let names = [user.as_ref().map_or("", UserId::as_str), project.as_str(), period].map(quoted).join(",");
            let (jobs, time) = (usage.jobs, usage.time.round());
            text.push_str(&format!("{names},{jobs},{time},{},{},{}\r\n", usage.cpu, usage.ram, usage.gpu));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_months_and_users_one() {
        let row = |day, user: &str, jobs| UsageRow {
            day,
            user: user.parse().unwrap(),
            project: "rna".parse().unwrap(),
            usage: Usage { jobs, time: 1.5, ..Usage::default() },
        };
        let november = day_of(jiff::civil::date(2026, 11, 30));
        let rows = vec![row(november - 1, "ann", 1), row(november, "bob", 2), row(november + 1, "ann", 4)];
        let report = summed(rows.clone(), Period::Month, true, (november - 1, november + 1));
        let shown: Vec<_> = report.rows.iter().map(|row| (row.period.as_str(), row.usage.jobs)).collect();
        assert_eq!(shown, [("2026-11", 3), ("2026-12", 4)]);
        assert_eq!((report.total.jobs, report.from.to_string()), (7, "2026-11-29".to_owned()));
        let by_day = || summed(rows.clone(), Period::Day, true, (november - 1, november + 1));
        assert_eq!((by_day().days(), by_day().by_month()), (3, report));
        let csv = summed(rows.clone(), Period::Day, false, (november - 1, november + 1)).csv();
        assert_eq!(csv.lines().nth(1), Some(r#""ann","rna","2026-11-29",1,2,0,0,0"#));
    }
}
