//! Sends reports home: each incident they opened is revived as it was, and the one they leave goes on without them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, QueryResult,
    RunQueryDsl,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{decisions, incidents, regrouped_incidents, regrouped_reports, reports};
use crate::db::writer::WriteTx;
use crate::error::{Error, FieldError, Result};
use crate::ids::ReportId;
use crate::incidents::facts::Status;
use crate::incidents::merged::refuse_merged;
use crate::incidents::opening::{ERASED, find_report};
use crate::incidents::store::{IncidentRow, clear_facts, split_codes};
use crate::incidents::view::{IncidentView, is_seen_from, list_views};
use crate::review::claims::follow_decision;
use crate::review::decisions::one_view;
use crate::review::merging::store::{
    Acting, Case, Kind, Moved, Touch, begin, lock, move_reports, rederive_next, status_now,
    status_of, take,
};
use crate::review::sources::SOURCES_NEEDED;
use crate::review::{erasure, sources};

/// Decisions told of at most: more than anybody takes on one incident.
const MOST_KEPT: i64 = 200;

/// What a split made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Split)]
pub struct SplitView {
    /// The incident that the reports left, as it is now.
    pub incident: IncidentView,
    /// The incidents they went home to, as they are now, in order of their arrival; those out of the caller's scope are left out.
    revived: Vec<IncidentView>,
    /// What was decided on the incident since the first of these reports came to it, in order: it stays with it.
    kept: Vec<KeptView>,
}

/// A decision that stays with the incident it was taken on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeptDecision)]
pub struct KeptView {
    /// The version it made.
    version: i32,
    /// The server's clock.
    decided_at: DateTime<Utc>,
    /// `status` code before.
    from_status: String,
    /// `status` code after.
    to_status: String,
    /// The fields it changed.
    #[schema(example = json!(["categories"]))]
    fields: Vec<String>,
}

/// Sends `ids` home from the incident that `acting` names.
///
/// # Errors
/// `NotFound` where something is out of scope, `PreconditionFailed` with the current state, `Merged`, `Claimed` by another,
/// `InvalidFields`.
pub fn split(
    tx: &mut WriteTx<'_>,
    context: &Context,
    acting: &Acting,
    ids: &[ReportId],
) -> Result<SplitView> {
    acting.attempt(tx, |tx| try_split(tx, context, acting, ids))
}

fn try_split(
    tx: &mut WriteTx<'_>,
    context: &Context,
    acting: &Acting,
    ids: &[ReportId],
) -> Result<SplitView> {
    let (survivor, _) = acting.find(tx.conn, context, acting.incident)?;
    check_seen(tx.conn, context, acting, ids)?;
    let homes = list_rows(tx.conn, ids)?.into_values().map(|row| row.home);
    let all: BTreeSet<i64> = [survivor.id].into_iter().chain(homes).collect();
    let mut cases = lock(tx.conn, &all)?;
    let survivor = take(&mut cases, survivor.id)?;
    acting.check_version(tx.conn, context, &survivor)?;
    refuse_merged(tx.conn, &survivor.0)?;
    let decider = (Some(acting.by), status_of(&survivor.0)?);
    follow_decision(tx.conn, survivor.0.id, decider, acting.now)?;
    let moved = check_reports(tx.conn, &survivor, ids)?;
    let came_at = find_arrival(tx.conn, survivor.0.id, &moved)?;
    let kept = list_kept(tx.conn, survivor.0.id, came_at)?;

    let operation = begin(tx.conn, Kind::Split, acting, survivor.0.id, &moved)?;
    move_reports(tx.conn, &moved)?;
    let out_of = format!("out of {}", survivor.0.uuid);
    for case in cases.values() {
        diesel::update(incidents::table.find(case.0.id))
            .set(incidents::merged_into.eq(None::<i64>))
            .execute(tx.conn)?;
        let is_left = rederive_next(tx.conn, context, &case.0)?;
        let status = status_now(tx.conn, &case.0, is_left)?;
        let touch = Touch { case, status, fields: "merged_into", detail: &out_of };
        operation.touch(tx, context, touch)?;
    }
    let is_left = leave(tx.conn, context, &survivor)?;
    let status = status_left(tx.conn, context, &survivor.0, is_left)?;
    let detail = format!("gave {}", moved.len());
    let touch = Touch { case: &survivor, status, fields: "reports", detail: &detail };
    operation.touch(tx, context, touch)?;

    let revived: Vec<i64> = cases
        .values()
        .filter(|(_, facts)| acting.sees(context, facts))
        .map(|(incident, _)| incident.id)
        .collect();
    Ok(SplitView {
        incident: one_view(tx.conn, context, survivor.0.id, &acting.scope)?,
        revived: list_views(tx.conn, context, &revived, &acting.scope)?,
        kept,
    })
}

/// Derives the facts of the incident that reports left anew, and says whether it has an active one. Where only erased
/// ones are left, nothing may go on telling of those that went.
fn leave(conn: &mut DbConn, context: &Context, (incident, facts): &Case) -> Result<bool> {
    let is_left = rederive_next(conn, context, incident)?;
    if !is_left && !erasure::has_reports(conn, incident.id)? {
        clear_facts(conn, incident.id, facts)?;
        erasure::shred_incident(conn, incident.uuid)?;
    }
    Ok(is_left)
}

