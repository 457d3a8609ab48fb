//! From values to a [`Config`]: what a single value cannot tell is checked here.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::cluster;
use super::engine;
use super::ftp;
use super::people;
use super::status;
use super::values::{Faults, Sources, Values};
use super::{
    Access, Config, Constraint, Defaults, Disk, DynamicField, FairShareWeights, Image, Limits, Log, Mail, Native,
    Retention, Scheduler, Secret, Volume, Web,
};
use crate::domain::{Acl, Cores, InstanceId, Memory, Quotas};

/// Reads and checks everything.
///
/// # Errors
/// All faults at once. Warnings (unknown keys, keys without effect) come with a usable configuration.
pub fn load(sources: &Sources) -> Result<(Config, Vec<String>), Faults> {
    let mut values = Values::read(sources);
    let config = build(&mut values);
    if values.faults.is_empty() { Ok((config, values.warnings)) } else { Err(Faults(values.faults)) }
}

/// What `go-d config check` prints, and whether all is well.
pub fn check_report(sources: &Sources) -> (String, bool) {
    let mut values = Values::read(sources);
    build(&mut values);
    let mut report = String::new();
    for fault in &values.faults {
        report.push_str(&format!("fault: {fault}\n"));
    }
    for warning in &values.warnings {
        report.push_str(&format!("warning: {warning}\n"));
    }
    let fine = values.faults.is_empty();
    report.push_str(if fine { "The configuration can be used.\n" } else { "The configuration cannot be used.\n" });
    (report, fine)
}

fn build(values: &mut Values) -> Config {
    let data_dir = values.text("data_dir").map_or_else(default_data_dir, PathBuf::from);
    let shared_dir = values.text("shared_dir").map_or_else(|| data_dir.join("shared"), PathBuf::from);
    for (key, dir) in [("data_dir", &data_dir), ("shared_dir", &shared_dir)] {
        if !dir.is_absolute() {
            values.fault(key, format!("expected an absolute path, got {}", dir.display()));
        }
    }
    let defaults = defaults(values);
    Config {
        mongo: cluster::mongo(values),
        redis: cluster::redis(values),
        daemons: cluster::daemons(values, &data_dir),
        status: status::status(values),
        metrics: status::metrics(values),
        web: web(values),
        ftp: ftp::ftp(values),
        executors: executors(values),
        docker: engine::docker(values),
        swarm: engine::swarm(values),
        native: native(values),
        scheduler: scheduler(values, defaults.quotas),
        defaults,
        access: access(values),
        proxy: people::proxy(values),
        ldap: people::ldap(values),
        guests: people::guests(values, &shared_dir),
        images: values
            .maps::<RawImage>("default_images")
            .into_iter()
            .map(|image| Image { name: image.name, url: image.url, default: image.default })
            .collect(),
        volumes: volumes(values),
        volumes_check: values.bool("volumes_check"),
        constraints: constraints(values),
        mail: mail(values),
        watchers: values.list("watchers"),
        max_lifespan: values.duration("maxlifespan"),
        sample_every: values.duration("sample_every").filter(|every| !every.is_zero()),
        dynamic_fields: dynamic_fields(values),
        limits: limits(values),
        disk: disk(values),
        kill_grace: values.duration("kill_grace").unwrap_or_default(),
        log: Log { level: values.text("log_level").unwrap_or_default(), json: values.bool("log_json") },
        instance_id: instance_id(values),
        data_dir,
        shared_dir,
    }
}

fn default_data_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/godocker");
    }
    let of_home = || std::env::home_dir().unwrap_or_else(|| PathBuf::from("/tmp")).join(".local/share");
    std::env::var_os("XDG_DATA_HOME").map_or_else(of_home, PathBuf::from).join("godocker")
}

fn instance_id(values: &mut Values) -> Option<String> {
    let id = values.text("instance_id")?;
    if let Err(error) = id.parse::<InstanceId>() {
        values.fault("instance_id", error);
    }
    Some(id)
}

fn web(values: &mut Values) -> Web {
    let mut prefix = values.text("web_prefix").unwrap_or_default();
    while prefix.ends_with('/') {
        prefix.pop();
    }
    let harmless = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    if !prefix.is_empty() && (!prefix.starts_with('/') || !prefix.chars().all(harmless)) {
        values.fault("web_prefix", format!("expected a path like /god, got {prefix:?}"));
    }
    let endpoint = values.text("web_endpoint").map(|endpoint| endpoint.trim_end_matches('/').to_owned());
    if endpoint.as_ref().is_some_and(|e| !e.starts_with("http://") && !e.starts_with("https://")) {
        values.fault("web_endpoint", "expected an address that begins with http:// or https://");
    }
    Web {
        host: values.text("web_host").unwrap_or_default(),
        port: values.int("web_port").unwrap_or(0) as u16,
        prefix,
        endpoint,
        session_duration: values.duration("web_session_duration").unwrap_or_default(),
        token_duration: values.duration("web_token_duration").unwrap_or_default(),
        secure_cookies: values.bool("web_secure_cookies"),
    }
}

