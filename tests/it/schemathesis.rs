//! The OpenAPI document, tried by schemathesis: whatever is sent, nothing answers that the fault is ours.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::support::{Server, native};

static INSTALLED: LazyLock<PathBuf> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis-4.32");
    if !dir.join("done").exists() {
        let _ = std::fs::remove_dir_all(&dir);
        let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
        run(Command::new("python3").args(["-m", "venv"]).arg(&dir));
        run(Command::new(dir.join("bin/pip")).args(["install", "-q", "schemathesis==4.32.5"]));
        std::fs::write(dir.join("done"), "").unwrap();
    }
    dir
});

/// What ends the caller's own token, takes no jobs any more, or waits.
const LEFT_OUT: &str = "/(logout|apikey|wait|events)$|^/maintenance$|^/authenticate$";

fn try_as(server: &Server, token: &str) {
    let output = Command::new("timeout")
        .arg("300")
        .arg(INSTALLED.join("bin/schemathesis"))
        .args(["run", "--phases", "examples,coverage,fuzzing", "--checks", "not_a_server_error", "--max-examples", "6"])
        .args(["--exclude-path-regex", LEFT_OUT, "--request-timeout", "20", "--seed", "7", "--workers", "1"])
        .args(["--suppress-health-check", "all", "--header", &format!("Authorization: Bearer {token}")])
        .args(["--url", &format!("{}/api/1.0", server.url()), &format!("{}/api/1.0/openapi.json", server.url())])
        .current_dir(server.dir())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &*String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", server.log());
    assert!(said.contains("not_a_server_error") || said.contains("passed"), "nothing was tried: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_user_sends_is_our_fault() {
    let server = native().start().await;
    let ann = server.new_user("ann", 7001).await;
    try_as(&server, &ann);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_an_administrator_sends_is_our_fault() {
    let server = native().start().await;
    try_as(&server, server.token());
}
