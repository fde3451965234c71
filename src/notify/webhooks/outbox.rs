//! What is to be sent: put down once a change, taken by one server at a time, tried until it is taken or given up.
//!
//! Events are made from `changes` after the commit, a webhook's position moving in the transaction that puts them down:
//! what was rolled back never had a number, and what a dying process left undone is made by the next one from the same
//! position. An event is taken by moving its next try ahead; when whoever took it dies, it comes due again. So each event
//! is delivered at least once, always under the same id with the same bytes, and those of one webhook in order: what
//! could not be delivered holds up what follows.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use serde::Serialize;

use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::schema::{outbox, webhooks};
use crate::error::Result;
use crate::ids::{EventId, IncidentId};
use crate::notify::changes::{Event, EventKind, Events, list_events};
use crate::notify::gate::Outcome;
use crate::notify::webhooks::store::{self, State, WebhookRow};

/// Most events that wait for one webhook; beyond, its position waits instead.
const MOST_PENDING: i64 = 500;
/// Webhooks looked at in one go.
const PAGE: i64 = 100;
/// Changes of no concern to a webhook that its position may lag behind: it need not be written for each.
const LAG: i64 = 1_000;
/// How long a server has for one try, which ends after fifteen seconds at most, before another may take the event.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// Tries of one event. With the waits between them about two days.
const MOST_TRIES: i32 = 15;
/// The first wait in seconds; each next one is three times as long, up to six hours.
const FIRST_WAIT_S: i64 = 10;
const LONGEST_WAIT_S: i64 = 6 * 60 * 60;
/// How long what was sent is kept for its owner to see.
const KEPT: TimeDelta = TimeDelta::days(7);

/// A change as it is sent: ids and codes alone.
#[derive(Debug, Serialize)]
pub struct EventBody {
    /// `incident.` and the kind.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The event.
    pub id: EventId,
    /// Number of the change.
    pub seq: i64,
    /// What happened.
    pub kind: &'static str,
    /// The incident.
    pub incident: IncidentId,
    /// Its country; of one that left, that which it left.
    pub country: String,
    /// Its version; null where it left.
    pub version: Option<i32>,
    /// When it last changed, as this was written.
    pub changed_at: DateTime<Utc>,
}

impl From<&Event> for EventBody {
    fn from(event: &Event) -> Self {
        let kind = event.kind.as_str();
        Self {
            event_type: format!("incident.{kind}"),
            id: event.id(),
            seq: event.seq,
            kind,
            incident: event.incident,
            country: event.countries.0.clone(),
            version: (event.kind != EventKind::Left).then_some(event.version),
            changed_at: event.changed_at,
        }
    }
}

/// Puts down what is to be sent of the changes since the last time; returns how many events that are.
///
/// # Errors
/// When the database fails; what was put down stays.
pub fn fill(context: &Context) -> Result<usize> {
    let (mut n_made, mut after) = (0, 0);
    loop {
        let behind = context.db.read_here(|conn| {
            let head = crate::aggregates::store::find_head(conn)?;
            Ok(store::list_behind(conn, head, (after, PAGE))?)
        })?;
        let Some(last) = behind.last() else { return Ok(n_made) };
        after = last.row_id;
        for webhook in behind {
            n_made += fill_one(context, webhook)?;
        }
    }
}

