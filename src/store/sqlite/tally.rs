//! How many jobs there are of each owner, project and phase.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::domain::Phase;
use crate::store::Result;

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sort {
    pub user: String,
    pub project: String,
    pub child: bool,
}

/// Differences gathered while a request runs, written once at its end.
#[derive(Default)]
pub struct Tally(HashMap<(Sort, i64), i64>);

impl Tally {
    pub fn came(&mut self, sort: Sort, phase: Phase, jobs: u32) {
        self.add(sort, phase as i64, i64::from(jobs));
    }

    pub fn moved(&mut self, sort: Sort, from: i64, to: Phase) {
        if from != to as i64 {
            self.add(sort.clone(), from, -1);
            self.add(sort, to as i64, 1);
        }
    }

    pub fn went(&mut self, sort: Sort, phase: i64, jobs: i64) {
        self.add(sort, phase, -jobs);
    }

    fn add(&mut self, sort: Sort, phase: i64, jobs: i64) {
        *self.0.entry((sort, phase)).or_default() += jobs;
    }

    pub fn write(self, connection: &Connection) -> Result<()> {
        let mut upsert = connection.prepare_cached(
            "INSERT INTO tallies (user, project, child, phase, jobs) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET jobs = jobs + excluded.jobs",
        )?;
        for ((sort, phase), jobs) in self.0.into_iter().filter(|(_, jobs)| *jobs != 0) {
            upsert.execute(params![sort.user, sort.project, sort.child, phase, jobs])?;
        }
        Ok(())
    }
}
