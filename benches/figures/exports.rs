//! Exports: rows a second in each format beside `DuckDB`'s `COPY` of the same rows, how soon they begin, and
//! what they add to the memory of the service.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use sentinelle::auth::types::Role;

use crate::intake::App;
use crate::queue::token;
use crate::table::Table;

const FORMATS: [&str; 5] = ["csv", "ndjson", "geojson", "xlsx", "parquet"];

pub(crate) fn measure_files(table: &mut Table, engine: &str, app: &App, n: usize) {
    let analyst = token(&app.context, "exporter", Role::Analyst);
    // A process of its own, so that what it holds is known.
    let mut served = Command::new(env!("CARGO_BIN_EXE_sentinelle"))
        .args(["serve", "--listen", "127.0.0.1:0", "--database-url", &app.database_url])
        .arg("--data-dir")
        .arg(app.folder.path())
        .env("SENTINELLE_LOG", "warn")
        .stderr(Stdio::piped())
        .spawn()
        .expect("the service");
    let mut words =
        BufReader::new(served.stderr.take().expect("its words")).lines().map_while(Result::ok);
    let url = words
        .by_ref()
        .find_map(|line| line.split_once("listens on ").map(|(_, url)| url.to_owned()))
        .expect("it listens");
    std::thread::spawn(move || words.for_each(drop));
    let get = |path: &str| fetch(&format!("{url}/v1/{path}"), &analyst);
    // The columns take all facts in at the first question.
    get("aggregates?status=all");
    let mut csv_per_s = 0.0;
    let mut parquet = Vec::new();
    for format in FORMATS {
        let before = forget_peak(&served);
        let Fetched { seconds, first_byte_s, n_bytes, n_lines, n_announced, kept } =
            get(&format!("exports/incidents.{format}?status=all"));
        match format {
            "csv" => assert_eq!(n_lines, n_announced + 1),
            "ndjson" => assert_eq!(n_lines, n_announced),
            _ => {}
        }
        let grown = resident_mib(&served, "VmHWM") - before;
        let per_s = n_announced as f64 / seconds;
        table.tell(
            &format!("exports, {engine}: {n} incidents, {format}"),
            format!("{per_s:.0} rows/s, + {grown:.0} MiB"),
            format!("{:.0} MB, the first byte after {first_byte_s:.2} s", n_bytes as f64 / 1e6),
        );
        if format == "csv" {
            csv_per_s = per_s;
        }
        parquet.extend(kept);
    }
    served.kill().expect("it runs");
    served.wait().expect("it ends");
    compare(table, engine, csv_per_s, &parquet);
}

/// An answer that was read to its end.
struct Fetched {
    seconds: f64,
    first_byte_s: f64,
    n_bytes: usize,
    n_lines: usize,
    /// Rows that its head tells of.
    n_announced: usize,
    /// What it holds, where another program is to read it.
    kept: Vec<u8>,
}

fn fetch(url: &str, token: &str) -> Fetched {
    let begun = Instant::now();
    let mut answer = ureq::get(url).header("authorization", token).call().expect("an answer");
    let n_announced = answer.headers().get("sentinelle-rows");
    let n_announced = n_announced.and_then(|told| told.to_str().ok()?.parse().ok()).unwrap_or(0);
    let mut reader = answer.body_mut().with_config().limit(1 << 34).reader();
    let (mut n_bytes, mut n_lines, mut first_byte_s) = (0, 0, 0.0);
    let (mut kept, mut piece) = (Vec::new(), vec![0; 1 << 16]);
    while let Ok(n @ 1..) = reader.read(&mut piece) {
        if n_bytes == 0 {
            first_byte_s = begun.elapsed().as_secs_f64();
        }
        n_bytes += n;
        n_lines += piece[..n].split(|byte| *byte == b'\n').count() - 1;
        if url.contains(".parquet") {
            kept.extend_from_slice(&piece[..n]);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    Fetched { seconds, first_byte_s, n_bytes, n_lines, n_announced, kept }
}

/// Writes the same rows by `DuckDB`, where `make bench` provides it.
fn compare(table: &mut Table, engine: &str, csv_per_s: f64, parquet: &[u8]) {
    #[expect(clippy::disallowed_methods, reason = "make bench names its python in the environment")]
    let Ok(python) = std::env::var("SENTINELLE_BENCH_PYTHON") else { return };
    let file = tempfile::NamedTempFile::with_suffix(".parquet").expect("a file");
    std::fs::write(file.path(), parquet).expect("the disk");
    let output = Command::new(python)
        .args(["-c", include_str!("duckdb_copy.py")])
        .arg(file.path())
        .output()
        .expect("python starts");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let per_s: f64 = told
        .trim()
        .parse()
        .unwrap_or_else(|_| panic!("DuckDB: {told} {}", String::from_utf8_lossy(&output.stderr)));
    table.tell(
        &format!("exports, {engine}: CSV beside DuckDB's COPY of its rows"),
        format!("{csv_per_s:.0} rows/s"),
        format!("{per_s:.0} rows/s: × {:.2}", csv_per_s / per_s),
    );
}

/// Lets the service's peak begin at what it holds now; returns that.
fn forget_peak(process: &Child) -> f64 {
    std::fs::write(format!("/proc/{}/clear_refs", process.id()), "5").expect("Linux");
    resident_mib(process, "VmRSS")
}

fn resident_mib(process: &Child, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("Linux");
    let line = status.lines().find(|line| line.starts_with(name)).expect("the line");
    let kib: f64 =
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number");
    kib / 1024.0
}
