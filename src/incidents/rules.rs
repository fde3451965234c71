//! From reports and overrides to facts; from one status to the next. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::incidents::facts::Status;
use crate::incidents::types::{CategoryFact, Facts, Overrides, PlaceFacts, ReportFacts};

/// Flag of an incident without a category.
pub const UNCATEGORISED: &str = "uncategorised";
/// Flag of a time that no sound clock can have told.
pub const CLOCK_IMPLAUSIBLE: &str = "clock_implausible";

/// Returns the facts of an incident from its active reports, the survivor's first; `None` without any.
///
/// Categories are the union, the primary one the survivor's; place, date, country and mining mode are the survivor's;
/// severity is the greatest; harm reaches from the least minimum to the greatest maximum of the reports that state it.
/// A reviewer's override wins over all of them.
pub fn derive_facts(reports: &[ReportFacts], overrides: &Overrides) -> Option<Facts> {
    let survivor = reports.first()?;
    let place = overrides.place.clone().unwrap_or_else(|| survivor.place.clone());
    let categories = categories_of(reports, overrides);
    let flags = flags_of(reports, &place, categories.is_empty());
    Some(Facts {
        span: survivor.span,
        harm: harm_of(reports),
        actors: distinct(
            reports.iter().flat_map(|report| report.codes.actors.iter().map(|actor| &actor.kind)),
        ),
        channels: distinct(reports.iter().map(|report| &report.channel)),
        severity: reports.iter().filter_map(|report| report.codes.severity).max(),
        mining_mode: survivor.codes.mining_mode.clone(),
        n_reports: reports.len(),
        is_test: reports.iter().all(|report| report.codes.is_test),
        is_ongoing: reports.iter().any(|report| report.codes.is_ongoing),
        is_at_risk: reports.iter().any(|report| report.codes.is_at_risk),
        place,
        categories,
        flags,
    })
}

fn categories_of(reports: &[ReportFacts], overrides: &Overrides) -> Vec<CategoryFact> {
    if let Some(confirmed) = &overrides.categories {
        return confirmed
            .iter()
            .map(|code| CategoryFact { code: code.clone(), is_confirmed: true })
            .collect();
    }
    let mut seen = BTreeSet::new();
    let all = reports.iter().flat_map(|report| &report.codes.categories);
    all.filter(|code| seen.insert(code.as_str()))
        .map(|code| CategoryFact { code: code.clone(), is_confirmed: false })
        .collect()
}

fn flags_of(reports: &[ReportFacts], place: &PlaceFacts, is_uncategorised: bool) -> Vec<String> {
    let mut flags: BTreeSet<String> = place.flags.iter().cloned().collect();
    flags.extend(reports.iter().flat_map(|report| report.flags.iter().cloned()));
    if is_uncategorised {
        flags.insert(UNCATEGORISED.to_owned());
    }
    flags.into_iter().collect()
}

fn harm_of(reports: &[ReportFacts]) -> BTreeMap<(String, String), (u32, u32)> {
    let mut harm: BTreeMap<(String, String), (u32, u32)> = BTreeMap::new();
    let mut add = |measure: &str, sex_age: &str, min: u32, max: u32| {
        harm.entry((measure.to_owned(), sex_age.to_owned()))
            .and_modify(|range| *range = (range.0.min(min), range.1.max(max)))
            .or_insert((min, max));
    };
    for (measure, count) in reports.iter().flat_map(|report| &report.codes.harm) {
        add(measure, "", count.min, count.max);
        for (sex_age, part) in &count.by {
            add(measure, sex_age, *part, *part);
        }
    }
    harm
}

