mod tmp_storage;

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::config::{self, Config, Constraint, FairShareWeights, Image, Volume};
use crate::domain::project::Project;
use crate::domain::{Cores, DependencyOn, Ending, JobId, JobSpec, Label, Memory, Quotas, Timestamp, User, UserKind};
use crate::plugins::executor::{Capabilities, Node};

pub(crate) fn a_config() -> Config {
    let (defaults, _) = config::load(&config::Sources::default()).unwrap();
    Config {
        data_dir: "/data".into(),
        shared_dir: "/shared".into(),
        mongo: None,
        redis: None,
        daemons: defaults.daemons,
        status: defaults.status,
        metrics: defaults.metrics,
        web: config::Web {
            host: "127.0.0.1".into(),
            port: 6543,
            prefix: String::new(),
            endpoint: None,
            session_duration: Duration::from_secs(60),
            token_duration: Duration::from_secs(60),
            secure_cookies: false,
        },
        ftp: defaults.ftp,
        executors: vec!["docker".into()],
        docker: config::Docker {
            url: None,
            tls: None,
            registry: None,
            pids_limit: 100,
            pull: false,
            port_allocate: true,
            port_start: 10_000,
            port_range: 100,
            gpus: 0,
            concurrency: 4,
        },
        swarm: config::Swarm { url: None },
        native: config::Native { cpus: None, ram: None, cgroups: false },
        scheduler: config::Scheduler {
            policy: "fifo".into(),
            reject_over_quota: false,
            fair_share: FairShareWeights::default(),
            site_quotas: Quotas::default(),
            usage_window_days: 30,
            starvation_after: Duration::from_secs(60),
            reconcile_every: Duration::from_secs(60),
        },
        defaults: config::Defaults {
            cpu: Cores::whole(1),
            ram: Memory::gb(1),
            quotas: Quotas::default(),
            priority: 50,
        },
        access: config::Access {
            policy: "local".into(),
            allow_fake: false,
            allow_root: true,
            network_disabled: false,
            secret: None,
            allow_user_images: true,
            share_project_tasks: false,
        },
        proxy: config::Proxy { trusted: Vec::new(), remote_user_header: None },
        ldap: None,
        guests: None,
        images: vec![Image { name: "debian".into(), url: "debian:stable".into(), default: true }],
        volumes: vec![
            Volume { name: "home".into(), acl: Acl::Rw, path: None, mount: None },
            Volume { name: "banks".into(), acl: Acl::Ro, path: Some("/db".into()), mount: Some("/db".into()) },
            Volume { name: "work".into(), acl: Acl::Rw, path: Some("/work/$USERID".into()), mount: None },
        ],
        volumes_check: false,
        constraints: vec![Constraint { name: "storage".into(), values: vec!["ssd".into(), "disk".into()] }],
        mail: None,
        watchers: Vec::new(),
        max_lifespan: None,
        sample_every: None,
        dynamic_fields: Vec::new(),
        limits: config::Limits {
            script_bytes: 1000,
            array_jobs: 100,
            max_file_download: 0,
            rate_limit: None,
            rate_limit_all: None,
        },
        disk: config::Disk { clean_old: Duration::from_secs(86_400), retention: None, measure_every: None },
        kill_grace: Duration::from_secs(1),
        log: config::Log { level: "info".into(), json: false },
        instance_id: None,
    }
}

pub(crate) fn a_user() -> User {
    User {
        uid: 1001,
        gid: 1001,
        home: Some("/home/ann".into()),
        ..User::new("ann".parse().unwrap(), UserKind::Local, Timestamp(0))
    }
}

pub(crate) fn a_document() -> Value {
    json!({
        "meta": { "name": "blast" },
        "container": { "image": "debian:stable" },
        "command": { "cmd": "#!/bin/sh\necho hello" },
    })
}

