use std::path::{Path, PathBuf};

use super::keys::{KEYS, UNUSED};
use super::{Sources, check_report, environment_table_markdown, load};

fn file(text: &str) -> (tempfile::TempDir, Sources) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("go-d.ini");
    std::fs::write(&path, text).unwrap();
    let flags = vec![("data_dir".to_owned(), "/tmp/god".to_owned())];
    (dir, Sources { file: Some(path), env: Vec::new(), flags })
}

#[test]
fn nothing_at_all_is_a_configuration() {
    let (config, warnings) = load(&Sources::default()).unwrap();
    assert_eq!(config.web.port, 6543);
    assert_eq!(config.shared_dir, config.data_dir.join("shared"));
    assert!(config.executors.is_empty() && warnings.is_empty());
}

#[test]
fn later_sources_win() {
    let (_dir, mut sources) = file("web_port: 1001\nweb_host: 10.0.0.1\ndefaults_cpu: 4\n");
    sources.env = vec![("GODOCKER_WEB_PORT".into(), "1002".into()), ("GODOCKER_WEB_HOST".into(), "10.0.0.2".into())];
    sources.flags.push(("web_port".into(), "1003".into()));
    let (config, _) = load(&sources).unwrap();
    assert_eq!((config.web.port, config.web.host.as_str()), (1003, "10.0.0.2"));
    assert_eq!(config.defaults.cpu.as_f64(), 4.0);
}

