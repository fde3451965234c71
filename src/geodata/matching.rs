//! Gives each area of a file its id: ISO 3166-2 where the file carries it or the name is on our list, else
//! `<iso3>-<source code>`.

use std::collections::{BTreeMap, HashMap};

use chrono_tz::Tz;
use geo::MultiPolygon;

use crate::geo::areas::{Area, AreaId};
use crate::geo::countries::{Country, CountryCode};
use crate::geo::locate::Geo;
use crate::geo::lonlat::LonLat;
use crate::geo::names::fold;
use crate::geo::packs::Level;
use crate::geodata::naming::{Codes, Names, code_names};
use crate::geodata::refusal::Refusal;

/// Words that tables add to a name or leave out.
const KINDS: [&str; 22] = [
    "province",
    "autonome",
    "ville",
    "l",
    "region",
    "district",
    "prefecture",
    "county",
    "state",
    "division",
    "city",
    "area",
    "autonomous",
    "governorate",
    "capital",
    "of",
    "de",
    "du",
    "des",
    "d",
    "la",
    "le",
];

/// An area of a file before it has its id.
#[derive(Debug)]
pub(crate) struct Draft {
    /// From 1, as it stands in the file.
    pub(crate) number: usize,
    pub(crate) country: CountryCode,
    pub(crate) codes: Codes,
    pub(crate) names: Names,
    pub(crate) shape: MultiPolygon,
    /// A point inside.
    pub(crate) inside: Option<LonLat>,
}

/// How an area came by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// The file carries an ISO 3166-2 code that we know.
    Code,
    /// The file carries a code in the form of ISO 3166-2 that is not on our list: the list may be older than the file.
    UnlistedCode,
    /// Its name is on our list.
    Name,
    /// Nothing matched: the id is of the source's own code.
    SourceCode,
}

/// An area with its id.
#[derive(Debug)]
pub(crate) struct Matched {
    pub(crate) number: usize,
    pub(crate) how: Match,
    /// The file has a name for it.
    pub(crate) is_named: bool,
    pub(crate) area: Area,
    pub(crate) shape: MultiPolygon,
    pub(crate) inside: Option<LonLat>,
}

/// Gives ids to the areas of one file.
///
/// # Errors
/// `NoCode`, `BadCode`, `Duplicate`.
pub(crate) fn identify(
    drafts: Vec<Draft>,
    level: Level,
    geo: &Geo,
) -> Result<Vec<Matched>, Refusal> {
    let named = count_names(&drafts);
    let mut taken: BTreeMap<AreaId, usize> = BTreeMap::new();
    let mut matched = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let name = draft.names.english.as_ref().or(draft.names.french.as_ref());
        // Some tables leave a few names out: the code is better than no answer there.
        let is_named = name.is_some();
        let name = name.or(draft.codes.source.first()).or(draft.codes.iso.first()).cloned();
        let name = name.ok_or_else(|| no_code(draft.number, level))?;
        let is_only_one = named.get(&(draft.country, fold(&name))) == Some(&1);
        let (id, how) = find_id(&draft, &name, is_only_one, level, geo)?;
        if let Some(first) = taken.insert(id.clone(), draft.number) {
            return Err(Refusal::Duplicate { first, second: draft.number, id });
        }
        matched.push(Matched { is_named, ..finish(draft, name, id, how, geo) });
    }
    Ok(matched)
}

/// Counts the areas of each name, so that none of two namesakes is taken for the one on our list.
fn count_names(drafts: &[Draft]) -> HashMap<(CountryCode, String), usize> {
    let mut named = HashMap::new();
    for draft in drafts {
        let name = draft.names.english.as_ref().or(draft.names.french.as_ref());
        if let Some(name) = name {
            *named.entry((draft.country, fold(name))).or_default() += 1;
        }
    }
    named
}

fn no_code(feature: usize, level: Level) -> Refusal {
    Refusal::NoCode { feature, expected: code_names(level).join(", ") }
}

fn find_id(
    draft: &Draft,
    name: &str,
    is_only_one: bool,
    level: Level,
    geo: &Geo,
) -> Result<(AreaId, Match), Refusal> {
    if let Some(found) = find_by_code(draft, level, geo) {
        return Ok(found);
    }
    if level == Level::Admin1 && is_only_one {
        let names = std::iter::once(name)
            .chain(draft.names.french.as_deref())
            .chain(draft.names.others.iter().map(String::as_str));
        if let Some(id) = find_by_name(draft.country, names, geo) {
            return Ok((id, Match::Name));
        }
    }
    let Some(code) = draft.codes.source.first() else {
        return Err(no_code(draft.number, level));
    };
    let id = source_id(draft.country, code);
    let bad = || Refusal::BadCode { feature: draft.number, value: code.chars().take(40).collect() };
    Ok((id.ok_or_else(bad)?, Match::SourceCode))
}

