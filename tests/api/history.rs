//! The story of an incident: everything in order, told to each as far as they may know it, and every state it ever had.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use chrono::TimeDelta;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{grants, users};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp};
use crate::merging::{merge, path_of, read, split};
use crate::messages::{answer, ask};
use crate::scope::let_reveal;

const KILLING: &str = "rights.life_integrity.killing";

fn report(more: &Value) -> Value {
    let mut report = json!({"id": Uuid::new_v4(), "narrative": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": "SLE"}, "categories": [KILLING]});
    let fields = report.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    report
}

/// Lets a minute pass, so that one thing comes after the other.
fn tick(app: &TestApp) {
    let later = app.context.clock.now() + TimeDelta::minutes(1);
    app.set_now(&later.to_rfc3339());
}

fn story(client: &Client, incident: &Value) -> Vec<Value> {
    let path = format!("{}/history", path_of(incident));
    let page = client.get(&path).expect(200).json();
    page["items"].as_array().expect("entries").clone()
}

fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["kind"].as_str().expect("a kind")).collect()
}

fn entry<'a>(entries: &'a [Value], kind: &str) -> &'a Value {
    let mut of_kind = entries.iter().filter(|entry| entry["kind"] == kind);
    of_kind.next_back().unwrap_or(&Value::Null)
}

fn decide(client: &Client, incident: &Value, more: &Value) {
    let mut decision = json!({"reason": "two witnesses agree"});
    let fields = decision.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    client.decide(incident, &decision).expect(200);
}

/// An incident that was through everything, with the one that was merged into it and is its own again.
struct Case {
    app: TestApp,
    reviewer: Client,
    reviewer_id: String,
    monitor: Client,
    first: Value,
    second: Value,
    /// The story while the two were one.
    merged: Vec<Value>,
}

