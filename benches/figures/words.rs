//! Suggested categories beside a plain keyword search; and where suggestions and reviewers' decisions part.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::NaiveDate;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::cli::demo::invent::invent;
use sentinelle::cli::demo::run::demo_places;
use sentinelle::db::schema::{incident_categories, reports};
use sentinelle::db::{Db, DbOptions};
use sentinelle::geo::locate::Geo;
use sentinelle::geo::names::fold;
use sentinelle::incidents::types::ReportCodes;
use sentinelle::taxonomy::catalogue::Taxonomy;
use sentinelle::taxonomy::lexicon::classify::{Classifier, MAX_SUGGESTIONS};
use sentinelle::taxonomy::lexicon::measure::{Figures, Labelled, measure, read_labelled};

use crate::table::Table;

/// Of another hand than the lexicon; nothing was tuned on it.
const TEST_PART: &str = "narratives_test.csv";
/// What the lexicon was tuned on.
const DEVELOP_PART: &str = "narratives_develop.csv";
const RECALL_FLOOR: f64 = 0.80;
const FALSE_ALARM_CEILING: f64 = 0.10;
/// Letters of a label's word for it to be a keyword.
const MIN_KEYWORD_LETTERS: usize = 5;

pub(crate) fn measure_suggestions(table: &mut Table) {
    let taxonomy = Taxonomy::builtin().expect("the taxonomy");
    let classifier = Classifier::builtin(&taxonomy).expect("the lexicon");
    let keywords = Keywords::of(&taxonomy);
    for file in [TEST_PART, DEVELOP_PART] {
        let labelled = read(file);
        let ours = measure(&labelled, |one| suggest(&classifier, &one.text));
        let plain = measure(&labelled, |one| keywords.suggest(&one.text));
        tell(table, file, ours, plain);
    }
    measure_speed(table, &classifier);
}

fn read(file: &str) -> Vec<Labelled> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("tests/data/{file} is needed and cannot be read: {error}"));
    read_labelled(&text).expect("labelled texts")
}

fn suggest(classifier: &Classifier, text: &str) -> Vec<String> {
    let suggestions = classifier.classify(text, None).suggestions;
    suggestions.iter().map(|suggestion| suggestion.code.to_string()).collect()
}

fn tell(table: &mut Table, file: &str, ours: Figures, plain: Figures) {
    let is_judged = file == TEST_PART;
    let name = format!("{file}, {} texts, {} leaves", ours.n_texts, ours.n_leaves);
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    table.tell(
        &format!("words, {name}: macro precision@1, beside labels as keywords"),
        percent(ours.precision_at_1),
        percent(plain.precision_at_1),
    );
    let recall = ours.recall_at_3;
    let name_of_recall = format!("words, {name}: macro recall@3");
    if is_judged {
        let judged = (recall / RECALL_FLOOR, 1.0);
        table.judge(&name_of_recall, percent(recall), percent(plain.recall_at_3), judged);
    } else {
        table.tell(&name_of_recall, percent(recall), percent(plain.recall_at_3));
    }
    let alarms = |figures: Figures| {
        let (n, of) = (figures.n_false_alarms, figures.n_without);
        format!("{} ({n} of {of})", percent(figures.false_alarms()))
    };
    let name_of_alarms = format!("words, {name}: false alarms on texts without a category");
    if is_judged {
        // As a ratio that may not fall below 1: how far the ceiling is from what was measured.
        let judged = (FALSE_ALARM_CEILING / ours.false_alarms().max(0.001), 1.0);
        table.judge(&name_of_alarms, alarms(ours), alarms(plain), judged);
    } else {
        table.tell(&name_of_alarms, alarms(ours), alarms(plain));
    }
}

/// The demo's texts on one core, as intake classifies them.
fn measure_speed(table: &mut Table, classifier: &Classifier) {
    let geo = Geo::builtin().expect("the places");
    let today = NaiveDate::from_ymd_opt(2024, 3, 31).expect("a day");
    let invented = invent(7, 2_000, &demo_places(&geo), today).expect("the demo's texts");
    let texts: Vec<String> = invented
        .iter()
        .filter_map(|report| report.body["narrative"].as_str().map(str::to_owned))
        .collect();
    let n_letters: usize = texts.iter().map(|text| text.chars().count()).sum();
    let started_at = Instant::now();
    let n_suggested: usize =
        texts.iter().map(|text| classifier.classify(text, None).suggestions.len()).sum();
    let seconds = started_at.elapsed().as_secs_f64();
    table.tell(
        "words: texts classified a second, one core",
        format!(
            "{:.0}, {:.1} µs each",
            texts.len() as f64 / seconds,
            seconds * 1e6 / texts.len() as f64
        ),
        format!("{} letters a text, {n_suggested} suggestions", n_letters / texts.len()),
    );
}

