//! Erases a report: its data keys are destroyed, and what its plain columns tell goes with them.
//!
//! What stays is what a resend is recognised by (id, keyed pseudonym of its sender, keyed hash where it came without an
//! id), its country, the day and way it came, and the decision with the sealed reason. The sealed bytes stay too, and
//! nobody can open them.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::rows::FactsRow;
use crate::db::schema::{incidents, quarantined, reports};
use crate::db::sealed::destroy_keys;
use crate::db::writer::{ChangeKind, WriteTx};
use crate::error::{Error, Result};
use crate::geo::geotag::Precision;
use crate::ids::{IncidentId, QuarantinedId, ReportId, UserId};
use crate::incidents::facts::Status;
use crate::incidents::opening::{ERASED, gone};
use crate::incidents::store::{IncidentRow, clear_facts, find_incident, refresh_facts};
use crate::incidents::view::is_seen;
use crate::review::decisions::{NewDecision, insert_decision};
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
    let incident = lock_incident(tx.conn, &incident, erasure.now)?;
    if !blank_report(tx.conn, report.id)? {
        return Err(gone());
    }
    shred(tx.conn, erasure.report)?;
    let (status, kind) = if refresh_facts(tx.conn, incident.id)? {
        (incident.status.clone(), ChangeKind::Decided)
    } else {
        clear_facts(tx.conn, incident.id, &facts)?;
        destroy_keys(tx.conn, Owner { kind: OwnerKind::Incident, id: incident.uuid.uuid() }, None)?;
        let withdrawn = Status::Withdrawn.as_str();
        let was_withdrawn = incident.status == withdrawn;
        let kind = if was_withdrawn { ChangeKind::Decided } else { ChangeKind::Withdrawn };
        (withdrawn.to_owned(), kind)
    };
    record(tx, context, erasure, (&incident, &status), &facts)?;
    tx.changed(incident.id, kind);
    Ok(())
}

#[derive(diesel::Queryable)]
struct ReportRow {
    id: i64,
    incident: IncidentId,
}

fn find_report(conn: &mut DbConn, id: ReportId) -> QueryResult<Option<ReportRow>> {
    reports::table
        .inner_join(incidents::table)
        .filter(reports::uuid.eq(id))
        .select((reports::id, incidents::uuid))
        .first(conn)
        .optional()
}

/// Raises the version, so that no reviewer decides in between, and returns the row as it is then.
fn lock_incident(
    conn: &mut DbConn,
    incident: &IncidentRow,
    now: DateTime<Utc>,
) -> QueryResult<IncidentRow> {
    diesel::update(incidents::table.find(incident.id))
        .set((
            incidents::version.eq(incidents::version + 1),
            incidents::updated_at.eq(now.naive_utc()),
        ))
        .execute(conn)?;
    incidents::table.find(incident.id).first(conn)
}

/// Empties the columns that tell what the report said; says whether it was not erased before.
fn blank_report(conn: &mut DbConn, report: i64) -> QueryResult<bool> {
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
    (incident, status): (&IncidentRow, &str),
    facts: &FactsRow,
) -> Result<()> {
    diesel::update(incidents::table.find(incident.id))
        .set(incidents::status.eq(status))
        .execute(tx.conn)?;
    let decision = NewDecision {
        incident: incident.id,
        version: incident.version,
        decided_by: erasure.erased_by,
        statuses: (&incident.status, status),
        fields: "reports",
        reason: &erasure.reason,
        now: erasure.now,
    };
    insert_decision(tx.conn, &context.sealer, &decision)?;
    let entry = Entry::new(Act::ErasedReport, erasure.report, erasure.now)
        .by(erasure.erased_by)
        .detail(format!("{}>{status}", incident.status))
        .within(&facts.country, facts.country_computed.as_deref());
    tx.record(entry);
    Ok(())
}
