//! How much of what is true was found, and how much of what was found is true.

use std::collections::BTreeMap;

use super::accounts::{Kind, Set};

/// Pairs of accounts that were listed, by their place in the set, the lower first, with their score.
pub(crate) type Seen = BTreeMap<(usize, usize), f64>;

/// What was found of a set.
#[derive(Debug)]
pub(crate) struct Recognised {
    /// By kind: listed pairs, of all.
    by_kind: BTreeMap<Kind, (usize, usize)>,
    /// Listed pairs of one event.
    n_right: usize,
    /// Listed pairs of two events, those across pairs too.
    n_wrong: usize,
    /// Pairs of one event.
    n_true: usize,
}

impl Recognised {
    pub(crate) fn count(set: &Set, seen: &Seen) -> Self {
        let is_right =
            |(one, other): &&(usize, usize)| set.accounts[*one].event == set.accounts[*other].event;
        let n_right = seen.keys().filter(is_right).count();
        let mut by_kind: BTreeMap<Kind, (usize, usize)> = BTreeMap::new();
        for (pair, kind) in set.pairs.iter().enumerate() {
            let (n_listed, n_all) = by_kind.entry(*kind).or_default();
            *n_all += 1;
            *n_listed += usize::from(seen.contains_key(&(2 * pair, 2 * pair + 1)));
        }
        let n_true = set.pairs.iter().filter(|kind| kind.is_one_event()).count();
        Self { by_kind, n_right, n_wrong: seen.len() - n_right, n_true }
    }

    #[expect(clippy::cast_precision_loss, reason = "some hundred pairs")]
    pub(crate) fn precision(&self) -> f64 {
        self.n_right as f64 / (self.n_right + self.n_wrong).max(1) as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "some hundred pairs")]
    pub(crate) fn recall(&self) -> f64 {
        self.n_right as f64 / self.n_true as f64
    }

    /// The share of the pairs of a kind that was listed.
    #[expect(clippy::cast_precision_loss, reason = "some hundred pairs")]
    pub(crate) fn recall_of(&self, kind: Kind) -> f64 {
        let (n_listed, n_all) = self.by_kind[&kind];
        n_listed as f64 / n_all as f64
    }
}
