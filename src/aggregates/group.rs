//! Decides into which cells a row falls: for every dictionary entry, the ordinals of its groups.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use crate::aggregates::cells;
use crate::aggregates::columns::Columns;
use crate::aggregates::dictionary::{CodeDimension, Dimension, Ids};
use crate::aggregates::query::{By, GENERAL_RESOLUTION};
use crate::aggregates::reference::{Reference, prefix};
use crate::incidents::facts::{DaySpan, Status};

/// The value of one grouping in one cell; `None` is what fits none.
pub(crate) type Key = Option<Arc<str>>;

/// One grouping, compiled.
///
/// # Shape
/// `keys` is sorted: reference order, then by code or time, null last if an entry may have no group. Entry `n`
/// has the ordinals `ordinals[ends[n - 1]..ends[n]]`, at least one, each once.
#[derive(Debug)]
pub(crate) struct Grouping<'a> {
    pub(crate) ids: &'a Ids,
    pub(crate) keys: Vec<Key>,
    ordinals: Vec<u32>,
    ends: Vec<usize>,
}

impl<'a> Grouping<'a> {
    /// Compiles one grouping against the entries the columns hold.
    pub(crate) fn compile(columns: &'a Columns, by: By, h3_resolution: u8) -> Self {
        let reference = columns.reference.as_ref();
        match by {
            By::Country => {
                let order: Vec<&str> =
                    reference.countries.iter().map(|country| country.alpha3.as_str()).collect();
                Self::by_text(&columns.countries, &order, |pair, groups| {
                    groups.push(&pair.declared);
                })
            }
            By::Region => {
                Self::by_text(&columns.countries, &order_of(&reference.regions), |pair, groups| {
                    groups.extend(reference.list_buckets(&pair.declared));
                })
            }
            By::Status => {
                Self::by_text(&columns.states, &Status::ALL.map(Status::as_str), |state, groups| {
                    groups.push(state.status.as_str());
                })
            }
            By::Theme => Self::by_codes(&columns.categories, &[], |leaf| Some(prefix(leaf, 1))),
            By::Category => Self::by_codes(&columns.categories, &[], |leaf| Some(prefix(leaf, 2))),
            By::Subcategory => Self::by_codes(&columns.categories, &[], Some),
            By::Valence => Self::by_valence(columns, reference),
            By::Admin1 => Self::by_codes(&columns.admin1, &[], Some),
            By::Admin2 => Self::by_codes(&columns.admin2, &[], Some),
            By::Site => Self::by_codes(&columns.sites, &[], Some),
            By::Severity => Self::by_codes(&columns.severities, &[], Some),
            By::Channel => Self::by_codes(&columns.channels, &order_of(&reference.channels), Some),
            By::MiningMode => {
                Self::by_codes(&columns.mining_modes, &order_of(&reference.mining_modes), Some)
            }
            By::Actor => Self::by_codes(&columns.actors, &order_of(&reference.actor_types), Some),
            By::SiteDistance => Self::by_codes(
                &columns.site_distances,
                &order_of(&reference.site_distance_bands),
                Some,
            ),
            By::Day => Self::by_time(&columns.spans, Bucket::Day),
            By::Week => Self::by_time(&columns.spans, Bucket::Week),
            By::Month => Self::by_time(&columns.spans, Bucket::Month),
            By::Quarter => Self::by_time(&columns.spans, Bucket::Quarter),
            By::Year => Self::by_time(&columns.spans, Bucket::Year),
            By::H3 => Self::by_cell(columns, h3_resolution),
        }
    }

    /// Returns the groups of a row, at least one.
    pub(crate) fn groups_at(&self, row: usize) -> &[u32] {
        self.groups_of(self.ids.index_at(row))
    }

    /// Returns the number of dictionary entries it covers.
    pub(crate) fn n_entries(&self) -> usize {
        self.ends.len()
    }

    /// Returns the groups of a dictionary entry, at least one.
    pub(crate) fn groups_of(&self, entry: usize) -> &[u32] {
        let start = entry
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or_default();
        self.ends.get(entry).and_then(|end| self.ordinals.get(start..*end)).unwrap_or_default()
    }

