//! A log that cannot be edited quietly: what leaves an entry, who reads it, and that nothing is changed unseen.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::process::{Command, Output};

use diesel::connection::SimpleConnection;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::audit::Entry;
use sentinelle::audit::act::Act;
use sentinelle::audit::head::{PublishedHead, PublishedHeads};
use sentinelle::audit::store::list_chains;
use sentinelle::audit::verify::{FaultKind, Verdict, verify};
use sentinelle::auth::types::Role;
use sentinelle::db::dialect::snapshot;
use sentinelle::db::rows::{AuditRow, ChainRow};
use sentinelle::db::schema::{audit_chains, audit_entries, unchained_audit_entries as unchained};
use sentinelle::error::{Code, Error};
use sentinelle::ids::ReportId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp};

fn report(country: &str) -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-03-05", "location": {"country": country},
        "categories": ["rights.life_integrity.killing"], "narrative": Uuid::new_v4()})
}

fn entries(app: &TestApp) -> Vec<AuditRow> {
    let order = (audit_entries::chain, audit_entries::position);
    let rows = app.context.db.read_here(|conn| Ok(audit_entries::table.order(order).load(conn)?));
    rows.expect("the entries")
}

fn verdict_against(app: &TestApp, published: &[PublishedHead]) -> Verdict {
    let found = app.context.db.read_here(|conn| {
        snapshot(conn, |conn| verify(conn, &app.context.auditor, published, &mut |_| {}))
    });
    found.expect("a verdict")
}

fn verdict(app: &TestApp) -> Verdict {
    verdict_against(app, &[])
}

fn heads(app: &TestApp) -> Vec<ChainRow> {
    app.context.db.read_here(|conn| Ok(list_chains(conn)?)).expect("the heads")
}

fn published(app: &TestApp) -> Vec<PublishedHead> {
    app.context.auditor.publish_all(&heads(app)).expect("heads").heads
}

/// Runs SQL past the application, as whoever has the database does; the triggers are theirs to drop.
fn tamper(app: &TestApp, sql: &str) {
    let guards = if app.is_postgres() {
        "DROP TRIGGER IF EXISTS audit_entries_no_change ON audit_entries;"
    } else {
        "DROP TRIGGER IF EXISTS audit_entries_no_update; DROP TRIGGER IF EXISTS audit_entries_no_delete;"
    };
    let sql = format!("{guards} {sql}");
    let done = app.context.db.write_here(move |tx| Ok(tx.conn.batch_execute(&sql)?));
    done.expect("the database is theirs");
}

