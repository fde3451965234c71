//! The partition of a release: which incidents are told together, so that no figure is below the rule and none can be
//! subtracted from others to one that is. Pure.
//!
//! A country in a year is divided along place, then time, then category, as finely as the rule lets: so category is the
//! first to be folded, then time, then place. Of the parts of a whole, those that keep the rule stand alone; the others,
//! with all that have none, are told as one rest. A rest that does not keep the rule takes in the smallest of its
//! neighbours until it does, or the whole stays undivided. Parts without incidents stand alone only where every part
//! keeps the rule: beside a rest they would say which of its members are not empty.

use std::collections::BTreeMap;

use crate::releases::axis::Branch;

/// What a figure needs to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Fewest incidents, and least difference to an earlier figure.
    pub k: u32,
    /// Fewest independent senders, three at most.
    pub senders: usize,
}

impl Rule {
    /// The rule of every release.
    pub const STANDARD: Self = Self { k: 5, senders: 3 };

    /// Tells whether a figure may be told: there is nothing, or enough from enough senders.
    pub fn allows(self, tally: &Tally) -> bool {
        tally.incidents == 0 || self.is_enough(tally)
    }

    fn is_enough(self, tally: &Tally) -> bool {
        tally.incidents >= self.k && tally.senders.count() >= self.senders
    }
}

/// Senders, up to three: more make no difference to the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Senders([Option<u32>; 3]);

impl Senders {
    /// Adds a sender.
    pub fn add(&mut self, sender: u32) {
        if self.0.contains(&Some(sender)) {
            return;
        }
        if let Some(free) = self.0.iter_mut().find(|place| place.is_none()) {
            *free = Some(sender);
        }
    }

    fn count(self) -> usize {
        self.0.iter().flatten().count()
    }
}

/// Incidents, and who sent them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub incidents: u32,
    /// Whose reports they are of.
    pub senders: Senders,
}

impl Tally {
    /// Adds what `other` counts.
    pub fn add(&mut self, other: &Self) {
        self.incidents += other.incidents;
        other.senders.0.into_iter().flatten().for_each(|sender| self.senders.add(sender));
    }
}

/// Where incidents stand on the three axes: the codes of leaves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// Area, or [`NO_AREA`](crate::releases::axis::NO_AREA).
    pub place: String,
    /// Month, or what is coarser.
    pub time: String,
    /// Category.
    pub category: String,
}

/// Why something is told together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Folding {
    /// A part had fewer incidents than the rule asks.
    FewIncidents,
    /// A part had enough of them, from too few senders.
    FewSenders,
}

impl Folding {
    /// Returns its code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FewIncidents => "few_incidents",
            Self::FewSenders => "few_senders",
        }
    }

    /// Reads its code.
    pub fn parse(code: &str) -> Option<Self> {
        [Self::FewIncidents, Self::FewSenders].into_iter().find(|it| it.as_str() == code)
    }
}

/// Incidents that are told as one figure: those of these areas, in these times, of these categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atom {
    /// Codes of areas, or of all.
    pub places: Vec<String>,
    /// Codes of times.
    pub times: Vec<String>,
    /// Codes of categories, themes, or of all.
    pub categories: Vec<String>,
    /// Why the place, the time and the category are no finer.
    pub folded: [Option<Folding>; 3],
    /// What it counts; only what the rule allows may be told.
    pub tally: Tally,
}

/// A country in a year, or in what of it is over.
#[derive(Debug, Clone)]
pub struct Root {
    /// Its areas.
    pub places: Branch,
    /// Its months.
    pub times: Branch,
    /// The categories there are.
    pub categories: Branch,
}

/// What of a whole is told together along one axis.
struct Part<'p> {
    codes: Vec<String>,
    folded: Option<Folding>,
    points: Points<'p>,
}

type Points<'p> = Vec<(&'p Point, &'p Tally)>;

/// Divides a root.
///
/// # Shape
/// At least one atom. Every point lies in exactly one. Where the whole does not keep the rule there is one atom, which
/// may not be told.
pub fn divide(rule: Rule, root: &Root, points: &BTreeMap<Point, Tally>) -> Vec<Atom> {
    let mut atoms = Vec::new();
    let place = along(rule, &root.places, points.iter().collect(), |point| &point.place);
    for place in place {
        for time in along(rule, &root.times, place.points, |point| &point.time) {
            for category in along(rule, &root.categories, time.points, |point| &point.category) {
                atoms.push(Atom {
                    places: place.codes.clone(),
                    times: time.codes.clone(),
                    categories: category.codes,
                    folded: [place.folded, time.folded, category.folded],
                    tally: sum(&category.points),
                });
            }
        }
    }
    atoms
}

fn sum(points: &[(&Point, &Tally)]) -> Tally {
    let mut total = Tally::default();
    for (_, tally) in points {
        total.add(tally);
    }
    total
}

