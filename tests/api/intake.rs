//! Reports in: stored once, durably, and refused with every fault named.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that cannot go on fails its test"
)]

use std::collections::BTreeSet;
use std::thread;

use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApp};

const ID: &str = "3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e";
const KILLING: &str = "rights.life_integrity.killing";

fn with_id() -> Value {
    json!({
        "id": ID, "occurred": "2024-03-05", "location": {"lat": 8.644, "lon": -10.971, "country": "SLE"},
        "categories": [KILLING], "harm": {"killed": 2},
    })
}

/// Sends the same report from `n` threads at once and returns the sorted statuses.
fn send_at_once(client: &Client, report: &Value, n: usize) -> Vec<u16> {
    let senders: Vec<_> = (0..n)
        .map(|_| {
            let (client, report) = (client.clone(), report.clone());
            thread::spawn(move || client.post("/v1/reports", &report).status)
        })
        .collect();
    let mut statuses: Vec<u16> =
        senders.into_iter().map(|sender| sender.join().expect("an answer")).collect();
    statuses.sort_unstable();
    statuses
}

#[track_caller]
fn count_incidents(reviewer: &Client) -> Value {
    reviewer.get("/v1/incidents?status=all").expect(200).json()["total"].clone()
}

#[track_caller]
fn open(reviewer: &Client, id: &str) -> Value {
    reviewer.get(&format!("/v1/reports/{id}")).expect(200).json()
}

fn keys(body: &Value) -> BTreeSet<&str> {
    body.as_object().into_iter().flat_map(|map| map.keys().map(String::as_str)).collect()
}

#[test]
fn c1_the_same_report_sent_ten_times_is_stored_once() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());

    let first = monitor.post("/v1/reports", &with_id()).expect(201).json();
    let statuses = send_at_once(&monitor, &with_id(), 4);
    let again: Vec<Value> =
        (0..5).map(|_| monitor.post("/v1/reports", &with_id()).expect(200).json()).collect();

    assert_eq!(statuses, [200; 4]);
    assert!(again.iter().all(|answer| answer["id"] == ID));
    assert!(again.iter().all(|answer| answer["incident"] == first["incident"]));
    assert_eq!(count_incidents(&reviewer), 1);
    let counted = reviewer.get("/v1/aggregates?status=all").expect(200).json();
    assert_eq!(counted["total"]["incidents"], 1);
    assert_eq!(counted["total"]["reports"], 1);
}

#[test]
fn c2_other_content_under_the_same_id_is_set_aside_and_the_first_kept() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let first = monitor.submit(&with_id());
    let mut second = with_id();
    second["harm"]["killed"] = json!(3);

    let conflict = monitor.post("/v1/reports", &second).expect_problem(409, "id_conflict");
    monitor.post("/v1/reports", &second).expect_problem(409, "id_conflict");

    assert_eq!(conflict.json()["fields"], json!(["/harm/killed"]));
    let incident = first["incident"].as_str().expect("an incident");
    let incident = reviewer.get(&format!("/v1/incidents/{incident}")).expect(200).json();
    assert_eq!(incident["harm"]["killed"], json!({"min": 2, "max": 2}));
    let list = reviewer.get("/v1/quarantine").expect(200).json();
    assert_eq!(list["total"], 1, "the second send of the same content adds no row");
    assert_eq!(list["items"][0]["report"], ID);
    assert_eq!(list["items"][0]["state"], "open");
    assert_eq!(list["items"][0]["cause"], "id_conflict");
    let path = format!("/v1/quarantine/{}", list["items"][0]["id"].as_str().expect("an id"));
    let opened = reviewer.get(&path).expect(200).json();
    assert_eq!(opened["content"]["harm"]["killed"], json!({"min": 3, "max": 3}));
    let judgement = json!({"outcome": "kept", "reason": "the sender corrected a number"});
    reviewer.post(&format!("{path}/decisions"), &judgement).expect(204);
    assert_eq!(reviewer.get(&path).expect(200).json()["state"], "kept");
    monitor.get(&path).expect_problem(403, "forbidden");
}

#[test]
fn thirty_two_equal_sends_with_an_id_at_once_make_one_report() {
    let app = TestApp::start();

    let statuses = send_at_once(&app.monitor(), &with_id(), 32);

    assert_eq!(statuses, [vec![200; 31], vec![201]].concat());
    assert_eq!(count_incidents(&app.reviewer()), 1);
}

#[test]
fn thirty_two_equal_sends_without_an_id_at_once_make_one_report() {
    let app = TestApp::start();
    let mut report = with_id();
    report.as_object_mut().expect("an object").remove("id");

    let statuses = send_at_once(&app.monitor(), &report, 32);

    assert_eq!(statuses, [vec![200; 31], vec![201]].concat());
    assert_eq!(count_incidents(&app.reviewer()), 1);
}

