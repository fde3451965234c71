//! Counts what passes the frame by method, route pattern and class of status: never by path, caller or content.

use std::time::Duration;

use actix_web::http::StatusCode;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

/// Upper bounds in seconds: a look-up takes a millisecond, an import minutes.
const BOUNDS_S: [f64; 11] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0, 300.0];

/// The counts of a server; cheap to clone.
#[derive(Debug, Clone)]
pub struct RequestCounts {
    answers: IntCounterVec,
    durations: HistogramVec,
}

impl RequestCounts {
    /// Returns counts at zero, which `registry` shows.
    ///
    /// # Errors
    /// When the registry has counts of these names.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let answers = Opts::new(
            "http_requests_total",
            "Answered requests by method, route pattern and class of status",
        );
        let durations = HistogramOpts::new(
            "http_request_seconds",
            "Time from the head of a request to the head of its answer",
        );
        let counts = Self {
            answers: IntCounterVec::new(answers, &["method", "route", "status"])?,
            durations: HistogramVec::new(
                durations.buckets(BOUNDS_S.to_vec()),
                &["method", "route"],
            )?,
        };
        registry.register(Box::new(counts.answers.clone()))?;
        registry.register(Box::new(counts.durations.clone()))?;
        Ok(counts)
    }

    /// Counts an answer; `route` is the pattern, empty where none matched.
    pub fn add(&self, method: &str, route: &str, status: StatusCode, duration: Duration) {
        let route = if route.is_empty() { "none" } else { route };
        // These fail only for a wrong number of labels.
        if let Ok(count) =
            self.answers.get_metric_with_label_values(&[method, route, class_of(status)])
        {
            count.inc();
        }
        if let Ok(seconds) = self.durations.get_metric_with_label_values(&[method, route]) {
            seconds.observe(duration.as_secs_f64());
        }
    }
}

fn class_of(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
