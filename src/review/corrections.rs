//! Corrects an incident: what a reviewer says of a field beats its reports until it is taken back. The reports stay as
//! they were sent.

use std::collections::BTreeMap;

use diesel::{QueryDsl, RunQueryDsl};
use serde::Serialize;

use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::rows::FactsRow;
use crate::db::schema::reports;
use crate::db::sealed;
use crate::error::{Code, Error, FieldError, Result};
use crate::geo::geotag::{Flag, Geotag};
use crate::geo::lonlat::LonLat;
use crate::ids::{IncidentId, ReportId};
use crate::incidents::days::{OCCURRED, seal_occurred, settle_days};
use crate::incidents::grade::{GRADE, Grade};
use crate::incidents::opening::open_part;
use crate::incidents::store::{
    IncidentRow, find_survivor, keep_override, remove_override, set_override,
};
use crate::incidents::types::{PlaceFacts, SettledDays};
use crate::intake::occurred::Occurred;
use crate::intake::prepare::geotag;
use crate::intake::types::{ClaimedPlace, Count, Location};
use crate::review::correction::Correction;
use crate::review::decisions::Decision;
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// What a decision says of the fields of its incident, checked.
#[derive(Debug, Clone, Default)]
pub struct Corrections {
    /// Confirmed categories, primary first.
    pub categories: Correction<Vec<String>>,
    /// The settled place.
    pub place: Correction<(ClaimedPlace, Location)>,
    /// When it happened.
    pub occurred: Correction<Occurred>,
    /// Who was harmed, by measure: all there is to say of it.
    pub harm: Correction<BTreeMap<String, Count>>,
    /// `actor_type` codes: all there are.
    pub actors: Correction<Vec<String>>,
    /// 1..=5.
    pub severity: Correction<u8>,
    /// `mining_mode` code.
    pub mining_mode: Correction<String>,
    /// Whether it is only a test.
    pub is_test: Correction<bool>,
    /// The assessed grade.
    pub grade: Correction<Grade>,
}

impl Corrections {
    /// Tells whether nothing is said of any field.
    pub fn is_empty(&self) -> bool {
        let Self { categories, place, occurred, harm, actors, severity, mining_mode, .. } = self;
        categories.is_kept()
            && place.is_kept()
            && occurred.is_kept()
            && harm.is_kept()
            && actors.is_kept()
            && severity.is_kept()
            && mining_mode.is_kept()
            && self.is_test.is_kept()
            && self.grade.is_kept()
    }
}

/// Stores what a decision says of fields; returns their names. The facts are still to be derived.
///
/// # Errors
/// What is wrong with a place; the database's failure.
pub fn store(
    conn: &mut DbConn,
    context: &Context,
    decision: &Decision,
    (incident, facts): (&IncidentRow, &FactsRow),
) -> Result<Vec<&'static str>> {
    let said = &decision.corrections;
    let mut place = Correction::Keep;
    if let Correction::Set((claimed, location)) = &said.place {
        let of = (incident, facts);
        place = Correction::Set(store_place(conn, context, decision, of, (claimed, location))?);
    } else if matches!(said.place, Correction::TakeBack) {
        place = Correction::TakeBack;
    }
    let version = decision.version + 1;
    let mut pen = Pen { conn, incident: incident.id, version, written: Vec::new() };
    pen.write("categories", &said.categories)?;
    pen.write("location", &place)?;
    pen.write("harm", &said.harm)?;
    pen.write("actors", &said.actors)?;
    pen.write("severity", &said.severity)?;
    pen.write("mining_mode", &said.mining_mode)?;
    pen.write("is_test", &said.is_test)?;
    pen.write(GRADE, &said.grade)?;
    // Which days it was depends on the clock of the place as it stands now.
    pen.write(OCCURRED, &said.occurred.as_ref().map(provisional_days))?;
    let written = pen.written;
    if let Correction::Set(told) = said.occurred {
        seal_occurred(conn, &context.sealer, (incident.uuid, version), told)?;
    }
    if written.contains(&OCCURRED) || written.contains(&"location") {
        settle_days(conn, context, incident, version)?;
    }
    Ok(written)
}

fn provisional_days(told: &Occurred) -> SettledDays {
    SettledDays { span: told.span(None), is_zone_assumed: false, is_told: true }
}

/// Writes what is said of fields, for what stands and for what is remembered.
struct Pen<'a> {
    conn: &'a mut DbConn,
    incident: i64,
    version: i32,
    /// Fields of which something was said.
    written: Vec<&'static str>,
}

