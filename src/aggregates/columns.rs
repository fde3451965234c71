//! The facts of all incidents, one column a fact, rows in the order of their ids.

use std::sync::Arc;

use crate::aggregates::answer::{Aggregate, Note};
use crate::aggregates::dictionary::{CodeDimension, Dimension, Ids};
use crate::aggregates::plan::Plan;
use crate::aggregates::query::{Query, Selector};
use crate::aggregates::queue::{self, Place, QueueSelection};
use crate::aggregates::reference::Reference;
use crate::aggregates::scan;
use crate::incidents::facts::{DaySpan, HarmRange, IncidentFacts, Measure, Status};
use crate::incidents::urgency::Urgency;

const N_DIMENSIONS: usize = 19;

/// Declared and computed country of one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CountryPair {
    pub(crate) declared: String,
    pub(crate) computed: Option<String>,
}

/// What decides whether a row counts at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) status: Status,
    pub(crate) is_test: bool,
    pub(crate) is_merged: bool,
    pub(crate) is_mismatch: bool,
}

/// People harmed, in the order of [`Measure::ALL`].
pub(crate) type Harm = [Option<HarmRange>; Measure::COUNT];

/// The facts of all incidents.
///
/// # Shape
/// One row an incident. Rows stand in the order of their ids: appending the newest costs nothing,
/// putting one before others moves those behind it, so load in the order of the ids.
#[derive(Debug, Clone)]
pub struct Columns {
    pub(crate) reference: Arc<Reference>,
    pub(crate) row_ids: Vec<i64>,
    pub(crate) reports: Vec<u32>,
    pub(crate) opened_s: Vec<u32>,
    pub(crate) countries: Dimension<CountryPair>,
    pub(crate) spans: Dimension<Option<DaySpan>>,
    pub(crate) states: Dimension<State>,
    pub(crate) harm: Dimension<Harm>,
    pub(crate) urgencies: Dimension<Urgency>,
    pub(crate) cells5: Dimension<Option<u64>>,
    pub(crate) cells7: Dimension<Option<u64>>,
    pub(crate) places: Dimension<Option<(i32, i32)>>,
    pub(crate) admin1: CodeDimension,
    pub(crate) admin2: CodeDimension,
    pub(crate) categories: CodeDimension,
    pub(crate) severities: CodeDimension,
    pub(crate) channels: CodeDimension,
    pub(crate) mining_modes: CodeDimension,
    pub(crate) actors: CodeDimension,
    pub(crate) sites: CodeDimension,
    pub(crate) site_distances: CodeDimension,
    pub(crate) geo_precisions: CodeDimension,
    pub(crate) flags: CodeDimension,
}

/// One page of incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Row ids, newest first.
    pub ids: Vec<i64>,
    /// How many match on all pages: the total of the aggregate with the same selector.
    pub total: u64,
}

impl Columns {
    /// Builds empty columns.
    pub fn new(reference: Arc<Reference>) -> Self {
        Self {
            reference,
            row_ids: Vec::new(),
            reports: Vec::new(),
            opened_s: Vec::new(),
            countries: Dimension::new(),
            spans: Dimension::new(),
            states: Dimension::new(),
            harm: Dimension::new(),
            urgencies: Dimension::new(),
            cells5: Dimension::new(),
            cells7: Dimension::new(),
            places: Dimension::new(),
            admin1: CodeDimension::new(),
            admin2: CodeDimension::new(),
            categories: CodeDimension::new(),
            severities: CodeDimension::new(),
            channels: CodeDimension::new(),
            mining_modes: CodeDimension::new(),
            actors: CodeDimension::new(),
            sites: CodeDimension::new(),
            site_distances: CodeDimension::new(),
            geo_precisions: CodeDimension::new(),
            flags: CodeDimension::new(),
        }
    }

    /// Returns the reference data in use.
    pub fn reference(&self) -> &Arc<Reference> {
        &self.reference
    }

