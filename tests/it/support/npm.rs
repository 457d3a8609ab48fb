//! Packages from npm, for tests only: each is installed once, into the tests' own directory.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `package` (`name@version`) is installed, which is done now if it was not.
pub fn installed(package: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(package);
    if !dir.exists() {
        // Installed aside: another test process sees all of it or nothing.
        let aside = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", package, "--prefix"]);
        assert!(npm.arg(aside.path()).status().unwrap().success(), "{npm:?}");
        // When it cannot be renamed, another one was faster, which is as good.
        let renamed = std::fs::rename(aside.path(), &dir);
        assert!(renamed.is_ok() || dir.join("node_modules").is_dir(), "{renamed:?}");
    }
    dir
}
