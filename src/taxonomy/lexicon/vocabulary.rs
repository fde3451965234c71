//! All words of one language in two automata, one over stems and one over words as written.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aho_corasick::AhoCorasick;

use crate::taxonomy::error::DataError;
use crate::taxonomy::lexicon::cues::{Cue, Cues};
use crate::taxonomy::lexicon::keys::Keys;
use crate::taxonomy::lexicon::language::Language;
use crate::taxonomy::lexicon::sources::Concepts;
use crate::taxonomy::lexicon::term::{Alternative, Form, Words};
use crate::taxonomy::lexicon::tokens::Tokens;

/// A set of words any of which will do; the first ones are the cues, in the order of [`Cue::ALL`].
pub(crate) type ElementId = usize;

/// Where words of an element stand in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Occurrence {
    pub(crate) element: ElementId,
    /// Index of the first word.
    pub(crate) first: usize,
    /// Index of the last word.
    pub(crate) last: usize,
    /// A negator is one of its words, so that an outer look at denial would find itself.
    pub(crate) is_denying: bool,
}

/// What a text looks like to one language.
pub(crate) struct Reading {
    /// Sorted by element, then place; no two alike.
    occurrences: Vec<Occurrence>,
    /// Where in `occurrences` each element begins; one more for the end.
    begins: Vec<usize>,
    /// For each word, how many words with meaning stand before it.
    content_before: Vec<usize>,
}

impl Reading {
    /// Sorts what was found by counting: a common word belongs to many elements, and sorting them by comparison would
    /// cost more than finding them.
    fn new(found: &[Occurrence], n_elements: usize, content_before: Vec<usize>) -> Reading {
        let mut begins = vec![0_usize; n_elements + 2];
        for occurrence in found {
            if let Some(count) = begins.get_mut(occurrence.element + 2) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        let mut occurrences = found.to_vec();
        for occurrence in found {
            // While the elements are filled, `begins` of the next one says where the next occurrence goes.
            if let Some(next) = begins.get_mut(occurrence.element + 1) {
                if let Some(slot) = occurrences.get_mut(*next) {
                    *slot = *occurrence;
                }
                *next += 1;
            }
        }
        let mut reading = Reading { occurrences, begins, content_before };
        reading.sort_places();
        reading
    }

    /// Brings the places of each element in order of the text: short and long words may end in another order.
    fn sort_places(&mut self) {
        for (begin, end) in self.begins.iter().zip(self.begins.iter().skip(1)) {
            if end - begin > 1
                && let Some(places) = self.occurrences.get_mut(*begin..*end)
            {
                places.sort_unstable();
            }
        }
    }

    /// Lists the elements that occur, ascending.
    pub(crate) fn elements(&self) -> impl Iterator<Item = ElementId> {
        let ends = self.begins.iter().skip(1);
        let ranges = self.begins.iter().zip(ends).enumerate();
        ranges.filter(|(_, (begin, end))| begin < end).map(|(element, _)| element)
    }

    /// Returns where an element occurs, in order of the text.
    pub(crate) fn places(&self, element: ElementId) -> &[Occurrence] {
        let begin = self.begins.get(element).copied().unwrap_or(0);
        let end = self.begins.get(element + 1).copied().unwrap_or(0);
        self.occurrences.get(begin..end).unwrap_or_default()
    }

    /// Counts the words with meaning before the word at `index`.
    pub(crate) fn content_before(&self, index: usize) -> usize {
        let all = &self.content_before;
        all.get(index).or(all.last()).copied().unwrap_or(0)
    }
}

/// The words of one language.
pub(crate) struct Vocabulary {
    keys: Keys,
    n_elements: usize,
    stems: Automaton,
    exact: Automaton,
}

/// Collects words before the automata are built.
pub(crate) struct Builder {
    keys: Keys,
    /// Keys that deny.
    negators: HashSet<String>,
    elements: HashMap<Vec<Words>, ElementId>,
    stems: BTreeMap<String, Literal>,
    exact: BTreeMap<String, Literal>,
}

#[derive(Debug, Default)]
struct Literal {
    elements: BTreeSet<ElementId>,
    is_denying: bool,
}

struct Automaton {
    searcher: AhoCorasick,
    literals: Vec<Literal>,
}

impl Builder {
    /// Begins with the cues of a language.
    ///
    /// # Errors
    /// A cue that can never be found.
    pub(crate) fn new(language: Language, cues: Cues) -> Result<Builder, DataError> {
        let denying: Vec<&Words> =
            cues.words.iter().filter(|one| one.cue.is_denying()).map(|one| &one.words).collect();
        let single = |words: &Words| match words.words.as_slice() {
            [word] => Some(word.clone()),
            _ => None,
        };
        let kept = denying.iter().filter(|words| words.form == Form::Exact);
        let kept: HashSet<String> = kept.filter_map(|words| single(words)).collect();
        let function = cues.function.into_iter().collect();
        let keys = Keys::new(language, function, kept, cues.abbreviations.into_iter().collect());
        let negators = denying.iter().filter_map(|words| single(words)).map(|word| {
            let mut key = String::new();
            keys.push_key(&mut key, &word);
            key
        });
        let negators = negators.collect();
        let (stems, exact) = (BTreeMap::new(), BTreeMap::new());
        let mut builder = Builder { keys, negators, elements: HashMap::new(), stems, exact };
        for one in &cues.words {
            let element = Cue::ALL.iter().position(|(cue, _)| *cue == one.cue).unwrap_or_default();
            builder.add(&one.words, element).map_err(|detail| one.place.fault("words", detail))?;
        }
        Ok(builder)
    }

