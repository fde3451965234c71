//! Who the people of an incident are is told by a reveal alone, once it is written down.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use diesel::connection::SimpleConnection;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::accounts::add_device;
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{audit_entries, incidents, reports, reveals};
use sentinelle::ids::{Id, IncidentId, ReportId, RevealId};
use sentinelle::incidents::store::find_incident;
use sentinelle::seal::envelope::{Owner, OwnerKind, Part};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, TestApp};
use crate::scope::let_reveal;

const PHONE: &str = "+23277000001";

fn report() -> Value {
    json!({
        "id": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"lat": 8.644, "lon": -10.971, "country": "SLE", "place": "the old bridge"},
        "categories": ["rights.life_integrity.killing"], "narrative": "Two diggers were shot.",
        "actors": [{"type": "state_army"}, {"type": "private_security", "role": "perpetrator", "name": "Alpha Guards"}],
        "people": [{"name": "Vandi Victim", "role": "victim", "contact": "by her sister"},
                   {"name": "Wata Witness", "role": "witness"}],
        "source": {"type": "witness", "name": "Sia Source", "contact": PHONE},
    })
}

/// Somebody whose token was issued for revealing.
fn revealer(app: &TestApp, role: Role, scope: &str) -> Client {
    let client = app.user(role, scope);
    let_reveal(app, &client);
    client
}

fn reveal(client: &Client, incident: &Value, parts: &[&str]) -> Answer {
    let path = format!("/v1/incidents/{}/reveal", incident.as_str().expect("an id"));
    client.post(&path, &json!({"reason": "to call the witness back", "parts": parts}))
}

fn revealed(client: &Client, incident: &Value) -> Value {
    reveal(client, incident, &["identities"]).expect(200).json()
}

fn n_reveals(app: &TestApp) -> (i64, i64) {
    let counted = app.context.db.read_here(|conn| {
        let entries = audit_entries::table.filter(audit_entries::action.eq("revealed"));
        Ok((reveals::table.count().get_result(conn)?, entries.count().get_result(conn)?))
    });
    counted.expect("two counts")
}

#[test]
fn c62_a_phone_number_is_in_no_answer_but_that_of_a_reveal() {
    let app = TestApp::start();
    let body = report();
    let submitted = app.monitor().submit(&body);
    let incident = submitted["incident"].as_str().expect("an id");
    let (own, other) = (revealer(&app, Role::RegionalLead, "SLE"), app.user(Role::Reviewer, "CAF"));
    own.set_status(&submitted["incident"], "verified");
    for client in [&own, &other, &app.user(Role::Analyst, "all"), &app.anonymous()] {
        for path in [
            "/v1/incidents?status=all".to_owned(),
            format!("/v1/incidents/{incident}"),
            format!("/v1/reports/{}", body["id"].as_str().expect("an id")),
            "/v1/queue?status=all".to_owned(),
            "/v1/aggregates?status=all&by=country".to_owned(),
            "/v1/countries/SLE".to_owned(),
            "/v1/quarantine".to_owned(),
        ] {
            assert!(!client.get(&path).text().contains("77000001"), "{path}");
        }
    }

    let shown = revealed(&own, &submitted["incident"]);

    assert_eq!(shown["reports"][0]["report"]["source"]["contact"], PHONE);
    assert_eq!(n_reveals(&app), (1, 1));
    reveal(&other, &submitted["incident"], &["identities"]).expect(403);
    let_reveal(&app, &other);
    reveal(&other, &submitted["incident"], &["identities"]).expect_problem(404, "not_found");
    assert_eq!(n_reveals(&app), (1, 1), "what was refused is no reveal");
}

