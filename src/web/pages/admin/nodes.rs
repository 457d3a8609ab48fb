//! The nodes: what they have, what our jobs hold of it, which get nothing new.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::NodeUse;
use crate::web::Site;
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::words::Words;

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
    state: String,
    tone: &'static str,
    loads: Vec<Load>,
    labels: Vec<String>,
}

/// How much of one thing is in use.
struct Load {
    what: String,
    /// With its node, for who hears it alone.
    label: String,
    used: f64,
    total: f64,
    text: String,
}

pub async fn get(site: web::Data<Site>, request: HttpRequest, Visitor(caller): Visitor) -> HttpResponse {
    let (nodes, away) = tokio::join!(site.queue.nodes(), site.queue.away());
    let is_away = |executor: &str| away.iter().any(|(name, _)| name == executor);
    let chrome = Chrome::new(&request, Some(&caller), "admin");
    let mut rows: Vec<Row> = nodes.iter().map(|seen| row(&chrome.words, seen, is_away(&seen.node.executor))).collect();
    rows.sort_by(|a, b| (&a.executor, &a.name).cmp(&(&b.executor, &b.name)));
    page(&NodesPage {
        chrome,
        here: "nodes",
        rows,
        away: away.into_iter().map(|(executor, message)| Away { executor, message }).collect(),
    })
}

fn row(words: &Words, seen: &NodeUse, away: bool) -> Row {
    let NodeUse { node, used } = seen;
    let (state, tone) = match (away, node.drained) {
        (true, _) => ("admin-node-away", "bad"),
        (false, true) => ("admin-node-drained", "wait"),
        (false, false) => ("admin-node-ready", "good"),
    };
    let load = |what: &str, text: &'static str, used: f64, total: f64| Load {
        what: words.t(what),
        label: words.with("admin-load-of").set("what", words.t(what)).set("node", &node.name).to_string(),
        used,
        total,
        text: words.with(text).set("used", words.number(used, 1)).set("total", words.number(total, 1)).to_string(),
    };
    let mut loads = vec![
        load("admin-cpu", "admin-cores-of", used.cpu.as_f64(), node.total.cpu.as_f64()),
        load("admin-memory", "admin-gb-of", used.ram.as_gb(), node.total.ram.as_gb()),
    ];
    if node.total.gpus > 0 {
        loads.push(load("admin-gpu", "admin-gpus-of", f64::from(used.gpus), f64::from(node.total.gpus)));
    }
    Row {
        name: node.name.clone(),
        executor: node.executor.clone(),
        state: words.t(state),
        tone,
        loads,
        labels: node.labels.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cores, Memory, Node, Resources};
    use crate::web::words::Language;

    #[test]
    fn what_gets_nothing_new_is_marked() {
        let total = Resources { cpu: Cores::whole(8), ram: Memory::gb(32), gpus: 2 };
        let used = Resources { cpu: Cores::from_number(2.3).unwrap(), ram: Memory::gb(4), gpus: 1 };
        let node = Node {
            name: "n1".into(),
            executor: "swarm".into(),
            total,
            others: Resources::default(),
            labels: Vec::new(),
            drained: true,
        };
        let seen = NodeUse { node, used };
        let words = Words::new(Language::English, None);
        assert_eq!((row(&words, &seen, false).tone, row(&words, &seen, true).tone), ("wait", "bad"));
        let texts: Vec<_> = row(&words, &seen, false).loads.into_iter().map(|load| load.text).collect();
        assert_eq!(texts, ["2.3 of 8 cores", "4 of 32 GB", "1 of 2 GPUs"]);
    }
}
