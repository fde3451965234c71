//! Incidents and their facts in the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use serde::de::DeserializeOwned;

use crate::db::dialect::{self, DbConn};
use crate::db::rows::{FactsRow, NewActorRow, NewCategoryRow, NewHarmRow, NewIncidentRow, NewRows};
use crate::db::schema::{
    incident_actors, incident_categories, incident_departures, incident_facts, incident_harm,
    incident_overrides, incidents, override_history, reports,
};
use crate::error::{Error, Result};
use crate::ids::IncidentId;
use crate::incidents::facts::{DatePrecision, DaySpan, Status};
use crate::incidents::types::{
    Facts, Overrides, PlaceFacts, ReportCodes, ReportFacts, SuggestedCategory,
};
use crate::taxonomy::lexicon::classify::MAX_SUGGESTIONS;

/// The row of an incident itself.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct IncidentRow {
    /// Row id.
    pub id: i64,
    /// Public id.
    pub uuid: IncidentId,
    /// Rises with every decision.
    pub version: i32,
    /// Status code.
    pub status: String,
    /// Row id of the incident it was merged into.
    pub merged_into: Option<i64>,
    /// When its first report was received.
    pub opened_at: NaiveDateTime,
    /// When it last changed.
    pub updated_at: NaiveDateTime,
}

/// Returns the row of `facts`; the incident it belongs to is set when it is filed.
pub fn facts_row(facts: &Facts) -> FactsRow {
    let place = facts.place.clone();
    let is_mismatch = place.is_mismatch();
    FactsRow {
        incident_id: 0,
        country: place.country,
        country_computed: place.country_computed,
        admin1: place.admin1,
        admin2: place.admin2,
        zone: place.zone,
        geo_precision: place.geo_precision,
        cell5: place.cell5,
        place_lon_e6: place.place_lon_e6,
        place_lat_e6: place.place_lat_e6,
        cell7_veiled: place.cell7_veiled,
        site_veiled: place.site_veiled,
        site_distance: place.site_distance,
        boundary_source: place.boundary_source,
        first_day: facts.span.map(|span| span.first),
        last_day: facts.span.map(|span| span.last),
        date_precision: facts.span.map(|span| span.precision.as_str().to_owned()),
        severity: facts.severity.map(i16::from),
        mining_mode: facts.mining_mode.clone(),
        flags: facts.flags.join(" "),
        channels: facts.channels.join(" "),
        n_reports: i32::try_from(facts.n_reports).unwrap_or(i32::MAX),
        is_test: facts.is_test,
        is_mismatch,
        is_ongoing: facts.is_ongoing,
        is_at_risk: facts.is_at_risk,
    }
}

/// Adds the rows that open an incident.
pub fn add_incident(rows: &mut NewRows, id: IncidentId, facts: &Facts, now: DateTime<Utc>) {
    let opened_at = now.naive_utc();
    rows.incident = Some(NewIncidentRow {
        id: 0,
        uuid: id,
        version: 1,
        status: Status::Received.as_str(),
        opened_at,
        updated_at: opened_at,
    });
    add_facts(rows, facts);
}

fn add_facts(rows: &mut NewRows, facts: &Facts) {
    rows.facts = Some(facts_row(facts));
    let categories = (0_i32..).zip(&facts.categories);
    rows.categories.extend(categories.map(|(position, category)| NewCategoryRow {
        incident_id: 0,
        position,
        code: category.code.clone(),
        is_confirmed: category.is_confirmed,
    }));
    rows.harm.extend(facts.harm.iter().map(|((measure, sex_age), (min, max))| NewHarmRow {
        incident_id: 0,
        measure: measure.clone(),
        sex_age: sex_age.clone(),
        min_count: count_column(*min),
        max_count: count_column(*max),
    }));
    let actors = facts.actors.iter();
    rows.actors
        .extend(actors.map(|actor| NewActorRow { incident_id: 0, actor_type: actor.clone() }));
}

