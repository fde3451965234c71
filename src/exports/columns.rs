//! The one list of columns: what is exported of what, in every format. `api-spec/columns.csv` says the same to those who
//! read the files.
//!
//! Columns are added at the end and never change their meaning.

use std::borrow::Cow;
use std::rc::Rc;

use chrono::NaiveDate;

use crate::aggregates::cells;
use crate::aggregates::query::By;
use crate::db::rows::FactsRow;
use crate::exports::dates::written;
use crate::exports::labels::Labels;
use crate::exports::rows::{IncidentRecord, ReportRecord};
use crate::exports::value::{Heading, Kind, Value};
use crate::incidents::facts::Measure;
use crate::taxonomy::lists::ListName;

/// A column of rows `R`.
pub struct Column<R: 'static> {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Where it comes from.
    pub source: &'static str,
    /// Its HXL tag; empty where it has none.
    pub hxl: &'static str,
    /// What it says of a row.
    pub value: for<'r> fn(&'r R, &'r Labels) -> Value<'r>,
}

impl<R> Column<R> {
    /// Returns its name and kind.
    pub fn heading(&self) -> Heading {
        Heading { name: Cow::Borrowed(self.name), kind: self.kind, hxl: self.hxl }
    }
}

/// People of one measure in an incident.
pub struct HarmRecord {
    /// The incident.
    pub incident: Rc<IncidentRecord>,
    /// The measure.
    pub measure: Measure,
    /// At least, at most.
    pub range: (i32, i32),
}

/// One kind of actor in an incident.
pub struct ActorRecord {
    /// The incident.
    pub incident: Rc<IncidentRecord>,
    /// `actor_type` code.
    pub actor: String,
}

/// Makes a list of columns: name, kind, source, HXL tag, value.
macro_rules! columns {
    ($($name:literal, $kind:ident, $source:literal, $hxl:literal, $value:expr;)*) => {
        &[$(Column { name: $name, kind: Kind::$kind, source: $source, hxl: $hxl, value: $value },)*]
    };
}
pub(crate) use columns;

/// Returns the least people of a measure in an incident.
fn least(row: &IncidentRecord, measure: Measure) -> Value<'static> {
    Value::integer(range(row, measure.as_str(), "").map(|(min, _)| min))
}

fn most(row: &IncidentRecord, measure: Measure) -> Value<'static> {
    Value::integer(range(row, measure.as_str(), "").map(|(_, max)| max))
}

/// Returns how many people of a measure an incident states, of one sex and age or in all.
pub fn range(row: &IncidentRecord, measure: &str, sex_age: &str) -> Option<(i32, i32)> {
    row.harm.get(&(measure.to_owned(), sex_age.to_owned())).copied()
}

fn said(row: &ReportRecord, measure: Measure) -> Option<(u32, u32)> {
    row.codes.harm.get(measure.as_str()).map(|count| (count.min, count.max))
}

/// Returns when something happened as precisely as it is known.
pub fn occurred_on(facts: &FactsRow) -> Option<String> {
    written(facts.first_day, facts.last_day, facts.date_precision.as_deref())
}

fn label<'r>(labels: &'r Labels, list: ListName, code: Option<&'r str>) -> Value<'r> {
    Value::text(code.map(|code| labels.list(list, code)))
}

fn theme(code: &str) -> &str {
    code.split('.').next().unwrap_or(code)
}

fn cell(cell5: Option<i64>) -> Value<'static> {
    Value::text(cell5.map(|cell| cells::format(cell.cast_unsigned())))
}

fn fine(row: &IncidentRecord) -> (Option<&str>, Option<&str>) {
    match &row.fine_place {
        Some((cell, site)) => (cell.as_deref(), site.as_deref()),
        None => (None, None),
    }
}

fn updated_on(row: &IncidentRecord) -> Option<NaiveDate> {
    row.fine_place.is_some().then(|| row.incident.updated_at.date())
}

