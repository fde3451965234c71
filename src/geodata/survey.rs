//! Weighs the areas of a file against what we know of their countries: do they lie there, cover the ground, leave any
//! area of ISO 3166-2 out, hold the known sites.

use std::collections::{BTreeMap, BTreeSet};

use crate::geo::areas::Areas;
use crate::geo::areas::merge::probes;
use crate::geo::countries::CountryCode;
use crate::geo::locate::Geo;
use crate::geo::lonlat::LonLat;
use crate::geo::packs::Level;
use crate::geodata::matching::{Match, Matched, is_iso};
use crate::geodata::refusal::Refusal;

/// More of the areas outside their countries than one in so many, and the file is refused.
const ONE_OUTSIDE_IN: usize = 5;

/// A first level that covers less of a country, in percent, is refused.
const LEAST_COVER_PERCENT: usize = 50;

/// What an import found in one country.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CountryReport {
    /// Alpha-3 code.
    pub country: String,
    /// Areas taken in.
    pub n_areas: usize,
    /// Known by an ISO 3166-2 code in the file.
    pub n_by_code: usize,
    /// Known by name.
    pub n_by_name: usize,
    /// Codes in the form of ISO 3166-2 that are not on our list.
    pub unlisted_codes: Vec<String>,
    /// Areas known by neither code nor name, `id name`; at the second level that is all of them, and none is listed.
    pub unmatched: Vec<String>,
    /// Areas without a name, which go by their code.
    pub unnamed: Vec<String>,
    /// First-level areas of ISO 3166-2 that the file has no shape for, `id name`.
    pub missing: Vec<String>,
    /// Areas that lie in another country or at sea, `id name`.
    pub outside: Vec<String>,
    /// Points of the country's ground in no area, in percent.
    pub gap_percent: usize,
    /// Points of the country's ground in more than one area, in percent.
    pub overlap_percent: usize,
    /// Known sites, and how many lie in an area.
    pub n_sites: usize,
    /// See `n_sites`.
    pub n_sites_inside: usize,
}

/// Refuses a file whose areas do not lie where they say.
pub(crate) fn check_places(areas: &[Matched], geo: &Geo) -> Result<(), Refusal> {
    let misplaced: Vec<(&Matched, LonLat)> = areas
        .iter()
        .filter_map(|matched| Some((matched, matched.inside?)))
        .filter(|(matched, point)| {
            geo.boundaries().country_at(*point) != Some(matched.area.country)
        })
        .collect();
    let is_swapped = |matched: &Matched, point: LonLat| {
        point.swapped().is_some_and(|other| geo.boundaries().is_in(other, matched.area.country))
    };
    let n_swapped = misplaced.iter().filter(|(matched, point)| is_swapped(matched, *point)).count();
    let (Some((first, point)), n_areas) = (misplaced.first(), areas.len()) else {
        return Ok(());
    };
    let (feature, country) = (first.number, first.area.country);
    if n_swapped * 2 > n_areas {
        return Err(Refusal::Axes { n_swapped, n_areas, feature, country });
    }
    if misplaced.len() * ONE_OUTSIDE_IN > n_areas {
        let found = told(geo.boundaries().country_at(*point));
        let n_outside = misplaced.len();
        return Err(Refusal::Elsewhere { n_outside, n_areas, feature, country, found });
    }
    Ok(())
}

/// Returns the words for a country or the lack of one.
pub(crate) fn told(country: Option<CountryCode>) -> String {
    country.map_or_else(|| "no country".to_owned(), |country| country.to_string())
}

/// Says what was found; `drawn` are the areas of the file alone.
///
/// # Errors
/// `Partial`.
pub(crate) fn survey(
    areas: &[Matched],
    drawn: &Areas,
    level: Level,
    geo: &Geo,
) -> Result<Vec<CountryReport>, Refusal> {
    let mut by_country: BTreeMap<CountryCode, Vec<&Matched>> = BTreeMap::new();
    for matched in areas {
        by_country.entry(matched.area.country).or_default().push(matched);
    }
    let mut reports = Vec::new();
    for (country, matched) in by_country {
        let report = report_country(country, &matched, drawn, level, geo);
        let percent = 100_usize.saturating_sub(report.gap_percent);
        if level == Level::Admin1 && percent < LEAST_COVER_PERCENT {
            return Err(Refusal::Partial { country, percent });
        }
        reports.push(report);
    }
    Ok(reports)
}

fn report_country(
    country: CountryCode,
    matched: &[&Matched],
    drawn: &Areas,
    level: Level,
    geo: &Geo,
) -> CountryReport {
    let count = |how: Match| matched.iter().filter(|matched| matched.how == how).count();
    let list = |is_listed: &dyn Fn(&Matched) -> bool| -> Vec<String> {
        let listed = matched.iter().filter(|matched| is_listed(matched));
        listed.map(|matched| format!("{} {}", matched.area.id, matched.area.name_en)).collect()
    };
    let is_first = level == Level::Admin1;
    let (gap_percent, overlap_percent) = measure_cover(country, drawn, geo);
    let sites: Vec<LonLat> = geo
        .sites()
        .iter()
        .filter(|site| site.country == country && site.precision.is_a_place())
        .map(|site| site.point)
        .collect();
    CountryReport {
        country: country.to_string(),
        n_areas: matched.len(),
        n_by_code: count(Match::Code) + count(Match::UnlistedCode),
        n_by_name: count(Match::Name),
        unlisted_codes: list(&|matched| is_first && matched.how == Match::UnlistedCode),
        unmatched: list(&|matched| is_first && matched.how == Match::SourceCode),
        unnamed: list(&|matched| !matched.is_named),
        missing: if is_first { list_missing(country, matched, geo) } else { Vec::new() },
        outside: list(&|matched| {
            matched.inside.is_some_and(|point| geo.boundaries().country_at(point) != Some(country))
        }),
        gap_percent,
        overlap_percent,
        n_sites: sites.len(),
        n_sites_inside: sites
            .iter()
            .filter(|point| drawn.covering(**point, country).is_some())
            .count(),
    }
}

fn list_missing(code: CountryCode, matched: &[&Matched], geo: &Geo) -> Vec<String> {
    let Some(country) = geo.countries().get(code) else {
        return Vec::new();
    };
    let found: BTreeSet<&str> = matched.iter().map(|matched| matched.area.id.as_str()).collect();
    let listed = geo.builtin_areas().in_country(code).filter(|area| is_iso(area, country));
    listed
        .filter(|area| !found.contains(area.id.as_str()))
        .map(|area| format!("{} {}", area.id, area.name_en))
        .collect()
}

/// Returns the share of the country's ground in no area and in more than one, in percent, by points of a grid over its
/// built-in areas.
fn measure_cover(country: CountryCode, drawn: &Areas, geo: &Geo) -> (usize, usize) {
    let (mut n_probes, mut n_none, mut n_several) = (0_usize, 0_usize, 0_usize);
    let known = geo.builtin_areas().polygons().filter(|(area, _)| area.country == country);
    for (area, shape) in known {
        let on_ground = probes(shape).filter(|point| {
            let there = geo.builtin_areas().covering(*point, country);
            there.is_some_and(|there| there.id == area.id)
        });
        for point in on_ground {
            n_probes += 1;
            match drawn.count_covering(point, country) {
                0 => n_none += 1,
                1 => {}
                _ => n_several += 1,
            }
        }
    }
    let percent = |n: usize| (n * 100).div_ceil(n_probes.max(1));
    (percent(n_none), percent(n_several))
}
