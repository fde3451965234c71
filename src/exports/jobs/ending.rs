//! The end of files: when their day is over, and when a report is erased that they may hold.

use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{incident_departures, incident_facts};
use crate::error::Result;
use crate::exports::jobs::store;
use crate::geo::locate::Geo;
use crate::incidents::view::is_seen_from;

/// Removes the files whose day is over.
///
/// # Errors
/// When the database fails.
pub fn remove_old(context: &Context) -> Result<()> {
    let now = context.clock.now();
    if context.db.read_here(|conn| Ok(store::list_old(conn, now)?))?.is_empty() {
        return Ok(());
    }
    context.db.write_here(move |tx| Ok(store::remove_old(tx.conn, now)?))?;
    context.db.clear_log_here()
}

/// Destroys the files that may hold one of these incidents, which are row ids: those with rows, of whoever sees a country that
/// one of them is or was in. Which rows a file has is kept nowhere.
///
/// # Errors
/// When the database fails.
pub fn destroy_with(conn: &mut DbConn, geo: &Geo, incidents: &[i64]) -> QueryResult<()> {
    let jobs = store::list_with_rows(conn)?;
    if jobs.is_empty() {
        return Ok(());
    }
    let now: Vec<(String, Option<String>)> = incident_facts::table
        .filter(incident_facts::incident_id.eq_any(incidents))
        .select((incident_facts::country, incident_facts::country_computed))
        .load(conn)?;
    let earlier: Vec<String> = incident_departures::table
        .filter(incident_departures::incident_id.eq_any(incidents))
        .select(incident_departures::country)
        .load(conn)?;
    let countries: Vec<String> = now
        .into_iter()
        .flat_map(|(one, other)| other.into_iter().chain([one]))
        .chain(earlier)
        .collect();
    for (id, scope) in jobs {
        let scope = store::read(&scope);
        if countries.iter().any(|country| is_seen_from(&scope, geo, country, None)) {
            store::destroy(conn, id)?;
        }
    }
    Ok(())
}
