//! Changing the instance key at a hundred thousand reports: how long it takes alone, and what intake feels of it.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sentinelle::clock::Clock;
use sentinelle::config::StoreConfig;
use sentinelle::context::Context;
use sentinelle::intake::body::ReportBody;
use sentinelle::intake::prepare::{Channel, prepare};
use sentinelle::intake::store::new_rows;
use sentinelle::intake::validate::validate;
use sentinelle::keys::rotation::{begin, finish, rewrap_all};
use sentinelle::keys::store::count_data_keys;
use sentinelle::seal::key::InstanceKey;
use serde_json::Value;
use tempfile::TempDir;

use crate::intake::new_database;
use crate::load;
use crate::table::Table;

const N_REPORTS: usize = 100_000;
/// Senders at once.
const N_SENDERS: usize = 16;
/// How long intake is watched without a rotation beside it.
const WATCHED: Duration = Duration::from_secs(8);

pub(crate) fn measure(table: &mut Table) {
    let folder = || TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk");
    let on_disk = folder();
    let url = format!("sqlite://{}", on_disk.path().join("sentinelle.db").display());
    measure_on(table, "SQLite", &on_disk, &url);
    #[expect(clippy::disallowed_methods, reason = "make bench names its server in the environment")]
    let postgres = std::env::var("SENTINELLE_TEST_POSTGRES_URL");
    match postgres {
        Ok(server) => measure_on(table, "PostgreSQL", &folder(), &new_database(&server)),
        Err(_) => table.tell("keys, PostgreSQL", "not measured", "run it by `make bench`"),
    }
}

fn measure_on(table: &mut Table, engine: &str, folder: &TempDir, url: &str) {
    let store =
        StoreConfig { database_url: Some(url.to_owned()), ..StoreConfig::in_folder(folder.path()) };
    let context =
        Arc::new(Context::open(&store, Clock::system(), &mut |_| {}).expect("the context"));
    let bodies = load::reports(&context.geo(), N_REPORTS);
    let next = AtomicUsize::new(0);
    send(&context, &bodies, &next, &|| next.load(Ordering::Relaxed) >= N_REPORTS);
    measure_alone(table, engine, &context);
    measure_beside_intake(table, engine, &context, (folder, url), &bodies);
}

fn count(context: &Context) -> i64 {
    let counts = context.db.read_here(|conn| Ok(count_data_keys(conn)?)).expect("the counts");
    counts.iter().map(|count| count.n_data_keys).sum()
}

fn measure_alone(table: &mut Table, engine: &str, context: &Arc<Context>) {
    let n_keys = count(context) as f64;
    let new_key = Arc::new(InstanceKey::generate().expect("a key"));
    let started_at = Instant::now();
    let rotation = begin(context, &new_key).expect("it begins");
    let pass = rewrap_all(context, &rotation, &mut |_| {}).expect("a pass");
    let finishing_at = Instant::now();
    finish(context, &rotation).expect("it ends");
    let seconds = started_at.elapsed().as_secs_f64();
    assert!((pass.n_rewrapped as f64 - n_keys).abs() < 0.5, "{pass:?} of {n_keys}");
    table.tell(
        &format!("instance key changed at {N_REPORTS} reports, {engine}"),
        format!("{seconds:.1} s, {:.0} data keys/s", n_keys / seconds),
        format!(
            "{n_keys:.0} data keys; half the time it rests; its end, which senders wait for, took {:.0} ms",
            finishing_at.elapsed().as_secs_f64() * 1e3
        ),
    );
}

/// The built program changes the key while reports come in here.
fn measure_beside_intake(
    table: &mut Table,
    engine: &str,
    context: &Arc<Context>,
    (folder, url): (&TempDir, &str),
    bodies: &[Vec<u8>],
) {
    // The rotation before this one was in memory alone: the program needs its key in the file.
    let file = folder.path().join("now.key");
    context.sealer.instance_key().create_file(&file).expect("a key file");
    let next = AtomicUsize::new(0);
    let started_at = Instant::now();
    let alone = send(context, bodies, &next, &|| started_at.elapsed() > WATCHED);

    let is_over = AtomicBool::new(false);
    let (beside, told) = std::thread::scope(|scope| {
        let rotating = scope.spawn(|| {
            let told = rotate(&file, folder, url);
            is_over.store(true, Ordering::Relaxed);
            told
        });
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                context.refresh_keys().expect("the keys");
                std::thread::sleep(Duration::from_secs(1));
            }
        });
        let beside = send(context, bodies, &next, &|| is_over.load(Ordering::Relaxed));
        (beside, rotating.join().expect("it ends"))
    });
    assert_eq!(told["damaged"], 0, "{told}");
    let seconds = told["seconds"].as_f64().expect("a number");
    let n_keys = told["data_keys"].as_u64().expect("a number");
    let shown = |waits: &Waits| {
        format!(
            "{:.0} reports/s, p99 {:.0} ms, at most {:.0} ms",
            waits.per_second, waits.p99_ms, waits.most_ms
        )
    };
    table.tell(
        &format!("intake (HTTP left out) while the key is changed beside it, {engine}"),
        format!("{}; {n_keys} data keys in {seconds:.1} s, 5 s of them waiting", shown(&beside)),
        format!("without: {}", shown(&alone)),
    );
}

fn rotate(key: &std::path::Path, folder: &TempDir, url: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    command.args(["keys", "rotate", "--json", "--database-url", url]);
    command.arg("--data-dir").arg(folder.path()).arg("--key-file").arg(key);
    let ended = command.stderr(Stdio::inherit()).output().expect("the program");
    assert!(ended.status.success(), "{ended:?}");
    serde_json::from_slice(&ended.stdout).expect("JSON")
}

/// How long senders waited for their report to be on disk.
struct Waits {
    per_second: f64,
    p99_ms: f64,
    most_ms: f64,
}

/// Stores reports made of `bodies` one after the other, from many threads, until it is time.
fn send(
    context: &Context,
    bodies: &[Vec<u8>],
    next: &AtomicUsize,
    is_time: &(dyn Fn() -> bool + Sync),
) -> Waits {
    let started_at = Instant::now();
    let mut waits: Vec<f64> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..N_SENDERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut waits = Vec::new();
                    while !is_time() {
                        let nth = next.fetch_add(1, Ordering::Relaxed) % bodies.len();
                        waits.push(store_one(context, &bodies[nth]));
                    }
                    waits
                })
            })
            .collect();
        senders.into_iter().flat_map(|sender| sender.join().expect("it stores")).collect()
    });
    let per_second = waits.len() as f64 / started_at.elapsed().as_secs_f64();
    waits.sort_by(f64::total_cmp);
    let at = |per_cent: usize| waits[(waits.len() - 1) * per_cent / 100] * 1e3;
    Waits { per_second, p99_ms: at(99), most_ms: at(100) }
}

fn store_one(context: &Context, body: &[u8]) -> f64 {
    let mut body: ReportBody = serde_json::from_slice(body).expect("a body");
    body.id = Some(uuid::Uuid::new_v4().to_string());
    let report = validate(body, &context.catalogues()).expect("a valid body");
    let now = context.clock.now();
    let prepared = prepare(&context.workbench(), &report, Channel::Api, [0; 16], now);
    let rows = new_rows(&prepared.expect("a prepared report")).expect("rows");
    let started_at = Instant::now();
    context.db.insert_here(rows).expect("stored");
    started_at.elapsed().as_secs_f64()
}
