//! Room on nodes: who fits where, and what is kept for whom.

use super::plan::{NodeView, View};
use super::queue::ClassKey;
use crate::domain::{JobId, PendingReason, Resources};

/// The nodes of one pass, with what is free as the plan fills them.
pub struct Room<'a> {
    nodes: Vec<(&'a NodeView, Resources)>,
    /// They get nothing; they only explain why nothing goes.
    drained: Vec<&'a NodeView>,
    kept: Option<Kept>,
}

/// Room kept on a node for a job that has waited too long for it.
struct Kept {
    job: JobId,
    node: usize,
    resources: Resources,
}

impl<'a> Room<'a> {
    pub fn new(view: &'a View) -> Self {
        let here = view.nodes.iter().filter(|node| !view.away.contains_key(&node.executor));
        let (drained, usable): (Vec<_>, Vec<_>) = here.partition(|node| node.drained);
        Room { nodes: usable.into_iter().map(|node| (node, node.free)).collect(), drained, kept: None }
    }

    /// The node that a job of this class goes to: the one it fills best. A node that failed under it is taken only when
    /// nothing else could ever run it.
    pub(super) fn find(&self, class: &ClassKey, view: &View) -> Result<usize, PendingReason> {
        let executor = class.executor.as_deref().unwrap_or(&view.default_executor);
        if let Some(message) = view.away.get(executor) {
            return Err(PendingReason::ExecutorAway { executor: executor.to_owned(), message: message.clone() });
        }
        let suitable = self.suitable(class, executor);
        let drained = self.drained.iter().filter(|node| could_run(node, class, executor)).map(|node| node.name.clone());
        if suitable.is_empty()
            && let nodes = drained.collect::<Vec<_>>()
            && !nodes.is_empty()
        {
            return Err(PendingReason::Drained { nodes });
        }
        if suitable.is_empty() && !class.labels.is_empty() {
            return Err(PendingReason::Labels { labels: class.labels.iter().map(ToString::to_string).collect() });
        }
        let fits = |room: &dyn Fn(usize) -> Resources| {
            suitable
                .iter()
                .copied()
                .filter(|index| class.resources.fits_in(&room(*index)))
                .min_by_key(|index| (self.nodes[*index].1.cpu, &self.nodes[*index].0.name))
        };
        if let Some(index) = fits(&|index| self.left_for_others(index)) {
            return Ok(index);
        }
        match (&self.kept, fits(&|index| self.nodes[index].1)) {
            (Some(kept), Some(_)) => Err(PendingReason::HeldFor { job: kept.job }),
            _ => Err(PendingReason::Capacity { needs: class.resources }),
        }
    }

    fn suitable(&self, class: &ClassKey, executor: &str) -> Vec<usize> {
        let numbered = self.nodes.iter().enumerate();
        let all: Vec<_> =
            numbered.filter(|(_, (node, _))| could_run(node, class, executor)).map(|(index, _)| index).collect();
        let unfailed: Vec<_> =
            all.iter().copied().filter(|index| !class.failed_nodes.contains(&self.nodes[*index].0.name)).collect();
        if unfailed.is_empty() { all } else { unfailed }
    }

    fn left_for_others(&self, index: usize) -> Resources {
        let free = self.nodes[index].1;
        match &self.kept {
            Some(kept) if kept.node == index => free.minus(kept.resources),
            _ => free,
        }
    }

    pub fn take(&mut self, index: usize, resources: &Resources) -> &'a NodeView {
        let (node, free) = &mut self.nodes[index];
        *free = free.minus(*resources);
        node
    }

    /// Keeps room for a job on the node where it can fit soonest: the one with the most free. False if no node could
    /// ever take it.
    pub(super) fn keep_for(&mut self, job: JobId, class: &ClassKey, view: &View) -> bool {
        let executor = class.executor.as_deref().unwrap_or(&view.default_executor);
        let soonest = self
            .suitable(class, executor)
            .into_iter()
            .max_by_key(|index| (self.nodes[*index].1.cpu, self.nodes[*index].1.ram, std::cmp::Reverse(*index)));
        self.kept = soonest.map(|node| Kept { job, node, resources: class.resources });
        self.kept.is_some()
    }
}

/// If it were empty.
fn could_run(node: &NodeView, class: &ClassKey, executor: &str) -> bool {
    node.executor == executor
        && class.labels.iter().all(|label| node.labels.contains(label))
        && class.resources.fits_in(&node.total)
}
