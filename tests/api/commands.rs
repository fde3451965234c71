//! Commands on the server that look after people, tokens and phones.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use sentinelle::auth::types::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::exports::leaving::exported;
use crate::harness::{Client, TestApp, sha256, submit_march};

/// Runs the built program beside the running application.
fn run(app: &TestApp, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    command.args(words).arg("--data-dir").arg(app.folder.path());
    command.args(["--database-url", &app.database_url]).env("SENTINELLE_LOG", "error");
    command.output().expect("the program runs")
}

/// What the program answers, a line each.
#[track_caller]
fn told(app: &TestApp, words: &[&str]) -> Vec<Value> {
    let ended = run(app, words);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let text = String::from_utf8(ended.stdout).expect("text");
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| json!(line));
    text.lines().map(line).collect()
}

/// What the program says where it fails.
#[track_caller]
fn refused(app: &TestApp, words: &[&str]) -> String {
    let ended = run(app, words);
    assert!(!ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    String::from_utf8_lossy(&ended.stderr).into_owned()
}

#[test]
fn people_are_listed_given_a_role_and_disabled_by_name() {
    let app = TestApp::start();
    app.user_named("A. Reviewer", Role::Reviewer, "SLE");
    app.user_named("An Auditor", Role::Auditor, "all");

    told(&app, &["user", "grant", "a. reviewer", "--role", "analyst", "--scope", "region:west"]);
    let list = told(&app, &["user", "list", "--json"]);
    assert_eq!(
        json!([list[0]["name"], list[0]["state"], list[0]["grants"]]),
        json!(["A. Reviewer", "active", ["reviewer SLE", "analyst region:west"]])
    );
    let words = ["user", "grant", "An Auditor", "--role", "coordinator", "--scope", "all"];
    assert!(refused(&app, &words).contains("at once"));
    let words = ["user", "grant", "A. Reviewer", "--role", "analyst", "--scope", "region:moon"];
    assert!(refused(&app, &words).contains("no region"));
    let words = ["user", "add", "B", "--role", "analyst", "--scope", "region:moon"];
    assert!(refused(&app, &words).contains("no region"));

    assert_eq!(told(&app, &["user", "disable", "A. Reviewer"]), ["disabled"]);
    assert_eq!(told(&app, &["user", "disable", "A. Reviewer"]), ["was disabled already"]);
    assert!(refused(&app, &["user", "disable", "Nobody"]).contains("no user"));
    assert_eq!(told(&app, &["user", "list", "--json"])[0]["state"], "disabled");
}

#[test]
fn the_last_coordinator_stays_on_the_server_too() {
    let app = TestApp::start();
    app.user_named("One", Role::Coordinator, "all");
    assert!(refused(&app, &["user", "disable", "One"]).contains("no coordinator"));

    app.user_named("Two", Role::Coordinator, "all");
    assert_eq!(told(&app, &["user", "disable", "One"]), ["disabled"]);
}

#[test]
fn tokens_are_made_narrow_and_revoked_by_id() {
    let app = TestApp::start();
    app.user_named("A. Reviewer", Role::Reviewer, "SLE,LBR");
    let words = [
        "token",
        "add",
        "A. Reviewer",
        "--actions",
        "read_core,use_account",
        "--scope",
        "SLE",
        "--json",
    ];
    let made = told(&app, &words);
    let token = Client::new(&app.url, made[0]["token"].as_str());
    token.get("/v1/countries/SLE").expect(200);
    token.get("/v1/countries/LBR").expect_problem(404, "not_found");
    token.get("/v1/queue").expect(200);
    token.get("/v1/quarantine").expect_problem(403, "forbidden");
    let listed = token.get("/v1/tokens").expect(200).json();
    let id = listed["items"][1]["id"].as_str().expect("an id");

    assert_eq!(told(&app, &["token", "revoke", id]), ["revoked"]);
    token.get("/v1/queue").expect_problem(401, "unauthenticated");
    assert_eq!(told(&app, &["token", "revoke", id]), ["was revoked already"]);
    let unknown = Uuid::new_v4().to_string();
    assert!(refused(&app, &["token", "revoke", &unknown]).contains("no token"));
    assert!(refused(&app, &["token", "revoke", "snt_u_x"]).contains("by its id"));
    let words = ["token", "add", "A. Reviewer", "--actions", "fly"];
    assert!(refused(&app, &words).contains("no action"));
}

#[test]
fn a_token_reveals_only_where_it_was_made_for_that() {
    let app = TestApp::start();
    let report = json!({"id": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": "SLE"}, "categories": ["rights.life_integrity.killing"]});
    let submitted = app.monitor().submit(&report);
    let path = format!("/v1/incidents/{}/reveal", submitted["incident"].as_str().expect("an id"));
    // Commands go by the real clock.
    app.set_now("2100-01-01T00:00:00Z");
    for (name, more, right) in [("One", None, 403), ("Two", Some("--reveal"), 200)] {
        let words =
            ["user", "add", name, "--role", "reviewer", "--scope", "SLE", "--token", "--json"];
        let words: Vec<&str> = words.into_iter().chain(more).collect();
        let token = told(&app, &words)[0]["token"].as_str().expect("a token").to_owned();
        let reason = json!({"reason": "the source asked to be called", "parts": ["identities"]});
        let answer = Client::new(&app.url, Some(&token)).post(&path, &reason);
        assert_eq!(answer.status, right, "{name}: {}", answer.text());
    }
}

#[test]
fn phones_are_listed_and_revoked_by_name_or_id() {
    let app = TestApp::start();
    let add = |name: &str| {
        let words = ["device", "add", name, "--country", "SLE", "--org", "Kono Watch", "--json"];
        told(&app, &words)[0].clone()
    };
    let (one, two) = (add("phone 1"), add("phone 2"));
    let receipt = format!("/v1/reports/{}/receipt", Uuid::new_v4());
    let key = |made: &Value| Client::new(&app.url, made["key"].as_str()).get(&receipt).status;
    assert_eq!((key(&one), key(&two)), (404, 404));

    assert_eq!(told(&app, &["device", "revoke", "Phone  1"]), ["revoked"]);
    let id = two["device"].as_str().expect("an id");
    assert_eq!(told(&app, &["device", "revoke", id]), ["revoked"]);
    assert_eq!((key(&one), key(&two)), (401, 401));
    assert!(refused(&app, &["device", "revoke", "phone 1"]).contains("no such phone"));
    assert_eq!(told(&app, &["device", "revoke", id]), ["was revoked already"]);

    let listed = told(&app, &["device", "list", "--json"]);
    assert_eq!(
        json!([listed[0]["name"], listed[0]["state"], listed[1]["country"]]),
        json!(["phone 1", "revoked", "SLE"])
    );
    assert!(!listed.iter().any(|line| line.to_string().contains("snt_")));
}

#[test]
fn a_file_is_exported_as_a_coordinator_gets_it_and_written_down() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let coordinator = app.user(Role::Coordinator, "all");
    let path = app.folder.path().join("incidents.csv");
    let words = |file: &'static str, to: &str| {
        ["export", file, "--query", "country=SLE&bom=0&lang=fr", "--to", to].map(str::to_owned)
    };
    let export = |file, to: &std::path::Path| {
        let words = words(file, to.to_str().expect("a path"));
        run(&app, &words.each_ref().map(String::as_str))
    };

    let ended = export("incidents.csv", &path);

    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success() && told.contains("2 rows"), "{told}");
    let written = std::fs::read(&path).expect("a file");
    let got = coordinator.get("/v1/exports/incidents.csv?country=SLE&bom=0&lang=fr").expect(200);
    assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&got.body));
    let entries = exported(&app);
    assert_eq!(entries.len(), 2, "{entries:?}");
    let digest = format!("sha256_{}", sha256(&written));
    assert!(entries.iter().all(|told| told.contains(&digest)), "{entries:?}");

    let again = export("incidents.csv", &path);
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("nothing is overwritten"));
    assert!(!export("incidents.doc", &app.folder.path().join("other")).status.success());
    assert_eq!(std::fs::read(&path).expect("a file"), written);
    assert!(!app.folder.path().join("other").exists());
}
