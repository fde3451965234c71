//! What is asked of a release. A filter selects whole atoms; what it would cut is told as it is, never divided.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::error::Result;
use crate::geo::locate::Geo;
use crate::http::query::{self, Pairs};
use crate::releases::axis::{ALL, NO_AREA};
use crate::releases::period::{Month, months_of};
use crate::releases::types::{Release, ReleasedAtom};

/// What figures are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// For whoever asks: exact.
    Own,
    /// To be published: those of a release.
    Publication,
}

impl Purpose {
    /// Takes `for` out of `pairs`.
    ///
    /// # Errors
    /// `InvalidParameter`.
    pub fn take(pairs: &mut Pairs) -> Result<Self> {
        match pairs.take_one("for")?.as_deref() {
            None => Ok(Self::Own),
            Some("publication") => Ok(Self::Publication),
            Some(_) => Err(query::invalid("for", "for is publication", "for est publication")),
        }
    }
}

/// What figures are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Country.
    Country,
    /// First-level area.
    Admin1,
    /// Theme.
    Theme,
    /// Category.
    Category,
    /// Year.
    Year,
    /// Quarter.
    Quarter,
    /// Month.
    Month,
}

impl By {
    /// Every grouping with its code.
    pub const CODES: [(&'static str, Self); 7] = [
        ("country", Self::Country),
        ("admin1", Self::Admin1),
        ("theme", Self::Theme),
        ("category", Self::Category),
        ("year", Self::Year),
        ("quarter", Self::Quarter),
        ("month", Self::Month),
    ];

    /// Returns its code.
    pub fn as_str(self) -> &'static str {
        Self::CODES.iter().find(|(_, by)| *by == self).map_or("", |(code, _)| code)
    }

    /// Returns what an atom is by this grouping; `None` where it is told coarser.
    pub fn key(self, atom: &ReleasedAtom) -> Option<String> {
        match self {
            Self::Country => Some(atom.country.clone()),
            Self::Admin1 => only(&atom.places, |code| (code != ALL).then(|| code.to_owned())),
            Self::Theme => only(&atom.categories, |code| {
                (code != ALL).then(|| code.split('.').next().unwrap_or(code).to_owned())
            }),
            Self::Category => {
                only(&atom.categories, |code| code.contains('.').then(|| code.to_owned()))
            }
            Self::Year => only(&atom.times, |code| Some(months_of(code)?.0.year.to_string())),
            Self::Quarter => only(&atom.times, quarter),
            Self::Month => only(&atom.times, |code| Some(Month::parse(code)?.to_string())),
        }
    }
}

fn quarter(code: &str) -> Option<String> {
    let (from, to) = months_of(code)?;
    (from.quarter() == to.quarter()).then(|| format!("{}-Q{}", from.year, from.quarter()))
}

/// Returns what all codes have in common; `None` where they have not.
fn only(codes: &[String], key: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut keys = codes.iter().map(|code| key(code));
    let first = keys.next()??;
    keys.all(|key| key.as_ref() == Some(&first)).then_some(first)
}

/// How an atom stands to a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// All of it is selected.
    Inside,
    /// Some of it.
    Cut,
    /// None of it.
    Outside,
}

impl Fit {
    fn of(all: bool, any: bool) -> Self {
        match (all, any) {
            (true, _) => Self::Inside,
            (false, true) => Self::Cut,
            (false, false) => Self::Outside,
        }
    }
}

/// A filter; what is `None` selects everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Alpha-3 codes.
    pub countries: Option<BTreeSet<String>>,
    /// Areas with the country they lie in; `none` lies in all.
    pub areas: Option<BTreeMap<String, Option<String>>>,
    /// Themes and categories.
    pub categories: Option<BTreeSet<String>>,
    /// The first month.
    pub from: Option<Month>,
    /// The last month.
    pub to: Option<Month>,
    /// The months of the release: what is known no better than its year lies in those of them.
    pub covered: Option<(Month, Month)>,
}

