//! What others take for the same, on this machine, now.

use std::process::Command;
use std::time::Instant;

use crate::per_second;

pub fn bash_spawns() -> String {
    let begun = Instant::now();
    for _ in 0..500 {
        let _ = Command::new("bash").args(["-c", "true"]).status();
    }
    format!("{:.0}/s", per_second(500, begun.elapsed()))
}

const HYPERQUEUE: &str = "
import time
from hyperqueue import LocalCluster, Job
from hyperqueue.cluster import WorkerConfig
with LocalCluster() as cluster:
    cluster.start_worker(WorkerConfig(cores=2))
    client = cluster.client()
    job = Job()
    for _ in range(2000):
        job.program(['/bin/true'])
    begun = time.time()
    client.wait_for_jobs([client.submit(job)])
    print('%.0f/s' % (2000 / (time.time() - begun)))
";

/// HyperQueue from PyPI, in a virtual environment of its own.
pub fn hyperqueue() -> String {
    let venv = concat!(env!("CARGO_TARGET_TMPDIR"), "/hyperqueue");
    // It leaves files where it runs.
    let run = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).current_dir(env!("CARGO_TARGET_TMPDIR")).output();
        output.ok().filter(|output| output.status.success())
    };
    let python = format!("{venv}/bin/python");
    if !std::path::Path::new(&python).exists() {
        run("python3", &["-m", "venv", venv]);
        run(&format!("{venv}/bin/pip"), &["install", "-q", "hyperqueue"]);
    }
    let measured = run(&python, &["-c", HYPERQUEUE]);
    let line = measured.and_then(|o| String::from_utf8_lossy(&o.stdout).lines().last().map(str::to_owned));
    line.unwrap_or_else(|| "not to be had here".to_owned())
}
