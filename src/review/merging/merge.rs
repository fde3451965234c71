//! Makes several incidents one: their reports move to the survivor, whose facts are derived anew.

use std::collections::BTreeSet;

use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{incident_facts, incidents, reports};
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, FieldError, Result};
use crate::ids::IncidentId;
use crate::incidents::merged::{list_absorbed_ids, refuse_merged};
use crate::incidents::view::IncidentView;
use crate::review::claims::{follow_decision, follow_merge};
use crate::review::decisions::one_view;
use crate::review::merging::rules::{MOST_REPORTS, judge_absorbed, judge_survivor};
use crate::review::merging::store::{
    Acting, Case, Kind, Moved, Touch, begin, candidate, lock, move_reports, outrun, rederive_next,
    status_now, status_of, take,
};

/// Moves all reports of `absorbed` to the incident that `acting` names, and returns it as it is then.
///
/// # Errors
/// `NotFound` where one of them is out of scope, `PreconditionFailed` with the current state, `Merged`, `NotMergeable`,
/// `CountryUnsettled`, `Claimed` by another.
pub fn merge(
    tx: &mut WriteTx<'_>,
    context: &Context,
    acting: &Acting,
    absorbed: &[IncidentId],
) -> Result<IncidentView> {
    acting.attempt(tx, |tx| try_merge(tx, context, acting, absorbed))
}

/// The incidents of a merge, locked.
struct Merge {
    survivor: Case,
    /// As the request names them.
    absorbed: Vec<Case>,
    /// Those that were merged into one of the absorbed before.
    members: Vec<Case>,
}

fn try_merge(
    tx: &mut WriteTx<'_>,
    context: &Context,
    acting: &Acting,
    absorbed: &[IncidentId],
) -> Result<IncidentView> {
    let merge = lock_all(tx.conn, context, acting, absorbed)?;
    check(tx.conn, context, acting, &merge)?;
    follow_claims(tx.conn, acting, &merge)?;
    let Merge { survivor, absorbed, members } = merge;
    let moved = list_moved(tx.conn, &survivor, &absorbed)?;
    let operation = begin(tx.conn, Kind::Merge, acting, survivor.0.id, &moved)?;
    move_reports(tx.conn, &moved)?;
    let into = format!("into {}", survivor.0.uuid);
    for case in absorbed.iter().chain(&members) {
        absorb(tx.conn, case, &survivor)?;
        let status = status_of(&case.0)?;
        let touch = Touch { case, status, fields: "merged_into", detail: &into };
        operation.touch(tx, context, touch)?;
    }
    let is_left = rederive_next(tx.conn, context, &survivor.0)?;
    let status = status_now(tx.conn, &survivor.0, is_left)?;
    let detail = format!("took {}", absorbed.len());
    let touch = Touch { case: &survivor, status, fields: "reports", detail: &detail };
    operation.touch(tx, context, touch)?;
    one_view(tx.conn, context, survivor.0.id, &acting.scope)
}

/// Locks everything that a merge touches, in one order for all.
fn lock_all(
    conn: &mut DbConn,
    context: &Context,
    acting: &Acting,
    absorbed: &[IncidentId],
) -> Result<Merge> {
    let (survivor, _) = acting.find(conn, context, acting.incident)?;
    let mut ids = Vec::with_capacity(absorbed.len());
    for id in absorbed {
        ids.push(acting.find(conn, context, *id)?.0.id);
    }
    let members = list_absorbed_ids(conn, &ids)?;
    let all: BTreeSet<i64> =
        [survivor.id].into_iter().chain(ids.iter().copied()).chain(members.clone()).collect();
    let mut cases = lock(conn, &all)?;
    if list_absorbed_ids(conn, &ids)? != members {
        // One of them took in others a moment ago, which are not locked.
        return Err(outrun());
    }
    let survivor = take(&mut cases, survivor.id)?;
    let absorbed = ids.iter().map(|id| take(&mut cases, *id)).collect::<Result<_>>()?;
    // The survivor itself, where it was merged into one of them: refused with the survivor.
    let members = cases.into_values().collect();
    Ok(Merge { survivor, absorbed, members })
}