impl Filter {
    /// Tells how much of an atom is selected.
    pub fn fit(&self, atom: &ReleasedAtom) -> Fit {
        let is_elsewhere =
            self.countries.as_ref().is_some_and(|countries| !countries.contains(&atom.country));
        if is_elsewhere {
            return Fit::Outside;
        }
        let fits = [self.fit_place(atom), self.fit_time(atom), self.fit_category(atom)];
        fits.into_iter().max().unwrap_or(Fit::Inside)
    }

    fn fit_place(&self, atom: &ReleasedAtom) -> Fit {
        let Some(areas) = &self.areas else {
            return Fit::Inside;
        };
        let is_here =
            |country: &Option<String>| country.as_ref().is_none_or(|it| *it == atom.country);
        let is_all = atom.places.iter().any(|code| code == ALL);
        if is_all {
            return Fit::of(false, areas.values().any(is_here));
        }
        let has = |code: &String| areas.contains_key(code);
        Fit::of(atom.places.iter().all(has), atom.places.iter().any(has))
    }

    fn fit_time(&self, atom: &ReleasedAtom) -> Fit {
        let covered = |(first, last): (Month, Month)| match self.covered {
            Some((from, to)) => (first.max(from), last.min(to)),
            None => (first, last),
        };
        let spans = atom.times.iter().filter_map(|code| months_of(code).map(covered));
        let spans: Vec<_> = spans.collect();
        let is_from = |month: Month| self.from.is_none_or(|from| month >= from);
        let is_to = |month: Month| self.to.is_none_or(|to| month <= to);
        let all = spans.iter().all(|(first, last)| is_from(*first) && is_to(*last));
        Fit::of(all, spans.iter().any(|(first, last)| is_from(*last) && is_to(*first)))
    }

    fn fit_category(&self, atom: &ReleasedAtom) -> Fit {
        let Some(asked) = &self.categories else {
            return Fit::Inside;
        };
        let is_in = |code: &String| {
            asked.contains(code)
                || code.split_once('.').is_some_and(|(theme, _)| asked.contains(theme))
        };
        let is_touched = |code: &String| {
            is_in(code)
                || code == ALL
                || asked.iter().any(|it| it.split_once('.').is_some_and(|(theme, _)| theme == code))
        };
        Fit::of(atom.categories.iter().all(is_in), atom.categories.iter().any(is_touched))
    }

    /// Returns the filter that selects one code of a grouping.
    pub fn of(by: By, code: &str) -> Self {
        let codes = || Some(BTreeSet::from([code.to_owned()]));
        let months = || months_of(code).unzip();
        let filter = Self::default();
        match by {
            By::Country => Self { countries: codes(), ..filter },
            By::Admin1 => Self { areas: Some(BTreeMap::from([(code.to_owned(), None)])), ..filter },
            By::Theme | By::Category => Self { categories: codes(), ..filter },
            By::Year | By::Quarter | By::Month => {
                let (from, to) = months();
                Self { from, to, ..filter }
            }
        }
    }

    /// Limits it to the months that a release covers.
    ///
    /// # Errors
    /// `InvalidParameter` where it begins or ends with others: of those the release does not say that there was nothing.
    pub fn within(mut self, release: &Release) -> Result<Self> {
        let (first, last) = (release.first, release.last);
        for (name, month) in [("from", self.from), ("to", self.to)] {
            if month.is_some_and(|month| !(first..=last).contains(&month)) {
                return Err(query::invalid(
                    name,
                    format!("the release covers {first} to {last}: ask for months of these"),
                    format!("la publication couvre {first} à {last} : demandez de ces mois"),
                ));
            }
        }
        self.covered = Some((first, last));
        Ok(self)
    }

