//! Files that are made in the background: for whoever asked, as long as they may see what is in them.

use std::time::Duration;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::rows::Any;
use sentinelle::db::schema::sealed;
use sentinelle::exports::jobs::ending::remove_old;
use sentinelle::exports::jobs::make::make;
use sentinelle::exports::jobs::store;
use sentinelle::exports::wanted::{Format, Table};
use sentinelle::ids::{ExportId, Id};
use serde_json::{Value, json};

use crate::denials::refusals;
use crate::exports::leaving::{ask, exported, submit_many};
use crate::exports::reading::rows;
use crate::harness::{Client, TestApp, submit_march};
use crate::tokens::session;

/// Has a file made, and waits until it is.
fn made(client: &Client, body: &Value) -> Value {
    let asked = client.post("/v1/exports", body).expect(202);
    let place = asked.header("location").expect("a place").to_owned();
    for _ in 0..600 {
        let job = client.get(&place).expect(200).json();
        if job["state"] != "running" {
            return job;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{}", client.get(&place).text());
}

/// The id of a job.
fn id_of(job: &Value) -> ExportId {
    Id::parse(job["id"].as_str().expect("an id")).expect("an id")
}

/// How many pieces there are of the file of a job.
fn count_pieces(app: &TestApp, job: &Value) -> i64 {
    let id = Id::<Any>::from_uuid(id_of(job).uuid());
    let counted = app.context.db.read_here(|conn| {
        let pieces = sealed::table.filter(sealed::owner_id.eq(id));
        Ok(pieces.count().get_result(conn)?)
    });
    counted.expect("a count")
}

fn state(client: &Client, job: &Value) -> Value {
    client.get(file(job).trim_end_matches("/file")).expect(200).json()["state"].clone()
}

fn file(job: &Value) -> String {
    job["file"].as_str().expect("a file").to_owned()
}

#[test]
fn a_file_made_in_the_background_is_that_of_the_route_and_is_sealed() {
    let app = TestApp::start();
    submit_many(&app, 1_200);
    let analyst = app.user(Role::Analyst, "SLE");

    let job = made(
        &analyst,
        &json!({"table": "incidents", "format": "csv", "query": "status=all&lang=fr"}),
    );
    let fetched = analyst.get(&file(&job)).expect(200);

    let direct = analyst.get("/v1/exports/incidents.csv?status=all&lang=fr").expect(200);
    assert_eq!(fetched.body, direct.body);
    assert_eq!(fetched.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(fetched.header("content-length"), Some(&*fetched.body.len().to_string()));
    assert_eq!((&job["rows"], &job["bytes"]), (&json!(1_200), &json!(fetched.body.len())));
    assert_eq!(rows("csv", &fetched).len(), 1_200);
    let told = exported(&app);
    let hash = job["sha256"].as_str().expect("a hash");
    let acts = told.iter().filter(|told| told.starts_with("fetched ") && told.contains(hash));
    assert_eq!(acts.count(), 1, "{told:?}");
    assert!(
        told.iter().filter(|told| told.starts_with("whole ") && told.contains(hash)).count() >= 1
    );
}

#[test]
fn a_file_dies_with_the_role_that_made_it() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let (analyst, id) = app.user_with_id(Role::Analyst, "SLE");
    let job = made(&analyst, &json!({"table": "incidents", "format": "csv"}));
    analyst.get(&file(&job)).expect(200);

    let coordinator = app.user(Role::Coordinator, "all");
    let revoke = |scope: &str| {
        let grants = coordinator.get(&format!("/v1/grants?user={}", id.uuid())).expect(200).json();
        let grants = grants["items"].as_array().cloned().expect("grants");
        let grant = grants.iter().find(|grant| grant["scope"] == scope).cloned().expect("a grant");
        let grant = grant["id"].as_str().expect("an id").to_owned();
        coordinator.remove(&format!("/v1/grants/{grant}")).expect(204);
    };
    let give = |scope: &str| {
        let body = json!({"user": id.uuid(), "role": "analyst", "scope": scope});
        coordinator.post("/v1/grants", &body).expect(201);
    };
    give("LBR");
    revoke("SLE");
    let before = refusals(&app).len();
    analyst.get(&file(&job)).expect_problem(403, "forbidden");
    assert_eq!(refusals(&app).len(), before + 1, "one line");
    give("SLE");
    analyst.get(&file(&job)).expect_problem(403, "forbidden");
    let place = file(&job).trim_end_matches("/file").to_owned();
    assert_eq!(analyst.get(&place).expect(200).json()["state"], "destroyed", "for good");

    let job =
        made(&analyst, &json!({"table": "incidents", "format": "csv", "query": "country=SLE"}));
    revoke("SLE");
    revoke("LBR");
    let before = refusals(&app).len();
    analyst.get(&file(&job)).expect_problem(403, "forbidden");
    assert_eq!(refusals(&app).len(), before + 1, "one line");
}

#[test]
fn a_job_is_of_whoever_asked_for_a_day() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let analyst = app.user(Role::Analyst, "all");
    let job = made(&analyst, &json!({"table": "harm", "format": "xlsx", "query": "status=all"}));

    let other = app.user(Role::Coordinator, "all");
    other.get(&file(&job)).expect_problem(404, "not_found");
    other.get(file(&job).trim_end_matches("/file")).expect_problem(404, "not_found");
    let refused =
        analyst.post("/v1/exports", &json!({"table": "harm", "format": "csv", "query": "q=a"}));
    assert_eq!(refused.expect_problem(400, "invalid_parameter").pointers(), ["?q"]);
    app.set_now("2024-04-02T11:59:00Z");
    analyst.get(&file(&job)).expect(200);
    app.set_now("2024-04-02T12:01:00Z");
    analyst.get(&file(&job)).expect_problem(404, "not_found");
}

#[test]
fn a_file_with_fine_places_is_not_for_a_token_that_sees_none() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let (_, id) = app.user_with_id(Role::Reviewer, "SLE,LBR");
    let session = session(&app, id);
    let token = |actions: &[&str], scope: &str| {
        let body = json!({"expires_in_days": 1, "actions": actions, "scope": scope});
        let made = session.post("/v1/tokens", &body).expect(201).json();
        Client::new(&app.url, made["token"].as_str())
    };
    let coarse = token(&["read_core"], "SLE,LBR");
    let elsewhere = token(&["read_core", "open_report"], "LBR");
    let alike = token(&["read_core", "open_report"], "SLE,LBR");
    let asked = json!({"table": "incidents", "format": "ndjson"});

    let job = made(&session, &asked);

    let fine = session.get(&file(&job)).expect(200);
    assert_ne!(rows("ndjson", &fine)[0]["cell7"], "");
    assert_eq!(alike.get(&file(&job)).expect(200).body, fine.body);
    coarse.get(&file(&job)).expect_problem(404, "not_found");
    coarse.send("HEAD", &file(&job), &[], None).expect(404);
    elsewhere.get(&file(&job)).expect_problem(403, "forbidden");
    assert_eq!(session.get(&file(&job)).expect(200).body, fine.body, "it is still there");
    let own = made(&coarse, &asked);
    let own = rows("ndjson", &coarse.get(&file(&own)).expect(200));
    assert!(own.iter().all(|row| row["cell7"].is_empty() && row["site"].is_empty()));
}

