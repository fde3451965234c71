//! Bearer tokens: narrower than their owner, with an end, revoked at once.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use sentinelle::auth::sessions;
use sentinelle::auth::store::find_row_id;
use sentinelle::auth::types::Role;
use sentinelle::ids::UserId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::denials::refusals;
use crate::harness::{Answer, Client, TestApp};

/// A signed-in session of a person.
pub(crate) fn session(app: &TestApp, user: UserId) -> Client {
    let now = app.context.clock.now();
    let begun = app.context.db.write_here(move |tx| {
        let row_id = find_row_id(tx.conn, user)?;
        sessions::begin(tx.conn, row_id, now, true)
    });
    let (_, secret) = begun.expect("a session");
    Client::new(&app.url, Some(secret.expose()))
}

fn make(session: &Client, body: &Value) -> Answer {
    session.post("/v1/tokens", body)
}

#[track_caller]
fn made(app: &TestApp, session: &Client, body: &Value) -> (Client, String) {
    let answer = make(session, body).expect(201).json();
    let path = format!("/v1/tokens/{}", answer["id"].as_str().expect("an id"));
    (Client::new(&app.url, answer["token"].as_str()), path)
}

fn killing(country: &str) -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-03-05", "location": {"country": country},
        "categories": ["rights.life_integrity.killing"], "narrative": Uuid::new_v4()})
}

fn open(client: &Client, report: &Value) -> u16 {
    client.get(&format!("/v1/reports/{}", report["id"].as_str().expect("an id"))).status
}

#[test]
fn a_token_does_what_its_owner_may_where_its_owner_may_until_its_day() {
    let app = TestApp::start();
    let (near, far) = (killing("SLE"), killing("ZWE"));
    app.monitor().submit(&near);
    app.monitor().submit(&far);
    let (_, id) = app.user_with_id(Role::Reviewer, "SLE,LBR");
    let session = session(&app, id);

    let (token, _) = made(&app, &session, &json!({"expires_in_days": 1}));

    assert_eq!((open(&token, &near), open(&token, &far)), (200, 404));
    app.set_now("2024-04-02T11:59:59Z");
    assert_eq!(open(&token, &near), 200);
    app.set_now("2024-04-02T12:00:00Z");
    token.get("/v1/queue").expect_problem(401, "unauthenticated");
}

#[test]
fn a_narrow_token_does_less() {
    let app = TestApp::start();
    let (near, other) = (killing("SLE"), killing("LBR"));
    app.monitor().submit(&near);
    app.monitor().submit(&other);
    let (_, id) = app.user_with_id(Role::Reviewer, "SLE,LBR");
    let session = session(&app, id);
    let narrow = json!({"expires_in_days": 30, "actions": ["read_core"], "scope": "SL"});

    let (token, _) = made(&app, &session, &narrow);

    assert_eq!(token.get("/v1/incidents?status=all").expect(200).json()["total"], 1);
    assert_eq!(open(&token, &near), 403);
    token.get("/v1/countries/LBR").expect_problem(404, "not_found");
    token.post("/v1/reports", &killing("SLE")).expect_problem(403, "forbidden");
    token.get("/v1/tokens").expect_problem(403, "forbidden");
    let listed = session.get("/v1/tokens").expect(200).json();
    let last = listed["items"].as_array().expect("tokens").last().expect("a token").clone();
    assert_eq!(
        json!([last["actions"], last["scope"], last["reveal"], last["expires_at"]]),
        json!([["read_core"], "SLE", false, "2024-05-01T12:00:00Z"])
    );
    assert!(!listed.to_string().contains("snt_"), "never a secret");
}

#[test]
fn a_token_in_a_region_follows_the_region() {
    let app = TestApp::start();
    let report = killing("LBR");
    app.monitor().submit(&report);
    let coordinator = app.user(Role::Coordinator, "all");
    let (_, id) = app.user_with_id(Role::RegionalLead, "region:west");
    let (token, _) =
        made(&app, &session(&app, id), &json!({"expires_in_days": 30, "scope": "region:west"}));
    assert_eq!(open(&token, &report), 200);

    let west = json!({"name_en": "a", "name_fr": "b", "level": "regional", "countries": ["SLE"]});
    coordinator.put("/v1/regions/west", &west).expect(200);

    assert_eq!(open(&token, &report), 404);
}

