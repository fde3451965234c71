//! Invents reports: which text is told where, when, and what a reviewer made of it.

use std::collections::BTreeSet;

use chrono::{Days, Months, NaiveDate};
use serde_json::Value;

use crate::cli::demo::invented_body::{Telling, write_body};
use crate::cli::demo::narratives::{FILE, Language, Narrative, read_builtin};
use crate::cli::demo::random::SplitMix64;
use crate::taxonomy::error::DataError;

const MONTHS_BACK: Months = Months::new(18);
/// So many days reviewers need: what is younger is mostly still open.
const REVIEW_DAYS: u64 = 30;

/// How often each member country is told of, against the others; a country that is not here counts 5.
const SHARES: [(&str, u32); 10] = [
    ("COD", 16),
    ("SLE", 14),
    ("CAF", 12),
    ("ZWE", 12),
    ("GIN", 10),
    ("CIV", 9),
    ("CMR", 8),
    ("LBR", 8),
    ("BWA", 6),
    ("LSO", 5),
];
const OTHER_SHARE: u32 = 5;

/// Countries whose diamonds come from mines with a plant, and those where people dig by hand or with small machines.
///
/// # Source
/// The kinds of the sites in `src/geo/data/sites.csv` (USGS and others); no site of Côte d'Ivoire is industrial.
const ONLY_INDUSTRIAL: [&str; 2] = ["BWA", "LSO"];
const NEVER_INDUSTRIAL: [&str; 4] = ["CMR", "CAF", "LBR", "CIV"];

/// A town or site near which invented reports may lie.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoPlace {
    /// ISO 3166-1 alpha-3, upper case.
    pub country: String,
    /// The language monitors write in there; a place with two languages is given twice.
    pub language: Language,
    /// WGS84 degrees.
    pub lon: f64,
    /// WGS84 degrees.
    pub lat: f64,
    /// Id of the known site, when the place is one.
    pub site: Option<String>,
}

/// A report to be submitted, and what is to become of it.
#[derive(Debug, Clone, PartialEq)]
pub struct InventedReport {
    /// The body of `POST /v1/reports`.
    pub body: Value,
    /// Nothing when the report stays `received`.
    pub decide: Option<Decision>,
}

/// What a reviewer makes of the incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Codes of the statuses to give one after the other, the first from `received`; at least one.
    pub statuses: Vec<&'static str>,
    /// The reason to give each time, in the language of the report.
    pub reason: &'static str,
}

/// A text with the places where it can be told.
struct Scene<'a> {
    narrative: &'a Narrative,
    places: Vec<&'a DemoPlace>,
}

/// Invents `n` reports of the eighteen months up to `today`; equal arguments give equal reports, ids included.
///
/// # Shape
/// In no order of time. The first sixty are of different leaves, and every country among the places is told of as soon
/// as a text fits it. Points lie up to 8 km from their place, which may be across a border near by.
///
/// # Errors
/// When the file of texts is damaged, or when no text fits any of the places.
pub fn invent(
    seed: u64,
    n: usize,
    places: &[DemoPlace],
    today: NaiveDate,
) -> Result<Vec<InventedReport>, DataError> {
    let narratives = read_builtin()?;
    let scenes: Vec<Scene<'_>> =
        narratives.iter().filter_map(|told| find_scene(told, places)).collect();
    if scenes.is_empty() && n > 0 {
        return Err(DataError::Missing {
            file: FILE,
            detail: format!("no text fits any of the {} places", places.len()),
        });
    }
    let mut random = SplitMix64::new(seed);
    let mut told_leaves = BTreeSet::new();
    let mut told_countries = BTreeSet::new();
    let reports = deal(&mut random, &scenes, n)
        .into_iter()
        .filter_map(|scene| {
            let place = choose_place(&mut random, &scene.places, &mut told_countries)?;
            // A leaf is never told for the first time without its code, so that a demo of some size shows all of them.
            let is_first = told_leaves.insert(scene.narrative.primary());
            let is_categorised = is_first || !random.percent(5);
            Some(invent_one(&mut random, scene.narrative, place, today, is_categorised))
        })
        .collect();
    Ok(reports)
}

fn find_scene<'a>(narrative: &'a Narrative, places: &'a [DemoPlace]) -> Option<Scene<'a>> {
    let places: Vec<&DemoPlace> = places.iter().filter(|place| fits(narrative, place)).collect();
    (!places.is_empty()).then_some(Scene { narrative, places })
}

