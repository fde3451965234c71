//! What happened, from the tables that keep it: each is read in order from where the page begins, and the first of all are
//! the page.

use chrono::NaiveDateTime;
use diesel::dsl::{exists, not};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::act::Act;
use crate::db::dialect::DbConn;
use crate::db::rows::Any;
use crate::db::schema::{
    audit_entries, case_moves, decisions, incidents, messages, regrouped_incidents, regroupings,
    report_changes, reports, reveals,
};
use crate::ids::{CaseMoveId, DecisionId, Id, IncidentId, MessageId, ReportId, RevealId, UserId};
use crate::incidents::merged::list_absorbed_ids;
use crate::incidents::store::split_codes;
use crate::review::history::pairs::list_said;
use crate::seal::envelope::{Owner, OwnerKind};

/// Bits of a page's position that count what of its first instant was shown; the rest is the instant.
const SHOWN_BITS: u32 = 20;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A report came.
    Received,
    /// Its sender corrected a report.
    Revised,
    /// Its sender took a report back.
    Withdrawn,
    /// A report was erased.
    Erased,
    /// A reviewer gave it a status.
    Decided,
    /// A reviewer corrected its fields and left the status.
    Corrected,
    /// A reviewer gave grades and nothing else.
    Graded,
    /// It was rejected with many others.
    RejectedInBulk,
    /// That was taken back.
    RejectionUndone,
    /// It took the reports of others.
    Merged,
    /// It was merged into another.
    MergedInto,
    /// Reports went home from it.
    Split,
    /// It got its reports back from another.
    SplitOff,
    /// The sender of a report was asked.
    Asked,
    /// The sender answered.
    Answered,
    /// It was linked to another.
    Linked,
    /// That was taken back.
    Unlinked,
    /// It was said that another, likely the same, is not.
    ToldApart,
    /// That was taken back.
    ToldApartUndone,
    /// Its areas were computed anew.
    Retagged,
    /// Somebody began to work on it.
    Claimed,
    /// Somebody gave it back.
    Released,
    /// Somebody took it over from another.
    TakenOver,
    /// It was given to somebody, or to nobody.
    Assigned,
    /// Somebody opened a report, or the messages.
    Opened,
    /// Somebody learned names, words or the exact place.
    Revealed,
}

impl EventKind {
    /// Tells whether it came from a sender, whose instant is told to the country team alone.
    pub fn is_intake(self) -> bool {
        matches!(self, Self::Received | Self::Revised | Self::Withdrawn | Self::Answered)
    }
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    Person(UserId),
    /// The sender of the report, whoever that is.
    Sender,
    /// The system.
    System,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// When.
    pub at: NaiveDateTime,
    /// Of several at once, the order of the tables, then of the rows.
    pub place: (u8, i64),
    /// What.
    pub kind: EventKind,
    /// Row id of the incident it was done to.
    pub incident: i64,
    /// The version it made of that incident.
    pub version: Option<i32>,
    /// Who did it; of an erasure, the decision says.
    pub by: Actor,
    /// The incident that it was linked to, or told apart from.
    pub other: Option<i64>,
    /// The report it was done to.
    pub report: Option<ReportId>,
    /// The revision that it made of the report.
    pub revision: Option<i32>,
    /// The question or answer.
    pub message: Option<MessageId>,
    /// Whose case it was, and is.
    pub handed: Option<(Option<UserId>, Option<UserId>)>,
    /// What was opened or revealed.
    pub parts: Vec<String>,
    /// Status before and after.
    pub statuses: Option<(String, String)>,
    /// Fields it changed.
    pub fields: Vec<String>,
    /// What its reason is sealed for.
    pub reason: Option<Owner>,
}

