//! What can be typed about users, projects, tokens and the site.

use clap::{Args, Subcommand};

use crate::client::document::parse_project_volume;

#[derive(Debug, Subcommand)]
pub enum User {
    /// List users (administrators)
    List {
        /// Only those with this in their name, mail, kind or standing
        #[arg(long, default_value = "", value_name = "TEXT")]
        search: String,
    },
    /// Everything about a user; without an id, about you
    Show { id: Option<String> },
    /// Change priority, quotas and mail
    Set {
        id: String,
        #[command(flatten)]
        shares: Shares,
        /// Bytes that job directories may hold, or 500M, 10G, 2T; 0 is no quota, `default` the site's
        #[arg(long, value_name = "SIZE")]
        quota_disk: Option<String>,
        /// The same of what the upload space may hold
        #[arg(long, value_name = "SIZE")]
        quota_upload: Option<String>,
        #[arg(long, value_name = "ADDRESS")]
        mail: Option<String>,
    },
    /// Let users submit jobs
    Activate(Names),
    /// Let users in no more: sessions and tokens end now, pending jobs do not start
    Disable(Names),
    /// Make users administrators
    MakeAdmin(Names),
    /// Take that back
    EndAdmin(Names),
    /// Let the usage of users begin anew, for quotas and fair share
    Reset(Names),
    /// Kill all jobs of users
    Kill(Names),
    /// End every session and token of a user; without an id, of yours
    Logout { id: Option<String> },
    /// Delete users with all their jobs and files
    Delete(Deleted),
}

#[derive(Debug, Args)]
pub struct Names {
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Deleted {
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// It cannot be undone: this says that it is meant
    #[arg(long, required = true)]
    pub yes: bool,
}

/// Priority and quotas. What is not given stays.
#[derive(Debug, Args, Default)]
pub struct Shares {
    /// 0 to 100; 50 is everyone's
    #[arg(long, value_name = "N")]
    pub priority: Option<u8>,
    /// Seconds of run time in the window; 0 is no quota
    #[arg(long, value_name = "SECONDS")]
    pub quota_time: Option<u64>,
    /// Summed cores of jobs in the window; 0 is no quota
    #[arg(long, value_name = "N")]
    pub quota_cpu: Option<u64>,
    /// Summed GB of jobs in the window; 0 is no quota
    #[arg(long, value_name = "GB")]
    pub quota_ram: Option<u64>,
    /// Summed graphics cards of jobs in the window; 0 is no quota
    #[arg(long, value_name = "N")]
    pub quota_gpu: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub enum Project {
    /// List your projects
    List {
        /// Everyone's (administrators)
        #[arg(long)]
        all: bool,
    },
    /// Everything about a project
    Show { id: String },
    /// Make a project
    Create {
        id: String,
        #[command(flatten)]
        options: ProjectOptions,
    },
    /// Change a project; what is not given stays
    Set {
        id: String,
        #[command(flatten)]
        options: ProjectOptions,
    },
    /// Let users in
    AddMember(Members),
    /// Let users out; their jobs in it do not start any more
    RemoveMember(Members),
    /// Let its usage begin anew, for quotas and fair share
    Reset { id: String },
    /// Delete projects without active jobs
    Delete(Deleted),
}

#[derive(Debug, Args)]
pub struct Members {
    pub id: String,
    #[arg(required = true, value_name = "USER")]
    pub users: Vec<String>,
}

#[derive(Debug, Args)]
pub struct ProjectOptions {
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// A contact, not a member by that
    #[arg(long, value_name = "USER")]
    pub owner: Option<String>,
    /// Members, all of them; may be repeated
    #[arg(long, value_name = "USER")]
    pub member: Vec<String>,
    #[command(flatten)]
    pub shares: Shares,
    /// Volumes, all of them: NAME:ro|rw:PATH[:MOUNT]; may be repeated
    #[arg(long, value_name = "VOLUME", value_parser = parse_project_volume)]
    pub volume: Vec<serde_json::Value>,
}

#[derive(Debug, Subcommand)]
pub enum Token {
    /// List your personal access tokens
    List,
    /// Make one; it is printed once
    Create {
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may do
        #[arg(long, value_parser = ["read", "submit", "admin"])]
        scope: String,
        /// It ends after so many days; without it, never
        #[arg(long)]
        days: Option<u32>,
    },
    /// Delete one: it opens nothing any more
    Delete { id: String },
}

#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Whether new jobs are taken
    #[command(subcommand)]
    Maintenance(Maintenance),
    /// Who changed what, newest first
    Audit {
        /// Only what this user did
        #[arg(long, value_name = "USER")]
        actor: Option<String>,
        /// Only what was done to this user or project
        #[arg(long, value_name = "ID")]
        subject: Option<String>,
        /// Only these actions: user, user.change..
        #[arg(long)]
        action: Option<String>,
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u32,
    },
}

#[derive(Debug, Subcommand)]
pub enum Maintenance {
    /// Take and start no new jobs; running ones go on
    On {
        /// What every page says
        #[arg(long, default_value = "", value_name = "TEXT")]
        message: String,
    },
    Off,
    Show,
}
