//! From a checked report to what is stored: placed, screened, cut and sealed. No database.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::auth::credential;
use crate::error::{Code, Error, FieldError, Result};
use crate::geo::geotag::{Claim, ClaimError, Geotag};
use crate::geo::locate::Geo;
use crate::ids::{IncidentId, ReportId};
use crate::incidents::facts::DaySpan;
use crate::incidents::rules::{self, CLOCK_IMPLAUSIBLE};
use crate::incidents::types::{
    ActorCode, Facts, Overrides, PlaceFacts, ReportCodes, ReportFacts, SuggestedCategory,
};
use crate::intake::classify;
use crate::intake::fields::Fields;
use crate::intake::occurred::Occurred;
use crate::intake::places::PlaceView;
use crate::intake::types::{CANONICAL_VERSION, ClaimedPlace, Content, NewReport};
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealed, Sealer};
use crate::seal::subkeys::SubKeySet;
use crate::taxonomy::catalogue::Taxonomy;
use crate::taxonomy::lexicon::classify::{Classifier, Suggestion};

/// How a report came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// The JSON API.
    Api,
    /// A file of reports.
    Import,
}

impl Channel {
    /// Every code a report's channel can have, now and as the other channels arrive.
    pub const CODES: [&'static str; 7] = ["api", "web", "odk", "sms", "import", "pull", "tip"];

    /// Returns its code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Import => "import",
        }
    }
}

/// What preparing a report needs.
pub struct Workbench<'a> {
    /// Places.
    pub geo: Arc<Geo>,
    /// Default severities.
    pub taxonomy: &'a Taxonomy,
    /// Suggests categories.
    pub classifier: &'a Classifier,
    /// The field dictionary.
    pub fields: &'a Fields,
    /// Seals parts.
    pub sealer: &'a Sealer,
    /// Veils places, makes pseudonyms and MACs.
    pub keys: &'a SubKeySet,
}

/// Who sends, as intake keeps it: a keyed pseudonym, never the account.
pub type Submitter = [u8; 16];

/// A report ready to be stored.
#[derive(Debug)]
pub struct Prepared {
    /// The client's id, or ours.
    pub id: ReportId,
    /// Our id: the sender gave none.
    pub is_id_made_here: bool,
    /// The incident it opens if it is new.
    pub incident: IncidentId,
    /// See `auth::credential::reference`.
    pub reference: String,
    /// The report it follows.
    pub follows: Option<ReportId>,
    /// How it came.
    pub channel: Channel,
    /// Keyed pseudonym.
    pub submitter: Submitter,
    /// MAC of the canonical form.
    pub content_mac: [u8; 32],
    /// The server's clock.
    pub received_at: DateTime<Utc>,
    /// Where it was placed.
    pub geotag: Geotag,
    /// What it contributes.
    pub report: ReportFacts,
    /// Facts of an incident of this report alone.
    pub facts: Facts,
    /// Categories its narrative seems to tell of, with the words that say so; those are never stored.
    pub suggestions: Vec<Suggestion>,
    /// Sealed parts, under the report's id.
    pub sealed: Vec<(Part, Sealed)>,
    /// The canonical form once more, sealed as what it becomes if the id is taken by other content.
    pub canonical: serde_json::Value,
}