    /// Returns it as it was understood, by the names of its parameters.
    pub fn told(&self) -> BTreeMap<&'static str, Vec<String>> {
        let list = |codes: &BTreeSet<String>| codes.iter().cloned().collect();
        let month = |month: Month| vec![month.to_string()];
        let areas = self.areas.as_ref().map(|areas| areas.keys().cloned().collect());
        let told = [
            ("country", self.countries.as_ref().map(list)),
            ("admin1", areas),
            ("category", self.categories.as_ref().map(list)),
            ("from", self.from.map(month)),
            ("to", self.to.map(month)),
        ];
        told.into_iter().filter_map(|(name, values)| Some((name, values?))).collect()
    }

    /// Takes the filter out of `pairs`.
    ///
    /// # Errors
    /// `InvalidParameter`.
    pub fn take(pairs: &mut Pairs, context: &Context) -> Result<Self> {
        let geo = context.geo();
        let mut filter = Self::default();
        for (name, value) in std::mem::take(&mut pairs.0) {
            match name.as_str() {
                "country" => take_countries(&mut filter, &value, &geo)?,
                "admin1" => take_areas(&mut filter, &value, &geo)?,
                "theme" | "category" => take_categories(&mut filter, (&name, &value), context)?,
                _ => pairs.0.push((name, value)),
            }
        }
        filter.from = take_month(pairs, "from")?.map(|(first, _)| first);
        filter.to = take_month(pairs, "to")?.map(|(_, last)| last);
        if filter.from.zip(filter.to).is_some_and(|(from, to)| from > to) {
            return Err(query::invalid("from", "from is after to", "from est postérieur à to"));
        }
        Ok(filter)
    }
}

/// The names of filters.
pub const FILTERS: [&str; 6] = ["country", "admin1", "theme", "category", "from", "to"];

fn each(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim)
}

fn take_countries(filter: &mut Filter, value: &str, geo: &Geo) -> Result<()> {
    for text in each(value) {
        let country = geo.countries().parse(text).ok_or_else(|| {
            query::invalid(
                "country",
                "no country of the coalition has this code; give one such as SLE",
                "aucun pays de la coalition n'a ce code ; donnez par exemple SLE",
            )
        })?;
        filter.countries.get_or_insert_default().insert(country.as_str().to_owned());
    }
    Ok(())
}

fn take_areas(filter: &mut Filter, value: &str, geo: &Geo) -> Result<()> {
    for text in each(value) {
        let areas = filter.areas.get_or_insert_default();
        if text == NO_AREA {
            areas.insert(NO_AREA.to_owned(), None);
            continue;
        }
        let area = geo.areas().find(text).ok_or_else(|| {
            query::invalid(
                "admin1",
                "no first-level area has this code; give one such as SL-E, or none",
                "aucune entité de premier niveau n'a ce code ; donnez par exemple SL-E, ou none",
            )
        })?;
        areas.insert(area.id.as_str().to_owned(), Some(area.country.as_str().to_owned()));
    }
    Ok(())
}

fn take_categories(
    filter: &mut Filter,
    (name, value): (&str, &str),
    context: &Context,
) -> Result<()> {
    for code in each(value) {
        let leaves = context.taxonomy.leaves();
        if context.taxonomy.find_leaf(code).is_some() {
            return Err(query::invalid(
                name,
                "releases tell themes and categories, nothing finer: give theme.category",
                "les publications donnent thèmes et catégories, rien de plus fin : donnez thème.catégorie",
            ));
        }
        if !leaves.iter().any(|leaf| leaf.theme == code || leaf.category == code) {
            return Err(query::invalid(
                name,
                "no theme or category has this code; give one such as rights or rights.labour",
                "aucun thème ni catégorie n'a ce code ; donnez par exemple rights ou rights.labour",
            ));
        }
        filter.categories.get_or_insert_default().insert(code.to_owned());
    }
    Ok(())
}

/// Takes a month, or a year: its first and last month.
fn take_month(pairs: &mut Pairs, name: &str) -> Result<Option<(Month, Month)>> {
    let Some(text) = pairs.take_one(name)? else {
        return Ok(None);
    };
    let is_plain = text.len() == 4 || Month::parse(&text).is_some();
    months_of(&text).filter(|_| is_plain).map(Some).ok_or_else(|| {
        query::invalid(
            name,
            "releases tell whole months: give one such as 2024-03, or a year",
            "les publications donnent des mois entiers : donnez par exemple 2024-03, ou une année",
        )
    })
}

