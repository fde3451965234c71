//! Intake over HTTP: durable, geotagged, sealed, 64 clients; one report a commit against many.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use actix_web::web::Data;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use sentinelle::app::{self, ServerOptions};
use sentinelle::auth::accounts::{add_token, add_user};
use sentinelle::auth::types::{GrantScope, Role};
use sentinelle::clock::Clock;
use sentinelle::config::StoreConfig;
use sentinelle::context::Context;
use sentinelle::db::{Db, DbOptions};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use crate::load::{self, Load};
use crate::table::{Table, median_ms};

const N_CLIENTS: usize = 64;
/// Runs of each kind.
const N_ROUNDS: usize = 3;
/// Reports sent while counts are asked for.
const N_FRESH: usize = 6_000;

pub(crate) fn measure(table: &mut Table) {
    let sqlite =
        |folder: &TempDir| format!("sqlite://{}", folder.path().join("bench.db").display());
    compare(table, "SQLite", &sqlite);
    #[expect(clippy::disallowed_methods, reason = "make bench names its server in the environment")]
    let postgres = std::env::var("SENTINELLE_TEST_POSTGRES_URL");
    match postgres {
        Ok(server) => compare(table, "PostgreSQL", &|_| new_database(&server)),
        Err(_) => table.tell("intake, PostgreSQL", "not measured", "run it by `make bench`"),
    }
}

fn compare(table: &mut Table, engine: &str, new_url: &dyn Fn(&TempDir) -> String) {
    check_freshness(table, engine, new_url);
    for (disk, delay) in [("", Duration::ZERO), (", 1 ms more a commit", Duration::from_millis(1))]
    {
        // In turns, so that a busy moment of the machine strikes both; the middle one of each counts.
        let rounds: Vec<_> = (0..N_ROUNDS)
            .map(|_| (run(new_url, 1, delay, 1_500).0, run(new_url, 256, delay, 6_000)))
            .collect();
        let (alone, together): (Vec<_>, Vec<_>) = rounds.into_iter().unzip();
        let single = middle(alone, |load| load.per_second);
        let (batched, per_commit) = middle(together, |(load, _)| load.per_second);
        let told = |load: &Load| {
            format!(
                "{:.0} reports/s, p50 {:.1} ms, p99 {:.1} ms",
                load.per_second, load.p50_ms, load.p99_ms
            )
        };
        table.judge(
            &format!("intake, {engine}, {N_CLIENTS} clients{disk}: batch limit 256 against 1"),
            told(&batched),
            told(&single),
            (batched.per_second / single.per_second, 1.5),
        );
        table.judge(
            &format!("intake, {engine}{disk}: reports a commit"),
            format!("{per_commit:.1}"),
            "1",
            (per_commit, 8.0),
        );
    }
}

/// Returns the run whose rate is the median.
fn middle<T>(mut runs: Vec<T>, rate: impl Fn(&T) -> f64) -> T {
    runs.sort_by(|a, b| rate(a).total_cmp(&rate(b)));
    runs.swap_remove(runs.len() / 2)
}

/// Sends `n` reports to a fresh database; returns how it went and how many reports shared a commit.
fn run(
    new_url: &dyn Fn(&TempDir) -> String,
    batch_limit: usize,
    commit_delay: Duration,
    n: usize,
) -> (Load, f64) {
    let app = App::start(new_url, batch_limit, commit_delay);
    let token = app.token("monitor", Role::Monitor);
    let reports = load::reports(&app.context.geo(), n);
    let commits_before = app.context.db.write_counts().commits;
    let load = load::send_all(&app.address, &token, reports, N_CLIENTS, &Arc::default());
    let commits = app.context.db.write_counts().commits;
    app.stop_with(n);
    (load, n as f64 / (commits - commits_before) as f64)
}

