//! Reports in: stored once, durably, placed and categorised.

use serde_json::json;

use crate::harness::TestApp;

#[test]
fn the_same_report_sent_again_is_stored_once() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let report = json!({
        "id": "3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e", "occurred": "2024-03-05",
        "location": {"lat": 8.644, "lon": -10.971}, "categories": ["rights.life_integrity.killing"],
    });

    let first = monitor.post("/v1/reports", &report).expect(201).json();
    let again = monitor.post("/v1/reports", &report).expect(200).json();

    assert_eq!(first["incident"], again["incident"]);
    assert_eq!(first["geotag"]["country"], "SLE");
    assert_eq!(reviewer.get("/v1/incidents?status=all").expect(200).json()["total"], 1);
}
