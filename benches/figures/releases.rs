//! Building a release of a million verified incidents, and how much of it is told at full detail.
//!
//! `SENTINELLE_BENCH_RELEASES=100000` measures with another number of incidents.

use std::time::{Duration, Instant};

use diesel::{RunQueryDsl, sql_query};
use sentinelle::auth::accounts::add_user;
use sentinelle::auth::types::{GrantScope, Role};
use sentinelle::releases::acts::{Actor, draft};
use sentinelle::releases::build::Span;
use sentinelle::releases::partition::Rule;
use sentinelle::releases::period::Month;
use sentinelle::releases::store::{find_release, list_atoms};
use sentinelle::releases::types::ReleasedAtom;
use tempfile::TempDir;

use crate::intake::{App, new_database};
use crate::load;
use crate::queue::token;
use crate::table::Table;

/// Each sends a share of the reports.
const N_MONITORS: usize = 40;

#[expect(clippy::disallowed_methods, reason = "a measurement is told its size there")]
fn n_incidents() -> usize {
    let told = std::env::var("SENTINELLE_BENCH_RELEASES").ok();
    told.and_then(|n| n.parse().ok()).unwrap_or(1_000_000)
}

pub(crate) fn measure(table: &mut Table) {
    let sqlite =
        |folder: &TempDir| format!("sqlite://{}", folder.path().join("bench.db").display());
    measure_on(table, "SQLite", &sqlite);
    #[expect(clippy::disallowed_methods, reason = "make bench names its server in the environment")]
    let postgres = std::env::var("SENTINELLE_TEST_POSTGRES_URL");
    match postgres {
        Ok(server) => measure_on(table, "PostgreSQL", &|_| new_database(&server)),
        Err(_) => table.tell("releases, PostgreSQL", "not measured", "run it by `make bench`"),
    }
}

fn measure_on(table: &mut Table, engine: &str, new_url: &dyn Fn(&TempDir) -> String) {
    let app = App::start(new_url, 256, Duration::ZERO);
    let n = n_incidents();
    fill(&app, n);
    let id = add_user(&app.context, "office", Role::Coordinator, vec![GrantScope::All]);
    let actor = Actor { id: id.expect("a user"), now: app.context.clock.now() };
    let span = Span { first: None, last: Month::new(2024, 3).expect("a month") };

    let started_at = Instant::now();
    let id = draft(&app.context, Rule::STANDARD, span, actor).expect("a draft");
    let seconds = started_at.elapsed().as_secs_f64();

    let atoms = app.context.db.read_here(|conn| {
        let release = find_release(conn, id)?.expect("a release");
        list_atoms(conn, release.row_id)
    });
    let atoms = atoms.expect("atoms");
    app.stop();
    let count = |atoms: &mut dyn Iterator<Item = &ReleasedAtom>| -> u64 {
        atoms.filter_map(|atom| atom.incidents).map(u64::from).sum()
    };
    let all = count(&mut atoms.iter());
    let finest = count(&mut atoms.iter().filter(|atom| atom.is_finest()));
    table.tell(
        &format!("releases, {engine}: draft of {n} incidents"),
        format!("{seconds:.1} s"),
        format!("{} figures", atoms.len()),
    );
    table.tell(
        &format!("releases, {engine}: incidents told at full detail, k = 5"),
        format!("{:.1} %", finest as f64 * 100.0 / all.max(1) as f64),
        format!("one area, one month, one category, of {all} that are told"),
    );
}

/// Has the monitors send `n` reports, and verifies them all.
fn fill(app: &App, n: usize) {
    for nth in 0..N_MONITORS {
        let monitor = token(&app.context, &format!("monitor {nth}"), Role::Monitor);
        let (url, n_own) = (format!("http://{}", app.address), n.div_ceil(N_MONITORS));
        load::send_lines(&url, &monitor, &app.context.geo(), n_own);
    }
    let verified = app.context.db.write_here(|tx| {
        Ok(sql_query("UPDATE incidents SET status = 'verified'").execute(tx.conn)?)
    });
    assert!(verified.expect("they are verified") >= n);
}
