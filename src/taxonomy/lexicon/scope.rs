//! How far a cue reaches: which words of a text are denied, doubted, only taught or only promised.

use crate::taxonomy::lexicon::cues::Cue;
use crate::taxonomy::lexicon::reading::{Occurrence, Reading};
use crate::taxonomy::lexicon::tokens::{Gap, Tokens};

/// How far a denial reaches without meeting an end of its clause, in words with meaning.
const MAX_DENIED: usize = 9;
/// How far "without" reaches.
const MAX_SHORT: usize = 3;
/// How far after `ne` its `que` may stand, in words.
const LIMIT_WINDOW: usize = 5;

/// How a word is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "several may hold at once")]
pub(crate) struct Meant {
    /// It is denied.
    pub(crate) is_denied: bool,
    /// It is a question, a mere thought, or known to be false.
    pub(crate) is_unreal: bool,
    /// It belongs to a lesson, a drill, a match: harm is not meant.
    pub(crate) is_lesson: bool,
    /// It is promised only.
    pub(crate) is_promised: bool,
    /// It belongs to an idiom or a name.
    pub(crate) is_idiom: bool,
}

/// How a text is meant, word by word and in all.
pub(crate) struct Meaning {
    /// As many as there are words, in their order.
    pub(crate) words: Vec<Meant>,
    /// Something in the text is said to be false, or to be a lesson or a match: the rest is to be read with doubt.
    pub(crate) is_doubtful: bool,
}

/// Marks each word of the text.
pub(crate) fn mark(tokens: &Tokens, reading: &Reading) -> Meaning {
    let mut marker = Marker {
        tokens,
        reading,
        cues: vec![Vec::new(); tokens.words.len()],
        meant: vec![Meant::default(); tokens.words.len()],
    };
    let cues: Vec<(Cue, Occurrence)> = list_cues(reading);
    marker.keep(&cues);
    marker.questions();
    let mut is_doubtful = false;
    for (cue, found) in cues {
        if marker.begins(found.first, cue) {
            marker.apply(cue, found);
            is_doubtful |= matches!(cue, Cue::Debunk | Cue::Lesson | Cue::Aside);
        }
    }
    Meaning { words: marker.meant, is_doubtful }
}

fn list_cues(reading: &Reading) -> Vec<(Cue, Occurrence)> {
    let cues = Cue::ALL.into_iter().enumerate();
    cues.flat_map(|(element, (cue, _))| {
        reading.places(element).iter().map(move |found| (cue, *found))
    })
    .collect()
}

struct Marker<'a> {
    tokens: &'a Tokens,
    reading: &'a Reading,
    /// The cues that begin at each word.
    cues: Vec<Vec<Cue>>,
    meant: Vec<Meant>,
}

