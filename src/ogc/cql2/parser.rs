//! Reads a filter by descending into it.

use chrono::NaiveDate;

use crate::ogc::cql2::expression::{Comparison, Condition, Expression, Literal, Test};
use crate::ogc::cql2::fault::Fault;
use crate::ogc::cql2::like::Pattern;
use crate::ogc::cql2::tokens::{Placed, Token, cut};
use crate::ogc::crs::Crs;
use crate::ogc::property::{Kind, Property};

/// Longest filter.
pub const MAX_CHARS: usize = 16_000;
/// Deepest nesting of brackets, `NOT` and collections of geometries.
pub const MAX_DEPTH: usize = 40;

/// Reads a filter over `properties`, its coordinates in `crs`.
///
/// # Errors
/// The first fault, with its place.
pub fn parse(text: &str, properties: &[Property], crs: Crs) -> Result<Expression, Fault> {
    if text.chars().count() > MAX_CHARS {
        return Err(Fault::new(
            MAX_CHARS,
            format!("a filter has at most {MAX_CHARS} characters"),
            format!("un filtre a au plus {MAX_CHARS} caractères"),
        ));
    }
    let mut parser = Parser { tokens: cut(text)?, next: 0, depth: 0, properties, crs };
    let expression = parser.any()?;
    match parser.peek() {
        Token::End => Ok(expression),
        other => Err(Fault::new(
            parser.at(),
            format!("AND, OR or the end is missing before {}", other.told()),
            format!("il manque AND, OR ou la fin avant {}", other.told()),
        )),
    }
}

pub(crate) struct Parser<'a> {
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
    properties: &'a [Property],
    pub(crate) crs: Crs,
}

/// A property as it stands on one side of a comparison.
struct Subject {
    property: usize,
    kind: Kind,
    name: &'static str,
    is_case_blind: bool,
    at: usize,
}

const END: Token = Token::End;

