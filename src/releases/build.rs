//! Builds the atoms of a release: counts incidents into the frozen shape of the releases before, and divides what is over
//! since. Only cells are held in memory, never incidents.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::error::Result;
use crate::geo::countries::Country;
use crate::geo::locate::Geo;
use crate::incidents::consent::Release as Consent;
use crate::releases::axis::{self, NO_AREA, holders_of_category, holders_of_place, leaf_of};
use crate::releases::facts::{Fact, read_all};
use crate::releases::partition::{Point, Root, Rule, Settled, Tally, divide, settle};
use crate::releases::period::{Month, When};
use crate::releases::store;
use crate::releases::types::{LeftOut, ReleasedAtom};
use crate::taxonomy::catalogue::Taxonomy;

/// What a release is to cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first month; `None` is January of the year of the earliest incident, or of the last month.
    pub first: Option<Month>,
    /// The last month.
    pub last: Month,
}

/// The release before: its shape is frozen.
pub struct Former {
    /// Row id.
    pub row_id: i64,
    /// The first month.
    pub first: Month,
    /// The last month.
    pub last: Month,
    /// Its atoms, whether they are still shown or not.
    pub atoms: Vec<ReleasedAtom>,
    /// The figures of every release up to it, by position, the newest last.
    pub figures: Vec<Vec<Option<u32>>>,
}

/// What was built.
pub struct Built {
    /// The first month.
    pub first: Month,
    /// The last month.
    pub last: Month,
    /// The atoms; those of the release before come first, in their order.
    pub atoms: Vec<ReleasedAtom>,
    /// What is in none of them.
    pub left_out: LeftOut,
    /// Row id of the release it goes on with.
    pub based_on: Option<i64>,
}

/// Incidents by where they stand.
type Cells = BTreeMap<(String, When), BTreeMap<(String, String), Tally>>;

/// Counts and divides what `span` covers, on one unmoving picture of the database.
///
/// # Errors
/// When the database fails.
pub fn build(conn: &mut DbConn, context: &Context, rule: Rule, span: Span) -> Result<Built> {
    dialect::snapshot(conn, |conn| {
        let former = store::find_former(conn)?;
        let geo = context.geo();
        let mut census = Census::new(&geo, &context.taxonomy);
        read_all(conn, |fact| census.take(fact))?;
        let first = former.as_ref().map(|former| former.first).or(span.first);
        let first = first.unwrap_or_else(|| census.first_month(span.last));
        let last = former.as_ref().map_or(span.last, |former| former.last.max(span.last));
        let census = census.within(first, last);
        let mut work = Work { rule, census, atoms: Vec::new() };
        let from = match &former {
            None => first,
            Some(former) => {
                work.recount(former);
                former.last.next()
            }
        };
        work.divide_from(from, last);
        let based_on = former.map(|former| former.row_id);
        Ok(Built { first, last, atoms: work.atoms, left_out: work.census.left_out, based_on })
    })
}

/// Incidents counted by where they stand, and why others are not.
struct Census<'c> {
    /// Current areas of each country with a member of the coalition.
    areas: BTreeMap<String, BTreeSet<String>>,
    taxonomy: &'c Taxonomy,
    cells: Cells,
    left_out: LeftOut,
}

impl<'c> Census<'c> {
    fn new(geo: &Geo, taxonomy: &'c Taxonomy) -> Self {
        let areas_of = |country: &Country| {
            let areas = geo.areas().in_country(country.code);
            let areas = areas.map(|area| area.id.as_str().to_owned()).collect();
            (country.code.as_str().to_owned(), areas)
        };
        let areas = geo.countries().members().map(areas_of).collect();
        Self { areas, taxonomy, cells: Cells::new(), left_out: LeftOut::default() }
    }

