//! Intake over HTTP: durable, geotagged, sealed, 64 clients; one report a commit against many.

use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

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
use tempfile::TempDir;
use uuid::Uuid;

use crate::load::{self, Load};
use crate::table::Table;

const N_CLIENTS: usize = 64;

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
    for (disk, delay) in [("", Duration::ZERO), (", 1 ms more a commit", Duration::from_millis(1))]
    {
        let n_single = if delay.is_zero() { 4_000 } else { 2_000 };
        let (single, _) = run(new_url, 1, delay, n_single);
        let (batched, per_commit) = run(new_url, 256, delay, 12_000);
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

/// Sends `n` reports to a fresh database; returns how it went and how many reports shared a commit.
fn run(
    new_url: &dyn Fn(&TempDir) -> String,
    batch_limit: usize,
    commit_delay: Duration,
    n: usize,
) -> (Load, f64) {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk");
    let url = new_url(&folder);
    let options = DbOptions { batch_limit, commit_delay, ..DbOptions::new(&url) };
    let db = Db::open(&options).expect("the database opens");
    let store = StoreConfig {
        data_dir: folder.path().to_owned(),
        database_url: Some(url),
        key_file: None,
        key_text: None,
        credentials_dir: None,
    };
    let context =
        Data::new(Context::with_db(db, &store, Clock::system(), &mut |_| {}).expect("the context"));
    add_user(&context, "bench", Role::Monitor, vec![GrantScope::All]).expect("a user");
    let token = add_token(&context, "bench", None).expect("a token");
    let (address, stop) = serve(&context);

    let reports = load::reports(&context.geo, n);
    let (commits_before, _) = context.db.commits();
    let load = load::send_all(&address, token.expose(), reports, N_CLIENTS);
    let (commits, _) = context.db.commits();

    assert_stored(&context, n);
    stop();
    (load, n as f64 / (commits - commits_before) as f64)
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

fn serve(context: &Data<Context>) -> (String, impl FnOnce()) {
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
    (address, stop)
}

fn new_database(server: &str) -> String {
    let name = format!("bench_{}", Uuid::new_v4().simple());
    let mut conn = PgConnection::establish(server).expect("the server answers");
    conn.batch_execute(&format!("CREATE DATABASE {name}")).expect("a database");
    let (host, _) = server.rsplit_once('/').expect("a database in the address");
    format!("{host}/{name}")
}
