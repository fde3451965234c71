//! The table that all parts write into.

use std::fmt::Write;
use std::process::Command;

#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

struct Row {
    figure: String,
    measured: String,
    beside: String,
    ratio: Option<f64>,
    floor: Option<f64>,
}

impl Table {
    /// A figure without a judgement.
    pub(crate) fn tell(
        &mut self,
        figure: &str,
        measured: impl Into<String>,
        beside: impl Into<String>,
    ) {
        let (figure, measured, beside) = (figure.to_owned(), measured.into(), beside.into());
        self.add(Row { figure, measured, beside, ratio: None, floor: None });
    }

    /// A ratio that must not fall below `floor`.
    pub(crate) fn judge(
        &mut self,
        figure: &str,
        measured: impl Into<String>,
        beside: impl Into<String>,
        (ratio, floor): (f64, f64),
    ) {
        let (figure, measured, beside) = (figure.to_owned(), measured.into(), beside.into());
        self.add(Row { figure, measured, beside, ratio: Some(ratio), floor: Some(floor) });
    }

    /// Shows a row at once too: what was measured for half an hour is not lost with what comes after.
    fn add(&mut self, row: Row) {
        println!("  {}: {} | {}", row.figure, row.measured, row.beside);
        self.rows.push(row);
    }

    pub(crate) fn count_missed(&self) -> usize {
        self.rows.iter().filter(|row| row.is_missed()).count()
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "{}\n\n| figure | measured | beside | ratio | floor |\n| --- | --- | --- | --- | --- |\n",
            machine()
        );
        for row in &self.rows {
            let number = |n: Option<f64>| n.map(|n| format!("{n:.1}")).unwrap_or_default();
            let verdict = if row.is_missed() { " MISSED" } else { "" };
            let (ratio, floor) = (number(row.ratio), number(row.floor));
            writeln!(
                text,
                "| {} | {} | {} | {ratio} | {floor}{verdict} |",
                row.figure, row.measured, row.beside
            )
            .expect("memory");
        }
        text
    }
}

impl Row {
    fn is_missed(&self) -> bool {
        self.ratio.zip(self.floor).is_some_and(|(ratio, floor)| ratio < floor)
    }
}

/// What it was measured on.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split(": ").nth(1));
    let n_cores = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let meminfo = read("/proc/meminfo");
    let kib =
        meminfo.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0);
    let rustc = Command::new("rustc")
        .arg("--version")
        .output()
        .map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    format!(
        "{n_cores} cores ({}), {} GiB, Linux {}, {}",
        model.unwrap_or("unknown").trim(),
        kib / 1024 / 1024,
        read("/proc/sys/kernel/osrelease").trim(),
        rustc.unwrap_or_default()
    )
}

/// The middle of some durations, in milliseconds.
pub(crate) fn median_ms(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(0.0) * 1e3
}
