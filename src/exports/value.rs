//! What stands in a cell of an export, whatever the format.

use std::borrow::Cow;
use std::io;

use chrono::NaiveDate;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Words and codes.
    Text,
    /// A date as precise as it is known: `2026`, `2026-04`, `2026-04-03`, or two of them with a slash between.
    Date,
    /// A full day.
    Day,
    /// A whole number.
    Integer,
    /// WGS84 degrees.
    Degrees,
    /// Yes or no.
    Boolean,
}

impl Kind {
    /// Returns its name in the list of columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Date => "date",
            Self::Day => "day",
            Self::Integer => "integer",
            Self::Degrees => "degrees",
            Self::Boolean => "boolean",
        }
    }
}

/// What stands in one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing is known; never 0 and never an empty text.
    Empty,
    /// Words, codes, and dates of [`Kind::Date`].
    Text(Cow<'a, str>),
    /// A full day.
    Day(NaiveDate),
    /// A whole number.
    Integer(i64),
    /// Microdegrees.
    Degrees(i32),
    /// Yes or no.
    Boolean(bool),
}

impl<'a> Value<'a> {
    /// Returns a text, or nothing.
    pub fn text(text: Option<impl Into<Cow<'a, str>>>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.into()))
    }

    /// Returns codes in one cell, or nothing where there are none.
    pub fn codes<S: AsRef<str>>(codes: impl IntoIterator<Item = S>) -> Self {
        let mut joined = String::new();
        for code in codes {
            if !joined.is_empty() {
                joined.push('|');
            }
            joined.push_str(code.as_ref());
        }
        if joined.is_empty() { Self::Empty } else { Self::Text(joined.into()) }
    }

    /// Returns a number, or nothing.
    pub fn integer(number: Option<impl Into<i64>>) -> Self {
        number.map_or(Self::Empty, |number| Self::Integer(number.into()))
    }

    /// Returns a day, or nothing.
    pub fn day(day: Option<NaiveDate>) -> Self {
        day.map_or(Self::Empty, Self::Day)
    }

    /// Returns degrees, or nothing.
    pub fn degrees(degrees_e6: Option<i32>) -> Self {
        degrees_e6.map_or(Self::Empty, Self::Degrees)
    }
}

/// Returns microdegrees as degrees.
pub fn degrees(degrees_e6: i32) -> f64 {
    f64::from(degrees_e6) / 1e6
}

/// Name and kind of a column, as the formats need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it holds.
    pub kind: Kind,
    /// Its HXL tag; empty where it has none.
    pub hxl: &'static str,
}

/// What is said behind the last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Rows written.
    pub rows: u64,
    /// Change number they are current to.
    pub as_of: i64,
}

/// Writes rows in one format, keeping no more than a bounded number of them.
pub trait Writer: Send {
    /// Writes one row: a value for every heading.
    ///
    /// # Errors
    /// When the format cannot hold it.
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()>;

    /// Writes what ends the file.
    ///
    /// # Errors
    /// When the format cannot hold what was written.
    fn finish(&mut self, end: End) -> io::Result<()>;

    /// Returns what is ready to be sent since the last time.
    ///
    /// # Errors
    /// When the format cannot hold what was written.
    fn take(&mut self) -> io::Result<Vec<u8>>;
}
