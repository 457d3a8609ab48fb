//! What `make install` leaves: programs, links that know what they are, units that systemd takes.

use std::path::Path;
use std::process::Command;

const PREFIX: &str = "/opt/god";

fn installed() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    // What is installed is what these tests were built with; -o keeps make from building anything.
    let built = Path::new(env!("CARGO_BIN_EXE_go-d")).parent().unwrap();
    let made = Command::new("make")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-s", "-o", "build", "install"])
        .arg(format!("BUILT={}", built.display()))
        .arg(format!("PREFIX={PREFIX}"))
        .arg(format!("DESTDIR={}", dir.path().display()))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    dir
}

#[test]
fn a_link_is_its_role_and_without_arguments_it_helps() {
    let dir = installed();
    let bin = dir.path().join(&PREFIX[1..]).join("bin");
    for (link, says) in [
        ("go-d", "Usage: go-d <COMMAND>"),
        ("go-d-scheduler", "config-reload"),
        ("go-d-watcher", "once"),
        ("go-d-archive", "once"),
        ("go-d-web", "once"),
        ("go-d-ftp", "once"),
        ("go-d-user", "create"),
        ("god", "Usage: god"),
    ] {
        let output = Command::new(bin.join(link)).env_clear().output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(says), "{link}: {said}");
        assert_eq!(output.status.code(), Some(2), "{link}");
    }
    // Without arguments it would clean.
    let help = Command::new(bin.join("go-d-clean")).arg("--help").env_clear().output().unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("--older-than"));
    let data = dir.path().join("data");
    let status = Command::new(bin.join("go-d-web")).arg("status").env_clear().env("GODOCKER_DATA_DIR", data).output();
    let status = status.unwrap();
    assert_eq!(status.status.code(), Some(3));
    assert_eq!(String::from_utf8_lossy(&status.stdout), "go-d-web does not run\n");
}

#[test]
fn systemd_takes_the_units() {
    let dir = installed();
    let root = dir.path();
    let units = root.join(&PREFIX[1..]).join("lib/systemd/system");
    for role in ["scheduler", "watcher", "archive", "web", "ftp"] {
        let unit = units.join(format!("godocker-{role}.service"));
        let text = std::fs::read_to_string(&unit).unwrap();
        assert!(text.contains(&format!("ExecStart={PREFIX}/bin/go-d {role} run\n")), "{text}");
        // Verified where its program is.
        let here = root.join(format!("godocker-{role}.service"));
        std::fs::write(&here, text.replace(PREFIX, &format!("{}{PREFIX}", root.display()))).unwrap();
        let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&here).output().unwrap();
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        assert!(verified.status.success() && !said.contains(&format!("godocker-{role}.service")), "{role}: {said}");
    }
}