/// Takes `by` out of `pairs`: up to three groupings.
///
/// # Errors
/// `InvalidParameter`.
pub fn take_by(pairs: &mut Pairs) -> Result<Vec<By>> {
    let Some(text) = pairs.take_one("by")?.filter(|text| !text.trim().is_empty()) else {
        return Ok(Vec::new());
    };
    let known = By::CODES.map(|(code, _)| code).join(", ");
    let mut all = Vec::new();
    for code in each(&text) {
        let by = By::CODES.iter().find(|(known, _)| *known == code).map(|(_, by)| *by);
        let by = by.filter(|by| !all.contains(by) && all.len() < 3).ok_or_else(|| {
            query::invalid(
                "by",
                format!("up to three of {known}, each once"),
                format!("jusqu'à trois valeurs parmi {known}, chacune une fois"),
            )
        })?;
        all.push(by);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(places: &str, times: &str, categories: &str) -> ReleasedAtom {
        let codes = |text: &str| text.split(' ').map(str::to_owned).collect();
        ReleasedAtom {
            country: "LSO".to_owned(),
            places: codes(places),
            times: codes(times),
            categories: codes(categories),
            incidents: Some(8),
            is_kept: false,
            folded: [None; 3],
        }
    }

    fn of_category(code: &str) -> Filter {
        let categories = Some(BTreeSet::from([code.to_owned()]));
        Filter { categories, ..Filter::default() }
    }

    fn until(month: &str) -> Filter {
        Filter { to: Month::parse(month), ..Filter::default() }
    }

    #[test]
    fn what_a_filter_would_cut_is_not_inside() {
        let folded = atom("*", "2024-02 2024-03", "environment rights");

        assert_eq!(of_category("rights").fit(&folded), Fit::Cut);
        assert_eq!(of_category("rights.labour").fit(&folded), Fit::Cut);
        assert_eq!(of_category("governance").fit(&folded), Fit::Outside);
        assert_eq!(until("2024-02").fit(&folded), Fit::Cut);
        assert_eq!(until("2024-03").fit(&folded), Fit::Inside);
        assert_eq!(until("2024-01").fit(&folded), Fit::Outside);
        assert_eq!(until("2024-06").fit(&atom("*", "2024-XX", "*")), Fit::Cut);
        let covered = (Month { year: 2023, month: 3 }, Month { year: 2024, month: 6 });
        let all_of_it = Filter { covered: Some(covered), ..until("2024-06") };
        assert_eq!(all_of_it.fit(&atom("*", "2024-XX", "*")), Fit::Inside);
        assert_eq!(of_category("rights").fit(&atom("*", "2024", "rights.labour")), Fit::Inside);
        assert_eq!(of_category("rights").fit(&atom("*", "2024", "*")), Fit::Cut);
    }

    #[test]
    fn an_area_of_another_country_touches_nothing_here() {
        let areas = |code: &str, country: &str| {
            let areas = BTreeMap::from([(code.to_owned(), Some(country.to_owned()))]);
            Filter { areas: Some(areas), ..Filter::default() }
        };

        assert_eq!(areas("SL-E", "SLE").fit(&atom("*", "2024", "*")), Fit::Outside);
        assert_eq!(areas("LS-A", "LSO").fit(&atom("*", "2024", "*")), Fit::Cut);
        assert_eq!(areas("LS-A", "LSO").fit(&atom("LS-A", "2024", "*")), Fit::Inside);
    }

    #[test]
    fn what_is_told_coarser_has_no_key() {
        let key = |by: By, atom: &ReleasedAtom| by.key(atom);
        let folded = atom("LS-A", "2024-01 2024-03", "rights.labour rights.security");

        assert_eq!(key(By::Month, &folded), None);
        assert_eq!(key(By::Quarter, &folded).as_deref(), Some("2024-Q1"));
        assert_eq!(key(By::Category, &folded), None);
        assert_eq!(key(By::Theme, &folded).as_deref(), Some("rights"));
        assert_eq!(key(By::Admin1, &folded).as_deref(), Some("LS-A"));
        assert_eq!(key(By::Quarter, &atom("*", "2024-XX", "*")), None);
        assert_eq!(key(By::Year, &atom("*", "2024-XX", "*")).as_deref(), Some("2024"));
        assert_eq!(key(By::Month, &atom("*", "2024-Q1-XX", "*")), None);
    }
}
