//! Twelve invented incidents of March 2024 for the tests, after `fx.json`, and a small reference.

use std::sync::Arc;

use chrono::NaiveDate;
use h3o::{LatLng, Resolution};

use crate::aggregates::answer::{Aggregate, Note};
use crate::aggregates::columns::Columns;
use crate::aggregates::query::{By, GENERAL_RESOLUTION, Query, Rights, Scope, Selector};
use crate::aggregates::reference::{CategoryReference, CountryReference, Reference};
use crate::incidents::facts::{DatePrecision, DaySpan, HarmRange, IncidentFacts, Status};
use crate::incidents::filter::IncidentFilter;

const COUNTRIES: [(&str, &str, &str, bool); 12] = [
    ("BWA", "BW", "southern", true),
    ("ZWE", "ZW", "southern", true),
    ("LSO", "LS", "southern", true),
    ("COD", "CD", "central", true),
    ("CMR", "CM", "central", true),
    ("CAF", "CF", "central", true),
    ("SLE", "SL", "west", true),
    ("LBR", "LR", "west", true),
    ("GIN", "GN", "west", true),
    ("CIV", "CI", "west", true),
    ("ZAF", "ZA", "southern", false),
    ("TZA", "TZ", "", false),
];

/// Leaves and whether they are good practice.
pub(crate) const CATEGORIES: [(&str, bool); 12] = [
    ("governance.transparency.revenue_data_disclosed", true),
    ("governance.transparency.revenue_data_withheld", false),
    ("environment.industrial_pollution.water_contaminated_industrial", false),
    ("environment.artisanal_degradation.river_siltation_artisanal", false),
    ("environment.ecosystem_livelihoods.deforestation_protected_area", false),
    ("environment.environmental_management.site_rehabilitated", true),
    ("rights.life_integrity.killing", false),
    ("rights.life_integrity.assault_injury", false),
    ("rights.land_displacement.forced_eviction", false),
    ("rights.smuggling_illicit_trade.cross_border_smuggling", false),
    ("rights.smuggling_illicit_trade.conflict_financing", false),
    ("rights.smuggling_illicit_trade.official_complicity", false),
];

fn list(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

/// Returns the coalition's countries and a part of each code list.
pub(crate) fn reference() -> Reference {
    let country =
        |(alpha3, alpha2, region, is_member): (&str, &str, &str, bool)| CountryReference {
            alpha3: alpha3.to_owned(),
            alpha2: alpha2.to_owned(),
            is_member,
            regions: list(&[region]).into_iter().filter(|region| !region.is_empty()).collect(),
        };
    let leaf = |(code, is_good): (&str, bool)| CategoryReference {
        code: code.to_owned(),
        valence: if is_good { "good_practice" } else { "negative" }.to_owned(),
    };
    let places = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(id, country)| ((*id).to_owned(), (*country).to_owned())).collect()
    };
    Reference {
        countries: COUNTRIES.map(country).into(),
        regions: list(&["southern", "central", "west"]),
        wider_regions: list(&["international"]),
        admin1: places(&[("SL-E", "SLE"), ("SL-S", "SLE"), ("CD-KE", "COD")]),
        admin2: places(&[("SLE-kono", "SLE")]),
        sites: places(&[("koidu", "SLE"), ("letseng", "LSO")]),
        categories: CATEGORIES.map(leaf).into(),
        default_severities: [("rights.life_integrity.killing".to_owned(), 5)].into(),
        channels: list(&["api", "web", "odk", "sms", "import", "pull", "tip"]),
        mining_modes: list(&["industrial", "artisanal", "mixed"]),
        actor_types: list(&["state_army", "private_security", "armed_group", "unknown"]),
        flags: list(&["near_border", "country_mismatch", "off_land"]),
        site_distance_bands: list(&["under_1_km", "1_5_km", "5_25_km", "over_25_km"]),
        geo_precisions: list(&[
            "exact",
            "mine_site",
            "town",
            "admin2",
            "admin1",
            "country",
            "none",
        ]),
    }
}

