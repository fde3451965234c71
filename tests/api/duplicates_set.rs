//! Precision and recall of likely duplicates over accounts that were written with what is true of them.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../../benches/figures/accounts.rs"]
mod accounts;
#[path = "../../benches/figures/recognised.rs"]
mod recognised;

use std::collections::HashMap;

use sentinelle::auth::types::Role;
use sentinelle::review::duplicates::worker::run_once;
use serde_json::Value;

use crate::duplicates_set::accounts::{Kind, invent};
use crate::duplicates_set::recognised::{Recognised, Seen};
use crate::harness::TestApp;

/// As `make bench` measures it; the weights were chosen by another.
const SEED: u64 = 977_431;

#[test]
fn most_that_is_told_twice_is_found_in_either_language_and_little_else() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.user(Role::Monitor, "all"), app.reviewer());
    let set = invent(SEED);
    assert!(set.pairs.len() >= 500);
    let lines: Vec<String> = set.accounts.iter().map(|account| account.body.to_string()).collect();
    let lines = lines.join("\n");
    let headers = [("content-type", "application/x-ndjson")];
    let answer = monitor.post_bytes("/v1/reports", &headers, lines.as_bytes()).expect(200).text();
    let incidents: Vec<String> = answer
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter_map(|line| line["incident"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(incidents.len(), set.accounts.len(), "{answer}");
    let nth: HashMap<&str, usize> =
        incidents.iter().enumerate().map(|(nth, id)| (id.as_str(), nth)).collect();

    run_once(&app.context).expect("the database works");

    let mut seen: Seen = Seen::new();
    for (one, incident) in incidents.iter().enumerate() {
        let path = format!("/v1/incidents/{incident}/duplicates");
        let found = reviewer.get(&path).expect(200).json();
        for item in found["items"].as_array().expect("a list") {
            let other = nth[item["incident"].as_str().expect("an id")];
            seen.insert((one.min(other), one.max(other)), item["score"].as_f64().expect("a share"));
        }
    }
    let recognised = Recognised::count(&set, &seen);
    assert!(recognised.precision() >= 0.9, "{recognised:?}");
    assert!(recognised.recall() >= 0.8, "{recognised:?}");
    assert!(recognised.recall_of(Kind::OtherLanguage) >= 0.7, "{recognised:?}");
}
