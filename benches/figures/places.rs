//! Names with injected slips, areas of today by several methods, and what the gazetteer costs.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use geo::{BoundingRect, Contains, Geometry, Point};
use sentinelle::geo::areas::{Area, AreaId};
use sentinelle::geo::countries::CountryCode;
use sentinelle::geo::gazetteer::{Found, Gazetteer, Place, PlaceKind, Within};
use sentinelle::geo::locate::Geo;
use sentinelle::geo::lonlat::LonLat;
use sentinelle::geo::names::fold;

use crate::table::Table;

/// A name leads to the right place when it leads this near to it, in metres: one name, one town.
const SAME_PLACE_M: f64 = 5_000.0;

pub(crate) fn measure(table: &mut Table) {
    let geo = Geo::builtin().expect("the built-in places");
    measure_cost(table, &geo);
    measure_names(table, &geo);
    measure_left_out(table, &geo);
    measure_against_shapes(table, &geo);
}

/// A linear congruential generator, the same in every run (Knuth, MMIX).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n.max(1)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slip {
    AsWritten,
    NoAccents,
    CaseAndHyphens,
    OneLetter,
    TwoLetters,
    OtherLanguage,
}

const SLIPS: [Slip; 6] = [
    Slip::AsWritten,
    Slip::NoAccents,
    Slip::CaseAndHyphens,
    Slip::OneLetter,
    Slip::TwoLetters,
    Slip::OtherLanguage,
];

impl Slip {
    fn name(self) -> &'static str {
        match self {
            Slip::AsWritten => "as written",
            Slip::NoAccents => "without accents",
            Slip::CaseAndHyphens => "other case, hyphens, apostrophes",
            Slip::OneLetter => "one letter swapped, dropped, doubled, changed",
            Slip::TwoLetters => "two letters",
            Slip::OtherLanguage => "ou/u, dj/j, tch/ch, k/c",
        }
    }

    fn inject(self, name: &str, dice: &mut Dice) -> String {
        match self {
            Slip::AsWritten => name.to_owned(),
            Slip::NoAccents => fold(name),
            Slip::CaseAndHyphens => {
                let swapped = name.to_uppercase().replace(['-', '’', '\''], " ");
                if dice.roll(2) == 0 { swapped } else { swapped.replace(' ', "-").to_lowercase() }
            }
            Slip::OneLetter => slip(name, dice),
            Slip::TwoLetters => {
                let once = slip(name, dice);
                slip(&once, dice)
            }
            Slip::OtherLanguage => {
                let pairs =
                    [("ou", "u"), ("dj", "j"), ("tch", "ch"), ("k", "c"), ("u", "ou"), ("y", "i")];
                let folded = fold(name);
                let fitting: Vec<_> =
                    pairs.iter().filter(|(written, _)| folded.contains(written)).collect();
                match fitting.get(dice.roll(fitting.len())) {
                    Some((written, other)) => folded.replacen(written, other, 1),
                    None => folded,
                }
            }
        }
    }
}

/// Swaps, drops, doubles or changes one letter, never the first.
fn slip(name: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = 1 + dice.roll(letters.len().saturating_sub(1));
    if at >= letters.len() {
        return name.to_owned();
    }
    match dice.roll(4) {
        0 if at + 1 < letters.len() => letters.swap(at, at + 1),
        0 | 1 => drop(letters.remove(at)),
        2 => letters.insert(at, letters[at]),
        _ => letters[at] = char::from(b'a' + u8::try_from(dice.roll(26)).expect("a letter")),
    }
    letters.into_iter().collect()
}

#[derive(Default)]
struct Tally {
    right: u32,
    told: u32,
    wrong: u32,
    none: u32,
}

impl Tally {
    fn count(&mut self, found: &Found<'_>, place: &Place) {
        let is_it = |found: &Place| {
            found.point.zip(place.point).is_some_and(|(a, b)| a.distance_m(b) <= SAME_PLACE_M)
        };
        match found {
            Found::One(found) if is_it(found) => self.right += 1,
            Found::One(_) => self.wrong += 1,
            Found::Several(places) if places.iter().any(|found| is_it(found)) => self.told += 1,
            Found::Several(_) | Found::Nothing => self.none += 1,
        }
    }

