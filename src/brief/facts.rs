//! What a brief counts: the answers of a few questions to the columns, in one reading of them.

use chrono::{Datelike, Months, NaiveDate};

use crate::aggregates::answer::{AggregateCell, Note};
use crate::aggregates::columns::Columns;
use crate::aggregates::country::CountryView;
use crate::aggregates::query::{By, GENERAL_RESOLUTION, Query, Selector};
use crate::brief::map::LonLatDegrees;
use crate::error::Result;
use crate::geo::cells::Cell;
use crate::geo::countries::CountryCode;
use crate::geo::locate::Geo;
use crate::incidents::selection::refuse;
use crate::taxonomy::catalogue::{Taxonomy, Valence};

/// A period of more months is shown by years.
const MOST_MONTHS: usize = 36;

/// What was counted in a country in a period.
pub struct Facts {
    /// Totals, review states, first-level areas, change, how it adds up.
    pub view: CountryView,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// Every theme of the taxonomy, in its order.
    pub themes: Vec<Split>,
    /// Every category that was counted, in the order of the taxonomy.
    pub categories: Vec<Split>,
    /// Incidents by month, or by year in a long period: a number for every theme. None is left out.
    pub times: Vec<(String, Vec<u64>)>,
    /// Incidents whose date is too coarse for any of `times`.
    pub n_timeless: u64,
    /// Incidents that are examples of good practice.
    pub n_good: u64,
    /// Resolution 5 cells that were counted.
    pub cells: Vec<(Cell, u64)>,
}

/// A theme or category and its incidents, apart by what they are examples of.
pub struct Split {
    /// Its code.
    pub code: String,
    /// Good practice.
    pub n_good: u64,
    /// All else: violations, harm, bad practice.
    pub n_bad: u64,
    /// Incidents, each once.
    pub n: u64,
}

impl Facts {
    /// Counts, by a filter that has `from`, `to` and the country alone.
    ///
    /// # Errors
    /// None that is known: the questions are ours.
    pub fn count(
        columns: &Columns,
        selector: &Selector<'_>,
        (country, from, to): (CountryCode, NaiveDate, NaiveDate),
        taxonomy: &Taxonomy,
        as_of: i64,
    ) -> Result<Self> {
        let note = Note { coverage: String::new(), as_of };
        let ask = |by: Vec<By>| -> Result<Vec<AggregateCell>> {
            let query = Query::new(by, GENERAL_RESOLUTION, selector.clone())
                .map_err(|error| refuse(&[error]))?;
            Ok(columns.aggregate(&query, &note).cells)
        };
        let view = columns.view_country(country.as_str(), selector, &note);
        let themes: Vec<String> =
            taxonomy.themes().iter().map(|theme| theme.code.to_owned()).collect();
        let codes: Vec<String> = taxonomy
            .themes()
            .iter()
            .flat_map(|theme| theme.categories.iter().map(|category| category.code.to_owned()))
            .collect();
        let by_month = list_months(from, to);
        let (by, times) = match by_month.len() {
            0..=MOST_MONTHS => (By::Month, by_month),
            _ => (By::Year, (from.year()..=to.year()).map(|year| format!("{year:04}")).collect()),
        };
        let by_theme = ask(vec![by, By::Theme])?;
        let alone = ask(vec![by])?;
        let n_timeless = count_of(&alone, |cell| cell.keys.get(by).is_none());
        let count_in = |time: &str, theme: &str| {
            count_of(&by_theme, |cell| {
                cell.keys.get(by) == Some(time) && cell.keys.get(By::Theme) == Some(theme)
            })
        };
        let row = |time: String| {
            let counts = themes.iter().map(|theme| count_in(&time, theme)).collect();
            (time, counts)
        };
        let mut categories =
            split(&view.categories, &ask(vec![By::Category, By::Valence])?, By::Category, codes);
        categories.retain(|category| category.n > 0);
        let cells = ask(vec![By::H3])?.into_iter().filter_map(|cell| {
            Some((Cell::parse(cell.keys.get(By::H3)?)?, cell.figures.incidents))
        });
        Ok(Self {
            n_good: count_of(&ask(vec![By::Valence])?, is_good),
            times: times.into_iter().map(row).collect(),
            n_timeless,
            themes: split(&view.themes, &ask(vec![By::Theme, By::Valence])?, By::Theme, themes),
            categories,
            cells: cells.collect(),
            view,
            from,
            to,
        })
    }

    /// Returns how many incidents are known to have been in one of these areas.
    pub fn in_areas(&self, codes: &[&str]) -> u64 {
        count_of(&self.view.admin1, |cell| {
            cell.keys.get(By::Admin1).is_some_and(|code| codes.contains(&code))
        })
    }

    /// Returns the generalised places with their counts.
    pub fn places(&self, geo: &Geo, country: CountryCode) -> Vec<(LonLatDegrees, u64)> {
        let place = |(cell, count): &(Cell, u64)| {
            let point = geo.generalise(*cell, Some(country))?;
            Some(((point.lon(), point.lat()), *count))
        };
        self.cells.iter().filter_map(place).collect()
    }
}

/// Counts themes or categories, each once and apart by valence.
fn split(all: &[AggregateCell], apart: &[AggregateCell], by: By, codes: Vec<String>) -> Vec<Split> {
    let count = |code: String| {
        let is_it = |cell: &AggregateCell| cell.keys.get(by) == Some(code.as_str());
        Split {
            n: count_of(all, is_it),
            n_good: count_of(apart, |cell| is_it(cell) && is_good(cell)),
            n_bad: count_of(apart, |cell| is_it(cell) && !is_good(cell)),
            code,
        }
    };
    codes.into_iter().map(count).collect()
}

fn is_good(cell: &AggregateCell) -> bool {
    cell.keys.get(By::Valence) == Some(Valence::GoodPractice.as_str())
}

fn count_of(cells: &[AggregateCell], is_it: impl Fn(&AggregateCell) -> bool) -> u64 {
    cells.iter().filter(|cell| is_it(cell)).map(|cell| cell.figures.incidents).sum()
}

/// Lists the months that a period touches: `2024-03`.
fn list_months(from: NaiveDate, to: NaiveDate) -> Vec<String> {
    let first = from.with_day(1).unwrap_or(from);
    let months = (0..).map_while(|nth| first.checked_add_months(Months::new(nth)));
    months.take_while(|month| *month <= to).map(|month| month.format("%Y-%m").to_string()).collect()
}
