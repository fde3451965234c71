//! Corroborated needs two independent sources, and nobody confirms what they reported themselves.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use sentinelle::auth::accounts::add_device;
use sentinelle::auth::types::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp};
use crate::together::put_under;

fn report() -> Value {
    json!({"id": Uuid::new_v4(), "narrative": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": "SLE"}, "categories": ["rights.life_integrity.killing"]})
}

/// A phone of `owner`, handed out by an organisation, where there is one.
fn phone(app: &TestApp, owner: Option<&str>, organisation: Option<&str>) -> Client {
    let name = Uuid::new_v4().to_string();
    let organisation = organisation.map(str::to_owned);
    let (_, key) =
        add_device(&app.context, &name, "SLE", owner, organisation).expect("a new phone");
    Client::new(&app.url, Some(key.expose()))
}

/// Has each of `senders` tell of one event; returns the one incident that their reports make, by the eyes of a reviewer.
fn told_by(app: &TestApp, senders: &[&Client]) -> Value {
    let reviewer = app.reviewer();
    let mut incidents = Vec::new();
    for sender in senders {
        let report = report();
        sender.post("/v1/reports", &report).expect(201);
        let opened =
            reviewer.get(&format!("/v1/reports/{}", report["id"].as_str().expect("an id")));
        incidents.push(opened.expect(200).json()["incident"].clone());
    }
    for incident in &incidents[1..] {
        put_under(app, incident, &incidents[0]);
    }
    incidents[0].clone()
}

fn become_status(status: &str) -> Value {
    json!({"status": status, "reason": "both told it alike"})
}

#[test]
fn two_reports_corroborate_when_nobody_stands_behind_both() {
    let app = TestApp::start();
    let member = app.user_named("K. Member", Role::Monitor, "SLE");
    let (monitor, other) = (app.monitor(), app.monitor());
    let of_a = phone(&app, None, Some("Organisation A"));
    let (also_of_a, of_b) =
        (phone(&app, None, Some("Organisation A")), phone(&app, None, Some("Organisation B")));
    let (of_nobody, also_of_nobody) = (phone(&app, None, None), phone(&app, None, None));
    let phone_of_member = phone(&app, Some("K. Member"), Some("Organisation A"));

    for (senders, n_sources, reason) in [
        (vec![&monitor], 1, "one report"),
        (vec![&monitor, &monitor], 1, "one person twice"),
        (vec![&of_a, &also_of_a], 1, "two phones of one organisation"),
        (vec![&of_nobody, &also_of_nobody], 1, "whom nobody knows may be one person"),
        (vec![&phone_of_member, &member], 1, "a person and the phone of the same person"),
        (vec![&of_a, &member], 1, "the organisation that gave the person a phone"),
        (vec![&of_a, &of_b], 2, "two organisations"),
        (vec![&of_a, &of_nobody], 2, "an organisation and somebody else"),
        (vec![&monitor, &other], 2, "two known people of no organisation"),
        (vec![&of_a, &also_of_a, &of_b], 2, "three reports of two organisations"),
    ] {
        let incident = told_by(&app, &senders);

        let answer = app.reviewer().decide(&incident, &become_status("corroborated"));

        if n_sources >= 2 {
            assert_eq!(answer.expect(200).json()["status"], "corroborated", "{reason}");
        } else {
            assert_eq!(answer.status, 422, "{reason}: {}", answer.text());
            let refused = answer.expect_problem(422, "sources_needed");
            assert_eq!(refused.pointers(), ["/status"]);
            assert!(refused.text().contains("come from 1"), "{reason}: {}", refused.text());
        }
    }
}

#[test]
fn a_withdrawn_report_is_no_source_and_a_refusal_leaves_no_trace() {
    let app = TestApp::start();
    let (one, other) = (app.monitor(), app.monitor());
    let (first, second) = (one.submit(&report()), other.submit(&report()));
    put_under(&app, &second["incident"], &first["incident"]);
    let path = format!("/v1/reports/{}/withdrawal", second["id"].as_str().expect("an id"));
    other.post(&path, &json!({})).expect(200);
    let reviewer = app.reviewer();
    let incident = format!("/v1/incidents/{}", first["incident"].as_str().expect("an id"));
    let before = reviewer.get(&incident).expect(200).json();

    let decision = json!({"status": "corroborated", "reason": "two told it", "severity": 1,
        "reports": [{"id": first["id"], "source_reliability": "A", "info_credibility": 1}]});
    let refused = reviewer.decide(&first["incident"], &decision);

    refused.expect_problem(422, "sources_needed");
    assert_eq!(reviewer.get(&incident).expect(200).json(), before);
}

#[test]
fn whoever_sent_one_of_its_reports_leaves_confirming_to_others() {
    let app = TestApp::start();
    let sender = app.user_named("R. Both", Role::Reviewer, "SLE");
    let phone_of_sender = phone(&app, Some("R. Both"), None);
    let (monitor, other) = (app.monitor(), app.reviewer());
    let own = told_by(&app, &[&sender]);
    let by_phone = told_by(&app, &[&phone_of_sender]);
    let merged = told_by(&app, &[&monitor, &sender]);

    for (incident, status, reason) in [
        (&own, "verified", "the only report"),
        (&by_phone, "verified", "by the own phone"),
        (&merged, "verified", "one of two"),
        (&merged, "corroborated", "one of the two sources"),
    ] {
        let refused = sender.decide(incident, &become_status(status));
        assert_eq!(refused.status, 422, "{reason}: {}", refused.text());
        let refused = refused.expect_problem(422, "own_report");
        assert!(refused.text().contains("another reviewer"), "{reason}");
    }
    let french = sender.send(
        "POST",
        &format!("/v1/incidents/{}/decisions", own.as_str().expect("an id")),
        &[("content-type", "application/json"), ("if-match", "\"1\""), ("accept-language", "fr")],
        Some(become_status("verified").to_string().as_bytes()),
    );
    assert!(french.expect(422).text().contains("un autre réviseur"));

    let correction = json!({"severity": 2, "reason": "less than I wrote"});
    sender.decide(&own, &correction).expect(200);
    sender.decide(&own, &become_status("disputed")).expect(200);
    other.decide(&own, &become_status("verified")).expect(200);
    other.decide(&merged, &become_status("corroborated")).expect(200);
}
