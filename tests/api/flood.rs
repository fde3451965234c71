//! A flood is rejected at once and taken back exactly.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{changes, decisions, incidents};
use sentinelle::ids::{Id, IncidentId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::claims::{claim, incident_in, path_of, queue_ids};
use crate::harness::{Answer, Client, TestApp};

/// Reports of one sender; returns each report with its incident.
fn send(sender: &Client, country: &str, n: usize) -> Vec<Value> {
    let report = || {
        json!({"id": Uuid::new_v4(), "narrative": "they are all thieves",
            "occurred": "2024-03-05", "location": {"country": country},
            "categories": ["rights.life_integrity.killing"]})
    };
    (0..n).map(|_| sender.submit(&report())).collect()
}

fn incidents_of(sent: &[Value]) -> Vec<Value> {
    sent.iter().map(|one| one["incident"].clone()).collect()
}

fn reject(client: &Client, what: &Value) -> Answer {
    let mut body = what.clone();
    body["reason"] = json!("the same text again and again");
    client.post("/v1/queue/rejections", &body)
}

fn undo(client: &Client, id: &Value) -> Answer {
    let path = format!("/v1/queue/rejections/{}/undo", id.as_str().expect("an id"));
    client.post(&path, &json!({"reason": "some of them were true"}))
}

fn status(client: &Client, incident: &Value) -> (Value, Value) {
    let read = client.get(&path_of(incident)).expect(200).json();
    (read["status"].clone(), read["version"].clone())
}

fn sorted(ids: &Value) -> Vec<String> {
    let ids = ids.as_array().expect("ids").iter();
    let mut ids: Vec<String> = ids.map(|id| id.as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn all_that_one_sender_sent_is_rejected_at_once_and_put_back_exactly() {
    let app = TestApp::start();
    let (flooder, honest) = (app.monitor(), app.monitor());
    let flood = send(&flooder, "SLE", 6);
    let others = incidents_of(&send(&honest, "SLE", 2));
    let all = incidents_of(&flood);
    let reviewer = app.user(Role::Reviewer, "SLE");
    let colleague = app.user(Role::Reviewer, "SLE");
    reviewer.set_status(&all[5], "in_review");
    claim(&colleague, &all[4]).expect(200);
    let before = reviewer.get("/v1/aggregates?status=all").expect(200).json()["as_of"].clone();

    let filter = json!({"filter": {"same_sender_as": flood[0]["id"]}});
    let answer = reject(&reviewer, &filter).expect(201);
    let told = answer.json();

    assert_eq!(sorted(&told["rejected"]), sorted(&json!(all[..4])));
    assert_eq!(told["left"], json!([{"incident": all[4], "why": "claimed"}]));
    assert_eq!(told["remaining"], 0);
    for incident in &all[..4] {
        assert_eq!(status(&reviewer, incident), (json!("rejected"), json!(2)));
    }
    assert_eq!(status(&reviewer, &all[4]), (json!("received"), json!(1)));
    assert_eq!(status(&reviewer, &all[5]).0, "in_review", "somebody looks at it");
    for incident in &others {
        assert_eq!(status(&reviewer, incident), (json!("received"), json!(1)));
    }
    let kinds: Vec<String> = app
        .context
        .db
        .read_here(|conn| {
            let before = before.as_i64().expect("a number");
            let later = changes::table.filter(changes::seq.gt(before));
            Ok(later.select(changes::kind).load(conn)?)
        })
        .expect("changes");
    assert_eq!(kinds, ["rejected"; 4]);
    let audit = app.user(Role::Auditor, "all").get("/v1/audit?action=decided").expect(200).json();
    let detail = format!("received>rejected in {}", told["id"].as_str().expect("an id"));
    let entries = audit["items"].as_array().expect("entries").iter();
    assert_eq!(entries.filter(|entry| entry["detail"] == detail.as_str()).count(), 4);

    reviewer.set_status(&all[0], "in_review");
    let back = undo(&reviewer, &told["id"]).expect(200).json();
    assert_eq!(sorted(&back["restored"]), sorted(&json!(all[1..4])));
    assert_eq!(back["left"], json!([{"incident": all[0], "why": "changed"}]));
    for incident in &all[1..4] {
        assert_eq!(status(&reviewer, incident), (json!("received"), json!(3)));
    }
    assert_eq!(queue_ids(&reviewer, "").len(), 8, "everything waits as before");
    let again = undo(&reviewer, &told["id"]).expect(200).json();
    assert_eq!(
        (again["restored"].clone(), again["left"].as_array().map(Vec::len)),
        (json!([]), Some(4))
    );
    let n_decisions: i64 = app
        .context
        .db
        .read_here(|conn| Ok(decisions::table.count().get_result(conn)?))
        .expect("a count");
    assert_eq!(n_decisions, 1 + 4 + 1 + 3);
}

#[test]
fn the_sender_is_not_told_and_only_the_callers_countries_are_touched() {
    let app = TestApp::start();
    let flooder = app.user(Role::Monitor, "all");
    let (here, there) = (send(&flooder, "SLE", 2), send(&flooder, "ZWE", 2));
    let reviewer = app.user(Role::Reviewer, "SLE");
    let everywhere = app.reviewer();
    let random = json!(Uuid::new_v4());

    for report in [&there[0]["id"], &random] {
        let refused = reject(&reviewer, &json!({"filter": {"same_sender_as": report}}));
        refused.expect_problem(404, "not_found");
    }
    for incident in [&there[0]["incident"], &random] {
        let named = json!({"incidents": [here[0]["incident"], incident]});
        let refused = reject(&reviewer, &named).expect_problem(404, "not_found");
        assert_eq!(refused.json().get("errors"), None, "which of them is not told");
    }
    assert_eq!(status(&reviewer, &here[0]["incident"]).1, 1, "and nothing was done");
    let filter = json!({"filter": {"same_sender_as": here[0]["id"]}});
    let told = reject(&reviewer, &filter).expect(201).json();
    assert_eq!(sorted(&told["rejected"]), sorted(&json!(incidents_of(&here))));
    for one in &there {
        assert_eq!(status(&everywhere, &one["incident"]), (json!("received"), json!(1)));
    }
    let id = flooder.get("/v1/me").expect(200).json()["id"].as_str().expect("an id").to_owned();
    assert!(!told.to_string().contains(&id));

    let filter = json!({"filter": {"same_sender_as": there[0]["id"]}});
    let of_all = reject(&everywhere, &filter).expect(201).json();
    let zimbabwe = app.user(Role::Reviewer, "ZWE");
    let refused = undo(&reviewer, &of_all["id"]).expect_problem(404, "not_found");
    assert_eq!(refused.body, undo(&reviewer, &random).expect_problem(404, "not_found").body);
    undo(&zimbabwe, &told["id"]).expect_problem(404, "not_found");
    let back = undo(&zimbabwe, &of_all["id"]).expect(200).json();
    assert_eq!(sorted(&back["restored"]), sorted(&json!(incidents_of(&there))));
}

#[test]
fn filters_choose_what_waits_and_five_hundred_at_most() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let lines: Vec<String> = (0..503)
        .map(|_| {
            let report = json!({"id": Uuid::new_v4(), "occurred": "2024-03-05",
                "location": {"country": "SLE"}, "narrative": Uuid::new_v4(),
                "categories": ["rights.armed_actors.security_miners_clash"]});
            report.to_string()
        })
        .collect();
    let headers = [("content-type", "application/x-ndjson")];
    monitor.post_bytes("/v1/reports", &headers, lines.join("\n").as_bytes()).expect(200);
    let kept = send(&monitor, "SLE", 1)[0]["incident"].clone();
    let reviewer = app.user(Role::Reviewer, "SLE");
    let filter = json!({"filter": {"category": "rights.armed_actors", "country": "SLE"}});

    let first = reject(&reviewer, &filter).expect(201).json();
    assert_eq!(first["rejected"].as_array().expect("ids").len(), 500);
    assert_eq!((&first["left"], &first["remaining"]), (&json!([]), &json!(3)));
    let second = reject(&reviewer, &filter).expect(201).json();
    assert_eq!(second["rejected"].as_array().expect("ids").len(), 3);
    let third = reject(&reviewer, &filter).expect(200).json();
    assert_eq!(third, json!({"id": null, "rejected": [], "left": [], "remaining": 0}));
    assert_eq!(queue_ids(&reviewer, ""), [kept]);
    let back = undo(&reviewer, &first["id"]).expect(200).json();
    assert_eq!(back["restored"].as_array().expect("ids").len(), 500);
}

#[test]
fn a_case_with_reports_of_others_is_no_part_of_a_flood() {
    let app = TestApp::start();
    let (flooder, honest) = (app.monitor(), app.monitor());
    let flood = send(&flooder, "SLE", 2);
    let theirs = send(&honest, "SLE", 1);
    // As a merge will leave it: the report of another belongs to the incident.
    let id =
        |value: &Value| -> IncidentId { Id::parse(value.as_str().expect("an id")).expect("an id") };
    let (into, from) = (id(&flood[0]["incident"]), id(&theirs[0]["incident"]));
    let moved = app.context.db.write_here(move |tx| {
        use sentinelle::db::schema::reports;
        let row = |id| incidents::table.filter(incidents::uuid.eq(id)).select(incidents::id);
        let (into, from): (i64, i64) = (row(into).first(tx.conn)?, row(from).first(tx.conn)?);
        let report = reports::table.filter(reports::incident_id.eq(from));
        Ok(diesel::update(report).set(reports::incident_id.eq(into)).execute(tx.conn)?)
    });
    assert_eq!(moved.expect("an update"), 1);
    let reviewer = app.reviewer();

    let filter = json!({"filter": {"same_sender_as": flood[1]["id"]}});
    let told = reject(&reviewer, &filter).expect(201).json();

    assert_eq!(told["rejected"], json!([flood[1]["incident"]]));
    assert_eq!(status(&reviewer, &flood[0]["incident"]).0, "received");
}

#[test]
fn what_is_asked_for_is_checked_before_anything_is_done() {
    let app = TestApp::start();
    let incident = incident_in(&app, "SLE");
    let reviewer = app.user(Role::Reviewer, "SLE");
    let many: Vec<Uuid> = (0..501).map(|_| Uuid::new_v4()).collect();
    for (body, status, code, pointers) in [
        (json!({}), 422, "invalid_fields", vec![""]),
        (
            json!({"incidents": [incident], "filter": {"country": "SLE"}}),
            422,
            "invalid_fields",
            vec![""],
        ),
        (json!({"incidents": []}), 422, "invalid_fields", vec!["/incidents"]),
        (json!({"incidents": many}), 422, "invalid_fields", vec!["/incidents"]),
        (json!({"incidents": [incident, "x"]}), 422, "invalid_fields", vec!["/incidents/1"]),
        (json!({"filter": {}}), 422, "invalid_fields", vec!["/filter"]),
        (json!({"filter": {"status": "in_review"}}), 422, "invalid_fields", vec!["/filter/status"]),
        (
            json!({"filter": {"same_sender_as": "x"}}),
            422,
            "invalid_fields",
            vec!["/filter/same_sender_as"],
        ),
        (json!({"filter": {"channel": "pigeon"}}), 422, "invalid_fields", vec!["/filter/channel"]),
        (json!({"filter": {"chanel": "sms"}}), 400, "unknown_field", vec!["/filter/chanel"]),
        (json!({"filter": {"assignee": "me"}}), 400, "unknown_field", vec!["/filter/assignee"]),
        (json!({"all": true}), 400, "unknown_field", vec!["/all"]),
    ] {
        let refused = reject(&reviewer, &body).expect_problem(status, code);
        assert_eq!(refused.pointers(), pointers, "{body}");
    }
    let without = json!({"incidents": [incident]});
    reviewer.post("/v1/queue/rejections", &without).expect_problem(422, "invalid_fields");
    let filter = json!({"filter": {"country": "ZWE"}});
    reject(&reviewer, &filter).expect_problem(404, "not_found");
    for role in [Role::Analyst, Role::Coordinator, Role::Monitor] {
        reject(&app.user(role, "SLE"), &without).expect_problem(403, "forbidden");
    }
    assert_eq!(self::status(&reviewer, &incident), (json!("received"), json!(1)));

    let twice = json!({"incidents": [incident, incident]});
    let told = reject(&reviewer, &twice).expect(201).json();
    assert_eq!(told["rejected"], json!([incident]));
    let again = reject(&reviewer, &twice).expect(200).json();
    assert_eq!(again["left"], json!([{"incident": incident, "why": "changed"}]));
    assert_eq!(again["id"], Value::Null);
}
