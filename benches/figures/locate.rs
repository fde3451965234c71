//! Where a point lies: the index against a linear scan, and its share of what a report costs.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use futures_util::future::join_all;
use geo::Contains;
use sentinelle::clock::Clock;
use sentinelle::config::StoreConfig;
use sentinelle::context::Context;
use sentinelle::geo::areas::AreaId;
use sentinelle::geo::countries::CountryCode;
use sentinelle::geo::locate::Geo;
use sentinelle::geo::lonlat::LonLat;
use sentinelle::intake::body::ReportBody;
use sentinelle::intake::prepare::{Channel, Prepared, geotag, prepare};
use sentinelle::intake::store::new_rows;
use sentinelle::intake::validate::validate;

use crate::load;
use crate::table::Table;

pub(crate) fn measure(table: &mut Table) {
    let geo = Geo::builtin().expect("the built-in places");
    let points = points(&geo, 200_000);
    let indexed = rate(&points, |point, country| geo.areas().locate(point, country).is_some());
    let some = points.get(..5_000).unwrap_or(&points);
    let linear = rate(some, |point, _| {
        let point = geo::Point::new(point.lon(), point.lat());
        geo.areas().polygons().any(|(_, polygon)| polygon.contains(&point))
    });
    let linear_at_home = rate(some, |point, country| scan(&geo, point, country).is_some());
    for (point, country) in some {
        let found = geo.areas().locate(*point, *country).map(|area| &area.id);
        let scanned = scan(&geo, *point, *country);
        assert!(scanned.is_none() || found == scanned, "index and scan name the same area");
    }
    table.judge(
        "area of a point: index against linear scan",
        format!("{:.0} k/s", indexed / 1e3),
        format!("{:.1} k/s", linear / 1e3),
        (indexed / linear, 50.0),
    );
    table.tell(
        "the same, scanning the point's own country only",
        format!("{:.0} k/s", indexed / 1e3),
        format!("{:.1} k/s: × {:.0}", linear_at_home / 1e3, indexed / linear_at_home),
    );
    let whole = rate(&points, |point, _| geo.locate(point).country.is_some());
    table.tell(
        "whole locate: country, area, zone, cells, border, sites",
        format!("{:.0} k/s", whole / 1e3),
        "one core",
    );
    measure_share(table);
    measure_sample(table, &geo);
}

/// Finds the area the plain way, among those of one country.
fn scan(geo: &Geo, point: LonLat, country: CountryCode) -> Option<&AreaId> {
    let point = geo::Point::new(point.lon(), point.lat());
    let mut areas = geo.areas().polygons().filter(|(area, _)| area.country == country);
    areas.find(|(_, polygon)| polygon.contains(&point)).map(|(area, _)| &area.id)
}

/// Pseudo-random points within 2° of known sites, with the country each lies in.
pub(crate) fn points(geo: &Geo, n: usize) -> Vec<(LonLat, CountryCode)> {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut jitter = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31) * 4.0 - 2.0
    };
    let sites: Vec<LonLat> = geo.sites().iter().map(|site| site.point).collect();
    let moved = sites
        .iter()
        .cycle()
        .take(n * 2)
        .filter_map(|site| LonLat::new(site.lon() + jitter(), site.lat() + jitter()).ok());
    let known = |point: &LonLat| {
        geo.boundaries()
            .country_at(*point)
            .filter(|country| geo.countries().get(*country).is_some())
    };
    moved.filter_map(|point| known(&point).map(|country| (point, country))).take(n).collect()
}

pub(crate) fn rate(
    points: &[(LonLat, CountryCode)],
    find: impl Fn(LonLat, CountryCode) -> bool,
) -> f64 {
    let started_at = Instant::now();
    let n_found = points.iter().filter(|(point, country)| find(*point, *country)).count();
    black_box(n_found);
    points.len() as f64 / started_at.elapsed().as_secs_f64()
}

