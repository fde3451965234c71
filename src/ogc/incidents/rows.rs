//! Finds incidents in the columns: a filter compiled to one truth for every dictionary entry, then looked up row by row.

use std::borrow::Cow;
use std::hash::Hash;

use chrono::NaiveDate;
use geo::{Geometry, Intersects, Point};

use crate::aggregates::columns::{Columns, Harm, Selection};
use crate::aggregates::dictionary::{CodeDimension, Dimension, Ids};
use crate::aggregates::query::Selector;
use crate::aggregates::reference::prefix;
use crate::incidents::facts::{HarmRange, Measure};
use crate::ogc::cql2::expression::{Expression, Test, Truth, all, any};
use crate::ogc::incidents::fields::{Field, joined, of_cell, region_of};
use crate::ogc::period::Period;
use crate::ogc::property::Value;

/// What is asked beyond the filters that lists have too.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Wanted {
    /// A filter over the fields.
    pub(crate) expression: Option<Expression>,
    /// Where; whatever has no place is there too.
    pub(crate) bbox: Option<Geometry>,
    /// When; whatever has no date is then too.
    pub(crate) period: Option<Period>,
}

/// Lists what a selector matches and is wanted, newest first, strictly below `after`, at most `limit`.
///
/// The total is exact: all that can be asked stands in the columns.
pub(crate) fn select(
    columns: &Columns,
    selector: &Selector<'_>,
    wanted: &Wanted,
    page: (Option<i64>, usize),
) -> Selection {
    let step = Step::compile(columns, wanted);
    columns.select_if(selector, page, |row| step.judge(row) == Some(true))
}

/// Where and when the incidents of a selector are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Extent {
    /// West, south, east, north in microdegrees.
    pub(crate) edges_e6: Option<[i32; 4]>,
    /// First and last day.
    pub(crate) days: Option<(NaiveDate, NaiveDate)>,
}

/// Returns where and when they are.
pub(crate) fn measure(columns: &Columns, selector: &Selector<'_>) -> Extent {
    let mut extent = Extent::default();
    columns.select_if(selector, (None, 0), |row| {
        let place = columns.places.entries().get(columns.places.ids.index_at(row));
        if let Some((lon, lat)) = place.copied().flatten() {
            let [west, south, east, north] = extent.edges_e6.unwrap_or([lon, lat, lon, lat]);
            extent.edges_e6 = Some([west.min(lon), south.min(lat), east.max(lon), north.max(lat)]);
        }
        let span = columns.spans.entries().get(columns.spans.ids.index_at(row));
        if let Some(span) = span.copied().flatten() {
            let (first, last) = extent.days.unwrap_or((span.first, span.last));
            extent.days = Some((first.min(span.first), last.max(span.last)));
        }
        false
    });
    extent
}

