//! Pages of OGC API Features: the first and the last ones, of all incidents and of those of a filter.

use std::time::Instant;

use sentinelle::auth::types::Role;
use serde_json::Value;

use crate::intake::App;
use crate::queue::token;
use crate::table::{Table, median_ms};

/// Features of a page.
const PAGE: usize = 1_000;
/// What GDAL asks for unless told otherwise.
const SMALL_PAGE: usize = 10;
/// Pages at each end that are told of.
const N_ENDS: usize = 10;

const FILTER: &str = "severity%20%3E%3D%204%20AND%20country%20IN%20('SLE'%2C'COD')%20AND%20S_INTERSECTS(geometry%2CBBOX(-20%2C-10%2C30%2C12))";

pub(crate) fn measure_pages(table: &mut Table, engine: &str, app: &App, n: usize) {
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
