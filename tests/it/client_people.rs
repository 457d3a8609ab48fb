//! The real `god` administers a real server.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::{API_KEY, Server, job, native};

fn god_as(server: &Server, user: &str, key: &str, arguments: &[&str]) -> Output {
    Command::new("timeout")
        .args(["30", env!("CARGO_BIN_EXE_god")])
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs([("GOD_SERVER", server.url().as_str()), ("GOD_USER", user), ("GOD_APIKEY", key)])
        .output()
        .unwrap()
}

fn god(server: &Server, line: &str) -> String {
    let output = god_as(server, "admin", API_KEY, &line.split(' ').collect::<Vec<_>>());
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn users_projects_tokens_and_the_site_are_looked_after_from_the_shell() {
    let server = native().start().await;
    let ann = server.new_user("ann", 7001).await;
    assert!(god(&server, "user list --search ann").contains("ann"));
    god(&server, "user set ann --priority 70 --quota-cpu 9 --quota-disk 1M --mail ann@lab.example");
    let shown: Value = serde_json::from_str(&god(&server, "user show ann --json")).unwrap();
    let usage = &shown["usage"];
    assert_eq!(
        (&usage["prio"], &usage["quota_cpu"], &usage["quota_disk"], &shown["email"]),
        (&json!(70), &json!(9), &json!(1_000_000), &json!("ann@lab.example"))
    );
    god(&server, "user set ann --quota-disk default --quota-upload 5G");
    let usage = server.get("/user/ann").await["usage"].clone();
    assert_eq!((&usage["quota_disk"], &usage["quota_upload"]), (&Value::Null, &json!(5_000_000_000_u64)));
    god(&server, "user make-admin ann");
    assert_eq!(server.get("/user/ann").await["admin"], true);
    god(&server, "user end-admin ann");
    god(&server, "user reset ann");
    god(&server, "user disable ann");
    assert_eq!(server.call_as(&ann, "GET", "/task", None).await.0, 401);
    god(&server, "user activate ann");
    assert_eq!(server.get("/user/ann").await["standing"], "active");

    god(
        &server,
        "project create rna --description RNA --owner ann --member ann --quota-ram 50 --volume db:ro:/srv/db:/db",
    );
    let project = server.get("/project/rna").await;
    assert_eq!((&project["members"], &project["quota_ram"]), (&json!(["ann"]), &json!(50)));
    assert_eq!(project["volumes"], json!([{ "name": "db", "path": "/srv/db", "mount": "/db", "acl": "ro" }]));
    god(&server, "project add-member rna admin bob");
    god(&server, "project remove-member rna bob");
    god(&server, "project set rna --priority 80");
    let project = server.get("/project/rna").await;
    assert_eq!((&project["members"], &project["prio"]), (&json!(["admin", "ann"]), &json!(80)));
    assert!(god(&server, "project list").contains("rna") && god(&server, "project list --all").contains("rna"));
    assert!(god(&server, "project show rna").contains("RNA"));
    god(&server, "project reset rna");
    god(&server, "project delete rna --yes");
    assert_eq!(server.call("GET", "/project/rna", None).await.0, 404);

    let token = god(&server, "token create --name script --scope read --days 1").trim().to_owned();
    let looked = god_as(&server, "admin", &token, &["job", "list"]);
    assert!(looked.status.success(), "a token is as good as a key: {}", String::from_utf8_lossy(&looked.stderr));
    let refused = god_as(&server, "admin", &token, &["user", "disable", "ann"]);
    assert_eq!(refused.status.code(), Some(77), "{}", String::from_utf8_lossy(&refused.stderr));
    let listed: Value = serde_json::from_str(&god(&server, "token list --json")).unwrap();
    god(&server, &format!("token delete {}", listed[0]["id"].as_str().unwrap()));
    assert_eq!(god_as(&server, "admin", &token, &["job", "list"]).status.code(), Some(77));

    assert_eq!(god(&server, "admin maintenance show"), "off\n");
    assert_eq!(god(&server, "admin maintenance on --message Disks"), "on: Disks\n");
    let refused = god_as(&server, "admin", API_KEY, &["job", "submit", "--image", "none", "--cmd", "true"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(75) && said.contains("Disks"), "{:?} {said}", refused.status);
    assert_eq!(god(&server, "admin maintenance off"), "off\n");
    assert!(god(&server, "admin audit --action maintenance").contains("maintenance.off"));
    let runs = server.submit_as(&server.new_user("bob", 7002).await, job("sleep 60")).await;
    god(&server, "user kill bob");
    server.over(runs).await;
    let unmeant = god_as(&server, "admin", API_KEY, &["user", "delete", "ann"]);
    assert_eq!(unmeant.status.code(), Some(2));
    god(&server, "user delete ann --yes");
    assert_eq!(server.call("GET", "/user/ann", None).await.0, 404);
}

#[tokio::test]
async fn what_takes_the_space_is_seen_and_archived_from_the_shell() {
    let server = native().start().await;
    let mut jobs = Vec::new();
    for size in [10_000, 300_000, 100_000] {
        let id = server.submit(job(&format!("head -c {size} /dev/zero > data"))).await;
        server.over(id).await;
        jobs.push(id);
    }
    let shown: Value = serde_json::from_str(&god(&server, "disk --limit 2 --json")).unwrap();
    assert_eq!(
        (&shown["jobs"][0]["id"], &shown["jobs"][1]["id"], &shown["count"]),
        (&json!(jobs[1]), &json!(jobs[2]), &json!(3))
    );
    let table = god(&server, "disk");
    let at = |id: u64| table.find(&format!("\n{id} ")).unwrap_or_else(|| panic!("{id}: {table}"));
    assert!(at(jobs[1]) < at(jobs[2]) && at(jobs[2]) < at(jobs[0]), "{table}");
    let said = god(&server, "disk --archive 1");
    assert_eq!(said, format!("job {}: its files are being deleted\n", jobs[1]));
    let is_archived = |task: &Value| task["status"]["primary"] == "archived";
    server.until(jobs[1], "archived", is_archived).await;
    // Several in one request: each for itself.
    let ids: Vec<String> = [jobs[0], jobs[1], jobs[2]].iter().map(ToString::to_string).collect();
    let line: Vec<&str> = ["job", "archive"].into_iter().chain(ids.iter().map(String::as_str)).collect();
    let output = god_as(&server, "admin", API_KEY, &line);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), out.lines().count()), (Some(65), 2), "{out}{err}");
    assert!(err.contains(&format!("job {} is archived", jobs[1])), "{err}");
    for id in [jobs[0], jobs[2]] {
        server.until(id, "archived", is_archived).await;
    }
    let output = god_as(&server, "admin", API_KEY, &["disk"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no job that is over has files here"));
}
