//! What can be typed.

pub mod data;
pub mod people;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::document::{parse_after, parse_label, parse_span, parse_volume};
use crate::domain::JobId;

const EXIT_CODES: &str = "\
Exit codes:
  0    done; of `run`, `job wait` and `job submit --wait`: the job's own exit code
  137  the job was killed, or ran into its time limit
  125  the job is over without an exit code: rejected, or its node failed
  124  `job wait --timeout` ran out; the job goes on
  130  interrupted; the job goes on
  2    the command line is wrong
  65   the server refused what was sent     66   no such job, file or user
  69   the server does not answer           70   the server has a fault
  73   a file here cannot be read or written
  75   too many requests or jobs: try later
  77   not logged in, or not allowed        78   the credentials file is broken

Environment:
  GOD_SERVER, GOD_USER, GOD_APIKEY  come before what `god login` stored";

/// Submit jobs to GoDocker, watch them, and fetch what they made.
#[derive(Debug, Parser)]
#[command(name = "god", version, after_help = EXIT_CODES, propagate_version = true)]
pub struct Cli {
    /// Print for programs: one JSON document (or one a line while following), errors too
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Store who you are, after the server has agreed
    Login(Login),
    /// Run a command as a job, and follow it as if it ran here
    Run(Box<Run>),
    /// Submit jobs and look after them
    #[command(subcommand)]
    Job(Job),
    /// Files to work with: your upload space, which jobs read in $GODOCKER_DATA
    #[command(subcommand)]
    Data(data::Data),
    /// What takes the space of your job files, the largest first
    Disk(Disk),
    /// The images that jobs may use
    #[command(subcommand)]
    Image(Image),
    /// The machines that run jobs
    #[command(subcommand)]
    Node(Node),
    /// Users: yourself, and for administrators everyone
    #[command(subcommand)]
    User(people::User),
    /// Projects: groups of users with common quotas and volumes
    #[command(subcommand)]
    Project(people::Project),
    /// Personal access tokens
    #[command(subcommand)]
    Token(people::Token),
    /// The site: maintenance, the audit log
    #[command(subcommand)]
    Admin(people::Admin),
    /// Who the server takes you for
    Whoami,
}

#[derive(Debug, Args)]
pub struct Login {
    /// Address of the server, like https://god.example.org
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// Your login there
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Your API key; other users of this machine can see it while the command runs
    #[arg(long, value_name = "KEY", conflicts_with = "api_key_stdin")]
    pub api_key: Option<String>,
    /// Read the API key from standard input
    #[arg(long)]
    pub api_key_stdin: bool,
}

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub options: JobOptions,
    /// The image to run in
    pub image: String,
    /// The command and its arguments, after --
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub enum Job {
    /// Put a job in the queue; prints its id
    Submit(Box<Submit>),
    /// List your jobs
    List(List),
    /// Everything about a job
    Show { id: JobId },
    /// What a job has written: its output here on the output, its errors on the errors
    Log(Log),
    /// Stop jobs
    Kill(Ids),
    /// Stop jobs for a while
    Suspend(Ids),
    /// Let suspended jobs go on
    Resume(Ids),
    /// Stop jobs and put them back in the queue
    Reschedule(Ids),
    /// Delete the files of jobs that are over
    Archive(Ids),
    /// Delete jobs that are over with all that is known of them
    Delete(Ids),
    /// Wait until jobs are over; exits with the job's code, or the highest
    Wait(Wait),
    /// List the files of a job
    Files {
        id: JobId,
        /// A directory in the job directory
        #[arg(default_value = "")]
        path: String,
    },
    /// Fetch a file of a job, or a directory as an archive
    Get(Get),
}

#[derive(Debug, Args)]
pub struct Ids {
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<JobId>,
}

#[derive(Debug, Args)]
pub struct Submit {
    #[command(flatten)]
    pub options: JobOptions,
    /// The script to run; - reads it from standard input
    #[arg(long, value_name = "FILE", group = "what")]
    pub script: Option<PathBuf>,
    /// The text of the script
    #[arg(long, value_name = "TEXT", group = "what")]
    pub cmd: Option<String>,
    /// Without it, the site's default image
    #[arg(long)]
    pub image: Option<String>,
    /// Run once for every number: LAST, FIRST:LAST or FIRST:LAST:STEP, with %N at most N at once
    #[arg(long, value_name = "RANGE")]
    pub array: Option<String>,
    /// Wait until the job is over, and exit with its code
    #[arg(long)]
    pub wait: bool,
    /// The command and its arguments, after --
    #[arg(last = true, group = "what", value_name = "CMD")]
    pub command: Vec<String>,
}