    fn take(&mut self, fact: Fact) {
        let left_out = &mut self.left_out;
        if fact.consent == Consent::LeftOut {
            left_out.consent += 1;
            return;
        }
        let Some(areas) = self.areas.get(&fact.country) else {
            left_out.other_countries += 1;
            return;
        };
        let Some(when) = fact.when else {
            left_out.undated += 1;
            return;
        };
        let leaf = fact.category.and_then(|code| self.taxonomy.find_leaf(&code));
        let Some(leaf) = leaf else {
            left_out.uncategorised += 1;
            return;
        };
        // An area of a pack that is no longer there is as good as none.
        let area = fact.admin1.filter(|code| areas.contains(code));
        let place = area.unwrap_or_else(|| NO_AREA.to_owned());
        let cells = self.cells.entry((fact.country, when)).or_default();
        let cell = cells.entry((place, leaf.category.clone())).or_default();
        cell.add(&Tally { incidents: 1, senders: fact.senders });
    }

    /// Returns January of the earliest year, where there is any.
    fn first_month(&self, last: Month) -> Month {
        let years = self.cells.keys().map(|(_, when)| when.last_month().year);
        let year = years.min().unwrap_or(last.year).min(last.year);
        Month { year, month: 1 }
    }

    fn within(mut self, first: Month, last: Month) -> Self {
        let mut others = 0;
        self.cells.retain(|(_, when), cells| {
            let is_within = (first..=last).contains(&when.last_month());
            if !is_within {
                others += cells.values().map(|tally| tally.incidents).sum::<u32>();
            }
            is_within
        });
        self.left_out.other_times += others;
        self
    }
}

/// A release in the making.
struct Work<'c> {
    rule: Rule,
    census: Census<'c>,
    atoms: Vec<ReleasedAtom>,
}

impl Work<'_> {
    /// Counts what is over with the release before into its atoms.
    fn recount(&mut self, former: &Former) {
        let places = index(&former.atoms);
        let mut tallies = vec![Tally::default(); former.atoms.len()];
        let mut unplaced: BTreeSet<(&str, i32)> = BTreeSet::new();
        for ((country, when), cells) in &self.census.cells {
            if when.last_month() > former.last {
                continue;
            }
            for ((place, category), tally) in cells {
                let found = find(&places, country, (place, *when, category));
                if let Some(counted) = found.and_then(|position| tallies.get_mut(position)) {
                    counted.add(tally);
                } else {
                    unplaced.insert((country, when.last_month().year));
                    self.census.left_out.unknown_to_shape += tally.incidents;
                }
            }
        }
        let settled = former.atoms.iter().zip(&former.figures).zip(&tallies);
        for ((atom, figures), tally) in settled {
            let is_of =
                |(country, year): &(&str, i32)| atom.country == *country && atom.is_in(*year);
            // What is in no atom has perhaps only changed its code, as after an import of boundaries: no atom has lost it.
            let figure = if unplaced.iter().any(is_of) {
                let last = figures.last().copied().flatten();
                Settled { incidents: last, is_kept: last.is_some_and(|it| it != tally.incidents) }
            } else {
                settle(self.rule, figures, tally)
            };
            let withheld = if figure.incidents.is_none() { tally.incidents } else { 0 };
            self.census.left_out.withheld += withheld;
            self.atoms.push(ReleasedAtom {
                incidents: figure.incidents,
                is_kept: figure.is_kept,
                ..atom.clone()
            });
        }
    }

    /// Divides every country in each year of these months.
    fn divide_from(&mut self, from: Month, last: Month) {
        let categories = self.census.taxonomy.leaves().iter().map(|leaf| leaf.category.as_str());
        let categories = axis::categories(categories);
        for (country, areas) in self.census.areas.clone() {
            let places = axis::places(areas.iter().map(String::as_str));
            for year in from.year..=last.year {
                let first_month = if year == from.year { from.month } else { 1 };
                let last_month = if year == last.year { last.month } else { 12 };
                if first_month > last_month {
                    continue;
                }
                let root = Root {
                    places: places.clone(),
                    times: axis::times(year, first_month, last_month),
                    categories: categories.clone(),
                };
                self.divide_root(&country, &root, (from, last, year));
            }
        }
    }

    fn divide_root(&mut self, country: &str, root: &Root, (from, last, year): (Month, Month, i32)) {
        let mut points: BTreeMap<Point, Tally> = BTreeMap::new();
        for ((of, when), cells) in &self.census.cells {
            let over = when.last_month();
            if of != country || over.year != year || over < from || over > last {
                continue;
            }
            for ((place, category), tally) in cells {
                let (place, category) = (place.clone(), category.clone());
                points.insert(Point { place, time: leaf_of(*when), category }, *tally);
            }
        }
        for atom in divide(self.rule, root, &points) {
            let may_be_told = self.rule.allows(&atom.tally);
            if !may_be_told {
                self.census.left_out.withheld += atom.tally.incidents;
            }
            self.atoms.push(ReleasedAtom {
                country: country.to_owned(),
                places: atom.places,
                times: atom.times,
                categories: atom.categories,
                incidents: may_be_told.then_some(atom.tally.incidents),
                is_kept: false,
                folded: atom.folded,
            });
        }
    }
}

