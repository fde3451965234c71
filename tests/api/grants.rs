//! Grants: from when to when, who follows what, giving and ending.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use sentinelle::auth::types::Role;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};

fn ids(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("/v1/grants?{query}")).expect(200).json();
    let items = list["items"].as_array().expect("items");
    assert_eq!(list["total"], items.len());
    items.iter().map(|item| item["user"].as_str().expect("an id").to_owned()).collect()
}

#[track_caller]
fn give(client: &Client, grant: &Value) -> String {
    let given = client.post("/v1/grants", grant).expect(201).json();
    format!("/v1/grants/{}", given["id"].as_str().expect("an id"))
}

#[test]
fn a_dated_grant_holds_in_its_time_alone() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (monitor, id) = app.user_with_id(Role::Monitor, "SLE");
    let grant = json!({"user": id, "role": "reviewer", "scope": "SLE", "from": "2024-05-01",
        "until": "2024-05-31"});
    let given = coordinator.post("/v1/grants", &grant).expect(201).json();
    assert_eq!(
        (&given["state"], &given["until"]),
        (&json!("upcoming"), &json!("2024-06-01T00:00:00Z"))
    );

    for (now, right) in [
        ("2024-04-30T23:59:59.999Z", 403),
        ("2024-05-01T00:00:00Z", 200),
        ("2024-05-31T23:59:59.999Z", 200),
        ("2024-06-01T00:00:00Z", 403),
    ] {
        app.set_now(now);
        assert_eq!(monitor.get("/v1/queue").status, right, "{now}");
    }
    assert_eq!(ids(&coordinator, "role=reviewer"), Vec::<String>::new());
    let person = coordinator.get(&format!("/v1/users/{id}")).expect(200).json();
    assert_eq!(person["grants"][1]["state"], "ended", "it stays to be read");
}

#[test]
fn a_grant_that_ends_now_holds_no_longer_and_its_row_stays() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (person, id) = app.user_with_id(Role::Monitor, "SLE");
    let path = give(&coordinator, &json!({"user": id, "role": "reviewer", "scope": "SLE"}));
    person.get("/v1/queue").expect(200);

    coordinator.remove(&path).expect(204);
    person.get("/v1/queue").expect_problem(403, "forbidden");
    coordinator.remove(&path).expect(204);

    let shown = coordinator.get(&format!("/v1/users/{id}")).expect(200).json();
    assert_eq!(shown["grants"][1]["revoked_at"], "2024-04-01T12:00:00Z");
    coordinator
        .remove("/v1/grants/00000000-0000-4000-8000-000000000000")
        .expect_problem(404, "not_found");
}

#[test]
fn who_follows_a_working_group_in_a_country_is_found() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let person = || app.user_with_id(Role::Monitor, "TZA").1.to_string();
    let (near, region, far, everywhere) = (person(), person(), person(), person());
    for (user, role, scope, tags) in [
        (&near, "reviewer", "SLE", &["watch_kp_wgm"][..]),
        (&region, "regional_lead", "region:west", &["watch_kp_wgm", "lead_rights"]),
        (&far, "reviewer", "ZWE", &["watch_kp_wgm"]),
        (&everywhere, "analyst", "all", &["watch_kp_wgaap"]),
    ] {
        give(&coordinator, &json!({"user": user, "role": role, "scope": scope, "tags": tags}));
    }

    let all = [near.clone(), region.clone(), far.clone()];
    assert_eq!(ids(&coordinator, "tag=watch_kp_wgm"), all);
    assert_eq!(ids(&coordinator, "tag=watch_kp_wgm&country=SLE"), [near.clone(), region.clone()]);
    assert_eq!(ids(&coordinator, "tag=lead_rights&country=ZWE"), Vec::<String>::new());
    assert_eq!(
        ids(&coordinator, "tag=watch_kp_wgaap&country=tz"),
        std::slice::from_ref(&everywhere)
    );
    assert_eq!(ids(&coordinator, "role=analyst"), std::slice::from_ref(&everywhere));
    let lead = app.user(Role::RegionalLead, "region:west");
    assert_eq!(ids(&lead, "tag=watch_kp_wgm"), [near, region], "the far one is not there");
    lead.get("/v1/grants?country=ZWE").expect_problem(404, "not_found");
    lead.get("/v1/grants?country=XYZ").expect_problem(404, "not_found");
    for query in ["tag=watch_everything", "role=king", "user=x"] {
        lead.get(&format!("/v1/grants?{query}")).expect_problem(400, "invalid_parameter");
    }
    lead.get("/v1/grants?colour=red").expect_problem(400, "unknown_parameter");
    assert!(!lead.get("/v1/grants").expect(200).text().contains("name"), "ids only");
}

