//! A host of a test's own: a network namespace with a cable to this machine, which can be pulled out.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Gone when dropped.
pub struct Host {
    name: String,
    /// The third part of its addresses.
    net: u32,
}

fn ip(words: &str) {
    let output = Command::new("ip").args(words.split(' ')).output().unwrap();
    assert!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Host {
    pub fn new(label: &str) -> Self {
        static HOSTS: AtomicU32 = AtomicU32::new(0);
        let number = HOSTS.fetch_add(1, Ordering::Relaxed);
        let host =
            Host { name: format!("god{}{label}{number}", std::process::id()), net: std::process::id() % 200 + number };
        let (name, net) = (&host.name, host.net);
        // A cable's ends have names of at most 15 letters.
        let end = format!("godv{}n{number}", std::process::id());
        ip(&format!("netns add {name}"));
        ip(&format!("link add {end} type veth peer name eth0 netns {name}"));
        ip(&format!("addr add 10.213.{net}.1/24 dev {end}"));
        ip(&format!("link set {end} up"));
        ip(&format!("-n {name} addr add 10.213.{net}.2/24 dev eth0"));
        ip(&format!("-n {name} link set lo up"));
        host.plug_in();
        host
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// This machine, as the host sees it.
    pub fn outside(&self) -> String {
        format!("10.213.{}.1", self.net)
    }

    pub fn inside(&self) -> String {
        format!("10.213.{}.2", self.net)
    }

    pub fn pull_out(&self) {
        ip(&format!("-n {} link set eth0 down", self.name));
    }

    pub fn plug_in(&self) {
        ip(&format!("-n {} link set eth0 up", self.name));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The cable goes with it.
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}