/// What one report costs, by step, HTTP left out: the true share is smaller still.
fn measure_share(table: &mut Table) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let store = StoreConfig::in_folder(folder.path());
    let context = Context::open(&store, Clock::system(), &mut |_| {}).expect("the context");
    let bodies = load::reports(&context.geo(), 5_000);
    let n = bodies.len() as f64;
    let micros = |started_at: Instant| started_at.elapsed().as_secs_f64() * 1e6 / n;

    let started_at = Instant::now();
    let reports: Vec<_> = bodies
        .iter()
        .map(|body| serde_json::from_slice::<ReportBody>(body).expect("a body"))
        .map(|body| validate(body, &context.catalogues()).expect("a valid body"))
        .collect();
    let checking = micros(started_at);
    let started_at = Instant::now();
    for report in &reports {
        let words = report.content.location.place.as_deref();
        black_box(geotag(&context.geo(), &report.place, words).expect("a place"));
    }
    let placing = micros(started_at);
    let started_at = Instant::now();
    for report in &reports {
        let narrative = report.content.narrative.as_deref().unwrap_or_default();
        black_box(context.classifier.classify(narrative, report.content.language.as_deref()));
    }
    let classifying = micros(started_at);
    let started_at = Instant::now();
    let prepared: Vec<_> = reports
        .iter()
        .map(|report| {
            prepare(&context.workbench(), report, Channel::Api, [0; 16], context.clock.now())
        })
        .map(|prepared| prepared.expect("a prepared report"))
        .collect();
    let preparing = micros(started_at);
    let cpu_before = cpu_seconds();
    store_all(&context, &prepared);
    let storing = (cpu_seconds() - cpu_before) * 1e6 / n;
    let cpu = checking + preparing + storing;
    table.judge(
        "share of geotagging in the CPU of intake, at most a tenth",
        format!("{placing:.1} µs of {cpu:.0} µs ({:.1} %)", placing / cpu * 100.0),
        format!(
            "check {checking:.1}, seal and the rest {:.1}, store {storing:.0} µs",
            preparing - placing - classifying
        ),
        (cpu / placing, 10.0),
    );
    table.tell(
        "share of suggesting categories in the CPU of intake",
        format!("{classifying:.1} µs of {cpu:.0} µs ({:.1} %)", classifying / cpu * 100.0),
        "one core",
    );
}

fn store_all(context: &Context, prepared: &[Prepared]) {
    let writes =
        prepared.iter().map(|prepared| context.db.insert(new_rows(prepared).expect("rows")));
    // The queue of the writer is bounded: a thousand at a time.
    let mut writes = writes.peekable();
    actix_web::rt::System::new().block_on(async {
        while writes.peek().is_some() {
            let stored = join_all(writes.by_ref().take(1_000)).await;
            assert!(stored.iter().all(Result::is_ok), "every report is stored");
        }
    });
}

fn measure_sample(table: &mut Table, geo: &Geo) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/places_sample.csv");
    let Ok(mut sample) = csv::Reader::from_path(path) else {
        table.tell(
            "country of named places",
            "not measured",
            "the sample is not beside the repository",
        );
        return;
    };
    let mut by_country: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for record in sample.records() {
        let record = record.expect("a row");
        let field = |index: usize| record.get(index).unwrap_or_default().to_owned();
        let point =
            LonLat::new(field(4).parse().expect("degrees"), field(3).parse().expect("degrees"))
                .expect("a point");
        let is_right =
            geo.locate(point).country.is_some_and(|country| country.as_str() == field(0));
        let tally = by_country.entry(field(0)).or_default();
        *tally = (tally.0 + u32::from(is_right), tally.1 + 1);
    }
    let (right, all) =
        by_country.values().fold((0, 0), |sum, tally| (sum.0 + tally.0, sum.1 + tally.1));
    let each = by_country.iter();
    let each: Vec<String> =
        each.map(|(country, tally)| format!("{country} {}/{}", tally.0, tally.1)).collect();
    let share = f64::from(right) / f64::from(all) * 100.0;
    table.tell(
        "country of named places",
        format!("{right} of {all} right ({share:.2} %)"),
        each.join(", "),
    );
}

/// CPU time of this process, all threads.
fn cpu_seconds() -> f64 {
    /// Clock ticks a second on Linux (`sysconf(_SC_CLK_TCK)`).
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS
}