/// The document with the value at a path like `requirements.cpu` replaced; `None` takes it out.
fn with(path: &str, value: impl Into<Option<Value>>) -> Value {
    let mut document = a_document();
    let (parents, key) = path.rsplit_once('.').map_or((Vec::new(), path), |(p, key)| (p.split('.').collect(), key));
    let mut at = &mut document;
    for parent in parents {
        at = &mut at[parent];
    }
    match value.into() {
        Some(value) => at[key] = value,
        None => drop(at.as_object_mut().unwrap().remove(key)),
    }
    document
}

fn faults_of(document: &Value) -> Vec<String> {
    match parse(document, &a_config()) {
        Ok(draft) => panic!("{document} was taken as {draft:?}"),
        Err(faults) => faults.into_iter().map(|fault| fault.field).collect(),
    }
}

#[test]
fn the_least_there_is_to_say_gets_the_defaults() {
    let draft = parse(&a_document(), &a_config()).unwrap();
    assert_eq!(draft.resources, Resources { cpu: Cores::whole(1), ram: Memory::gb(1), gpus: 0 });
    assert_eq!((draft.network, draft.root, draft.notify_email), (true, false, false));
    assert_eq!((draft.array, draft.max_lifespan, draft.executor), (None, None, None));
    assert!(draft.project.is_default());
}

#[test]
fn what_the_old_client_sends_is_understood() {
    let document = json!({
        "user": { "id": "ann", "uid": 1001, "gid": 1001, "project": "default" },
        "date": 1763900000.0,
        "meta": { "name": "x", "description": "", "tags": [] },
        "requirements": { "cpu": 1, "ram": 1, "gpus": 0, "array": { "values": null }, "label": [], "failure_policy": 0,
                          "tasks": [], "tmpstorage": null, "executor": null },
        "container": { "image": "debian:stable", "volumes": [{ "name": "home", "acl": "rw" }], "network": true,
                       "id": null, "meta": null, "stats": null, "ports": [], "root": false },
        "command": { "interactive": false, "cmd": "true" },
        "status": { "primary": null, "secondary": null },
        "something_else": { "deep": [1, 2, 3] },
    });
    let draft = parse(&document, &a_config()).unwrap();
    assert_eq!(draft.volumes[0].what, VolumeWish { name: "home".into(), acl: Some(Acl::Rw) });
    assert_eq!(draft.array, None);
}

#[test]
fn everything_asked_for_is_read() {
    let document = json!({
        "user": { "project": "rna" },
        "meta": { "name": "blast", "description": "two\nlines", "tags": ["rna", "rna", "x"] },
        "requirements": { "cpu": 0.5, "ram": 2.5, "gpus": 1, "array": { "values": "1:10:3%2" },
                          "label": ["storage==ssd"], "tasks": [12, "13", "14:failed", "15:any", "12:ok"],
                          "ports": [8080, 22], "failure_policy": 3, "executor": "docker", "maxlifespan": "2d",
                          "uris": [] },
        "container": { "image": "debian", "volumes": [{ "name": "go-docker" }, { "name": "work" }], "network": false,
                       "root": true },
        "command": { "interactive": false, "cmd": "true\r\n" },
        "notify": { "email": true },
    });
    let draft = parse(&document, &a_config()).unwrap();
    assert_eq!(draft.tags, ["rna", "x"]);
    assert_eq!(draft.array, Some(ArraySpec { first: 1, last: 10, step: 3, throttle: Some(2) }));
    let waits: Vec<_> = draft.dependencies.iter().map(|wanted| wanted.what.to_string()).collect();
    assert_eq!(waits, ["12", "13", "14:failed", "15:any"]);
    assert_eq!(draft.labels, [Label { name: "storage".into(), value: "ssd".into() }]);
    assert_eq!((draft.ports, draft.retries), (vec![8080, 22], 3));
    assert_eq!(draft.max_lifespan, Some(Duration::from_secs(2 * 86_400)));
    assert_eq!(
        draft.volumes,
        [Wanted { field: "container.volumes[1]".into(), what: VolumeWish { name: "work".into(), acl: None } }]
    );
    assert_eq!(draft.script, "true\r\n");
    assert!(draft.root && draft.notify_email && !draft.network);
}

