//! Reads the change sequence as somebody with a scope sees it: what happened to incidents, in the order of commits.
//!
//! What is told is a kind and the present state, so a reader who is behind is put right by the newest event, whatever
//! became of those before. An incident that can no longer be seen is told of once more, as `left`, where it was seen
//! until then.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use sha2::{Digest, Sha256};

use crate::aggregates::store::find_head;
use crate::auth::types::Scope;
use crate::db::dialect::DbConn;
use crate::db::schema::{changes, incident_departures, incident_facts, incidents};
use crate::geo::locate::Geo;
use crate::ids::{EventId, IncidentId};
use crate::incidents::view::is_seen_from;

/// Changes looked at for one page, in scope or not.
const WINDOW: usize = 4_000;
/// Incidents read at once; each is a bound value of the statement.
const CHUNK: usize = 1_000;

/// What happened to an incident, as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// It came to be.
    Created,
    /// Something else about it changed.
    Changed,
    /// It took the reports of another, or was absorbed by one.
    Merged,
    /// A report went back to the incident it came from, or came back.
    Split,
    /// It was taken back.
    Withdrawn,
    /// It was found false or out of scope.
    Rejected,
    /// It is no longer seen from here.
    Left,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Changed,
        Self::Merged,
        Self::Split,
        Self::Withdrawn,
        Self::Rejected,
        Self::Left,
    ];

    /// Returns its code in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Merged => "merged",
            Self::Split => "split",
            Self::Withdrawn => "withdrawn",
            Self::Rejected => "rejected",
            Self::Left => "left",
        }
    }

    /// Reads a code of the API.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == code)
    }

    /// Reads a code of the `changes` table; whatever is none of the special ones is a change like any other.
    fn of_stored(code: &str) -> Self {
        Self::parse(code).unwrap_or(Self::Changed)
    }
}

/// One change of one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number; those of one commit share it.
    pub seq: i64,
    /// What happened.
    pub kind: EventKind,
    /// Row id of the incident.
    pub row_id: i64,
    /// The incident.
    pub incident: IncidentId,
    /// Its version now.
    pub version: i32,
    /// When it last changed.
    pub changed_at: DateTime<Utc>,
    /// Its status now.
    pub status: String,
    /// The countries it is seen from; of one that left, that which it left.
    pub countries: (String, Option<String>),
}

