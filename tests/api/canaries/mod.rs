//! Marked values through every route, in right requests and in wrong ones; then every place is searched in which they
//! must not be: the log, the metrics, the errors, what callers are told who may not open reports, the audit log,
//! every byte of the database and of a backup.
//!
//! Start at [`plants`] when a new route makes the test fail.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod abuse;
mod planter;
mod plants;
mod remains;
mod search;
mod stage;

use std::collections::{BTreeMap, BTreeSet};

use sentinelle::app::{guarded_routes, public_routes};
use serde_json::Value;

use crate::canaries::plants::{PLANTS, WITHOUT_WORDS};
use crate::canaries::search::Search;
use crate::canaries::stage::Stage;
use crate::keeper::Keeper;

fn routes() -> Vec<(String, &'static str)> {
    let all = public_routes().into_iter().chain(guarded_routes());
    all.map(|((method, path), _)| (method.to_string(), path)).collect()
}

/// Names of the query parameters that the API document tells of.
fn parameters_of(document: &Value, method: &str, path: &str) -> Vec<String> {
    let parameters = &document["paths"][path][method.to_lowercase()]["parameters"];
    let in_query = parameters.as_array().into_iter().flatten().filter(|one| one["in"] == "query");
    in_query.map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn every_route_that_writes_is_planted_or_says_why_not() {
    let writing: BTreeSet<String> = routes()
        .into_iter()
        .filter(|(method, _)| method != "GET")
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let planted = PLANTS.iter().map(|(route, _)| *route);
    let listed: Vec<&str> = planted.chain(WITHOUT_WORDS.iter().map(|(route, _)| *route)).collect();

    let told: BTreeSet<String> = listed.iter().map(|route| (*route).to_owned()).collect();
    assert_eq!(told, writing, "a line in PLANTS or WITHOUT_WORDS for every route that writes");
    assert_eq!(told.len(), listed.len(), "one line each");
}

/// Plants, and learns what came to be.
fn plant(stage: &Stage) {
    for (route, plant) in PLANTS {
        if *route == "POST /v1/quarantine/{id}/decisions" {
            abuse::send_lines(stage);
            let aside = stage.client("reviewer").get("/v1/quarantine").expect(200).json();
            stage.keep("quarantine", aside["items"][0]["id"].as_str().expect("set aside"));
        }
        let (method, _) = route.split_once(' ').expect("a method and a path");
        let answer = stage.plant(method, &plant(stage));
        plants::learn(stage, route, &answer);
    }
    let opened = stage.client("reviewer").get(&stage.path("/v1/reports/{id}")).expect(200);
    assert!(opened.text().contains("Awa "), "whoever may, reads it: {}", opened.text());
}

#[test]
fn a_thousand_canaries_through_every_route_are_found_nowhere() {
    let stage = Stage::set();
    let document = serde_json::to_value(sentinelle::app::openapi()).expect("JSON");
    plant(&stage);
    for (method, path) in routes() {
        abuse::abuse(&stage, &method, path, &parameters_of(&document, &method, path));
    }
    abuse::send_rubbish(&stage);
    let metrics = stage.client("sysadmin").get("/metrics").expect(200).body;

    let Stage { planter, app, served, problems, told_to_others, .. } = stage;
    let log = served.end_and_tell();
    let keeper = Keeper::new();
    keeper.back_up(&app.database_url, "2024-04-01T12:00:00Z");
    let remains = remains::collect(&app, keeper.folder.path());

    let n_planted = planter.count();
    assert!(n_planted >= 1_000, "{n_planted} canaries");
    let (problems, told_to_others) = (problems.take(), told_to_others.take());
    let lines = String::from_utf8_lossy(&log);
    assert!(lines.matches("\"request\"").count() > problems.len(), "it is the whole log");
    assert!(lines.contains("request refused"), "at every level");
    let stored = b"rights.life_integrity.killing";
    let is_stored = |(_, bytes): &(String, Vec<u8>)| bytes.windows(29).any(|part| part == stored);
    assert!(remains.iter().any(is_stored), "it is the database");
    assert!(problems.len() > 500, "{} problems", problems.len());

    let search = Search::new(planter.take());
    let mut found: Vec<String> = Vec::new();
    let mut look = |place: &str, hits: Vec<String>| {
        // One of a kind is enough to see what leaks.
        let kinds: BTreeMap<String, String> = hits
            .into_iter()
            .map(|hit| (hit.split(':').next().unwrap_or_default().to_owned(), hit))
            .collect();
        found.extend(kinds.into_values().map(|hit| format!("in {place}: {hit}")));
    };
    look("the log", search.find(&log));
    look("the metrics", search.find(&metrics));
    for (place, bytes) in &remains {
        look(place, search.find(bytes));
    }
    for (place, bytes) in problems.iter().chain(&told_to_others) {
        look(place, search.find_secret(bytes));
    }
    assert!(found.is_empty(), "of {n_planted} canaries:\n{}", found.join("\n"));
}
