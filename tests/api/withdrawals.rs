//! A sender takes a report back: nothing is counted of it any more, and it does not come back by being sent again.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::db::rows::Any;
use sentinelle::db::schema::{audit_entries, changes, decisions};
use sentinelle::ids::Id;
use sentinelle::seal::envelope::{Owner, OwnerKind, Part};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, TestApp, march, submit_march};
use crate::together::put_under;

fn withdraw(sender: &Client, report: &Value, body: &Value) -> Answer {
    let id = report["id"].as_str().expect("an id");
    sender.post(&format!("/v1/reports/{id}/withdrawal"), body)
}

fn report(killed: u32, day: &str) -> Value {
    json!({"id": Uuid::new_v4(), "narrative": Uuid::new_v4(), "occurred": day,
        "location": {"country": "SLE"}, "categories": ["rights.life_integrity.killing"],
        "harm": {"killed": killed}})
}

fn path_of(incident: &Value) -> String {
    format!("/v1/incidents/{}", incident.as_str().expect("an id"))
}

#[test]
fn c33_a_withdrawn_report_leaves_every_count_and_nobody_restores_it() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let sent = submit_march(&monitor, &reviewer)["R9"].clone();
    let march_total = |more: &str| {
        let path = format!("/v1/aggregates?from=2024-03-01&to=2024-03-31{more}");
        reviewer.get(&path).expect(200).json()
    };

    let receipt =
        withdraw(&monitor, &sent, &json!({"reason": "it was another fence"})).expect(200).json();

    assert_eq!((&receipt["state"], &receipt["id"]), (&json!("closed"), &sent["id"]));
    let counted = march_total("");
    assert_eq!(
        (&counted["total"]["incidents"], &counted["total"]["injured"]["max"]),
        (&json!(7), &json!(3))
    );
    assert_eq!(counted["reconciliation"]["excluded"]["by_status"]["withdrawn"], 2, "R11 and this");
    assert_eq!(march_total("&country=ZWE")["total"]["incidents"], 0);
    let shown = reviewer.get(&path_of(&sent["incident"])).expect(200).json();
    assert_eq!((&shown["status"], &shown["reports"]), (&json!("withdrawn"), &json!(0)));
    let restored = json!({"status": "verified", "reason": "it was right"});
    let refused = reviewer.decide(&sent["incident"], &restored);
    refused.expect_problem(422, "transition_not_allowed");
    let opened = reviewer.get(&format!("/v1/reports/{}", sent["id"].as_str().expect("an id")));
    assert_eq!(opened.expect(200).json()["state"], "withdrawn", "its reviewers still read it");

    withdraw(&monitor, &sent, &json!({})).expect_problem(410, "gone");
    let fx = march();
    let reports = fx["reports"].as_array().expect("reports");
    let mut again = reports.iter().find(|one| one["key"] == "R9").expect("R9")["body"].clone();
    monitor.post("/v1/reports", &again).expect_problem(410, "gone");
    again["id"] = sent["id"].clone();
    monitor.post("/v1/reports", &again).expect_problem(410, "gone");
    let path = format!("/v1/reports/{}/revisions", sent["id"].as_str().expect("an id"));
    monitor.post(&path, &again).expect_problem(410, "gone");
}

