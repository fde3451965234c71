//! Erases a report: its data keys are destroyed, and what its plain columns tell goes with them, and so do exports waiting to be
//! fetched that may hold it.
//!
//! What stays is what a resend is recognised by (id, keyed pseudonym of its sender, keyed hash where it came without an
//! id), its country, the day and way it came, and the decision with the sealed reason. The sealed bytes stay too, and
//! nobody can open them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl,
};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::rows::FactsRow;
use crate::db::schema::{
    incident_facts, incidents, quarantined, report_grades, report_revisions, reports,
};
use crate::db::sealed::destroy_keys;
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, Result};
use crate::exports::jobs::ending::destroy_with;
use crate::geo::geotag::Precision;
use crate::ids::{IncidentId, QuarantinedId, ReportId, UserId};
use crate::incidents::changing::{Moment, ReportChange, forget_report, keep_report};
use crate::incidents::days::rederive;
use crate::incidents::facts::Status;
use crate::incidents::opening::{ERASED, gone};
use crate::incidents::store::{IncidentRow, clear_facts, find_incident, lock_incident};
use crate::incidents::view::is_seen;
use crate::review::decisions::{NewDecision, insert_decision, kind_of_change};
use crate::review::merging::store::{status_now, status_of};
use crate::review::messages;
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// A checked wish to erase a report.
#[derive(Debug)]
pub struct Erasure {
    /// The report.
    pub report: ReportId,
    /// Why; sealed.
    pub reason: String,
    /// Who erases.
    pub erased_by: Option<UserId>,
    /// Where.
    pub scope: Scope,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

/// Erases a report.
///
/// # Errors
/// `NotFound` out of scope, `Gone` when it was erased before; the database's failure.
pub fn erase(tx: &mut WriteTx<'_>, context: &Context, erasure: &Erasure) -> Result<()> {
    let report = find_report(tx.conn, erasure.report)?.ok_or_else(Error::not_found)?;
    let (incident, facts) =
        find_incident(tx.conn, report.incident)?.ok_or_else(Error::not_found)?;
    if !is_seen(&erasure.scope, &context.geo(), &facts) {
        return Err(Error::not_found());
    }
    dialect::lock_incidents(tx.conn, &BTreeSet::from([incident.id, report.home]))?;
    if find_report(tx.conn, erasure.report)?.is_none_or(|now| now.incident != report.incident) {
        // A merge or a split moved it a moment ago.
        return Err(Error::new(Code::Unavailable));
    }
    destroy_with(tx.conn, &context.geo(), &[incident.id, report.home])?;
    let incident = lock_incident(tx.conn, incident.id, erasure.now)?;
    let moment = Moment { incident: incident.id, version: incident.version, now: erasure.now };
    keep_report(tx.conn, report.id, moment, ReportChange::Erased)?;
    forget_report(tx.conn, report.id)?;
    if !blank_report(tx.conn, report.id)? {
        return Err(gone());
    }
    shred(tx.conn, erasure.report)?;
    messages::store::shred(tx.conn, report.id)?;
    let is_left = rederive(tx.conn, context, &incident)?;
    if !is_left {
        forget(tx.conn, &incident, &facts)?;
    }
    let status = status_now(tx.conn, &incident, is_left)?;
    record(tx, context, erasure, (&incident, status))?;
    tx.record(entry(erasure, (&incident, status), &facts));
    tx.changed(incident.id, kind_of_change(status_of(&incident)?, status));
    if report.home != incident.id {
        forget_home(tx, context, erasure, &report)?;
    }
    Ok(())
}

/// Empties the facts of an incident of which only erased reports are left, and what reviewers said in their place.
fn forget(conn: &mut DbConn, incident: &IncidentRow, facts: &FactsRow) -> Result<()> {
    if has_reports(conn, incident.id)? {
        return Ok(());
    }
    clear_facts(conn, incident.id, facts)?;
    Ok(shred_incident(conn, incident.uuid)?)
}

/// Does the same to the incident that an erased report opened before it was merged into another: its row tells of the
/// report still.
fn forget_home(
    tx: &mut WriteTx<'_>,
    context: &Context,
    erasure: &Erasure,
    report: &ReportRow,
) -> Result<()> {
    let home = report.home;
    if has_reports(tx.conn, home)? {
        return Ok(());
    }
    let incident = lock_incident(tx.conn, home, erasure.now)?;
    let moment = Moment { incident: home, version: incident.version, now: erasure.now };
    keep_report(tx.conn, report.id, moment, ReportChange::Erased)?;
    let facts = incident_facts::table.find(home).first(tx.conn)?;
    forget(tx.conn, &incident, &facts)?;
    record(tx, context, erasure, (&incident, Status::Withdrawn))?;
    tx.changed(home, kind_of_change(status_of(&incident)?, Status::Withdrawn));
    Ok(())
}

/// Tells whether a report that was not erased belongs to an incident, or opened it.
pub(super) fn has_reports(conn: &mut DbConn, incident: i64) -> QueryResult<bool> {
    let is_its = reports::incident_id.eq(incident).or(reports::home_incident_id.eq(incident));
    let left = reports::table.filter(is_its).filter(reports::state.ne(ERASED));
    Ok(left.select(reports::id).first::<i64>(conn).optional()?.is_some())
}

/// Destroys the data keys of what reviewers sealed for an incident.
pub(super) fn shred_incident(conn: &mut DbConn, incident: IncidentId) -> QueryResult<()> {
    destroy_keys(conn, Owner { kind: OwnerKind::Incident, id: incident.uuid() }, None).map(drop)
}

#[derive(diesel::Queryable)]
struct ReportRow {
    id: i64,
    incident: IncidentId,
    home: i64,
}

fn find_report(conn: &mut DbConn, id: ReportId) -> QueryResult<Option<ReportRow>> {
    reports::table
        .inner_join(incidents::table)
        .filter(reports::uuid.eq(id))
        .select((reports::id, incidents::uuid, reports::home_incident_id))
        .first(conn)
        .optional()
}

/// Empties the columns that tell what the report said; says whether it was not erased before.
fn blank_report(conn: &mut DbConn, report: i64) -> QueryResult<bool> {
    diesel::delete(report_revisions::table.filter(report_revisions::report_id.eq(report)))
        .execute(conn)?;
    diesel::delete(report_grades::table.find(report)).execute(conn)?;
    let report = reports::table.filter(reports::id.eq(report)).filter(reports::state.ne(ERASED));
    let n_erased = diesel::update(report)
        .set((
            reports::state.eq(ERASED),
            reports::follows.eq(None::<ReportId>),
            (
                reports::admin1.eq(None::<String>),
                reports::admin2.eq(None::<String>),
                reports::zone.eq(None::<String>),
                reports::geo_precision.eq(Precision::None.as_str()),
                reports::boundary_source.eq(None::<String>),
                reports::cell5.eq(None::<i64>),
                reports::place_lon_e6.eq(None::<i32>),
                reports::place_lat_e6.eq(None::<i32>),
                reports::cell7_veiled.eq(None::<Vec<u8>>),
                reports::site_veiled.eq(None::<Vec<u8>>),
                reports::site_distance.eq(None::<String>),
            ),
            (
                reports::first_day.eq(None::<chrono::NaiveDate>),
                reports::last_day.eq(None::<chrono::NaiveDate>),
                reports::date_precision.eq(None::<String>),
            ),
            reports::flags.eq(""),
            reports::codes.eq("{}"),
        ))
        .execute(conn)?;
    Ok(n_erased == 1)
}

/// Destroys the data keys of a report and of what was set aside under its id; what reviewers said of that stays.
fn shred(conn: &mut DbConn, report: ReportId) -> QueryResult<()> {
    destroy_keys(conn, Owner { kind: OwnerKind::Report, id: report.uuid() }, None)?;
    let aside = quarantined::table.filter(quarantined::report_uuid.eq(report));
    let ids: Vec<QuarantinedId> = aside.select(quarantined::uuid).load(conn)?;
    for id in ids {
        let owner = Owner { kind: OwnerKind::Quarantine, id: id.uuid() };
        destroy_keys(conn, owner, Some(Part::Quarantine))?;
    }
    diesel::update(aside).set(quarantined::state.eq(ERASED)).execute(conn)?;
    Ok(())
}

fn record(
    tx: &mut WriteTx<'_>,
    context: &Context,
    erasure: &Erasure,
    (incident, status): (&IncidentRow, Status),
) -> Result<()> {
    diesel::update(incidents::table.find(incident.id))
        .set(incidents::status.eq(status.as_str()))
        .execute(tx.conn)?;
    let decision = NewDecision {
        incident: incident.id,
        version: incident.version,
        decided_by: erasure.erased_by,
        statuses: (&incident.status, status.as_str()),
        fields: "reports",
        reason: &erasure.reason,
        now: erasure.now,
    };
    insert_decision(tx.conn, &context.sealer, &decision)
}

fn entry(erasure: &Erasure, (incident, status): (&IncidentRow, Status), facts: &FactsRow) -> Entry {
    Entry::new(Act::ErasedReport, erasure.report, erasure.now)
        .by(erasure.erased_by)
        .detail(format!("{}>{}", incident.status, status.as_str()))
        .within(&facts.country, facts.country_computed.as_deref())
}
