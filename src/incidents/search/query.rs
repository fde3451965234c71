//! What is looked for: words, beginnings of words, phrases, and what must not be there.
//!
//! | written | found |
//! | --- | --- |
//! | `riviere polluee` | texts with all of these words, in any form: `rivières`, `pollué` |
//! | `kill*` | words that begin so; three letters at least |
//! | `"pit collapse"` | these words in a row, as written; one word in quotes is found in this form alone |
//! | `-army` | no text that has it; before a beginning or a phrase too |
//!
//! Case, accents, and the elided words of French (`l'`, `d'`, `qu'`) never matter. Words of one letter and the commonest
//! words of both languages ask for nothing, save in quotes. Words joined by a sign (`pit-side`) are a phrase.

use crate::incidents::search::words::Words;

/// Longest text to look for, in characters.
pub const MAX_CHARS: usize = 200;
/// Most words of it.
pub const MAX_WORDS: usize = 16;
/// Fewest letters of a beginning.
pub const MIN_PREFIX_CHARS: usize = 3;
/// Fewest letters of a word.
const MIN_WORD_CHARS: usize = 2;

/// Words that lose their last letter before a vowel.
const ELIDED: [&str; 15] = [
    "l", "d", "j", "m", "n", "s", "t", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "presqu",
    "quelqu",
];

/// Words that are in nearly every text.
const EVERYWHERE: [&str; 24] = [
    "de", "du", "des", "la", "le", "les", "un", "une", "et", "en", "au", "aux", "the", "of", "and",
    "in", "at", "to", "on", "an", "is", "il", "se", "ce",
];

/// What is looked for; it holds the words, so it is never shown and never logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextQuery {
    terms: Vec<Term>,
}

/// One thing that a text must have, or must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Whether a text that has it is left out.
    pub is_excluded: bool,
    /// What it looks like.
    pub pattern: Pattern,
}

/// What words of a text are meant; all folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// A word in any form.
    Word(String),
    /// Words that begin so.
    Beginning(String),
    /// Words in a row, as written.
    Phrase(Vec<String>),
}

impl Pattern {
    fn n_words(&self) -> usize {
        match self {
            Self::Word(_) | Self::Beginning(_) => 1,
            Self::Phrase(words) => words.len(),
        }
    }
}

/// Why nothing can be looked for; it does not repeat what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryFault {
    /// More characters than [`MAX_CHARS`].
    TooLong,
    /// More words than [`MAX_WORDS`].
    TooManyWords,
    /// No word that asks for something.
    NoWord,
    /// Only what must not be there.
    OnlyExcluded,
    /// A beginning of fewer letters than [`MIN_PREFIX_CHARS`], or a `*` that ends no word.
    ShortBeginning,
}

impl QueryFault {
    /// Returns what would be right, in English and French, as said after "is not".
    pub fn expected(self) -> (String, String) {
        match self {
            Self::TooLong => {
                (format!("1 to {MAX_CHARS} characters"), format!("de 1 à {MAX_CHARS} caractères"))
            }
            Self::TooManyWords => {
                (format!("1 to {MAX_WORDS} words"), format!("de 1 à {MAX_WORDS} mots"))
            }
            Self::NoWord => (
                format!("a word of at least {MIN_WORD_CHARS} letters that is not in every text"),
                format!("un mot d’au moins {MIN_WORD_CHARS} lettres qui n’est pas dans tout texte"),
            ),
            Self::OnlyExcluded => (
                "also a word to look for, beside what - leaves out".to_owned(),
                "aussi un mot à chercher, à côté de ce que - écarte".to_owned(),
            ),
            Self::ShortBeginning => (
                format!(
                    "without a * that follows fewer than {MIN_PREFIX_CHARS} letters or ends no word"
                ),
                format!(
                    "sans * après moins de {MIN_PREFIX_CHARS} lettres ou ailleurs qu’en fin de mot"
                ),
            ),
        }
    }
}

