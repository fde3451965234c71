//! How much one caller may ask, and that it is nobody else's business.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use sentinelle::app::ServerOptions;
use sentinelle::auth::types::Role;
use sentinelle::config::{Rate, Rates};
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Client, TestApp, TestOptions};

fn start(credential: &str, account: &str, device: &str) -> TestApp {
    let rate = |text| Rate::parse(text).expect("a rate");
    let rates = Rates {
        credential: rate(credential),
        account: rate(account),
        device: rate(device),
        ..Rates::UNLIMITED
    };
    let server = ServerOptions { rates, ..ServerOptions::default() };
    TestApp::start_with(TestOptions { server, ..TestOptions::default() })
}

/// Asks until refused; returns how many were answered.
fn count_until_refused(client: &Client, path: &str) -> usize {
    (0..1_000).take_while(|_| client.get(path).status != 429).count()
}

#[test]
fn a_token_goes_as_far_as_its_share_and_is_told_when_to_come_back() {
    let app = start("60:5", "off", "off");
    let (reviewer, other) = (app.reviewer(), app.reviewer());

    assert_eq!(count_until_refused(&reviewer, "/v1/incidents"), 5);
    let refused = reviewer.get("/v1/incidents").expect_problem(429, "too_many_requests");

    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["retry_after"], 1);
    assert_eq!(
        refused.json()["detail"],
        "this token or session may make 60 requests a minute: try again in 1 s"
    );
    let french = reviewer.get_with("/v1/incidents", &[("accept-language", "fr")]);
    assert_eq!(
        french.expect_problem(429, "too_many_requests").json()["detail"],
        "ce jeton ou cette session : 60 requêtes par minute au plus ; réessayez dans 1 s"
    );
    other.get("/v1/incidents").expect(200);
    app.anonymous().get("/health/ready").expect(200);

    app.set_now("2024-04-01T12:00:03Z");
    assert_eq!(count_until_refused(&reviewer, "/v1/incidents"), 3, "one a second comes back");
    app.set_now("2024-04-01T13:00:00Z");
    assert_eq!(count_until_refused(&reviewer, "/v1/incidents"), 5, "never more than at once");
}

#[test]
fn the_wait_is_as_long_as_the_rate_makes_it() {
    for (rate, right) in [("1:2", "60"), ("2:2", "30"), ("7:2", "9"), ("6000:2", "1")] {
        let app = start(rate, "off", "off");
        let reviewer = app.reviewer();
        assert_eq!(count_until_refused(&reviewer, "/v1/incidents"), 2, "{rate}");

        let refused = reviewer.get("/v1/incidents").expect(429);

        assert_eq!(refused.header("retry-after"), Some(right), "{rate}");
        let seconds: i64 = right.parse().expect("a number");
        let back = app.context.clock.now() + chrono::TimeDelta::seconds(seconds);
        app.set_now(&back.to_rfc3339());
        reviewer.get("/v1/incidents").expect(200);
    }
}

#[test]
fn all_tokens_of_a_person_share_the_limit_of_the_account() {
    let app = start("60:4", "60:6", "off");
    let other = app.reviewer();
    let first = app.user_named("Aminata", Role::Reviewer, "all");
    let second = app.token_of("Aminata");

    assert_eq!(count_until_refused(&first, "/v1/incidents"), 4, "the token's own limit");
    assert_eq!(count_until_refused(&second, "/v1/incidents"), 2, "what the account has left");

    let refused = second.get("/v1/incidents").expect_problem(429, "too_many_requests");
    assert!(
        refused.text().contains("all tokens and sessions of this person"),
        "{}",
        refused.text()
    );
    other.get("/v1/incidents").expect(200);
}

#[test]
fn a_phone_sends_whatever_is_done_with_other_credentials() {
    let app = start("60:3", "60:3", "60:20");
    let monitor = app.user_named("Aminata", Role::Monitor, "SLE");
    let phone = app.device_of(Some("Aminata"), "SLE");
    let report = || json!({"id": Uuid::new_v4(), "narrative": "x", "location": {"country": "SLE"}});

    assert_eq!(count_until_refused(&monitor, "/v1/incidents"), 3, "refused by role still counts");
    for n in 0..200 {
        let guess = Client::new(&app.url, Some(&format!("snt_d_{n:049}")));
        guess.post("/v1/reports", &report()).expect(401);
    }

    for _ in 0..20 {
        phone.post("/v1/reports", &report()).expect(201);
    }
    phone.post("/v1/reports", &report()).expect_problem(429, "too_many_requests");
    app.device("SLE").post("/v1/reports", &report()).expect(201);
}

#[test]
fn what_is_refused_is_not_done() {
    let app = start("60:1", "off", "off");
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let report = json!({"narrative": "x", "location": {"country": "SLE"}});
    monitor.post("/v1/reports", &report).expect(201);
    let before = app.context.db.write_counts();

    for _ in 0..10 {
        monitor.post("/v1/reports", &report).expect(429);
    }

    assert_eq!(app.context.db.write_counts(), before);
    assert_eq!(reviewer.get("/v1/incidents?status=all").expect(200).json()["total"], 1);
}
