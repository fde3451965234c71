//! The Humanitarian Exchange Language: its row of tags, and the columns it knows.
//!
//! # Source
//! HXL 1.1, <https://hxlstandard.org/standard/1-1final/>. A column `#date…` holds dates alone, hence `#meta+date+precision`.

use chrono::Datelike;

use crate::aggregates::answer::{AggregateCell, HarmFigure};
use crate::aggregates::query::By;
use crate::exports::columns::{Column, columns, range};
use crate::exports::dates::enclosing;
use crate::exports::labels::Labels;
use crate::exports::rows::IncidentRecord;
use crate::exports::value::{Kind, Value};
use crate::incidents::facts::{Measure, Status};
use crate::incidents::filter::IncidentFilter;

/// Counts of one country, with what its period is and how many of them are verified.
pub struct CountryRecord {
    /// The counts.
    pub cell: AggregateCell,
    /// The filter.
    pub filter: IncidentFilter,
    /// Verified incidents.
    pub n_verified: u64,
}

impl CountryRecord {
    fn code(&self) -> Option<&str> {
        self.cell.keys.get(By::Country)
    }
}

/// One row an incident.
#[rustfmt::skip]
pub const INCIDENTS: &[Column<IncidentRecord>] = columns! {
    "event_id", Text, "incidents.id as a number, the year it was opened in before it", "#event+id+code", |row, _| Value::Text(event_id(row).into());
    "date_occurred", Date, "local days at the place; of several the month or year", "#date+occurred", |row, _| Value::text(enclosing(row.facts.first_day, row.facts.last_day, row.facts.date_precision.as_deref()));
    "date_precision", Text, "list date_precision", "#meta+date+precision", |row, _| Value::text(row.facts.date_precision.as_deref());
    "country_name", Text, "label of country", "#country+name", |row, labels| Value::text(Some(labels.country(&row.facts.country)));
    "country", Text, "ISO 3166-1 alpha-3, as declared", "#country+code+v_iso3", |row, _| Value::text(Some(&*row.facts.country));
    "admin1_name", Text, "label of admin1", "#adm1+name", |row, labels| Value::text(row.facts.admin1.as_deref().map(|code| labels.admin1(code)));
    "admin1", Text, "ISO 3166-2 or code of a boundary pack", "#adm1+code", |row, _| Value::text(row.facts.admin1.as_deref());
    "latitude", Degrees, "generalised place", "#geo+lat", |row, _| Value::degrees(row.facts.place_lat_e6);
    "longitude", Degrees, "generalised place", "#geo+lon", |row, _| Value::degrees(row.facts.place_lon_e6);
    "geo_precision", Text, "list geo_precision", "#meta+geo+precision", |row, _| Value::text(Some(&*row.facts.geo_precision));
    "event_types", Text, "taxonomy, primary first, | between", "#event+type+list", |row, _| Value::codes(&row.categories);
    "alleged_actors", Text, "list actor_type, | between", "#org+alleged+type+list", |row, _| Value::codes(&row.actors);
    "killed", Integer, "harm, at least", "#affected+killed", |row, _| at_least(row, Measure::Killed, "");
    "injured", Integer, "harm, at least", "#affected+injured", |row, _| at_least(row, Measure::Injured, "");
    "displaced", Integer, "harm, at least", "#affected+displaced", |row, _| at_least(row, Measure::Displaced, "");
    "women", Integer, "harm, at least, of the total or of the measure with most", "#affected+f+adults", |row, _| of_all(row, "f_adult");
    "girls", Integer, "harm, at least, of the total or of the measure with most", "#affected+f+children", |row, _| of_all(row, "f_child");
    "verification", Text, "status: verified, disputed, or unverified", "#status+verification", |row, _| Value::text(Some(verification(&row.incident.status)));
    "source_types", Text, "list source_type, | between", "#meta+source+type", |row, _| Value::codes(&row.source_types);
    "updated_on", Day, "UTC day of its last change; for reviewers", "#date+updated", |row, _| Value::day(row.fine_place.is_some().then(|| row.incident.updated_at.date()));
};

/// One row a country.
#[rustfmt::skip]
pub const COUNTRIES: &[Column<CountryRecord>] = columns! {
    "country_name", Text, "label of country", "#country+name", |row, labels: &Labels| Value::text(row.code().map(|code| labels.country(code)));
    "country", Text, "ISO 3166-1 alpha-3, as declared", "#country+code+v_iso3", |row, _| Value::text(row.code());
    "period_start", Day, "from", "#date+start", |row, _| Value::day(row.filter.from);
    "period_end", Day, "to", "#date+end", |row, _| Value::day(row.filter.to);
    "incidents", Integer, "count", "#event+num", |row, _| count(row.cell.figures.incidents);
    "killed", Integer, "harm, at least", "#affected+killed+num", |row, _| sum(row.cell.figures.harm.killed);
    "injured", Integer, "harm, at least", "#affected+injured+num", |row, _| sum(row.cell.figures.harm.injured);
    "displaced", Integer, "harm, at least", "#affected+displaced+num", |row, _| sum(row.cell.figures.harm.displaced);
    "verified_incidents", Integer, "count", "#event+verified+num", |row, _| count(row.n_verified);
};

/// Returns an id of the form that exchanges of events agree on; the number is the incident's UUID, so that it leads back.
fn event_id(row: &IncidentRecord) -> String {
    format!("DM-{}-{}", row.incident.opened_at.year(), row.incident.uuid.uuid().as_u128())
}

fn at_least(row: &IncidentRecord, measure: Measure, sex_age: &str) -> Value<'static> {
    Value::integer(range(row, measure.as_str(), sex_age).map(|(min, _)| min))
}

/// Returns the least number of people of one sex and age: of the total where it says, else of the measure that has most of them,
/// since one person may have been detained and injured.
fn of_all(row: &IncidentRecord, sex_age: &str) -> Value<'static> {
    let of =
        |measure: Measure| range(row, measure.as_str(), sex_age).map(|(min, _)| i64::from(min));
    let parts = Measure::ALL.into_iter().filter(|measure| *measure != Measure::AffectedTotal);
    Value::integer(of(Measure::AffectedTotal).or(parts.filter_map(of).max()))
}

fn verification(status: &str) -> &'static str {
    if status == Status::Verified.as_str() {
        "verified"
    } else if status == Status::Disputed.as_str() {
        "disputed"
    } else {
        "unverified"
    }
}

fn count(number: u64) -> Value<'static> {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Returns the least number of people, nothing where no incident states one.
fn sum(figure: Option<HarmFigure>) -> Value<'static> {
    figure.map_or(Value::Empty, |figure| count(figure.min))
}