impl Parser<'_> {
    pub(crate) fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&END, |(token, _)| token)
    }

    fn peek_behind(&self) -> &Token {
        self.tokens.get(self.next + 1).map_or(&END, |(token, _)| token)
    }

    pub(crate) fn at(&self) -> usize {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(1, |(_, at)| *at)
    }

    pub(crate) fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    /// Goes on behind a sign when it stands here.
    pub(crate) fn skips(&mut self, sign: &str) -> bool {
        let is_here = matches!(self.peek(), Token::Sign(here) if *here == sign);
        self.next += usize::from(is_here);
        is_here
    }

    pub(crate) fn expect(&mut self, sign: &str) -> Result<(), Fault> {
        if self.skips(sign) {
            return Ok(());
        }
        Err(self.missing(sign, sign))
    }

    /// Goes on behind a keyword when it stands here.
    fn skips_word(&mut self, word: &str) -> bool {
        let is_here = is_word(self.peek(), word);
        self.next += usize::from(is_here);
        is_here
    }

    fn missing(&self, en: &str, fr: &str) -> Fault {
        let here = self.peek().told();
        Fault::new(
            self.at(),
            format!("{en} is missing before {here}"),
            format!("il manque {fr} avant {here}"),
        )
    }

    /// Reads what is nested here, unless that goes too deep.
    pub(crate) fn deeper<T>(
        &mut self,
        at: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::new(
                at,
                format!("this is nested deeper than {MAX_DEPTH}"),
                format!("l'imbrication dépasse {MAX_DEPTH}"),
            ));
        }
        self.depth += 1;
        let inner = read(self);
        self.depth -= 1;
        inner
    }

    fn any(&mut self) -> Result<Expression, Fault> {
        let mut parts = vec![self.all()?];
        while self.skips_word("OR") {
            parts.push(self.all()?);
        }
        Ok(alone(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, Fault> {
        let mut parts = vec![self.part()?];
        while self.skips_word("AND") {
            parts.push(self.part()?);
        }
        Ok(alone(parts, Expression::All))
    }

    fn part(&mut self) -> Result<Expression, Fault> {
        let at = self.at();
        if self.skips_word("NOT") {
            let inner = self.deeper(at, Self::part)?;
            return Ok(Expression::Not(Box::new(inner)));
        }
        if self.skips("(") {
            let inner = self.deeper(at, Self::any)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if is_word(self.peek(), "S_INTERSECTS") && *self.peek_behind() == Token::Sign("(") {
            return self.intersects();
        }
        for (word, is_true) in [("TRUE", true), ("FALSE", false)] {
            if is_word(self.peek(), word) && !is_comparison(self.peek_behind()) {
                self.take();
                return Ok(Expression::Always(is_true));
            }
        }
        if self.stands_literal() { self.turned_comparison() } else { self.predicate() }
    }

    /// `S_INTERSECTS(geometry, …)`, either way round.
    fn intersects(&mut self) -> Result<Expression, Fault> {
        self.take();
        self.expect("(")?;
        let is_property_first = *self.peek_behind() == Token::Sign(",");
        let before = if is_property_first { None } else { Some(self.geometry()?) };
        if before.is_some() {
            self.expect(",")?;
        }
        let subject = self.subject()?;
        if subject.kind != Kind::Geometry {
            return Err(Fault::new(
                subject.at,
                format!("{} is no geometry", subject.name),
                format!("{} n'est pas une géométrie", subject.name),
            ));
        }
        let shape = if let Some(shape) = before {
            shape
        } else {
            self.expect(",")?;
            self.geometry()?
        };
        self.expect(")")?;
        Ok(subject.test(Condition::Intersects(shape)))
    }

    /// A literal, a comparison and a property.
    fn turned_comparison(&mut self) -> Result<Expression, Fault> {
        let at = self.at();
        let literal = self.literal()?;
        let comparison = self.comparison()?;
        let subject = self.subject()?;
        let literal = subject.fit(at, literal)?;
        subject.check_order(comparison)?;
        Ok(subject.test(Condition::Compared(comparison.turned(), literal)))
    }

    /// A property and what is asked of it.
    fn predicate(&mut self) -> Result<Expression, Fault> {
        let subject = self.subject()?;
        if self.skips_word("IS") {
            let is_negated = self.skips_word("NOT");
            if !self.skips_word("NULL") {
                return Err(self.missing("NULL", "NULL"));
            }
            return Ok(negated(is_negated, subject.test(Condition::IsMissing)));
        }
        if subject.kind == Kind::Geometry {
            return Err(Fault::new(
                subject.at,
                format!("{} is asked by S_INTERSECTS or IS NULL", subject.name),
                format!("{} se filtre par S_INTERSECTS ou IS NULL", subject.name),
            ));
        }
        let is_negated = self.skips_word("NOT");
        let condition = if self.skips_word("LIKE") {
            self.like(&subject)?
        } else if self.skips_word("BETWEEN") {
            self.between(&subject)?
        } else if self.skips_word("IN") {
            self.one_of(&subject)?
        } else if is_negated {
            return Err(self.missing("LIKE, BETWEEN or IN", "LIKE, BETWEEN ou IN"));
        } else {
            let comparison = self.comparison()?;
            subject.check_order(comparison)?;
            Condition::Compared(comparison, self.literal_for(&subject)?)
        };
        Ok(negated(is_negated, subject.test(condition)))
    }

    fn like(&mut self, subject: &Subject) -> Result<Condition, Fault> {
        let at = self.at();
        match (subject.kind, self.literal()?) {
            (Kind::Text, Literal::Text(pattern)) => Ok(Condition::Like(Pattern::parse(&pattern))),
            _ => Err(Fault::new(
                at,
                "LIKE compares a text with a pattern in quotes",
                "LIKE compare un texte à un motif entre guillemets simples",
            )),
        }
    }

    fn between(&mut self, subject: &Subject) -> Result<Condition, Fault> {
        subject.check_order(Comparison::AtLeast)?;
        let low = self.literal_for(subject)?;
        if !self.skips_word("AND") {
            return Err(self.missing("AND", "AND"));
        }
        Ok(Condition::Between(low, self.literal_for(subject)?))
    }

    fn one_of(&mut self, subject: &Subject) -> Result<Condition, Fault> {
        self.expect("(")?;
        let mut list = vec![self.literal_for(subject)?];
        while self.skips(",") {
            list.push(self.literal_for(subject)?);
        }
        self.expect(")")?;
        Ok(Condition::In(list))
    }

    fn comparison(&mut self) -> Result<Comparison, Fault> {
        let found = match self.peek() {
            Token::Sign(sign) => Comparison::parse(sign),
            _ => None,
        };
        let comparison = found.ok_or_else(|| self.missing("a comparison", "une comparaison"))?;
        self.take();
        Ok(comparison)
    }

    /// A property, plain or in `CASEI`.
    fn subject(&mut self) -> Result<Subject, Fault> {
        let at = self.at();
        if is_word(self.peek(), "CASEI") && *self.peek_behind() == Token::Sign("(") {
            self.take();
            self.take();
            let inner = self.deeper(at, Self::subject)?;
            self.expect(")")?;
            if inner.kind != Kind::Text {
                return Err(Fault::new(
                    at,
                    format!("CASEI takes a text, and {} is none", inner.name),
                    format!("CASEI prend un texte, et {} n'en est pas un", inner.name),
                ));
            }
            return Ok(Subject { is_case_blind: true, ..inner });
        }
        let is_call = *self.peek_behind() == Token::Sign("(");
        match self.take() {
            Token::Word(name) if is_call => Err(unknown_function(at, &name)),
            Token::Word(name) | Token::Quoted(name) => self.find(at, &name),
            other => Err(Fault::new(
                at,
                format!("a property is missing before {}", other.told()),
                format!("il manque une propriété avant {}", other.told()),
            )),
        }
    }

    fn find(&self, at: usize, name: &str) -> Result<Subject, Fault> {
        let mut known = self.properties.iter().enumerate().filter(|(_, known)| known.is_queryable);
        let found = known.clone().find(|(_, known)| known.name == name);
        let Some((property, found)) = found else {
            let names = known.by_ref().map(|(_, known)| known.name).collect::<Vec<_>>().join(", ");
            let name = Token::Word(name.to_owned()).told();
            return Err(Fault::new(
                at,
                format!("{name} is no property to filter by; these are: {names}"),
                format!("{name} n'est pas une propriété de filtre ; celles-ci le sont : {names}"),
            ));
        };
        Ok(Subject { property, kind: found.kind, name: found.name, is_case_blind: false, at })
    }

    /// Tells whether a literal stands here rather than a property.
    fn stands_literal(&self) -> bool {
        match self.peek() {
            Token::Text(_) | Token::Number(_) => true,
            Token::Word(word) if *self.peek_behind() == Token::Sign("(") => {
                let is_casei = word.eq_ignore_ascii_case("CASEI");
                let behind = self.tokens.get(self.next + 2).map(|(token, _)| token);
                let is_text = matches!(behind, Some(Token::Text(_)));
                (is_casei && is_text) || is_instant(word)
            }
            Token::Word(word) => is_flag(word).is_some(),
            Token::Quoted(_) | Token::Sign(_) | Token::End => false,
        }
    }

    fn literal_for(&mut self, subject: &Subject) -> Result<Literal, Fault> {
        let at = self.at();
        let literal = self.literal()?;
        subject.fit(at, literal)
    }

    fn literal(&mut self) -> Result<Literal, Fault> {
        let at = self.at();
        let is_call = *self.peek_behind() == Token::Sign("(");
        match self.take() {
            Token::Text(text) => Ok(Literal::Text(text)),
            Token::Number(number) => Ok(Literal::Number(number)),
            Token::Word(word) if is_call && word.eq_ignore_ascii_case("CASEI") => {
                match self.argument(at)? {
                    Literal::Text(text) => Ok(Literal::Text(text.to_lowercase())),
                    _ => Err(Fault::new(at, "CASEI takes a text", "CASEI prend un texte")),
                }
            }
            Token::Word(word) if is_call && is_instant(&word) => match self.argument(at)? {
                Literal::Text(text) => day_of(at, &word, &text).map(Literal::Day),
                _ => Err(no_day(at)),
            },
            Token::Word(word) if is_call => Err(unknown_function(at, &word)),
            Token::Word(word) if is_flag(&word).is_some() => {
                Ok(Literal::Flag(is_flag(&word).unwrap_or_default()))
            }
            other => Err(Fault::new(
                at,
                format!(
                    "a value is missing: {} is none, a text stands in single quotes",
                    other.told()
                ),
                format!(
                    "il manque une valeur : {} n'en est pas une, un texte est entre guillemets simples",
                    other.told()
                ),
            )),
        }
    }

    /// The one literal in the brackets of a call.
    fn argument(&mut self, at: usize) -> Result<Literal, Fault> {
        self.expect("(")?;
        let literal = self.deeper(at, Self::literal)?;
        self.expect(")")?;
        Ok(literal)
    }
}

impl Subject {
    fn test(&self, condition: Condition) -> Expression {
        let Self { property, is_case_blind, .. } = *self;
        Expression::Test(Test { property, is_case_blind, condition })
    }

    /// Returns a literal as this property compares with it: a day may be written as a text.
    fn fit(&self, at: usize, literal: Literal) -> Result<Literal, Fault> {
        match (self.kind, literal) {
            (Kind::Day, Literal::Text(text)) => {
                parse_day(&text).map(Literal::Day).ok_or_else(|| no_day(at))
            }
            (Kind::Text, literal @ Literal::Text(_))
            | (Kind::Integer, literal @ Literal::Number(_))
            | (Kind::Flag, literal @ Literal::Flag(_))
            | (Kind::Day, literal @ Literal::Day(_)) => Ok(literal),
            (kind, _) => {
                let (en, fr) = match kind {
                    Kind::Text => ("a text, such as 'SLE'", "un texte, comme 'SLE'"),
                    Kind::Integer => ("a number", "un nombre"),
                    Kind::Flag => ("TRUE or FALSE", "TRUE ou FALSE"),
                    Kind::Day => {
                        ("a day, such as DATE('2024-03-05')", "un jour, comme DATE('2024-03-05')")
                    }
                    Kind::Geometry => ("a geometry", "une géométrie"),
                };
                let name = self.name;
                Err(Fault::new(
                    at,
                    format!("{name} compares with {en}"),
                    format!("{name} se compare à {fr}"),
                ))
            }
        }
    }

    /// Refuses to order what is only the same or another.
    fn check_order(&self, comparison: Comparison) -> Result<(), Fault> {
        let is_order = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
        let name = self.name;
        match self.kind {
            Kind::Geometry => Err(Fault::new(
                self.at,
                format!("{name} is asked by S_INTERSECTS or IS NULL"),
                format!("{name} se filtre par S_INTERSECTS ou IS NULL"),
            )),
            Kind::Flag if is_order => Err(Fault::new(
                self.at,
                format!("{name} is TRUE or FALSE: it has no order"),
                format!("{name} vaut TRUE ou FALSE : il n'a pas d'ordre"),
            )),
            Kind::Text | Kind::Integer | Kind::Flag | Kind::Day => Ok(()),
        }
    }
}

fn alone(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => {
            parts.push(last);
            join(parts)
        }
        (None, _) => join(parts),
    }
}

fn negated(is_negated: bool, expression: Expression) -> Expression {
    if is_negated { Expression::Not(Box::new(expression)) } else { expression }
}

fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted))
}

