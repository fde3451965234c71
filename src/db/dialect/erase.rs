//! Makes deleting final, as far as each engine can.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Integer;
use diesel::{QueryResult, QueryableByName, RunQueryDsl, sql_query};

use crate::db::dialect::DbConn;

/// Waits for whoever inserts data keys or sub keys, and keeps others from it until the transaction ends. To be the first
/// act of a transaction, so that it holds nothing others wait for.
///
/// # Errors
/// When the engine refuses.
pub fn lock_data_keys(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        // The transaction holds the only write lock.
        DbConn::Sqlite(_) => Ok(()),
        DbConn::Postgres(conn) => {
            conn.batch_execute("LOCK TABLE data_keys, instance_keys IN SHARE ROW EXCLUSIVE MODE")
        }
    }
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

/// Empties the engine's log of what was deleted; says whether it could. `SQLite` keeps old pages in its write-ahead log
/// until it starts anew, which a reader can hold up: this waits a moment only, since nobody can write meanwhile.
///
/// `PostgreSQL` gives no such promise: a deleted row stays in its files and log until they are written over.
///
/// # Errors
/// When the engine refuses.
pub fn clear_log(conn: &mut DbConn) -> QueryResult<bool> {
    let DbConn::Sqlite(conn) = conn else {
        return Ok(true);
    };
    conn.batch_execute("PRAGMA busy_timeout = 250")?;
    let done = sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Checkpoint>(conn);
    conn.batch_execute("PRAGMA busy_timeout = 5000")?;
    Ok(done?.busy == 0)
}
