//! What a narrative says, reduced to what can be compared: with another in the same language word by word, with one in the
//! other language by what both languages share. Nothing of it is stored.

use std::collections::BTreeSet;

use crate::geo::names::fold;
use crate::taxonomy::lexicon::classify::Classifier;
use crate::taxonomy::lexicon::language::Language;

/// Letters by which two forms of a word count as one: "shooting" and "shooters", "guards" and "guard".
const STEM_LETTERS: usize = 5;
/// Words of a text that are looked at; what comes later adds nothing to what it is about.
const MOST_WORDS: usize = 600;
/// Greater numbers are years, sums and telephone numbers, not people, hours or days.
const MOST_COUNTED: u32 = 1_000;

/// A narrative, reduced.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// The language it is clearly in.
    language: Option<Language>,
    /// Beginnings of words that carry meaning.
    words: BTreeSet<String>,
    /// Three letters in a row within such words.
    trigrams: BTreeSet<[char; 3]>,
    /// What the lexicon finds in either language under one name, such as `{soldiers}`.
    concepts: BTreeSet<String>,
    /// Names of people and places, folded.
    names: BTreeSet<String>,
    /// Numbers up to a thousand, in digits or words.
    numbers: BTreeSet<u32>,
}

/// How alike two narratives are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alike {
    /// 0..=1, where unrelated texts on one subject come near nothing.
    pub share: f64,
    /// They are clearly in two languages, so that words were not compared.
    pub is_translated: bool,
}

impl Told {
    /// Reads a narrative and the words for its place.
    pub fn read(narrative: &str, place: Option<&str>, classifier: &Classifier) -> Self {
        let evidence = classifier.gather(narrative, None);
        let language = match evidence.as_slice() {
            [one] => Some(one.language),
            _ => None,
        };
        let signs = evidence.iter().flat_map(|evidence| &evidence.signs);
        let concepts = signs.filter(|sign| sign.name.starts_with('{'));
        let concepts = concepts.map(|sign| sign.name.clone()).collect();
        let mut told = Self { language, concepts, ..Self::default() };
        told.read_words(narrative);
        let place = place.map(fold).unwrap_or_default();
        told.names.extend(place.split(' ').filter(|word| word.len() > 3).map(str::to_owned));
        told
    }

    fn read_words(&mut self, narrative: &str) {
        let mut begins_sentence = true;
        let parts = narrative.split_inclusive(|letter: char| !letter.is_alphanumeric());
        for part in parts.take(MOST_WORDS) {
            let end = part.trim_end_matches(char::is_alphanumeric).chars().next_back();
            let word = part.trim_end_matches(|letter: char| !letter.is_alphanumeric());
            if !word.is_empty() {
                self.read_word(word, begins_sentence);
                begins_sentence = false;
            }
            begins_sentence |= matches!(end, Some('.' | '!' | '?' | '\n'));
        }
    }

    fn read_word(&mut self, word: &str, begins_sentence: bool) {
        let folded = fold(word);
        if let Some(number) = number_of(&folded) {
            self.numbers.extend((number <= MOST_COUNTED).then_some(number));
            return;
        }
        if folded.len() < 3 || WITHOUT_MEANING.contains(&folded.as_str()) {
            return;
        }
        let is_name = word.chars().next().is_some_and(char::is_uppercase) && !begins_sentence;
        let letters: Vec<char> = folded.chars().collect();
        self.trigrams
            .extend(letters.windows(3).filter_map(|three| <[char; 3]>::try_from(three).ok()));
        self.words.insert(letters.into_iter().take(STEM_LETTERS).collect());
        if is_name {
            self.names.insert(folded);
        }
    }

