//! Who of several servers takes what is to be sent.

use chrono::NaiveDateTime;
use diesel::sql_types::{BigInt, Timestamp};
use diesel::{OptionalExtension, QueryResult, QueryableByName, RunQueryDsl, sql_query};

use crate::db::dialect::DbConn;

/// The first that waits for its webhook, of the webhook that has waited longest; the bound value is the time.
const DUE_EVENT: &str = "SELECT due.id FROM outbox AS due
    WHERE due.state = 'pending' AND due.next_at <= $1
    AND EXISTS (SELECT 1 FROM webhooks WHERE webhooks.id = due.webhook_id AND webhooks.state = 'active')
    AND NOT EXISTS (SELECT 1 FROM outbox AS earlier
        WHERE earlier.webhook_id = due.webhook_id AND earlier.state = 'pending' AND earlier.id < due.id)
    ORDER BY due.next_at, due.id LIMIT 1";
/// The same, leaving to others what they have just taken.
const LOCK_DUE_EVENT: &str = "SELECT due.id FROM outbox AS due
    WHERE due.state = 'pending' AND due.next_at <= $1
    AND EXISTS (SELECT 1 FROM webhooks WHERE webhooks.id = due.webhook_id AND webhooks.state = 'active')
    AND NOT EXISTS (SELECT 1 FROM outbox AS earlier
        WHERE earlier.webhook_id = due.webhook_id AND earlier.state = 'pending' AND earlier.id < due.id)
    ORDER BY due.next_at, due.id LIMIT 1 FOR UPDATE OF due SKIP LOCKED";

/// Whoever is to get mail and has waited longest; the bound value is the time.
const DUE_NOTICE: &str = "SELECT user_id AS id FROM notices
    WHERE next_at <= $1 AND (wanted_at IS NOT NULL OR asked_at IS NOT NULL OR taken_at IS NOT NULL)
    ORDER BY next_at, user_id LIMIT 1";
/// The same, leaving to others what they have just taken.
const LOCK_DUE_NOTICE: &str = "SELECT user_id AS id FROM notices
    WHERE next_at <= $1 AND (wanted_at IS NOT NULL OR asked_at IS NOT NULL OR taken_at IS NOT NULL)
    ORDER BY next_at, user_id LIMIT 1 FOR UPDATE SKIP LOCKED";

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Returns the row id of an event that is due at `now`.
///
/// # Errors
/// When the engine refuses.
pub fn find_due_event(conn: &mut DbConn, now: NaiveDateTime) -> QueryResult<Option<i64>> {
    let found: Option<Found> = match conn {
        DbConn::Sqlite(conn) => {
            sql_query(DUE_EVENT).bind::<Timestamp, _>(now).get_result(conn).optional()?
        }
        DbConn::Postgres(conn) => {
            sql_query(DUE_EVENT).bind::<Timestamp, _>(now).get_result(conn).optional()?
        }
    };
    Ok(found.map(|found| found.id))
}

/// Returns the row id of an event that is due at `now`, which nobody else takes until the transaction ends.
///
/// # Errors
/// When the engine refuses.
pub fn lock_due_event(conn: &mut DbConn, now: NaiveDateTime) -> QueryResult<Option<i64>> {
    let found: Option<Found> = match conn {
        // One transaction writes at a time.
        DbConn::Sqlite(conn) => {
            sql_query(DUE_EVENT).bind::<Timestamp, _>(now).get_result(conn).optional()?
        }
        DbConn::Postgres(conn) => {
            sql_query(LOCK_DUE_EVENT).bind::<Timestamp, _>(now).get_result(conn).optional()?
        }
    };
    Ok(found.map(|found| found.id))
}

/// Returns the row id of an account that is due to get mail at `now`.
///
/// # Errors
/// When the engine refuses.
pub fn find_due_notice(conn: &mut DbConn, now: NaiveDateTime) -> QueryResult<Option<i64>> {
    let found: Option<Found> = match conn {
        DbConn::Sqlite(conn) => {
            sql_query(DUE_NOTICE).bind::<Timestamp, _>(now).get_result(conn).optional()?
        }
        DbConn::Postgres(conn) => {
            sql_query(DUE_NOTICE).bind::<Timestamp, _>(now).get_result(conn).optional()?
        }
    };
    Ok(found.map(|found| found.id))
}

/// Returns the row id of an account that is due to get mail at `now`, whose notice nobody else takes until the transaction
/// ends.
///
/// # Errors
/// When the engine refuses.
pub fn lock_due_notice(conn: &mut DbConn, now: NaiveDateTime) -> QueryResult<Option<i64>> {
    let found: Option<Found> = match conn {
        DbConn::Sqlite(conn) => {
            sql_query(DUE_NOTICE).bind::<Timestamp, _>(now).get_result(conn).optional()?
        }
        DbConn::Postgres(conn) => {
            sql_query(LOCK_DUE_NOTICE).bind::<Timestamp, _>(now).get_result(conn).optional()?
        }
    };
    Ok(found.map(|found| found.id))
}