impl TextQuery {
    /// Reads what somebody wrote.
    ///
    /// # Errors
    /// The first [`QueryFault`].
    pub fn parse(text: &str) -> Result<Self, QueryFault> {
        if text.chars().count() > MAX_CHARS {
            return Err(QueryFault::TooLong);
        }
        let mut terms: Vec<Term> = Vec::new();
        let mut rest = text.trim_start_matches(is_space);
        while let Some(first) = rest.chars().next() {
            let is_excluded = first == '-';
            let body = if is_excluded { rest.trim_start_matches('-') } else { rest };
            let (patterns, after) = match body.strip_prefix(is_quote) {
                Some(quoted) => take_phrase(quoted),
                None => take_plain(body)?,
            };
            for pattern in patterns {
                let term = Term { is_excluded, pattern };
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
            rest = after.trim_start_matches(is_space);
        }
        check(terms)
    }

    /// Returns what a text must have and must not have.
    ///
    /// # Shape
    /// In the order written, each once; at least one that must be there.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }
}

fn check(terms: Vec<Term>) -> Result<TextQuery, QueryFault> {
    if terms.iter().map(|term| term.pattern.n_words()).sum::<usize>() > MAX_WORDS {
        Err(QueryFault::TooManyWords)
    } else if terms.is_empty() {
        Err(QueryFault::NoWord)
    } else if terms.iter().all(|term| term.is_excluded) {
        Err(QueryFault::OnlyExcluded)
    } else {
        Ok(TextQuery { terms })
    }
}

fn is_space(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control()
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '“' | '”' | '„' | '«' | '»')
}

fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '’' | '‘' | 'ʼ' | '`' | '´')
}

/// Takes a phrase up to the quote that closes it, else up to the end.
fn take_phrase(quoted: &str) -> (Vec<Pattern>, &str) {
    let (phrase, after) = quoted.split_once(is_quote).unwrap_or((quoted, ""));
    let words = list_words(phrase);
    let pattern = (!words.is_empty()).then_some(Pattern::Phrase(words));
    (pattern.into_iter().collect(), after)
}

/// Takes what stands up to the next space or quote.
fn take_plain(body: &str) -> Result<(Vec<Pattern>, &str), QueryFault> {
    let end = body.find(|letter| is_space(letter) || is_quote(letter)).unwrap_or(body.len());
    let (chunk, after) = body.split_at(end);
    let begun = chunk.strip_suffix('*');
    let chunk = begun.unwrap_or(chunk);
    if chunk.contains('*') {
        return Err(QueryFault::ShortBeginning);
    }
    let mut words = list_words(strip_elided(chunk));
    let beginning = begun.map(|_| words.pop().unwrap_or_default());
    if beginning.as_ref().is_some_and(|word| word.chars().count() < MIN_PREFIX_CHARS) {
        return Err(QueryFault::ShortBeginning);
    }
    let before = match words.as_slice() {
        [] => None,
        [word] if asks_for_nothing(word) => None,
        [word] => Some(Pattern::Word(word.clone())),
        _ => Some(Pattern::Phrase(words)),
    };
    Ok((before.into_iter().chain(beginning.map(Pattern::Beginning)).collect(), after))
}

fn list_words(text: &str) -> Vec<String> {
    Words::of(text).iter().map(str::to_owned).collect()
}

/// Returns what follows the elided words: `or` of `d'or`, `orpaillage` of `l'orpaillage`.
fn strip_elided(chunk: &str) -> &str {
    let mut rest = chunk;
    while let Some((before, after)) = rest.split_once(is_apostrophe) {
        let words = Words::of(before);
        let is_elided = words.len() == 1 && words.iter().all(|word| ELIDED.contains(&word));
        if !is_elided || Words::of(after).is_empty() {
            break;
        }
        rest = after;
    }
    rest
}

