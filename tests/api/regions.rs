//! Regions as data: who edits them, and what follows at once.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use sentinelle::auth::types::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, SecondServer, TestApp};

fn killing(country: &str) -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-03-05", "location": {"country": country},
        "categories": ["rights.life_integrity.killing"], "narrative": Uuid::new_v4()})
}

fn west(countries: &[&str]) -> Value {
    json!({"name_en": "West Africa", "name_fr": "Afrique de l'Ouest", "level": "regional",
        "countries": countries})
}

const WEST: [&str; 7] = ["CIV", "GHA", "GIN", "LBR", "MLI", "SLE", "TGO"];

/// A verified killing there; returns the path of its incident.
fn incident(app: &TestApp, country: &str) -> String {
    let submitted = app.monitor().submit(&killing(country));
    app.reviewer().set_status(&submitted["incident"], "verified");
    format!("/v1/incidents/{}", submitted["incident"].as_str().expect("an id"))
}

fn by_region(client: &Client) -> Vec<String> {
    let answer = client.get("/v1/aggregates?by=region").expect(200).json();
    let cell = |cell: &Value| {
        let region = cell["keys"]["region"].as_str().or(cell["region"].as_str()).unwrap_or("null");
        format!("{region}:{}", cell["incidents"])
    };
    answer["cells"].as_array().expect("cells").iter().map(cell).collect()
}

/// What a running server does once a second.
fn look_for_edits(server: &SecondServer) {
    let context = &server.context;
    context.db.read_here(|conn| context.refresh_regions(conn)).expect("regions");
}

#[test]
fn four_regions_are_there_from_the_start() {
    let app = TestApp::start();

    let list = app.monitor().get("/v1/regions").expect(200).json();

    let items = list["items"].as_array().expect("regions");
    let codes: Vec<&str> =
        items.iter().map(|item| item["code"].as_str().expect("a code")).collect();
    assert_eq!(codes, ["central", "international", "southern", "west"]);
    assert_eq!(
        items[3],
        json!({"code": "west", "name_en": "West Africa", "name_fr": "Afrique de l'Ouest",
            "level": "regional", "countries": WEST})
    );
    assert_eq!(items[1]["level"], "international");
    assert_eq!(items[1]["countries"].as_array().map(Vec::len), Some(10));
}

#[test]
fn an_edit_changes_what_a_lead_sees_on_the_next_request_at_two_servers() {
    let app = TestApp::start();
    let second = app.second_server();
    let path = incident(&app, "TZA");
    let coordinator = app.user(Role::Coordinator, "all");
    let lead = app.user(Role::RegionalLead, "region:west");
    let everywhere = [lead.clone(), lead.at(&second.url)];
    for lead in &everywhere {
        lead.get(&path).expect_problem(404, "not_found");
    }

    let edited = coordinator.put("/v1/regions/west", &west(&["SLE", "TZ", "tza"])).expect(200);
    assert_eq!(edited.json()["countries"], json!(["SLE", "TZA"]));
    for lead in &everywhere {
        lead.get(&path).expect(200);
        lead.get("/v1/countries/LBR").expect_problem(404, "not_found");
    }

    coordinator.at(&second.url).put("/v1/regions/west", &west(&WEST)).expect(200);
    for lead in &everywhere {
        lead.get(&path).expect_problem(404, "not_found");
        lead.get("/v1/countries/LBR").expect(200);
    }
}

#[test]
fn counts_by_region_and_their_tag_follow_an_edit() {
    let app = TestApp::start();
    let second = app.second_server();
    incident(&app, "TZA");
    incident(&app, "SLE");
    let coordinator = app.user(Role::Coordinator, "all");
    let there = coordinator.at(&second.url);
    assert_eq!(by_region(&coordinator), ["southern:0", "central:0", "west:1", "null:1"]);
    assert_eq!(by_region(&there), ["southern:0", "central:0", "west:1", "null:1"]);
    let before = coordinator.get("/v1/aggregates?by=region").expect(200);
    let tag = before.header("etag").expect("a tag").to_owned();

    let with_tanzania = [&WEST[..], &["TZA"]].concat();
    coordinator.put("/v1/regions/west", &west(&with_tanzania)).expect(200);

    assert_eq!(by_region(&coordinator), ["southern:0", "central:0", "west:2"]);
    let headers = [("if-none-match", tag.as_str())];
    let after = coordinator.get_with("/v1/aggregates?by=region", &headers).expect(200);
    assert_ne!(after.header("etag"), Some(tag.as_str()));
    assert_eq!(after.json()["as_of"], before.json()["as_of"], "no incident changed");
    let filtered = coordinator.get("/v1/incidents?region=west").expect(200).json();
    assert_eq!(filtered["total"], 2);
    look_for_edits(&second);
    assert_eq!(by_region(&there), ["southern:0", "central:0", "west:2"]);
}

