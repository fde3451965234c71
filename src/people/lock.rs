//! The one lock of the coalition's structure.

use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::schema::heads;

/// The head that rises with every edit of a region.
pub(super) const HEAD: &str = "regions";

/// Lets nobody else change regions or grants until the transaction ends, at any server.
///
/// A look at the rows that comes after it stays true until then: a region that nobody uses, another coordinator who is
/// there.
///
/// # Errors
/// When the database fails.
pub fn hold(conn: &mut DbConn) -> QueryResult<()> {
    diesel::update(heads::table.find(HEAD)).set(heads::seq.eq(heads::seq)).execute(conn)?;
    Ok(())
}
