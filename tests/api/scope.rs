//! Scopes: what a grant that changes does, which countries it covers, and what no answer may hold.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use chrono::NaiveDateTime;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::credential::Credential;
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{grants, tokens, users};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp, march, submit_march};

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

/// Disables the caller's account.
pub(crate) fn disable(app: &TestApp, client: &Client) {
    let (account, now) = (account_of(app, client), at(app));
    let done = app.context.db.write_here(move |tx| {
        let user = users::table.filter(users::id.eq(account));
        Ok(diesel::update(user).set(users::disabled_at.eq(Some(now))).execute(tx.conn)?)
    });
    assert_eq!(done.expect("an update"), 1);
}

/// Lets the caller's token run out now, or revokes it.
pub(crate) fn end_token(app: &TestApp, client: &Client, is_revoked: bool) {
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

/// Makes the caller's token one that was issued for revealing.
pub(crate) fn let_reveal(app: &TestApp, client: &Client) {
    let hash = hash_of(client);
    let done = app.context.db.write_here(move |tx| {
        let token = tokens::table.filter(tokens::hash.eq(hash));
        Ok(diesel::update(token).set(tokens::may_reveal.eq(true)).execute(tx.conn)?)
    });
    assert_eq!(done.expect("an update"), 1);
}

fn killing(country: &str) -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-03-05", "location": {"country": country},
        "categories": ["rights.life_integrity.killing"], "narrative": Uuid::new_v4()})
}

/// Submits a report and returns the path of its incident.
fn incident_in(app: &TestApp, country: &str) -> String {
    let submitted = app.monitor().submit(&killing(country));
    format!("/v1/incidents/{}", submitted["incident"].as_str().expect("an incident"))
}

#[test]
fn a_grant_that_is_taken_away_bites_on_the_next_request() {
    let app = TestApp::start();
    let path = incident_in(&app, "SLE");
    let reviewer = app.user(Role::Reviewer, "SLE,ZWE");
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
fn s8_an_id_out_of_reach_is_a_random_id_to_every_kind_of_request() {
    let app = TestApp::start();
    let path = incident_in(&app, "ZWE");
    let random = format!("/v1/incidents/{}", Uuid::new_v4());
    let own = app.user(Role::RegionalLead, "ZWE").get(&path).expect(200);
    let tag = own.header("etag").expect("a tag").to_owned();

    for (client, right) in [(app.anonymous(), 401), (app.user(Role::RegionalLead, "SLE"), 404)] {
        for (method, header) in [
            ("GET", ("accept", "application/json")),
            ("GET", ("if-none-match", tag.as_str())),
            ("GET", ("if-none-match", "*")),
            ("GET", ("range", "bytes=0-9")),
            ("HEAD", ("if-none-match", tag.as_str())),
        ] {
            let ask = |path: &str| client.send(method, path, &[header], None);
            let (asked, twin) = (ask(&path), ask(&random));
            assert_eq!(asked.status, right, "{method} {header:?}");
            assert_eq!((twin.status, &twin.body), (right, &asked.body), "{method} {header:?}");
            assert_eq!(asked.header("etag"), None, "{method} {header:?}");
        }
    }
}

#[test]
fn a_country_in_no_region_is_seen_by_all_and_by_its_own_grant_alone() {
    let app = TestApp::start();
    let path = incident_in(&app, "TZA");

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
fn c56_a_lead_of_one_country_counts_its_two_and_sees_nothing_else() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let submitted = submit_march(&monitor, &app.reviewer());
    for key in ["R1", "R7"] {
        let reports = march()["reports"].as_array().expect("reports").clone();
        let body = reports.iter().find(|report| report["key"] == key).expect("a report");
        let mut other = body["body"].clone();
        other["id"] = submitted[key]["id"].clone();
        other["narrative"] = json!("told otherwise");
        monitor.post("/v1/reports", &other).expect(409);
    }
    let lead = app.user(Role::RegionalLead, "CAF");
    let own: Vec<&Value> = ["R6", "R7"].map(|key| &submitted[key]["incident"]).to_vec();
    let ids = |list: &Value| {
        let items = list["items"].as_array().expect("items");
        items.iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    };

    let mut seen = String::new();
    let mut read = |path: &str| {
        let answer = lead.get(path).expect(200);
        seen.push_str(&answer.text());
        answer.json()
    };
    for list in ["/v1/incidents?status=all", "/v1/queue?status=all"] {
        let list = read(list);
        assert_eq!(list["total"], 2);
        assert!(own.iter().all(|id| ids(&list).contains(id)), "{list}");
    }
    assert_eq!(ids(&read("/v1/queue")), [own[1].clone()], "R6 is verified");
    assert_eq!(ids(&read("/v1/incidents")), [own[0].clone()], "R7 is received");
    let counts = read("/v1/aggregates?status=all&by=country");
    assert_eq!(counts["total"]["incidents"], 2);
    let cells = counts["cells"].as_array().expect("cells");
    assert_eq!(cells.iter().map(|cell| &cell["country"]).collect::<Vec<_>>(), ["CAF"]);
    assert_eq!(counts["scope"], json!(["CAF"]));
    let countries = read("/v1/countries?status=all");
    assert_eq!(countries["countries"].as_array().map(Vec::len), Some(1), "{countries}");
    let aside = read("/v1/quarantine");
    assert_eq!(aside["total"], 1);
    assert_eq!(aside["items"][0]["report"], submitted["R7"]["id"]);
    read("/v1/countries/CAF?status=all");
    read("/v1/places?q=Bangui");
    for key in ["R6", "R7"] {
        read(&format!("/v1/reports/{}", submitted[key]["id"].as_str().expect("an id")));
        read(&format!("/v1/incidents/{}", submitted[key]["incident"].as_str().expect("an id")));
    }
    for (key, other) in submitted.iter().filter(|(key, _)| !["R6", "R7"].contains(&key.as_str())) {
        for name in ["id", "incident", "reference"] {
            let told = other[name].as_str().expect("an id");
            assert!(!seen.contains(told), "{name} of {key}");
        }
        let incident = other["incident"].as_str().expect("an id");
        lead.get(&format!("/v1/incidents/{incident}")).expect_problem(404, "not_found");
    }
    for path in ["/v1/incidents?country=SLE", "/v1/countries/SLE", "/v1/aggregates?country=SLE"] {
        lead.get(path).expect_problem(404, "not_found");
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
