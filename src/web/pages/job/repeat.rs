//! The command line that submits such a job again.

use crate::domain::{Job, shell_word};
use crate::web::submission::lifespan_text;

/// For `sh`, of which it is one command. What it waited for is left out: that is over, or will be.
pub fn command_line(job: &Job) -> String {
    let spec = &job.spec;
    let mut parts = vec!["god job submit".to_owned()];
    // What begins with a dash is a value only where it is tied to its option.
    let mut say = |option: &str, value: &str| {
        let between = if value.starts_with('-') { '=' } else { ' ' };
        parts.push(format!("--{option}{between}{}", shell_word(value)));
    };
    say("image", &spec.image);
    say("name", &spec.name);
    if !spec.description.is_empty() {
        say("description", &spec.description);
    }
    say("cpu", &spec.resources.cpu.to_string());
    say("ram", &spec.resources.ram.to_string());
    if spec.resources.gpus > 0 {
        say("gpus", &spec.resources.gpus.to_string());
    }
    if let Some(array) = spec.array.filter(|_| job.parent().is_none()) {
        say("array", &array.to_string());
    }
    say("project", job.owner.project.as_str());
    for tag in &spec.tags {
        say("tag", tag);
    }
    for label in &spec.labels {
        say("label", &label.to_string());
    }
    for volume in &spec.volumes {
        say("volume", &format!("{}:{}", volume.name, volume.acl.as_str()));
    }
    for port in &spec.ports {
        say("port", &port.to_string());
    }
    if let Some(limit) = spec.max_lifespan {
        say("time-limit", &lifespan_text(limit));
    }
    if spec.retries > 0 {
        say("retries", &spec.retries.to_string());
    }
    if let Some(executor) = &spec.executor {
        say("executor", executor);
    }
    say("cmd", &spec.script);
    let flags = [(spec.root, "--root"), (!spec.network, "--no-network"), (spec.notify_email, "--notify")];
    parts.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag.to_owned()));
    parts.join(" \\\n  ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::Arc;
    use std::time::Duration;

    use clap::Parser;
    use serde_json::Value;

    use super::*;
    use crate::client::cli::{Cli, Command as God, Job as OfJob};
    use crate::client::document::{Work, job as document, script};
    use crate::domain::{
        Acl, ArraySpec, Cores, JobId, JobSpec, JobState, Label, Memory, Mount, Owner, Place, Resources, Timestamp,
    };
    use crate::web::templates::document_of;

    fn job(spec: JobSpec) -> Job {
        Job {
            id: JobId(12),
            revision: 1,
            owner: Owner {
                user: "ann".parse().unwrap(),
                project: "rna".parse().unwrap(),
                uid: 1,
                gid: 1,
                groups: Vec::new(),
                email: None,
            },
            spec: Arc::new(spec),
            submitted: Timestamp(0),
            place: Place::Single,
            state: JobState::Pending { since: Timestamp(0), attempts: 0 },
            request: None,
            failed_nodes: Vec::new(),
        }
    }

    fn spec(name: &str, script: &str) -> JobSpec {
        JobSpec {
            name: name.to_owned(),
            description: String::new(),
            tags: Vec::new(),
            image: "debian:12".into(),
            script: script.to_owned(),
            resources: Resources { cpu: Cores::whole(2), ram: Memory::from_bytes(500_000_000), gpus: 0 },
            array: None,
            dependencies: Vec::new(),
            labels: Vec::new(),
            ports: Vec::new(),
            retries: 0,
            executor: None,
            max_lifespan: None,
            volumes: Vec::new(),
            network: true,
            root: false,
            notify_email: false,
            tmp_storage: None,
        }
    }

    /// The line as a real shell and `god` understand it.
    fn understood(line: &str) -> Value {
        let printing = format!("god() {{ printf '%s\\0' \"$@\"; }}\n{line}");
        let output = Command::new("sh").arg("-c").arg(&printing).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{line}: {output:?}");
        let words = String::from_utf8(output.stdout).unwrap();
        let words = std::iter::once("god").chain(words.split_terminator('\0'));
        let God::Job(OfJob::Submit(submit)) = Cli::try_parse_from(words).unwrap().command else { panic!("{line}") };
        let (text, image) = (script(submit.cmd.as_deref().unwrap()), submit.image.clone().unwrap());
        document(&submit.options, Work { name: "", image: &image, script: &text, array: submit.array.as_deref() })
    }

    /// All that the line says is what the job is.
    fn says_the_same(spec: JobSpec) {
        let job = job(spec);
        let (said, meant) = (understood(&command_line(&job)), document_of(&job));
        for part in ["meta", "container", "command", "notify", "user"] {
            assert_eq!(said[part], meant[part], "{part} of {}", command_line(&job));
        }
        for (key, value) in said["requirements"].as_object().unwrap() {
            let empty = value.as_array().is_some_and(Vec::is_empty);
            assert!(empty || *value == meant["requirements"][key], "{key}: {value} of {}", command_line(&job));
        }
    }

    #[test]
    fn a_plain_job_is_a_plain_line() {
        let line = command_line(&job(spec("blast", "#!/bin/sh\necho it\n")));
        assert_eq!(
            line.replace(" \\\n  ", " "),
            "god job submit --image debian:12 --name blast --cpu 2 --ram 0.5 --project rna --cmd '#!/bin/sh\necho it\n'"
        );
        says_the_same(spec("blast", "#!/bin/sh\necho it\n"));
    }

    #[test]
    fn whatever_a_job_is_called_and_does_the_line_says_it() {
        for evil in ["it's; rm -rf / #", "-n", "--cmd=x", "$(touch /tmp/x) `id` \"q\" \\", "two\nlines !! *", "é ~ a=b"]
        {
            let script = format!("#!/usr/bin/env python3\nprint({evil:?})\n{evil}\n");
            let named = spec(evil, &script);
            says_the_same(JobSpec { description: evil.to_owned(), tags: vec!["a b".into(), "-t".into()], ..named });
        }
    }

    #[test]
    fn everything_that_was_asked_for_is_asked_for_again() {
        let volume = Mount { name: "home".into(), acl: Acl::Rw, path: "/home/ann".into(), mount: "/mnt/home".into() };
        says_the_same(JobSpec {
            array: Some(ArraySpec { first: 1, last: 10, step: 3, throttle: Some(2) }),
            labels: vec![Label { name: "disk".into(), value: "ssd".into() }],
            ports: vec![80, 8080],
            retries: 2,
            executor: Some("docker".into()),
            max_lifespan: Some(Duration::from_secs(5_400)),
            volumes: vec![volume],
            network: false,
            root: true,
            notify_email: true,
            resources: Resources { cpu: Cores::whole(2), ram: Memory::from_bytes(500_000_000), gpus: 1 },
            ..spec("all", "#!/bin/sh\ntrue\n")
        });
    }
}
