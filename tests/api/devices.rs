//! Phones: their keys, what sets them up, and what a seized one yields.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::io::Read;

use actix_web::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sentinelle::app::guarded_routes;
use sentinelle::auth::types::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

fn phone(name: &str, country: &str) -> Value {
    json!({"name": name, "country": country})
}

fn report() -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": "SLE", "lat": 8.644, "lon": -10.971, "place": "Canary Gulch"},
        "categories": ["rights.life_integrity.killing"],
        "narrative": "Canary narrative of a canary day.",
        "people": [{"name": "Canary Kanneh", "contact": "canary@example.org", "role": "witness"}]})
}

/// Reads the squares of a QR code in SVG.
fn read_qr(svg: &str) -> String {
    let number = |text: &str, name: &str| -> usize {
        let (_, rest) = text.split_once(&format!("{name}=\"")).expect("a number");
        rest.split('"').next().and_then(|digits| digits.parse().ok()).expect("a number")
    };
    let width = number(svg, "width");
    let (_, path) = svg.split_once(" d=\"").expect("a path");
    let mut dark = vec![false; width * width];
    for square in path.split('"').next().expect("a path").split('M').skip(1) {
        let numbers: Vec<usize> = square
            .split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().expect("a number"))
            .collect();
        let [left, top, across, down, ..] = numbers[..] else { unreachable!("a square: {square}") };
        for y in top..top + down {
            dark[y * width + left..y * width + left + across].fill(true);
        }
    }
    let shade = |x: usize, y: usize| if dark[y * width + x] { 0 } else { 255 };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, width, shade);
    let grids = picture.detect_grids();
    grids[0].decode().expect("a QR code").1
}

#[test]
fn the_code_sets_collect_up_with_the_key() {
    let app = TestApp::start();
    let reviewer = app.user(Role::Reviewer, "SLE");

    let made = reviewer.post("/v1/devices", &phone("phone 7", "SL")).expect(201).json();

    let key = made["key"].as_str().expect("a key");
    let right = json!({
        "general": {"server_url": format!("{}/odk/{key}", app.url),
            "form_update_mode": "match_exactly"},
        "admin": {}, "project": {"name": "Sentinelle"}});
    assert_eq!(made["settings"], right);
    let payload = read_qr(made["settings_qr"].as_str().expect("a picture"));
    let packed = STANDARD.decode(payload).expect("base64");
    let mut text = String::new();
    flate2::read::ZlibDecoder::new(&packed[..]).read_to_string(&mut text).expect("deflated");
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), right);
    Client::new(&app.url, Some(key)).post("/v1/reports", &report()).expect(201);
}

#[test]
fn an_address_from_elsewhere_is_taken_as_a_safe_one() {
    let app = TestApp::start();
    let reviewer = app.user(Role::Reviewer, "SLE");
    let body = phone("phone 7", "SLE").to_string();
    let ask = |host: &str| {
        let headers = [("content-type", "application/json"), ("host", host)];
        reviewer.send("POST", "/v1/devices", &headers, Some(body.as_bytes()))
    };

    let made = ask("reports.example.org").expect(201).json();

    let url = made["settings"]["general"]["server_url"].as_str().expect("an address");
    assert!(url.starts_with("https://reports.example.org/odk/snt_d_"), "{url}");
    ask("a\"b/../c").expect(400);
}