    /// Says how alike two narratives are; `None` where one of them says nothing that can be compared.
    pub fn compare(&self, other: &Self) -> Option<Alike> {
        let neutral = self.compare_neutral(other);
        let is_translated = self.language.zip(other.language).is_some_and(|(one, two)| one != two);
        if is_translated {
            return neutral.map(|share| Alike { share, is_translated });
        }
        let words = dice(&self.words, &other.words)?;
        let letters = dice(&self.trigrams, &other.trigrams)?;
        // Unrelated texts on one subject share a seventh of their words and a fifth of their letters.
        let spoken = f64::midpoint(stretch(words, 0.15, 0.42), stretch(letters, 0.2, 0.57));
        let share = neutral.map_or(spoken, |neutral| 0.75 * spoken + 0.25 * neutral);
        Some(Alike { share, is_translated })
    }

    /// Compares what both languages share: concepts, then names and numbers where both have some.
    fn compare_neutral(&self, other: &Self) -> Option<f64> {
        let parts = [
            (dice(&self.concepts, &other.concepts).map(|share| stretch(share, 0.27, 0.8)), 0.45),
            // Most name the town, which the place says better.
            (overlap(&self.names, &other.names), 0.08),
            (overlap(&self.numbers, &other.numbers), 0.5),
        ];
        let told = parts.into_iter().filter_map(|(share, weight)| Some((share?, weight)));
        let (sum, weights) = told
            .fold((0.0, 0.0), |(sum, all), (share, weight)| (sum + share * weight, all + weight));
        (weights > 0.4).then(|| sum / weights)
    }

    /// Tells whether both name the same place or person; `None` where one of them names none.
    pub fn share_names(&self, other: &Self) -> Option<bool> {
        overlap(&self.names, &other.names).map(|share| share > 0.0)
    }
}

/// Returns what both have, against all that each has; `None` where one has nothing.
fn dice<T: Ord>(one: &BTreeSet<T>, other: &BTreeSet<T>) -> Option<f64> {
    let all = one.len() + other.len();
    (!one.is_empty() && !other.is_empty()).then(|| 2.0 * share_of(one, other, all))
}

/// Returns what both have, against what the shorter has.
fn overlap<T: Ord>(one: &BTreeSet<T>, other: &BTreeSet<T>) -> Option<f64> {
    let fewer = one.len().min(other.len());
    (fewer > 0).then(|| share_of(one, other, fewer))
}

#[expect(clippy::cast_precision_loss, reason = "words of a text are some hundred")]
fn share_of<T: Ord>(one: &BTreeSet<T>, other: &BTreeSet<T>, of: usize) -> f64 {
    one.intersection(other).count() as f64 / of as f64
}

/// Returns where `share` stands between what is nothing and what is all.
fn stretch(share: f64, nothing: f64, all: f64) -> f64 {
    ((share - nothing) / (all - nothing)).clamp(0.0, 1.0)
}

fn number_of(folded: &str) -> Option<u32> {
    if folded.bytes().all(|byte| byte.is_ascii_digit()) {
        return folded.parse().ok();
    }
    NUMBERS.iter().find(|(word, _)| *word == folded).map(|(_, number)| *number)
}

/// Numbers in words; `un`, `une` and `one` are articles and pronouns as often.
const NUMBERS: [(&str, u32); 52] = [
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
    ("hundred", 100),
    ("dozen", 12),
    ("deux", 2),
    ("trois", 3),
    ("quatre", 4),
    ("cinq", 5),
    ("sept", 7),
    ("huit", 8),
    ("neuf", 9),
    ("dix", 10),
    ("onze", 11),
    ("douze", 12),
    ("treize", 13),
    ("quatorze", 14),
    ("quinze", 15),
    ("seize", 16),
    ("vingt", 20),
    ("trente", 30),
    ("quarante", 40),
    ("cinquante", 50),
    ("soixante", 60),
    ("cent", 100),
    ("centaine", 100),
    ("dizaine", 10),
    ("douzaine", 12),
    ("vingtaine", 20),
];