#[test]
fn a_reveal_names_everybody_and_who_sent_each_report() {
    let app = TestApp::start();
    let monitor = app.user_named("Momoh Monitor", Role::Monitor, "SLE");
    let (_, of_nobody) =
        add_device(&app.context, "Phone of the village", "SLE", None, None).expect("a phone");
    let (_, of_monitor) =
        add_device(&app.context, "Phone of Momoh", "SLE", Some("Momoh Monitor"), None)
            .expect("a phone");
    let survivor = monitor.submit(&report());
    let senders = [of_nobody, of_monitor].map(|key| Client::new(&app.url, Some(key.expose())));
    let absorbed = senders.map(|sender| {
        let body = report();
        sender.submit(&body);
        body["id"].as_str().expect("an id").to_owned()
    });
    let reviewer = revealer(&app, Role::Reviewer, "SLE");
    let alone = reviewer.get(&format!("/v1/reports/{}", absorbed[0])).expect(200).json();
    for report in &absorbed {
        merge(&app, report, survivor["incident"].as_str().expect("an id"));
    }

    let shown = revealed(&reviewer, &survivor["incident"]);

    let reports = shown["reports"].as_array().expect("reports");
    let senders: Vec<&Value> = reports.iter().map(|report| &report["submitted_by"]).collect();
    assert_eq!(senders.len(), 3);
    assert_eq!(
        (&senders[0]["kind"], &senders[0]["name"]),
        (&json!("person"), &json!("Momoh Monitor"))
    );
    assert_eq!(
        (&senders[1]["kind"], &senders[1]["name"]),
        (&json!("device"), &json!("Phone of the village"))
    );
    assert_eq!(senders[2], senders[0], "a phone that is somebody's speaks for its owner");
    let sent = report();
    for report in reports {
        let told = &report["report"];
        assert_eq!((&told["people"], &told["actors"]), (&sent["people"], &sent["actors"]));
        assert_eq!(told["source"], json!({"name": "Sia Source", "contact": PHONE}));
        assert!(told.get("narrative").is_none() && told.get("location").is_none(), "{told}");
    }
    assert_eq!(revealed(&reviewer, &alone["incident"])["reports"], json!([]), "all were moved");
}

/// Moves a report to another incident, as a merge does.
fn merge(app: &TestApp, report: &str, survivor: &str) {
    let report: ReportId = Id::parse(report).expect("an id");
    let survivor: IncidentId = Id::parse(survivor).expect("an id");
    let done = app.context.db.write_here(move |tx| {
        let (survivor, _) = find_incident(tx.conn, survivor)?.expect("an incident");
        let report = reports::table.filter(reports::uuid.eq(report));
        let home: i64 = report.select(reports::home_incident_id).first(tx.conn)?;
        diesel::update(report).set(reports::incident_id.eq(survivor.id)).execute(tx.conn)?;
        let merged = incidents::merged_into.eq(Some(survivor.id));
        Ok(diesel::update(incidents::table.find(home)).set(merged).execute(tx.conn)?)
    });
    assert_eq!(done.expect("an update"), 1);
}

#[test]
fn a_coordinator_reads_words_and_exact_place_by_reveal() {
    let app = TestApp::start();
    let submitted = app.monitor().submit(&report());
    let coordinator = revealer(&app, Role::Coordinator, "all");

    let shown = reveal(&coordinator, &submitted["incident"], &["place", "text"]).expect(200);

    let opened = shown.json();
    assert_eq!(opened["parts"], json!(["text", "place"]));
    let report = &opened["reports"][0];
    assert_eq!(report["report"]["narrative"], "Two diggers were shot.");
    assert_eq!(report["report"]["location"]["lat"], 8.644);
    assert_eq!(
        (&report["submitted_by"], &report["received_on"]),
        (&Value::Null, &json!("2024-04-01"))
    );
    for name in ["Alpha Guards", "Vandi", "Wata", "Sia", PHONE] {
        assert!(!shown.text().contains(name), "{name}");
    }
}

#[test]
fn why_and_by_whom_identities_were_revealed_is_kept_and_the_reason_sealed() {
    let app = TestApp::start();
    let submitted = app.monitor().submit(&report());

    let shown = revealed(&revealer(&app, Role::Reviewer, "SLE"), &submitted["incident"]);

    let id: RevealId = Id::parse(shown["id"].as_str().expect("an id")).expect("an id");
    let sealer = app.context.clone();
    let (parts, reason) = app
        .context
        .db
        .read_here(move |conn| {
            let row = reveals::table.filter(reveals::uuid.eq(id));
            let parts: String = row.select(reveals::parts).first(conn)?;
            let owner = Owner { kind: OwnerKind::Reveal, id: id.uuid() };
            let (_, content) = sentinelle::db::sealed::find_part(conn, owner, Part::Reason)?
                .expect("a sealed reason");
            Ok((parts, sealer.sealer.open(owner, Part::Reason, 1, &content)?))
        })
        .expect("a row");
    assert_eq!(parts, "identities");
    assert_eq!(reason.as_slice(), b"to call the witness back");
}

#[test]
fn both_countries_of_a_mismatch_reveal_it() {
    let app = TestApp::start();
    let mut body = report();
    body["location"] = json!({"lat": 4.3612, "lon": 18.555, "country": "CMR"});
    let submitted = app.monitor().submit(&body);

    for (scope, right) in [("CMR", 200), ("CAF", 200), ("SLE", 404)] {
        let reviewer = revealer(&app, Role::Reviewer, scope);
        let answer = reveal(&reviewer, &submitted["incident"], &["identities"]);
        assert_eq!(answer.status, right, "{scope}: {}", answer.text());
    }
}

