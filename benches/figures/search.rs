//! Text search: how fast sealed words are opened and matched, and how long a search takes at ten thousand and at a hundred
//! thousand reports in scope.
//!
//! `SENTINELLE_BENCH_SEARCH=1000,5000` measures at other numbers of reports.

use std::time::Instant;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::aggregates::candidates::Reach;
use sentinelle::aggregates::query::{Rights, Scope, Selector};
use sentinelle::auth::types::Role;
use sentinelle::context::Context;
use sentinelle::db::schema::reports;
use sentinelle::ids::ReportId;
use sentinelle::incidents::facts::Status;
use sentinelle::incidents::filter::IncidentFilter;
use sentinelle::incidents::opening::open_text_and_place;
use sentinelle::incidents::search::query::TextQuery;
use sentinelle::incidents::search::texts::SealedReport;
use sentinelle::incidents::search::{Candidates, scan};
use serde_json::Value;
use tempfile::TempDir;

use crate::intake::{App, new_database};
use crate::queue::{start_with, token};
use crate::table::{Table, median_ms};

/// Times each search is asked for.
const N_ROUNDS: usize = 5;
/// Reports opened one at a time, for comparison.
const N_SINGLE: i64 = 2_000;
/// A word of many of the demo's texts in both languages, in other forms too.
const QUERY: &str = "mine";

pub(crate) fn measure(table: &mut Table) {
    #[expect(clippy::disallowed_methods, reason = "a measurement is told its sizes there")]
    let told = std::env::var("SENTINELLE_BENCH_SEARCH").ok();
    let told = told.map(|text| text.split(',').map(|n| n.parse().expect("a number")).collect());
    let sizes: Vec<usize> = told.unwrap_or_else(|| vec![10_000, 100_000]);
    let sqlite =
        |folder: &TempDir| format!("sqlite://{}", folder.path().join("bench.db").display());
    #[expect(clippy::disallowed_methods, reason = "make bench names its server in the environment")]
    let postgres = std::env::var("SENTINELLE_TEST_POSTGRES_URL");
    for n in sizes {
        measure_on(table, "SQLite", n, &sqlite);
        match &postgres {
            Ok(server) => measure_on(table, "PostgreSQL", n, &|_| new_database(server)),
            Err(_) => table.tell("search, PostgreSQL", "not measured", "run it by `make bench`"),
        }
    }
}

fn measure_on(table: &mut Table, engine: &str, n: usize, new_url: &dyn Fn(&TempDir) -> String) {
    let app = start_with(new_url, n);
    let (by_http, n_found) = search_over_http(&app);
    let query = TextQuery::parse(QUERY).expect("a query");
    let candidates = list_all(&app.context);
    assert_eq!(candidates.n_reports, n as u64);
    let mut size_bytes = 0;
    let seconds: Vec<f64> = (0..N_ROUNDS)
        .map(|_| {
            size_bytes = 0;
            let started_at = Instant::now();
            let count = |window: &[SealedReport]| {
                size_bytes += window.iter().map(size_of_words).sum::<usize>();
                true
            };
            let found = app
                .context
                .db
                .read_here(|conn| scan(conn, &app.context.sealer, &query, &candidates, count));
            assert_eq!(found.expect("a search").expect("to its end").ids().len(), n_found);
            started_at.elapsed().as_secs_f64()
        })
        .collect();
    let scan_s = median_ms(seconds) / 1e3;
    let single = open_singly(&app.context);
    let (per_second, mb) = (n as f64 / scan_s, size_bytes as f64 / 1e6);
    table.tell(
        &format!("search, {engine}: q over {n} reports in scope"),
        format!("{by_http:.0} ms over HTTP, first page of 100 of {n_found}"),
        format!("{:.1} MB/s of sealed words opened and matched", mb / scan_s),
    );
    table.judge(
        &format!(
            "search, {engine}: {n} reports opened and matched in windows, against one at a time"
        ),
        format!("{per_second:.0} reports/s"),
        format!("{single:.0} reports/s, opened alone"),
        (per_second / single, 1.0),
    );
    app.stop();
}

fn size_of_words(report: &SealedReport) -> usize {
    report.text.iter().chain(&report.place).map(|part| part.blob.len()).sum()
}

/// Returns the middle time in milliseconds, and how many incidents were found.
fn search_over_http(app: &App) -> (f64, usize) {
    let reviewer = token(&app.context, "reviewer", Role::Reviewer);
    let agent = ureq::Agent::new_with_defaults();
    let url =
        format!("http://{}/v1/incidents?status=all&include=test,mismatch&q={QUERY}", app.address);
    let mut n_found = 0;
    let mut ask = || {
        let started_at = Instant::now();
        let mut answer =
            agent.get(&url).header("authorization", &reviewer).call().expect("an answer");
        let page: Value = serde_json::from_reader(answer.body_mut().as_reader()).expect("JSON");
        n_found = usize::try_from(page["total"].as_u64().expect("a number")).expect("a number");
        started_at.elapsed().as_secs_f64()
    };
    ask();
    let seconds = (0..N_ROUNDS).map(|_| ask()).collect();
    (median_ms(seconds), n_found)
}

fn list_all(context: &Context) -> Candidates {
    let filter = IncidentFilter {
        statuses: Status::ALL.to_vec(),
        include_test: true,
        include_mismatch: true,
        ..IncidentFilter::default()
    };
    let listed = context.db.read_here(|conn| {
        context.live.read(conn, &context.keys.place_veil(), |columns, _| {
            let selector =
                Selector::new(&filter, &Scope::All, Rights::default(), columns.reference());
            Ok(columns.list_candidates(&selector.expect("a selector"), Reach::Listed))
        })
    });
    listed.expect("the columns")
}

/// Opens reports as `GET /v1/reports/{id}` does; returns how many a second.
fn open_singly(context: &Context) -> f64 {
    let ids: Vec<ReportId> = context
        .db
        .read_here(|conn| {
            let ids = reports::table.order(reports::id.asc()).limit(N_SINGLE);
            Ok(ids.select(reports::uuid).load(conn)?)
        })
        .expect("ids");
    let started_at = Instant::now();
    let opened = context.db.read_here(|conn| {
        let open = |id: &ReportId| open_text_and_place(conn, &context.sealer, (*id, 1));
        ids.iter().map(open).collect::<Result<Vec<Value>, _>>()
    });
    opened.expect("every one opens").len() as f64 / started_at.elapsed().as_secs_f64()
}