fn sentinelle(app: &TestApp, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sentinelle"))
        .args(words)
        .args(["--database-url", &app.database_url, "--data-dir"])
        .arg(app.folder.path())
        .env("SENTINELLE_LOG", "error")
        .output()
        .expect("the program runs")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Has a report taken in, opened, decided on, and its id taken by other content that is opened and judged.
fn work_on_a_case(app: &TestApp, country: &str) -> (Client, Value) {
    let (monitor, reviewer) = (app.monitor(), app.user(Role::Reviewer, country));
    let mut report = report(country);
    let submitted = monitor.submit(&report);
    let id = report["id"].as_str().expect("an id").to_owned();
    reviewer.get(&format!("/v1/reports/{id}")).expect(200);
    reviewer.set_status(&submitted["incident"], "verified");
    report["harm"] = json!({"killed": 3});
    monitor.post("/v1/reports", &report).expect(409);
    let aside = reviewer.get("/v1/quarantine").expect(200).json();
    let aside = format!("/v1/quarantine/{}", aside["items"][0]["id"].as_str().expect("an id"));
    reviewer.get(&aside).expect(200);
    let word = json!({"outcome": "kept", "reason": "CANARY-reason"});
    reviewer.post(&format!("{aside}/decisions"), &word).expect(204);
    (reviewer, submitted)
}

fn list(client: &Client, query: &str) -> Vec<Value> {
    let page = client.get(&format!("/v1/audit{query}")).expect(200).json();
    page["items"].as_array().expect("items").clone()
}

fn acts(entries: &[Value]) -> BTreeSet<String> {
    let name = |entry: &Value| {
        let word = |value: &Value| value.as_str().expect("a word").to_owned();
        format!("{} {}", word(&entry["action"]), word(&entry["subject"]["kind"]))
    };
    entries.iter().map(name).collect()
}

fn names(acts: &[&str]) -> BTreeSet<String> {
    acts.iter().map(|act| (*act).to_owned()).collect()
}

#[test]
fn every_act_leaves_an_entry_in_its_countries_and_the_log_verifies() {
    let app = TestApp::start();
    let (_, submitted) = work_on_a_case(&app, "SLE");
    app.device("SLE");

    let verdict = verdict(&app);
    let entries = entries(&app);

    assert!(verdict.is_sound, "{:?}", verdict.faults);
    assert_eq!(usize::try_from(verdict.n_entries).expect("a number"), entries.len());
    let case: Vec<_> = entries.iter().filter(|row| row.domain == "case").collect();
    let acts: Vec<(&str, &str)> =
        case.iter().map(|row| (row.action.as_str(), row.subject_kind.as_str())).collect();
    let right = [
        ("received", "report"),
        ("opened", "report"),
        ("decided", "incident"),
        ("set_aside", "quarantined"),
        ("opened", "quarantined"),
        ("judged", "quarantined"),
    ];
    assert_eq!(acts, right);
    assert!(case.iter().all(|row| row.country.as_deref() == Some("SLE")), "{case:?}");
    assert!(case.iter().all(|row| row.country_other.is_none()), "{case:?}");
    let nobody: Vec<bool> = case.iter().map(|row| row.actor.is_none()).collect();
    assert_eq!(nobody, [true, false, false, true, false, false], "intake has no actor");
    assert_eq!(case[2].subject_id.to_string(), submitted["incident"].as_str().expect("an id"));
    let device = entries.iter().find(|row| row.subject_kind == "device").expect("an entry");
    assert_eq!((device.domain.as_str(), device.country.as_deref()), ("people", Some("SLE")));
}

#[test]
fn both_countries_of_a_mismatch_are_in_its_entries() {
    let app = TestApp::start();
    let mut report = report("SLE");
    // Kindu, in the Democratic Republic of the Congo.
    report["location"] = json!({"country": "SLE", "lat": -2.944, "lon": 25.922});
    let submitted = app.monitor().submit(&report);
    let reviewer = app.reviewer();
    let decision = json!({"location": {"country": "COD"}, "reason": "the point is right"});
    reviewer.decide(&submitted["incident"], &decision).expect(200);

    let entries = entries(&app);

    let countries = |action: &str| {
        let row = entries.iter().find(|row| row.action == action).expect("an entry");
        (row.country.clone(), row.country_other.clone())
    };
    let (sle, cod) = (Some("SLE".to_owned()), Some("COD".to_owned()));
    assert_eq!(countries("received"), (sle.clone(), cod.clone()));
    assert_eq!(countries("decided"), (cod, sle), "where it is now, and where it was");
}

#[test]
fn an_operation_that_fails_leaves_no_entry() {
    let app = TestApp::start();
    let entry = |act| Entry::new(act, ReportId::random(), app.context.clock.now());
    let (failed, kept, tried) =
        (entry(Act::OpenedReport), entry(Act::ErasedReport), entry(Act::ReceivedReport));
    let refused = app.context.db.write_here::<(), _>(move |tx| {
        tx.record(failed);
        Err(Error::new(Code::NotFound))
    });
    let done = app.context.db.write_here(move |tx| {
        tx.record(kept);
        let refused = tx.attempt::<()>(|tx| {
            tx.record(tried);
            Err(Error::new(Code::NotFound))
        });
        assert!(refused.is_err());
        Ok(())
    });

    assert!(refused.is_err());
    done.expect("a commit");
    let acts: Vec<String> = entries(&app).into_iter().map(|row| row.action).collect();
    assert_eq!(acts, ["erased"]);
    assert!(verdict(&app).is_sound);
}

#[test]
fn a_duplicate_among_many_reports_leaves_no_entry_and_the_others_theirs() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let known = report("SLE");
    monitor.submit(&known);
    let lines: Vec<String> =
        [report("SLE"), known.clone(), report("GIN")].iter().map(Value::to_string).collect();
    let headers = [("content-type", "application/x-ndjson")];
    monitor.post_bytes("/v1/reports", &headers, lines.join("\n").as_bytes());

    let received = entries(&app).into_iter().filter(|row| row.action == "received").count();

    assert_eq!(received, 3);
    assert!(verdict(&app).is_sound);
}

