//! How likely two incidents are one, and why. Pure, and the same both ways round.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;

use crate::geo::lonlat::LonLat;
use crate::incidents::likely::{Figures, HarmSays, SenderSays, round_distance};
use crate::review::duplicates::told::{Alike, Told};

/// The version of these rules; stored with what they found.
pub const RULES: i16 = 1;
/// From here on two incidents are shown as likely one, in hundredths.
pub const LIKELY: i16 = 60;
/// Days between two incidents beyond which they are not one.
pub const MOST_DAYS: i64 = 3;
/// Metres beyond which two places are not one.
const MOST_METRES: f64 = 25_000.0;

/// What is compared of an incident.
#[derive(Debug, Clone)]
pub struct Account {
    /// Row id.
    pub incident: i64,
    /// Where.
    pub place: Whereabouts,
    /// When.
    pub days: Days,
    /// Leaf codes: those of the incident, or where it has none, what its text seems to tell of.
    pub categories: Vec<String>,
    /// Least and most people by measure.
    pub harm: BTreeMap<String, (i32, i32)>,
    /// Who sent it, as a keyed pseudonym.
    pub submitter: Option<Vec<u8>>,
    /// What it says.
    pub told: Option<Arc<Told>>,
}

/// Where an incident was.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    /// Declared country.
    pub country: String,
    /// First-level area.
    pub admin1: Option<String>,
    /// Second-level area.
    pub admin2: Option<String>,
    /// The nearest known mine, veiled.
    pub site: Option<Vec<u8>>,
    /// Its point, and by how many metres that may be off.
    pub spot: Option<(LonLat, f64)>,
}

/// When an incident was, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// First day it may have been.
    pub first: NaiveDate,
    /// Last day it may have been.
    pub last: NaiveDate,
    /// Its days were told, no coarser than a month.
    pub is_told: bool,
}

/// What came out of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// 0..=100.
    pub score: i16,
    /// Why.
    pub figures: Figures,
}

/// Compares two incidents; `None` where they cannot be one, whatever their texts say.
pub fn compare(one: &Account, other: &Account) -> Option<Comparison> {
    let alike = one.told.as_ref().zip(other.told.as_ref()).and_then(|(a, b)| a.compare(b));
    weigh(one, other, alike)
}

/// Returns the score two incidents have at most, before their texts are opened.
pub fn most(one: &Account, other: &Account) -> i16 {
    let same = Alike { share: 1.0, is_translated: false };
    weigh(one, other, Some(same)).map_or(0, |comparison| comparison.score)
}

/// Where and when say whether they can be one at all; what was told says whether they are.
fn weigh(one: &Account, other: &Account, alike: Option<Alike>) -> Option<Comparison> {
    let (near, distance_m) = weigh_place(one, other)?;
    let (soon, days_apart) = weigh_days(one.days, other.days)?;
    let kind = weigh_categories(&one.categories, &other.categories);
    let harm = weigh_harm(&one.harm, &other.harm);
    let told = [
        (alike.map(|alike| alike.share), 0.5),
        (kind.as_ref().map(|(share, _)| *share), 0.2),
        // Where people harmed are not counted, that would as soon have told them apart.
        harm.map_or((Some(0.45), 0.13), |share| (Some(share), 0.25)),
    ];
    let told = told.into_iter().filter_map(|(share, weight)| Some((share?, weight)));
    let (sum, weights) =
        told.fold((0.0, 0.0), |(sum, all), (share, weight)| (sum + share * weight, all + weight));
    // Of what is told by little one is never sure.
    let content = if weights > 0.0 { sum / weights.max(0.5) } else { 0.0 };
    let same_sender = one.submitter.as_ref().zip(other.submitter.as_ref()).map(|(a, b)| a == b);
    let site = one.place.site.as_ref().zip(other.place.site.as_ref());
    Some(Comparison {
        score: hundredths(near * soon * (0.25 + 0.9 * content).min(1.0)),
        figures: Figures {
            distance_m,
            days_apart,
            categories: kind.map(|(_, shared)| shared).unwrap_or_default(),
            text: alike.map(|alike| hundredths(alike.share)),
            is_translated: alike.is_some_and(|alike| alike.is_translated),
            is_same_site: site.is_some_and(|(a, b)| a == b),
            harm: match harm {
                None => HarmSays::Unknown,
                Some(share) if share >= 0.5 => HarmSays::Agrees,
                Some(_) => HarmSays::Differs,
            },
            sender: match same_sender {
                None => SenderSays::Unknown,
                Some(true) => SenderSays::Same,
                Some(false) => SenderSays::Other,
            },
        },
    })
}

