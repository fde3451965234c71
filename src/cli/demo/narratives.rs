//! The invented texts, each with the codes that fit it.

use serde::Deserialize;

use crate::taxonomy::error::DataError;
use crate::taxonomy::read::{Place, filled, read_lines};

/// Name of the file in `src/cli/demo/data`.
pub(crate) const FILE: &str = "narratives.csv";

/// A language of the coalition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    En,
    /// French.
    Fr,
}

impl Language {
    /// Returns the ISO 639-1 code.
    pub fn as_str(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Fr => "fr",
        }
    }

    /// Finds the language with this ISO 639-1 code.
    pub fn from_code(code: &str) -> Option<Language> {
        [Language::En, Language::Fr].into_iter().find(|language| language.as_str() == code)
    }
}

/// One invented testimony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Narrative {
    /// One or two leaves of the taxonomy, the primary one first.
    pub(crate) categories: Vec<String>,
    pub(crate) language: Language,
    pub(crate) text: String,
    /// Where it happened, in words that fit many villages.
    pub(crate) place_hint: Option<String>,
    pub(crate) mining_mode: Option<String>,
    pub(crate) actors: Vec<Actor>,
    pub(crate) harm: Vec<Harm>,
    pub(crate) ongoing: Option<bool>,
    /// Alpha-3 codes of the only countries where the text is plausible; empty for all.
    pub(crate) countries: Vec<String>,
}

impl Narrative {
    /// Returns the leaf that the text is about first of all.
    pub(crate) fn primary(&self) -> &str {
        self.categories.first().map_or("", String::as_str)
    }
}

/// Somebody who acts, by codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) kind: String,
    pub(crate) role: String,
}

/// How many people one measure counts; `min` and `max` are the same for an exact count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Harm {
    pub(crate) measure: String,
    pub(crate) min: u32,
    pub(crate) max: u32,
}

#[derive(Deserialize)]
struct NarrativeLine {
    category: String,
    also: String,
    language: String,
    text: String,
    place_hint: String,
    mining_mode: String,
    actor_type: String,
    actor_role: String,
    harm: String,
    ongoing: String,
    countries: String,
}

/// Reads the built-in texts, in file order.
///
/// # Errors
/// When the file is damaged.
pub(crate) fn read_builtin() -> Result<Vec<Narrative>, DataError> {
    read_narratives(include_str!("data/narratives.csv"))
}

/// Reads texts with the columns of `data/narratives.csv`: `also` is a second category, `harm` a list like
/// `killed=1;injured=2-3`, `ongoing` yes, no or nothing; actors and countries are `|` separated.
///
/// Codes are not looked up here; a test holds the built-in ones against the taxonomy and the lists.
pub(crate) fn read_narratives(text: &str) -> Result<Vec<Narrative>, DataError> {
    read_lines(FILE, text)?.into_iter().map(|(place, line)| read_narrative(place, line)).collect()
}

fn read_narrative(place: Place, line: NarrativeLine) -> Result<Narrative, DataError> {
    if line.text.trim().is_empty() {
        return Err(place.fault("text", "the text is empty"));
    }
    Ok(Narrative {
        language: Language::from_code(&line.language).ok_or_else(|| {
            place.fault("language", format!("{:?} is neither \"en\" nor \"fr\"", line.language))
        })?,
        actors: read_actors(place, &line.actor_type, &line.actor_role)?,
        harm: read_harm(place, &line.harm)?,
        ongoing: read_ongoing(place, &line.ongoing)?,
        categories: [line.category, line.also].into_iter().filter_map(filled).collect(),
        text: line.text,
        place_hint: filled(line.place_hint),
        mining_mode: filled(line.mining_mode),
        countries: split(&line.countries, '|').map(str::to_owned).collect(),
    })
}

fn read_actors(place: Place, kinds: &str, roles: &str) -> Result<Vec<Actor>, DataError> {
    let kinds: Vec<&str> = split(kinds, '|').collect();
    let roles: Vec<&str> = split(roles, '|').collect();
    if kinds.len() != roles.len() {
        let detail = format!("{} roles for {} actors", roles.len(), kinds.len());
        return Err(place.fault("actor_role", detail));
    }
    Ok(kinds
        .into_iter()
        .zip(roles)
        .map(|(kind, role)| Actor { kind: kind.to_owned(), role: role.to_owned() })
        .collect())
}

