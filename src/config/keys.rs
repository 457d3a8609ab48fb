//! The one table of keys. Parsing, `config check`, the README's list and go-d.ini.example's test read it.

/// What a key's value is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Text,
    Bool,
    /// A whole number between the bounds.
    Int(i64, i64),
    Number,
    /// `90s`, `30m`, `12h`, `2d`, `1w`, or seconds.
    Duration,
    /// `500`, `10k`, `2M`, `1G`, `1T`: bytes, in thousands.
    Size,
    /// A YAML list of texts, or one text with commas.
    List,
    /// A YAML list of maps.
    Maps,
    OneOf(&'static [&'static str]),
}

#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    /// As it would be written in go-d.ini; empty is none.
    pub default: &'static str,
    /// The environment variable that overrides it; empty where the environment cannot say it.
    pub env: &'static str,
    pub doc: &'static str,
}

const fn key(name: &'static str, kind: Kind, default: &'static str, env: &'static str, doc: &'static str) -> Key {
    Key { name, kind, default, env, doc }
}

use Kind::{Bool, Duration, Int, List, Maps, Number, OneOf, Size, Text};

const COUNT: Kind = Int(0, i64::MAX);
const PORT: Kind = Int(0, 65_535);

#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("data_dir", Text, "", "GODOCKER_DATA_DIR", "Where `go-d up` keeps its database and keys. Default: /var/lib/godocker for root, else ~/.local/share/godocker."),
    key("shared_dir", Text, "", "GODOCKER_SHARED_DIR", "Job directories are under it, on every node. Default: `shared` in data_dir."),
    key("instance_id", Text, "", "GODOCKER_INSTANCE_ID", "Part of every container's name. Default: made up at the first start."),
    key("mongo_url", Text, "", "GODOCKER_MONGO_URL", "The MongoDB server of a cluster: mongodb://user:password@host:port/, options after a `?`. Default: SQLite in data_dir."),
    key("mongo_db", Text, "godocker", "GODOCKER_MONGO_DB", "The name of the database there."),
    key("redis_host", Text, "", "GODOCKER_REDIS_HOST", "The Redis server of a cluster."),
    key("redis_port", Int(1, 65_535), "6379", "GODOCKER_REDIS_PORT", "Its port."),
    key("redis_db", Int(0, 65_535), "0", "GODOCKER_REDIS_DB", "The number of the database there."),
    key("redis_password", Text, "", "GODOCKER_REDIS_PASSWORD", "The password there."),
    key("redis_url", Text, "", "GODOCKER_REDIS_URL", "All of that at once: redis://user:password@host:port/db, or rediss:// for TLS."),
    key("redis_ca_file", Text, "", "GODOCKER_REDIS_CA_FILE", "The authority that signed its certificate, as PEM. Default: those of the system."),
    key("redis_sentinels", List, "", "GODOCKER_REDIS_SENTINELS", "Sentinels that know where the master is: host:port each."),
    key("redis_sentinel_master", Text, "mymaster", "GODOCKER_REDIS_SENTINEL_MASTER", "What they call that master."),
    key("redis_prefix", Text, "god", "GODOCKER_REDIS_PREFIX", "What all our keys in Redis begin with."),
    key("master_timeout", Duration, "15s", "GODOCKER_MASTER_TIMEOUT", "How long the leading scheduler may be silent before another takes over."),
    key("unprivileged", Bool, "false", "GODOCKER_UNPRIVILEGED", "Scheduler, watcher, archive and ftp may start without being root. No file changes its owner then, and every job runs as who started them."),
    key("run_dir", Text, "", "GODOCKER_RUN_DIR", "Where daemons keep their pid files. Default: `run` in data_dir."),
    key("log_dir", Text, "", "GODOCKER_LOG_DIR", "Where daemons in the background write what they have to say. Default: `log` in data_dir."),
    key("status_policy", OneOf(&["store", "etcd", "consul"]), "store", "GODOCKER_STATUS_POLICY", "Where processes announce themselves, for `go-d status` and tools of the site: the database, etcd or Consul."),
    key("etcd_host", Text, "127.0.0.1", "GODOCKER_ETCD_HOST", "The etcd server, for status_policy etcd."),
    key("etcd_port", Int(1, 65_535), "2379", "GODOCKER_ETCD_PORT", "Its port."),
    key("etcd_prefix", Text, "/godocker", "GODOCKER_ETCD_PREFIX", "What all our keys there begin with."),
    key("consul_host", Text, "127.0.0.1", "GODOCKER_CONSUL_HOST", "The Consul agent, for status_policy consul."),
    key("consul_port", Int(1, 65_535), "8500", "GODOCKER_CONSUL_PORT", "Its port."),
    key("consul_token", Text, "", "GODOCKER_CONSUL_TOKEN", "What it lets us in with."),
    key("metrics_listen", Text, "127.0.0.1:0", "GODOCKER_METRICS_LISTEN", "Where roles other than the web serve /metrics, /healthz and /readyz: address:port, or the next free port after it; port 0 takes any; `none` serves nothing."),
    key("metrics_allow", List, "[127.0.0.0/8, '::1']", "GODOCKER_METRICS_ALLOW", "Addresses and networks that may read /metrics without being an administrator."),
    key("web_host", Text, "127.0.0.1", "GODOCKER_WEB_HOST", "The address that pages and API listen on."),
    key("web_port", PORT, "6543", "GODOCKER_WEB_PORT", "The port that pages and API listen on; 0 takes a free one."),
    key("web_prefix", Text, "", "GODOCKER_WEB_PREFIX", "A path that everything is served under, like /god."),
    key("web_endpoint", Text, "", "GODOCKER_WEB_ENDPOINT", "How people reach us, for links in mail, like https://jobs.example.org."),
    key("web_session_duration", Duration, "12h", "GODOCKER_WEB_SESSION_DURATION", "How long a login lasts in the browser."),
    key("web_token_duration", Duration, "1d", "GODOCKER_WEB_TOKEN_DURATION", "How long a token of /authenticate is valid."),
    key("web_secure_cookies", Bool, "false", "GODOCKER_WEB_SECURE_COOKIES", "Send the session's cookie over HTTPS only."),
    key("secret_passphrase", Text, "", "GODOCKER_SECRET_PASSPHRASE", "What tokens and cookies are signed with. Default: a random key in data_dir."),
    key("executor", Text, "", "GODOCKER_EXECUTOR", "What runs jobs: docker, swarm or native. Default: docker if an engine answers, else native."),
    key("executors", List, "", "GODOCKER_EXECUTORS", "Several executors, the default one first."),
    key("docker_url", Text, "", "GODOCKER_DOCKER_URL", "The engine: unix:///path or tcp://host:port. Default: the local socket."),
    key("docker_tls", Bool, "false", "GODOCKER_DOCKER_TLS", "Speak TLS to engines and managers behind tcp://, and show them a certificate."),
    key("docker_tls_ca", Text, "", "GODOCKER_DOCKER_TLS_CA", "The authority that signed their certificates, as PEM."),
    key("docker_tls_cert", Text, "", "GODOCKER_DOCKER_TLS_CERT", "The certificate that we show, as PEM."),
    key("docker_tls_key", Text, "", "GODOCKER_DOCKER_TLS_KEY", "Its key, as PEM."),
    key("swarm_url", Text, "", "GODOCKER_SWARM_URL", "A manager of the swarm: unix:///path or tcp://host:port. Default: docker_url."),
    key("use_private_registry", Text, "", "GODOCKER_USE_PRIVATE_REGISTRY", "The site's registry, as host:port: images come from it unless they name another."),
    key("private_registry_user", Text, "", "GODOCKER_PRIVATE_REGISTRY_USER", "Login there. Default: it asks for none."),
    key("private_registry_password", Text, "", "GODOCKER_PRIVATE_REGISTRY_PASSWORD", "Password there."),
    key("docker_pids_limit", Int(16, 4_194_304), "4096", "GODOCKER_DOCKER_PIDS_LIMIT", "Processes and threads a job may have."),
    key("docker_pull", Bool, "true", "GODOCKER_DOCKER_PULL", "Pull images that the engine does not have."),
    key("docker_gpus", Int(0, 64), "0", "GODOCKER_DOCKER_GPUS", "Graphics cards to hand out; the engine does not tell how many there are."),
    key("docker_concurrency", Int(1, 256), "8", "GODOCKER_DOCKER_CONCURRENCY", "Containers that are started at once."),
    key("port_allocate", Bool, "true", "GODOCKER_PORT_ALLOCATE", "Open a job's ports on host ports from the range below, not on the same numbers."),
    key("port_start", Int(1, 65_535), "10000", "GODOCKER_PORT_START", "The first host port of that range."),
    key("port_range", Int(1, 65_535), "1000", "GODOCKER_PORT_RANGE", "How many host ports that range has."),
    key("native_cpus", Number, "", "GODOCKER_NATIVE_CPUS", "Cores for native jobs. Default: the machine's."),
    key("native_ram", Number, "", "GODOCKER_NATIVE_RAM", "GB for native jobs. Default: the machine's."),
    key("native_cgroups", Bool, "true", "GODOCKER_NATIVE_CGROUPS", "Hold native jobs to their memory by control groups, where they can be made."),
    key("scheduler_policy", OneOf(&["fifo", "fairshare"]), "fairshare", "GODOCKER_SCHEDULER_POLICY", "Who comes first."),
    key("fairshare_waiting_time_weight", Number, "0.1", "", "Weight of the time a job has waited."),
    key("fairshare_user_time_weight", Number, "1", "", "Weight of the run time a user had in the window."),
    key("fairshare_user_cpu_weight", Number, "0.2", "", "Weight of the cores a user had in the window."),
    key("fairshare_user_ram_weight", Number, "0.2", "", "Weight of the memory a user had in the window."),
    key("fairshare_group_time_weight", Number, "0.1", "", "The same for a project's run time."),
    key("fairshare_group_cpu_weight", Number, "0.01", "", "The same for a project's cores."),
    key("fairshare_group_ram_weight", Number, "0.01", "", "The same for a project's memory."),
    key("fairshare_user_weight", Number, "1", "", "Weight of a user's priority."),
    key("fairshare_group_weight", Number, "1", "", "Weight of a project's priority."),
    key("user_reset_usage_duration", Int(1, 3650), "30", "GODOCKER_USER_RESET_USAGE_DURATION", "Days of use that count for fair share and quotas."),
    key("starvation_after", Duration, "10m", "GODOCKER_STARVATION_AFTER", "How long a job that fits nowhere waits before room is kept for it."),
    key("reconcile_every", Duration, "30s", "GODOCKER_RECONCILE_EVERY", "How often memory, database and executors are compared."),
    key("kill_grace", Duration, "10s", "GODOCKER_KILL_GRACE", "Between SIGTERM and SIGKILL."),
    key("defaults_cpu", Number, "1", "GODOCKER_DEFAULTS_CPU", "Cores of a job that asks for none."),
    key("defaults_ram", Number, "2", "GODOCKER_DEFAULTS_RAM", "GB of a job that asks for none."),
    key("default_priority", Int(0, 100), "50", "GODOCKER_DEFAULT_PRIORITY", "Priority of a new user."),
    key("default_quota_time", COUNT, "0", "GODOCKER_DEFAULT_QUOTA_TIME", "Quota of a new user: seconds of run time in the window; 0 is none."),
    key("default_quota_cpu", COUNT, "0", "GODOCKER_DEFAULT_QUOTA_CPU", "Quota of a new user: summed cores of jobs in the window; 0 is none."),
    key("default_quota_ram", COUNT, "0", "GODOCKER_DEFAULT_QUOTA_RAM", "Quota of a new user: summed GB of jobs in the window; 0 is none."),
    key("default_quota_gpu", COUNT, "0", "GODOCKER_DEFAULT_QUOTA_GPU", "Quota of a new user: summed graphics cards of jobs in the window; 0 is none."),
    key("disk_default_quota", Size, "0", "GODOCKER_DISK_DEFAULT_QUOTA", "Quota of each user who has none of their own: bytes of the job directories kept; 0 is none."),
    key("upload_quota", Size, "0", "GODOCKER_UPLOAD_QUOTA", "Quota of each user who has none of their own: bytes of the upload space; 0 is none."),
    key("quota_policy", OneOf(&["wait", "reject"]), "wait", "GODOCKER_QUOTA_POLICY", "A job beyond a quota waits until earlier use no longer counts, or is rejected."),
    key("share_project_tasks", Bool, "false", "GODOCKER_SHARE_PROJECT_TASKS", "Members of a project see and manage each other's jobs in it."),
    key("auth_policy", OneOf(&["local", "ldap", "fake"]), "local", "GODOCKER_AUTH_POLICY", "Who checks passwords. `fake` accepts any name as its own password: for tests only."),
    key("allow_fake_auth", Bool, "false", "GODOCKER_ALLOW_FAKE_AUTH", "The second time one has to say that `fake` is meant."),
    key("ldap_host", Text, "", "GODOCKER_LDAP_HOST", "The directory server, for auth_policy ldap."),
    key("ldap_port", Int(1, 65_535), "389", "GODOCKER_LDAP_PORT", "Its port."),
    key("ldap_tls", OneOf(&["none", "starttls", "ldaps"]), "none", "GODOCKER_LDAP_TLS", "How the connection is encrypted."),
    key("ldap_ca_file", Text, "", "GODOCKER_LDAP_CA_FILE", "The authority that signed its certificate, as PEM. Default: those of the system."),
    key("ldap_dn", Text, "", "GODOCKER_LDAP_DN", "Where the directory begins, like dc=lab,dc=example."),
    key("ldap_base_dn_filter", Text, "", "GODOCKER_LDAP_BASE_DN_FILTER", "Where in it the users are, like ou=people."),
    key("ldap_admin_dn", Text, "", "GODOCKER_LDAP_ADMIN_DN", "Who searches. Default: anonymous."),
    key("ldap_admin_password", Text, "", "GODOCKER_LDAP_ADMIN_PASSWORD", "That one's password."),
    key("ldap_login_fields", List, "uid, mail", "GODOCKER_LDAP_LOGIN_FIELDS", "What may be typed as the login."),
    key("ldap_home_field", Text, "homeDirectory", "GODOCKER_LDAP_HOME_FIELD", "The attribute that holds the home directory."),
    key("ldap_mail_field", Text, "mail", "GODOCKER_LDAP_MAIL_FIELD", "The attribute that holds the mail address."),
    key("ldap_timeout", Duration, "10s", "GODOCKER_LDAP_TIMEOUT", "How long the directory may take to answer."),
    key("trusted_proxies", List, "", "GODOCKER_TRUSTED_PROXIES", "Addresses or networks of proxies in front of us, whose X-Forwarded-For, -Host and -Proto are believed."),
    key("allow_proxy_remote_user", Bool, "false", "GODOCKER_ALLOW_PROXY_REMOTE_USER", "A trusted proxy says who is logged in."),
    key("proxy_remote_user_header", Text, "X-Remote-User", "GODOCKER_PROXY_REMOTE_USER_HEADER", "The header in which it says so. The proxy must remove it from what it gets."),
    key("guest_allow", Bool, "false", "GODOCKER_GUEST_ALLOW", "People may come in through the providers below, and submit once an administrator has activated them."),
    key("guest_bind", Text, "", "GODOCKER_GUEST_BIND", "The system user whose uid and gid guests' jobs run with."),
    key("guest_home_root", Text, "", "GODOCKER_GUEST_HOME_ROOT", "Where each guest has a data directory, mounted as home: `default` (in shared_dir) or a path. Default: guests have none."),
    key("guest_allow_root", Bool, "false", "GODOCKER_GUEST_ALLOW_ROOT", "Guests may be root in their containers, where allow_root lets users."),
    key("guest_providers", Maps, "", "", "Who vouches for guests: name, title, client_id, client_secret, and issuer (OpenID Connect) or kind: github."),
    key("allow_root", Bool, "false", "GODOCKER_ALLOW_ROOT", "Jobs may ask to be root in their container; their volumes are then read only."),
    key("network_disabled", Bool, "false", "GODOCKER_NETWORK_DISABLED", "No job has a network."),
    key("allow_user_images", Bool, "true", "GODOCKER_ALLOW_USER_IMAGES", "Jobs may name images that are not in default_images."),
    key("default_images", Maps, "", "", "Images to choose from: name, url, and whether it is the default."),
    key("volumes", Maps, "[{ name: home, acl: rw }]", "", "Directories that jobs may ask for: name, acl (ro, rw), path (may hold $USERID), mount (default /mnt/<name>). `home` needs no path."),
    key("volumes_check", Bool, "true", "GODOCKER_VOLUMES_CHECK", "Refuse a volume whose path is missing."),
    key("constraints", Maps, "", "", "Labels of nodes that jobs may ask for: name, and value (several with commas)."),
    key("watchers", List, "maxlifespan", "GODOCKER_WATCHERS", "Rules on running jobs: maxlifespan."),
    key("maxlifespan", Duration, "", "GODOCKER_MAXLIFESPAN", "How long a job may run that sets no limit of its own. Default: for ever."),
    key("dynamic_fields", Maps, "[{ name: maxlifespan }]", "", "Requirements of a job that may be changed later: name, and only_admin."),
    key("rate_limit", COUNT, "", "GODOCKER_RATE_LIMIT", "Pending jobs that one user may have. Default: no limit."),
    key("rate_limit_all", COUNT, "", "GODOCKER_RATE_LIMIT_ALL", "Pending jobs in all. Default: no limit."),
    key("script_max_size", Size, "1M", "GODOCKER_SCRIPT_MAX_SIZE", "The largest script."),
    key("array_max_jobs", Int(1, 1_000_000), "100000", "GODOCKER_ARRAY_MAX_JOBS", "The largest array."),
    key("max_file_download", Size, "0", "GODOCKER_MAX_FILE_DOWNLOAD", "The largest file of a job that may be downloaded; 0 is no limit."),
    key("ftp", Bool, "false", "GODOCKER_FTP", "`go-d up` serves upload spaces over FTP too. In a cluster `go-d ftp` does."),
    key("ftp_listen", Text, "127.0.0.1", "GODOCKER_FTP_LISTEN", "The address that FTP listens on."),
    key("ftp_port", PORT, "2121", "GODOCKER_FTP_PORT", "The port that FTP listens on; 0 takes a free one."),
    key("ftp_public_endpoint", Text, "", "GODOCKER_FTP_PUBLIC_ENDPOINT", "The name or IPv4 address that clients reach us by; told for passive connections, and on the page. Default: the one they came to."),
    key("ftp_passive_ports", Text, "20000-20100", "GODOCKER_FTP_PASSIVE_PORTS", "Ports for passive connections, first-last; each transfer takes one."),
    key("ftp_tls_cert", Text, "", "GODOCKER_FTP_TLS_CERT", "The certificate for FTPS and what it was signed with, as PEM."),
    key("ftp_tls_key", Text, "", "GODOCKER_FTP_TLS_KEY", "Its key, as PEM."),
    key("ftp_allow_plain", Bool, "false", "GODOCKER_FTP_ALLOW_PLAIN", "Keys and files may come without TLS."),
    key("ftp_max_connections", Int(1, 100_000), "200", "GODOCKER_FTP_MAX_CONNECTIONS", "Connections at once."),
    key("ftp_max_per_user", Int(1, 100_000), "120", "GODOCKER_FTP_MAX_PER_USER", "Connections of one user at once."),
    key("ftp_idle_timeout", Duration, "10m", "GODOCKER_FTP_IDLE_TIMEOUT", "How long a connection, or a transfer, may be silent."),
    key("clean_old", Int(0, 36_500), "30", "GODOCKER_CLEAN_OLD", "Days after which `go-d clean` archives an over job."),
    key("archive_after", Duration, "", "GODOCKER_ARCHIVE_AFTER", "How long after its end a job is archived by itself: its files are deleted. Default: never."),
    key("archive_warn_before", Duration, "", "GODOCKER_ARCHIVE_WARN_BEFORE", "How long before that its owner is told by mail; none is archived so without. Default: they are not told."),
    key("disk_measure_every", Duration, "5m", "GODOCKER_DISK_MEASURE_EVERY", "How often the directories of running jobs are measured, for disk quotas; 0 is never."),
    key("sample_every", Duration, "30s", "GODOCKER_SAMPLE_EVERY", "How often it is looked at what running jobs use of processors and memory; 0 is never."),
    key("email_smtp_host", Text, "", "GODOCKER_EMAIL_SMTP_HOST", "The mail server; none sends no mail."),
    key("email_smtp_port", Int(1, 65_535), "25", "GODOCKER_EMAIL_SMTP_PORT", "Its port."),
    key("email_smtp_tls", Bool, "false", "GODOCKER_EMAIL_SMTP_TLS", "Insist on STARTTLS."),
    key("email_smtp_user", Text, "", "GODOCKER_EMAIL_SMTP_USER", "Login there."),
    key("email_smtp_password", Text, "", "GODOCKER_EMAIL_SMTP_PASSWORD", "Password there."),
    key("email_from", Text, "", "GODOCKER_EMAIL_FROM", "Who mail is from."),
    key("log_level", Text, "info", "GOD_LOGLEVEL", "What is logged: error, warn, info, debug, trace, or a tracing filter."),
    key("log_json", Bool, "false", "GODOCKER_LOG_JSON", "Log as JSON, a line each."),
];

