//! Computes the areas of stored reports anew, after a pack was imported or removed.
//!
//! A report keeps everything else: country, cell, days and zone do not depend on a pack. An area that keeps its code
//! keeps the source that first gave it. Where a reviewer settled the place of an incident, nothing is touched. A change
//! of an incident's areas is a decision of the system, so its history shows it and running servers count anew.
//!
//! Exact places are opened for this, one at a time, and shown to nobody; the words of a report only where its area
//! changed, for the area its sender declared.

use std::collections::BTreeMap;
use std::sync::Arc;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::audit::act::Act;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{incident_facts, incidents, reports};
use crate::db::writer::{ChangeKind, WriteTx};
use crate::error::{Code, Error, Result};
use crate::geo::areas::AreaId;
use crate::geo::countries::CountryCode;
use crate::geo::geotag::{Claim, Flag, Geotag};
use crate::geo::locate::Geo;
use crate::geo::lonlat::LonLat;
use crate::geo::sites::SiteId;
use crate::geodata::tally::{AreaPair, Foreseen, RetagReport, Tally};
use crate::ids::ReportId;
use crate::incidents::changing::{Moment, ReportChange as Change, keep_report};
use crate::incidents::opening::open_part;
use crate::incidents::store::{
    IncidentRow, find_survivor, has_override, refresh_facts, split_codes,
};
use crate::review::decisions::{SystemAct, record_by_system};
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// Reports read at a time.
const PAGE: i64 = 500;

/// Incidents of one write transaction: some 0.1 s, which a server on the same file waits for.
const INCIDENTS_A_WRITE: usize = 100;

/// A deadlock or a busy file passes; something that lasts does not.
const MOST_TRIES: usize = 5;

/// The flags that follow from a pack.
const AREA_FLAGS: [Flag; 3] = [Flag::Admin1Mismatch, Flag::Admin1Unsure, Flag::OffLand];

/// Whether anything is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Only say what would change.
    DryRun,
    /// Change it.
    Write,
}

/// What a report becomes.
#[derive(Debug, Clone)]
struct ReportChange {
    report: i64,
    areas: AreaPair,
    boundary_source: Option<String>,
    flags: String,
}

/// Changes by incident.
type Plan = BTreeMap<i64, Vec<ReportChange>>;

/// Computes the areas of all reports anew; `progress` is told the number of reports looked at, page by page.
///
/// # Errors
/// When the database fails or a place does not open; what earlier pages changed stays changed.
pub fn retag(
    context: &Arc<Context>,
    mode: Mode,
    progress: &mut dyn FnMut(usize),
) -> Result<RetagReport> {
    context.refresh_packs()?;
    let geo = context.geo();
    let mut tally = Tally::default();
    let mut after = 0;
    loop {
        let rows = context.db.read_here(|conn| Ok(list_page(conn, after)?))?;
        let Some(last) = rows.last() else {
            break;
        };
        after = last.id;
        tally.report.n_reports += rows.len();
        let plan = context.db.read_here(|conn| plan(conn, context, &geo, &rows, &mut tally))?;
        match mode {
            Mode::DryRun => context.db.read_here(|conn| {
                for (incident, changes) in &plan {
                    tally.add(&foresee(conn, *incident, changes)?);
                }
                Ok(())
            })?,
            Mode::Write => write(context, plan, &mut tally)?,
        }
        progress(tally.report.n_reports);
    }
    Ok(tally.finish())
}

#[derive(diesel::Queryable)]
struct PageRow {
    id: i64,
    uuid: ReportId,
    incident: i64,
    country: String,
    admin1: Option<String>,
    admin2: Option<String>,
    flags: String,
    is_mapped: bool,
}

fn list_page(conn: &mut DbConn, after: i64) -> QueryResult<Vec<PageRow>> {
    reports::table
        .filter(reports::id.gt(after))
        .filter(reports::state.ne("erased"))
        .order(reports::id)
        .limit(PAGE)
        .select((
            reports::id,
            reports::uuid,
            reports::incident_id,
            reports::country,
            reports::admin1,
            reports::admin2,
            reports::flags,
            reports::cell5.is_not_null(),
        ))
        .load(conn)
}

