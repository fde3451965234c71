//! Likely duplicates: how many of those told twice are found, and what it takes to look for them as incidents add up.
//!
//! `SENTINELLE_BENCH_DUPLICATES=10000,100000` measures look-ups at other numbers of incidents.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use sentinelle::auth::accounts::{add_token, add_user};
use sentinelle::auth::types::{GrantScope, Role};
use sentinelle::context::Context;
use sentinelle::db::dialect::{DbConn, insert_rows, next_incident_ids};
use sentinelle::db::rows::NewRows;
use sentinelle::db::schema::duplicate_blocks;
use sentinelle::geo::cells::Cell;
use sentinelle::geo::lonlat::LonLat;
use sentinelle::ids::{IncidentId, ReportId};
use sentinelle::incidents::facts::{DatePrecision, DaySpan};
use sentinelle::incidents::store::add_incident;
use sentinelle::incidents::types::{CategoryFact, Facts, PlaceFacts, ReportCodes};
use sentinelle::review::duplicates::load::Memory;
use sentinelle::review::duplicates::worker::{look_up, run_once};
use sentinelle::seal::envelope::{Owner, OwnerKind, Part};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::accounts::{Kind, invent};
use crate::intake::{App, new_database};
use crate::load::hold_pages;
use crate::recognised::{Recognised, Seen};
use crate::table::{Table, median_ms};

/// Not the one that weights were chosen by.
const SEED: u64 = 977_431;
/// Incidents of one neighbourhood and month: what an incident is compared with.
const DENSITY: usize = 40;
/// Look-ups measured at each size.
const N_LOOKUPS: usize = 200;
/// Incidents inserted in one transaction: see `load::file`.
const BATCH: usize = 50;

#[expect(clippy::disallowed_methods, reason = "a measurement is told its sizes there")]
fn sizes() -> Vec<usize> {
    let told = std::env::var("SENTINELLE_BENCH_DUPLICATES").ok();
    let told = told.map(|text| text.split(',').filter_map(|n| n.parse().ok()).collect());
    told.unwrap_or_else(|| vec![10_000, 100_000, 1_000_000])
}

pub(crate) fn measure(table: &mut Table) {
    let sqlite =
        |folder: &TempDir| format!("sqlite://{}", folder.path().join("bench.db").display());
    measure_on(table, "SQLite", &sqlite);
    #[expect(clippy::disallowed_methods, reason = "make bench names its server in the environment")]
    let postgres = std::env::var("SENTINELLE_TEST_POSTGRES_URL");
    match postgres {
        Ok(server) => measure_on(table, "PostgreSQL", &|_| new_database(&server)),
        Err(_) => table.tell("duplicates, PostgreSQL", "not measured", "run it by `make bench`"),
    }
}

fn measure_on(table: &mut Table, engine: &str, new_url: &dyn Fn(&TempDir) -> String) {
    let app = App::start(new_url, 256, Duration::ZERO);
    recognise(table, engine, &app);
    app.stop();
    let app = App::start(new_url, 256, Duration::ZERO);
    let (mut n_there, mut medians) = (0, Vec::new());
    for n in sizes() {
        fill(&app.context, n_there, n);
        n_there = n;
        analyse(&app.context);
        let (seconds, n_found) = look(&app.context, n);
        medians.push((n, median_ms(seconds)));
        table.tell(
            &format!("duplicates, {engine}: look-up of one among {n} incidents"),
            format!("{:.2} ms", medians.last().map_or(0.0, |(_, ms)| *ms)),
            format!("{n_found:.1} pairs found each, {DENSITY} in a neighbourhood and month"),
        );
    }
    if let [.., (fewer, before_ms), (more, ms)] = medians.as_slice() {
        table.judge(
            &format!("duplicates, {engine}: look-up among {fewer} against {more} incidents"),
            format!("{before_ms:.2} ms"),
            format!("{ms:.2} ms"),
            (before_ms / ms, 0.5),
        );
    }
    app.stop();
}

