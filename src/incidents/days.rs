//! The local days of an incident whose time or place a reviewer settled: a corrected place may have another clock than
//! the one its reports were read on, and a corrected time is read on the clock of the place.

use chrono_tz::Tz;
use diesel::{QueryDsl, RunQueryDsl};
use serde_json::{Value, json};

use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::reports;
use crate::db::sealed;
use crate::error::{Error, Result};
use crate::geo::countries::Country;
use crate::geo::locate::Geo;
use crate::ids::{IncidentId, ReportId};
use crate::incidents::opening::open_part;
use crate::incidents::store::{
    IncidentRow, find_incident, find_overrides, find_report_facts, find_survivor, has_override,
    keep_override, refresh_facts, remove_override, set_override,
};
use crate::incidents::types::{PlaceFacts, SettledDays};
use crate::intake::fields;
use crate::intake::occurred::Occurred;
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealer};

/// The override of a time that a reviewer told.
pub const OCCURRED: &str = "occurred";
/// The override that follows from a settled place; nobody told it.
pub const LOCAL_DAYS: &str = "local_days";

/// Derives the facts of an incident anew after its reports changed, the days on the clock of its place among them. Says
/// whether it has an active report.
///
/// # Errors
/// When the database fails or a report does not open.
pub fn rederive(conn: &mut DbConn, context: &Context, incident: &IncidentRow) -> Result<bool> {
    settle_days(conn, context, incident, incident.version)?;
    refresh_facts(conn, incident.id)
}

/// Reads the time of an incident on the clock of its place, where a reviewer settled one of the two; `version` is the one
/// that the incident has with it.
///
/// # Errors
/// When the database fails or what was told does not open.
pub fn settle_days(
    conn: &mut DbConn,
    context: &Context,
    incident: &IncidentRow,
    version: i32,
) -> Result<()> {
    let overrides = find_overrides(conn, incident.id)?;
    let is_told = has_override(conn, incident.id, OCCURRED)?;
    let survivor = find_survivor(conn, incident.id)?;
    let field = if is_told { OCCURRED } else { LOCAL_DAYS };
    let (true, Some(survivor)) = (is_told || overrides.place.is_some(), survivor) else {
        return forget_days(conn, (incident.id, version));
    };
    let told = if is_told {
        open_occurred(conn, &context.sealer, owner_of(incident.uuid))?
    } else {
        let report: ReportId = reports::table.find(survivor).select(reports::uuid).first(conn)?;
        let owner = Owner { kind: OwnerKind::Report, id: report.uuid() };
        // A day is the same day everywhere; only an instant depends on the clock.
        open_occurred(conn, &context.sealer, owner)?
            .filter(|told| matches!(told, Occurred::Instant { .. }))
    };
    let Some(told) = told else {
        return forget_days(conn, (incident.id, version));
    };
    let place = match overrides.place {
        Some(place) => place,
        None => find_report_facts(conn, survivor)?.place,
    };
    let days = read_days(&context.geo(), told, &place, is_told);
    let value = serde_json::to_string(&days).map_err(Error::internal)?;
    set_override(conn, incident.id, field, &value)?;
    Ok(keep_override(conn, (incident.id, version), field, Some(&value))?)
}

/// Lets the days be those of the reports again.
fn forget_days(conn: &mut DbConn, (incident, version): (i64, i32)) -> Result<()> {
    if remove_override(conn, incident, LOCAL_DAYS)? {
        keep_override(conn, (incident, version), LOCAL_DAYS, None)?;
    }
    Ok(())
}

/// Returns the days of `told` on the clock of `place`. An instant told in UTC needs a zone: without one of the place the
/// country's first is taken.
fn read_days(geo: &Geo, told: Occurred, place: &PlaceFacts, is_told: bool) -> SettledDays {
    let zone: Option<Tz> = place.zone.as_deref().and_then(|zone| zone.parse().ok());
    let assumed = if zone.is_none() && told.needs_zone() {
        geo.countries().find(&place.country).map(Country::first_zone)
    } else {
        None
    };
    SettledDays { span: told.span(zone.or(assumed)), is_zone_assumed: assumed.is_some(), is_told }
}

/// Seals the time that a reviewer told, to be read again when the place is corrected.
///
/// # Errors
/// When the database fails or it cannot be sealed.
pub fn seal_occurred(
    conn: &mut DbConn,
    sealer: &Sealer,
    (incident, version): (IncidentId, i32),
    told: Occurred,
) -> Result<()> {
    let owner = owner_of(incident);
    let bytes =
        serde_json::to_vec(&json!({ "occurred": told.canonical() })).map_err(Error::internal)?;
    let number = u32::try_from(version).map_err(Error::internal)?;
    let content = sealer.seal(owner, Part::Text, number, &bytes)?;
    Ok(sealed::insert_part(conn, owner, Part::Text, version, &content)?)
}

/// Opens what reviewers settled of time and exact place, in the form they sent it; `None` where they settled neither.
/// Whoever calls has asked the policy and written the audit entry.
///
/// # Errors
/// When the database fails or a part does not open.
pub fn open_settled(
    conn: &mut DbConn,
    sealer: &Sealer,
    incident: IncidentId,
) -> Result<Option<Value>> {
    let Some((row, _)) = find_incident(conn, incident)? else {
        return Ok(None);
    };
    let owner = owner_of(incident);
    let mut settled = None;
    for (field, part) in [(OCCURRED, Part::Text), ("location", Part::Place)] {
        if has_override(conn, row.id, field)?
            && let Some(opened) = open_part(conn, sealer, owner, part)?
        {
            settled = Some(fields::join(settled.unwrap_or_else(|| json!({})), [opened]));
        }
    }
    Ok(settled)
}

fn owner_of(incident: IncidentId) -> Owner {
    Owner { kind: OwnerKind::Incident, id: incident.uuid() }
}

fn open_occurred(conn: &mut DbConn, sealer: &Sealer, owner: Owner) -> Result<Option<Occurred>> {
    let text = open_part(conn, sealer, owner, Part::Text)?;
    let told = text.as_ref().and_then(|text| text.get("occurred")?.as_str());
    Ok(told.and_then(Occurred::parse))
}