    fn text(&self) -> String {
        let all = f64::from((self.right + self.told + self.wrong + self.none).max(1));
        let share = |n: u32| f64::from(n) / all * 100.0;
        format!(
            "right {:.1} %, among the candidates {:.1} %, wrong {:.1} %, none {:.1} %",
            share(self.right),
            share(self.told),
            share(self.wrong),
            share(self.none)
        )
    }
}

/// Two thousand places, each with every kind of slip; beside it what comparing names as they are would find.
fn measure_names(table: &mut Table, geo: &Geo) {
    let towns: Vec<&Place> =
        geo.gazetteer().iter().filter(|place| place.kind == PlaceKind::Town).collect();
    let mut by_name: BTreeMap<(CountryCode, &str), Vec<&Place>> = BTreeMap::new();
    for town in &towns {
        by_name.entry((town.country, town.name.as_ref())).or_default().push(town);
    }
    let mut dice = Dice(7);
    let sample: Vec<&Place> = (0..2_000).map(|_| towns[dice.roll(towns.len())]).collect();
    for kind in SLIPS {
        let (mut ours, mut in_area, mut plain) =
            (Tally::default(), Tally::default(), Tally::default());
        for place in &sample {
            let written = kind.inject(&place.name, &mut dice);
            let within = Within { country: Some(place.country), area: None };
            ours.count(&geo.find_place(&format!("près de {written}"), within), place);
            let within = Within { area: geo.area_of(place), ..within };
            in_area.count(&geo.find_place(&written, within), place);
            let same = by_name.get(&(place.country, written.as_str()));
            plain.count(&same.map_or(Found::Nothing, |same| settle(same)), place);
        }
        table.tell(
            &format!("2,000 places named in words, {}", kind.name()),
            format!("{}; with the area declared: {}", ours.text(), in_area.text()),
            format!("the same name only: {}", plain.text()),
        );
    }
}

fn settle<'a>(same: &[&'a Place]) -> Found<'a> {
    match same {
        [one] => Found::One(one),
        several => Found::Several(several.to_vec()),
    }
}

/// A way to say which area of today a point of a drawn area is in.
type Method<'a> = (&'static str, Box<dyn Fn(&Area, LonLat, Option<&Place>) -> Option<AreaId> + 'a>);

fn methods(geo: &Geo) -> Vec<Method<'_>> {
    let vote = |drawn: &Area, point: LonLat, left_out: Option<&Place>, k: usize, is_bound: bool| {
        let options: Vec<&AreaId> = geo.areas().cut_from(&drawn.id).map(|area| &area.id).collect();
        if let [only] = options.as_slice() {
            return Some((*only).clone());
        }
        if options.is_empty() {
            return Some(drawn.id.clone());
        }
        let mut votes: BTreeMap<&AreaId, f64> = BTreeMap::new();
        let towns = geo.gazetteer().towns_near(point).filter(|(town, _)| {
            left_out.is_none_or(|left_out| !std::ptr::eq(*town, left_out))
                && town.country == drawn.country
        });
        let labelled = towns
            .filter_map(|(town, distance_m)| Some((town.area.as_ref()?, distance_m)))
            .filter(|(area, _)| !is_bound || options.contains(area));
        for (area, distance_m) in labelled.take(k) {
            *votes.entry(area).or_default() += 1.0 / (distance_m + 500.0).powi(2);
        }
        votes.into_iter().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(area, _)| area.clone())
    };
    let method = |k: usize, is_bound: bool| {
        Box::new(move |drawn: &Area, point: LonLat, left_out: Option<&Place>| {
            vote(drawn, point, left_out, k, is_bound)
        })
    };
    vec![
        (
            "shape only",
            Box::new(|drawn: &Area, _: LonLat, _: Option<&Place>| Some(drawn.id.clone())),
        ),
        ("nearest town", method(1, false)),
        ("5 nearest, weighted", method(5, false)),
        ("nearest in the drawn area (used)", method(1, true)),
        ("5 nearest, weighted, in the drawn area", method(5, true)),
    ]
}

