//! Starting, stopping, probing, and documents that must keep in step with the code.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use sentinelle::error::{Code, Error};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp};
use crate::process::Served;

/// The built program with no settings from outside, on the database under test.
fn sentinelle(app: &TestApp, data_dir: &std::path::Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    command.args(words).arg("--data-dir").arg(data_dir);
    if app.is_postgres() {
        command.args(["--database-url", &app.database_url]);
        command.arg("--key-file").arg(app.folder.path().join("instance.key"));
    }
    command.env("SENTINELLE_LOG", "error").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn commands_that_start_together_on_an_empty_folder_all_succeed() {
    let app = TestApp::start();
    let folder = tempfile::tempdir().expect("a folder");

    let started: Vec<_> = (0..4)
        .map(|n| {
            let name = format!("monitor {n}");
            let words =
                ["user", "add", &name, "--role", "monitor", "--scope", "SLE", "--token", "--json"];
            sentinelle(&app, folder.path(), &words).spawn().expect("the program starts")
        })
        .collect();

    for child in started {
        let ended = child.wait_with_output().expect("the program ends");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let told: Value = serde_json::from_slice(&ended.stdout).expect("one line of JSON");
        assert!(told["token"].as_str().is_some_and(|token| token.starts_with("snt_u_")), "{told}");
    }
    let again = sentinelle(
        &app,
        folder.path(),
        &["user", "add", "Monitor 1", "--role", "analyst", "--scope", "all"],
    );
    let ended = { again }.output().expect("the program ends");
    assert!(!ended.status.success());
    assert!(
        String::from_utf8_lossy(&ended.stderr).contains("that name already"),
        "names ignore case"
    );
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_and_sending_all_again_doubles_nothing() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let mut served = Served::start(&app, "UTC");
    let (sent, acknowledged) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));

    std::thread::scope(|scope| {
        for _ in 0..8 {
            let phone = monitor.at(&served.url);
            let (sent, acknowledged) = (&sent, &acknowledged);
            scope.spawn(move || {
                loop {
                    let id = Uuid::new_v4();
                    sent.lock().expect("a list").push(id);
                    match send_to_what_may_be_gone(&phone, id) {
                        Some(201) => acknowledged.lock().expect("a list").push(id),
                        Some(status) => panic!("{status}"),
                        None => return,
                    }
                }
            });
        }
        while acknowledged.lock().expect("a list").len() < 200 {
            std::thread::sleep(Duration::from_millis(5));
        }
        served.kill();
    });

    let (sent, acknowledged) = (sent.into_inner().expect("a list"), acknowledged.into_inner());
    for id in acknowledged.expect("a list") {
        monitor.get(&format!("/v1/reports/{id}/receipt")).expect(200);
    }
    let again: Vec<_> = sent.iter().map(|id| send_to_what_may_be_gone(&monitor, *id)).collect();
    assert!(again.iter().all(|status| matches!(status, Some(200 | 201))), "{again:?}");
    let total = reviewer.get("/v1/incidents?status=all").expect(200).json()["total"].clone();
    assert_eq!(total, sent.len());
}

/// Puts a report; answers its status, or nothing where nobody answered.
fn send_to_what_may_be_gone(phone: &Client, id: Uuid) -> Option<u16> {
    let body = json!({"location": {"country": "SLE"}, "narrative": format!("words of {id}")});
    let json = [("content-type", "application/json")];
    let path = format!("/v1/reports/{id}");
    let answer = phone.try_send("PUT", &path, &json, Some(body.to_string().as_bytes()));
    answer.ok().map(|answer| answer.status)
}

#[test]
fn a_report_on_its_way_is_stored_when_the_service_is_told_to_stop() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let mut served = Served::start(&app, "UTC");
    let address = served.url.trim_start_matches("http://").to_owned();
    let body = json!({"location": {"country": "SLE"}, "narrative": "words"}).to_string();
    let (first, rest) = body.split_at(10);
    let mut stream = TcpStream::connect(&address).expect("it listens");
    write!(
        stream,
        "POST /v1/reports HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{first}",
        monitor.token(),
        body.len()
    )
    .expect("it reads");
    // The request is in a handler's hands before the service is told, on a busy machine too.
    std::thread::sleep(Duration::from_millis(1500));

    served.terminate();
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(rest.as_bytes()).expect("it still reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");

    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(served.ends_well());
    assert_eq!(reviewer.get("/v1/incidents?status=all").expect(200).json()["total"], 1);
}

#[test]
fn doctor_makes_nothing_where_nothing_is() {
    let app = TestApp::start();
    let folder = tempfile::tempdir().expect("a folder");
    let words = ["doctor", "--json"];
    if app.is_postgres() {
        let ended = sentinelle(&app, folder.path(), &words).output().expect("the program ends");
        let told: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
        assert_eq!((ended.status.success(), &told["status"]), (true, &json!("ok")), "{told}");
        return;
    }
    let ended = sentinelle(&app, folder.path(), &words).output().expect("the program ends");

    assert!(!ended.status.success());
    let told: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    assert_eq!(told["findings"][0]["state"], "failed");
    assert_eq!(folder.path().read_dir().expect("the folder").count(), 0, "no database, no key");
}