/// Has the invented accounts looked at, and counts over HTTP what is listed.
fn recognise(table: &mut Table, engine: &str, app: &App) {
    let set = invent(SEED);
    let token = |name: &str, role: Role| {
        add_user(&app.context, name, role, vec![GrantScope::All]).expect("a user");
        format!("Bearer {}", add_token(&app.context, name, None).expect("a token").expose())
    };
    let (monitor, reviewer) = (token("monitor", Role::Monitor), token("reviewer", Role::Reviewer));
    let mut lines = String::new();
    for account in &set.accounts {
        writeln!(lines, "{}", account.body).expect("memory");
    }
    let mut answer = ureq::post(&format!("http://{}/v1/reports", app.address))
        .header("authorization", &monitor)
        .header("content-type", "application/x-ndjson")
        .send(lines.as_bytes())
        .expect("an answer");
    let outcomes = answer.body_mut().read_to_string().expect("outcomes");
    let incidents: Vec<String> = outcomes
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter_map(|line| line["incident"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(incidents.len(), set.accounts.len(), "all are taken");
    let started_at = Instant::now();
    run_once(&app.context).expect("the database works");
    let per_second = incidents.len() as f64 / started_at.elapsed().as_secs_f64();
    let nth: HashMap<&str, usize> =
        incidents.iter().enumerate().map(|(nth, id)| (id.as_str(), nth)).collect();
    let mut seen = Seen::new();
    for (one, incident) in incidents.iter().enumerate() {
        let url = format!("http://{}/v1/incidents/{incident}/duplicates", app.address);
        let mut answer =
            ureq::get(&url).header("authorization", &reviewer).call().expect("an answer");
        let found: Value = serde_json::from_reader(answer.body_mut().as_reader()).expect("JSON");
        for item in found["items"].as_array().expect("a list") {
            let other = nth[item["incident"].as_str().expect("an id")];
            seen.insert((one.min(other), one.max(other)), item["score"].as_f64().expect("a share"));
        }
    }
    let recognised = Recognised::count(&set, &seen);
    let beside =
        format!("{} labelled pairs, {per_second:.0} incidents/s looked at", set.pairs.len());
    let figure = |what: &str| format!("duplicates, {engine}: {what}");
    table.judge(
        &figure("precision"),
        format!("{:.3}", recognised.precision()),
        beside.clone(),
        (recognised.precision(), 0.9),
    );
    table.judge(
        &figure("recall"),
        format!("{:.3}", recognised.recall()),
        beside,
        (recognised.recall(), 0.8),
    );
    for kind in Kind::ALL {
        let is_right = if kind.is_one_event() { "all should be" } else { "none should be" };
        let listed = format!("{:.1} % listed", recognised.recall_of(kind) * 100.0);
        table.tell(&figure(name_of(kind)), listed, is_right);
    }
}

/// Adds incidents `from..to`, each with a sealed narrative and point, spread so that a neighbourhood holds as many however
/// many there are.
fn fill(context: &Context, from: usize, to: usize) {
    let set = invent(SEED);
    let texts: Vec<Vec<u8>> = set
        .accounts
        .iter()
        .map(|account| json!({"narrative": account.body["narrative"]}).to_string().into_bytes())
        .collect();
    let mut at = from;
    while at < to {
        let end = to.min(at + BATCH);
        let all: Vec<(NewRows, Vec<(String, NaiveDate)>)> =
            (at..end).map(|nth| rows_of(context, nth, &texts[nth % texts.len()])).collect();
        let filed = context.db.write_here(move |tx| {
            hold_pages(tx.conn)?;
            let ids = next_incident_ids(tx.conn, all.len())?;
            let (mut rows, mut blocks) = (Vec::new(), Vec::new());
            for (id, (mut new, own)) in ids.into_iter().zip(all) {
                new.set_incident(id);
                new.audit.clear();
                rows.push(new);
                blocks.extend(own.into_iter().map(|(block, day)| (id, block, day)));
            }
            insert_rows(tx.conn, &rows.iter().collect::<Vec<_>>())?;
            for chunk in blocks.chunks(500) {
                insert_blocks(tx.conn, chunk)?;
            }
            Ok(())
        });
        filed.expect("they are new");
        at = end;
    }
}

fn insert_blocks(
    conn: &mut DbConn,
    blocks: &[(i64, String, NaiveDate)],
) -> diesel::QueryResult<()> {
    let rows: Vec<_> = blocks
        .iter()
        .map(|(id, block, day)| {
            use diesel::ExpressionMethods;
            (
                duplicate_blocks::incident_id.eq(id),
                duplicate_blocks::block.eq(block),
                duplicate_blocks::first_day.eq(day),
                duplicate_blocks::last_day.eq(day),
            )
        })
        .collect();
    match conn {
        DbConn::Sqlite(conn) => {
            diesel::insert_into(duplicate_blocks::table).values(&rows).execute(conn)
        }
        DbConn::Postgres(conn) => {
            diesel::insert_into(duplicate_blocks::table).values(&rows).execute(conn)
        }
    }
    .map(drop)
}

/// Returns the rows of one incident with its report, and its blocks.
fn rows_of(context: &Context, nth: usize, text: &[u8]) -> (NewRows, Vec<(String, NaiveDate)>) {
    // One neighbourhood after another: 60 km apart, or a month later.
    let neighbourhood = nth / DENSITY;
    let (column, row, month) =
        (neighbourhood % 50, neighbourhood / 50 % 40, neighbourhood / 2_000 % 120);
    let scatter = |step: usize| (nth * step % 97) as f64 / 97.0 * 0.12;
    let point =
        LonLat::new(column as f64 * 0.6 + scatter(31), row as f64 * 0.6 - 12.0 + scatter(57));
    let point = point.expect("a point");
    let day = NaiveDate::from_ymd_opt(2012, 1, 1).expect("a day")
        + Days::new((month * 30 + nth * 13 % 28) as u64);
    let cell7 = Cell::at_resolution_7(point).expect("a cell");
    let cell5 = cell7.parent(5).expect("a cell");
    let country = ["SLE", "COD", "CAF", "GIN"][neighbourhood % 4];
    let veiled = context.keys.place_veil().veil_cell(cell7.index()).expect("veiled");
    let place = PlaceFacts {
        geo_precision: "exact".to_owned(),
        cell5: Some(cell5.index().cast_signed()),
        cell7_veiled: Some(veiled),
        ..PlaceFacts::of_erased(country.to_owned(), None)
    };
    let leaf = ["rights.life_integrity.killing", "rights.life_integrity.assault_injury"][nth % 2];
    let span = DaySpan { first: day, last: day, precision: DatePrecision::Day };
    let category = CategoryFact { code: leaf.to_owned(), is_confirmed: false };
    let facts = Facts {
        span: Some(span),
        categories: vec![category],
        n_reports: 1,
        ..Facts::of_erased(place.clone(), false)
    };
    let (report, incident, now) = (ReportId::random(), IncidentId::random(), context.clock.now());
    let mut rows = NewRows::default();
    add_incident(&mut rows, incident, &facts, now);
    let codes = ReportCodes { categories: vec![leaf.to_owned()], ..ReportCodes::default() };
    rows.report = Some(report_row(report, &place, span, &codes, now.naive_utc()));
    let owner = Owner { kind: OwnerKind::Report, id: report.uuid() };
    let spot = json!({"location": {"lat": point.lat(), "lon": point.lon()}}).to_string();
    for (part, content) in [(Part::Text, text), (Part::Place, spot.as_bytes())] {
        let sealed = context.sealer.seal(owner, part, 1, content).expect("sealed");
        sentinelle::db::sealed::add_part(&mut rows, owner, part, 1, &sealed);
    }
    (rows, vec![(country.to_owned(), day), (cell5.to_string(), day)])
}

fn report_row(
    report: ReportId,
    place: &PlaceFacts,
    span: DaySpan,
    codes: &ReportCodes,
    now: chrono::NaiveDateTime,
) -> sentinelle::db::rows::NewReportRow {
    let place = place.clone();
    sentinelle::db::rows::NewReportRow {
        uuid: report,
        incident_id: 0,
        home_incident_id: 0,
        state: "active",
        revision: 1,
        follows: None,
        channel: "api".to_owned(),
        submitter: Some(report.uuid().as_bytes().to_vec()),
        content_mac: vec![0; 32],
        retry_key: None,
        reference: report.to_string(),
        received_at: now,
        country: place.country,
        country_computed: place.country_computed,
        admin1: place.admin1,
        admin2: place.admin2,
        zone: place.zone,
        geo_precision: place.geo_precision,
        cell5: place.cell5,
        place_lon_e6: place.place_lon_e6,
        place_lat_e6: place.place_lat_e6,
        cell7_veiled: place.cell7_veiled,
        site_veiled: place.site_veiled,
        site_distance: place.site_distance,
        boundary_source: place.boundary_source,
        first_day: Some(span.first),
        last_day: Some(span.last),
        date_precision: Some(span.precision.as_str().to_owned()),
        flags: String::new(),
        codes: serde_json::to_string(codes).expect("codes"),
    }
}

/// Has the engine count its rows, as it does by itself after a while.
fn analyse(context: &Context) {
    context.db.read_here(|conn| Ok(conn.batch_execute("ANALYZE")?)).expect("counted");
}

/// Looks some incidents up, spread over all; returns how long each took in seconds, and how many pairs were found each.
fn look(context: &Context, n: usize) -> (Vec<f64>, f64) {
    let (mut seconds, mut n_found) = (Vec::new(), 0);
    let step = n / N_LOOKUPS;
    // The first ones find nothing in memory.
    for nth in (0..N_LOOKUPS).chain(0..N_LOOKUPS) {
        let incident = i64::try_from(1 + nth * step + nth % step.max(1)).expect("a number");
        let started_at = Instant::now();
        let looked = context
            .db
            .read_here(|conn| look_up(conn, context, &mut Memory::default(), incident))
            .expect("looked up");
        seconds.push(started_at.elapsed().as_secs_f64());
        assert!(!looked.is_flood);
        n_found += looked.likely.len();
    }
    let warm = seconds.split_off(N_LOOKUPS);
    (warm, n_found as f64 / (2 * N_LOOKUPS) as f64)
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::ToldTwice => "told twice",
        Kind::OtherLanguage => "retold in the other language",
        Kind::SameMine => "two events at one mine",
        Kind::NearPlace => "two events at near places",
        Kind::OtherCategory => "two kinds of event at one mine on one day",
    }
}
