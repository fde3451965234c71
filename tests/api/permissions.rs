//! Who may do what: every route, every kind of caller, every relation to the thing asked for.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::app::{guarded_routes, public_routes};
use sentinelle::auth::credential::Credential;
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{grants, tokens, users};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, TestApp};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

fn names() -> Vec<(String, String)> {
    let name = |((method, path), _)| (format!("{method}"), String::from(path as &str));
    guarded_routes().into_iter().map(name).collect()
}

fn at(app: &TestApp) -> NaiveDateTime {
    app.context.clock.now().naive_utc()
}

fn hash_of(client: &Client) -> Vec<u8> {
    Credential::parse(client.token()).expect("a token").hash().to_vec()
}

fn account_of(app: &TestApp, client: &Client) -> i64 {
    let hash = hash_of(client);
    let found = app.context.db.read_here(move |conn| {
        Ok(tokens::table.filter(tokens::hash.eq(hash)).select(tokens::user_id).first(conn)?)
    });
    found.expect("an account")
}

fn disable(app: &TestApp, client: &Client) {
    let (account, now) = (account_of(app, client), at(app));
    let done = app.context.db.write_here(move |tx| {
        let user = users::table.filter(users::id.eq(account));
        Ok(diesel::update(user).set(users::disabled_at.eq(Some(now))).execute(tx.conn)?)
    });
    assert_eq!(done.expect("an update"), 1);
}

fn end_token(app: &TestApp, client: &Client, is_revoked: bool) {
    let (hash, now) = (hash_of(client), at(app));
    let done = app.context.db.write_here(move |tx| {
        let token = tokens::table.filter(tokens::hash.eq(hash));
        let update = diesel::update(token);
        Ok(if is_revoked {
            update.set(tokens::revoked_at.eq(Some(now))).execute(tx.conn)?
        } else {
            update.set(tokens::expires_at.eq(Some(now))).execute(tx.conn)?
        })
    });
    assert_eq!(done.expect("an update"), 1);
}

fn killing(country: &str) -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-03-05", "location": {"country": country},
        "categories": ["rights.life_integrity.killing"], "narrative": Uuid::new_v4()})
}

/// The things of one relation: a report, its incident, something set aside, a country.
struct Things {
    report: String,
    incident: String,
    quarantined: String,
    /// A report of its own, since it is gone once it was erased.
    doomed: String,
    country: &'static str,
}

impl Things {
    fn in_country(app: &TestApp, sender: &Client, country: &'static str) -> Self {
        let mut report = killing(country);
        let submitted = sender.post("/v1/reports", &report).expect(201).json();
        let id = report["id"].as_str().expect("an id").to_owned();
        let receipt = sender.get(&format!("/v1/reports/{id}/receipt")).expect(200);
        assert!(!receipt.text().is_empty());
        report["harm"] = json!({"killed": 3});
        sender.post("/v1/reports", &report).expect(409);
        let reviewer = app.reviewer();
        let list = reviewer.get("/v1/quarantine").expect(200).json();
        let entries = list["items"].as_array().expect("entries");
        let aside = entries.iter().find(|entry| entry["report"] == id.as_str());
        let quarantined = aside.expect("set aside")["id"].as_str().expect("an id").to_owned();
        let incident = if let Some(incident) = submitted["incident"].as_str() {
            incident.to_owned()
        } else {
            let opened = reviewer.get(&format!("/v1/reports/{id}")).expect(200).json();
            opened["incident"].as_str().expect("an incident").to_owned()
        };
        let doomed = killing(country);
        sender.post("/v1/reports", &doomed).expect(201);
        let doomed = doomed["id"].as_str().expect("an id").to_owned();
        Self { report: id, incident, quarantined, doomed, country }
    }

    fn not_existing() -> Self {
        let id = || UNKNOWN.to_owned();
        Self { report: id(), incident: id(), quarantined: id(), doomed: id(), country: "XYZ" }
    }

    fn path(&self, route: &str) -> String {
        let id = if route.contains("/reports") {
            &self.report
        } else if route.contains("/quarantine") {
            &self.quarantined
        } else {
            &self.incident
        };
        let path = route.replace("{id}", id).replace("{country}", self.country);
        match route {
            "/v1/geotag" => format!("{path}?lat=8.644&lon=-10.971"),
            "/v1/places" => format!("{path}?q=tortiya"),
            "/v1/queue" | "/v1/incidents" | "/v1/aggregates" | "/v1/aggregates.csv"
            | "/v1/countries" | "/v1/countries.csv" => {
                format!("{path}?country={}", self.country)
            }
            _ => path,
        }
    }
}

