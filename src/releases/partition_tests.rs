use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::releases::axis::{self, ALL};

fn tally(incidents: u32, senders: u32) -> Tally {
    let mut tally = Tally { incidents, ..Tally::default() };
    (0..senders).for_each(|sender| tally.senders.add(sender));
    tally
}

fn root() -> Root {
    Root {
        places: axis::places(["LS-A", "LS-B", "LS-C"]),
        times: axis::times(2024, 1, 12),
        categories: axis::categories([
            "rights.labour",
            "rights.violence",
            "environment.water",
            "environment.land",
            "governance.revenue",
        ]),
    }
}

fn points(cells: &[(&str, &str, &str, u32)]) -> BTreeMap<Point, Tally> {
    let point = |(place, time, category, incidents): &(&str, &str, &str, u32)| {
        let (place, time) = ((*place).to_owned(), (*time).to_owned());
        (Point { place, time, category: (*category).to_owned() }, tally(*incidents, 3))
    };
    cells.iter().map(point).collect()
}

fn told(rule: Rule, cells: &[(&str, &str, &str, u32)]) -> Vec<String> {
    let atoms = divide(rule, &root(), &points(cells));
    let tell = |atom: &Atom| {
        let axes = [&atom.places, &atom.times, &atom.categories].map(|codes| codes.join("+"));
        format!("{} {}", axes.join(" | "), atom.tally.incidents)
    };
    atoms.iter().map(tell).collect()
}

#[test]
fn one_of_rights_and_seven_of_environment_are_eight_of_both() {
    let cells =
        [("LS-A", "2024-03", "rights.labour", 1), ("LS-A", "2024-03", "environment.water", 7)];

    let lines = told(Rule::STANDARD, &cells);
    assert!(lines.contains(&"LS-A | 2024-03 | * 8".to_owned()), "{lines:?}");
    assert!(lines.iter().filter(|line| !line.ends_with(" 0")).count() == 1, "{lines:?}");
}

