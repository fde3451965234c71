//! What a filter means: a tree of tests, each of one property, in three-valued logic.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::NaiveDate;
use geo::{Geometry, Intersects};

use crate::ogc::cql2::like::Pattern;
use crate::ogc::property::Value;

/// Whether something holds; `None` where a null keeps it open, which selects nothing.
pub type Truth = Option<bool>;

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// Holds of everything, or of nothing.
    Always(bool),
    /// A test of one property.
    Test(Test),
    /// The opposite.
    Not(Box<Expression>),
    /// Each of them holds.
    All(Vec<Expression>),
    /// One of them holds.
    Any(Vec<Expression>),
}

/// A test of one property.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Where the property stands in the table the filter was read with.
    pub property: usize,
    /// Whether its text is compared in lower case.
    pub is_case_blind: bool,
    /// What is asked of it.
    pub condition: Condition,
}

/// What is asked of a property.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// It is null.
    IsMissing,
    /// It compares so.
    Compared(Comparison, Literal),
    /// It is one of these.
    In(Vec<Literal>),
    /// It lies between the two, or is one of them.
    Between(Literal, Literal),
    /// Its text is like that.
    Like(Pattern),
    /// It shares a point with this.
    Intersects(Geometry),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    Unequal,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Reads a sign.
    pub fn parse(sign: &str) -> Option<Self> {
        match sign {
            "=" => Some(Self::Equal),
            "<>" => Some(Self::Unequal),
            "<" => Some(Self::Less),
            ">" => Some(Self::Greater),
            "<=" => Some(Self::AtMost),
            ">=" => Some(Self::AtLeast),
            _ => None,
        }
    }

    /// Returns how the second compares with the first.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Equal | Self::Unequal => self,
            Self::Less => Self::Greater,
            Self::Greater => Self::Less,
            Self::AtMost => Self::AtLeast,
            Self::AtLeast => Self::AtMost,
        }
    }

    /// Tells whether two values that stand in this order compare so.
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::Greater => order.is_gt(),
            Self::AtMost => order.is_le(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

/// A value that stands in a filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A day.
    Day(NaiveDate),
}

impl Expression {
    /// Tells whether it holds of a row whose properties `value_of` gives.
    pub fn judge<'a>(&self, value_of: &impl Fn(usize) -> Value<'a>) -> Truth {
        match self {
            Self::Always(is_true) => Some(*is_true),
            Self::Test(test) => test.judge(&value_of(test.property)),
            Self::Not(inner) => inner.judge(value_of).map(|is_true| !is_true),
            Self::All(parts) => all(parts.iter().map(|part| part.judge(value_of))),
            Self::Any(parts) => any(parts.iter().map(|part| part.judge(value_of))),
        }
    }

    /// Lists the properties it speaks of.
    pub fn list_properties(&self) -> Vec<usize> {
        match self {
            Self::Always(_) => Vec::new(),
            Self::Test(test) => vec![test.property],
            Self::Not(inner) => inner.list_properties(),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().flat_map(Self::list_properties).collect()
            }
        }
    }
}

/// Tells whether all hold: one that does not decides, then one that is open.
pub fn all(mut parts: impl Iterator<Item = Truth>) -> Truth {
    let met = parts.try_fold(Some(true), |so_far, part| match part {
        Some(false) => Err(()),
        Some(true) => Ok(so_far),
        None => Ok(None),
    });
    met.unwrap_or(Some(false))
}

/// Tells whether one holds: one that does decides, then one that is open.
pub fn any(parts: impl Iterator<Item = Truth>) -> Truth {
    all(parts.map(|part| part.map(|is_true| !is_true))).map(|is_true| !is_true)
}

impl Test {
    /// Tells whether it holds of a value.
    pub fn judge(&self, value: &Value<'_>) -> Truth {
        if let Condition::IsMissing = self.condition {
            return Some(*value == Value::Missing);
        }
        match value {
            Value::Text(text) if self.is_case_blind => {
                self.judge_present(&Value::Text(Cow::Owned(text.to_lowercase())))
            }
            _ => self.judge_present(value),
        }
    }

    fn judge_present(&self, value: &Value<'_>) -> Truth {
        match &self.condition {
            Condition::IsMissing => Some(false),
            Condition::Compared(comparison, literal) => {
                order(value, literal).map(|order| comparison.holds(order))
            }
            Condition::In(list) => {
                any(list.iter().map(|one| order(value, one).map(Ordering::is_eq)))
            }
            Condition::Between(low, high) => {
                let is_above = order(value, low).map(Ordering::is_ge);
                all([is_above, order(value, high).map(Ordering::is_le)].into_iter())
            }
            Condition::Like(pattern) => match value {
                Value::Text(text) => Some(pattern.fits(text)),
                _ => None,
            },
            Condition::Intersects(area) => match value {
                Value::Shape(shape) => Some(area.intersects(shape.as_ref())),
                _ => None,
            },
        }
    }
}

/// Returns how a value stands to a literal of its kind; nothing else compares.
fn order(value: &Value<'_>, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Value::Text(text), Literal::Text(other)) => Some(text.as_ref().cmp(other)),
        (Value::Number(number), Literal::Number(other)) => {
            i32::try_from(*number).ok().and_then(|number| f64::from(number).partial_cmp(other))
        }
        (Value::Flag(flag), Literal::Flag(other)) => Some(flag.cmp(other)),
        (Value::Day(day), Literal::Day(other)) => Some(day.cmp(other)),
        _ => None,
    }
}