fn ask(client: &Client, method: &str, route: &str, things: &Things) -> Answer {
    // A decision on a version that never was: in scope it is stale, out of scope not found.
    let headers = [("content-type", "application/json"), ("if-match", "\"99\"")];
    let body = match (method, route) {
        ("POST", "/v1/reports") | ("PUT", _) => {
            let mut report = killing("SLE");
            if method == "PUT" {
                report.as_object_mut().expect("an object").remove("id");
            }
            report
        }
        ("DELETE", "/v1/reports/{id}") => {
            let path = format!("/v1/reports/{}", things.doomed);
            return client.delete(&path, &json!({"reason": "the source asks for it"}));
        }
        ("POST", "/v1/classify") => json!({"text": "Two diggers were beaten."}),
        ("POST", "/v1/quarantine/{id}/decisions") => json!({"outcome": "kept", "reason": "ok"}),
        ("POST", _) => json!({"status": "verified", "reason": "ok"}),
        _ => return client.get(&things.path(route)),
    };
    let path = if method == "PUT" {
        format!("/v1/reports/{}", Uuid::new_v4())
    } else {
        things.path(route)
    };
    client.send(method, &path, &headers, Some(body.to_string().as_bytes()))
}

#[test]
fn every_cell_of_the_matrix_is_as_written() {
    let app = TestApp::start();
    let user = |role| app.user(role, "SLE");
    let mut callers: BTreeMap<&str, Client> = Role::ALL
        .into_iter()
        .filter(|role| *role != Role::Monitor)
        .map(|role| (role.as_str(), user(role)))
        .collect();
    callers.insert("monitor", user(Role::Monitor));
    callers.insert("device", app.device("SLE"));
    callers.insert("anonymous", app.anonymous());
    for name in ["disabled", "expired", "revoked"] {
        callers.insert(name, user(Role::Reviewer));
    }
    disable(&app, &callers["disabled"]);
    end_token(&app, &callers["expired"], false);
    end_token(&app, &callers["revoked"], true);
    let mut things: BTreeMap<(&str, &str), Things> = BTreeMap::new();
    for name in ["monitor", "device"] {
        things.insert((name, "own"), Things::in_country(&app, &callers[name], "SLE"));
    }
    let sender = app.monitor();
    things.insert(("", "in_scope"), Things::in_country(&app, &sender, "SLE"));
    things.insert(("", "out_of_scope"), Things::in_country(&app, &sender, "ZWE"));
    things.insert(("", "not_existing"), Things::not_existing());

    let matrix = include_str!("../data/matrix.csv");
    let mut written: BTreeSet<(String, String)> = BTreeSet::new();
    let mut cells: BTreeSet<(String, String, String)> = BTreeSet::new();
    for line in matrix.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [route, principal, relation, right] = fields[..] else {
            unreachable!("four fields in {line}");
        };
        let (method, path) = route.split_once(' ').expect("a method and a path");
        written.insert((method.to_owned(), path.to_owned()));
        let is_new = cells.insert((route.into(), principal.into(), relation.into()));
        assert!(is_new, "twice: {line}");
        let thing = things.get(&(principal, relation)).or_else(|| things.get(&("", relation)));
        let answer = ask(&callers[principal], method, path, thing.expect("a known relation"));

        assert_eq!(answer.status.to_string(), right, "{line}: {}", answer.text());
        if relation == "out_of_scope" && answer.status == 404 {
            let none = ask(&callers[principal], method, path, &things[&("", "not_existing")]);
            assert_eq!(none.body, answer.body, "{line}: the bytes of a random id");
        }
    }
    let routes: BTreeSet<(String, String)> = names().into_iter().collect();
    assert_eq!(written, routes, "a row for every route, a route for every row");
    for (method, path) in &routes {
        for principal in callers.keys() {
            let route = format!("{method} {path}");
            let has_row = cells.iter().any(|cell| cell.0 == route && cell.1 == *principal);
            assert!(has_row, "no row for {principal} at {route}");
        }
    }
}

#[test]
fn without_a_valid_credential_every_route_answers_the_same_bytes() {
    let app = TestApp::start();
    let things = Things::in_country(&app, &app.monitor(), "SLE");
    let unknown = Things::not_existing();
    let token = app.reviewer().token().to_owned();
    let typo = format!("{}{}", &token[..54], if token.ends_with('A') { 'B' } else { 'A' });
    let first = app.anonymous().get("/v1/incidents").expect_problem(401, "unauthenticated");

    for (method, route) in names() {
        for client in
            [app.anonymous(), Client::new(&app.url, Some(&typo)), Client::new(&app.url, Some("x"))]
        {
            for things in [&things, &unknown] {
                let answer = ask(&client, &method, &route, things).expect(401);
                assert_eq!(answer.body, first.body, "{method} {route}");
            }
        }
    }
    for ((_, path), _) in public_routes() {
        app.anonymous().get(path).expect(200);
    }
}

