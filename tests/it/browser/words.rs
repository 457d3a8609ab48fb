//! What things are called on the pages, in English: the one place to change when a page says it otherwise.

// The login.
pub const USER: &str = "User name";
pub const PASSWORD: &str = "Password";
pub const LOG_IN: &str = "Log in";
pub const LOG_OUT: &str = "Log out";
pub const SKIP: &str = "Skip to the content";

// The form of a job.
pub const NEW_JOB: &str = "New job";
pub const NAME: &str = "Name";
pub const IMAGE: &str = "Image";
pub const SCRIPT: &str = "Script";
pub const MEMORY: &str = "Memory";
pub const SUBMIT: &str = "Submit";

// A job.
pub const KILL: &str = "Kill";
pub const ARCHIVE: &str = "Archive";
/// The words for how a job is.
pub const RUNNING: &str = "running";
pub const KILLED: &str = "killed";
pub const ARCHIVED: &str = "archived";
pub const ARCHIVE_TICKED: &str = "Archive";
pub const DONE: &str = "It ended well.";

// Administration.
pub const ACTIVATE: &str = "Activate";
pub const QUOTA_TIME: &str = "Run time";
pub const PRIORITY: &str = "Priority";
pub const SAVE: &str = "Save";
pub const SAVED: &str = "Done.";
pub const MESSAGE: &str = "Message";
pub const SWITCH_ON: &str = "Switch it on";
pub const SWITCH_OFF: &str = "Switch it off";
pub const MAINTENANCE_OFF: &str = "Jobs are taken and started.";

// The profile.
pub const COLOURS: &str = "Colours";

// Guests.
pub const NOT_ACTIVE: &str = "has to activate your account";
pub const ACTIVATE_FIRST: &str = "An administrator has to activate this account first";
pub const WAITING_GUESTS: &str = "Guests who wait to be activated";