/// Counts over HTTP while clients send: no answer may miss a report acknowledged before the question.
fn check_freshness(table: &mut Table, engine: &str, new_url: &dyn Fn(&TempDir) -> String) {
    let app = App::start(new_url, 256, Duration::ZERO);
    let token = app.token("monitor", Role::Monitor);
    let analyst = format!("Bearer {}", app.token("analyst", Role::Analyst));
    let reports = load::reports(&app.context.geo(), N_FRESH);
    let (address, n_acknowledged) = (app.address.clone(), Arc::<AtomicUsize>::default());
    let shared = Arc::clone(&n_acknowledged);
    let sending = std::thread::spawn(move || {
        load::send_all(&address, &token, reports, N_CLIENTS, &shared);
    });
    let url = format!("http://{}/v1/aggregates?status=all&include=test,mismatch", app.address);
    let mut seconds = Vec::new();
    while !sending.is_finished() {
        let n_before = n_acknowledged.load(Ordering::SeqCst);
        let started_at = Instant::now();
        let mut answer =
            ureq::get(&url).header("authorization", &analyst).call().expect("an answer");
        let told: Value = serde_json::from_reader(answer.body_mut().as_reader()).expect("JSON");
        seconds.push(started_at.elapsed().as_secs_f64());
        let n_counted = told["total"]["incidents"].as_u64().expect("a count");
        assert!(n_counted >= n_before as u64, "{n_counted} counted, {n_before} acknowledged");
    }
    sending.join().expect("every report is stored");
    app.stop_with(N_FRESH);
    table.tell(
        &format!("counts while 64 clients send, {engine}: acknowledged reports missed"),
        format!("0 in {} answers", seconds.len()),
        format!("an answer in {:.1} ms", median_ms(seconds)),
    );
}

/// The service on a fresh database.
pub(crate) struct App {
    pub(crate) context: Data<Context>,
    pub(crate) address: String,
    pub(crate) database_url: String,
    /// Where its key lies, and on SQLite its database; removed with it.
    pub(crate) folder: TempDir,
    stop: Box<dyn FnOnce()>,
}

impl App {
    pub(crate) fn start(
        new_url: &dyn Fn(&TempDir) -> String,
        batch_limit: usize,
        commit_delay: Duration,
    ) -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk");
        let url = new_url(&folder);
        let options = DbOptions { batch_limit, commit_delay, ..DbOptions::new(&url) };
        let db = Db::open(&options).expect("the database opens");
        let store = StoreConfig {
            database_url: Some(url.clone()),
            ..StoreConfig::in_folder(folder.path())
        };
        let context = Context::with_db(db, &store, Clock::system(), &mut |_| {});
        let context = Data::new(context.expect("the context"));
        let (address, stop) = serve(&context);
        Self { context, address, database_url: url, folder, stop }
    }

    fn token(&self, name: &str, role: Role) -> String {
        add_user(&self.context, name, role, vec![GrantScope::All]).expect("a user");
        add_token(&self.context, name, None).expect("a token").expose().to_owned()
    }

    /// Stops it after all `n` reports are found in it.
    fn stop_with(self, n: usize) {
        assert_stored(&self.context, n);
        self.stop();
    }

    pub(crate) fn stop(self) {
        (self.stop)();
    }
}

/// Every acknowledged report is counted by the very next question.
fn assert_stored(context: &Data<Context>, n: usize) {
    let n_counted = context
        .db
        .read_here(|conn| {
            context.live.read(conn, &context.keys.place_veil(), |columns, _| Ok(columns.len()))
        })
        .expect("the columns");
    assert_eq!(n_counted, n, "rows = acknowledged");
}

fn serve(context: &Data<Context>) -> (String, Box<dyn FnOnce()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let (sender, receiver) = mpsc::channel();
    let context = context.clone();
    let server = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let server =
                app::serve(context, listener, &ServerOptions::default()).expect("the server");
            sender.send(server.handle()).expect("somebody waits");
            server.await.expect("the server runs");
        });
    });
    let handle = receiver.recv().expect("the server starts");
    let stop = move || {
        actix_web::rt::System::new().block_on(handle.stop(false));
        server.join().expect("the server ends");
    };
    (address, Box::new(stop))
}

/// Returns the address of a new database on `server`.
pub(crate) fn new_database(server: &str) -> String {
    let name = format!("bench_{}", Uuid::new_v4().simple());
    let mut conn = PgConnection::establish(server).expect("the server answers");
    conn.batch_execute(&format!("CREATE DATABASE {name}")).expect("a database");
    let (host, _) = server.rsplit_once('/').expect("a database in the address");
    format!("{host}/{name}")
}