/// How well the places fit, and the distance where both are known.
fn weigh_place(one: &Account, other: &Account) -> Option<(f64, Option<u32>)> {
    let (here, there) = (&one.place, &other.place);
    if let Some(((point, off), (other_point, other_off))) = here.spot.zip(there.spot) {
        let distance_m = point.distance_m(other_point);
        let apart_m = (distance_m - (off + other_off)).max(0.0);
        if apart_m > MOST_METRES {
            return None;
        }
        return Some((by_distance(apart_m), Some(round_distance(distance_m))));
    }
    if here.country != there.country {
        return None;
    }
    let same =
        |a: &Option<String>, b: &Option<String>| a.as_ref().zip(b.as_ref()).map(|(a, b)| a == b);
    let area = match (same(&here.admin2, &there.admin2), same(&here.admin1, &there.admin1)) {
        (_, Some(false)) | (Some(false), _) => return None,
        (Some(true), _) => 0.9,
        (None, Some(true)) => 0.85,
        (None, None) => 0.75,
    };
    let named = one.told.as_ref().zip(other.told.as_ref()).and_then(|(a, b)| a.share_names(b));
    let by_name = match named {
        Some(true) => 0.12,
        // Before the texts are opened they may name the same place.
        None if one.told.is_none() || other.told.is_none() => 0.12,
        None => 0.0,
        Some(false) => -0.15,
    };
    Some((f64::min(area + by_name, 0.97), None))
}

/// A report is rarely written where it happened: some hundred metres say nothing.
fn by_distance(apart_m: f64) -> f64 {
    const STEPS: [(f64, f64); 6] = [
        (0.0, 1.0),
        (1_000.0, 1.0),
        (3_000.0, 0.92),
        (6_000.0, 0.75),
        (12_000.0, 0.45),
        (MOST_METRES, 0.15),
    ];
    let between = STEPS.iter().zip(STEPS.iter().skip(1)).find(|(_, (far_m, _))| apart_m <= *far_m);
    between.map_or(0.0, |((near_m, high), (far_m, low))| {
        high + (low - high) * (apart_m - near_m) / (far_m - near_m)
    })
}

/// How well the days fit, and how many lie between; nothing where they lie too far apart.
fn weigh_days(one: Days, other: Days) -> Option<(f64, Option<u16>)> {
    let gap = (one.first - other.last).num_days().max((other.first - one.last).num_days()).max(0);
    if gap > MOST_DAYS {
        return None;
    }
    if !one.is_told || !other.is_told {
        return Some((0.85, None));
    }
    let is_precise = one.first == one.last && other.first == other.last;
    let soon = match gap {
        0 if is_precise => 1.0,
        0 => 0.9,
        1 => 0.94,
        2 => 0.84,
        _ => 0.74,
    };
    Some((soon, u16::try_from(gap).ok()))
}

/// How well the categories fit, and the codes that both have: leaves, or where they share none, what is above them.
fn weigh_categories(one: &[String], other: &[String]) -> Option<(f64, Vec<String>)> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    for (n_parts, share) in [(3, 1.0), (2, 0.65), (1, 0.25)] {
        let shared = shared_to(one, other, n_parts);
        if !shared.is_empty() {
            return Some((share, shared));
        }
    }
    Some((0.0, Vec::new()))
}

fn shared_to(one: &[String], other: &[String], n_parts: usize) -> Vec<String> {
    let cut = |code: &String| code.split('.').take(n_parts).collect::<Vec<_>>().join(".");
    let (one, other): (BTreeSet<String>, BTreeSet<String>) =
        (one.iter().map(cut).collect(), other.iter().map(cut).collect());
    one.intersection(&other).cloned().collect()
}

/// How well the numbers of people fit, over the measures that both state.
#[expect(clippy::cast_precision_loss, reason = "seven measures")]
fn weigh_harm(
    one: &BTreeMap<String, (i32, i32)>,
    other: &BTreeMap<String, (i32, i32)>,
) -> Option<f64> {
    let both: Vec<f64> =
        one.iter().filter_map(|(measure, range)| Some(fit(*range, *other.get(measure)?))).collect();
    (!both.is_empty()).then(|| both.iter().sum::<f64>() / both.len() as f64)
}

/// People count in a hurry: one more or less, or a quarter, is still about the same.
fn fit((min, max): (i32, i32), (other_min, other_max): (i32, i32)) -> f64 {
    let off = (min - other_max).max(other_min - max).max(0);
    let most = f64::from(max.max(other_max).max(1));
    let share_off = f64::from(off) / most;
    match off {
        0 => 1.0,
        1 if most <= 3.0 => 0.55,
        _ if off == 1 || share_off <= 0.25 => 0.7,
        _ if share_off <= 0.5 => 0.25,
        _ => 0.0,
    }
}

/// Rounds a share of one.
fn hundredths(share: f64) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "0..=100")]
    let hundredths = (share.clamp(0.0, 1.0) * 100.0).round() as i16;
    hundredths
}