#[test]
fn an_international_region_is_a_scope_and_a_filter_and_no_bucket() {
    let app = TestApp::start();
    let path = incident(&app, "SLE");
    incident(&app, "GHA");
    let coordinator = app.user(Role::Coordinator, "all");
    let lead = app.user(Role::RegionalLead, "region:international");

    lead.get(&path).expect(200);
    lead.get("/v1/countries/GHA").expect_problem(404, "not_found");
    let filtered = coordinator.get("/v1/aggregates?region=international").expect(200).json();
    assert_eq!(filtered["total"]["incidents"], 1);
    assert_eq!(by_region(&coordinator), ["southern:0", "central:0", "west:2"]);
}

#[test]
fn a_new_region_works_everywhere_and_leaves_without_a_trace() {
    let app = TestApp::start();
    let path = incident(&app, "SLE");
    let coordinator = app.user(Role::Coordinator, "all");
    let mano = json!({"name_en": "Mano River", "name_fr": "Fleuve Mano", "level": "international",
        "countries": ["SLE", "LBR", "GIN"]});
    coordinator.get("/v1/incidents?region=mano").expect_problem(404, "not_found");

    coordinator.put("/v1/regions/mano", &mano).expect(201);

    let (lead, id) = app.user_with_id(Role::RegionalLead, "region:mano");
    lead.get(&path).expect(200);
    assert_eq!(coordinator.get("/v1/incidents?region=mano").expect(200).json()["total"], 1);
    coordinator.remove("/v1/regions/mano").expect_problem(409, "in_use");
    let grants = coordinator.get(&format!("/v1/grants?user={id}")).expect(200).json();
    let grant = grants["items"][0]["id"].as_str().expect("an id").to_owned();
    coordinator.remove(&format!("/v1/grants/{grant}")).expect(204);
    coordinator.remove("/v1/regions/mano").expect(204);
    coordinator.get("/v1/incidents?region=mano").expect_problem(404, "not_found");
    coordinator.remove("/v1/regions/mano").expect_problem(404, "not_found");
}

#[test]
fn a_grant_that_is_to_come_keeps_its_region() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (_, id) = app.user_with_id(Role::Monitor, "SLE");
    coordinator.put("/v1/regions/later", &west(&["SLE"])).expect(201);
    let grant = json!({"user": id, "role": "analyst", "scope": "region:later",
        "from": "2024-05-01", "until": "2024-05-31"});
    coordinator.post("/v1/grants", &grant).expect(201);

    coordinator.remove("/v1/regions/later").expect_problem(409, "in_use");
    app.set_now("2024-06-01T00:00:00Z");
    coordinator.remove("/v1/regions/later").expect(204);
}

#[test]
fn what_is_wrong_with_a_region_is_told_at_once() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let wrong = json!({"name_en": " ", "name_fr": "x\ny", "level": "galactic",
        "countries": ["SLE", "XYZ"]});

    let refused =
        coordinator.put("/v1/regions/West!", &wrong).expect_problem(422, "invalid_fields");

    let pointers = ["/code", "/name_en", "/name_fr", "/level", "/countries/1"];
    assert_eq!(refused.pointers(), pointers);
    let unknown = json!({"name_en": "a", "name_fr": "b", "level": "regional", "countries": [],
        "colour": "red"});
    coordinator.put("/v1/regions/west", &unknown).expect_problem(400, "unknown_field");
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Coordinator) {
        let other = app.user(role, "all");
        other.put("/v1/regions/west", &west(&WEST)).expect_problem(403, "forbidden");
        other.remove("/v1/regions/west").expect_problem(403, "forbidden");
    }
}
