//! Random rows and random questions against a recount, row by row, that shares no code with the engine.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate};
use h3o::{CellIndex, LatLng, Resolution};
use proptest::collection::{hash_set, vec};
use proptest::option::{of, weighted};
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, proptest};
use proptest::sample::{select, subsequence};

use crate::aggregates::answer::{Aggregate, Figures, HarmFigure};
use crate::aggregates::columns::Columns;
use crate::aggregates::fixture::{CATEGORIES, filter, note, reference};
use crate::aggregates::query::{By, Query, Rights, Scope, Selector};
use crate::aggregates::reference::Reference;
use crate::incidents::facts::{DatePrecision, DaySpan, HarmRange, IncidentFacts, Status};
use crate::incidents::filter::IncidentFilter;

type Codes = Vec<&'static str>;
type Harm = [Option<HarmRange>; 7];

/// Owns what an `IncidentFacts` borrows.
#[derive(Debug, Clone)]
struct Row {
    id: i64,
    countries: (&'static str, Option<&'static str>),
    codes: [Codes; 4],
    singles: [Option<&'static str>; 5],
    span: Option<DaySpan>,
    status: Status,
    severity: Option<u8>,
    place: Option<(i32, i32)>,
    signs: (bool, bool, bool),
    reports: u32,
    harm: Harm,
}

impl Row {
    fn facts(&self) -> IncidentFacts<'_> {
        let [categories, channels, actors, flags] = &self.codes;
        let [admin1, mining_mode, site, site_distance, precision] = self.singles;
        let (is_test, is_merged, is_mismatch) = self.signs;
        IncidentFacts {
            id: self.id,
            country: self.countries.0,
            country_computed: self.countries.1,
            admin1,
            admin2: None,
            span: self.span,
            categories,
            status: self.status,
            severity: self.severity,
            channels,
            mining_mode,
            actors,
            site,
            site_distance,
            cell5: self.cell(Resolution::Five),
            cell7: self.cell(Resolution::Seven),
            place_e6: self.place,
            geo_precision: precision.unwrap_or("none"),
            flags,
            is_test,
            is_merged,
            is_mismatch,
            reports: self.reports,
            harm: self.harm,
            has_minors: false,
            is_ongoing: false,
            is_at_risk: false,
            opened_s: 0,
        }
    }

    fn cell(&self, resolution: Resolution) -> Option<u64> {
        let (lon_e6, lat_e6) = self.place?;
        Some(u64::from(
            LatLng::new(f64::from(lat_e6) / 1e6, f64::from(lon_e6) / 1e6)
                .unwrap()
                .to_cell(resolution),
        ))
    }
}

fn any_codes(codes: &'static [&'static str]) -> impl Strategy<Value = Codes> {
    subsequence(codes, 0..=3.min(codes.len()))
}

fn any_span() -> impl Strategy<Value = Option<DaySpan>> {
    let span =
        (0..120_u64, select(vec![0_u64, 0, 0, 1, 6, 30]), select(DatePrecision::ALL.to_vec()));
    weighted(
        0.9,
        span.prop_map(|(start, more, precision)| {
            let first = "2023-12-01".parse::<NaiveDate>().unwrap() + Days::new(start);
            DaySpan { first, last: first + Days::new(more), precision }
        }),
    )
}

fn any_harm() -> impl Strategy<Value = Harm> {
    let range = of((0..4_u32, 0..3_u32).prop_map(|(min, more)| HarmRange { min, max: min + more }));
    vec(range, 7).prop_map(|ranges| ranges.try_into().unwrap())
}

