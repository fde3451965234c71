//! The figures of the README, measured as ratios within one run: `make bench`, or `make bench PART=intake`.
//! `make bench-words` compares what was suggested with what reviewers decided, in a database of one's own.
//!
//! Each part adds rows to one table. A row with a floor fails the run when its ratio is below; absolute figures are
//! printed and never judged, since they are of this machine and this hour.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a measurement that cannot run must fail, and it prints numbers"
)]

mod accounts;
mod aggregates;
mod audit;
mod duplicates;
mod exports;
mod intake;
mod keys;
mod load;
mod locate;
mod memory;
mod ogc;
mod outlets;
mod packs;
mod places;
mod queue;
mod recognised;
mod releases;
mod search;
mod sign_in;
mod table;
mod visible;
mod words;

use table::Table;

type Part = (&'static str, fn(&mut Table));

const PARTS: [Part; 15] = [
    // First, while no freed memory lies about that its own would take unseen.
    ("places", places::measure),
    ("locate", locate::measure),
    ("packs", packs::measure),
    ("words", words::measure_suggestions),
    ("visible", visible::measure),
    ("aggregates", aggregates::measure),
    ("intake", intake::measure),
    ("queue", queue::measure),
    ("search", search::measure),
    ("outlets", outlets::measure),
    ("duplicates", duplicates::measure),
    ("audit", audit::measure),
    ("sign_in", sign_in::measure),
    ("memory", memory::measure),
    ("keys", keys::measure),
];

fn main() {
    // `cargo bench` passes its own flags along.
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let mut table = Table::default();
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|part| part == name) {
            println!("measuring {name} …");
            measure(&mut table);
        }
    }
    // Needs a database with decisions in it, so it runs only when asked for.
    if wanted.iter().any(|part| part == "decisions") {
        words::compare_decisions(&mut table);
    }
    println!("\n{}", table.markdown());
    let missed = table.count_missed();
    assert!(missed == 0, "{missed} floors missed");
}