#[test]
fn each_fault_is_found_under_its_field() {
    let long = |n: usize| json!("x".repeat(n));
    let same = |path: &'static str, value: Value| (path, value, path);
    let table = vec![
        ("meta", json!(5), "meta"),
        ("meta", json!([]), "meta"),
        same("meta.name", json!(5)),
        same("meta.name", json!("")),
        same("meta.name", json!("   ")),
        same("meta.name", json!(null)),
        same("meta.name", json!("a\nb")),
        same("meta.name", json!("a\u{0}b")),
        same("meta.name", json!("a\u{1b}[31m")),
        same("meta.name", long(201)),
        same("meta.description", json!({})),
        same("meta.description", long(10_001)),
        same("meta.description", json!("a\u{7}")),
        same("meta.tags", json!("rna")),
        same("meta.tags", json!(vec!["x"; 51])),
        ("meta.tags", json!(["ok", 5]), "meta.tags[1]"),
        ("meta.tags", json!([""]), "meta.tags[0]"),
        ("meta.tags", json!(["x".repeat(101)]), "meta.tags[0]"),
        ("meta.tags", json!(["ok", "a\u{0}"]), "meta.tags[1]"),
        ("command", json!("true"), "command"),
        same("command.cmd", json!(null)),
        same("command.cmd", json!("")),
        same("command.cmd", json!(" \n ")),
        same("command.cmd", json!(["true"])),
        same("command.cmd", json!("a\u{0}b")),
        same("command.cmd", long(1001)),
        same("command.interactive", json!(true)),
        same("command.interactive", json!("no")),
        same("container.image", json!(null)),
        same("container.image", json!("")),
        same("container.image", json!(7)),
        same("container.image", json!("-rm")),
        same("container.image", json!("a b")),
        same("container.image", json!("Debian")),
        same("container.image", json!("debian:")),
        same("container.image", json!("debian:a:b")),
        same("container.image", json!("debian@sha256:12")),
        same("container.image", json!("debian\u{0}")),
        same("container.image", json!("../etc")),
        same("container.image", json!("a//b")),
        same("container.image", json!("http://host/x")),
        same("container.network", json!("yes")),
        same("container.root", json!(1)),
        same("container.volumes", json!({})),
        ("container.volumes", json!(["home"]), "container.volumes[0]"),
        ("container.volumes", json!([{}]), "container.volumes[0].name"),
        ("container.volumes", json!([{ "name": 5 }]), "container.volumes[0].name"),
        ("container.volumes", json!([{ "name": "home", "acl": "rwx" }]), "container.volumes[0].acl"),
        ("container.volumes", json!([{ "name": "home", "acl": 7 }]), "container.volumes[0].acl"),
        ("container.volumes", json!([{ "name": "home" }, { "name": "home" }]), "container.volumes[1].name"),
        ("requirements", json!("none"), "requirements"),
        same("requirements.cpu", json!("2")),
        same("requirements.cpu", json!(0)),
        same("requirements.cpu", json!(-1)),
        same("requirements.cpu", json!(1e300)),
        same("requirements.ram", json!(true)),
        same("requirements.ram", json!(0)),
        same("requirements.ram", json!(-4)),
        same("requirements.ram", json!(1e12)),
        same("requirements.gpus", json!(-1)),
        same("requirements.gpus", json!(0.5)),
        same("requirements.gpus", json!("1")),
        same("requirements.gpus", json!(1e18)),
        same("requirements.failure_policy", json!(101)),
        same("requirements.failure_policy", json!(-1)),
        same("requirements.failure_policy", json!("never")),
        same("requirements.executor", json!(3)),
        same("requirements.maxlifespan", json!("soon")),
        same("requirements.maxlifespan", json!("")),
        same("requirements.maxlifespan", json!("5y")),
        same("requirements.maxlifespan", json!("-5d")),
        same("requirements.maxlifespan", json!("5é")),
        same("requirements.maxlifespan", json!(0)),
        same("requirements.maxlifespan", json!(1.5)),
        same("requirements.maxlifespan", json!("99999999999999999999w")),
        same("requirements.maxlifespan", json!("9999999999999999w")),
        same("requirements.maxlifespan", json!([1])),
        same("requirements.uris", json!(["http://x/y"])),
        same("requirements.uris", json!("http://x/y")),
        same("requirements.array", json!("1:10")),
        ("requirements.array", json!({ "values": "10:1" }), "requirements.array.values"),
        ("requirements.array", json!({ "values": "1:10:0" }), "requirements.array.values"),
        ("requirements.array", json!({ "values": "1:2:3:4" }), "requirements.array.values"),
        ("requirements.array", json!({ "values": "a" }), "requirements.array.values"),
        ("requirements.array", json!({ "values": "0" }), "requirements.array.values"),
        ("requirements.array", json!({ "values": "-1:5" }), "requirements.array.values"),
        ("requirements.array", json!({ "values": "1:5%0" }), "requirements.array.values"),
        ("requirements.array", json!({ "values": "1:5%" }), "requirements.array.values"),
        ("requirements.array", json!({ "values": "101" }), "requirements.array.values"),
        ("requirements.array", json!({ "values": "1:18446744073709551615" }), "requirements.array.values"),
        ("requirements.array", json!({ "values": 1.5 }), "requirements.array.values"),
        ("requirements.array", json!({ "values": [1, 2] }), "requirements.array.values"),
        same("requirements.label", json!("storage==ssd")),
        ("requirements.label", json!(["storage=ssd"]), "requirements.label[0]"),
        ("requirements.label", json!(["storage==ssd", "storage==tape"]), "requirements.label[1]"),
        ("requirements.label", json!([5]), "requirements.label[0]"),
        same("requirements.tasks", json!(12)),
        ("requirements.tasks", json!([12, "x"]), "requirements.tasks[1]"),
        ("requirements.tasks", json!(["12:maybe"]), "requirements.tasks[0]"),
        ("requirements.tasks", json!([0]), "requirements.tasks[0]"),
        ("requirements.tasks", json!([-1]), "requirements.tasks[0]"),
        ("requirements.tasks", json!([1.5]), "requirements.tasks[0]"),
        ("requirements.tasks", json!([null]), "requirements.tasks[0]"),
        same("requirements.ports", json!(80)),
        ("requirements.ports", json!([0]), "requirements.ports[0]"),
        ("requirements.ports", json!([80, 65_536]), "requirements.ports[1]"),
        ("requirements.ports", json!(["80"]), "requirements.ports[0]"),
        ("requirements.ports", json!([80, 80]), "requirements.ports[1]"),
        same("requirements.ports", json!((1..22).collect::<Vec<_>>())),
        same("user.id", json!("../root")),
        same("user.project", json!("a b")),
        same("user.project", json!(5)),
        ("user", json!("ann"), "user"),
        ("notify", json!(true), "notify"),
        same("notify.email", json!("ann@lab")),
    ];
    assert!(table.len() >= 60);
    for (path, value, field) in table {
        let document = with(path, value.clone());
        let faults = faults_of(&document);
        let expected: Vec<String> = match field {
            // With the whole section gone, what it needs is missing too.
            "meta" => vec!["meta".into(), "meta.name".into()],
            "command" => vec!["command".into(), "command.cmd".into()],
            field => vec![field.to_owned()],
        };
        assert_eq!(faults, expected, "{path} = {value}");
    }
}