fn distinct<'a>(codes: impl Iterator<Item = &'a String>) -> Vec<String> {
    codes.cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Tells whether a reviewer may take an incident from one status to another.
///
/// From `received` and the two waiting ones every decision is open; a decided incident may be decided anew or reopened.
/// `received` is where it begins and nobody sends it back there; the same status again is no decision.
pub fn may_become(from: Status, to: Status) -> bool {
    match to {
        Status::Received => false,
        Status::NeedsInformation => matches!(from, Status::Received | Status::InReview),
        Status::InReview
        | Status::Corroborated
        | Status::Verified
        | Status::Disputed
        | Status::Unverifiable
        | Status::Rejected
        | Status::Withdrawn => from != to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::facts::{DatePrecision, DaySpan};
    use crate::incidents::types::{ActorCode, ReportCodes};
    use crate::intake::types::Count;

    fn report(categories: &[&str], killed: Option<(u32, u32)>, severity: u8) -> ReportFacts {
        let place = PlaceFacts {
            country: "SLE".into(),
            country_computed: Some("SLE".into()),
            admin1: None,
            admin2: None,
            zone: None,
            geo_precision: "country".into(),
            cell5: None,
            place_lon_e6: None,
            place_lat_e6: None,
            cell7_veiled: None,
            site_veiled: None,
            site_distance: None,
            boundary_source: None,
            flags: vec!["near_border".into()],
        };
        let harm =
            killed.map(|(min, max)| ("killed".to_owned(), Count { min, max, by: BTreeMap::new() }));
        let codes = ReportCodes {
            categories: categories.iter().map(|&code| code.to_owned()).collect(),
            harm: harm.into_iter().collect(),
            actors: vec![ActorCode { kind: "state_army".into(), role: None }],
            severity: Some(severity),
            ..ReportCodes::default()
        };
        ReportFacts { place, span: None, flags: vec![], codes, channel: "api".into() }
    }

    #[test]
    fn the_facts_of_two_reports_are_their_union_around_the_survivor() {
        let day = "2024-03-05".parse().expect("a day");
        let mut first = report(&["a.b.c"], Some((2, 2)), 3);
        first.span = Some(DaySpan { first: day, last: day, precision: DatePrecision::Day });
        let mut second = report(&["a.b.d", "a.b.c"], Some((1, 4)), 5);
        second.channel = "sms".into();

        let facts = derive_facts(&[first, second], &Overrides::default()).expect("facts");

        let codes: Vec<&str> =
            facts.categories.iter().map(|category| category.code.as_str()).collect();
        assert_eq!(codes, ["a.b.c", "a.b.d"], "the primary is the survivor's");
        assert_eq!(facts.harm.get(&("killed".into(), String::new())), Some(&(1, 4)));
        assert_eq!((facts.severity, facts.n_reports), (Some(5), 2));
        assert_eq!(facts.channels, ["api", "sms"]);
        assert_eq!(facts.actors, ["state_army"]);
        assert_eq!(facts.first_day(), Some(day));
        assert_eq!(facts.flags, ["near_border"]);
    }

    #[test]
    fn a_measure_that_one_report_leaves_out_is_not_zero_there() {
        let facts = derive_facts(
            &[report(&[], Some((2, 3)), 1), report(&[], None, 1)],
            &Overrides::default(),
        );

        let harm = facts.expect("facts").harm;
        assert_eq!(harm.get(&("killed".into(), String::new())), Some(&(2, 3)));
        assert_eq!(harm.len(), 1, "nobody spoke of the injured");
    }

    #[test]
    fn a_reviewers_categories_win_and_settle_the_flag() {
        let without = derive_facts(&[report(&[], None, 1)], &Overrides::default()).expect("facts");
        let overrides = Overrides { categories: Some(vec!["a.b.c".into()]), place: None };
        let with = derive_facts(&[report(&[], None, 1)], &overrides).expect("facts");

        assert_eq!(without.flags, ["near_border", UNCATEGORISED]);
        assert_eq!(with.flags, ["near_border"]);
        assert_eq!(with.categories, [CategoryFact { code: "a.b.c".into(), is_confirmed: true }]);
    }

    #[test]
    fn an_incident_without_reports_has_no_facts() {
        assert_eq!(derive_facts(&[], &Overrides::default()), None);
    }

    #[test]
    fn every_decided_status_can_be_reopened_and_none_returns_to_received() {
        for from in Status::ALL {
            assert!(!may_become(from, Status::Received), "{from:?}");
            assert!(!may_become(from, from), "{from:?}");
            assert_eq!(may_become(from, Status::InReview), from != Status::InReview, "{from:?}");
        }
        assert!(may_become(Status::Received, Status::Verified));
        assert!(may_become(Status::Withdrawn, Status::Verified), "restoring");
        assert!(!may_become(Status::Verified, Status::NeedsInformation), "reopen it first");
    }
}
