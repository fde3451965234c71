//! `GET /metrics`: how the service is doing, for Prometheus. Counts of the machine's work alone: no id, no path with
//! values, no country, so that whoever watches the machines learns nothing of reports.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TEXT_FORMAT, TextEncoder,
};

use crate::auth::http::{Access, ReadMetrics};
use crate::auth::rates::RateLimits;
use crate::context::Context;
use crate::db::writer::WriteCounts;
use crate::error::{Error, Result};
use crate::http::frame;
use crate::http::query::Pairs;
use crate::notify::notices;
use crate::notify::webhooks::outbox;
use crate::review::duplicates::store as duplicates;

/// Begins every name.
const NAMESPACE: &str = "sentinelle";

/// Returns a registry for what counts itself while it works.
///
/// # Errors
/// When the prefix is no name.
pub fn registry() -> prometheus::Result<Registry> {
    Registry::new_custom(Some(NAMESPACE.to_owned()), None)
}

/// Read metrics
///
/// Requests by method, route pattern and class of status, their durations, panics, commits, what the limits refused, what was told
/// to others and what waits:
/// Prometheus text format 0.0.4. For coordinators, system administrators and auditors.
#[utoipa::path(
    get, path = "/metrics", tag = "operation", operation_id = "get_metrics",
    responses((status = 200, description = "The metrics", body = String, content_type = "text/plain"))
)]
pub async fn get_metrics(
    _: Access<ReadMetrics>,
    registry: Data<Registry>,
    limits: Data<RateLimits>,
    context: Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let mut families = registry.gather();
    families.extend(read_counts(&context.db.write_counts(), &limits).map_err(Error::internal)?);
    let waiting = context.db.read(|conn| {
        let told =
            [("webhook", outbox::count_waiting(conn)?), ("mail", notices::count_waiting(conn)?)];
        Ok((told, duplicates::count_behind(conn)?))
    });
    let (waiting, behind) = waiting.await?;
    let told = context.notifier.counts.all();
    families.extend(read_notifications(told, waiting).map_err(Error::internal)?);
    families.extend(read_duplicates(behind).map_err(Error::internal)?);
    let text = TextEncoder::new().encode_to_string(&families).map_err(Error::internal)?;
    Ok(HttpResponse::Ok().content_type(TEXT_FORMAT).body(text))
}

/// Returns what was told to others and what still waits, by way.
fn read_notifications(
    told: [(&str, &str, u64); 5],
    waiting: [(&str, i64); 2],
) -> prometheus::Result<Vec<MetricFamily>> {
    let help = "Tries to tell others of changes, by way and outcome";
    let opts = Opts::new("notifications_total", help).namespace(NAMESPACE);
    let tries = IntCounterVec::new(opts, &["way", "outcome"])?;
    for (way, outcome, count) in told {
        tries.get_metric_with_label_values(&[way, outcome])?.inc_by(count);
    }
    let help = "Events and mails that wait to be delivered";
    let opts = Opts::new("notifications_pending", help).namespace(NAMESPACE);
    let pending = IntGaugeVec::new(opts, &["way"])?;
    for (way, count) in waiting {
        pending.get_metric_with_label_values(&[way])?.set(count);
    }
    Ok([tries.collect(), pending.collect()].concat())
}

/// Returns how far the search for likely duplicates is behind.
fn read_duplicates(behind: i64) -> prometheus::Result<Vec<MetricFamily>> {
    let help = "Commits with changes in which likely duplicates were not looked for yet";
    let opts = Opts::new("duplicates_pending", help).namespace(NAMESPACE);
    let pending = IntGauge::with_opts(opts)?;
    pending.set(behind);
    Ok(pending.collect())
}

/// Returns what is counted elsewhere and only read here.
fn read_counts(writes: &WriteCounts, limits: &RateLimits) -> prometheus::Result<Vec<MetricFamily>> {
    let plain = [
        ("panics_total", "Requests that panicked, a defect each", frame::count_panics()),
        ("commits_total", "Write transactions made durable", writes.commits),
        ("commit_jobs_total", "Operations in those transactions", writes.jobs),
        ("queue_full_total", "Operations refused since the writer's queue was full", writes.full),
    ];
    let mut families = Vec::new();
    for (name, help, count) in plain {
        let counter = IntCounter::with_opts(Opts::new(name, help).namespace(NAMESPACE))?;
        counter.inc_by(count);
        families.extend(counter.collect());
    }
    let help = "Requests refused by the limit of a credential, an account, a device or the public";
    let opts = Opts::new("limited_total", help).namespace(NAMESPACE);
    let limited = IntCounterVec::new(opts, &["limit"])?;
    for (limit, count) in limits.refused() {
        limited.get_metric_with_label_values(&[limit])?.inc_by(count);
    }
    families.extend(limited.collect());
    Ok(families)
}