/// Returns the status of the incident that reports left: with one source it is not corroborated any more.
fn status_left(
    conn: &mut DbConn,
    context: &Context,
    incident: &IncidentRow,
    is_left: bool,
) -> Result<Status> {
    let status = status_now(conn, incident, is_left)?;
    let is_lost = status == Status::Corroborated
        && sources::count_independent(conn, &context.keys, incident.id)? < SOURCES_NEEDED;
    Ok(if is_lost { Status::InReview } else { status })
}

/// Refuses reports that the caller does not see, as if they were not there.
fn check_seen(
    conn: &mut DbConn,
    context: &Context,
    acting: &Acting,
    ids: &[ReportId],
) -> Result<()> {
    for id in ids {
        let report = find_report(conn, *id)?.ok_or_else(Error::not_found)?;
        let (country, computed) = &report.seen_from;
        if !is_seen_from(&acting.scope, &context.geo(), country, computed.as_deref()) {
            return Err(Error::not_found());
        }
    }
    Ok(())
}

#[derive(diesel::Queryable)]
struct ReportRow {
    uuid: ReportId,
    id: i64,
    incident: i64,
    home: i64,
    state: String,
}

fn list_rows(conn: &mut DbConn, ids: &[ReportId]) -> QueryResult<BTreeMap<uuid::Uuid, ReportRow>> {
    let rows: Vec<ReportRow> = reports::table
        .filter(reports::uuid.eq_any(ids.to_vec()))
        .select((
            reports::uuid,
            reports::id,
            reports::incident_id,
            reports::home_incident_id,
            reports::state,
        ))
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.uuid.uuid(), row)).collect())
}

/// Returns where the reports go, once each of them is found to be a guest of the survivor.
fn check_reports(conn: &mut DbConn, survivor: &Case, ids: &[ReportId]) -> Result<Vec<Moved>> {
    let rows = list_rows(conn, ids)?;
    let from = survivor.0.id;
    let mut moved = Vec::with_capacity(ids.len());
    for (nth, id) in ids.iter().enumerate() {
        let row = rows.get(&id.uuid()).ok_or_else(Error::not_found)?;
        let refused = |en: &str, fr: &str| {
            Err(Error::invalid(vec![FieldError::new(format!("/reports/{nth}"), en, fr)]))
        };
        if row.incident != from {
            return refused(
                "it is with another incident now: `GET /v1/reports/{id}` says which",
                "il est maintenant dans un autre incident : « GET /v1/reports/{id} » dit lequel",
            );
        }
        if row.home == from {
            return refused(
                "it opened this incident, and stays; split the others off instead",
                "il a ouvert cet incident et y reste ; séparez plutôt les autres",
            );
        }
        if row.state == ERASED {
            return refused(
                "it was erased: there is nothing left to go home",
                "il a été effacé : il n'y a plus rien à renvoyer",
            );
        }
        moved.push(Moved { report: row.id, from, to: row.home });
    }
    Ok(moved)
}

/// Returns the version of the incident with which the first of some reports came to it.
fn find_arrival(conn: &mut DbConn, incident: i64, moved: &[Moved]) -> Result<Option<i32>> {
    let mut first: Option<i32> = None;
    for moved in moved {
        let arrived: Option<i32> = regrouped_reports::table
            .inner_join(
                regrouped_incidents::table.on(regrouped_incidents::regrouping_id
                    .eq(regrouped_reports::regrouping_id)
                    .and(regrouped_incidents::incident_id.eq(incident))),
            )
            .filter(regrouped_reports::report_id.eq(moved.report))
            .filter(regrouped_reports::to_incident_id.eq(incident))
            .order(regrouped_reports::regrouping_id.desc())
            .select(regrouped_incidents::version)
            .first(conn)
            .optional()?;
        first = match (first, arrived) {
            (Some(first), Some(arrived)) => Some(first.min(arrived)),
            (first, arrived) => first.or(arrived),
        };
    }
    Ok(first)
}

/// Returns the decisions on an incident after `version`, merges and splits left out, the latest ones where they are many.
fn list_kept(conn: &mut DbConn, incident: i64, version: Option<i32>) -> Result<Vec<KeptView>> {
    let Some(version) = version else {
        return Ok(Vec::new());
    };
    let regrouped = regrouped_incidents::table
        .filter(regrouped_incidents::incident_id.eq(decisions::incident_id))
        .filter(regrouped_incidents::version.eq(decisions::version));
    let mut rows: Vec<(i32, NaiveDateTime, String, String, String)> = decisions::table
        .filter(decisions::incident_id.eq(incident))
        .filter(decisions::version.gt(version))
        .filter(not(exists(regrouped)))
        .order(decisions::version.desc())
        .limit(MOST_KEPT)
        .select((
            decisions::version,
            decisions::decided_at,
            decisions::from_status,
            decisions::to_status,
            decisions::fields,
        ))
        .load(conn)?;
    rows.reverse();
    let view = |(version, decided_at, from_status, to_status, fields): (
        _,
        NaiveDateTime,
        _,
        _,
        String,
    )| {
        let fields = split_codes(&fields);
        KeptView { version, decided_at: decided_at.and_utc(), from_status, to_status, fields }
    };
    Ok(rows.into_iter().map(view).collect())
}
