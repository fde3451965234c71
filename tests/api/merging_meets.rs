//! What merging meets: claims, withdrawals, corrections and grades of what stands together.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use sentinelle::auth::types::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::claims::claim;
use crate::counts::count;
use crate::harness::{Client, TestApp};
use crate::merging::{merge, path_of, read, split};

fn report(killed: u8, category: &str) -> Value {
    json!({"id": Uuid::new_v4(), "narrative": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": "SLE"}, "categories": [category], "harm": {"killed": killed}})
}

fn submit(sender: &Client, killed: u8) -> Value {
    sender.submit(&report(killed, "rights.life_integrity.killing"))
}

fn withdraw(sender: &Client, report: &Value) {
    let path = format!("/v1/reports/{}/withdrawal", report["id"].as_str().expect("an id"));
    sender.post(&path, &json!({})).expect(200);
}

#[test]
fn what_another_works_on_is_neither_merged_nor_split() {
    let app = TestApp::start();
    let (reviewer, other) = (app.reviewer(), app.reviewer());
    let monitor = app.monitor();
    let (one, two) = (submit(&monitor, 1), submit(&monitor, 1));
    let (survivor, absorbed) = (&one["incident"], &two["incident"]);

    claim(&other, absorbed).expect(200);
    let refused = merge(&reviewer, survivor, &[absorbed]).expect_problem(409, "claimed");
    assert_eq!(refused.pointers(), ["/incidents/0"]);
    claim(&other, survivor).expect(200);
    let refused = merge(&reviewer, survivor, &[absorbed]).expect_problem(409, "claimed");
    assert_eq!(refused.pointers(), Vec::<String>::new(), "the one of the path");
    merge(&other, survivor, &[absorbed]).expect(200);

    assert_eq!(read(&other, absorbed)["claim"], Value::Null, "it ends with it");
    split(&reviewer, survivor, &[&two["id"]]).expect_problem(409, "claimed");
    let claimed = claim(&reviewer, absorbed).expect_problem(409, "merged");
    assert_eq!(&claimed.json()["merged_into"], survivor);
    let assigned = reviewer.put(&format!("{}/assignee", path_of(absorbed)), &json!({"user": null}));
    assigned.expect_problem(409, "merged");
    split(&other, survivor, &[&two["id"]]).expect(200);
    claim(&reviewer, absorbed).expect(200);
}

#[test]
fn a_guest_that_is_withdrawn_counts_nowhere_and_goes_home_withdrawn() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let (first, second) = (app.monitor(), app.monitor());
    let (one, two) = (submit(&first, 2), submit(&second, 5));
    reviewer.set_status(&two["incident"], "verified");
    merge(&reviewer, &one["incident"], &[&two["incident"]]).expect(200);
    assert_eq!(read(&reviewer, &one["incident"])["harm"]["killed"], json!({"min": 2, "max": 5}));

    withdraw(&second, &two);

    let left = read(&reviewer, &one["incident"]);
    assert_eq!((&left["reports"], &left["status"]), (&json!(1), &json!("received")));
    assert_eq!(left["harm"]["killed"], json!({"min": 2, "max": 2}));
    assert_eq!(read(&reviewer, &two["incident"])["merged_into"], one["incident"]);

    let apart = split(&reviewer, &one["incident"], &[&two["id"]]).expect(200).json();

    let home = &apart["revived"][0];
    assert_eq!((&home["status"], &home["reports"]), (&json!("withdrawn"), &json!(0)));
    assert_eq!(home["merged_into"], Value::Null);
    let counted = count(&reviewer, "status=all");
    assert_eq!(
        (&counted["total"]["incidents"], &counted["total"]["reports"]),
        (&json!(2), &json!(1))
    );
    merge(&reviewer, &one["incident"], &[&two["incident"]]).expect_problem(422, "not_mergeable");
}

#[test]
fn an_incident_whose_own_report_is_withdrawn_lives_by_its_guests_and_not_after_them() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let (first, second) = (app.monitor(), app.monitor());
    let one = first.submit(&report(2, "rights.land_displacement.forced_eviction"));
    let two = submit(&second, 5);
    merge(&reviewer, &one["incident"], &[&two["incident"]]).expect(200);

    withdraw(&first, &one);

    let guests = read(&reviewer, &one["incident"]);
    assert_eq!((&guests["reports"], &guests["status"]), (&json!(1), &json!("received")));
    assert_eq!(guests["categories"][0]["code"], "rights.life_integrity.killing");

    let apart = split(&reviewer, &one["incident"], &[&two["id"]]).expect(200).json();

    let empty = &apart["incident"];
    assert_eq!((&empty["reports"], &empty["status"]), (&json!(0), &json!("withdrawn")));
    assert_eq!(empty["categories"][0]["code"], "rights.land_displacement.forced_eviction");
    assert_eq!(
        empty["harm"]["killed"],
        json!({"min": 2, "max": 2}),
        "its own, which nobody counts"
    );
    assert_eq!(count(&reviewer, "status=received")["total"]["killed"]["max"], 5);
}