fn check(conn: &mut DbConn, context: &Context, acting: &Acting, merge: &Merge) -> Result<()> {
    if !merge.absorbed.iter().all(|(_, facts)| acting.sees(context, facts)) {
        return Err(Error::not_found());
    }
    acting.check_version(conn, context, &merge.survivor)?;
    refuse_merged(conn, &merge.survivor.0)?;
    let survivor = candidate(&merge.survivor)?;
    if let Some(refusal) = judge_survivor(survivor) {
        return Err(refusal.error(None));
    }
    for (nth, absorbed) in merge.absorbed.iter().enumerate() {
        let pointer = format!("/incidents/{nth}");
        refuse_merged(conn, &absorbed.0).map_err(|error| name_merged(error, &pointer))?;
        if let Some(refusal) = judge_absorbed(survivor, candidate(absorbed)?) {
            return Err(refusal.error(Some(pointer)));
        }
    }
    Ok(())
}

/// What another works on stays as it is; one's own claims on the absorbed end.
fn follow_claims(conn: &mut DbConn, acting: &Acting, merge: &Merge) -> Result<()> {
    let survivor = &merge.survivor.0;
    follow_decision(conn, survivor.id, (Some(acting.by), status_of(survivor)?), acting.now)?;
    for (nth, (absorbed, _)) in merge.absorbed.iter().enumerate() {
        let followed = follow_merge(conn, absorbed.id, acting.by, acting.now);
        followed.map_err(|error| name_claimed(error, format!("/incidents/{nth}")))?;
    }
    Ok(())
}

fn name_claimed(error: Error, pointer: String) -> Error {
    if error.code != Code::Claimed {
        return error;
    }
    let field = FieldError::new(
        pointer,
        "somebody works on it: leave it to them, or take it over first",
        "quelqu'un y travaille : laissez-le-lui, ou reprenez-le d'abord",
    );
    Error { fields: vec![field], ..error }
}

fn name_merged(error: Error, pointer: &str) -> Error {
    if error.code != Code::Merged {
        return error;
    }
    let field = FieldError::new(
        pointer,
        "it was merged already: name the incident in `merged_into` instead, or split its report off that one first",
        "il a déjà été fusionné : désignez plutôt l'incident de « merged_into », ou séparez-en d'abord son rapport",
    );
    Error { fields: vec![field], ..error }
}

/// Returns the reports that a merge moves, whatever their state: a withdrawn one is still part of what was told.
fn list_moved(conn: &mut DbConn, survivor: &Case, absorbed: &[Case]) -> Result<Vec<Moved>> {
    let from: Vec<i64> = absorbed.iter().map(|(incident, _)| incident.id).collect();
    let n_there: i64 =
        reports::table.filter(reports::incident_id.eq(survivor.0.id)).count().get_result(conn)?;
    let n_there = usize::try_from(n_there).map_err(Error::internal)?;
    let rows: Vec<(i64, i64)> = reports::table
        .filter(reports::incident_id.eq_any(from))
        .order(reports::id)
        .select((reports::id, reports::incident_id))
        .load(conn)?;
    let n_reports = n_there + rows.len();
    if n_reports > MOST_REPORTS {
        return Err(Error::new(Code::NotMergeable).detail(
            format!("one incident holds up to {MOST_REPORTS} reports, here would be {n_reports}: merge fewer"),
            format!("un incident réunit jusqu'à {MOST_REPORTS} rapports, il y en aurait {n_reports} : fusionnez-en moins"),
        ));
    }
    let to = survivor.0.id;
    Ok(rows.into_iter().map(|(report, from)| Moved { report, from, to }).collect())
}

/// Marks an incident as merged. Its facts stay as they were but for its reports: those are elsewhere.
fn absorb(conn: &mut DbConn, (incident, _): &Case, (survivor, _): &Case) -> QueryResult<()> {
    diesel::update(incidents::table.find(incident.id))
        .set(incidents::merged_into.eq(Some(survivor.id)))
        .execute(conn)?;
    diesel::update(incident_facts::table.find(incident.id))
        .set(incident_facts::n_reports.eq(0))
        .execute(conn)?;
    Ok(())
}