/// The words of the taxonomy's own labels: any one of them speaks for its leaf.
struct Keywords {
    of_leaf: Vec<(String, BTreeSet<String>)>,
}

impl Keywords {
    fn of(taxonomy: &Taxonomy) -> Self {
        let words = |label: &str| -> Vec<String> {
            let folded = fold(label);
            let words = folded.split(' ').filter(|word| word.len() >= MIN_KEYWORD_LETTERS);
            words.map(str::to_owned).collect()
        };
        let of_leaf = taxonomy.leaves().iter().map(|leaf| {
            let labels = [words(&leaf.label.en), words(&leaf.label.fr)];
            (leaf.code.to_string(), labels.into_iter().flatten().collect())
        });
        Self { of_leaf: of_leaf.collect() }
    }

    fn suggest(&self, text: &str) -> Vec<String> {
        let folded = fold(text);
        let words: BTreeSet<&str> = folded.split(' ').collect();
        let count = |of_leaf: &BTreeSet<String>| {
            of_leaf.iter().filter(|word| words.contains(word.as_str())).count()
        };
        let mut found: Vec<(usize, &String)> =
            self.of_leaf.iter().map(|(code, words)| (count(words), code)).collect();
        found.retain(|(n, _)| *n > 0);
        found.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
        found.into_iter().take(MAX_SUGGESTIONS).map(|(_, code)| code.clone()).collect()
    }
}

/// How suggestions and decisions agree on one leaf.
#[derive(Default)]
struct Agreement {
    both: usize,
    only_suggested: usize,
    only_confirmed: usize,
}

/// Compares what was suggested with what reviewers confirmed, in the database that `SENTINELLE_DATABASE_URL` names.
/// Only incidents whose categories a reviewer has confirmed count: elsewhere nobody has decided.
pub(crate) fn compare_decisions(table: &mut Table) {
    #[expect(clippy::disallowed_methods, reason = "make bench-words names its database so")]
    let url = std::env::var("SENTINELLE_DATABASE_URL").expect(
        "SENTINELLE_DATABASE_URL names the database to read, such as sqlite:///data/sentinelle.db",
    );
    let db = Db::open(&DbOptions::new(&url)).expect("the database opens");
    let (confirmed, suggested) = db
        .read_here(|conn| {
            let confirmed: Vec<(i64, String)> = incident_categories::table
                .filter(incident_categories::is_confirmed.eq(true))
                .select((incident_categories::incident_id, incident_categories::code))
                .load(conn)?;
            let suggested: Vec<(i64, String)> = reports::table
                .filter(reports::state.eq("active"))
                .select((reports::incident_id, reports::codes))
                .load(conn)?;
            Ok((confirmed, suggested))
        })
        .expect("the database answers");
    let confirmed = by_incident(confirmed);
    let leaves = agreement(&confirmed, suggested);
    for (leaf, Agreement { both, only_suggested, only_confirmed }) in leaves {
        table.tell(
            &format!("decisions, {leaf}: suggested and confirmed"),
            both.to_string(),
            format!("suggested only {only_suggested}, confirmed only {only_confirmed}"),
        );
    }
    table.tell("decisions: incidents with confirmed categories", confirmed.len().to_string(), "");
}

fn by_incident(rows: Vec<(i64, String)>) -> BTreeMap<i64, BTreeSet<String>> {
    let mut grouped: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for (incident, code) in rows {
        grouped.entry(incident).or_default().insert(code);
    }
    grouped
}

fn agreement(
    confirmed: &BTreeMap<i64, BTreeSet<String>>,
    reports: Vec<(i64, String)>,
) -> BTreeMap<String, Agreement> {
    let codes = reports.into_iter().filter(|(incident, _)| confirmed.contains_key(incident));
    let suggested = by_incident(
        codes
            .flat_map(|(incident, codes)| {
                let codes: ReportCodes = serde_json::from_str(&codes).expect("codes");
                codes.suggested.into_iter().map(move |one| (incident, one.code))
            })
            .collect(),
    );
    let none = BTreeSet::new();
    let mut leaves: BTreeMap<String, Agreement> = BTreeMap::new();
    for (incident, confirmed) in confirmed {
        let suggested = suggested.get(incident).unwrap_or(&none);
        for code in confirmed.union(suggested) {
            let leaf = leaves.entry(code.clone()).or_default();
            match (suggested.contains(code), confirmed.contains(code)) {
                (true, true) => leaf.both += 1,
                (true, false) => leaf.only_suggested += 1,
                (false, _) => leaf.only_confirmed += 1,
            }
        }
    }
    leaves
}