#[test]
fn phones_are_listed_within_the_scope_and_never_with_their_key() {
    let app = TestApp::start();
    let reviewer = app.user(Role::Reviewer, "SLE");
    let coordinator = app.user(Role::Coordinator, "all");
    let (_, monitor) = app.user_with_id(Role::Monitor, "SLE");
    let near = json!({"name": "near", "country": "SLE", "owner": monitor});
    let near = reviewer.post("/v1/devices", &near).expect(201).json();
    coordinator.post("/v1/devices", &phone("far", "ZWE")).expect(201);

    let seen = reviewer.get("/v1/devices").expect(200);
    let all = coordinator.get("/v1/devices").expect(200);

    assert_eq!(
        seen.json(),
        json!({"items": [{"id": near["id"], "name": "near", "country": "SLE", "owner": monitor,
            "organisation": null, "created_at": "2024-04-01T12:00:00Z", "revoked_at": null}],
            "next": null, "total": 1})
    );
    assert_eq!(all.json()["total"], 2);
    assert!(!all.text().contains("snt_"));
    let first = coordinator.get("/v1/devices?limit=1").expect(200).json();
    let cursor = first["next"].as_str().expect("a cursor");
    let second = coordinator.get(&format!("/v1/devices?limit=1&cursor={cursor}")).expect(200);
    assert_eq!(second.json()["items"][0]["name"], "far");
}

#[test]
fn a_revoked_key_is_refused_from_the_next_request_on() {
    let app = TestApp::start();
    let reviewer = app.user(Role::Reviewer, "SLE");
    let made = reviewer.post("/v1/devices", &phone("phone 7", "SLE")).expect(201).json();
    let key = Client::new(&app.url, made["key"].as_str());
    let path = format!("/v1/devices/{}", made["id"].as_str().expect("an id"));
    let sent = report();
    key.post("/v1/reports", &sent).expect(201);
    let receipt = format!("/v1/reports/{}/receipt", sent["id"].as_str().expect("an id"));
    key.get(&receipt).expect(200);

    reviewer.remove(&path).expect(204);
    key.get(&receipt).expect_problem(401, "unauthenticated");
    key.post("/v1/reports", &report()).expect_problem(401, "unauthenticated");
    reviewer.remove(&path).expect(204);

    reviewer.post("/v1/devices", &phone("phone 7", "SLE")).expect(201);
    let list = reviewer.get("/v1/devices").expect(200).json();
    assert_eq!(list["items"][0]["revoked_at"], "2024-04-01T12:00:00Z", "and its name is free");
}

#[test]
fn a_phone_is_renamed_and_given_to_another() {
    let app = TestApp::start();
    let reviewer = app.user(Role::Reviewer, "SLE");
    let (_, monitor) = app.user_with_id(Role::Monitor, "SLE");
    let made = reviewer.post("/v1/devices", &phone("phone 7", "SLE")).expect(201).json();
    reviewer.post("/v1/devices", &phone("phone 8", "SLE")).expect(201);
    let path = format!("/v1/devices/{}", made["id"].as_str().expect("an id"));

    let changed =
        reviewer.put(&path, &json!({"name": "phone 7b", "owner": monitor})).expect(200).json();
    assert_eq!((&changed["name"], &changed["owner"]), (&json!("phone 7b"), &json!(monitor)));
    let taken_away = reviewer.put(&path, &json!({"name": "phone 7"})).expect(200).json();
    assert_eq!((&taken_away["name"], &taken_away["owner"]), (&json!("phone 7"), &Value::Null));

    reviewer.put(&path, &json!({"name": "Phone  8"})).expect_problem(409, "name_taken");
    reviewer.post("/v1/devices", &phone("phone 7", "SLE")).expect_problem(409, "name_taken");
}

#[test]
fn an_owner_is_somebody_one_manages_or_oneself() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (reviewer, own) = app.user_with_id(Role::Reviewer, "SLE");
    let (_, lead) = app.user_with_id(Role::RegionalLead, "region:west");
    let owned = |name: &str, owner: &str| json!({"name": name, "country": "SLE", "owner": owner});

    reviewer.post("/v1/devices", &owned("own", &own.to_string())).expect(201);
    let refused = reviewer.post("/v1/devices", &owned("lead's", &lead.to_string()));
    assert_eq!(refused.expect_problem(422, "invalid_fields").pointers(), ["/owner"]);
    let made = coordinator.post("/v1/devices", &owned("lead's", &lead.to_string())).expect(201);
    let path = format!("/v1/devices/{}", made.json()["id"].as_str().expect("an id"));
    let kept = json!({"name": "renamed", "owner": lead});
    reviewer.put(&path, &kept).expect(200);
}