/// Places, screens and seals `report`.
///
/// # Errors
/// `CoordinatesSwapped` and `InvalidFields` for a place that cannot be; `Internal` when sealing fails.
pub fn prepare(
    bench: &Workbench<'_>,
    report: &NewReport,
    channel: Channel,
    submitter: Submitter,
    now: DateTime<Utc>,
) -> Result<Prepared> {
    let mut geotag = geotag(&bench.geo, &report.place, report.content.location.place.as_deref())?;
    let span = place_in_time(&bench.geo, report.occurred, &mut geotag);
    let content = &report.content;
    let (narrative, language) = (content.narrative.as_deref(), content.language.as_deref());
    let suggestions = classify::suggest(bench.classifier, narrative, language);
    let facts_of_report = ReportFacts {
        place: PlaceFacts::of(&geotag, &bench.keys.place_veil())?,
        span,
        flags: screen_clock(report.occurred, now),
        codes: codes_of(content, &suggestions, bench.taxonomy),
        channel: channel.as_str().to_owned(),
    };
    let facts = rules::derive_facts(std::slice::from_ref(&facts_of_report), &Overrides::default())
        .ok_or_else(|| Error::internal("a report gave no facts"))?;

    let is_id_made_here = report.id.is_none();
    let id = report.id.unwrap_or_else(ReportId::random);
    let canonical = serde_json::to_value(&report.content).map_err(Error::internal)?;
    let content_mac = bench.keys.content_mac(&mac_input(&canonical)?);
    let sealed = seal_parts(bench, id, 1, canonical.clone())?;
    Ok(Prepared {
        id,
        is_id_made_here,
        incident: IncidentId::random(),
        reference: credential::reference(id.uuid()),
        follows: report.content.follows,
        channel,
        submitter,
        content_mac,
        received_at: now,
        geotag,
        report: facts_of_report,
        facts,
        suggestions,
        sealed,
        canonical,
    })
}

/// Places a claim; `words` is the place as it was told in words.
///
/// # Errors
/// `CoordinatesSwapped` with the corrected pair, `InvalidFields` naming what contradicts what, or with the `candidates`
/// of a place that may be in several countries.
pub fn geotag(geo: &Geo, place: &ClaimedPlace, words: Option<&str>) -> Result<Geotag> {
    let claim = Claim {
        country: place.country,
        admin1: place.admin1.clone(),
        site: place.site.clone(),
        point: place.point,
        place: words.map(str::to_owned),
    };
    geo.geotag(&claim).map_err(|error| refuse(&error, geo))
}

fn refuse(error: &ClaimError, geo: &Geo) -> Error {
    let field = |pointer: &str, en: String, fr: String| {
        Error::invalid(vec![FieldError::new(pointer, en, fr)])
    };
    match error {
        ClaimError::Swapped { corrected, declared } => {
            let (lat, lon) = (corrected.lat(), corrected.lon());
            Error::field(
                Code::CoordinatesSwapped,
                FieldError::new(
                    "/location",
                    format!("the point lies in {declared} only the other way round: lat {lat}, lon {lon}"),
                    format!("le point n'est en {declared} que dans l'autre sens : lat {lat}, lon {lon}"),
                ),
            )
            .with("corrected", serde_json::json!({ "lat": lat, "lon": lon }))
        }
        ClaimError::CountryUnknown { computed: None } => field(
            "/location/country",
            "the country is unknown: declare it, or send a point on land".into(),
            "le pays est inconnu : déclarez-le, ou envoyez un point à terre".into(),
        ),
        ClaimError::CountryUnknown { computed: Some(computed) } => field(
            "/location/country",
            format!(
                "the point lies in {computed}, which is not taken in here: declare the country it concerns"
            ),
            format!(
                "le point est en {computed}, hors des pays pris en charge : déclarez le pays concerné"
            ),
        ),
        ClaimError::PlaceAmbiguous { candidates } => {
            let views: Vec<_> = candidates.iter().map(|place| PlaceView::of(place, geo)).collect();
            field(
                "/location/country",
                "the place may be in several countries: declare the country".into(),
                "le lieu peut être dans plusieurs pays : déclarez le pays".into(),
            )
            .with("candidates", serde_json::json!(views))
        }
        ClaimError::Admin1Unknown { admin1 } => field(
            "/location/admin1",
            format!("area {admin1} is unknown"),
            format!("la zone {admin1} est inconnue"),
        ),
        ClaimError::Admin1OutsideCountry { admin1, admin1_country, country } => field(
            "/location/admin1",
            format!("area {admin1} is in {admin1_country}, not in {country}"),
            format!("la zone {admin1} est en {admin1_country}, pas en {country}"),
        ),
        ClaimError::SiteUnknown { site } => field(
            "/location/site",
            format!("site {site} is unknown"),
            format!("le site {site} est inconnu"),
        ),
        ClaimError::SiteOutsideCountry { site, site_country, country } => field(
            "/location/site",
            format!("site {site} is in {site_country}, not in {country}"),
            format!("le site {site} est en {site_country}, pas en {country}"),
        ),
    }
}

