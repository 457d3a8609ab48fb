//! What is read of a process: its metrics as Prometheus' text, and whether it is ready.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actix_web::{HttpResponse, web};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::site::{Sample, SiteGauges, write};
use crate::bus::Bus;
use crate::domain::ProcessStatus;
use crate::measures::{self, BUILD_INFO, Kind, METRICS, START_TIME};
use crate::store::Store;

/// How long database and bus may take to answer one who asks whether we are ready.
const READY_WITHIN: Duration = Duration::from_secs(2);
/// What was recorded waits in memory until it is read; without a reader, this often it is put in its buckets.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

pub struct Exposition {
    recorded: Option<PrometheusHandle>,
    site: SiteGauges,
    status: ProcessStatus,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
}

/// One recorder a process; `None` when another library has installed its own.
static RECORDER: LazyLock<Option<PrometheusHandle>> = LazyLock::new(|| {
    let mut builder = PrometheusBuilder::new();
    for metric in METRICS {
        if let Kind::Histogram(buckets) = metric.kind {
            let of_it = Matcher::Full(metric.name.to_owned());
            builder = builder.set_buckets_for_metric(of_it, buckets).expect("the table's buckets are not empty");
        }
    }
    let handle = builder.install_recorder().ok()?;
    for metric in METRICS {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.help),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            Kind::Histogram(_) => metrics::describe_histogram!(metric.name, metric.help),
        }
    }
    measures::begin();
    Some(handle)
});

impl Exposition {
    /// Begins to record.
    pub fn begin(status: ProcessStatus, store: Arc<dyn Store>, bus: Arc<dyn Bus>) -> Self {
        let recorded = RECORDER.clone();
        if let Some(handle) = recorded.clone() {
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(UPKEEP_EVERY).await;
                    handle.run_upkeep();
                }
            });
        }
        let site = SiteGauges::new(store.clone(), bus.clone());
        Exposition { recorded, site, status, store, bus }
    }

    /// All metrics, as Prometheus' text format has them.
    pub async fn text(&self) -> String {
        let mut text = self.recorded.as_ref().map(PrometheusHandle::render).unwrap_or_default();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&self.site.text().await);
        let labels = vec![("version", self.status.version.clone()), ("role", self.status.role.as_str().to_owned())];
        write(&mut text, BUILD_INFO, &[Sample { labels, value: 1.0 }]);
        write(&mut text, START_TIME, &[Sample { labels: Vec::new(), value: self.status.started.as_secs_f64() }]);
        text
    }

    /// What this process needs and does not have now, as sentences.
    pub async fn missing(&self) -> Vec<&'static str> {
        let (store, bus) = tokio::join!(
            in_time(async { self.store.setting("instance_id").await.is_ok() }),
            in_time(async { !self.bus.depths().await.is_empty() }),
        );
        let answers = [(store, "the database does not answer"), (bus, "Redis does not answer")];
        answers.into_iter().filter_map(|(answers, sentence)| (!answers).then_some(sentence)).collect()
    }
}

async fn in_time(answers: impl Future<Output = bool>) -> bool {
    tokio::time::timeout(READY_WITHIN, answers).await.unwrap_or(false)
}

/// `/metrics`. Who may read it has been decided before.
pub async fn metrics(exposition: web::Data<Exposition>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(exposition.text().await)
}

/// `/healthz`: whoever answers lives.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().body("it lives\n")
}

/// `/readyz`.
pub async fn readyz(exposition: web::Data<Exposition>) -> HttpResponse {
    let missing = exposition.missing().await;
    if missing.is_empty() {
        return HttpResponse::Ok().body("it is ready\n");
    }
    HttpResponse::ServiceUnavailable().body(missing.join("\n") + "\n")
}
