//! Lists: pages, cursors, and what a row holds for whom.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use sentinelle::auth::types::Role;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};

fn report(narrative: &str) -> Value {
    json!({"occurred": "2024-03-05", "location": {"lat": 8.644, "lon": -10.971},
        "categories": ["rights.life_integrity.killing"], "narrative": narrative})
}

fn submit_many(monitor: &Client, n_reports: usize, batch: &str) -> Vec<Value> {
    (0..n_reports)
        .map(|number| monitor.submit(&report(&format!("{batch} {number}")))["incident"].clone())
        .collect()
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn a_list_that_grows_and_shrinks_shows_every_survivor_once() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let first: Vec<Value> = submit_many(&monitor, 250, "first");
    let withdrawn = [&first[3], &first[70], &first[120], &first[200], &first[249]];
    let survivors: BTreeSet<String> = first
        .iter()
        .filter(|id| !withdrawn.contains(id))
        .map(|id| id.as_str().expect("an id").to_owned())
        .collect();

    let mut seen = Vec::new();
    let mut path = "/v1/incidents?status=received&limit=100".to_owned();
    for turn in 0.. {
        let answer = reviewer.get(&path).expect(200);
        let page = answer.json();
        seen.extend(ids(&page));
        let Some(next) = page["next"].as_str() else { break };
        let link = answer.header("link").expect("a link").to_owned();
        assert!(link.ends_with(">; rel=\"next\"") && link.contains(next), "{link}");
        path = link.trim_start_matches('<').split('>').next().expect("a path").to_owned();
        if turn == 0 {
            submit_many(&monitor, 10, "late");
            for id in &withdrawn {
                reviewer.set_status(id, "withdrawn");
            }
        }
    }

    let of_first: Vec<&String> = seen.iter().filter(|id| survivors.contains(*id)).collect();
    assert_eq!(survivors.len(), 245);
    assert_eq!(of_first.len(), 245, "C66: every survivor once");
    assert_eq!(of_first.iter().collect::<BTreeSet<_>>().len(), 245, "C66: none twice");
}

#[test]
fn a_cursor_that_was_changed_or_taken_from_another_query_is_refused() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    submit_many(&app.monitor(), 3, "page");
    let page = reviewer.get("/v1/incidents?status=received&limit=1").expect(200).json();
    let cursor = page["next"].as_str().expect("a cursor");

    reviewer.get(&format!("/v1/incidents?status=received&cursor={cursor}")).expect(200);
    for at in 0..cursor.len() {
        let mut changed: Vec<char> = cursor.chars().collect();
        changed[at] = if changed[at] == 'A' { 'B' } else { 'A' };
        let changed: String = changed.into_iter().collect();
        let path = format!("/v1/incidents?status=received&cursor={changed}");
        reviewer.get(&path).expect_problem(400, "invalid_cursor");
    }
    for query in [
        format!("status=all&cursor={cursor}"),
        format!("status=received&country=SLE&cursor={cursor}"),
        "status=received&cursor=".to_owned(),
        "status=received&cursor=100".to_owned(),
    ] {
        reviewer.get(&format!("/v1/incidents?{query}")).expect_problem(400, "invalid_cursor");
    }
    let other = format!("/v1/quarantine?cursor={cursor}");
    reviewer.get(&other).expect_problem(400, "invalid_cursor");
}

#[test]
fn a_page_has_one_to_a_thousand_rows() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    submit_many(&app.monitor(), 2, "page");

    for limit in ["0", "1001", "-1", "1.5", "many", ""] {
        let path = format!("/v1/incidents?limit={limit}");
        reviewer.get(&path).expect_problem(400, "invalid_parameter");
    }
    for (limit, n_rows) in [("1", 1), ("1000", 2)] {
        let path = format!("/v1/incidents?status=received&limit={limit}");
        let page = reviewer.get(&path).expect(200).json();
        assert_eq!(ids(&page).len(), n_rows);
        assert_eq!(page["total"], 2, "the total is of all pages");
    }
    reviewer.get("/v1/incidents?limit=1&limit=2").expect_problem(400, "invalid_parameter");
}

#[test]
fn a_row_holds_the_core_and_for_reviewers_the_fine_cell() {
    const CORE: [&str; 25] = [
        "id",
        "version",
        "status",
        "merged_into",
        "country",
        "country_computed",
        "admin1",
        "admin2",
        "precision",
        "place",
        "cell",
        "site_distance",
        "occurred",
        "categories",
        "harm",
        "actors",
        "mining_mode",
        "severity",
        "channels",
        "flags",
        "reports",
        "is_ongoing",
        "is_at_risk",
        "is_test",
        "opened_on",
    ];
    let app = TestApp::start();
    let submitted = app.monitor().submit(&report("Names and words stay out of lists."));
    let core: BTreeSet<&str> = CORE.into_iter().collect();
    let fine: BTreeSet<&str> = CORE.into_iter().chain(["exact", "updated_at"]).collect();

    for (role, right) in [
        (Role::Analyst, &core),
        (Role::Coordinator, &core),
        (Role::Reviewer, &fine),
        (Role::RegionalLead, &fine),
    ] {
        let client = app.user(role, "all");
        let page = client.get("/v1/incidents?status=received").expect(200).json();
        assert_eq!(keys(&page), BTreeSet::from(["items", "next", "total", "as_of"]));
        let path = format!("/v1/incidents/{}", submitted["incident"].as_str().expect("an id"));
        let told_alone = ["suggestions", "related", "absorbed", "consent"];
        let told_to_deciders = (right == &fine).then_some("likely_duplicates");
        let alone = right.iter().copied().chain(told_alone).chain(told_to_deciders).collect();
        let incident = client.get(&path).expect(200).json();
        for (view, right) in [(&page["items"][0], right), (&incident, &alone)] {
            assert_eq!(&keys(view), right, "{role:?}");
            assert!(!view.to_string().contains("stay out of lists"), "{role:?}");
        }
    }
}

#[test]
fn an_opened_report_holds_the_words_and_the_exact_point() {
    let app = TestApp::start();
    let submitted = app.monitor().submit(&report("Two diggers."));
    let path = format!("/v1/reports/{}", submitted["id"].as_str().expect("an id"));
    let reviewer = app.user(Role::Reviewer, "SLE");

    let opened = reviewer.get(&path).expect(200).json();
    let feature =
        reviewer.get_with(&path, &[("accept", "application/geo+json")]).expect(200).json();

    assert_eq!(opened["report"]["narrative"], "Two diggers.");
    assert_eq!(feature["geometry"]["coordinates"], json!([-10.971, 8.644]), "C22: lon, lat");
    let right = BTreeSet::from([
        "id",
        "incident",
        "state",
        "revision",
        "channel",
        "reference",
        "received_at",
        "grade",
        "country",
        "country_computed",
        "admin1",
        "admin2",
        "zone",
        "precision",
        "near_border_m",
        "near",
        "matched",
        "candidates",
        "flags",
        "grade",
        "suggestions",
        "report",
    ]);
    assert_eq!(keys(&opened), right);
}