fn plan(
    conn: &mut DbConn,
    context: &Context,
    geo: &Geo,
    rows: &[PageRow],
    tally: &mut Tally,
) -> Result<Plan> {
    let mut plan = Plan::new();
    for row in rows {
        match retag_report(conn, context, geo, row)? {
            Retagged::Same => {}
            Retagged::Unplaced => tally.report.n_unplaced += 1,
            Retagged::Other(change) => plan.entry(row.incident).or_default().push(change),
        }
    }
    Ok(plan)
}

enum Retagged {
    Same,
    Unplaced,
    Other(ReportChange),
}

fn retag_report(
    conn: &mut DbConn,
    context: &Context,
    geo: &Geo,
    row: &PageRow,
) -> Result<Retagged> {
    let owner = Owner { kind: OwnerKind::Report, id: row.uuid.uuid() };
    let place = open_part(conn, &context.sealer, owner, Part::Place)?;
    let Some(claim) = place.as_ref().and_then(|place| claim_of(row, place)) else {
        return Ok(Retagged::Same);
    };
    let Ok(geotag) = geo.geotag(&claim) else {
        return Ok(Retagged::Unplaced);
    };
    if areas_of(row, &geotag) == areas_before(row) {
        return Ok(Retagged::Same);
    }
    let text = open_part(conn, &context.sealer, owner, Part::Text)?;
    let declared = text.as_ref().and_then(|text| text.pointer("/location/admin1")?.as_str());
    let admin1 = declared.and_then(AreaId::parse).filter(|id| geo.areas().get(id).is_some());
    let Ok(geotag) = geo.geotag(&Claim { admin1, ..claim }) else {
        return Ok(Retagged::Unplaced);
    };
    let areas = areas_of(row, &geotag);
    if areas == areas_before(row) {
        return Ok(Retagged::Same);
    }
    Ok(Retagged::Other(ReportChange {
        report: row.id,
        areas,
        boundary_source: geotag.boundary_source(),
        flags: flags_of(row, &geotag),
    }))
}

/// Returns the claim to weigh anew, with the country that was settled then; `None` where no point, site or town gave
/// the areas.
fn claim_of(row: &PageRow, place: &serde_json::Value) -> Option<Claim> {
    let degrees = |name: &str| place.pointer(&format!("/location/{name}"))?.as_f64();
    let point =
        degrees("lon").zip(degrees("lat")).and_then(|(lon, lat)| LonLat::new(lon, lat).ok());
    let site = place.pointer("/location/site").and_then(serde_json::Value::as_str);
    let site = site.and_then(SiteId::parse);
    let words = place.pointer("/location/place").and_then(serde_json::Value::as_str);
    let country = CountryCode::from_alpha3(&row.country);
    let is_placed = row.is_mapped || site.is_some();
    is_placed.then_some(Claim {
        country,
        admin1: None,
        site,
        point,
        place: words.map(str::to_owned),
    })
}

fn areas_before(row: &PageRow) -> AreaPair {
    AreaPair { admin1: row.admin1.clone(), admin2: row.admin2.clone() }
}

/// Where no area is computed, the declared one stays.
fn areas_of(row: &PageRow, geotag: &Geotag) -> AreaPair {
    let text = |area: &AreaId| area.as_str().to_owned();
    AreaPair {
        admin1: geotag.admin1.as_ref().map(text).or_else(|| row.admin1.clone()),
        admin2: geotag.admin2.as_ref().map(text),
    }
}

fn flags_of(row: &PageRow, geotag: &Geotag) -> String {
    let mut flags = split_codes(&row.flags);
    flags.retain(|flag| !AREA_FLAGS.iter().any(|area_flag| area_flag.as_str() == flag));
    let raised = AREA_FLAGS.iter().filter(|flag| geotag.flags.contains(flag));
    flags.extend(raised.map(|flag| flag.as_str().to_owned()));
    flags.join(" ")
}