fn is_comparison(token: &Token) -> bool {
    matches!(token, Token::Sign(sign) if Comparison::parse(sign).is_some())
}

fn is_flag(word: &str) -> Option<bool> {
    let is_true = word.eq_ignore_ascii_case("TRUE");
    (is_true || word.eq_ignore_ascii_case("FALSE")).then_some(is_true)
}

fn is_instant(word: &str) -> bool {
    word.eq_ignore_ascii_case("DATE") || word.eq_ignore_ascii_case("TIMESTAMP")
}

fn unknown_function(at: usize, name: &str) -> Fault {
    let name = Token::Word(name.to_owned()).told();
    let known = "CASEI, DATE, TIMESTAMP, S_INTERSECTS, BBOX";
    Fault::new(
        at,
        format!("{name} is no function here; these are: {known}"),
        format!("{name} n'est pas une fonction ici ; celles-ci le sont : {known}"),
    )
}

fn no_day(at: usize) -> Fault {
    Fault::new(
        at,
        "a day is written DATE('2024-03-05'), an instant at its beginning TIMESTAMP('2024-03-05T00:00:00Z')",
        "un jour s'écrit DATE('2024-03-05'), un instant à son début TIMESTAMP('2024-03-05T00:00:00Z')",
    )
}

/// Days have no hours: an instant stands for its day only at midnight, where both compare alike.
fn day_of(at: usize, function: &str, text: &str) -> Result<NaiveDate, Fault> {
    if function.eq_ignore_ascii_case("DATE") {
        return parse_day(text).ok_or_else(|| no_day(at));
    }
    let (day, time) = text.split_once('T').ok_or_else(|| no_day(at))?;
    let is_midnight = time.starts_with("00:00:00")
        && time.chars().skip(8).all(|letter| matches!(letter, '0' | '.' | 'Z'));
    parse_day(day).filter(|_| is_midnight).ok_or_else(|| no_day(at))
}

fn parse_day(text: &str) -> Option<NaiveDate> {
    let is_plain =
        text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.parse().ok().filter(|_| is_plain)
}
