//! Organisations.

use sentinelle::auth::accounts::add_device;
use sentinelle::auth::types::Role;
use serde_json::{Value, json};

use crate::harness::TestApp;

fn watch(name: &str) -> Value {
    json!({"name": name, "country": "SL", "membership": "member"})
}

#[test]
fn a_coordinator_adds_and_changes_what_everybody_reads() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");

    let added = coordinator.post("/v1/organisations", &watch(" Kono Watch ")).expect(201).json();
    let path = format!("/v1/organisations/{}", added["id"].as_str().expect("an id"));

    let as_added = json!({"id": added["id"], "name": "Kono Watch", "country": "SLE",
        "membership": "member"});
    assert_eq!(added, as_added);
    assert_eq!(app.monitor().get(&path).expect(200).json(), as_added);
    let changed = json!({"name": "Kono Rights Watch", "membership": "observer"});
    let changed = coordinator.put(&path, &changed).expect(200).json();
    assert_eq!(changed["country"], Value::Null, "an international one");
    assert_eq!(changed["membership"], "observer");
    let list = app.monitor().get("/v1/organisations").expect(200).json();
    assert_eq!((&list["total"], &list["items"]), (&json!(1), &json!([changed])));
}

#[test]
fn a_name_is_one_organisations_own() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    coordinator.post("/v1/organisations", &watch("One")).expect(201);
    let two = coordinator.post("/v1/organisations", &watch("Two")).expect(201).json();
    let path = format!("/v1/organisations/{}", two["id"].as_str().expect("an id"));

    coordinator.post("/v1/organisations", &watch("One")).expect_problem(409, "name_taken");
    coordinator.put(&path, &watch("One")).expect_problem(409, "name_taken");
    coordinator.put(&path, &watch("Two")).expect(200);
}

#[test]
fn pages_follow_each_other() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    for name in ["One", "Two", "Three"] {
        coordinator.post("/v1/organisations", &watch(name)).expect(201);
    }

    let first = coordinator.get("/v1/organisations?limit=2").expect(200).json();
    let cursor = first["next"].as_str().expect("a cursor");
    let second =
        coordinator.get(&format!("/v1/organisations?limit=2&cursor={cursor}")).expect(200).json();

    assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
    assert_eq!((&second["items"][0]["name"], &second["next"]), (&json!("Three"), &Value::Null));
    coordinator
        .get(&format!("/v1/regions?cursor={cursor}"))
        .expect_problem(400, "unknown_parameter");
    coordinator.get(&format!("/v1/users?cursor={cursor}")).expect_problem(400, "invalid_cursor");
}

#[test]
fn what_is_wrong_with_an_organisation_is_told_at_once() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let wrong = json!({"name": "", "country": "Atlantis", "membership": "friend"});

    let refused =
        coordinator.post("/v1/organisations", &wrong).expect_problem(422, "invalid_fields");

    assert_eq!(refused.pointers(), ["/name", "/country", "/membership"]);
    let unknown = "/v1/organisations/00000000-0000-4000-8000-000000000000";
    coordinator.get(unknown).expect_problem(404, "not_found");
    coordinator.put(unknown, &watch("X")).expect_problem(404, "not_found");
    coordinator.get("/v1/organisations/1").expect_problem(404, "not_found");
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Coordinator) {
        let other = app.user(role, "all");
        other.post("/v1/organisations", &watch("X")).expect_problem(403, "forbidden");
        other.put(unknown, &watch("X")).expect_problem(403, "forbidden");
    }
}

#[test]
fn a_phone_handed_out_by_an_unknown_organisation_makes_it_a_candidate_once() {
    let app = TestApp::start();
    for name in ["phone 1", "phone 2"] {
        let organisation = Some("Lofa Diggers' Union".to_owned());
        add_device(&app.context, name, "LBR", None, organisation).expect("a phone");
    }

    let coordinator = app.user(Role::Coordinator, "all");
    let list = coordinator.get("/v1/organisations").expect(200).json();
    let phones = coordinator.get("/v1/devices").expect(200).json();

    assert_eq!(list["total"], 1);
    assert_eq!(list["items"][0]["membership"], "candidate");
    assert_eq!(list["items"][0]["country"], "LBR");
    assert_eq!(phones["items"][1]["organisation"], list["items"][0]["id"]);
}
