//! The lexicon: which words of a text speak for which category, in English and French.
//!
//! Start with [`classify::Classifier`]. A text is cut into words (`tokens`), the words get keys (`keys`), two
//! automata find everything the lexicon knows (`vocabulary`, `reading`), cues say what is denied or not meant (`scope`), terms
//! are looked for (`matching`) and added up, and weighed (`learned`) together with everything else the text gives, its
//! [`signs`]. [`classify`] says what is loud enough. Knows no database, no HTTP and no report.
//!
//! Terms say what somebody thought of; the weights of the signs were learnt from labelled texts
//! (`tests/data/narratives_learn.csv`, `narratives_develop.csv`) by `data/learn_signs.py`. After a change of the lexicon or
//! of those texts run it again. `tests/data/narratives_test.csv` is of another hand and only measures.
//!
//! # Editing the lexicon
//!
//! Three CSV files in `src/taxonomy/data/`; the service does not start with a fault in one, and names file and line.
//! Upper case, accents, apostrophes and doubled consonants never matter. `language` is `en`, `fr` or `*` for both.
//! A line holds a list between semicolons; a list may go on in as many lines as it needs.
//!
//! - `concepts.csv` (`concept,language,words`): names for sets of words: `soldiers,fr,soldat;militaire;=armee`. A
//!   concept may hold another that stands above it: `{police}`.
//! - `lexicon.csv` (`code,language,weight,terms`): terms that speak for a leaf, or against it with a weight below 0.
//!   Weights add up as independent signs do: two of 0.5 make 0.75. So 0.2 is a hint that needs others, 0.8 a term that
//!   stands alone.
//! - `cues.csv` (`cue,language,words`): denials, doubts, lessons, idioms, words without meaning, short forms; see
//!   `cues::Cue`, and `function` and `abbreviation` (`ppl=people`).
//!
//! A term is one part or several:
//!
//! | written | found |
//! | --- | --- |
//! | `pit collapse` | these words in a row, in any form (`pits collapsed`), function words between them left out |
//! | `=army` | the words exactly as written |
//! | `tortur*` | a beginning of a word, as written |
//! | `{soldiers}` | any word of a concept |
//! | `shot\|{beat}\|fired at` | any of the alternatives |
//! | `{soldiers} > {shoot}` | one after the other, at most 8 words with meaning between, in one sentence |
//! | `{shoot} >3 {miners}` | the same with at most 3 between |
//! | `{shoot} & {miners}`, `&3` | the same in any order |
//! | `{rebels} && {looting}` | anywhere in the text |
//! | `~{publish} & {revenue}` | the first part must be denied: "not published", "refused to publish" |
//! | `?=will kill us` | the part counts even where it is denied, asked or only feared |
//!
//! A part without a sign counts only where it is told as a fact: not in "nobody was shot", a question, a drill, a false
//! rumour. `~` and `?` hold for the alternative they stand before.

pub mod classify;
#[cfg(test)]
mod classify_tests;
pub(crate) mod cues;
pub(crate) mod keys;
pub mod language;
pub(crate) mod learned;
#[cfg(test)]
mod lexicon_tests;
pub(crate) mod matching;
pub mod measure;
pub(crate) mod reading;
pub(crate) mod scope;
pub mod signs;
pub(crate) mod sources;
pub(crate) mod term;
pub(crate) mod tokens;
pub(crate) mod vocabulary;