#[test]
fn nothing_of_a_withdrawn_or_erased_report_is_revealed() {
    let app = TestApp::start();
    let submitted = app.monitor().submit(&report());
    let reviewer = revealer(&app, Role::Reviewer, "SLE");
    for state in ["withdrawn", "erased"] {
        let done = app.context.db.write_here(move |tx| {
            Ok(diesel::update(reports::table).set(reports::state.eq(state)).execute(tx.conn)?)
        });
        assert_eq!(done.expect("an update"), 1);

        let shown = revealed(&reviewer, &submitted["incident"]);

        assert_eq!(shown["reports"], json!([]), "{state}");
    }
}

#[test]
fn a_token_not_issued_for_it_reveals_nothing() {
    let app = TestApp::start();
    let submitted = app.monitor().submit(&report());

    for role in [Role::Reviewer, Role::RegionalLead, Role::Coordinator] {
        let answer = reveal(&app.user(role, "all"), &submitted["incident"], &["identities"]);
        answer.expect_problem(403, "forbidden");
    }
    assert_eq!(n_reveals(&app), (0, 0));
}

#[test]
fn a_reveal_wants_a_reason_and_known_parts() {
    let app = TestApp::start();
    let submitted = app.monitor().submit(&report());
    let reviewer = revealer(&app, Role::Reviewer, "SLE");
    let path = format!("/v1/incidents/{}/reveal", submitted["incident"].as_str().expect("an id"));

    for (body, status, pointer) in [
        (json!({}), 422, "/reason"),
        (json!({"reason": "  "}), 422, "/reason"),
        (json!({"reason": "x".repeat(4_001)}), 422, "/reason"),
        (json!({"reason": "x", "parts": []}), 422, "/parts"),
        (json!({"reason": "x", "parts": ["identities", "note"]}), 422, "/parts"),
        (json!({"reason": "x", "part": "text"}), 400, "/part"),
    ] {
        let answer = reviewer.post(&path, &body).expect(status);
        assert_eq!(answer.pointers(), [pointer], "{body}");
    }
    assert_eq!(n_reveals(&app), (0, 0));
}

#[test]
fn what_cannot_be_written_down_is_not_shown() {
    let app = TestApp::start();
    let mut body = report();
    let monitor = app.monitor();
    let submitted = monitor.submit(&body);
    body["narrative"] = json!("Two diggers were shot dead.");
    monitor.post("/v1/reports", &body).expect(409);
    let reviewer = revealer(&app, Role::Reviewer, "SLE");
    let aside = reviewer.get("/v1/quarantine").expect(200).json();
    let aside = aside["items"][0]["id"].as_str().expect("an entry").to_owned();
    let rename = "ALTER TABLE audit_entries RENAME TO audit_entries_gone";
    let renamed = app.context.db.write_here(move |tx| Ok(tx.conn.batch_execute(rename)?));
    renamed.expect("the log is out of reach");

    let refused = [
        reveal(&reviewer, &submitted["incident"], &["identities"]),
        reviewer.get(&format!("/v1/reports/{}", body["id"].as_str().expect("an id"))),
        reviewer.get(&format!("/v1/quarantine/{aside}")),
    ];

    for answer in refused {
        let (status, text) = (answer.status, answer.text());
        assert!([503, 507].contains(&status), "{status} {text}");
        for secret in ["Alpha", "Vandi", "Wata", "Sia", PHONE, "digger", "8.644", "bridge"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    let path = format!("/v1/incidents/{}", submitted["incident"].as_str().expect("an id"));
    reviewer.get(&path).expect(200);
    reviewer.get("/v1/incidents?status=all").expect(200);
}

#[test]
fn a_full_disk_reveals_nothing() {
    let app = TestApp::start();
    if app.is_postgres() {
        return;
    }
    let submitted = app.monitor().submit(&report());
    let reviewer = revealer(&app, Role::Reviewer, "SLE");
    // No more pages than there are now: the rows of some reveals still find room on them.
    let limit = "PRAGMA max_page_count = 1";
    let limited = app.context.db.write_here(move |tx| Ok(tx.conn.batch_execute(limit)?));
    limited.expect("a limit");

    let answers = (0..200).map(|_| reveal(&reviewer, &submitted["incident"], &["identities"]));
    let refused = answers.into_iter().find(|answer| answer.status != 200).expect("it is full");

    assert!(!refused.text().contains("Sia"));
    refused.expect_problem(507, "storage_full");
}
