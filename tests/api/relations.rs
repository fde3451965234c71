//! Incidents that belong together: who sees one of them learns nothing of the other.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::schema::audit_entries;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, TestApp, submit_march};

fn path_of(incident: &Value) -> String {
    format!("/v1/incidents/{}", incident.as_str().expect("an id"))
}

fn relate(client: &Client, incident: &Value, others: &[&Value]) -> Answer {
    let body = json!({"incidents": others, "reason": "the same lot on both sides of the border"});
    client.post(&format!("{}/related", path_of(incident)), &body)
}

fn unrelate(client: &Client, incident: &Value, other: &Value) -> Answer {
    let path = format!("{}/related/{}", path_of(incident), other.as_str().expect("an id"));
    client.send("DELETE", &path, &[], None)
}

fn related(client: &Client, incident: &Value) -> Value {
    client.get(&path_of(incident)).expect(200).json()["related"].clone()
}

/// The incidents R1 (Sierra Leone) and R7 (Central African Republic), linked by a lead of both.
fn linked(app: &TestApp) -> (Value, Value) {
    let submitted = submit_march(&app.monitor(), &app.reviewer());
    let (r1, r7) = (submitted["R1"]["incident"].clone(), submitted["R7"]["incident"].clone());
    relate(&app.user(Role::RegionalLead, "SLE,CAF"), &r1, &[&r7]).expect(204);
    (r1, r7)
}

#[test]
fn c55_a_related_incident_out_of_scope_is_left_out() {
    let app = TestApp::start();
    let (r1, r7) = linked(&app);

    assert_eq!(app.anonymous().get(&path_of(&r7)).status, 401);
    let seen = app.user(Role::Reviewer, "SLE").get(&path_of(&r1)).expect(200);
    assert_eq!(seen.json()["related"], json!([]));
    assert!(!seen.text().contains(r7.as_str().expect("an id")), "the id is not echoed");
    let seen = app.user(Role::Reviewer, "CAF").get(&path_of(&r7)).expect(200);
    assert!(!seen.text().contains(r1.as_str().expect("an id")), "nor the other way round");
    for (role, scope) in [(Role::RegionalLead, "SLE,CAF"), (Role::Coordinator, "all")] {
        let client = app.user(role, scope);
        assert_eq!(related(&client, &r1), json!([r7]));
        assert_eq!(related(&client, &r7), json!([r1]));
    }
    let listed = app.user(Role::Coordinator, "all").get("/v1/incidents").expect(200).json();
    assert!(listed["items"][0].get("related").is_none(), "lists hold no links");
}

#[test]
fn a_link_is_in_the_story_of_both_and_its_reason_told_to_who_sees_both() {
    let app = TestApp::start();
    let (r1, r7) = linked(&app);
    let lead = app.user(Role::RegionalLead, "SLE,CAF");
    unrelate(&lead, &r1, &r7).expect(204);

    let told = |client: &Client, incident: &Value, kind: &str| {
        let story = client.get(&format!("{}/history", path_of(incident))).expect(200).json();
        let items = story["items"].as_array().expect("a story").clone();
        items.into_iter().find(|entry| entry["kind"] == kind).expect("it is told")
    };
    for (incident, other) in [(&r1, &r7), (&r7, &r1)] {
        let entry = told(&lead, incident, "linked");
        assert_eq!(entry["incidents"], json!([other]));
        assert_eq!(entry["reason"], "the same lot on both sides of the border");
        assert_eq!(told(&lead, incident, "unlinked")["incidents"], json!([other]));
    }
    let entry = told(&app.user(Role::Reviewer, "SLE"), &r1, "linked");
    assert_eq!((entry.get("incidents"), entry.get("reason")), (None, None));
}

#[test]
fn linking_to_what_is_out_of_scope_is_like_linking_to_nothing() {
    let app = TestApp::start();
    let (r1, r7) = linked(&app);
    let reviewer = app.user(Role::Reviewer, "SLE");
    let nothing = json!(Uuid::new_v4());

    let none = relate(&reviewer, &r1, &[&nothing]).expect_problem(404, "not_found");
    for answer in [
        relate(&reviewer, &r1, &[&r7]),
        relate(&reviewer, &r7, &[&r1]),
        unrelate(&reviewer, &r1, &r7),
        unrelate(&reviewer, &r1, &nothing),
    ] {
        assert_eq!(answer.expect(404).body, none.body);
    }
    assert_eq!(related(&app.user(Role::Coordinator, "all"), &r1), json!([r7]));
}

#[test]
fn a_link_is_made_once_and_undone_from_either_side() {
    let app = TestApp::start();
    let (r1, r7) = linked(&app);
    let lead = app.user(Role::RegionalLead, "SLE,CAF");

    relate(&lead, &r7, &[&r1, &r1]).expect(204);
    assert_eq!(related(&lead, &r1), json!([r7]));
    unrelate(&lead, &r7, &r1).expect(204);
    assert_eq!(related(&lead, &r1), json!([]));
    unrelate(&lead, &r7, &r1).expect_problem(404, "not_found");
    relate(&lead, &r1, &[&r7]).expect(204);
    assert_eq!(related(&lead, &r7), json!([r1]));
}

#[test]
fn where_one_of_several_cannot_be_linked_none_is() {
    let app = TestApp::start();
    let submitted = submit_march(&app.monitor(), &app.reviewer());
    let incident = |key: &str| submitted[key]["incident"].clone();
    let reviewer = app.user(Role::Reviewer, "SLE");

    relate(&reviewer, &incident("R1"), &[&incident("R3"), &incident("R7")]).expect(404);
    assert_eq!(related(&reviewer, &incident("R1")), json!([]));
    for (others, pointer) in [
        (json!([]), "/incidents"),
        (json!(["R3"]), "/incidents/0"),
        (json!([incident("R3"), incident("R1")]), "/incidents/1"),
    ] {
        let body = json!({"incidents": others, "reason": "x"});
        let answer = reviewer.post(&format!("{}/related", path_of(&incident("R1"))), &body);
        assert_eq!(answer.expect(422).pointers(), [pointer]);
    }
}

#[test]
fn the_entries_of_a_link_tell_each_side_of_itself_alone() {
    let app = TestApp::start();
    let (r1, r7) = linked(&app);

    let entries =
        app.context.db.read_here(|conn| {
            let links = audit_entries::table.filter(audit_entries::action.eq("related"));
            let columns = (audit_entries::subject_id, audit_entries::detail);
            Ok(links
                .order((audit_entries::chain, audit_entries::position))
                .select(columns)
                .load::<(sentinelle::ids::Id<sentinelle::db::rows::Any>, String)>(conn)?)
        });

    let told: Vec<(String, String)> = entries
        .expect("entries")
        .into_iter()
        .map(|(subject, detail)| (subject.to_string(), detail))
        .collect();
    let entry =
        |incident: &Value| (incident.as_str().expect("an id").to_owned(), "linked".to_owned());
    assert_eq!(told, [entry(&r1), entry(&r7)]);
}
