//! What the files of the lexicon have in common: languages, lists, concepts and terms.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;

use crate::taxonomy::catalogue::Taxonomy;
use crate::taxonomy::error::DataError;
use crate::taxonomy::lexicon::language::Language;
use crate::taxonomy::lexicon::term::{Alternative, Term, Words};
use crate::taxonomy::read::{Place, read_lines};

const CONCEPTS: &str = "concepts.csv";
const LEXICON: &str = "lexicon.csv";

/// Which languages a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// One of them.
    In(Language),
    /// Both, written `*`.
    Everywhere,
}

impl Spoken {
    /// Reads the column `language`.
    ///
    /// # Errors
    /// When it is neither `en`, `fr` nor `*`.
    pub(crate) fn read(place: Place, code: &str) -> Result<Spoken, DataError> {
        if code == "*" {
            return Ok(Spoken::Everywhere);
        }
        Language::ALL
            .into_iter()
            .find(|language| language.as_str() == code)
            .map(Spoken::In)
            .ok_or_else(|| place.fault("language", format!("{code:?} is none of en, fr, *")))
    }

    /// Returns whether the line is for `language`.
    pub(crate) fn covers(self, language: Language) -> bool {
        self == Spoken::Everywhere || self == Spoken::In(language)
    }
}

/// Lists what stands between semicolons, empty places left out.
pub(crate) fn split_list(list: &str) -> impl Iterator<Item = &str> {
    list.split(';').map(str::trim).filter(|item| !item.is_empty())
}

/// The concepts of one language: a name and the words that say it.
#[derive(Debug, Default)]
pub(crate) struct Concepts {
    words: BTreeMap<String, Vec<Words>>,
    /// Concept and words as they stand in the file, to find what is written twice.
    written: BTreeSet<(String, Words)>,
}

#[derive(Deserialize)]
struct ConceptLine {
    concept: String,
    language: String,
    words: String,
}

impl Concepts {
    /// Reads the concepts of `language`; one may hold others that stand above it.
    ///
    /// # Errors
    /// A line that is not readable, a name that is none, the same words twice in a concept, a concept that is used
    /// before it is given.
    pub(crate) fn read(text: &str, language: Language) -> Result<Concepts, DataError> {
        let mut concepts = Concepts::default();
        for (place, line) in read_lines::<ConceptLine>(CONCEPTS, text)? {
            let is_name = |name: &str| {
                !name.is_empty()
                    && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            };
            if !is_name(&line.concept) {
                return Err(
                    place.fault("concept", format!("{:?} is no name in a-z and _", line.concept))
                );
            }
            if Spoken::read(place, &line.language)?.covers(language) {
                concepts
                    .add(&line.concept, &line.words)
                    .map_err(|detail| place.fault("words", detail))?;
            }
        }
        Ok(concepts)
    }

    fn add(&mut self, name: &str, list: &str) -> Result<(), String> {
        let mut known = self.words.remove(name).unwrap_or_default();
        for written in split_list(list) {
            match Alternative::parse(written)? {
                Alternative::Words(words) => {
                    if !self.written.insert((name.to_owned(), words.clone())) {
                        return Err(format!("{written:?} is twice in {{{name}}}"));
                    }
                    known.push(words);
                }
                Alternative::Concept(other) => known.extend_from_slice(self.find(&other)?),
            }
        }
        self.words.insert(name.to_owned(), known);
        Ok(())
    }

    /// Lists the names of the concepts that have words, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.words.iter().filter(|(_, words)| !words.is_empty()).map(|(name, _)| name.as_str())
    }

    /// Returns the words of a concept, at least one.
    ///
    /// # Errors
    /// When it has none in this language.
    pub(crate) fn find(&self, name: &str) -> Result<&[Words], String> {
        self.words.get(name).filter(|words| !words.is_empty()).map(Vec::as_slice).ok_or_else(|| {
            format!("{{{name}}} has no words in this language, or only further down")
        })
    }
}

/// A term and what it says.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    /// Where the leaf stands among the leaves of the taxonomy.
    pub(crate) leaf: usize,
    /// -1..=1, never 0; below 0 it speaks against the leaf.
    pub(crate) weight: f64,
    pub(crate) term: Term,
}

#[derive(Deserialize)]
struct LexiconLine {
    code: String,
    language: String,
    weight: String,
    terms: String,
}

/// Reads the terms of `language`, in file order.
///
/// # Errors
/// A line that is not readable, a code that is no leaf, a weight out of range, a term that is not readable or given
/// twice for its leaf.
pub(crate) fn read_entries(
    text: &str,
    taxonomy: &Taxonomy,
    language: Language,
) -> Result<Vec<Entry>, DataError> {
    let mut entries = Vec::new();
    let mut line_of: HashMap<(usize, String), u64> = HashMap::new();
    for (place, line) in read_lines::<LexiconLine>(LEXICON, text)? {
        let leaf = find_leaf(taxonomy, place, &line.code)?;
        let weight = read_weight(place, &line.weight)?;
        if !Spoken::read(place, &line.language)?.covers(language) {
            continue;
        }
        for written in split_list(&line.terms) {
            let terms = Term::parse(written).map_err(|detail| place.fault("terms", detail))?;
            if let Some(first) = line_of.insert((leaf, written.to_owned()), place.line) {
                let detail = format!("{written:?} is already on line {first}");
                return Err(place.fault("terms", detail));
            }
            entries.extend(terms.into_iter().map(|term| Entry { place, leaf, weight, term }));
        }
    }
    Ok(entries)
}

fn find_leaf(taxonomy: &Taxonomy, place: Place, code: &str) -> Result<usize, DataError> {
    taxonomy
        .leaves()
        .iter()
        .position(|leaf| leaf.code.as_str() == code)
        .ok_or_else(|| place.fault("code", format!("{code:?} is no leaf of the taxonomy")))
}

fn read_weight(place: Place, text: &str) -> Result<f64, DataError> {
    match text.parse::<f64>() {
        Ok(weight) if weight != 0.0 && (-1.0..=1.0).contains(&weight) => Ok(weight),
        Ok(_) | Err(_) => Err(place.fault("weight", format!("{text:?} is not in -1..=1, or is 0"))),
    }
}
