//! `god job show`.

use super::{Done, Session};
use crate::client::http::Call;
use crate::client::table::printable;
use crate::client::task::{Task, span};
use crate::domain::JobId;

pub async fn show(session: &Session, id: JobId) -> Done {
    let call = Call::read(&["task", &id.to_string()]).about(format!("job {id}"));
    let task = Task(session.server.json(call).await?);
    session.output.result(&task.0, || sheet(&task))?;
    Ok(0)
}

/// Everything that is known, a line each; what is not is left out.
fn sheet(task: &Task) -> String {
    let array = task.is_array().then(|| {
        let of = |pointer| task.text(pointer);
        format!("{} of {} over", of("/requirements/array/nb_tasks_over"), of("/requirements/array/nb_tasks"))
    });
    let needs = match task.number("/requirements/gpus").filter(|gpus| *gpus > 0.0) {
        Some(gpus) => {
            format!("{} cpu, {} GB, {gpus} gpu", task.text("/requirements/cpu"), task.text("/requirements/ram"))
        }
        None => format!("{} cpu, {} GB", task.text("/requirements/cpu"), task.text("/requirements/ram")),
    };
    let lines = [
        ("Job", task.id()),
        ("Name", task.text("/meta/name")),
        ("State", task.state()),
        ("Why", task.why()),
        ("Exit code", task.text("/status/exitcode")),
        ("Owner", task.text("/user/id")),
        ("Project", task.text("/user/project")),
        ("Description", task.text("/meta/description")),
        ("Tags", task.texts("/meta/tags").join(", ")),
        ("Image", task.text("/container/image")),
        ("Needs", needs),
        ("Labels", task.texts("/requirements/label").join(", ")),
        ("After", task.texts("/requirements/tasks").join(", ")),
        ("Array", array.unwrap_or_default()),
        ("Array job", task.text("/requirements/array/task_id")),
        ("Array of", task.text("/parent_task_id")),
        ("Time limit", task.text("/requirements/maxlifespan")),
        ("Executor", task.text("/requirements/executor")),
        ("Node", task.text("/container/meta/Node/Name")),
        ("Volumes", volumes(task)),
        ("Ports", ports(task)),
        ("Submitted", date(task, "/date")),
        ("Started", date(task, "/status/date_running")),
        ("Over", date(task, "/status/date_over")),
        ("Ran for", task.number("/status/duration").map(span).unwrap_or_default()),
        ("Failed nodes", task.texts("/status/failure/nodes").join(", ")),
        ("Directory", directory(task)),
    ];
    let known = lines.iter().filter(|(_, value)| !value.is_empty());
    known.map(|(name, value)| format!("{name:<13}{}\n", printable(value))).collect()
}

fn date(task: &Task, pointer: &str) -> String {
    let moment = task.number(pointer).and_then(|secs| jiff::Timestamp::from_second(secs as i64).ok());
    let zoned = moment.map(|moment| moment.to_zoned(jiff::tz::TimeZone::system()));
    zoned.map(|zoned| zoned.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()).unwrap_or_default()
}

fn list<'a>(task: &'a Task, pointer: &str) -> &'a [serde_json::Value] {
    task.0.pointer(pointer).and_then(serde_json::Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn volumes(task: &Task) -> String {
    let text = |volume: &serde_json::Value, key: &str| volume[key].as_str().unwrap_or_default().to_owned();
    let granted = list(task, "/container/volumes").iter().filter(|volume| volume["name"] != "go-docker");
    granted
        .map(|volume| format!("{} ({}) at {}", text(volume, "name"), text(volume, "acl"), text(volume, "mount")))
        .collect::<Vec<_>>()
        .join(", ")
}

fn ports(task: &Task) -> String {
    let mapped = list(task, "/container/port_mapping").iter();
    mapped.map(|port| format!("{} is {} there", port["container"], port["host"])).collect::<Vec<_>>().join(", ")
}

fn directory(task: &Task) -> String {
    let volume = list(task, "/container/volumes").iter().find(|volume| volume["name"] == "go-docker");
    volume.and_then(|volume| volume["path"].as_str()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sheet_has_what_is_known_and_nothing_else() {
        let task = Task(json!({
            "id": 7, "meta": { "name": "blast", "tags": ["rna", "x"], "description": "" },
            "requirements": { "cpu": 2, "ram": 4, "gpus": 0, "tasks": [5, "6:failed"] },
            "container": {
                "image": "debian",
                "volumes": [
                    { "name": "go-docker", "acl": "rw", "path": "/shared/7", "mount": "/mnt/go-docker" },
                    { "name": "home", "acl": "rw", "path": "/home/ann", "mount": "/mnt/home" },
                ],
            },
            "status": { "phase": "over", "ending": "failed", "exitcode": 3, "reason": "Its script ended badly.", "duration": 61 },
        }));
        insta::assert_snapshot!(sheet(&task), @r"
        Job          7
        Name         blast
        State        failed (3)
        Why          Its script ended badly.
        Exit code    3
        Tags         rna, x
        Image        debian
        Needs        2 cpu, 4 GB
        After        5, 6:failed
        Volumes      home (rw) at /mnt/home
        Ran for      1 min
        Directory    /shared/7
        ");
    }
}
