//! Whole passes, and what must hold for every one of them.

mod preview;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use proptest::prelude::*;

use super::explain::{explain, reasons};
use super::plan::{Account, Membership, Plan, View, ordered, plan};
use super::policy::{FairShare, Fifo, Policy, policy};
use super::queue::{DependencyState, PendingJob, Queue};
use super::synthetic::{job, resources, synthetic, view};
use crate::config::FairShareWeights;
use crate::domain::usage::Usage;
use crate::domain::{
    Dependency, DependencyOn, Ending, JobId, Label, PendingReason, Quotas, Rejection, Resources, Timestamp,
};

fn queue_of(jobs: impl IntoIterator<Item = PendingJob>) -> Queue {
    let mut queue = Queue::default();
    jobs.into_iter().for_each(|job| queue.insert(job));
    queue
}

fn started(plan: &Plan) -> Vec<u64> {
    plan.starts.iter().map(|start| start.job.0).collect()
}

fn why(queue: &Queue, view: &View, id: u64) -> PendingReason {
    explain(queue, view, &Fifo, &[JobId(id)]).remove(0).reason
}

#[test]
fn fifo_starts_the_oldest_that_fit() {
    let mut queue = queue_of([job(1, 1, 1), job(2, 2, 1), job(3, 1, 1)]);
    let view = view(&[("n1", resources(2, 8))]);
    assert_eq!(started(&plan(&mut queue, &view, &Fifo)), [1, 2]);
    assert_eq!(why(&queue, &view, 3), PendingReason::Capacity { needs: resources(1, 1) });
}

#[test]
fn reasons_are_counted_over_all_that_wait() {
    let waits_for_a_job =
        PendingJob { dependencies: vec![Dependency { job: JobId(77), on: DependencyOn::Ok }], ..job(9, 1, 1) };
    let mut queue = queue_of([job(1, 2, 1), job(2, 2, 1), job(3, 2, 1), job(4, 4, 1), waits_for_a_job]);
    let view = view(&[("n1", resources(2, 8))]);
    for start in plan(&mut queue, &view, &Fifo).starts {
        queue.remove(start.job);
    }
    let counts = reasons(&queue, &view);
    let jobs: Vec<_> = counts.iter().map(|count| count.jobs).collect();
    assert_eq!(jobs.iter().sum::<u64>(), queue.len() as u64, "{counts:?}");
    assert!(jobs.is_sorted_by(|one, other| one >= other));
    let dependency = counts.iter().find(|count| matches!(count.reason, PendingReason::Dependency { .. }));
    assert_eq!(dependency.unwrap().jobs, 1);
}

#[test]
fn a_job_that_does_not_fit_does_not_block_those_behind_it() {
    let mut big = job(1, 1, 1);
    big.resources = resources(4, 1);
    let mut queue = queue_of([big, job(2, 1, 1)]);
    let mut view = view(&[("n1", resources(4, 8))]);
    view.nodes[0].free = resources(2, 8);
    assert_eq!(started(&plan(&mut queue, &view, &Fifo)), [2]);
}

#[test]
fn room_is_kept_for_a_big_job_that_waited_too_long() {
    let mut big = job(1, 1, 1);
    big.resources = resources(4, 1);
    let mut queue = queue_of([big, job(2, 1, 1)]);
    let mut view = view(&[("n1", resources(4, 8))]);
    view.nodes[0].free = resources(2, 8);
    view.now = Timestamp(1000).plus(Duration::from_secs(601));
    assert_eq!(started(&plan(&mut queue, &view, &Fifo)), [0_u64; 0]);
    assert_eq!(why(&queue, &view, 2), PendingReason::HeldFor { job: JobId(1) });
    view.nodes[0].free = resources(4, 8);
    assert_eq!(started(&plan(&mut queue, &view, &Fifo)), [1], "it goes first, whatever the policy says");
}

#[test]
fn small_jobs_without_end_do_not_starve_a_big_one() {
    let weights = FairShareWeights::default();
    let mut view = view(&[("n1", resources(4, 16))]);
    // The big job's user has used the most, so that fair share would always take someone else.
    view.users.insert(
        "user0".parse().unwrap(),
        Account { usage: Usage { cpu: 1e6, ram: 1e6, time: 1e6, ..Usage::default() }, ..Account::default() },
    );
    let mut big = job(1, 0, 1);
    big.resources = resources(4, 1);
    let mut queue = queue_of([big]);
    let mut ends: Vec<(i64, u64)> = Vec::new();
    let mut next = 2;
    for now in 1..3000_i64 {
        view.now = Timestamp(now * 1000);
        ends.retain(|(end, _)| {
            if *end == now {
                view.nodes[0].free = view.nodes[0].free.plus(resources(1, 1));
            }
            *end > now
        });
        while queue.len() < 8 {
            let mut small = job(next, 1, 1);
            small.submitted = view.now;
            queue.insert(small);
            next += 1;
        }
        for start in plan(&mut queue, &view, &FairShare { weights }).starts {
            let taken = queue.remove(start.job).unwrap();
            view.nodes[0].free = view.nodes[0].free.minus(taken.resources);
            if start.job == JobId(1) {
                assert!(now >= 600, "it waited its time");
                return;
            }
            ends.push((now + 3 + (start.job.0 % 5) as i64, start.job.0));
        }
    }
    panic!("the big job never started");
}