impl Event {
    /// Returns its id: the same whoever asks, and whenever.
    pub fn id(&self) -> EventId {
        let mut hash = Sha256::new();
        hash.update(b"sentinelle change\0");
        hash.update(self.seq.to_be_bytes());
        hash.update(self.incident.uuid().as_bytes());
        hash.update(self.kind.as_str());
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash.finalize()).for_each(|(byte, hashed)| *byte = hashed);
        EventId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// Some changes, and how far that is.
#[derive(Debug, PartialEq, Eq)]
pub struct Events {
    /// By number, then by incident.
    pub events: Vec<Event>,
    /// The change up to which there is nothing more in scope.
    pub next: i64,
    /// The last change there is.
    pub head: i64,
}

/// Returns what happened after change `after` as far as it is seen from `scope`, in one snapshot of the caller's.
///
/// # Shape
/// In order of commits. The events of one commit come together, so there may be more than `limit` of them; there may be
/// none although `next` is not the head, where much happened that is out of scope.
///
/// # Errors
/// When the database fails.
pub fn list_events(
    conn: &mut DbConn,
    geo: &Geo,
    scope: &Scope,
    after: i64,
    limit: usize,
) -> QueryResult<Events> {
    let head = find_head(conn)?;
    let (rows, until) = load_window(conn, after, head)?;
    let ids: BTreeSet<i64> = rows.iter().map(|row| row.incident).collect();
    let known = load_incidents(conn, &ids)?;
    let left = load_departures(conn, (after, until))?;
    let mut found = Events { events: Vec::new(), next: until, head };
    for row in rows {
        let is_full = found.events.len() >= limit;
        if let Some(last) = found.events.last().filter(|last| is_full && last.seq != row.seq) {
            found.next = last.seq;
            break;
        }
        let of_row = known.get(&row.incident).and_then(|incident| {
            let countries = left.get(&(row.seq, row.incident)).map_or(&[][..], Vec::as_slice);
            see(&row, incident, countries, geo, scope)
        });
        // One that left was told of by the first of its kinds.
        let is_told = found.events.last() == of_row.as_ref();
        found.events.extend(of_row.filter(|_| !is_told));
    }
    Ok(found)
}

#[derive(Debug, diesel::Queryable)]
struct ChangeRow {
    seq: i64,
    incident: i64,
    kind: String,
}

/// Returns the changes of whole commits after `after`, and the number up to which they are all there are.
fn load_window(conn: &mut DbConn, after: i64, head: i64) -> QueryResult<(Vec<ChangeRow>, i64)> {
    let ordered = || changes::table.order((changes::seq, changes::incident_id, changes::kind));
    let limit = i64::try_from(WINDOW).unwrap_or(i64::MAX);
    let between = changes::seq.gt(after);
    let mut rows: Vec<ChangeRow> =
        ordered().filter(between).filter(changes::seq.le(head)).limit(limit).load(conn)?;
    if rows.len() < WINDOW {
        return Ok((rows, head));
    }
    // The last commit may be cut off: it is left for the next page, unless it is all there is.
    let (first, last) = (rows.first().map(|row| row.seq), rows.last().map(|row| row.seq));
    let (Some(first), Some(last)) = (first, last) else { return Ok((rows, head)) };
    if first == last {
        let whole = ordered().filter(changes::seq.eq(first)).load(conn)?;
        return Ok((whole, first));
    }
    rows.retain(|row| row.seq != last);
    let until = rows.last().map_or(first, |row| row.seq);
    Ok((rows, until))
}

#[derive(Debug, diesel::Queryable)]
struct IncidentNow {
    row_id: i64,
    id: IncidentId,
    version: i32,
    status: String,
    updated_at: NaiveDateTime,
    country: String,
    country_computed: Option<String>,
}

fn load_incidents(
    conn: &mut DbConn,
    ids: &BTreeSet<i64>,
) -> QueryResult<HashMap<i64, IncidentNow>> {
    let mut found = HashMap::with_capacity(ids.len());
    let ids: Vec<i64> = ids.iter().copied().collect();
    for chunk in ids.chunks(CHUNK) {
        let rows: Vec<IncidentNow> = incidents::table
            .inner_join(incident_facts::table)
            .filter(incidents::id.eq_any(chunk.to_vec()))
            .select((
                incidents::id,
                incidents::uuid,
                incidents::version,
                incidents::status,
                incidents::updated_at,
                incident_facts::country,
                incident_facts::country_computed,
            ))
            .load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.row_id, row)));
    }
    Ok(found)
}

/// Returns the countries that incidents left in these changes.
fn load_departures(
    conn: &mut DbConn,
    (after, until): (i64, i64),
) -> QueryResult<HashMap<(i64, i64), Vec<String>>> {
    let rows: Vec<(Option<i64>, i64, String)> = incident_departures::table
        .filter(incident_departures::seq.gt(Some(after)))
        .filter(incident_departures::seq.le(Some(until)))
        .select((
            incident_departures::seq,
            incident_departures::incident_id,
            incident_departures::country,
        ))
        .load(conn)?;
    let mut found: HashMap<(i64, i64), Vec<String>> = HashMap::new();
    for (seq, incident, country) in rows {
        found.entry((seq.unwrap_or_default(), incident)).or_default().push(country);
    }
    Ok(found)
}

/// Returns the event of a change as it is seen from `scope`: with the incident where that is seen now, as its leaving
/// where it was seen until then.
fn see(
    row: &ChangeRow,
    incident: &IncidentNow,
    left: &[String],
    geo: &Geo,
    scope: &Scope,
) -> Option<Event> {
    let (country, computed) = (&incident.country, incident.country_computed.as_ref());
    let (kind, countries) = if is_seen_from(scope, geo, country, computed.map(String::as_str)) {
        (EventKind::of_stored(&row.kind), (country.clone(), computed.cloned()))
    } else {
        let left = left.iter().find(|left| is_seen_from(scope, geo, left, None))?;
        (EventKind::Left, (left.clone(), None))
    };
    Some(Event {
        seq: row.seq,
        kind,
        row_id: incident.row_id,
        incident: incident.id,
        version: incident.version,
        changed_at: incident.updated_at.and_utc(),
        status: incident.status.clone(),
        countries,
    })
}
