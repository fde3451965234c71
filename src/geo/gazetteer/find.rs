//! From a phrase to a place, or to the places it may mean.
//!
//! Nothing is chosen by size: of several places with one name the declared country and area decide, then what else
//! the phrase names, else all of them are told and none is taken.

use std::ops::Range;

use crate::geo::areas::Area;
use crate::geo::countries::CountryCode;
use crate::geo::gazetteer::index::Name;
use crate::geo::gazetteer::phrase::{Around, Phrase, Relation};
use crate::geo::gazetteer::spelling::{Closeness, compare};
use crate::geo::gazetteer::{Gazetteer, Place, PlaceKind};
use crate::geo::locate::Geo;

/// Two entries of one name closer than this are one town, in metres.
pub(crate) const TOWN_M: f64 = 5_000.0;
/// A place told together with another is looked for this far around it, in metres.
const TOGETHER_M: f64 = 60_000.0;
/// What is told to be further from a town than this is not in the town, in kilometres.
const MAX_TOLD_KM: u32 = 20;
/// A shorter part of what is told is more likely another word than a misspelt name.
const MIN_PART_LETTERS: usize = 7;
/// So many candidates help to choose; more do not.
const MAX_CANDIDATES: usize = 8;

/// Where to look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Within<'a> {
    /// The declared country; without one a name must be unique among all countries, and nothing is guessed.
    pub country: Option<CountryCode>,
    /// The declared area.
    pub area: Option<&'a Area>,
}

/// What a phrase means.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    /// This place.
    One(&'a Place),
    /// One of these, the largest first: 1 to 8.
    Several(Vec<&'a Place>),
    /// No place that is known.
    Nothing,
}

/// A name in the phrase and the places it may be.
struct Hit<'a> {
    run: Range<usize>,
    around: Around,
    places: Vec<&'a Place>,
}

impl Hit<'_> {
    /// Says whether it names an area, or a place only as the seat of one.
    fn is_area(&self) -> bool {
        self.around.is_area || self.places.iter().all(|place| is_area(place))
    }

    /// Says whether the place is only near it.
    fn is_beside(&self) -> bool {
        self.around.relation != Relation::At
    }
}

fn is_area(place: &Place) -> bool {
    matches!(place.kind, PlaceKind::Area(_))
}

impl Geo {
    /// Finds the place that a text tells.
    pub fn find_place(&self, text: &str, within: Within<'_>) -> Found<'_> {
        let phrase = Phrase::read(text);
        let hits = self.gazetteer().look_up(&phrase, within.country);
        Choice { geo: self, within }.choose(hits, phrase.distance_km())
    }

    /// Returns the area of a place: what the gazetteer is sure of, else what its point says.
    pub fn area_of(&self, place: &Place) -> Option<&Area> {
        let known = place.area.as_ref().and_then(|id| self.areas().get(id));
        let of_point = || {
            let point = place.point?;
            let drawn = self.areas().locate(point, place.country)?;
            Some(self.area_today(drawn, point).0)
        };
        known.or_else(of_point)
    }
}

impl Gazetteer {
    /// Looks up what may be a name in the phrase: as written, then with the words around it, then as it sounds.
    fn look_up(&self, phrase: &Phrase, country: Option<CountryCode>) -> Vec<Hit<'_>> {
        let exactly = |run: &Range<usize>| self.written(&phrase.compact(run), country);
        let hits = take_hits(phrase, phrase.names(), exactly);
        if !hits.is_empty() {
            return self.as_a_whole(phrase, &hits, country).unwrap_or(hits);
        }
        let hits = take_hits(phrase, phrase.wider_names(), exactly);
        if !hits.is_empty() || country.is_none() {
            return hits;
        }
        take_hits(phrase, phrase.bare_names(), |run| {
            let letters = phrase.compact(run);
            let is_guessed = phrase.is_whole(run) || letters.len() >= MIN_PART_LETTERS;
            if is_guessed { self.nearly(&letters, country) } else { Vec::new() }
        })
    }

