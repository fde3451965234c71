//! Building a release of verified incidents, and how much of it is told at full detail.

use std::time::Instant;

use diesel::{RunQueryDsl, sql_query};
use sentinelle::auth::accounts::add_user;
use sentinelle::auth::types::{GrantScope, Role};
use sentinelle::releases::acts::{Actor, draft};
use sentinelle::releases::build::Span;
use sentinelle::releases::partition::Rule;
use sentinelle::releases::period::Month;
use sentinelle::releases::store::{find_release, list_atoms};
use sentinelle::releases::types::ReleasedAtom;

use crate::intake::App;
use crate::table::Table;

pub(crate) fn measure_draft(table: &mut Table, engine: &str, app: &App, n: usize) {
    verify_all(app, n);
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

fn verify_all(app: &App, n: usize) {
    let verified = app.context.db.write_here(|tx| {
        Ok(sql_query("UPDATE incidents SET status = 'verified'").execute(tx.conn)?)
    });
    assert!(verified.expect("they are verified") >= n);
}
