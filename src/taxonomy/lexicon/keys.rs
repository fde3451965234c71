//! The form under which a word is looked up: its stem, or itself where it only holds a sentence together.

use std::collections::{HashMap, HashSet};

use rust_stemmers::{Algorithm, Stemmer};

use crate::taxonomy::lexicon::language::Language;

/// Longer words are no words; cutting them would cost time.
const MAX_STEM_BYTES: usize = 30;

/// In a shorter stem a doubled consonant tells words apart: "pille" and "pile".
const MIN_COLLAPSED_BYTES: usize = 5;

/// How one language makes stems.
pub(crate) struct Stems {
    stemmer: Stemmer,
    language: Language,
}

impl Stems {
    /// Returns the stems of a language.
    pub(crate) fn new(language: Language) -> Stems {
        let algorithm = match language {
            Language::English => Algorithm::English,
            Language::French => Algorithm::French,
        };
        Stems { stemmer: Stemmer::create(algorithm), language }
    }

    /// Appends the stem of a folded word.
    pub(crate) fn push(&self, stream: &mut String, word: &str) {
        push_stem(stream, &self.stemmer, self.language, word);
    }
}

/// How one language makes keys.
pub(crate) struct Keys {
    stems: Stems,
    /// Words without meaning of their own; they are left out between the words of a term.
    function: HashSet<String>,
    /// Words looked up as they are, such as `pas`, so that no stem falls on them.
    kept: HashSet<String>,
    /// What stands for what in short messages: `ppl` for `people`.
    abbreviations: HashMap<String, String>,
}

impl Keys {
    /// Takes the three lists, all folded.
    pub(crate) fn new(
        language: Language,
        function: HashSet<String>,
        kept: HashSet<String>,
        abbreviations: HashMap<String, String>,
    ) -> Keys {
        Keys { stems: Stems::new(language), function, kept, abbreviations }
    }

    /// Returns the word an abbreviation stands for, else the word itself.
    pub(crate) fn spell_out<'a>(&'a self, folded: &'a str) -> &'a str {
        self.abbreviations.get(folded).map_or(folded, String::as_str)
    }

    /// Appends the key of a word already spelt out; returns whether it has one.
    pub(crate) fn push_key(&self, stream: &mut String, word: &str) -> bool {
        if self.kept.contains(word) {
            // No stem holds a low line, so a kept word is never mistaken for one.
            stream.push('_');
            stream.push_str(word);
            return true;
        }
        if self.is_function(word) {
            return false;
        }
        self.stems.push(stream, word);
        true
    }

    /// Returns whether the word tells the language of its text.
    pub(crate) fn is_language_mark(&self, word: &str) -> bool {
        self.function.contains(word)
            || self.kept.contains(word)
            || self.abbreviations.contains_key(word)
    }

    /// Returns whether the word only holds a sentence together; numbers do so too.
    pub(crate) fn is_function(&self, word: &str) -> bool {
        self.function.contains(word) || word.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// Appends the stem, made blind to doubled consonants and, in French, to the `e` of the feminine.
///
/// # Source
/// Snowball stemmers of M. F. Porter, English and French, applied to words without accents.
fn push_stem(stream: &mut String, stemmer: &Stemmer, language: Language, word: &str) {
    let is_plain =
        word.len() <= MAX_STEM_BYTES && word.bytes().all(|byte| byte.is_ascii_lowercase());
    if !is_plain || word.len() < 3 {
        stream.push_str(word);
        return;
    }
    let singular = match language {
        // The stemmer leaves the plural of "détenu" and the like alone.
        Language::French if word.len() > 4 => word.strip_suffix('s').unwrap_or(word),
        Language::English | Language::French => word,
    };
    let stem = stemmer.stem(singular);
    let stem: &str = match language {
        Language::English => &stem,
        Language::French => stem.trim_end_matches('e'),
    };
    let stem = if stem.len() < 2 { word } else { stem };
    let is_short = stem.len() < MIN_COLLAPSED_BYTES;
    let mut last = None;
    for letter in stem.chars() {
        let is_kept = is_short || matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u');
        if is_kept || last != Some(letter) {
            stream.push(letter);
        }
        last = Some(letter);
    }
}
