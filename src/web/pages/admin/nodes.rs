//! The nodes: what they have, what our jobs hold of it, which get nothing new.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::NodeUse;
use crate::web::Site;
use crate::web::pages::chrome::{Chrome, Visitor, page};

#[derive(Template)]
#[template(path = "admin_nodes.html")]
struct NodesPage {
    chrome: Chrome,
    here: &'static str,
    away: Vec<Away>,
    rows: Vec<Row>,
}

struct Away {
    executor: String,
    message: String,
}

struct Row {
    name: String,
    executor: String,
    state: &'static str,
    tone: &'static str,
    loads: Vec<Load>,
    labels: Vec<String>,
}

/// How much of one thing is in use.
struct Load {
    what: &'static str,
    used: f64,
    total: f64,
    text: String,
}

pub async fn get(site: web::Data<Site>, request: HttpRequest, Visitor(caller): Visitor) -> HttpResponse {
    let (nodes, away) = tokio::join!(site.queue.nodes(), site.queue.away());
    let is_away = |executor: &str| away.iter().any(|(name, _)| name == executor);
    let mut rows: Vec<Row> = nodes.iter().map(|seen| row(seen, is_away(&seen.node.executor))).collect();
    rows.sort_by(|a, b| (&a.executor, &a.name).cmp(&(&b.executor, &b.name)));
    page(&NodesPage {
        chrome: Chrome::new(&request, Some(&caller), "admin"),
        here: "nodes",
        rows,
        away: away.into_iter().map(|(executor, message)| Away { executor, message }).collect(),
    })
}

fn row(seen: &NodeUse, away: bool) -> Row {
    let NodeUse { node, used } = seen;
    let (state, tone) = match (away, node.drained) {
        (true, _) => ("away", "bad"),
        (false, true) => ("drained", "wait"),
        (false, false) => ("ready", "good"),
    };
    let load = |what, used: f64, total: f64, unit: &str| Load {
        what,
        used,
        total,
        text: format!("{} of {} {unit}", short(used), short(total)),
    };
    let mut loads = vec![
        load("CPU", used.cpu.as_f64(), node.total.cpu.as_f64(), "cores"),
        load("Memory", used.ram.as_gb(), node.total.ram.as_gb(), "GB"),
    ];
    if node.total.gpus > 0 {
        loads.push(load("GPU", f64::from(used.gpus), f64::from(node.total.gpus), "cards"));
    }
    Row {
        name: node.name.clone(),
        executor: node.executor.clone(),
        state,
        tone,
        loads,
        labels: node.labels.iter().map(ToString::to_string).collect(),
    }
}

/// With one digit behind the point, where it is not 0.
fn short(value: f64) -> String {
    let tenths = (value * 10.0).round() / 10.0;
    tenths.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cores, Memory, Node, Resources};

    #[test]
    fn what_gets_nothing_new_is_marked() {
        let total = Resources { cpu: Cores::whole(8), ram: Memory::gb(32), gpus: 2 };
        let used = Resources { cpu: Cores::from_number(2.25).unwrap(), ram: Memory::gb(4), gpus: 1 };
        let node = Node {
            name: "n1".into(),
            executor: "swarm".into(),
            total,
            others: Resources::default(),
            labels: Vec::new(),
            drained: true,
        };
        let seen = NodeUse { node, used };
        assert_eq!((row(&seen, false).state, row(&seen, true).state), ("drained", "away"));
        let texts: Vec<_> = row(&seen, false).loads.into_iter().map(|load| load.text).collect();
        assert_eq!(texts, ["2.3 of 8 cores", "4 of 32 GB", "1 of 2 cards"]);
    }
}
