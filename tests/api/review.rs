//! Decisions: one at a time on what was read, by the rules, with a reason.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use sentinelle::auth::types::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApp};
use crate::together::add_source;

fn submit(app: &TestApp, report: &Value) -> String {
    app.monitor().submit(report)["incident"].as_str().expect("an id").to_owned()
}

fn killing() -> Value {
    // Words of its own: the same content twice from one sender is a retry.
    json!({"narrative": uuid::Uuid::new_v4(), "occurred": "2024-03-05", "location": {"country": "SLE"},
        "categories": ["rights.life_integrity.killing"]})
}

fn decide(client: &Client, id: &str, version: Option<i64>, decision: &Value) -> Answer {
    let tag = version.map(|version| format!("\"{version}\""));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(tag.as_deref().map(|tag| ("if-match", tag)));
    let path = format!("/v1/incidents/{id}/decisions");
    client.send("POST", &path, &headers, Some(decision.to_string().as_bytes()))
}

fn status(to: &str) -> Value {
    json!({"status": to, "reason": "two witnesses agree"})
}

#[test]
fn of_two_decisions_on_one_version_the_second_is_shown_the_first() {
    let app = TestApp::start();
    let (one, two) = (app.reviewer(), app.reviewer());
    let id = submit(&app, &killing());
    let read = one.get(&format!("/v1/incidents/{id}")).expect(200);
    assert_eq!(read.header("etag"), Some("\"1\""));

    let first = decide(&one, &id, Some(1), &status("verified")).expect(200);
    let second = decide(&two, &id, Some(1), &status("rejected"));
    let second = second.expect_problem(412, "precondition_failed").json();
    decide(&two, &id, None, &status("rejected")).expect_problem(428, "precondition_required");

    assert_eq!(first.header("etag"), Some("\"2\""), "C69");
    assert_eq!(second["current"]["status"], "verified");
    assert_eq!(second["current"]["version"], 2);
    let now = one.get(&format!("/v1/incidents/{id}")).expect(200);
    assert_eq!(now.json()["status"], "verified");
    assert_eq!(now.header("etag"), Some("\"2\""));
}

#[test]
fn of_sixteen_decisions_at_once_exactly_one_is_taken() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let id = submit(&app, &killing());

    let decisions: Vec<u16> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..16)
            .map(|number| {
                let to = if number % 2 == 0 { "verified" } else { "rejected" };
                let (reviewer, id) = (&reviewer, &id);
                scope.spawn(move || decide(reviewer, id, Some(1), &status(to)).status)
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });

    assert_eq!(decisions.iter().filter(|status| **status == 200).count(), 1, "{decisions:?}");
    assert_eq!(decisions.iter().filter(|status| **status == 412).count(), 15, "{decisions:?}");
}

#[test]
fn every_status_leads_where_the_rules_say() {
    const ALL: [&str; 9] = [
        "received",
        "in_review",
        "needs_information",
        "corroborated",
        "verified",
        "disputed",
        "unverifiable",
        "rejected",
        "withdrawn",
    ];
    let app = TestApp::start();
    let reviewer = app.reviewer();

    for (from, to) in ALL.into_iter().flat_map(|from| ALL.map(|to| (from, to))) {
        let id = submit(&app, &killing());
        if [from, to].contains(&"corroborated") {
            add_source(&app, &json!(id));
        }
        let version = if from == "received" { 1 } else { 2 };
        if from != "received" {
            decide(&reviewer, &id, Some(1), &status(from)).expect(200);
        }
        let is_right = match to {
            "received" => false,
            "needs_information" => ["received", "in_review"].contains(&from),
            _ => from != to,
        };

        let answer = decide(&reviewer, &id, Some(version), &status(to));

        if is_right {
            assert_eq!(answer.expect(200).json()["status"], to, "{from} to {to}");
        } else {
            answer.expect_problem(422, "transition_not_allowed");
        }
    }
}

#[test]
fn a_decision_needs_a_reason_and_something_to_decide() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let id = submit(&app, &killing());

    for (decision, code, reason) in [
        (json!({"status": "verified"}), 422, "no reason"),
        (json!({"status": "verified", "reason": "  "}), 422, "an empty one"),
        (json!({"status": "verified", "reason": "x".repeat(4001)}), 422, "too long"),
        (json!({"reason": "nothing to decide"}), 422, "nothing changes"),
        (json!({"status": "done", "reason": "ok"}), 422, "no such status"),
        (json!({"status": "verified", "reason": "ok", "staus": "x"}), 400, "a typing error"),
        (json!({"categories": ["rights.life_integrity.nothing"], "reason": "ok"}), 422, "unknown"),
        (json!({"categories": ["rights.life_integrity"], "reason": "ok"}), 422, "not a leaf"),
        (json!({"categories": ["rights"], "reason": "ok"}), 422, "not a leaf"),
        (json!({"location": {"country": "XYZ"}, "reason": "ok"}), 422, "no such country"),
    ] {
        let answer = decide(&reviewer, &id, Some(1), &decision);
        assert_eq!(answer.status, code, "{reason}: {}", answer.text());
    }
    let untouched = reviewer.get(&format!("/v1/incidents/{id}")).expect(200);
    assert_eq!(untouched.header("etag"), Some("\"1\""), "a refused decision leaves no trace");
}