fn foresee(conn: &mut DbConn, incident: i64, changes: &[ReportChange]) -> Result<Foreseen> {
    let (country, admin1, admin2) = incident_facts::table
        .find(incident)
        .select((incident_facts::country, incident_facts::admin1, incident_facts::admin2))
        .first(conn)?;
    let before = AreaPair { admin1, admin2 };
    let survivor = find_survivor(conn, incident)?;
    let after = changes.iter().find(|change| Some(change.report) == survivor);
    Ok(Foreseen {
        country,
        is_kept: has_override(conn, incident, "location")?,
        after: after.map_or_else(|| before.clone(), |change| change.areas.clone()),
        before,
    })
}

fn write(context: &Arc<Context>, plan: Plan, tally: &mut Tally) -> Result<()> {
    let mut plan = plan.into_iter().peekable();
    while plan.peek().is_some() {
        let some: Vec<(i64, Vec<ReportChange>)> = plan.by_ref().take(INCIDENTS_A_WRITE).collect();
        let foreseen = write_some(context, &Arc::new(some))?;
        for foreseen in &foreseen {
            tally.add(foreseen);
        }
    }
    Ok(())
}

/// Writes a few incidents; again where a server on the same database was in the way.
fn write_some(
    context: &Arc<Context>,
    some: &Arc<Vec<(i64, Vec<ReportChange>)>>,
) -> Result<Vec<Foreseen>> {
    let mut n_tries = 1;
    loop {
        let (shared, some) = (Arc::clone(context), Arc::clone(some));
        let written = context.db.write_here(move |tx| {
            some.iter().map(|(incident, changes)| apply(tx, &shared, *incident, changes)).collect()
        });
        match written {
            Err(error) if error.code == Code::Unavailable && n_tries < MOST_TRIES => n_tries += 1,
            other => return other,
        }
    }
}

fn apply(
    tx: &mut WriteTx<'_>,
    context: &Context,
    incident: i64,
    changes: &[ReportChange],
) -> Result<Foreseen> {
    let row = lock_incident(tx.conn, incident)?;
    let foreseen = foresee(tx.conn, incident, changes)?;
    if foreseen.is_kept {
        return Ok(foreseen);
    }
    let fields = foreseen.fields();
    let now = context.clock.now();
    for change in changes {
        // What changes no fact of the incident makes no version of it.
        if !fields.is_empty() {
            let moment = Moment { incident, version: row.version + 1, now };
            keep_report(tx.conn, change.report, moment, Change::Retagged)?;
        }
        diesel::update(
            reports::table
                .filter(reports::id.eq(change.report))
                .filter(reports::incident_id.eq(incident))
                .filter(reports::state.ne("erased")),
        )
        .set((
            reports::admin1.eq(&change.areas.admin1),
            reports::admin2.eq(&change.areas.admin2),
            reports::boundary_source.eq(&change.boundary_source),
            reports::flags.eq(&change.flags),
        ))
        .execute(tx.conn)?;
    }
    refresh_facts(tx.conn, incident)?;
    if !fields.is_empty() {
        let source = changes.iter().find_map(|change| change.boundary_source.as_deref());
        let reason = format!("areas computed anew: {}", source.unwrap_or("no pack has them"));
        let act = SystemAct { act: Act::Retagged, fields: &fields, reason: &reason };
        record_by_system(tx, &context.sealer, &row, act, now)?;
        tx.changed(incident, ChangeKind::Decided);
    }
    Ok(foreseen)
}

/// Locks the row until the commit, so that no reviewer decides in between, and returns it.
fn lock_incident(conn: &mut DbConn, incident: i64) -> Result<IncidentRow> {
    diesel::update(incidents::table.find(incident))
        .set(incidents::version.eq(incidents::version))
        .execute(conn)?;
    let row = incidents::table.find(incident).first(conn).optional()?;
    row.ok_or_else(|| Error::internal("a report belongs to no incident"))
}