#[test]
fn a_dependency_is_met_only_by_the_ending_asked_for() {
    let on = |id: u64, on| {
        let mut waiting = job(id, 1, 1);
        waiting.dependencies = vec![Dependency { job: JobId(1), on }];
        waiting
    };
    let view = view(&[("n1", resources(8, 8))]);
    let jobs = || [on(2, DependencyOn::Ok), on(3, DependencyOn::Failed), on(4, DependencyOn::Any)];
    for (ending, starts, rejected) in
        [(Ending::Done, vec![2, 4], 3), (Ending::Failed, vec![3, 4], 2), (Ending::Killed, vec![3, 4], 2)]
    {
        let mut queue = queue_of(jobs());
        assert_eq!(queue.unresolved_dependencies(), [JobId(1)]);
        queue.dependency_known(JobId(1), DependencyState::Active);
        assert!(plan(&mut queue, &view, &Fifo).starts.is_empty());
        assert!(matches!(why(&queue, &view, 2), PendingReason::Dependency { .. }));
        queue.dependency_known(JobId(1), DependencyState::Ended(ending));
        let plan = plan(&mut queue, &view, &Fifo);
        assert_eq!(started(&plan), starts, "{ending:?}");
        assert_eq!(plan.rejects[0].job, JobId(rejected));
        assert_eq!(plan.rejects[0].rejection, Rejection::Dependency);
    }
}

#[test]
fn quotas_throttles_labels_drains_and_maintenance_each_say_why() {
    let mut view = view(&[("n1", resources(8, 80)), ("n2", resources(8, 80))]);
    view.nodes[1].drained = true;
    let quotas = Quotas { cpu: 10, ..Quotas::default() };
    let usage = Usage { cpu: 9.5, ..Usage::default() };
    view.users.insert("user1".parse().unwrap(), Account { quotas, usage, ..Account::default() });
    view.projects.insert("project2".parse().unwrap(), Account { quotas, usage, ..Account::default() });
    let mut child = job(3, 3, 3);
    (child.parent, child.throttle) = (Some(JobId(100)), Some(1));
    let mut second = child.clone();
    second.id = JobId(4);
    let mut labelled = job(5, 3, 3);
    labelled.labels = vec![Label { name: "storage".into(), value: "ssd".into() }];
    let mut queue = queue_of([job(1, 1, 1), job(2, 2, 2), child, second, labelled]);
    assert_eq!(started(&plan(&mut queue, &view, &Fifo)), [3]);
    assert_eq!(why(&queue, &view, 1), PendingReason::QuotaUser { quota: "cpu".into() });
    assert_eq!(why(&queue, &view, 2), PendingReason::QuotaProject { quota: "cpu".into() });
    assert_eq!(why(&queue, &view, 4), PendingReason::ArrayThrottle { limit: 1 });
    assert_eq!(why(&queue, &view, 5), PendingReason::Labels { labels: vec!["storage==ssd".into()] });
    view.maintenance = true;
    assert!(plan(&mut queue, &view, &Fifo).starts.is_empty());
    assert_eq!(why(&queue, &view, 3), PendingReason::Maintenance);
}

#[test]
fn a_drained_node_gets_nothing_and_is_said_to_be_why() {
    let mut view = view(&[("n1", resources(2, 8)), ("n2", resources(8, 8))]);
    view.nodes[1].drained = true;
    let mut big = job(2, 2, 2);
    big.resources = resources(4, 4);
    let mut queue = queue_of([job(1, 1, 1), big]);
    assert_eq!(started(&plan(&mut queue, &view, &Fifo)), [1], "the other node goes on");
    assert_eq!(why(&queue, &view, 2), PendingReason::Drained { nodes: vec!["n2".into()] });
    view.nodes[1].drained = false;
    assert_eq!(started(&plan(&mut queue, &view, &Fifo)), [1, 2]);
}

#[test]
fn an_executor_that_is_away_starts_nothing_and_fails_nothing() {
    let mut queue = queue_of([job(1, 1, 1)]);
    let mut view = view(&[("n1", resources(8, 8))]);
    view.away.insert("native".into(), "connection refused".into());
    assert_eq!(plan(&mut queue, &view, &Fifo), Plan::default());
    assert!(matches!(why(&queue, &view, 1), PendingReason::ExecutorAway { .. }));
}

