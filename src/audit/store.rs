//! Chains and entries in the database.

use diesel::dsl::min;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::rows::{AuditRow, ChainRow};
use crate::db::schema::{audit_chains, audit_entries};

/// Stores the first head of a chain.
///
/// # Errors
/// When the database fails.
pub fn insert_chain(conn: &mut DbConn, row: &ChainRow) -> QueryResult<()> {
    diesel::insert_into(audit_chains::table).values(row).execute(conn)?;
    Ok(())
}

/// Stores a head in the place of the one before.
///
/// # Errors
/// When the database fails.
pub fn update_chain(conn: &mut DbConn, row: &ChainRow) -> QueryResult<()> {
    diesel::update(audit_chains::table.find(row.chain)).set(row).execute(conn)?;
    Ok(())
}

/// Returns the heads by number of the chain.
///
/// # Errors
/// When the database fails.
pub fn list_chains(conn: &mut DbConn) -> QueryResult<Vec<ChainRow>> {
    audit_chains::table.order(audit_chains::chain).load(conn)
}

/// Returns the lowest number of a chain after `number` that has entries, whether it has a head or not.
///
/// # Errors
/// When the database fails.
pub fn find_chain_after(conn: &mut DbConn, number: Option<i32>) -> QueryResult<Option<i32>> {
    let lowest = audit_entries::table.select(min(audit_entries::chain)).into_boxed();
    match number {
        None => lowest.first(conn),
        Some(number) => lowest.filter(audit_entries::chain.gt(number)).first(conn),
    }
}

/// Returns how many entries a chain has.
///
/// # Errors
/// When the database fails.
pub fn count_entries(conn: &mut DbConn, chain: i32) -> QueryResult<i64> {
    audit_entries::table.filter(audit_entries::chain.eq(chain)).count().get_result(conn)
}

/// Returns up to `limit` entries of a chain from `position` on, in order.
///
/// # Errors
/// When the database fails, or one of them is no entry at all.
pub fn list_from(
    conn: &mut DbConn,
    chain: i32,
    position: i64,
    limit: i64,
) -> QueryResult<Vec<AuditRow>> {
    audit_entries::table
        .filter(audit_entries::chain.eq(chain))
        .filter(audit_entries::position.ge(position))
        .order(audit_entries::position)
        .limit(limit)
        .load(conn)
}

/// Returns the first position of a chain from `position` on that has an entry, or something in its place.
///
/// # Errors
/// When the database fails.
pub fn find_position_from(
    conn: &mut DbConn,
    chain: i32,
    position: i64,
) -> QueryResult<Option<i64>> {
    audit_entries::table
        .filter(audit_entries::chain.eq(chain))
        .filter(audit_entries::position.ge(position))
        .order(audit_entries::position)
        .select(audit_entries::position)
        .first(conn)
        .optional()
}