#[test]
fn all_faults_are_told_at_once_with_their_lines() {
    let (_dir, mut sources) =
        file("# a comment\nweb_port: many\nscheduler_policy: lottery\nvolumes:\n  - { name: db, acl: rw }\n");
    sources.env = vec![("GODOCKER_KILL_GRACE".into(), "soon".into())];
    let faults = load(&sources).unwrap_err().0;
    assert_eq!(faults.len(), 4, "{faults:#?}");
    assert!(faults.iter().any(|f| f.contains("go-d.ini:2: web_port: expected a whole number")), "{faults:#?}");
    assert!(faults.iter().any(|f| f.contains("go-d.ini:3: scheduler_policy: expected one of fifo, fairshare")));
    assert!(faults.iter().any(|f| f.contains("go-d.ini:4: volumes: db: expected a path")));
    assert!(faults.iter().any(|f| f.contains("GODOCKER_KILL_GRACE: expected a time")));
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest() {
    let (_dir, sources) = file("shared_dirr: /data\nlog_config: x\n");
    let (_, warnings) = load(&sources).unwrap();
    assert!(warnings[0].contains("go-d.ini:1: shared_dirr: it is not a key; did you mean shared_dir?"), "{warnings:?}");
    assert!(warnings[1].contains("log_config: it has no effect"));
    let (report, fine) = check_report(&sources);
    assert!(fine && report.contains("warning: "));
}

#[test]
fn an_original_file_is_understood() {
    let (_dir, sources) = file(
        "plugins_dir: '/opt/plugins'\nshared_dir: '/shared'\ndefaults_cpu: 1\ndefaults_ram: 2\nallow_root: True\n\
         constraints: [\n    { name: 'storage', value: 'ssd,disk' }\n]\nscheduler_policy: 'FiFo'\nldap_host: None\n\
         default_images: [\n    { name: 'centos', url: 'centos:latest', interactive: False, default: True}\n]\n\
         volumes: [\n    { name: 'home', acl: 'rw' }\n]\nemail_smtp_host: None\nmax_job_pop: 100\n",
    );
    let (config, _) = load(&sources).unwrap();
    assert_eq!(config.shared_dir, PathBuf::from("/shared"));
    assert_eq!(config.scheduler.policy, "fifo");
    assert_eq!(config.constraints[0].values, ["ssd", "disk"]);
    assert!(config.access.allow_root && config.images[0].default && config.mail.is_none());
}

#[test]
fn the_originals_maps_of_docker_and_swarm_are_understood() {
    let pem = tempfile::NamedTempFile::new().unwrap();
    let pem = pem.path().display();
    let (_dir, sources) = file(&format!(
        "executor: swarm\ndocker_url: 'tcp://m:2376'\nuse_private_registry: 'reg.lab:5000'\nprivate_registry_user: god\n\
         private_registry_password: hush\ndocker:\n  tls: True\n  ca_cert: {pem}\n  client_cert: {pem}\n  \
         client_key: {pem}\n  api_version: '1.41'\nswarm: None\n"
    ));
    let (config, warnings) = load(&sources).unwrap();
    assert_eq!(config.executors, ["swarm"]);
    assert_eq!(config.swarm.url.as_deref(), Some("tcp://m:2376"));
    assert!(config.docker.tls.is_some() && config.docker.registry.as_ref().unwrap().user.is_some());
    assert!(!format!("{config:?}").contains("hush"));
    assert!(warnings[0].contains("docker.api_version: it has no effect"), "{warnings:?}");
}

#[test]
fn half_a_tls_setting_is_a_fault() {
    let (_dir, sources) =
        file("docker:\n  tls: true\n  client_key: /no/such/key.pem\nuse_private_registry: http://reg\n");
    let faults = load(&sources).unwrap_err().0;
    for expected in
        ["docker_tls_ca: expected", "docker_tls_cert: expected", "docker.client_key: /no/such/key.pem cannot be"]
    {
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:#?}");
    }
    assert!(faults.iter().any(|fault| fault.contains("docker.tls: expected docker_url or swarm_url")), "{faults:#?}");
    assert!(faults.iter().any(|fault| fault.contains("use_private_registry: expected host:port")), "{faults:#?}");
}

#[test]
fn a_secret_does_not_show_itself() {
    let (_dir, sources) = file("secret_passphrase: 'a very secret passphrase'\n");
    let (config, _) = load(&sources).unwrap();
    assert!(!format!("{config:?}").contains("very secret"));
}

#[test]
fn where_mongo_is_shows_itself_nowhere() {
    let (_dir, sources) = file("mongo_url: mongodb://god:sesame@db.lab.example/?replicaSet=rs0\n");
    let (config, _) = load(&sources).unwrap();
    assert!(!format!("{config:?}").contains("sesame"));
    let mongo = config.mongo.unwrap();
    assert!(mongo.url.reveal().contains("sesame") && mongo.db == "godocker");
    let (_dir, sources) = file("mongo_url: god:sesame@db.lab.example\nmongo_db: a/b\n");
    let faults = load(&sources).unwrap_err().0.join("\n");
    assert!(faults.contains(":1: mongo_url: expected") && faults.contains(":2: mongo_db: expected"), "{faults}");
    assert!(!faults.contains("sesame"), "{faults}");
}

#[test]
fn fake_logins_must_be_asked_for_twice() {
    let (_dir, sources) = file("auth_policy: fake\n");
    assert!(load(&sources).unwrap_err().0[0].contains("allow_fake_auth"));
}

#[test]
fn the_example_names_every_key_and_can_be_used() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("go-d.ini.example");
    let text = std::fs::read_to_string(&path).unwrap();
    for key in KEYS {
        let named = |line: &str| line.strip_prefix("#: ").unwrap_or(line).starts_with(&format!("{}:", key.name));
        assert!(text.lines().any(named), "{} is not in the example", key.name);
    }
    let (_, warnings) = load(&Sources { file: Some(path), ..Sources::default() }).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    // With every line that is commented out in force, it is still one.
    let all: String = text.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n").collect();
    let (_dir, sources) = file(&all);
    let (_, warnings) = load(&sources).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn no_key_is_there_twice() {
    let mut names: Vec<_> = KEYS.iter().map(|key| key.name).chain(UNUSED.iter().copied()).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn the_readme_lists_the_environment_as_it_is() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(readme.contains(&environment_table_markdown()), "run `go-d config env-table` and put it in README.md");
}

#[test]
fn where_metrics_are_served_is_an_address_or_nothing() {
    let metrics = |text: &str| {
        let (_dir, sources) = file(text);
        load(&sources).map(|(config, _)| config.metrics)
    };
    let default = metrics("").unwrap();
    assert_eq!(default.listen, Some(("127.0.0.1".to_owned(), 0)));
    for (address, allowed) in [("127.0.0.9", true), ("::1", true), ("::ffff:127.0.0.1", true), ("10.0.0.1", false)] {
        assert_eq!(default.allows(address.parse().unwrap()), allowed, "{address}");
    }
    assert_eq!(metrics("metrics_listen: none\n").unwrap().listen, None);
    assert_eq!(metrics("metrics_listen: '[::]:9100'\n").unwrap().listen, Some(("::".to_owned(), 9100)));
    assert!(metrics("metrics_listen: 9100\n").unwrap_err().0[0].contains("expected address:port"));
    assert!(metrics("metrics_allow: [lab]\n").unwrap_err().0[0].contains("no address or network"));
}

#[test]
fn ftp_is_whole_or_a_fault() {
    let config = |text: &str| {
        let (_dir, sources) = file(text);
        load(&sources).map(|(config, _)| config.ftp).map_err(|faults| faults.to_string())
    };
    let ftp = config("ftp: true\nftp_allow_plain: true\nftp_public_endpoint: ftp://up.example.org:2121\n").unwrap();
    assert_eq!((ftp.public_host.as_deref(), ftp.passive_ports), (Some("up.example.org"), 20_000..=20_100));
    for (text, said) in [
        ("ftp: true", "expected a certificate"),
        ("ftp_tls_cert: /c.pem", "ftp_tls_key"),
        ("ftp_tls_key: /c.key", "ftp_tls_cert"),
        ("ftp_passive_ports: 9-1", "ftp_passive_ports"),
        ("ftp_passive_ports: 0-10", "ftp_passive_ports"),
        ("ftp_listen: somewhere", "ftp_listen"),
        ("ftp_public_endpoint: 'a b'", "ftp_public_endpoint"),
        ("ftp_idle_timeout: 0", "ftp_idle_timeout"),
    ] {
        let faults = config(text).unwrap_err();
        assert!(faults.contains(said), "{text}: {faults}");
    }
    assert!(config("").unwrap().unfit().is_some());
}

#[test]
fn owners_are_told_of_what_is_to_come_and_by_mail() {
    let (_dir, sources) = file("archive_after: 0\ndisk_measure_every: 0\nclean_old: 7\n");
    let (config, _) = load(&sources).unwrap();
    assert!(config.disk.retention.is_none() && config.disk.measure_every.is_none());
    assert_eq!(config.disk.clean_old.as_secs(), 7 * 86_400);
    let mail = "email_smtp_host: localhost\nemail_from: god@lab.example\n";
    let (_dir, sources) = file(&format!("archive_after: 90d\narchive_warn_before: 7d\n{mail}"));
    let (config, _) = load(&sources).unwrap();
    let retention = config.disk.retention.unwrap();
    assert_eq!(retention.archive_after.as_secs(), 90 * 86_400);
    assert_eq!(retention.warn_before.map(|span| span.as_secs()), Some(7 * 86_400));
    for (text, expected) in [
        (format!("archive_warn_before: 7d\n{mail}"), "expected archive_after too"),
        (format!("archive_after: 3d\narchive_warn_before: 7d\n{mail}"), "less than that"),
        ("archive_after: 30d\narchive_warn_before: 7d\n".to_owned(), "email_smtp_host too"),
    ] {
        let (_dir, sources) = file(&text);
        let faults = load(&sources).unwrap_err().0;
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{faults:#?}");
    }
}