    /// Returns the hit of all content words together where those found leave some over: in "Kouassi-Datekrro" the known
    /// name is not *Kouassi*.
    fn as_a_whole(
        &self,
        phrase: &Phrase,
        hits: &[Hit<'_>],
        country: Option<CountryCode>,
    ) -> Option<Vec<Hit<'_>>> {
        country?;
        let run = phrase.bare_names().find(|run| phrase.is_whole(run))?;
        let is_found = |at: usize| hits.iter().any(|hit| hit.run.contains(&at));
        if run.clone().all(|at| is_found(at) || !phrase.is_content(at)) {
            return None;
        }
        let whole = take_hits(phrase, std::iter::once(run), |run| {
            self.nearly(&phrase.compact(run), country)
        });
        (!whole.is_empty()).then_some(whole)
    }

    /// Lists the places of exactly this name, those better known under another only when there are no others.
    fn written(&self, compact: &str, country: Option<CountryCode>) -> Vec<&Place> {
        let names = self.names.written(compact);
        let of = |is_other: bool| {
            self.places_of(names.iter().filter(|name| name.is_other == is_other), country)
        };
        let own = of(false);
        if own.is_empty() { of(true) } else { own }
    }

    /// Lists the places whose names are closest to this spelling.
    fn nearly(&self, compact: &str, country: Option<CountryCode>) -> Vec<&Place> {
        let close = self.close_names(compact, country);
        let Some(best) = close.iter().map(|(closeness, _)| *closeness).min() else {
            return Vec::new();
        };
        let best = close.into_iter().filter(|(closeness, _)| *closeness == best);
        self.places_of(best.map(|(_, name)| name), country)
    }

    /// Lists the names close to this spelling, in no order.
    pub(crate) fn close_names(
        &self,
        compact: &str,
        country: Option<CountryCode>,
    ) -> Vec<(Closeness, &Name)> {
        let is_there = |name: &&Name| {
            let place = self.place(name.place);
            place.is_some_and(|place| country.is_none_or(|country| place.country == country))
        };
        let names = self.names.sounding_like(compact).into_iter().filter(is_there);
        names
            .filter_map(|name| Some((compare(compact, self.names.spelling(name))?, name)))
            .collect()
    }

    fn places_of<'a>(
        &'a self,
        names: impl Iterator<Item = &'a Name>,
        country: Option<CountryCode>,
    ) -> Vec<&'a Place> {
        let mut numbers: Vec<u32> = names.map(|name| name.place).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let places = numbers.into_iter().filter_map(|number| self.place(number));
        places.filter(|place| country.is_none_or(|country| place.country == country)).collect()
    }
}

/// Looks the runs up and keeps those that are found and do not overlap an earlier one.
fn take_hits<'a>(
    phrase: &Phrase,
    runs: impl Iterator<Item = Range<usize>>,
    look_up: impl Fn(&Range<usize>) -> Vec<&'a Place>,
) -> Vec<Hit<'a>> {
    let mut hits: Vec<Hit<'a>> = Vec::new();
    for run in runs {
        let last = hits.last();
        if last.is_some_and(|hit| run.start < hit.run.end) {
            continue;
        }
        let places = look_up(&run);
        if places.is_empty() {
            continue;
        }
        let mut around = phrase.around(&run);
        // In "axe Carnot–Berberati" both are on the axis.
        let joined = last.filter(|hit| phrase.are_joined(&hit.run, &run));
        let inherited = joined.map_or(Relation::At, |hit| hit.around.relation);
        around.relation = around.relation.max(inherited);
        hits.push(Hit { run, around, places });
    }
    hits
}

/// Chooses among hits.
struct Choice<'a, 'b> {
    geo: &'a Geo,
    within: Within<'b>,
}