/// Every town whose area the gazetteer is sure of, left out in turn.
fn measure_left_out(table: &mut Table, geo: &Geo) {
    let cases = geo.gazetteer().iter().filter_map(|place| {
        let (point, truth) = (place.point?, place.area.clone()?);
        (place.kind == PlaceKind::Town).then_some((place.country, point, truth, Some(place)))
    });
    let cases: Vec<_> = cases.collect();
    tell_methods(table, geo, "area of today, each town left out in turn", &cases);
}

type Case<'a> = (CountryCode, LonLat, AreaId, Option<&'a Place>);

fn tell_methods(table: &mut Table, geo: &Geo, figure: &str, cases: &[Case<'_>]) {
    let outdated: BTreeSet<CountryCode> = cases
        .iter()
        .map(|(country, ..)| *country)
        // Guinea's regions are put together from drawn prefectures: they should need no towns.
        .filter(|country| {
            geo.areas().source(Some(*country)).is_outdated || country.as_str() == "GIN"
        })
        .collect();
    for country in outdated {
        let here: Vec<_> = cases.iter().filter(|case| case.0 == country).collect();
        let told: Vec<String> = methods(geo)
            .iter()
            .map(|(name, method)| {
                let right = here.iter().filter(|(_, point, truth, left_out)| {
                    let drawn = geo.areas().locate(*point, country);
                    drawn.and_then(|drawn| method(drawn, *point, *left_out)).as_ref() == Some(truth)
                });
                format!("{name} {:.1} %", right.count() as f64 / here.len() as f64 * 100.0)
            })
            .collect();
        table.tell(&format!("{figure}: {country}, {} places", here.len()), told.join(", "), "");
    }
}

/// Villages of the sample in the provinces of Who's On First, which are another source than our shapes and towns.
fn measure_against_shapes(table: &mut Table, geo: &Geo) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let (Some(shapes), Ok(mut sample)) = (
        read_shapes(&folder.join("boundaries/adm1_wof.geojson.gz")),
        csv::Reader::from_path(folder.join("places_sample.csv")),
    ) else {
        table.tell(
            "area of today against Who's On First",
            "not measured",
            "the shapes are not beside the repository",
        );
        return;
    };
    let mut cases: Vec<Case<'_>> = Vec::new();
    for record in sample.records() {
        let record = record.expect("a row");
        let field = |index: usize| record.get(index).unwrap_or_default().to_owned();
        let degrees = |index: usize| field(index).parse::<f64>().expect("degrees");
        let point = LonLat::new(degrees(4), degrees(3)).expect("a point");
        let country = geo.countries().parse(&field(0)).expect("one of ours");
        // Only there has it the areas of today.
        if !["COD", "CIV"].contains(&country.as_str()) {
            continue;
        }
        let at = Point::new(point.lon(), point.lat());
        let found = shapes.iter().find(|(code, shape)| {
            geo.areas().find(code).is_some_and(|area| area.country == country)
                && shape.bounding_rect().is_some_and(|bounds| bounds.contains(&at))
                && shape.contains(&at)
        });
        if let Some(truth) = found.and_then(|(code, _)| AreaId::parse(code)) {
            cases.push((country, point, truth, None));
        }
    }
    tell_methods(table, geo, "area of today of villages against Who's On First", &cases);
    let (mut sure, mut unsure) = ((0, 0), (0, 0));
    for (_, point, truth, _) in &cases {
        let found = geo.locate(*point);
        let tally = if found.is_admin1_unsure { &mut unsure } else { &mut sure };
        tally.0 += u32::from(found.admin1.as_ref() == Some(truth));
        tally.1 += 1;
    }
    table.tell(
        "the same: right without and with the flag admin1_unsure",
        format!("{} of {} and {} of {}", sure.0, sure.1, unsure.0, unsure.1),
        "COD and CIV",
    );
}

