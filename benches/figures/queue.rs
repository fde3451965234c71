//! The queue with a hundred thousand open incidents, and 32 reviewers who take the next case until none is left: each case
//! goes to exactly one of them.
//!
//! `SENTINELLE_BENCH_QUEUE=10000:1000` measures with other numbers of open incidents and of cases.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use sentinelle::auth::accounts::{add_token, add_user};
use sentinelle::auth::types::{GrantScope, Role};
use sentinelle::context::Context;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::intake::{App, new_database};
use crate::load;
use crate::table::{Table, median_ms};

const N_REVIEWERS: usize = 32;
/// Pages asked for.
const N_PAGES: usize = 200;

#[derive(Clone, Copy)]
struct Sizes {
    n_open: usize,
    n_cases: usize,
}

impl Sizes {
    #[expect(clippy::disallowed_methods, reason = "a measurement is told its sizes there")]
    fn of_environment() -> Self {
        let told = std::env::var("SENTINELLE_BENCH_QUEUE").ok();
        let told = told.as_deref().and_then(|text| text.split_once(':'));
        let told = told.and_then(|(n_open, n_cases)| {
            Some(Self { n_open: n_open.parse().ok()?, n_cases: n_cases.parse().ok()? })
        });
        told.unwrap_or(Self { n_open: 100_000, n_cases: 10_000 })
    }
}

pub(crate) fn measure(table: &mut Table) {
    let sizes = Sizes::of_environment();
    let sqlite =
        |folder: &TempDir| format!("sqlite://{}", folder.path().join("bench.db").display());
    measure_on(table, "SQLite", sizes, &sqlite);
    #[expect(clippy::disallowed_methods, reason = "make bench names its server in the environment")]
    let postgres = std::env::var("SENTINELLE_TEST_POSTGRES_URL");
    match postgres {
        Ok(server) => measure_on(table, "PostgreSQL", sizes, &|_| new_database(&server)),
        Err(_) => table.tell("queue, PostgreSQL", "not measured", "run it by `make bench`"),
    }
}

fn measure_on(table: &mut Table, engine: &str, sizes: Sizes, new_url: &dyn Fn(&TempDir) -> String) {
    let app = start_with(new_url, sizes.n_open);
    measure_page(table, engine, &app, sizes.n_open);
    app.stop();
    for is_decided in [true, false] {
        let app = start_with(new_url, sizes.n_cases);
        measure_next(table, engine, &app, sizes.n_cases, is_decided);
        app.stop();
    }
}

/// The service with `n` received incidents.
pub(crate) fn start_with(new_url: &dyn Fn(&TempDir) -> String, n: usize) -> App {
    let app = App::start(new_url, 256, Duration::ZERO);
    let monitor = token(&app.context, "monitor", Role::Monitor);
    load::send_lines(&format!("http://{}", app.address), &monitor, &app.context.geo(), n);
    app
}

pub(crate) fn token(context: &Context, name: &str, role: Role) -> String {
    add_user(context, name, role, vec![GrantScope::All]).expect("a user");
    format!("Bearer {}", add_token(context, name, None).expect("a token").expose())
}

/// The first page over HTTP, the pass over the columns alone, and about the same asked of the database.
fn measure_page(table: &mut Table, engine: &str, app: &App, n_open: usize) {
    let reviewer = token(&app.context, "reviewer", Role::Reviewer);
    let agent = ureq::Agent::new_with_defaults();
    let url = format!("http://{}/v1/queue?limit=100", app.address);
    let ask = || {
        let mut answer =
            agent.get(&url).header("authorization", &reviewer).call().expect("an answer");
        let page: Value = serde_json::from_reader(answer.body_mut().as_reader()).expect("JSON");
        assert_eq!(page["items"].as_array().map(Vec::len), Some(100));
        assert!(page["total"].as_u64().expect("a number") > n_open as u64 * 9 / 10, "they wait");
    };
    ask();
    let mut waits = time(N_PAGES, ask);
    waits.sort_by(f64::total_cmp);
    let p99_ms = waits[waits.len() * 99 / 100] * 1e3;
    let in_sql = median_ms(time(20, || ask_sql(&app.context)));
    table.tell(
        &format!("queue, {engine}: first page of 100 at {n_open} open incidents"),
        format!("{:.1} ms, p99 {p99_ms:.1} ms over HTTP", median_ms(waits)),
        format!("ids and counts alone by ORDER BY in SQL {in_sql:.1} ms"),
    );
}

