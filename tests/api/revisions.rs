//! A sender corrects a report: what was sent stays, what is counted follows the newest.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::rows::Any;
use sentinelle::db::schema::{audit_entries, changes, report_revisions, sealed};
use sentinelle::ids::Id;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp};
use crate::scope::let_reveal;

fn shooting() -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-03-05",
        "narrative": "Two diggers were shot at the marigold pit.",
        "location": {"lat": 8.644, "lon": -10.971, "country": "SLE", "place": "the old bridge"},
        "categories": ["rights.life_integrity.killing"], "harm": {"killed": 2},
        "people": [{"name": "V. Victim", "role": "victim"}]})
}

/// The same report as it should have been: one of them lives, and nobody is sure where it was.
fn corrected(report: &Value) -> Value {
    let mut corrected = report.clone();
    corrected["narrative"] = json!("One digger was shot at the heather pit, one was beaten.");
    corrected["harm"] = json!({"killed": 1, "injured": 1});
    corrected["location"] = json!({"country": "SLE"});
    corrected.as_object_mut().expect("an object").remove("people");
    corrected
}

fn path(report: &Value) -> String {
    format!("/v1/reports/{}", report["id"].as_str().expect("an id"))
}

fn revise(sender: &Client, report: &Value) -> crate::harness::Answer {
    sender.post(&format!("{}/revisions", path(report)), report)
}

fn acts_on(app: &TestApp, id: &Value) -> Vec<(String, String, bool)> {
    let id = Uuid::parse_str(id.as_str().expect("an id")).expect("an id");
    let found = app.context.db.read_here(move |conn| {
        Ok(audit_entries::table
            .filter(audit_entries::subject_id.eq(Id::<Any>::from_uuid(id)))
            .order((audit_entries::chain, audit_entries::position))
            .select((
                audit_entries::action,
                audit_entries::detail,
                audit_entries::actor.is_not_null(),
            ))
            .load(conn)?)
    });
    found.expect("the audit entries")
}

#[test]
fn the_facts_follow_the_newest_revision_and_the_earlier_one_can_be_opened() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let (first, second) = (shooting(), corrected(&shooting()));
    let second = {
        let mut second = second;
        second["id"] = first["id"].clone();
        second
    };
    let sent = monitor.submit(&first);
    assert_eq!(sent["revision"], 1);
    app.set_now("2024-04-02T08:00:00Z");

    let revised = revise(&monitor, &second).expect(201).json();

    assert_eq!((&revised["revision"], &revised["incident"]), (&json!(2), &sent["incident"]));
    let incident = format!("/v1/incidents/{}", sent["incident"].as_str().expect("an id"));
    let shown = reviewer.get(&incident).expect(200);
    assert_eq!(shown.header("etag"), Some("\"2\""), "whoever read the first reads again");
    let shown = shown.json();
    assert_eq!(
        shown["harm"],
        json!({"injured": {"min": 1, "max": 1}, "killed": {"min": 1, "max": 1}})
    );
    assert_eq!((&shown["place"], &shown["reports"]), (&Value::Null, &json!(1)));
    assert_eq!(shown["flags"], json!([]), "nobody had decided");

    let now = reviewer.get(&path(&first)).expect(200).json();
    assert_eq!((&now["revision"], now.get("newest_revision")), (&json!(2), None));
    assert_eq!(now["report"]["narrative"], second["narrative"]);
    assert!(now["report"]["location"].get("lat").is_none(), "the point is taken back: {now}");
    assert_eq!(now["received_at"], "2024-04-02T08:00:00Z");
    let before = reviewer.get(&format!("{}?revision=1", path(&first))).expect(200).json();
    assert_eq!((&before["revision"], &before["newest_revision"]), (&json!(1), &json!(2)));
    assert_eq!(before["report"]["narrative"], first["narrative"]);
    assert_eq!(before["report"]["location"]["place"], "the old bridge");
    assert_eq!(
        (&before["precision"], &before["admin1"]["code"]),
        (&json!("exact"), &json!("SL-E"))
    );
    assert_eq!(before["received_at"], "2024-04-01T12:00:00Z");
    reviewer.get(&format!("{}?revision=2", path(&first))).expect(200);
    reviewer.get(&format!("{}?revision=3", path(&first))).expect_problem(404, "not_found");
    for wrong in ["0", "-1", "x", "1.0"] {
        let refused = reviewer.get(&format!("{}?revision={wrong}", path(&first)));
        refused.expect_problem(400, "invalid_parameter");
    }

    let found = |word: &str| {
        reviewer.get(&format!("/v1/incidents?status=all&q={word}")).expect(200).json()["total"]
            .clone()
    };
    assert_eq!((found("heather"), found("marigold")), (json!(1), json!(0)));
    let acts = acts_on(&app, &first["id"]);
    let told = |action: &str| -> Vec<(String, bool)> {
        let those = acts.iter().filter(|act| act.0 == action);
        those.map(|act| (act.1.clone(), act.2)).collect()
    };
    assert_eq!(told("revised"), [("api".to_owned(), false)], "without an actor");
    let openings: Vec<String> = told("opened").into_iter().map(|opened| opened.0).collect();
    assert_eq!(openings, ["", "revision_1", ""], "what was refused opened nothing");
}