/// One row an incident.
#[rustfmt::skip]
pub const INCIDENTS: &[Column<IncidentRecord>] = columns! {
    "id", Text, "incident", "#event+id+code", |row, _| Value::Text(row.incident.uuid.to_string().into());
    "version", Integer, "incident", "", |row, _| Value::Integer(row.incident.version.into());
    "status", Text, "list status", "", |row, _| Value::text(Some(&*row.incident.status));
    "status_label", Text, "label of status", "", |row, labels| label(labels, ListName::Status, Some(&row.incident.status));
    "occurred_on", Date, "local days at the place", "#date+occurred", |row, _| Value::text(occurred_on(&row.facts));
    "date_precision", Text, "list date_precision", "#meta+date+precision", |row, _| Value::text(row.facts.date_precision.as_deref());
    "date_precision_label", Text, "label of date_precision", "", |row, labels| label(labels, ListName::DatePrecision, row.facts.date_precision.as_deref());
    "first_day", Day, "local days at the place", "", |row, _| Value::day(row.facts.first_day);
    "last_day", Day, "local days at the place", "", |row, _| Value::day(row.facts.last_day);
    "country", Text, "ISO 3166-1 alpha-3, as declared", "#country+code+v_iso3", |row, _| Value::text(Some(&*row.facts.country));
    "country_name", Text, "label of country", "#country+name", |row, labels| Value::text(Some(labels.country(&row.facts.country)));
    "country_computed", Text, "ISO 3166-1 alpha-3, by the point", "", |row, _| Value::text(row.facts.country_computed.as_deref());
    "admin1", Text, "ISO 3166-2 or code of a boundary pack", "#adm1+code", |row, _| Value::text(row.facts.admin1.as_deref());
    "admin1_name", Text, "label of admin1", "#adm1+name", |row, labels| Value::text(row.facts.admin1.as_deref().map(|code| labels.admin1(code)));
    "admin2", Text, "code of a boundary pack", "", |row, _| Value::text(row.facts.admin2.as_deref());
    "admin2_name", Text, "label of admin2", "", |row, labels| Value::text(row.facts.admin2.as_deref().map(|code| labels.admin2(code)));
    "geo_precision", Text, "list geo_precision", "#meta+geo+precision", |row, _| Value::text(Some(&*row.facts.geo_precision));
    "geo_precision_label", Text, "label of geo_precision", "", |row, labels| label(labels, ListName::GeoPrecision, Some(&row.facts.geo_precision));
    "latitude", Degrees, "generalised place", "#geo+lat", |row, _| Value::degrees(row.facts.place_lat_e6);
    "longitude", Degrees, "generalised place", "#geo+lon", |row, _| Value::degrees(row.facts.place_lon_e6);
    "cell", Text, "H3 cell at resolution 5", "", |row, _| cell(row.facts.cell5);
    "site_distance", Text, "band of the distance to the nearest site", "", |row, _| Value::text(row.facts.site_distance.as_deref());
    "theme", Text, "taxonomy, of the primary category", "", |row, _| Value::text(row.categories.first().map(|code| theme(code)));
    "theme_label", Text, "label of theme", "", |row, labels| Value::text(row.categories.first().map(|code| labels.category(theme(code))));
    "category", Text, "taxonomy, the primary one", "", |row, _| Value::text(row.categories.first().map(String::as_str));
    "category_label", Text, "label of category", "", |row, labels| Value::text(row.categories.first().map(|code| labels.category(code)));
    "categories", Text, "taxonomy, primary first, | between", "#event+type+list", |row, _| Value::codes(&row.categories);
    "categories_labels", Text, "labels of categories", "", |row, labels| Value::codes(row.categories.iter().map(|code| labels.category(code)));
    "severity", Integer, "list severity", "", |row, _| Value::integer(row.facts.severity);
    "mining_mode", Text, "list mining_mode", "", |row, _| Value::text(row.facts.mining_mode.as_deref());
    "mining_mode_label", Text, "label of mining_mode", "", |row, labels| label(labels, ListName::MiningMode, row.facts.mining_mode.as_deref());
    "actors", Text, "list actor_type, | between", "#org+alleged+type+list", |row, _| Value::codes(&row.actors);
    "actors_labels", Text, "labels of actors", "", |row, labels| Value::codes(row.actors.iter().map(|code| labels.list(ListName::ActorType, code)));
    "channels", Text, "channel codes, | between", "", |row, _| Value::codes(row.facts.channels.split_ascii_whitespace());
    "flags", Text, "flag codes, | between", "", |row, _| Value::codes(row.facts.flags.split_ascii_whitespace());
    "reports", Integer, "active reports", "", |row, _| Value::Integer(row.facts.n_reports.into());
    "killed_min", Integer, "harm", "#affected+killed", |row, _| least(row, Measure::Killed);
    "killed_max", Integer, "harm", "", |row, _| most(row, Measure::Killed);
    "injured_min", Integer, "harm", "#affected+injured", |row, _| least(row, Measure::Injured);
    "injured_max", Integer, "harm", "", |row, _| most(row, Measure::Injured);
    "missing_min", Integer, "harm", "", |row, _| least(row, Measure::Missing);
    "missing_max", Integer, "harm", "", |row, _| most(row, Measure::Missing);
    "detained_min", Integer, "harm", "", |row, _| least(row, Measure::Detained);
    "detained_max", Integer, "harm", "", |row, _| most(row, Measure::Detained);
    "displaced_min", Integer, "harm", "#affected+displaced", |row, _| least(row, Measure::Displaced);
    "displaced_max", Integer, "harm", "", |row, _| most(row, Measure::Displaced);
    "sexual_violence_survivors_min", Integer, "harm", "", |row, _| least(row, Measure::SexualViolenceSurvivors);
    "sexual_violence_survivors_max", Integer, "harm", "", |row, _| most(row, Measure::SexualViolenceSurvivors);
    "affected_total_min", Integer, "harm", "", |row, _| least(row, Measure::AffectedTotal);
    "affected_total_max", Integer, "harm", "", |row, _| most(row, Measure::AffectedTotal);
    "ongoing", Boolean, "some report says that it goes on", "", |row, _| Value::Boolean(row.facts.is_ongoing);
    "at_risk", Boolean, "some source is in danger", "", |row, _| Value::Boolean(row.facts.is_at_risk);
    "test", Boolean, "a trial entry", "", |row, _| Value::Boolean(row.facts.is_test);
    "merged_into", Text, "incident", "", |row, _| Value::text(row.merged_into.map(|id| id.to_string()));
    "opened_on", Day, "UTC day of its first report", "", |row, _| Value::Day(row.incident.opened_at.date());
    "updated_on", Day, "UTC day of its last change; for reviewers", "#date+updated", |row, _| Value::day(updated_on(row));
    "site", Text, "nearest known site; for reviewers", "", |row, _| Value::text(fine(row).1);
    "cell7", Text, "H3 cell at resolution 7; for reviewers", "", |row, _| Value::text(fine(row).0);
    "is_newer", Boolean, "it changed while the file was made", "", |row, _| Value::Boolean(row.is_newer);
};

