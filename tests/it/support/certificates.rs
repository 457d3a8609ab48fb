//! Certificates for servers on this machine, made by openssl.

use std::path::Path;
use std::process::{Command, Stdio};

/// An authority (`ca.pem`) and a certificate signed by it, for 127.0.0.1 and localhost (`server.pem`, `server.key`);
/// another authority (`other-ca.pem`).
pub fn make_certificates(dir: &Path) {
    let openssl = |arguments: &str| {
        let made =
            Command::new("openssl").args(arguments.split(' ')).current_dir(dir).stdin(Stdio::null()).output().unwrap();
        assert!(made.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&made.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for name in ["ca", "other-ca"] {
        openssl(&format!("req -x509 {key} -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem"));
    }
    let names = "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n";
    std::fs::write(dir.join("server.ext"), names).unwrap();
    openssl(&format!("req {key} -subj /CN=localhost -keyout server.key -out server.csr"));
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.pem",
    );
}
