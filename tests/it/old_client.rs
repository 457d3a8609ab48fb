//! The public client, `godocker_CLI` 1.0.25, as published: what it says and does must be what it was.
//!
//! It was written for Python 2; `tests/support/python2-manners` gives it back what Python 3 took (bytes as text), and
//! `click` is held below 8, whose option defaults it relies on. Its own files are untouched.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::{API_KEY, IMAGE, Server, docker, native};

fn venv() -> &'static Path {
    static VENV: OnceLock<PathBuf> = OnceLock::new();
    VENV.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("godocker-cli-1.0.25");
        if !dir.join("done").exists() {
            let _ = std::fs::remove_dir_all(&dir);
            run(Command::new("python3").args(["-m", "venv"]).arg(&dir));
            run(Command::new(dir.join("bin/pip")).args(["install", "-q", "godocker_CLI==1.0.25", "click<8"]));
            std::fs::write(dir.join("done"), "").unwrap();
        }
        dir
    })
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &*String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
    text
}

struct Client<'a> {
    server: &'a Server,
    home: PathBuf,
}

impl<'a> Client<'a> {
    fn of(server: &'a Server) -> Self {
        let home = server.dir().join("home");
        std::fs::create_dir_all(&home).unwrap();
        let client = Client { server, home };
        client.run("godlogin", &["-a", API_KEY, "-l", "admin", "-s", &server.url()]);
        client
    }

    fn run(&self, program: &str, args: &[&str]) -> String {
        let manners = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/python2-manners");
        run(Command::new(venv().join("bin").join(program))
            .args(args)
            .current_dir(&self.home)
            .env("HOME", &self.home)
            .env("PYTHONPATH", manners)
            .env("LC_ALL", "C.UTF-8")
            .env("LANG", "C.UTF-8"))
    }