fn fill_one(context: &Context, webhook: WebhookRow) -> Result<usize> {
    let now = context.clock.now();
    let found = context.db.read_here(|conn| {
        dialect::snapshot(conn, |conn| {
            let scope = store::scope_now(conn, context, &webhook, now)?;
            let room = MOST_PENDING - store::count_pending(conn, webhook.row_id)?;
            let room = usize::try_from(room).unwrap_or(0);
            // Where its owner may see nothing it stands still: nothing is read for it.
            if scope == Scope::nowhere() || room == 0 {
                return Ok(None);
            }
            Ok(Some(list_events(conn, &context.geo(), &scope, webhook.position, room)?))
        })
    })?;
    let Some(found) = found else { return Ok(0) };
    let wanted = |event: &&Event| {
        webhook.kinds.split_ascii_whitespace().any(|kind| kind == event.kind.as_str())
    };
    let events: Vec<Event> = found.events.iter().filter(wanted).cloned().collect();
    if events.is_empty() && found.next - webhook.position < LAG {
        return Ok(0);
    }
    let Events { next, .. } = found;
    let n_made = events.len();
    let is_ours = context.db.write_here(move |tx| {
        let is_ours = move_on(tx.conn, &webhook, next)?;
        if is_ours {
            put_down(tx.conn, webhook.row_id, &events, now)?;
        }
        Ok(is_ours)
    })?;
    Ok(if is_ours { n_made } else { 0 })
}

/// Moves the position on, unless another server did.
fn move_on(conn: &mut DbConn, webhook: &WebhookRow, next: i64) -> QueryResult<bool> {
    let where_it_was = webhooks::table
        .filter(webhooks::id.eq(webhook.row_id))
        .filter(webhooks::position.eq(webhook.position));
    let n_moved = diesel::update(where_it_was).set(webhooks::position.eq(next)).execute(conn)?;
    Ok(n_moved == 1)
}