#[test]
fn what_is_beyond_the_owner_is_refused_where_it_stands() {
    let app = TestApp::start();
    let (_, reviewer) = app.user_with_id(Role::Reviewer, "SLE");
    let (_, analyst) = app.user_with_id(Role::Analyst, "SLE");
    let (reviewer, analyst) = (session(&app, reviewer), session(&app, analyst));
    let days = |mut body: Value| {
        body["expires_in_days"] = json!(30);
        body
    };
    for (session, body, pointers) in [
        (&reviewer, json!({"expires_in_days": 0}), &["/expires_in_days"][..]),
        (&reviewer, json!({"expires_in_days": 366}), &["/expires_in_days"]),
        (&reviewer, json!({}), &["/expires_in_days"]),
        (
            &reviewer,
            days(json!({"actions": ["read_core", "manage_coalition", "fly"]})),
            &["/actions/1", "/actions/2"],
        ),
        (&reviewer, days(json!({"actions": ["manage_credentials"]})), &["/actions/0"]),
        (&reviewer, days(json!({"actions": ["reveal_identities"]})), &["/actions/0"]),
        (&reviewer, days(json!({"scope": "ZWE"})), &["/scope"]),
        (&reviewer, days(json!({"scope": "SLE,ZWE"})), &["/scope"]),
        (&reviewer, days(json!({"scope": "region:west"})), &["/scope"]),
        (&reviewer, days(json!({"scope": "region:atlantis"})), &["/scope"]),
        (&reviewer, days(json!({"scope": "all"})), &["/scope"]),
        (&reviewer, days(json!({"scope": ""})), &["/scope"]),
        (&analyst, days(json!({"reveal": true})), &["/reveal"]),
        (&analyst, days(json!({"actions": ["open_report"]})), &["/actions/0"]),
    ] {
        let refused = make(session, &body).expect_problem(422, "invalid_fields");
        assert_eq!(refused.pointers(), pointers, "{body}");
    }
    let full = days(json!({"actions": ["reveal_identities", "read_core"], "reveal": true,
        "scope": "SLE"}));
    make(&reviewer, &full).expect(201);
}

#[test]
fn a_token_makes_no_tokens() {
    let app = TestApp::start();
    let (token, id) = app.user_with_id(Role::Coordinator, "all");
    make(&token, &json!({"expires_in_days": 1})).expect_problem(403, "forbidden");
    make(&session(&app, id), &json!({"expires_in_days": 1})).expect(201);
    app.device("SLE").get("/v1/tokens").expect_problem(403, "forbidden");
}

#[test]
fn c53_a_token_whose_owner_lost_the_role_is_refused_and_leaves_one_entry() {
    let app = TestApp::start();
    let report = killing("SLE");
    app.monitor().submit(&report);
    let coordinator = app.user(Role::Coordinator, "all");
    let (_, id) = app.user_with_id(Role::Reviewer, "SLE");
    let (token, _) = made(&app, &session(&app, id), &json!({"expires_in_days": 30}));
    assert_eq!(open(&token, &report), 200);

    let list = coordinator.get(&format!("/v1/grants?user={id}")).expect(200).json();
    let grant = list["items"][0]["id"].as_str().expect("an id");
    coordinator.remove(&format!("/v1/grants/{grant}")).expect(204);

    assert_eq!(open(&token, &report), 403);
    assert_eq!(refusals(&app), [(Some(id), "open_report".to_owned())]);
    token.get("/v1/queue").expect_problem(403, "forbidden");
}

#[test]
fn tokens_are_revoked_by_their_owner_and_whoever_manages_the_owner() {
    let app = TestApp::start();
    let (_, id) = app.user_with_id(Role::Reviewer, "SLE");
    let session = session(&app, id);
    let lead = app.user(Role::RegionalLead, "region:west");
    let coordinator = app.user(Role::Coordinator, "all");
    let colleague = app.user(Role::Reviewer, "SLE");
    let far = app.user(Role::RegionalLead, "region:southern");
    let day = json!({"expires_in_days": 1});

    for (revoker, right) in
        [(&session, 204), (&lead, 204), (&coordinator, 204), (&colleague, 404), (&far, 404)]
    {
        let (token, path) = made(&app, &session, &day);
        assert_eq!(revoker.remove(&path).status, right);
        let works = token.get("/v1/queue").status;
        assert_eq!(works, if right == 204 { 401 } else { 200 });
    }
    let (_, path) = made(&app, &session, &day);
    session.remove(&path).expect(204);
    session.remove(&path).expect(204);
    let unknown = "/v1/tokens/00000000-0000-4000-8000-000000000000";
    assert_eq!(
        colleague.remove(unknown).expect(404).body,
        colleague.remove(&path).expect(404).body
    );
    let of_person = format!("/v1/tokens?user={id}");
    assert_eq!(lead.get(&of_person).expect(200).json()["total"], 7);
    colleague.get(&of_person).expect_problem(404, "not_found");
    let (_, auditor) = app.user_with_id(Role::Auditor, "all");
    let list = coordinator.get(&format!("/v1/tokens?user={auditor}")).expect(200).json();
    let path = format!("/v1/tokens/{}", list["items"][0]["id"].as_str().expect("an id"));
    coordinator.remove(&path).expect(204);
}
