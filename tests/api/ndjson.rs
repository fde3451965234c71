//! Reports one a line: each with its outcome, in bounded memory, and nothing lost when the body breaks off.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that cannot go on fails its test"
)]

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, TestApp};
use crate::process::Served;

const NDJSON: [(&str, &str); 1] = [("content-type", "application/x-ndjson")];
const GZIPPED: [(&str, &str); 2] =
    [("content-type", "application/x-ndjson"), ("content-encoding", "gzip")];
const MEMORY_KIB: u64 = 64 * 1024;

fn id(n: u128) -> String {
    Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0000 + n).to_string()
}

fn line(n: u128, killed: u32) -> String {
    let report = json!({
        "id": id(n), "location": {"country": "SLE"}, "categories": ["rights.life_integrity.killing"],
        "harm": {"killed": killed},
    });
    format!("{report}\n")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[track_caller]
fn total(reviewer: &Client) -> Value {
    reviewer.get("/v1/incidents?status=all&limit=1").expect(200).json()["total"].clone()
}

#[test]
fn every_line_has_an_outcome_and_a_bad_one_stops_nothing() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let too_long = format!("{{\"narrative\": \"{}\"}}\n", "x".repeat(1_100_000));
    let nameless = "{\"location\": {\"country\": \"SLE\"}, \"narrative\": \"x\"}\n";
    let body = [
        &line(1, 1),
        nameless,
        "{\"id\": \n",
        "\n",
        &too_long,
        &line(2, 1),
        &line(1, 1),
        &line(2, 5),
        line(3, 1).trim_end(),
    ]
    .concat();

    let answer = monitor.post_bytes("/v1/reports", &NDJSON, body.as_bytes()).expect(200);

    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let lines = lines(&answer);
    let (last, outcomes) = lines.split_last().expect("a summary");
    let told: Vec<(u64, &str, u64, &str)> = outcomes
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap_or_default();
            let number = |name: &str| line[name].as_u64().unwrap_or_default();
            (number("line"), text("outcome"), number("status"), text("code"))
        })
        .collect();
    let right = [
        (1, "created", 201, ""),
        (2, "refused", 422, "id_required"),
        (3, "refused", 400, "invalid_json"),
        (5, "refused", 413, "payload_too_large"),
        (6, "created", 201, ""),
        (7, "same", 200, ""),
        (8, "conflict", 409, "id_conflict"),
        (9, "created", 201, ""),
    ];
    assert_eq!(told, right);
    assert_eq!(outcomes[0]["incident"], outcomes[5]["incident"]);
    assert_eq!(
        last["summary"],
        json!({"lines": 8, "created": 3, "same": 1, "conflict": 1, "gone": 0, "refused": 3, "retry": 0, "is_cut_short": false})
    );
    assert_eq!(total(&app.reviewer()), 3);
    assert_eq!(app.reviewer().get("/v1/quarantine").expect(200).json()["total"], 1);
}

#[test]
fn among_many_stored_at_once_those_that_repeat_one_fail_alone() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let before = [line(5, 5), line(250, 250)].concat();
    monitor.post_bytes("/v1/reports", &NDJSON, before.as_bytes()).expect(200);
    // Every seventh comes twice, and 5 and 250 came before: with 250 the count of people is another.
    let many = (1..=300).flat_map(|n| {
        let again = (n % 7 == 0).then(|| line(n, u32::try_from(n).expect("small")));
        let killed = if n == 250 { 999 } else { u32::try_from(n).expect("small") };
        std::iter::once(line(n, killed)).chain(again)
    });
    let body = many.collect::<String>();

    let answer = monitor.post_bytes("/v1/reports", &NDJSON, body.as_bytes()).expect(200);

    let told = lines(&answer);
    let summary = &told.last().expect("a summary")["summary"];
    let outcomes = ["created", "same", "conflict", "refused"].map(|name| summary[name].clone());
    assert_eq!(outcomes, [298, 43, 1, 0].map(Value::from), "{summary}");
    let counts = app.reviewer().get("/v1/aggregates?status=all").expect(200).json();
    assert_eq!(counts["total"]["incidents"], 300);
    assert_eq!(counts["total"]["killed"]["min"], 300 * 301 / 2, "each with its own facts");
}