fn any_row() -> impl Strategy<Value = Row> {
    let country = select(vec!["SLE", "COD", "CAF", "LSO", "ZAF", "TZA"]);
    let categories: &'static [&'static str] = Vec::leak(CATEGORIES.map(|(code, _)| code).to_vec());
    let codes = (
        any_codes(categories),
        any_codes(&["api", "sms", "web"]),
        any_codes(&["state_army", "armed_group", "unknown"]),
        any_codes(&["near_border", "off_land"]),
    );
    let singles = (
        of(select(vec!["SL-E", "SL-S", "CD-KE"])),
        of(select(vec!["industrial", "artisanal"])),
        of(select(vec!["koidu", "letseng"])),
        of(select(vec!["under_1_km", "over_25_km"])),
        of(select(vec!["exact", "town"])),
    );
    let place = weighted(
        0.8,
        (select(vec![-11_000_000, 20_800_000, 28_862_000]), select(vec![8_644_000, -6_416_200])),
    );
    let status = select([vec![Status::Verified; 9], Status::ALL.to_vec()].concat());
    let signs = (weighted(0.1, Just(())), weighted(0.1, Just(())), weighted(0.1, Just(())));
    let numbers = (1..40_i64, of(1..=5_u8), 0..4_u32);
    (
        (country.clone(), weighted(0.7, country)),
        codes,
        singles,
        any_span(),
        status,
        place,
        signs,
        numbers,
        any_harm(),
    )
        .prop_map(
            |(
                countries,
                codes,
                singles,
                span,
                status,
                place,
                signs,
                (id, severity, reports),
                harm,
            )| Row {
                id,
                countries,
                codes: codes.into(),
                singles: singles.into(),
                span,
                status,
                severity,
                place,
                signs: (signs.0.is_some(), signs.1.is_some(), signs.2.is_some()),
                reports,
                harm,
            },
        )
}

/// Query strings of up to five parameters.
fn any_query() -> impl Strategy<Value = String> {
    let parameters: Vec<Vec<&'static str>> = vec![
        vec!["from=2024-01", "from=2024-01-15", "from=2023-12-31"],
        vec!["to=2024-02", "to=2024-02-20", "to=2024-03-31"],
        vec!["country=SLE", "country=COD,CAF", "country=ZAF"],
        vec!["region=west", "region=central,southern"],
        vec!["admin1=SL-E", "admin1=SL-E,CD-KE"],
        vec![
            "category=rights",
            "theme=rights.life_integrity,environment",
            "category=governance.transparency.revenue_data_withheld",
        ],
        vec!["valence=good_practice", "valence=negative"],
        vec!["status=all", "status=received,verified,rejected"],
        vec!["severity=4,5", "severity=1"],
        vec!["channel=sms", "actor=armed_group,unknown", "flag=off_land"],
        vec!["mining_mode=artisanal", "site_distance=under_1_km", "precision=exact,none"],
        vec!["site=koidu", "bbox=-12,-10,21,9", "mapped=true", "mapped=false"],
        vec!["include=test", "include=mismatch", "include=test,mismatch"],
    ];
    subsequence(parameters, 0..=5)
        .prop_flat_map(|chosen| chosen.into_iter().map(select).collect::<Vec<_>>())
        .prop_map(|parameters| parameters.join("&"))
}

fn any_by() -> impl Strategy<Value = Vec<By>> {
    subsequence(By::ALL.to_vec(), 0..=3).prop_shuffle()
}

fn any_scope() -> impl Strategy<Value = Scope> {
    let some = subsequence(vec!["SLE", "COD", "CAF", "LSO"], 1..=4);
    of(some).prop_map(|some| {
        some.map_or(Scope::All, |some| {
            Scope::Countries(some.into_iter().map(str::to_owned).collect())
        })
    })
}

#[derive(Debug, Default, PartialEq)]
struct Recount {
    total: Figures,
    cells: BTreeMap<Vec<Option<String>>, Figures>,
    ids: Vec<i64>,
    mapped: u64,
    imprecise: u64,
    straddling: u64,
    undated: u64,
    excluded: BTreeMap<String, u64>,
}

