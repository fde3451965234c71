//! What was said of an incident and another one: that they belong together, or are not one; and that it was taken back.

use chrono::NaiveDateTime;
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::schema::{duplicate_dismissals, incident_relations};
use crate::ids::{Dismissal, Id, Relation, UserId};
use crate::review::history::events::{Actor, Event, EventKind};
use crate::seal::envelope::{Owner, OwnerKind};

type Row<K> =
    (i64, Id<K>, (i64, i64), UserId, NaiveDateTime, Option<UserId>, Option<NaiveDateTime>);

/// Returns what one word about two incidents, one of them in `own`, was in their story: that it was said, and taken back.
fn events<K>(
    (row_id, id, (one, other), by, at, undone_by, undone_at): Row<K>,
    own: &[i64],
    table: u8,
    (said, taken_back): (EventKind, EventKind),
    reasons: OwnerKind,
) -> impl Iterator<Item = Event> {
    let (incident, other) = if own.contains(&one) { (one, other) } else { (other, one) };
    let event = move |kind, by, at| Event {
        by: Actor::Person(by),
        other: Some(other),
        ..Event::new(at, (table, row_id), kind, incident)
    };
    let reason = Some(Owner { kind: reasons, id: id.uuid() });
    let first = Event { reason, ..event(said, by, at) };
    let second = undone_by.zip(undone_at).map(|(by, at)| event(taken_back, by, at));
    std::iter::once(first).chain(second)
}

/// Returns what was said of `incidents` and others from `at` on: all of it, for it is little.
///
/// # Errors
/// When the database fails.
pub fn list_said(
    conn: &mut DbConn,
    incidents: &[i64],
    at: NaiveDateTime,
) -> QueryResult<Vec<Event>> {
    let is_linked = incident_relations::one_id
        .eq_any(incidents.to_vec())
        .or(incident_relations::other_id.eq_any(incidents.to_vec()));
    let links: Vec<Row<Relation>> = incident_relations::table
        .filter(is_linked)
        .select((
            incident_relations::id,
            incident_relations::uuid,
            (incident_relations::one_id, incident_relations::other_id),
            incident_relations::related_by,
            incident_relations::related_at,
            incident_relations::unrelated_by,
            incident_relations::unrelated_at,
        ))
        .load(conn)?;
    let is_dismissed = duplicate_dismissals::low_id
        .eq_any(incidents.to_vec())
        .or(duplicate_dismissals::high_id.eq_any(incidents.to_vec()));
    let dismissals: Vec<Row<Dismissal>> = duplicate_dismissals::table
        .filter(is_dismissed)
        .select((
            duplicate_dismissals::id,
            duplicate_dismissals::uuid,
            (duplicate_dismissals::low_id, duplicate_dismissals::high_id),
            duplicate_dismissals::dismissed_by,
            duplicate_dismissals::dismissed_at,
            duplicate_dismissals::undone_by,
            duplicate_dismissals::undone_at,
        ))
        .load(conn)?;
    let mut all = Vec::new();
    for row in links {
        let kinds = (EventKind::Linked, EventKind::Unlinked);
        all.extend(events(row, incidents, 7, kinds, OwnerKind::Relation));
    }
    for row in dismissals {
        let kinds = (EventKind::ToldApart, EventKind::ToldApartUndone);
        all.extend(events(row, incidents, 8, kinds, OwnerKind::Dismissal));
    }
    all.retain(|event| event.at >= at);
    Ok(all)
}
