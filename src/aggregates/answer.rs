//! What an aggregate says, as it goes over the wire.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::aggregates::columns::Columns;
use crate::aggregates::group::Key;
use crate::aggregates::plan::{Exclusion, STRADDLING, UNDATED};
use crate::aggregates::query::{By, Query};
use crate::aggregates::scan::Tally;
use crate::aggregates::sums::{HarmSum, Sums};
use crate::incidents::facts::{Measure, Status};
use crate::incidents::filter::CanonicalFilters;

/// Usual size of a cell in JSON, and of the rest; a guess that is wrong costs time only.
const CELL_BYTES: usize = 420;
const REST_BYTES: usize = 4096;

/// What an answer says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How complete the data is, a sentence.
    pub coverage: String,
    /// Change number the facts are current to.
    pub as_of: i64,
}

/// The answer to one question: cells, their total, and how they add up.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Aggregate {
    /// What cells are made by, none to three names.
    #[schema(value_type = Vec<String>)]
    pub by: Vec<By>,
    /// The filters in force.
    pub filters: CanonicalFilters,
    /// Cells in the order of their keys, null last; empty when `by` is.
    pub cells: Vec<AggregateCell>,
    /// Every incident once.
    pub total: Figures,
    /// How cells and total add up, and what is left out.
    pub reconciliation: Reconciliation,
    /// Countries in the caller's scope, alpha-3.
    pub scope: Vec<String>,
    /// How complete the data is.
    pub coverage: String,
    /// Change number the numbers are current to.
    pub as_of: i64,
}

impl Aggregate {
    /// Writes the answer as JSON, into memory taken once.
    ///
    /// # Errors
    /// None that is known: every part of an answer has a form in JSON.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut json = Vec::with_capacity(REST_BYTES + self.cells.len() * CELL_BYTES);
        serde_json::to_writer(&mut json, self)?;
        Ok(json)
    }
}

/// One cell: a key for every name of `by`, then its figures.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AggregateCell {
    /// The keys, in the order of `by`.
    #[serde(flatten)]
    #[schema(value_type = CellKeysShape)]
    pub keys: CellKeys,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The keys of a cell, in the order of `by`; `None` is what fits none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellKeys(pub Vec<(By, Key)>);

impl CellKeys {
    /// Returns the key of a grouping; `None` is null or not grouped by.
    pub fn get(&self, by: By) -> Option<&str> {
        self.0.iter().find(|(other, _)| *other == by).and_then(|(_, key)| key.as_deref())
    }
}

impl Serialize for CellKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (by, key) in &self.0 {
            match (by, key.as_deref()) {
                (By::Severity, Some(severity)) => {
                    map.serialize_entry(by.as_str(), &severity.parse::<u8>().ok())?;
                }
                (_, key) => map.serialize_entry(by.as_str(), &key)?,
            }
        }
        map.end()
    }
}

impl Serialize for By {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How [`CellKeys`] look on the wire: those asked for by `by`, null where an incident fits none.
#[derive(ToSchema)]
#[schema(as = CellKeys)]
#[expect(dead_code, reason = "describes the wire format to OpenAPI, is never built")]
struct CellKeysShape {
    country: Option<String>,
    region: Option<String>,
    admin1: Option<String>,
    theme: Option<String>,
    category: Option<String>,
    subcategory: Option<String>,
    valence: Option<String>,
    day: Option<String>,
    week: Option<String>,
    month: Option<String>,
    quarter: Option<String>,
    year: Option<String>,
    status: Option<String>,
    severity: Option<u8>,
    channel: Option<String>,
    mining_mode: Option<String>,
    actor: Option<String>,
    site: Option<String>,
    site_distance: Option<String>,
    h3: Option<String>,
}

/// Incidents, their reports, and the people harmed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Figures {
    /// Incidents.
    pub incidents: u64,
    /// Active reports of those incidents.
    pub reports: u64,
    /// People harmed.
    #[serde(flatten)]
    pub harm: HarmFigures,
}

