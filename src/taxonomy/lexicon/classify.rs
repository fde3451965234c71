//! From a text to the categories it seems to tell of, each with the words that say so.

use std::collections::BTreeSet;

use crate::taxonomy::catalogue::{CategoryCode, Taxonomy, Valence};
use crate::taxonomy::error::DataError;
use crate::taxonomy::lexicon::cues::{Cue, Cues};
use crate::taxonomy::lexicon::language::Language;
use crate::taxonomy::lexicon::learned::{self, Judged, Learned};
use crate::taxonomy::lexicon::matching::{Found, Page, Pattern};
use crate::taxonomy::lexicon::reading::Sight;
use crate::taxonomy::lexicon::scope;
use crate::taxonomy::lexicon::signs::{Sign, list_signs};
use crate::taxonomy::lexicon::sources::{Concepts, read_entries};
use crate::taxonomy::lexicon::term::Alternative;
use crate::taxonomy::lexicon::tokens::{Gap, Tokens};
use crate::taxonomy::lexicon::vocabulary::{Builder, ElementId, Vocabulary};

/// Suggestions of one text, at most.
pub const MAX_SUGGESTIONS: usize = 5;
/// Signs beside the terms that are told as a reason, at most.
const MAX_SIGNS: usize = 4;
/// Reasons of one suggestion, at most.
const MAX_REASONS: usize = 8;
/// Less certainty that a text tells of a leaf rather than of nothing is silence, 0..=1.
const MIN_CERTAINTY: f64 = 0.7;
/// A best suggestion that scores less is a guess among many, per mille.
const MIN_BEST: u32 = 200;
/// What scores less than this share of the best suggestion is noise beside it, per mille.
const MIN_SHARE: u32 = 50;
/// How much of a score is left in a text that says of something that it is false, or a lesson, or a match.
const DOUBT: f64 = 0.7;
/// How much a term counts whose words another term has used already.
const REPEATED: f64 = 0.3;
/// Words one language must know more than the other for the text to be in it alone.
const CLEAR_LEAD: usize = 2;

/// The files a classifier is made of, as text.
#[derive(Debug, Clone, Copy)]
pub struct LexiconFiles<'a> {
    /// `data/cues.csv`.
    pub cues: &'a str,
    /// `data/concepts.csv`.
    pub concepts: &'a str,
    /// `data/lexicon.csv`.
    pub lexicon: &'a str,
    /// `data/signs.csv.gz`, unpacked.
    pub signs: &'a str,
}

/// What a text seems to tell of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Classification {
    /// The language it was read in; `None` where it is unclear, and both were tried.
    pub language: Option<Language>,
    /// By falling score, then by code; at most [`MAX_SUGGESTIONS`], none where nothing applies.
    pub suggestions: Vec<Suggestion>,
}

/// A category that seems to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// A leaf that is not retired.
    pub code: CategoryCode,
    /// How likely the text tells of it, among all leaves and nothing, per mille.
    pub score: u16,
    /// The words that say so, in order of the text, none within another; at least one.
    pub reasons: Vec<Reason>,
}

/// Words of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// As they are written.
    pub words: String,
    /// First character in the text, counted in Unicode characters (code points) from 0.
    pub start: usize,
    /// The character after the last.
    pub end: usize,
}

/// Suggests categories for texts in English and French.
pub struct Classifier {
    codes: Vec<CategoryCode>,
    readers: [Reader; Language::ALL.len()],
}

/// What one language makes of a text.
struct Reader {
    language: Language,
    vocabulary: Vocabulary,
    patterns: Vec<Pattern>,
    /// For each literal, the patterns that are looked for where it occurs.
    anchored: Vec<Vec<usize>>,
    /// The concepts by the name of their sign, such as `{soldiers}`.
    concepts: Vec<(String, ElementId)>,
    learned: Learned,
}

/// A leaf's score before it is rounded, with its words.
struct Scored {
    leaf: usize,
    score: f64,
    /// How likely it is this leaf rather than nothing, 0..=1.
    certainty: f64,
    words: BTreeSet<(usize, usize)>,
}

/// What a text gives to learn from, and to judge by.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The language it was read in.
    pub language: Language,
    /// Its signs.
    pub signs: Vec<Sign>,
    /// What the terms of the lexicon say, 0..=1, for the leaves for which one was found.
    pub terms: Vec<(CategoryCode, f64)>,
}

impl Classifier {
    /// Builds the classifier from the built-in lexicon.
    ///
    /// # Errors
    /// When a file is damaged or does not fit the taxonomy.
    pub fn builtin(taxonomy: &Taxonomy) -> Result<Classifier, DataError> {
        let signs = learned::unpack()?;
        let files = LexiconFiles {
            cues: include_str!("../data/cues.csv"),
            concepts: include_str!("../data/concepts.csv"),
            lexicon: include_str!("../data/lexicon.csv"),
            signs: &signs,
        };
        Classifier::from_files(taxonomy, files)
    }

