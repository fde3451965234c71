//! The field dictionary at work: which part of a report is sealed where, as `api-spec/fields.csv` says.
//!
//! The canonical JSON of a report is split into the parts `text`, `place` and `identity` by the dictionary's `part`
//! column, and joined again when it is opened. A test holds dictionary and types together.

use serde_json::{Map, Value};

use crate::seal::envelope::Part;

const DICTIONARY: &str = include_str!("../../api-spec/fields.csv");

/// One row of the dictionary.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Field {
    /// JSON path: `location.lat`, `actors[].name`, `harm.*.min`.
    pub path: String,
    /// JSON type, or the code list it comes from.
    pub kind: String,
    /// `internal` or `confidential`.
    pub class: String,
    /// Sealed part its words go to.
    pub part: String,
    /// Who reads it.
    pub readers: String,
    /// Column of exports; empty where it is never exported.
    pub exported_as: String,
    /// What it means, in English.
    pub meaning: String,
}

/// Where the paths of each part are.
#[derive(Debug, Clone)]
pub struct Fields {
    place: Vec<Vec<String>>,
    identity: Vec<Vec<String>>,
}

/// A report cut into what is sealed apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// What happened.
    pub text: Value,
    /// The exact place; absent where nothing was said of it.
    pub place: Option<Value>,
    /// Names and contacts; absent where there are none.
    pub identity: Option<Value>,
}

impl Fields {
    /// Reads the built-in dictionary.
    ///
    /// # Errors
    /// When the file is not readable.
    pub fn builtin() -> Result<Self, csv::Error> {
        let rows = rows()?;
        let of_part = |part: Part| {
            rows.iter()
                .filter(|field| field.part == part.as_str())
                .map(|field| field.path.split('.').map(str::to_owned).collect())
                .collect()
        };
        Ok(Self { place: of_part(Part::Place), identity: of_part(Part::Identity) })
    }

    /// Cuts the canonical JSON of a report.
    pub fn split(&self, mut report: Value) -> Parts {
        let place = take_all(&mut report, &self.place);
        let identity = take_all(&mut report, &self.identity);
        Parts { text: report, place, identity }
    }
}

/// Puts parts together again; a part that is not given (shredded, or not to be seen) is left out.
pub fn join(mut text: Value, others: impl IntoIterator<Item = Value>) -> Value {
    for other in others {
        merge(&mut text, other);
    }
    text
}

/// Returns the rows of the dictionary, in its order.
///
/// # Errors
/// When the file is not readable.
pub fn rows() -> Result<Vec<Field>, csv::Error> {
    csv::Reader::from_reader(DICTIONARY.as_bytes()).deserialize().collect()
}

fn take_all(report: &mut Value, paths: &[Vec<String>]) -> Option<Value> {
    let mut taken = Value::Object(Map::new());
    let mut is_any = false;
    for path in paths {
        is_any |= take(report, path, &mut taken);
    }
    is_any.then_some(taken)
}

/// Moves what lies at `path` from `from` to the same path of `to`; lists are walked and keep their positions.
fn take(from: &mut Value, path: &[String], to: &mut Value) -> bool {
    let (Some((step, rest)), Value::Object(map)) = (path.split_first(), from) else {
        return false;
    };
    let Some(name) = step.strip_suffix("[]") else {
        if rest.is_empty() {
            let Some(value) = map.remove(step) else {
                return false;
            };
            entry(to, step, Value::Null, |slot| *slot = value);
            return true;
        }
        let Some(inner) = map.get_mut(step) else {
            return false;
        };
        let mut is_any = false;
        let mut below = Value::Object(Map::new());
        is_any |= take(inner, rest, &mut below);
        if is_any {
            entry(to, step, Value::Object(Map::new()), |slot| merge(slot, below));
        }
        return is_any;
    };
    let Some(Value::Array(items)) = map.get_mut(name) else {
        return false;
    };
    let taken: Vec<(bool, Value)> = items
        .iter_mut()
        .map(|item| {
            let mut below = Value::Object(Map::new());
            (take(item, rest, &mut below), below)
        })
        .collect();
    let is_any = taken.iter().any(|(is_any, _)| *is_any);
    // A list of which nothing is left would still tell how many there were.
    if is_any && items.iter().all(|item| item.as_object().is_some_and(Map::is_empty)) {
        map.remove(name);
    }
    if is_any {
        let list = Value::Array(taken.into_iter().map(|(_, below)| below).collect());
        entry(to, name, Value::Array(Vec::new()), |slot| merge(slot, list));
    }
    is_any
}

