//! Whoever asks for what they may not leaves one entry, and gets the same answer whether or not it could be written.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use diesel::connection::SimpleConnection;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::app::ServerOptions;
use sentinelle::auth::types::Role;
use sentinelle::config::{Rate, Rates};
use sentinelle::db::schema::{audit_entries, users};
use sentinelle::ids::UserId;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{TestApp, TestOptions};

/// Actor and detail of every refusal, in order.
pub(crate) fn refusals(app: &TestApp) -> Vec<(Option<UserId>, String)> {
    let read = app.context.db.read_here(|conn| {
        Ok(audit_entries::table
            .filter(audit_entries::action.eq("refused"))
            .order((audit_entries::chain, audit_entries::position))
            .select((audit_entries::actor, audit_entries::detail))
            .load(conn)?)
    });
    read.expect("the entries")
}

fn last_user(app: &TestApp) -> UserId {
    let read = app.context.db.read_here(|conn| {
        Ok(users::table.order(users::id.desc()).select(users::uuid).first(conn)?)
    });
    read.expect("a user")
}

#[test]
fn a_person_who_asks_for_what_no_role_of_theirs_allows_leaves_one_entry() {
    let app = TestApp::start();
    let report = Uuid::new_v4();
    let body = json!({"id": report, "narrative": "x", "location": {"country": "SLE"}});
    app.monitor().submit(&body);
    let analyst = app.user(Role::Analyst, "SLE");
    let who = Some(last_user(&app));

    analyst.get(&format!("/v1/reports/{report}")).expect_problem(403, "forbidden");
    assert_eq!(refusals(&app), [(who, "open_report".to_owned())]);
    analyst.get("/v1/incidents?q=canary").expect_problem(403, "forbidden");
    analyst.post("/v1/reports", &body).expect_problem(403, "forbidden");

    let told: Vec<String> = refusals(&app).into_iter().map(|(_, detail)| detail).collect();
    assert_eq!(told, ["open_report", "search_text", "submit_report"]);
}

#[test]
fn what_is_allowed_missing_or_asked_by_a_phone_leaves_none() {
    let app = TestApp::start();
    let analyst = app.user(Role::Analyst, "SLE");

    analyst.get("/v1/incidents").expect(200);
    analyst.get(&format!("/v1/incidents/{}", Uuid::new_v4())).expect(404);
    app.device("SLE").get("/v1/incidents").expect(403);
    app.anonymous().get("/v1/incidents").expect(401);

    assert_eq!(refusals(&app), []);
}

#[test]
fn entries_of_refusals_are_as_few_as_the_limit_lets_through() {
    let credential = Rate::parse("60:3").expect("a rate");
    let rates = Rates { credential, ..Rates::UNLIMITED };
    let server = ServerOptions { rates, ..ServerOptions::default() };
    let app = TestApp::start_with(TestOptions { server, ..TestOptions::default() });
    let analyst = app.user(Role::Analyst, "SLE");

    let statuses: Vec<u16> = (0..10).map(|_| analyst.get("/v1/quarantine").status).collect();

    assert_eq!(statuses, [403, 403, 403, 429, 429, 429, 429, 429, 429, 429]);
    assert_eq!(refusals(&app).len(), 3);
}

#[test]
fn an_entry_that_cannot_be_written_changes_no_answer() {
    let app = TestApp::start();
    let analyst = app.user(Role::Analyst, "SLE");
    let rename = |sql: &'static str| {
        app.context.db.write_here(move |tx| Ok(tx.conn.batch_execute(sql)?)).expect("renamed");
    };
    rename("ALTER TABLE audit_entries RENAME TO audit_gone");

    analyst.get("/v1/quarantine").expect_problem(403, "forbidden");

    rename("ALTER TABLE audit_gone RENAME TO audit_entries");
    assert_eq!(refusals(&app), []);
}