/// One row an active report of the selected incidents.
#[rustfmt::skip]
pub const REPORTS: &[Column<ReportRecord>] = columns! {
    "id", Text, "report", "", |row, _| Value::Text(row.row.uuid.to_string().into());
    "incident_id", Text, "incidents.id", "", |row, _| Value::Text(row.incident.to_string().into());
    "revision", Integer, "report", "", |row, _| Value::Integer(row.row.revision.into());
    "channel", Text, "channel codes", "", |row, _| Value::text(Some(&*row.row.channel));
    "received_on", Day, "UTC day", "", |row, _| Value::Day(row.row.received_at.date());
    "occurred_on", Date, "local days at the place", "", |row, _| Value::text(written(row.row.days.0, row.row.days.1, row.row.days.2.as_deref()));
    "date_precision", Text, "list date_precision", "", |row, _| Value::text(row.row.days.2.as_deref());
    "first_day", Day, "local days at the place", "", |row, _| Value::day(row.row.days.0);
    "last_day", Day, "local days at the place", "", |row, _| Value::day(row.row.days.1);
    "country", Text, "ISO 3166-1 alpha-3, as declared", "", |row, _| Value::text(Some(&*row.row.country));
    "country_name", Text, "label of country", "", |row, labels| Value::text(Some(labels.country(&row.row.country)));
    "country_computed", Text, "ISO 3166-1 alpha-3, by the point", "", |row, _| Value::text(row.row.country_computed.as_deref());
    "admin1", Text, "ISO 3166-2 or code of a boundary pack", "", |row, _| Value::text(row.row.admin1.as_deref());
    "admin1_name", Text, "label of admin1", "", |row, labels| Value::text(row.row.admin1.as_deref().map(|code| labels.admin1(code)));
    "admin2", Text, "code of a boundary pack", "", |row, _| Value::text(row.row.admin2.as_deref());
    "admin2_name", Text, "label of admin2", "", |row, labels| Value::text(row.row.admin2.as_deref().map(|code| labels.admin2(code)));
    "geo_precision", Text, "list geo_precision", "", |row, _| Value::text(Some(&*row.row.geo_precision));
    "latitude", Degrees, "generalised place", "", |row, _| Value::degrees(row.row.place.1);
    "longitude", Degrees, "generalised place", "", |row, _| Value::degrees(row.row.place.0);
    "cell", Text, "H3 cell at resolution 5", "", |row, _| cell(row.row.cell5);
    "site_distance", Text, "band of the distance to the nearest site", "", |row, _| Value::text(row.row.site_distance.as_deref());
    "categories", Text, "taxonomy, primary first, | between", "", |row, _| Value::codes(&row.codes.categories);
    "categories_labels", Text, "labels of categories", "", |row, labels| Value::codes(row.codes.categories.iter().map(|code| labels.category(code)));
    "actor_types", Text, "list actor_type, | between", "", |row, _| Value::codes(row.codes.actors.iter().map(|actor| &actor.kind));
    "actor_roles", Text, "list actor_role, | between", "", |row, _| Value::codes(row.codes.actors.iter().filter_map(|actor| actor.role.as_ref()));
    "severity", Integer, "list severity", "", |row, _| Value::integer(row.codes.severity);
    "mining_mode", Text, "list mining_mode", "", |row, _| Value::text(row.codes.mining_mode.as_deref());
    "language", Text, "ISO 639", "", |row, _| Value::text(row.codes.language.as_deref());
    "source_type", Text, "list source_type", "", |row, _| Value::text(row.codes.source_type.as_deref());
    "source_type_label", Text, "label of source_type", "", |row, labels| label(labels, ListName::SourceType, row.codes.source_type.as_deref());
    "source_reliability", Text, "list source_reliability", "", |row, _| Value::text(row.codes.source_reliability.as_deref());
    "consent", Text, "list consent", "", |row, _| Value::text(row.codes.consent.as_deref());
    "killed_min", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::Killed).map(|(min, _)| min));
    "killed_max", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::Killed).map(|(_, max)| max));
    "injured_min", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::Injured).map(|(min, _)| min));
    "injured_max", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::Injured).map(|(_, max)| max));
    "missing_min", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::Missing).map(|(min, _)| min));
    "missing_max", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::Missing).map(|(_, max)| max));
    "detained_min", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::Detained).map(|(min, _)| min));
    "detained_max", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::Detained).map(|(_, max)| max));
    "displaced_min", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::Displaced).map(|(min, _)| min));
    "displaced_max", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::Displaced).map(|(_, max)| max));
    "sexual_violence_survivors_min", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::SexualViolenceSurvivors).map(|(min, _)| min));
    "sexual_violence_survivors_max", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::SexualViolenceSurvivors).map(|(_, max)| max));
    "affected_total_min", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::AffectedTotal).map(|(min, _)| min));
    "affected_total_max", Integer, "harm", "", |row, _| Value::integer(said(row, Measure::AffectedTotal).map(|(_, max)| max));
    "ongoing", Boolean, "it goes on", "", |row, _| Value::Boolean(row.codes.is_ongoing);
    "at_risk", Boolean, "the source is in danger", "", |row, _| Value::Boolean(row.codes.is_at_risk);
    "test", Boolean, "a trial entry", "", |row, _| Value::Boolean(row.codes.is_test);
    "flags", Text, "flag codes, | between", "", |row, _| Value::codes(row.row.flags.split_ascii_whitespace());
    "is_newer", Boolean, "its incident changed while the file was made", "", |row, _| Value::Boolean(row.is_newer);
};

