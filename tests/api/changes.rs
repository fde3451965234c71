//! The change feed: a copy kept by it is what the lists show, whatever happens while it is read.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use sentinelle::auth::types::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp};

fn killing(country: &str) -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-03-05", "location": {"country": country},
        "categories": ["rights.life_integrity.killing"], "narrative": "CANARY: two were shot"})
}

/// Sends a report; returns its incident.
fn open_case(monitor: &Client, country: &str) -> String {
    text(&monitor.submit(&killing(country))["incident"])
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn page(client: &Client, after: i64, limit: usize) -> Value {
    client.get(&format!("/v1/changes?after={after}&limit={limit}")).expect(200).json()
}

/// A copy as a partner keeps it: the version of each incident.
#[derive(Debug, Default)]
struct Copy {
    incidents: BTreeMap<String, i64>,
    after: i64,
    /// Every event, in the order it came.
    told: Vec<(i64, String, String)>,
}

impl Copy {
    /// Reads on to the end; returns the kinds told on the way.
    fn follow(&mut self, client: &Client, limit: usize) -> Vec<(String, String)> {
        let mut kinds = Vec::new();
        loop {
            let page = page(client, self.after, limit);
            for incident in page["incidents"].as_array().expect("incidents") {
                let version = incident["version"].as_i64().expect("a version");
                self.incidents.insert(text(&incident["id"]), version);
            }
            for item in page["items"].as_array().expect("items") {
                let (incident, kind) = (text(&item["incident"]), text(&item["kind"]));
                if kind == "left" {
                    self.incidents.remove(&incident);
                }
                let seq = item["seq"].as_i64().expect("a number");
                self.told.push((seq, incident.clone(), kind.clone()));
                kinds.push((incident, kind));
            }
            let next = page["next"].as_i64().expect("a number");
            assert!(next >= self.after, "it goes on");
            self.after = next;
            if page["next"] == page["as_of"] {
                return kinds;
            }
        }
    }
}

fn kinds_of(told: &[(String, String)], incident: &str) -> Vec<String> {
    told.iter().filter(|(one, _)| one == incident).map(|(_, kind)| kind.clone()).collect()
}

#[test]
fn each_kind_of_change_is_told_once_and_a_later_reader_begins_where_a_list_ended() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let analyst = app.user(Role::Analyst, "SLE");
    let verified = open_case(&monitor, "SLE");
    let rejected = open_case(&monitor, "SLE");
    let withdrawn = open_case(&monitor, "SLE");
    let mut copy = Copy::default();
    let told = copy.follow(&analyst, 100);
    assert_eq!(told.iter().map(|(_, kind)| kind.as_str()).collect::<Vec<_>>(), ["created"; 3]);
    let list = analyst.get("/v1/incidents?status=all").expect(200).json();
    assert_eq!(list["as_of"], json!(copy.after));

    reviewer.set_status(&json!(verified), "verified");
    reviewer.set_status(&json!(rejected), "rejected");
    reviewer.set_status(&json!(withdrawn), "withdrawn");
    let told = copy.follow(&analyst, 1);

    assert_eq!(kinds_of(&told, &verified), ["changed"]);
    assert_eq!(kinds_of(&told, &rejected), ["rejected"]);
    assert_eq!(kinds_of(&told, &withdrawn), ["withdrawn"]);
    assert_eq!(copy.incidents.values().copied().collect::<Vec<_>>(), [2, 2, 2]);
    assert_eq!(copy.follow(&analyst, 1), [], "and no second time");
    let mut later = Copy { after: list["as_of"].as_i64().expect("a number"), ..Copy::default() };
    assert_eq!(later.follow(&analyst, 100), told);
}

#[test]
fn an_event_has_the_same_id_for_everybody_and_nothing_private_beside_it() {
    let app = TestApp::start();
    let incident = open_case(&app.monitor(), "SLE");
    let (analyst, reviewer) = (app.user(Role::Analyst, "SLE"), app.reviewer());

    let (page, same) = (page(&analyst, 0, 10), page(&reviewer, 0, 10));

    assert_eq!(page, same, "those who may open reports are shown no more here");
    let item = &page["items"][0];
    assert_eq!(item["incident"], json!(incident));
    assert_eq!((&item["kind"], &item["version"]), (&json!("created"), &json!(1)));
    let id: Uuid = text(&item["id"]).parse().expect("an id");
    assert_eq!(id.get_version_num(), 8);
    let shown = &page["incidents"][0];
    assert_eq!(shown["status"], "received");
    assert!(shown.get("exact").is_none() && shown.get("updated_at").is_none());
    assert!(!page.to_string().contains("CANARY"));
}

