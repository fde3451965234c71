//! From reports and overrides to facts; from one status to the next. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::geo::geotag::Flag;
use crate::incidents::facts::Status;
use crate::incidents::types::{
    CategoryFact, Facts, Overrides, PlaceFacts, ReportFacts, SettledDays,
};
use crate::intake::types::Count;

/// Flag of an incident without a category.
pub const UNCATEGORISED: &str = "uncategorised";
/// Flag of a time that no sound clock can have told.
pub const CLOCK_IMPLAUSIBLE: &str = "clock_implausible";
/// Flag of an incident whose sender corrected a report after a reviewer had decided; the next decision lowers it.
pub const REVISED_AFTER_DECISION: &str = "revised_after_decision";
/// Flag of an incident of which one report was withdrawn while others stay; the next decision lowers it.
pub const REPORT_WITHDRAWN: &str = "report_withdrawn";

/// Flag of an incident of which a sender answered a question; the next decision lowers it.
pub const ANSWERED: &str = "answered";

/// Returns the facts of an incident from its active reports, the survivor's first; `None` without any.
///
/// Categories are the union, the primary one the survivor's; place, date, country and mining mode are the survivor's;
/// severity is the greatest; harm reaches from the least minimum to the greatest maximum of the reports that state it.
/// A reviewer's override of a field wins over all of them.
pub fn derive_facts(reports: &[ReportFacts], overrides: &Overrides) -> Option<Facts> {
    let survivor = reports.first()?;
    let place = overrides.place.clone().unwrap_or_else(|| survivor.place.clone());
    let categories = categories_of(reports, overrides);
    let flags = flags_of(reports, &place, overrides.days, categories.is_empty());
    let actors = reports.iter().flat_map(|report| &report.codes.actors).map(|actor| &actor.kind);
    let severity = reports.iter().filter_map(|report| report.codes.severity).max();
    let mining_mode = overrides.mining_mode.as_ref().or(survivor.codes.mining_mode.as_ref());
    let is_test = reports.iter().all(|report| report.codes.is_test);
    Some(Facts {
        span: overrides.days.map_or(survivor.span, |days| Some(days.span)),
        harm: match &overrides.harm {
            Some(harm) => harm_of(harm.iter()),
            None => harm_of(reports.iter().flat_map(|report| &report.codes.harm)),
        },
        actors: match &overrides.actors {
            Some(actors) => distinct(actors.iter()),
            None => distinct(actors),
        },
        channels: distinct(reports.iter().map(|report| &report.channel)),
        severity: overrides.severity.or(severity),
        mining_mode: mining_mode.cloned(),
        n_reports: reports.len(),
        is_test: overrides.is_test.unwrap_or(is_test),
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

fn flags_of(
    reports: &[ReportFacts],
    place: &PlaceFacts,
    days: Option<SettledDays>,
    is_uncategorised: bool,
) -> Vec<String> {
    let mut flags: BTreeSet<String> = place.flags.iter().cloned().collect();
    flags.extend(reports.iter().flat_map(|report| report.flags.iter().cloned()));
    if let Some(days) = days {
        // What a reviewer told settles what the clock of a phone said.
        if days.is_told {
            flags.remove(CLOCK_IMPLAUSIBLE);
        }
        if days.is_zone_assumed {
            flags.insert(Flag::ZoneAssumed.as_str().to_owned());
        }
    }
    if is_uncategorised {
        flags.insert(UNCATEGORISED.to_owned());
    }
    flags.into_iter().collect()
}

fn harm_of<'a>(
    counts: impl Iterator<Item = (&'a String, &'a Count)>,
) -> BTreeMap<(String, String), (u32, u32)> {
    let mut harm: BTreeMap<(String, String), (u32, u32)> = BTreeMap::new();
    let mut add = |measure: &str, sex_age: &str, min: u32, max: u32| {
        harm.entry((measure.to_owned(), sex_age.to_owned()))
            .and_modify(|range| *range = (range.0.min(min), range.1.max(max)))
            .or_insert((min, max));
    };
    for (measure, count) in counts {
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
        let overrides =
            Overrides { categories: Some(vec!["a.b.c".into()]), ..Overrides::default() };
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
    fn a_reviewers_word_on_a_field_wins_and_leaves_the_others() {
        let day = "2024-03-31".parse().expect("a day");
        let span = DaySpan { first: day, last: day, precision: DatePrecision::Day };
        let mut told = report(&["a.b.c"], Some((2, 2)), 5);
        told.flags = vec![CLOCK_IMPLAUSIBLE.to_owned()];
        let count = Count { min: 1, max: 3, by: BTreeMap::new() };
        let overrides = Overrides {
            days: Some(SettledDays { span, is_zone_assumed: true, is_told: true }),
            harm: Some(BTreeMap::from([("injured".to_owned(), count)])),
            actors: Some(vec!["mob".to_owned(), "mob".to_owned()]),
            severity: Some(2),
            mining_mode: Some("artisanal".to_owned()),
            is_test: Some(true),
            ..Overrides::default()
        };

        let facts = derive_facts(&[told], &overrides).expect("facts");

        assert_eq!(facts.span, Some(span));
        let injured = (("injured".to_owned(), String::new()), (1, 3));
        assert_eq!(facts.harm, BTreeMap::from([injured]), "no killed: it says all there is");
        assert_eq!(facts.actors, ["mob"]);
        assert_eq!((facts.severity, facts.is_test), (Some(2), true));
        assert_eq!(facts.mining_mode.as_deref(), Some("artisanal"));
        assert_eq!(facts.flags, ["near_border", "zone_assumed"], "the clock is settled");
        assert_eq!(facts.categories.len(), 1, "nobody spoke of them");
    }

    #[test]
    fn every_status_leads_where_the_table_says() {
        use Status::{
            Corroborated, Disputed, InReview, NeedsInformation, Received, Rejected, Unverifiable,
            Verified, Withdrawn,
        };
        let decided =
            [InReview, Corroborated, Verified, Disputed, Unverifiable, Rejected, Withdrawn];
        let but = |own: Status| decided.iter().copied().filter(move |to| *to != own);
        let table: [(Status, Vec<Status>, &str); 9] = [
            (Received, [NeedsInformation].into_iter().chain(but(Received)).collect(), "straight"),
            (InReview, [NeedsInformation].into_iter().chain(but(InReview)).collect(), "asked back"),
            (NeedsInformation, but(NeedsInformation).collect(), "the answer came, or never will"),
            (Corroborated, but(Corroborated).collect(), "reopen before asking back"),
            (Verified, but(Verified).collect(), "reopen before asking back"),
            (Disputed, but(Disputed).collect(), "reopen before asking back"),
            (Unverifiable, but(Unverifiable).collect(), "reopen before asking back"),
            (Rejected, but(Rejected).collect(), "reopen before asking back"),
            (Withdrawn, but(Withdrawn).collect(), "restored; without a report the store refuses"),
        ];

        assert_eq!(table.iter().map(|(from, ..)| *from).collect::<Vec<_>>(), Status::ALL);
        for (from, right, reason) in table {
            for to in Status::ALL {
                assert_eq!(
                    may_become(from, to),
                    right.contains(&to),
                    "{from:?} to {to:?}: {reason}"
                );
            }
        }
    }
}
