//! Cuts a filter into tokens.

use crate::ogc::cql2::fault::Fault;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A word: a keyword, a function or a property.
    Word(String),
    /// A property in double quotes.
    Quoted(String),
    /// A text in single quotes.
    Text(String),
    /// A finite number.
    Number(f64),
    /// `(`, `)`, `,` or a comparison.
    Sign(&'static str),
    /// Behind the last.
    End,
}

impl Token {
    /// Returns it as errors name it, shortened.
    pub(crate) fn told(&self) -> String {
        let short = |text: &str| text.chars().take(40).collect::<String>();
        match self {
            Self::Word(word) => short(word),
            Self::Quoted(name) => format!("\"{}\"", short(name)),
            Self::Text(text) => format!("'{}'", short(text)),
            Self::Number(number) => number.to_string(),
            Self::Sign(sign) => (*sign).to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

/// A token and the character it begins at, from 1.
pub(crate) type Placed = (Token, usize);

const SIGNS: [&str; 9] = ["<>", "<=", ">=", "<", ">", "=", "(", ")", ","];

/// Cuts a text into its tokens, the last of them [`Token::End`].
///
/// # Errors
/// A sign that means nothing, a text or a number that does not end.
pub(crate) fn cut(text: &str) -> Result<Vec<Placed>, Fault> {
    let mut cutter = Cutter { rest: text, at: 1 };
    let mut tokens = Vec::new();
    loop {
        cutter.skip_spaces();
        let at = cutter.at;
        let token = cutter.next()?;
        let is_last = token == Token::End;
        tokens.push((token, at));
        if is_last {
            return Ok(tokens);
        }
    }
}

struct Cutter<'a> {
    rest: &'a str,
    at: usize,
}

impl<'a> Cutter<'a> {
    fn next(&mut self) -> Result<Token, Fault> {
        let Some(first) = self.rest.chars().next() else { return Ok(Token::End) };
        if first == '\'' {
            return self.quoted('\'').map(Token::Text);
        }
        if first == '"' {
            return self.quoted('"').map(Token::Quoted);
        }
        if first.is_alphabetic() || first == '_' || first == ':' {
            return Ok(Token::Word(self.take_while(is_of_word).to_owned()));
        }
        if self.begins_number() {
            return self.number();
        }
        match SIGNS.into_iter().find(|sign| self.rest.starts_with(sign)) {
            Some(sign) => {
                self.skip(sign.len());
                Ok(Token::Sign(sign))
            }
            None => Err(Fault::new(
                self.at,
                format!("{first:?} means nothing here"),
                format!("{first:?} n'a pas de sens ici"),
            )),
        }
    }

    fn skip_spaces(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Goes on by so many bytes, which end with a character.
    fn skip(&mut self, n_bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(n_bytes).unwrap_or((self.rest, ""));
        self.at += taken.chars().count();
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, is_taken: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|letter| !is_taken(letter)).unwrap_or(self.rest.len());
        self.skip(end)
    }

    /// Reads up to the closing quote; a quote within stands twice, or behind a backslash.
    fn quoted(&mut self, quote: char) -> Result<String, Fault> {
        let begin = self.at;
        self.skip(1);
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|letter| letter != quote && letter != '\\'));
            let mut ahead = self.rest.chars();
            match (ahead.next(), ahead.next()) {
                (Some('\\'), Some(next)) if next == quote => {
                    text.push(quote);
                    self.skip(2);
                }
                // A backslash is for patterns to understand.
                (Some('\\'), _) => {
                    text.push('\\');
                    self.skip(1);
                }
                (Some(_), Some(next)) if next == quote => {
                    text.push(quote);
                    self.skip(2);
                }
                (Some(_), _) => {
                    self.skip(1);
                    return Ok(text);
                }
                (None, _) => {
                    return Err(Fault::new(
                        begin,
                        format!("the closing {quote} is missing"),
                        format!("le {quote} fermant manque"),
                    ));
                }
            }
        }
    }

    fn begins_number(&self) -> bool {
        let unsigned = self.rest.strip_prefix(['-', '+']).unwrap_or(self.rest);
        let unsigned = unsigned.strip_prefix('.').unwrap_or(unsigned);
        unsigned.starts_with(|letter: char| letter.is_ascii_digit())
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let begin = self.at;
        let mut before = ' ';
        let end = self.rest.char_indices().find(|&(at, letter)| {
            let is_sign = matches!(letter, '-' | '+') && (at == 0 || matches!(before, 'e' | 'E'));
            before = letter;
            !(is_sign || letter.is_ascii_alphanumeric() || letter == '.')
        });
        let text = self.skip(end.map_or(self.rest.len(), |(at, _)| at));
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.map(Token::Number).ok_or_else(|| {
            let text: String = text.chars().take(40).collect();
            Fault::new(begin, format!("{text} is no number"), format!("{text} n'est pas un nombre"))
        })
    }
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | ':' | '.')
}
