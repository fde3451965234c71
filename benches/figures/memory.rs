//! Memory of the running service: idle, and after a hundred thousand reports.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use sentinelle::geo::locate::Geo;
use serde_json::Value;

use crate::load;
use crate::table::Table;

const N_REPORTS: usize = 100_000;

pub(crate) fn measure(table: &mut Table) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let program = env!("CARGO_BIN_EXE_sentinelle");
    let at = |words: &[&str]| {
        let mut command = Command::new(program);
        command.args(words).arg("--data-dir").arg(folder.path()).env("SENTINELLE_LOG", "warn");
        command
    };
    let mut served = at(&["serve", "--listen", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the service");
    let mut words =
        BufReader::new(served.stderr.take().expect("its words")).lines().map_while(Result::ok);
    let url = words
        .by_ref()
        .find_map(|line| line.split_once("listens on ").map(|(_, url)| url.to_owned()));
    let url = url.expect("it listens");
    std::thread::spawn(move || words.for_each(drop));
    let added =
        at(&["user", "add", "bench", "--role", "monitor", "--scope", "all", "--token", "--json"])
            .output();
    let told: Value = serde_json::from_slice(&added.expect("a user").stdout).expect("JSON");
    let token = told["token"].as_str().expect("a token").to_owned();

    std::thread::sleep(std::time::Duration::from_secs(2));
    let idle = resident_mib(&served, "VmRSS");
    let started_at = std::time::Instant::now();
    send_lines(&url, &token);
    let per_second = N_REPORTS as f64 / started_at.elapsed().as_secs_f64();
    // The columns take the new facts in within a second.
    std::thread::sleep(std::time::Duration::from_secs(5));
    let (after, peak) = (resident_mib(&served, "VmRSS"), resident_mib(&served, "VmHWM"));
    served.kill().expect("it runs");
    served.wait().expect("it ends");
    table.tell("memory, idle", format!("{idle:.0} MiB"), "");
    table.tell(
        "memory after 100,000 reports as NDJSON",
        format!("{after:.0} MiB, at most {peak:.0} MiB"),
        format!("{per_second:.0} reports/s on one connection"),
    );
}

fn send_lines(url: &str, token: &str) {
    let geo = Geo::builtin().expect("the built-in places");
    let mut body = String::new();
    for report in load::reports(&geo, N_REPORTS) {
        writeln!(body, "{}", String::from_utf8_lossy(&report)).expect("memory");
    }
    let mut answer = ureq::post(&format!("{url}/v1/reports"))
        .header("authorization", &format!("Bearer {token}"))
        .header("content-type", "application/x-ndjson")
        .send(body.as_bytes())
        .expect("an answer");
    let lines = answer.body_mut().with_config().limit(1 << 30).read_to_string().expect("outcomes");
    let last: Value = serde_json::from_str(lines.lines().last().expect("a summary")).expect("JSON");
    assert_eq!(last["summary"]["created"], N_REPORTS, "{last}");
}

fn resident_mib(process: &Child, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("Linux");
    let line = status.lines().find(|line| line.starts_with(name)).expect("the line");
    let kib: f64 =
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number");
    kib / 1024.0
}