fn asks_for_nothing(word: &str) -> bool {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    EVERYWHERE.contains(&word) || (word.chars().count() < MIN_WORD_CHARS && !is_number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::incidents::search::query::{Pattern, QueryFault, Term, TextQuery};

    fn word(word: &str) -> Pattern {
        Pattern::Word(word.to_owned())
    }

    fn phrase(words: &[&str]) -> Pattern {
        Pattern::Phrase(words.iter().map(|word| (*word).to_owned()).collect())
    }

    fn beginning(word: &str) -> Pattern {
        Pattern::Beginning(word.to_owned())
    }

    fn with(pattern: Pattern) -> Term {
        Term { is_excluded: false, pattern }
    }

    fn without(pattern: Pattern) -> Term {
        Term { is_excluded: true, pattern }
    }

    #[test]
    fn a_query_is_words_beginnings_phrases_and_what_must_not_be_there() {
        for (text, terms, reason) in [
            ("Séguéla", vec![with(word("seguela"))], "one word"),
            (" or  OR or ", vec![with(word("or"))], "each once"),
            ("orpaillage à la mine", vec![with(word("orpaillage")), with(word("mine"))], "common"),
            ("l'orpaillage d’or", vec![with(word("orpaillage")), with(word("or"))], "elision"),
            ("jusqu'ici qu'il", vec![with(word("ici"))], "longer elisions"),
            ("kill*", vec![with(beginning("kill"))], "a beginning"),
            ("l'orpail*", vec![with(beginning("orpail"))], "a beginning behind an elision"),
            ("\"à la mine\"", vec![with(phrase(&["a", "la", "mine"]))], "every word of a phrase"),
            ("«mine»", vec![with(phrase(&["mine"]))], "a word as written"),
            (
                "“pit collapse”dead",
                vec![with(phrase(&["pit", "collapse"])), with(word("dead"))],
                "curly",
            ),
            ("\"pit collapse", vec![with(phrase(&["pit", "collapse"]))], "not closed"),
            ("pit-side", vec![with(phrase(&["pit", "side"]))], "joined words"),
            ("aujourd'hui", vec![with(phrase(&["aujourd", "hui"]))], "no elision"),
            ("mine -army", vec![with(word("mine")), without(word("army"))], "without a word"),
            (
                "-\"the army\" -polic* gold",
                vec![
                    without(phrase(&["the", "army"])),
                    without(beginning("polic")),
                    with(word("gold")),
                ],
                "without a phrase and a beginning",
            ),
            ("3 morts", vec![with(word("3")), with(word("morts"))], "a number"),
            ("mine\u{0}\u{7}gold", vec![with(word("mine")), with(word("gold"))], "control signs"),
            ("\u{202e}m\u{200d}ine\u{202c}", vec![with(word("mine"))], "signs that are not seen"),
        ] {
            assert_eq!(TextQuery::parse(text).map(|query| query.terms), Ok(terms), "{reason}");
        }
    }

    #[test]
    fn what_asks_for_nothing_is_refused() {
        for (text, fault) in [
            ("", QueryFault::NoWord),
            ("   ", QueryFault::NoWord),
            ("a", QueryFault::NoWord),
            ("de la", QueryFault::NoWord),
            ("!? 💎 \"\" -", QueryFault::NoWord),
            ("-army", QueryFault::OnlyExcluded),
            ("-army la", QueryFault::OnlyExcluded),
            ("*", QueryFault::ShortBeginning),
            ("ki*", QueryFault::ShortBeginning),
            ("k*ll", QueryFault::ShortBeginning),
            ("*mine", QueryFault::ShortBeginning),
            ("mine**", QueryFault::ShortBeginning),
        ] {
            assert_eq!(TextQuery::parse(text), Err(fault), "{text:?}");
        }
        assert_eq!(TextQuery::parse(&"é".repeat(201)), Err(QueryFault::TooLong));
        assert!(TextQuery::parse(&"é".repeat(200)).is_ok());
        let words = |n: usize| (0..n).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(TextQuery::parse(&words(17)), Err(QueryFault::TooManyWords));
        assert!(TextQuery::parse(&words(16)).is_ok());
        let phrase = format!("\"{}\"", words(17));
        assert_eq!(TextQuery::parse(&phrase), Err(QueryFault::TooManyWords));
    }

    proptest! {
        #[test]
        fn anything_at_all_is_read_or_refused(text in any::<String>()) {
            if let Ok(query) = TextQuery::parse(&text) {
                prop_assert!(query.terms().iter().any(|term| !term.is_excluded));
            }
        }

        #[test]
        fn case_does_not_matter(text in "[a-zà-ÿ\"* '-]{0,40}") {
            prop_assert_eq!(TextQuery::parse(&text.to_uppercase()), TextQuery::parse(&text));
        }
    }
}