#[test]
fn a_withdrawal_leaves_a_story_and_no_name() {
    let app = TestApp::start();
    let (phone, reviewer) = (app.device("SLE"), app.reviewer());
    let told = report(2, "2024-03-05");
    phone.post("/v1/reports", &told).expect(201);

    withdraw(&phone, &told, &json!({"reason": "Kadiatu told me wrong"})).expect(200);

    let id = Uuid::parse_str(told["id"].as_str().expect("an id")).expect("an id");
    let kept = app.context.db.read_here(|conn| {
        let acts: Vec<(String, String, bool)> = audit_entries::table
            .filter(audit_entries::subject_id.eq(Id::<Any>::from_uuid(id)))
            .filter(audit_entries::action.eq("withdrew"))
            .select((
                audit_entries::action,
                audit_entries::detail,
                audit_entries::actor.is_not_null(),
            ))
            .load(conn)?;
        let decision: (Id<sentinelle::ids::Decision>, bool, String, String) = decisions::table
            .order(decisions::id.desc())
            .select((
                decisions::uuid,
                decisions::decided_by.is_not_null(),
                decisions::to_status,
                decisions::fields,
            ))
            .first(conn)?;
        let owner = Owner { kind: OwnerKind::Decision, id: decision.0.uuid() };
        let (_, content) =
            sentinelle::db::sealed::find_part(conn, owner, Part::Reason)?.expect("a reason");
        let reason = app.context.sealer.open(owner, Part::Reason, 1, &content)?;
        let last: String =
            changes::table.order(changes::seq.desc()).select(changes::kind).first(conn)?;
        let reason = String::from_utf8(reason.to_vec()).expect("words");
        Ok((acts, (decision.1, decision.2, decision.3), reason, last))
    });
    let (acts, decision, reason, last) = kept.expect("the rows");
    assert_eq!(acts, [("withdrew".to_owned(), "received>withdrawn".to_owned(), false)]);
    assert_eq!(decision, (false, "withdrawn".to_owned(), "reports".to_owned()));
    assert_eq!((reason.as_str(), last.as_str()), ("Kadiatu told me wrong", "withdrawn"));
    let audit = reviewer.get("/v1/audit?action=withdrew").expect(200).json();
    assert_eq!(audit["items"].as_array().expect("entries").len(), 1, "{audit}");
    assert!(!audit.to_string().contains("2024-04-01T"), "of what comes in, the day alone: {audit}");
}

#[test]
fn an_incident_with_another_report_goes_on_without_the_withdrawn_one() {
    let app = TestApp::start();
    let (one, two, reviewer) = (app.monitor(), app.monitor(), app.reviewer());
    let (first, second) =
        (one.submit(&report(5, "2024-03-05")), two.submit(&report(2, "2024-03-07")));
    put_under(&app, &second["incident"], &first["incident"]);
    reviewer.set_status(&first["incident"], "corroborated");

    withdraw(&one, &first, &json!({})).expect(200);

    let shown = reviewer.get(&path_of(&first["incident"])).expect(200).json();
    assert_eq!((&shown["status"], &shown["reports"]), (&json!("corroborated"), &json!(1)));
    assert_eq!(shown["harm"]["killed"], json!({"min": 2, "max": 2}));
    assert_eq!(shown["occurred"]["first_day"], "2024-03-07", "of the report that is left");
    assert_eq!(shown["flags"], json!(["report_withdrawn"]), "one source is left");
    let looked = json!({"status": "in_review", "reason": "one source is left"});
    let looked = reviewer.decide(&first["incident"], &looked).expect(200).json();
    assert_eq!(looked["flags"], json!([]));

    withdraw(&two, &second, &json!({})).expect(200);
    let shown = reviewer.get(&path_of(&first["incident"])).expect(200).json();
    assert_eq!((&shown["status"], &shown["reports"]), (&json!("withdrawn"), &json!(0)));
}

#[test]
fn what_a_reviewer_withdrew_its_sender_withdraws_for_good() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let sent = monitor.submit(&report(1, "2024-03-05"));
    reviewer.set_status(&sent["incident"], "withdrawn");

    withdraw(&monitor, &sent, &json!({})).expect(200);

    let restored = json!({"status": "in_review", "reason": "look again"});
    let refused = reviewer.decide(&sent["incident"], &restored);
    refused.expect_problem(422, "transition_not_allowed");
}

#[test]
fn a_reason_is_nobodys_duty_and_has_a_length() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let sent = monitor.submit(&report(1, "2024-03-05"));

    withdraw(&monitor, &sent, &json!({"reason": " "})).expect_problem(422, "invalid_fields");
    withdraw(&monitor, &sent, &json!({"reason": "x".repeat(4_001)}))
        .expect_problem(422, "invalid_fields");
    withdraw(&monitor, &sent, &json!({"why": "x"})).expect_problem(400, "unknown_field");
    withdraw(&monitor, &sent, &json!({"reason": null})).expect(200);
}

#[test]
fn of_eight_withdrawals_at_once_one_is_taken() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let sent = monitor.submit(&report(1, "2024-03-05"));

    let mut answers: Vec<u16> = std::thread::scope(|scope| {
        let running: Vec<_> =
            (0..8).map(|_| scope.spawn(|| withdraw(&monitor, &sent, &json!({})).status)).collect();
        running.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });

    answers.sort_unstable();
    assert_eq!(answers, [200, 410, 410, 410, 410, 410, 410, 410]);
}
