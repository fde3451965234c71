//! Whether a report is what is looked for, and how much it is.
//!
//! A report is found when it has every word, beginning and phrase, in any of its fields, and nothing that was excluded.
//! Its rank counts hits: one of a word as written twice, one of another form or of a beginning once, at most
//! `MOST_HITS` a field, times the weight of the field. It depends on this report alone, so that it is the same on every
//! page.

use crate::incidents::search::query::{Pattern, TextQuery};
use crate::incidents::search::told::Told;
use crate::incidents::search::words::Words;
use crate::taxonomy::lexicon::keys::Stems;
use crate::taxonomy::lexicon::language::Language;

/// More hits in one field tell no more.
const MOST_HITS: u16 = 8;
/// Bytes that a word shares with each of its forms.
const HEAD_BYTES: usize = 2;
/// Shorter words have one form.
const MIN_INFLECTED_BYTES: usize = 3;

/// How much a report is what was looked for: more is more.
pub type Rank = u16;

/// A query made ready to go through many texts.
pub struct Matcher {
    terms: Vec<Term>,
    /// In the order of [`Language::ALL`].
    stems: [Stems; 2],
}

struct Term {
    is_excluded: bool,
    pattern: Pattern,
    /// Of a word, in the order of [`Language::ALL`].
    stems: [String; 2],
}

/// Memory that is used again from text to text.
#[derive(Debug, Default)]
pub struct Scratch {
    words: Words,
    stem: zeroize::Zeroizing<String>,
    hits: Vec<u16>,
    ranks: Vec<Rank>,
}

impl Matcher {
    /// Makes a query ready.
    pub fn new(query: &TextQuery) -> Self {
        let stems = Language::ALL.map(Stems::new);
        let ready = |term: &crate::incidents::search::query::Term| {
            let stems = match &term.pattern {
                Pattern::Word(word) => [stem_of(&stems, 0, word), stem_of(&stems, 1, word)],
                Pattern::Beginning(_) | Pattern::Phrase(_) => Default::default(),
            };
            Term { is_excluded: term.is_excluded, pattern: term.pattern.clone(), stems }
        };
        Self { terms: query.terms().iter().map(ready).collect(), stems }
    }

    /// Returns how much a report is what was looked for; `None` where it is not.
    pub fn rank(&self, told: &Told<'_>, scratch: &mut Scratch) -> Option<Rank> {
        // Told to be of one language, a text has no forms of the other.
        let languages: &[usize] = match told.language().and_then(Language::from_code) {
            Some(Language::English) => &[0],
            Some(Language::French) => &[1],
            None => &[0, 1],
        };
        let Scratch { words, stem, hits, ranks } = scratch;
        ranks.clear();
        ranks.resize(self.terms.len(), 0);
        told.for_each(|field, text| {
            words.clear();
            words.push_text(text);
            hits.clear();
            hits.resize(self.terms.len(), 0);
            for (at, word) in words.iter().enumerate() {
                for (term, hits) in self.terms.iter().zip(hits.iter_mut()) {
                    let hit = self.count(term, (words, at, word), languages, stem);
                    *hits = hits.saturating_add(hit);
                }
            }
            for (rank, hits) in ranks.iter_mut().zip(hits.iter()) {
                *rank += field.weight() * (*hits).min(MOST_HITS);
            }
        });
        let is_right = |(term, rank): (&Term, &Rank)| term.is_excluded == (*rank == 0);
        let is_found = self.terms.iter().zip(ranks.iter()).all(is_right);
        is_found.then(|| ranks.iter().sum())
    }

    /// Counts a hit of `term` at a word.
    fn count(
        &self,
        term: &Term,
        (words, at, word): (&Words, usize, &str),
        languages: &[usize],
        scratch: &mut String,
    ) -> u16 {
        match &term.pattern {
            Pattern::Word(written) if word == written => 2,
            Pattern::Word(written) => {
                u16::from(self.is_form(term, (written, word), languages, scratch))
            }
            Pattern::Beginning(beginning) => u16::from(word.starts_with(beginning.as_str())),
            Pattern::Phrase(phrase) => {
                let is_next = |(n, wanted): (usize, &String)| words.get(at + n) == Some(wanted);
                2 * u16::from(phrase.iter().enumerate().all(is_next))
            }
        }
    }

    /// Returns whether `word` is another form of what was `written`.
    fn is_form(
        &self,
        term: &Term,
        (written, word): (&str, &str),
        languages: &[usize],
        scratch: &mut String,
    ) -> bool {
        let is_near = word.len() >= MIN_INFLECTED_BYTES
            && written.len() >= MIN_INFLECTED_BYTES
            && word.as_bytes().get(..HEAD_BYTES) == written.as_bytes().get(..HEAD_BYTES);
        is_near
            && languages.iter().any(|language| {
                let (Some(stems), Some(wanted)) =
                    (self.stems.get(*language), term.stems.get(*language))
                else {
                    return false;
                };
                scratch.clear();
                stems.push(scratch, word);
                *scratch == *wanted
            })
    }
}

