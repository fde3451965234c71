//! Counting a million incidents: the columns against `DuckDB` on the same rows and the same question.
//!
//! Both sides are timed from the question to its answer as JSON text in memory. `DuckDB` holds the rows in an
//! in-memory table whose month and categories are columns already; ours also answers total and reconciliation.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use chrono::{Days, NaiveDate};
use sentinelle::aggregates::answer::{Aggregate, Note};
use sentinelle::aggregates::columns::Columns;
use sentinelle::aggregates::query::{By, GENERAL_RESOLUTION, Query, Rights, Scope, Selector};
use sentinelle::aggregates::reference::{CategoryReference, CountryReference, Reference};
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
    let duck = ask_duckdb(&path);
    for (name, query) in [("all", ALL), ("filtered", FILTERED)] {
        let (ours, answer) = time(&large, query);
        let (tenth, _) = time(&small, query);
        let theirs = duck.as_ref().map(|told| &told[name]);
        let figure = format!("1 M incidents by {BY}, {name}");
        let told = format!("{ours:.1} ms, {} cells, JSON included", answer.cells.len());
        match theirs {
            Some(theirs) => {
                assert_same(&answer, theirs);
                let ms = theirs["ms"].as_f64().expect("a time");
                table.judge(&figure, told, format!("DuckDB {ms:.1} ms"), (ms / ours, 1.0));
            }
            None => table.tell(&figure, told, "DuckDB is not here: run it by `make bench`"),
        }
        table.tell(
            &format!("growth from 100 k to 1 M, {name}"),
            format!("× {:.1}", ours / tenth),
            format!("{tenth:.1} ms at 100 k"),
        );
    }
    table.tell("columns of 1 M incidents", format!("{} MB", large.memory_bytes() / 1_000_000), "");
}

fn time(columns: &Columns, query: &str) -> (f64, Aggregate) {
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut last = None;
    let mut seconds = Vec::new();
    for _ in 0..N_RUNS {
        let started_at = Instant::now();
        let filter = IncidentFilter::parse(&pairs, &[], columns.reference()).expect("a filter");
        let by = By::parse_list(BY).expect("groupings");
        let selector = Selector::new(&filter, &Scope::All, Rights::default(), columns.reference())
            .expect("in scope");
        let query = Query::new(by, GENERAL_RESOLUTION, selector).expect("a question");
        let answer = columns.aggregate(&query, &Note { coverage: String::new(), as_of: 1 });
        let json = answer.to_json().expect("JSON");
        seconds.push(started_at.elapsed().as_secs_f64());
        assert!(!json.is_empty(), "an answer");
        last = Some(answer);
    }
    (median_ms(seconds), last.expect("an answer"))
}

fn assert_same(ours: &Aggregate, theirs: &Value) {
    let sum = |of: fn(&sentinelle::aggregates::answer::AggregateCell) -> u64| {
        ours.cells.iter().map(of).sum::<u64>()
    };
    let counts = [
        ours.cells.len() as u64,
        sum(|cell| cell.figures.incidents),
        sum(|cell| cell.figures.harm.killed.map_or(0, |killed| killed.max)),
        sum(|cell| cell.figures.harm.injured.map_or(0, |injured| injured.stated)),
    ];
    let told: Vec<u64> =
        theirs["check"].as_array().expect("counts").iter().filter_map(Value::as_u64).collect();
    assert_eq!(counts.to_vec(), told, "both count the same");
}

/// Times the same questions in `DuckDB`; `None` where `make bench` did not provide it.
fn ask_duckdb(path: &std::path::Path) -> Option<Value> {
    #[expect(clippy::disallowed_methods, reason = "make bench names its python in the environment")]
    let python = std::env::var("SENTINELLE_BENCH_PYTHON").ok()?;
    let output =
        Command::new(python).args(["-c", DUCKDB]).arg(path).arg(N_RUNS.to_string()).output();
    let output = output.expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// Rows into an in-memory table, then each question `argv[2]` times; the median, and counts to compare.
const DUCKDB: &str = r#"
import duckdb, json, sys, time
measures = ["killed","injured","missing","detained","displaced","sexual_violence_survivors","affected_total"]
db = duckdb.connect()
columns = ", ".join(f"{m}_min INTEGER, {m}_max INTEGER" for m in measures)
db.execute(f"CREATE TABLE rows (id BIGINT, country VARCHAR, first_day DATE, last_day DATE, month VARCHAR, status VARCHAR,"
           f" lon DOUBLE, lat DOUBLE, reports INTEGER, categories VARCHAR, {columns})")
db.execute(f"COPY rows FROM '{sys.argv[1]}' (FORMAT CSV, NULLSTR '')")
db.execute("CREATE TABLE t AS SELECT * EXCLUDE (categories), string_split(categories, ' ') AS categories FROM rows")
sums = ", ".join(f"sum({m}_min) AS {m}_min, sum({m}_max) AS {m}_max, count({m}_min) AS {m}_stated" for m in measures)
where = ("status = 'verified' AND first_day >= DATE '2022-01-01' AND last_day <= DATE '2023-12-31'"
         " AND country IN ('SLE','COD','CAF') AND lon BETWEEN -12 AND 24 AND lat BETWEEN -8 AND 8")
told = {}
for name, condition in (("all", "true"), ("filtered", where)):
    cells = (f"SELECT country, month, category, count(*) AS incidents, sum(reports) AS reports, {sums}"
             f" FROM (SELECT *, unnest(categories) AS category FROM t WHERE {condition}) GROUP BY country, month, category")
    seconds = []
    for _ in range(int(sys.argv[2])):
        begun = time.perf_counter()
        text = db.execute(f"SELECT CAST(to_json(list(c)) AS VARCHAR) FROM ({cells}) c").fetchone()[0]
        seconds.append(time.perf_counter() - begun)
    answer = json.loads(text)
    check = [len(answer), sum(c["incidents"] for c in answer), int(sum(c["killed_max"] or 0 for c in answer)),
             sum(c["injured_stated"] for c in answer)]
    told[name] = {"ms": sorted(seconds)[len(seconds) // 2] * 1000, "check": check}
print(json.dumps(told))
"#;

struct Row {
    id: i64,
    country: &'static str,
    span: DaySpan,
    status: Status,
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
        Self {
            id,
            country: COUNTRIES[random.below(COUNTRIES.len())],
            span: DaySpan { first, last: first, precision: DatePrecision::Day },
            status: if random.below(2) == 0 { Status::Verified } else { Status::Received },
            place_e6: (
                random.below(50_000_000) as i32 - 15_000_000,
                random.below(45_000_000) as i32 - 30_000_000,
            ),
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
            cell5: Some(0x0857_54e6_7fff_ffff),
            cell7: None,
            place_e6: Some(self.place_e6),
            geo_precision: "exact",
            flags: &[],
            is_test: false,
            is_merged: false,
            is_mismatch: false,
            reports: self.reports,
            harm: self.harm,
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
        admin1: std::collections::HashMap::default(),
        admin2: std::collections::HashMap::default(),
        sites: std::collections::HashMap::default(),
        categories: TAXONOMY.iter().map(category).collect(),
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
