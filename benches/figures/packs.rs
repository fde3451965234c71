//! Boundary packs: what an import costs, and what it makes right.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use sentinelle::geo::locate::Geo;
use sentinelle::geo::lonlat::LonLat;
use sentinelle::geo::names::fold;
use sentinelle::geo::packs::Pack;
use sentinelle::geodata::import::{ImportOptions, read};

use crate::locate;
use crate::table::Table;

const SOURCE: &str = "Who's On First";

fn boundaries(file: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/boundaries").join(file);
    path.exists().then_some(path)
}

pub(crate) fn measure(table: &mut Table) {
    let files = boundaries("adm1_wof.geojson.gz").zip(boundaries("adm2_wof.geojson.gz"));
    let Some((first, second)) = files else {
        table.tell(
            "import of boundaries, first-level area of named points",
            "not measured",
            "the boundary files are not beside the repository (../shared/data/boundaries)",
        );
        return;
    };
    measure_import(table, "import of 222 first-level areas, built program", &first);
    measure_import(table, "import of 912 second-level areas, built program", &second);
    measure_right(table, &first);
    measure_locate(table, [&first, &second]);
}

/// Imported areas must not make placing slower than what they bring: a second level is one look-up more.
fn measure_locate(table: &mut Table, files: [&Path; 2]) {
    let builtin = Geo::builtin().expect("the built-in places");
    let with =
        builtin.with_packs(files.into_iter().flat_map(|file| read_packs(&builtin, file)).collect());
    let points = locate::points(&builtin, 100_000);
    let of = |geo: &Geo| locate::rate(&points, |point, _| geo.locate(point).country.is_some());
    // In turns, the best of three: the machine's other work is no part of the ratio.
    let rounds: Vec<(f64, f64)> = (0..3).map(|_| (of(&builtin), of(&with))).collect();
    let best = |rates: &dyn Fn(&(f64, f64)) -> f64| rounds.iter().map(rates).fold(0.0, f64::max);
    let (before, after) = (best(&|round| round.0), best(&|round| round.1));
    let second = |geo: &Geo| locate::rate(&points, |p, c| geo.admin2().covering(p, c).is_some());
    let first = |geo: &Geo| locate::rate(&points, |p, c| geo.areas().locate(p, c).is_some());
    table.tell(
        "area of a point: built in, imported, second level",
        format!(
            "{:.0}, {:.0}, {:.0} k/s",
            first(&builtin) / 1e3,
            first(&with) / 1e3,
            second(&with) / 1e3
        ),
        "",
    );
    table.tell(
        "whole locate with both levels imported",
        format!("{:.0} k/s", after / 1e3),
        format!("built in {:.0} k/s: × {:.2}", before / 1e3, after / before),
    );
}

fn read_packs(geo: &Geo, file: &Path) -> Vec<Pack> {
    let options = ImportOptions {
        source: Some(SOURCE.to_owned()),
        year: Some(2020),
        ..ImportOptions::default()
    };
    let file = File::open(file).expect("the file");
    read(file, geo, &options, &mut |_| {}).expect("a fit file").0
}

/// Runs the built program on a fresh store; its peak memory is read while it works.
fn measure_import(table: &mut Table, figure: &str, file: &Path) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let program = env!("CARGO_BIN_EXE_sentinelle");
    let at = |words: &[&str]| {
        let mut command = Command::new(program);
        command.args(words).arg("--data-dir").arg(folder.path()).env("SENTINELLE_LOG", "warn");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    // The store, its key and an empty list: what starting costs by itself.
    assert!(at(&["geodata", "list"]).status().expect("the program").success());
    let (starting_ms, starting_mib) = watch(at(&["geodata", "list"]));
    let words =
        ["geodata", "import", &file.display().to_string(), "--source", SOURCE, "--year", "2020"];
    let (import_ms, peak_mib) = watch(at(&words));
    table.tell(
        figure,
        format!("{import_ms:.0} ms, at most {peak_mib:.0} MiB"),
        format!("listing none: {starting_ms:.0} ms, {starting_mib:.0} MiB"),
    );
}

/// Returns how long a command took, in ms, and its greatest resident memory, in MiB.
fn watch(mut command: Command) -> (f64, f64) {
    let started_at = Instant::now();
    let mut child = command.spawn().expect("the program");
    let mut peak_kib: f64 = 0.0;
    let status = loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let line = status.ok().and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("VmHWM"))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        });
        peak_kib = peak_kib.max(line.unwrap_or_default());
        if let Some(status) = child.try_wait().expect("the program") {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    assert!(status.success(), "the command succeeds");
    (started_at.elapsed().as_secs_f64() * 1e3, peak_kib / 1024.0)
}

/// Named points whose province of today is known, by country: the built-in areas, and after an import.
fn measure_right(table: &mut Table, file: &Path) {
    let builtin = Geo::builtin().expect("the built-in places");
    let with = builtin.with_packs(read_packs(&builtin, file));
    let (before, after) = (count_right(&builtin), count_right(&with));
    let each = after.iter().map(|(country, (right, all))| {
        let (was, _) = before.get(country).copied().unwrap_or_default();
        format!("{country} {was} → {right} of {all}")
    });
    let each: Vec<String> = each.collect();
    let sum = |tally: &BTreeMap<String, (u32, u32)>| {
        tally.values().fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1))
    };
    let ((was, _), (right, all)) = (sum(&before), sum(&after));
    table.tell(
        "first-level area of named points: built in, then imported",
        format!("{was}, then {right} of {all} right"),
        each.join(", "),
    );
}

fn count_right(geo: &Geo) -> BTreeMap<String, (u32, u32)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/test_points.csv");
    let mut by_country: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for record in csv::Reader::from_path(path).expect("the points").records() {
        let record = record.expect("a row");
        let field = |index: usize| record.get(index).unwrap_or_default();
        if field(4).is_empty() {
            continue;
        }
        let degrees = |index: usize| field(index).parse::<f64>().expect("degrees");
        let point = LonLat::new(degrees(2), degrees(1)).expect("a point");
        let found = geo.locate(point).admin1.and_then(|id| geo.areas().get(&id).cloned());
        let is_right = found.is_some_and(|area| {
            let names = [&area.name_en, &area.name_fr].into_iter().chain(&area.aliases);
            names.into_iter().any(|name| fold(name) == fold(field(4)))
        });
        let tally = by_country.entry(field(3).to_owned()).or_default();
        *tally = (tally.0 + u32::from(is_right), tally.1 + 1);
    }
    by_country
}