/// Returns the local days of `occurred` at the place. An instant told in UTC needs a zone: without one of the place
/// the country's first is assumed, and flagged.
fn place_in_time(geo: &Geo, occurred: Option<Occurred>, geotag: &mut Geotag) -> Option<DaySpan> {
    let occurred = occurred?;
    if occurred.needs_zone()
        && geotag.zone.is_none()
        && let Some(country) = geo.countries().get(geotag.country)
    {
        geotag.assume_zone(country.first_zone());
    }
    Some(occurred.span(geotag.zone))
}

fn screen_clock(occurred: Option<Occurred>, now: DateTime<Utc>) -> Vec<String> {
    let is_implausible = occurred.is_some_and(|occurred| occurred.is_implausible(now));
    is_implausible.then(|| CLOCK_IMPLAUSIBLE.to_owned()).into_iter().collect()
}

fn codes_of(content: &Content, suggestions: &[Suggestion], taxonomy: &Taxonomy) -> ReportCodes {
    let source = content.source.clone().unwrap_or_default();
    ReportCodes {
        categories: content.categories.clone(),
        harm: content.harm.clone(),
        actors: content
            .actors
            .iter()
            .map(|actor| ActorCode { kind: actor.kind.clone(), role: actor.role.clone() })
            .collect(),
        severity: severity_of(content, taxonomy),
        mining_mode: content.mining_mode.clone(),
        language: content.language.clone(),
        source_type: source.kind,
        source_reliability: source.reliability,
        consent: source.consent,
        is_at_risk: source.at_risk.unwrap_or(false),
        is_ongoing: content.ongoing.unwrap_or(false),
        is_test: content.test,
        suggested: suggestions
            .iter()
            .map(|one| SuggestedCategory { code: one.code.to_string(), score: one.score })
            .collect(),
    }
}

/// Returns the greatest of the categories' default severities and of what harm to people means: a death or sexual
/// violence is extreme, an injury or a disappearance severe, detention or displacement serious.
fn severity_of(content: &Content, taxonomy: &Taxonomy) -> Option<u8> {
    let of_categories = content
        .categories
        .iter()
        .filter_map(|code| taxonomy.find_leaf(code))
        .filter_map(|leaf| leaf.default_severity);
    let of_harm =
        content.harm.iter().filter(|(_, count)| count.max > 0).filter_map(|(measure, _)| {
            match measure.as_str() {
                "killed" | "sexual_violence_survivors" => Some(5),
                "injured" | "missing" => Some(4),
                "detained" | "displaced" => Some(3),
                _ => None,
            }
        });
    of_categories.chain(of_harm).max()
}

fn mac_input(canonical: &serde_json::Value) -> Result<Vec<u8>> {
    let mut input = vec![CANONICAL_VERSION];
    serde_json::to_writer(&mut input, canonical).map_err(Error::internal)?;
    Ok(input)
}

/// Seals a report under its id, with its revision as version. A part that a correction no longer has is sealed empty: the
/// newest version of a part is always what is said now.
///
/// # Errors
/// `Internal` when sealing fails.
pub fn seal_parts(
    bench: &Workbench<'_>,
    id: ReportId,
    revision: u32,
    canonical: serde_json::Value,
) -> Result<Vec<(Part, Sealed)>> {
    let owner = Owner { kind: OwnerKind::Report, id: id.uuid() };
    let parts = bench.fields.split(canonical);
    let or_empty = |part: Option<serde_json::Value>| {
        part.or_else(|| (revision > 1).then(|| serde_json::json!({})))
    };
    let parts = [
        (Part::Text, Some(parts.text)),
        (Part::Place, or_empty(parts.place)),
        (Part::Identity, or_empty(parts.identity)),
    ];
    let given = parts.into_iter().filter_map(|(part, value)| value.map(|value| (part, value)));
    given
        .map(|(part, value)| {
            let bytes = serde_json::to_vec(&value).map_err(Error::internal)?;
            Ok((part, bench.sealer.seal(owner, part, revision, &bytes)?))
        })
        .collect()
}