impl Event {
    /// An event of the system with nothing else to tell.
    pub fn new(at: NaiveDateTime, place: (u8, i64), kind: EventKind, incident: i64) -> Self {
        Self {
            at,
            place,
            kind,
            incident,
            version: None,
            by: Actor::System,
            other: None,
            report: None,
            revision: None,
            message: None,
            handed: None,
            parts: Vec::new(),
            statuses: None,
            fields: Vec::new(),
            reason: None,
        }
    }
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct Start {
    at: NaiveDateTime,
    /// How many of that instant were shown.
    n_shown: usize,
}

impl Start {
    /// Reads the position of a cursor.
    pub fn of_position(position: Option<i64>) -> Self {
        let Some(position) = position else { return Self::default() };
        let at = chrono::DateTime::from_timestamp_millis(position >> SHOWN_BITS);
        let n_shown = usize::try_from(position & ((1 << SHOWN_BITS) - 1)).unwrap_or_default();
        Self { at: at.unwrap_or_default().naive_utc(), n_shown }
    }

    fn position(self) -> i64 {
        let n_shown = i64::try_from(self.n_shown).unwrap_or_default();
        (self.at.and_utc().timestamp_millis() << SHOWN_BITS) | n_shown
    }
}

/// What a story is told of.
#[derive(Debug)]
pub struct Cast {
    /// Row ids of the incident and of those merged into it.
    incidents: Vec<i64>,
    incident_ids: Vec<Uuid>,
    /// Row ids of the reports that belong to it, or opened it.
    reports: Vec<i64>,
    report_ids: Vec<(Uuid, i64)>,
}

impl Cast {
    /// Returns what the story of an incident is told of.
    ///
    /// # Errors
    /// When the database fails.
    pub fn of(conn: &mut DbConn, incident: i64) -> QueryResult<Self> {
        let mut all = list_absorbed_ids(conn, &[incident])?;
        all.insert(0, incident);
        let ids: Vec<IncidentId> = incidents::table
            .filter(incidents::id.eq_any(all.clone()))
            .select(incidents::uuid)
            .load(conn)?;
        let is_its = reports::incident_id.eq(incident).or(reports::home_incident_id.eq(incident));
        let rows: Vec<(i64, ReportId, i64)> = reports::table
            .filter(is_its)
            .select((reports::id, reports::uuid, reports::incident_id))
            .load(conn)?;
        Ok(Self {
            incidents: all,
            incident_ids: ids.into_iter().map(Id::uuid).collect(),
            reports: rows.iter().map(|(row_id, ..)| *row_id).collect(),
            report_ids: rows.iter().map(|(_, id, incident)| (id.uuid(), *incident)).collect(),
        })
    }

    /// Returns the next events, and the position of the page behind them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn list(
        &self,
        conn: &mut DbConn,
        (from, limit): (Start, usize),
        with_acts: bool,
    ) -> QueryResult<(Vec<Event>, Option<i64>)> {
        let n = i64::try_from(limit + from.n_shown + 1).unwrap_or(i64::MAX);
        let mut all = self.list_decided(conn, from.at, n)?;
        all.extend(self.list_messages(conn, from.at, n)?);
        all.extend(self.list_changed(conn, from.at, n)?);
        all.extend(self.list_received(conn, from.at, n)?);
        all.extend(list_said(conn, &self.incidents, from.at)?);
        if with_acts {
            all.extend(self.list_moves(conn, from.at, n)?);
            all.extend(self.list_reveals(conn, from.at, n)?);
            all.extend(self.list_audited(conn, from.at, n)?);
        }
        all.sort_by_key(|event| (event.at, event.place));
        let first = all.iter().take(from.n_shown).filter(|event| event.at == from.at).count();
        let mut page: Vec<Event> = all.into_iter().skip(first).collect();
        if page.len() <= limit {
            return Ok((page, None));
        }
        page.truncate(limit);
        let next = page.last().map(|last| {
            let of_instant = page.iter().filter(|event| event.at == last.at).count();
            let before = if last.at == from.at { from.n_shown } else { 0 };
            Start { at: last.at, n_shown: before + of_instant }.position()
        });
        Ok((page, next))
    }

