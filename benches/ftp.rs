//! Uploads over FTP, beside a plain copy of the same file.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::row;
use crate::server::Server;

const SIZE: u64 = 1 << 30;

pub async fn upload() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("there is no curl: FTP is not measured");
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (source, copy) = (dir.path().join("source"), dir.path().join("copy"));
    write_source(&source);
    let env = [("GODOCKER_FTP", "true"), ("GODOCKER_FTP_PORT", "22121"), ("GODOCKER_FTP_ALLOW_PLAIN", "true")];
    let server = Server::start("native", &env).await;
    let url = "ftp://127.0.0.1:22121/source";
    let (mut by_ftp, mut by_copy) = (Duration::MAX, Duration::MAX);
    // In turns, so that both meet the same machine.
    for _ in 0..2 {
        let begun = Instant::now();
        let mut command = Command::new("cp");
        assert!(command.arg(&source).arg(&copy).status().is_ok_and(|status| status.success()), "cp copies");
        by_copy = by_copy.min(begun.elapsed());
        let begun = Instant::now();
        let mut command = Command::new("curl");
        command.args(["-sS", "--user", &format!("admin:{}", crate::server::KEY), "-T"]).arg(&source).arg(url);
        assert!(command.status().is_ok_and(|status| status.success()), "curl uploads");
        by_ftp = by_ftp.min(begun.elapsed());
        std::fs::remove_file(&copy).expect("it was made");
    }
    drop(server);
    let rate = |span: Duration| format!("{:.0} MB/s", SIZE as f64 / 1e6 / span.as_secs_f64());
    row("FTP upload of 1 GiB", rate(by_ftp), "", &format!("cp of the same file: {}", rate(by_copy)));
}

/// Not holes: they would cost nothing to read.
fn write_source(path: &std::path::Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).expect("a file");
    let piece: Vec<u8> = (0..1 << 20).map(|n: u32| (n * 7 % 251) as u8).collect();
    for _ in 0..SIZE / piece.len() as u64 {
        file.write_all(&piece).expect("there is room for it");
    }
}
