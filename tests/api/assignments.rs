//! Whose case an incident is, by when it is due, and how much each reviewer has to do.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use sentinelle::app::ServerOptions;
use sentinelle::auth::types::Role;
use sentinelle::config::{Target, Targets};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::claims::{claim, incident_in, next, path_of, queue_ids, submit_in};
use crate::harness::{Answer, Client, TestApp, TestOptions};

const KILLING: &str = "rights.life_integrity.killing";

fn assign(client: &Client, incident: &Value, to: &Value, reason: Option<&str>) -> Answer {
    let mut body = json!({"user": to});
    if let Some(reason) = reason {
        body["reason"] = json!(reason);
    }
    client.put(&format!("{}/assignee", path_of(incident)), &body)
}

fn assignee(client: &Client, incident: &Value) -> Value {
    client.get(&path_of(incident)).expect(200).json()["assignee"].clone()
}

#[test]
fn a_reviewer_takes_a_case_and_gives_it_back() {
    let app = TestApp::start();
    let (mine, free) = (incident_in(&app, "SLE"), incident_in(&app, "SLE"));
    let (reviewer, id) = app.user_with_id(Role::Reviewer, "SLE");
    let me = json!(id);

    let answer = assign(&reviewer, &mine, &me, None).expect(200).json();
    let right = json!({"user": me, "since": "2024-04-01T12:00:00Z", "is_active": true});
    assert_eq!(answer, json!({"incident": mine, "assignee": right}));
    assert_eq!(assignee(&reviewer, &mine), right);
    app.set_now("2024-04-01T13:00:00Z");
    let again = assign(&reviewer, &mine, &me, None).expect(200).json();
    assert_eq!(again["assignee"]["since"], "2024-04-01T12:00:00Z", "it was theirs already");

    for (query, right) in [
        ("assignee=me", vec![&mine]),
        ("assignee=any", vec![&mine]),
        ("assignee=none", vec![&free]),
        ("assignee=me&claimed=none", vec![&mine]),
        ("assignee=me&claimed=any", vec![]),
        ("assignee=me&country=SLE&status=in_review", vec![]),
    ] {
        let right: Vec<Value> = right.into_iter().cloned().collect();
        assert_eq!(queue_ids(&reviewer, &format!("?{query}")), right, "{query}");
    }
    let by_id = format!("?assignee={id}");
    assert_eq!(queue_ids(&app.reviewer(), &by_id), std::slice::from_ref(&mine));
    assert_eq!(
        queue_ids(&app.reviewer(), &format!("?assignee={}", Uuid::new_v4())),
        Vec::<Value>::new()
    );
    reviewer.get("/v1/queue?assignee=").expect_problem(400, "invalid_parameter");
    assert_eq!(reviewer.get(&path_of(&mine)).expect(200).header("etag"), Some("\"1\""));

    let answer = assign(&reviewer, &mine, &Value::Null, None).expect(200).json();
    assert_eq!(answer["assignee"], Value::Null);
    assert_eq!(queue_ids(&reviewer, "?assignee=none").len(), 2);
}

#[test]
fn leads_give_cases_to_others_and_reviewers_do_not() {
    let app = TestApp::start();
    let incident = incident_in(&app, "SLE");
    let (one, one_id) = app.user_with_id(Role::Reviewer, "SLE");
    let (other, other_id) = app.user_with_id(Role::Reviewer, "SLE,CAF");
    let lead = app.user(Role::RegionalLead, "region:west");
    let (one_id, other_id) = (json!(one_id), json!(other_id));

    assign(&one, &incident, &other_id, None).expect_problem(403, "forbidden");
    assign(&lead, &incident, &one_id, None).expect(200);
    assign(&other, &incident, &Value::Null, Some("why not")).expect_problem(403, "forbidden");
    for client in [&other, &lead] {
        let refused = assign(client, &incident, &other_id, None);
        assert_eq!(refused.expect_problem(422, "invalid_fields").pointers(), ["/reason"]);
    }
    assign(&other, &incident, &other_id, Some("she is ill today")).expect(200);
    assign(&lead, &incident, &one_id, Some("he has enough")).expect(200);
    assert_eq!(assignee(&lead, &incident)["user"], one_id);
    assign(&lead, &incident, &Value::Null, Some("nobody now")).expect(200);

    for role in [Role::Coordinator, Role::Analyst, Role::Monitor] {
        let client = app.user(role, "SLE");
        assign(&client, &incident, &one_id, None).expect_problem(403, "forbidden");
    }
    let path = format!("{}/assignee", path_of(&incident));
    lead.put(&path, &json!({})).expect_problem(422, "invalid_fields");
    lead.put(&path, &json!({"user": null, "by": "x"})).expect_problem(400, "unknown_field");
    let elsewhere = app.user(Role::RegionalLead, "region:southern");
    assign(&elsewhere, &incident, &one_id, None).expect_problem(404, "not_found");
    let audit = app.user(Role::Auditor, "all").get("/v1/audit?action=assigned").expect(200).json();
    let details: Vec<&str> = audit["items"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| entry["detail"].as_str().expect("a text"))
        .collect();
    assert_eq!(details.len(), 4, "{audit}");
    assert!(details.contains(&"to nobody"));
}

