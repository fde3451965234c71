//! Reads the facts of incidents for the columns: all of them in windows, or those that changed.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::aggregates::columns::Columns;
use crate::db::dialect::DbConn;
use crate::db::schema::{
    changes, heads, incident_actors, incident_categories, incident_facts, incident_harm, incidents,
};
use crate::error::{Error, Result};
use crate::incidents::facts::{HarmRange, IncidentFacts, Measure, Status};
use crate::incidents::store::day_span;
use crate::incidents::target::second_of;
use crate::incidents::urgency::MINORS;
use crate::seal::veil::PlaceVeil;

/// Row ids read at once: a few megabytes.
const WINDOW: i64 = 10_000;
/// Changed incidents read at once; each is a bound value of the statement.
const CHUNK: usize = 1_000;
/// What stands in `sex_age` for everybody a measure counts.
const TOTAL: &str = "";

/// Returns the number of the last change.
///
/// # Errors
/// When the database fails.
pub fn find_head(conn: &mut DbConn) -> QueryResult<i64> {
    heads::table.find("changes").select(heads::seq).first(conn)
}

/// Returns the incidents changed after `seq`, each once, in order.
///
/// # Errors
/// When the database fails.
pub fn list_changed(conn: &mut DbConn, seq: i64) -> QueryResult<Vec<i64>> {
    changes::table
        .filter(changes::seq.gt(seq))
        .select(changes::incident_id)
        .distinct()
        .order(changes::incident_id)
        .load(conn)
}

/// Puts the facts of every incident into `columns`.
///
/// # Errors
/// When the database fails or holds what cannot be read.
pub fn load_all(conn: &mut DbConn, veil: &PlaceVeil, columns: &mut Columns) -> Result<()> {
    let mut after = 0;
    loop {
        let next: Option<i64> = incidents::table
            .filter(incidents::id.gt(after))
            .order(incidents::id)
            .select(incidents::id)
            .first(conn)
            .optional()?;
        let Some(first) = next else { return Ok(()) };
        load(conn, Which::Window(first, first + WINDOW - 1), veil, columns)?;
        after = first + WINDOW - 1;
    }
}

/// Puts the facts of the incidents with these row ids into `columns`.
///
/// # Errors
/// As [`load_all`].
pub fn load_some(
    conn: &mut DbConn,
    ids: &[i64],
    veil: &PlaceVeil,
    columns: &mut Columns,
) -> Result<()> {
    ids.chunks(CHUNK).try_for_each(|chunk| load(conn, Which::Ids(chunk), veil, columns))
}

#[derive(Clone, Copy)]
enum Which<'a> {
    Window(i64, i64),
    Ids(&'a [i64]),
}

/// Limits a query to some incidents by the column that names them.
macro_rules! limited {
    ($query:expr, $column:expr, $which:expr) => {
        match $which {
            Which::Window(first, last) => $query.filter($column.between(first, last)).into_boxed(),
            Which::Ids(ids) => $query.filter($column.eq_any(ids.to_vec())).into_boxed(),
        }
    };
}

#[derive(diesel::Queryable)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column")]
struct Row {
    id: i64,
    status: String,
    merged_into: Option<i64>,
    country: String,
    country_computed: Option<String>,
    admin1: Option<String>,
    admin2: Option<String>,
    geo_precision: String,
    cell5: Option<i64>,
    place: (Option<i32>, Option<i32>),
    cell7_veiled: Option<Vec<u8>>,
    site_veiled: Option<Vec<u8>>,
    site_distance: Option<String>,
    days: (Option<NaiveDate>, Option<NaiveDate>, Option<String>),
    severity: Option<i16>,
    mining_mode: Option<String>,
    flags: String,
    channels: String,
    n_reports: i32,
    is_test: bool,
    is_mismatch: bool,
    is_ongoing: bool,
    is_at_risk: bool,
    opened_at: NaiveDateTime,
}

/// Measure, `sex_age` code (empty for the total), least and most, by incident.
type HarmRow = (i64, String, String, i32, i32);

fn load(
    conn: &mut DbConn,
    which: Which<'_>,
    veil: &PlaceVeil,
    columns: &mut Columns,
) -> Result<()> {
    let rows = load_rows(conn, which)?;
    let categories: Vec<(i64, String)> =
        limited!(incident_categories::table, incident_categories::incident_id, which)
            .order((incident_categories::incident_id, incident_categories::position))
            .select((incident_categories::incident_id, incident_categories::code))
            .load(conn)?;
    let actors: Vec<(i64, String)> =
        limited!(incident_actors::table, incident_actors::incident_id, which)
            .select((incident_actors::incident_id, incident_actors::actor_type))
            .load(conn)?;
    let parts = [TOTAL].into_iter().chain(MINORS);
    let harm: Vec<HarmRow> = limited!(incident_harm::table, incident_harm::incident_id, which)
        .filter(incident_harm::sex_age.eq_any(parts))
        .load(conn)?;
    let categories = by_incident(&categories);
    let actors = by_incident(&actors);
    let harm = harm_by_incident(&harm);
    for row in rows {
        take_in(
            &row,
            categories.get(&row.id).map_or(&[], Vec::as_slice),
            actors.get(&row.id).map_or(&[], Vec::as_slice),
            harm.get(&row.id),
            veil,
            columns,
        )?;
    }
    Ok(())
}

