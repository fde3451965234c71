//! Claims: no two people work on one case, and whoever works on it is seen by those who may.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{audit_entries, case_moves};
use sentinelle::db::sealed::find_part;
use sentinelle::ids::CaseMoveId;
use sentinelle::seal::envelope::{Owner, OwnerKind, Part};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, TestApp};

const CLASH: &str = "rights.armed_actors.security_miners_clash";
const KILLING: &str = "rights.life_integrity.killing";

pub(crate) fn submit_in(app: &TestApp, country: &str, category: &str) -> Value {
    let report = json!({"narrative": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": country}, "categories": [category]});
    app.monitor().submit(&report)
}

pub(crate) fn incident_in(app: &TestApp, country: &str) -> Value {
    submit_in(app, country, CLASH)["incident"].clone()
}

pub(crate) fn path_of(incident: &Value) -> String {
    format!("/v1/incidents/{}", incident.as_str().expect("an id"))
}

pub(crate) fn claim(client: &Client, incident: &Value) -> Answer {
    client.send("POST", &format!("{}/claim", path_of(incident)), &[], None)
}

fn take_over(client: &Client, incident: &Value, reason: &str) -> Answer {
    let body = json!({"take_over": true, "reason": reason});
    client.post(&format!("{}/claim", path_of(incident)), &body)
}

fn release(client: &Client, incident: &Value) -> Answer {
    client.remove(&format!("{}/claim", path_of(incident)))
}

pub(crate) fn next(client: &Client, query: &str) -> Answer {
    client.send("POST", &format!("/v1/queue/next{query}"), &[], None)
}

pub(crate) fn queue_ids(client: &Client, query: &str) -> Vec<Value> {
    let page = client.get(&format!("/v1/queue{query}")).expect(200).json();
    let items = page["items"].as_array().expect("items").iter();
    let ids: Vec<Value> = items.map(|item| item["id"].clone()).collect();
    assert_eq!(page["total"], ids.len(), "{query}");
    ids
}

/// Action and detail of the entries on an incident, the oldest first.
fn entries_on(app: &TestApp, incident: &Value) -> Vec<(String, String)> {
    let id: sentinelle::ids::Id<sentinelle::db::rows::Any> =
        sentinelle::ids::Id::parse(incident.as_str().expect("an id")).expect("an id");
    let entries = app.context.db.read_here(move |conn| {
        let entries = audit_entries::table.filter(audit_entries::subject_id.eq(id));
        let ordered = entries.order((audit_entries::chain, audit_entries::position));
        Ok(ordered.select((audit_entries::action, audit_entries::detail)).load(conn)?)
    });
    entries.expect("entries")
}

#[test]
fn a_claim_is_a_lease_that_is_renewed_and_ends_by_itself() {
    let app = TestApp::start();
    let incident = incident_in(&app, "SLE");
    let (one, one_id) = app.user_with_id(Role::Reviewer, "SLE");
    let other = app.user(Role::RegionalLead, "region:west");
    let before = one.get(&path_of(&incident)).expect(200);

    let claimed = claim(&one, &incident).expect(200).json();
    let right =
        json!({"user": one_id, "since": "2024-04-01T12:00:00Z", "until": "2024-04-01T12:15:00Z"});
    assert_eq!(claimed, right);
    let refused = claim(&other, &incident).expect_problem(409, "claimed").json();
    assert_eq!(refused["current"], right);

    app.set_now("2024-04-01T12:10:00Z");
    let renewed = claim(&one, &incident).expect(200).json();
    assert_eq!(renewed["since"], "2024-04-01T12:00:00Z", "renewed, not begun anew");
    assert_eq!(renewed["until"], "2024-04-01T12:25:00Z");
    app.set_now("2024-04-01T12:24:59.999Z");
    claim(&other, &incident).expect_problem(409, "claimed");
    app.set_now("2024-04-01T12:25:00Z");
    assert!(one.get(&path_of(&incident)).expect(200).json().get("claim").is_none(), "it is over");
    let taken = claim(&other, &incident).expect(200).json();
    assert_eq!(taken["since"], "2024-04-01T12:25:00Z");
    claim(&one, &incident).expect_problem(409, "claimed");

    let after = one.get(&path_of(&incident)).expect(200);
    assert_eq!(after.header("etag"), before.header("etag"), "a claim changes no version");
    let page = one.get("/v1/queue").expect(200).json();
    assert_eq!(page["as_of"], 1, "and is no change of facts");
}

#[test]
fn a_claim_is_given_back_by_its_holder_alone() {
    let app = TestApp::start();
    let incident = incident_in(&app, "SLE");
    let (one, other) = (app.reviewer(), app.reviewer());

    release(&one, &incident).expect(204);
    claim(&one, &incident).expect(200);
    let refused = release(&other, &incident).expect_problem(409, "claimed").json();
    assert_eq!(refused["current"]["until"], "2024-04-01T12:15:00Z");
    release(&one, &incident).expect(204);
    claim(&other, &incident).expect(200);
    claim(&other, &incident).expect(200);

    let told: Vec<(String, String)> = entries_on(&app, &incident);
    let told: Vec<(&str, &str)> =
        told.iter().map(|(action, detail)| (action.as_str(), detail.as_str())).collect();
    assert_eq!(
        told,
        [("claimed", ""), ("released", ""), ("claimed", ""), ("claimed", "renewed")],
        "what changed nothing left no entry"
    );
}

#[test]
fn taking_over_needs_a_reason_which_is_kept_sealed() {
    let app = TestApp::start();
    let incident = incident_in(&app, "SLE");
    let (one, one_id) = app.user_with_id(Role::Reviewer, "SLE");
    let other = app.user(Role::Reviewer, "SLE");
    claim(&one, &incident).expect(200);
    let path = format!("{}/claim", path_of(&incident));

    for body in [
        json!({"take_over": true}),
        json!({"take_over": true, "reason": "  "}),
        json!({"reason": "not asked to take over"}),
    ] {
        let refused = other.post(&path, &body).expect_problem(422, "invalid_fields");
        assert_eq!(refused.pointers(), ["/reason"], "{body}");
    }
    other.post(&path, &json!({"takeover": true})).expect_problem(400, "unknown_field");
    other.post(&path, &json!({"take_over": false})).expect_problem(409, "claimed");
    other.post_bytes(&path, &[], b"x").expect_problem(415, "unsupported_media_type");
    app.set_now("2024-04-01T12:05:00Z");
    let taken = take_over(&other, &incident, "she is ill today").expect(200).json();

    assert_eq!(taken["since"], "2024-04-01T12:05:00Z");
    claim(&one, &incident).expect_problem(409, "claimed");
    release(&one, &incident).expect_problem(409, "claimed");
    let (id, kind): (CaseMoveId, String) = app
        .context
        .db
        .read_here(|conn| {
            Ok(case_moves::table.select((case_moves::uuid, case_moves::kind)).first(conn)?)
        })
        .expect("one move");
    assert_eq!(kind, "taken_over");
    let owner = Owner { kind: OwnerKind::CaseMove, id: id.uuid() };
    let reason = app
        .context
        .db
        .read_here(|conn| Ok(find_part(conn, owner, Part::Reason)?))
        .expect("the database works")
        .expect("a reason");
    let opened = app.context.sealer.open(owner, Part::Reason, 1, &reason.1).expect("it opens");
    assert_eq!(&opened[..], b"she is ill today");
    let entries = entries_on(&app, &incident);
    assert_eq!(entries.last(), Some(&("took_over".to_owned(), format!("from {one_id}"))));

    let free = incident_in(&app, "SLE");
    take_over(&other, &free, "in case somebody works on it").expect(200);
    let entries = entries_on(&app, &free);
    assert_eq!(entries, [("claimed".to_owned(), String::new())], "there was nobody");
}

#[test]
fn those_who_may_decide_see_who_works_on_it_and_nobody_else() {
    let app = TestApp::start();
    let incident = incident_in(&app, "SLE");
    let (holder, holder_id) = app.user_with_id(Role::Reviewer, "SLE");
    let claimed = claim(&holder, &incident).expect(200).json();
    assert_eq!(claimed["user"], json!(holder_id));

    for (role, scope, is_shown) in [
        (Role::Reviewer, "SLE", true),
        (Role::RegionalLead, "region:west", true),
        (Role::Analyst, "SLE", false),
        (Role::Coordinator, "all", false),
    ] {
        let client = app.user(role, scope);
        let read = client.get(&path_of(&incident)).expect(200).json();
        let listed = client.get("/v1/queue").expect(200).json();
        for shown in [&read, &listed["items"][0]] {
            let right = is_shown.then_some(&claimed);
            assert_eq!(shown.get("claim"), right, "{role:?}");
        }
        let all = client.get("/v1/incidents?status=received").expect(200).json();
        assert_eq!(all["items"][0].get("claim"), None, "lists do not tell");
        assert_eq!(all["total"], 1);
    }
    for (query, n) in [("claimed=any", 1), ("claimed=none", 0), ("claimed=me", 0)] {
        let reviewer = app.user(Role::Reviewer, "SLE");
        assert_eq!(queue_ids(&reviewer, &format!("?{query}")).len(), n, "{query}");
    }
    assert_eq!(queue_ids(&holder, "?claimed=me"), std::slice::from_ref(&incident));
    assert_eq!(queue_ids(&app.reviewer(), &format!("?claimed={holder_id}")), [incident]);
    let analyst = app.user(Role::Analyst, "SLE");
    analyst.get("/v1/queue?claimed=any").expect_problem(403, "forbidden");
    holder.get("/v1/queue?claimed=mine").expect_problem(400, "invalid_parameter");
    holder.get("/v1/queue?claimed=me&claimed=none").expect_problem(400, "invalid_parameter");
}

#[test]
fn asked_who_works_on_what_the_queue_ends_where_the_caller_may_decide() {
    let app = TestApp::start();
    let (here, there) = (incident_in(&app, "SLE"), incident_in(&app, "CAF"));
    let id = app.user_named("two roles", Role::Reviewer, "SLE");
    let path = "/v1/grants";
    let me = id.get("/v1/me").expect(200).json()["id"].clone();
    let grant = json!({"user": me, "role": "analyst", "scope": "CAF"});
    app.user(Role::Coordinator, "all").post(path, &grant).expect(201);
    let elsewhere = app.user(Role::Reviewer, "CAF");

    assert_eq!(queue_ids(&id, "").len(), 2);
    assert_eq!(queue_ids(&id, "?claimed=none"), std::slice::from_ref(&here));
    claim(&elsewhere, &there).expect(200);
    assert_eq!(queue_ids(&id, "?claimed=any"), Vec::<Value>::new());
    assert_eq!(queue_ids(&id, "?assignee=none"), [here]);
    assert!(id.get(&path_of(&there)).expect(200).json().get("claim").is_none());
    id.get("/v1/queue?claimed=none&country=CAF").expect_problem(404, "not_found");
}

#[test]
fn others_cannot_decide_on_a_claimed_case_and_the_holders_decisions_renew_or_end_the_claim() {
    let app = TestApp::start();
    let (holder, other) = (app.reviewer(), app.reviewer());
    for (status, is_kept) in [
        ("in_review", true),
        ("needs_information", false),
        ("verified", false),
        ("rejected", false),
    ] {
        app.set_now("2024-04-01T12:00:00Z");
        let incident = incident_in(&app, "SLE");
        claim(&holder, &incident).expect(200);
        let decision = json!({"status": status, "reason": "seen"});
        let refused = other.decide(&incident, &decision).expect_problem(409, "claimed").json();
        assert_eq!(refused["current"]["until"], "2024-04-01T12:15:00Z");

        app.set_now("2024-04-01T12:10:00Z");
        holder.decide(&incident, &decision).expect(200);

        let until = holder.get(&path_of(&incident)).expect(200).json()["claim"]["until"].clone();
        let right = if is_kept { json!("2024-04-01T12:25:00Z") } else { Value::Null };
        assert_eq!(until, right, "{status}");
        let taken_over = take_over(&other, &incident, "for the test").expect(200);
        assert_eq!(taken_over.json()["since"], "2024-04-01T12:10:00Z");
        let anew = if status == "in_review" { "verified" } else { "in_review" };
        other.decide(&incident, &json!({"status": anew, "reason": "again"})).expect(200);
    }
}

#[test]
fn opening_the_report_renews_the_claim_of_its_holder_alone() {
    let app = TestApp::start();
    let submitted = submit_in(&app, "SLE", CLASH);
    let incident = submitted["incident"].clone();
    let report = format!("/v1/reports/{}", submitted["id"].as_str().expect("an id"));
    let (holder, other) = (app.reviewer(), app.reviewer());
    claim(&holder, &incident).expect(200);
    let until = || {
        let read = other.get(&path_of(&incident)).expect(200).json();
        read["claim"]["until"].clone()
    };

    app.set_now("2024-04-01T12:10:00Z");
    other.get(&report).expect(200);
    assert_eq!(until(), "2024-04-01T12:15:00Z");
    holder.get(&report).expect(200);
    assert_eq!(until(), "2024-04-01T12:25:00Z");
    app.set_now("2024-04-01T12:25:00Z");
    holder.get(&report).expect(200);
    assert_eq!(until(), Value::Null, "what is over is not brought back");
}

#[test]
fn next_gives_the_most_urgent_that_is_free_and_nothing_twice() {
    let app = TestApp::start();
    let normal = incident_in(&app, "SLE");
    let urgent = submit_in(&app, "SLE", KILLING)["incident"].clone();
    let elsewhere = submit_in(&app, "ZWE", KILLING)["incident"].clone();
    let (one, one_id) = app.user_with_id(Role::Reviewer, "SLE");
    let other = app.user(Role::Reviewer, "SLE");

    let first = next(&one, "").expect(200);
    let item = first.json();
    assert_eq!((&item["id"], &item["urgency"]), (&urgent, &json!("urgent")));
    assert_eq!(item["claim"]["user"], json!(one_id));
    assert_eq!(item["claim"]["until"], "2024-04-01T12:15:00Z");
    assert_eq!(first.header("etag"), Some("\"1\""));
    let listed = one.get("/v1/queue?claimed=me").expect(200).json();
    assert_eq!(listed["items"], json!([item]), "the same as the queue shows");

    assert_eq!(next(&other, "").expect(200).json()["id"], normal);
    assert!(next(&other, "").expect(204).body.is_empty(), "nothing is left");
    assert!(next(&one, "").expect(204).body.is_empty());
    release(&other, &normal).expect(204);
    assert_eq!(next(&one, "?category=rights.life_integrity").expect(204).text(), "");
    assert_eq!(next(&one, "?category=rights.armed_actors").expect(200).json()["id"], normal);
    app.set_now("2024-04-01T12:15:00Z");
    assert_eq!(next(&other, "").expect(200).json()["id"], urgent, "the lease is over");
    let lead = app.user(Role::RegionalLead, "region:southern");
    assert_eq!(next(&lead, "").expect(200).json()["id"], elsewhere);

    assert_eq!(entries_on(&app, &urgent)[0], ("claimed".to_owned(), "next".to_owned()));
    next(&one, "?status=verified").expect_problem(400, "invalid_parameter");
    next(&one, "?limit=1").expect_problem(400, "unknown_parameter");
    next(&one, "?country=ZWE").expect_problem(404, "not_found");
    for role in [Role::Analyst, Role::Coordinator, Role::Monitor] {
        next(&app.user(role, "SLE"), "").expect_problem(403, "forbidden");
    }
}

#[test]
fn next_passes_over_what_was_decided_at_another_server() {
    let app = TestApp::start();
    let second = app.second_server();
    let incidents: Vec<Value> = (0..3).map(|_| incident_in(&app, "SLE")).collect();
    let reviewer = app.reviewer();
    reviewer.get("/v1/queue").expect(200);

    reviewer.at(&second.url).set_status(&incidents[0], "rejected");

    assert_eq!(next(&reviewer, "").expect(200).json()["id"], incidents[1]);
}

#[test]
fn of_thirty_two_reviewers_at_two_servers_no_two_get_the_same_case() {
    const N_CASES: usize = 150;
    let app = TestApp::start();
    let second = app.second_server();
    let incidents: BTreeSet<String> = (0..N_CASES)
        .map(|_| incident_in(&app, "SLE").as_str().expect("an id").to_owned())
        .collect();
    let reviewers: Vec<Client> = (0..32)
        .map(|n| {
            let reviewer = app.user(Role::Reviewer, "SLE");
            if n % 2 == 0 { reviewer } else { reviewer.at(&second.url) }
        })
        .collect();

    let taken: Vec<Vec<String>> = std::thread::scope(|scope| {
        let work = |reviewer: &Client| {
            let mut taken = Vec::new();
            loop {
                let answer = next(reviewer, "");
                match answer.status {
                    200 => taken.push(answer.json()["id"].as_str().expect("an id").to_owned()),
                    204 => return taken,
                    // A server that waits too long for the other says so; the reviewer asks again.
                    503 => {}
                    _ => unreachable!("{}", answer.text()),
                }
            }
        };
        let threads: Vec<_> =
            reviewers.iter().map(|reviewer| scope.spawn(move || work(reviewer))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no failure")).collect()
    });

    let all: Vec<String> = taken.into_iter().flatten().collect();
    let distinct: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(all.len(), distinct.len(), "a case was given twice");
    assert_eq!(distinct, incidents, "every case was given");
}

#[test]
fn thirty_two_claims_on_one_case_make_one_holder() {
    let app = TestApp::start();
    let second = app.second_server();
    let incident = incident_in(&app, "SLE");
    let reviewers: Vec<Client> = (0..32)
        .map(|n| {
            let reviewer = app.user(Role::Reviewer, "SLE");
            if n % 2 == 0 { reviewer } else { reviewer.at(&second.url) }
        })
        .collect();

    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = reviewers
            .iter()
            .map(|reviewer| scope.spawn(|| claim(reviewer, &incident).status))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no failure")).collect()
    });

    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 31, "{statuses:?}");
}

