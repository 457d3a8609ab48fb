//! What attempts use: one look at all processes of the machine, however many attempts are asked for.
//!
//! An attempt's wrapper adopts what its job leaves behind, so all that is its job's is below it, and the time of what has
//! ended is added up in whoever buried it. Memory is the control group's where there is one; else that of the processes,
//! in which what they share counts for each.

use std::collections::HashMap;
use std::time::Duration;

use super::cgroup::Cgroups;
use super::record::Record;
use crate::domain::{AttemptName, Clock, Reading, SystemClock};

struct Process {
    parent: i32,
    /// In the kernel's ticks, with that of the children it has buried.
    ticks: u64,
    pages: u64,
}

/// The readings of those that run.
pub fn sample(records: &[Record], cgroups: Option<&Cgroups>) -> Vec<(AttemptName, Reading)> {
    let processes = processes();
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for (pid, process) in &processes {
        children.entry(process.parent).or_default().push(*pid);
    }
    let at = SystemClock.now();
    let running = records.iter().filter(|record| record.status.is_none() && record.wrapper_is_alive());
    running
        .filter_map(|record| {
            let wrapper = processes.get(&record.pid)?;
            let job = below(record.pid, &children);
            let of_job = || job.iter().filter_map(|pid| processes.get(pid));
            let ticks = wrapper.ticks + of_job().map(|process| process.ticks).sum::<u64>();
            let resident = || of_job().map(|process| process.pages).sum::<u64>() * rustix::param::page_size() as u64;
            let memory = cgroups.and_then(|cgroups| cgroups.memory(&record.name)).unwrap_or_else(resident);
            let cpu = Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second().max(1) as f64);
            Some((record.name.clone(), Reading { at, cpu, memory }))
        })
        .collect()
}

fn below(pid: i32, children: &HashMap<i32, Vec<i32>>) -> Vec<i32> {
    let mut found = Vec::new();
    let mut open = vec![pid];
    while let Some(pid) = open.pop() {
        let next = children.get(&pid).map(Vec::as_slice).unwrap_or_default();
        found.extend(next);
        open.extend(next);
    }
    found
}

fn processes() -> HashMap<i32, Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    // One that ends while we look is not there any more.
    pids.filter_map(|pid| Some((pid, process(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?))).collect()
}

fn process(stat: &str) -> Option<Process> {
    // The command's name, in parentheses, may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // Counted from state, which is field 3 of the line: ppid is 4, utime to cstime are 14 to 17, rss is 24.
    let number = |field: usize| fields.get(field - 3)?.parse::<i64>().ok();
    let ticks = (14..=17).map(|field| number(field).map(|ticks| ticks.max(0).unsigned_abs())).sum::<Option<u64>>()?;
    Some(Process { parent: i32::try_from(number(4)?).ok()?, ticks, pages: number(24)?.max(0).unsigned_abs() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernels_is_read_past_any_name() {
        let line = "42 (a) b (c)) S 7 42 42 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 999 4096 55 18446744073709551615";
        let found = process(line).unwrap();
        assert_eq!((found.parent, found.ticks, found.pages), (7, 100, 55));
        assert!(process("42 (sh) S 7").is_none() && process("").is_none());
    }

    #[test]
    fn this_test_is_among_the_processes() {
        let me = std::process::id() as i32;
        let all = processes();
        assert!(all[&me].pages > 0);
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        all.iter().for_each(|(pid, process)| children.entry(process.parent).or_default().push(*pid));
        assert!(below(all[&me].parent, &children).contains(&me));
    }
}
