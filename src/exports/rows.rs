//! What exports read of the store: the incidents of a page with all that belongs to them, a query a table.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{NaiveDate, NaiveDateTime};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};

use crate::aggregates::cells;
use crate::aggregates::store::find_head;
use crate::auth::types::Scope;
use crate::db::dialect::{self, DbConn};
use crate::db::rows::FactsRow;
use crate::db::schema::{
    changes, incident_actors, incident_categories, incident_facts, incident_harm, incidents,
    reports,
};
use crate::error::{Error, Result};
use crate::geo::locate::Geo;
use crate::ids::{IncidentId, ReportId};
use crate::incidents::store::IncidentRow;
use crate::incidents::types::ReportCodes;
use crate::incidents::view::is_seen;
use crate::seal::veil::PlaceVeil;

/// Least and most people, by measure and by sex and age; the whole under no sex and age.
pub type Harm = BTreeMap<(String, String), (i32, i32)>;

/// An incident with what belongs to it.
#[derive(Debug)]
pub struct IncidentRecord {
    /// The incident.
    pub incident: IncidentRow,
    /// Its facts.
    pub facts: FactsRow,
    /// The incident it was merged into.
    pub merged_into: Option<IncidentId>,
    /// Leaf codes, primary first.
    pub categories: Vec<String>,
    /// People harmed.
    pub harm: Harm,
    /// `actor_type` codes.
    pub actors: Vec<String>,
    /// `source_type` codes of its active reports, where they were asked for.
    pub source_types: Vec<String>,
    /// Cell at resolution 7 and site, where the caller may know them.
    pub fine_place: Option<(Option<String>, Option<String>)>,
    /// It changed after the file was begun.
    pub is_newer: bool,
}

/// A report in codes.
#[derive(Debug, diesel::Queryable)]
pub struct ReportRow {
    /// Public id.
    pub uuid: ReportId,
    /// Row id of its incident.
    pub incident_id: i64,
    /// From 1.
    pub revision: i32,
    /// `channel` code.
    pub channel: String,
    /// The server's clock.
    pub received_at: NaiveDateTime,
    /// Declared country.
    pub country: String,
    /// Country its point lies in.
    pub country_computed: Option<String>,
    /// First-level area.
    pub admin1: Option<String>,
    /// Second-level area.
    pub admin2: Option<String>,
    /// `geo_precision` code.
    pub geo_precision: String,
    /// Cell at resolution 5.
    pub cell5: Option<i64>,
    /// Generalised place, longitude then latitude.
    pub place: (Option<i32>, Option<i32>),
    /// Band of the distance to the nearest site.
    pub site_distance: Option<String>,
    /// First and last day with their precision.
    pub days: (Option<NaiveDate>, Option<NaiveDate>, Option<String>),
    /// Space-separated.
    pub flags: String,
    /// As JSON.
    pub codes: String,
}

/// A report with its incident.
#[derive(Debug)]
pub struct ReportRecord {
    /// The report.
    pub row: ReportRow,
    /// What it says.
    pub codes: ReportCodes,
    /// Its incident.
    pub incident: IncidentId,
    /// Its incident changed after the file was begun.
    pub is_newer: bool,
}

/// What a page of incidents is read with.
pub struct Reading<'r> {
    /// The places.
    pub geo: &'r Geo,
    /// Opens fine places.
    pub veil: PlaceVeil,
    /// Where the caller sees incidents.
    pub scope: &'r Scope,
    /// Where the caller may open reports.
    pub exact: &'r Scope,
    /// Change number of the selection.
    pub as_of: i64,
    /// Whether the sources of incidents are wanted.
    pub with_sources: bool,
}

/// Returns the incidents with these row ids, in their order.
///
/// # Errors
/// `Unavailable` where one left the caller's sight since; when the database fails or a row is damaged.
pub fn load_incidents(
    conn: &mut DbConn,
    reading: &Reading<'_>,
    ids: &[i64],
) -> Result<Vec<IncidentRecord>> {
    dialect::snapshot(conn, |conn| {
        let changed = list_changed_since(conn, reading.as_of, ids)?;
        let survivors = diesel::alias!(incidents as survivors);
        let rows: Vec<(IncidentRow, FactsRow, Option<IncidentId>)> = incidents::table
            .inner_join(incident_facts::table)
            .left_join(diesel::JoinOnDsl::on(
                survivors,
                incidents::merged_into.eq(diesel::NullableExpressionMethods::nullable(
                    survivors.field(incidents::id),
                )),
            ))
            .filter(incidents::id.eq_any(ids.to_vec()))
            .select((
                incidents::all_columns,
                incident_facts::all_columns,
                diesel::NullableExpressionMethods::nullable(survivors.field(incidents::uuid)),
            ))
            .load(conn)?;
        let mut children = load_children(conn, ids)?;
        let mut sources =
            if reading.with_sources { list_source_types(conn, ids)? } else { HashMap::new() };
        let mut records = HashMap::with_capacity(rows.len());
        for (incident, facts, merged_into) in rows {
            let id = incident.id;
            let is_newer = changed.contains(&id);
            if is_newer && !is_seen(reading.scope, reading.geo, &facts) {
                return Err(left_sight());
            }
            let fine_place = fine_place(reading, &facts)?;
            let Children { categories, harm, actors } = children.remove(&id).unwrap_or_default();
            let source_types = sources.remove(&id).unwrap_or_default();
            let record = IncidentRecord {
                incident,
                facts,
                merged_into,
                categories,
                harm,
                actors,
                source_types,
                fine_place,
                is_newer,
            };
            records.insert(id, record);
        }
        Ok(ids.iter().filter_map(|id| records.remove(id)).collect())
    })
}