    /// Builds a classifier from files with the columns of the built-in ones.
    ///
    /// # Errors
    /// A line that is not readable, a code, language, cue, concept, weight or term that is none, a duplicate; the error
    /// names file, line and column.
    pub fn from_files(
        taxonomy: &Taxonomy,
        files: LexiconFiles<'_>,
    ) -> Result<Classifier, DataError> {
        let [english, french] = Language::ALL;
        let [of_english, of_french] = Learned::read(files.signs, taxonomy)?;
        Ok(Classifier {
            codes: taxonomy.leaves().iter().map(|leaf| leaf.code.clone()).collect(),
            readers: [
                Reader::new(taxonomy, files, english, of_english)?,
                Reader::new(taxonomy, files, french, of_french)?,
            ],
        })
    }

    /// Suggests categories for `text`; `language` is what its sender said, an ISO 639 code.
    ///
    /// A text is read in the language its words show, in both where they show none clearly; what its sender said
    /// decides where the words do not contradict it. Time grows with the length of the text and no faster: each of its
    /// words is looked up once, and a fixed number of places is looked at for each.
    ///
    /// # Examples
    /// `Soldiers shot two diggers at the pit` gives `rights.life_integrity.assault_injury` among others, with the
    /// words `Soldiers`, `shot` and `diggers` as reasons.
    pub fn classify(&self, text: &str, language: Option<&str>) -> Classification {
        let tokens = Tokens::of(text);
        if tokens.words.is_empty() {
            return Classification::default();
        }
        let language = self.choose_language(&tokens, language.and_then(Language::from_code));
        let mut best: Vec<Scored> = Vec::new();
        for reader in &self.readers {
            if language.is_none_or(|language| language == reader.language) {
                for scored in reader.judge(&tokens, &self.codes) {
                    keep_better(&mut best, scored);
                }
            }
        }
        Classification { language, suggestions: self.select(&best, &tokens, text) }
    }

    /// Returns what `text` gives to learn from, once for each language it is read in.
    pub fn gather(&self, text: &str, language: Option<&str>) -> Vec<Evidence> {
        let tokens = Tokens::of(text);
        let language = self.choose_language(&tokens, language.and_then(Language::from_code));
        let readers = self.readers.iter();
        let readers = readers.filter(|reader| language.is_none_or(|one| one == reader.language));
        readers
            .map(|reader| {
                let (signs, found) = reader.read(&tokens, self.codes.len());
                let terms = found.iter().filter_map(|scored| {
                    Some((self.codes.get(scored.leaf)?.clone(), scored.score))
                });
                Evidence { language: reader.language, signs, terms: terms.collect() }
            })
            .collect()
    }

    /// Returns the language whose words the text holds more of; what its sender said decides where both are near.
    fn choose_language(&self, tokens: &Tokens, said: Option<Language>) -> Option<Language> {
        let [first, second] = &self.readers;
        let one = first.vocabulary.count_function_words(tokens);
        let other = second.vocabulary.count_function_words(tokens);
        let lead = one.abs_diff(other);
        let leader = if one > other { first.language } else { second.language };
        let is_clear = lead >= CLEAR_LEAD && lead * 4 >= one + other;
        match said {
            // Somebody may say French and write English.
            Some(said) if said != leader && is_clear && lead >= 2 * CLEAR_LEAD => None,
            Some(said) => Some(said),
            None => is_clear.then_some(leader),
        }
    }

    /// Returns what is loud enough to be said.
    fn select(&self, scored: &[Scored], tokens: &Tokens, text: &str) -> Vec<Suggestion> {
        let suggestion = |one: &Scored| {
            Some(Suggestion {
                code: self.codes.get(one.leaf)?.clone(),
                score: per_mille(one.score),
                reasons: quote(&one.words, tokens, text),
            })
        };
        let loud = scored.iter().filter(|one| one.certainty >= MIN_CERTAINTY);
        let mut all: Vec<Suggestion> = loud.filter_map(suggestion).collect();
        all.sort_by(|one, other| {
            other.score.cmp(&one.score).then_with(|| one.code.cmp(&other.code))
        });
        let best = all.first().map_or(0, |first| u32::from(first.score));
        if best < MIN_BEST {
            return Vec::new();
        }
        all.retain(|one| u32::from(one.score) * 1000 >= best * MIN_SHARE);
        all.truncate(MAX_SUGGESTIONS);
        all
    }
}