/// Positions of atoms by country and the codes of each axis.
type Index<'a> = HashMap<(&'a str, &'a str, &'a str, &'a str), usize>;

fn index(atoms: &[ReleasedAtom]) -> Index<'_> {
    let mut index = Index::new();
    for (position, atom) in atoms.iter().enumerate() {
        for place in &atom.places {
            for time in &atom.times {
                for category in &atom.categories {
                    index.insert((&atom.country, place, time, category), position);
                }
            }
        }
    }
    index
}

/// Finds the one atom that holds a cell.
fn find(
    index: &Index<'_>,
    country: &str,
    (place, when, category): (&str, When, &str),
) -> Option<usize> {
    let times = when.codes();
    for place in holders_of_place(place) {
        for time in &times {
            for category in holders_of_category(category) {
                if let Some(position) = index.get(&(country, place, time.as_str(), category)) {
                    return Some(*position);
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::releases::partition::Senders;

    #[test]
    fn what_only_changed_its_code_since_leaves_the_figures_as_they_were() {
        let taxonomy = Taxonomy::builtin().expect("the built-in taxonomy");
        let category = taxonomy.leaves()[0].category.clone();
        let atom = |place: &str, year: i32, incidents| ReleasedAtom {
            country: "LSO".to_owned(),
            places: vec![place.to_owned()],
            times: vec![format!("{year}-02")],
            categories: vec![category.clone()],
            incidents: Some(incidents),
            is_kept: false,
            folded: [None; 3],
        };
        let atoms = vec![atom("LS-A", 2024, 30), atom("LS-A", 2023, 20)];
        let month = |year| Month { year, month: 2 };
        let former = Former {
            row_id: 1,
            first: month(2023),
            last: month(2024),
            figures: vec![vec![Some(30)], vec![Some(20)]],
            atoms,
        };
        let mut senders = Senders::default();
        (1..=3).for_each(|sender| senders.add(sender));
        let here = |place: &str, incidents| {
            BTreeMap::from([((place.to_owned(), category.clone()), Tally { incidents, senders })])
        };
        let when = |year| ("LSO".to_owned(), When::Month(month(year)));
        let census = Census {
            areas: BTreeMap::new(),
            taxonomy: &taxonomy,
            // The area got another code with an import, and another year has five more.
            cells: BTreeMap::from([
                (when(2024), here("LS-NEW", 30)),
                (when(2023), here("LS-A", 25)),
            ]),
            left_out: LeftOut::default(),
        };
        let mut work = Work { rule: Rule::STANDARD, census, atoms: Vec::new() };

        work.recount(&former);

        let told: Vec<_> = work.atoms.iter().map(|it| (it.incidents, it.is_kept)).collect();
        assert_eq!(told, [(Some(30), true), (Some(25), false)]);
        assert_eq!(work.census.left_out.unknown_to_shape, 30);
    }
}
