use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::domain::{
    Acl, ArraySpec, Attempt, Cores, JobId, JobSpec, Memory, Mount, Owner, PendingReason, PortMapping, Resources,
    StopCause,
};

fn a_spec() -> JobSpec {
    JobSpec {
        name: "blast".into(),
        description: String::new(),
        tags: vec!["rna".into()],
        image: "debian".into(),
        script: "true".into(),
        resources: Resources { cpu: Cores::whole(2), ram: Memory::from_bytes(500_000_000), gpus: 0 },
        array: None,
        dependencies: vec![
            Dependency { job: JobId(3), on: DependencyOn::Ok },
            Dependency { job: JobId(4), on: DependencyOn::Any },
        ],
        labels: Vec::new(),
        ports: vec![80],
        retries: 0,
        executor: None,
        max_lifespan: Some(Duration::from_secs(172_800)),
        volumes: vec![Mount { name: "home".into(), acl: Acl::Rw, path: "/home/ann".into(), mount: "/mnt/home".into() }],
        network: true,
        root: false,
        notify_email: false,
        tmp_storage: None,
    }
}

fn a_job(state: JobState) -> Job {
    Job {
        id: JobId(12),
        revision: 1,
        owner: Owner {
            user: "ann".parse().unwrap(),
            project: "default".parse().unwrap(),
            uid: 1001,
            gid: 1002,
            groups: vec![7],
            email: None,
        },
        spec: Arc::new(a_spec()),
        submitted: Timestamp(5_000),
        place: Place::Single,
        state,
        request: None,
        failed_nodes: Vec::new(),
    }
}

fn pending_state() -> JobState {
    JobState::Pending { since: Timestamp(5_000), attempts: 0 }
}

fn attempt() -> Attempt {
    let ports = vec![PortMapping { host: 10_001, container: 80 }];
    Attempt {
        number: 1,
        executor: "docker".into(),
        node: "n1".into(),
        container: Some("abc".into()),
        digest: None,
        ports,
    }
}

fn running(suspended: bool) -> JobState {
    JobState::Running { attempt: attempt(), started: Timestamp(6_500), suspended }
}

fn over(ending: Ending, exit_code: Option<i32>) -> Outcome {
    Outcome {
        ending,
        exit_code,
        started: Some(Timestamp(6_000)),
        ended: Timestamp(9_000),
        attempt: Some(attempt()),
        disk_bytes: 77,
        reason: None,
    }
}

fn shown(job: &Job) -> Value {
    task(job, Path::new("/shared/tasks/12"), None)
}

#[test]
fn a_pending_job_says_why_it_waits() {
    let reason = PendingReason::ArrayThrottle { limit: 4 };
    let waiting = WaitingJob { job: JobId(12), reason, position: Some(2), estimate_secs: None };
    let task = task(&a_job(pending_state()), Path::new("/shared/12"), Some(&waiting));
    assert_eq!(task["status"]["primary"], "pending");
    assert_eq!(task["status"]["secondary"], Value::Null);
    assert_eq!(
        task["status"]["pending"],
        json!({ "code": "array_throttle", "limit": 4, "position": 2, "estimate_secs": null })
    );
    assert!(task["status"]["reason"].as_str().unwrap().contains("at most 4"));
    assert!(task["status"].get("date_running").is_none(), "clients take the key for a start");
    assert_eq!(task["status"]["date_over"], Value::Null);
    assert_eq!(task["container"]["meta"], Value::Null);
    assert_eq!(task["container"]["status"], "initializing");
}

#[test]
fn the_document_has_every_key_with_whole_numbers_where_they_are_whole() {
    let task = shown(&a_job(running(false)));
    assert_eq!(task["id"], 12);
    assert_eq!(task["date"].to_string(), "5");
    assert_eq!(task["status"]["date_running"].to_string(), "6.5");
    assert_eq!(task["requirements"]["cpu"].to_string(), "2");
    assert_eq!(task["requirements"]["ram"].to_string(), "0.5");
    assert_eq!(task["requirements"]["tasks"], json!([3, "4:any"]));
    assert_eq!(task["requirements"]["maxlifespan"], "2d");
    assert_eq!(
        task["container"]["volumes"],
        json!([
            { "name": "go-docker", "acl": "rw", "path": "/shared/tasks/12", "mount": "/mnt/go-docker" },
            { "name": "home", "acl": "rw", "path": "/home/ann", "mount": "/mnt/home" },
        ])
    );
    assert_eq!(task["container"]["ports"], json!(["10001"]));
    assert_eq!(task["container"]["port_mapping"], json!([{ "host": 10001, "container": 80 }]));
    assert_eq!(task["container"]["meta"]["Node"]["Name"], "n1");
    assert!(task["container"]["meta"].get("State").is_none(), "clients read its exit code when it is there");
    assert_eq!(task["container"]["status"], "ready");
    assert_eq!(
        task["user"],
        json!({
            "id": "ann", "uid": 1001, "gid": 1002, "sgids": [7], "email": null, "project": "default"
        })
    );
    let mut keys: Vec<_> = task.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys.join(" "), "command container date id meta notify parent_task_id requirements status user");
    for key in ["ticket_share", "user_quota_time", "project_quota_ram", "tmpstorage", "uris", "label", "failure_policy"]
    {
        assert!(task["requirements"].get(key).is_some(), "{key}");
    }
}

