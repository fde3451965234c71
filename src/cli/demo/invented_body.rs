//! Writes one invented report as the JSON that a monitor's phone would send.

use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};
use uuid::{Builder, Uuid};

use crate::cli::demo::invent::DemoPlace;
use crate::cli::demo::narratives::{Harm, Language, Narrative};
use crate::cli::demo::random::SplitMix64;

const MAX_JITTER_KM: f64 = 8.0;
/// Of a great circle on a sphere with the mean radius of the earth, 6371.0 km (IUGG).
const KM_PER_DEGREE: f64 = 111.195;
/// About a metre.
const COORDINATE_STEPS_PER_DEGREE: f64 = 100_000.0;

/// What is told, where and when.
pub(crate) struct Telling<'a> {
    pub(crate) narrative: &'a Narrative,
    pub(crate) place: &'a DemoPlace,
    /// The day it happened, not after `today`.
    pub(crate) day: NaiveDate,
    pub(crate) today: NaiveDate,
    /// Whether the monitor picked the categories or left them to the classifier.
    pub(crate) is_categorised: bool,
}

/// Returns the body of `POST /v1/reports`; what is not known is left out.
pub(crate) fn write_body(random: &mut SplitMix64, telling: &Telling<'_>) -> Value {
    let narrative = telling.narrative;
    let actors: Vec<Value> = narrative
        .actors
        .iter()
        .map(|actor| json!({"type": actor.kind, "role": actor.role}))
        .collect();
    let mut body = json!({
        "id": write_id(random),
        "occurred": write_occurred(random, telling),
        "location": write_location(random, telling.place),
        "categories": telling.is_categorised.then_some(&narrative.categories),
        "narrative": write_narrative(narrative),
        "language": narrative.language.as_str(),
        "harm": write_harm(&narrative.harm),
        "actors": (!actors.is_empty()).then_some(actors),
        "mining_mode": narrative.mining_mode,
        "source": write_source(random, narrative),
        "ongoing": narrative.ongoing,
    });
    if let Value::Object(fields) = &mut body {
        fields.retain(|_, value| !value.is_null());
    }
    body
}

/// Sets the bits of a random UUID (version 4) over drawn ones.
fn write_id(random: &mut SplitMix64) -> Uuid {
    let drawn = Uuid::from_u64_pair(random.next_u64(), random.next_u64());
    Builder::from_random_bytes(drawn.into_bytes()).into_uuid()
}

fn write_narrative(narrative: &Narrative) -> String {
    let (where_word, mark) = match narrative.language {
        Language::En => ("Place:", "[invented example]"),
        Language::Fr => ("Lieu :", "[exemple inventé]"),
    };
    let text = narrative.text.as_str();
    match &narrative.place_hint {
        None => format!("{text} {mark}"),
        Some(hint) if text.ends_with(['.', '!', '?']) => {
            format!("{text} {where_word} {hint}. {mark}")
        }
        Some(hint) => format!("{text}. {where_word} {hint}. {mark}"),
    }
}

/// Mostly a day; some instants with offset, months and ranges (`2026-03-02/2026-03-05`); a few are not known.
fn write_occurred(random: &mut SplitMix64, telling: &Telling<'_>) -> Option<String> {
    let day = telling.day;
    match random.below(100) {
        0..3 => None,
        3..10 => Some(day.format("%Y-%m").to_string()),
        10..15 => {
            let length = Days::new(u64::from(2 + random.below(9)));
            let first = day.checked_sub_days(length).unwrap_or(day);
            Some(format!("{first}/{day}"))
        }
        15..30 => Some(write_instant(random, telling)),
        _ => Some(day.to_string()),
    }
}

/// An instant of the day before at the latest: at some hour `today` is not over.
fn write_instant(random: &mut SplitMix64, telling: &Telling<'_>) -> String {
    let yesterday = telling.today.pred_opt().unwrap_or(telling.today);
    let day = telling.day.min(yesterday);
    let (hour, minute) = (random.below(24), random.below(12) * 5);
    let offset = offset_of(telling.place);
    format!("{day}T{hour:02}:{minute:02}:00{offset}")
}

