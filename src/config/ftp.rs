//! FTP: where it listens, what it tells clients, how many it serves.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::values::Values;

#[derive(Debug, Clone)]
pub struct Ftp {
    /// `go-d up` serves it too.
    pub with_up: bool,
    pub listen: IpAddr,
    pub port: u16,
    /// A name or IPv4 address; `None` tells clients the one they came to.
    pub public_host: Option<String>,
    pub passive_ports: RangeInclusive<u16>,
    pub tls: Option<FtpTls>,
    /// Keys and files may come without TLS.
    pub allow_plain: bool,
    pub max_connections: usize,
    pub max_per_user: usize,
    pub idle_timeout: Duration,
}

/// Files of PEM.
#[derive(Debug, Clone)]
pub struct FtpTls {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Ftp {
    /// Why this cannot be served, as a sentence.
    pub fn unfit(&self) -> Option<&'static str> {
        (self.tls.is_none() && !self.allow_plain).then_some(
            "ftp_tls_cert, ftp_tls_key: expected a certificate, as keys must not cross the network in the clear \
             (ftp_allow_plain: true lets them)",
        )
    }
}

pub(super) fn ftp(values: &mut Values) -> Ftp {
    let listen = values.text("ftp_listen").unwrap_or_default();
    let listen = listen.parse().unwrap_or_else(|_| {
        values.fault("ftp_listen", format!("expected an address like 127.0.0.1 or 0.0.0.0, got {listen:?}"));
        IpAddr::from([127, 0, 0, 1])
    });
    let ftp = Ftp {
        with_up: values.bool("ftp"),
        listen,
        port: values.int("ftp_port").unwrap_or(0) as u16,
        public_host: public_host(values),
        passive_ports: passive_ports(values),
        tls: tls(values),
        allow_plain: values.bool("ftp_allow_plain"),
        max_connections: values.int("ftp_max_connections").unwrap_or(1) as usize,
        max_per_user: values.int("ftp_max_per_user").unwrap_or(1) as usize,
        idle_timeout: values.duration("ftp_idle_timeout").unwrap_or_default(),
    };
    if ftp.idle_timeout < Duration::from_secs(1) {
        values.fault("ftp_idle_timeout", "expected at least 1s");
    }
    if let Some(why) = ftp.unfit().filter(|_| ftp.with_up) {
        values.fault("ftp", why);
    }
    ftp
}

/// The original's files say `ftp://host:port`: the host of it.
fn public_host(values: &mut Values) -> Option<String> {
    let text = values.text("ftp_public_endpoint")?;
    let host = text.strip_prefix("ftp://").or_else(|| text.strip_prefix("ftps://")).unwrap_or(&text);
    let host = host.trim_end_matches('/').split(':').next().unwrap_or_default();
    if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)) {
        values.fault("ftp_public_endpoint", format!("expected a name or an IPv4 address, got {text:?}"));
    }
    Some(host.to_owned())
}

fn passive_ports(values: &mut Values) -> RangeInclusive<u16> {
    let text = values.text("ftp_passive_ports").unwrap_or_default();
    let ports = text.split_once('-').and_then(|(first, last)| {
        let (first, last) = (first.trim().parse::<u16>().ok()?, last.trim().parse::<u16>().ok()?);
        // All 65536 would be one too many for the server to count.
        (first > 0 && first <= last).then_some(first..=last)
    });
    ports.unwrap_or_else(|| {
        values.fault("ftp_passive_ports", format!("expected ports like 20000-20100, got {text:?}"));
        20_000..=20_100
    })
}

fn tls(values: &mut Values) -> Option<FtpTls> {
    let (cert, key) = (values.text("ftp_tls_cert"), values.text("ftp_tls_key"));
    match (cert, key) {
        (Some(cert), Some(key)) => Some(FtpTls { cert: cert.into(), key: key.into() }),
        (None, None) => None,
        (Some(_), None) => {
            values.fault("ftp_tls_key", "expected the certificate's key, as ftp_tls_cert is set");
            None
        }
        (None, Some(_)) => {
            values.fault("ftp_tls_cert", "expected the key's certificate, as ftp_tls_key is set");
            None
        }
    }
}
