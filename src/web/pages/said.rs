//! What went wrong, in the reader's language.

use crate::web::error::{ApiError, FieldFault};
use crate::web::words::{Message, Words, as_sentence, says};

pub struct Said {
    pub text: String,
    /// It is English on a page that is not.
    pub english: bool,
}

/// In a sentence.
pub fn said(words: &Words, error: &ApiError) -> Said {
    if let ApiError::NotFound(what) = error {
        return Said { text: words.t(not_found(what)), english: false };
    }
    let message = match error {
        ApiError::Invalid(faults) => Message::joined("fault-and-another", faults.iter().map(labelled)),
        error => error.message(),
    };
    Said { text: as_sentence(&words.say(&message)), english: words.is_foreign(&message) }
}

fn labelled(fault: &FieldFault) -> Message {
    match label(&fault.field) {
        Some(label) => says("fault-at").set("field", says(label)).set("fault", &fault.message),
        None => fault.told(),
    }
}

/// To a reader, whatever else the API calls it is a page.
fn not_found(what: &str) -> &'static str {
    match what {
        "job" => "error-no-job",
        "project" => "error-no-project",
        "user" => "error-no-user",
        _ => "error-no-page",
    }
}

/// The label of a field, where a form of ours has it. The new job's has its faults beside its fields.
pub fn label(field: &str) -> Option<&'static str> {
    Some(match field.strip_prefix("usage.").unwrap_or(field) {
        "id" | "name" => "profile-name",
        "email" => "profile-mail",
        "preferences.theme" => "profile-theme",
        "preferences.language" => "profile-language",
        "preferences.zone" => "profile-zone",
        "scope" => "profile-token-may",
        "days" => "fault-of-days",
        "old" | "new" => "profile-password",
        "prio" => "profile-priority",
        "quota_time" => "admin-quota-time",
        "quota_cpu" => "home-cpu",
        "quota_ram" => "admin-quota-ram",
        "quota_gpu" => "home-gpu",
        "quota_disk" => "admin-quota-disk",
        "quota_upload" => "admin-quota-upload",
        "description" => "admin-description",
        "owner" => "admin-contact",
        "members" => "admin-members",
        "from" => "usage-from",
        "to" => "usage-to",
        "by" => "usage-by",
        "project" => "usage-project",
        "user" => "admin-user",
        "template" => "new-keep-as",
        "queue" => "fault-of-queue",
        _ => return None,
    })
}
