//! Adding up: the cells of a pass, and the sums in them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::aggregates::columns::Harm;
use crate::incidents::facts::{HarmRange, Measure};

/// Up to so many cells are a plain array (4 MB); more are hashed.
const MAX_DENSE_CELLS: u64 = 1 << 18;

/// The sum of one measure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HarmSum {
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) stated: u64,
}

/// What one incident adds to one measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stated {
    pub(crate) measure: usize,
    pub(crate) range: HarmRange,
}

/// A dictionary entry of harm: what it states, and how many counted rows have it.
pub(crate) type HarmEntry = (Vec<Stated>, u64);

impl HarmSum {
    /// Adds a number stated by so many incidents.
    pub(crate) fn add(&mut self, range: HarmRange, times: u64) {
        self.min += u64::from(range.min) * times;
        self.max += u64::from(range.max) * times;
        self.stated += times;
    }
}

/// What is added up in one cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) incidents: u64,
    pub(crate) reports: u64,
    pub(crate) harm: [HarmSum; Measure::COUNT],
}

impl Sums {
    /// Joins every number with its counterpart.
    pub(crate) fn join(&mut self, other: &Self, join: impl Fn(u64, u64) -> u64) {
        self.incidents = join(self.incidents, other.incidents);
        self.reports = join(self.reports, other.reports);
        for (sum, other) in self.harm.iter_mut().zip(&other.harm) {
            sum.min = join(sum.min, other.min);
            sum.max = join(sum.max, other.max);
            sum.stated = join(sum.stated, other.stated);
        }
    }
}

/// Returns what an incident with this harm states.
pub(crate) fn list_stated(harm: &Harm) -> Vec<Stated> {
    let stated = harm
        .iter()
        .enumerate()
        .filter_map(|(measure, range)| Some(Stated { measure, range: (*range)? }));
    stated.collect()
}

/// A cell under construction; harm is rare and stands aside.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Slot {
    incidents: u32,
    harm_at: u32,
    reports: u64,
}

/// The cells, by number.
pub(crate) struct Cells {
    slots: Vec<Slot>,
    /// Cell number to slot, when there are too many for one slot each.
    places: Option<HashMap<u64, usize, BuildHasherDefault<CellHasher>>>,
    /// Harm of the slots whose `harm_at` is its place here plus one.
    harm: Vec<[HarmSum; Measure::COUNT]>,
    /// Slots and dictionary entries of harm not yet added up.
    unsettled: Vec<(usize, usize)>,
}

impl Cells {
    /// Builds as many empty cells.
    pub(crate) fn new(n_cells: u64) -> Self {
        let n_dense = usize::try_from(n_cells).ok().filter(|_| n_cells <= MAX_DENSE_CELLS);
        let slots = vec![Slot::default(); n_dense.unwrap_or_default()];
        Self {
            slots,
            places: n_dense.is_none().then(HashMap::default),
            harm: Vec::new(),
            unsettled: Vec::new(),
        }
    }

    /// Adds one incident to a cell; `harm` is its dictionary entry when it states any.
    pub(crate) fn add(&mut self, cell: u64, reports: u64, harm: Option<usize>) {
        let place = self.place_of(cell);
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        slot.incidents += 1;
        slot.reports += reports;
        self.unsettled.extend(harm.map(|harm| (place, harm)));
    }

    /// Adds up the harm of a block. On its own, because these places are far apart in memory, and a loop that
    /// does nothing else waits for several of them at a time.
    pub(crate) fn settle_harm(&mut self, entries: &[HarmEntry]) {
        for (place, harm) in self.unsettled.drain(..) {
            let (Some(slot), Some((entry, _))) = (self.slots.get_mut(place), entries.get(harm))
            else {
                continue;
            };
            if slot.harm_at == 0 {
                self.harm.push(<[HarmSum; Measure::COUNT]>::default());
                slot.harm_at = u32::try_from(self.harm.len()).unwrap_or(u32::MAX);
            }
            let Some(sums) = self.harm.get_mut(harm_place(*slot)) else {
                continue;
            };
            for stated in entry {
                if let Some(sum) = sums.get_mut(stated.measure) {
                    sum.add(stated.range, 1);
                }
            }
        }
    }

    fn place_of(&mut self, cell: u64) -> usize {
        let Some(places) = &mut self.places else {
            return usize::try_from(cell).unwrap_or(usize::MAX);
        };
        let slots = &mut self.slots;
        *places.entry(cell).or_insert_with(|| {
            slots.push(Slot::default());
            slots.len() - 1
        })
    }

    /// Returns the cells with an incident, in the order of their numbers.
    pub(crate) fn list(&self) -> Vec<(u64, Slot)> {
        let mut cells: Vec<(u64, Slot)> = match &self.places {
            None => (0..)
                .zip(self.slots.iter().copied())
                .filter(|(_, slot)| slot.incidents > 0)
                .collect(),
            Some(places) => places
                .iter()
                .filter_map(|(cell, place)| Some((*cell, *self.slots.get(*place)?)))
                .collect(),
        };
        cells.sort_unstable_by_key(|(cell, _)| *cell);
        cells
    }

    /// Returns what a slot has added up.
    pub(crate) fn sums_of(&self, slot: Slot) -> Sums {
        let harm = self.harm.get(harm_place(slot)).filter(|_| slot.harm_at > 0).copied();
        Sums {
            incidents: u64::from(slot.incidents),
            reports: slot.reports,
            harm: harm.unwrap_or_default(),
        }
    }
}

fn harm_place(slot: Slot) -> usize {
    usize::try_from(slot.harm_at.saturating_sub(1)).unwrap_or(usize::MAX)
}

/// Spreads cell numbers over a table; they are not chosen by anybody hostile.
///
/// # Source
/// Fibonacci hashing, Knuth, The Art of Computer Programming 3, section 6.4.
#[derive(Default)]
struct CellHasher(u64);

impl Hasher for CellHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let spread = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = spread ^ (spread >> 32);
    }
}
