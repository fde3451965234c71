//! What a page of events needs beside them: which merge, flood or answer a decision was, and who erased.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{
    bulk_rejected, decisions, incident_facts, incidents, regrouped_incidents, regrouped_reports,
    regroupings, reports,
};
use crate::error::Result;
use crate::ids::{DecisionId, IncidentId, ReportId, UserId};
use crate::incidents::facts::Status;
use crate::incidents::grade::GRADE;
use crate::incidents::view::is_seen_from;
use crate::review::history::events::{Actor, Event, EventKind};
use crate::review::messages::MESSAGES;
use crate::seal::envelope::{Owner, OwnerKind};

/// A version of an incident, by row id.
type Version = (i64, i32);

/// The other incidents and the reports of a merge or split.
#[derive(Debug, Default, Clone)]
pub struct Regrouped {
    /// Row ids of the other incidents.
    pub others: Vec<i64>,
    /// The reports that moved.
    pub reports: Vec<ReportId>,
}

/// Says of the decisions among `events` what they were, and returns what merges and splits moved.
///
/// # Errors
/// When the database fails.
pub fn complete(
    conn: &mut DbConn,
    events: &mut [Event],
) -> QueryResult<HashMap<Version, Regrouped>> {
    let versions: BTreeSet<Version> =
        events.iter().filter_map(|event| Some((event.incident, event.version?))).collect();
    let ids: Vec<i64> = versions.iter().map(|(incident, _)| *incident).collect();
    let numbers: Vec<i32> = versions.iter().map(|(_, version)| *version).collect();
    let steps = list_steps(conn, &ids, &numbers)?;
    let floods: Vec<Version> = bulk_rejected::table
        .filter(bulk_rejected::incident_id.eq_any(ids.clone()))
        .filter(bulk_rejected::version.eq_any(numbers.clone()))
        .select((bulk_rejected::incident_id, bulk_rejected::version))
        .load(conn)?;
    let taken = list_decisions(conn, &ids, &numbers)?;
    for event in events.iter_mut() {
        let Some(version) = event.version.map(|version| (event.incident, version)) else {
            continue;
        };
        if event.kind == EventKind::Decided {
            event.kind = kind_of(event, steps.get(&version), floods.contains(&version));
        } else if let Some(decision) = taken.get(&version) {
            follow(event, decision);
        }
    }
    list_regrouped(conn, &steps)
}

/// A merge or split as it touched an incident.
#[derive(Debug, Clone)]
struct Step {
    regrouping: i64,
    kind: String,
    around: i64,
}

fn list_steps(
    conn: &mut DbConn,
    ids: &[i64],
    versions: &[i32],
) -> QueryResult<HashMap<Version, Step>> {
    let rows: Vec<(i64, i32, i64, String, i64)> = regrouped_incidents::table
        .inner_join(regroupings::table)
        .filter(regrouped_incidents::incident_id.eq_any(ids.to_vec()))
        .filter(regrouped_incidents::version.eq_any(versions.to_vec()))
        .select((
            regrouped_incidents::incident_id,
            regrouped_incidents::version,
            regroupings::id,
            regroupings::kind,
            regroupings::incident_id,
        ))
        .load(conn)?;
    let step = |(incident, version, regrouping, kind, around)| {
        ((incident, version), Step { regrouping, kind, around })
    };
    Ok(rows.into_iter().map(step).collect())
}

/// The decision behind a version.
struct Taken {
    id: DecisionId,
    by: Option<UserId>,
    statuses: (String, String),
}

fn list_decisions(
    conn: &mut DbConn,
    ids: &[i64],
    versions: &[i32],
) -> QueryResult<HashMap<Version, Taken>> {
    type Row = (i64, i32, DecisionId, Option<UserId>, (String, String));
    let rows: Vec<Row> = decisions::table
        .filter(decisions::incident_id.eq_any(ids.to_vec()))
        .filter(decisions::version.eq_any(versions.to_vec()))
        .select((
            decisions::incident_id,
            decisions::version,
            decisions::uuid,
            decisions::decided_by,
            (decisions::from_status, decisions::to_status),
        ))
        .load(conn)?;
    let taken = |(incident, version, id, by, statuses): Row| {
        ((incident, version), Taken { id, by, statuses })
    };
    Ok(rows.into_iter().map(taken).collect())
}