fn add(figures: &mut Figures, facts: &IncidentFacts<'_>) {
    figures.incidents += 1;
    figures.reports += u64::from(facts.reports);
    let harm = &mut figures.harm;
    let measures = [
        &mut harm.killed,
        &mut harm.injured,
        &mut harm.missing,
        &mut harm.detained,
        &mut harm.displaced,
        &mut harm.sexual_violence_survivors,
        &mut harm.affected_total,
    ];
    for (measure, range) in measures.into_iter().zip(facts.harm) {
        let Some(range) = range else { continue };
        let before = measure.unwrap_or(HarmFigure { min: 0, max: 0, stated: 0 });
        *measure = Some(HarmFigure {
            min: before.min + u64::from(range.min),
            max: before.max + u64::from(range.max),
            stated: before.stated + 1,
        });
    }
}

fn regions(reference: &Reference, country: &str) -> Vec<String> {
    reference
        .countries
        .iter()
        .filter(|other| other.alpha3 == country)
        .flat_map(|other| other.regions.clone())
        .collect()
}

fn valence(reference: &Reference, leaf: &str) -> String {
    reference.categories.iter().find(|category| category.code == leaf).unwrap().valence.clone()
}

fn matches(
    facts: &IncidentFacts<'_>,
    filter: &IncidentFilter,
    scope: &Scope,
    reference: &Reference,
) -> bool {
    let one = |wanted: &[String], code: Option<&str>| {
        wanted.is_empty() || wanted.iter().any(|wanted| Some(wanted.as_str()) == code)
    };
    let any_of = |wanted: &[String], codes: &[&str]| {
        wanted.is_empty() || codes.iter().any(|code| wanted.contains(&(*code).to_owned()))
    };
    let sees = |country: &str| match scope {
        Scope::All => true,
        Scope::Countries(countries) => countries.contains(&country.to_owned()),
    };
    let is_below = |leaf: &str| {
        filter.categories.iter().any(|code| leaf == code || leaf.starts_with(&format!("{code}.")))
    };
    let of_regions = regions(reference, facts.country);
    let has_valence = |leaf: &&str| filter.valences.contains(&valence(reference, leaf));
    (sees(facts.country) || facts.country_computed.is_some_and(sees))
        && one(&filter.countries, Some(facts.country))
        && (filter.regions.is_empty()
            || of_regions.iter().any(|region| filter.regions.contains(region)))
        && one(&filter.admin1, facts.admin1)
        && one(&filter.mining_modes, facts.mining_mode)
        && one(&filter.sites, facts.site)
        && one(&filter.site_distances, facts.site_distance)
        && one(&filter.geo_precisions, Some(facts.geo_precision))
        && any_of(&filter.channels, facts.channels)
        && any_of(&filter.actors, facts.actors)
        && any_of(&filter.flags, facts.flags)
        && (filter.severities.is_empty()
            || facts.severity.is_some_and(|severity| filter.severities.contains(&severity)))
        && (filter.categories.is_empty() || facts.categories.iter().any(|leaf| is_below(leaf)))
        && (filter.valences.is_empty() || facts.categories.iter().any(has_valence))
        && filter.mapped.is_none_or(|mapped| mapped == facts.cell5.is_some())
        && filter.bbox.is_none_or(|bbox| {
            facts.place_e6.is_some_and(|(lon, lat)| {
                bbox.west_e6 <= lon
                    && lon <= bbox.east_e6
                    && bbox.south_e6 <= lat
                    && lat <= bbox.north_e6
            })
        })
}

