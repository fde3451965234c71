//! Locks on rows: on `SQLite` the one transaction that writes holds them all.

use std::collections::BTreeSet;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::schema::incidents;

/// Locks the row of an incident until the transaction ends.
///
/// # Errors
/// When the engine refuses.
pub fn lock_incident(conn: &mut DbConn, id: i64) -> QueryResult<()> {
    if let DbConn::Postgres(conn) = conn {
        let row = incidents::table.find(id).select(incidents::id);
        row.for_no_key_update().first::<i64>(conn).optional()?;
    }
    Ok(())
}

/// Like [`lock_incident`], but where another transaction has the row it waits for nothing and answers `false`.
///
/// # Errors
/// When the engine refuses.
pub fn try_lock_incident(conn: &mut DbConn, id: i64) -> QueryResult<bool> {
    let DbConn::Postgres(conn) = conn else {
        return Ok(true);
    };
    let row = incidents::table.find(id).select(incidents::id);
    let locked = row.for_no_key_update().skip_locked().first::<i64>(conn).optional()?;
    Ok(locked.is_some())
}

/// Locks the rows of some incidents until the transaction ends, in rising order, so that two who want the same ones never
/// wait for each other.
///
/// # Errors
/// When the engine refuses.
pub fn lock_incidents(conn: &mut DbConn, ids: &BTreeSet<i64>) -> QueryResult<()> {
    if let DbConn::Postgres(conn) = conn {
        let ids: Vec<i64> = ids.iter().copied().collect();
        let rows = incidents::table.filter(incidents::id.eq_any(ids)).order(incidents::id);
        rows.select(incidents::id).for_no_key_update().load::<i64>(conn)?;
    }
    Ok(())
}