#[test]
fn what_is_revealed_is_what_is_said_now() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let_reveal(&app, &reviewer);
    let first = shooting();
    let sent = monitor.submit(&first);
    let reveal = || {
        let path = format!("/v1/incidents/{}/reveal", sent["incident"].as_str().expect("an id"));
        reviewer.post(&path, &json!({"reason": "to call back"})).expect(200).text()
    };
    assert!(reveal().contains("V. Victim"));

    revise(&monitor, &corrected(&first)).expect(201);

    assert!(!reveal().contains("V. Victim"), "the name was taken back");
}

#[test]
fn whatever_was_sent_once_is_known_again_and_anything_else_still_conflicts() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let first = shooting();
    let second = corrected(&first);
    monitor.submit(&first);
    revise(&monitor, &first).expect(200);
    revise(&monitor, &second).expect(201);

    for (answer, reason) in [
        (revise(&monitor, &second), "the newest content again"),
        (monitor.put(&path(&first), &first), "a retry of the first sending"),
        (monitor.post("/v1/reports", &second), "the corrected report, sent as if it were new"),
    ] {
        assert_eq!(answer.status, 200, "{reason}: {}", answer.text());
        assert_eq!(answer.json()["revision"], 2, "{reason}");
    }
    let mut other = second.clone();
    other["harm"] = json!({"killed": 7});
    monitor.put(&path(&first), &other).expect_problem(409, "id_conflict");
    assert_eq!(reviewer.get("/v1/quarantine").expect(200).json()["total"], 1);
    assert_eq!(revise(&monitor, &first).expect(201).json()["revision"], 3, "back to the first");
    let mut of_other = second.clone();
    of_other["id"] = json!(Uuid::new_v4());
    let refused = monitor.post(&format!("{}/revisions", path(&first)), &of_other);
    assert_eq!(refused.expect_problem(422, "invalid_fields").pointers(), ["/id"]);
}

#[test]
fn only_its_sender_corrects_a_report_and_a_phone_is_told_its_receipt() {
    let app = TestApp::start();
    let owner = app.user_named("K. Owner", Role::Monitor, "SLE");
    let (phone, stranger) = (app.device_of(Some("K. Owner"), "SLE"), app.device("SLE"));
    let (reviewer, first) = (app.reviewer(), shooting());
    phone.post("/v1/reports", &first).expect(201);
    let second = corrected(&first);
    let mut nowhere = second.clone();
    nowhere["id"] = json!(Uuid::new_v4());

    let unknown = revise(&phone, &nowhere).expect_problem(404, "not_found");
    for other in [&stranger, &reviewer, &app.monitor()] {
        assert_eq!(revise(other, &second).expect(404).body, unknown.body);
        let withdrawal = other.post(&format!("{}/withdrawal", path(&first)), &json!({}));
        assert_eq!(withdrawal.expect(404).body, unknown.body);
    }

    let receipt = revise(&phone, &second).expect(201).json();
    assert_eq!((&receipt["revision"], &receipt["state"]), (&json!(2), &json!("received")));
    assert!(receipt.get("incident").is_none(), "a receipt and no more: {receipt}");
    assert_eq!(phone.get(&format!("{}/receipt", path(&first))).expect(200).json(), receipt);
    let mut third = second.clone();
    third["harm"] = json!({"killed": 1});
    assert_eq!(
        revise(&owner, &third).expect(201).json()["revision"],
        3,
        "the person behind it too"
    );
}