#[test]
fn a_grant_that_is_taken_away_bites_on_the_next_request() {
    let app = TestApp::start();
    let things = Things::in_country(&app, &app.monitor(), "SLE");
    let reviewer = app.user(Role::Reviewer, "SLE,ZWE");
    let path = format!("/v1/incidents/{}", things.incident);
    reviewer.get(&path).expect(200);
    let account = account_of(&app, &reviewer);
    let revoke = |country: &'static str| {
        let done = app.context.db.write_here(move |tx| {
            let grant = grants::table
                .filter(grants::user_id.eq(account))
                .filter(grants::scope_value.eq(country));
            Ok(diesel::delete(grant).execute(tx.conn)?)
        });
        assert_eq!(done.expect("a deletion"), 1);
    };

    revoke("SLE");
    reviewer.get(&path).expect_problem(404, "not_found");
    revoke("ZWE");
    reviewer.get(&path).expect_problem(403, "forbidden");
}

#[test]
fn a_country_in_no_region_is_seen_by_all_and_by_its_own_grant_alone() {
    let app = TestApp::start();
    let things = Things::in_country(&app, &app.monitor(), "TZA");
    let path = format!("/v1/incidents/{}", things.incident);

    for (scope, right) in [
        ("all", 200),
        ("TZA", 200),
        ("region:southern", 404),
        ("region:central", 404),
        ("region:west", 404),
        ("ZWE", 404),
    ] {
        assert_eq!(app.user(Role::RegionalLead, scope).get(&path).status, right, "{scope}");
    }
}

#[test]
fn hostile_input_is_refused_without_a_word_of_the_database() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    for path in [
        "/v1/incidents/1'--",
        "/v1/reports/1'--",
        "/v1/quarantine/1'--",
        "/v1/countries/ZW'%20OR%20'1'='1",
        "/v1/incidents?country=ZW'%20OR%20'1'='1",
        "/v1/aggregates?bbox=1,1,1,1);--",
        "/v1/aggregates?by=country;select%201",
        "/v1/aggregates?status=verified'%20UNION%20SELECT%201--",
        "/v1/aggregates?category=rights'--",
        "/v1/aggregates?admin1=SL-E'--",
        "/v1/aggregates?site=%27%3B--",
        "/v1/aggregates?h3=85754e67fffffff'--",
        "/v1/aggregates?from=2024-03-01'--",
        "/v1/incidents?order=created;select",
        "/v1/incidents?cursor=1'--",
        "/v1/incidents?limit=1;--",
        "/v1/queue?cursor=1'--",
        "/v1/queue?country=ZW'%20OR%20'1'='1",
        "/v1/incidents?country[]=SLE",
        "/v1/incidents?incidents.id=1",
        "/v1/geotag?lat=8.6'--&lon=1",
        "/v1/places?q=a&country='--",
    ] {
        let answer = reviewer.get(&path.replace('\'', "%27"));
        let text = answer.text().to_lowercase();
        assert!([400, 404, 422].contains(&answer.status), "{path}: {} {text}", answer.status);
        for word in
            ["sqlite", "postgres", "diesel", "syntax error", "relation \"", "no such column"]
        {
            assert!(!text.contains(word), "{path}: {text}");
        }
    }
}

#[test]
fn names_and_contacts_are_in_no_answer() {
    let app = TestApp::start();
    let mut report = killing("SLE");
    report["people"] =
        json!([{"name": "Canary Kanneh", "contact": "canary@example.org", "role": "witness"}]);
    report["actors"] = json!([{"type": "state_army", "name": "Canary Unit"}]);
    let monitor = app.monitor();
    let submitted = monitor.post("/v1/reports", &report).expect(201);
    let incident = submitted.json()["incident"].as_str().expect("an id").to_owned();
    let id = report["id"].as_str().expect("an id").to_owned();
    assert!(!submitted.text().to_lowercase().contains("canary"));
    let receipt = monitor.get(&format!("/v1/reports/{id}/receipt")).expect(200);
    assert!(!receipt.text().to_lowercase().contains("canary"));

    for role in Role::ALL {
        let client = app.user(role, "all");
        for path in [
            format!("/v1/incidents/{incident}"),
            "/v1/incidents?status=all".to_owned(),
            "/v1/queue".to_owned(),
            "/v1/aggregates?status=all&by=country".to_owned(),
            "/v1/countries/SLE?status=all".to_owned(),
            "/v1/quarantine".to_owned(),
        ] {
            let text = client.get(&path).text().to_lowercase();
            assert!(!text.contains("canary"), "{role:?} {path}");
            assert!(!text.contains("127.0.0.1"), "{role:?} {path}");
        }
        let opened = client.get(&format!("/v1/reports/{id}")).text().to_lowercase();
        assert!(!opened.contains("kanneh") && !opened.contains("@example.org"), "{role:?}");
    }
}