#[test]
fn a_phone_is_told_no_incident() {
    let app = TestApp::start();

    let answer =
        app.device("SLE").post_bytes("/v1/reports", &NDJSON, line(1, 1).as_bytes()).expect(200);

    assert_eq!(
        lines(&answer)[0],
        json!({"line": 1, "outcome": "created", "status": 201, "id": id(1)})
    );
}

#[test]
fn a_compressed_body_is_read_and_a_damaged_one_refused() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let body = gzip((1..=300).map(|n| line(n, 1)).collect::<String>().as_bytes());

    let answer = monitor.post_bytes("/v1/reports", &GZIPPED, &body).expect(200);
    let cut = monitor.post_bytes("/v1/reports", &GZIPPED, &body[..body.len() / 2]);

    assert_eq!(lines(&answer).last().expect("a summary")["summary"]["created"], 300);
    cut.expect_problem(400, "bad_request");
}

#[test]
fn twenty_thousand_lines_are_stored_once_in_bounded_memory() {
    let app = TestApp::start();
    let served = Served::start(&app, "UTC");
    let monitor = app.monitor().at(&served.url);
    // Threads, pools and caches grow to what they need with the first lines.
    let first: String = (1..=2_000).map(|n| line(n, 1)).collect();
    monitor.post_bytes("/v1/reports", &NDJSON, first.as_bytes()).expect(200);
    let before = served.peak_kib();
    let body: String = (1..=20_000).map(|n| line(n, 1)).collect();

    let answer = monitor.post_bytes("/v1/reports", &NDJSON, body.as_bytes()).expect(200);

    let growth = served.peak_kib() - before;
    let lines = lines(&answer);
    let summary = lines.last().expect("a summary")["summary"].clone();
    assert_eq!(
        summary,
        json!({"lines": 20_000, "created": 18_000, "same": 2_000, "conflict": 0, "gone": 0, "refused": 0, "retry": 0, "is_cut_short": false})
    );
    assert!(lines.iter().take(20_000).zip(1_u64..).all(|(line, n)| line["line"] == n), "in order");
    assert_eq!(total(&app.reviewer()), 20_000);
    assert!(growth <= MEMORY_KIB, "grew by {growth} KiB");
}

#[test]
fn many_huge_lines_that_were_packed_small_stay_in_bounded_memory() {
    let app = TestApp::start();
    let served = Served::start(&app, "UTC");
    let monitor = app.monitor().at(&served.url);
    monitor.post_bytes("/v1/reports", &NDJSON, line(1, 1).as_bytes()).expect(200);
    let huge = format!("{{\"narrative\": \"{}\"}}\n", "x".repeat(1_000_000));
    let body = gzip(huge.repeat(200).as_bytes());
    let before = served.peak_kib();

    let answer = monitor.post_bytes("/v1/reports", &GZIPPED, &body).expect(200);

    let growth = served.peak_kib() - before;
    assert_eq!(lines(&answer).last().expect("a summary")["summary"]["refused"], 200);
    assert!(growth <= MEMORY_KIB, "grew by {growth} KiB for {} bytes", body.len());
}

#[test]
fn a_body_that_breaks_off_keeps_the_lines_before() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let body: String = (1..=10).map(|n| line(n, 1)).collect();
    let head = format!(
        "POST /v1/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
        monitor.token(),
        body.len() + 5_000
    );
    let mut socket = TcpStream::connect(app.address()).expect("a connection");

    socket.write_all(format!("{head}{body}{}", &line(11, 1)[..40]).as_bytes()).expect("sent");
    socket.shutdown(std::net::Shutdown::Both).expect("closed");

    // The server notices in its own time; what it takes is bounded, not slept for blindly.
    let is_in = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        total(&reviewer) == 10
    });
    assert!(is_in, "{} of 10 lines are kept", total(&reviewer));
}

#[test]
fn a_body_that_is_no_reports_is_given_up_early() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let body = "1\n".repeat(100_000);

    let answer = monitor.post_bytes("/v1/reports", &NDJSON, body.as_bytes()).expect(200);

    let lines = lines(&answer);
    let summary = &lines.last().expect("a summary")["summary"];
    assert_eq!(summary["is_cut_short"], true);
    assert!(lines.len() < 2_000, "{} lines", lines.len());
}
