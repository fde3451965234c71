//! A category that is retired is taken no more, and counted where it was.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use sentinelle::taxonomy::catalogue::Taxonomy;
use serde_json::{Value, json};

use crate::harness::{TestApp, submit_march};

const LEAF: &str = "rights.life_integrity.assault_injury";

/// The taxonomy with one leaf retired.
fn retired() -> Taxonomy {
    let retire = |line: &str| {
        let is_it = line.starts_with(&format!("{LEAF},"));
        format!("{line}{}\n", if is_it { "2024-04-01" } else { "" })
    };
    let csv: String =
        include_str!("../../src/taxonomy/data/taxonomy.csv").lines().map(retire).collect();
    Taxonomy::from_csv(&csv).expect("a taxonomy")
}

#[test]
fn c34_a_retired_leaf_is_refused_on_input_and_still_counted_under_its_parent() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let submitted = submit_march(&monitor, &reviewer);

    let server = app.serve_with_taxonomy(retired());
    let (monitor, reviewer) = (monitor.at(&server.url), reviewer.at(&server.url));

    let march = "from=2024-03-01&to=2024-03-31";
    let count =
        |more: &str| reviewer.get(&format!("/v1/aggregates?{march}{more}")).expect(200).json();
    assert_eq!(count("")["total"]["incidents"], 8);
    assert_eq!(count("&category=rights.life_integrity")["total"]["incidents"], 4);
    let by_category = count("&by=category");
    let cells = by_category["cells"].as_array().expect("cells");
    let parent = cells.iter().find(|cell| cell["category"] == "rights.life_integrity");
    assert_eq!(parent.expect("its parent")["incidents"], 4);
    let listed = reviewer.get(&format!("/v1/incidents?{march}")).expect(200).json();
    assert_eq!(listed["total"], 8);
    let r9 = &submitted["R9"]["incident"];
    let shown =
        reviewer.get(&format!("/v1/incidents/{}", r9.as_str().expect("an id"))).expect(200).json();
    assert_eq!(shown["categories"][0]["code"], LEAF, "it keeps what it was given");

    let report = json!({"narrative": "Beaten at the pit.", "location": {"country": "SLE"}, "categories": [LEAF]});
    let refused = monitor.post("/v1/reports", &report).expect_problem(422, "invalid_fields");
    assert_eq!(refused.pointers(), ["/categories/0"]);
    assert!(refused.text().contains("retired on 2024-04-01"), "{}", refused.text());
    let decision = json!({"categories": [LEAF], "reason": "it was so"});
    let refused = reviewer.decide(&submitted["R1"]["incident"], &decision);
    assert_eq!(refused.expect_problem(422, "invalid_fields").pointers(), ["/categories/0"]);
    reviewer.set_status(r9, "in_review");
    reviewer.set_status(r9, "verified");
    assert_eq!(count("")["total"]["incidents"], 8, "what was counted can be verified again");
    let leaves: Value = reviewer.get("/v1/taxonomy").expect(200).json();
    assert!(leaves.to_string().contains("2024-04-01"), "it is told as retired");
}