/// What `run` and `job submit` share. What is not given, the server decides.
#[derive(Debug, Args, Default)]
pub struct JobOptions {
    /// Named after the program or script otherwise
    #[arg(long)]
    pub name: Option<String>,
    /// For people
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Cores
    #[arg(long, value_name = "N")]
    pub cpu: Option<f64>,
    /// Memory in GB
    #[arg(long, value_name = "GB")]
    pub ram: Option<f64>,
    /// Graphics cards
    #[arg(long, value_name = "N")]
    pub gpus: Option<u32>,
    /// Start after these jobs have ended: ID (well), ID:failed or ID:any, divided by commas
    #[arg(long, value_name = "JOBS", value_delimiter = ',', value_parser = parse_after)]
    pub after: Vec<String>,
    /// Only on nodes labelled NAME==VALUE
    #[arg(long, value_name = "LABEL", value_parser = parse_label)]
    pub label: Vec<String>,
    /// A volume of the site: NAME, NAME:ro or NAME:rw
    #[arg(long, value_name = "VOLUME", value_parser = parse_volume)]
    pub volume: Vec<(String, Option<String>)>,
    /// The project it counts for
    #[arg(long)]
    pub project: Option<String>,
    /// A word to find it by; may be repeated
    #[arg(long)]
    pub tag: Vec<String>,
    /// The longest it may run: 90s, 30m, 12h, 2d
    #[arg(long, value_name = "SPAN")]
    pub time_limit: Option<String>,
    /// Launches again after a node failed under it
    #[arg(long, value_name = "N")]
    pub retries: Option<u32>,
    /// Open a port of the container
    #[arg(long, value_name = "PORT")]
    pub port: Vec<u16>,
    /// Run as root in the container
    #[arg(long)]
    pub root: bool,
    /// Without network
    #[arg(long)]
    pub no_network: bool,
    /// Send mail when it is over
    #[arg(long)]
    pub notify: bool,
    /// The backend to run on, where the site has several
    #[arg(long, value_name = "NAME")]
    pub executor: Option<String>,
}

#[derive(Debug, Args)]
pub struct List {
    /// Those that are over, newest first, instead of those that are not
    #[arg(long)]
    pub over: bool,
    /// Everyone's (administrators)
    #[arg(long)]
    pub all: bool,
    /// At most so many; 0 is no limit [default: 50 with --over]
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Only jobs with this tag
    #[arg(long)]
    pub tag: Option<String>,
    /// Only jobs of this project
    #[arg(long)]
    pub project: Option<String>,
}

#[derive(Debug, Args)]
pub struct Log {
    pub id: JobId,
    /// Go on until the job is over
    #[arg(long, short)]
    pub follow: bool,
    /// Only what it wrote as errors, and that on the output
    #[arg(long)]
    pub err: bool,
}

#[derive(Debug, Args)]
pub struct Wait {
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<JobId>,
    /// Give up after so long: 90s, 30m, 12h, 2d
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    pub timeout: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct Get {
    pub id: JobId,
    /// A file in the job directory; with --archive a directory, or nothing for all of it
    #[arg(default_value = "", required_unless_present = "archive")]
    pub path: String,
    /// Where to; - is the output [default: its own name, here, if there is no such file yet]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// A directory, as one file of this format
    #[arg(long, value_enum)]
    pub archive: Option<Archive>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Archive {
    Tar,
    Zip,
}

impl Archive {
    pub fn as_str(self) -> &'static str {
        match self {
            Archive::Tar => "tar",
            Archive::Zip => "zip",
        }
    }
}

#[derive(Debug, Args)]
pub struct Disk {
    /// At most so many jobs
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u64,
    /// Archive the N largest: their files are deleted, their records stay
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub archive: Option<u64>,
    /// Somebody else's (administrators)
    #[arg(long, value_name = "ID")]
    pub user: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Image {
    /// List them
    List,
}

#[derive(Debug, Subcommand)]
pub enum Node {
    /// List them, with what is in use
    List,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn there_is_one_way_to_say_what_runs() {
        let parses = |line: &str| Cli::try_parse_from(line.split(' ')).is_ok();
        assert!(parses("god job submit --script a.sh"));
        assert!(parses("god job submit --image d -- echo -n a"));
        assert!(!parses("god job submit --script a.sh --cmd b"));
        assert!(!parses("god job submit --cmd b -- c"));
        assert!(parses("god run debian -- ls -l"));
        assert!(!parses("god run debian"));
        assert!(parses("god job kill 1 2 --json"));
        assert!(!parses("god job kill 0"));
        assert!(parses("god job get 1 out.txt") && !parses("god job get 1") && parses("god job get 1 --archive tar"));
        assert!(!parses("god job submit --after 12:sometimes --cmd a"));
    }
}