    /// Returns the element of some alternatives; the same alternatives are the same element.
    ///
    /// # Errors
    /// A concept that has no words, or words that can never be found.
    pub(crate) fn element(
        &mut self,
        alternatives: &[Alternative],
        concepts: &Concepts,
    ) -> Result<ElementId, String> {
        let mut all: Vec<Words> = Vec::new();
        for alternative in alternatives {
            match alternative {
                Alternative::Words(words) => all.push(words.clone()),
                Alternative::Concept(name) => all.extend_from_slice(concepts.find(name)?),
            }
        }
        all.sort();
        all.dedup();
        if let Some(known) = self.elements.get(&all) {
            return Ok(*known);
        }
        let element = Cue::ALL.len() + self.elements.len();
        for words in &all {
            self.add(words, element)?;
        }
        self.elements.insert(all, element);
        Ok(element)
    }

    /// Returns for each element how often it is likely to occur, in no unit: a word that many elements hold is common.
    pub(crate) fn weigh_elements(&self) -> Vec<usize> {
        let mut weights = vec![0; Cue::ALL.len() + self.elements.len()];
        for literal in self.stems.values().chain(self.exact.values()) {
            for element in &literal.elements {
                if let Some(weight) = weights.get_mut(*element) {
                    *weight += literal.elements.len();
                }
            }
        }
        weights
    }

    fn add(&mut self, words: &Words, element: ElementId) -> Result<(), String> {
        let mut stream = String::from(" ");
        let mut is_denying = false;
        for word in &words.words {
            let begin = stream.len();
            let has_key = self.keys.push_key(&mut stream, word);
            is_denying |= stream.get(begin..).is_some_and(|key| self.negators.contains(key));
            if words.form != Form::Stem {
                stream.truncate(begin);
                stream.push_str(word);
            }
            if has_key || words.form != Form::Stem {
                stream.push(' ');
            }
        }
        // Words kept as they are, such as "not", say nothing without another one.
        let n_keys = stream.split_whitespace().filter(|key| !key.starts_with('_')).count();
        let n_kept = stream.split_whitespace().count() - n_keys;
        if words.form == Form::Stem && n_keys < 2 && n_keys + n_kept < words.words.len() {
            let words = words.words.join(" ");
            return Err(format!(
                "{words:?} is {n_keys} words without function words: write ={words}"
            ));
        }
        if words.form == Form::Beginning {
            stream.truncate(stream.trim_end().len());
        }
        let literals = if words.form == Form::Stem { &mut self.stems } else { &mut self.exact };
        let literal = literals.entry(stream).or_default();
        literal.elements.insert(element);
        literal.is_denying |= is_denying;
        Ok(())
    }