    /// Groups by a part of each code, those in `order` first and in that order.
    fn by_codes<'c>(
        dimension: &'c CodeDimension,
        order: &[&str],
        part: impl Fn(&'c str) -> Option<&'c str>,
    ) -> Self
    where
        'c: 'a,
    {
        let keys: Vec<Option<(usize, &str)>> = dimension
            .codes()
            .iter()
            .map(|code| part(code).map(|part| (rank(order, part), part)))
            .collect();
        let mut distinct: Vec<(usize, &str)> = keys.iter().flatten().copied().collect();
        distinct.sort_unstable();
        distinct.dedup();
        // Sets are many and codes few: each code finds its group once, the sets only look it up.
        let null = distinct.len();
        let group_of_code: Vec<Option<usize>> =
            keys.iter().map(|key| distinct.binary_search(&(*key)?).ok()).collect();
        let group_of =
            |code: &u32| group_of_code.get(usize::try_from(*code).ok()?).copied().flatten();
        let (mut ordinals, mut ends, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for set in dimension.sets() {
            groups.extend(set.iter().filter_map(group_of));
            groups.sort_unstable();
            groups.dedup();
            groups.extend(groups.is_empty().then_some(null));
            ordinals.extend(groups.drain(..).filter_map(|group| u32::try_from(group).ok()));
            ends.push(ordinals.len());
        }
        let keys = distinct.iter().map(|(_, text)| Some(Arc::from(*text))).chain([None]).collect();
        Self { ids: &dimension.ids, keys, ordinals, ends }
    }

    fn by_valence(columns: &'a Columns, reference: &'a Reference) -> Self {
        let pairs =
            reference.categories.iter().map(|leaf| (leaf.code.as_str(), leaf.valence.as_str()));
        let valences: HashMap<&str, &str> = pairs.collect();
        Self::by_codes(&columns.categories, &[], |leaf| valences.get(leaf).copied())
    }

    /// Groups by texts, those in `order` first and in that order.
    fn by_text<'c, K>(
        dimension: &'c Dimension<K>,
        order: &[&'c str],
        groups_of: impl Fn(&'c K, &mut Vec<&'c str>),
    ) -> Self
    where
        K: Clone + Eq + Hash,
        'c: 'a,
    {
        let mut texts = Vec::new();
        Self::build(
            &dimension.ids,
            dimension.entries(),
            |entry, groups| {
                groups_of(entry, &mut texts);
                groups.extend(texts.drain(..).map(|text| (rank(order, text), text)));
            },
            |(_, text)| Arc::from(text),
        )
    }

    fn by_time(dimension: &'a Dimension<Option<DaySpan>>, bucket: Bucket) -> Self {
        let number_of_span = |span: &DaySpan| {
            let (first, last) = (bucket.number(span.first), bucket.number(span.last));
            (first == last).then_some(first)
        };
        let groups_of = |span: &Option<DaySpan>, groups: &mut Vec<i32>| {
            groups.extend(span.as_ref().and_then(number_of_span));
        };
        Self::build(&dimension.ids, dimension.entries(), groups_of, |number| {
            Arc::from(bucket.name(number))
        })
    }

    fn by_cell(columns: &'a Columns, resolution: u8) -> Self {
        let dimension =
            if resolution > GENERAL_RESOLUTION { &columns.cells7 } else { &columns.cells5 };
        Self::build(
            &dimension.ids,
            dimension.entries(),
            |cell, groups| groups.extend(cell.and_then(|cell| cells::parent_at(cell, resolution))),
            |cell| Arc::from(cells::format(cell)),
        )
    }

    fn build<'c, K, G>(
        ids: &'a Ids,
        entries: &'c [K],
        mut groups_of: impl FnMut(&'c K, &mut Vec<G>),
        name: impl Fn(G) -> Arc<str>,
    ) -> Self
    where
        G: Ord + Copy,
    {
        let (mut found, mut ends, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            groups_of(entry, &mut groups);
            groups.sort_unstable();
            groups.dedup();
            let has_none = groups.is_empty().then_some(None);
            found.extend(groups.drain(..).map(Some).chain(has_none));
            ends.push(found.len());
        }
        // Sorts null last.
        let rank = |group: &Option<G>| (group.is_none(), *group);
        let mut distinct = found.clone();
        distinct.sort_unstable_by_key(rank);
        distinct.dedup();
        let ordinal = |group| distinct.partition_point(|other| rank(other) < rank(group));
        let ordinals =
            found.iter().filter_map(|group| u32::try_from(ordinal(group)).ok()).collect();
        Self { ids, keys: distinct.iter().map(|group| group.map(&name)).collect(), ordinals, ends }
    }
}

/// Returns the place of a text in a list, that of its end when it is not in it.
fn rank(order: &[&str], text: &str) -> usize {
    order.iter().position(|listed| *listed == text).unwrap_or(order.len())
}

fn order_of(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

/// A stretch of time days are grouped into.
#[derive(Debug, Clone, Copy)]
enum Bucket {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Bucket {
    /// Returns a number that is equal for days in the same bucket and ascends with time.
    fn number(self, day: NaiveDate) -> i32 {
        let in_year = |year: i32, part: u32| year * 100 + i32::try_from(part).unwrap_or_default();
        match self {
            Self::Day => day.num_days_from_ce(),
            Self::Week => in_year(day.iso_week().year(), day.iso_week().week()),
            Self::Month => in_year(day.year(), day.month()),
            Self::Quarter => in_year(day.year(), day.month0() / 3 + 1),
            Self::Year => in_year(day.year(), 0),
        }
    }

    fn name(self, number: i32) -> String {
        let (year, part) = (number / 100, number % 100);
        match self {
            Self::Day => NaiveDate::from_num_days_from_ce_opt(number)
                .map(|day| day.to_string())
                .unwrap_or_default(),
            Self::Week => format!("{year:04}-W{part:02}"),
            Self::Month => format!("{year:04}-{part:02}"),
            Self::Quarter => format!("{year:04}-Q{part}"),
            Self::Year => format!("{year:04}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::aggregates::group::Bucket;

    #[test]
    fn days_fall_into_named_buckets() {
        for (day, bucket, expected) in [
            ("2024-03-05", Bucket::Day, "2024-03-05"),
            ("2024-03-05", Bucket::Week, "2024-W10"),
            ("2024-12-30", Bucket::Week, "2025-W01"),
            ("2027-01-03", Bucket::Week, "2026-W53"),
            ("2024-03-05", Bucket::Month, "2024-03"),
            ("2024-03-31", Bucket::Quarter, "2024-Q1"),
            ("2024-04-01", Bucket::Quarter, "2024-Q2"),
            ("2024-03-05", Bucket::Year, "2024"),
        ] {
            assert_eq!(bucket.name(bucket.number(day.parse().unwrap())), expected, "{day}");
        }
    }
}