/// Words that hold a sentence together, in both languages, folded.
const WITHOUT_MEANING: [&str; 147] = [
    "the", "and", "was", "were", "are", "has", "had", "have", "been", "that", "this", "these",
    "those", "with", "from", "for", "not", "but", "they", "them", "their", "there", "then", "than",
    "who", "whom", "which", "what", "when", "where", "while", "his", "her", "him", "she", "its",
    "our", "your", "you", "into", "onto", "near", "out", "off", "over", "under", "after", "before",
    "about", "some", "any", "all", "one", "also", "said", "says", "say", "told", "very", "just",
    "only", "more", "most", "other", "another", "because", "did", "does", "done", "can", "could",
    "will", "would", "may", "might", "upon", "here", "how", "now", "les", "des", "une", "est",
    "sont", "ont", "ete", "etait", "etaient", "que", "qui", "quoi", "dont", "dans", "par", "pour",
    "pas", "sur", "sous", "avec", "sans", "aux", "ces", "cet", "cette", "ses", "son", "leur",
    "leurs", "nos", "notre", "vos", "votre", "nous", "vous", "ils", "elle", "elles", "lui", "mais",
    "ou", "donc", "car", "puis", "apres", "avant", "pres", "chez", "entre", "vers", "plus",
    "moins", "tres", "tout", "tous", "toute", "toutes", "aussi", "encore", "selon", "ceux",
    "celui", "celle", "avons", "avait", "avaient", "fut", "furent",
];

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::taxonomy::catalogue::Taxonomy;

    static CLASSIFIER: LazyLock<Classifier> =
        LazyLock::new(|| Classifier::builtin(&Taxonomy::builtin().unwrap()).unwrap());

    fn read(text: &str) -> Told {
        Told::read(text, None, &CLASSIFIER)
    }

    fn alike(one: &str, other: &str) -> Alike {
        let (one, other) = (read(one), read(other));
        let there = one.compare(&other).unwrap();
        assert_eq!(other.compare(&one), Some(there), "the same both ways round");
        there
    }

    #[test]
    fn names_and_numbers_are_read_in_both_languages() {
        let english = read("Two guards fired at Koidu. In 2024 a dozen ran to Yengema.");
        let french = read("Deux gardes ont tiré à Koidu. En 2024 douze ont fui vers Yengema.");

        for told in [&english, &french] {
            assert_eq!(told.numbers.iter().copied().collect::<Vec<_>>(), [2, 12]);
            assert_eq!(told.names.iter().collect::<Vec<_>>(), ["koidu", "yengema"]);
        }
        assert_eq!(english.language, Some(Language::English));
        assert_eq!(french.language, Some(Language::French));
    }

    #[test]
    fn a_retelling_is_more_alike_than_another_story_in_either_language() {
        let told = "Mine guards shot two diggers at the pit near Koidu and took the bodies away.";
        let again =
            "Near Koidu two miners were shot dead in the pit by security guards of the mine.";
        let translated = "Les gardes de la mine ont abattu deux creuseurs dans la fosse près de Koidu et emporté les corps.";
        let other = "Muddy water from the washing plant killed the fish in the river below Koidu.";
        let elsewhere =
            "Les eaux boueuses de la laverie ont tué les poissons de la rivière près de Koidu.";

        let (again, translated) = (alike(told, again), alike(told, translated));
        let (other, elsewhere) = (alike(told, other), alike(told, elsewhere));

        assert!(!again.is_translated && translated.is_translated);
        assert!(again.share > 0.5, "{again:?}");
        assert!(translated.share > 0.5, "{translated:?}");
        assert!(other.share < 0.35 && elsewhere.share < 0.45, "{other:?} {elsewhere:?}");
    }

    #[test]
    fn nothing_is_said_of_what_says_nothing() {
        let told = read("Guards shot two diggers.");

        assert_eq!(told.compare(&read("")), None);
        assert_eq!(read("").compare(&read("")), None);
        assert!(told.compare(&told).unwrap().share > 0.999);
    }
}
