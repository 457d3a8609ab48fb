//! What concerns everybody: maintenance, and the audit log.

use serde_json::{Value, json};

use super::{entry, tell_scheduler, write};
use crate::domain::{AuditLine, Maintenance};
use crate::store::{AccountChange, AuditFilter};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::spreadsheet::quoted;
use crate::web::words::{Message, says};

const LONGEST_MESSAGE: usize = 1_000;
/// What is said where nobody has worded it.
pub const DEFAULT_MESSAGE: &str = "GoDocker is under maintenance: new jobs are not taken for now.";

/// Whether nothing new is taken, and what is said of it.
///
/// # Errors
/// The store's.
pub async fn maintenance(site: &Site) -> Result<Option<Maintenance>, ApiError> {
    let setting = site.store.setting(Maintenance::SETTING).await?.filter(|setting| !setting.is_empty());
    Ok(setting.and_then(|setting| match serde_json::from_str(&setting) {
        Ok(maintenance) => Some(maintenance),
        Err(error) => {
            tracing::error!(%error, "the setting of maintenance is not readable, and is taken as off");
            None
        }
    }))
}

/// What whoever is refused is told.
pub fn told_of_maintenance(maintenance: &Maintenance) -> Message {
    match maintenance.message.as_str() {
        DEFAULT_MESSAGE => says("fault-maintenance"),
        worded => Message::verbatim(worded),
    }
}

/// Switches maintenance on, with a message for every page, or off.
///
/// # Errors
/// A message at fault.
pub async fn set_maintenance(site: &Site, caller: &Caller, on: bool, message: &str) -> Result<(), ApiError> {
    let message = message.trim();
    if message.chars().count() > LONGEST_MESSAGE || message.contains('\0') {
        return Err(ApiError::field("message", says("fault-at-most-characters").set("most", LONGEST_MESSAGE)));
    }
    let message = if message.is_empty() { DEFAULT_MESSAGE } else { message };
    let maintenance = Maintenance { message: message.to_owned(), since: site.clock.now(), by: caller.id().clone() };
    let value = if on { json!(maintenance).to_string() } else { String::new() };
    let (action, details) =
        if on { ("maintenance.on", json!({ "message": message })) } else { ("maintenance.off", json!({})) };
    let setting = AccountChange::PutSetting { key: Maintenance::SETTING.to_owned(), value };
    write(site, vec![setting], vec![entry(site, caller, action, "site", details)]).await?;
    tell_scheduler(site).await;
    Ok(())
}

/// Lines of the audit log, newest first.
///
/// # Errors
/// The store's.
pub async fn audit(site: &Site, filter: &AuditFilter, limit: u64) -> Result<Vec<AuditLine>, ApiError> {
    Ok(site.store.audit(filter, limit).await?)
}

/// A line as the API shows it.
pub fn audit_document(AuditLine { number, entry }: &AuditLine) -> Value {
    json!({
        "number": number, "at": crate::web::view::date(entry.at), "actor": entry.actor, "address": entry.address,
        "action": entry.action, "subject": entry.subject, "details": entry.details,
    })
}

/// Lines as comma-separated values, the first of them names. Texts that a spreadsheet would take for a formula are not
/// left to be one.
pub fn csv(lines: &[AuditLine]) -> String {
    let mut text = String::from("number,date,actor,address,action,subject,details\r\n");
    for AuditLine { number, entry } in lines {
        let date = jiff::Timestamp::from_millisecond(entry.at.0).unwrap_or_default().to_string();
        let address = entry.address.as_deref().unwrap_or_default();
        let details = if entry.details == json!({}) { String::new() } else { entry.details.to_string() };
        let cells = [&date, &entry.actor, address, &entry.action, &entry.subject, &details].map(quoted);
        text.push_str(&format!("{number},{}\r\n", cells.join(",")));
    }
    text
}

/// The document of `GET /maintenance`.
pub fn maintenance_document(maintenance: Option<&Maintenance>) -> Value {
    match maintenance {
        Some(on) => json!({ "on": true, "message": on.message, "since": crate::web::view::date(on.since) }),
        None => json!({ "on": false, "message": null, "since": null }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AuditEntry, Timestamp};

    #[test]
    fn a_cell_is_neither_a_formula_nor_two_cells() {
        let entry = AuditEntry {
            at: Timestamp(0),
            actor: "=cmd()".into(),
            address: None,
            action: "user.change".into(),
            subject: "a\",\"b".into(),
            details: json!({}),
        };
        let text = csv(&[AuditLine { number: 7, entry }]);
        assert_eq!(text.lines().nth(1).unwrap(), r#"7,"1970-01-01T00:00:00Z","'=cmd()","","user.change","a"",""b","""#);
    }
}