fn put_down(conn: &mut DbConn, webhook: i64, events: &[Event], now: DateTime<Utc>) -> Result<()> {
    for event in events {
        let body = serde_json::to_string(&EventBody::from(event));
        diesel::insert_into(outbox::table)
            .values((
                outbox::webhook_id.eq(webhook),
                outbox::event.eq(event.id()),
                outbox::seq.eq(event.seq),
                outbox::country.eq(&event.countries.0),
                outbox::country_other.eq(&event.countries.1),
                outbox::body.eq(body.map_err(crate::error::Error::internal)?),
                outbox::state.eq("pending"),
                outbox::n_tries.eq(0),
                outbox::next_at.eq(now.naive_utc()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// An event that this server tries now.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct Taken {
    /// Row id.
    pub row_id: i64,
    /// Row id of the webhook.
    pub webhook: i64,
    /// The event.
    pub event: EventId,
    /// The country it tells of.
    pub country: String,
    /// Another one it is seen from.
    pub country_other: Option<String>,
    /// What is sent.
    pub body: String,
    /// Tries, this one among them.
    pub n_tries: i32,
}

/// Tells whether anything is due.
///
/// # Errors
/// When the database fails.
pub fn is_any_due(conn: &mut DbConn, now: NaiveDateTime) -> QueryResult<bool> {
    Ok(dialect::find_due_event(conn, now)?.is_some())
}

/// Takes the first event that is due, so that no other server does.
///
/// # Errors
/// When the database fails.
pub fn take(conn: &mut DbConn, now: DateTime<Utc>) -> QueryResult<Option<Taken>> {
    let Some(row_id) = dialect::lock_due_event(conn, now.naive_utc())? else {
        return Ok(None);
    };
    diesel::update(outbox::table.find(row_id))
        .set((
            outbox::n_tries.eq(outbox::n_tries + 1),
            outbox::next_at.eq((now + LEASE).naive_utc()),
        ))
        .execute(conn)?;
    outbox::table
        .find(row_id)
        .select((
            outbox::id,
            outbox::webhook_id,
            outbox::event,
            outbox::country,
            outbox::country_other,
            outbox::body,
            outbox::n_tries,
        ))
        .first(conn)
        .optional()
}

/// Lets an event go whose owner may not see it any more.
///
/// # Errors
/// When the database fails.
pub fn drop_event(conn: &mut DbConn, row_id: i64, now: DateTime<Utc>) -> QueryResult<()> {
    end(conn, row_id, "dropped", now)
}

/// Writes down what became of a try.
///
/// # Errors
/// When the database fails.
pub fn settle(
    conn: &mut DbConn,
    taken: &Taken,
    outcome: Outcome,
    now: DateTime<Utc>,
    chance: u16,
) -> QueryResult<()> {
    let webhook = webhooks::table.find(taken.webhook);
    if outcome.is_taken() {
        end(conn, taken.row_id, "sent", now)?;
        let at = Some(now.naive_utc());
        return diesel::update(webhook).set(webhooks::sent_at.eq(at)).execute(conn).map(drop);
    }
    diesel::update(webhook)
        .set((
            webhooks::failed_at.eq(Some(now.naive_utc())),
            webhooks::failure.eq(outcome.failure()),
        ))
        .execute(conn)?;
    let stop = match outcome.status() {
        Some(410) => Some(State::Gone),
        _ if taken.n_tries >= MOST_TRIES => Some(State::Failing),
        _ => None,
    };
    let Some(stop) = stop else {
        let next_at = (now + wait_after(taken.n_tries, chance)).naive_utc();
        let row = outbox::table.find(taken.row_id).filter(outbox::state.eq("pending"));
        return diesel::update(row).set(outbox::next_at.eq(next_at)).execute(conn).map(drop);
    };
    end(conn, taken.row_id, "dead", now)?;
    let sending = webhook.filter(webhooks::state.eq(State::Active.as_str()));
    diesel::update(sending).set(webhooks::state.eq(stop.as_str())).execute(conn).map(drop)
}

fn end(conn: &mut DbConn, row_id: i64, state: &str, now: DateTime<Utc>) -> QueryResult<()> {
    let row = outbox::table.find(row_id).filter(outbox::state.eq("pending"));
    diesel::update(row)
        .set((outbox::state.eq(state), outbox::done_at.eq(Some(now.naive_utc()))))
        .execute(conn)
        .map(drop)
}

/// Returns the wait after the `n_tries`th try failed: three times as long each time, and by `chance` up to half as long
/// again, so that many that failed together do not come back together.
pub fn wait_after(n_tries: i32, chance: u16) -> TimeDelta {
    let n_before = u32::try_from(n_tries - 1).unwrap_or(0);
    let wait_s = 3_i64.saturating_pow(n_before).saturating_mul(FIRST_WAIT_S).min(LONGEST_WAIT_S);
    let most_more_ms = wait_s * 500;
    let more_ms = most_more_ms * i64::from(chance) / i64::from(u16::MAX);
    TimeDelta::seconds(wait_s) + TimeDelta::milliseconds(more_ms)
}

/// Removes what was sent or dropped a while ago. What was given up stays until its webhook sends again or goes.
///
/// # Errors
/// When the database fails.
pub fn clear(conn: &mut DbConn, now: DateTime<Utc>) -> QueryResult<usize> {
    let until = Some((now - KEPT).naive_utc());
    let old = outbox::table
        .filter(outbox::done_at.lt(until))
        .filter(outbox::state.eq_any(["sent", "dropped"]));
    diesel::delete(old).execute(conn)
}

/// Returns how many events wait, for all webhooks.
///
/// # Errors
/// When the database fails.
pub fn count_waiting(conn: &mut DbConn) -> QueryResult<i64> {
    outbox::table.filter(outbox::state.eq("pending")).count().get_result(conn)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use crate::notify::webhooks::outbox::{MOST_TRIES, wait_after};

    #[test]
    fn waits_grow_to_six_hours_and_end_after_about_two_days() {
        let waits: Vec<i64> = (1..=9).map(|nth| wait_after(nth, 0).num_seconds()).collect();
        assert_eq!(waits, [10, 30, 90, 270, 810, 2_430, 7_290, 21_600, 21_600]);

        let all: TimeDelta = (1..MOST_TRIES).map(|nth| wait_after(nth, 0)).sum();
        assert!((44..49).contains(&all.num_hours()), "{all}");
        assert_eq!(wait_after(1, u16::MAX), TimeDelta::seconds(15));
        assert_eq!(wait_after(60, u16::MAX), TimeDelta::hours(9));
    }
}
