//! What whoever watches the machines sees: counts of work, and nothing of reports.

use sentinelle::app::ServerOptions;
use sentinelle::auth::types::Role;
use sentinelle::config::{Rate, Rates};
use sentinelle::notify::worker::run_once;
use serde_json::json;

use crate::harness::{Client, TestApp, TestOptions};
use crate::receiver::Receiver;

fn metrics(client: &Client) -> String {
    let answer = client.get("/metrics").expect(200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4"));
    answer.text()
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|one| one == line), "no line {line} in {text}");
}

#[test]
fn requests_are_counted_by_route_and_outcome() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let sysadmin = app.user(Role::Sysadmin, "all");
    monitor.submit(&json!({"narrative": "x", "location": {"country": "SLE"}}));
    for _ in 0..2 {
        reviewer.get("/v1/incidents?country=SLE").expect(200);
    }
    reviewer.get("/v1/incidents/00000000-0000-4000-8000-000000000000").expect(404);
    app.anonymous().get("/v1/incidents").expect(401);
    app.anonymous().get("/health/live").expect(200);

    let text = metrics(&sysadmin);

    let count = |method: &str, route: &str, status: &str, n: usize| {
        let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
        has(&text, &format!("sentinelle_http_requests_total{{{labels}}} {n}"));
    };
    count("GET", "/v1/incidents", "2xx", 2);
    count("GET", "/v1/incidents", "4xx", 1);
    count("GET", "/v1/incidents/{id}", "4xx", 1);
    count("POST", "/v1/reports", "2xx", 1);
    count("GET", "/health/live", "2xx", 1);
    let labels = "method=\"GET\",route=\"/v1/incidents\"";
    has(&text, &format!("sentinelle_http_request_seconds_count{{{labels}}} 3"));
    has(&text, &format!("sentinelle_http_request_seconds_bucket{{{labels},le=\"+Inf\"}} 3"));
    has(&text, "# TYPE sentinelle_http_request_seconds histogram");
    let writes = app.context.db.write_counts();
    has(&text, &format!("sentinelle_commits_total {}", writes.commits));
    has(&text, &format!("sentinelle_commit_jobs_total {}", writes.jobs));
    has(&text, "sentinelle_queue_full_total 0");
    has(&text, "# TYPE sentinelle_panics_total counter");
    has(&text, "sentinelle_limited_total{limit=\"account\"} 0");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').expect("a value");
        assert!(name.starts_with("sentinelle_") && value.parse::<f64>().is_ok(), "{line}");
    }
}

#[test]
fn no_path_query_method_or_country_that_a_client_wrote_is_a_label() {
    let app = TestApp::start();
    let (reviewer, auditor) = (app.reviewer(), app.user(Role::Auditor, "all"));
    for (method, path) in [
        ("GET", "/v1/countries/SLE"),
        ("GET", "/v1/incidents?q=canary"),
        ("GET", "/v1/canary"),
        ("GET", "/canary/canary"),
        ("GET", "/docs/canary.js"),
        ("CANARY", "/v1/incidents"),
        ("CANARY", "/canary"),
        ("DELETE", "/v1/incidents/canary"),
    ] {
        reviewer.send(method, path, &[("user-agent", "canary"), ("referer", "canary")], None);
    }

    let text = metrics(&auditor);

    let lower = text.to_lowercase();
    assert!(!lower.contains("canary") && !text.contains("SLE"), "{text}");
    has(
        &text,
        "sentinelle_http_requests_total{method=\"other\",route=\"/v1/incidents\",status=\"4xx\"} 1",
    );
    has(&text, "sentinelle_http_requests_total{method=\"other\",route=\"none\",status=\"4xx\"} 1");
}

#[test]
fn what_the_limits_refused_is_counted_by_limit() {
    let credential = Rate::parse("60:2").expect("a rate");
    let rates = Rates { credential, ..Rates::UNLIMITED };
    let server = ServerOptions { rates, ..ServerOptions::default() };
    let app = TestApp::start_with(TestOptions { server, ..TestOptions::default() });
    let (reviewer, coordinator) = (app.reviewer(), app.user(Role::Coordinator, "all"));
    for _ in 0..5 {
        reviewer.get("/v1/incidents");
    }

    let text = metrics(&coordinator);

    has(&text, "sentinelle_limited_total{limit=\"credential\"} 3");
    has(&text, "sentinelle_limited_total{limit=\"device\"} 0");
    has(
        &text,
        "sentinelle_http_requests_total{method=\"GET\",route=\"/v1/incidents\",status=\"4xx\"} 3",
    );
}

#[test]
fn what_was_told_to_others_and_what_waits_is_counted() {
    let app = TestApp::start();
    let (sysadmin, lead) = (app.user(Role::Sysadmin, "all"), app.user(Role::RegionalLead, "SLE"));
    let receiver = Receiver::start(&[204, 500]);
    lead.post("/v1/webhooks", &json!({"url": receiver.url(), "scope": "SLE"})).expect(201);
    for _ in 0..3 {
        app.monitor().submit(&json!({"narrative": "x", "location": {"country": "SLE"}}));
    }
    run_once(&app.context).expect("the database works");

    let text = metrics(&sysadmin);

    has(&text, "sentinelle_notifications_total{outcome=\"sent\",way=\"webhook\"} 1");
    has(&text, "sentinelle_notifications_total{outcome=\"failed\",way=\"webhook\"} 1");
    has(&text, "sentinelle_notifications_total{outcome=\"sent\",way=\"mail\"} 0");
    has(&text, "sentinelle_notifications_pending{way=\"webhook\"} 2");
    has(&text, "sentinelle_notifications_pending{way=\"mail\"} 0");
}
