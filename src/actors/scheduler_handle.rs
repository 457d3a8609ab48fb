//! How pages and API ask the scheduler, wherever it is.

use std::sync::Arc;

use async_trait::async_trait;

use crate::bus::{Answer, Bus, Question};
use crate::domain::outlook::{Allowances, Candidate, Outlook};
use crate::domain::{JobId, NodeUse, ProjectId, ReasonCount, UserId, WaitingJob};
use crate::plugins::executor::Capabilities;

pub struct SchedulerHandle {
    bus: Arc<dyn Bus>,
    executors: Vec<(String, Capabilities)>,
}

impl SchedulerHandle {
    pub fn new(bus: Arc<dyn Bus>, executors: Vec<(String, Capabilities)>) -> Arc<Self> {
        Arc::new(SchedulerHandle { bus, executors })
    }
}

#[async_trait]
impl crate::web::Queue for SchedulerHandle {
    async fn explain(&self, ids: &[JobId]) -> Vec<WaitingJob> {
        if ids.is_empty() {
            return Vec::new();
        }
        match self.bus.ask(Question::Explain { ids: ids.to_vec() }).await {
            Some(Answer::Waiting(jobs)) => jobs,
            _ => Vec::new(),
        }
    }

    async fn nodes(&self) -> Vec<NodeUse> {
        match self.bus.ask(Question::Nodes).await {
            Some(Answer::Nodes(nodes)) => nodes,
            _ => Vec::new(),
        }
    }

    async fn away(&self) -> Vec<(String, String)> {
        match self.bus.ask(Question::Away).await {
            Some(Answer::Away(executors)) => {
                executors.into_iter().filter_map(|(executor, away)| Some((executor, away?))).collect()
            }
            _ => Vec::new(),
        }
    }

    async fn outlook(&self, of: Candidate) -> Option<Outlook> {
        match self.bus.ask(Question::Outlook { of: Box::new(of) }).await {
            Some(Answer::Outlook(outlook)) => Some(outlook),
            _ => None,
        }
    }

    async fn allowances(&self, user: &UserId, projects: &[ProjectId]) -> Option<Allowances> {
        match self.bus.ask(Question::Allowances { user: user.clone(), projects: projects.to_vec() }).await {
            Some(Answer::Allowances(allowances)) => Some(allowances),
            _ => None,
        }
    }

    async fn reasons(&self) -> Option<Vec<ReasonCount>> {
        match self.bus.ask(Question::Reasons).await {
            Some(Answer::Reasons(reasons)) => Some(reasons),
            _ => None,
        }
    }

    fn executors(&self) -> Vec<(String, Capabilities)> {
        self.executors.clone()
    }
}