#[test]
fn entries_are_refused_change_and_deletion() {
    let app = TestApp::start();
    app.monitor();
    let before = entries(&app);
    let mut statements = vec![
        "UPDATE audit_entries SET detail = 'x'",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_entries WHERE position = 0",
    ];
    if app.is_postgres() {
        statements.push("TRUNCATE audit_entries");
    }
    for sql in statements {
        let refused = app.context.db.write_here(move |tx| Ok(tx.conn.batch_execute(sql)?));

        let error = refused.expect_err(sql);
        let cause = error.database_cause().map(ToString::to_string).unwrap_or_default();
        assert!(cause.contains("entries of the audit log are never"), "{sql}: {cause}");
    }
    assert_eq!(entries(&app), before);
}

#[test]
fn a_byte_changed_by_hand_is_found_and_the_entry_named() {
    let app = TestApp::start();
    work_on_a_case(&app, "SLE");
    let chain = entries(&app)[0].chain;
    let id = Uuid::from_u128(1);
    let blob = if app.is_postgres() {
        (format!("'{id}'"), "decode(repeat('00', 32), 'hex')".to_owned())
    } else {
        (format!("x'{}'", id.simple()), "zeroblob(32)".to_owned())
    };
    let changes = [
        ("at", "'2024-04-01 12:00:00.001'"),
        ("actor", blob.0.as_str()),
        ("action", "'openeD'"),
        ("subject_kind", "'reporT'"),
        ("subject_id", blob.0.as_str()),
        ("domain", "'technical'"),
        ("detail", "'x'"),
        ("country", "NULL"),
        ("country_other", "''"),
        ("chained", blob.1.as_str()),
    ];
    for (column, value) in changes {
        let (before, kept) = (entries(&app)[5].clone(), "kept_audit_entries");
        tamper(
            &app,
            &format!("CREATE TABLE {kept} AS SELECT * FROM audit_entries WHERE position = 5"),
        );
        tamper(&app, &format!("UPDATE audit_entries SET {column} = {value} WHERE position = 5"));

        let verdict = verdict(&app);

        let faults: Vec<_> =
            verdict.faults.iter().map(|fault| (fault.chain, fault.position, &fault.kind)).collect();
        assert_eq!(faults, [(Some(chain), Some(5), &FaultKind::Altered)], "{column} of {before:?}");
        tamper(
            &app,
            &format!(
                "UPDATE audit_entries SET {column} = (SELECT {column} FROM {kept}) WHERE position = 5;
                 DROP TABLE {kept};"
            ),
        );
    }
    assert!(verdict(&app).is_sound, "all is as before");
}

#[test]
fn the_command_names_the_broken_entry_and_exits_with_a_failure() {
    let app = TestApp::start();
    work_on_a_case(&app, "SLE");
    let sound = sentinelle(&app, &["audit", "verify"]);
    assert!(sound.status.success(), "{}", told(&sound));
    assert!(told(&sound).starts_with("the audit log is as it was written ("), "{}", told(&sound));

    tamper(&app, "UPDATE audit_entries SET detail = 'x' WHERE position = 5");
    let found = sentinelle(&app, &["audit", "verify"]);
    let as_json = sentinelle(&app, &["audit", "verify", "--json"]);

    assert_eq!(found.status.code(), Some(1));
    let words = told(&found);
    assert!(words.starts_with("chain 1, entry 5: this entry, or the running hash"), "{words}");
    assert!(words.contains("the audit log was tampered with or damaged: 1 faults"), "{words}");
    assert_eq!(as_json.status.code(), Some(1));
    let verdict: Value = serde_json::from_str(&told(&as_json)).expect("JSON");
    assert_eq!(verdict["faults"], json!([{"chain": 1, "position": 5, "kind": "altered"}]));
    assert_eq!(verdict["is_sound"], false);
}

#[test]
fn a_row_that_is_no_entry_is_named_and_the_rest_still_read() {
    let app = TestApp::start();
    work_on_a_case(&app, "SLE");
    if app.is_postgres() {
        // Its columns take nothing that could not be read.
        return;
    }
    tamper(&app, "UPDATE audit_entries SET subject_id = x'00' WHERE position = 2");
    tamper(&app, "UPDATE audit_entries SET detail = 'x' WHERE position = 5");

    let verdict = verdict(&app);

    let faults: Vec<_> = verdict.faults.iter().map(|fault| (fault.position, &fault.kind)).collect();
    assert_eq!(faults, [(Some(2), &FaultKind::Unreadable), (Some(5), &FaultKind::Altered)]);
    assert_eq!(usize::try_from(verdict.n_entries).ok(), Some(10));
}