/// Returns the id that a code of the file is, in any of its spellings; at the second level never one of the first.
fn find_by_code(draft: &Draft, level: Level, geo: &Geo) -> Option<(AreaId, Match)> {
    let country = geo.countries().get(draft.country)?;
    let known = |code: &str| {
        geo.builtin_areas().find(code).filter(|area| is_iso(area, country)).map(|area| &area.id)
    };
    let mut codes = draft.codes.iso.iter().filter(|code| code.starts_with(&country.alpha2));
    codes.find_map(|code| match (known(code), level) {
        (Some(id), Level::Admin1) => Some((id.clone(), Match::Code)),
        (Some(_), Level::Admin2) => None,
        (None, _) => Some((AreaId::parse(code)?, Match::UnlistedCode)),
    })
}

/// Tells whether the id of an area is its ISO 3166-2 code.
pub(crate) fn is_iso(area: &Area, country: &Country) -> bool {
    area.country == country.code
        && area.id.as_str().strip_prefix(&country.alpha2).is_some_and(|rest| rest.starts_with('-'))
}

fn find_by_name<'a>(
    code: CountryCode,
    names: impl Iterator<Item = &'a str>,
    geo: &Geo,
) -> Option<AreaId> {
    let country = geo.countries().get(code)?;
    let listed: Vec<(&Area, Vec<String>)> = geo
        .builtin_areas()
        .in_country(code)
        .filter(|area| is_iso(area, country))
        .map(|area| {
            let names = [&area.name_en, &area.name_fr].into_iter().chain(&area.aliases);
            (area, names.map(|name| bare(name)).collect())
        })
        .collect();
    let wanted: Vec<String> = names.map(bare).filter(|name| !name.is_empty()).collect();
    let mut found = wanted.iter().filter_map(|wanted| {
        let mut matching = listed.iter().filter(|(_, names)| names.contains(wanted));
        let first = matching.next()?;
        // Two of a name on our list: neither.
        matching.next().is_none().then(|| first.0.id.clone())
    });
    found.next()
}

/// Returns a folded name without the words that only say what kind of area it is.
fn bare(name: &str) -> String {
    let folded = fold(name);
    let words: Vec<&str> = folded.split(' ').filter(|word| !KINDS.contains(word)).collect();
    if words.is_empty() { folded } else { words.join(" ") }
}

/// Returns `<iso3>-<code>`, the code without what ids cannot hold and without the country before it.
fn source_id(country: CountryCode, code: &str) -> Option<AreaId> {
    let plain: String = code
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
        .collect();
    let own = plain.strip_prefix(country.as_str()).map(|rest| rest.trim_start_matches('_'));
    let own = own.filter(|rest| !rest.is_empty()).unwrap_or(&plain);
    let has_substance = own.bytes().any(|byte| byte.is_ascii_alphanumeric());
    has_substance.then(|| AreaId::parse(&format!("{country}-{own}"))).flatten()
}

fn finish(draft: Draft, name_en: String, id: AreaId, how: Match, geo: &Geo) -> Matched {
    let listed = geo.builtin_areas().get(&id);
    let name_fr = draft.names.french.clone();
    let name_fr = name_fr.or_else(|| listed.map(|area| area.name_fr.clone()));
    let zone = listed.map(|area| area.zone).or_else(|| zone_at(&draft, geo)).unwrap_or(Tz::UTC);
    let mut aliases: Vec<String> = draft.codes.source;
    aliases.extend(draft.names.others);
    aliases.retain(|alias| *alias != name_en && alias != id.as_str());
    aliases.dedup();
    let area = Area {
        id,
        country: draft.country,
        name_fr: name_fr.unwrap_or_else(|| name_en.clone()),
        name_en,
        aliases,
        zone,
        former: Vec::new(),
    };
    Matched {
        number: draft.number,
        how,
        is_named: true,
        area,
        shape: draft.shape,
        inside: draft.inside,
    }
}

/// Returns the zone of the built-in area there, else the country's first.
fn zone_at(draft: &Draft, geo: &Geo) -> Option<Tz> {
    let country = geo.countries().get(draft.country)?;
    let there = || {
        let area = geo.builtin_areas().locate(draft.inside?, country.code)?;
        Some(area.zone)
    };
    Some(country.only_zone().or_else(there).unwrap_or_else(|| country.first_zone()))
}

#[cfg(test)]
mod tests {
    use crate::geo::countries::CountryCode;
    use crate::geodata::matching::{bare, source_id};

    #[test]
    fn words_for_the_kind_of_area_do_not_matter() {
        for (left, right) in [
            ("Eastern Province", "Eastern"),
            ("Région de l'Est", "l Est"),
            ("Province du Kasaï-Oriental", "KASAI ORIENTAL"),
        ] {
            assert_eq!(bare(left), bare(right), "{left}");
        }
        assert_eq!(bare("Area"), "area", "a name of such words alone stays");
    }

    #[test]
    fn an_id_of_a_source_names_its_country_once() {
        let country = CountryCode::from_alpha3("SLE").unwrap();
        let id = |code| source_id(country, code).map(|id| id.as_str().to_owned());

        assert_eq!(id("SL0104").as_deref(), Some("SLE-SL0104"));
        assert_eq!(id("SLE-ADM2-3_0_0-B1").as_deref(), Some("SLE-ADM2_3_0_0_B1"));
        assert_eq!(id("23451788B10240127635098").as_deref(), Some("SLE-23451788B10240127635098"));
        assert_eq!(id("--"), None);
    }
}