impl Marker<'_> {
    /// Notes idioms and exemptions first: a cue inside one is none.
    fn keep(&mut self, cues: &[(Cue, Occurrence)]) {
        let n_words = self.tokens.words.len();
        let mut is_exempt = vec![false; n_words];
        for (cue, found) in cues.iter().filter(|(cue, _)| matches!(cue, Cue::Exempt | Cue::Idiom)) {
            for index in found.first..=found.last {
                if let Some(exempt) = is_exempt.get_mut(index) {
                    *exempt = true;
                }
                if *cue == Cue::Idiom
                    && let Some(meant) = self.meant.get_mut(index)
                {
                    meant.is_idiom = true;
                }
            }
        }
        for (cue, found) in cues {
            if !is_exempt.get(found.first).copied().unwrap_or(true)
                && let Some(begun) = self.cues.get_mut(found.first)
            {
                begun.push(*cue);
            }
        }
    }

    fn begins(&self, index: usize, cue: Cue) -> bool {
        self.cues.get(index).is_some_and(|begun| begun.contains(&cue))
    }

    fn questions(&mut self) {
        for (token, meant) in self.tokens.words.iter().zip(&mut self.meant) {
            meant.is_unreal |= self.tokens.questions.binary_search(&token.sentence).is_ok();
        }
    }

    fn apply(&mut self, cue: Cue, found: Occurrence) {
        let after = found.last + 1;
        match cue {
            Cue::Negator => self.deny(after),
            Cue::BackNegator => {
                self.deny_before(found.first);
                self.deny(after);
            }
            Cue::WeakNegator => {
                if !self.is_limited(after) {
                    self.deny(after);
                }
            }
            Cue::ShortNegator => self.deny_shortly(after),
            Cue::Debunk => self.around(found.first, 2, 1, |meant| meant.is_unreal = true),
            Cue::Aside => self.around(found.first, 1, 2, |meant| meant.is_lesson = true),
            Cue::Lesson => self.around(found.first, 0, 0, |meant| meant.is_lesson = true),
            Cue::Hypothetical => self.forward(after, Gap::Sentence, |meant| meant.is_unreal = true),
            Cue::Modal => self.forward(after, Gap::Clause, |meant| meant.is_unreal = true),
            Cue::Promise => self.forward(after, Gap::Sentence, |meant| meant.is_promised = true),
            Cue::Limit
            | Cue::ShortStop
            | Cue::Boundary
            | Cue::SoftBoundary
            | Cue::Exempt
            | Cue::Idiom => {}
        }
    }

    /// Marks from `from` to the end of the clause or sentence.
    fn forward(&mut self, from: usize, end: Gap, mark: fn(&mut Meant)) {
        let rest = self.tokens.words.iter().zip(&mut self.meant).skip(from);
        for (token, meant) in rest {
            if token.gap >= end {
                break;
            }
            mark(meant);
        }
    }

    /// Marks the sentence of a word, and so many before and after it.
    fn around(&mut self, index: usize, before: usize, after: usize, mark: fn(&mut Meant)) {
        let Some(sentence) = self.tokens.words.get(index).map(|token| token.sentence) else {
            return;
        };
        let sentences = sentence.saturating_sub(before)..=sentence + after;
        let begin = self.tokens.words.partition_point(|token| token.sentence < *sentences.start());
        let rest = self.tokens.words.iter().zip(&mut self.meant).skip(begin);
        for (_, meant) in rest.take_while(|(token, _)| sentences.contains(&token.sentence)) {
            mark(meant);
        }
    }

    fn deny(&mut self, from: usize) {
        let before = self.reading.content_before(from);
        for index in from..self.tokens.words.len() {
            let n_denied = self.reading.content_before(index) - before;
            let is_over = self.is_clause_end(index)
                || n_denied > MAX_DENIED
                || (n_denied > 0 && self.begins(index, Cue::SoftBoundary));
            if is_over {
                break;
            }
            self.mark_denied(index);
        }
    }

    fn deny_shortly(&mut self, from: usize) {
        let before = self.reading.content_before(from);
        for index in from..self.tokens.words.len() {
            let n_denied = self.reading.content_before(index) - before;
            let is_over = self.is_clause_end(index)
                || n_denied >= MAX_SHORT
                || (n_denied > 0
                    && (self.begins(index, Cue::ShortStop)
                        || self.begins(index, Cue::SoftBoundary)));
            if is_over {
                break;
            }
            self.mark_denied(index);
        }
    }

    fn deny_before(&mut self, index: usize) {
        let is_joined = self.tokens.words.get(index).is_some_and(|token| token.gap == Gap::Word);
        if is_joined && let Some(before) = index.checked_sub(1) {
            self.mark_denied(before);
        }
    }

    fn mark_denied(&mut self, index: usize) {
        if let Some(meant) = self.meant.get_mut(index) {
            meant.is_denied = true;
        }
    }

    fn is_clause_end(&self, index: usize) -> bool {
        let is_apart = self.tokens.words.get(index).is_none_or(|token| token.gap >= Gap::Clause);
        is_apart || self.begins(index, Cue::Boundary)
    }

    /// `ne … que` is "only", unless `pas` or the like stands between.
    fn is_limited(&self, from: usize) -> bool {
        for index in from..from + LIMIT_WINDOW {
            if self.begins(index, Cue::Limit) {
                return true;
            }
            let denies = [Cue::Negator, Cue::BackNegator].into_iter();
            if self.tokens.words.get(index).is_none_or(|token| token.gap >= Gap::Clause)
                || denies.into_iter().any(|cue| self.begins(index, cue))
            {
                return false;
            }
        }
        false
    }
}
