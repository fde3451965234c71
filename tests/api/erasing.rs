//! Erasing: what is shredded stays shredded, whoever sends it again; and what is withdrawn is not taken in twice.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use diesel::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{
    audit_entries, changes, data_keys, decisions, incident_facts, incident_overrides, reports,
    sealed,
};
use sentinelle::ids::{Id, ReportId};
use sentinelle::incidents::opening::open_part;
use sentinelle::seal::envelope::{Owner, OwnerKind, Part};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp, march, submit_march};

fn shooting(id: &str) -> Value {
    json!({
        "id": id, "occurred": "2024-03-05T09:00:00+00:00", "narrative": "CANARY: two diggers were shot",
        "location": {"lat": 8.644, "lon": -10.971, "country": "SLE", "place": "the old bridge"},
        "categories": ["rights.life_integrity.killing"], "harm": {"killed": 2},
        "people": [{"name": "CANARY-name", "role": "victim"}],
    })
}

fn why() -> Value {
    json!({"reason": "the source is in danger"})
}

fn path(report: &str) -> String {
    format!("/v1/reports/{report}")
}

fn wrapped_keys_of(app: &TestApp, id: Uuid) -> Vec<Vec<u8>> {
    let found = app.context.db.read_here(move |conn| {
        Ok(sealed::table
            .inner_join(data_keys::table.on(sealed::key_id.eq(data_keys::id.nullable())))
            .filter(sealed::owner_id.eq(Id::<sentinelle::db::rows::Any>::from_uuid(id)))
            .select(data_keys::wrapped)
            .load(conn)?)
    });
    found.expect("the wrapped keys")
}

fn blobs_of(app: &TestApp, id: Uuid) -> Vec<Vec<u8>> {
    let found = app.context.db.read_here(move |conn| {
        let owner = sealed::owner_id.eq(Id::<sentinelle::db::rows::Any>::from_uuid(id));
        Ok(sealed::table.filter(owner).order(sealed::id).select(sealed::blob).load(conn)?)
    });
    found.expect("the sealed bytes")
}