#[test]
fn categories_are_confirmed_by_naming_them_or_by_verifying() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let (named, verified) = (submit(&app, &killing()), submit(&app, &killing()));
    let bare =
        submit(&app, &json!({"narrative": "Something happened.", "location": {"country": "SLE"}}));
    let before = reviewer.get(&format!("/v1/incidents/{named}")).expect(200).json();
    assert_eq!(before["categories"][0]["is_confirmed"], false);

    let codes = ["rights.life_integrity.assault_injury", "rights.life_integrity.killing"];
    let decision = json!({"categories": codes, "reason": "they were wounded first"});
    let named = decide(&reviewer, &named, Some(1), &decision).expect(200).json();
    let verified = decide(&reviewer, &verified, Some(1), &status("verified")).expect(200).json();

    assert_eq!(named["status"], "received", "the status stays");
    assert_eq!(named["categories"][0]["code"], codes[0], "the first is the primary one");
    assert_eq!(named["categories"][1]["is_confirmed"], true);
    assert_eq!(verified["categories"][0]["is_confirmed"], true);
    decide(&reviewer, &bare, Some(1), &status("verified")).expect_problem(422, "category_required");
    let both = json!({"status": "verified", "categories": [codes[1]], "reason": "clear"});
    let both = decide(&reviewer, &bare, Some(1), &both).expect(200).json();
    assert_eq!(both["status"], "verified");
}

#[test]
fn a_mismatch_is_seen_by_both_countries_and_counted_once_the_place_is_settled() {
    let app = TestApp::start();
    let id = submit(
        &app,
        &json!({
            "occurred": "2024-03-15", "location": {"country": "COD", "lat": 6.4162, "lon": 20.8},
            "categories": ["rights.land_displacement.forced_eviction"],
        }),
    );
    let path = format!("/v1/incidents/{id}");
    let (declared, computed) = (app.user(Role::Reviewer, "COD"), app.user(Role::Reviewer, "CAF"));
    for reviewer in [&declared, &computed] {
        let seen = reviewer.get(&path).expect(200).json();
        assert_eq!((&seen["country"], &seen["country_computed"]), (&json!("COD"), &json!("CAF")));
    }
    app.user(Role::Reviewer, "SLE").get(&path).expect(404);
    decide(&declared, &id, Some(1), &status("verified")).expect_problem(422, "country_unsettled");

    let settled = json!({"status": "verified", "reason": "a lost minus sign",
        "location": {"country": "COD", "lat": -6.4162, "lon": 20.8}});
    let settled = decide(&declared, &id, Some(1), &settled).expect(200).json();

    assert_eq!(settled["country"], "COD");
    assert_eq!(settled["country_computed"], "COD");
    let counted = declared.get("/v1/aggregates").expect(200).json();
    assert_eq!(counted["total"]["incidents"], 1);
    assert_eq!(counted["reconciliation"]["mapped"], 1);
    computed.get(&path).expect(404);
}

#[test]
fn a_decision_out_of_scope_is_the_404_of_a_random_id() {
    let app = TestApp::start();
    let id = submit(&app, &killing());
    let elsewhere = app.user(Role::Reviewer, "ZWE");

    let out_of_scope = decide(&elsewhere, &id, Some(1), &status("verified")).expect(404);
    let stale = decide(&elsewhere, &id, Some(9), &status("verified")).expect(404);
    let random = uuid::Uuid::new_v4().to_string();
    let unknown = decide(&elsewhere, &random, Some(1), &status("verified")).expect(404);

    assert_eq!(out_of_scope.body, unknown.body);
    assert_eq!(stale.body, unknown.body);
    decide(&app.user(Role::Analyst, "all"), &id, Some(1), &status("verified"))
        .expect_problem(403, "forbidden");
}

#[test]
fn the_text_of_a_reason_is_in_no_answer() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let report = app.monitor().submit(&killing());
    let (id, report) = (&report["incident"], report["id"].as_str().expect("an id"));
    let decision = json!({"status": "verified", "reason": "Kadiatu confirmed it"});

    let decided = reviewer.decide(id, &decision).expect(200);
    let incident = format!("/v1/incidents/{}", id.as_str().expect("an id"));

    assert!(!decided.text().contains("Kadiatu"));
    for path in
        [incident.as_str(), &format!("/v1/reports/{report}"), "/v1/incidents", "/v1/countries/SLE"]
    {
        assert!(!reviewer.get(path).expect(200).text().contains("Kadiatu"), "{path}");
    }
    let found = reviewer.get("/v1/incidents?q=Kadiatu").expect(200).json();
    assert_eq!(found["total"], 0, "reasons are not searched");
}