fn entry(to: &mut Value, name: &str, empty: Value, fill: impl FnOnce(&mut Value)) {
    if let Value::Object(map) = to {
        fill(map.entry(name).or_insert(empty));
    }
}

/// Lays `other` over `base`: objects by key, lists by position.
fn merge(base: &mut Value, other: Value) {
    match (base, other) {
        (Value::Object(base), Value::Object(other)) => {
            for (key, value) in other {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(base), Value::Array(other)) => {
            for (index, value) in other.into_iter().enumerate() {
                match base.get_mut(index) {
                    Some(slot) => merge(slot, value),
                    None => base.push(value),
                }
            }
        }
        (base, other) => *base = other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn full_report() -> Value {
        json!({
            "follows": "3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e", "occurred": "2024-03-05",
            "location": {"lat": 8.6, "lon": -10.9, "accuracy_m": 12.0, "country": "SLE", "admin1": "SL-E",
                         "place": "the old bridge", "site": "usgs-sle001"},
            "categories": ["rights.life_integrity.killing"], "narrative": "words", "language": "en",
            "harm": {"killed": {"min": 1, "max": 2, "by": {"m_adult": 1}}},
            "actors": [{"type": "state_army"}, {"type": "mob", "role": "perpetrator", "name": "A. Actor"}],
            "people": [{"name": "V. Victim", "contact": "000", "role": "victim", "sex_age": "f_adult",
                        "group": "children", "note": "n"}],
            "mining_mode": "artisanal", "company": "C",
            "smuggling": {"carats": 1.5, "value": 2.0, "currency": "USD", "origin": "o", "destination": "d",
                          "route": "r", "kp_certificate": "k"},
            "environment": {"medium": "water", "pollutant": "p", "area_ha": 1.0},
            "governance": {"practice": "bad", "subject": "s", "amount": 3.0, "currency": "USD"},
            "source": {"type": "witness", "reliability": "B", "name": "S. Source", "contact": "111",
                       "consent": "none", "at_risk": true},
            "ongoing": true, "test": true
        })
    }

    #[test]
    fn a_report_cut_and_joined_is_the_same_report() {
        let parts = Fields::builtin().expect("the dictionary").split(full_report());

        let joined = join(parts.text, parts.place.into_iter().chain(parts.identity));

        assert_eq!(joined, full_report());
    }

    #[test]
    fn no_name_and_no_exact_place_stays_with_the_text() {
        let parts = Fields::builtin().expect("the dictionary").split(full_report());

        let text = parts.text.to_string();
        for secret in [
            "A. Actor",
            "V. Victim",
            "S. Source",
            "000",
            "111",
            "8.6",
            "-10.9",
            "the old bridge",
            "usgs",
        ] {
            assert!(!text.contains(secret), "{secret}");
        }
        assert_eq!(
            parts.identity.expect("identities")["actors"],
            json!([{}, {"name": "A. Actor"}])
        );
        assert_eq!(parts.place.expect("a place")["location"]["site"], "usgs-sle001");
    }

    #[test]
    fn the_dictionary_tells_every_field_that_a_report_can_have_and_no_other() {
        fn paths(value: &Value, at: &str, found: &mut std::collections::BTreeSet<String>) {
            match value {
                Value::Object(map) => {
                    for (key, inner) in map {
                        let is_open = at == "harm" || at == "harm.*.by";
                        let step = if is_open { "*" } else { key };
                        paths(
                            inner,
                            &if at.is_empty() { step.to_owned() } else { format!("{at}.{step}") },
                            found,
                        );
                    }
                }
                Value::Array(items) if items.iter().any(Value::is_object) => {
                    for item in items {
                        paths(item, &format!("{at}[]"), found);
                    }
                }
                _ => drop(found.insert(at.to_owned())),
            }
        }
        let mut of_types = std::collections::BTreeSet::from(["id".to_owned()]);
        let report: crate::intake::types::Content =
            serde_json::from_value(full_report()).expect("every field is known");
        paths(&serde_json::to_value(report).expect("JSON"), "", &mut of_types);

        let of_file: std::collections::BTreeSet<String> =
            rows().expect("the dictionary").into_iter().map(|field| field.path).collect();

        assert_eq!(of_types, of_file);
    }

    #[test]
    fn what_a_person_could_be_known_by_is_never_exported() {
        for field in rows().expect("the dictionary") {
            if field.part == "identity" || field.part == "place" {
                assert_eq!(
                    (field.class.as_str(), field.exported_as.as_str()),
                    ("confidential", ""),
                    "{}",
                    field.path
                );
            }
        }
    }
}