fn acts_on(app: &TestApp, id: Uuid) -> Vec<(String, String, bool)> {
    let found = app.context.db.read_here(move |conn| {
        let subject = Id::<sentinelle::db::rows::Any>::from_uuid(id);
        Ok(audit_entries::table
            .filter(audit_entries::subject_id.eq(subject))
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
fn case_18_what_was_erased_is_gone_for_good_however_it_is_sent_again() {
    let app = TestApp::start();
    let (phone, other, reviewer) = (app.device("SLE"), app.monitor(), app.reviewer());
    let coordinator = app.user(Role::Coordinator, "all");
    let uuid = Uuid::new_v4();
    let (id, body) = (uuid.to_string(), shooting(&uuid.to_string()));
    phone.post("/v1/reports", &body).expect(201);
    let mut corrected = body.clone();
    corrected["harm"]["killed"] = json!(3);
    phone.post("/v1/reports", &corrected).expect(409);
    let aside = reviewer.get("/v1/quarantine").expect(200).json()["items"][0].clone();
    let aside = format!("/v1/quarantine/{}", aside["id"].as_str().expect("an id"));
    reviewer.get(&aside).expect(200);
    let (keys, blobs) = (wrapped_keys_of(&app, uuid), blobs_of(&app, uuid));
    assert_eq!((keys.len(), blobs.len()), (3, 3), "text, place, identities");

    coordinator.delete(&path(&id), &why()).expect(204);

    coordinator.delete(&path(&id), &why()).expect_problem(410, "gone");
    let opened = reviewer.get(&path(&id)).expect_problem(410, "gone");
    assert!(opened.json()["detail"].as_str().is_some_and(|words| words.contains("erased")));
    reviewer.get(&aside).expect_problem(410, "gone");
    let judgement = json!({"outcome": "kept", "reason": "ok"});
    reviewer.post(&format!("{aside}/decisions"), &judgement).expect_problem(410, "gone");
    assert_eq!(reviewer.get("/v1/quarantine").expect(200).json()["items"][0]["state"], "erased");
    let receipt = phone.get(&format!("{}/receipt", path(&id))).expect(200).json();
    assert_eq!(receipt["state"], "closed");

    // Sent again: the same, the corrected, one of a batch, and by another sender.
    phone.post("/v1/reports", &body).expect_problem(410, "gone");
    phone.put(&path(&id), &body).expect_problem(410, "gone");
    phone.post("/v1/reports", &corrected).expect_problem(410, "gone");
    let ndjson = [("content-type", "application/x-ndjson")];
    let lines = phone.post_bytes("/v1/reports", &ndjson, body.to_string().as_bytes()).expect(200);
    assert!(lines.text().contains("\"outcome\":\"gone\""), "{}", lines.text());
    other.post("/v1/reports", &body).expect_problem(409, "id_conflict");

    assert_eq!(wrapped_keys_of(&app, uuid), Vec::<Vec<u8>>::new(), "the keys are destroyed");
    assert_eq!(blobs_of(&app, uuid), blobs, "the sealed bytes stay, and nobody can open them");
    let total = reviewer.get("/v1/quarantine").expect(200).json()["total"].clone();
    assert_eq!(total, 1, "nothing came back by being set aside");
    let found = reviewer.get("/v1/incidents?status=all&q=CANARY").expect(200).json();
    assert_eq!(found["total"], 0);
}

#[test]
fn an_incident_whose_last_report_was_erased_is_withdrawn_and_tells_nothing() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let coordinator = app.user(Role::Coordinator, "all");
    let uuid = Uuid::new_v4();
    let sent = monitor.submit(&shooting(&uuid.to_string()));
    let settled = json!({"status": "verified", "reason": "two witnesses",
        "location": {"country": "SLE", "lat": 8.65, "lon": -10.98}});
    reviewer.decide(&sent["incident"], &settled).expect(200);

    coordinator.delete(&path(&uuid.to_string()), &why()).expect(204);

    let incident = sent["incident"].as_str().expect("an id");
    let shown = reviewer.get(&format!("/v1/incidents/{incident}")).expect(200);
    assert_eq!(shown.header("etag"), Some("\"3\""));
    let shown = shown.json();
    assert_eq!((&shown["status"], &shown["country"]), (&json!("withdrawn"), &json!("SLE")));
    assert_eq!(shown["exact"], json!({"cell": null, "site": null}));
    assert_eq!((&shown["categories"], &shown["harm"]), (&json!([]), &json!({})));
    for name in ["admin1", "place", "cell", "occurred", "severity"] {
        assert!(shown[name].is_null(), "{name}: {shown}");
    }
    let counted = reviewer.get("/v1/aggregates?status=all").expect(200).json();
    assert_eq!(counted["total"]["incidents"], 1);
    assert_eq!(reviewer.get("/v1/aggregates").expect(200).json()["total"]["incidents"], 0);
    let back = json!({"status": "verified", "reason": "it was right"});
    reviewer.decide(&sent["incident"], &back).expect_problem(422, "transition_not_allowed");
    assert_plain_columns_are_empty(&app, uuid, Uuid::parse_str(incident).expect("an id"));

    let erased = acts_on(&app, uuid);
    let right = ("erased".to_owned(), "verified>withdrawn".to_owned(), true);
    assert_eq!(erased.iter().filter(|act| act.0 == "erased").collect::<Vec<_>>(), [&right]);
    assert_eq!(reason_of_last_decision(&app), "the source is in danger");
}

#[track_caller]
fn assert_plain_columns_are_empty(app: &TestApp, report: Uuid, incident: Uuid) {
    let looked = app.context.db.read_here(move |conn| {
        let id = ReportId::from_uuid(report);
        let row: (Option<Vec<u8>>, Option<i64>, Option<chrono::NaiveDate>, String, String) =
            reports::table
                .filter(reports::uuid.eq(id))
                .select((
                    reports::cell7_veiled,
                    reports::cell5,
                    reports::first_day,
                    reports::codes,
                    reports::flags,
                ))
                .first(conn)?;
        let n_fine: i64 = incident_facts::table
            .filter(incident_facts::cell7_veiled.is_not_null())
            .count()
            .get_result(conn)?;
        let n_overrides: i64 = incident_overrides::table.count().get_result(conn)?;
        Ok((row, n_fine, n_overrides))
    });
    let (row, n_fine, n_overrides) = looked.expect("the rows");
    assert_eq!(row, (None, None, None, "{}".to_owned(), String::new()));
    assert_eq!((n_fine, n_overrides), (0, 0));
    assert_eq!(wrapped_keys_of(app, incident).len(), 0, "the place that a reviewer settled");
}

fn reason_of_last_decision(app: &TestApp) -> String {
    let opened = app.context.db.read_here(|conn| {
        let id: Id<sentinelle::ids::Decision> =
            decisions::table.order(decisions::id.desc()).select(decisions::uuid).first(conn)?;
        let owner = Owner { kind: OwnerKind::Decision, id: id.uuid() };
        let found = sentinelle::db::sealed::find_part(conn, owner, Part::Reason)?;
        let (_, content) = found.expect("a reason");
        Ok(app.context.sealer.open(owner, Part::Reason, 1, &content)?)
    });
    String::from_utf8(opened.expect("a reason").to_vec()).expect("words")
}

#[test]
fn only_coordinators_erase_only_with_a_reason_and_a_random_id_is_not_found() {
    let app = TestApp::start();
    let (monitor, coordinator) = (app.monitor(), app.user(Role::Coordinator, "all"));
    let id = Uuid::new_v4().to_string();
    monitor.submit(&shooting(&id));

    for role in Role::ALL.into_iter().filter(|role| *role != Role::Coordinator) {
        app.user(role, "all").delete(&path(&id), &why()).expect_problem(403, "forbidden");
    }
    monitor.delete(&path(&id), &why()).expect_problem(403, "forbidden");
    for (body, status, code) in [
        (json!({}), 422, "invalid_fields"),
        (json!({"reason": " "}), 422, "invalid_fields"),
        (json!({"reason": "x".repeat(4_001)}), 422, "invalid_fields"),
        (json!({"reason": "ok", "force": true}), 400, "unknown_field"),
    ] {
        coordinator.delete(&path(&id), &body).expect_problem(status, code);
    }
    coordinator.delete(&path(&Uuid::new_v4().to_string()), &why()).expect_problem(404, "not_found");
    coordinator.delete(&path("1'--"), &why()).expect_problem(404, "not_found");

    app.reviewer().get(&path(&id)).expect(200);
}

#[test]
fn a_report_sent_without_an_id_does_not_come_back_by_being_sent_again() {
    let app = TestApp::start();
    let (monitor, coordinator) = (app.monitor(), app.user(Role::Coordinator, "all"));
    let mut body = shooting("");
    body.as_object_mut().expect("an object").remove("id");
    let id = monitor.submit(&body)["id"].as_str().expect("an id").to_owned();

    coordinator.delete(&path(&id), &why()).expect(204);

    monitor.post("/v1/reports", &body).expect_problem(410, "gone");
}

#[test]
fn the_facts_of_an_incident_ignore_its_erased_report_and_keep_the_others() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    let kept = monitor.submit(&shooting(&first.to_string()));
    let mut body = shooting(&second.to_string());
    body["harm"] = json!({"killed": 5, "injured": 1});
    monitor.submit(&body);
    // As a merge leaves it: both reports under one incident.
    let moved = app.context.db.write_here(move |tx| {
        let incident: i64 = reports::table
            .filter(reports::uuid.eq(ReportId::from_uuid(first)))
            .select(reports::incident_id)
            .first(tx.conn)?;
        diesel::update(reports::table.filter(reports::uuid.eq(ReportId::from_uuid(second))))
            .set(reports::incident_id.eq(incident))
            .execute(tx.conn)?;
        sentinelle::incidents::store::refresh_facts(tx.conn, incident)
    });
    assert!(moved.expect("a merge"));
    let incident = format!("/v1/incidents/{}", kept["incident"].as_str().expect("an id"));
    assert_eq!(reviewer.get(&incident).expect(200).json()["harm"]["killed"]["max"], 5);

    let coordinator = app.user(Role::Coordinator, "all");
    coordinator.delete(&path(&second.to_string()), &why()).expect(204);

    let shown = reviewer.get(&incident).expect(200).json();
    assert_eq!((&shown["status"], &shown["reports"]), (&json!("received"), &json!(1)));
    assert_eq!(shown["harm"], json!({"killed": {"min": 2, "max": 2}}));
    reviewer.get(&path(&first.to_string())).expect(200);
    reviewer.set_status(&kept["incident"], "verified");
}

#[test]
fn a_change_is_announced_and_counts_follow_at_once() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let submitted = submit_march(&monitor, &reviewer);
    let id = submitted["R11"]["id"].as_str().expect("an id").to_owned();
    let before = reviewer.get("/v1/aggregates?status=all").expect(200).json();
    let seq = |app: &TestApp| {
        let last = app.context.db.read_here(|conn| {
            Ok(changes::table.select(diesel::dsl::max(changes::seq)).first::<Option<i64>>(conn)?)
        });
        last.expect("a number").expect("a change")
    };
    let seq_before = seq(&app);

    app.user(Role::Coordinator, "all").delete(&path(&id), &why()).expect(204);

    assert_eq!(seq(&app), seq_before + 1);
    let after = reviewer.get("/v1/aggregates?status=all").expect(200).json();
    assert_eq!(after["total"]["incidents"], before["total"]["incidents"], "it stays, withdrawn");
}

#[test]
fn c9_a_report_whose_incident_was_withdrawn_is_gone_for_the_phone_that_sends_it_again() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let fx = march();
    let body = fx["reports"]
        .as_array()
        .expect("reports")
        .iter()
        .find(|report| report["key"] == "R11")
        .expect("R11")["body"]
        .clone();
    let submitted = submit_march(&monitor, &reviewer);
    let sent = &submitted["R11"];
    let incident = sent["incident"].as_str().expect("an id");
    let status = reviewer.get(&format!("/v1/incidents/{incident}")).expect(200).json();
    if status["status"] != "withdrawn" {
        reviewer.set_status(&sent["incident"], "withdrawn");
    }
    let mut again = body;
    again["id"] = sent["id"].clone();
    let totals = reviewer.get("/v1/aggregates?status=all").expect(200).json();
    let acts = acts_on(&app, Uuid::parse_str(incident).expect("an id"));

    monitor.post("/v1/reports", &again).expect_problem(410, "gone");

    let shown = reviewer.get(&format!("/v1/incidents/{incident}")).expect(200).json();
    assert_eq!(shown["status"], "withdrawn");
    assert_eq!(reviewer.get("/v1/aggregates?status=all").expect(200).json(), totals);
    assert_eq!(acts_on(&app, Uuid::parse_str(incident).expect("an id")), acts);
    let withdrawals = acts.iter().filter(|(_, detail, _)| detail.ends_with(">withdrawn")).count();
    assert_eq!(withdrawals, 1, "{acts:?}");
    reviewer.set_status(&sent["incident"], "in_review");
    assert_eq!(monitor.post("/v1/reports", &again).status, 200, "restored, it is known again");
}

