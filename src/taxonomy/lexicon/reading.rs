//! What the vocabulary sees in a text.
//!
//! A common word belongs to hundreds of elements, and a term is rarely there. So a text is looked at twice: first for
//! which elements occur at all, then for the places of those few that a term may need.

use std::ops::Range;

use crate::taxonomy::lexicon::vocabulary::{ElementId, LiteralId, Stream};

/// Where words of an element stand in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Occurrence {
    /// Index of the first word.
    pub(crate) first: usize,
    /// Index of the last word.
    pub(crate) last: usize,
    /// A negator is one of its words, so that an outer look at denial would find itself.
    pub(crate) is_denying: bool,
}

/// A set of small numbers.
#[derive(Debug, Clone)]
pub(crate) struct Marks(Vec<u64>);

impl Marks {
    /// Makes an empty set of numbers below `n`.
    pub(crate) fn new(n: usize) -> Marks {
        Marks(vec![0; n / 64 + 1])
    }

    /// Adds a number.
    pub(crate) fn set(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    /// Returns whether a number is in it.
    pub(crate) fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }
}

/// The first look: which literals stand where, and which elements they make up.
pub(crate) struct Sight {
    /// Sorted by literal, then place; no two alike.
    pub(crate) found: Vec<(LiteralId, Occurrence)>,
    pub(crate) elements: Marks,
    /// For each word, how many words with meaning stand before it.
    pub(crate) content_before: Vec<usize>,
    /// The keys of the words with meaning.
    pub(crate) keys: Stream,
}

impl Sight {
    /// Lists the literals that occur, ascending.
    pub(crate) fn literals(&self) -> impl Iterator<Item = LiteralId> {
        let chunks = self.found.chunk_by(|(one, _), (other, _)| one == other);
        chunks.filter_map(|same| same.first()).map(|(literal, _)| *literal)
    }
}

/// The second look: the places of some elements.
pub(crate) struct Reading {
    /// The elements asked for, ascending, and where in `occurrences` they are.
    elements: Vec<(ElementId, Range<usize>)>,
    /// By element, then place.
    occurrences: Vec<Occurrence>,
    content_before: Vec<usize>,
    keys: Stream,
}

impl Reading {
    /// Lays out the places of `elements`, which are ascending and no two alike; `literals_of` lists what makes one up.
    pub(crate) fn new<'a>(
        sight: Sight,
        elements: Vec<ElementId>,
        n_literals: usize,
        literals_of: impl Fn(ElementId) -> &'a [LiteralId],
    ) -> Reading {
        let mut is_found = Marks::new(n_literals);
        for literal in sight.literals() {
            is_found.set(literal);
        }
        let mut occurrences = Vec::new();
        let lay_out = |element: ElementId| {
            let begin = occurrences.len();
            for literal in literals_of(element).iter().filter(|literal| is_found.has(**literal)) {
                let from = sight.found.partition_point(|(known, _)| known < literal);
                let places = sight.found.iter().skip(from);
                let places = places.take_while(|(known, _)| known == literal);
                occurrences.extend(places.map(|(_, place)| *place));
            }
            if let Some(places) = occurrences.get_mut(begin..) {
                places.sort_unstable();
            }
            (element, begin..occurrences.len())
        };
        let elements = elements.into_iter().map(lay_out).collect();
        Reading { elements, occurrences, content_before: sight.content_before, keys: sight.keys }
    }

    /// Returns where an element occurs, in order of the text; nothing for one that was not asked for.
    pub(crate) fn places(&self, element: ElementId) -> &[Occurrence] {
        let Ok(at) = self.elements.binary_search_by_key(&element, |(known, _)| *known) else {
            return &[];
        };
        let range = self.elements.get(at).map(|(_, range)| range.clone()).unwrap_or_default();
        self.occurrences.get(range).unwrap_or_default()
    }

    /// Lists the words with meaning: their key and which word of the text each is.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&str, usize)> {
        self.keys.words()
    }

    /// Counts the words with meaning before the word at `index`.
    pub(crate) fn content_before(&self, index: usize) -> usize {
        let all = &self.content_before;
        all.get(index).or(all.last()).copied().unwrap_or(0)
    }
}
