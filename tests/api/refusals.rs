//! What a report may not be: each fault named at its field, in the sender's language, and nothing private repeated.

use serde_json::json;

use crate::harness::TestApp;

#[test]
fn a_report_needs_a_narrative_or_a_category() {
    let app = TestApp::start();

    for empty in [
        json!({"location": {"country": "SLE"}}),
        json!({"location": {"country": "SLE"}, "narrative": " \n"}),
    ] {
        let refused = app.monitor().post("/v1/reports", &empty);
        assert_eq!(refused.expect_problem(422, "invalid_fields").pointers(), ["/narrative"]);
    }
}

#[test]
fn every_fault_is_named_at_once() {
    let app = TestApp::start();
    let report = json!({
        "id": "not-a-uuid", "occurred": "03/04/2024", "language": "french",
        "location": {"lat": 91, "lon": 0, "country": "FRA", "admin1": "Atlantis", "site": "nowhere", "accuracy_m": -1},
        "categories": ["rights.life_integrity", "rights.life_integrity.kiling"],
        "harm": {"wounded": 1}, "actors": [{"type": "wizard", "role": "hero"}],
        "people": [{"role": "king", "sex_age": "old", "group": "nobles"}], "mining_mode": "deep",
        "smuggling": {"carats": -1, "currency": "usd"}, "environment": {"medium": "fire", "area_ha": -2},
        "governance": {"practice": "so-so"}, "source": {"type": "bird", "reliability": "Z", "consent": "maybe"},
    });

    let refused = app.monitor().post("/v1/reports", &report).expect_problem(422, "invalid_fields");

    let right = [
        "/id",
        "/occurred",
        "/location/lat",
        "/location/country",
        "/location/admin1",
        "/location/site",
        "/location/accuracy_m",
        "/categories/0",
        "/categories/1",
        "/language",
        "/harm/wounded",
        "/actors/0/type",
        "/actors/0/role",
        "/people/0/role",
        "/people/0/sex_age",
        "/people/0/group",
        "/mining_mode",
        "/smuggling/carats",
        "/smuggling/currency",
        "/environment/medium",
        "/environment/area_ha",
        "/governance/practice",
        "/source/type",
        "/source/reliability",
        "/source/consent",
    ];
    assert_eq!(refused.pointers(), right);
    let text = refused.text();
    assert!(text.contains("latitude 91 is outside -90..=90"), "{text}");
    assert!(text.contains("did you mean rights.life_integrity.killing?"), "{text}");
}

#[test]
fn an_unknown_field_is_refused_with_the_known_ones_and_without_its_value() {
    let app = TestApp::start();
    let report =
        json!({"narrative": "x", "location": {"country": "SLE", "village": "CANARY-VALUE"}});

    let refused = app.monitor().post("/v1/reports", &report).expect_problem(400, "unknown_field");

    assert_eq!(refused.pointers(), ["/location/village"]);
    let text = refused.text();
    for known in ["lat", "lon", "accuracy_m", "country", "admin1", "place", "site"] {
        assert!(text.contains(&format!("`{known}`")), "{known} in {text}");
    }
    assert!(!text.contains("CANARY-VALUE"), "{text}");
}

#[test]
fn words_that_stray_into_a_code_field_are_not_repeated() {
    let app = TestApp::start();
    let words = "Mariama saw it from the bridge";
    let report = json!({
        "id": words, "occurred": words, "language": words, "mining_mode": words, "categories": [words],
        "location": {"lat": words, "lon": words, "country": words, "admin1": words, "site": words},
        "actors": [{"type": words, "role": words}], "source": {"type": words}, "smuggling": {"currency": words},
        "people": [{"role": words}], "follows": words, "environment": {"medium": words},
    });

    let refused = app.monitor().post("/v1/reports", &report).expect_problem(422, "invalid_fields");

    assert!(refused.pointers().len() >= 15, "{}", refused.text());
    assert!(!refused.text().contains("Mariama"), "{}", refused.text());
    let mistyped = json!({"narrative": "x", "location": words, "harm": {"killed": words}});
    let refused =
        app.monitor().post("/v1/reports", &mistyped).expect_problem(422, "invalid_fields");
    assert!(!refused.text().contains("Mariama"), "{}", refused.text());
}

#[test]
fn a_french_speaker_is_answered_in_french() {
    let app = TestApp::start();
    let headers =
        [("content-type", "application/json"), ("accept-language", "fr-CI,fr;q=0.9,en;q=0.5")];
    let report = json!({"narrative": "x", "location": {"country": "SLE", "lat": 91, "lon": 0}});

    let refused = app.monitor().post_bytes("/v1/reports", &headers, report.to_string().as_bytes());

    let refused = refused.expect_problem(422, "invalid_fields");
    assert_eq!(refused.header("content-language"), Some("fr"));
    let body = refused.json();
    assert_eq!(body["title"], "certains champs sont invalides");
    assert_eq!(body["errors"][0]["detail"], "la latitude 91 est hors de -90..=90");
}

#[test]
fn a_text_too_long_is_refused_with_its_length_and_the_limit() {
    let app = TestApp::start();
    let report = json!({"location": {"country": "SLE"}, "narrative": "é".repeat(20_001)});

    let refused = app.monitor().post("/v1/reports", &report).expect_problem(422, "invalid_fields");

    assert_eq!(refused.pointers(), ["/narrative"]);
    assert!(refused.text().contains("20001 characters; at most 20000"), "{}", refused.text());
    let longest = json!({"location": {"country": "SLE"}, "narrative": "é".repeat(20_000)});
    app.monitor().submit(&longest);
}
