//! What a reviewer says of two incidents at once: each side is told of it without the other.

use diesel::QueryResult;

use crate::audit::act::Act;
use crate::db::dialect::DbConn;
use crate::db::writer::WriteTx;
use crate::incidents::decider::{Decider, Seen};
use crate::incidents::merged::list_absorbed_ids;

/// Leaves an entry for each side that does not tell the other: its readers may see but one of them.
pub fn record_both(
    tx: &mut WriteTx<'_>,
    decider: &Decider,
    act: Act,
    (one, other): (&Seen, &Seen),
    what: &str,
) {
    for (incident, facts) in [one, other] {
        tx.record(decider.entry(act, (incident, facts)).detail(what));
    }
}

/// Returns the row ids of two incidents, the lower first: of which one something is said makes no difference.
pub fn pair_of((one, _): &Seen, (other, _): &Seen) -> (i64, i64) {
    (one.id.min(other.id), one.id.max(other.id))
}

/// Returns the row ids of an incident and of those merged into it.
///
/// # Errors
/// When the database fails.
pub fn list_group(conn: &mut DbConn, incident: i64) -> QueryResult<Vec<i64>> {
    let mut group = list_absorbed_ids(conn, &[incident])?;
    group.push(incident);
    Ok(group)
}