/// The names that `plugins::registry` makes executors of.
const EXECUTORS: [&str; 3] = ["docker", "swarm", "native"];

fn executors(values: &mut Values) -> Vec<String> {
    let mut executors = values.list("executors");
    if executors.is_empty() {
        executors.extend(values.text("executor"));
    }
    for (index, name) in executors.clone().iter().enumerate() {
        if !EXECUTORS.contains(&name.as_str()) {
            let key = if values.list("executors").is_empty() { "executor" } else { "executors" };
            values.fault(key, format!("there is no executor {name:?}: known are {}", EXECUTORS.join(", ")));
        } else if executors[..index].contains(name) {
            values.fault("executors", format!("{name} is there twice"));
        }
    }
    executors
}

fn cores(values: &mut Values, key: &'static str) -> Option<Cores> {
    let number = values.number(key)?;
    let cores = Cores::from_number(number);
    if cores.is_none() {
        values.fault(key, format!("expected {} to {} cores, got {number}", Cores::MIN, Cores::MAX));
    }
    cores
}

fn memory(values: &mut Values, key: &'static str) -> Option<Memory> {
    let number = values.number(key)?;
    let memory = Memory::from_number(number);
    if memory.is_none() {
        values.fault(key, format!("expected {} to {} GB, got {number}", Memory::MIN, Memory::MAX));
    }
    memory
}

fn native(values: &mut Values) -> Native {
    Native {
        cpus: cores(values, "native_cpus"),
        ram: memory(values, "native_ram"),
        cgroups: values.bool("native_cgroups"),
    }
}

fn scheduler(values: &mut Values, site_quotas: Quotas) -> Scheduler {
    let weight = |key| values.number(key).unwrap_or(0.0);
    let fair_share = FairShareWeights {
        waiting_time: weight("fairshare_waiting_time_weight"),
        user_time: weight("fairshare_user_time_weight"),
        user_cpu: weight("fairshare_user_cpu_weight"),
        user_ram: weight("fairshare_user_ram_weight"),
        group_time: weight("fairshare_group_time_weight"),
        group_cpu: weight("fairshare_group_cpu_weight"),
        group_ram: weight("fairshare_group_ram_weight"),
        user: weight("fairshare_user_weight"),
        group: weight("fairshare_group_weight"),
    };
    let reconcile_every = values.duration("reconcile_every").unwrap_or_default();
    if reconcile_every < Duration::from_secs(1) {
        values.fault("reconcile_every", "expected at least 1s");
    }
    Scheduler {
        policy: values.text("scheduler_policy").unwrap_or_default().to_ascii_lowercase(),
        reject_over_quota: values.text("quota_policy").is_some_and(|policy| policy.eq_ignore_ascii_case("reject")),
        fair_share,
        site_quotas,
        usage_window_days: values.int("user_reset_usage_duration").unwrap_or(30) as u32,
        starvation_after: values.duration("starvation_after").unwrap_or_default(),
        reconcile_every,
    }
}

fn defaults(values: &mut Values) -> Defaults {
    let quota = |values: &Values, key| values.int(key).unwrap_or(0).unsigned_abs();
    Defaults {
        cpu: cores(values, "defaults_cpu").unwrap_or(Cores::whole(1)),
        ram: memory(values, "defaults_ram").unwrap_or(Memory::gb(2)),
        quotas: Quotas {
            time: quota(values, "default_quota_time"),
            cpu: quota(values, "default_quota_cpu"),
            ram: quota(values, "default_quota_ram"),
            gpu: quota(values, "default_quota_gpu"),
            disk: values.size("disk_default_quota"),
            upload: values.size("upload_quota"),
        },
        priority: values.int("default_priority").unwrap_or(50) as u8,
    }
}

fn access(values: &mut Values) -> Access {
    let policy = values.text("auth_policy").unwrap_or_default().to_ascii_lowercase();
    let allow_fake = values.bool("allow_fake_auth");
    if policy == "fake" && !allow_fake {
        values.fault("auth_policy", "`fake` lets everyone in; for tests, say allow_fake_auth: true too");
    }
    let secret = values.text("secret_passphrase");
    if secret.as_ref().is_some_and(|secret| secret.len() < 16) {
        values.fault("secret_passphrase", "expected at least 16 characters");
    }
    Access {
        policy,
        allow_fake,
        allow_root: values.bool("allow_root"),
        network_disabled: values.bool("network_disabled"),
        secret: secret.map(Secret::new),
        allow_user_images: values.bool("allow_user_images"),
        share_project_tasks: values.bool("share_project_tasks"),
    }
}

