//! Counting: the right totals, and how they reconcile.

use serde_json::json;

use crate::harness::{TestApp, submit_march};

#[test]
fn march_counts_eight_incidents_two_killed_and_four_injured() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    submit_march(&monitor, &reviewer);

    let answer = reviewer.get("/v1/aggregates?from=2024-03-01&to=2024-03-31").expect(200).json();

    assert_eq!(answer["total"]["incidents"], 8);
    assert_eq!(answer["total"]["reports"], 8);
    assert_eq!(answer["total"]["killed"], json!({"min": 2, "max": 2, "stated": 1}));
    assert_eq!(answer["total"]["injured"], json!({"min": 4, "max": 4, "stated": 2}));
    assert_eq!(answer["total"]["detained"], json!(null));
    let excluded = &answer["reconciliation"]["excluded"];
    assert_eq!(
        excluded,
        &json!({"by_status": {"received": 2, "rejected": 1, "withdrawn": 1}, "merged": 0, "test": 0, "mismatch": 0})
    );
    assert_eq!(answer["reconciliation"]["mapped"], 7);
    assert_eq!(answer["reconciliation"]["unmapped"], 1);
    assert_eq!(answer["reconciliation"]["imprecise"], 1);
}