fn fits(narrative: &Narrative, place: &DemoPlace) -> bool {
    let country = place.country.as_str();
    let fits_mining = match narrative.mining_mode.as_deref() {
        None | Some("none_trade") => true,
        Some("industrial") => !NEVER_INDUSTRIAL.contains(&country),
        Some(_) => !ONLY_INDUSTRIAL.contains(&country),
    };
    fits_mining
        && narrative.language == place.language
        && (narrative.countries.is_empty() || narrative.countries.contains(&place.country))
}

/// Deals scenes like cards from a shuffled deck, one of each leaf before the others; a new deck when it is used up.
fn deal<'a>(random: &mut SplitMix64, scenes: &'a [Scene<'a>], n: usize) -> Vec<&'a Scene<'a>> {
    let mut dealt: Vec<&Scene<'_>> = Vec::new();
    while dealt.len() < n && !scenes.is_empty() {
        let mut deck: Vec<&Scene<'_>> = scenes.iter().collect();
        random.shuffle(&mut deck);
        let mut seen = BTreeSet::new();
        let (firsts, others): (Vec<&Scene<'_>>, Vec<&Scene<'_>>) =
            deck.into_iter().partition(|scene| seen.insert(scene.narrative.primary()));
        dealt.extend(firsts);
        dealt.extend(others);
    }
    dealt.truncate(n);
    dealt
}

/// Chooses the country by its share, then one of its places; a country not yet told of comes first.
fn choose_place<'a>(
    random: &mut SplitMix64,
    places: &[&'a DemoPlace],
    told: &mut BTreeSet<&'a str>,
) -> Option<&'a DemoPlace> {
    let countries: BTreeSet<&str> = places.iter().map(|place| place.country.as_str()).collect();
    let new: Vec<&str> = countries.difference(told).copied().collect();
    let candidates = if new.is_empty() { countries.into_iter().collect() } else { new };
    let weighted: Vec<(u32, &str)> =
        candidates.into_iter().map(|country| (share_of(country), country)).collect();
    let country = random.pick_weighted(&weighted)?;
    told.insert(country);
    let inside: Vec<&DemoPlace> =
        places.iter().copied().filter(|place| place.country == country).collect();
    random.pick(&inside).copied()
}

fn share_of(country: &str) -> u32 {
    SHARES.iter().find(|(code, _)| *code == country).map_or(OTHER_SHARE, |(_, share)| *share)
}

fn invent_one(
    random: &mut SplitMix64,
    narrative: &Narrative,
    place: &DemoPlace,
    today: NaiveDate,
    is_categorised: bool,
) -> InventedReport {
    let days_ago = random.below(days_back(today));
    let telling = Telling {
        narrative,
        place,
        day: today.checked_sub_days(Days::new(days_ago.into())).unwrap_or(today),
        today,
        is_categorised,
    };
    let body = write_body(random, &telling);
    let statuses = choose_statuses(random, u64::from(days_ago) < REVIEW_DAYS, is_categorised);
    let reason = match narrative.language {
        Language::En => "[invented example] decided for the demonstration",
        Language::Fr => "[exemple inventé] décidé pour la démonstration",
    };
    let decide = (!statuses.is_empty()).then(|| Decision { statuses: statuses.to_vec(), reason });
    InventedReport { body, decide }
}

/// Counts the days to draw from, `today` included.
fn days_back(today: NaiveDate) -> u32 {
    let first = today.checked_sub_months(MONTHS_BACK).unwrap_or(today);
    u32::try_from((today - first).num_days()).unwrap_or(0) + 1
}

fn choose_statuses(
    random: &mut SplitMix64,
    is_recent: bool,
    is_categorised: bool,
) -> &'static [&'static str] {
    const OPEN: [(u32, &[&str]); 2] = [(60, &[]), (40, &["in_review"])];
    const ALL: [(u32, &[&str]); 9] = [
        (12, &[]),
        (11, &["in_review"]),
        (35, &["verified"]),
        (19, &["in_review", "verified"]),
        // Corroborated needs two independent reports, and each of these stands alone.
        (8, &["in_review", "needs_information"]),
        (4, &["in_review", "disputed"]),
        (4, &["in_review", "unverifiable"]),
        (4, &["rejected"]),
        (3, &["in_review", "rejected"]),
    ];
    // Without a confirmed category an incident cannot be verified, so what has none waits for its reviewer.
    let is_open = !is_categorised || (is_recent && random.percent(80));
    let choices = if is_open { OPEN.as_slice() } else { ALL.as_slice() };
    random.pick_weighted(choices).unwrap_or(&[])
}
