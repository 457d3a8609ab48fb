//! A job as its page shows it: what may be asked of it, and what there is to say of it.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::{Job, JobState, Phase, Place};
use crate::plugins::executor::Capabilities;
use crate::plugins::executor::native::NativeExecutor;
use crate::web::pages::chrome::Chrome;

/// A name and a value in the reader's words, with what the value is a name of.
pub struct Detail {
    pub name: String,
    pub value: String,
    /// Below the prefix.
    pub link: Option<String>,
}

/// A button.
pub struct Action {
    pub verb: &'static str,
    pub label: String,
    pub danger: bool,
    /// Asked before it is done, where it cannot be undone.
    pub confirm: String,
}

/// Where there is more on a node, below the prefix: for administrators the node itself, for others their jobs there.
pub fn node_link(chrome: &Chrome, node: &str) -> String {
    let name = utf8_percent_encode(node, NON_ALPHANUMERIC);
    if chrome.admin { format!("/admin/nodes#{name}") } else { format!("/jobs?state=any&node={name}") }
}

/// `may_purge`: the reader may delete it with its record.
pub fn actions(chrome: &Chrome, job: &Job, executors: &[(String, Capabilities)], may_purge: bool) -> Vec<Action> {
    let action = |verb: &'static str, label: &str, confirm: &str| Action {
        verb,
        label: chrome.t(label),
        danger: matches!(verb, "kill" | "archive" | "purge"),
        confirm: if confirm.is_empty() { String::new() } else { chrome.t(confirm) },
    };
    let kill = || action("kill", "job-kill", "job-confirm-kill");
    let pause = job.state.attempt().is_some_and(|attempt| {
        executors.iter().any(|(name, capabilities)| *name == attempt.executor && capabilities.pause)
    });
    let single = !job.is_array_parent();
    match &job.state {
        JobState::Pending { .. } | JobState::Starting { .. } => vec![kill()],
        JobState::Running { suspended, .. } => {
            let mut actions = Vec::new();
            if pause && single {
                let (verb, label) = if *suspended { ("resume", "job-resume") } else { ("suspend", "job-suspend") };
                actions.push(action(verb, label, ""));
            }
            if single {
                actions.push(action("reschedule", "job-reschedule", "job-confirm-reschedule"));
            }
            actions.push(kill());
            actions
        }
        JobState::Over(_) | JobState::Archived { .. } if job.parent().is_some() => Vec::new(),
        state => {
            let archive = || action("archive", "job-archive", "job-confirm-archive");
            let purge = || action("purge", "job-purge", "job-confirm-purge");
            let can_archive = matches!(state, JobState::Over(_));
            can_archive.then(archive).into_iter().chain(may_purge.then(purge)).collect()
        }
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

pub fn details(chrome: &Chrome, job: &Job) -> Vec<Detail> {
    let (spec, words) = (&job.spec, &chrome.words);
    let mut details = Vec::new();
    let mut say = |id: &str, value: String, link: Option<String>| {
        if !value.is_empty() {
            details.push(Detail { name: chrome.t(id), value, link });
        }
    };
    let image = format!("/jobs?state=any&image={}", encoded(&spec.image));
    say("job-image", spec.image.clone(), Some(image));
    if let Some(digest) = job.state.attempt().and_then(|attempt| attempt.digest.clone()) {
        say("job-digest", digest, None);
    }
    say("job-resources", resources(chrome, job), None);
    let owner = &job.owner;
    let of_owner = chrome.admin.then(|| format!("/admin/users/{}", owner.user));
    say("job-owner", owner.user.to_string(), of_owner);
    say("job-project", owner.project.to_string(), Some(format!("/jobs?state=any&project={}", owner.project)));
    if let Some(attempt) = job.state.attempt() {
        let node = format!("{} ({})", attempt.node, attempt.executor);
        say("job-node", node, Some(node_link(chrome, &attempt.node)));
        let ports = attempt.ports.iter().map(|port| format!("{} → {}", port.container, port.host));
        say("job-ports", ports.collect::<Vec<_>>().join(", "), None);
        let runs = if attempt.executor == NativeExecutor::NAME { "job-process" } else { "job-container" };
        say(runs, attempt.container.clone().unwrap_or_default(), None);
    }
    if let Some(outcome) = job.state.outcome() {
        say("job-exit-code", outcome.exit_code.map_or_else(String::new, |code| code.to_string()), None);
        if job.state.phase() == Phase::Over {
            say("job-disk", words.bytes(outcome.disk_bytes), Some(format!("/jobs/{}/files/", job.id)));
        }
    }
    say("job-limit", spec.max_lifespan.map_or_else(String::new, |limit| words.duration(limit)), None);
    say("job-array", spec.array.map_or_else(String::new, |array| array.to_string()), None);
    if let Place::ArrayChild { parent, index } = job.place {
        let value = chrome.with("job-child-of").set("index", index.to_string()).set("parent", parent.to_string());
        say("job-array", value.to_string(), Some(format!("/jobs/{parent}#array")));
    }
    let volumes = spec.volumes.iter().map(|volume| {
        let (name, mount) = (&volume.name, volume.mount.display().to_string());
        let said = chrome.with("job-volume").set("name", name).set("mount", mount);
        said.set("acl", volume.acl.as_str()).to_string()
    });
    say("job-volumes", volumes.collect::<Vec<_>>().join(", "), None);
    say("job-labels", spec.labels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "), None);
    if let Some(tmp) = &spec.tmp_storage {
        let said = chrome.with("job-tmp-at").set("size", words.bytes(tmp.bytes));
        say("job-tmp", said.set("path", tmp.path.display().to_string()).to_string(), None);
    }
    if !spec.network {
        say("job-network", chrome.t("job-no-network"), None);
    }
    if spec.root {
        say("job-as", chrome.t("job-as-root"), None);
    }
    details
}

fn resources(chrome: &Chrome, job: &Job) -> String {
    let (words, resources) = (&chrome.words, job.spec.resources);
    words.resources(&resources)
}