fn read_harm(place: Place, list: &str) -> Result<Vec<Harm>, DataError> {
    split(list, ';')
        .map(|part| {
            read_count(part).ok_or_else(|| {
                let detail = format!("{part:?} is not like \"killed=1\" or \"injured=2-3\"");
                place.fault("harm", detail)
            })
        })
        .collect()
}

fn read_count(part: &str) -> Option<Harm> {
    let (measure, count) = part.split_once('=')?;
    let (min, max) = count.split_once('-').unwrap_or((count, count));
    let (min, max) = (min.parse().ok()?, max.parse().ok()?);
    (min <= max).then(|| Harm { measure: measure.to_owned(), min, max })
}

fn read_ongoing(place: Place, text: &str) -> Result<Option<bool>, DataError> {
    match text {
        "" => Ok(None),
        "yes" => Ok(Some(true)),
        "no" => Ok(Some(false)),
        other => Err(place.fault("ongoing", format!("{other:?} is neither \"yes\" nor \"no\""))),
    }
}

fn split(list: &str, separator: char) -> impl Iterator<Item = &str> {
    list.split(separator).map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use crate::cli::demo::narratives::{Language, read_builtin, read_narratives};
    use crate::taxonomy::catalogue::Taxonomy;
    use crate::taxonomy::lists::{CodeLists, ListName};

    const HEADER: &str = "category,also,language,text,place_hint,mining_mode,actor_type,actor_role,harm,ongoing,countries";

    #[test]
    fn every_leaf_is_told_in_both_languages() {
        let narratives = read_builtin().unwrap();

        let mut told: BTreeMap<&str, BTreeSet<Language>> = BTreeMap::new();
        for narrative in &narratives {
            told.entry(narrative.primary()).or_default().insert(narrative.language);
        }

        for leaf in Taxonomy::builtin().unwrap().leaves() {
            let languages = told.get(leaf.code.as_str()).map_or(0, BTreeSet::len);
            assert_eq!(languages, 2, "{}", leaf.code);
        }
        assert_eq!(narratives.len(), 267);
    }

    #[test]
    fn every_code_is_in_the_taxonomy_or_its_list() {
        let taxonomy = Taxonomy::builtin().unwrap();
        let lists = CodeLists::builtin().unwrap();
        let assert_in =
            |name: ListName, code: &str| assert!(lists.list(name).find(code).is_some(), "{code}");

        for narrative in read_builtin().unwrap() {
            for category in &narrative.categories {
                taxonomy.leaf(category).unwrap();
            }
            for actor in &narrative.actors {
                assert_in(ListName::ActorType, &actor.kind);
                assert_in(ListName::ActorRole, &actor.role);
            }
            for harm in &narrative.harm {
                assert_in(ListName::AffectedCount, &harm.measure);
            }
            if let Some(mode) = &narrative.mining_mode {
                assert_in(ListName::MiningMode, mode);
            }
        }
    }

    #[test]
    fn no_text_is_told_twice() {
        let narratives = read_builtin().unwrap();

        let texts: BTreeSet<&str> =
            narratives.iter().map(|narrative| narrative.text.as_str()).collect();

        assert_eq!(texts.len(), narratives.len());
    }

    #[test]
    fn a_damaged_line_is_named_with_its_column() {
        let cases = [
            ("a.b.c,,pt,Text,,,,,,,", "language: \"pt\" is neither \"en\" nor \"fr\""),
            ("a.b.c,,en, ,,,,,,,", "text: the text is empty"),
            ("a.b.c,,en,Text,,,x|y,z,,,", "actor_role: 1 roles for 2 actors"),
            (
                "a.b.c,,en,Text,,,,,killed=3-1,,",
                "harm: \"killed=3-1\" is not like \"killed=1\" or \"injured=2-3\"",
            ),
            ("a.b.c,,en,Text,,,,,,maybe,", "ongoing: \"maybe\" is neither \"yes\" nor \"no\""),
        ];

        for (line, expected) in cases {
            let error = read_narratives(&[HEADER, line].join("\n")).unwrap_err();

            assert_eq!(error.to_string(), format!("narratives.csv, line 2, column {expected}"));
        }
    }
}
