//! Decides which rows count: a filter compiled to one byte for every dictionary entry.
//!
//! A row's verdict is the bitwise or of the bytes of its entries: 0 counts, `DROPPED` is out of the question, the
//! other bits say why a row that is asked for is not counted.

use std::collections::HashSet;
use std::hash::Hash;

use crate::aggregates::columns::{Columns, CountryPair, State};
use crate::aggregates::dictionary::{CodeDimension, Dimension, Ids};
use crate::aggregates::query::{GENERAL_RESOLUTION, Overdue, Selector, is_in_cells};
use crate::aggregates::reference::is_within;
use crate::incidents::facts::{DaySpan, Status};
use crate::incidents::filter::IncidentFilter;
use crate::incidents::target::Grain;
use crate::incidents::urgency::Urgency;

/// The row counts.
pub(crate) const COUNTED: u8 = 0;
/// Does not match the filters.
pub(crate) const DROPPED: u8 = 0x80;
/// Touches an edge of `from`/`to`.
pub(crate) const STRADDLING: u8 = 1;
/// Has no date, and one was asked for.
pub(crate) const UNDATED: u8 = 2;
const EXCLUSION_SHIFT: u8 = 2;

/// Why a matching row is left out of counts; each row has at most one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exclusion {
    Test,
    Merged,
    Mismatch,
    Status(Status),
}

impl Exclusion {
    /// Returns its verdict.
    pub(crate) fn verdict(self) -> u8 {
        let reason = match self {
            Self::Test => 1,
            Self::Merged => 2,
            Self::Mismatch => 3,
            Self::Status(status) => (4_u8..)
                .zip(Status::ALL)
                .find(|(_, other)| *other == status)
                .map_or(4, |(reason, _)| reason),
        };
        reason << EXCLUSION_SHIFT
    }
}

/// A compiled selector.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    steps: Vec<(&'a Ids, Vec<u8>)>,
    /// Where each row starts from, when only some ids are asked for.
    start: Option<Vec<u8>>,
    late: Option<LateStep<'a>>,
}

/// Drops what is late, or what is not.
#[derive(Debug)]
struct LateStep<'a> {
    columns: &'a Columns,
    is_wanted: bool,
    /// For each entry of the dictionary of countries whether its rows are known to the second.
    is_exact: Vec<bool>,
    /// For each entry of the dictionary of urgencies the second up to which a late row was opened: where that is known to
    /// the second, and elsewhere.
    latest: Vec<(i64, i64)>,
}

impl<'a> LateStep<'a> {
    fn new(columns: &'a Columns, overdue: &Overdue) -> Self {
        let is_known = |country: &String| overdue.exact.contains(country);
        let is_exact = |pair: &CountryPair| {
            is_known(&pair.declared) || pair.computed.as_ref().is_some_and(is_known)
        };
        let latest = |urgency: &Urgency| {
            let until = |grain| overdue.deadline.latest_opened_s(urgency.class(), grain);
            (until(Grain::Second), until(Grain::Day))
        };
        Self {
            columns,
            is_wanted: overdue.is_wanted,
            is_exact: columns.countries.entries().iter().map(is_exact).collect(),
            latest: columns.urgencies.entries().iter().map(latest).collect(),
        }
    }

    fn is_late(&self, row: usize) -> bool {
        let country = self.columns.countries.ids.index_at(row);
        let is_exact = self.is_exact.get(country).copied().unwrap_or_default();
        let latest = self.latest.get(self.columns.urgencies.ids.index_at(row));
        let latest = latest.map(|(second, day)| if is_exact { *second } else { *day });
        let opened_s = self.columns.opened_s.get(row).map(|second| i64::from(*second));
        opened_s.zip(latest).is_some_and(|(opened_s, latest)| opened_s <= latest)
    }

    fn judge(&self, start: usize, verdicts: &mut [u8]) {
        for (row, verdict) in (start..).zip(verdicts) {
            if *verdict & DROPPED == 0 && self.is_late(row) != self.is_wanted {
                *verdict |= DROPPED;
            }
        }
    }
}

