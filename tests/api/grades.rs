//! Grades of sources and of what they say: given by reviewers, shown to those who may open reports.

use sentinelle::auth::types::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::TestApp;
use crate::together::put_under;

fn report() -> Value {
    json!({"narrative": Uuid::new_v4(), "occurred": "2024-03-05", "location": {"country": "SLE"},
        "categories": ["rights.life_integrity.killing"],
        "source": {"reliability": "A", "consent": "internal_use"}})
}

#[test]
fn a_grade_is_told_to_whoever_may_open_the_reports_and_to_nobody_else() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let (first, second) = (monitor.submit(&report()), monitor.submit(&report()));
    put_under(&app, &second["incident"], &first["incident"]);
    let decision = json!({"reason": "the second was hearsay",
    "grade": {"source_reliability": "B", "info_credibility": 2},
    "reports": [
        {"id": first["id"], "source_reliability": "B", "info_credibility": 1},
        {"id": second["id"], "source_reliability": "F", "info_credibility": 6},
    ]});

    let decided = reviewer.decide(&first["incident"], &decision).expect(200).json();

    let grade = json!({"source_reliability": "B", "info_credibility": 2});
    assert_eq!((&decided["grade"], &decided["status"]), (&grade, &json!("received")));
    let path = format!("/v1/incidents/{}", first["incident"].as_str().expect("an id"));
    assert_eq!(reviewer.get(&path).expect(200).json()["grade"], grade);
    let opened = |report: &Value| {
        let path = format!("/v1/reports/{}", report["id"].as_str().expect("an id"));
        reviewer.get(&path).expect(200).json()
    };
    let of_first = json!({"source_reliability": "B", "info_credibility": 1});
    let of_second = json!({"source_reliability": "F", "info_credibility": 6});
    assert_eq!(opened(&first)["grade"], of_first);
    assert_eq!(opened(&first)["report"]["source"]["reliability"], "A", "as it was sent");
    let compared = reviewer.get(&format!("{path}/comparison")).expect(200).json();
    assert_eq!(compared["grade"], grade);
    let reports = compared["reports"].as_array().expect("reports");
    let told: Vec<&Value> = reports.iter().map(|report| &report["grade"]).collect();
    assert_eq!(told, [&of_first, &of_second]);
    assert_eq!(reports[0]["told_reliability"], "A");

    for role in [Role::Analyst, Role::Coordinator] {
        let other = app.user(role, "all");
        assert!(other.get(&path).expect(200).json().get("grade").is_none(), "{role:?}");
        let listed = other.get("/v1/incidents?status=all").expect(200);
        assert!(!listed.text().contains("info_credibility"), "{role:?}");
        other.get(&format!("{path}/comparison")).expect_problem(403, "forbidden");
    }
    let taken_back = json!({"reason": "not sure any more", "grade": null});
    let taken_back = reviewer.decide(&first["incident"], &taken_back).expect(200).json();
    assert!(taken_back.get("grade").is_none());
}

#[test]
fn a_grade_has_two_codes_and_a_report_of_the_incident() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let (one, other) = (monitor.submit(&report()), monitor.submit(&report()));
    let of = |id: &Value| json!({"id": id, "source_reliability": "B", "info_credibility": 2});

    for (decision, pointer, reason) in [
        (
            json!({"grade": {"source_reliability": "G", "info_credibility": 2}}),
            "/grade/source_reliability",
            "no such code",
        ),
        (
            json!({"grade": {"source_reliability": "b", "info_credibility": 2}}),
            "/grade/source_reliability",
            "codes are as written",
        ),
        (
            json!({"grade": {"source_reliability": "B", "info_credibility": 7}}),
            "/grade/info_credibility",
            "1 to 6",
        ),
        (
            json!({"grade": {"source_reliability": "B", "info_credibility": 0}}),
            "/grade/info_credibility",
            "1 to 6",
        ),
        (json!({"grade": {"source_reliability": "B"}}), "/grade/info_credibility", "half a grade"),
        (json!({"reports": [of(&other["id"])]}), "/reports/0/id", "of another incident"),
        (json!({"reports": [of(&json!(Uuid::new_v4()))]}), "/reports/0/id", "of none"),
        (json!({"reports": [of(&json!("first"))]}), "/reports/0/id", "no id"),
        (json!({"reports": [of(&one["id"]), of(&one["id"])]}), "/reports/1/id", "twice"),
    ] {
        let mut decision = decision;
        decision["reason"] = json!("graded");
        let refused = reviewer.decide(&one["incident"], &decision);
        assert_eq!(refused.status, 422, "{reason}: {}", refused.text());
        assert_eq!(refused.pointers(), [pointer], "{reason}: {}", refused.text());
    }
    let none = json!({"reports": [], "reason": "nothing"});
    reviewer.decide(&one["incident"], &none).expect_problem(422, "invalid_fields");
    let path = format!("/v1/incidents/{}", one["incident"].as_str().expect("an id"));
    assert_eq!(reviewer.get(&path).expect(200).header("etag"), Some("\"1\""));
}

#[test]
fn an_incident_tells_what_a_release_may_hold_by_the_least_that_a_source_agreed_to() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let submit = |consent: Option<&str>| {
        let mut report = report();
        report["source"] = json!({"consent": consent});
        monitor.submit(&report)["incident"].clone()
    };

    for (consents, right, reason) in [
        (vec![Some("share_anonymised")], "shared", "agreed to"),
        (vec![Some("share_identified"), Some("share_anonymised")], "shared", "both agreed"),
        (vec![None], "counted", "nobody was asked"),
        (vec![Some("none")], "counted", "asked, and not agreed to"),
        (vec![Some("share_identified"), None], "counted", "one was not asked"),
        (vec![Some("internal_use")], "left_out", "for us alone"),
        (vec![Some("share_identified"), Some("internal_use")], "left_out", "one said for us alone"),
    ] {
        let incidents: Vec<Value> = consents.into_iter().map(submit).collect();
        for other in &incidents[1..] {
            put_under(&app, other, &incidents[0]);
        }
        let path = format!("/v1/incidents/{}", incidents[0].as_str().expect("an id"));
        assert_eq!(reviewer.get(&path).expect(200).json()["consent"], right, "{reason}");
    }
    let listed = reviewer.get("/v1/incidents?status=all").expect(200).json();
    assert!(listed["items"][0].get("consent").is_none(), "told of one alone");
}