#[test]
fn a_failed_node_is_avoided_while_another_could_run_the_job() {
    let mut again = job(1, 1, 1);
    again.failed_nodes = vec!["n1".into()];
    let mut queue = queue_of([again]);
    let two = view(&[("n1", resources(1, 8)), ("n2", resources(8, 8))]);
    assert_eq!(plan(&mut queue, &two, &Fifo).starts[0].node, "n2");
    let one = view(&[("n1", resources(1, 8))]);
    assert_eq!(plan(&mut queue, &one, &Fifo).starts[0].node, "n1");
}

#[test]
fn a_start_forgets_no_failure_of_the_same_node() {
    let mut again = job(1, 1, 1);
    again.failed_nodes = vec!["n1".into(), "n1".into()];
    let mut queue = queue_of([again]);
    let plan = plan(&mut queue, &view(&[("n1", resources(1, 8))]), &Fifo);
    assert_eq!(plan.starts[0].failed_nodes, ["n1", "n1"], "retries are counted by it");
}

#[test]
fn fair_share_prefers_who_has_used_less() {
    let mut view = view(&[("n1", resources(1, 8))]);
    let used = |time| Account { usage: Usage { time, ..Usage::default() }, ..Account::default() };
    view.users.insert("user1".parse().unwrap(), used(5000.0));
    view.users.insert("user2".parse().unwrap(), used(10.0));
    view.now = Timestamp(10_000);
    let mut queue = queue_of([job(1, 1, 1), job(2, 2, 1)]);
    let policy = policy("FairShare", FairShareWeights::default()).unwrap();
    assert_eq!(started(&plan(&mut queue, &view, policy.as_ref())), [2]);
}

/// A job with an id and a date that grows with it, of few users and sizes.
fn any_jobs() -> impl Strategy<Value = Vec<PendingJob>> {
    let one = (0..4_u64, 0..3_u64, 1..5_u32, 0..5_000_i64, prop::option::of(1..3_u32));
    prop::collection::vec(one, 0..60).prop_map(|jobs| {
        let mut date = 0;
        (1..)
            .zip(jobs)
            .map(|(id, (user, project, cpu, step, throttle))| {
                date += step;
                let mut job = job(id, user, project);
                job.resources = resources(cpu, 1);
                job.submitted = Timestamp(date);
                (job.parent, job.throttle) = (throttle.map(|_| JobId(1000 + user)), throttle);
                job
            })
            .collect()
    })
}

#[test]
fn cards_and_disk_have_quotas_too() {
    let mut view = view(&[("n1", Resources { gpus: 8, ..resources(8, 80) })]);
    let quotas = Quotas { gpu: 2, ..Quotas::default() };
    let usage = Usage { gpu: 2.0, ..Usage::default() };
    view.users.insert("user1".parse().unwrap(), Account { quotas, usage, ..Account::default() });
    let quotas = Quotas { disk: Some(100), ..Quotas::default() };
    view.users.insert("user2".parse().unwrap(), Account { quotas, disk: 100, ..Account::default() });
    view.users.insert("user3".parse().unwrap(), Account { disabled: true, ..Account::default() });
    let mut with_card = job(1, 1, 1);
    with_card.resources.gpus = 1;
    let mut queue = queue_of([with_card, job(2, 1, 1), job(3, 2, 2), job(4, 3, 3)]);
    assert_eq!(started(&plan(&mut queue, &view, &Fifo)), [2], "a job without a card needs no card of the quota");
    assert_eq!(why(&queue, &view, 1), PendingReason::QuotaUser { quota: "gpu".into() });
    assert_eq!(why(&queue, &view, 3), PendingReason::QuotaUser { quota: "disk".into() });
    assert_eq!(why(&queue, &view, 4), PendingReason::AccountDisabled);
}

#[test]
fn who_is_not_in_the_project_starts_nothing_in_it() {
    let mut view = view(&[("n1", resources(8, 80))]);
    let members = HashSet::from(["user1".parse().unwrap()]);
    view.membership = Membership::Known(HashMap::from([("project1".parse().unwrap(), members)]));
    let mut queue = queue_of([job(1, 1, 1), job(2, 2, 1), job(3, 1, 2)]);
    assert_eq!(started(&plan(&mut queue, &view, &Fifo)), [1]);
    for (id, project) in [(2, "project1"), (3, "project2")] {
        assert_eq!(why(&queue, &view, id), PendingReason::NotMember { project: project.parse().unwrap() });
    }
}