/// The seven measures; null when no incident says it: unknown is never 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct HarmFigures {
    /// Killed.
    pub killed: Option<HarmFigure>,
    /// Injured.
    pub injured: Option<HarmFigure>,
    /// Missing or disappeared.
    pub missing: Option<HarmFigure>,
    /// Detained.
    pub detained: Option<HarmFigure>,
    /// Displaced.
    pub displaced: Option<HarmFigure>,
    /// Survivors of sexual violence.
    pub sexual_violence_survivors: Option<HarmFigure>,
    /// People affected in total.
    pub affected_total: Option<HarmFigure>,
}

/// People harmed over several incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct HarmFigure {
    /// Sum of the smallest numbers.
    pub min: u64,
    /// Sum of the largest numbers.
    pub max: u64,
    /// Incidents that state a number.
    pub stated: u64,
}

impl HarmFigures {
    /// Returns the measures in the order of [`Measure::ALL`].
    pub fn list(&self) -> [Option<HarmFigure>; Measure::COUNT] {
        [
            self.killed,
            self.injured,
            self.missing,
            self.detained,
            self.displaced,
            self.sexual_violence_survivors,
            self.affected_total,
        ]
    }
}

impl From<[HarmSum; Measure::COUNT]> for HarmFigures {
    fn from(sums: [HarmSum; Measure::COUNT]) -> Self {
        let figure =
            |HarmSum { min, max, stated }| (stated > 0).then_some(HarmFigure { min, max, stated });
        let [
            killed,
            injured,
            missing,
            detained,
            displaced,
            sexual_violence_survivors,
            affected_total,
        ] = sums.map(figure);
        Self {
            killed,
            injured,
            missing,
            detained,
            displaced,
            sexual_violence_survivors,
            affected_total,
        }
    }
}

impl From<Sums> for Figures {
    fn from(Sums { incidents, reports, harm }: Sums) -> Self {
        Self { incidents, reports, harm: HarmFigures::from(harm) }
    }
}

/// How cells and total add up, and what the same filters match but counts leave out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reconciliation {
    /// Incidents over all cells, the total when there are none.
    pub sum_of_cells: u64,
    /// What that is above the total: incidents in several cells.
    pub overlap: u64,
    /// The same for reports and people.
    pub overlap_by_measure: Overlap,
    /// Counted incidents with a cell.
    pub mapped: u64,
    /// Counted incidents without one.
    pub unmapped: u64,
    /// Counted incidents whose day is not known.
    pub imprecise: u64,
    /// Not counted: partly inside `from` and `to`.
    pub straddling: u64,
    /// Not counted: without a date, when `from` or `to` is given.
    pub undated: u64,
    /// Matched by the other filters but left out, each incident once.
    pub excluded: Excluded,
}

/// What cells hold above the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Overlap {
    /// Reports.
    pub reports: u64,
    /// People harmed.
    #[serde(flatten)]
    pub harm: HarmFigures,
}

/// Incidents left out, by the first reason that holds: test, merged, mismatch, status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Excluded {
    /// By review state, only those above 0.
    pub by_status: BTreeMap<String, u64>,
    /// Absorbed by another incident.
    pub merged: u64,
    /// Test entries.
    pub test: u64,
    /// Unsettled country mismatches.
    pub mismatch: u64,
}

impl Tally {
    /// Writes what the pass found as an answer.
    pub(crate) fn into_aggregate(
        self,
        columns: &Columns,
        query: &Query<'_>,
        note: &Note,
    ) -> Aggregate {
        let reconciliation = self.reconcile();
        let by = query.by().to_vec();
        let mut cells = self.cells;
        if let [by] = *by.as_slice() {
            add_zeros(&mut cells, by, columns, query);
        }
        Aggregate {
            filters: query.selector().filter().canonical(),
            cells,
            total: Figures::from(self.total),
            reconciliation,
            scope: query.selector().scope().list_countries(&columns.reference),
            coverage: note.coverage.clone(),
            as_of: note.as_of,
            by,
        }
    }