/// Counts of people are limited to a million at the edge.
fn count_column(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Derives the facts of an incident anew from its active reports and overrides, and stores them. Says whether it has an
/// active report; without one the facts are those of its withdrawn ones, which no count holds, or stay as they are.
///
/// # Errors
/// When the database fails or holds what cannot be read.
pub fn refresh_facts(conn: &mut DbConn, incident: i64) -> Result<bool> {
    let active = list_report_facts(conn, incident)?;
    let is_active = !active.is_empty();
    let reports = if is_active { active } else { list_facts_of(conn, incident, "withdrawn")? };
    let overrides = find_overrides(conn, incident)?;
    if let Some(mut facts) = crate::incidents::rules::derive_facts(&reports, &overrides) {
        facts.n_reports = if is_active { facts.n_reports } else { 0 };
        replace_facts(conn, incident, &facts)?;
    } else {
        diesel::update(incident_facts::table.find(incident))
            .set(incident_facts::n_reports.eq(0))
            .execute(conn)?;
    }
    Ok(is_active)
}

/// Empties the facts of an incident whose last report was erased, and what reviewers said in their place. Its countries
/// stay, so that the same people see it, and whether it was a test.
///
/// # Errors
/// When the database fails.
pub fn clear_facts(conn: &mut DbConn, incident: i64, facts: &FactsRow) -> QueryResult<()> {
    diesel::delete(incident_overrides::table.filter(incident_overrides::incident_id.eq(incident)))
        .execute(conn)?;
    diesel::delete(override_history::table.filter(override_history::incident_id.eq(incident)))
        .execute(conn)?;
    let place = PlaceFacts::of_erased(facts.country.clone(), facts.country_computed.clone());
    replace_facts(conn, incident, &Facts::of_erased(place, facts.is_test))
}

fn replace_facts(conn: &mut DbConn, incident: i64, facts: &Facts) -> QueryResult<()> {
    note_departures(conn, incident, &facts.place)?;
    diesel::delete(incident_actors::table.filter(incident_actors::incident_id.eq(incident)))
        .execute(conn)?;
    diesel::delete(incident_harm::table.filter(incident_harm::incident_id.eq(incident)))
        .execute(conn)?;
    diesel::delete(
        incident_categories::table.filter(incident_categories::incident_id.eq(incident)),
    )
    .execute(conn)?;
    diesel::delete(incident_facts::table.filter(incident_facts::incident_id.eq(incident)))
        .execute(conn)?;
    let mut rows = NewRows::default();
    add_facts(&mut rows, facts);
    rows.set_incident(incident);
    dialect::insert_rows(conn, &[&rows])
}

/// Writes down the countries from which the incident is no longer seen once `place` is its place: whoever keeps a copy
/// there is told so by the change that this belongs to.
fn note_departures(conn: &mut DbConn, incident: i64, place: &PlaceFacts) -> QueryResult<()> {
    let before: Option<(String, Option<String>)> = incident_facts::table
        .find(incident)
        .select((incident_facts::country, incident_facts::country_computed))
        .first(conn)
        .optional()?;
    let Some((country, computed)) = before else { return Ok(()) };
    let is_left =
        |code: &String| *code != place.country && place.country_computed.as_ref() != Some(code);
    let left: BTreeSet<String> = std::iter::once(country).chain(computed).filter(is_left).collect();
    for code in left {
        diesel::insert_into(incident_departures::table)
            .values((
                incident_departures::incident_id.eq(incident),
                incident_departures::country.eq(code),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// What a report's row says about facts.
#[derive(diesel::Queryable)]
struct ReportFactsRow {
    place: PlaceColumns,
    first_day: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
    date_precision: Option<String>,
    flags: String,
    codes: String,
    channel: String,
}

/// The place columns of a report.
#[derive(diesel::Queryable)]
struct PlaceColumns {
    country: String,
    country_computed: Option<String>,
    admin1: Option<String>,
    admin2: Option<String>,
    zone: Option<String>,
    geo_precision: String,
    cell5: Option<i64>,
    place_lon_e6: Option<i32>,
    place_lat_e6: Option<i32>,
    cell7_veiled: Option<Vec<u8>>,
    site_veiled: Option<Vec<u8>>,
    site_distance: Option<String>,
    boundary_source: Option<String>,
}

/// Returns the row id of the report that place, date and country of an incident come from; `None` without an active one.
///
/// # Errors
/// When the database fails.
pub fn find_survivor(conn: &mut DbConn, incident: i64) -> QueryResult<Option<i64>> {
    reports::table
        .filter(reports::incident_id.eq(incident))
        .filter(reports::state.eq("active"))
        .order((reports::home_incident_id.ne(incident).asc(), reports::id.asc()))
        .select(reports::id)
        .first(conn)
        .optional()
}

/// Returns what the active reports of an incident contribute, its home report first, then in order of arrival.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn list_report_facts(conn: &mut DbConn, incident: i64) -> Result<Vec<ReportFacts>> {
    list_facts_of(conn, incident, "active")
}

/// Like [`list_report_facts`], of the reports in this state.
fn list_facts_of(conn: &mut DbConn, incident: i64, state: &str) -> Result<Vec<ReportFacts>> {
    let rows: Vec<ReportFactsRow> = contributions()
        .filter(reports::incident_id.eq(incident))
        .filter(reports::state.eq(state))
        .order((reports::home_incident_id.ne(incident).asc(), reports::id.asc()))
        .load(conn)?;
    rows.into_iter().map(report_facts).collect()
}

/// Returns what one report contributes, by its row id.
///
/// # Errors
/// When the database fails or the row is damaged.
pub fn find_report_facts(conn: &mut DbConn, report: i64) -> Result<ReportFacts> {
    report_facts(contributions().filter(reports::id.eq(report)).first(conn)?)
}

/// Returns what some reports contribute, by row id.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn list_facts_by_id(conn: &mut DbConn, reports: &[i64]) -> Result<HashMap<i64, ReportFacts>> {
    let those = || reports::id.eq_any(reports.to_vec());
    let ids: Vec<i64> =
        reports::table.filter(those()).order(reports::id).select(reports::id).load(conn)?;
    let rows: Vec<ReportFactsRow> =
        contributions().filter(those()).order(reports::id).load(conn)?;
    ids.into_iter().zip(rows).map(|(id, row)| Ok((id, report_facts(row)?))).collect()
}

#[diesel::dsl::auto_type(no_type_alias)]
fn contributions() -> _ {
    reports::table.select((
        (
            reports::country,
            reports::country_computed,
            reports::admin1,
            reports::admin2,
            reports::zone,
            reports::geo_precision,
            reports::cell5,
            reports::place_lon_e6,
            reports::place_lat_e6,
            reports::cell7_veiled,
            reports::site_veiled,
            reports::site_distance,
            reports::boundary_source,
        ),
        reports::first_day,
        reports::last_day,
        reports::date_precision,
        reports::flags,
        reports::codes,
        reports::channel,
    ))
}

fn report_facts(row: ReportFactsRow) -> Result<ReportFacts> {
    let place = row.place;
    let all_flags: Vec<String> = split_codes(&row.flags);
    let (place_flags, flags) =
        all_flags.into_iter().partition(|flag| crate::geo::geotag::Flag::parse(flag).is_some());
    Ok(ReportFacts {
        place: PlaceFacts {
            country: place.country,
            country_computed: place.country_computed,
            admin1: place.admin1,
            admin2: place.admin2,
            zone: place.zone,
            geo_precision: place.geo_precision,
            cell5: place.cell5,
            place_lon_e6: place.place_lon_e6,
            place_lat_e6: place.place_lat_e6,
            cell7_veiled: place.cell7_veiled,
            site_veiled: place.site_veiled,
            site_distance: place.site_distance,
            boundary_source: place.boundary_source,
            flags: place_flags,
        },
        span: day_span(row.first_day, row.last_day, row.date_precision.as_deref()),
        flags,
        codes: serde_json::from_str(&row.codes).map_err(Error::internal)?,
        channel: row.channel,
    })
}

/// Returns what was suggested for the active reports of an incident.
///
/// # Shape
/// By falling score, then by code; each code once, at most five.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn list_suggested(conn: &mut DbConn, incident: i64) -> Result<Vec<SuggestedCategory>> {
    let rows: Vec<String> = reports::table
        .filter(reports::incident_id.eq(incident))
        .filter(reports::state.eq("active"))
        .select(reports::codes)
        .load(conn)?;
    let mut suggested = Vec::new();
    for codes in rows {
        let codes: ReportCodes = serde_json::from_str(&codes).map_err(Error::internal)?;
        suggested.extend(codes.suggested);
    }
    suggested.sort_by(|one, other| other.score.cmp(&one.score).then(one.code.cmp(&other.code)));
    let mut seen = BTreeSet::new();
    suggested.retain(|one: &SuggestedCategory| seen.insert(one.code.clone()));
    suggested.truncate(MAX_SUGGESTIONS);
    Ok(suggested)
}

/// Returns the codes of a space-separated column.
pub fn split_codes(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

/// Returns the span of three columns; `None` when undated.
pub fn day_span(
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
    precision: Option<&str>,
) -> Option<DaySpan> {
    Some(DaySpan { first: first?, last: last?, precision: DatePrecision::parse(precision?)? })
}

/// Returns what reviewers said of single fields.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn find_overrides(conn: &mut DbConn, incident: i64) -> Result<Overrides> {
    let rows: Vec<(String, String)> = incident_overrides::table
        .filter(incident_overrides::incident_id.eq(incident))
        .select((incident_overrides::field, incident_overrides::value))
        .load(conn)?;
    read_overrides(&rows.into_iter().collect())
}

/// Returns what reviewers had said of single fields at `version` of an incident, as it is stored, by field.
///
/// # Errors
/// When the database fails.
pub fn list_overrides_at(
    conn: &mut DbConn,
    (incident, version): (i64, i32),
) -> QueryResult<BTreeMap<String, String>> {
    let rows: Vec<(String, Option<String>)> = override_history::table
        .filter(override_history::incident_id.eq(incident))
        .filter(override_history::version.le(version))
        .order(override_history::version)
        .select((override_history::field, override_history::value))
        .load(conn)?;
    let mut values = BTreeMap::new();
    for (field, value) in rows {
        match value {
            Some(value) => values.insert(field, value),
            None => values.remove(&field),
        };
    }
    Ok(values)
}

/// Returns what is said by overrides as they are stored, by field.
///
/// # Errors
/// When one is damaged.
pub fn read_overrides(values: &BTreeMap<String, String>) -> Result<Overrides> {
    let occurred = read_override(values, "occurred")?;
    Ok(Overrides {
        categories: read_override(values, "categories")?,
        place: read_override(values, "location")?,
        days: if occurred.is_some() { occurred } else { read_override(values, "local_days")? },
        harm: read_override(values, "harm")?,
        actors: read_override(values, "actors")?,
        severity: read_override(values, "severity")?,
        mining_mode: read_override(values, "mining_mode")?,
        is_test: read_override(values, "is_test")?,
    })
}

fn read_override<T: DeserializeOwned>(
    values: &BTreeMap<String, String>,
    field: &str,
) -> Result<Option<T>> {
    let value = values.get(field).map(String::as_str);
    value.map(serde_json::from_str).transpose().map_err(Error::internal)
}

/// Tells whether a reviewer has spoken on `field`.
///
/// # Errors
/// When the database fails.
pub fn has_override(conn: &mut DbConn, incident: i64, field: &str) -> QueryResult<bool> {
    let found: Option<String> = incident_overrides::table
        .find((incident, field))
        .select(incident_overrides::field)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Stores a reviewer's word on `field`, in place of an earlier one.
///
/// # Errors
/// When the database fails.
pub fn set_override(conn: &mut DbConn, incident: i64, field: &str, value: &str) -> QueryResult<()> {
    let n_updated = diesel::update(incident_overrides::table.find((incident, field)))
        .set(incident_overrides::value.eq(value))
        .execute(conn)?;
    if n_updated == 0 {
        diesel::insert_into(incident_overrides::table)
            .values((
                incident_overrides::incident_id.eq(incident),
                incident_overrides::field.eq(field),
                incident_overrides::value.eq(value),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Lets the reports speak on `field` again; says whether a reviewer had spoken.
///
/// # Errors
/// When the database fails.
pub fn remove_override(conn: &mut DbConn, incident: i64, field: &str) -> QueryResult<bool> {
    let n_removed =
        diesel::delete(incident_overrides::table.find((incident, field))).execute(conn)?;
    Ok(n_removed == 1)
}

/// Keeps what was said of `field` at `version` of the incident; `None` where an earlier word was taken back.
///
/// # Errors
/// When the database fails.
pub fn keep_override(
    conn: &mut DbConn,
    (incident, version): (i64, i32),
    field: &str,
    value: Option<&str>,
) -> QueryResult<()> {
    // What is taken back and at once confirmed anew by verifying is said twice at one version.
    diesel::delete(override_history::table.find((incident, version, field))).execute(conn)?;
    diesel::insert_into(override_history::table)
        .values((
            override_history::incident_id.eq(incident),
            override_history::version.eq(version),
            override_history::field.eq(field),
            override_history::value.eq(value),
        ))
        .execute(conn)?;
    Ok(())
}

/// Raises the version of an incident, so that no reviewer decides in between, and returns the row as it is then.
///
/// # Errors
/// When the database fails.
pub fn lock_incident(
    conn: &mut DbConn,
    incident: i64,
    now: DateTime<Utc>,
) -> QueryResult<IncidentRow> {
    diesel::update(incidents::table.find(incident))
        .set((
            incidents::version.eq(incidents::version + 1),
            incidents::updated_at.eq(now.naive_utc()),
        ))
        .execute(conn)?;
    incidents::table.find(incident).first(conn)
}

/// Returns an incident by its public id, with the countries that decide who sees it.
///
/// # Errors
/// When the database fails.
pub fn find_incident(
    conn: &mut DbConn,
    id: IncidentId,
) -> QueryResult<Option<(IncidentRow, FactsRow)>> {
    incidents::table
        .inner_join(incident_facts::table)
        .filter(incidents::uuid.eq(id))
        .select((incidents::all_columns, incident_facts::all_columns))
        .first(conn)
        .optional()
}