#[test]
fn a_file_that_is_destroyed_while_it_is_made_stays_destroyed() {
    let app = TestApp::start();
    submit_many(&app, 3);
    let reviewer = app.reviewer();
    let job = made(&reviewer, &json!({"table": "harm", "format": "csv", "query": "status=all"}));
    let id = id_of(&job);
    assert_eq!(count_pieces(&app, &job), 1);
    let destroyed = app.context.db.write_here(move |tx| Ok(store::destroy(tx.conn, id)?));
    destroyed.expect("it is destroyed");

    let (question, selected) = ask(&app, Table::Harm, Format::Csv);
    make(&app.context, id, &question, selected);
    let (question, selected) = ask(&app, Table::Harm, Format::Csv);
    let listed = reviewer.get("/v1/incidents?status=all&limit=1").expect(200).json();
    let correction = json!({"harm": {}, "reason": "nobody", "status": "verified"});
    reviewer.decide(&listed["items"][0]["id"], &correction).expect(200);
    make(&app.context, id, &question, selected);

    assert_eq!(state(&reviewer, &job), "destroyed", "neither ready, nor failed");
    assert_eq!(count_pieces(&app, &job), 0);
}

#[test]
fn a_file_is_removed_when_its_day_is_over_though_nobody_asks_for_another() {
    let app = TestApp::start();
    submit_many(&app, 3);
    let reviewer = app.reviewer();
    let asked = json!({"table": "incidents", "format": "csv", "query": "status=all"});
    let job = made(&reviewer, &asked);

    app.set_now("2024-04-02T11:59:59Z");
    remove_old(&app.context).expect("nothing is removed");
    assert_eq!(count_pieces(&app, &job), 1);
    let later = made(&reviewer, &asked);
    app.set_now("2024-04-02T12:00:00Z");
    remove_old(&app.context).expect("it is removed");

    assert_eq!(count_pieces(&app, &job), 0);
    assert_eq!(count_pieces(&app, &later), 1);
}

#[test]
fn an_erased_report_takes_the_files_with_it_that_may_hold_it() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let id = uuid::Uuid::new_v4();
    let sent = monitor
        .submit(&json!({"id": id, "occurred": "2024-03-05", "location": {"country": "SLE"},
        "categories": ["rights.life_integrity.killing"]}));
    let (near, all) = (app.user(Role::Analyst, "SLE,LBR"), app.user(Role::Analyst, "all"));
    let (far, moved) = (app.user(Role::Analyst, "ZWE"), app.user(Role::Analyst, "CIV"));
    let asked = |table: &str| json!({"table": table, "format": "csv", "query": "status=all"});
    let correction =
        json!({"location": {"country": "CIV"}, "reason": "over the border", "status": "verified"});
    let files = [
        (&near, made(&near, &asked("incidents")), "destroyed"),
        (&near, made(&near, &asked("harm")), "destroyed"),
        (&near, made(&near, &asked("aggregates")), "ready"),
        (&all, made(&all, &asked("reports")), "destroyed"),
        (&far, made(&far, &asked("incidents")), "ready"),
    ];
    reviewer.decide(&sent["incident"], &correction).expect(200);
    let after = made(&moved, &asked("incidents"));

    let why = json!({"reason": "the source is in danger"});
    app.user(Role::Coordinator, "all").delete(&format!("/v1/reports/{id}"), &why).expect(204);

    for (client, job, right) in &files {
        assert_eq!(state(client, job), *right, "{}", job["asked"]);
        assert_eq!(count_pieces(&app, job), i64::from(*right == "ready"), "{}", job["asked"]);
    }
    assert_eq!(state(&moved, &after), "destroyed", "where it was at last");
    near.get(&file(&files[0].1)).expect_problem(403, "forbidden");
}
