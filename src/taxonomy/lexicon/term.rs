//! One term of the lexicon as it is written, taken apart. The syntax is described in `lexicon/mod.rs`.

use crate::taxonomy::lexicon::tokens::Tokens;

/// More parts make a term that nobody can predict.
const MAX_PARTS: usize = 4;
/// Content words between two parts where the term says nothing, in any order and in the order given.
const DEFAULT_WINDOW: u16 = 8;
/// More is `&&`.
const MAX_WINDOW: u16 = 30;

/// A term: parts and how they stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// At least one; the join of the first says nothing.
    pub(crate) parts: Vec<(Join, Part)>,
}

/// How a part stands to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    /// In any order, at most so many content words between, in one sentence.
    Near(u16),
    /// After it, at most so many content words between, in one sentence.
    After(u16),
    /// Anywhere in the text.
    Anywhere,
}

/// Whether a part must be affirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polarity {
    /// It may not be denied.
    Affirmed,
    /// It may be denied or not, but must be told as a fact.
    Told,
    /// It must be denied.
    Denied,
    /// It may be denied, asked, feared or promised.
    Open,
}

/// One part: any of its alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) polarity: Polarity,
    /// At least one.
    pub(crate) alternatives: Vec<Alternative>,
}

/// One way to say a part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Alternative {
    /// A name in braces.
    Concept(String),
    /// Words in a row.
    Words(Words),
}

/// Words in a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Words {
    /// Folded, at least one.
    pub(crate) words: Vec<String>,
    pub(crate) form: Form,
}

/// In what form words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Form {
    /// Any form with the same stems, function words between them left out.
    Stem,
    /// As written, accents and case aside.
    Exact,
    /// As written, the last word being the beginning of one.
    Beginning,
}

impl Term {
    /// Reads one term, as several where a part holds alternatives of different polarity.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Vec<Term>, String> {
        let mut terms = vec![Term { parts: Vec::new() }];
        let mut join = Join::Near(0);
        let mut open: Vec<&str> = Vec::new();
        for piece in text.split_whitespace() {
            if let Some(next) = read_join(piece)? {
                terms = extend(&terms, join, &Part::parse(&open.join(" "))?);
                (join, open) = (next, Vec::new());
            } else {
                open.push(piece);
            }
        }
        terms = extend(&terms, join, &Part::parse(&open.join(" "))?);
        match terms.first().map(|term| term.parts.len()) {
            Some(1..=MAX_PARTS) => Ok(terms),
            n_parts => {
                Err(format!("{text:?} has {} parts, more than {MAX_PARTS}", n_parts.unwrap_or(0)))
            }
        }
    }

    /// Returns whether a part must be denied; the other parts may then stand in the same denial.
    pub(crate) fn is_about_absence(&self) -> bool {
        self.parts.iter().any(|(_, part)| part.polarity == Polarity::Denied)
    }
}

/// Appends each of `parts` to each of `terms`.
fn extend(terms: &[Term], join: Join, parts: &[Part]) -> Vec<Term> {
    let extended = terms.iter().flat_map(|term| {
        parts.iter().map(move |part| {
            let mut parts = term.parts.clone();
            parts.push((join, part.clone()));
            Term { parts }
        })
    });
    extended.collect()
}

fn read_join(piece: &str) -> Result<Option<Join>, String> {
    if piece == "&&" {
        return Ok(Some(Join::Anywhere));
    }
    let (make, window): (fn(u16) -> Join, &str) = match piece.split_at_checked(1) {
        Some(("&", window)) => (Join::Near, window),
        Some((">", window)) => (Join::After, window),
        Some(_) | None => return Ok(None),
    };
    if window.is_empty() {
        return Ok(Some(make(DEFAULT_WINDOW)));
    }
    match window.parse() {
        Ok(window @ 0..=MAX_WINDOW) => Ok(Some(make(window))),
        Ok(_) | Err(_) => Err(format!("{piece:?} is no window of 0 to {MAX_WINDOW} words")),
    }
}

impl Part {
    /// Returns the polarity it has in a term about an absence: its other parts may stand in the same denial.
    pub(crate) fn polarity_in(&self, is_about_absence: bool) -> Polarity {
        match self.polarity {
            Polarity::Affirmed if is_about_absence => Polarity::Told,
            polarity => polarity,
        }
    }

    /// Reads the alternatives of a part, those of one polarity as one part.
    fn parse(text: &str) -> Result<Vec<Part>, String> {
        let mut parts: Vec<Part> = Vec::new();
        for written in text.split('|').map(str::trim) {
            let (polarity, rest) = match written.split_at_checked(1) {
                Some(("~", rest)) => (Polarity::Denied, rest),
                Some(("?", rest)) => (Polarity::Open, rest),
                Some(_) | None => (Polarity::Affirmed, written),
            };
            let alternative = Alternative::parse(rest)?;
            match parts.iter_mut().find(|part| part.polarity == polarity) {
                Some(part) => part.alternatives.push(alternative),
                None => parts.push(Part { polarity, alternatives: vec![alternative] }),
            }
        }
        Ok(parts)
    }
}

impl Alternative {
    /// Reads one alternative: a concept in braces, or words.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Alternative, String> {
        let text = text.trim();
        if let Some(name) = text.strip_prefix('{') {
            return name
                .strip_suffix('}')
                .map(|name| Alternative::Concept(name.to_owned()))
                .ok_or_else(|| format!("{text:?} has no closing brace, or words beside it"));
        }
        let (exact, written) = text.strip_prefix('=').map_or((false, text), |rest| (true, rest));
        let (form, written) = match written.strip_suffix('*') {
            Some(written) => (Form::Beginning, written),
            None if exact => (Form::Exact, written),
            None => (Form::Stem, written),
        };
        if let Some(sign) = written.chars().find(|sign| "{}=*~?&>|;".contains(*sign)) {
            return Err(format!("{text:?} holds {sign:?} where words are expected"));
        }
        let tokens = Tokens::of(written);
        let words: Vec<String> =
            tokens.words.iter().map(|token| tokens.folded(token).to_owned()).collect();
        if words.is_empty() {
            return Err("a part has no words".to_owned());
        }
        Ok(Alternative::Words(Words { words, form }))
    }
}