    fn list_received(
        &self,
        conn: &mut DbConn,
        at: NaiveDateTime,
        n: i64,
    ) -> QueryResult<Vec<Event>> {
        let rows: Vec<(i64, NaiveDateTime, ReportId, i64)> = reports::table
            .filter(reports::id.eq_any(self.reports.clone()))
            .filter(reports::received_at.ge(at))
            .order((reports::received_at, reports::id))
            .limit(n)
            .select((reports::id, reports::received_at, reports::uuid, reports::home_incident_id))
            .load(conn)?;
        let event = |(row_id, at, report, home)| Event {
            version: Some(1),
            by: Actor::Sender,
            report: Some(report),
            revision: Some(1),
            ..Event::new(at, (0, row_id), EventKind::Received, home)
        };
        Ok(rows.into_iter().map(event).collect())
    }

    /// Decisions, but those that a message or a report tells of, and those that a merge or split left with the incidents
    /// it gathered around the one that is told of.
    fn list_decided(
        &self,
        conn: &mut DbConn,
        at: NaiveDateTime,
        n: i64,
    ) -> QueryResult<Vec<Event>> {
        type Row =
            (i64, DecisionId, i64, i32, Option<UserId>, NaiveDateTime, (String, String), String);
        let told_by_message = messages::table
            .filter(messages::incident_id.eq(decisions::incident_id))
            .filter(messages::version.eq(decisions::version));
        let told_by_report = report_changes::table
            .filter(report_changes::incident_id.eq(decisions::incident_id))
            .filter(report_changes::version.eq(decisions::version))
            .filter(report_changes::kind.eq_any(["withdrawn", "erased"]));
        let around: Vec<i64> = regroupings::table
            .filter(regroupings::incident_id.eq_any(self.incidents.clone()))
            .select(regroupings::id)
            .load(conn)?;
        let gathered: Vec<(i64, i32)> = regrouped_incidents::table
            .inner_join(regroupings::table)
            .filter(regroupings::id.eq_any(around))
            .filter(regroupings::incident_id.ne(regrouped_incidents::incident_id))
            .filter(regrouped_incidents::incident_id.eq_any(self.incidents.clone()))
            .select((regrouped_incidents::incident_id, regrouped_incidents::version))
            .load(conn)?;
        // As many more as may be left out.
        let n = n.saturating_add(i64::try_from(gathered.len()).unwrap_or(i64::MAX));
        let rows: Vec<Row> = decisions::table
            .filter(decisions::incident_id.eq_any(self.incidents.clone()))
            .filter(decisions::decided_at.ge(at))
            .filter(not(exists(told_by_message)))
            .filter(not(exists(told_by_report)))
            .order((decisions::decided_at, decisions::id))
            .limit(n)
            .select((
                decisions::id,
                decisions::uuid,
                decisions::incident_id,
                decisions::version,
                decisions::decided_by,
                decisions::decided_at,
                (decisions::from_status, decisions::to_status),
                decisions::fields,
            ))
            .load(conn)?;
        let event = |(row_id, id, incident, version, by, at, statuses, fields): Row| Event {
            version: Some(version),
            by: by.map_or(Actor::System, Actor::Person),
            statuses: Some(statuses),
            fields: split_codes(&fields),
            reason: Some(Owner { kind: OwnerKind::Decision, id: id.uuid() }),
            // What kind of decision it is, `details` finds out.
            ..Event::new(at, (1, row_id), EventKind::Decided, incident)
        };
        let is_left = |row: &Row| !gathered.contains(&(row.2, row.3));
        Ok(rows.into_iter().filter(is_left).map(event).collect())
    }

