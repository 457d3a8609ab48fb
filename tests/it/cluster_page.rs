//! docs/cluster.md is true: every block of it that is marked `sh` is run, in order, as an administrator would.

use std::path::Path;
use std::process::Command;

fn commands() -> String {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cluster.md")).unwrap();
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```\n").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

/// Whatever became of the trial.
struct Hosts<'a>(&'a Path);

impl Hosts<'_> {
    fn command(&self) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/three-hosts"));
        command.env("THREE_HOSTS_DIR", self.0.join("hosts"));
        command
    }
}

impl Drop for Hosts<'_> {
    fn drop(&mut self) {
        let _ = self.command().arg("down").output();
    }
}

#[test]
fn the_page_leads_to_a_cluster() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let hosts = Hosts(dir.path());
    // Where `make install` would have put them.
    let built = Path::new(env!("CARGO_BIN_EXE_go-d"));
    let bin = dir.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_god"), bin.join("god")).unwrap();
    for name in ["go-d", "go-d-scheduler", "go-d-watcher", "go-d-archive", "go-d-web"] {
        std::os::unix::fs::symlink(built, bin.join(name)).unwrap();
    }
    let at = |name: &str| dir.path().join(name).display().to_string();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let followed = Command::new("bash")
        .args(["-euxo", "pipefail", "-c", &commands()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .envs([("PATH", path), ("HOME", at("home")), ("THREE_HOSTS_DIR", at("hosts"))])
        .envs([("ETC", at("etc")), ("SHARED", at("shared")), ("DATA", at("data"))])
        .env("MANAGER", format!("unix://{}/hosts/h1/docker.sock", dir.path().display()))
        .output()
        .unwrap();
    let (said, shown) = (String::from_utf8_lossy(&followed.stdout), String::from_utf8_lossy(&followed.stderr));
    assert!(followed.status.success(), "{said}\n{shown}\n{}", logs(&dir.path().join("data/log")));
    assert!(said.contains("as uid 65534") && said.contains("planned by the other scheduler"), "{said}");
    assert!(said.contains("scheduler-h1") && said.contains("watcher-h3"), "{said}");
    drop(hosts);
}

fn logs(dir: &Path) -> String {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default()).collect()
}
