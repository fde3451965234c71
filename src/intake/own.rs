//! A report in the hands of its own sender, who corrects or withdraws it: to everybody else it is not there.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::rows::FactsRow;
use crate::db::schema::{incident_facts, reports};
use crate::error::{Code, Error, Result};
use crate::ids::ReportId;
use crate::incidents::store::{IncidentRow, lock_incident};
use crate::intake::prepare::Submitter;

/// A report whose incident is locked until the commit.
#[derive(Debug)]
pub struct Locked {
    /// Row id.
    pub row_id: i64,
    /// From 1.
    pub revision: i32,
    /// Its incident, at the version that the change makes.
    pub incident: IncidentRow,
    /// The facts of the incident before.
    pub facts: FactsRow,
}

/// Refuses whoever is not the sender of an active report.
///
/// # Errors
/// `NotFound`; `Gone` when it was withdrawn or erased.
pub fn check_own(conn: &mut DbConn, id: ReportId, submitter: &Submitter) -> Result<()> {
    find_own(conn, id, submitter).map(drop)
}

/// Locks the incident of a report for its sender, and raises its version.
///
/// # Errors
/// As [`check_own`]; `Unavailable` when the report was moved to another incident just now.
pub fn lock_own(
    conn: &mut DbConn,
    id: ReportId,
    submitter: &Submitter,
    now: DateTime<Utc>,
) -> Result<Locked> {
    let before = find_own(conn, id, submitter)?;
    let incident = lock_incident(conn, before.incident, now)?;
    // Looked at again now that nobody else changes it.
    let report = find_own(conn, id, submitter)?;
    if report.incident != incident.id {
        return Err(Error::new(Code::Unavailable));
    }
    let facts = incident_facts::table.find(incident.id).first(conn)?;
    Ok(Locked { row_id: report.id, revision: report.revision, incident, facts })
}

#[derive(diesel::Queryable)]
struct OwnRow {
    id: i64,
    revision: i32,
    state: String,
    incident: i64,
}

fn find_own(conn: &mut DbConn, id: ReportId, submitter: &Submitter) -> Result<OwnRow> {
    let found: QueryResult<Option<OwnRow>> = reports::table
        .filter(reports::uuid.eq(id))
        .filter(reports::submitter.eq(Some(submitter.to_vec())))
        .select((reports::id, reports::revision, reports::state, reports::incident_id))
        .first(conn)
        .optional();
    let report = found?.ok_or_else(Error::not_found)?;
    if report.state != "active" {
        return Err(Error::new(Code::Gone));
    }
    Ok(report)
}