    fn list_messages(
        &self,
        conn: &mut DbConn,
        at: NaiveDateTime,
        n: i64,
    ) -> QueryResult<Vec<Event>> {
        type Row = (i64, MessageId, i64, i32, Option<i64>, Option<UserId>, NaiveDateTime, ReportId);
        let is_told = messages::report_id
            .eq_any(self.reports.clone())
            .or(messages::incident_id.eq_any(self.incidents.clone()));
        let rows: Vec<Row> = messages::table
            .inner_join(reports::table)
            .filter(is_told)
            .filter(messages::sent_at.ge(at))
            .order((messages::sent_at, messages::id))
            .limit(n)
            .select((
                messages::id,
                messages::uuid,
                messages::incident_id,
                messages::version,
                messages::question_id,
                messages::asked_by,
                messages::sent_at,
                reports::uuid,
            ))
            .load(conn)?;
        let event = |(row_id, id, incident, version, question, by, at, report): Row| {
            let kind = if question.is_some() { EventKind::Answered } else { EventKind::Asked };
            Event {
                version: Some(version),
                by: by.map_or(Actor::Sender, Actor::Person),
                report: Some(report),
                message: Some(id),
                ..Event::new(at, (2, row_id), kind, incident)
            }
        };
        Ok(rows.into_iter().map(event).collect())
    }

    fn list_changed(
        &self,
        conn: &mut DbConn,
        at: NaiveDateTime,
        n: i64,
    ) -> QueryResult<Vec<Event>> {
        type Row = (i64, i64, i32, String, NaiveDateTime, i32, ReportId);
        let is_told = report_changes::report_id
            .eq_any(self.reports.clone())
            .or(report_changes::incident_id.eq_any(self.incidents.clone()));
        let rows: Vec<Row> = report_changes::table
            .inner_join(reports::table)
            .filter(is_told)
            .filter(report_changes::kind.eq_any(["revised", "withdrawn", "erased"]))
            .filter(report_changes::changed_at.ge(at))
            .order((report_changes::changed_at, report_changes::id))
            .limit(n)
            .select((
                report_changes::id,
                report_changes::incident_id,
                report_changes::version,
                report_changes::kind,
                report_changes::changed_at,
                report_changes::revision,
                reports::uuid,
            ))
            .load(conn)?;
        let event = |(row_id, incident, version, kind, at, revision, report): Row| {
            let (kind, revision) = match kind.as_str() {
                "revised" => (EventKind::Revised, Some(revision + 1)),
                "withdrawn" => (EventKind::Withdrawn, None),
                _ => (EventKind::Erased, None),
            };
            Event {
                version: Some(version),
                by: if kind == EventKind::Erased { Actor::System } else { Actor::Sender },
                report: Some(report),
                revision,
                ..Event::new(at, (3, row_id), kind, incident)
            }
        };
        Ok(rows.into_iter().map(event).collect())
    }

    fn list_moves(&self, conn: &mut DbConn, at: NaiveDateTime, n: i64) -> QueryResult<Vec<Event>> {
        type Row =
            (i64, CaseMoveId, i64, String, (Option<UserId>, Option<UserId>), UserId, NaiveDateTime);
        let rows: Vec<Row> = case_moves::table
            .filter(case_moves::incident_id.eq_any(self.incidents.clone()))
            .filter(case_moves::moved_at.ge(at))
            .order((case_moves::moved_at, case_moves::id))
            .limit(n)
            .select((
                case_moves::id,
                case_moves::uuid,
                case_moves::incident_id,
                case_moves::kind,
                (case_moves::from_user, case_moves::to_user),
                case_moves::moved_by,
                case_moves::moved_at,
            ))
            .load(conn)?;
        let event = |(row_id, id, incident, kind, handed, by, at): Row| {
            let is_taken = kind == "taken_over";
            let kind = if is_taken { EventKind::TakenOver } else { EventKind::Assigned };
            Event {
                by: Actor::Person(by),
                handed: Some(handed),
                reason: Some(Owner { kind: OwnerKind::CaseMove, id: id.uuid() }),
                ..Event::new(at, (4, row_id), kind, incident)
            }
        };
        Ok(rows.into_iter().map(event).collect())
    }