#[test]
fn a_document_must_be_an_object_and_all_faults_come_at_once() {
    for document in [json!(null), json!([]), json!("job"), json!(5)] {
        assert_eq!(faults_of(&document), [""]);
    }
    assert_eq!(faults_of(&json!({})), ["meta.name", "container.image", "command.cmd"]);
    let document = json!({ "meta": { "name": 5 }, "requirements": { "cpu": -1, "ports": [0, 80, 80] } });
    let mut faults = faults_of(&document);
    faults.sort();
    assert_eq!(
        faults,
        [
            "command.cmd",
            "container.image",
            "meta.name",
            "requirements.cpu",
            "requirements.ports[0]",
            "requirements.ports[2]",
        ]
    );
}

#[test]
fn arrays_are_read_in_all_their_forms() {
    let read = |text| array_spec(text, 100).map(|array| (array.first, array.last, array.step, array.throttle));
    assert_eq!(read("7"), Ok((1, 7, 1, None)));
    assert_eq!(read("0:7"), Ok((0, 7, 1, None)));
    assert_eq!(read(" 1:7:2 "), Ok((1, 7, 2, None)));
    assert_eq!(read("5:5%3"), Ok((5, 5, 1, Some(3))));
    assert_eq!(read("1:1000000:10000"), Ok((1, 1_000_000, 10_000, None)));
    for bad in ["", ":", "1:", ":5", "1::2", "+1", "1:5:1%-1", "1%2%3", "1 : 5", "0x5"] {
        assert!(read(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn images_follow_the_reference_grammar() {
    let digest = format!("debian@sha256:{}", "a".repeat(64));
    let good = [
        "debian",
        "debian:stable",
        "a/b/c:1.2_x-3",
        "localhost:5000/x",
        "host.example:443/team/tool:v1",
        "a__b-c.d/e--f",
        "Host/x",
        &digest,
    ];
    for image in good {
        assert_eq!(image_reference(image), Ok(()), "{image}");
    }
    for image in ["a_-b", "a___b", "_a", "a/", "/a", "a:.b", "a:5000/", "-host/x", "a@b", "é", "a\n", ":tag", "@x"] {
        assert!(image_reference(image).is_err(), "{image}");
    }
}

#[test]
fn a_life_span_is_shown_as_it_is_sent() {
    for text in ["90s", "30m", "12h", "2d", "1w", "61s"] {
        assert_eq!(lifespan_text(lifespan(text).unwrap()), text);
    }
    assert_eq!(lifespan("3600"), Ok(Duration::from_secs(3600)));
    assert_eq!(lifespan_text(Duration::from_secs(7200)), "2h");
}

fn all_capabilities() -> Capabilities {
    crate::plugins::registry::capabilities("docker").unwrap()
}

fn a_node(cpu: u32, gb: u64, labels: &[&str]) -> Node {
    let labels = labels.iter().map(|text| {
        let (name, value) = text.split_once("==").unwrap();
        Label { name: name.into(), value: value.into() }
    });
    Node {
        name: "n1".into(),
        executor: "docker".into(),
        total: Resources { cpu: Cores::whole(cpu), ram: Memory::gb(gb), gpus: 0 },
        labels: labels.collect(),
        others: Resources::default(),
        drained: false,
    }
}

struct Site {
    config: Config,
    user: User,
    executors: Vec<(String, Capabilities)>,
    nodes: Vec<Node>,
    parents: Vec<Parent>,
}

impl Default for Site {
    fn default() -> Self {
        Site {
            config: a_config(),
            user: a_user(),
            executors: vec![("docker".into(), all_capabilities())],
            nodes: vec![a_node(8, 32, &["storage==ssd"]), a_node(64, 16, &[])],
            parents: Vec::new(),
        }
    }
}

impl Site {
    fn grant(&self, document: &Value) -> Result<JobSpec, Vec<String>> {
        let draft = parse(document, &self.config).unwrap();
        let ground = Ground {
            config: &self.config,
            user: &self.user,
            projects: &[Project::new("rna".parse().unwrap())],
            executors: &self.executors,
            nodes: &self.nodes,
            parents: &self.parents,
        };
        grant(draft, &ground).map_err(|faults| faults.into_iter().map(|fault| fault.field).collect())
    }

    fn refuses(&self, path: &str, value: Value, field: &str) {
        assert_eq!(self.grant(&with(path, value.clone())), Err(vec![field.to_owned()]), "{path} = {value}");
    }
}

#[test]
fn volumes_get_their_paths_from_the_site() {
    let volumes = json!([{ "name": "home" }, { "name": "banks" }, { "name": "work", "acl": "ro", "path": "/etc" }]);
    let granted = Site::default().grant(&with("container.volumes", volumes)).unwrap().volumes;
    let shown: Vec<_> = granted
        .iter()
        .map(|v| format!("{} {} {} {}", v.name, v.acl.as_str(), v.path.display(), v.mount.display()))
        .collect();
    assert_eq!(shown, ["home rw /home/ann /mnt/home", "banks ro /db /db", "work ro /work/ann /mnt/work"]);
}

#[test]
fn volumes_that_cannot_be_had_are_refused() {
    let mut site = Site::default();
    site.refuses("container.volumes", json!([{ "name": "etc" }]), "container.volumes[0].name");
    site.refuses("container.volumes", json!([{ "name": "banks", "acl": "rw" }]), "container.volumes[0].acl");
    site.user.home = None;
    site.refuses("container.volumes", json!([{ "name": "home" }]), "container.volumes[0].name");
    site.user.home = Some("/home/ann".into());
    site.executors[0].1.volumes = false;
    site.refuses("container.volumes", json!([{ "name": "home" }, { "name": "work" }]), "container.volumes[1].name");
}

#[test]
fn a_missing_directory_is_refused_under_its_volume() {
    let site = Site::default();
    let draft = parse(&with("container.volumes", json!([{ "name": "work" }])), &site.config).unwrap();
    let wanted = draft.volumes.clone();
    let spec = site.grant(&with("container.volumes", json!([{ "name": "work" }]))).unwrap();
    let faults = check_paths(&wanted, &spec.volumes).unwrap_err();
    assert_eq!(faults[0].field, "container.volumes[0].name");
}

#[test]
fn root_makes_every_volume_read_only() {
    let mut document = with("container.root", json!(true));
    document["container"]["volumes"] = json!([{ "name": "home", "acl": "rw" }]);
    let mut site = Site::default();
    assert_eq!(site.grant(&document).unwrap().volumes[0].acl, Acl::Ro);
    site.executors[0].1.root = false;
    site.refuses("container.root", json!(true), "container.root");
    site.executors[0].1.root = true;
    site.config.access.allow_root = false;
    site.refuses("container.root", json!(true), "container.root");
}

#[test]
fn what_no_node_could_ever_run_is_refused() {
    let mut site = Site::default();
    site.refuses("requirements.cpu", json!(65), "requirements.cpu");
    site.refuses("requirements.ram", json!(33), "requirements.ram");
    site.refuses("requirements.gpus", json!(1), "requirements.gpus");
    site.refuses("requirements.label", json!(["storage==disk"]), "requirements.label");
    site.refuses("requirements", json!({ "cpu": 64, "ram": 32 }), "requirements");
    site.refuses("requirements", json!({ "cpu": 16, "label": ["storage==ssd"] }), "requirements");
    assert!(site.grant(&with("requirements", json!({ "cpu": 8, "ram": 32, "label": ["storage==ssd"] }))).is_ok());
    site.nodes.clear();
    assert!(site.grant(&with("requirements.cpu", json!(1000))).is_ok(), "nothing is known of the nodes yet");
}

#[test]
fn the_site_decides_on_projects_images_executors_ports_and_network() {
    let mut site = Site::default();
    assert!(site.grant(&with("user.project", json!("rna"))).is_ok());
    site.refuses("user.project", json!("dna"), "user.project");
    site.refuses("requirements.executor", json!("slurm"), "requirements.executor");
    site.executors[0].1.ports = false;
    site.refuses("requirements.ports", json!([80]), "requirements.ports");
    site.config.access.allow_user_images = false;
    site.refuses("container.image", json!("someone/elses"), "container.image");
    site.config.access.network_disabled = true;
    assert!(!site.grant(&a_document()).unwrap().network);
}

#[test]
fn a_job_waits_only_for_what_can_still_happen() {
    let parent = |id, ending| Parent { id: JobId(id), ending };
    let site = Site {
        parents: vec![parent(1, None), parent(2, Some(Ending::Done)), parent(3, Some(Ending::Killed))],
        ..Site::default()
    };
    let good =
        site.grant(&with("requirements.tasks", json!([1, "1:failed", 2, "2:any", "3:failed", "3:any"]))).unwrap();
    assert_eq!(good.dependencies[1].on, DependencyOn::Failed);
    site.refuses("requirements.tasks", json!([1, 99]), "requirements.tasks[1]");
    site.refuses("requirements.tasks", json!(["2:failed"]), "requirements.tasks[0]");
    site.refuses("requirements.tasks", json!([2, 3]), "requirements.tasks[1]");
}

#[test]
fn a_guest_sees_a_directory_of_their_own_and_nothing_else() {
    let mut site = Site::default();
    site.user.kind = UserKind::Guest;
    site.user.home = Some("/guests/ann".into());
    let granted = site.grant(&with("container.volumes", json!([{ "name": "home" }]))).unwrap().volumes;
    assert_eq!((granted.len(), granted[0].path.to_str().unwrap()), (1, "/guests/ann"));
    for other in ["banks", "work"] {
        site.refuses("container.volumes", json!([{ "name": other }]), "container.volumes[0].name");
    }
    site.user.home = None;
    site.refuses("container.volumes", json!([{ "name": "home" }]), "container.volumes[0].name");
    // Root is the site's to allow, and for guests once more.
    let guests =
        |allow_root| config::Guests { bind: "guest".into(), home_root: None, allow_root, providers: Vec::new() };
    for (guests, allowed) in [(None, false), (Some(guests(false)), false), (Some(guests(true)), true)] {
        site.config.guests = guests;
        assert_eq!(site.grant(&with("container.root", json!(true))).is_ok(), allowed);
    }
    // They share one uid: only containers keep them apart.
    site.executors[0].1.volumes = false;
    assert!(site.grant(&a_document()).unwrap_err().contains(&"requirements.executor".to_owned()));
}

#[test]
fn a_projects_volume_comes_unasked_and_a_request_can_only_lower_it() {
    let volume =
        crate::domain::Mount { name: "team".into(), acl: Acl::Rw, path: "/team/$USERID".into(), mount: "/t".into() };
    let project = Project { volumes: vec![volume], ..Project::new("rna".parse().unwrap()) };
    let config = a_config();
    let executors = [("docker".to_owned(), all_capabilities())];
    let granted = |document: &Value, executors: &[(String, Capabilities)]| {
        let ground = Ground {
            config: &config,
            user: &a_user(),
            projects: std::slice::from_ref(&project),
            executors,
            nodes: &[],
            parents: &[],
        };
        let volumes = grant(parse(document, &config).unwrap(), &ground).unwrap().volumes;
        volumes.iter().map(|v| format!("{} {} {}", v.name, v.acl.as_str(), v.path.display())).collect::<Vec<_>>()
    };
    let mut document = a_document();
    document["user"] = json!({ "project": "rna" });
    assert_eq!(granted(&document, &executors), ["team rw /team/ann"]);
    document["container"]["volumes"] = json!([{ "name": "team", "acl": "ro" }]);
    assert_eq!(granted(&document, &executors), ["team ro /team/ann"]);
    document["container"]["volumes"] = json!([]);
    document["container"]["root"] = json!(true);
    assert_eq!(granted(&document, &executors), ["team ro /team/ann"]);
    document["user"] = json!({ "project": "default" });
    assert_eq!(granted(&document, &executors), [""; 0]);
}