#[derive(Deserialize)]
struct RawImage {
    name: String,
    url: String,
    #[serde(default)]
    default: bool,
}

#[derive(Deserialize)]
struct RawVolume {
    name: String,
    acl: Acl,
    path: Option<String>,
    mount: Option<String>,
}

fn volumes(values: &mut Values) -> Vec<Volume> {
    let volumes = values.maps::<RawVolume>("volumes");
    for (index, volume) in volumes.iter().enumerate() {
        let name = &volume.name;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
            values.fault("volumes", format!("{name:?} is not a name: expected letters, digits, - and _"));
        }
        if volumes[..index].iter().any(|other| other.name == *name) || name == "go-docker" {
            values.fault("volumes", format!("{name} is there twice, or is a name of ours"));
        }
        let absolute = |path: &Option<String>| path.as_ref().is_none_or(|path| path.starts_with('/'));
        if !absolute(&volume.path) || !absolute(&volume.mount) {
            values.fault("volumes", format!("{name}: expected absolute paths"));
        }
        if volume.path.is_none() && name != "home" {
            values.fault("volumes", format!("{name}: expected a path (only home needs none)"));
        }
    }
    let volume = |v: RawVolume| Volume { name: v.name, acl: v.acl, path: v.path, mount: v.mount };
    volumes.into_iter().map(volume).collect()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct RawConstraint {
    name: String,
    value: OneOrMany,
}

fn constraints(values: &mut Values) -> Vec<Constraint> {
    let split = |text: String| text.split(',').map(|value| value.trim().to_owned()).collect();
    values
        .maps::<RawConstraint>("constraints")
        .into_iter()
        .map(|constraint| Constraint {
            name: constraint.name,
            values: match constraint.value {
                OneOrMany::One(text) => split(text),
                OneOrMany::Many(values) => values,
            },
        })
        .collect()
}

#[derive(Deserialize)]
struct RawDynamicField {
    name: String,
    #[serde(default)]
    only_admin: bool,
}

fn dynamic_fields(values: &mut Values) -> Vec<DynamicField> {
    let fields = values.maps::<RawDynamicField>("dynamic_fields");
    for field in fields.iter().filter(|field| !["maxlifespan", "failure_policy"].contains(&field.name.as_str())) {
        values.fault(
            "dynamic_fields",
            format!("{} cannot be changed later: known are maxlifespan, failure_policy", field.name),
        );
    }
    fields.into_iter().map(|field| DynamicField { name: field.name, only_admin: field.only_admin }).collect()
}

fn mail(values: &mut Values) -> Option<Mail> {
    let host = values.text("email_smtp_host")?;
    let from = values.text("email_from");
    if from.is_none() {
        values.fault("email_from", "expected who mail is from, as email_smtp_host is set");
    }
    Some(Mail {
        host,
        port: values.int("email_smtp_port").unwrap_or(25) as u16,
        tls: values.bool("email_smtp_tls"),
        user: values.text("email_smtp_user"),
        password: values.text("email_smtp_password").map(Secret::new),
        from: from.unwrap_or_default(),
    })
}

fn disk(values: &mut Values) -> Disk {
    let set = |values: &Values, key| values.duration(key).filter(|span| !span.is_zero());
    let (archive_after, warn_before) = (set(values, "archive_after"), set(values, "archive_warn_before"));
    if let Some(warn_before) = warn_before {
        if archive_after.is_none_or(|after| after <= warn_before) {
            values.fault("archive_warn_before", "expected archive_after too, and less than that");
        }
        if values.text("email_smtp_host").is_none() {
            values.fault("archive_warn_before", "expected email_smtp_host too, as owners are told by mail");
        }
    }
    let days = values.int("clean_old").unwrap_or(30).unsigned_abs();
    Disk {
        clean_old: Duration::from_secs(days * 86_400),
        retention: archive_after.map(|archive_after| Retention { archive_after, warn_before }),
        measure_every: set(values, "disk_measure_every"),
    }
}

fn limits(values: &mut Values) -> Limits {
    Limits {
        script_bytes: usize::try_from(values.size("script_max_size").unwrap_or(0)).unwrap_or(usize::MAX),
        array_jobs: values.int("array_max_jobs").unwrap_or(1) as u32,
        max_file_download: values.size("max_file_download").unwrap_or(0),
        rate_limit: values.int("rate_limit").map(i64::unsigned_abs),
        rate_limit_all: values.int("rate_limit_all").map(i64::unsigned_abs),
    }
}
