//! What the properties of a feature say: level, country, codes, names, provenance.
//!
//! # Source
//! OCHA COD-AB (`ADM1_EN`, `ADM1_FR`, `ADM1_PCODE`, `ADM0_PCODE`, `validOn`, `date`; since 2025 `adm1_name`),
//! geoBoundaries (`shapeName`, `shapeISO`, `shapeID`, `shapeGroup`, `shapeType`), and the plain `code`, `name`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::geo::countries::{Countries, CountryCode};
use crate::geo::names::fold;
use crate::geo::packs::Level;
use crate::geodata::refusal::Refusal;

/// Properties that hold a country's code.
const COUNTRY: [&str; 13] = [
    "adm0_pcode",
    "iso3",
    "iso_3",
    "iso_a3",
    "adm0_a3",
    "shapegroup",
    "gid_0",
    "country_code",
    "iso2",
    "iso_2",
    "iso_a2",
    "cc",
    "country",
];

/// The readable properties of a feature by lower-case name, empty ones left out.
pub(crate) struct Words(BTreeMap<String, String>);

impl Words {
    pub(crate) fn of(properties: &Map<String, Value>) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        // Tables without a value often say so in words.
        let is_said = |text: &String| {
            !matches!(text.to_ascii_lowercase().as_str(), "" | "none" | "null" | "nan" | "-99")
        };
        let words = properties.iter().filter_map(|(name, value)| {
            Some((name.to_ascii_lowercase(), text(value).filter(is_said)?))
        });
        Self(words.collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn all<'a>(&'a self, names: &'a [String]) -> impl Iterator<Item = &'a str> {
        names.iter().filter_map(|name| self.get(name))
    }

    /// Returns the level the properties are of: the finest there is a name or code for.
    pub(crate) fn find_level(&self) -> Option<i64> {
        let told = self.get("shapetype").and_then(|kind| kind.strip_prefix("ADM")?.parse().ok());
        let told = told.or_else(|| self.get("level")?.parse().ok());
        told.or_else(|| {
            (0..=5).rev().find(|level| {
                ["pcode", "en", "fr", "name", "pt"]
                    .iter()
                    .any(|word| self.get(&format!("adm{level}_{word}")).is_some())
            })
        })
    }

    /// Returns the year a COD-AB file says its areas are valid on, else were drawn in.
    pub(crate) fn find_year(&self) -> Option<i64> {
        ["validon", "valid_on", "date"]
            .iter()
            .find_map(|name| self.get(name)?.get(..4)?.parse().ok())
    }

    /// Returns the name of the data set that such properties are known from.
    pub(crate) fn find_source(&self) -> Option<&'static str> {
        let is_cod = ["adm1_pcode", "adm2_pcode"].iter().any(|name| self.get(name).is_some());
        let is_geo_boundaries = self.get("shapename").is_some() && self.get("shapetype").is_some();
        match (is_cod, is_geo_boundaries) {
            (true, _) => Some("OCHA COD-AB"),
            (false, true) => Some("geoBoundaries"),
            (false, false) => None,
        }
    }

