//! An invented database, different for every seed: many small cells, and what came late.

use std::collections::{BTreeMap, BTreeSet};

use crate::releases::stage::{Stage, Told};

pub(crate) const COUNTRIES: [&str; 2] = ["LSO", "SLE"];
pub(crate) const MONTHS: [&str; 5] = ["2023-11", "2023-12", "2024-01", "2024-02", "2024-03"];

/// Numbers that look random and are the same for a seed.
///
/// # Source
/// xorshift64*, Vigna 2016.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n
    }
}

/// Where an incident stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) country: &'static str,
    pub(crate) area: String,
    pub(crate) month: &'static str,
    pub(crate) category: String,
}

/// Every cell there may be, numbered, and how many incidents each holds.
pub(crate) struct World {
    pub(crate) cells: Vec<Cell>,
    pub(crate) truth: BTreeMap<usize, u64>,
    leaves: BTreeMap<String, String>,
}

impl World {
    pub(crate) fn new(stage: &Stage) -> Self {
        let leaves = choose_leaves(stage);
        let mut cells = Vec::new();
        for country in COUNTRIES {
            let areas = stage.areas(country).into_iter().take(2);
            for area in areas.chain(["none".to_owned()]) {
                for month in MONTHS {
                    for category in leaves.keys() {
                        let (area, category) = (area.clone(), category.clone());
                        cells.push(Cell { country, area, month, category });
                    }
                }
            }
        }
        Self { cells, truth: BTreeMap::new(), leaves }
    }

    /// Files `chance` percent of the cells of the first `months` with some incidents, mostly few.
    pub(crate) fn grow(&mut self, stage: &Stage, dice: &mut Dice, (months, chance): (usize, u64)) {
        let mut all = Vec::new();
        for (nth, cell) in self.cells.iter().enumerate() {
            let is_told = MONTHS[..months].contains(&cell.month) && dice.below(100) < chance;
            if !is_told {
                continue;
            }
            let n = match dice.below(10) {
                0..5 => 1 + dice.below(2),
                5..8 => 3 + dice.below(3),
                _ => 6 + dice.below(7),
            };
            *self.truth.entry(nth).or_default() += n;
            let day = 1 + dice.below(27);
            for _ in 0..n {
                all.push(Told {
                    country: cell.country,
                    admin1: Some(cell.area.clone()).filter(|area| area != "none"),
                    occurred: format!("{}-{day:02}", cell.month),
                    category: self.leaves[&cell.category].clone(),
                    sender: usize::try_from(dice.below(5)).expect("a small number"),
                    consent: None,
                });
            }
        }
        stage.tell(&all);
    }

    /// Returns the numbers of the cells that `is_in` chooses.
    pub(crate) fn choose(&self, is_in: impl Fn(&Cell) -> bool) -> BTreeSet<usize> {
        let chosen = self.cells.iter().enumerate().filter(|(_, cell)| is_in(cell));
        chosen.map(|(nth, _)| nth).collect()
    }
}

/// Two categories of two themes, with a leaf of each.
fn choose_leaves(stage: &Stage) -> BTreeMap<String, String> {
    let mut chosen: BTreeMap<String, String> = BTreeMap::new();
    for leaf in stage.app.context.taxonomy.leaves() {
        let is_full =
            |theme: &str| chosen.keys().filter(|code| code.starts_with(theme)).count() == 2;
        let is_wanted = ["rights", "environment"].contains(&leaf.theme.as_str());
        if is_wanted && leaf.retired_on.is_none() && !is_full(&leaf.theme) {
            chosen.entry(leaf.category.clone()).or_insert(leaf.code.as_str().to_owned());
        }
    }
    assert_eq!(chosen.len(), 4, "{chosen:?}");
    chosen
}