    fn create(&self, args: &[&str]) -> u64 {
        let mut all = vec!["create", "-n", "job", "-i", IMAGE, "--external_image"];
        all.extend(args);
        let said = self.run("godjob", &all);
        let id = said.trim().rsplit(' ').next().and_then(|id| id.parse().ok());
        id.unwrap_or_else(|| panic!("no id in {said}\n{}", self.server.log()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_client_creates_and_shows_jobs() {
    let server = native().start().await;
    let client = Client::of(&server);
    let script = client.home.join("script.sh");
    std::fs::write(&script, "#!/bin/sh\necho from the script\n").unwrap();
    let by_script = client.create(&["-s", script.to_str().unwrap(), "-d", "a description", "-t", "red,blue", "--wait"]);
    let by_cmd = client.create(&["--cmd", "echo by command", "-c", "1", "-r", "1", "--wait"]);
    let array = client.create(&["--cmd", "true", "-a", "1:3:1", "--wait"]);
    let child = client.create(&["--cmd", "true", "--parent", &format!("{by_script},{by_cmd}"), "--wait"]);
    let with_home = client.create(&["--cmd", "true", "-v", "home", "--wait"]);

    let shown = client.run("godjob", &["show", &by_script.to_string()]);
    assert!(shown.contains("a description") && shown.contains("over") && shown.contains(IMAGE), "{shown}");
    client.run("godjob", &["show", &array.to_string()]);
    let shown = client.run("godjob", &["show", &child.to_string()]);
    assert!(shown.contains(&by_cmd.to_string()), "{shown}");
    client.run("godjob", &["show", &with_home.to_string()]);

    let over = client.run("godjob", &["list", "over"]);
    for id in [by_script, by_cmd, array, child] {
        assert!(over.contains(&format!(" {id} ")), "{over}");
    }
    assert!(over.contains("success"), "{over}");
    let found = client.run("godjob", &["search", "blue"]);
    assert!(found.contains(&format!(" {by_script} ")) && !found.contains(&format!(" {by_cmd} ")), "{found}");

    let files = client.run("godfile", &["list", &by_script.to_string()]);
    assert!(files.contains("god.log") && files.contains("cmd.sh"), "{files}");
    client.run("godfile", &["download", &by_script.to_string(), "god.log"]);
    let log = std::fs::read_to_string(client.home.join(format!("god_{by_script}.log"))).unwrap();
    assert_eq!(log, "from the script\n");

    let images = client.run("godimage", &["list"]);
    assert!(images.contains(IMAGE), "{images}");
    let user = client.run("goduser", &["show"]);
    assert!(user.contains("admin") && user.contains("default") && user.contains("usage per date"), "{user}");

    let archived = client.run("godjob", &["archive", "--id", &by_cmd.to_string()]);
    assert!(archived.contains("archived"), "{archived}");
    server.until(by_cmd, "archived", |task| task["status"]["primary"] == "archived").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_client_suspends_resumes_and_kills() {
    let server = docker().start().await;
    let client = Client::of(&server);
    let id = client.create(&["--cmd", "while :; do sleep 1; done"]);
    server.running(id).await;
    assert!(client.run("godjob", &["list", "active"]).contains(&format!(" {id} ")));
    client.run("godjob", &["suspend", &id.to_string()]);
    server.until(id, "suspended", |task| task["status"]["secondary"] == "suspended").await;
    client.run("godjob", &["resume", &id.to_string()]);
    server.until(id, "resumed", |task| task["status"]["secondary"] != "suspended").await;
    let said = client.run("godjob", &["kill", &id.to_string()]);
    assert!(said.contains("kill requested"), "{said}");
    assert_eq!(server.over(id).await["status"]["secondary"], "killed");
    let more = [client.create(&["--cmd", "sleep 60", "-t", "tagged"]), client.create(&["--cmd", "sleep 60"])];
    client.run("godjob", &["killall", "-t", "tagged"]);
    assert_eq!(server.over(more[0]).await["status"]["secondary"], "killed");
    assert_ne!(server.task(more[1]).await["status"]["primary"], "over");
    client.run("godjob", &["killall"]);
    assert_eq!(server.over(more[1]).await["status"]["secondary"], "killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_client_administers_projects_and_users() {
    let server = native().start().await;
    server.new_user("ann", 7001).await;
    let client = Client::of(&server);
    let all = ["-d", "the rna group", "-p", "60", "-c", "10", "-r", "20", "-t", "3600", "-m", "admin"];
    let created = client.run("godproject", &[&["create", "-n", "rna"], &all[..]].concat());
    assert!(created.contains("was created"), "{created}");
    let shown = client.run("godproject", &["show", "rna"]);
    assert!(shown.contains("the rna group") && shown.contains("60") && shown.contains("1:00:00"), "{shown}");
    assert!(client.run("godproject", &["list"]).contains("rna"));
    assert!(client.run("godproject", &["listall"]).contains("rna"));
    client.run("godproject", &["addmember", "rna", "ann"]);
    assert_eq!(server.get("/project/rna").await["members"], serde_json::json!(["admin", "ann"]));
    client.run("godproject", &["volume", "rna", "--add", "-n", "db", "-p", "/srv/db", "-m", "rw"]);
    let volumes = server.get("/project/rna").await["volumes"].clone();
    assert_eq!(volumes, serde_json::json!([{ "name": "db", "path": "/srv/db", "mount": "/srv/db", "acl": "rw" }]));
    assert!(client.run("godproject", &["show", "rna"]).contains("/srv/db"));
    client.run("godproject", &["volume", "rna", "--rm", "-n", "db"]);
    // `godproject update` compares its description with a number, which no Python 3 does: what it would send.
    let mut project = server.get("/project/rna").await;
    project["quota_time"] = 7200.into();
    assert_eq!(server.call("POST", "/project/rna", Some(project)).await.0, 200);
    let project = server.get("/project/rna").await;
    assert_eq!((&project["description"], &project["quota_time"]), (&"the rna group".into(), &7200.into()));
    assert_eq!(project["volumes"], serde_json::json!([]));

    let id = client.create(&["--cmd", "true", "--project", "rna", "--wait"]);
    assert_eq!(server.task(id).await["user"]["project"], "rna");
    assert!(client.run("godjob", &["list", "over", "--project", "rna"]).contains(&format!(" {id} ")));
    let for_ann = client.create(&["--cmd", "true", "--login", "ann", "--wait"]);
    let user = server.task(for_ann).await["user"].clone();
    assert_eq!((&user["id"], &user["uid"]), (&"ann".into(), &7001.into()));
    assert!(client.run("godproject", &["quota-reset", "rna"]).contains("quota reset done"));
    client.run("godproject", &["deletemember", "rna", "ann"]);
    assert!(client.run("godproject", &["delete", "rna"]).contains("has been deleted"));
    assert_eq!(server.call("GET", "/project/rna", None).await.0, 404);

    let listed = client.run("goduser", &["list"]);
    assert!(listed.contains("ann") && listed.contains("admin"), "{listed}");
    let shown = client.run("goduser", &["show", "ann"]);
    assert!(shown.contains("7001"), "{shown}");
    client.run("goduser", &["update", "ann", "-c", "4", "-r", "8", "-t", "60", "-p", "40"]);
    let usage = server.get("/user/ann").await["usage"].clone();
    assert_eq!((&usage["quota_cpu"], &usage["quota_time"], &usage["prio"]), (&4.into(), &60.into(), &40.into()));
    let removed = client.run("goduser", &["remove", "ann", "--force"]);
    assert!(removed.contains("removal requested"), "{removed}");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while server.call("GET", "/user/ann", None).await.0 != 404 {
        assert!(std::time::Instant::now() < deadline, "ann is still there");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