fn load_rows(conn: &mut DbConn, which: Which<'_>) -> QueryResult<Vec<Row>> {
    limited!(incidents::table.inner_join(incident_facts::table), incidents::id, which)
        .order(incidents::id)
        .select((
            incidents::id,
            incidents::status,
            incidents::merged_into,
            incident_facts::country,
            incident_facts::country_computed,
            incident_facts::admin1,
            incident_facts::admin2,
            incident_facts::geo_precision,
            incident_facts::cell5,
            (incident_facts::place_lon_e6, incident_facts::place_lat_e6),
            incident_facts::cell7_veiled,
            incident_facts::site_veiled,
            incident_facts::site_distance,
            (incident_facts::first_day, incident_facts::last_day, incident_facts::date_precision),
            incident_facts::severity,
            incident_facts::mining_mode,
            incident_facts::flags,
            incident_facts::channels,
            incident_facts::n_reports,
            incident_facts::is_test,
            incident_facts::is_mismatch,
            incident_facts::is_ongoing,
            incident_facts::is_at_risk,
            incidents::opened_at,
        ))
        .load(conn)
}

fn by_incident(rows: &[(i64, String)]) -> HashMap<i64, Vec<&str>> {
    let mut lists: HashMap<i64, Vec<&str>> = HashMap::new();
    for (incident, code) in rows {
        lists.entry(*incident).or_default().push(code);
    }
    lists
}

#[derive(Clone, Copy, Default)]
struct Harm {
    totals: [Option<HarmRange>; Measure::COUNT],
    has_minors: bool,
}

fn harm_by_incident(rows: &[HarmRow]) -> HashMap<i64, Harm> {
    let mut all: HashMap<i64, Harm> = HashMap::new();
    for (incident, measure, sex_age, min, max) in rows {
        let harm = all.entry(*incident).or_default();
        if sex_age != TOTAL {
            harm.has_minors |= *max > 0;
            continue;
        }
        let position = Measure::ALL.iter().position(|known| known.as_str() == measure);
        if let Some(slot) = position.and_then(|position| harm.totals.get_mut(position)) {
            let count = |n: i32| u32::try_from(n).unwrap_or(0);
            *slot = Some(HarmRange { min: count(*min), max: count(*max) });
        }
    }
    all
}

fn take_in(
    row: &Row,
    categories: &[&str],
    actors: &[&str],
    harm: Option<&Harm>,
    veil: &PlaceVeil,
    columns: &mut Columns,
) -> Result<()> {
    let harm = harm.copied().unwrap_or_default();
    let status = Status::parse(&row.status)
        .ok_or_else(|| Error::internal(format!("incident row {} has no status we know", row.id)))?;
    let cell7 = row.cell7_veiled.as_deref().map(|veiled| veil.unveil_cell(veiled)).transpose()?;
    let site = row.site_veiled.as_deref().map(|veiled| veil.unveil_site(veiled)).transpose()?;
    let flags: Vec<&str> = row.flags.split_ascii_whitespace().collect();
    let channels: Vec<&str> = row.channels.split_ascii_whitespace().collect();
    columns.upsert(&IncidentFacts {
        id: row.id,
        country: &row.country,
        country_computed: row.country_computed.as_deref(),
        admin1: row.admin1.as_deref(),
        admin2: row.admin2.as_deref(),
        span: day_span(row.days.0, row.days.1, row.days.2.as_deref()),
        categories,
        status,
        severity: row.severity.and_then(|severity| u8::try_from(severity).ok()),
        channels: &channels,
        mining_mode: row.mining_mode.as_deref(),
        actors,
        site: site.as_deref(),
        site_distance: row.site_distance.as_deref(),
        cell5: row.cell5.map(i64::cast_unsigned),
        cell7,
        place_e6: row.place.0.zip(row.place.1),
        geo_precision: &row.geo_precision,
        flags: &flags,
        is_test: row.is_test,
        is_merged: row.merged_into.is_some(),
        is_mismatch: row.is_mismatch,
        reports: u32::try_from(row.n_reports).unwrap_or(0),
        harm: harm.totals,
        has_minors: harm.has_minors,
        is_ongoing: row.is_ongoing,
        is_at_risk: row.is_at_risk,
        opened_s: second_of(row.opened_at),
    });
    Ok(())
}