fn work_a_case() -> Case {
    let app = TestApp::start();
    let monitor = app.monitor();
    let (reviewer, id) = app.user_with_id(Role::Reviewer, "SLE");
    let_reveal(&app, &reviewer);
    let first = monitor.submit(&report(&json!({"harm": {"killed": 2}})));
    tick(&app);
    let second = app.monitor().submit(&report(&json!({"harm": {"killed": {"min": 1, "max": 4}}})));
    tick(&app);
    let incident = &first["incident"];
    let claim = format!("{}/claim", path_of(incident));
    reviewer.send("POST", &claim, &[], None).expect(200);
    tick(&app);
    let asked = ask(&reviewer, &first, "How many?").expect(201).json();
    tick(&app);
    answer(&monitor, &asked, &json!({"text": "three"})).expect(201);
    tick(&app);
    decide(&reviewer, incident, &json!({"harm": {"killed": 3}, "occurred": "2024-03-06"}));
    tick(&app);
    let grade = json!({"source_reliability": "B", "info_credibility": 2});
    let of_report = json!({"id": first["id"], "source_reliability": "C", "info_credibility": 3});
    decide(&reviewer, incident, &json!({"grade": grade, "reports": [of_report]}));
    tick(&app);
    merge(&reviewer, incident, &[&second["incident"]]).expect(200);
    tick(&app);
    decide(&reviewer, incident, &json!({"status": "verified"}));
    tick(&app);
    let reveal = json!({"reason": "she asked to be called", "parts": ["identities", "place"]});
    reviewer.post(&format!("{}/reveal", path_of(incident)), &reveal).expect(200);
    tick(&app);
    let merged = story(&reviewer, incident);
    split(&reviewer, incident, &[&second["id"]]).expect(200);
    tick(&app);
    decide(&reviewer, incident, &json!({"status": "rejected"}));
    tick(&app);
    Case { reviewer, reviewer_id: id.to_string(), monitor, first, second, merged, app }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told from its beginning to its end")]
fn a_case_reads_back_as_its_story() {
    let case = work_a_case();
    let (reviewer, first, second) = (&case.reviewer, &case.first, &case.second);

    let all = story(reviewer, &first["incident"]);

    let right = [
        "received",
        "claimed",
        "asked",
        "assigned",
        "answered",
        "corrected",
        "graded",
        "merged",
        "decided",
        "revealed",
        "split",
        "decided",
    ];
    assert_eq!(kinds(&all), right);
    let versions: Vec<&Value> =
        all.iter().map(|entry| &entry["version"]).filter(|version| version.is_number()).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6, 7, 8, 9], "each version once");
    let person = |kind: &str| entry(&all, kind)["who"].clone();
    let who = json!({"kind": "person", "id": case.reviewer_id,
        "roles": [{"role": "reviewer", "scope": "SLE"}]});
    let mut told = person("asked");
    let name = told.as_object_mut().expect("who").remove("name");
    assert!(name.is_some_and(|name| name.is_string()), "everybody knows who they are themselves");
    assert_eq!(told, who);
    assert_eq!(person("answered"), json!({"kind": "sender"}));
    assert_eq!(person("received"), json!({"kind": "sender"}));
    let asked = entry(&all, "asked");
    assert_eq!((&asked["report"], asked["message"].is_string()), (&first["id"], true));
    let status = |from: &str, to: &str| json!({"field": "status", "from": from, "to": to});
    assert_eq!(asked["changes"], json!([status("received", "needs_information")]));
    assert_eq!(
        entry(&all, "answered")["changes"],
        json!([status("needs_information", "in_review")])
    );
    assert_eq!(entry(&all, "assigned")["to"]["id"], case.reviewer_id);
    let day = json!({"first_day": "2024-03-06", "last_day": "2024-03-06", "precision": "day"});
    assert_eq!(
        entry(&all, "corrected")["changes"],
        json!([
            {"field": "harm", "from": null, "to": {"killed": {"min": 3, "max": 3}}},
            {"field": "occurred", "from": null, "to": day},
        ])
    );
    assert_eq!(entry(&all, "corrected")["reason"], "two witnesses agree");
    let graded = entry(&all, "graded")["changes"].as_array().expect("changes").clone();
    let report_grade = format!("grade/{}", first["id"].as_str().expect("an id"));
    let fields: Vec<&Value> = graded.iter().map(|change| &change["field"]).collect();
    assert_eq!(fields, [&json!("grade"), &json!(report_grade)]);
    let merged = entry(&all, "merged");
    assert_eq!(
        (&merged["incidents"], &merged["reports"]),
        (&json!([second["incident"]]), &json!([second["id"]]))
    );
    let revealed = entry(&all, "revealed");
    assert_eq!(
        (&revealed["parts"], &revealed["reason"]),
        (&json!(["identities", "place"]), &json!("she asked to be called"))
    );
    let left = entry(&all, "split");
    assert_eq!(
        (&left["incidents"], &left["reports"]),
        (&json!([second["incident"]]), &json!([second["id"]]))
    );
    assert_eq!(entry(&all, "decided")["changes"], json!([status("verified", "rejected")]));
    assert!(!json!(all).to_string().contains("three"), "the words are with the messages");

    let of_second = story(reviewer, &second["incident"]);
    assert_eq!(kinds(&of_second), ["received", "merged_into", "split_off"]);
    assert_eq!(entry(&of_second, "merged_into")["incidents"], json!([first["incident"]]));
    assert_eq!(entry(&of_second, "split_off")["incidents"], json!([first["incident"]]));
}

#[test]
fn while_two_are_one_their_stories_are_one() {
    let case = work_a_case();

    let right = [
        "received",
        "received",
        "claimed",
        "asked",
        "assigned",
        "answered",
        "corrected",
        "graded",
        "merged",
        "decided",
        "revealed",
    ];
    assert_eq!(kinds(&case.merged), right);
    let reports: Vec<&Value> = case.merged.iter().take(2).map(|entry| &entry["report"]).collect();
    assert_eq!(reports, [&case.first["id"], &case.second["id"]]);
    assert_eq!(case.merged[1]["incident"], case.second["incident"]);
}

