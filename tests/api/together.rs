//! Reports under one incident, as a merge leaves them, for tests that are about something else.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::db::schema::{incidents, reports};
use sentinelle::db::writer::ChangeKind;
use sentinelle::ids::{Id, IncidentId};
use sentinelle::incidents::store::refresh_facts;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::TestApp;

fn id(id: &Value) -> IncidentId {
    Id::parse(id.as_str().expect("an id")).expect("an id")
}

/// Moves the reports of incident `from` to incident `into`.
pub(crate) fn put_under(app: &TestApp, from: &Value, into: &Value) {
    let (from, into) = (id(from), id(into));
    let moved = app.context.db.write_here(move |tx| {
        let find = |id| incidents::table.filter(incidents::uuid.eq(id)).select(incidents::id);
        let into: i64 = find(into).first(tx.conn)?;
        let from: i64 = find(from).first(tx.conn)?;
        diesel::update(reports::table.filter(reports::incident_id.eq(from)))
            .set(reports::incident_id.eq(into))
            .execute(tx.conn)?;
        diesel::update(incidents::table.find(from))
            .set(incidents::merged_into.eq(Some(into)))
            .execute(tx.conn)?;
        tx.changed(from, ChangeKind::Merged);
        tx.changed(into, ChangeKind::Merged);
        refresh_facts(tx.conn, into)
    });
    assert!(moved.expect("a merge"), "it has reports");
}

/// Puts a second source's report under an incident of Sierra Leone, so that it can be corroborated.
pub(crate) fn add_source(app: &TestApp, incident: &Value) {
    let report = json!({"narrative": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": "SLE"}, "categories": ["rights.life_integrity.killing"]});
    let second = app.monitor().submit(&report);
    put_under(app, &second["incident"], incident);
}