#[test]
fn a_month_that_is_too_small_is_told_with_another() {
    let cells = [
        ("LS-A", "2024-01", "rights.labour", 8),
        ("LS-A", "2024-02", "rights.labour", 9),
        ("LS-A", "2024-03", "rights.labour", 1),
    ];

    let lines = told(Rule::STANDARD, &cells);

    assert!(lines.contains(&"LS-A | 2024-02 | rights.labour 9".to_owned()), "{lines:?}");
    assert!(
        lines.contains(&"LS-A | 2024-01+2024-03+2024-Q1-XX | rights.labour 9".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn a_country_with_too_few_stays_whole_and_one_with_none_says_so() {
    assert_eq!(
        told(Rule::STANDARD, &[("LS-A", "2024-03", "rights.labour", 4)]),
        ["* | 2024 | * 4"]
    );
    assert_eq!(told(Rule::STANDARD, &[]), ["* | 2024 | * 0"]);
}

#[test]
fn without_a_rule_everything_is_told_as_it_is() {
    let cells =
        [("LS-A", "2024-03", "rights.labour", 1), ("LS-B", "2024-04", "environment.water", 7)];

    let lines = told(Rule { k: 1, senders: 1 }, &cells);

    assert!(lines.contains(&"LS-A | 2024-03 | rights.labour 1".to_owned()), "{lines:?}");
    assert!(lines.contains(&"LS-A | 2024-03 | rights.violence 0".to_owned()), "{lines:?}");
}

#[test]
fn figures_change_by_nothing_or_enough_against_every_release_before() {
    let settled =
        |former: &[Option<u32>], now| settle(Rule::STANDARD, former, &tally(now, 3)).incidents;

    assert_eq!(settled(&[Some(8)], 8), Some(8));
    assert_eq!(settled(&[Some(8)], 12), Some(8), "four more wait");
    assert_eq!(settled(&[Some(8)], 13), Some(13));
    assert_eq!(settled(&[Some(10), Some(15)], 9), Some(15), "one less than the first");
    assert_eq!(settled(&[Some(10), Some(15)], 10), Some(10));
    assert_eq!(settled(&[Some(8)], 3), Some(8), "that there are three or less would be known");
    assert_eq!(settled(&[Some(9)], 4), None, "four are too few to be told");
    assert_eq!(settled(&[Some(9)], 1), None, "and look like four");
    assert_eq!(settled(&[Some(9), None], 9), Some(9));
    assert_eq!(settled(&[Some(9), None], 10), None);
    assert_eq!(settled(&[Some(8)], 0), Some(0));
    assert_eq!(settled(&[Some(0)], 4), Some(0));
    assert_eq!(settled(&[None], 0), None, "that they are gone is not told");
    assert_eq!(settled(&[None], 7), Some(7));
    assert_eq!(settle(Rule::STANDARD, &[Some(0)], &tally(9, 2)).incidents, Some(0), "two senders");
    assert!(settle(Rule::STANDARD, &[Some(8)], &tally(9, 3)).is_kept);
}

fn any_points() -> impl Strategy<Value = BTreeMap<Point, Tally>> {
    let places = vec![axis::NO_AREA, "LS-A", "LS-B", "LS-C"];
    let times =
        vec!["2024-01", "2024-02", "2024-03", "2024-Q1-XX", "2024-04", "2024-11", "2024-XX"];
    let categories =
        vec!["rights.labour", "rights.violence", "environment.water", "governance.revenue"];
    let cell = (
        proptest::sample::select(places),
        proptest::sample::select(times),
        proptest::sample::select(categories),
        1..9_u32,
        proptest::collection::vec(0..6_u32, 1..4),
    );
    proptest::collection::vec(cell, 0..40).prop_map(|cells| {
        let mut points: BTreeMap<Point, Tally> = BTreeMap::new();
        for (place, time, category, incidents, senders) in cells {
            let point = Point { place: place.into(), time: time.into(), category: category.into() };
            let tally = points.entry(point).or_default();
            tally.incidents += incidents;
            for sender in senders {
                tally.senders.add(sender);
            }
        }
        points
    })
}

fn holds(codes: &[String], leaf: &str, whole: &Branch) -> bool {
    fn leaves<'b>(branch: &'b Branch, code: &str, found: &mut Vec<&'b str>) {
        if branch.codes.len() == 1 && branch.codes[0] == code {
            found.extend(branch.list_leaves());
        } else {
            branch.children.iter().for_each(|child| leaves(child, code, found));
        }
    }
    let mut found = Vec::new();
    for code in codes {
        leaves(whole, code, &mut found);
    }
    found.contains(&leaf)
}

proptest! {
    #[test]
    fn every_incident_is_in_one_atom_and_every_atom_keeps_the_rule(points in any_points()) {
        let (rule, root) = (Rule::STANDARD, root());
        let atoms = divide(rule, &root, &points);

        for place in root.places.list_leaves() {
            for time in root.times.list_leaves() {
                for category in root.categories.list_leaves() {
                    let holding = atoms.iter().filter(|atom| {
                        holds(&atom.places, place, &root.places)
                            && holds(&atom.times, time, &root.times)
                            && holds(&atom.categories, category, &root.categories)
                    });
                    prop_assert_eq!(holding.count(), 1, "{} {} {}", place, time, category);
                }
            }
        }
        let counted: u32 = atoms.iter().map(|atom| atom.tally.incidents).sum();
        let sent: u32 = points.values().map(|tally| tally.incidents).sum();
        prop_assert_eq!(counted, sent);
        let is_whole = atoms.len() == 1 && atoms[0].places == [ALL];
        prop_assert!(is_whole || atoms.iter().all(|atom| rule.allows(&atom.tally)));
    }

    #[test]
    fn a_part_without_incidents_never_stands_beside_a_rest(points in any_points()) {
        let atoms = divide(Rule::STANDARD, &root(), &points);

        let quarters: Vec<&Atom> = atoms.iter().filter(|atom| atom.tally.incidents == 0).collect();
        for empty in quarters {
            let beside = atoms.iter().filter(|atom| {
                atom.places == empty.places && atom.times == empty.times && *atom != empty
            });
            // Categories of one place and time: where one is empty and alone, no rest stands beside it.
            let rests = beside.filter(|atom| atom.categories.len() > 1);
            let is_theme_apart = empty.categories.iter().all(|code| code.contains('.'));
            prop_assert!(is_theme_apart || rests.count() == 0);
        }
    }
}