#[test]
fn people_are_told_by_role_and_country_and_by_name_to_who_manages_them() {
    let case = work_a_case();
    let (app, incident) = (&case.app, &case.first["incident"]);
    let lead = app.user(Role::RegionalLead, "region:west");
    let (analyst, coordinator) =
        (app.user(Role::Analyst, "SLE"), app.user(Role::Coordinator, "all"));

    let to_lead = story(&lead, incident);
    let named = entry(&to_lead, "corrected")["who"]["name"].clone();
    assert!(named.is_string(), "a lead manages reviewers: {named}");
    assert!(entry(&to_lead, "corrected")["reason"].is_string());

    let to_coordinator = story(&coordinator, incident);
    assert_eq!(kinds(&to_coordinator), kinds(&story(&case.reviewer, incident)));
    assert_eq!(entry(&to_coordinator, "corrected")["who"]["name"], named);
    let corrected = entry(&to_coordinator, "corrected");
    assert_eq!((&corrected["reason"], corrected["at"].is_string()), (&Value::Null, true));
    for kind in ["received", "answered"] {
        let of_sender = entry(&to_coordinator, kind);
        assert_eq!(
            (&of_sender["at"], &of_sender["on"]),
            (&Value::Null, &json!("2024-04-01")),
            "{kind}"
        );
    }

    let to_analyst = story(&analyst, incident);
    let right = [
        "received",
        "asked",
        "answered",
        "corrected",
        "graded",
        "merged",
        "decided",
        "split",
        "decided",
    ];
    assert_eq!(kinds(&to_analyst), right, "who opened and revealed is in the audit log");
    let who = json!({"kind": "person", "roles": [{"role": "reviewer", "scope": "SLE"}]});
    assert_eq!(entry(&to_analyst, "corrected")["who"], who);
    assert_eq!(
        entry(&to_analyst, "graded")["changes"],
        Value::Null,
        "grades are for the country team"
    );
    let text = json!(to_analyst).to_string();
    for hidden in [case.reviewer_id.as_str(), "witnesses", "2024-04-01T", "called"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }

    let path = format!("{}/history", path_of(incident));
    let state = format!("{path}/1");
    for path in [&path, &state] {
        app.user(Role::Reviewer, "ZWE").get(path).expect_problem(404, "not_found");
        for role in [Role::Monitor, Role::Auditor, Role::Sysadmin] {
            app.user(role, "all").get(path).expect_problem(403, "forbidden");
        }
        case.monitor.get(path).expect_problem(403, "forbidden");
    }
}

#[test]
fn the_role_somebody_had_is_told_when_they_have_it_no_more() {
    let case = work_a_case();
    let id: sentinelle::ids::UserId = sentinelle::ids::Id::parse(&case.reviewer_id).expect("an id");
    let now = case.app.context.clock.now().naive_utc();
    let ended = case.app.context.db.write_here(move |tx| {
        let user: i64 = users::table.filter(users::uuid.eq(id)).select(users::id).first(tx.conn)?;
        let own = grants::table.filter(grants::user_id.eq(user));
        Ok(diesel::update(own).set(grants::revoked_at.eq(Some(now))).execute(tx.conn)?)
    });
    assert_eq!(ended.expect("an update"), 1);

    let told = story(&case.app.user(Role::Analyst, "SLE"), &case.first["incident"]);

    let roles = json!([{"role": "reviewer", "scope": "SLE"}]);
    assert_eq!(entry(&told, "corrected")["who"]["roles"], roles);
}

#[test]
fn reading_the_story_with_its_reasons_is_written_down_first() {
    let case = work_a_case();
    let id = case.first["incident"].as_str().expect("an id");
    let count = || {
        let path = format!("/v1/audit?action=opened&subject={id}");
        let page = case.reviewer.get(&path).expect(200).json();
        page["items"].as_array().expect("entries").len()
    };
    let before = count();

    story(&case.reviewer, &case.first["incident"]);
    story(&case.app.user(Role::Analyst, "SLE"), &case.first["incident"]);

    assert_eq!(count(), before + 1, "an analyst opens nothing");
    let path = format!("{}/messages", path_of(&case.first["incident"]));
    case.reviewer.get(&path).expect(200);
    let told = story(&case.reviewer, &case.first["incident"]);
    assert_eq!(entry(&told, "opened")["parts"], json!(["messages"]));
    assert_eq!(told.iter().filter(|entry| entry["kind"] == "opened").count(), 1);
}