#[test]
fn what_goes_to_another_country_is_told_as_left_where_it_was() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let [here, there] = ["SLE", "LBR"].map(|country| app.user(Role::Analyst, country));
    let coordinator = app.user(Role::Coordinator, "all");
    let incident = open_case(&monitor, "SLE");
    let (mut stayed, mut moved, mut whole) = (Copy::default(), Copy::default(), Copy::default());
    stayed.follow(&here, 10);
    assert_eq!(moved.follow(&there, 10), []);
    whole.follow(&coordinator, 10);

    let moving = json!({"location": {"country": "LBR"}, "reason": "it was across the river"});
    reviewer.decide(&json!(incident), &moving).expect(200);

    let left = page(&here, stayed.after, 10);
    assert_eq!(left["items"][0]["kind"], "left");
    assert_eq!(left["items"][0]["version"], Value::Null);
    assert_eq!(left["incidents"], json!([]), "where it went is not told");
    stayed.follow(&here, 10);
    assert!(stayed.incidents.is_empty());
    assert_eq!(kinds_of(&moved.follow(&there, 10), &incident), ["changed"]);
    assert_eq!(moved.incidents, BTreeMap::from([(incident.clone(), 2)]));
    assert_eq!(kinds_of(&whole.follow(&coordinator, 10), &incident), ["changed"]);

    let back = json!({"location": {"country": "SLE"}, "reason": "it was not"});
    reviewer.decide(&json!(incident), &back).expect(200);
    assert_eq!(kinds_of(&moved.follow(&there, 10), &incident), ["left"]);
    assert!(moved.incidents.is_empty());
    assert_eq!(stayed.incidents, BTreeMap::new());
    assert_eq!(kinds_of(&stayed.follow(&here, 10), &incident), ["changed"]);
    assert_eq!(stayed.incidents, BTreeMap::from([(incident, 3)]));
    let mut late = Copy::default();
    late.follow(&here, 10);
    assert_eq!(late.incidents, stayed.incidents, "whenever one begins");
}

#[test]
fn what_is_erased_is_told_as_withdrawn() {
    let app = TestApp::start();
    let sent = app.monitor().submit(&killing("SLE"));
    let coordinator = app.user(Role::Coordinator, "all");
    let after = page(&coordinator, 0, 10)["next"].as_i64().expect("a number");

    let path = format!("/v1/reports/{}", text(&sent["id"]));
    coordinator.delete(&path, &json!({"reason": "the source asks for it"})).expect(204);

    let told = page(&coordinator, after, 10);
    assert_eq!(told["items"][0]["kind"], "withdrawn");
    assert_eq!(told["incidents"][0]["status"], "withdrawn");
    assert_eq!(told["incidents"][0]["categories"], json!([]));
}

#[test]
fn a_change_out_of_scope_moves_the_reader_on() {
    let app = TestApp::start();
    let monitor = app.monitor();
    for _ in 0..30 {
        open_case(&monitor, "ZWE");
    }
    let mine = open_case(&monitor, "SLE");
    let analyst = app.user(Role::Analyst, "SLE");

    let told = page(&analyst, 0, 1);
    assert_eq!(told["items"].as_array().expect("items").len(), 1);
    assert_eq!(told["items"][0]["incident"], json!(mine));
    let end = page(&analyst, told["next"].as_i64().expect("a number"), 1);
    assert_eq!((&end["items"], &end["next"]), (&json!([]), &end["as_of"]));
}

#[test]
fn what_is_no_number_of_a_change_is_refused() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    open_case(&app.monitor(), "SLE");
    for query in ["after=-1", "after=x", "after=", "after=1&after=2", "limit=0", "limit=1001"] {
        let refused = reviewer.get(&format!("/v1/changes?{query}"));
        refused.expect_problem(400, "invalid_parameter");
    }
    reviewer.get("/v1/changes?cursor=x").expect_problem(400, "unknown_parameter");
    // As after a restore: the copy is ahead of the data, and numbers would come a second time.
    let refused = reviewer.get("/v1/changes?after=1000").expect_problem(400, "invalid_parameter");
    assert!(refused.text().contains("after=0"), "{}", refused.text());
}

#[test]
fn a_copy_misses_nothing_while_sixteen_write_on_two_servers() {
    const WRITERS: usize = 16;
    const CASES: usize = 12;
    let app = TestApp::start();
    let second = app.second_server();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let analyst = app.user(Role::Analyst, "region:west");
    let is_done = AtomicBool::new(false);

    let copies: Vec<Copy> = std::thread::scope(|scope| {
        let readers: Vec<_> = [&app.url, &second.url]
            .into_iter()
            .map(|url| {
                let (analyst, is_done) = (analyst.at(url), &is_done);
                scope.spawn(move || {
                    let mut copy = Copy::default();
                    while !is_done.load(Ordering::Relaxed) {
                        copy.follow(&analyst, 7);
                    }
                    copy.follow(&analyst, 7);
                    copy
                })
            })
            .collect();
        let writers: Vec<_> = (0..WRITERS)
            .map(|nth| {
                let url = if nth % 2 == 0 { &app.url } else { &second.url };
                let (monitor, reviewer) = (monitor.at(url), reviewer.at(url));
                scope.spawn(move || {
                    for case in 0..CASES {
                        let country = if case % 3 == 0 { "ZWE" } else { "SLE" };
                        let incident = json!(open_case(&monitor, country));
                        let status = if case % 2 == 0 { "verified" } else { "rejected" };
                        reviewer.set_status(&incident, status);
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().expect("a writer ends");
        }
        is_done.store(true, Ordering::Relaxed);
        readers.into_iter().map(|reader| reader.join().expect("a reader ends")).collect()
    });

    let list = analyst.get("/v1/incidents?status=all&limit=1000").expect(200).json();
    let right: BTreeMap<String, i64> = list["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|one| (text(&one["id"]), one["version"].as_i64().expect("a version")))
        .collect();
    assert_eq!(right.len(), WRITERS * CASES / 3 * 2);
    for copy in copies {
        assert_eq!(copy.incidents, right);
        assert_eq!(json!(copy.after), list["as_of"]);
        assert_eq!(copy.told.len(), 2 * right.len(), "each change once");
        let once: BTreeSet<_> = copy.told.iter().collect();
        assert_eq!(once.len(), copy.told.len());
        assert!(copy.told.is_sorted_by_key(|(seq, _, _)| *seq), "in the order of commits");
    }
}