#[test]
fn a_correction_after_a_decision_is_flagged_until_the_next_one() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let first = shooting();
    let sent = monitor.submit(&first);
    let settled = json!({"status": "verified", "reason": "two witnesses", "severity": 3,
        "harm": {"killed": {"min": 1, "max": 2}},
        "location": {"country": "SLE", "lat": 8.65, "lon": -10.98}});
    reviewer.decide(&sent["incident"], &settled).expect(200);
    let changes_before = n_changes(&app);

    revise(&monitor, &corrected(&first)).expect(201);

    assert_eq!(n_changes(&app), changes_before + 1);
    let flagged = "/v1/queue?status=all&flag=revised_after_decision";
    let waiting = reviewer.get(flagged).expect(200).json();
    assert_eq!((&waiting["total"], &waiting["items"][0]["id"]), (&json!(1), &sent["incident"]));
    let incident = format!("/v1/incidents/{}", sent["incident"].as_str().expect("an id"));
    let shown = reviewer.get(&incident).expect(200).json();
    assert_eq!(shown["status"], "verified", "the decision stands");
    assert_eq!(shown["harm"], json!({"killed": {"min": 1, "max": 2}}), "and so does what it set");
    assert!(!shown["place"].is_null(), "the settled place");
    let compared = reviewer.get(&format!("{incident}/comparison")).expect(200).json();
    assert_eq!(compared["reports"][0]["revision"], 2);

    let agreed = json!({"harm": null, "reason": "the sender is right"});
    let agreed = reviewer.decide(&sent["incident"], &agreed).expect(200).json();
    assert_eq!(agreed["harm"]["killed"], json!({"min": 1, "max": 1}));
    assert_eq!(reviewer.get(flagged).expect(200).json()["total"], 0);
}

fn n_changes(app: &TestApp) -> i64 {
    let counted =
        app.context.db.read_here(|conn| Ok(changes::table.count().get_result::<i64>(conn)?));
    counted.expect("a number")
}

#[test]
fn a_corrected_time_is_read_on_the_clock_of_the_settled_place() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let report = |occurred: &str, id: Uuid| {
        json!({"id": id, "narrative": "Beaten.", "occurred": occurred,
        "location": {"country": "COD", "lat": -6.136, "lon": 23.5898},
        "categories": ["rights.life_integrity.assault_injury"]})
    };
    let id = Uuid::new_v4();
    let sent = monitor.submit(&report("2024-03-20T12:00:00Z", id));
    let kinshasa =
        json!({"location": {"country": "COD", "lat": -4.3317, "lon": 15.3139}, "reason": "there"});
    reviewer.decide(&sent["incident"], &kinshasa).expect(200);

    revise(&monitor, &report("2024-03-31T22:30:00Z", id)).expect(201);

    let incident = format!("/v1/incidents/{}", sent["incident"].as_str().expect("an id"));
    let shown = reviewer.get(&incident).expect(200).json();
    assert_eq!(shown["occurred"]["first_day"], "2024-03-31", "23:30 in Kinshasa");
}

#[test]
fn of_eight_equal_corrections_at_once_one_is_new() {
    let app = TestApp::start();
    let (monitor, first) = (app.monitor(), shooting());
    monitor.submit(&first);
    let second = corrected(&first);

    let mut answers: Vec<u16> = std::thread::scope(|scope| {
        let running: Vec<_> =
            (0..8).map(|_| scope.spawn(|| revise(&monitor, &second).status)).collect();
        running.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });

    answers.sort_unstable();
    assert_eq!(answers, [200, 200, 200, 200, 200, 200, 200, 201]);
}

#[test]
fn erasing_a_report_destroys_every_revision_and_withdrawn_ones_are_gone() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let first = shooting();
    let sent = monitor.submit(&first);
    revise(&monitor, &corrected(&first)).expect(201);
    let erased = json!({"reason": "the source is in danger"});

    app.user(Role::Coordinator, "all").delete(&path(&first), &erased).expect(204);

    reviewer.get(&format!("{}?revision=1", path(&first))).expect_problem(410, "gone");
    revise(&monitor, &first).expect_problem(410, "gone");
    let owner = Uuid::parse_str(first["id"].as_str().expect("an id")).expect("an id");
    let left = app.context.db.read_here(move |conn| {
        let of_report = sealed::table.filter(sealed::owner_id.eq(Id::<Any>::from_uuid(owner)));
        let n_keys: i64 =
            of_report.filter(sealed::key_id.is_not_null()).count().get_result(conn)?;
        let n_parts: i64 = of_report.count().get_result(conn)?;
        let n_revisions: i64 = report_revisions::table.count().get_result(conn)?;
        Ok((n_keys, n_parts, n_revisions))
    });
    assert_eq!(left.expect("the rows"), (0, 6, 0), "three parts of each, and no key to any");
    let shown = format!("/v1/incidents/{}", sent["incident"].as_str().expect("an id"));
    assert_eq!(reviewer.get(&shown).expect(200).json()["status"], "withdrawn");

    let other = shooting();
    let sent = monitor.submit(&other);
    reviewer.set_status(&sent["incident"], "withdrawn");
    revise(&monitor, &corrected(&other)).expect_problem(410, "gone");
}