fn keep_better(best: &mut Vec<Scored>, scored: Scored) {
    match best.iter_mut().find(|known| known.leaf == scored.leaf) {
        Some(known) if known.score < scored.score => *known = scored,
        Some(_) => {}
        None => best.push(scored),
    }
}

/// Rounds a share of one to thousandths.
fn per_mille(share: f64) -> u16 {
    let mut mille = 0;
    for step in [512, 256, 128, 64, 32, 16, 8, 4, 2, 1] {
        if mille + step <= 1000 && share * 1000.0 >= f64::from(mille + step) - 0.5 {
            mille += step;
        }
    }
    mille
}

impl Reader {
    fn new(
        taxonomy: &Taxonomy,
        files: LexiconFiles<'_>,
        language: Language,
        learned: Learned,
    ) -> Result<Reader, DataError> {
        let mut builder = Builder::new(language, Cues::read(files.cues, language)?)?;
        let concepts = Concepts::read(files.concepts, language)?;
        let mut patterns = Vec::new();
        for entry in read_entries(files.lexicon, taxonomy, language)? {
            let mut parts = Vec::with_capacity(entry.term.parts.len());
            let is_about_absence = entry.term.is_about_absence();
            for (join, part) in &entry.term.parts {
                let element = builder
                    .element(&part.alternatives, &concepts)
                    .map_err(|detail| entry.place.fault("terms", detail))?;
                parts.push((*join, element, part.polarity_in(is_about_absence)));
            }
            // A retired leaf is suggested no more.
            let Some(leaf) =
                taxonomy.leaves().get(entry.leaf).filter(|leaf| leaf.retired_on.is_none())
            else {
                continue;
            };
            let is_of_harm = leaf.valence == Valence::Negative;
            patterns.push(Pattern { leaf: entry.leaf, weight: entry.weight, is_of_harm, parts });
        }
        let mut named = Vec::new();
        for name in concepts.names() {
            let alternative = [Alternative::Concept(name.to_owned())];
            let element = builder
                .element(&alternative, &concepts)
                .map_err(|detail| DataError::Missing { file: "concepts.csv", detail })?;
            named.push((format!("{{{name}}}"), element));
        }
        let anchored = anchor(&patterns, &builder.weigh_elements());
        let too_large = |detail| DataError::Missing { file: "lexicon.csv", detail };
        let vocabulary = builder.build().map_err(too_large)?;
        let anchored = vocabulary.by_literal(&anchored);
        Ok(Reader { language, vocabulary, patterns, anchored, concepts: named, learned })
    }

    /// Lists the patterns all of whose parts occur, in the order of the lexicon.
    fn list_candidates(&self, sight: &Sight) -> Vec<&Pattern> {
        let anchored = sight.literals().filter_map(|literal| self.anchored.get(literal)).flatten();
        let mut candidates: Vec<usize> = anchored
            .copied()
            .filter(|index| self.patterns.get(*index).is_some_and(|one| one.may_be_in(sight)))
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        candidates.into_iter().filter_map(|index| self.patterns.get(index)).collect()
    }

    /// Weighs what the terms say together with all other signs of the text.
    fn judge(&self, tokens: &Tokens, codes: &[CategoryCode]) -> Vec<Scored> {
        let (signs, found) = self.read(tokens, codes.len());
        if self.learned.is_empty() {
            return found;
        }
        let terms: Vec<(&str, f64)> = found
            .iter()
            .filter_map(|scored| Some((codes.get(scored.leaf)?.as_str(), scored.score)))
            .collect();
        let mut judged = self.learned.judge(&signs, &terms);
        judged.retain(|judged| judged.certainty >= MIN_CERTAINTY);
        let best = judged.iter().map(|judged| judged.score).fold(0.0, f64::max);
        // Words are looked for only where they will be shown.
        judged.retain(|judged| judged.score * 1000.0 >= best * f64::from(MIN_SHARE));
        judged
            .into_iter()
            .map(|Judged { leaf, score, certainty }| {
                let of_terms = found.iter().find(|scored| scored.leaf == leaf);
                let mut words = of_terms.map(|scored| scored.words.clone()).unwrap_or_default();
                let loudest = self.learned.speaking_for(leaf, &signs).into_iter().take(MAX_SIGNS);
                words.extend(loudest.map(|sign| (sign.first, sign.last)));
                let words = join_neighbours(&words, tokens);
                Scored { leaf, score, certainty, words }
            })
            .filter(|scored| !scored.words.is_empty())
            .collect()
    }

