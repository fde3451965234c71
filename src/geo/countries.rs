//! The countries we work for, and country codes.

use std::fmt;

use chrono_tz::Tz;
use serde::Deserialize;

use crate::geo::error::DataError;

const FILE: &str = "countries.csv";

/// An ISO 3166-1 alpha-3 code: three upper-case ASCII letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 3]);

impl CountryCode {
    /// Returns the code when `text` has the shape of one, in any case.
    ///
    /// It need not be a country we work for: a point may be computed to lie in Nigeria (`NGA`).
    /// Input that names one of ours goes through [`Countries::parse`].
    pub fn from_alpha3(text: &str) -> Option<CountryCode> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        code.iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| CountryCode(code.map(|letter| letter.to_ascii_uppercase())))
    }

    /// Returns the three letters.
    pub fn as_str(&self) -> &str {
        // Only ASCII letters get in, so the fallback is never used.
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A country of `countries.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-3.
    pub code: CountryCode,
    /// ISO 3166-1 alpha-2, upper case.
    pub alpha2: String,
    /// English name.
    pub name_en: String,
    /// French name.
    pub name_fr: String,
    /// Whether the coalition has a member there.
    pub is_member: bool,
    /// ISO 639-1 codes, most used first.
    pub languages: Vec<String>,
    /// IANA zones, at least one; the first is the one to assume.
    pub zones: Vec<Tz>,
}

impl Country {
    /// Returns the zone to assume when the place inside the country is not known.
    pub fn first_zone(&self) -> Tz {
        self.zones.first().copied().unwrap_or(Tz::UTC)
    }

    /// Returns the zone of every place in the country, when there is only one.
    pub fn only_zone(&self) -> Option<Tz> {
        match self.zones.as_slice() {
            [zone] => Some(*zone),
            _ => None,
        }
    }
}

/// The table of countries, in file order.
#[derive(Debug, Clone)]
pub struct Countries {
    list: Vec<Country>,
}

#[derive(Deserialize)]
struct CountryLine {
    iso3: String,
    iso2: String,
    name_en: String,
    name_fr: String,
    member: u8,
    languages: String,
    zones: String,
}

impl Countries {
    /// Reads the built-in table.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn builtin() -> Result<Countries, DataError> {
        Countries::from_csv(include_str!("data/countries.csv"))
    }

    /// Reads a table with the columns `iso3,iso2,name_en,name_fr,member,languages,zones`;
    /// lists are `|` separated.
    ///
    /// # Errors
    /// A row that is not readable, a code or zone that does not exist, or a country without a zone.
    pub fn from_csv(text: &str) -> Result<Countries, DataError> {
        let list = csv::Reader::from_reader(text.as_bytes())
            .into_deserialize::<CountryLine>()
            .map(|line| {
                let line = line.map_err(|source| DataError::Csv { file: FILE, source })?;
                read_country(line)
            })
            .collect::<Result<_, _>>()?;
        Ok(Countries { list })
    }

    /// Finds a country by alpha-2 or alpha-3 code, in any case.
    pub fn find(&self, code: &str) -> Option<&Country> {
        self.list.iter().find(|country| {
            country.code.as_str().eq_ignore_ascii_case(code)
                || country.alpha2.eq_ignore_ascii_case(code)
        })
    }

    /// Returns the code of one of our countries from what a sender wrote: alpha-2 or alpha-3, in
    /// any case.
    pub fn parse(&self, code: &str) -> Option<CountryCode> {
        self.find(code).map(|country| country.code)
    }

    /// Returns the country with this code.
    pub fn get(&self, code: CountryCode) -> Option<&Country> {
        self.list.iter().find(|country| country.code == code)
    }

    /// Lists the countries with a coalition member, in file order.
    pub fn members(&self) -> impl Iterator<Item = &Country> {
        self.list.iter().filter(|country| country.is_member)
    }

    /// Lists all countries, in file order.
    pub fn iter(&self) -> impl Iterator<Item = &Country> {
        self.list.iter()
    }
}

fn read_country(line: CountryLine) -> Result<Country, DataError> {
    let code = CountryCode::from_alpha3(&line.iso3)
        .ok_or_else(|| DataError::value(FILE, format!("{:?} is not an alpha-3 code", line.iso3)))?;
    let zones = split(&line.zones)
        .map(str::parse::<Tz>)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| DataError::value(FILE, format!("{code}: {error}")))?;
    if zones.is_empty() {
        return Err(DataError::value(FILE, format!("{code} has no zone")));
    }
    Ok(Country {
        code,
        alpha2: line.iso2.to_ascii_uppercase(),
        name_en: line.name_en,
        name_fr: line.name_fr,
        is_member: line.member == 1,
        languages: split(&line.languages).map(str::to_owned).collect(),
        zones,
    })
}

fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split('|').map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::geo::countries::{Countries, CountryCode};

    #[test]
    fn ten_members_stand_in_file_order() {
        let countries = Countries::builtin().unwrap();

        let members: Vec<&str> = countries.members().map(|country| country.code.as_str()).collect();

        assert_eq!(members, ["BWA", "ZWE", "LSO", "COD", "CMR", "CAF", "SLE", "LBR", "GIN", "CIV"]);
        assert_eq!(countries.iter().count(), 19);
    }

    #[test]
    fn a_code_is_found_by_two_or_three_letters_in_any_case() {
        let countries = Countries::builtin().unwrap();

        for written in ["SLE", "SL", "sle", "sl"] {
            assert_eq!(countries.parse(written).unwrap().as_str(), "SLE");
        }
        for written in ["", "S", "NGA", "SLEE", "S L"] {
            assert_eq!(countries.parse(written), None);
        }
    }

    #[test]
    fn a_code_outside_the_table_can_be_named_but_not_declared() {
        let nigeria = CountryCode::from_alpha3("nga").unwrap();

        assert_eq!(nigeria.to_string(), "NGA");
        assert_eq!(Countries::builtin().unwrap().get(nigeria), None);
        assert_eq!(CountryCode::from_alpha3("N1A"), None);
        assert_eq!(CountryCode::from_alpha3("É1"), None);
    }

    #[test]
    fn only_the_congo_has_two_zones() {
        let countries = Countries::builtin().unwrap();

        let several: Vec<&str> = countries
            .iter()
            .filter(|country| country.only_zone().is_none())
            .map(|country| country.code.as_str())
            .collect();

        assert_eq!(several, ["COD"]);
        assert_eq!(countries.find("CD").unwrap().first_zone(), chrono_tz::Africa::Kinshasa);
    }

    #[test]
    fn a_zone_that_does_not_exist_is_refused() {
        let error = Countries::from_csv(
            "iso3,iso2,name_en,name_fr,member,languages,zones\nAAA,AA,A,A,1,en,Africa/Atlantis\n",
        )
        .unwrap_err();

        assert!(error.to_string().starts_with("countries.csv: AAA"));
    }
}
