//! How processes are looked after: where they announce themselves, who may read what they count.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Secret;
use super::values::Values;

/// Where processes announce themselves.
#[derive(Debug, Clone)]
pub struct Status {
    /// `store`, `etcd` or `consul`.
    pub policy: String,
    pub etcd: Etcd,
    pub consul: Consul,
}

#[derive(Debug, Clone)]
pub struct Etcd {
    pub host: String,
    pub port: u16,
    pub prefix: String,
}

#[derive(Debug, Clone)]
pub struct Consul {
    pub host: String,
    pub port: u16,
    pub token: Option<Secret>,
}

#[derive(Debug, Clone)]
pub struct Metrics {
    /// Address and port of the roles that serve no pages; `None`: they serve nothing.
    pub listen: Option<(String, u16)>,
    /// Who may read metrics without being an administrator.
    pub allow: Vec<IpNet>,
}

impl Metrics {
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow.iter().any(|network| network.contains(&address))
    }
}

pub(super) fn status(values: &mut Values) -> Status {
    let port = |values: &Values, key| values.int(key).unwrap_or(0) as u16;
    Status {
        policy: values.text("status_policy").unwrap_or_default().to_ascii_lowercase(),
        etcd: Etcd {
            host: values.text("etcd_host").unwrap_or_default(),
            port: port(values, "etcd_port"),
            prefix: values.text("etcd_prefix").unwrap_or_default(),
        },
        consul: Consul {
            host: values.text("consul_host").unwrap_or_default(),
            port: port(values, "consul_port"),
            token: values.text("consul_token").map(Secret::new),
        },
    }
}

pub(super) fn metrics(values: &mut Values) -> Metrics {
    Metrics { listen: listen(values), allow: values.networks("metrics_allow") }
}

fn listen(values: &mut Values) -> Option<(String, u16)> {
    let text = values.text("metrics_listen")?;
    if text.eq_ignore_ascii_case("none") {
        return None;
    }
    let parsed = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parsed.filter(|(host, _)| !host.is_empty()) {
        Some((host, port)) => Some((host.trim_matches(['[', ']']).to_owned(), port)),
        None => {
            values.fault("metrics_listen", format!("expected address:port like 127.0.0.1:0, or none, got {text:?}"));
            None
        }
    }
}
