//! Pages of OGC API Features at a million incidents: the first and the last ones, all of them and those of a filter.
//!
//! `SENTINELLE_BENCH_OGC=100000` measures at another number of incidents.

use std::time::{Duration, Instant};

use sentinelle::auth::types::Role;
use serde_json::Value;
use tempfile::TempDir;

use crate::intake::{App, new_database};
use crate::load;
use crate::queue::token;
use crate::table::{Table, median_ms};

/// Features of a page.
const PAGE: usize = 1_000;
/// What GDAL asks for unless told otherwise.
const SMALL_PAGE: usize = 10;
/// Pages at each end that are told of.
const N_ENDS: usize = 10;

const FILTER: &str = "severity%20%3E%3D%204%20AND%20country%20IN%20('SLE'%2C'COD')%20AND%20S_INTERSECTS(geometry%2CBBOX(-20%2C-10%2C30%2C12))";

pub(crate) fn measure(table: &mut Table) {
    #[expect(clippy::disallowed_methods, reason = "a measurement is told its sizes there")]
    let told = std::env::var("SENTINELLE_BENCH_OGC").ok();
    let n = told.map_or(1_000_000, |text| text.parse().expect("a number"));
    let sqlite =
        |folder: &TempDir| format!("sqlite://{}", folder.path().join("bench.db").display());
    measure_on(table, "SQLite", n, &sqlite);
    #[expect(clippy::disallowed_methods, reason = "make bench names its server in the environment")]
    let postgres = std::env::var("SENTINELLE_TEST_POSTGRES_URL");
    match postgres {
        Ok(server) => measure_on(table, "PostgreSQL", n, &|_| new_database(&server)),
        Err(_) => table.tell("maps, PostgreSQL", "not measured", "run it by `make bench`"),
    }
}

fn measure_on(table: &mut Table, engine: &str, n: usize, new_url: &dyn Fn(&TempDir) -> String) {
    let app = App::start(new_url, 256, Duration::ZERO);
    fill(&app, n);
    let analyst = token(&app.context, "analyst", Role::Analyst);
    let all = format!("http://{}/ogc/collections/incidents/items?status=all", app.address);
    for (what, url) in [("all", all.clone()), ("a CQL2 filter", format!("{all}&filter={FILTER}"))] {
        // The first question loads the columns.
        walk(&format!("{url}&limit=1"), &analyst, 1);
        let (small, _) = walk(&format!("{url}&limit={SMALL_PAGE}"), &analyst, N_ENDS * 5);
        let (pages, n_matched) = walk(&format!("{url}&limit={PAGE}"), &analyst, usize::MAX);
        let (first, last) = ends(&pages);
        let p95 = p95_ms(pages);
        table.tell(
            &format!("maps, {engine}: pages of {PAGE} at {n} incidents, {what}"),
            format!("first {first:.1} ms, last {last:.1} ms, p95 {p95:.1} ms over HTTP"),
            format!("{n_matched} match; pages of {SMALL_PAGE} {:.1} ms", median_ms(small)),
        );
    }
    app.stop();
}

fn fill(app: &App, n: usize) {
    let monitor = token(&app.context, "monitor", Role::Monitor);
    load::send_lines(&format!("http://{}", app.address), &monitor, &app.context.geo(), n);
}

/// Follows `next` for so many pages; returns the time of each in seconds, and how many match.
fn walk(url: &str, analyst: &str, n_pages: usize) -> (Vec<f64>, u64) {
    let agent = ureq::Agent::new_with_defaults();
    let (mut seconds, mut n_matched) = (Vec::new(), 0);
    let mut next = Some(url.to_owned());
    while let Some(url) = next.take().filter(|_| seconds.len() < n_pages) {
        let started_at = Instant::now();
        let mut answer =
            agent.get(&url).header("authorization", analyst).call().expect("an answer");
        let page: Value = serde_json::from_reader(answer.body_mut().as_reader()).expect("JSON");
        seconds.push(started_at.elapsed().as_secs_f64());
        n_matched = page["numberMatched"].as_u64().expect("a number");
        let links = page["links"].as_array().expect("links");
        let link = links.iter().find(|link| link["rel"] == "next");
        next = link.map(|link| link["href"].as_str().expect("an address").to_owned());
    }
    (seconds, n_matched)
}

fn p95_ms(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() * 95 / 100).map_or(0.0, |one| one * 1e3)
}

/// The middle times of the first and of the last pages, in milliseconds.
fn ends(pages: &[f64]) -> (f64, f64) {
    let n = N_ENDS.min(pages.len());
    (median_ms(pages[..n].to_vec()), median_ms(pages[pages.len() - n..].to_vec()))
}