#[test]
fn a_case_is_given_only_to_somebody_who_may_decide_on_it() {
    let app = TestApp::start();
    let incident = incident_in(&app, "SLE");
    let lead = app.user(Role::RegionalLead, "region:west");
    let coordinator = app.user(Role::Coordinator, "all");
    let (_, disabled) = app.user_with_id(Role::Reviewer, "SLE");
    coordinator.send("POST", &format!("/v1/users/{disabled}/disable"), &[], None).expect(204);

    let cannot = [
        json!(app.user_with_id(Role::Reviewer, "CAF").1),
        json!(app.user_with_id(Role::Analyst, "SLE").1),
        json!(app.user_with_id(Role::Monitor, "SLE").1),
        json!(app.user_with_id(Role::Coordinator, "all").1),
        json!(disabled),
        json!(Uuid::new_v4()),
        json!("nobody"),
    ];
    let told: Vec<Answer> = cannot
        .iter()
        .map(|to| assign(&lead, &incident, to, None).expect_problem(422, "invalid_fields"))
        .collect();
    for answer in &told {
        assert_eq!(answer.pointers(), ["/user"]);
        assert_eq!(answer.body, told[0].body, "whoever it is, the same");
    }
    let can = app.user_with_id(Role::RegionalLead, "region:west").1;
    assign(&lead, &incident, &json!(can), None).expect(200);

    let place = json!({"country": "COD", "lat": 6.4162, "lon": 20.8});
    let report = json!({"narrative": Uuid::new_v4(), "occurred": "2024-03-05", "location": place,
        "categories": [KILLING]});
    let mismatch = app.monitor().submit(&report)["incident"].clone();
    let (reviewer, id) = app.user_with_id(Role::Reviewer, "CAF");
    assign(&reviewer, &mismatch, &json!(id), None).expect(200);
}

#[test]
fn a_case_of_somebody_who_may_not_decide_any_more_is_free() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let lead = app.user(Role::RegionalLead, "region:west");
    let (_, one) = app.user_with_id(Role::Reviewer, "SLE");
    let (_, other) = app.user_with_id(Role::Reviewer, "SLE");
    let (third, third_id) = app.user_with_id(Role::Reviewer, "SLE");
    let cases: Vec<Value> = (0..3).map(|_| incident_in(&app, "SLE")).collect();
    for (case, to) in cases.iter().zip([one, other, third_id]) {
        assign(&lead, case, &json!(to), None).expect(200);
    }
    assert_eq!(next(&lead, "").expect(204).text(), "", "all are somebody's");

    coordinator.send("POST", &format!("/v1/users/{one}/disable"), &[], None).expect(204);
    let grants = coordinator.get(&format!("/v1/grants?user={other}")).expect(200).json();
    let grant = grants["items"][0]["id"].as_str().expect("an id").to_owned();
    coordinator.remove(&format!("/v1/grants/{grant}")).expect(204);

    assert_eq!(assignee(&lead, &cases[0])["is_active"], false);
    assert_eq!(assignee(&lead, &cases[1])["is_active"], false);
    assert_eq!(queue_ids(&lead, "?assignee=none"), cases[..2]);
    assert_eq!(queue_ids(&lead, "?assignee=any"), cases[2..]);
    assert_eq!(queue_ids(&lead, &format!("?assignee={one}")), cases[..1], "to give it on");
    assert_eq!(next(&lead, "").expect(200).json()["id"], cases[0]);
    assign(&third, &cases[1], &json!(third_id), None).expect(200);
    assert_eq!(next(&third, "").expect(200).json()["id"], cases[1], "one's own are given");
    assert_eq!(next(&third, "").expect(200).json()["id"], cases[2]);
    assert_eq!(next(&third, "").expect(204).text(), "");
}