    fn list_reveals(
        &self,
        conn: &mut DbConn,
        at: NaiveDateTime,
        n: i64,
    ) -> QueryResult<Vec<Event>> {
        type Row = (i64, RevealId, i64, UserId, NaiveDateTime, String);
        let rows: Vec<Row> = reveals::table
            .filter(reveals::incident_id.eq_any(self.incidents.clone()))
            .filter(reveals::revealed_at.ge(at))
            .order((reveals::revealed_at, reveals::id))
            .limit(n)
            .select((
                reveals::id,
                reveals::uuid,
                reveals::incident_id,
                reveals::revealed_by,
                reveals::revealed_at,
                reveals::parts,
            ))
            .load(conn)?;
        let event = |(row_id, id, incident, by, at, parts): Row| Event {
            by: Actor::Person(by),
            parts: split_codes(&parts),
            reason: Some(Owner { kind: OwnerKind::Reveal, id: id.uuid() }),
            ..Event::new(at, (5, row_id), EventKind::Revealed, incident)
        };
        Ok(rows.into_iter().map(event).collect())
    }

    /// What the audit log alone knows: claims, and what was opened. That a claim was renewed, or the story read, is no
    /// part of the story.
    fn list_audited(
        &self,
        conn: &mut DbConn,
        at: NaiveDateTime,
        n: i64,
    ) -> QueryResult<Vec<Event>> {
        type Row = ((i32, i64), NaiveDateTime, Option<UserId>, String, Id<Any>, String);
        let of_incidents = self.incident_ids.iter().copied();
        let of_reports = self.report_ids.iter().map(|(id, _)| *id);
        let subjects: Vec<Id<Any>> = of_incidents.chain(of_reports).map(Id::from_uuid).collect();
        let acts = [Act::ClaimedIncident, Act::ReleasedClaim, Act::OpenedReport].map(Act::code);
        let rows: Vec<Row> = audit_entries::table
            .filter(audit_entries::subject_id.eq_any(subjects))
            .filter(audit_entries::at.ge(at))
            .filter(audit_entries::action.eq_any(acts))
            .filter(audit_entries::detail.ne_all(["renewed", "history"]))
            .order((audit_entries::at, audit_entries::chain, audit_entries::position))
            .limit(n)
            .select((
                (audit_entries::chain, audit_entries::position),
                audit_entries::at,
                audit_entries::actor,
                audit_entries::action,
                audit_entries::subject_id,
                audit_entries::detail,
            ))
            .load(conn)?;
        Ok(rows.into_iter().filter_map(|row| self.audited(row)).collect())
    }

    fn audited(
        &self,
        ((chain, position), at, actor, action, subject, detail): (
            (i32, i64),
            NaiveDateTime,
            Option<UserId>,
            String,
            Id<Any>,
            String,
        ),
    ) -> Option<Event> {
        let kind = match action.as_str() {
            "claimed" => EventKind::Claimed,
            "released" => EventKind::Released,
            _ => EventKind::Opened,
        };
        let subject = subject.uuid();
        let report = self.report_ids.iter().find(|(id, _)| *id == subject);
        let incident = match report {
            Some((_, incident)) => *incident,
            None => *self.incidents.first()?,
        };
        let what = if report.is_some() { "report" } else { detail.as_str() };
        let is_opened = kind == EventKind::Opened;
        Some(Event {
            by: actor.map_or(Actor::System, Actor::Person),
            report: report.map(|(id, _)| Id::from_uuid(*id)),
            parts: if is_opened { vec![what.to_owned()] } else { Vec::new() },
            ..Event::new(at, (6, (i64::from(chain) << 47) | position), kind, incident)
        })
    }
}