/// The incidents of March, R1 at id 1 to R12 at id 12.
pub(crate) struct March(pub(crate) Vec<IncidentFacts<'static>>);

impl March {
    /// Returns columns with all of them.
    pub(crate) fn columns(&self) -> Columns {
        let mut columns = Columns::new(Arc::new(reference()));
        self.0.iter().for_each(|facts| columns.upsert(facts));
        columns
    }

    /// Changes the incident with this id.
    pub(crate) fn change(&mut self, id: i64, change: impl FnOnce(&mut IncidentFacts<'static>)) {
        change(self.0.iter_mut().find(|facts| facts.id == id).unwrap());
    }
}

/// Returns a span from two days.
pub(crate) fn span(first: &str, last: &str, precision: DatePrecision) -> DaySpan {
    let day = |text: &str| -> NaiveDate { text.parse().unwrap() };
    DaySpan { first: day(first), last: day(last), precision }
}

/// Returns a verified incident with nothing known but its country.
pub(crate) fn bare(id: i64, country: &'static str) -> IncidentFacts<'static> {
    IncidentFacts {
        id,
        country,
        country_computed: None,
        admin1: None,
        admin2: None,
        span: None,
        categories: &[],
        status: Status::Verified,
        severity: None,
        channels: &["api"],
        mining_mode: None,
        actors: &[],
        site: None,
        site_distance: None,
        cell5: None,
        cell7: None,
        place_e6: None,
        geo_precision: "none",
        flags: &[],
        is_test: false,
        is_merged: false,
        is_mismatch: false,
        reports: 1,
        harm: [None; 7],
        has_minors: false,
        is_ongoing: false,
        is_at_risk: false,
        opened_s: 0,
    }
}

fn on(
    id: i64,
    country: &'static str,
    (lat_deg, lon_deg): (f64, f64),
    day: &str,
    categories: &'static [&'static str],
) -> IncidentFacts<'static> {
    let point = LatLng::new(lat_deg, lon_deg).unwrap();
    let cell = |resolution| Some(u64::from(point.to_cell(resolution)));
    #[expect(clippy::cast_possible_truncation, reason = "degrees of the table fit")]
    let e6 = |degrees: f64| (degrees * 1e6).round() as i32;
    IncidentFacts {
        country_computed: Some(country),
        span: Some(span(day, day, DatePrecision::Day)),
        categories,
        cell5: cell(Resolution::Five),
        cell7: cell(Resolution::Seven),
        place_e6: Some((e6(lon_deg), e6(lat_deg))),
        geo_precision: "exact",
        ..bare(id, country)
    }
}

/// Sets how many were killed and injured.
pub(crate) fn harm(killed: Option<u32>, injured: Option<u32>) -> [Option<HarmRange>; 7] {
    let range = |number: Option<u32>| number.map(|number| HarmRange { min: number, max: number });
    [range(killed), range(injured), None, None, None, None, None]
}

/// Returns the twelve incidents, R2 not merged.
pub(crate) fn march() -> March {
    let koidu = |facts| IncidentFacts {
        admin1: Some("SL-E"),
        site: Some("koidu"),
        harm: harm(Some(2), None),
        ..facts
    };
    let (received, rejected, withdrawn) = (Status::Received, Status::Rejected, Status::Withdrawn);
    let killing = &["rights.life_integrity.killing"];
    let assault = &["rights.life_integrity.assault_injury"];
    let polluted = &[
        "environment.industrial_pollution.water_contaminated_industrial",
        "rights.land_displacement.forced_eviction",
    ];
    let smuggled = &["rights.smuggling_illicit_trade.cross_border_smuggling"];
    let financing = &["rights.smuggling_illicit_trade.conflict_financing"];
    let complicity = &["rights.smuggling_illicit_trade.official_complicity"];
    let forest = &["environment.ecosystem_livelihoods.deforestation_protected_area"];
    let withheld = &["governance.transparency.revenue_data_withheld"];
    let silted = &["environment.artisanal_degradation.river_siltation_artisanal"];
    March(vec![
        koidu(on(1, "SLE", (8.644, -10.971), "2024-03-05", killing)),
        IncidentFacts {
            status: received,
            ..koidu(on(2, "SLE", (8.6455, -10.9702), "2024-03-05", killing))
        },
        IncidentFacts {
            admin1: Some("SL-S"),
            ..on(3, "SLE", (7.8769, -11.1903), "2024-03-31", smuggled)
        },
        IncidentFacts {
            harm: harm(None, Some(3)),
            ..on(4, "COD", (-6.136, 23.5898), "2024-03-01", assault)
        },
        on(5, "COD", (-6.4162, 20.8), "2024-03-15", polluted),
        IncidentFacts {
            span: Some(span("2024-03-01", "2024-03-31", DatePrecision::Month)),
            ..on(6, "CAF", (4.9427, 15.8774), "2024-03-01", financing)
        },
        IncidentFacts {
            status: received,
            ..on(7, "CAF", (4.3612, 18.555), "2024-03-10", complicity)
        },
        IncidentFacts { status: rejected, ..on(8, "CMR", (4.92, 14.56), "2024-03-12", forest) },
        IncidentFacts {
            harm: harm(None, Some(1)),
            ..on(9, "ZWE", (-19.6, 32.35), "2024-03-20", assault)
        },
        on(10, "LSO", (-29.003, 28.862), "2024-03-21", withheld),
        IncidentFacts {
            status: withdrawn,
            ..on(11, "CIV", (7.9611, -6.6731), "2024-03-22", silted)
        },
        IncidentFacts {
            span: Some(span("2024-03-25", "2024-03-25", DatePrecision::Day)),
            categories: assault,
            geo_precision: "country",
            ..bare(12, "GIN")
        },
    ])
}

/// Splits a query string without escapes.
pub(crate) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Reads a right query string.
pub(crate) fn filter(query: &str) -> IncidentFilter {
    IncidentFilter::parse(&query_pairs(query), &[], &reference()).unwrap()
}

/// Returns a note of change 4711.
pub(crate) fn note() -> Note {
    Note { coverage: "fifteen organisations".to_owned(), as_of: 4711 }
}

/// Asks as somebody who sees every country and fine places.
pub(crate) fn ask(march: &March, query: &str, by: &str) -> Aggregate {
    ask_as(march, query, by, &Scope::All)
}

/// Asks within a scope.
pub(crate) fn ask_as(march: &March, query: &str, by: &str, scope: &Scope) -> Aggregate {
    let (columns, filter) = (march.columns(), filter(query));
    let selector =
        Selector::new(&filter, scope, Rights { can_see_fine_cells: true }, columns.reference())
            .unwrap();
    let query = Query::new(By::parse_list(by).unwrap(), GENERAL_RESOLUTION, selector).unwrap();
    columns.aggregate(&query, &note())
}