/// A filter on columns.
enum Step<'a> {
    Always(Truth),
    /// The truth of each entry of a dictionary.
    Looked(&'a Ids, Vec<Truth>),
    /// A test of the number of reports.
    Reports(&'a [u32], &'a Test),
    Not(Box<Step<'a>>),
    All(Vec<Step<'a>>),
    Any(Vec<Step<'a>>),
}

impl<'a> Step<'a> {
    fn compile(columns: &'a Columns, wanted: &'a Wanted) -> Self {
        let mut steps = Vec::new();
        if let Some(period) = wanted.period {
            let touches = |first, last| Some(period.touches(first, last));
            steps.push(look(&columns.spans, |span| {
                span.map_or(Some(true), |span| touches(span.first, span.last))
            }));
        }
        if let Some(bbox) = &wanted.bbox {
            steps.push(look(&columns.places, |place| {
                place.map_or(Some(true), |place| Some(bbox.intersects(&point(place))))
            }));
        }
        steps.extend(wanted.expression.iter().map(|filter| Self::of_expression(columns, filter)));
        Self::All(steps)
    }

    fn of_expression(columns: &'a Columns, expression: &'a Expression) -> Self {
        let several = |parts: &'a [Expression]| {
            parts.iter().map(|part| Self::of_expression(columns, part)).collect()
        };
        match expression {
            Expression::Always(is_true) => Self::Always(Some(*is_true)),
            Expression::Test(test) => Self::of_test(columns, test),
            Expression::Not(inner) => Self::Not(Box::new(Self::of_expression(columns, inner))),
            Expression::All(parts) => Self::All(several(parts)),
            Expression::Any(parts) => Self::Any(several(parts)),
        }
    }

    fn of_test(columns: &'a Columns, test: &'a Test) -> Self {
        let Some(field) = Field::at(test.property) else { return Self::Always(None) };
        let one_of = |dimension| look_at_codes(dimension, |codes| test.judge(&joined(codes)));
        match field {
            Field::Country => {
                look(&columns.countries, |pair| test.judge(&Value::text(&pair.declared)))
            }
            Field::Region => look(&columns.countries, |pair| {
                let region = region_of(columns.reference(), &pair.declared);
                test.judge(&Value::text_or_missing(region))
            }),
            Field::Admin1 => one_of(&columns.admin1),
            Field::Admin2 => one_of(&columns.admin2),
            Field::Precision => one_of(&columns.geo_precisions),
            Field::Cell => look(&columns.cells5, |cell| test.judge(&of_cell(*cell))),
            Field::SiteDistance => one_of(&columns.site_distances),
            Field::OccurredOn
            | Field::OccurredPrecision
            | Field::OccurredMonth
            | Field::OccurredYear => {
                look(&columns.spans, |span| test.judge(&field.of_span(span.as_ref())))
            }
            Field::Categories => one_of(&columns.categories),
            Field::Themes => look_at_codes(&columns.categories, |codes| {
                test.judge(&joined(codes.map(|code| prefix(code, 1))))
            }),
            Field::Status => {
                look(&columns.states, |state| test.judge(&Value::text(state.status.as_str())))
            }
            Field::Severity => look_at_codes(&columns.severities, |codes| {
                let severity = codes.next().and_then(|code| code.parse::<i64>().ok());
                test.judge(&Value::number_or_missing(severity))
            }),
            Field::MiningMode => one_of(&columns.mining_modes),
            Field::Actors => one_of(&columns.actors),
            Field::Channels => one_of(&columns.channels),
            Field::Flags => one_of(&columns.flags),
            Field::Reports => Self::Reports(&columns.reports, test),
            Field::AtLeast(measure) => look_at_harm(columns, measure, test, |range| range.min),
            Field::AtMost(measure) => look_at_harm(columns, measure, test, |range| range.max),
            Field::IsTest => look(&columns.states, |state| test.judge(&Value::Flag(state.is_test))),
            Field::Geometry => look(&columns.places, |place| {
                let shape = place.map(|place| Value::Shape(Cow::Owned(point(place).into())));
                test.judge(&shape.unwrap_or(Value::Missing))
            }),
            // No filter speaks of them.
            Field::Admin1Name | Field::PrimaryCategory | Field::Updated => Self::Always(None),
        }
    }

    fn judge(&self, row: usize) -> Truth {
        match self {
            Self::Always(truth) => *truth,
            Self::Looked(ids, table) => table.get(ids.index_at(row)).copied().flatten(),
            Self::Reports(reports, test) => {
                test.judge(&Value::number_or_missing(reports.get(row).copied()))
            }
            Self::Not(inner) => inner.judge(row).map(|is_true| !is_true),
            Self::All(steps) => all(steps.iter().map(|step| step.judge(row))),
            Self::Any(steps) => any(steps.iter().map(|step| step.judge(row))),
        }
    }
}

fn look<K: Clone + Eq + Hash>(dimension: &Dimension<K>, judge: impl Fn(&K) -> Truth) -> Step<'_> {
    Step::Looked(&dimension.ids, dimension.entries().iter().map(judge).collect())
}

fn look_at_codes<'a>(
    dimension: &'a CodeDimension,
    judge: impl Fn(&mut dyn Iterator<Item = &'a str>) -> Truth,
) -> Step<'a> {
    let code = |number: &u32| {
        let place = usize::try_from(*number).ok()?;
        dimension.codes().get(place).map(String::as_str)
    };
    let truths = dimension.sets().iter().map(|set| judge(&mut set.iter().filter_map(code)));
    Step::Looked(&dimension.ids, truths.collect())
}

fn look_at_harm<'a>(
    columns: &'a Columns,
    measure: Measure,
    test: &Test,
    bound: impl Fn(HarmRange) -> u32,
) -> Step<'a> {
    look(&columns.harm, |harm: &Harm| {
        let mut ranges = Measure::ALL.into_iter().zip(harm);
        let range = ranges.find(|(of, _)| *of == measure).and_then(|(_, range)| *range);
        test.judge(&Value::number_or_missing(range.map(&bound)))
    })
}

fn point((lon_e6, lat_e6): (i32, i32)) -> Point {
    Point::new(f64::from(lon_e6) / 1e6, f64::from(lat_e6) / 1e6)
}
