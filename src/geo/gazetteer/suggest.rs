//! What somebody may be about to type.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::geo::countries::CountryCode;
use crate::geo::gazetteer::index::compact;
use crate::geo::gazetteer::{Gazetteer, Place, PlaceKind};

/// Areas and sites are known to more people than villages: they stand among the towns of so many inhabitants.
const AREA_STANDING: u32 = 100_000;
const SITE_STANDING: u32 = 10_000;

/// How a place matches, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    Whole,
    Beginning,
    OtherName,
    Alike,
}

impl Gazetteer {
    /// Lists places whose name begins with `text`; where there are too few, those that sound alike.
    ///
    /// # Shape
    /// Best first: whole names, then beginnings, then other names, then alike; of equals the largest. Each place
    /// once, at most `limit`; empty when `text` has no letter.
    pub fn suggest(&self, text: &str, country: Option<CountryCode>, limit: usize) -> Vec<&Place> {
        let typed = compact(text);
        if typed.is_empty() {
            return Vec::new();
        }
        let mut matches: HashMap<u32, Match> = HashMap::new();
        let mut add = |number: u32, how: Match| {
            let best = matches.entry(number).or_insert(how);
            *best = how.min(*best);
        };
        for name in self.names.beginning(&typed) {
            let how = match (name.is_other, self.names.spelling(name).len() == typed.len()) {
                (true, _) => Match::OtherName,
                (false, true) => Match::Whole,
                (false, false) => Match::Beginning,
            };
            add(name.place, how);
        }
        for (_, name) in self.close_names(&typed, country) {
            add(name.place, Match::Alike);
        }
        self.rank(matches, country, limit)
    }

    fn rank(
        &self,
        matches: HashMap<u32, Match>,
        country: Option<CountryCode>,
        limit: usize,
    ) -> Vec<&Place> {
        let known = matches
            .into_iter()
            .filter_map(|(number, how)| Some((how, self.place(number)?, number)));
        let mut found: Vec<_> = known
            .filter(|(_, place, _)| country.is_none_or(|country| place.country == country))
            .collect();
        found.sort_by_key(|(how, place, number)| (*how, Reverse(standing(place)), *number));
        found.truncate(limit);
        found.into_iter().map(|(_, place, _)| place).collect()
    }
}

fn standing(place: &Place) -> u32 {
    match place.kind {
        PlaceKind::Town => place.population,
        PlaceKind::Area(_) => AREA_STANDING,
        PlaceKind::Site(_) => SITE_STANDING,
    }
}
