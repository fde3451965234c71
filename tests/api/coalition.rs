//! The example script builds the coalition of the documentation against the built program, by the API alone.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use sentinelle::auth::setup::offer;
use sentinelle::auth::types::Role;
use serde_json::{Value, json};

use crate::harness::{Client, PASSWORD, TestApp};
use crate::process::Served;

const SCRIPT: &str = "api-spec/examples/build_coalition.py";

/// Runs the script and returns what it counted.
#[track_caller]
fn build(served: &Served, secrets: &Path, words: &[&str]) -> Value {
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT)).arg(&served.url).args(words);
    let ended = command.arg("--secrets").arg(secrets).output().expect("Python 3");
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{told}");
    serde_json::from_slice(&ended.stdout).expect("one line of JSON")
}

fn items(client: &Client, path: &str) -> Vec<Value> {
    let list = client.get(path).expect(200).json();
    list["items"].as_array().expect("items").clone()
}

#[test]
fn a_coordinator_builds_the_coalition_from_the_api_alone_and_once() {
    let app = TestApp::start();
    let served = Served::start(&app, "UTC");
    // Whoever answers has made its own link already; the one made now is the last, and works.
    Client::new(&served.url, None).get("/health/live").expect(200);
    let link = offer(&app.context).expect("the database works").expect("nobody is there yet");
    let folder = tempfile::tempdir().expect("a folder");
    let (password, secrets) = (folder.path().join("password"), folder.path().join("secrets.json"));
    std::fs::write(&password, PASSWORD).expect("a file");
    let password = password.display().to_string();
    let first = ["--setup", link.expose(), "--name", "A. First", "--password-file", &password];

    let built = build(&served, &secrets, &first);

    let made = json!({"regions": 0, "organisations": 15, "people": 36, "phones": 20});
    for (what, n) in made.as_object().expect("counts") {
        assert_eq!(built["made"].get(what).unwrap_or(&json!(0)), n, "{what}: {built}");
    }
    let coordinator = Client::new(&served.url, Some(app.user(Role::Coordinator, "all").token()));
    let regions = items(&coordinator, "/v1/regions");
    assert_eq!(regions.len(), 4);
    assert_eq!(items(&coordinator, "/v1/organisations?limit=1000").len(), 15);
    assert_eq!(items(&coordinator, "/v1/devices?limit=1000").len(), 20);
    let mut roles: BTreeMap<String, usize> = BTreeMap::new();
    for person in items(&coordinator, "/v1/users?limit=1000") {
        let role = person["grants"][0]["role"].as_str().expect("a role").to_owned();
        *roles.entry(role).or_default() += 1;
    }
    let right = [
        ("analyst", 1),
        ("coordinator", 3),
        ("monitor", 20),
        ("regional_lead", 4),
        ("reviewer", 10),
    ];
    assert_eq!(roles, right.map(|(role, n)| (role.to_owned(), n)).into(), "and the test's own");
    let routed = items(&coordinator, "/v1/grants?tag=watch_kp_wgm&country=SLE");
    assert_eq!(routed[0]["scope"], "region:west");
    let kept: Value =
        serde_json::from_slice(&std::fs::read(&secrets).expect("a file")).expect("JSON");
    let size = |kind: &str| kept[kind].as_object().map(serde_json::Map::len);
    assert_eq!(["second_factor", "invitations", "phones"].map(size), [Some(1), Some(36), Some(20)]);
    let link = kept["invitations"]["Reviewer SLE"].as_str().expect("a link");
    let accepted = json!({"token": link, "password": PASSWORD, "cookie": false});
    Client::new(&served.url, None).post("/v1/invitations/accept", &accepted).expect(200);

    let again = build(&served, &secrets, &["--token", coordinator.token()]);

    let there = json!({"regions": 4, "organisations": 15, "people": 36, "phones": 20});
    assert_eq!(again, json!({"made": {}, "there_already": there}));
}