fn read_shapes(path: &PathBuf) -> Option<Vec<(String, Geometry)>> {
    let mut json = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).ok()?).read_to_string(&mut json).ok()?;
    let collection: serde_json::Value = serde_json::from_str(&json).ok()?;
    let features = collection["features"].as_array()?.iter();
    let read = |feature: &serde_json::Value| {
        let code = feature["properties"]["code"].as_str()?.to_owned();
        let geometry = &feature["geometry"];
        let polygons = match geometry["type"].as_str()? {
            "Polygon" => vec![polygon(&geometry["coordinates"])?],
            _ => geometry["coordinates"].as_array()?.iter().filter_map(polygon).collect(),
        };
        Some((code, Geometry::MultiPolygon(geo::MultiPolygon(polygons))))
    };
    Some(features.filter_map(read).collect())
}

fn polygon(rings: &serde_json::Value) -> Option<geo::Polygon> {
    let ring = |ring: &serde_json::Value| -> Option<geo::LineString> {
        let points = ring.as_array()?.iter();
        Some(points.filter_map(|at| Some((at[0].as_f64()?, at[1].as_f64()?))).collect())
    };
    let mut rings = rings.as_array()?.iter().filter_map(ring);
    Some(geo::Polygon::new(rings.next()?, rings.collect()))
}

fn measure_cost(table: &mut Table, geo: &Geo) {
    // The first takes memory that reading left behind; the others show what one keeps.
    let load = || {
        Gazetteer::builtin(geo.countries(), geo.areas(), geo.sites()).expect("the built-in places")
    };
    let gazetteer = load();
    let before = resident_kib();
    let started_at = Instant::now();
    let more: Vec<Gazetteer> = (0..4).map(|_| load()).collect();
    let load_ms = started_at.elapsed().as_secs_f64() * 1e3 / 4.0;
    let kib = resident_kib().saturating_sub(before) / 4;
    black_box(more.iter().map(|gazetteer| gazetteer.iter().count()).sum::<usize>());
    table.tell(
        "gazetteer: memory and time to load",
        format!("{:.1} MiB, {load_ms:.0} ms", kib as f64 / 1024.0),
        format!("{} places", gazetteer.iter().count()),
    );
    let towns: Vec<&Place> =
        geo.gazetteer().iter().filter(|place| place.kind == PlaceKind::Town).collect();
    let mut dice = Dice(11);
    let sample: Vec<&Place> = (0..20_000).map(|_| towns[dice.roll(towns.len())]).collect();
    let mut rate = |kind: Slip, around: &str| {
        let texts: Vec<(String, CountryCode)> = sample
            .iter()
            .map(|place| {
                (format!("{around}{}", kind.inject(&place.name, &mut dice)), place.country)
            })
            .collect();
        let started_at = Instant::now();
        for (text, country) in &texts {
            black_box(geo.find_place(text, Within { country: Some(*country), area: None }));
        }
        started_at.elapsed().as_secs_f64() * 1e6 / texts.len() as f64
    };
    let (exact, phrase, slipped) = (
        rate(Slip::AsWritten, ""),
        rate(Slip::NoAccents, "dans le village, à 5 km de "),
        rate(Slip::TwoLetters, "près de "),
    );
    table.tell(
        "look-up of a place in words",
        format!(
            "{exact:.1} µs as written, {phrase:.1} µs in a phrase, {slipped:.1} µs with two slips"
        ),
        "one core",
    );
    let prefixes: Vec<String> =
        sample.iter().take(2_000).map(|place| place.name.chars().take(3).collect()).collect();
    let started_at = Instant::now();
    for prefix in &prefixes {
        black_box(geo.gazetteer().suggest(prefix, None, 10));
    }
    let micros = started_at.elapsed().as_secs_f64() * 1e6 / prefixes.len() as f64;
    table.tell(
        "suggestions for three letters, all countries",
        format!("{micros:.0} µs"),
        "one core",
    );
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