fn groups(facts: &IncidentFacts<'_>, by: By, reference: &Reference) -> Vec<Option<String>> {
    let parts = |n: usize| {
        facts
            .categories
            .iter()
            .map(|leaf| leaf.split('.').take(n).collect::<Vec<_>>().join("."))
            .collect()
    };
    let bucket = |name: &dyn Fn(NaiveDate) -> String| {
        let span = facts.span.filter(|span| name(span.first) == name(span.last));
        span.map(|span| name(span.first)).into_iter().collect()
    };
    let owned = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    let found: Vec<String> = match by {
        By::Country => vec![facts.country.to_owned()],
        By::Region => regions(reference, facts.country),
        By::Admin1 => owned(facts.admin1.as_slice()),
        By::Admin2 => owned(facts.admin2.as_slice()),
        By::Theme => parts(1),
        By::Category => parts(2),
        By::Subcategory => parts(3),
        By::Valence => facts.categories.iter().map(|leaf| valence(reference, leaf)).collect(),
        By::Day => bucket(&|day| day.format("%Y-%m-%d").to_string()),
        By::Week => bucket(&|day| day.format("%G-W%V").to_string()),
        By::Month => bucket(&|day| day.format("%Y-%m").to_string()),
        By::Quarter => bucket(&|day| format!("{}-Q{}", day.year(), day.month().div_ceil(3))),
        By::Year => bucket(&|day| day.year().to_string()),
        By::Status => vec![facts.status.as_str().to_owned()],
        By::Severity => facts.severity.iter().map(u8::to_string).collect(),
        By::Channel => owned(facts.channels),
        By::MiningMode => owned(facts.mining_mode.as_slice()),
        By::Actor => owned(facts.actors),
        By::Site => owned(facts.site.as_slice()),
        By::SiteDistance => owned(facts.site_distance.as_slice()),
        By::H3 => {
            let cell = facts.cell5.map(|cell| CellIndex::try_from(cell).unwrap());
            cell.map(|cell| cell.parent(Resolution::Four).unwrap().to_string())
                .into_iter()
                .collect()
        }
    };
    let distinct: HashSet<String> = found.into_iter().collect();
    if distinct.is_empty() { vec![None] } else { distinct.into_iter().map(Some).collect() }
}

fn recount(
    rows: &[Row],
    filter: &IncidentFilter,
    scope: &Scope,
    by: &[By],
    only: Option<&HashSet<i64>>,
) -> Recount {
    let reference = reference();
    let mut recount = Recount::default();
    for row in rows.iter().filter(|row| only.is_none_or(|only| only.contains(&row.id))) {
        let facts = row.facts();
        if !matches(&facts, filter, scope, &reference) {
            continue;
        }
        let is_dated = filter.from.is_some() || filter.to.is_some();
        let (from, to) =
            (filter.from.unwrap_or(NaiveDate::MIN), filter.to.unwrap_or(NaiveDate::MAX));
        let (is_inside, is_touching) = match facts.span {
            None => (!is_dated, false),
            Some(span) => {
                (from <= span.first && span.last <= to, span.first <= to && span.last >= from)
            }
        };
        let reason = match (
            facts.is_test && !filter.include_test,
            facts.is_merged,
            facts.is_mismatch && !filter.include_mismatch,
        ) {
            (true, _, _) => Some("test"),
            (_, true, _) => Some("merged"),
            (_, _, true) => Some("mismatch"),
            _ => Some(facts.status.as_str()).filter(|_| !filter.statuses.contains(&facts.status)),
        };
        match (is_inside, reason) {
            (true, Some(reason)) => *recount.excluded.entry(reason.to_owned()).or_default() += 1,
            (false, None) if facts.span.is_none() => recount.undated += 1,
            (false, None) if is_touching => recount.straddling += 1,
            (false, _) => {}
            (true, None) => count(&mut recount, &facts, by, &reference),
        }
    }
    recount.ids.sort_unstable_by(|a, b| b.cmp(a));
    recount
}