impl<'a> Plan<'a> {
    /// Compiles a selector against the entries the columns hold.
    pub(crate) fn compile(columns: &'a Columns, selector: &Selector<'_>) -> Self {
        let filter = selector.filter();
        let mut plan = Self { steps: Vec::new(), start: None, late: None };
        plan.add_places(columns, selector);
        plan.add_codes(columns, filter);
        plan.add_cells(columns, filter);
        if filter.from.is_some() || filter.to.is_some() {
            plan.add(&columns.spans, |span| judge_span(span.as_ref(), filter));
        }
        plan.add(&columns.states, |state| judge_state(*state, filter));
        plan.start = start_of(columns, selector);
        plan.late = selector.find_overdue().map(|overdue| LateStep::new(columns, overdue));
        plan
    }

    /// Fills in the verdicts of the rows from `start`.
    pub(crate) fn judge(&self, start: usize, verdicts: &mut [u8]) {
        verdicts.fill(COUNTED);
        if let Some(rows) = self.start.as_ref().and_then(|rows| rows.get(start..)) {
            verdicts.iter_mut().zip(rows).for_each(|(verdict, row)| *verdict = *row);
        }
        for (ids, table) in &self.steps {
            ids.look_up(start, table, verdicts, |before, found| before | found);
        }
        if let Some(late) = &self.late {
            late.judge(start, verdicts);
        }
    }

    fn add<K: Clone + Eq + Hash>(&mut self, dimension: &'a Dimension<K>, judge: impl Fn(&K) -> u8) {
        self.add_step(&dimension.ids, dimension.entries().iter().map(judge).collect());
    }

    /// Keeps rows with a code like that.
    fn add_any(&mut self, dimension: &'a CodeDimension, is_wanted: impl Fn(&str) -> bool) {
        let wanted: Vec<bool> = dimension.codes().iter().map(|code| is_wanted(code)).collect();
        let is_wanted = |code: &u32| {
            usize::try_from(*code)
                .ok()
                .and_then(|code| wanted.get(code))
                .copied()
                .unwrap_or_default()
        };
        self.add_step(
            &dimension.ids,
            dimension.sets().iter().map(|set| keep_if(set.iter().any(is_wanted))).collect(),
        );
    }

    /// Keeps rows with a wanted code; an empty list asks nothing.
    fn add_wanted(&mut self, dimension: &'a CodeDimension, wanted: &[String]) {
        if !wanted.is_empty() {
            self.add_any(dimension, |code| wanted.iter().any(|wanted| wanted == code));
        }
    }

    /// A step that keeps everything is not worth a look at every row.
    fn add_step(&mut self, ids: &'a Ids, verdicts: Vec<u8>) {
        if verdicts.iter().any(|verdict| *verdict != COUNTED) {
            self.steps.push((ids, verdicts));
        }
    }

    fn add_places(&mut self, columns: &'a Columns, selector: &Selector<'_>) {
        let (filter, scope) = (selector.filter(), selector.scope());
        self.add(&columns.countries, |pair| {
            let is_visible = scope.contains(&pair.declared)
                || pair.computed.as_ref().is_some_and(|computed| scope.contains(computed));
            let is_country =
                filter.countries.is_empty() || filter.countries.contains(&pair.declared);
            let mut regions = columns.reference.list_regions(&pair.declared).iter();
            let is_region =
                filter.regions.is_empty() || regions.any(|region| filter.regions.contains(region));
            keep_if(is_visible && is_country && is_region)
        });
        self.add_wanted(&columns.admin1, &filter.admin1);
        self.add_wanted(&columns.admin2, &filter.admin2);
        self.add_wanted(&columns.sites, &filter.sites);
        self.add_wanted(&columns.site_distances, &filter.site_distances);
        self.add_wanted(&columns.geo_precisions, &filter.geo_precisions);
        if let Some(bbox) = filter.bbox {
            self.add(&columns.places, |place| {
                keep_if(place.is_some_and(|place| bbox.contains(place)))
            });
        }
    }

