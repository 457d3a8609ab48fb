//! `god job list`.

use serde_json::Value;

use super::{Done, Session};
use crate::client::cli::List;
use crate::client::http::Call;
use crate::client::table::Table;
use crate::client::task::Task;

/// How many jobs that are over, unless asked otherwise.
const OVER: u64 = 50;

pub async fn list(session: &Session, asked: List) -> Done {
    let documents = session.server.json(call(&asked)).await?;
    let tasks = Task::list(documents, &session.server.address())?;
    let shown = Value::Array(tasks.iter().map(|task| task.0.clone()).collect());
    let nothing = if asked.over { "no jobs are over" } else { "no jobs are pending or running" };
    session.output.table(&shown, nothing, || table(&tasks, asked.all, now()))?;
    Ok(0)
}

fn call(asked: &List) -> Call {
    let limit = asked.limit.unwrap_or(OVER).to_string();
    let mut call = match (asked.over, asked.all) {
        (false, false) => Call::read(&["task", "active"]),
        (false, true) => Call::read(&["task", "active", "all"]),
        // A POST by history: it only reads.
        (true, false) => Call::read(&["task", "over", "0", &limit]).post(),
        (true, true) => Call::read(&["task", "over", "all", "0", &limit]).post(),
    };
    if let (false, Some(limit)) = (asked.over, asked.limit) {
        call = call.query("limit", limit);
    }
    let narrowed = [("tag", &asked.tag), ("project", &asked.project)];
    narrowed.into_iter().fold(call, |call, (name, value)| match value {
        Some(value) => call.query(name, value),
        None => call,
    })
}

fn now() -> f64 {
    jiff::Timestamp::now().as_millisecond() as f64 / 1000.0
}

fn table(tasks: &[Task], with_users: bool, now: f64) -> Table {
    let mut table = if with_users {
        Table::new(["ID", "USER", "NAME", "STATE", "IMAGE", "CPU", "GB", "TIME", "WHY"])
    } else {
        Table::new(["ID", "NAME", "STATE", "IMAGE", "CPU", "GB", "TIME", "WHY"])
    };
    for task in tasks {
        let (id, name, state, image) =
            (task.id(), task.text("/meta/name"), task.state(), task.text("/container/image"));
        let (cpu, ram) = (task.text("/requirements/cpu"), task.text("/requirements/ram"));
        let (time, why) = (task.ran(now), why(task));
        match with_users {
            true => table.row([id, task.text("/user/id"), name, state, image, cpu, ram, time, why]),
            false => table.row([id, name, state, image, cpu, ram, time, why]),
        }
    }
    table
}

/// Of an array, how far it is, too.
fn why(task: &Task) -> String {
    if !task.is_array() {
        return task.why();
    }
    let count = |pointer| task.number(pointer).unwrap_or(0.0);
    let (all, over) = (count("/requirements/array/nb_tasks"), count("/requirements/array/nb_tasks_over"));
    format!("{over} of {all} over. {}", task.why()).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn task(id: u64, status: Value, array: Value) -> Task {
        Task(json!({
            "id": id, "user": { "id": "ann" }, "meta": { "name": "blast" }, "container": { "image": "debian" },
            "requirements": { "cpu": 2, "ram": 0.5, "array": array }, "status": status,
        }))
    }

    #[test]
    fn a_list_says_what_runs_and_what_waits_for_what() {
        let running = json!({ "phase": "running", "date_running": 40.0, "reason": null });
        let pending = json!({ "phase": "pending", "reason": "No node fits.", "pending": { "position": 1 } });
        let array = json!({ "nb_tasks": 10, "nb_tasks_over": 4 });
        let waiting = json!({ "phase": "pending" });
        let tasks = [task(7, running, Value::Null), task(8, pending, Value::Null), task(9, waiting, array)];
        insta::assert_snapshot!(table(&tasks, false, 100.0).plain(), @r"
        ID  NAME   STATE    IMAGE   CPU  GB   TIME   WHY
        7   blast  running  debian  2    0.5  1 min
        8   blast  pending  debian  2    0.5         No node fits. (1 in the queue)
        9   blast  pending  debian  2    0.5         4 of 10 over.
        ");
        assert!(table(&tasks, true, 100.0).plain().contains("ann"));
    }
}