/// Takes the last entries away and puts the head back that was signed before them.
fn set_back(app: &TestApp, head: &ChainRow) {
    tamper(app, &format!("DELETE FROM audit_entries WHERE position >= {}", head.size));
    let head = head.clone();
    let done = app.context.db.write_here(move |tx| {
        Ok(diesel::update(audit_chains::table.find(head.chain)).set(&head).execute(tx.conn)?)
    });
    assert_eq!(done.expect("an update"), 1);
}

#[test]
fn a_log_that_was_cut_off_is_found_against_a_published_head() {
    let app = TestApp::start();
    app.monitor();
    let earlier = heads(&app)[0].clone();
    work_on_a_case(&app, "SLE");
    let published_at = app.folder.path().join("heads.jsonl");
    let printed = told(&sentinelle(&app, &["audit", "head"]));
    std::fs::write(&published_at, &printed).expect("a file");
    let against = ["audit", "verify", "--against", published_at.to_str().expect("a path")];
    let before = sentinelle(&app, &against);
    assert!(before.status.success(), "{}", told(&before));

    set_back(&app, &earlier);
    let alone = sentinelle(&app, &["audit", "verify"]);
    let compared = sentinelle(&app, &against);

    assert!(alone.status.success(), "by itself it looks right: {}", told(&alone));
    assert_eq!(compared.status.code(), Some(1));
    let words = told(&compared);
    assert!(words.contains("chain 1: it was published with 12 entries and has 2"), "{words}");
    let document = told(&sentinelle(&app, &["audit", "head", "--json"]));
    assert_eq!(PublishedHeads::parse(&document).expect("heads").heads, published(&app));
}

#[test]
fn a_chain_that_is_gone_and_heads_of_others_are_told() {
    let (app, other) = (TestApp::start(), TestApp::start());
    app.monitor();
    other.monitor();
    let mut heads = published(&app);
    heads.extend(published(&other));
    tamper(&app, "DELETE FROM audit_entries; DELETE FROM audit_chains");

    let verdict = verdict_against(&app, &heads);

    let told: Vec<String> = verdict.faults.iter().map(|fault| fault.kind.to_string()).collect();
    let right =
        ["published head 2 is of another instance", "it was published with 2 entries and is gone"];
    assert_eq!(told, right);
    assert_eq!(verdict.n_compared, 1);
}

#[test]
fn nothing_is_signed_on_top_of_a_head_that_somebody_else_wrote() {
    let app = TestApp::start();
    let monitor = app.monitor();
    tamper(
        &app,
        "UPDATE audit_chains SET size = size - 1; DELETE FROM audit_entries WHERE position = 1",
    );

    monitor.post("/v1/reports", &report("SLE")).expect_problem(503, "unavailable");

    let kinds: Vec<FaultKind> = verdict(&app).faults.into_iter().map(|fault| fault.kind).collect();
    assert!(kinds.contains(&FaultKind::NotSigned), "{kinds:?}");
}

#[test]
fn every_writing_server_has_a_chain_of_its_own_and_all_verify() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let second = app.second_server();
    let there = monitor.at(&second.url);
    for _ in 0..3 {
        monitor.submit(&report("SLE"));
        there.submit(&report("SLE"));
    }

    let verdict = verdict(&app);

    assert!(verdict.is_sound, "{:?}", verdict.faults);
    let sizes: Vec<_> = verdict.chains.iter().map(|chain| (chain.chain, chain.n_entries)).collect();
    let right = if app.is_postgres() { vec![(1, 5), (2, 3)] } else { vec![(1, 8)] };
    assert_eq!(sizes, right, "SQLite has one writer at a time, so one chain");
    let there = there.get("/v1/audit/heads").expect(200).json();
    let heads = there["heads"].as_array().expect("heads");
    assert_eq!(heads.len(), right.len());
    let read = PublishedHeads::parse(&there.to_string()).expect("heads");
    let compared = verdict_against(&app, &read.heads);
    assert!(compared.is_sound && compared.n_compared == right.len(), "{compared:?}");
}

#[test]
fn a_chain_is_taken_up_again_by_the_next_server() {
    let app = TestApp::start();
    let monitor = app.monitor();
    for _ in 0..2 {
        let second = app.second_server();
        monitor.at(&second.url).submit(&report("SLE"));
        drop(second);
    }

    let verdict = verdict(&app);

    assert!(verdict.is_sound, "{:?}", verdict.faults);
    assert_eq!(verdict.n_entries, 4);
    assert!(verdict.chains.len() <= 3, "{:?}", verdict.chains);
}