/// Adds to what was done to a report what the decision behind it knows.
fn follow(event: &mut Event, decision: &Taken) {
    if event.kind == EventKind::Received {
        return;
    }
    event.statuses = Some(decision.statuses.clone());
    if event.kind == EventKind::Erased {
        event.by = decision.by.map_or(Actor::System, Actor::Person);
    }
    if matches!(event.kind, EventKind::Erased | EventKind::Withdrawn) {
        event.reason = Some(Owner { kind: OwnerKind::Decision, id: decision.id.uuid() });
    }
}

fn kind_of(event: &Event, step: Option<&Step>, is_flood: bool) -> EventKind {
    if let Some(step) = step {
        return match (step.kind.as_str(), step.around == event.incident) {
            ("merge", true) => EventKind::Merged,
            ("merge", false) => EventKind::MergedInto,
            (_, true) => EventKind::Split,
            (_, false) => EventKind::SplitOff,
        };
    }
    let is_by_system = event.by == Actor::System;
    let fields: Vec<&str> = event.fields.iter().map(String::as_str).collect();
    let statuses = event.statuses.as_ref();
    if is_flood {
        EventKind::RejectedInBulk
    } else if statuses.is_some_and(|(_, to)| to == Status::Received.as_str()) && !is_by_system {
        EventKind::RejectionUndone
    } else if fields == [MESSAGES] {
        EventKind::Answered
    } else if fields == ["reports"] && is_by_system {
        EventKind::Withdrawn
    } else if statuses.is_some_and(|(from, to)| from != to) {
        EventKind::Decided
    } else if is_by_system {
        EventKind::Retagged
    } else if fields.iter().all(|field| [GRADE, "reports"].contains(field)) {
        EventKind::Graded
    } else {
        EventKind::Corrected
    }
}

fn list_regrouped(
    conn: &mut DbConn,
    steps: &HashMap<Version, Step>,
) -> QueryResult<HashMap<Version, Regrouped>> {
    let ids: Vec<i64> = steps.values().map(|step| step.regrouping).collect();
    let touched: Vec<(i64, i64)> = regrouped_incidents::table
        .filter(regrouped_incidents::regrouping_id.eq_any(ids.clone()))
        .order(regrouped_incidents::incident_id)
        .select((regrouped_incidents::regrouping_id, regrouped_incidents::incident_id))
        .load(conn)?;
    let moved: Vec<(i64, i64, i64, ReportId)> = regrouped_reports::table
        .inner_join(reports::table)
        .filter(regrouped_reports::regrouping_id.eq_any(ids))
        .order(regrouped_reports::report_id)
        .select((
            regrouped_reports::regrouping_id,
            regrouped_reports::from_incident_id,
            regrouped_reports::to_incident_id,
            reports::uuid,
        ))
        .load(conn)?;
    let mut found = HashMap::with_capacity(steps.len());
    for ((incident, version), step) in steps {
        let is_around = step.around == *incident;
        let others = touched.iter().filter(|(regrouping, other)| {
            *regrouping == step.regrouping
                && other != incident
                && (is_around || *other == step.around)
        });
        let reports = moved.iter().filter(|(regrouping, from, to, _)| {
            *regrouping == step.regrouping && (from == incident || to == incident)
        });
        let regrouped = Regrouped {
            others: others.map(|(_, other)| *other).collect(),
            reports: reports.map(|(.., report)| *report).collect(),
        };
        found.insert((*incident, *version), regrouped);
    }
    Ok(found)
}

/// Returns the public ids of incidents that are seen from `scope`, by row id.
///
/// # Errors
/// When the database fails.
pub fn list_seen_ids(
    conn: &mut DbConn,
    context: &Context,
    scope: &Scope,
    row_ids: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, IncidentId>> {
    let rows: Vec<(i64, IncidentId, String, Option<String>)> = incidents::table
        .inner_join(incident_facts::table)
        .filter(incidents::id.eq_any(row_ids.iter().copied().collect::<Vec<_>>()))
        .select((
            incidents::id,
            incidents::uuid,
            incident_facts::country,
            incident_facts::country_computed,
        ))
        .load(conn)?;
    let geo = context.geo();
    let seen = rows.into_iter().filter(|(_, _, country, computed)| {
        is_seen_from(scope, &geo, country, computed.as_deref())
    });
    Ok(seen.map(|(row_id, id, ..)| (row_id, id)).collect())
}
