//! The audit log: how fast a million entries are appended and verified.

use std::time::Instant;

use sentinelle::audit::Entry;
use sentinelle::audit::act::Act;
use sentinelle::audit::verify::verify;
use sentinelle::clock::Clock;
use sentinelle::config::StoreConfig;
use sentinelle::context::Context;
use sentinelle::db::dialect::snapshot;
use sentinelle::ids::{ReportId, UserId};
use tempfile::TempDir;

use crate::intake::new_database;
use crate::table::Table;

const N_ENTRIES: usize = 1_000_000;
/// Entries of one transaction.
const N_TOGETHER: usize = 1_000;

pub(crate) fn measure(table: &mut Table) {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk");
    let file = format!("sqlite://{}", folder.path().join("bench.db").display());
    measure_on(table, "SQLite", &folder, file);
    #[expect(clippy::disallowed_methods, reason = "make bench names its server in the environment")]
    let postgres = std::env::var("SENTINELLE_TEST_POSTGRES_URL");
    match postgres {
        Ok(server) => {
            let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
            measure_on(table, "PostgreSQL", &folder, new_database(&server));
        }
        Err(_) => table.tell("audit, PostgreSQL", "not measured", "run it by `make bench`"),
    }
}

fn measure_on(table: &mut Table, engine: &str, folder: &TempDir, url: String) {
    let store = StoreConfig { database_url: Some(url), ..StoreConfig::in_folder(folder.path()) };
    let context = Context::open(&store, Clock::system(), &mut |_| {}).expect("the context");
    let started_at = Instant::now();
    for n in 0..N_ENTRIES / N_TOGETHER {
        let entries = (0..N_TOGETHER).map(|i| entry(&context, n * N_TOGETHER + i));
        let entries: Vec<Entry> = entries.collect();
        let written = context.db.write_here(move |tx| {
            for entry in entries {
                tx.record(entry);
            }
            Ok(())
        });
        written.expect("entries");
    }
    let append_s = started_at.elapsed().as_secs_f64();
    let started_at = Instant::now();
    let verdict = context
        .db
        .read_here(|conn| snapshot(conn, |conn| verify(conn, &context.auditor, &[], &mut |_| {})));
    let verify_s = started_at.elapsed().as_secs_f64();
    let verdict = verdict.expect("a verdict");
    assert!(verdict.is_sound && verdict.n_entries == N_ENTRIES as u64, "{:?}", verdict.faults);
    let rate = |seconds: f64| format!("{:.0} entries/s", N_ENTRIES as f64 / seconds);
    table.tell(
        &format!("audit, {engine}: verify {N_ENTRIES} entries"),
        format!("{verify_s:.1} s"),
        format!("{}; appended at {}", rate(verify_s), rate(append_s)),
    );
}

/// Mostly what intake leaves, and now and then what a person does.
fn entry(context: &Context, n: usize) -> Entry {
    let now = context.clock.now();
    if n.is_multiple_of(8) {
        let reviewer = UserId::from_uuid(uuid::Uuid::from_u128(n as u128 % 64));
        let opened = Entry::new(Act::OpenedReport, ReportId::random(), now);
        return opened.by(Some(reviewer)).within("SLE", Some("GIN"));
    }
    Entry::new(Act::ReceivedReport, ReportId::random(), now).detail("odk").within("SLE", None)
}