#[test]
fn a_story_is_read_page_by_page_though_much_happened_at_once() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let sent = monitor.submit(&report(&json!({})));
    for nth in 0..5 {
        let asked = ask(&reviewer, &sent, "Who?").expect(201).json();
        answer(&monitor, &asked, &json!({"text": format!("answer {nth}")})).expect(201);
        if nth == 2 {
            tick(&app);
        }
    }
    let whole = story(&reviewer, &sent["incident"]);
    assert_eq!(whole.len(), 12, "{:?}", kinds(&whole));

    for limit in [1, 2, 5, 11] {
        let mut pages = Vec::new();
        let mut path = format!("{}/history?limit={limit}", path_of(&sent["incident"]));
        let start = path.clone();
        loop {
            let page = reviewer.get(&path).expect(200).json();
            let items = page["items"].as_array().expect("entries").clone();
            assert!(items.len() <= limit);
            pages.extend(items);
            let Some(next) = page["next"].as_str() else { break };
            path = format!("{start}&cursor={next}");
        }
        assert_eq!(pages, whole, "{limit} at a time");
    }
    let other = monitor.submit(&report(&json!({})));
    let page = reviewer.get(&format!("{}/history?limit=1", path_of(&sent["incident"]))).expect(200);
    let cursor = page.json()["next"].as_str().expect("a cursor").to_owned();
    let path = format!("{}/history?limit=1&cursor={cursor}", path_of(&other["incident"]));
    reviewer.get(&path).expect_problem(400, "invalid_cursor");
}

/// What an incident showed at each version it had, without what is no fact of it.
#[derive(Default)]
pub(crate) struct Recorder(BTreeMap<(String, i64), Value>);

fn facts_of(mut shown: Value) -> Value {
    let fields = shown.as_object_mut().expect("an incident");
    let told_now = ["suggestions", "related", "absorbed", "consent", "claim", "assignee"];
    for other in told_now.into_iter().chain(["likely_duplicates"]) {
        fields.remove(other);
    }
    shown
}

impl Recorder {
    pub(crate) fn record(&mut self, app: &TestApp, client: &Client, incidents: &[&Value]) {
        for incident in incidents {
            let shown = facts_of(read(client, incident));
            let version = shown["version"].as_i64().expect("a version");
            let key = (incident.as_str().expect("an id").to_owned(), version);
            let before = self.0.insert(key, shown.clone());
            assert!(before.is_none_or(|before| before == shown), "a version that changed: {shown}");
        }
        tick(app);
    }

