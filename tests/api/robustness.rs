//! Broken, hostile and unlucky requests: a clear answer, bounded memory, nothing lost.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that cannot go on fails its test"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use actix_web::web;
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection};
use flate2::Compression;
use flate2::write::GzEncoder;
use sentinelle::app::ServerOptions;
use sentinelle::error::Code;
use sentinelle::http::body::BodyLimits;
use sentinelle::http::frame;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApp, TestOptions};
use crate::process::Served;

const JSON: (&str, &str) = ("content-type", "application/json");
const MEMORY_KIB: u64 = 64 * 1024;

fn report() -> Value {
    json!({"location": {"country": "SLE"}, "categories": ["rights.life_integrity.killing"]})
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Sends raw bytes and returns everything until the server closes the connection.
fn talk(app: &TestApp, request: &str) -> String {
    let mut socket = TcpStream::connect(app.address()).expect("a connection");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    socket.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).expect("the connection is closed in time");
    String::from_utf8_lossy(&answer).into_owned()
}

fn boom(app: &mut web::ServiceConfig) {
    async fn panic_now() -> actix_web::HttpResponse {
        let number: u16 = "x".parse().expect("the test wants a panic");
        actix_web::HttpResponse::Ok().body(number.to_string())
    }
    app.route("/test/panic", web::get().to(panic_now));
}

#[test]
fn s34_a_request_with_two_lengths_or_no_host_is_refused_and_the_connection_closed() {
    let app = TestApp::start();
    let cases = [
        (
            "Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "length and chunks",
        ),
        ("Host: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "an unknown transfer coding"),
        ("Host: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "two lengths"),
        ("Content-Length: 0\r\n\r\n", "no host"),
    ];
    for (rest, reason) in cases {
        let answer = talk(&app, &format!("POST /v1/reports HTTP/1.1\r\n{rest}"));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{reason}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{reason}: {answer}");
    }
}

#[test]
fn s35_only_one_plain_gzip_coding_is_read() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let body = gzip(report().to_string().as_bytes());
    for coding in ["br", "zstd", "deflate", "gzip, gzip"] {
        let refused =
            monitor.post_bytes("/v1/reports", &[JSON, ("content-encoding", coding)], &body);
        refused.expect_problem(415, "unsupported_encoding");
    }
    let twice = [JSON, ("content-encoding", "gzip"), ("content-encoding", "gzip")];
    monitor.post_bytes("/v1/reports", &twice, &body).expect_problem(415, "unsupported_encoding");
    let packed = [JSON, ("content-encoding", "gzip")];
    monitor.post_bytes("/v1/reports", &packed, &body).expect(201);
    monitor
        .post_bytes("/v1/reports", &packed, &body[..body.len() / 2])
        .expect_problem(400, "bad_request");
    monitor.post_bytes("/v1/reports", &packed, b"no gzip").expect_problem(400, "bad_request");
}

#[test]
fn s35_a_gzip_bomb_is_refused_in_bounded_memory() {
    let app = TestApp::start();
    let served = Served::start(&app, "UTC");
    let monitor = app.monitor().at(&served.url);
    monitor.post("/v1/reports", &report()).expect(201);
    let bomb = gzip(&vec![b' '; 262_000_000]);
    assert!((240_000..280_000).contains(&bomb.len()), "{} bytes", bomb.len());
    let before = served.peak_kib();

    let refused = monitor.post_bytes("/v1/reports", &[JSON, ("content-encoding", "gzip")], &bomb);

    refused.expect_problem(413, "payload_too_large");
    let growth = served.peak_kib() - before;
    assert!(growth <= MEMORY_KIB, "grew by {growth} KiB");
}

#[test]
fn s39_a_panic_is_an_answer_and_is_counted() {
    let app = TestApp::start_with_routes(boom);
    let before = frame::count_panics();

    let answer = app.anonymous().get("/test/panic").expect_problem(500, "internal");

    assert!(!answer.text().contains("the test wants"), "{}", answer.text());
    assert!(frame::count_panics() > before);
    app.anonymous().get("/health/live").expect(200);
}

#[test]
fn s39_a_body_that_stalls_is_given_up_in_time() {
    let limits = BodyLimits { stall: Duration::from_millis(300), ..BodyLimits::default() };
    let server = ServerOptions { limits, ..ServerOptions::default() };
    let app = TestApp::start_with(TestOptions { server, ..TestOptions::default() });
    let token = app.monitor().token().to_owned();
    let started_at = Instant::now();

    let answer = talk(
        &app,
        &format!(
            "POST /v1/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{{ \""
        ),
    );

    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("request_timeout"), "{answer}");
    assert!(started_at.elapsed() < Duration::from_secs(8), "{:?}", started_at.elapsed());
}

#[test]
fn s40_text_that_is_no_text_never_gets_into_a_text_column() {
    let app = TestApp::start();
    app.monitor().submit(&report());
    let refused = if app.is_postgres() {
        let mut conn = PgConnection::establish(&app.database_url).expect("a connection");
        conn.batch_execute("UPDATE incidents SET status = convert_from('\\xff'::bytea, 'UTF8')")
    } else {
        let path = app.database_url.trim_start_matches("sqlite://");
        let mut conn = SqliteConnection::establish(path).expect("a connection");
        conn.batch_execute("UPDATE incidents SET status = x'ff'")
    };

    assert!(refused.is_err());
    assert_eq!(app.reviewer().get("/v1/incidents?status=all").expect(200).json()["total"], 1);
}