    /// Lists the signs of a text, and scores the leaves for which terms of the lexicon were found.
    ///
    /// Terms of a leaf add up as independent signs do: what one leaves open, the next one narrows. Terms against a leaf
    /// take their share away afterwards.
    fn read(&self, tokens: &Tokens, n_leaves: usize) -> (Vec<Sign>, Vec<Scored>) {
        let sight = self.vocabulary.look(tokens);
        let patterns = self.list_candidates(&sight);
        let parts = patterns.iter().flat_map(|pattern| &pattern.parts);
        let mut elements: Vec<ElementId> = parts.map(|(_, element, _)| *element).collect();
        elements.extend(0..Cue::ALL.len());
        let concepts = self.concepts.iter().map(|(_, element)| *element);
        elements.extend(concepts.filter(|element| sight.elements.has(*element)));
        elements.sort_unstable();
        elements.dedup();
        let reading = self.vocabulary.read(sight, elements);
        let meaning = scope::mark(tokens, &reading);
        let signs = list_signs(tokens, &reading, &meaning.words, &self.concepts);
        let page = Page::new(tokens, &reading, &meaning.words);
        let share = if meaning.is_doubtful { DOUBT } else { 1.0 };
        let found = patterns.into_iter();
        let mut found: Vec<(&Pattern, Found)> =
            found.filter_map(|pattern| page.find(pattern).map(|found| (pattern, found))).collect();
        found.sort_by(|one, other| {
            one.0.leaf.cmp(&other.0.leaf).then_with(|| other.0.weight.total_cmp(&one.0.weight))
        });
        let of_leaf = found.chunk_by(|one, other| one.0.leaf == other.0.leaf);
        let mut scored: Vec<Scored> = Vec::with_capacity(n_leaves.min(found.len()));
        scored.extend(of_leaf.filter_map(|found| score_leaf(found, tokens)));
        for one in &mut scored {
            one.score *= share;
            one.certainty *= share;
        }
        (signs, scored)
    }
}

/// Adds up what was found for one leaf, heaviest first.
fn score_leaf(found: &[(&Pattern, Found)], tokens: &Tokens) -> Option<Scored> {
    let leaf = found.first()?.0.leaf;
    let mut open = 1.0;
    let mut kept = 1.0;
    let mut used: BTreeSet<usize> = BTreeSet::new();
    let mut words = BTreeSet::new();
    for (pattern, places) in found {
        if pattern.weight < 0.0 {
            kept *= 1.0 + pattern.weight;
            continue;
        }
        let mut is_new = false;
        for index in places.iter().flat_map(|place| place.first..=place.last) {
            is_new |= used.insert(index);
        }
        open *= 1.0 - pattern.weight * if is_new { 1.0 } else { REPEATED };
        words.extend(places.iter().map(|place| (place.first, place.last)));
    }
    let words = join_neighbours(&words, tokens);
    let score = (1.0 - open) * kept;
    (!words.is_empty()).then_some(Scored { leaf, score, certainty: score, words })
}

/// Makes one stretch of words of those that overlap or follow each other.
fn join_neighbours(words: &BTreeSet<(usize, usize)>, tokens: &Tokens) -> BTreeSet<(usize, usize)> {
    let mut joined: Vec<(usize, usize)> = Vec::new();
    for (first, last) in words {
        let follows = |end: usize| {
            let is_apart = tokens.words.get(*first).is_none_or(|token| token.gap > Gap::Word);
            *first <= end || (*first == end + 1 && !is_apart)
        };
        match joined.last_mut() {
            Some((_, end)) if follows(*end) => *end = (*end).max(*last),
            _ => joined.push((*first, *last)),
        }
    }
    joined.into_iter().collect()
}

fn quote(words: &BTreeSet<(usize, usize)>, tokens: &Tokens, text: &str) -> Vec<Reason> {
    words
        .iter()
        .take(MAX_REASONS)
        .filter_map(|(first, last)| {
            let start = tokens.words.get(*first)?.start;
            let end = tokens.words.get(*last)?.end;
            let words = text.chars().skip(start).take(end - start).collect();
            Some(Reason { words, start, end })
        })
        .collect()
}

/// Looks for each pattern where its rarest part occurs; `weights` says how common each element is.
fn anchor(patterns: &[Pattern], weights: &[usize]) -> Vec<Vec<usize>> {
    let weight = |element: ElementId| weights.get(element).copied().unwrap_or(0);
    let mut anchored = vec![Vec::new(); weights.len()];
    for (index, pattern) in patterns.iter().enumerate() {
        let elements = pattern.parts.iter().map(|(_, element, _)| *element);
        let rarest = elements.min_by_key(|element| weight(*element));
        if let Some(here) = rarest.and_then(|element| anchored.get_mut(element)) {
            here.push(index);
        }
    }
    anchored
}