/// Returns the offset a phone shows there; none of the member countries has summer time.
///
/// # Source
/// IANA time zones of `countries.csv`. The Congo has two, whose border is taken at 20.5 degrees east: near enough for
/// inventing.
fn offset_of(place: &DemoPlace) -> &'static str {
    match place.country.as_str() {
        "BWA" | "ZWE" | "LSO" => "+02:00",
        "COD" if place.lon >= 20.5 => "+02:00",
        "COD" | "CMR" | "CAF" => "+01:00",
        _ => "+00:00",
    }
}

fn write_location(random: &mut SplitMix64, place: &DemoPlace) -> Value {
    let country = &place.country;
    if random.percent(7) {
        return json!({"country": country});
    }
    if let Some(site) = place.site.as_ref().filter(|_| random.percent(25)) {
        return json!({"country": country, "site": site});
    }
    let (east_km, north_km) = draw_jitter(random);
    let lat = place.lat + north_km / KM_PER_DEGREE;
    let lon = place.lon + east_km / (KM_PER_DEGREE * place.lat.to_radians().cos());
    json!({"country": country, "lat": round(lat), "lon": round(lon)})
}

/// Draws a point inside the circle of `MAX_JITTER_KM`.
fn draw_jitter(random: &mut SplitMix64) -> (f64, f64) {
    loop {
        let (east, north) = (random.signed_unit(), random.signed_unit());
        if east.hypot(north) <= 1.0 {
            return (east * MAX_JITTER_KM, north * MAX_JITTER_KM);
        }
    }
}

fn round(degrees: f64) -> f64 {
    (degrees * COORDINATE_STEPS_PER_DEGREE).round() / COORDINATE_STEPS_PER_DEGREE
}

fn write_harm(harm: &[Harm]) -> Option<Value> {
    let counts: Map<String, Value> = harm
        .iter()
        .map(|harm| {
            let count = if harm.min == harm.max {
                json!(harm.min)
            } else {
                json!({"min": harm.min, "max": harm.max})
            };
            (harm.measure.clone(), count)
        })
        .collect();
    (!counts.is_empty()).then_some(Value::Object(counts))
}

fn write_source(random: &mut SplitMix64, narrative: &Narrative) -> Value {
    let is_good = narrative.actors.iter().any(|actor| actor.role == "good_practice_actor");
    let is_danger = narrative.primary().starts_with("rights.") && !is_good;
    let at_risk = random.percent(if is_danger { 30 } else { 4 });
    let may_be_named = !at_risk && random.percent(15);
    let consent = if may_be_named {
        Some("share_identified")
    } else {
        random.pick_weighted(&[(60, "share_anonymised"), (25, "internal_use"), (15, "none")])
    };
    json!({
        "type": choose_source_type(random, narrative, is_good),
        "reliability": random.pick_weighted(&[(8, "A"), (38, "B"), (28, "C"), (9, "D"), (2, "E"), (15, "F")]),
        "consent": consent,
        "at_risk": at_risk,
    })
}

fn choose_source_type(
    random: &mut SplitMix64,
    narrative: &Narrative,
    is_good: bool,
) -> Option<&'static str> {
    const ANY: [(u32, &str); 6] = [
        (32, "monitor_observation"),
        (26, "witness"),
        (18, "community_leader"),
        (10, "ngo_cso"),
        (8, "relative_colleague"),
        (6, "other_unknown"),
    ];
    // Somebody is hurt and nobody is dead or missing: the victim can have told it.
    let has_speaking_victim = !narrative.harm.is_empty()
        && narrative.harm.iter().all(|harm| !matches!(harm.measure.as_str(), "killed" | "missing"));
    if is_good && random.percent(30) {
        return random.pick_weighted(&[(1, "official"), (1, "company"), (1, "document")]);
    }
    if has_speaking_victim && random.percent(35) {
        return Some("victim");
    }
    random.pick_weighted(&ANY)
}