#[derive(diesel::QueryableByName)]
struct Checked {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

#[derive(diesel::QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[test]
fn s43_checkpoints_among_writers_and_readers_harm_nothing() {
    const WRITES: usize = 25;
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let workers: Vec<_> = (0..8)
        .map(|worker| {
            let (monitor, reviewer) = (monitor.clone(), reviewer.clone());
            thread::spawn(move || {
                for n in 0..WRITES {
                    let mut report = report();
                    report["narrative"] = json!(format!("{worker} {n}"));
                    monitor.post("/v1/reports", &report).expect(201);
                    reviewer.get("/v1/incidents?status=all&limit=5").expect(200);
                }
            })
        })
        .collect();
    if !app.is_postgres() {
        let mut conn =
            SqliteConnection::establish(app.database_url.trim_start_matches("sqlite://"))
                .expect("a connection");
        while workers.iter().any(|worker| !worker.is_finished()) {
            // Busy is a fair answer; a broken file is not.
            drop(conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)"));
        }
        let checked: Checked =
            diesel::sql_query("PRAGMA integrity_check").get_result(&mut conn).expect("a check");
        assert_eq!(checked.integrity_check, "ok");
    }
    for worker in workers {
        worker.join().expect("every request is answered well");
    }
    assert_eq!(reviewer.get("/v1/incidents?status=all").expect(200).json()["total"], 8 * WRITES);
    assert_eq!(
        reviewer.get("/v1/aggregates?status=all").expect(200).json()["total"]["reports"],
        8 * WRITES
    );
}

#[test]
fn s45_sixty_four_requests_that_read_and_then_write_are_all_answered() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let requests: Vec<_> = (0..64)
        .map(|n| {
            let (monitor, reviewer) = (monitor.clone(), reviewer.clone());
            thread::spawn(move || {
                let mut report = report();
                report["narrative"] = json!(format!("number {n}"));
                let answer = monitor.post("/v1/reports", &report).expect(201).json();
                reviewer
                    .decide(&answer["incident"], &json!({"status": "verified", "reason": "r"}))
                    .expect(200);
                reviewer
                    .get(&format!("/v1/reports/{}", answer["id"].as_str().expect("an id")))
                    .expect(200);
            })
        })
        .collect();
    for request in requests {
        request.join().expect("no lock and no failure");
    }
    assert_eq!(reviewer.get("/v1/aggregates").expect(200).json()["total"]["incidents"], 64);
}

#[test]
fn what_is_acknowledged_is_seen_by_another_server_at_once() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let second = app.second_server();

    let answer = app.monitor().submit(&report());

    let path = format!("/v1/incidents/{}", answer["incident"].as_str().expect("an incident"));
    reviewer.at(&second.url).get(&path).expect(200);
    let count = "SELECT COUNT(*) AS n FROM reports";
    let counted: Counted = if app.is_postgres() {
        let mut conn = PgConnection::establish(&app.database_url).expect("a connection");
        diesel::sql_query(count).get_result(&mut conn).expect("a count")
    } else {
        let path = app.database_url.trim_start_matches("sqlite://");
        let mut conn = SqliteConnection::establish(path).expect("a connection");
        diesel::sql_query(count).get_result(&mut conn).expect("a count")
    };
    assert_eq!(counted.n, 1);
}

#[track_caller]
fn is_problem(answer: &Answer, status: u16, reason: &str) {
    assert_eq!(answer.status, status, "{reason}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{reason}");
    let problem = answer.json();
    let is_listed = Code::ALL.iter().any(|code| problem["code"] == code.as_str());
    assert!(is_listed && problem["status"] == status, "{reason}: {problem}");
    assert!(
        problem["title"].as_str().is_some_and(|title| !title.is_empty()),
        "{reason}: {problem}"
    );
}

#[test]
fn every_refusal_is_a_problem_with_a_listed_code() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let post =
        |headers: &[(&str, &str)], body: &[u8]| monitor.post_bytes("/v1/reports", headers, body);
    let large = format!("{{\"narrative\": \"{}\"}}", "x".repeat(1_100_000));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    is_problem(&post(&[JSON], large.as_bytes()), 413, "too large");
    is_problem(&post(&[("content-type", "text/plain")], b"{}"), 415, "another media type");
    is_problem(&post(&[], b"{}"), 415, "no media type");
    is_problem(&post(&[JSON], deep.as_bytes()), 422, "a list where an object belongs");
    let deep = format!("{{\"location\": {{\"lat\": {deep}}}}}");
    is_problem(&post(&[JSON], deep.as_bytes()), 400, "too deep");
    is_problem(&post(&[JSON], b"{\"narrative\": \"\xff\"}"), 400, "no UTF-8");
    is_problem(&post(&[JSON], b"{} x"), 400, "more than one document");
    is_problem(&post(&[JSON], b""), 400, "nothing");
    is_problem(&monitor.get("/v1/nowhere"), 404, "an unknown path");
    is_problem(&app.anonymous().get("/v1/nowhere"), 401, "an unknown path below /v1, anonymous");
    is_problem(&app.anonymous().get("/nowhere"), 404, "an unknown path");
    is_problem(&monitor.get("/v1/reports?x=1"), 405, "no such method");
    is_problem(&monitor.post("/v1/reports?x=1", &report()), 400, "an unknown parameter");
}

#[test]
fn another_method_is_told_the_allowed_ones() {
    let app = TestApp::start();
    let monitor: Client = app.monitor();
    for (method, path, allow) in [
        ("GET", "/v1/reports", "POST"),
        ("PATCH", "/v1/reports/3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e", "DELETE, GET, HEAD, PUT"),
        ("POST", "/health/live", "GET, HEAD"),
        ("OPTIONS", "/v1/reports", "POST"),
    ] {
        let answer =
            monitor.send(method, path, &[], None).expect_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    let head = monitor.send("HEAD", "/health/live", &[], None);
    assert_eq!((head.status, head.body.len()), (200, 0));
}