    /// Changes the reference data: regions and lists act on the next question, rows stay.
    pub fn set_reference(&mut self, reference: Arc<Reference>) {
        self.reference = reference;
    }

    /// Takes in the facts of one incident, in place of those held under its id.
    pub fn upsert(&mut self, facts: &IncidentFacts<'_>) {
        let numbers = self.number(facts);
        match self.row_ids.binary_search(&facts.id) {
            Ok(row) => {
                if let Some(reports) = self.reports.get_mut(row) {
                    *reports = facts.reports;
                }
                if let Some(opened_s) = self.opened_s.get_mut(row) {
                    *opened_s = facts.opened_s;
                }
                for (ids, number) in self.dimensions_mut().into_iter().zip(numbers) {
                    ids.set(row, number);
                }
            }
            Err(row) => {
                self.row_ids.insert(row, facts.id);
                self.reports.insert(row, facts.reports);
                self.opened_s.insert(row, facts.opened_s);
                for (ids, number) in self.dimensions_mut().into_iter().zip(numbers) {
                    ids.insert(row, number);
                }
            }
        }
    }

    /// Forgets an incident; returns whether it was held.
    pub fn remove(&mut self, id: i64) -> bool {
        let Ok(row) = self.row_ids.binary_search(&id) else {
            return false;
        };
        self.row_ids.remove(row);
        self.reports.remove(row);
        self.opened_s.remove(row);
        for ids in self.dimensions_mut() {
            ids.remove(row);
        }
        true
    }

    /// Returns how soon somebody should look at an incident; `None` where it is not held.
    pub fn urgency_of(&self, id: i64) -> Option<Urgency> {
        let row = self.row_ids.binary_search(&id).ok()?;
        self.urgencies.entries().get(self.urgencies.ids.index_at(row)).copied()
    }

    /// Returns the number of incidents held.
    pub fn len(&self) -> usize {
        self.row_ids.len()
    }

    /// Tells whether none is held.
    pub fn is_empty(&self) -> bool {
        self.row_ids.is_empty()
    }

