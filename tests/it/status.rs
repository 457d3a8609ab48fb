//! What administrators see of the processes: status plugins, `go-d status`, the pages, the metrics.

mod cluster;
mod command;
mod metrics;
mod pages;
mod plugins;