/// One row a measure that an incident states.
#[rustfmt::skip]
pub const HARM: &[Column<HarmRecord>] = columns! {
    "incident_id", Text, "incidents.id", "", |row, _| Value::Text(row.incident.incident.uuid.to_string().into());
    "country", Text, "ISO 3166-1 alpha-3, as declared", "", |row, _| Value::text(Some(&*row.incident.facts.country));
    "occurred_on", Date, "local days at the place", "", |row, _| Value::text(occurred_on(&row.incident.facts));
    "date_precision", Text, "list date_precision", "", |row, _| Value::text(row.incident.facts.date_precision.as_deref());
    "measure", Text, "list affected_count", "", |row, _| Value::text(Some(row.measure.as_str()));
    "measure_label", Text, "label of measure", "", |row, labels| label(labels, ListName::AffectedCount, Some(row.measure.as_str()));
    "min", Integer, "at least", "", |row, _| Value::Integer(row.range.0.into());
    "max", Integer, "at most", "", |row, _| Value::Integer(row.range.1.into());
    "f_adult_min", Integer, "list sex_age", "", |row, _| part(row, "f_adult").0;
    "f_adult_max", Integer, "list sex_age", "", |row, _| part(row, "f_adult").1;
    "m_adult_min", Integer, "list sex_age", "", |row, _| part(row, "m_adult").0;
    "m_adult_max", Integer, "list sex_age", "", |row, _| part(row, "m_adult").1;
    "f_child_min", Integer, "list sex_age", "", |row, _| part(row, "f_child").0;
    "f_child_max", Integer, "list sex_age", "", |row, _| part(row, "f_child").1;
    "m_child_min", Integer, "list sex_age", "", |row, _| part(row, "m_child").0;
    "m_child_max", Integer, "list sex_age", "", |row, _| part(row, "m_child").1;
    "unknown_min", Integer, "list sex_age", "", |row, _| part(row, "unknown").0;
    "unknown_max", Integer, "list sex_age", "", |row, _| part(row, "unknown").1;
    "is_newer", Boolean, "its incident changed while the file was made", "", |row, _| Value::Boolean(row.incident.is_newer);
};

