//! Reads what is compared of incidents. Texts are opened here, reduced in memory, and go no further.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::NaiveDateTime;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl,
    QueryResult, RunQueryDsl,
};
use serde_json::Value;

use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::rows::{Any, FactsRow};
use crate::db::schema::{
    data_keys, incident_categories, incident_facts, incident_harm, incidents, reports, sealed,
};
use crate::error::{Error, Result};
use crate::geo::cells::Cell;
use crate::geo::geotag::Precision;
use crate::geo::lonlat::LonLat;
use crate::ids::{Id, ReportId};
use crate::incidents::types::ReportCodes;
use crate::keys;
use crate::review::duplicates::blocks::Blocks;
use crate::review::duplicates::score::{Account, Whereabouts};
use crate::review::duplicates::told::Told;
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealed};

/// Values of one statement.
const CHUNK: usize = 1_000;
/// How far the place of an incident may be from the point it stands for, in metres, by how it is known.
const OFF_CELL_M: f64 = 1_500.0;
const OFF_SITE_M: f64 = 2_500.0;
const OFF_TOWN_M: f64 = 5_000.0;

/// An incident as it is compared, before its text is opened.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is compared; without its text.
    pub account: Account,
    /// Where it is looked for.
    pub blocks: Blocks,
    /// Its own report: the one that opened it, wherever that is now.
    report: ReportId,
    revision: i32,
    /// A reviewer put it elsewhere than its report did, so that the point of that says nothing.
    is_moved: bool,
    precision: Option<Precision>,
}

#[derive(diesel::Queryable)]
struct Row {
    incident: i64,
    opened_at: NaiveDateTime,
    facts: FactsRow,
    report: ReportId,
    revision: i32,
    submitter: Option<Vec<u8>>,
    codes: String,
    cell7_told: Option<Vec<u8>>,
}

/// Returns what is compared of these incidents. A test, and one whose own report was withdrawn or erased, is left out.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn load(conn: &mut DbConn, context: &Context, ids: &[i64]) -> Result<BTreeMap<i64, Loaded>> {
    let mut all = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = load_rows(conn, chunk)?;
        let mut categories = load_categories(conn, chunk)?;
        let mut harm = load_harm(conn, chunk)?;
        for row in rows {
            let incident = row.incident;
            let categories = categories.remove(&incident).unwrap_or_default();
            let harm = harm.remove(&incident).unwrap_or_default();
            all.insert(incident, loaded(context, row, categories, harm)?);
        }
    }
    Ok(all)
}

fn load_rows(conn: &mut DbConn, ids: &[i64]) -> QueryResult<Vec<Row>> {
    incidents::table
        .inner_join(incident_facts::table.on(incident_facts::incident_id.eq(incidents::id)))
        .inner_join(reports::table.on(reports::home_incident_id.eq(incidents::id)))
        .filter(incidents::id.eq_any(ids.to_vec()))
        .filter(reports::state.eq("active"))
        .filter(incident_facts::is_test.eq(false))
        .select((
            incidents::id,
            incidents::opened_at,
            incident_facts::all_columns,
            reports::uuid,
            reports::revision,
            reports::submitter,
            reports::codes,
            reports::cell7_veiled,
        ))
        .load(conn)
}

fn load_categories(conn: &mut DbConn, ids: &[i64]) -> QueryResult<HashMap<i64, Vec<String>>> {
    let rows: Vec<(i64, String)> = incident_categories::table
        .filter(incident_categories::incident_id.eq_any(ids.to_vec()))
        .order((incident_categories::incident_id, incident_categories::position))
        .select((incident_categories::incident_id, incident_categories::code))
        .load(conn)?;
    let mut categories: HashMap<i64, Vec<String>> = HashMap::new();
    for (incident, code) in rows {
        categories.entry(incident).or_default().push(code);
    }
    Ok(categories)
}

type Harm = BTreeMap<String, (i32, i32)>;

fn load_harm(conn: &mut DbConn, ids: &[i64]) -> QueryResult<HashMap<i64, Harm>> {
    let rows: Vec<(i64, String, i32, i32)> = incident_harm::table
        .filter(incident_harm::incident_id.eq_any(ids.to_vec()))
        .filter(incident_harm::sex_age.eq(""))
        .select((
            incident_harm::incident_id,
            incident_harm::measure,
            incident_harm::min_count,
            incident_harm::max_count,
        ))
        .load(conn)?;
    let mut harm: HashMap<i64, Harm> = HashMap::new();
    for (incident, measure, min, max) in rows {
        harm.entry(incident).or_default().insert(measure, (min, max));
    }
    Ok(harm)
}

fn loaded(context: &Context, row: Row, told: Vec<String>, harm: Harm) -> Result<Loaded> {
    let codes: ReportCodes = serde_json::from_str(&row.codes).map_err(Error::internal)?;
    let suggested = || codes.suggested.into_iter().map(|one| one.code).collect();
    let categories = if told.is_empty() { suggested() } else { told };
    let blocks = Blocks::of(&row.facts, row.opened_at);
    let precision = Precision::ALL.into_iter().find(|one| one.as_str() == row.facts.geo_precision);
    let cell = row.facts.cell7_veiled.as_deref();
    let cell = cell.map(|veiled| context.keys.place_veil().unveil_cell(veiled)).transpose()?;
    let cell = cell.and_then(|cell| Cell::parse(&crate::aggregates::cells::format(cell)));
    let off_m = match precision {
        Some(Precision::Town) => OFF_TOWN_M,
        Some(Precision::MineSite) => OFF_SITE_M,
        _ => OFF_CELL_M,
    };
    let is_moved = row.facts.cell7_veiled != row.cell7_told;
    let account = Account {
        incident: row.incident,
        place: Whereabouts {
            country: row.facts.country,
            admin1: row.facts.admin1,
            admin2: row.facts.admin2,
            site: row.facts.site_veiled,
            spot: cell.and_then(Cell::centre).map(|centre| (centre, off_m)),
        },
        days: blocks.days,
        categories,
        harm,
        submitter: row.submitter,
        told: None,
    };
    let (report, revision) = (row.report, row.revision);
    Ok(Loaded { account, blocks, report, revision, is_moved, precision })
}