#[test]
fn entries_from_before_the_chain_are_moved_into_it_once() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let earlier = report("GIN");
    monitor.submit(&earlier);
    let subject = ReportId::parse(earlier["id"].as_str().expect("an id")).expect("an id");
    let at = chrono::DateTime::UNIX_EPOCH.naive_utc();
    let rows: Vec<_> = (0..1_200)
        .map(|n| {
            (
                unchained::at.eq(at + chrono::Duration::seconds(n)),
                unchained::action.eq("opened"),
                unchained::subject_kind.eq("report"),
                unchained::subject_id.eq(subject),
                unchained::detail.eq(n.to_string()),
            )
        })
        .collect();
    let stored = app.context.db.write_here(move |tx| {
        for row in rows {
            diesel::insert_into(unchained::table).values(row).execute(tx.conn)?;
        }
        Ok(())
    });
    stored.expect("rows");

    drop(app.second_server());
    drop(app.second_server());

    let moved: Vec<AuditRow> =
        entries(&app).into_iter().filter(|row| row.action == "opened").collect();
    assert_eq!(moved.len(), 1_200);
    assert!(moved.iter().all(|row| row.country.as_deref() == Some("GIN")));
    let in_order = moved.windows(2).all(|pair| pair[0].at < pair[1].at);
    assert!(in_order && moved[7].at == at + chrono::Duration::seconds(7), "their times are kept");
    let left =
        app.context.db.read_here(|conn| Ok(unchained::table.count().get_result::<i64>(conn)?));
    assert_eq!(left.expect("a count"), 0);
    assert!(verdict(&app).is_sound);
}

#[test]
fn an_instance_from_before_the_audit_key_gets_one_when_it_starts() {
    let app = TestApp::start();
    let monitor = app.monitor();
    tamper(
        &app,
        "DELETE FROM audit_entries; DELETE FROM audit_chains;
         DELETE FROM instance_keys WHERE purpose = 'audit_head';",
    );

    // Together, since each may find the key missing.
    let (one, other) = std::thread::scope(|scope| {
        let (one, other) =
            (scope.spawn(|| app.second_server()), scope.spawn(|| app.second_server()));
        (one.join().expect("a server"), other.join().expect("a server"))
    });

    monitor.at(&one.url).submit(&report("SLE"));
    monitor.at(&other.url).submit(&report("SLE"));
    let verified = sentinelle(&app, &["audit", "verify"]);
    assert!(verified.status.success(), "{}", told(&verified));
    assert!(told(&verified).contains("(2 entries"), "{}", told(&verified));
}

#[test]
fn everybody_reads_what_is_theirs_to_read() {
    let app = TestApp::start();
    let (reviewer, _) = work_on_a_case(&app, "SLE");
    work_on_a_case(&app, "ZWE");
    let now = app.context.clock.now();
    let technical = Entry::of_instance(Act::BackedUp, now);
    let done = app.context.db.write_here(move |tx| {
        tx.record(technical);
        Ok(())
    });
    done.expect("a commit");
    let case = [
        "received report",
        "opened report",
        "decided incident",
        "set_aside quarantined",
        "opened quarantined",
        "judged quarantined",
    ];
    let own = ["opened report", "decided incident", "opened quarantined", "judged quarantined"];
    let all = [&case[..], &["added user", "added_token user", "backed_up instance"]].concat();

    for role in [Role::Coordinator, Role::Auditor] {
        assert_eq!(acts(&list(&app.user(role, "all"), "?limit=1000")), names(&all), "{role:?}");
    }
    for role in [Role::Reviewer, Role::RegionalLead] {
        let seen = list(&app.user(role, "SLE"), "?limit=1000");
        // Whom the country got as colleagues is told there too.
        assert_eq!(acts(&seen), names(&[&case[..], &["added user"]].concat()), "{role:?}");
        let of_case = seen.iter().filter(|entry| entry["action"] != "added");
        assert_eq!(of_case.count(), 6, "{role:?}");
        assert!(seen.iter().all(|entry| entry["countries"] == json!(["SLE"])), "{role:?}");
    }
    for role in [Role::Monitor, Role::Analyst] {
        assert_eq!(acts(&list(&app.user(role, "SLE"), "")), names(&[]), "{role:?}");
    }
    let seen = list(&app.user(Role::Sysadmin, "all"), "");
    assert_eq!(acts(&seen), names(&["backed_up instance"]));
    app.device("SLE").get("/v1/audit").expect_problem(403, "forbidden");
    let seen = list(
        &reviewer,
        &format!(
            "?actor={}",
            list(&reviewer, "?action=judged")[0]["actor"].as_str().expect("an id")
        ),
    );
    assert_eq!(acts(&seen), names(&own));
}