#[test]
fn what_is_wrong_with_a_phone_is_told_at_once() {
    let app = TestApp::start();
    let reviewer = app.user(Role::Reviewer, "SLE");
    let wrong = json!({"name": "", "country": "ZWE", "owner": "x", "organisation": "y"});

    let refused = reviewer.post("/v1/devices", &wrong).expect_problem(422, "invalid_fields");

    assert_eq!(refused.pointers(), ["/country", "/name", "/owner", "/organisation"]);
    let nowhere = json!({"name": "a", "country": "XYZ"});
    let refused = reviewer.post("/v1/devices", &nowhere).expect_problem(422, "invalid_fields");
    assert_eq!(refused.pointers(), ["/country"]);
    let unknown = json!({"name": "a", "country": "SLE", "organisation": UNKNOWN});
    let refused = reviewer.post("/v1/devices", &unknown).expect_problem(422, "invalid_fields");
    assert_eq!(refused.pointers(), ["/organisation"]);
    let far = app.user(Role::Coordinator, "all").post("/v1/devices", &phone("far", "ZWE"));
    let far = far.expect(201).json()["id"].as_str().expect("an id").to_owned();
    for method in ["PUT", "DELETE"] {
        let ask = |id: &str| {
            let body = json!({"name": "mine now"}).to_string();
            let headers = [("content-type", "application/json")];
            reviewer.send(method, &format!("/v1/devices/{id}"), &headers, Some(body.as_bytes()))
        };
        assert_eq!(ask(&far).expect(404).body, ask(UNKNOWN).expect(404).body);
    }
    for role in [Role::Monitor, Role::Analyst, Role::Auditor, Role::Sysadmin] {
        let other = app.user(role, "all");
        other.get("/v1/devices").expect_problem(403, "forbidden");
        other.post("/v1/devices", &phone("a", "SLE")).expect_problem(403, "forbidden");
    }
}

#[test]
fn a_seized_phone_with_a_live_key_yields_no_narrative_name_or_place() {
    let app = TestApp::start();
    let key = app.device("SLE");
    let sent = report();
    let answer = key.post("/v1/reports", &sent).expect(201);
    assert!(!answer.text().to_lowercase().contains("canary"));
    let lowered = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_lowercase();
    let id = sent["id"].as_str().expect("an id");
    let reviewer = app.reviewer();
    let opened = reviewer.get(&format!("/v1/reports/{id}")).expect(200).json();
    let incident = opened["incident"].as_str().expect("an incident");
    let mut n_asked = 0;

    for ((method, route), _) in guarded_routes() {
        if method != Method::GET {
            continue;
        }
        for id in [id, incident, UNKNOWN] {
            let path = route
                .replace("{id}", id)
                .replace("{country}", "SLE")
                .replace("{name}", "map")
                .replace("{table}.{format}", "reports.csv")
                .replace("{code}", "west")
                .replace("{related}", id)
                .replace("{other}", id)
                .replace("{collection}", "incidents")
                .replace("{version}", "1");
            assert!(!path.contains('{'), "{path}: every name in it is filled in");
            let got = key.get(&path);
            let is_own =
                ["/v1/reports/{id}/receipt", "/v1/messages"].contains(&route) && got.status == 200;
            assert!(is_own || [400, 401, 403, 404].contains(&got.status), "{path}: {}", got.status);
            let text = lowered(&got.body);
            for secret in ["canary", "kanneh", "8.64", "10.97", "@example.org"] {
                assert!(!text.contains(secret), "{path}: {text}");
            }
            n_asked += 1;
        }
    }
    assert!(n_asked > 60, "every route was asked: {n_asked}");
    // Where the phone says again what it said, it learns no more.
    assert!(!lowered(&key.post("/v1/reports", &sent).body).contains("canary"));
}
