//! What is exported of incidents that are one.

use serde_json::json;

use crate::exports::reading::rows;
use crate::harness::TestApp;

#[test]
fn a_merged_incident_is_one_row_with_the_reports_of_both() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let report = json!({"occurred": "2024-03-05", "location": {"country": "SLE"},
        "categories": ["rights.life_integrity.killing"]});
    let sent = ["one", "other"].map(|narrative| {
        let mut report = report.clone();
        report["narrative"] = json!(narrative);
        monitor.submit(&report)["incident"].clone()
    });
    let path = format!("/v1/incidents/{}", sent[0].as_str().expect("an id"));
    let tag = reviewer.get(&path).expect(200).header("etag").expect("an ETag").to_owned();
    let body = json!({"incidents": [sent[1]], "reason": "the same"}).to_string();
    let headers = [("content-type", "application/json"), ("if-match", tag.as_str())];
    reviewer.send("POST", &format!("{path}/merge"), &headers, Some(body.as_bytes())).expect(200);

    let incidents = rows("csv", &reviewer.get("/v1/exports/incidents.csv?status=all").expect(200));
    let reports = rows("csv", &reviewer.get("/v1/exports/reports.csv?status=all").expect(200));

    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0]["reports"], "2");
    assert_eq!(reports.len(), 2);
    assert!(reports.iter().all(|row| row["incident_id"] == incidents[0]["id"]));
}