#[test]
fn a_whole_class_beyond_a_quota_is_rejected_where_the_site_rejects() {
    let mut view = view(&[("n1", resources(8, 80))]);
    view.reject_over_quota = true;
    let quotas = Quotas { cpu: 2, ..Quotas::default() };
    view.users.insert("user1".parse().unwrap(), Account { quotas, ..Account::default() });
    let mut queue = queue_of((1..=5).map(|id| job(id, 1, 1)).chain([job(6, 2, 2)]));
    let plan = plan(&mut queue, &view, &Fifo);
    assert_eq!(started(&plan), [1, 2, 6]);
    let rejected: Vec<_> = plan.rejects.iter().map(|reject| (reject.job.0, reject.rejection)).collect();
    assert_eq!(rejected, [3, 4, 5].map(|id| (id, Rejection::Quota)));
}

fn any_policy() -> impl Strategy<Value = Box<dyn Policy>> {
    prop_oneof![
        Just(()).prop_map(|()| Box::new(Fifo) as Box<dyn Policy>),
        Just(()).prop_map(|()| Box::new(FairShare { weights: FairShareWeights::default() }) as Box<dyn Policy>),
    ]
}

fn with_usage(mut view: View) -> View {
    for user in 0..4 {
        let usage = Usage { cpu: f64::from(user * 3), ram: 2.0, time: f64::from(user * 100), ..Usage::default() };
        let quotas = Quotas { cpu: 15, ..Quotas::default() };
        view.users.insert(format!("user{user}").parse().unwrap(), Account { usage, quotas, ..Account::default() });
    }
    view
}

proptest! {
    #[test]
    fn an_order_is_a_permutation_sorted_by_share_and_id(jobs in any_jobs(), policy in any_policy()) {
        let queue = queue_of(jobs.clone());
        let mut view = with_usage(view(&[("n1", resources(8, 64))]));
        view.now = Timestamp(1_000_000);
        let order = ordered(&queue, &view, policy.as_ref());
        let scale = super::plan::scale(&queue, &view, policy.as_ref());
        let mut naive: Vec<_> = jobs
            .iter()
            .map(|job| {
                let class = &queue.classes[queue.ready[&job.id] as usize];
                (scale.share(class.key.pair, job.submitted), job.id)
            })
            .collect();
        naive.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        prop_assert_eq!(order, naive.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
    }

    #[test]
    fn a_plan_goes_beyond_nothing(jobs in any_jobs(), policy in any_policy(), waited in 0..2_000_000_i64) {
        let mut queue = queue_of(jobs.clone());
        let mut view = with_usage(view(&[("n1", resources(8, 64)), ("n2", resources(3, 64))]));
        view.now = Timestamp(waited);
        let plan = plan(&mut queue, &view, policy.as_ref());
        let by_id: HashMap<_, _> = jobs.iter().map(|job| (job.id, job)).collect();
        let mut seen = HashSet::new();
        let mut on_node: HashMap<&str, Resources> = HashMap::new();
        let mut of_user: HashMap<_, f64> = HashMap::new();
        let mut of_array: HashMap<_, u32> = HashMap::new();
        for start in &plan.starts {
            let job = by_id[&start.job];
            prop_assert!(seen.insert(start.job), "started twice");
            let used = on_node.entry(&start.node).or_default();
            *used = used.plus(job.resources);
            *of_user.entry(job.user.clone()).or_default() += job.resources.cpu.as_f64();
            if let (Some(parent), Some(limit)) = (job.parent, job.throttle) {
                let running = of_array.entry((parent, limit)).or_default();
                *running += 1;
                prop_assert!(*running <= limit);
            }
        }
        for node in &view.nodes {
            prop_assert!(on_node.get(node.name.as_str()).copied().unwrap_or_default().fits_in(&node.total));
        }
        for (user, cpu) in of_user {
            prop_assert!(view.users[&user].usage.cpu + cpu <= 15.0);
        }
    }

    #[test]
    fn inserting_and_removing_leaves_what_is_left(jobs in any_jobs(), removed in prop::collection::vec(1..60_u64, 0..60)) {
        let mut queue = queue_of(jobs.clone());
        let mut left: HashSet<_> = jobs.iter().map(|job| job.id).collect();
        for id in removed {
            prop_assert_eq!(queue.remove(JobId(id)).is_some(), left.remove(&JobId(id)));
        }
        prop_assert_eq!(queue.len(), left.len());
        let view = view(&[("n1", resources(8, 64))]);
        prop_assert_eq!(ordered(&queue, &view, &Fifo).into_iter().collect::<HashSet<_>>(), left);
    }
}

#[test]
fn a_pass_over_many_pending_starts_what_fits() {
    let (mut queue, view) = synthetic(20_000, 20, 5);
    let plan = plan(&mut queue, &view, &FairShare { weights: FairShareWeights::default() });
    let cores: u32 = plan.starts.iter().map(|start| 1 << (start.job.0 % 4)).sum();
    assert_eq!(cores, 64, "the node is full");
}