    /// Returns the codes of the area: those in the form of ISO 3166-2 first.
    pub(crate) fn codes(&self, level: Level, id: Option<&Value>) -> Codes {
        let n = level.number();
        let iso = ["shapeiso", "iso_3166_2", "iso3166_2", "iso3166-2", "iso"].map(str::to_owned);
        let source = code_names(level);
        let own = [format!("gid_{n}"), "shapeid".to_owned(), "id".to_owned()];
        let of_feature = id.and_then(|id| match id {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        let source: Vec<String> =
            self.all(&source).chain(self.all(&own)).map(str::to_owned).chain(of_feature).collect();
        let iso: Vec<String> = self
            .all(&iso)
            .chain(source.iter().map(String::as_str))
            .filter(|code| is_iso_shaped(code))
            .map(str::to_owned)
            .collect();
        Codes { iso, source }
    }

    /// Returns the names of the area: English, French, others.
    pub(crate) fn names(&self, level: Level) -> Names {
        let n = level.number();
        let english = [
            format!("adm{n}_en"),
            format!("adm{n}_name"),
            "shapename".into(),
            "name_en".into(),
            "name".into(),
            format!("name_{n}"),
            format!("adm{n}_pt"),
        ];
        let french = [format!("adm{n}_fr"), "name_fr".into()];
        let others =
            ["_ref", "_ref_name", "_name1", "_name2", "alt1en", "alt1fr", "alt2en", "alt2fr"]
                .map(|ending| format!("adm{n}{ending}"));
        Names {
            english: self.all(&english).next().map(str::to_owned),
            french: self.all(&french).next().map(str::to_owned),
            others: self.all(&others).chain(self.get("name")).map(str::to_owned).collect(),
        }
    }

    /// Returns the country that a property names, else the one its codes begin with.
    pub(crate) fn find_country(
        &self,
        feature: usize,
        codes: &Codes,
        countries: &Countries,
    ) -> Named {
        for property in COUNTRY {
            let Some(value) = self.get(property) else {
                continue;
            };
            let named = countries.find(value).or_else(|| {
                let wanted = fold(value);
                countries.iter().find(|country| {
                    fold(&country.name_en) == wanted || fold(&country.name_fr) == wanted
                })
            });
            return match named {
                Some(country) => Named::Ours(country.code),
                None => Named::Other(Refusal::Country {
                    feature,
                    property: property.to_owned(),
                    value: value.chars().take(40).collect(),
                    known: list_codes(countries),
                }),
            };
        }
        let prefixed = codes.iso.iter().chain(&codes.source).find_map(|code| {
            let end = code.find(|letter: char| !letter.is_ascii_alphabetic())?;
            let prefix = code.get(..end).filter(|prefix| (2..=3).contains(&prefix.len()))?;
            countries.find(prefix)
        });
        prefixed.map_or(Named::Nowhere, |country| Named::Ours(country.code))
    }
}

/// What a feature says of its country.
pub(crate) enum Named {
    /// One of ours.
    Ours(CountryCode),
    /// One that is not; the refusal, unless it is to be left out.
    Other(Refusal),
    /// Nothing.
    Nowhere,
}

/// The codes of a feature, in order of preference.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    pub(crate) iso: Vec<String>,
    pub(crate) source: Vec<String>,
}

/// The names of a feature.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) english: Option<String>,
    pub(crate) french: Option<String>,
    pub(crate) others: Vec<String>,
}

/// Returns the properties that hold a code of their source.
pub(crate) fn code_names(level: Level) -> [String; 3] {
    [format!("adm{}_pcode", level.number()), "code".into(), "pcode".into()]
}

fn list_codes(countries: &Countries) -> String {
    countries.iter().map(|country| country.code.as_str()).collect::<Vec<_>>().join(" ")
}

/// Two letters, a hyphen, one to three letters or digits.
fn is_iso_shaped(code: &str) -> bool {
    code.split_once('-').is_some_and(|(country, area)| {
        country.len() == 2
            && country.bytes().all(|byte| byte.is_ascii_uppercase())
            && (1..=3).contains(&area.len())
            && area.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::geo::packs::Level;
    use crate::geodata::naming::Words;

    fn words(properties: &serde_json::Value) -> Words {
        Words::of(properties.as_object().unwrap())
    }

    #[test]
    fn each_known_form_is_understood() {
        let cod = words(&json!({
            "ADM2_EN": "Kono", "ADM2_PCODE": "SL0104", "ADM1_PCODE": "SL01", "ADM0_PCODE": "SL", "validOn": "2019-10-01"
        }));
        let geo_boundaries = words(&json!({
            "shapeName": "Eastern", "shapeISO": "SL-E", "shapeID": "SLE-ADM1-1", "shapeGroup": "SLE", "shapeType": "ADM1"
        }));
        let plain = words(&json!({"code": "SL-E", "name": "Eastern", "level": 1}));

        assert_eq!((cod.find_level(), cod.find_year()), (Some(2), Some(2019)));
        assert_eq!(cod.codes(Level::Admin2, None).source, ["SL0104"]);
        assert_eq!(cod.find_source(), Some("OCHA COD-AB"));
        assert_eq!(geo_boundaries.codes(Level::Admin1, None).iso, ["SL-E"]);
        assert_eq!(geo_boundaries.find_source(), Some("geoBoundaries"));
        assert_eq!((geo_boundaries.find_level(), geo_boundaries.find_year()), (Some(1), None));
        assert_eq!(plain.codes(Level::Admin1, None).iso, ["SL-E"]);
        assert_eq!(plain.names(Level::Admin1).english.as_deref(), Some("Eastern"));
    }

    #[test]
    fn what_a_table_says_for_nothing_is_nothing() {
        let empty = words(&json!({"shapeISO": "None", "code": "", "iso3": null, "name": "-99"}));

        assert!(empty.codes(Level::Admin1, None).source.is_empty());
        assert_eq!(empty.names(Level::Admin1).english, None);
    }
}