#[test]
fn the_same_content_without_an_id_is_a_retry_for_a_day_and_new_after_that() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let report = json!({"location": {"country": "SLE"}, "narrative": "The river ran red."});
    let first = monitor.post("/v1/reports", &report).expect(201).json();
    assert_eq!(first["is_id_made_here"], true);

    app.set_now("2024-04-02T11:59:59Z");
    let retry = monitor.post("/v1/reports", &report).expect(200).json();
    app.set_now("2024-04-02T12:00:01Z");
    let later = monitor.post("/v1/reports", &report).expect(201).json();

    assert_eq!(retry["id"], first["id"]);
    assert_ne!(later["id"], first["id"]);
    assert_eq!(count_incidents(&app.reviewer()), 2);
    app.monitor().post("/v1/reports", &report).expect(201);
}

#[test]
fn a_report_can_be_put_under_its_id() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let path = format!("/v1/reports/{ID}");
    let report = json!({"location": {"country": "SLE"}, "categories": [KILLING]});

    let first = monitor.put(&path, &report).expect(201);
    let again = monitor.put(&path, &report).expect(200);

    assert_eq!(first.json()["id"], ID);
    assert_eq!(first.json()["is_id_made_here"], false);
    assert_eq!(first.header("location"), Some(path.as_str()));
    assert_eq!(again.json()["incident"], first.json()["incident"]);
    let mut other = report.clone();
    other["id"] = json!("00000000-0000-4000-8000-000000000001");
    let refused = monitor.put(&path, &other).expect_problem(422, "invalid_fields");
    assert_eq!(refused.pointers(), ["/id"]);
    monitor.put("/v1/reports/no-uuid", &report).expect_problem(404, "not_found");
}

#[test]
fn a_phone_needs_an_id_and_gets_a_receipt_only() {
    let app = TestApp::start();
    let (phone, other) = (app.device("SLE"), app.device("SLE"));
    let mut nameless = with_id();
    nameless.as_object_mut().expect("an object").remove("id");
    let receipt_path = format!("/v1/reports/{ID}/receipt");

    let refused = phone.post("/v1/reports", &nameless).expect_problem(422, "id_required");
    let receipt = phone.post("/v1/reports", &with_id()).expect(201).json();

    assert_eq!(refused.pointers(), ["/id"]);
    let right = [
        "id",
        "is_id_made_here",
        "open_questions",
        "received_on",
        "reference",
        "revision",
        "state",
    ];
    assert_eq!(keys(&receipt), BTreeSet::from(right));
    assert_eq!(receipt["state"], "received");
    assert_eq!(receipt["received_on"], "2024-04-01");
    assert_eq!(phone.get(&receipt_path).expect(200).json(), receipt);
    let strange = other.get(&receipt_path).expect_problem(404, "not_found");
    let unknown = other.get("/v1/reports/00000000-0000-4000-8000-000000000001/receipt");
    assert_eq!(strange.body, unknown.expect(404).body, "as if it did not exist");
    phone.get(&format!("/v1/reports/{ID}")).expect_problem(403, "forbidden");
}

#[test]
fn a_receipt_never_tells_the_outcome() {
    let app = TestApp::start();
    let (phone, reviewer) = (app.device("SLE"), app.reviewer());
    phone.post("/v1/reports", &with_id()).expect(201);
    let incident = open(&reviewer, ID)["incident"].clone();
    let mut states = Vec::new();

    for status in ["needs_information", "verified", "rejected", "in_review"] {
        reviewer.set_status(&incident, status);
        let receipt = phone.get(&format!("/v1/reports/{ID}/receipt")).expect(200).json();
        states.push(receipt["state"].as_str().expect("a state").to_owned());
    }

    assert_eq!(states, ["question", "closed", "closed", "received"]);
}

#[test]
fn a_conflict_with_somebody_elses_report_is_a_bare_fact() {
    let app = TestApp::start();
    app.monitor().submit(&with_id());
    let mut changed = with_id();
    changed["harm"]["killed"] = json!(9);

    let answers: Vec<Answer> = [app.monitor(), app.device("SLE")]
        .iter()
        .flat_map(|client| {
            [with_id(), changed.clone()].map(|report| client.post("/v1/reports", &report))
        })
        .collect();

    for answer in answers {
        let answer = answer.expect_problem(409, "id_conflict").json();
        assert_eq!(keys(&answer), BTreeSet::from(["code", "status", "title", "type"]));
    }
}