#[test]
fn the_claim_of_somebody_who_is_disabled_or_gone_holds_nobody_up() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (one, one_id) = app.user_with_id(Role::Reviewer, "SLE");
    let (other, other_id) = app.user_with_id(Role::Reviewer, "SLE");
    let (first, second) = (incident_in(&app, "SLE"), incident_in(&app, "SLE"));
    claim(&one, &first).expect(200);

    coordinator.send("POST", &format!("/v1/users/{one_id}/disable"), &[], None).expect(204);
    assert!(other.get(&path_of(&first)).expect(200).json().get("claim").is_none());
    assert_eq!(queue_ids(&other, "?claimed=any"), Vec::<Value>::new());
    assert_eq!(next(&other, "").expect(200).json()["id"], first);

    claim(&other, &second).expect(200);
    let (third, third_id) = app.user_with_id(Role::Reviewer, "SLE");
    let to = json!({"to": third_id});
    coordinator.post(&format!("/v1/users/{other_id}/handover"), &to).expect(204);
    let read = third.get(&path_of(&second)).expect(200).json();
    assert_eq!(read["claim"]["user"], json!(third_id));
    assert_eq!(queue_ids(&third, "?claimed=me").len(), 2);
}

#[test]
fn what_is_out_of_scope_is_claimed_like_nothing() {
    let app = TestApp::start();
    let incident = incident_in(&app, "ZWE");
    let reviewer = app.user(Role::Reviewer, "SLE");
    let random = json!(Uuid::new_v4());

    for act in [claim, release] {
        let there = act(&reviewer, &incident).expect_problem(404, "not_found");
        let nowhere = act(&reviewer, &random).expect_problem(404, "not_found");
        assert_eq!(there.body, nowhere.body);
    }
    assert_eq!(entries_on(&app, &incident), []);
}
