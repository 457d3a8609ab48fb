//! Starting and stopping, and how the programs speak about themselves.

use std::process::{Command, Output};

use serde_json::json;

use crate::support::{PASSWORD, native};

fn go_d(args: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_go-d")).args(args).envs(env.iter().copied()).output().unwrap()
}

fn said(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

#[test]
fn no_argument_prints_help() {
    let output = go_d(&[], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output.stderr).contains("Usage: go-d"), "{}", said(&output.stderr));
}

#[test]
fn a_wrong_configuration_stops_a_start_with_all_its_faults() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("go-d.ini");
    std::fs::write(&file, "web_port: none at all\nscheduler_policy: best\nshared_dri: /x\n").unwrap();
    let file = file.to_str().unwrap();
    for args in [["up", "--config", file].as_slice(), &["config", "check", "--config", file]] {
        let output = go_d(args, &[]);
        assert_eq!(output.status.code(), Some(2));
        let text = said(&output.stdout) + &*said(&output.stderr);
        assert!(text.contains(":1: web_port") && text.contains(":2: scheduler_policy"), "{text}");
    }
    let check = go_d(&["config", "check", "--config", file], &[]);
    assert!(said(&check.stdout).contains("did you mean shared_dir?"), "{}", said(&check.stdout));
}

#[test]
fn the_first_administrators_password_and_key_are_printed_once() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let dir = tempfile::tempdir().unwrap();
    let start = || {
        let mut child = Command::new(env!("CARGO_BIN_EXE_go-d"))
            .args(["up", "--listen", "127.0.0.1:0", "--admin", "ann", "--data-dir"])
            .arg(dir.path().join("data"))
            .env("GODOCKER_EXECUTORS", "native")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            lines.push(line.unwrap());
            if lines.last().unwrap().contains("is ready at") {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        lines.join("\n")
    };
    let first = start();
    assert!(
        first.contains("Administrator ann") && first.contains("password:") && first.contains("API key:"),
        "{first}"
    );
    let second = start();
    assert!(!second.contains("password:") && !second.contains("API key:"), "{second}");
}

#[test]
fn somebody_who_is_not_root_runs_their_own_jobs() {
    use std::io::{BufRead, BufReader};
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    use std::process::Stdio;
    if !nix::unistd::Uid::effective().is_root() {
        // Then every other test shows it.
        return;
    }
    const NOBODY: u32 = 65_534;
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    // A checkout may be where only root can look.
    let program = dir.path().join("go-d");
    std::fs::copy(env!("CARGO_BIN_EXE_go-d"), &program).unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
    let mut child = Command::new(&program)
        .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&data)
        .current_dir("/")
        .env("GODOCKER_EXECUTORS", "native")
        .env("GODOCKER_ADMIN_APIKEY", crate::support::API_KEY)
        .uid(NOBODY)
        .gid(NOBODY)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let server =
        lines.into_iter().find_map(|line| line.strip_prefix("GoDocker is ready at ").map(str::to_owned)).unwrap();
    let god = Command::new("timeout")
        .args(["30", env!("CARGO_BIN_EXE_god"), "run", "none", "--", "sh", "-c", "id -u; exit 5"])
        .envs([("GOD_SERVER", server.as_str()), ("GOD_USER", "admin"), ("GOD_APIKEY", crate::support::API_KEY)])
        .output()
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((god.status.code(), said(&god.stdout)), (Some(5), "65534\n".to_owned()), "{}", said(&god.stderr));
}

#[tokio::test]
async fn nobody_gets_in_without_a_key() {
    let server = native().start().await;
    for body in [
        json!({ "user": "admin", "apikey": "wrong" }),
        json!({ "user": "nobody", "apikey": "wrong" }),
        json!({ "user": "admin", "apikey": "" }),
        json!({ "user": "admin", "apikey": PASSWORD }),
    ] {
        assert_eq!(server.call("POST", "/authenticate", Some(body.clone())).await.0, 401, "{body}");
    }
    let client = reqwest::Client::new();
    for path in ["/task/active", "/task/1", "/image", "/user/admin", "/queue/nodes"] {
        let url = format!("{}/api/1.0{path}", server.url());
        assert_eq!(client.get(url).send().await.unwrap().status(), 401, "{path}");
    }
}

#[tokio::test]
async fn the_token_does_not_hold_the_key_and_no_secret_is_logged() {
    use base64::Engine;
    let server = native().start().await;
    let claims = server.token().split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    let text = said(&claims) + &*server.log();
    assert!(!text.contains(crate::support::API_KEY) && !text.contains(PASSWORD), "{text}");
    use std::os::unix::fs::PermissionsExt;
    for name in ["godocker.db", "signing.key"] {
        let mode = std::fs::metadata(server.dir().join("data").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}
