//! Counting a million incidents: the columns against `DuckDB` on the same rows and the same question.
//!
//! Timed on our side, one thread: parsing the filter, counting, total and reconciliation, JSON as bytes. Timed on
//! `DuckDB`'s, all cores: the query and its cells as JSON, by `to_json` or `COPY` to a file in memory, whichever is
//! faster. Both answer in turns, so that a busy moment of the machine strikes both.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use chrono::{Days, NaiveDate};
use sentinelle::aggregates::answer::{Aggregate, AggregateCell, Figures, HarmFigure, Note};
use sentinelle::aggregates::columns::Columns;
use sentinelle::aggregates::query::{By, GENERAL_RESOLUTION, Query, Rights, Scope, Selector};
use sentinelle::aggregates::reference::{CategoryReference, CountryReference, Reference};
use sentinelle::geo::cells::Cell;
use sentinelle::geo::lonlat::LonLat;
use sentinelle::incidents::facts::{
    DatePrecision, DaySpan, HarmRange, IncidentFacts, Measure, Status,
};
use sentinelle::incidents::filter::IncidentFilter;
use sentinelle::taxonomy::catalogue::Taxonomy;
use serde_json::Value;

use crate::table::{Table, median_ms};

const N_ROWS: i64 = 1_000_000;
const N_RUNS: usize = 9;
const COUNTRIES: [&str; 10] =
    ["BWA", "ZWE", "LSO", "COD", "CMR", "CAF", "SLE", "LBR", "GIN", "CIV"];
const BY: &str = "country,month,category";
const ALL: &str = "status=all";
const FILTERED: &str =
    "status=verified&from=2022-01&to=2023-12&country=SLE,COD,CAF&bbox=-12,-8,24,8";

pub(crate) fn measure(table: &mut Table) {
    let reference = Arc::new(reference());
    let mut small = Columns::new(Arc::clone(&reference));
    let mut large = Columns::new(reference);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
    let mut random = Random(20_240_305);
    for id in 1..=N_ROWS {
        let row = Row::random(&mut random, id);
        row.put(&mut large);
        if id <= N_ROWS / 10 {
            row.put(&mut small);
        }
        writeln!(file, "{}", row.csv()).expect("the disk");
    }
    file.flush().expect("the disk");
    let mut duck = Duck::start(&path);
    for (name, query) in [("all", ALL), ("filtered", FILTERED)] {
        compare(table, (name, query), &large, duck.as_mut());
        let [at_tenth, at_full] =
            [&small, &large].map(|columns| median_ms(times(|| time(columns, query))));
        table.tell(
            &format!("growth from 100 k to 1 M, {name}"),
            format!("× {:.1}", at_full / at_tenth),
            format!("{at_tenth:.1} ms at 100 k"),
        );
    }
    table.tell("columns of 1 M incidents", format!("{} MB", large.memory_bytes() / 1_000_000), "");
}

fn times(measure: impl FnMut() -> f64) -> Vec<f64> {
    std::iter::repeat_with(measure).take(N_RUNS).collect()
}

/// Asks both in turns, after each was asked once.
fn compare(
    table: &mut Table,
    (name, query): (&str, &str),
    columns: &Columns,
    duck: Option<&mut Duck>,
) {
    let figure = format!("1 M incidents by {BY}, {name}");
    let (answer, n_bytes) = answer(columns, query);
    let told = |ms: f64| {
        format!("{ms:.1} ms, {} cells, {} kB of JSON included", answer.cells.len(), n_bytes / 1_000)
    };
    let Some(duck) = duck else {
        let ours = median_ms(times(|| time(columns, query)));
        table.tell(&figure, told(ours), "DuckDB is not here: run it by `make bench`");
        return;
    };
    assert!(cells_of(&answer) == duck.cells(name), "{name}: both have the same cells");
    let (mut ours, mut full, mut lean) = (Vec::new(), DuckTimes::default(), DuckTimes::default());
    for _ in 0..N_RUNS {
        ours.push(time(columns, query));
        full.add(&duck.ask(&format!("{name} full time")));
        lean.add(&duck.ask(&format!("{name} lean time")));
    }
    let ours = median_ms(ours);
    let (full, lean) = (full.best_ms(), lean.best_ms());
    let beside = format!("DuckDB {:.1} ms ({})", full.0, full.1);
    table.judge(&figure, told(ours), beside, (full.0 / ours, 1.0));
    table.tell(
        &format!("the same, {name}, DuckDB counting incidents only"),
        format!("{ours:.1} ms with reports and harm"),
        format!("DuckDB {:.1} ms ({}) without: × {:.1}", lean.0, lean.1, lean.0 / ours),
    );
}

