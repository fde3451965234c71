//! What a million incidents are read by: pages of a map, files, and a release.
//!
//! `SENTINELLE_BENCH_OUTLETS=100000` measures with another number of incidents.

use std::time::Duration;

use tempfile::TempDir;

use crate::intake::{App, new_database};
use crate::table::Table;
use crate::{exports, load, ogc, releases};

/// Each files a share of the reports.
const N_MONITORS: usize = 40;

pub(crate) fn measure(table: &mut Table) {
    #[expect(clippy::disallowed_methods, reason = "a measurement is told its size there")]
    let told = std::env::var("SENTINELLE_BENCH_OUTLETS").ok();
    let n = told.map_or(1_000_000, |text| text.parse().expect("a number"));
    let sqlite =
        |folder: &TempDir| format!("sqlite://{}", folder.path().join("bench.db").display());
    measure_on(table, "SQLite", n, &sqlite);
    #[expect(clippy::disallowed_methods, reason = "make bench names its server in the environment")]
    let postgres = std::env::var("SENTINELLE_TEST_POSTGRES_URL");
    match postgres {
        Ok(server) => measure_on(table, "PostgreSQL", n, &|_| new_database(&server)),
        Err(_) => table.tell("outlets, PostgreSQL", "not measured", "run it by `make bench`"),
    }
}

fn measure_on(table: &mut Table, engine: &str, n: usize, new_url: &dyn Fn(&TempDir) -> String) {
    let app = App::start(new_url, 256, Duration::ZERO);
    load::file(&app.context, n, N_MONITORS);
    ogc::measure_pages(table, engine, &app, n);
    exports::measure_files(table, engine, &app, n);
    releases::measure_draft(table, engine, &app, n);
    app.stop();
}
