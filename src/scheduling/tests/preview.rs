//! What is said of a job that is not there is what the next pass does with it.

use super::*;
use crate::domain::outlook::{Candidate, Outlook};
use crate::scheduling::preview::{allowances, preview};

fn candidate(cpu: u32) -> Candidate {
    Candidate {
        user: "user9".parse().unwrap(),
        project: "default".parse().unwrap(),
        resources: resources(cpu, 1),
        labels: Vec::new(),
        executor: None,
        dependencies: Vec::new(),
        jobs: 1,
        throttle: None,
    }
}

/// After all that are in the queue.
fn later(nodes: &[(&str, Resources)]) -> View {
    View { now: Timestamp(100_000), ..view(nodes) }
}

fn foretold(queue: &mut Queue, view: &View, candidate: &Candidate) -> Outlook {
    preview(queue, view, &Fifo, candidate)
}

#[test]
fn what_fits_starts_at_once_and_leaves_no_trace() {
    let mut queue = queue_of([job(1, 1, 1), job(2, 2, 1)]);
    let view = later(&[("n1", resources(3, 8))]);
    let all = Outlook { starts: 1, reason: None, rejected: false, position: None, estimate_secs: None };
    assert_eq!(foretold(&mut queue, &view, &candidate(1)), all);
    assert_eq!((queue.len(), ordered(&queue, &view, &Fifo)), (2, vec![JobId(1), JobId(2)]));
    assert_eq!(started(&plan(&mut queue, &view, &Fifo)), [1, 2]);
}

#[test]
fn jobs_ahead_of_it_take_what_is_free() {
    let mut queue = queue_of((1..=5).map(|id| job(id, id, 1)));
    let mut view = later(&[("n1", resources(2, 8))]);
    view.recent_starts_per_sec = Some(0.5);
    let outlook = foretold(&mut queue, &view, &candidate(1));
    assert_eq!((outlook.starts, outlook.position, outlook.estimate_secs), (0, Some(4), Some(8)), "two of five start");
    assert_eq!(outlook.reason, Some(PendingReason::Capacity { needs: resources(1, 1) }));
}

#[test]
fn reasons_that_waiting_alone_does_not_change_have_no_place() {
    let mut queue = Queue::default();
    let mut view = later(&[("n1", resources(2, 8))]);
    let waits_for = vec![Dependency { job: JobId(7), on: DependencyOn::Ok }];
    let dependent = Candidate { dependencies: waits_for.clone(), ..candidate(1) };
    let outlook = foretold(&mut queue, &view, &dependent);
    assert_eq!((outlook.reason, outlook.position), (Some(PendingReason::Dependency { waits_for }), None));
    let quotas = Quotas { cpu: 4, ..Quotas::default() };
    let usage = Usage { cpu: 3.0, ..Usage::default() };
    view.users.insert("user9".parse().unwrap(), Account { quotas, usage, ..Account::default() });
    let outlook = foretold(&mut queue, &view, &candidate(2));
    let over = PendingReason::QuotaUser { quota: "cpu".into() };
    assert_eq!((outlook.reason, outlook.position, outlook.rejected), (Some(over.clone()), None, false));
    view.reject_over_quota = true;
    let outlook = foretold(&mut queue, &view, &candidate(2));
    assert_eq!((outlook.rejected, outlook.position), (true, None));
    view.reject_over_quota = false;
    assert_eq!(foretold(&mut queue, &view, &candidate(1)).starts, 1, "as much is left");
    let left = allowances(&view, &"user9".parse().unwrap(), &["default".parse().unwrap(), "p1".parse().unwrap()]);
    assert_eq!((left.user.used.cpu, left.user.quotas.cpu, left.projects.len()), (3.0, 4, 1));
    view.maintenance = true;
    assert_eq!(foretold(&mut queue, &view, &candidate(1)).reason, Some(PendingReason::Maintenance));
}

#[test]
fn of_an_array_as_many_start_as_there_is_room_for() {
    let mut queue = queue_of([job(1, 1, 1)]);
    let view = later(&[("n1", resources(8, 64))]);
    let of = |queue: &mut Queue, jobs, throttle| foretold(queue, &view, &Candidate { jobs, throttle, ..candidate(1) });
    assert_eq!(of(&mut queue, 20, None).starts, 7);
    assert_eq!(of(&mut queue, 20, None).position, Some(1), "the eighth is next");
    let throttled = of(&mut queue, 20, Some(3));
    assert_eq!((throttled.starts, throttled.reason), (3, Some(PendingReason::ArrayThrottle { limit: 3 })));
    assert_eq!(of(&mut queue, 100_000, None).starts, 7);
    assert_eq!(queue.len(), 1);
}

/// Whatever the queue holds, the pass after a submit does what was foretold of it.
#[test]
fn it_is_true() {
    for seed in 0..40 {
        let (mut queue, view) = synthetic(50 + seed * 7, 1 + seed % 5, 1 + seed % 3);
        for cpu in 1..=4 {
            let outlook = foretold(&mut queue, &view, &candidate(cpu));
            let mut submitted = job(1_000_000, 0, 0);
            submitted.user = "user9".parse().unwrap();
            submitted.project = "default".parse().unwrap();
            submitted.resources = resources(cpu, 1);
            submitted.submitted = view.now;
            queue.insert(submitted);
            let starts = started(&plan(&mut queue, &view, &Fifo)).contains(&1_000_000);
            assert_eq!(outlook.starts == 1, starts, "seed {seed}, {cpu} cores");
            if !starts {
                assert_eq!(outlook.reason, Some(why(&queue, &view, 1_000_000)), "seed {seed}, {cpu} cores");
            }
            queue.remove(JobId(1_000_000));
        }
    }
}
