//! An outsider asks the whole public API with every filter, of every release there was, subtracts, and bounds every cell and
//! every sum of cells by linear programming. Nothing below five comes out; without folding it does, so that this proves
//! something. `SENTINELLE_ATTACK_SEEDS` is how many more databases `make attack` tries.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bounds;
mod outsider;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use sentinelle::releases::partition::Rule;

use crate::attack::bounds::Answers;
use crate::attack::outsider::ask_everything;
use crate::attack::world::{Dice, World};
use crate::releases::stage::Stage;

/// Nothing below this is to come out.
const K: u64 = 5;

/// Releases a database up to three times, more having come each time, and returns what an outsider can say of cells with few
/// incidents.
fn attack(seed: u64, rule: Rule, n_releases: usize) -> Vec<String> {
    let (stage, mut dice) = (Stage::new(), Dice::new(seed));
    let mut world = World::new(&stage);
    let mut told: Vec<(Answers, BTreeMap<usize, u64>)> = Vec::new();
    let rounds = [(3, 55, "2024-01"), (5, 30, "2024-03"), (5, 12, "2024-03")];
    for (months, chance, until) in rounds.into_iter().take(n_releases) {
        world.grow(&stage, &mut dice, (months, chance));
        let release = stage.publish_under(rule, until);
        let answers = ask_everything(&stage.app.anonymous(), &world, &release);
        assert!(answers.len() > 50, "only {} answers differ", answers.len());
        told.push((answers, world.truth.clone()));
    }
    let targets = targets(&world);
    let mut found = Vec::new();
    for (nth, (answers, truth)) in told.iter().enumerate() {
        found.extend(find(&targets, answers, truth, &format!("release {nth}")));
        for (earlier, (before, truth_before)) in told[..nth].iter().enumerate() {
            let grown = |(cell, n): (&usize, &u64)| {
                (*cell, n - truth_before.get(cell).copied().unwrap_or_default())
            };
            let since = truth.iter().map(grown).collect();
            let what = format!("from release {earlier} to {nth}");
            found.extend(find(&targets, &answers.since(before), &since, &what));
        }
    }
    found
}

/// What an outsider may be after: each cell, and each sum of cells along the axes.
fn targets(world: &World) -> BTreeSet<BTreeSet<usize>> {
    let mut targets = BTreeSet::new();
    for cell in &world.cells {
        for axes in 0..16_u32 {
            let open = |axis: u32| axes & (1 << axis) != 0;
            let theme = cell.category.split('.').next();
            targets.insert(world.choose(|other| {
                other.country == cell.country
                    && (open(0) || other.area == cell.area)
                    && (open(1) || other.month == cell.month)
                    && (open(2) || other.category == cell.category)
                    && (open(3) || other.category.split('.').next() == theme)
            }));
        }
    }
    targets
}

/// Finds sums of one to four incidents of which the answers say that they are one to four, or exactly how many.
fn find(
    targets: &BTreeSet<BTreeSet<usize>>,
    answers: &Answers,
    truth: &BTreeMap<usize, u64>,
    what: &str,
) -> Vec<String> {
    let system = answers.system();
    let mut found = Vec::new();
    for cells in targets {
        let n: u64 = cells.iter().filter_map(|cell| truth.get(cell)).sum();
        if !(1..K).contains(&n) || found.len() > 20 {
            continue;
        }
        let (least, most) = system.bounds(cells);
        let n_certain = f64::from(u32::try_from(K).expect("a small number")) - 0.5;
        if least > 0.5 && most < n_certain {
            found.push(format!("{what}: {n} in {} cells, told as {least} to {most}", cells.len()));
        }
    }
    found
}

#[track_caller]
fn withstand(seed: u64) {
    let found = attack(seed, Rule::STANDARD, 3);

    assert_eq!(found, Vec::<String>::new(), "seed {seed}");
}

#[test]
fn nothing_below_five_comes_out_of_the_first_database() {
    withstand(1);
}

#[test]
fn nothing_below_five_comes_out_of_the_second_database() {
    withstand(2);
}

#[test]
fn nothing_below_five_comes_out_of_the_third_database() {
    withstand(3);
}

#[test]
fn without_folding_small_cells_come_out() {
    let found = attack(1, Rule { k: 1, senders: 1 }, 1);

    assert!(found.len() > 20, "{found:?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "`make attack` says how many")]
fn nothing_below_five_comes_out_of_as_many_databases_as_are_asked_for() {
    let n = std::env::var("SENTINELLE_ATTACK_SEEDS").map_or(0, |n| n.parse().expect("a number"));

    (4..=n).for_each(withstand);
}
