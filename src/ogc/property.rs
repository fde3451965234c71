//! Properties of features: their names, kinds and values, the same table for answers, queryables, filters and the OpenAPI
//! document.

use std::borrow::Cow;

use chrono::NaiveDate;
use geo::Geometry;

/// The name under which filters and queryables speak of the geometry.
pub const GEOMETRY: &str = "geometry";

/// What a property holds; null is always possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A code, a name, or several codes with commas between.
    Text,
    /// A whole number.
    Integer,
    /// Yes or no.
    Flag,
    /// A day, `2024-03-05`.
    Day,
    /// The geometry, WGS84 longitude and latitude.
    Geometry,
}

/// One property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What it is, in a few English words.
    pub title: &'static str,
    /// Whether filters may speak of it.
    pub is_queryable: bool,
}

impl Property {
    /// A property that filters may speak of.
    pub const fn queryable(name: &'static str, kind: Kind, title: &'static str) -> Self {
        Self { name, kind, title, is_queryable: true }
    }

    /// A property that is only shown.
    pub const fn shown(name: &'static str, kind: Kind, title: &'static str) -> Self {
        Self { name, kind, title, is_queryable: false }
    }
}

/// What a property of one feature is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Null.
    Missing,
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// A day.
    Day(NaiveDate),
    /// A geometry.
    Shape(Cow<'a, Geometry>),
}

impl<'a> Value<'a> {
    /// Returns a number, or null.
    pub fn number_or_missing(number: Option<impl Into<i64>>) -> Self {
        number.map_or(Self::Missing, |number| Self::Number(number.into()))
    }

    /// Returns it as answers show it; a geometry stands elsewhere in them.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Missing | Self::Shape(_) => serde_json::Value::Null,
            Self::Text(text) => text.as_ref().into(),
            Self::Number(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Day(day) => day.to_string().into(),
        }
    }

    /// Returns a borrowed text.
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// Returns a borrowed text, or null.
    pub fn text_or_missing(text: Option<&'a str>) -> Self {
        text.map_or(Self::Missing, Self::text)
    }
}
