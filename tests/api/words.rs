//! Suggested categories: for a text alone, and beside a report. They say why, and count nowhere.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use sentinelle::auth::types::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::TestApp;

const MESSAGE: &str = "Vigiles ont tabassé deux creuseurs à Tshikapa, bras cassé";
const ASSAULT: &str = "rights.life_integrity.assault_injury";

/// Fails when a reason does not quote the text it points into.
#[track_caller]
fn assert_quotes(suggestions: &Value, text: &str) {
    let letters: Vec<char> = text.chars().collect();
    for suggestion in suggestions.as_array().expect("suggestions") {
        let reasons = suggestion["reasons"].as_array().expect("reasons");
        assert!(!reasons.is_empty(), "{suggestion}");
        for reason in reasons {
            let at = |name: &str| {
                usize::try_from(reason[name].as_u64().expect("a position")).expect("a position")
            };
            let quoted: String = letters[at("start")..at("end")].iter().collect();
            assert_eq!(reason["words"], quoted.as_str());
        }
    }
}

#[test]
fn a_text_is_answered_with_categories_and_the_words_that_say_why() {
    let app = TestApp::start();

    let answer = app.monitor().post("/v1/classify", &json!({ "text": MESSAGE })).expect(200).json();

    assert_eq!(answer["language"], "fr");
    let first = &answer["suggestions"][0];
    assert_eq!(first["code"], ASSAULT);
    assert_eq!(first["label"]["en"], "Beating, shooting or dog attack causing injury");
    assert!(first["score"].as_f64().is_some_and(|score| (0.5..=1.0).contains(&score)));
    assert_quotes(&answer["suggestions"], MESSAGE);
}

#[test]
fn a_text_of_nothing_is_answered_with_nothing() {
    let app = TestApp::start();
    let analyst = app.user(Role::Analyst, "all");

    for text in ["", "The road to Kenema is bad.", "Aucun creuseur n'a été tué."] {
        let answer = analyst.post("/v1/classify", &json!({ "text": text })).expect(200).json();
        assert_eq!(answer["suggestions"], json!([]), "{text:?}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_by_its_field() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let longest = "é".repeat(20_000);
    let cases = [
        (json!({ "text": format!("{longest}é") }), 422, "invalid_fields", "/text"),
        (json!({ "text": "x", "language": "français" }), 422, "invalid_fields", "/language"),
    ];

    monitor.post("/v1/classify", &json!({ "text": longest, "language": "fr" })).expect(200);
    for (body, status, code, pointer) in cases {
        let problem = monitor.post("/v1/classify", &body).expect_problem(status, code);
        assert_eq!(problem.pointers(), [pointer]);
    }
    monitor.post("/v1/classify", &json!({ "texte": "x" })).expect(400);
    monitor.post("/v1/classify?language=fr", &json!({ "text": "x" })).expect(400);
}

#[test]
fn a_report_is_answered_with_suggestions_and_only_who_may_read_it_sees_the_words() {
    let app = TestApp::start();
    let report = json!({ "narrative": format!("  {MESSAGE}\n"), "location": { "country": "COD" } });

    let sent = app.monitor().submit(&report);

    assert_eq!(sent["suggestions"][0]["code"], ASSAULT);
    assert_quotes(&sent["suggestions"], MESSAGE);
    let id = sent["id"].as_str().expect("an id");
    let opened = app.reviewer().get(&format!("/v1/reports/{id}")).expect(200).json();
    assert_eq!(opened["suggestions"], sent["suggestions"]);
    assert_quotes(&opened["suggestions"], opened["report"]["narrative"].as_str().expect("a text"));
    let path = format!("/v1/incidents/{}", sent["incident"].as_str().expect("an incident"));
    for client in [app.user(Role::Analyst, "all"), app.reviewer()] {
        let incident = client.get(&path).expect(200);
        let shown = incident.json()["suggestions"].clone();
        assert_eq!(shown[0]["code"], ASSAULT);
        assert_eq!(shown[0]["score"], sent["suggestions"][0]["score"]);
        for word in ["reasons", "Vigiles", "Tshikapa"] {
            assert!(!incident.text().contains(word), "{word} in {}", incident.text());
        }
    }
}

#[test]
fn a_device_gets_its_receipt_and_its_report_is_read_as_any_other() {
    let app = TestApp::start();
    let id = Uuid::new_v4();
    let report = json!({ "id": id, "narrative": MESSAGE, "location": { "country": "COD" } });

    let receipt = app.device("COD").post("/v1/reports", &report).expect(201);

    assert!(!receipt.text().contains("suggestions"), "{}", receipt.text());
    let opened = app.reviewer().get(&format!("/v1/reports/{id}")).expect(200).json();
    assert_eq!(opened["suggestions"][0]["code"], ASSAULT);
}

#[test]
fn a_report_in_a_stream_is_read_as_any_other() {
    let app = TestApp::start();
    let id = Uuid::new_v4();
    let line = json!({ "id": id, "narrative": MESSAGE, "location": { "country": "COD" } });
    let headers = [("content-type", "application/x-ndjson")];

    app.monitor().post_bytes("/v1/reports", &headers, line.to_string().as_bytes()).expect(200);

    let opened = app.reviewer().get(&format!("/v1/reports/{id}")).expect(200).json();
    assert_eq!(opened["suggestions"][0]["code"], ASSAULT);
}

#[test]
fn suggestions_count_nowhere_until_a_reviewer_gives_the_category() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let sent =
        app.monitor().submit(&json!({ "narrative": MESSAGE, "location": { "country": "COD" } }));
    let path = format!("/v1/incidents/{}", sent["incident"].as_str().expect("an incident"));
    let count = || {
        let counted = reviewer.get(&format!("/v1/aggregates?status=all&category={ASSAULT}"));
        counted.expect(200).json()["total"]["incidents"].clone()
    };

    assert_eq!(sent["categories"], json!([]));
    assert_eq!(sent["flags"], json!(["uncategorised"]));
    let before = reviewer.get(&path).expect(200).json();
    assert_eq!((&before["categories"], &before["severity"]), (&json!([]), &Value::Null));
    assert_eq!(count(), 0);

    let decision = json!({ "categories": [ASSAULT], "reason": "the text says so" });
    reviewer.decide(&sent["incident"], &decision).expect(200);

    let after = reviewer.get(&path).expect(200).json();
    assert_eq!(after["categories"][0]["is_confirmed"], true);
    assert_eq!(after["suggestions"], before["suggestions"], "what was suggested stays beside it");
    assert_eq!(count(), 1);
}
