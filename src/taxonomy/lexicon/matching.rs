//! Finds the terms of the lexicon in a text that has been read and marked.

use std::cell::Cell;

use crate::taxonomy::lexicon::reading::{Occurrence, Reading, Sight};
use crate::taxonomy::lexicon::scope::Meant;
use crate::taxonomy::lexicon::term::{Join, Polarity};
use crate::taxonomy::lexicon::tokens::Tokens;
use crate::taxonomy::lexicon::vocabulary::ElementId;

/// How many places may be looked at for each word of a text: thirty times what field reports need. It bounds the time
/// that a text made to cost time can take.
const MAX_LOOKS_PER_WORD: usize = 500;

/// A term ready to be looked for.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) leaf: usize,
    pub(crate) weight: f64,
    /// The leaf tells of harm, which a lesson or a match does not mean; a promise does not mean the others.
    pub(crate) is_of_harm: bool,
    /// At least one part.
    pub(crate) parts: Vec<(Join, ElementId, Polarity)>,
}

impl Pattern {
    /// Returns whether every part occurs somewhere, which is needed and says nothing yet of how they stand.
    pub(crate) fn may_be_in(&self, sight: &Sight) -> bool {
        self.parts.iter().all(|(_, element, _)| sight.elements.has(*element))
    }
}

/// Where the parts of a pattern were found, in the order of the pattern.
pub(crate) type Found = Vec<Occurrence>;

/// A text being searched.
pub(crate) struct Page<'a> {
    tokens: &'a Tokens,
    reading: &'a Reading,
    meant: &'a [Meant],
    /// How many places may still be looked at.
    n_looks_left: Cell<usize>,
}

impl<'a> Page<'a> {
    /// Lays out a text.
    pub(crate) fn new(tokens: &'a Tokens, reading: &'a Reading, meant: &'a [Meant]) -> Page<'a> {
        let n_looks_left = Cell::new(MAX_LOOKS_PER_WORD * tokens.words.len());
        Page { tokens, reading, meant, n_looks_left }
    }

    /// Returns the first place of the pattern, or nothing.
    pub(crate) fn find(&self, pattern: &Pattern) -> Option<Found> {
        let mut found = Vec::with_capacity(pattern.parts.len());
        self.extend(pattern, &mut found).then_some(found)
    }

    /// Finds the next part, and the ones after it.
    fn extend(&self, pattern: &Pattern, found: &mut Found) -> bool {
        let Some((join, element, polarity)) = pattern.parts.get(found.len()) else {
            return true;
        };
        let places = self.reading.places(*element);
        let begin = found.last().map_or(0, |last| self.first_worth_trying(places, *join, last));
        for place in places.iter().skip(begin) {
            let is_too_far = found.last().is_some_and(|last| self.is_beyond(*join, last, place));
            if is_too_far || self.n_looks_left.get() == 0 {
                break;
            }
            self.n_looks_left.set(self.n_looks_left.get() - 1);
            if !self.is_meant(pattern, *polarity, place)
                || found.iter().any(|other| overlap(other, place))
                || !found.last().is_none_or(|last| self.is_joined(*join, last, place))
            {
                continue;
            }
            found.push(*place);
            if self.extend(pattern, found) {
                return true;
            }
            found.pop();
        }
        false
    }

    /// Skips what lies too far before `last`; a phrase is never longer than the window of words.
    fn first_worth_trying(&self, places: &[Occurrence], join: Join, last: &Occurrence) -> usize {
        match join {
            Join::Anywhere => 0,
            Join::After(_) => places.partition_point(|place| place.first <= last.last),
            Join::Near(window) => {
                let limit =
                    self.reading.content_before(last.first).saturating_sub(usize::from(window) + 1);
                places.partition_point(|place| self.reading.content_before(place.last) < limit)
            }
        }
    }

    fn is_beyond(&self, join: Join, last: &Occurrence, place: &Occurrence) -> bool {
        match join {
            Join::Anywhere => false,
            Join::After(window) | Join::Near(window) => {
                place.first > last.last && self.n_between(last, place) > usize::from(window)
            }
        }
    }

    fn is_joined(&self, join: Join, last: &Occurrence, place: &Occurrence) -> bool {
        let is_after = place.first > last.last;
        let (before, after) = if is_after { (last, place) } else { (place, last) };
        match join {
            Join::Anywhere => true,
            Join::After(_) if !is_after => false,
            Join::After(window) | Join::Near(window) => {
                self.sentence(before.last) == self.sentence(after.first)
                    && self.n_between(before, after) <= usize::from(window)
            }
        }
    }

    /// Counts the words with meaning between two places, `before` the first of them.
    fn n_between(&self, before: &Occurrence, after: &Occurrence) -> usize {
        self.reading
            .content_before(after.first)
            .saturating_sub(self.reading.content_before(before.last + 1))
    }

    fn sentence(&self, index: usize) -> Option<usize> {
        self.tokens.words.get(index).map(|token| token.sentence)
    }

    fn is_meant(&self, pattern: &Pattern, polarity: Polarity, place: &Occurrence) -> bool {
        let words = self.meant.get(place.first..=place.last).unwrap_or_default();
        let is_out = words.iter().any(|word| {
            word.is_idiom
                || (word.is_unreal && polarity != Polarity::Open)
                || (word.is_lesson && pattern.is_of_harm)
                || (word.is_promised && !pattern.is_of_harm && polarity != Polarity::Open)
        });
        let is_denied = !place.is_denying && words.iter().any(|word| word.is_denied);
        !is_out
            && match polarity {
                Polarity::Affirmed => !is_denied,
                Polarity::Denied => is_denied,
                Polarity::Told | Polarity::Open => true,
            }
    }
}

fn overlap(one: &Occurrence, other: &Occurrence) -> bool {
    one.first <= other.last && other.first <= one.last
}
