//! `sentinelle release` beside the running service.

use std::process::{Command, Output};

use sentinelle::auth::types::Role;
use serde_json::Value;

use crate::harness::Client;
use crate::releases::stage::{KILLING, Stage, several};

/// Runs the built program as whoever holds the token of `client`.
fn run(stage: &Stage, words: &[&str], client: Option<&Client>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    command.arg("release").args(words).arg("--data-dir").arg(stage.app.folder.path());
    command.args(["--database-url", &stage.app.database_url]).env("SENTINELLE_LOG", "error");
    if let Some(client) = client {
        let file = stage.app.folder.path().join("token");
        std::fs::write(&file, format!("{}\n", client.token())).expect("a file");
        command.arg("--token-file").arg(file);
    }
    command.output().expect("the program runs")
}

#[track_caller]
fn told(stage: &Stage, words: &[&str], client: Option<&Client>) -> Vec<Value> {
    let ended = run(stage, words, client);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let text = String::from_utf8(ended.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[track_caller]
fn refused(stage: &Stage, words: &[&str], client: &Client) -> String {
    let ended = run(stage, words, Some(client));
    assert!(!ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    String::from_utf8_lossy(&ended.stderr).into_owned()
}

#[test]
fn two_coordinators_release_and_withdraw_by_commands() {
    let stage = Stage::new();
    stage.tell(&several(6, "2024-03-05", KILLING));
    let build = ["build", "--until", "2024-03", "--json"];
    let analyst = stage.app.user(Role::Analyst, "all");
    assert!(refused(&stage, &build, &analyst).contains("of a coordinator"));
    let nobody = Client::new(&stage.app.url, Some("snt_u_x"));
    assert!(refused(&stage, &build, &nobody).contains("no valid token"));

    let draft = told(&stage, &build, Some(&stage.office));
    let id = draft[0]["id"].as_str().expect("an id");
    assert_eq!(draft[0]["shares"]["incidents"], 6);
    assert!(refused(&stage, &["publish", id], &stage.office).contains("another coordinator"));
    let published = told(&stage, &["publish", id, "--json"], Some(&stage.board));
    assert_eq!(published[0]["version"], 1);
    assert_eq!(stage.public("countries/LSO")["total"]["incidents"], 6);

    let withdraw = ["withdraw", id, "--reason", "a mistake", "--json"];
    let withdrawn = told(&stage, &withdraw, Some(&stage.office));
    assert_eq!(withdrawn[0]["state"], "withdrawn");
    stage.app.anonymous().get(&format!("/v1/public/releases/{id}")).expect(410);
    let listed = told(&stage, &["list", "--json"], None);
    assert_eq!((listed.len(), &listed[0]["state"]), (1, &Value::from("withdrawn")));
    let wrong = ["build", "--until", "2024-3"];
    assert!(refused(&stage, &wrong, &stage.office).contains("2024-03"));
}
