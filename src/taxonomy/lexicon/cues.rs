//! The words that say how the others are meant: denials, doubts, lessons, football. Read from `data/cues.csv`.

use serde::Deserialize;

use crate::taxonomy::error::DataError;
use crate::taxonomy::lexicon::language::Language;
use crate::taxonomy::lexicon::sources::{Spoken, split_list};
use crate::taxonomy::lexicon::term::{Alternative, Words};
use crate::taxonomy::read::{Place, read_lines};

const FILE: &str = "cues.csv";

/// What a cue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cue {
    /// Denies what follows in its clause.
    Negator,
    /// Denies the word before it too: "ils payent pas".
    BackNegator,
    /// Denies unless a limit follows: "ne … pas", but not "ne … que".
    WeakNegator,
    /// Turns a weak negator into "only".
    Limit,
    /// Denies the few words that follow it: "without".
    ShortNegator,
    /// Ends what a short negator denies.
    ShortStop,
    /// Begins a clause that an earlier denial does not reach.
    Boundary,
    /// Ends a denial that has denied something already: "and".
    SoftBoundary,
    /// Looks like another cue and is none: "not only".
    Exempt,
    /// Says that what stands around it is not so: "false rumour".
    Debunk,
    /// Makes the rest of the sentence a mere thought: "if".
    Hypothetical,
    /// Makes the rest of the clause a mere thought: "would".
    Modal,
    /// Makes the sentence a lesson or a rule: harm told in it did not happen.
    Lesson,
    /// Announces: good practice told in the rest of the sentence has not happened yet.
    Promise,
    /// Takes the sentences around it elsewhere: a drill, a match, a film.
    Aside,
    /// An idiom or a name: its own words mean nothing.
    Idiom,
}

impl Cue {
    /// All cues with their codes; the place in this list is the number of the element that finds them.
    pub(crate) const ALL: [(Cue, &'static str); 16] = [
        (Cue::Negator, "negator"),
        (Cue::BackNegator, "back_negator"),
        (Cue::WeakNegator, "weak_negator"),
        (Cue::Limit, "limit"),
        (Cue::ShortNegator, "short_negator"),
        (Cue::ShortStop, "short_stop"),
        (Cue::Boundary, "boundary"),
        (Cue::SoftBoundary, "soft_boundary"),
        (Cue::Exempt, "exempt"),
        (Cue::Debunk, "debunk"),
        (Cue::Hypothetical, "hypothetical"),
        (Cue::Modal, "modal"),
        (Cue::Lesson, "lesson"),
        (Cue::Promise, "promise"),
        (Cue::Aside, "aside"),
        (Cue::Idiom, "idiom"),
    ];

    /// Returns whether words of the cue deny.
    pub(crate) fn is_denying(self) -> bool {
        matches!(self, Cue::Negator | Cue::BackNegator | Cue::WeakNegator | Cue::ShortNegator)
    }

    fn from_code(code: &str) -> Option<Cue> {
        Cue::ALL.into_iter().find(|(_, known)| *known == code).map(|(cue, _)| cue)
    }
}

/// Words that are a cue, and where they stand in the file.
#[derive(Debug)]
pub(crate) struct CueWords {
    pub(crate) place: Place,
    pub(crate) cue: Cue,
    pub(crate) words: Words,
}

/// The cues of one language.
#[derive(Debug, Default)]
pub(crate) struct Cues {
    /// What finds each cue.
    pub(crate) words: Vec<CueWords>,
    /// Words without meaning of their own, folded.
    pub(crate) function: Vec<String>,
    /// What stands for what, folded.
    pub(crate) abbreviations: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct CueLine {
    cue: String,
    language: String,
    words: String,
}

impl Cues {
    /// Reads the cues of `language`.
    ///
    /// # Errors
    /// A line that is not readable, an unknown cue or language, words that are none.
    pub(crate) fn read(text: &str, language: Language) -> Result<Cues, DataError> {
        let mut cues = Cues::default();
        for (place, line) in read_lines::<CueLine>(FILE, text)? {
            if !Spoken::read(place, &line.language)?.covers(language) {
                continue;
            }
            for written in split_list(&line.words) {
                cues.add(place, &line.cue, written)
                    .map_err(|(column, detail)| place.fault(column, detail))?;
            }
        }
        Ok(cues)
    }

    fn add(
        &mut self,
        place: Place,
        cue: &str,
        written: &str,
    ) -> Result<(), (&'static str, String)> {
        let words = |written: &str| match Alternative::parse(written) {
            Ok(Alternative::Words(words)) => Ok(words),
            Ok(Alternative::Concept(name)) => Err(("words", format!("{{{name}}} is a concept"))),
            Err(detail) => Err(("words", detail)),
        };
        let single = |written: &str| match words(written)?.words.as_slice() {
            [word] => Ok(word.clone()),
            _ => Err(("words", format!("{written:?} is not one word"))),
        };
        match cue {
            "function" => self.function.push(single(written)?),
            "abbreviation" => {
                let (short, long) = written
                    .split_once('=')
                    .ok_or_else(|| ("words", format!("{written:?} is not written short=long")))?;
                self.abbreviations.push((single(short)?, single(long)?));
            }
            _ => {
                let cue = Cue::from_code(cue)
                    .ok_or_else(|| ("cue", format!("{cue:?} is no cue we know")))?;
                self.words.push(CueWords { place, cue, words: words(written)? });
            }
        }
        Ok(())
    }
}