#[test]
fn a_guest_that_is_corrected_changes_the_survivor_and_goes_home_corrected() {
    let app = TestApp::start();
    let (reviewer, monitor) = (app.reviewer(), app.monitor());
    let one = submit(&monitor, 2);
    let mut body = report(5, "rights.life_integrity.killing");
    let two = monitor.submit(&body);
    merge(&reviewer, &one["incident"], &[&two["incident"]]).expect(200);

    body["harm"] = json!({"killed": 3});
    let path = format!("/v1/reports/{}/revisions", two["id"].as_str().expect("an id"));
    monitor.post(&path, &body).expect(201);

    assert_eq!(read(&reviewer, &one["incident"])["harm"]["killed"], json!({"min": 2, "max": 3}));
    let apart = split(&reviewer, &one["incident"], &[&two["id"]]).expect(200).json();
    assert_eq!(apart["revived"][0]["harm"]["killed"], json!({"min": 3, "max": 3}));
    assert_eq!(apart["incident"]["harm"]["killed"], json!({"min": 2, "max": 2}));
}

#[test]
fn merging_makes_two_sources_and_splitting_leaves_one() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let (one, two) = (submit(&app.monitor(), 2), submit(&app.monitor(), 2));
    let corroborated = json!({"status": "corroborated", "reason": "two told it"});
    reviewer.decide(&one["incident"], &corroborated).expect_problem(422, "sources_needed");

    merge(&reviewer, &one["incident"], &[&two["incident"]]).expect(200);
    reviewer.decide(&one["incident"], &corroborated).expect(200);
    let apart = split(&reviewer, &one["incident"], &[&two["id"]]).expect(200).json();

    assert_eq!(apart["incident"]["status"], "in_review", "one source corroborates nothing");
    assert_eq!(apart["kept"][0]["to_status"], "corroborated");
}

#[test]
fn the_comparison_shows_all_reports_that_stand_together() {
    let app = TestApp::start();
    let reviewer = app.user(Role::Reviewer, "SLE");
    let monitor = app.monitor();
    let (one, two) = (submit(&monitor, 1), submit(&monitor, 4));
    merge(&reviewer, &one["incident"], &[&two["incident"]]).expect(200);
    let compare = |incident: &Value| {
        reviewer.get(&format!("{}/comparison", path_of(incident))).expect(200).json()
    };

    let (together, absorbed) = (compare(&one["incident"]), compare(&two["incident"]));

    let reports = together["reports"].as_array().expect("reports");
    let ids: Vec<&Value> = reports.iter().map(|report| &report["id"]).collect();
    assert_eq!(ids, [&one["id"], &two["id"]]);
    assert_eq!(absorbed["reports"], json!([]));
}