#[test]
fn doctor_says_whether_people_come_by_https_and_whom_finders_of_faults_write_to() {
    let app = TestApp::start();
    let findings = |settings: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
        command.args(["doctor", "--json", "--data-dir"]).arg(app.folder.path());
        command.args(["--database-url", &app.database_url]).args(settings);
        let ended = command.output().expect("the program ends");
        let told: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
        ["address", "contact"].map(|name| {
            let findings = told["findings"].as_array().expect("findings");
            let found = findings.iter().find(|finding| finding["name"] == name);
            found.expect("a finding")["state"].clone()
        })
    };

    assert_eq!(findings(&[]), ["warning", "warning"]);
    let plain = ["--public-url", "http://127.0.0.1"];
    assert_eq!(findings(&plain), ["warning", "warning"]);
    let secured = ["--public-url", "https://reports.example.org", "--security-contact"];
    assert_eq!(findings(&[&secured[..], &["mailto:a@example.org"]].concat()), ["ok", "ok"]);
}

#[test]
fn a_public_address_with_a_path_stops_the_start_with_what_to_do() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    command.args(["doctor", "--public-url", "https://example.org/app"]);

    let ended = command.output().expect("the program ends");

    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && told.contains("https://reports.example.org"), "{told}");
}

#[test]
fn a_database_without_its_key_is_refused_with_what_to_do() {
    let app = TestApp::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    command.args(["migrate", "--data-dir"]).arg(folder.path());
    command.args(["--database-url", &app.database_url]);
    assert!(command.output().expect("the program ends").status.success(), "migrating needs no key");

    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    command.args(["token", "add", "nobody", "--data-dir"]).arg(folder.path());
    let ended =
        command.args(["--database-url", &app.database_url]).output().expect("the program ends");

    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && told.contains("--key-file"), "{told}");
    assert!(!folder.path().join("instance.key").exists(), "no new key for old data");
}

#[test]
fn after_a_lost_commit_the_service_becomes_ready_again_without_being_sent_anything() {
    let app = TestApp::start();
    let lost = app.context.db.write_here(|_| -> Result<(), Error> { panic!("lost") });
    assert_eq!(lost.map_err(|error| error.code), Err(Code::Internal));

    let ready = app.anonymous().get("/health/ready").expect(200).json();

    assert_eq!(
        ready["findings"][1],
        json!({"name": "writer", "state": "ok", "note": "takes what is sent"})
    );
}

#[test]
fn readiness_tells_nothing_that_moves_with_reports() {
    let app = TestApp::start();
    let before = app.anonymous().get("/health/ready").expect(200).json();
    app.monitor().submit(&json!({"location": {"country": "SLE"}, "narrative": "words"}));

    let after = app.anonymous().get("/health/ready").expect(200).json();

    assert_eq!(before, after);
    assert_eq!(after["status"], "ok");
    let key =
        after["findings"].as_array().expect("findings").iter().find(|one| one["name"] == "key");
    assert!(key.expect("a finding on the key")["note"].to_string().contains("key beside data"));
    assert_eq!(app.anonymous().get("/health/live").expect(200).json()["status"], "ok");
}

#[test]
fn the_committed_api_document_is_that_of_the_code() {
    let committed: Value =
        serde_json::from_str(include_str!("../../api-spec/openapi.json")).expect("JSON");
    let made = serde_json::to_value(sentinelle::app::openapi()).expect("JSON");

    assert!(committed == made, "run `make openapi` and commit api-spec/openapi.json");
    let served = TestApp::start().anonymous().get("/openapi.json").expect(200).json();
    assert!(served == made, "the served document is the same");
}

#[test]
fn every_route_is_in_the_api_document() {
    let document = serde_json::to_value(sentinelle::app::openapi()).expect("JSON");
    let routes =
        sentinelle::app::public_routes().into_iter().chain(sentinelle::app::guarded_routes());
    for ((method, path), _) in routes.filter(|((_, path), _)| *path != "/openapi.json") {
        let operation = &document["paths"][path][method.as_str().to_lowercase()];
        assert!(operation["operationId"].is_string(), "{method} {path}");
    }
}

#[test]
fn every_error_code_is_told_in_the_contract() {
    let contract = include_str!("../../api-spec/README.md");
    for code in Code::ALL {
        let status = sentinelle::http::problem::status(code).as_u16();
        let row = format!("| `{}` | {status} |", code.as_str());
        assert!(contract.contains(&row), "api-spec/README.md has no row {row}");
    }
}

#[test]
fn the_documentation_page_needs_nothing_from_elsewhere() {
    let app = TestApp::start();
    let page = app.anonymous().get("/docs/").expect(200).text();

    assert!(page.contains("swagger-ui"), "{page}");
    assert!(!page.contains("http://") && !page.contains("https://"), "no other host is asked");
    app.anonymous().get("/docs/swagger-ui-bundle.js").expect(200);
}

#[test]
fn the_taxonomy_speaks_both_languages_and_needs_no_token() {
    let app = TestApp::start();
    let taxonomy = app.anonymous().get("/v1/taxonomy").expect(200).json();

    let themes = taxonomy["themes"].as_array().expect("themes");
    let leaves: Vec<&Value> = themes
        .iter()
        .flat_map(|theme| theme["categories"].as_array().expect("categories"))
        .flat_map(|category| category["subcategories"].as_array().expect("leaves"))
        .collect();
    assert_eq!((themes.len(), leaves.len()), (3, 60));
    for leaf in leaves {
        for language in ["en", "fr"] {
            assert!(
                leaf["label"][language].as_str().is_some_and(|label| !label.is_empty()),
                "{leaf}"
            );
        }
    }
}