#[test]
fn an_over_job_says_how_it_ended() {
    let table = [
        (Ending::Done, Some(0), Value::Null, json!(0), 0, Value::Null),
        (Ending::Failed, Some(3), Value::Null, json!(3), 3, json!("Its script ended with exit code 3.")),
        (Ending::Killed, Some(143), json!("killed"), json!(137), 137, json!("It was killed on request.")),
        (Ending::Killed, None, json!("killed"), json!(137), 137, json!("It was killed on request.")),
        (
            Ending::NodeFailure,
            None,
            Value::Null,
            Value::Null,
            1,
            json!("Its node failed, and it had no launches left."),
        ),
        (
            Ending::Rejected(Rejection::Quota),
            None,
            json!("quota reached"),
            Value::Null,
            1,
            json!("A quota does not allow it."),
        ),
        (
            Ending::Rejected(Rejection::Impossible),
            None,
            json!("rejected by scheduler"),
            Value::Null,
            1,
            json!("No node could ever run it."),
        ),
    ];
    for (ending, code, secondary, shown_code, meta_code, reason) in table {
        let task = shown(&a_job(JobState::Over(over(ending, code))));
        assert_eq!(task["status"]["primary"], "over");
        assert_eq!(task["status"]["ending"], ending.as_str());
        assert_eq!(task["status"]["secondary"], secondary);
        assert_eq!(task["status"]["exitcode"], shown_code);
        assert_eq!(task["status"]["reason"], reason);
        assert_eq!(task["status"]["duration"].to_string(), "3");
        assert_eq!(task["container"]["meta"]["State"]["ExitCode"], meta_code);
        assert_eq!(task["container"]["meta"]["disk_size"], 77);
    }
}

#[test]
fn a_job_killed_before_it_ran_still_has_the_exit_code_of_a_kill() {
    let outcome = Outcome { started: None, attempt: None, ..over(Ending::Killed, None) };
    let task = shown(&a_job(JobState::Over(outcome)));
    assert_eq!(task["container"]["meta"]["State"]["ExitCode"], 137);
    assert_eq!(task["status"]["duration"], Value::Null);
    assert!(task["status"].get("date_running").is_none());
}

#[test]
fn requests_show_as_the_secondary_status() {
    let table = [
        (Request::Kill(StopCause::User), "kill requested"),
        (Request::Suspend, "suspend requested"),
        (Request::Resume, "resume requested"),
        (Request::Reschedule, "reschedule requested"),
    ];
    for (request, word) in table {
        let job = Job { request: Some(request), ..a_job(running(false)) };
        assert_eq!(shown(&job)["status"]["secondary"], word);
    }
    assert_eq!(shown(&a_job(running(true)))["status"]["secondary"], "suspended");
    let again = JobState::Pending { since: Timestamp(8_000), attempts: 0 };
    assert_eq!(shown(&a_job(again))["status"]["secondary"], "rescheduled");
    let starting = JobState::Starting { attempt: attempt(), since: Timestamp(6_000) };
    let task = shown(&a_job(starting));
    assert_eq!((&task["status"]["primary"], &task["status"]["phase"]), (&json!("pending"), &json!("starting")));
}

#[test]
fn an_array_counts_its_children() {
    let mut job = a_job(pending_state());
    Arc::make_mut(&mut job.spec).array = Some(ArraySpec { first: 1, last: 5, step: 2, throttle: Some(2) });
    job.place = Place::ArrayParent { children: 3, over: 1, failed: 0 };
    let expected =
        json!({ "values": "1:5:2%2", "task_id": null, "nb_tasks": 3, "nb_tasks_over": 1, "tasks": [13, 14, 15] });
    assert_eq!(shown(&job)["requirements"]["array"], expected);
    job.place = Place::ArrayChild { parent: JobId(11), index: 3 };
    let child = shown(&job);
    assert_eq!((&child["parent_task_id"], &child["requirements"]["array"]["task_id"]), (&json!(11), &json!(3)));
}
