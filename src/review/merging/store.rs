//! What merging and splitting have in common: the locks they take and the rows they leave.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::rows::FactsRow;
use crate::db::schema::{
    incident_categories, incident_facts, incidents, regrouped_incidents, regrouped_reports,
    regroupings,
};
use crate::db::writer::{ChangeKind, WriteTx};
use crate::error::{Code, Error, Result};
use crate::ids::{IncidentId, RegroupingId, UserId};
use crate::incidents::days::rederive;
use crate::incidents::facts::Status;
use crate::incidents::store::{IncidentRow, find_incident};
use crate::incidents::view::is_seen;
use crate::review::decisions::{NewDecision, insert_decision, stale};
use crate::review::merging::rules::{Candidate, status_with};

/// How often work begins anew that another server came between; the third time in a row is no accident.
const MOST_TRIES: usize = 3;
/// Values of one statement.
const CHUNK: usize = 1_000;

/// Who makes several incidents one, or several of one, and on what.
#[derive(Debug)]
pub struct Acting {
    /// The incident that the reports go to, or leave.
    pub incident: IncidentId,
    /// The version of it that was read.
    pub version: i32,
    /// Why; sealed with the decision of each incident it touches.
    pub reason: String,
    /// Who.
    pub by: UserId,
    /// Where.
    pub scope: Scope,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

/// An incident with its facts.
pub type Case = (IncidentRow, FactsRow);

impl Acting {
    /// Does `work` in a savepoint; where it was refused because rows had changed hands, once more with other locks.
    ///
    /// # Errors
    /// Whatever `work` answers.
    pub fn attempt<T>(
        &self,
        tx: &mut WriteTx<'_>,
        mut work: impl FnMut(&mut WriteTx<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut n_tries = 1;
        loop {
            match tx.attempt(&mut work) {
                Err(error) if is_outrun(&error) && n_tries < MOST_TRIES => n_tries += 1,
                other => return other,
            }
        }
    }

    /// Returns the incident of that id, if the caller sees it.
    ///
    /// # Errors
    /// `NotFound`; the database's failure.
    pub fn find(&self, conn: &mut DbConn, context: &Context, id: IncidentId) -> Result<Case> {
        let found = find_incident(conn, id)?.filter(|(_, facts)| self.sees(context, facts));
        found.ok_or_else(Error::not_found)
    }

    /// Tells whether the caller sees an incident with these facts.
    pub fn sees(&self, context: &Context, facts: &FactsRow) -> bool {
        is_seen(&self.scope, &context.geo(), facts)
    }

    /// Refuses a survivor that is not what was read.
    ///
    /// # Errors
    /// `NotFound` where it is out of scope by now, `PreconditionFailed`.
    pub fn check_version(
        &self,
        conn: &mut DbConn,
        context: &Context,
        (incident, facts): &Case,
    ) -> Result<()> {
        if !self.sees(context, facts) {
            return Err(Error::not_found());
        }
        if incident.version != self.version {
            return Err(stale(conn, context, incident, &self.scope)?);
        }
        Ok(())
    }
}

/// Returns the error of work whose rows changed hands between the look and the lock.
pub fn outrun() -> Error {
    Error::new(Code::Unavailable)
}

/// Tells it from a database that is unavailable, where trying at once would not help.
fn is_outrun(error: &Error) -> bool {
    error.code == Code::Unavailable && error.cause.is_none()
}

/// Locks some incidents and returns them as they are then.
///
/// # Errors
/// When the database fails.
pub fn lock(conn: &mut DbConn, ids: &BTreeSet<i64>) -> QueryResult<BTreeMap<i64, Case>> {
    dialect::lock_incidents(conn, ids)?;
    let cases: Vec<Case> = incidents::table
        .inner_join(incident_facts::table)
        .filter(incidents::id.eq_any(ids.iter().copied().collect::<Vec<_>>()))
        .select((incidents::all_columns, incident_facts::all_columns))
        .load(conn)?;
    Ok(cases.into_iter().map(|case| (case.0.id, case)).collect())
}

/// Takes an incident out of those that were locked.
///
/// # Errors
/// When it is not among them.
pub fn take(cases: &mut BTreeMap<i64, Case>, id: i64) -> Result<Case> {
    cases.remove(&id).ok_or_else(|| Error::internal("an incident was not locked"))
}

/// Returns the status of an incident's row.
///
/// # Errors
/// When it is none we know.
pub fn status_of(incident: &IncidentRow) -> Result<Status> {
    Status::parse(&incident.status)
        .ok_or_else(|| Error::internal("an incident has no status we know"))
}

/// Returns what the rules look at of an incident.
///
/// # Errors
/// As [`status_of`].
pub fn candidate((incident, facts): &Case) -> Result<Candidate<'_>> {
    Ok(Candidate {
        status: status_of(incident)?,
        country: &facts.country,
        is_mismatch: facts.is_mismatch,
        n_reports: facts.n_reports,
    })
}

/// Derives the facts of an incident anew, at the version it is about to have; says whether it has an active report.
///
/// # Errors
/// When the database fails or a report does not open.
pub fn rederive_next(conn: &mut DbConn, context: &Context, incident: &IncidentRow) -> Result<bool> {
    let next = IncidentRow { version: incident.version + 1, ..incident.clone() };
    rederive(conn, context, &next)
}

/// Returns the status that an incident takes by the facts it has now.
///
/// # Errors
/// When the database fails.
pub fn status_now(conn: &mut DbConn, incident: &IncidentRow, is_left: bool) -> Result<Status> {
    let is_mismatch: bool =
        incident_facts::table.find(incident.id).select(incident_facts::is_mismatch).first(conn)?;
    let n_categories: i64 = incident_categories::table
        .filter(incident_categories::incident_id.eq(incident.id))
        .count()
        .get_result(conn)?;
    Ok(status_with(status_of(incident)?, is_left, !is_mismatch && n_categories > 0))
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Several become one.
    Merge,
    /// Reports go home.
    Split,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Split => "split",
        }
    }

    fn act(self) -> Act {
        match self {
            Self::Merge => Act::MergedIncidents,
            Self::Split => Act::SplitIncident,
        }
    }

    fn change(self) -> ChangeKind {
        match self {
            Self::Merge => ChangeKind::Merged,
            Self::Split => ChangeKind::Split,
        }
    }
}