    fn add_codes(&mut self, columns: &'a Columns, filter: &IncidentFilter) {
        let severities: Vec<String> = filter.severities.iter().map(u8::to_string).collect();
        self.add_wanted(&columns.severities, &severities);
        self.add_wanted(&columns.channels, &filter.channels);
        self.add_wanted(&columns.mining_modes, &filter.mining_modes);
        self.add_wanted(&columns.actors, &filter.actors);
        self.add_wanted(&columns.flags, &filter.flags);
        if !filter.categories.is_empty() {
            let is_wanted = |leaf: &str| filter.categories.iter().any(|code| is_within(leaf, code));
            self.add_any(&columns.categories, is_wanted);
        }
        if !filter.valences.is_empty() {
            let leaves = columns
                .reference
                .categories
                .iter()
                .filter(|leaf| filter.valences.contains(&leaf.valence));
            let wanted: HashSet<&str> = leaves.map(|leaf| leaf.code.as_str()).collect();
            self.add_any(&columns.categories, |leaf| wanted.contains(leaf));
        }
    }

    fn add_cells(&mut self, columns: &'a Columns, filter: &IncidentFilter) {
        if let Some(is_mapped) = filter.mapped {
            self.add(&columns.cells5, |cell| keep_if(cell.is_some() == is_mapped));
        }
        if let Some(h3) = &filter.h3 {
            let cells =
                if h3.resolution > GENERAL_RESOLUTION { &columns.cells7 } else { &columns.cells5 };
            self.add(cells, |cell| {
                keep_if(cell.is_some_and(|cell| is_in_cells(cell, h3.resolution, &h3.cells)))
            });
        }
    }
}

/// Returns where each row starts from: dropped where it is not in every set asked for, or in one left out.
fn start_of(columns: &Columns, selector: &Selector<'_>) -> Option<Vec<u8>> {
    let (among, except) = selector.id_sets();
    let set = |verdicts: &mut [u8], id: &i64, verdict| {
        let row = columns.row_ids.binary_search(id).ok();
        if let Some(slot) = row.and_then(|row| verdicts.get_mut(row)) {
            *slot = verdict;
        }
    };
    let mut verdicts = match among.split_first() {
        Some((first, others)) => {
            let mut verdicts = vec![DROPPED; columns.len()];
            let wanted = first.iter().filter(|id| others.iter().all(|other| other.contains(id)));
            wanted.for_each(|id| set(&mut verdicts, id, COUNTED));
            verdicts
        }
        None if except.is_empty() => return None,
        None => vec![COUNTED; columns.len()],
    };
    except.iter().copied().flatten().for_each(|id| set(&mut verdicts, id, DROPPED));
    Some(verdicts)
}

fn keep_if(is_kept: bool) -> u8 {
    if is_kept { COUNTED } else { DROPPED }
}

/// Inside is wholly inside; a span with one foot in the period straddles its edge.
fn judge_span(span: Option<&DaySpan>, filter: &IncidentFilter) -> u8 {
    let Some(span) = span else { return UNDATED };
    let is_outside = filter.from.is_some_and(|from| span.last < from)
        || filter.to.is_some_and(|to| span.first > to);
    let is_cut = filter.from.is_some_and(|from| span.first < from)
        || filter.to.is_some_and(|to| span.last > to);
    match (is_outside, is_cut) {
        (true, _) => DROPPED,
        (false, true) => STRADDLING,
        (false, false) => COUNTED,
    }
}

fn judge_state(state: State, filter: &IncidentFilter) -> u8 {
    let exclusion = if state.is_test && !filter.include_test {
        Exclusion::Test
    } else if state.is_merged {
        Exclusion::Merged
    } else if state.is_mismatch && !filter.include_mismatch {
        Exclusion::Mismatch
    } else if !filter.statuses.contains(&state.status) {
        Exclusion::Status(state.status)
    } else {
        return COUNTED;
    };
    exclusion.verdict()
}