    /// Builds the automata.
    ///
    /// # Errors
    /// When there are too many words for one.
    pub(crate) fn build(self) -> Result<Vocabulary, String> {
        Ok(Vocabulary {
            n_elements: Cue::ALL.len() + self.elements.len(),
            keys: self.keys,
            stems: Automaton::new(self.stems)?,
            exact: Automaton::new(self.exact)?,
        })
    }
}

impl Automaton {
    fn new(words: BTreeMap<String, Literal>) -> Result<Automaton, String> {
        let searcher = AhoCorasick::new(words.keys()).map_err(|error| error.to_string())?;
        Ok(Automaton { searcher, literals: words.into_values().collect() })
    }

    /// Appends what stands in `stream`, whose words are those of `words`, each between two spaces.
    fn find(&self, stream: &Stream, occurrences: &mut Vec<Occurrence>) {
        for found in self.searcher.find_overlapping_iter(&stream.text) {
            let Some(literal) = self.literals.get(found.pattern().as_usize()) else { continue };
            // The space before the words belongs to the match, one after them may.
            let (Some(first), Some(last)) =
                (stream.word_at(found.start() + 1), stream.word_at(found.end().saturating_sub(2)))
            else {
                continue;
            };
            let is_denying = literal.is_denying;
            occurrences.extend(literal.elements.iter().map(|element| Occurrence {
                element: *element,
                first,
                last,
                is_denying,
            }));
        }
    }
}

/// Words with a space before each and one at the end.
struct Stream {
    text: String,
    /// Where each word begins in the text, and which word of the text it is.
    words: Vec<(usize, usize)>,
}

impl Stream {
    fn with_capacity(n_words: usize) -> Stream {
        let mut text = String::with_capacity(n_words * 8 + 1);
        text.push(' ');
        Stream { text, words: Vec::with_capacity(n_words) }
    }

    fn word_at(&self, byte: usize) -> Option<usize> {
        let after = self.words.partition_point(|(begin, _)| *begin <= byte);
        self.words.get(after.checked_sub(1)?).map(|(_, word)| *word)
    }
}

impl Vocabulary {
    /// Counts the words that only hold sentences together in this language: they tell what a text is written in.
    pub(crate) fn count_function_words(&self, tokens: &Tokens) -> usize {
        let words = tokens.tokens.iter().map(|token| tokens.folded(token));
        words.filter(|word| self.keys.is_language_mark(word)).count()
    }

    /// Finds every word of the language in `tokens`.
    ///
    /// Takes time in proportion to the text and to what is found: one pass of an automaton over each of two streams.
    pub(crate) fn read(&self, tokens: &Tokens) -> Reading {
        let n_words = tokens.tokens.len();
        let (mut stems, mut exact) =
            (Stream::with_capacity(n_words), Stream::with_capacity(n_words));
        let mut content_before = Vec::with_capacity(n_words);
        for (index, token) in tokens.tokens.iter().enumerate() {
            let word = self.keys.spell_out(tokens.folded(token));
            exact.words.push((exact.text.len(), index));
            exact.text.push_str(word);
            exact.text.push(' ');
            content_before.push(stems.words.len());
            let begin = stems.text.len();
            if self.keys.push_key(&mut stems.text, word) {
                stems.words.push((begin, index));
                stems.text.push(' ');
            }
        }
        let mut occurrences = Vec::new();
        self.stems.find(&stems, &mut occurrences);
        self.exact.find(&exact, &mut occurrences);
        Reading::new(&occurrences, self.n_elements, content_before)
    }
}
