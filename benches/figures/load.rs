//! Sends reports over keep-alive connections, as many clients at once.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use actix_web::web::Data;
use chrono::NaiveDate;
use diesel::connection::SimpleConnection;
use sentinelle::auth::accounts::add_user;
use sentinelle::auth::types::{Grant, GrantScope, Limits, Principal, Role, Scope};
use sentinelle::cli::demo::invent::invent;
use sentinelle::cli::demo::run::demo_places;
use sentinelle::context::Context;
use sentinelle::db::dialect::DbConn;
use sentinelle::geo::locate::Geo;
use sentinelle::intake::http::prepare_body;
use sentinelle::intake::prepare::Channel;
use sentinelle::intake::store::new_rows;
use serde_json::Value;
use uuid::Uuid;

/// Reports of one transaction, and threads that file: at each statement SQLite walks the journal of the savepoint, which holds a
/// page for each index of each of them.
const FILED_AT_ONCE: usize = 4;
const N_FILING: usize = 64;

/// How a run went.
pub(crate) struct Load {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Returns `n` varied, valid reports with ids of their own; the texts are the demo's.
pub(crate) fn reports(geo: &Geo, n: usize) -> Vec<Vec<u8>> {
    let bodies = bodies(geo, n);
    bodies.iter().cycle().take(n).map(|body| with_new_id(body).to_string().into_bytes()).collect()
}

/// Returns up to 20,000 varied, valid reports; the texts are the demo's.
fn bodies(geo: &Geo, n: usize) -> Vec<Value> {
    let today = NaiveDate::from_ymd_opt(2024, 3, 31).expect("a day");
    let invented = invent(7, n.min(20_000), &demo_places(geo), today).expect("the demo's texts");
    invented.into_iter().map(|report| report.body).collect()
}

fn with_new_id(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(map) = body.as_object_mut() {
        map.insert("id".to_owned(), Uuid::new_v4().to_string().into());
    }
    body
}

/// Files `n` reports of `n_monitors` past HTTP and without waiting for each: a million in minutes.
pub(crate) fn file(context: &Data<Context>, n: usize, n_monitors: usize) {
    let (bodies, next) = (bodies(&context.geo(), n), AtomicUsize::new(0));
    let monitors: Vec<Principal> = (0..n_monitors).map(|nth| monitor(context, nth)).collect();
    let prepare = |nth: usize| {
        let body = serde_json::from_value(with_new_id(&bodies[nth % bodies.len()]));
        // Not always the same of one text: what few senders tell is folded in a release.
        let sender = &monitors[(nth + nth / bodies.len()) % n_monitors];
        let prepared = prepare_body(sender, context, body.expect("a report"), Channel::Api);
        new_rows(&prepared.expect("a valid report")).expect("rows")
    };
    let file_some = || {
        loop {
            let begin = next.fetch_add(FILED_AT_ONCE, Ordering::Relaxed);
            if begin >= n {
                return;
            }
            let mut all: Vec<_> = (begin..n.min(begin + FILED_AT_ONCE)).map(prepare).collect();
            let filed = context.db.write_here(move |tx| {
                hold_pages(tx.conn)?;
                for rows in &mut all {
                    tx.insert(rows)?;
                }
                Ok(())
            });
            filed.expect("they are new");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..N_FILING {
            scope.spawn(file_some);
        }
    });
}

fn monitor(context: &Context, nth: usize) -> Principal {
    let name = format!("monitor {nth}");
    let id = add_user(context, &name, Role::Monitor, vec![GrantScope::All]).expect("a user");
    let grant = Grant { role: Role::Monitor, written: GrantScope::All, scope: Scope::All };
    Principal::User { id, grants: vec![grant], limits: Limits::default() }
}

/// Lets SQLite hold most of the indexes in memory (2 GB) and copy pages to its file less often: the ids of what is filed are
/// random, so that each of them changes a page of each index. PostgreSQL has memory of its own.
pub(crate) fn hold_pages(conn: &mut DbConn) -> diesel::QueryResult<()> {
    match conn {
        DbConn::Sqlite(conn) => {
            conn.batch_execute("PRAGMA cache_size = -2000000; PRAGMA wal_autocheckpoint = 100000")
        }
        DbConn::Postgres(_) => Ok(()),
    }
}

/// Sends `n` reports as lines, some at once; all must be new. `bearer` is what stands in the header.
pub(crate) fn send_lines(url: &str, bearer: &str, geo: &Geo, n: usize) {
    const AT_ONCE: usize = 50_000;
    for n_before in (0..n).step_by(AT_ONCE) {
        let n_now = AT_ONCE.min(n - n_before);
        let mut body = reports(geo, n_now).join(&b'\n');
        body.push(b'\n');
        let mut answer = ureq::post(&format!("{url}/v1/reports"))
            .header("authorization", bearer)
            .header("content-type", "application/x-ndjson")
            .send(&body)
            .expect("an answer");
        let lines = answer.body_mut().with_config().limit(1 << 30).read_to_string();
        let lines = lines.expect("outcomes");
        let last: Value =
            serde_json::from_str(lines.lines().last().expect("a summary")).expect("JSON");
        assert_eq!(last["summary"]["created"], n_now, "{last}");
    }
}

/// Sends every report once from `n_clients` connections; each must answer 201 and is then counted in
/// `n_acknowledged`.
pub(crate) fn send_all(
    address: &str,
    token: &str,
    reports: Vec<Vec<u8>>,
    n_clients: usize,
    n_acknowledged: &Arc<AtomicUsize>,
) -> Load {
    let n_reports = reports.len();
    let (reports, next) = (Arc::new(reports), Arc::new(AtomicUsize::new(0)));
    let started_at = Instant::now();
    let clients: Vec<_> = (0..n_clients)
        .map(|_| {
            let (reports, next) = (Arc::clone(&reports), Arc::clone(&next));
            let (address, token) = (address.to_owned(), token.to_owned());
            let n_acknowledged = Arc::clone(n_acknowledged);
            std::thread::spawn(move || {
                run_client(&address, &token, &reports, &next, &n_acknowledged)
            })
        })
        .collect();
    let mut waits: Vec<f64> =
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect();
    let seconds = started_at.elapsed().as_secs_f64();
    waits.sort_by(f64::total_cmp);
    assert_eq!(waits.len(), n_reports, "every report is answered");
    let at = |share: usize| {
        waits.get((waits.len() * share / 100).min(waits.len() - 1)).map_or(0.0, |wait| wait * 1e3)
    };
    Load { per_second: n_reports as f64 / seconds, p50_ms: at(50), p99_ms: at(99) }
}

fn run_client(
    address: &str,
    token: &str,
    reports: &[Vec<u8>],
    next: &AtomicUsize,
    n_acknowledged: &AtomicUsize,
) -> Vec<f64> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("a socket");
    let mut answers = BufReader::new(stream.try_clone().expect("a socket"));
    let mut waits = Vec::new();
    while let Some(report) = reports.get(next.fetch_add(1, Ordering::Relaxed)) {
        let head = format!(
            "POST /v1/reports HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            report.len()
        );
        let sent_at = Instant::now();
        stream.write_all(&[head.as_bytes(), report].concat()).expect("the server reads");
        let status = read_answer(&mut answers);
        waits.push(sent_at.elapsed().as_secs_f64());
        assert_eq!(status, 201);
        n_acknowledged.fetch_add(1, Ordering::SeqCst);
    }
    waits
}

/// Reads one answer and returns its status.
pub(crate) fn read_answer(answers: &mut impl BufRead) -> u16 {
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        answers.read_line(&mut line).expect("an answer");
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(rest) = line.strip_prefix("http/1.1 ") {
            status = rest.split(' ').next().and_then(|code| code.parse().ok()).expect("a status");
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().expect("a length");
        }
    }
    answers.read_exact(&mut vec![0; length]).expect("a body");
    status
}
