//! What can be typed about the upload space.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum Data {
    /// Send files; goes on where it was cut
    Put(Put),
    /// Fetch a file or folder; goes on where it was cut
    Get(Get),
    /// List a folder, and what is used of the quota
    Ls {
        #[arg(default_value = "")]
        path: String,
    },
    /// Delete files, and with -r folders
    Rm {
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
        /// Folders too, with all they hold
        #[arg(long, short)]
        recursive: bool,
    },
}

#[derive(Debug, Args)]
pub struct Put {
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A folder of the space; made where it is not there [default: its top]
    #[arg(long, value_name = "FOLDER", default_value = "")]
    pub to: String,
    /// Folders too, with all they hold
    #[arg(long, short)]
    pub recursive: bool,
}

#[derive(Debug, Args)]
pub struct Get {
    pub path: String,
    /// Where to; - is the output [default: its own name, here, if there is nothing of that name yet]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// A folder, with all it holds
    #[arg(long, short)]
    pub recursive: bool,
}