    pub(crate) fn expect_all_told(&self, client: &Client) {
        for ((incident, version), right) in &self.0 {
            let path = format!("/v1/incidents/{incident}/history/{version}");
            let told = client.get(&path).expect(200).json();
            assert_eq!(told["incident"], *right, "version {version} of {incident}");
            assert_eq!(told["is_complete"], true);
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told from its beginning to its end")]
fn every_state_is_told_as_it_was_shown() {
    let app = TestApp::start();
    let (one, two, three) = (app.monitor(), app.monitor(), app.monitor());
    let (reviewer, analyst) = (app.reviewer(), app.user(Role::Analyst, "all"));
    let told = report(&json!({"harm": {"killed": 2}, "occurred": "2024-03-05T23:30:00Z",
        "location": {"country": "SLE", "lat": 8.644, "lon": -10.971}}));
    let guest = report(
        &json!({"harm": {"killed": {"min": 1, "max": 4}}, "actors": [{"type": "state_army"}]}),
    );
    let [a, b, c] = [
        one.submit(&told),
        two.submit(&guest),
        three.submit(&report(&json!({"source": {"at_risk": true}}))),
    ];
    let all = [&a["incident"], &b["incident"], &c["incident"]];
    let mut recorder = Recorder::default();
    let mut record = || recorder.record(&app, &reviewer, &all);
    record();
    let path = |sent: &Value, act: &str| {
        format!("/v1/reports/{}/{act}", sent["id"].as_str().expect("an id"))
    };

    let asked = ask(&reviewer, &b, "Who?").expect(201).json();
    record();
    decide(
        &reviewer,
        all[0],
        &json!({"harm": {"injured": 5}, "severity": 2, "categories": [KILLING, "rights.life_integrity.assault_injury"]}),
    );
    record();
    // Another clock: the reports' own time is read on it.
    decide(
        &reviewer,
        all[0],
        &json!({"location": {"country": "SLE", "admin1": "SL-E"}, "is_test": false}),
    );
    record();
    merge(&reviewer, all[0], &[all[1]]).expect(200);
    record();
    answer(&two, &asked, &json!({"text": "my uncle"})).expect(201);
    record();
    let mut again = guest.clone();
    again["harm"] = json!({"killed": 9});
    two.post(&path(&b, "revisions"), &again).expect(201);
    record();
    decide(
        &reviewer,
        all[0],
        &json!({"harm": null, "grade": {"source_reliability": "B", "info_credibility": 2}}),
    );
    record();
    merge(&reviewer, all[2], &[all[0]]).expect(200);
    record();
    let mut again = told.clone();
    again["occurred"] = json!("2024-03-02");
    one.post(&path(&a, "revisions"), &again).expect(201);
    record();
    decide(&reviewer, all[2], &json!({"status": "verified"}));
    record();
    three.post(&path(&c, "withdrawal"), &json!({})).expect(200);
    record();
    decide(&reviewer, all[2], &json!({"status": "in_review", "occurred": "2024-03-09"}));
    record();
    split(&reviewer, all[2], &[&a["id"]]).expect(200);
    record();
    split(&reviewer, all[2], &[&b["id"]]).expect(200);
    record();
    decide(&reviewer, all[0], &json!({"location": null, "severity": null}));
    record();
    let mut again = guest.clone();
    again["harm"] = json!({"killed": 1});
    two.post(&path(&b, "revisions"), &again).expect(201);
    record();
    merge(&reviewer, all[1], &[all[0]]).expect(200);
    record();
    decide(&reviewer, all[1], &json!({"status": "rejected"}));
    record();

    recorder.expect_all_told(&reviewer);
    let n = recorder.0.len();
    assert!(n > 25, "{n} states");
    let last = read(&reviewer, all[1])["version"].as_i64().expect("a version");
    let beyond = |version: &str| analyst.get(&format!("{}/history/{version}", path_of(all[1])));
    for version in [0, last + 1] {
        beyond(&version.to_string()).expect_problem(404, "not_found");
    }
    beyond("x").expect_problem(404, "not_found");
    let seen = beyond("1").expect(200).json();
    assert_eq!(
        (&seen["incident"]["exact"], &seen["incident"]["updated_at"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn what_was_withdrawn_since_counts_as_it_counted_and_what_was_erased_stays_erased() {
    let app = TestApp::start();
    let (one, two) = (app.monitor(), app.monitor());
    let (reviewer, coordinator) = (app.reviewer(), app.user(Role::Coordinator, "all"));
    let first = one.submit(&report(&json!({"harm": {"killed": 2}})));
    let second =
        two.submit(&report(&json!({"harm": {"killed": 7}, "actors": [{"type": "state_army"}]})));
    merge(&reviewer, &first["incident"], &[&second["incident"]]).expect(200);
    let path = |sent: &Value| format!("/v1/reports/{}", sent["id"].as_str().expect("an id"));
    two.post(&format!("{}/withdrawal", path(&second)), &json!({})).expect(200);
    let state = |version: i64| {
        reviewer
            .get(&format!("{}/history/{version}", path_of(&first["incident"])))
            .expect(200)
            .json()
    };

    let then = state(2);
    assert_eq!(then["incident"]["harm"]["killed"], json!({"min": 2, "max": 7}));
    assert_eq!((&then["incident"]["reports"], &then["is_complete"]), (&json!(2), &json!(true)));
    assert_eq!(then["reports"][1], json!({"id": second["id"], "revision": 1, "state": "active"}));
    assert_eq!(state(3)["reports"][1]["state"], "withdrawn");
    assert_eq!(state(3)["incident"]["reports"], 1);

    tick(&app);
    coordinator.delete(&path(&second), &json!({"reason": "the source asks for it"})).expect(204);

    let then = state(2);
    assert_eq!(
        then["incident"]["harm"]["killed"],
        json!({"min": 2, "max": 2}),
        "as if it had not been"
    );
    assert_eq!(then["is_complete"], false);
    assert_eq!(then["reports"][1], json!({"id": second["id"], "revision": 1, "state": "erased"}));
    assert!(!then.to_string().contains("state_army"), "{then}");
    let told = story(&reviewer, &first["incident"]);
    let erased = entry(&told, "erased");
    assert_eq!(
        (&erased["report"], &erased["reason"]),
        (&second["id"], &json!("the source asks for it"))
    );
    assert_eq!(erased["who"]["roles"], json!([{"role": "coordinator", "scope": "all"}]));
    let home =
        reviewer.get(&format!("{}/history/1", path_of(&second["incident"]))).expect(200).json();
    assert_eq!((&home["is_complete"], &home["incident"]["harm"]), (&json!(false), &json!({})));
}

#[test]
fn a_flood_its_undoing_and_a_case_from_hand_to_hand_are_in_the_story() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let (reviewer, other) = (app.user(Role::Reviewer, "SLE"), app.user(Role::Reviewer, "SLE"));
    let told = report(&json!({}));
    let sent = monitor.submit(&told);
    tick(&app);
    let body = json!({"incidents": [sent["incident"]], "reason": "a flood"});
    let flood = reviewer.post("/v1/queue/rejections", &body).expect(201).json();
    tick(&app);
    let undo = format!("/v1/queue/rejections/{}/undo", flood["id"].as_str().expect("an id"));
    reviewer.post(&undo, &json!({"reason": "it was true"})).expect(200);
    tick(&app);
    let claim = format!("{}/claim", path_of(&sent["incident"]));
    reviewer.send("POST", &claim, &[], None).expect(200);
    tick(&app);
    reviewer.send("POST", &claim, &[], None).expect(200);
    tick(&app);
    other.post(&claim, &json!({"take_over": true, "reason": "she is ill"})).expect(200);
    tick(&app);
    other.remove(&claim).expect(204);
    tick(&app);
    let mut again = told.clone();
    again["harm"] = json!({"killed": 1});
    let path = format!("/v1/reports/{}", sent["id"].as_str().expect("an id"));
    monitor.post(&format!("{path}/revisions"), &again).expect(201);
    tick(&app);
    reviewer.get(&path).expect(200);
    tick(&app);
    monitor.post(&format!("{path}/withdrawal"), &json!({"reason": "I was told wrong"})).expect(200);

    let told = story(&reviewer, &sent["incident"]);

    let right = [
        "received",
        "rejected_in_bulk",
        "rejection_undone",
        "claimed",
        "taken_over",
        "released",
        "revised",
        "opened",
        "withdrawn",
    ];
    assert_eq!(kinds(&told), right);
    let taken = entry(&told, "taken_over");
    assert_eq!(taken["reason"], "she is ill");
    assert_ne!(taken["from"]["id"], taken["to"]["id"]);
    assert_eq!(taken["who"], taken["to"]);
    let revised = entry(&told, "revised");
    assert_eq!((&revised["revision"], &revised["who"]), (&json!(2), &json!({"kind": "sender"})));
    assert_eq!(entry(&told, "opened")["parts"], json!(["report"]));
    let withdrawn = entry(&told, "withdrawn");
    assert_eq!(
        (&withdrawn["reason"], &withdrawn["who"]),
        (&json!("I was told wrong"), &json!({"kind": "sender"}))
    );
    assert_eq!(
        withdrawn["changes"],
        json!([{"field": "status", "from": "received", "to": "withdrawn"}])
    );
}

#[test]
fn c62_no_number_of_a_source_is_in_the_story_or_a_state() {
    let app = TestApp::start();
    let (phone, reviewer) = (app.device("SLE"), app.reviewer());
    let told = report(
        &json!({"source": {"type": "witness", "name": "Kadiatu", "contact": "+23277123456"}}),
    );
    phone.post("/v1/reports", &told).expect(201);
    let id = told["id"].as_str().expect("an id");
    let incident =
        reviewer.get(&format!("/v1/reports/{id}")).expect(200).json()["incident"].clone();
    let path = format!("{}/history", path_of(&incident));

    for client in [&reviewer, &app.user(Role::Analyst, "all"), &app.user(Role::Coordinator, "all")]
    {
        for path in [path.clone(), format!("{path}/1")] {
            let text = client.get(&path).expect(200).text();
            assert!(!text.contains("77123456") && !text.contains("Kadiatu"), "{text}");
        }
    }
}