    /// Returns the memory held by rows and dictionaries, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let counts = self.reports.capacity() + self.opened_s.capacity();
        let rows = self.row_ids.capacity() * size_of::<i64>() + counts * size_of::<u32>();
        rows + self.row_bytes() + self.dictionary_bytes()
    }

    /// Answers one question; `note` says what the answer is as of.
    pub fn aggregate(&self, query: &Query<'_>, note: &Note) -> Aggregate {
        scan::count(self, query).into_aggregate(self, query, note)
    }

    /// Lists the ids a selector matches, newest first, strictly below `after`, at most `limit`.
    pub fn select(&self, selector: &Selector<'_>, after: Option<i64>, limit: usize) -> Selection {
        self.select_if(selector, (after, limit), |_| true)
    }

    /// Like [`Self::select`], of the rows that `is_wanted` keeps.
    pub(crate) fn select_if(
        &self,
        selector: &Selector<'_>,
        (after, limit): (Option<i64>, usize),
        is_wanted: impl FnMut(usize) -> bool,
    ) -> Selection {
        scan::list(self, &Plan::compile(self, selector), (after, limit), is_wanted)
    }

    /// Lists what a selector matches in the order of the queue, strictly behind `after`, at most `limit`.
    pub fn queue(
        &self,
        selector: &Selector<'_>,
        after: Option<Place>,
        limit: usize,
    ) -> QueueSelection {
        queue::list(self, &Plan::compile(self, selector), after, limit)
    }

    /// Returns how urgent an incident is and when it was opened, in whole seconds; `None` for one that is not held.
    pub fn find_waiting(&self, id: i64) -> Option<(Urgency, u32)> {
        let row = self.row_ids.binary_search(&id).ok()?;
        let urgency = self.urgencies.entries().get(self.urgencies.ids.index_at(row))?;
        Some((*urgency, *self.opened_s.get(row)?))
    }

    fn number(&mut self, facts: &IncidentFacts<'_>) -> [u32; N_DIMENSIONS] {
        let countries = CountryPair {
            declared: facts.country.to_owned(),
            computed: facts.country_computed.map(str::to_owned),
        };
        let state = State {
            status: facts.status,
            is_test: facts.is_test,
            is_merged: facts.is_merged,
            is_mismatch: facts.is_mismatch,
        };
        let severity = facts.severity.map(|severity| severity.to_string());
        let defaults = &self.reference.default_severities;
        let of_categories = facts.categories.iter().filter_map(|leaf| defaults.get(*leaf));
        let urgency = Urgency::of(facts, of_categories.copied().max());
        [
            self.countries.number(&countries),
            self.spans.number(&facts.span),
            self.states.number(&state),
            self.harm.number(&facts.harm),
            self.urgencies.number(&urgency),
            self.cells5.number(&facts.cell5),
            self.cells7.number(&facts.cell7),
            self.places.number(&facts.place_e6),
            self.admin1.number(facts.admin1.as_slice()),
            self.admin2.number(facts.admin2.as_slice()),
            self.categories.number(facts.categories),
            self.severities.number(severity.as_deref().as_slice()),
            self.channels.number(facts.channels),
            self.mining_modes.number(facts.mining_mode.as_slice()),
            self.actors.number(facts.actors),
            self.sites.number(facts.site.as_slice()),
            self.site_distances.number(facts.site_distance.as_slice()),
            self.geo_precisions.number(&[facts.geo_precision]),
            self.flags.number(facts.flags),
        ]
    }

    /// The dimensions in the order of `number`.
    fn dimensions_mut(&mut self) -> [&mut Ids; N_DIMENSIONS] {
        [
            &mut self.countries.ids,
            &mut self.spans.ids,
            &mut self.states.ids,
            &mut self.harm.ids,
            &mut self.urgencies.ids,
            &mut self.cells5.ids,
            &mut self.cells7.ids,
            &mut self.places.ids,
            &mut self.admin1.ids,
            &mut self.admin2.ids,
            &mut self.categories.ids,
            &mut self.severities.ids,
            &mut self.channels.ids,
            &mut self.mining_modes.ids,
            &mut self.actors.ids,
            &mut self.sites.ids,
            &mut self.site_distances.ids,
            &mut self.geo_precisions.ids,
            &mut self.flags.ids,
        ]
    }

    fn code_dimensions(&self) -> [&CodeDimension; 11] {
        [
            &self.admin1,
            &self.admin2,
            &self.categories,
            &self.severities,
            &self.channels,
            &self.mining_modes,
            &self.actors,
            &self.sites,
            &self.site_distances,
            &self.geo_precisions,
            &self.flags,
        ]
    }

    fn row_bytes(&self) -> usize {
        let typed = [
            &self.countries.ids,
            &self.spans.ids,
            &self.states.ids,
            &self.harm.ids,
            &self.urgencies.ids,
            &self.cells5.ids,
            &self.cells7.ids,
            &self.places.ids,
        ];
        let codes = self.code_dimensions().map(|dimension| dimension.ids.memory_bytes());
        typed.map(Ids::memory_bytes).iter().chain(&codes).sum()
    }

    fn dictionary_bytes(&self) -> usize {
        let codes = self.code_dimensions().map(CodeDimension::dictionary_bytes);
        let cells = self.cells5.dictionary_bytes(|_| 0)
            + self.cells7.dictionary_bytes(|_| 0)
            + self.places.dictionary_bytes(|_| 0);
        let rest = self.spans.dictionary_bytes(|_| 0)
            + self.states.dictionary_bytes(|_| 0)
            + self.harm.dictionary_bytes(|_| 0)
            + self.urgencies.dictionary_bytes(|_| 0);
        let countries = self.countries.dictionary_bytes(|pair| {
            pair.declared.capacity() + pair.computed.as_ref().map_or(0, String::capacity)
        });
        codes.iter().sum::<usize>() + cells + rest + countries
    }
}
