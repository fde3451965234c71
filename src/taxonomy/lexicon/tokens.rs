//! A text cut into words that remember where they stood.

use std::ops::Range;

use crate::letters::{is_accent, push_folded};

/// Short forms whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 14] =
    ["mr", "mrs", "ms", "dr", "prof", "gen", "col", "lt", "sgt", "st", "ste", "mme", "art", "tel"];

/// What stands between a word and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// A space, a hyphen, an apostrophe.
    Word,
    /// A comma, a colon, a bracket, one line break.
    Clause,
    /// A full stop, an empty line.
    Sentence,
}

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Where its folded form stands in [`Tokens::folded`], in bytes.
    folded: Range<usize>,
    /// First character in the text, counted in Unicode characters from 0.
    pub(crate) start: usize,
    /// The character after its last.
    pub(crate) end: usize,
    /// What stands before it.
    pub(crate) gap: Gap,
    /// Sentence of the text, from 0.
    pub(crate) sentence: usize,
}

/// The words of a text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens {
    folded: String,
    /// In order of the text.
    pub(crate) words: Vec<Token>,
    /// Sentences that end in a question mark, ascending.
    pub(crate) questions: Vec<usize>,
}

impl Tokens {
    /// Cuts `text`; takes time and memory in proportion to its length.
    pub(crate) fn of(text: &str) -> Tokens {
        let letters: Vec<char> = text.chars().collect();
        let mut reader = Reader::default();
        for (at, letter) in letters.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| letters.get(at)).copied();
            let after = letters.get(at + 1).copied();
            let is_contraction = is_apostrophe(*letter)
                && matches!(after, Some('t' | 'T'))
                && !letters.get(at + 2).is_some_and(|letter| letter.is_alphanumeric());
            reader.read(at, *letter, Neighbours { before, after, is_contraction });
        }
        reader.close();
        reader.tokens
    }

    /// Returns the folded form of a word.
    pub(crate) fn folded(&self, token: &Token) -> &str {
        self.folded.get(token.folded.clone()).unwrap_or_default()
    }
}

#[derive(Clone, Copy)]
struct Neighbours {
    before: Option<char>,
    after: Option<char>,
    /// An apostrophe before a last `t`, as in "didn't".
    is_contraction: bool,
}

impl Neighbours {
    fn are(&self, is_kind: fn(char) -> bool) -> bool {
        self.before.is_some_and(is_kind) && self.after.is_some_and(is_kind)
    }
}

#[derive(Default)]
struct Reader {
    tokens: Tokens,
    /// Where the open word began, in the folded text and in the text.
    open: Option<(usize, usize)>,
    end: usize,
    gap: Option<Gap>,
    n_line_breaks: usize,
    sentence: usize,
}

impl Reader {
    fn read(&mut self, at: usize, letter: char, near: Neighbours) {
        if letter.is_alphanumeric() || (is_accent(letter) && self.open.is_some()) {
            let begin = (self.tokens.folded.len(), at);
            self.open.get_or_insert(begin);
            push_folded(&mut self.tokens.folded, letter);
            self.end = at + 1;
        } else if near.is_contraction && self.tokens.folded.ends_with('n') && self.open.is_some() {
            self.end = at + 1;
        } else {
            self.close();
            let gap = self.gap_of(letter, &near);
            self.gap = self.gap.max(Some(gap));
            if letter == '?'
                && self.tokens.words.last().is_some_and(|last| last.sentence == self.sentence)
            {
                self.tokens.questions.push(self.sentence);
                self.tokens.questions.dedup();
            }
        }
    }

    fn gap_of(&mut self, letter: char, near: &Neighbours) -> Gap {
        match letter {
            '\n' => {
                self.n_line_breaks += 1;
                if self.n_line_breaks > 1 { Gap::Sentence } else { Gap::Clause }
            }
            '!' | '?' => Gap::Sentence,
            '.' => self.gap_of_full_stop(near),
            '-' | '‐' | '‑' if near.are(char::is_alphanumeric) => Gap::Word,
            ',' if near.are(|letter| letter.is_ascii_digit()) => Gap::Word,
            ',' | ';' | ':' | '(' | ')' | '[' | ']' | '…' | '-' | '‐' | '‑' | '–' | '—' => {
                Gap::Clause
            }
            _ => Gap::Word,
        }
    }

    /// A stop ends a sentence, save in a number, after an initial or a short form, and where three stand in a row.
    fn gap_of_full_stop(&self, near: &Neighbours) -> Gap {
        let last = self.tokens.words.last().map_or("", |token| self.tokens.folded(token));
        if near.are(|letter| letter.is_ascii_digit()) || ABBREVIATIONS.contains(&last) {
            Gap::Word
        } else if near.after == Some('.') || near.before == Some('.') {
            Gap::Clause
        } else if last.len() == 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            Gap::Word
        } else {
            Gap::Sentence
        }
    }

    /// Ends the open word, if one is.
    fn close(&mut self) {
        let Some((folded, start)) = self.open.take() else {
            return;
        };
        let gap = self.gap.take().unwrap_or(Gap::Word);
        self.n_line_breaks = 0;
        if gap == Gap::Sentence && !self.tokens.words.is_empty() {
            self.sentence += 1;
        }
        let folded = folded..self.tokens.folded.len();
        let token = Token { folded, start, end: self.end, gap, sentence: self.sentence };
        self.tokens.words.push(token);
    }
}

fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '’' | '‘' | 'ʼ' | '`' | '´')
}
