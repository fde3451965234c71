//! Sums of whole atoms.

use std::collections::{BTreeMap, BTreeSet};

use crate::releases::public::ask::{By, Filter, Fit};
use crate::releases::types::ReleasedAtom;

/// A figure, and whether it is all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figure {
    /// The sum of the atoms that are selected whole; `None` where that is nothing and others may be more, or where the release
    /// knows nothing of what is selected, as of an area that has come since.
    pub incidents: Option<u64>,
    /// Whether no atom is cut or withheld that may be more than nothing.
    pub is_complete: bool,
}

/// Returns what `filter` selects.
pub fn figure<'a>(atoms: impl IntoIterator<Item = &'a ReleasedAtom>, filter: &Filter) -> Figure {
    let mut sum = Sum::default();
    for atom in atoms {
        sum.take(atom, filter.fit(atom));
    }
    sum.figure()
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    incidents: u64,
    /// Whether any atom touches what is selected. Some do for everything that the release knows, with incidents or without.
    is_known: bool,
    has_untold: bool,
}

impl Sum {
    fn take(&mut self, atom: &ReleasedAtom, fit: Fit) {
        self.is_known |= fit != Fit::Outside;
        match (fit, atom.incidents) {
            (Fit::Inside, Some(incidents)) => self.incidents += u64::from(incidents),
            (Fit::Outside, _) | (Fit::Cut, Some(0)) => {}
            (Fit::Inside, None) | (Fit::Cut, _) => self.has_untold = true,
        }
    }

    fn figure(self) -> Figure {
        let is_complete = self.is_known && !self.has_untold;
        // Beside what is not told, 0 would read as none.
        let is_told = is_complete || self.incidents > 0;
        Figure { incidents: is_told.then_some(self.incidents), is_complete }
    }
}

/// A cell of an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// One for every grouping; `None` where it is told coarser.
    pub keys: Vec<Option<String>>,
    /// What is told of it.
    pub figure: Figure,
}

/// What was asked for.
#[derive(Debug)]
pub struct Aggregate<'a> {
    /// In order of their keys, what is told coarser last.
    pub cells: Vec<Cell>,
    /// All that is selected whole.
    pub total: Figure,
    /// Atoms that the filter would cut, or that are withheld, and may be more than nothing.
    pub untold: Vec<&'a ReleasedAtom>,
}

/// Returns the cells and the total of what `filter` selects. By country alone, every country is listed that the release
/// covers and the filter selects.
pub fn aggregate<'a>(atoms: &'a [ReleasedAtom], filter: &Filter, by: &[By]) -> Aggregate<'a> {
    let mut sums: BTreeMap<Vec<(bool, Option<String>)>, Sum> = BTreeMap::new();
    let mut total = Sum::default();
    let mut untold = Vec::new();
    let is_by_country = by == [By::Country];
    for atom in atoms {
        let fit = filter.fit(atom);
        total.take(atom, fit);
        if fit == Fit::Outside {
            continue;
        }
        if (fit == Fit::Cut && atom.incidents != Some(0)) || atom.incidents.is_none() {
            untold.push(atom);
        }
        if fit == Fit::Inside || is_by_country {
            let keys = by.iter().map(|by| by.key(atom)).map(|key| (key.is_none(), key)).collect();
            sums.entry(keys).or_default().take(atom, fit);
        }
    }
    let cell = |(keys, sum): (Vec<(bool, Option<String>)>, Sum)| Cell {
        keys: keys.into_iter().map(|(_, key)| key).collect(),
        figure: sum.figure(),
    };
    let cells = if by.is_empty() { Vec::new() } else { sums.into_iter().map(cell).collect() };
    Aggregate { cells, total: total.figure(), untold }
}

/// Returns what every code of one grouping has, of `codes` and of those that atoms tell alone.
pub fn list_figures<'a>(
    atoms: &[&ReleasedAtom],
    by: By,
    codes: impl IntoIterator<Item = &'a str>,
    filter_of: impl Fn(&str) -> Filter,
) -> Vec<(String, Figure)> {
    let mut all: BTreeSet<String> = codes.into_iter().map(str::to_owned).collect();
    all.extend(atoms.iter().filter_map(|atom| by.key(atom)));
    let figures = all.into_iter().map(|code| {
        let figure = figure(atoms.iter().copied(), &filter_of(&code));
        (code, figure)
    });
    figures.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(times: &str, categories: &str, incidents: Option<u32>) -> ReleasedAtom {
        let codes = |text: &str| text.split(' ').map(str::to_owned).collect();
        ReleasedAtom {
            country: "LSO".to_owned(),
            places: codes("*"),
            times: codes(times),
            categories: codes(categories),
            incidents,
            is_kept: false,
            folded: [None; 3],
        }
    }

    fn of_category(code: &str) -> Filter {
        let categories = Some(BTreeSet::from([code.to_owned()]));
        Filter { categories, ..Filter::default() }
    }

    #[test]
    fn a_filter_that_would_cut_gets_nothing_less_than_the_whole() {
        let atoms = [atom("2024-01", "rights", Some(6)), atom("2024-03", "*", Some(8))];

        let answer = aggregate(&atoms, &of_category("rights"), &[By::Month]);

        assert_eq!(
            answer.cells,
            [Cell {
                keys: vec![Some("2024-01".to_owned())],
                figure: Figure { incidents: Some(6), is_complete: true }
            }]
        );
        assert_eq!(answer.total, Figure { incidents: Some(6), is_complete: false });
        assert_eq!(answer.untold, [&atoms[1]]);
    }

    #[test]
    fn what_is_nothing_is_nothing_in_every_part() {
        let atoms = [atom("2024", "*", Some(0))];

        let answer = aggregate(&atoms, &of_category("rights.labour"), &[By::Country]);

        assert_eq!(answer.total, Figure { incidents: Some(0), is_complete: true });
        assert_eq!(answer.cells[0].figure, answer.total);
        assert_eq!(answer.untold, Vec::<&ReleasedAtom>::new());
    }

    #[test]
    fn what_is_withheld_is_no_zero() {
        let atoms = [atom("2024", "*", None)];

        let answer = aggregate(&atoms, &Filter::default(), &[By::Country]);

        assert_eq!(answer.total, Figure { incidents: None, is_complete: false });
        assert_eq!(answer.cells[0].figure, answer.total);
    }

    #[test]
    fn nothing_beside_what_is_withheld_is_no_zero() {
        let atoms = [atom("2023", "*", Some(0)), atom("2024", "*", None)];

        let told = figure(&atoms, &Filter::default());

        assert_eq!(told, Figure { incidents: None, is_complete: false });
    }

    #[test]
    fn of_a_code_that_came_after_the_release_nothing_is_known() {
        let atoms = [atom("2024", "rights environment", Some(8))];

        let told = figure(&atoms, &of_category("governance"));

        assert_eq!(told, Figure { incidents: None, is_complete: false });
    }
}