/// A report that goes from one incident to another, all by row id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The report.
    pub report: i64,
    /// Where it was.
    pub from: i64,
    /// Where it is now.
    pub to: i64,
}

/// A stored merge or split.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    row_id: i64,
    kind: Kind,
    acting: &'a Acting,
}

/// Stores a merge or split of the incident with row id `incident`, with the reports it moves.
///
/// # Errors
/// When the database fails.
pub fn begin<'a>(
    conn: &mut DbConn,
    kind: Kind,
    acting: &'a Acting,
    incident: i64,
    moved: &[Moved],
) -> QueryResult<Operation<'a>> {
    let id = RegroupingId::random();
    diesel::insert_into(regroupings::table)
        .values((
            regroupings::uuid.eq(id),
            regroupings::kind.eq(kind.as_str()),
            regroupings::incident_id.eq(incident),
            regroupings::done_by.eq(acting.by),
            regroupings::done_at.eq(acting.now.naive_utc()),
        ))
        .execute(conn)?;
    let row = regroupings::table.filter(regroupings::uuid.eq(id));
    let row_id: i64 = row.select(regroupings::id).first(conn)?;
    for moved in moved {
        diesel::insert_into(regrouped_reports::table)
            .values((
                regrouped_reports::regrouping_id.eq(row_id),
                regrouped_reports::report_id.eq(moved.report),
                regrouped_reports::from_incident_id.eq(moved.from),
                regrouped_reports::to_incident_id.eq(moved.to),
            ))
            .execute(conn)?;
    }
    Ok(Operation { row_id, kind, acting })
}

/// What an operation does to one incident.
#[derive(Debug, Clone, Copy)]
pub struct Touch<'a> {
    /// The incident as it was.
    pub case: &'a Case,
    /// The status it takes.
    pub status: Status,
    /// Names of what changes, as decisions have them.
    pub fields: &'a str,
    /// What the audit log says of it, in codes.
    pub detail: &'a str,
}

impl Operation<'_> {
    /// Raises the version of an incident, and leaves its decision with the reason, its audit entry and its change.
    ///
    /// # Errors
    /// When the database fails or the reason cannot be sealed.
    pub fn touch(&self, tx: &mut WriteTx<'_>, context: &Context, touch: Touch<'_>) -> Result<()> {
        let Acting { by, now, ref reason, .. } = *self.acting;
        let (incident, facts) = touch.case;
        let version = incident.version + 1;
        let status = touch.status.as_str();
        diesel::update(incidents::table.find(incident.id))
            .set((
                incidents::version.eq(version),
                incidents::status.eq(status),
                incidents::updated_at.eq(now.naive_utc()),
            ))
            .execute(tx.conn)?;
        let decision = NewDecision {
            incident: incident.id,
            version,
            decided_by: Some(by),
            statuses: (&incident.status, status),
            fields: touch.fields,
            reason,
            now,
        };
        insert_decision(tx.conn, &context.sealer, &decision)?;
        diesel::insert_into(regrouped_incidents::table)
            .values((
                regrouped_incidents::regrouping_id.eq(self.row_id),
                regrouped_incidents::incident_id.eq(incident.id),
                regrouped_incidents::version.eq(version),
            ))
            .execute(tx.conn)?;
        let entry = Entry::new(self.kind.act(), incident.uuid, now)
            .by(Some(by))
            .detail(touch.detail)
            .within(&facts.country, facts.country_computed.as_deref());
        tx.record(entry);
        tx.changed(incident.id, self.kind.change());
        if touch.status == Status::Withdrawn && incident.status != status {
            tx.changed(incident.id, ChangeKind::Withdrawn);
        }
        Ok(())
    }
}

/// Sets where some reports are now.
///
/// # Errors
/// When the database fails.
pub fn move_reports(conn: &mut DbConn, moved: &[Moved]) -> QueryResult<()> {
    use crate::db::schema::reports;
    let mut by_target: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for moved in moved {
        by_target.entry(moved.to).or_default().push(moved.report);
    }
    for (target, ids) in by_target {
        for ids in ids.chunks(CHUNK) {
            diesel::update(reports::table.filter(reports::id.eq_any(ids.to_vec())))
                .set(reports::incident_id.eq(target))
                .execute(conn)?;
        }
    }
    Ok(())
}