/// Returns the active reports of these incidents, incident by incident, the newest first.
///
/// # Errors
/// As [`load_incidents`].
pub fn load_reports(
    conn: &mut DbConn,
    reading: &Reading<'_>,
    ids: &[i64],
) -> Result<Vec<ReportRecord>> {
    dialect::snapshot(conn, |conn| {
        let changed = list_changed_since(conn, reading.as_of, ids)?;
        let parents: Vec<(i64, IncidentId, String, Option<String>)> = incidents::table
            .inner_join(incident_facts::table)
            .filter(incidents::id.eq_any(ids.to_vec()))
            .select((
                incidents::id,
                incidents::uuid,
                incident_facts::country,
                incident_facts::country_computed,
            ))
            .load(conn)?;
        let is_unseen = |(id, _, country, computed): &(i64, IncidentId, String, Option<String>)| {
            changed.contains(id)
                && !crate::incidents::view::is_seen_from(
                    reading.scope,
                    reading.geo,
                    country,
                    computed.as_deref(),
                )
        };
        if parents.iter().any(is_unseen) {
            return Err(left_sight());
        }
        let parents: HashMap<i64, IncidentId> =
            parents.into_iter().map(|(id, uuid, _, _)| (id, uuid)).collect();
        let mut records = Vec::new();
        for row in list_report_rows(conn, ids)? {
            let Some(incident) = parents.get(&row.incident_id).copied() else { continue };
            let codes = serde_json::from_str(&row.codes).map_err(Error::internal)?;
            let is_newer = changed.contains(&row.incident_id);
            records.push(ReportRecord { row, codes, incident, is_newer });
        }
        Ok(records)
    })
}

fn list_report_rows(conn: &mut DbConn, ids: &[i64]) -> Result<Vec<ReportRow>> {
    let rows = reports::table
        .filter(reports::incident_id.eq_any(ids.to_vec()))
        .filter(reports::state.eq("active"))
        .order((reports::incident_id.desc(), reports::id.desc()))
        .select((
            reports::uuid,
            reports::incident_id,
            reports::revision,
            reports::channel,
            reports::received_at,
            reports::country,
            reports::country_computed,
            reports::admin1,
            reports::admin2,
            reports::geo_precision,
            reports::cell5,
            (reports::place_lon_e6, reports::place_lat_e6),
            reports::site_distance,
            (reports::first_day, reports::last_day, reports::date_precision),
            reports::flags,
            reports::codes,
        ))
        .load(conn)?;
    Ok(rows)
}

/// Returns those of the incidents that changed after `as_of`.
fn list_changed_since(conn: &mut DbConn, as_of: i64, ids: &[i64]) -> Result<HashSet<i64>> {
    if find_head(conn)? == as_of {
        return Ok(HashSet::new());
    }
    let changed: Vec<i64> = changes::table
        .filter(changes::seq.gt(as_of))
        .filter(changes::incident_id.eq_any(ids.to_vec()))
        .select(changes::incident_id)
        .distinct()
        .load(conn)?;
    Ok(changed.into_iter().collect())
}

#[derive(Default)]
struct Children {
    categories: Vec<String>,
    harm: Harm,
    actors: Vec<String>,
}

fn load_children(conn: &mut DbConn, ids: &[i64]) -> Result<HashMap<i64, Children>> {
    let mut children: HashMap<i64, Children> = HashMap::with_capacity(ids.len());
    let categories: Vec<(i64, String)> = incident_categories::table
        .filter(incident_categories::incident_id.eq_any(ids.to_vec()))
        .order((incident_categories::incident_id, incident_categories::position))
        .select((incident_categories::incident_id, incident_categories::code))
        .load(conn)?;
    for (incident, code) in categories {
        children.entry(incident).or_default().categories.push(code);
    }
    let harm: Vec<(i64, String, String, i32, i32)> =
        incident_harm::table.filter(incident_harm::incident_id.eq_any(ids.to_vec())).load(conn)?;
    for (incident, measure, sex_age, min, max) in harm {
        children.entry(incident).or_default().harm.insert((measure, sex_age), (min, max));
    }
    let actors: Vec<(i64, String)> = incident_actors::table
        .filter(incident_actors::incident_id.eq_any(ids.to_vec()))
        .order((incident_actors::incident_id, incident_actors::actor_type))
        .load(conn)?;
    for (incident, actor) in actors {
        children.entry(incident).or_default().actors.push(actor);
    }
    Ok(children)
}

fn list_source_types(conn: &mut DbConn, ids: &[i64]) -> Result<HashMap<i64, Vec<String>>> {
    let mut sources: HashMap<i64, Vec<String>> = HashMap::new();
    for row in list_report_rows(conn, ids)? {
        let codes: ReportCodes = serde_json::from_str(&row.codes).map_err(Error::internal)?;
        let of_incident = sources.entry(row.incident_id).or_default();
        if let Some(source) = codes.source_type.filter(|source| !of_incident.contains(source)) {
            of_incident.push(source);
        }
    }
    Ok(sources)
}

fn fine_place(
    reading: &Reading<'_>,
    facts: &FactsRow,
) -> Result<Option<(Option<String>, Option<String>)>> {
    if !is_seen(reading.exact, reading.geo, facts) {
        return Ok(None);
    }
    let veil = &reading.veil;
    let cell = facts.cell7_veiled.as_deref().map(|veiled| veil.unveil_cell(veiled)).transpose()?;
    let site = facts.site_veiled.as_deref().map(|veiled| veil.unveil_site(veiled)).transpose()?;
    Ok(Some((cell.map(cells::format), site)))
}

/// A file of which a row may no longer be shown ends there; asked for again, it is another file.
fn left_sight() -> Error {
    Error::new(crate::error::Code::Unavailable)
}
