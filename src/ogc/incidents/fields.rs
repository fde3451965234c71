//! What an incident has as a feature, in the columns and as it is shown: the same value in both.
//!
//! A feature is flat, each property of one type, so that a map guesses it right from the first few. One of them alone is a
//! date: maps send a filter by any date as `datetime`, which asks when something happened. So a change is told by its number.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::Datelike;

use crate::aggregates::cells;
use crate::aggregates::reference::{Reference, prefix};
use crate::incidents::facts::{DatePrecision, DaySpan, Measure};
use crate::incidents::view::IncidentView;
use crate::ogc::property::{GEOMETRY, Kind, Property, Value};

/// A property of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Country,
    Region,
    Admin1,
    Admin1Name,
    Admin2,
    Precision,
    Cell,
    SiteDistance,
    OccurredOn,
    OccurredPrecision,
    OccurredMonth,
    OccurredYear,
    PrimaryCategory,
    Categories,
    Themes,
    Status,
    Severity,
    MiningMode,
    Actors,
    Channels,
    Flags,
    Reports,
    AtLeast(Measure),
    AtMost(Measure),
    IsTest,
    Updated,
    Geometry,
}

/// Returns every field, in the order they are shown.
fn list_fields() -> Vec<Field> {
    use Field::{
        Actors, Admin1, Admin1Name, Admin2, Categories, Cell, Channels, Country, Flags, Geometry,
        IsTest, MiningMode, OccurredMonth, OccurredOn, OccurredPrecision, OccurredYear, Precision,
        PrimaryCategory, Region, Reports, Severity, SiteDistance, Status, Themes, Updated,
    };
    let place = [Country, Region, Admin1, Admin1Name, Admin2, Precision, Cell, SiteDistance];
    let time = [OccurredOn, OccurredPrecision, OccurredMonth, OccurredYear];
    let kind = [PrimaryCategory, Categories, Themes, Status, Severity, MiningMode, Actors];
    let harm = Measure::ALL.into_iter().flat_map(|of| [Field::AtLeast(of), Field::AtMost(of)]);
    let fields = place.into_iter().chain(time).chain(kind).chain([Channels, Flags, Reports]);
    fields.chain(harm).chain([IsTest, Updated, Geometry]).collect()
}

/// Returns what an incident has, the geometry last.
pub(crate) fn list_properties() -> Vec<Property> {
    list_fields().into_iter().map(Field::property).collect()
}

impl Field {
    /// Returns the field at a place of the table.
    pub(crate) fn at(place: usize) -> Option<Self> {
        static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(list_fields);
        FIELDS.get(place).copied()
    }

    fn property(self) -> Property {
        let text = |name, title| Property::queryable(name, Kind::Text, title);
        let number = |name, title| Property::queryable(name, Kind::Integer, title);
        match self {
            Self::Country => text("country", "country, ISO 3166-1 alpha-3"),
            Self::Region => text("region", "region of the coalition"),
            Self::Admin1 => text("admin1", "code of the first-level area"),
            Self::Admin1Name => {
                Property::shown("admin1_name", Kind::Text, "name of the first-level area")
            }
            Self::Admin2 => text("admin2", "code of the second-level area"),
            Self::Precision => text("precision", "how precisely the place is known"),
            Self::Cell => text("cell", "H3 cell at resolution 5"),
            Self::SiteDistance => text("site_distance", "band of the distance to the nearest site"),
            Self::OccurredOn => Property::queryable(
                "occurred_on",
                Kind::Day,
                "local day on which it happened; null where only a month or a year is known",
            ),
            Self::OccurredPrecision => {
                text("occurred_precision", "how precisely the time is known")
            }
            Self::OccurredMonth => text("occurred_month", "month, where it lies in one"),
            Self::OccurredYear => number("occurred_year", "year, where it lies in one"),
            Self::PrimaryCategory => {
                Property::shown("primary_category", Kind::Text, "code of the primary category")
            }
            Self::Categories => text("categories", "codes of all categories, sorted, with commas"),
            Self::Themes => text("themes", "their themes, sorted, with commas"),
            Self::Status => text("status", "review state"),
            Self::Severity => number("severity", "1 (minor) to 5 (extreme)"),
            Self::MiningMode => text("mining_mode", "mining mode"),
            Self::Actors => text("actors", "types of actors, sorted, with commas"),
            Self::Channels => text("channels", "channels of its reports, sorted, with commas"),
            Self::Flags => text("flags", "what a reviewer should look at, sorted, with commas"),
            Self::Reports => number("reports", "active reports"),
            Self::AtLeast(measure) => number(name_of_least(measure), "people harmed, at least"),
            Self::AtMost(measure) => number(name_of_most(measure), "people harmed, at most"),
            Self::IsTest => Property::queryable("is_test", Kind::Flag, "a test entry"),
            Self::Updated => Property::shown("updated", Kind::Integer, "number of its last change"),
            Self::Geometry => {
                Property::queryable(GEOMETRY, Kind::Geometry, "the generalised place")
            }
        }
    }

