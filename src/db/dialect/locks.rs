//! Locks on rows: on `SQLite` the one transaction that writes holds them all.

use diesel::{OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

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
