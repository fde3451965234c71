//! All words of one language in two automata, one over stems and one over words as written.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aho_corasick::AhoCorasick;

use crate::taxonomy::error::DataError;
use crate::taxonomy::lexicon::cues::{Cue, Cues};
use crate::taxonomy::lexicon::keys::Keys;
use crate::taxonomy::lexicon::language::Language;
use crate::taxonomy::lexicon::reading::{Marks, Occurrence, Reading, Sight};
use crate::taxonomy::lexicon::sources::Concepts;
use crate::taxonomy::lexicon::term::{Alternative, Form, Words};
use crate::taxonomy::lexicon::tokens::Tokens;

/// A set of words any of which will do; the first ones are the cues, in the order of [`Cue::ALL`].
pub(crate) type ElementId = usize;

/// Words in a row that something is made of, in the order of the automata.
pub(crate) type LiteralId = usize;

/// The words of one language.
pub(crate) struct Vocabulary {
    keys: Keys,
    /// Those of `stems`, then those of `exact`.
    literals: Vec<Literal>,
    /// For each element, ascending.
    literals_of: Vec<Vec<LiteralId>>,
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
    /// Number of its first literal.
    first: LiteralId,
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
        let stems = Automaton::new(self.stems.keys(), 0)?;
        let exact = Automaton::new(self.exact.keys(), self.stems.len())?;
        let mut literals_of = vec![Vec::new(); Cue::ALL.len() + self.elements.len()];
        let literals: Vec<Literal> =
            self.stems.into_values().chain(self.exact.into_values()).collect();
        for (number, literal) in literals.iter().enumerate() {
            for element in &literal.elements {
                if let Some(of_element) = literals_of.get_mut(*element) {
                    of_element.push(number);
                }
            }
        }
        Ok(Vocabulary { keys: self.keys, literals, literals_of, stems, exact })
    }
}

impl Automaton {
    fn new<'a>(
        words: impl Iterator<Item = &'a String>,
        first: LiteralId,
    ) -> Result<Automaton, String> {
        let searcher = AhoCorasick::new(words).map_err(|error| error.to_string())?;
        Ok(Automaton { searcher, first })
    }

    /// Appends what stands in `stream`.
    fn find(
        &self,
        stream: &Stream,
        literals: &[Literal],
        found: &mut Vec<(LiteralId, Occurrence)>,
    ) {
        for hit in self.searcher.find_overlapping_iter(&stream.text) {
            let number = self.first + hit.pattern().as_usize();
            // The space before the words belongs to the hit, one after them may.
            let first = stream.word_at(hit.start() + 1);
            let last = stream.word_at(hit.end().saturating_sub(2));
            if let (Some(first), Some(last), Some(literal)) = (first, last, literals.get(number)) {
                found.push((number, Occurrence { first, last, is_denying: literal.is_denying }));
            }
        }
    }
}

/// Words with a space before each and one at the end.
pub(crate) struct Stream {
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

    /// Lists the words, and which word of the text each is.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&str, usize)> {
        self.words.iter().filter_map(|(begin, index)| {
            Some((self.text.get(*begin..)?.split(' ').next()?, *index))
        })
    }

    fn word_at(&self, byte: usize) -> Option<usize> {
        let after = self.words.partition_point(|(begin, _)| *begin <= byte);
        self.words.get(after.checked_sub(1)?).map(|(_, word)| *word)
    }
}

impl Vocabulary {
    /// Counts the words that only hold sentences together in this language: they tell what a text is written in.
    pub(crate) fn count_function_words(&self, tokens: &Tokens) -> usize {
        let words = tokens.words.iter().map(|token| tokens.folded(token));
        words.filter(|word| self.keys.is_language_mark(word)).count()
    }

    /// Finds every word of the language in `tokens`.
    ///
    /// Takes time in proportion to the text and to what is found: one pass of an automaton over each of two streams.
    pub(crate) fn look(&self, tokens: &Tokens) -> Sight {
        let (stems, exact, content_before) = self.streams(tokens);
        let mut found = Vec::new();
        self.stems.find(&stems, &self.literals, &mut found);
        self.exact.find(&exact, &self.literals, &mut found);
        found.sort_unstable();
        found.dedup();
        let elements = Marks::new(self.literals_of.len());
        let mut sight = Sight { found, elements, content_before, keys: stems };
        let literals: Vec<LiteralId> = sight.literals().collect();
        for literal in literals.into_iter().filter_map(|literal| self.literals.get(literal)) {
            for element in &literal.elements {
                sight.elements.set(*element);
            }
        }
        sight
    }

    /// Returns the places of `elements`, which are ascending and no two alike.
    pub(crate) fn read(&self, sight: Sight, elements: Vec<ElementId>) -> Reading {
        Reading::new(sight, elements, self.literals.len(), |element| {
            self.literals_of.get(element).map_or(&[], Vec::as_slice)
        })
    }

    /// Lists for each literal what is given for the elements it belongs to, each once.
    pub(crate) fn by_literal(&self, of_element: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let of_literal = self.literals.iter().map(|literal| {
            let given = literal.elements.iter().filter_map(|element| of_element.get(*element));
            let mut given: Vec<usize> = given.flatten().copied().collect();
            given.sort_unstable();
            given.dedup();
            given
        });
        of_literal.collect()
    }

    /// Writes the words as stems and as they are, and counts those with meaning before each.
    fn streams(&self, tokens: &Tokens) -> (Stream, Stream, Vec<usize>) {
        let n_words = tokens.words.len();
        let (mut stems, mut exact) =
            (Stream::with_capacity(n_words), Stream::with_capacity(n_words));
        let mut content_before = Vec::with_capacity(n_words);
        for (index, token) in tokens.words.iter().enumerate() {
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
        (stems, exact, content_before)
    }
}