impl<'a> Choice<'a, '_> {
    fn choose(&self, hits: Vec<Hit<'a>>, told_km: u32) -> Found<'a> {
        let (areas, hits): (Vec<_>, Vec<_>) = hits.into_iter().partition(Hit::is_area);
        let (beside, mut told): (Vec<_>, Vec<_>) = hits.into_iter().partition(Hit::is_beside);
        let is_direct = !told.is_empty();
        told.extend(beside);
        let Some(first) = told.first() else {
            return of_areas(&areas);
        };
        // The first place is the one, what follows says where it is: "Ngolo, Bria", "Ngolo, près de Bria". Of the ends
        // of a way none is more the place than the others.
        let n_told =
            if is_direct || first.around.relation != Relation::OnTheWay { 1 } else { told.len() };
        let others = told.split_off(n_told);
        let mut candidates: Vec<&'a Place> = Vec::new();
        for hit in &told {
            candidates.extend(self.narrow(of_kind(hit), &others, &areas));
        }
        let is_elsewhere = told_km > MAX_TOLD_KM && told.iter().any(Hit::is_beside);
        self.settle(candidates, &others, is_elsewhere)
    }

    /// Leaves those in the area that the text names and those together with what else it names, if there are any.
    fn narrow(
        &self,
        mut places: Vec<&'a Place>,
        others: &[Hit<'a>],
        areas: &[Hit<'a>],
    ) -> Vec<&'a Place> {
        let named =
            areas.iter().flat_map(|hit| &hit.places).filter_map(|place| match &place.kind {
                PlaceKind::Area(id) => self.geo.areas().get(id),
                PlaceKind::Town | PlaceKind::Site(_) => None,
            });
        let named: Vec<&Area> = named.collect();
        keep_if_any(&mut places, |place| named.iter().any(|area| self.is_in(place, area)));
        let beside: Vec<&Place> =
            others.iter().chain(areas).flat_map(|hit| &hit.places).copied().collect();
        keep_if_any(&mut places, |place| {
            beside.iter().any(|other| is_within(place, other, TOGETHER_M))
        });
        places
    }

    /// Takes the one place that is left, or tells which there are.
    fn settle(
        &self,
        mut candidates: Vec<&'a Place>,
        others: &[Hit<'a>],
        is_elsewhere: bool,
    ) -> Found<'a> {
        let mut is_clear = !is_elsewhere;
        if let Some(area) = self.within.area {
            is_clear &= candidates.iter().any(|place| self.is_in(place, area));
            keep_if_any(&mut candidates, |place| self.is_in(place, area));
        }
        candidates.sort_by_key(|place| std::cmp::Reverse(place.population));
        let Some(first) = candidates.first().copied() else {
            return Found::Nothing;
        };
        is_clear &= candidates.iter().skip(1).all(|place| is_within(place, first, TOWN_M));
        is_clear &= others.iter().all(|hit| {
            hit.is_beside() || hit.places.iter().any(|place| is_within(place, first, TOGETHER_M))
        });
        if is_clear {
            return Found::One(first);
        }
        candidates.extend(others.iter().flat_map(|hit| &hit.places));
        candidates.truncate(MAX_CANDIDATES);
        Found::Several(candidates)
    }

    fn is_in(&self, place: &Place, area: &Area) -> bool {
        self.geo.area_of(place).is_some_and(|own| own.overlaps(area))
    }
}

/// Leaves the sites where the words say it is a mine, else the towns; the others only where there are none.
fn of_kind<'a>(hit: &Hit<'a>) -> Vec<&'a Place> {
    let mut places = hit.places.clone();
    places.retain(|place| !is_area(place));
    keep_if_any(&mut places, |place| {
        matches!(place.kind, PlaceKind::Site(_)) == hit.around.is_mine
    });
    places
}

/// Returns the area that is named; today's where a former one has the same name.
fn of_areas<'a>(hits: &[Hit<'a>]) -> Found<'a> {
    let named =
        hits.iter().filter_map(|hit| hit.places.iter().rev().find(|place| is_area(place)).copied());
    let named: Vec<&Place> = named.collect();
    match named.as_slice() {
        [] => Found::Nothing,
        [one] => Found::One(one),
        _ => Found::Several(named),
    }
}

fn keep_if_any<'a>(places: &mut Vec<&'a Place>, is_kept: impl Fn(&&'a Place) -> bool) {
    if places.iter().any(&is_kept) {
        places.retain(is_kept);
    }
}

fn is_within(place: &Place, other: &Place, max_m: f64) -> bool {
    place.point.zip(other.point).is_some_and(|(point, other)| point.distance_m(other) <= max_m)
}