impl Pen<'_> {
    fn write<T: Serialize>(&mut self, field: &'static str, said: &Correction<T>) -> Result<()> {
        let value = match said {
            Correction::Keep => return Ok(()),
            Correction::TakeBack => {
                if !remove_override(self.conn, self.incident, field)? {
                    return Ok(());
                }
                None
            }
            Correction::Set(value) => {
                let value = serde_json::to_string(value).map_err(Error::internal)?;
                set_override(self.conn, self.incident, field, &value)?;
                Some(value)
            }
        };
        keep_override(self.conn, (self.incident, self.version), field, value.as_deref())?;
        self.written.push(field);
        Ok(())
    }
}

/// Places what the reviewer says, seals its words and point, and returns its columns.
fn store_place(
    conn: &mut DbConn,
    context: &Context,
    decision: &Decision,
    (incident, facts): (&IncidentRow, &FactsRow),
    told: (&ClaimedPlace, &Location),
) -> Result<PlaceFacts> {
    let (geotag, location) = settle(conn, context, incident, facts, told)?;
    let is_named = facts.country == geotag.country.as_str()
        || facts.country_computed.as_deref() == Some(geotag.country.as_str());
    if !decision.scope.has(geotag.country) && !is_named {
        return Err(outside_scope(&geotag));
    }
    let version = decision.version + 1;
    seal_location(conn, context, (decision.incident, version), &location)?;
    PlaceFacts::of(&geotag, &context.keys.place_veil())
}

fn outside_scope(geotag: &Geotag) -> Error {
    let country = geotag.country;
    Error::invalid(vec![FieldError::new(
        "/location/country",
        format!("{country} is neither yours nor one that the report names"),
        format!("{country} n'est ni des vôtres ni un pays que le rapport désigne"),
    )])
}

/// Places what the reviewer says. A country alone that the reports' own point lies in keeps that point: the reviewer
/// says that the declaration was wrong.
fn settle(
    conn: &mut DbConn,
    context: &Context,
    incident: &IncidentRow,
    facts: &FactsRow,
    (claimed, location): (&ClaimedPlace, &Location),
) -> Result<(Geotag, Location)> {
    let mut claimed = claimed.clone();
    let mut location = location.clone();
    let is_country_alone =
        claimed.point.is_none() && claimed.site.is_none() && claimed.admin1.is_none();
    let is_computed = claimed
        .country
        .is_some_and(|country| facts.country_computed.as_deref() == Some(country.as_str()));
    if is_country_alone
        && is_computed
        && let Some(point) = find_point(conn, context, incident)?
    {
        claimed.point = Some(point);
        (location.lon, location.lat) = (Some(point.lon()), Some(point.lat()));
    }
    let geotag = geotag(&context.geo(), &claimed, location.place.as_deref())?;
    if geotag.flags.contains(&Flag::CountryMismatch) {
        let (declared, computed) =
            (geotag.country, geotag.country_computed.map(|country| country.to_string()));
        let computed = computed.unwrap_or_default();
        return Err(Error::field(
            Code::CountryUnsettled,
            FieldError::new(
                "/location",
                format!("the point lies in {computed}, not in {declared}: send one that agrees"),
                format!(
                    "le point est en {computed}, pas en {declared} : envoyez un lieu concordant"
                ),
            ),
        ));
    }
    Ok((geotag, location))
}

/// Returns the point of the report that the incident has its place from.
fn find_point(
    conn: &mut DbConn,
    context: &Context,
    incident: &IncidentRow,
) -> Result<Option<LonLat>> {
    let Some(survivor) = find_survivor(conn, incident.id)? else {
        return Ok(None);
    };
    let report: ReportId = reports::table.find(survivor).select(reports::uuid).first(conn)?;
    let owner = Owner { kind: OwnerKind::Report, id: report.uuid() };
    let place = open_part(conn, &context.sealer, owner, Part::Place)?;
    let degrees = |name: &str| place.as_ref()?.pointer(&format!("/location/{name}"))?.as_f64();
    Ok(degrees("lon").zip(degrees("lat")).and_then(|(lon, lat)| LonLat::new(lon, lat).ok()))
}

fn seal_location(
    conn: &mut DbConn,
    context: &Context,
    (incident, version): (IncidentId, i32),
    location: &Location,
) -> Result<()> {
    let owner = Owner { kind: OwnerKind::Incident, id: incident.uuid() };
    let bytes = serde_json::to_vec(&serde_json::json!({ "location": location }))
        .map_err(Error::internal)?;
    let number = u32::try_from(version).map_err(Error::internal)?;
    let sealed_place = context.sealer.seal(owner, Part::Place, number, &bytes)?;
    Ok(sealed::insert_part(conn, owner, Part::Place, version, &sealed_place)?)
}