#[test]
fn filters_narrow_and_pages_follow_each_other() {
    let app = TestApp::start();
    app.set_now("2024-04-01T12:00:00Z");
    work_on_a_case(&app, "SLE");
    app.set_now("2024-04-02T12:00:00Z");
    let (_, submitted) = work_on_a_case(&app, "GIN");
    let auditor = app.user(Role::Auditor, "all");
    let all = list(&auditor, "?limit=1000");

    let mut walked = Vec::new();
    let mut path = "/v1/audit?limit=3".to_owned();
    loop {
        let page = auditor.get(&path).expect(200).json();
        walked.extend(page["items"].as_array().expect("items").clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/audit?limit=3&cursor={next}");
    }
    assert_eq!(walked, all, "newest first, each once");
    let days: Vec<&str> = all.iter().map(|entry| entry["on"].as_str().expect("a day")).collect();
    assert!(days.is_sorted_by(|one, next| one >= next), "{days:?}");

    let incident = submitted["incident"].as_str().expect("an id");
    assert_eq!(
        acts(&list(&auditor, &format!("?subject={incident}"))),
        names(&["decided incident"])
    );
    assert_eq!(list(&auditor, "?action=decided").len(), 2);
    assert_eq!(list(&auditor, "?country=GIN").len(), 7, "six of the case, and its reviewer");
    assert_eq!(list(&auditor, "?country=GIN&action=opened").len(), 2);
    let of = |query: &str| list(&auditor, query).len();
    assert_eq!(of("?to=2024-04-01&limit=1000") + of("?from=2024-04-02&limit=1000"), all.len());
    assert_eq!(of("?from=2024-03"), all.len());
    assert_eq!(of("?to=2024-03"), 0);
    let nobody = Uuid::new_v4();
    assert_eq!(of(&format!("?actor={nobody}")), 0);
}

#[test]
fn what_came_in_is_told_by_its_day_alone() {
    let app = TestApp::start();
    work_on_a_case(&app, "SLE");

    for entry in list(&app.user(Role::Auditor, "all"), "?limit=1000") {
        let came_in =
            ["received", "set_aside"].contains(&entry["action"].as_str().expect("a code"));

        assert_eq!(entry["at"].is_null(), came_in, "{entry}");
        assert_eq!(entry["on"], "2024-04-01");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_by_name() {
    let app = TestApp::start();
    let auditor = app.user(Role::Auditor, "all");
    for (query, name) in [
        ("actor=me", "?actor"),
        ("subject=1", "?subject"),
        ("action=stole", "?action"),
        ("from=yesterday", "?from"),
        ("to=2024-13", "?to"),
        ("limit=0", "?limit"),
    ] {
        let refused = auditor.get(&format!("/v1/audit?{query}"));
        let refused = refused.expect_problem(400, "invalid_parameter");
        assert_eq!(refused.pointers(), [name]);
    }
    auditor.get("/v1/audit?country=XYZ").expect_problem(404, "not_found");
    auditor.get("/v1/audit?who=me").expect_problem(400, "unknown_parameter");
    auditor.get("/v1/audit?cursor=AAAA").expect_problem(400, "invalid_cursor");
    auditor.get("/v1/audit/heads?x=1").expect_problem(400, "unknown_parameter");
}

#[test]
fn no_word_of_what_was_told_is_in_an_entry() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let mut report = report("SLE");
    report["narrative"] = json!("CANARY-narrative");
    report["people"] =
        json!([{"name": "CANARY-name", "contact": "+23277000001", "role": "victim"}]);
    report["location"]["place"] = json!("CANARY-place");
    let submitted = monitor.submit(&report);
    reviewer.get(&format!("/v1/reports/{}", report["id"].as_str().expect("an id"))).expect(200);
    let decision = json!({"status": "rejected", "reason": "CANARY-reason"});
    reviewer.decide(&submitted["incident"], &decision).expect(200);
    report["narrative"] = json!("CANARY-other");
    monitor.post("/v1/reports", &report).expect(409);

    let written = format!("{:?}", entries(&app)).to_lowercase();
    let shown = app.user(Role::Auditor, "all").get("/v1/audit?limit=1000").expect(200).text();

    for text in [written, shown.to_lowercase()] {
        assert!(text.contains("decided") && !text.contains("canary"), "{text}");
        assert!(!text.contains("+232") && !text.contains("127.0.0.1"), "{text}");
    }
}