fn time(n: usize, ask: impl Fn()) -> Vec<f64> {
    let one = |_| {
        let started_at = Instant::now();
        ask();
        started_at.elapsed().as_secs_f64()
    };
    (0..n).map(one).collect()
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Asks for the ids of a page by what stands in one row of the facts: harm, categories and minors would cost more.
fn ask_sql(context: &Context) {
    const PAGE: &str = "SELECT incidents.id AS n FROM incidents
        JOIN incident_facts ON incident_facts.incident_id = incidents.id
        WHERE status IN ('received', 'in_review', 'needs_information')
        AND merged_into IS NULL AND NOT is_test
        ORDER BY coalesce(severity, 3) * 10 + CASE WHEN is_ongoing THEN 10 ELSE 0 END
            + CASE WHEN is_at_risk THEN 50 ELSE 0 END DESC, incidents.id LIMIT 100";
    const COUNTS: &str = "SELECT count(*) AS n FROM incidents
        JOIN incident_facts ON incident_facts.incident_id = incidents.id
        WHERE status IN ('received', 'in_review', 'needs_information')
        AND merged_into IS NULL AND NOT is_test GROUP BY status";
    let answered = context.db.read_here(|conn| {
        let page: Vec<Number> = sql_query(PAGE).load(conn)?;
        let counts: Vec<Number> = sql_query(COUNTS).load(conn)?;
        Ok((page.len(), counts.iter().map(|count| count.n).sum::<i64>()))
    });
    let (n_listed, n_counted) = answered.expect("an answer");
    assert!(n_listed == 100 && n_counted >= 100);
}

/// How often a reviewer was given a case, and how long each time took in seconds.
type Taken = Vec<(String, f64)>;

fn measure_next(table: &mut Table, engine: &str, app: &App, n_cases: usize, is_decided: bool) {
    let reviewers: Vec<String> = (0..N_REVIEWERS)
        .map(|nth| token(&app.context, &format!("reviewer {nth}"), Role::Reviewer))
        .collect();
    let address = app.address.as_str();
    let started_at = Instant::now();
    let taken: Vec<Taken> = std::thread::scope(|scope| {
        let threads: Vec<_> = reviewers
            .iter()
            .map(|reviewer| scope.spawn(move || take_all(address, reviewer, is_decided)))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a reviewer")).collect()
    });
    let seconds = started_at.elapsed().as_secs_f64();
    let all: Vec<&(String, f64)> = taken.iter().flatten().collect();
    let distinct: BTreeSet<&str> = all.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(all.len(), distinct.len(), "no case goes to two people");
    // Tests and the like wait for nobody.
    assert!(distinct.len() > n_cases * 9 / 10, "{} of {n_cases} were given", distinct.len());
    let waits = all.iter().map(|(_, seconds)| *seconds).collect();
    let what = if is_decided { "and decide" } else { "and keep them all" };
    table.tell(
        &format!("queue, {engine}: {N_REVIEWERS} reviewers take the next case {what}"),
        format!("{:.0} cases/s, next in {:.1} ms", all.len() as f64 / seconds, median_ms(waits)),
        format!("{} cases, each given once", distinct.len()),
    );
}

/// Takes cases until none is left.
fn take_all(address: &str, reviewer: &str, is_decided: bool) -> Taken {
    let agent = ureq::Agent::new_with_defaults();
    let next = format!("http://{address}/v1/queue/next");
    let mut taken = Vec::new();
    loop {
        let started_at = Instant::now();
        let answer = agent.post(&next).header("authorization", reviewer).send_empty();
        let mut answer = answer.expect("an answer");
        if answer.status() == 204 {
            return taken;
        }
        let tag = answer.headers()["etag"].clone();
        let item: Value = serde_json::from_reader(answer.body_mut().as_reader()).expect("JSON");
        let id = item["id"].as_str().expect("an id").to_owned();
        taken.push((id.clone(), started_at.elapsed().as_secs_f64()));
        if is_decided {
            let decision = json!({"status": "unverifiable", "reason": "measured"}).to_string();
            let answer = agent
                .post(&format!("http://{address}/v1/incidents/{id}/decisions"))
                .header("authorization", reviewer)
                .header("content-type", "application/json")
                .header("if-match", tag)
                .send(decision.as_bytes());
            assert_eq!(answer.expect("an answer").status(), 200);
        }
    }
}