#[test]
fn nobody_gives_or_takes_above_their_role_or_outside_their_scope() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (lead, _) = app.user_with_id(Role::RegionalLead, "region:west");
    let (reviewer, _) = app.user_with_id(Role::Reviewer, "SLE");
    let (_, person) = app.user_with_id(Role::Monitor, "SLE");
    let grant = |role: &str, scope: &str| json!({"user": person, "role": role, "scope": scope});

    for (client, role, scope, right) in [
        (&reviewer, "reviewer", "SLE", 403),
        (&reviewer, "monitor", "LBR", 403),
        (&lead, "regional_lead", "SLE", 403),
        (&lead, "analyst", "SLE", 403),
        (&lead, "reviewer", "ZWE", 403),
        (&coordinator, "auditor", "all", 403),
        (&coordinator, "sysadmin", "all", 403),
        (&lead, "monitor", "LBR", 201),
        (&lead, "reviewer", "SLE", 201),
        (&coordinator, "analyst", "all", 201),
    ] {
        let answer = client.post("/v1/grants", &grant(role, scope));
        assert_eq!(answer.status, right, "{role} in {scope}: {}", answer.text());
    }
    let path_of = |role: &str| {
        let list = coordinator.get(&format!("/v1/grants?user={person}&role={role}")).expect(200);
        format!("/v1/grants/{}", list.json()["items"][0]["id"].as_str().expect("an id"))
    };
    for (client, role, right) in [
        (&reviewer, "reviewer", 403),
        (&lead, "analyst", 403),
        (&lead, "reviewer", 204),
        (&reviewer, "monitor", 204),
        (&coordinator, "analyst", 204),
    ] {
        let answer = client.remove(&path_of(role));
        assert_eq!(answer.status, right, "{role}: {}", answer.text());
    }
}

#[test]
fn a_grant_out_of_scope_is_byte_for_byte_a_random_id() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (_, far) = app.user_with_id(Role::Monitor, "ZWE");
    let list = coordinator.get(&format!("/v1/grants?user={far}")).expect(200).json();
    let id = list["items"][0]["id"].as_str().expect("an id");
    let reviewer = app.user(Role::Reviewer, "SLE");

    let out_of_scope = reviewer.remove(&format!("/v1/grants/{id}")).expect(404);
    let none = reviewer.remove("/v1/grants/00000000-0000-4000-8000-000000000000").expect(404);
    assert_eq!(out_of_scope.body, none.body);
}

#[test]
fn nobody_gives_themselves_more() {
    let app = TestApp::start();
    let (coordinator, id) = app.user_with_id(Role::Coordinator, "all");
    let (lead, lead_id) = app.user_with_id(Role::RegionalLead, "region:west");

    for (client, id, role, scope) in [
        (&coordinator, id, "reviewer", "all"),
        (&coordinator, id, "coordinator", "all"),
        (&lead, lead_id, "reviewer", "SLE"),
        (&lead, lead_id, "coordinator", "all"),
    ] {
        let grant = json!({"user": id, "role": role, "scope": scope});
        client.post("/v1/grants", &grant).expect_problem(403, "forbidden");
    }
}

#[test]
fn who_watches_coordinators_is_none_of_them() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    for role in [Role::Auditor, Role::Sysadmin] {
        let (_, id) = app.user_with_id(role, "all");
        let grant = json!({"user": id, "role": "coordinator", "scope": "all"});
        coordinator.post("/v1/grants", &grant).expect_problem(409, "roles_apart");
        let grant = json!({"user": id, "role": "analyst", "scope": "all"});
        coordinator.post("/v1/grants", &grant).expect(201);
    }
}

#[test]
fn the_same_role_is_given_once_at_a_time() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (_, id) = app.user_with_id(Role::Monitor, "SLE");
    let rota = |from: &str, until: &str| json!({"user": id, "role": "reviewer", "scope": "SLE", "from": from, "until": until});

    give(&coordinator, &rota("2024-05-01", "2024-05-31"));
    give(&coordinator, &rota("2024-06-01", "2024-06-30"));
    for taken in [rota("2024-05-31", "2024-06-01"), rota("2024-04-01", "2024-12-31")] {
        coordinator.post("/v1/grants", &taken).expect_problem(409, "already_granted");
    }
    let monitor = json!({"user": id, "role": "monitor", "scope": "sle"});
    coordinator.post("/v1/grants", &monitor).expect_problem(409, "already_granted");
}

#[test]
fn a_disabled_person_is_given_nothing() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (_, id) = app.user_with_id(Role::Monitor, "SLE");
    coordinator.post_bytes(&format!("/v1/users/{id}/disable"), &[], b"").expect(204);

    let grant = json!({"user": id, "role": "reviewer", "scope": "SLE"});
    coordinator.post("/v1/grants", &grant).expect_problem(409, "account_disabled");
}