#[test]
fn of_eight_coordinators_at_once_one_erases_and_the_others_are_told_so() {
    let app = TestApp::start();
    let id = Uuid::new_v4().to_string();
    app.monitor().submit(&shooting(&id));
    let coordinators: Vec<Client> = (0..8).map(|_| app.user(Role::Coordinator, "all")).collect();

    let mut answers: Vec<u16> = std::thread::scope(|scope| {
        let running: Vec<_> = coordinators
            .iter()
            .map(|one| scope.spawn(|| one.delete(&path(&id), &why()).status))
            .collect();
        running.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });

    answers.sort_unstable();
    assert_eq!(answers, [204, 410, 410, 410, 410, 410, 410, 410]);
}

#[test]
fn after_erasing_no_byte_of_its_wrapped_keys_is_left_in_the_file_or_its_log() {
    let app = TestApp::start();
    let uuid = Uuid::new_v4();
    let monitor = app.monitor();
    monitor.submit(&shooting(&uuid.to_string()));
    for _ in 0..20 {
        monitor.submit(&shooting(&Uuid::new_v4().to_string()));
    }
    let keys = wrapped_keys_of(&app, uuid);
    if app.is_postgres() {
        // It promises nothing of its files; what is promised there is that the rows are gone.
        app.user(Role::Coordinator, "all").delete(&path(&uuid.to_string()), &why()).expect(204);
        assert_eq!(wrapped_keys_of(&app, uuid).len(), 0);
        return;
    }
    let bytes = || {
        ["sentinelle.db", "sentinelle.db-wal"]
            .map(|name| std::fs::read(app.folder.path().join(name)).unwrap_or_default())
            .concat()
    };
    let holds = |hay: &[u8], key: &[u8]| hay.windows(key.len()).any(|window| window == key);
    let before = bytes();
    assert!(keys.len() == 3 && keys.iter().all(|key| holds(&before, key)), "they were there");

    app.user(Role::Coordinator, "all").delete(&path(&uuid.to_string()), &why()).expect(204);

    let after = bytes();
    for key in &keys {
        // The middle of it, should a page have been cut.
        assert!(!holds(&after, &key[24..56]), "a wrapped key is left");
    }
    let owner = Owner { kind: OwnerKind::Report, id: uuid };
    let part =
        app.context.db.read_here(|conn| open_part(conn, &app.context.sealer, owner, Part::Text));
    assert_eq!(part.expect("an answer"), None, "asked for, it is not there: no fault");
}
