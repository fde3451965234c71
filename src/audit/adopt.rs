//! Moves entries from before the log was chained, and those left without the keys at hand, into a chain, when a server
//! starts.
//!
//! An entry leaves the old table in the transaction that appends it, so the move can be broken off anywhere and is gone
//! on with by the next start. Of two servers that start together, one takes each batch and the other the next.

use chrono::NaiveDateTime;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::audit::Entry;
use crate::audit::act::{Act, Domain};
use crate::db::Db;
use crate::db::dialect::DbConn;
use crate::db::rows::Any;
use crate::db::schema::{
    devices, incident_facts, incidents, quarantined, reports, unchained_audit_entries as unchained,
};
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, Result};
use crate::ids::{Id, UserId};

/// Entries of one transaction.
const BATCH: i64 = 500;

/// Another server at the same work passes; something that lasts does not.
const MOST_TRIES: usize = 20;

/// Moves all entries that are left.
///
/// # Errors
/// When the database fails; what was moved stays moved.
pub fn adopt(db: &Db) -> Result<()> {
    let mut n_tries = 0;
    while db.read_here(|conn| Ok(!list_oldest(conn, 1)?.is_empty()))? {
        match db.write_here(move_some) {
            Ok(()) => n_tries = 0,
            Err(error) if error.code == Code::Unavailable && n_tries < MOST_TRIES => n_tries += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Leaves `entry` for the next start to chain, where the instance's keys are not at hand; it tells of no country.
///
/// # Errors
/// When the database fails.
pub fn leave_unchained(conn: &mut DbConn, entry: Entry) -> QueryResult<()> {
    let Entry { actor, act, subject, at, detail, countries: _ } = entry;
    diesel::insert_into(unchained::table)
        .values((
            unchained::at.eq(at.naive_utc()),
            unchained::actor.eq(actor),
            unchained::action.eq(act.code()),
            unchained::subject_kind.eq(act.subject_kind()),
            unchained::subject_id.eq(subject),
            unchained::detail.eq(detail),
        ))
        .execute(conn)?;
    Ok(())
}

#[derive(diesel::Queryable)]
struct Unchained {
    id: i64,
    at: NaiveDateTime,
    actor: Option<UserId>,
    action: String,
    subject_kind: String,
    subject_id: Id<Any>,
    detail: String,
}

fn list_oldest(conn: &mut DbConn, limit: i64) -> QueryResult<Vec<Unchained>> {
    unchained::table.order(unchained::id).limit(limit).load(conn)
}

fn move_some(tx: &mut WriteTx<'_>) -> Result<()> {
    let rows = list_oldest(tx.conn, BATCH)?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let n_deleted =
        diesel::delete(unchained::table.filter(unchained::id.eq_any(ids))).execute(tx.conn)?;
    if n_deleted != rows.len() {
        // Another server has taken them meanwhile.
        return Err(Error::new(Code::Unavailable));
    }
    for row in rows {
        let act = Act::find(&row.action, &row.subject_kind)
            .ok_or_else(|| Error::internal("an entry tells of an act that there is not"))?;
        let entry =
            Entry::new(act, row.subject_id, row.at.and_utc()).by(row.actor).detail(row.detail);
        let entry = match find_countries(tx.conn, act, row.subject_id)? {
            Some((country, other)) => entry.within(&country, other.as_deref()),
            None => entry,
        };
        tx.record(entry);
    }
    Ok(())
}

/// Returns the countries that the subject of `act` concerns today.
fn find_countries(
    conn: &mut DbConn,
    act: Act,
    subject: Id<Any>,
) -> QueryResult<Option<(String, Option<String>)>> {
    if act.domain() == Domain::Technical {
        return Ok(None);
    }
    match act.subject_kind() {
        "report" => reports::table
            .filter(reports::uuid.eq(subject))
            .select((reports::country, reports::country_computed))
            .first(conn)
            .optional(),
        "incident" => incidents::table
            .inner_join(incident_facts::table)
            .filter(incidents::uuid.eq(subject))
            .select((incident_facts::country, incident_facts::country_computed))
            .first(conn)
            .optional(),
        "quarantined" => quarantined::table
            .filter(quarantined::uuid.eq(subject))
            .select((quarantined::country, quarantined::country_told))
            .first(conn)
            .optional()
            .map(|found: Option<(String, String)>| found.map(|(one, other)| (one, Some(other)))),
        "device" => devices::table
            .filter(devices::uuid.eq(subject))
            .select(devices::country)
            .first(conn)
            .optional()
            .map(|found: Option<String>| found.map(|country| (country, None))),
        _ => Ok(None),
    }
}
