//! A region.

use crate::geo::countries::CountryCode;

/// Whether a region is a bucket of counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RegionLevel {
    /// Counts are made by it.
    Regional,
    /// It lies across regions: a scope and a filter, but no bucket, which would count every incident twice.
    International,
}

impl RegionLevel {
    /// Every level with its code.
    pub const CODES: [(&'static str, Self); 2] =
        [("regional", Self::Regional), ("international", Self::International)];

    /// Returns its code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regional => "regional",
            Self::International => "international",
        }
    }

    /// Reads its code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::CODES.into_iter().find(|(known, _)| *known == code).map(|(_, level)| level)
    }
}

/// A set of countries by a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Lower-case letters, digits and underscores.
    pub code: String,
    /// English name.
    pub name_en: String,
    /// French name.
    pub name_fr: String,
    /// Whether counts are made by it.
    pub level: RegionLevel,
    /// Its countries, each once, sorted; may be empty.
    pub countries: Vec<CountryCode>,
}