fn part(row: &HarmRecord, sex_age: &str) -> (Value<'static>, Value<'static>) {
    let range = range(&row.incident, row.measure.as_str(), sex_age);
    (Value::integer(range.map(|(min, _)| min)), Value::integer(range.map(|(_, max)| max)))
}

/// One row a kind of actor in an incident.
#[rustfmt::skip]
pub const ACTORS: &[Column<ActorRecord>] = columns! {
    "incident_id", Text, "incidents.id", "", |row, _| Value::Text(row.incident.incident.uuid.to_string().into());
    "country", Text, "ISO 3166-1 alpha-3, as declared", "", |row, _| Value::text(Some(&*row.incident.facts.country));
    "occurred_on", Date, "local days at the place", "", |row, _| Value::text(occurred_on(&row.incident.facts));
    "date_precision", Text, "list date_precision", "", |row, _| Value::text(row.incident.facts.date_precision.as_deref());
    "actor", Text, "list actor_type", "", |row, _| Value::text(Some(&*row.actor));
    "actor_label", Text, "label of actor", "", |row, labels| label(labels, ListName::ActorType, Some(&row.actor));
    "is_newer", Boolean, "its incident changed while the file was made", "", |row, _| Value::Boolean(row.incident.is_newer);
};

/// Returns the name of the column with the label of a grouping's keys; `None` where keys have none.
pub fn label_name(by: By) -> Option<&'static str> {
    match by {
        By::Country => Some("country_name"),
        By::Region => Some("region_name"),
        By::Admin1 => Some("admin1_name"),
        By::Admin2 => Some("admin2_name"),
        By::Site => Some("site_name"),
        By::Theme => Some("theme_label"),
        By::Category => Some("category_label"),
        By::Subcategory => Some("subcategory_label"),
        By::Status => Some("status_label"),
        By::Severity => Some("severity_label"),
        By::MiningMode => Some("mining_mode_label"),
        By::Actor => Some("actor_label"),
        By::Valence
        | By::Day
        | By::Week
        | By::Month
        | By::Quarter
        | By::Year
        | By::Channel
        | By::SiteDistance
        | By::H3 => None,
    }
}

/// Returns the columns of counts by these groupings.
pub fn aggregate_headings(by: &[By]) -> Vec<Heading> {
    let heading = |name: Cow<'static, str>, kind| Heading { name, kind, hxl: "" };
    let mut headings = Vec::new();
    for by in by {
        let kind = if *by == By::Severity { Kind::Integer } else { Kind::Text };
        headings.push(heading(by.as_str().into(), kind));
        headings.extend(label_name(*by).map(|name| heading(name.into(), Kind::Text)));
    }
    headings.extend(["incidents", "reports"].map(|name| heading(name.into(), Kind::Integer)));
    for measure in Measure::ALL {
        let name = measure.as_str();
        headings.extend(
            ["min", "max", "stated"]
                .map(|part| heading(format!("{name}_{part}").into(), Kind::Integer)),
        );
    }
    headings
}