fn along<'p>(
    rule: Rule,
    branch: &Branch,
    points: Points<'p>,
    code_of: impl Fn(&Point) -> &String + Copy,
) -> Vec<Part<'p>> {
    if branch.children.is_empty() || points.is_empty() {
        return vec![Part { codes: branch.codes.clone(), folded: None, points }];
    }
    let mut alone = deal(branch, points, code_of);
    let rest = take_rest(rule, &mut alone);
    if alone.is_empty() {
        let folded = rest.iter().filter_map(|child| why(rule, &child.tally)).min();
        let points = rest.into_iter().flat_map(|child| child.points).collect();
        return vec![Part { codes: branch.codes.clone(), folded, points }];
    }
    let mut parts: Vec<Part<'p>> = Vec::new();
    for child in alone {
        parts.extend(along(rule, child.branch, child.points, code_of));
    }
    if !rest.is_empty() {
        let folded = rest.iter().filter_map(|child| why(rule, &child.tally)).min();
        let codes = rest.iter().flat_map(|child| child.branch.codes.clone()).collect();
        let points = rest.into_iter().flat_map(|child| child.points).collect();
        parts.push(Part { codes, folded, points });
    }
    parts
}

struct Child<'b, 'p> {
    branch: &'b Branch,
    points: Points<'p>,
    tally: Tally,
}

/// Gives every child of `branch` its points.
fn deal<'b, 'p>(
    branch: &'b Branch,
    points: Points<'p>,
    code_of: impl Fn(&Point) -> &String,
) -> Vec<Child<'b, 'p>> {
    let mut holder: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, child) in branch.children.iter().enumerate() {
        holder.extend(child.list_leaves().into_iter().map(|code| (code, place)));
    }
    let mut dealt: BTreeMap<usize, Points<'p>> = BTreeMap::new();
    for (point, tally) in points {
        // A code that the axis does not know was refused before.
        if let Some(place) = holder.get(code_of(point).as_str()) {
            dealt.entry(*place).or_default().push((point, tally));
        }
    }
    let child = |(place, branch)| {
        let points = dealt.remove(&place).unwrap_or_default();
        Child { branch, tally: sum(&points), points }
    };
    branch.children.iter().enumerate().map(child).collect()
}

/// Takes out what cannot stand alone; in the order of the axis.
fn take_rest<'b, 'p>(rule: Rule, children: &mut Vec<Child<'b, 'p>>) -> Vec<Child<'b, 'p>> {
    if children.iter().all(|child| rule.allows(&child.tally)) {
        return Vec::new();
    }
    let mut total = Tally::default();
    let mut is_in_rest: Vec<bool> =
        children.iter().map(|child| !rule.is_enough(&child.tally)).collect();
    for (child, _) in children.iter().zip(&is_in_rest).filter(|(_, is_in)| **is_in) {
        total.add(&child.tally);
    }
    while !rule.is_enough(&total) {
        let outside = children.iter().zip(&mut is_in_rest).filter(|(_, is_in)| !**is_in);
        let Some((smallest, is_in)) = outside.min_by_key(|(child, _)| child.tally.incidents) else {
            break;
        };
        *is_in = true;
        total.add(&smallest.tally);
    }
    let (mut rest, mut alone) = (Vec::new(), Vec::new());
    for (child, is_in) in std::mem::take(children).into_iter().zip(is_in_rest) {
        if is_in { rest.push(child) } else { alone.push(child) }
    }
    *children = alone;
    rest
}

fn why(rule: Rule, tally: &Tally) -> Option<Folding> {
    if rule.allows(tally) {
        None
    } else if tally.incidents < rule.k {
        Some(Folding::FewIncidents)
    } else {
        Some(Folding::FewSenders)
    }
}

/// What becomes of the figure of an atom whose shape was released before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The figure; `None` where none may be told.
    pub incidents: Option<u32>,
    /// Whether it is the former one although another is counted now.
    pub is_kept: bool,
}

/// Settles the figure of an atom that every release before told as `former`, the newest last; `None` is one that was
/// withheld. It changes by nothing or by `k` and more, against each of them: any two releases can be subtracted. A figure that
/// fell by `k` and more to what may not be told is withheld, where that says no more than of others that were withheld at first:
/// so not below `2k - 1`, from which not all small numbers are `k` away.
pub fn settle(rule: Rule, former: &[Option<u32>], now: &Tally) -> Settled {
    let differs_enough = |earlier: &Option<u32>| match earlier {
        Some(earlier) => *earlier == now.incidents || earlier.abs_diff(now.incidents) >= rule.k,
        // Fewer than `k`, or from too few: that they are gone would tell of them.
        None => now.incidents > 0,
    };
    let last = former.last().copied().flatten();
    let has_fallen =
        |last: u32| !rule.allows(now) && last >= 2 * rule.k - 1 && now.incidents + rule.k <= last;
    if last.is_some_and(has_fallen) {
        return Settled { incidents: None, is_kept: false };
    }
    if rule.allows(now) && former.iter().all(differs_enough) {
        return Settled { incidents: Some(now.incidents), is_kept: false };
    }
    Settled { incidents: last, is_kept: last.is_some_and(|last| last != now.incidents) }
}

#[cfg(test)]
#[path = "partition_tests.rs"]
mod tests;