fn answer(columns: &Columns, query: &str) -> (Aggregate, usize) {
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let filter = IncidentFilter::parse(&pairs, &[], columns.reference()).expect("a filter");
    let by = By::parse_list(BY).expect("groupings");
    let selector = Selector::new(&filter, &Scope::All, Rights::default(), columns.reference())
        .expect("in scope");
    let query = Query::new(by, GENERAL_RESOLUTION, selector).expect("a question");
    let answer = columns.aggregate(&query, &Note { coverage: String::new(), as_of: 1 });
    let json = answer.to_json().expect("JSON");
    (answer, std::hint::black_box(json).len())
}

/// Returns the seconds from the question to its answer as JSON.
fn time(columns: &Columns, query: &str) -> f64 {
    let started_at = Instant::now();
    let answer = answer(columns, query);
    let seconds = started_at.elapsed().as_secs_f64();
    assert!(answer.1 > 0, "an answer");
    seconds
}

/// Keys to incidents, reports, then min, max and stated of every measure.
type Cells = BTreeMap<[String; 3], Vec<u64>>;

fn cells_of(answer: &Aggregate) -> Cells {
    let keys = [By::Country, By::Month, By::Category];
    let figures = |figures: &Figures| {
        let harm = figures.harm.list().into_iter().flat_map(|harm| {
            harm.map_or([0; 3], |HarmFigure { min, max, stated }| [min, max, stated])
        });
        [figures.incidents, figures.reports].into_iter().chain(harm).collect()
    };
    let cell = |cell: &AggregateCell| {
        (keys.map(|by| cell.keys.get(by).unwrap_or_default().to_owned()), figures(&cell.figures))
    };
    answer.cells.iter().map(cell).collect()
}

/// `DuckDB` in a process of its own, see `duckdb.py`.
struct Duck {
    process: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    memory_file: tempfile::NamedTempFile,
}

impl Duck {
    /// Loads the rows of `path`; `None` where `make bench` did not provide `DuckDB`.
    fn start(path: &std::path::Path) -> Option<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "make bench names its python in the environment"
        )]
        let python = std::env::var("SENTINELLE_BENCH_PYTHON").ok()?;
        let memory_file = tempfile::NamedTempFile::new_in("/dev/shm").expect("a file in memory");
        let mut process = Command::new(python)
            .args(["-c", include_str!("duckdb.py")])
            .args([path, memory_file.path()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let questions = process.stdin.take().expect("its input");
        let answers = BufReader::new(process.stdout.take().expect("its output")).lines();
        Some(Self { process, questions, answers, memory_file })
    }

    fn ask(&mut self, question: &str) -> Value {
        writeln!(self.questions, "{question}").expect("DuckDB listens");
        let line = self.answers.next().expect("DuckDB answers").expect("text");
        serde_json::from_str(&line).expect("JSON")
    }

    fn cells(&mut self, name: &str) -> Cells {
        let cells = self.ask(&format!("{name} full cells"));
        let key = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let cell = |cell: &Value| {
            let cell = cell.as_array().expect("a cell");
            let numbers = cell.iter().skip(3).map(|number| number.as_u64().unwrap_or(0));
            ([0, 1, 2].map(|at| key(&cell[at])), numbers.collect())
        };
        cells.as_array().expect("cells").iter().map(cell).collect()
    }
}

impl Drop for Duck {
    fn drop(&mut self) {
        // Ours alone: nobody else knows this process.
        drop(self.process.kill());
        drop(self.process.wait());
        drop(std::fs::remove_file(self.memory_file.path()));
    }
}

#[derive(Default)]
struct DuckTimes {
    to_json: Vec<f64>,
    copy: Vec<f64>,
}

impl DuckTimes {
    fn add(&mut self, answer: &Value) {
        self.to_json.push(answer["to_json"].as_f64().expect("a time"));
        self.copy.push(answer["copy"].as_f64().expect("a time"));
    }

    fn best_ms(self) -> (f64, &'static str) {
        let (to_json, copy) = (median_ms(self.to_json), median_ms(self.copy));
        if copy < to_json { (copy, "COPY") } else { (to_json, "to_json") }
    }
}

struct Row {
    id: i64,
    country: &'static str,
    span: DaySpan,
    status: Status,
    cell5: Cell,
    place_e6: (i32, i32),
    reports: u32,
    leaves: Vec<String>,
    harm: [Option<HarmRange>; Measure::COUNT],
}