fn count(recount: &mut Recount, facts: &IncidentFacts<'_>, by: &[By], reference: &Reference) {
    add(&mut recount.total, facts);
    recount.ids.push(facts.id);
    recount.mapped += u64::from(facts.cell5.is_some());
    recount.imprecise += u64::from(!matches!(
        facts.span.map(|span| span.precision),
        Some(DatePrecision::Day | DatePrecision::Time)
    ));
    let mut keys = vec![Vec::new()];
    for by in by {
        let groups = groups(facts, *by, reference);
        keys = keys
            .iter()
            .flat_map(|key: &Vec<Option<String>>| {
                groups.iter().map(|group| [key.clone(), vec![group.clone()]].concat())
            })
            .collect();
    }
    for key in keys.into_iter().filter(|key| !key.is_empty()) {
        add(recount.cells.entry(key).or_default(), facts);
    }
}

/// Reads an answer back into the form of the recount; zero cells are left out.
fn read_back(answer: &Aggregate, ids: Vec<i64>) -> Recount {
    let key = |keys: &[(By, Option<Arc<str>>)]| {
        keys.iter().map(|(_, key)| key.as_deref().map(str::to_owned)).collect()
    };
    let counted = answer.cells.iter().filter(|cell| cell.figures.incidents > 0);
    let reconciliation = &answer.reconciliation;
    let mut excluded = reconciliation.excluded.by_status.clone();
    let reasons = [
        ("test", reconciliation.excluded.test),
        ("merged", reconciliation.excluded.merged),
        ("mismatch", reconciliation.excluded.mismatch),
    ];
    excluded.extend(
        reasons
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(reason, count)| (reason.to_owned(), count)),
    );
    Recount {
        total: answer.total,
        cells: counted.map(|cell| (key(&cell.keys.0), cell.figures)).collect(),
        ids,
        mapped: reconciliation.mapped,
        imprecise: reconciliation.imprecise,
        straddling: reconciliation.straddling,
        undated: reconciliation.undated,
        excluded,
    }
}

fn columns_of(written: &[Row], removed: &HashSet<i64>) -> (Columns, Vec<Row>) {
    let mut columns = Columns::new(Arc::new(reference()));
    for row in written {
        columns.upsert(&row.facts());
    }
    let mut latest: BTreeMap<i64, Row> = written.iter().map(|row| (row.id, row.clone())).collect();
    for id in removed {
        assert_eq!(columns.remove(*id), latest.remove(id).is_some());
    }
    (columns, latest.into_values().collect())
}

proptest! {
    #[test]
    fn every_answer_is_that_of_a_recount(
        written in vec(any_row(), 0..60),
        removed in hash_set(1..40_i64, 0..4),
        query in any_query(),
        by in any_by(),
        scope in any_scope(),
        only in weighted(0.2, hash_set(1..40_i64, 0..20)),
        limit in any::<u8>(),
    ) {
        let (columns, rows) = columns_of(&written, &removed);
        let filter = filter(&query);
        let Ok(selector) = Selector::new(&filter, &scope, Rights { can_see_fine_cells: true }, columns.reference()) else {
            return Ok(()); // A place out of scope.
        };
        let selector = match &only {
            Some(ids) => selector.among(ids),
            None => selector,
        };

        let answer = columns.aggregate(&Query::new(by.clone(), 4, selector.clone()).unwrap(), &note());
        let selection = columns.select(&selector, None, usize::from(limit));

        let mut expected = recount(&rows, &filter, &scope, &by, only.as_ref());
        let cells: u64 = expected.cells.values().map(|figures| figures.incidents).sum();
        let sum_of_cells = if by.is_empty() { expected.total.incidents } else { cells };
        prop_assert_eq!(answer.reconciliation.sum_of_cells, sum_of_cells);
        prop_assert_eq!(answer.reconciliation.overlap, sum_of_cells - expected.total.incidents);
        prop_assert_eq!(answer.reconciliation.unmapped, expected.total.incidents - expected.mapped);
        prop_assert_eq!(selection.total, expected.total.incidents);
        expected.ids.truncate(usize::from(limit));
        prop_assert_eq!(read_back(&answer, selection.ids), expected);
    }
}