    fn reconcile(&self) -> Reconciliation {
        let mut overlap = self.sum_of_cells;
        overlap.join(&self.total, u64::saturating_sub);
        Reconciliation {
            sum_of_cells: self.sum_of_cells.incidents,
            overlap: overlap.incidents,
            overlap_by_measure: overlap_of(&overlap, &self.total),
            mapped: self.mapped,
            unmapped: self.total.incidents - self.mapped,
            imprecise: self.imprecise,
            straddling: self.with_verdict(STRADDLING),
            undated: self.with_verdict(UNDATED),
            excluded: self.list_excluded(),
        }
    }

    fn list_excluded(&self) -> Excluded {
        let count = |exclusion: Exclusion| self.with_verdict(exclusion.verdict());
        let by_status = Status::ALL
            .into_iter()
            .map(|status| (status.as_str().to_owned(), count(Exclusion::Status(status))));
        Excluded {
            by_status: by_status.filter(|(_, count)| *count > 0).collect(),
            merged: count(Exclusion::Merged),
            test: count(Exclusion::Test),
            mismatch: count(Exclusion::Mismatch),
        }
    }
}

/// A measure nobody states has no overlap; one somebody states may have an overlap of 0.
fn overlap_of(overlap: &Sums, total: &Sums) -> Overlap {
    let figure = |(overlap, total): (HarmSum, HarmSum)| {
        let HarmSum { min, max, stated } = overlap;
        (total.stated > 0).then_some(HarmFigure { min, max, stated })
    };
    let mut pairs = overlap.harm.into_iter().zip(total.harm);
    let mut next = || pairs.next().and_then(figure);
    let harm = HarmFigures {
        killed: next(),
        injured: next(),
        missing: next(),
        detained: next(),
        displaced: next(),
        sexual_violence_survivors: next(),
        affected_total: next(),
    };
    Overlap { reports: overlap.reports, harm }
}

/// Adds the member countries or regions without an incident: a zero is an answer, a gap is not.
fn add_zeros(cells: &mut Vec<AggregateCell>, by: By, columns: &Columns, query: &Query<'_>) {
    let reference = &columns.reference;
    let (order, wanted): (Vec<&str>, Vec<&str>) = if by == By::Country {
        (
            reference.countries.iter().map(|country| country.alpha3.as_str()).collect(),
            list_countries(columns, query),
        )
    } else if by == By::Region {
        (reference.regions.iter().map(String::as_str).collect(), list_regions(columns, query))
    } else {
        return;
    };
    let missing =
        wanted.into_iter().filter(|code| !cells.iter().any(|cell| cell.keys.get(by) == Some(code)));
    let zeros: Vec<AggregateCell> = missing
        .map(|code| AggregateCell {
            keys: CellKeys(vec![(by, Some(code.into()))]),
            figures: Figures::default(),
        })
        .collect();
    cells.extend(zeros);
    // The cells with incidents are in order already; the sort is stable and puts null last.
    let rank = |code: &str| order.iter().position(|other| *other == code).unwrap_or(order.len());
    cells.sort_by_key(|cell| cell.keys.get(by).map_or(usize::MAX, rank));
}

fn list_countries<'c>(columns: &'c Columns, query: &Query<'_>) -> Vec<&'c str> {
    let (filter, scope) = (query.selector().filter(), query.selector().scope());
    let countries = columns.reference.countries.iter().filter(|country| {
        let is_region = filter.regions.is_empty()
            || country.regions.iter().any(|region| filter.regions.contains(region));
        let is_country = filter.countries.is_empty() || filter.countries.contains(&country.alpha3);
        country.is_member && scope.contains(&country.alpha3) && is_country && is_region
    });
    countries.map(|country| country.alpha3.as_str()).collect()
}

fn list_regions<'c>(columns: &'c Columns, query: &Query<'_>) -> Vec<&'c str> {
    let countries = list_countries(columns, query);
    let filter = query.selector().filter();
    // A wider region asks for every bucket that has a country in it.
    let is_any = filter.regions.iter().all(|asked| columns.reference.wider_regions.contains(asked));
    let is_asked = |region: &&String| is_any || filter.regions.contains(region);
    let has_country = |region: &&String| {
        countries.iter().any(|country| columns.reference.list_regions(country).contains(region))
    };
    columns
        .reference
        .regions
        .iter()
        .filter(is_asked)
        .filter(has_country)
        .map(String::as_str)
        .collect()
}
