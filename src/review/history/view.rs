//! A page of the story, as the caller may know it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::types::{Principal, Scope};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::sealed;
use crate::error::{Error, Result};
use crate::ids::{IncidentId, MessageId, ReportId};
use crate::keys;
use crate::review::history::changes::{ChangeView, Words};
use crate::review::history::details::{Regrouped, complete, list_seen_ids};
use crate::review::history::events::{Actor, Event, EventKind};
use crate::review::history::people::{ActorView, People};
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryEntry)]
pub struct EntryView {
    /// The day, UTC.
    on: NaiveDate,
    /// The instant; of what senders did, for those who may open reports of this country.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<DateTime<Utc>>,
    /// What.
    kind: EventKind,
    /// The incident it was done to: this one, one that was merged into it, or where a report of it was then; absent where
    /// the caller does not see that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    incident: Option<IncidentId>,
    /// The version it made of that incident, where it made one.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i32>,
    /// Who.
    who: ActorView,
    /// The report it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    report: Option<ReportId>,
    /// The revision it made of that report.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i32>,
    /// The question or the answer; its words are in `GET /v1/incidents/{id}/messages`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    message: Option<MessageId>,
    /// The other incidents of a merge or split, or the one it was linked to or told apart from: those that the caller sees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<uuid::Uuid>)]
    incidents: Vec<IncidentId>,
    /// The reports that a merge or split moved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<uuid::Uuid>)]
    reports: Vec<ReportId>,
    /// Whose case it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<ActorView>,
    /// Whose case it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<ActorView>,
    /// What was opened or revealed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["identities"]))]
    parts: Vec<String>,
    /// What became of which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ChangeView>,
    /// Why, for those who may open reports of this country, and see both of two that were linked or told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What the caller may know of an incident.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// Whoever asks.
    pub principal: &'a Principal,
    /// Where the caller sees incidents.
    pub scope: &'a Scope,
    /// May open its reports, and the reasons.
    pub is_exact: bool,
    /// Reads in the audit log what people did to it.
    pub sees_acts: bool,
}

/// Returns the views of some events.
///
/// # Errors
/// When the database fails or something sealed does not open.
pub fn view(
    conn: &mut DbConn,
    context: &Context,
    sight: Sight<'_>,
    mut events: Vec<Event>,
) -> Result<Vec<EntryView>> {
    let regrouped = complete(conn, &mut events)?;
    let regrouped_others = regrouped.values().flat_map(|one| one.others.iter().copied());
    let others = regrouped_others.chain(events.iter().filter_map(|event| event.other));
    let ids: BTreeSet<i64> = events.iter().map(|event| event.incident).chain(others).collect();
    let veil = context.keys.place_veil();
    let page = Page {
        incidents: list_seen_ids(conn, context, sight.scope, &ids)?,
        people: People::of(conn, context, (sight.principal, sight.sees_acts), &events)?,
        words: Words::of(conn, &events, (&veil, sight.is_exact))?,
        reasons: if sight.is_exact {
            open_reasons(conn, context, &events)?
        } else {
            HashMap::new()
        },
        regrouped,
        sight,
    };
    events.into_iter().map(|event| page.entry(event)).collect()
}

/// What the entries of a page are told with.
struct Page<'a> {
    incidents: BTreeMap<i64, IncidentId>,
    people: People,
    words: Words<'a>,
    reasons: HashMap<Uuid, String>,
    regrouped: HashMap<(i64, i32), Regrouped>,
    sight: Sight<'a>,
}

impl Page<'_> {
    fn entry(&self, event: Event) -> Result<EntryView> {
        let changes = self.words.changes(&event)?;
        let Event { at, kind, incident, version, by, report, revision, message, .. } = event;
        let is_timed = self.sight.is_exact || (self.sight.sees_acts && !kind.is_intake());
        let regrouped = version.and_then(|version| self.regrouped.get(&(incident, version)));
        let regrouped = regrouped.cloned().unwrap_or_default();
        let others = regrouped.others.iter().chain(&event.other);
        let others = others.filter_map(|other| self.incidents.get(other));
        // A reason to link two tells of both.
        let is_other_seen = event.other.is_none_or(|other| self.incidents.contains_key(&other));
        let reason = event.reason.filter(|_| is_other_seen);
        let (from, to) = event.handed.unwrap_or_default();
        let person = |id| self.people.view(Actor::Person(id), at);
        // A decision of the system that a sender's act left with another incident.
        let by = if kind.is_intake() { Actor::Sender } else { by };
        Ok(EntryView {
            on: at.date(),
            at: is_timed.then(|| at.and_utc()),
            kind,
            incident: self.incidents.get(&incident).copied(),
            version,
            who: self.people.view(by, at),
            report,
            revision,
            message,
            incidents: others.copied().collect(),
            reports: regrouped.reports,
            from: from.map(person),
            to: to.map(person),
            parts: event.parts,
            changes,
            reason: reason.and_then(|owner| self.reasons.get(&owner.id).cloned()),
        })
    }
}

/// Opens the reasons of some events. Whoever calls has written the audit entry.
fn open_reasons(
    conn: &mut DbConn,
    context: &Context,
    events: &[Event],
) -> Result<HashMap<Uuid, String>> {
    let mut by_kind: HashMap<OwnerKind, Vec<Uuid>> = HashMap::new();
    for owner in events.iter().filter_map(|event| event.reason) {
        by_kind.entry(owner.kind).or_default().push(owner.id);
    }
    let mut reasons = HashMap::new();
    for (kind, ids) in by_kind {
        for (id, (version, content)) in sealed::list_parts(conn, kind, Part::Reason, &ids)? {
            let version = u32::try_from(version).map_err(Error::internal)?;
            let of = (Owner { kind, id }, Part::Reason, version);
            let bytes = keys::opening::open(conn, &context.sealer, of, &content)?;
            reasons.insert(id, String::from_utf8(bytes.to_vec()).map_err(Error::internal)?);
        }
    }
    Ok(reasons)
}