fn stem_of(stems: &[Stems; 2], language: usize, word: &str) -> String {
    let mut stem = String::new();
    if let Some(stems) = stems.get(language) {
        stems.push(&mut stem, word);
    }
    stem
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use crate::incidents::search::matching::{Matcher, Rank, Scratch};
    use crate::incidents::search::query::TextQuery;
    use crate::incidents::search::told::{Opened, Told};
    use crate::incidents::search::words::Words;

    fn rank_in(query: &str, text: &Value, place: &str) -> Option<Rank> {
        let (text, place) = (text.to_string(), json!({"location": {"place": place}}).to_string());
        let opened = Opened { text: Some(text.as_bytes()), place: Some(place.as_bytes()) };
        let told = Told::read(&opened).expect("our JSON");
        let query = TextQuery::parse(query).expect("a query");
        Matcher::new(&query).rank(&told, &mut Scratch::default())
    }

    fn rank(query: &str, narrative: &str) -> Option<Rank> {
        rank_in(query, &json!({"narrative": narrative}), "")
    }

    #[test]
    fn words_match_whole_in_any_form_and_beginnings_where_asked_for() {
        for (query, text, reason) in [
            ("seguela", "Orpaillage à Séguéla", "accents"),
            ("SÉGUÉLA", "vers se\u{301}gue\u{301}la.", "accents apart"),
            ("orpaillage", "Il parle de l’orpaillage", "elision in the text"),
            ("l'orpaillage", "pas d'orpaillage ici", "elision in the query"),
            ("rivière polluée", "Les rivières sont polluées", "French plural and feminine"),
            ("creuseur", "des creuseurs", "French plural"),
            ("tué", "ils ont tué; elle fut tuée; tués", "French participles"),
            ("kill", "two were killed", "English past"),
            ("beating", "they beat him", "English gerund"),
            ("bury", "they were buried", "y and i"),
            ("kill*", "the killers", "a beginning"),
            ("\"pit collapse\"", "the pit, collapse of", "a phrase, whatever stands between"),
            ("pit-side", "at the pit side", "joined words"),
            ("coeur", "au cœur", "two letters in one"),
            ("mine -army", "the mine was quiet", "the excluded word is not there"),
            ("3 morts", "il y a 3 morts", "a number"),
        ] {
            assert!(rank(query, text).is_some(), "{reason}: {query} in {text}");
        }
        for (query, text, reason) in [
            ("mine", "to determine it", "the end of a word"),
            ("mine", "a mineral", "the beginning of another word"),
            ("kill", "the skill", "the inside of a word"),
            ("army", "armed men", "a word that only looks alike"),
            ("mine gold", "the mine", "all words are needed"),
            ("\"collapse pit\"", "pit collapse", "a phrase the other way round"),
            ("\"pit collapse\"", "the pits collapse", "a phrase in another form"),
            ("\"killed\"", "they kill", "a word as written"),
            ("kill*", "ki l led", "apart"),
            ("mine -army", "the army at the mine", "excluded"),
            ("mine -\"the army\"", "the army at the mine", "an excluded phrase"),
            ("mine -arm*", "the army at the mine", "an excluded beginning"),
            ("30", "300", "another number"),
        ] {
            assert_eq!(rank(query, text), None, "{reason}: {query} in {text}");
        }
    }

    #[test]
    fn a_text_of_a_language_has_the_forms_of_that_language() {
        let told = |language: &str| json!({"narrative": "un miner", "language": language});

        assert!(rank_in("mine", &told("fr"), "").is_some(), "miner is a form of mine in French");
        assert_eq!(rank_in("mine", &told("en"), ""), None, "and none in English");
    }

    #[test]
    fn more_hits_and_better_fields_rank_higher() {
        let narrative = |words: &str| rank("bridge", words).expect("found");
        let text = json!({"narrative": "the river", "company": "Bridge Co"});

        assert_eq!(narrative("a bridge"), 2, "as written");
        assert_eq!(narrative("two bridges"), 1, "another form");
        assert_eq!(narrative("a bridge, a bridge and two bridges"), 5);
        assert_eq!(narrative(&"bridge ".repeat(1_000)), 8, "more tell no more");
        assert_eq!(rank_in("bridge", &json!({}), "the old bridge"), Some(8), "the place");
        assert_eq!(rank_in("bridge", &text, ""), Some(8), "the company");
        let details = json!({"smuggling": {"route": "over the bridge"}});
        assert_eq!(rank_in("bridge", &details, ""), Some(4), "details");
        assert_eq!(rank_in("river bridge", &text, ""), Some(10), "words of several fields");
        assert_eq!(rank_in("\"river bridge\"", &text, ""), None, "no phrase across fields");
    }

    #[test]
    fn the_narrative_of_the_longest_query_does_not_overflow() {
        let words: Vec<String> = (0..16).map(|n| format!("word{n}")).collect();
        let text = words.join(" ").repeat(5_000);

        assert!(rank(&words.join(" "), &text).is_some());
    }

    proptest! {
        #[test]
        fn a_text_is_found_by_each_of_its_words(text in any::<String>()) {
            for word in Words::of(&text).iter().take(8) {
                if TextQuery::parse(&format!("\"{word}\"")).is_ok() {
                    let is_found = rank(&format!("\"{word}\""), &text).is_some();
                    prop_assert!(is_found);
                }
            }
        }

        #[test]
        fn folding_a_text_changes_nothing(text in "[a-zA-Zà-ÿÀ-Þœ’' ,.-]{0,60}", query in "[a-z]{2,6}") {
            let folded = Words::of(&text).iter().collect::<Vec<_>>().join(" ");

            if TextQuery::parse(&query).is_ok() {
                prop_assert_eq!(rank(&query, &text), rank(&query, &folded));
            }
        }
    }
}