#[test]
fn a_report_without_a_category_waits_as_uncategorised_and_cannot_be_verified() {
    let app = TestApp::start();
    let reviewer = app.reviewer();

    let answer = app.monitor().submit(&json!({
        "location": {"country": "SLE"}, "narrative": "Words alone.",
    }));

    assert_eq!(answer["flags"], json!(["uncategorised"]));
    assert_eq!(answer["categories"], json!([]));
    let verify = json!({"status": "verified", "reason": "for the test"});
    let refused = reviewer.decide(&answer["incident"], &verify);
    assert_eq!(refused.expect_problem(422, "category_required").pointers(), ["/categories"]);
    let both = json!({"status": "verified", "categories": [KILLING], "reason": "for the test"});
    let decided = reviewer.decide(&answer["incident"], &both).expect(200).json();
    assert_eq!(decided["flags"], json!([]));
}

#[test]
fn harm_is_exact_or_a_range_with_parts() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let by = json!({"m_adult": 1, "f_child": 2});

    let answer = monitor.submit(&json!({
        "location": {"country": "SLE"}, "categories": [KILLING],
        "harm": {"killed": 2, "injured": {"min": 3, "max": 7}, "displaced": {"max": 9},
                 "missing": {"min": 4}, "detained": {"min": 3, "max": 5, "by": by}},
    }));

    let incident = answer["incident"].as_str().expect("an incident");
    let harm =
        reviewer.get(&format!("/v1/incidents/{incident}")).expect(200).json()["harm"].clone();
    let right = json!({
        "killed": {"min": 2, "max": 2}, "injured": {"min": 3, "max": 7}, "displaced": {"min": 0, "max": 9},
        "missing": {"min": 4, "max": 4},
        "detained": {"min": 3, "max": 5, "by": {"m_adult": [1, 1], "f_child": [2, 2]}},
    });
    assert_eq!(harm, right);
    let faults = json!({
        "location": {"country": "SLE"}, "categories": [KILLING],
        "harm": {"killed": {"min": 3, "max": 2}, "injured": {"max": 2, "by": {"m_adult": 2, "f_adult": 1}},
                 "missing": 1_000_001, "wounded": 1},
    });
    let refused = monitor.post("/v1/reports", &faults).expect_problem(422, "invalid_fields");
    assert_eq!(
        refused.pointers(),
        ["/harm/injured/by", "/harm/killed", "/harm/missing", "/harm/wounded"]
    );
    for harm in [json!({"killed": -1}), json!({"killed": 1.5}), json!({"killed": "2"})] {
        let report = json!({"location": {"country": "SLE"}, "categories": [KILLING], "harm": harm});
        let refused = monitor.post("/v1/reports", &report).expect_problem(422, "invalid_fields");
        assert_eq!(refused.pointers(), ["/harm/killed"]);
    }
}

#[test]
fn a_reviewer_reads_what_was_sent_without_names_and_contacts() {
    let app = TestApp::start();
    let mut sent = json!({
        "id": ID, "occurred": "2024-03-05T09:00:00+02:00",
        "location": {"lat": -6.136, "lon": 23.5898, "accuracy_m": 12.5, "country": "COD", "place": "near the ford"},
        "categories": [KILLING], "narrative": "Ils ont tiré.", "language": "fr",
        "harm": {"killed": {"min": 1, "max": 2, "by": {"m_adult": 1}}},
        "actors": [{"type": "private_security", "role": "perpetrator", "name": "Unit Nine"}, {"type": "mob"}],
        "people": [{"name": "A. Witness", "contact": "+000 1", "role": "witness", "sex_age": "f_adult",
                    "group": "host_community", "note": "speaks French"}],
        "mining_mode": "artisanal", "company": "Invented Gems",
        "smuggling": {"carats": 1.5, "value": 900.0, "currency": "USD", "origin": "the pit", "destination": "the port",
                      "route": "by river", "kp_certificate": "XX 1"},
        "environment": {"medium": "water", "pollutant": "diesel", "area_ha": 2.25},
        "governance": {"practice": "bad", "subject": "a fund", "amount": 10.0, "currency": "USD"},
        "source": {"type": "witness", "reliability": "B", "name": "B. Source", "contact": "+000 2", "at_risk": true},
        "ongoing": true, "test": true,
    });
    app.monitor().submit(&sent);

    let report = open(&app.reviewer(), ID)["report"].clone();

    let body = sent.as_object_mut().expect("an object");
    body.remove("id");
    body.remove("people");
    sent["actors"][0].as_object_mut().expect("an actor").remove("name");
    for name in ["name", "contact"] {
        sent["source"].as_object_mut().expect("a source").remove(name);
    }
    assert_eq!(report, sent);
}
