//! Locks on rows: on `SQLite` the one transaction that writes holds them all.

use std::collections::BTreeSet;

use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::schema::incidents;

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