#[test]
fn cases_go_with_a_handover() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (one, one_id) = app.user_with_id(Role::Reviewer, "SLE");
    let (other, other_id) = app.user_with_id(Role::Reviewer, "SLE");
    let cases: Vec<Value> = (0..2).map(|_| incident_in(&app, "SLE")).collect();
    for case in &cases {
        assign(&one, case, &json!(one_id), None).expect(200);
    }

    let to = json!({"to": other_id});
    coordinator.post(&format!("/v1/users/{one_id}/handover"), &to).expect(204);

    assert_eq!(queue_ids(&other, "?assignee=me"), cases);
}

#[test]
fn an_incident_is_due_by_its_urgency_and_late_from_that_instant() {
    let app = TestApp::start();
    let normal = incident_in(&app, "SLE");
    let urgent = submit_in(&app, "SLE", KILLING)["incident"].clone();
    let reviewer = app.user(Role::Reviewer, "SLE");
    let told = |client: &Client| {
        let page = client.get("/v1/queue").expect(200).json();
        [0, 1].map(|nth: usize| {
            let item = &page["items"][nth];
            (item["due_at"].clone(), item["is_overdue"].as_bool().expect("a flag"))
        })
    };
    let (due_urgent, due_normal) = (json!("2024-04-02T12:00:00Z"), json!("2024-04-08T12:00:00Z"));
    let nothing = Vec::<Value>::new();

    app.set_now("2024-04-02T11:59:59Z");
    assert_eq!(told(&reviewer), [(due_urgent.clone(), false), (due_normal.clone(), false)]);
    assert_eq!(queue_ids(&reviewer, "?overdue=true"), nothing);
    app.set_now("2024-04-02T12:00:00Z");
    assert_eq!(told(&reviewer), [(due_urgent.clone(), true), (due_normal.clone(), false)]);
    assert_eq!(queue_ids(&reviewer, "?overdue=true"), std::slice::from_ref(&urgent));
    assert_eq!(queue_ids(&reviewer, "?overdue=false"), std::slice::from_ref(&normal));
    app.set_now("2024-04-08T12:00:00Z");
    assert_eq!(told(&reviewer), [(due_urgent, true), (due_normal, true)]);
    assert_eq!(queue_ids(&reviewer, "?overdue=true"), [urgent, normal]);
    assert_eq!(queue_ids(&reviewer, "?overdue=true&status=in_review"), nothing);
    reviewer.get("/v1/queue?overdue=yes").expect_problem(400, "invalid_parameter");
}

#[test]
fn whoever_may_not_know_the_hour_learns_by_the_day_what_is_late() {
    let app = TestApp::start();
    submit_in(&app, "SLE", KILLING);
    let analyst = app.user(Role::Analyst, "SLE");
    let coordinator = app.user(Role::Coordinator, "all");

    for (now, is_late) in [
        ("2024-04-02T12:00:00Z", false),
        ("2024-04-02T23:59:59Z", false),
        ("2024-04-03T00:00:00Z", true),
    ] {
        app.set_now(now);
        for client in [&analyst, &coordinator] {
            let item = client.get("/v1/queue").expect(200).json()["items"][0].clone();
            assert_eq!(item["due_at"], "2024-04-02", "{now}");
            assert_eq!(item["is_overdue"], is_late, "{now}");
            assert_eq!(queue_ids(client, "?overdue=true").len(), usize::from(is_late), "{now}");
        }
    }
}

