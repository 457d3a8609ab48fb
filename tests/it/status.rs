//! What administrators see of the processes: status plugins, `go-d status`, the pages, the metrics.

mod plugins;
