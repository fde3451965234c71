//! Feed keys: what spreadsheets and maps read with. They read lists and counts, and are taken as a password.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sentinelle::auth::types::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApp, submit_march};

const COUNTS: &str = "/v1/aggregates.csv?by=country&bom=0";

/// Makes a token, as whoever signed in.
fn make(session: &Client, more: &Value) -> Answer {
    let mut body = json!({"expires_in_days": 90});
    body.as_object_mut().expect("a body").extend(more.as_object().expect("fields").clone());
    session.post("/v1/tokens", &body)
}

fn key_of(session: &Client, more: &Value) -> String {
    let answer = make(session, more).expect(201).json();
    answer["token"].as_str().expect("a token").to_owned()
}

/// As a program sends it that knows names and passwords only.
fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

fn get(app: &TestApp, authorization: &str, path: &str) -> Answer {
    app.anonymous().get_with(path, &[("authorization", authorization)])
}

#[test]
fn a_feed_key_is_taken_as_a_password_with_any_name_and_as_a_token() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let analyst = app.session(Role::Analyst, "all");
    let key = key_of(&analyst, &json!({"feed": true}));

    assert!(key.starts_with("snt_f_"), "{key}");
    let counted = analyst.get(COUNTS).expect(200).text();
    for name in ["feed", "", "Aïcha"] {
        assert_eq!(get(&app, &basic(name, &key), COUNTS).expect(200).text(), counted, "{name}");
    }
    assert_eq!(
        get(&app, &format!("bAsIc {}", STANDARD.encode(format!("x:{key}"))), COUNTS).status,
        200
    );
    assert_eq!(get(&app, &format!("Bearer {key}"), "/v1/incidents").expect(200).json()["total"], 8);
    let listed = analyst.get("/v1/tokens").expect(200).json();
    assert_eq!(listed["items"][0]["feed"], true);
    assert_eq!(listed["items"][0]["actions"], json!(["read_core"]));
}

#[test]
fn no_other_credential_is_taken_as_a_password() {
    let app = TestApp::start();
    let session = app.session(Role::Analyst, "all");
    let token = key_of(&session, &json!({"actions": ["read_core"]}));
    let device = app.device("SLE");

    let own = app.user(Role::Analyst, "all");
    for secret in [token.as_str(), device.token(), session.token(), own.token(), "snt_f_", ""] {
        get(&app, &basic("feed", secret), COUNTS).expect_problem(401, "unauthenticated");
    }
    for broken in ["Basic", "Basic !", "Basic Og==", "Basic w6k=", "Basic /w==", "Digest a=b"] {
        get(&app, broken, COUNTS).expect_problem(401, "unauthenticated");
    }
}

#[test]
fn a_feed_key_opens_nothing_and_changes_nothing() {
    let app = TestApp::start();
    let report = app.monitor().submit(&crate::harness::march()["reports"][0]["body"]);
    let key = key_of(&app.session(Role::RegionalLead, "SLE"), &json!({"feed": true}));
    let client = Client::new(&app.url, Some(&key));

    let report = format!("/v1/reports/{}", report["id"].as_str().expect("an id"));
    client.get(&report).expect_problem(403, "forbidden");
    client.get("/v1/incidents?q=guards").expect_problem(403, "forbidden");
    client.get("/v1/tokens").expect_problem(403, "forbidden");
    let refused = client.post("/v1/incidents", &json!({})).expect_problem(403, "forbidden");
    assert!(refused.text().contains("a feed key only reads"), "{}", refused.text());
    client
        .remove("/v1/tokens/00000000-0000-4000-8000-000000000000")
        .expect_problem(403, "forbidden");
}

#[test]
fn a_feed_key_reaches_as_far_as_it_was_made_for_until_it_is_revoked() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let (owner, id) = app.user_with_id(Role::Analyst, "SLE,COD");
    let session = crate::tokens::session(&app, id);
    let key = key_of(&session, &json!({"feed": true, "scope": "SLE"}));
    let listed = |key: &str| get(&app, &basic("x", key), "/v1/incidents");

    assert_eq!(listed(&key).expect(200).json()["total"], 2);
    assert_eq!(owner.get("/v1/incidents").expect(200).json()["total"], 4);
    let id = session.get("/v1/tokens").expect(200).json()["items"]
        .as_array()
        .expect("tokens")
        .iter()
        .find(|token| token["feed"] == true)
        .expect("the key")["id"]
        .clone();
    session.remove(&format!("/v1/tokens/{}", id.as_str().expect("an id"))).expect(204);
    listed(&key).expect_problem(401, "unauthenticated");
}

#[test]
fn what_a_feed_key_is_not_is_refused_where_it_stands() {
    let app = TestApp::start();
    let analyst = app.session(Role::Analyst, "all");
    let refused = make(&analyst, &json!({"feed": true, "actions": ["read_core"]}));
    assert_eq!(refused.expect_problem(422, "invalid_fields").pointers(), ["/feed"]);
    let refused = make(&app.session(Role::Monitor, "SLE"), &json!({"feed": true}));
    assert_eq!(refused.expect_problem(422, "invalid_fields").pointers(), ["/feed"]);
}

#[test]
fn programs_are_told_that_a_password_would_do_and_pages_of_a_browser_are_not() {
    let app = TestApp::start();
    let asked = |path: &str, headers: &[(&str, &str)]| {
        let answer = app.anonymous().get_with(path, headers).expect_problem(401, "unauthenticated");
        let challenges = answer.headers.get_all("www-authenticate").iter();
        challenges.filter(|value| value.as_bytes().starts_with(b"Basic ")).count()
    };
    assert_eq!(asked(COUNTS, &[]), 1);
    assert_eq!(asked(COUNTS, &[("sec-fetch-mode", "navigate")]), 1);
    assert_eq!(asked(COUNTS, &[("sec-fetch-mode", "cors")]), 0);
    assert_eq!(asked("/v1/aggregates", &[]), 1, "whatever is asked for");
}