#[test]
fn the_targets_are_those_the_server_is_told() {
    let target = |text| Target::parse(text).expect("a target");
    let targets = Targets { urgent: target("2h"), normal: target("3d") };
    let server = ServerOptions { targets, ..ServerOptions::default() };
    let app = TestApp::start_with(TestOptions { server, ..TestOptions::default() });
    submit_in(&app, "SLE", KILLING);
    incident_in(&app, "SLE");

    let page = app.reviewer().get("/v1/queue").expect(200).json();

    assert_eq!(page["items"][0]["due_at"], "2024-04-01T14:00:00Z");
    assert_eq!(page["items"][1]["due_at"], "2024-04-04T12:00:00Z");
}

#[test]
fn leads_and_coordinators_count_the_work_of_reviewers_in_their_countries() {
    let app = TestApp::start();
    let (one, one_id) = app.user_with_id(Role::Reviewer, "SLE");
    let (both, both_id) = app.user_with_id(Role::Reviewer, "SLE,CAF");
    let (idle, _) = app.user_with_id(Role::Reviewer, "SLE");
    let (_, elsewhere) = app.user_with_id(Role::Reviewer, "ZWE");
    let (lead, lead_id) = app.user_with_id(Role::RegionalLead, "region:west");
    let coordinator = app.user(Role::Coordinator, "all");
    let urgent = submit_in(&app, "SLE", KILLING)["incident"].clone();
    let normal = incident_in(&app, "SLE");
    let central = submit_in(&app, "CAF", KILLING)["incident"].clone();
    let verified = incident_in(&app, "SLE");
    for case in [&urgent, &normal, &verified] {
        assign(&one, case, &json!(one_id), None).expect(200);
    }
    assign(&both, &central, &json!(both_id), None).expect(200);
    claim(&one, &normal).expect(200);
    claim(&both, &central).expect(200);
    one.set_status(&verified, "verified");
    both.set_status(&central, "in_review");
    app.set_now("2024-04-02T12:00:00Z");
    claim(&both, &normal).expect(200);

    let rows = |client: &Client| {
        let page = client.get("/v1/queue/reviewers").expect(200).json();
        let rows = page["items"].as_array().expect("items").clone();
        assert_eq!(page["total"], rows.len());
        rows
    };
    let row = |user, counts: [u32; 4]| {
        let [assigned, claimed, overdue, decided] = counts;
        json!({"user": user, "assigned": assigned, "claimed": claimed, "overdue": overdue,
            "decided": decided})
    };
    let idle_id = idle.get("/v1/me").expect(200).json()["id"].clone();
    let of_lead = rows(&lead);
    let right = [
        row(json!(one_id), [2, 0, 1, 1]),
        row(json!(both_id), [0, 1, 0, 0]),
        row(idle_id.clone(), [0, 0, 0, 0]),
        row(json!(lead_id), [0, 0, 0, 0]),
    ];
    assert_eq!(of_lead, right, "what lies in Central Africa is no business of the west");
    let of_all = rows(&coordinator);
    assert_eq!(of_all[0], row(json!(one_id), [2, 0, 0, 1]), "late by the day");
    assert_eq!(of_all[1], row(json!(both_id), [1, 1, 0, 1]));
    assert!(of_all.contains(&row(json!(elsewhere), [0, 0, 0, 0])));
    app.set_now("2024-04-08T12:00:01Z");
    assert_eq!(rows(&lead)[0], row(json!(one_id), [2, 0, 2, 0]), "a week later");

    let first = lead.get("/v1/queue/reviewers?limit=1").expect(200);
    assert!(first.header("link").is_some_and(|link| link.contains("cursor=")));
    let cursor = first.json()["next"].as_str().expect("a cursor").to_owned();
    let second = lead.get(&format!("/v1/queue/reviewers?limit=1&cursor={cursor}")).expect(200);
    assert_eq!(second.json()["items"][0]["user"], json!(both_id));
    for client in [&one, &app.user(Role::Analyst, "all"), &app.monitor()] {
        client.get("/v1/queue/reviewers").expect_problem(403, "forbidden");
    }
    lead.get("/v1/queue/reviewers?country=SLE").expect_problem(400, "unknown_parameter");
}