/// A sealed part with its report: public id, part, version, blob, wrapped key, key id.
type SealedPart = (Id<Any>, String, i32, Vec<u8>, Vec<u8>, String);

/// What was opened a moment ago, reduced: in a flood the same texts are compared over and over. It lasts as long as the
/// backlog does.
#[derive(Debug, Default)]
pub struct Memory(HashMap<(uuid::Uuid, i32), Opened>);

/// Most reports that are remembered: some ten megabytes.
const MOST_REMEMBERED: usize = 2_000;

#[derive(Debug, Clone)]
struct Opened {
    told: Arc<Told>,
    point: Option<LonLat>,
}

/// Opens the narratives and points of these incidents, and puts what they say into their accounts. One that was shredded
/// meanwhile says nothing.
///
/// # Errors
/// When the database fails or a part does not open.
pub fn open(
    conn: &mut DbConn,
    context: &Context,
    memory: &mut Memory,
    all: &mut [&mut Loaded],
) -> Result<()> {
    if memory.0.len() + all.len() > MOST_REMEMBERED {
        memory.0.clear();
    }
    let revisions = all.iter().map(|one| (one.report.uuid(), one.revision));
    let unknown = revisions.filter(|one| !memory.0.contains_key(one)).collect();
    remember(conn, context, memory, &unknown)?;
    for one in all {
        take_in(one, memory);
    }
    Ok(())
}

fn remember(
    conn: &mut DbConn,
    context: &Context,
    memory: &mut Memory,
    revisions: &HashMap<uuid::Uuid, i32>,
) -> Result<()> {
    let mut parts: HashMap<(uuid::Uuid, Part), Value> = HashMap::new();
    let ids: Vec<uuid::Uuid> = revisions.keys().copied().collect();
    for chunk in ids.chunks(CHUNK) {
        for (report, part, version, blob, wrapped_key, key_id) in load_parts(conn, chunk)? {
            let report = report.uuid();
            if revisions.get(&report) != Some(&version) {
                continue;
            }
            let owner = Owner { kind: OwnerKind::Report, id: report };
            let (part, told) = (Part::parse(&part)?, Sealed { wrapped_key, key_id, blob });
            let version = u32::try_from(version).map_err(Error::internal)?;
            let bytes = keys::opening::open(conn, &context.sealer, (owner, part, version), &told)?;
            let value = serde_json::from_slice(&bytes).map_err(Error::internal)?;
            parts.insert((report, part), value);
        }
    }
    for (report, revision) in revisions {
        let (text, place) = (parts.get(&(*report, Part::Text)), parts.get(&(*report, Part::Place)));
        memory.0.insert((*report, *revision), opened(context, text, place));
    }
    Ok(())
}

fn load_parts(conn: &mut DbConn, reports: &[uuid::Uuid]) -> QueryResult<Vec<SealedPart>> {
    let owners: Vec<Id<Any>> = reports.iter().copied().map(Id::from_uuid).collect();
    sealed::table
        .inner_join(data_keys::table.on(sealed::key_id.eq(data_keys::id.nullable())))
        .filter(sealed::owner_id.eq_any(owners))
        .filter(
            sealed::owner_kind
                .eq(OwnerKind::Report.as_str())
                .and(sealed::part.eq_any([Part::Text.as_str(), Part::Place.as_str()])),
        )
        .select((
            sealed::owner_id,
            sealed::part,
            sealed::version,
            sealed::blob,
            data_keys::wrapped,
            data_keys::kek_id,
        ))
        .load(conn)
}

fn opened(context: &Context, text: Option<&Value>, place: Option<&Value>) -> Opened {
    let place = place.and_then(|place| place.get("location"));
    let degrees = |name: &str| place.and_then(|place| place.get(name)).and_then(Value::as_f64);
    let point = degrees("lon").zip(degrees("lat"));
    let narrative = text.and_then(|text| text.get("narrative")).and_then(Value::as_str);
    let words = place.and_then(|place| place.get("place")).and_then(Value::as_str);
    let told = Told::read(narrative.unwrap_or_default(), words, &context.classifier);
    let point = point.and_then(|(lon, lat)| LonLat::new(lon, lat).ok());
    Opened { told: Arc::new(told), point }
}

fn take_in(one: &mut Loaded, memory: &Memory) {
    let Some(opened) = memory.0.get(&(one.report.uuid(), one.revision)) else { return };
    let is_exact = one.precision == Some(Precision::Exact) && !one.is_moved;
    if let Some(point) = opened.point.filter(|_| is_exact) {
        one.account.place.spot = Some((point, 0.0));
    }
    one.account.told = Some(Arc::clone(&opened.told));
}