/// Keys of the original that have no effect in this release. A file that has them is not wrong.
pub const UNUSED: &[&str] = &[
    "plugins_dir",
    "influxdb_host",
    "influxdb_port",
    "influxdb_user",
    "influxdb_password",
    "influxdb_db",
    "log_config",
    "log_location",
    "log_graylog_host",
    "log_graylog_port",
    "log_logstash_host",
    "log_logstash_port",
    "cadvisor_port",
    "cadvisor_url_part",
    "live_events",
    "live_events_url",
    "ldap",
    "mesos",
    "mesos_master",
    "kubernetes",
    "kube_server",
    "kube_token",
    "sge",
    "docker_api_version",
    "placement",
    "max_job_pop",
    "prometheus_exporter",
    "prometheus_key",
    "run_prefix",
    "mesos_unified",
    "network",
    "cni",
    "bubble_chamber",
    "tls",
];

/// The original's maps: whose entry is which key of ours. An entry that is not here has no effect.
pub const SECTIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "docker",
        &[
            ("url", "docker_url"),
            ("tls", "docker_tls"),
            ("ca_cert", "docker_tls_ca"),
            ("client_cert", "docker_tls_cert"),
            ("client_key", "docker_tls_key"),
        ],
    ),
    ("swarm", &[("url", "swarm_url")]),
];

pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The known name that `name` may have meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    let known = KEYS.iter().map(|key| key.name).chain(UNUSED.iter().copied());
    known
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .min()
        .filter(|(distance, known)| *distance <= 3.max(known.len() / 3))
        .map(|(_, known)| known)
}

/// The environment variables that override go-d.ini, as a Markdown table.
pub fn environment_table_markdown() -> String {
    let mut table = String::from("| variable | key | default | what it is |\n|---|---|---|---|\n");
    for key in KEYS.iter().filter(|key| !key.env.is_empty()) {
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        table.push_str(&format!("| `{}` | `{}` | {default} | {} |\n", key.env, key.name, key.doc));
    }
    table
}