    /// Returns what a shown incident has.
    pub(crate) fn of_view(self, shown: &Shown<'_>) -> Value<'static> {
        let view = shown.view;
        let text = |text: &str| Value::Text(Cow::Owned(text.to_owned()));
        let optional = |found: Option<&str>| found.map_or(Value::Missing, text);
        let codes = || view.categories.iter().map(|category| category.code.as_str());
        match self {
            Self::Country => text(&view.country),
            Self::Region => optional(region_of(shown.reference, &view.country)),
            Self::Admin1 => optional(view.admin1.as_ref().map(|area| area.code.as_str())),
            Self::Admin1Name => optional(view.admin1.as_ref().map(|area| area.name.as_str())),
            Self::Admin2 => optional(view.admin2.as_ref().map(|area| area.code.as_str())),
            Self::Precision => text(&view.precision),
            Self::Cell => optional(view.cell.as_deref()),
            Self::SiteDistance => optional(view.site_distance.as_deref()),
            Self::OccurredOn
            | Self::OccurredPrecision
            | Self::OccurredMonth
            | Self::OccurredYear => self.of_span(span_of(view).as_ref()),
            Self::PrimaryCategory => optional(codes().next()),
            Self::Categories => joined(codes()),
            Self::Themes => joined(codes().map(|code| prefix(code, 1))),
            Self::Status => text(&view.status),
            Self::Severity => Value::number_or_missing(view.severity),
            Self::MiningMode => optional(view.mining_mode.as_deref()),
            Self::Actors => joined(view.actors.iter().map(String::as_str)),
            Self::Channels => joined(view.channels.iter().map(String::as_str)),
            Self::Flags => joined(view.flags.iter().map(String::as_str)),
            Self::Reports => Value::Number(view.reports.into()),
            Self::AtLeast(measure) => {
                Value::number_or_missing(view.harm.get(measure.as_str()).map(|harm| harm.min))
            }
            Self::AtMost(measure) => {
                Value::number_or_missing(view.harm.get(measure.as_str()).map(|harm| harm.max))
            }
            Self::IsTest => Value::Flag(view.is_test),
            Self::Updated => Value::number_or_missing(shown.updated),
            Self::Geometry => Value::Missing,
        }
    }

    /// Returns what follows from the days it happened on. A month never becomes its first day.
    pub(crate) fn of_span(self, span: Option<&DaySpan>) -> Value<'static> {
        let Some(span) = span else { return Value::Missing };
        let is_one_year = span.first.year() == span.last.year();
        let is_one_month = is_one_year && span.first.month() == span.last.month();
        match self {
            Self::OccurredOn if !span.precision.is_coarser_than_a_day() => Value::Day(span.first),
            Self::OccurredPrecision => Value::text(span.precision.as_str()),
            Self::OccurredMonth if is_one_month => {
                Value::Text(Cow::Owned(span.first.format("%Y-%m").to_string()))
            }
            Self::OccurredYear if is_one_year => Value::Number(span.first.year().into()),
            _ => Value::Missing,
        }
    }
}

/// An incident as it is shown, and what its view does not say.
pub(crate) struct Shown<'a> {
    /// Its view.
    pub(crate) view: &'a IncidentView,
    /// The number of its last change.
    pub(crate) updated: Option<i64>,
    /// What regions there are.
    pub(crate) reference: &'a Reference,
}

/// Returns the region in which a country is counted.
pub(crate) fn region_of<'a>(reference: &'a Reference, country: &'a str) -> Option<&'a str> {
    reference.list_buckets(country).next()
}

/// Joins distinct codes, sorted; none are null.
pub(crate) fn joined<'a>(codes: impl Iterator<Item = &'a str>) -> Value<'static> {
    let codes: BTreeSet<&str> = codes.collect();
    if codes.is_empty() {
        return Value::Missing;
    }
    Value::Text(Cow::Owned(codes.into_iter().collect::<Vec<_>>().join(",")))
}

/// Writes a cell.
pub(crate) fn of_cell(cell: Option<u64>) -> Value<'static> {
    cell.map_or(Value::Missing, |cell| Value::Text(Cow::Owned(cells::format(cell))))
}

fn span_of(view: &IncidentView) -> Option<DaySpan> {
    let occurred = view.occurred.as_ref()?;
    let precision = DatePrecision::parse(&occurred.precision)?;
    Some(DaySpan { first: occurred.first_day, last: occurred.last_day, precision })
}

const fn name_of_least(measure: Measure) -> &'static str {
    match measure {
        Measure::Killed => "killed_min",
        Measure::Injured => "injured_min",
        Measure::Missing => "missing_min",
        Measure::Detained => "detained_min",
        Measure::Displaced => "displaced_min",
        Measure::SexualViolenceSurvivors => "sexual_violence_survivors_min",
        Measure::AffectedTotal => "affected_total_min",
    }
}

const fn name_of_most(measure: Measure) -> &'static str {
    match measure {
        Measure::Killed => "killed_max",
        Measure::Injured => "injured_max",
        Measure::Missing => "missing_max",
        Measure::Detained => "detained_max",
        Measure::Displaced => "displaced_max",
        Measure::SexualViolenceSurvivors => "sexual_violence_survivors_max",
        Measure::AffectedTotal => "affected_total_max",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_one_property_alone_is_a_date() {
        let properties = list_properties();
        let names: BTreeSet<&str> = properties.iter().map(|property| property.name).collect();
        assert_eq!(names.len(), properties.len());
        let days = properties.iter().filter(|property| property.kind == Kind::Day);
        assert_eq!(days.map(|property| property.name).collect::<Vec<_>>(), ["occurred_on"]);
        for (measure, bounds) in
            Measure::ALL.into_iter().map(|of| (of, [name_of_least(of), name_of_most(of)]))
        {
            assert_eq!(
                bounds,
                [format!("{}_min", measure.as_str()), format!("{}_max", measure.as_str())]
            );
        }
    }
}