impl Row {
    fn random(random: &mut Random, id: i64) -> Self {
        let taxonomy = &*TAXONOMY;
        let n_leaves = if random.below(5) == 0 { 2 } else { 1 };
        let mut leaves: Vec<String> =
            (0..n_leaves).map(|_| taxonomy[random.below(taxonomy.len())].0.clone()).collect();
        leaves.dedup();
        let first = NaiveDate::from_ymd_opt(2021, 1, 1).expect("a day")
            + Days::new(random.below(1_400) as u64);
        let mut harm = [None; Measure::COUNT];
        for (measure, one_in) in [(0, 10), (1, 6), (3, 20), (4, 20)] {
            if random.below(one_in) == 0 {
                let min = random.below(5) as u32;
                harm[measure] = Some(HarmRange { min, max: min + random.below(3) as u32 });
            }
        }
        let (cell5, place_e6) = generalise(
            random.below(50_000_000) as f64 / 1e6 - 15.0,
            random.below(45_000_000) as f64 / 1e6 - 30.0,
        );
        Self {
            id,
            country: COUNTRIES[random.below(COUNTRIES.len())],
            span: DaySpan { first, last: first, precision: DatePrecision::Day },
            status: if random.below(2) == 0 { Status::Verified } else { Status::Received },
            cell5,
            place_e6,
            reports: 1 + random.below(2) as u32,
            leaves,
            harm,
        }
    }

    fn put(&self, columns: &mut Columns) {
        let categories: Vec<&str> = self.leaves.iter().map(String::as_str).collect();
        columns.upsert(&IncidentFacts {
            id: self.id,
            country: self.country,
            country_computed: None,
            admin1: None,
            admin2: None,
            span: Some(self.span),
            categories: &categories,
            status: self.status,
            severity: Some(3),
            channels: &["api"],
            mining_mode: Some("artisanal"),
            actors: &[],
            site: None,
            site_distance: None,
            cell5: Some(self.cell5.index()),
            cell7: None,
            place_e6: Some(self.place_e6),
            geo_precision: "exact",
            flags: &[],
            is_test: false,
            is_merged: false,
            is_mismatch: false,
            reports: self.reports,
            harm: self.harm,
            has_minors: false,
            is_ongoing: false,
            is_at_risk: false,
            opened_s: 0,
        });
    }

    fn csv(&self) -> String {
        let mut categories: Vec<&str> = self
            .leaves
            .iter()
            .filter_map(|leaf| leaf.rsplit_once('.'))
            .map(|(two, _)| two)
            .collect();
        categories.sort_unstable();
        categories.dedup();
        let (lon, lat) = (f64::from(self.place_e6.0) / 1e6, f64::from(self.place_e6.1) / 1e6);
        let (day, month) = (self.span.first, self.span.first.format("%Y-%m"));
        let mut line = format!(
            "{},{},{day},{day},{month},{},{lon},{lat},{},{}",
            self.id,
            self.country,
            self.status.as_str(),
            self.reports,
            categories.join(" ")
        );
        for range in self.harm {
            let told = range
                .map_or_else(|| ",".to_owned(), |range| format!("{},{}", range.min, range.max));
            write!(line, ",{told}").expect("memory");
        }
        line
    }
}

/// Returns the cell and its centre, which is all that counting knows of a place.
fn generalise(lon: f64, lat: f64) -> (Cell, (i32, i32)) {
    let point = LonLat::new(lon, lat).expect("a point");
    let cell5 = Cell::at_resolution_7(point).and_then(|cell| cell.parent(5)).expect("a cell");
    let centre = cell5.centre().expect("a centre");
    (cell5, ((centre.lon() * 1e6).round() as i32, (centre.lat() * 1e6).round() as i32))
}

/// Leaf codes with their valence.
static TAXONOMY: std::sync::LazyLock<Vec<(String, String)>> = std::sync::LazyLock::new(|| {
    let taxonomy = Taxonomy::builtin().expect("the taxonomy");
    let pair = |leaf: &sentinelle::taxonomy::catalogue::Leaf| {
        (leaf.code.as_str().to_owned(), leaf.valence.as_str().to_owned())
    };
    taxonomy.leaves().iter().map(pair).collect()
});

fn reference() -> Reference {
    let country = |alpha3: &&str| CountryReference {
        alpha3: (*alpha3).to_owned(),
        alpha2: alpha3.chars().take(2).collect(),
        is_member: true,
        regions: Vec::new(),
    };
    let category = |(code, valence): &(String, String)| CategoryReference {
        code: code.clone(),
        valence: valence.clone(),
    };
    let one = |code: &str| vec![code.to_owned()];
    Reference {
        countries: COUNTRIES.iter().map(country).collect(),
        regions: Vec::new(),
        wider_regions: Vec::new(),
        admin1: std::collections::HashMap::default(),
        admin2: std::collections::HashMap::default(),
        sites: std::collections::HashMap::default(),
        categories: TAXONOMY.iter().map(category).collect(),
        default_severities: std::collections::HashMap::default(),
        channels: one("api"),
        mining_modes: one("artisanal"),
        actor_types: Vec::new(),
        flags: Vec::new(),
        site_distance_bands: Vec::new(),
        geo_precisions: one("exact"),
    }
}

/// Numbers that are the same in every run.
///
/// # Source
/// `SplitMix64`, Steele, Lea, Flood 2014, <https://doi.org/10.1145/2660193.2660195>.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap_or(0)
    }
}
