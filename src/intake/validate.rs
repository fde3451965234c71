//! From what was sent to what is true in form: every field checked on its own, every fault named at once.
//!
//! Answers may repeat numbers, dates and codes, never narrative, names or contacts.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Code, Error, FieldError, Result};
use crate::geo::countries::CountryCode;
use crate::geo::locate::Geo;
use crate::geo::lonlat::{CoordinateError, LonLat};
use crate::geo::sites::SiteId;
use crate::ids::{Id, ReportId};
use crate::intake::body::{
    ActorBody, CountBody, EnvironmentBody, GovernanceBody, LocationBody, PersonBody, ReportBody,
    SmugglingBody, SourceBody,
};
use crate::intake::occurred::Occurred;
use crate::intake::shown::{pointer_part, shown, shown_coordinate};
use crate::intake::types::{
    Actor, ClaimedPlace, Content, Count, Environment, Governance, Location, NewReport, Person,
    Smuggling, Source,
};
use crate::taxonomy::catalogue::Taxonomy;
use crate::taxonomy::error::CodeError;
use crate::taxonomy::lists::{CodeLists, ListName};

/// Longest narrative, in characters: about seven printed pages.
const NARRATIVE_CHARS: usize = 20_000;
/// Longest note, in characters.
const NOTE_CHARS: usize = 2_000;
/// Longest name, place or other short text, in characters.
const SHORT_CHARS: usize = 300;
/// Most people one report can count; more is a slip of the finger.
const MAX_PEOPLE: u32 = 1_000_000;
const MAX_CATEGORIES: usize = 20;
const MAX_ACTORS: usize = 50;
const MAX_PERSONS: usize = 100;
/// Largest radius of a fix that still says anything.
const MAX_ACCURACY_M: f64 = 100_000.0;

const PERSON_ROLES: [&str; 5] = ["victim", "witness", "relative", "alleged_perpetrator", "other"];
const MEDIA: [&str; 6] = ["water", "soil", "air", "forest", "wildlife", "other"];
const PRACTICES: [&str; 2] = ["good", "bad"];

/// What codes are checked against.
pub struct Catalogues<'a> {
    /// Categories.
    pub taxonomy: &'a Taxonomy,
    /// Code lists.
    pub lists: &'a CodeLists,
    /// Countries, areas and sites.
    pub geo: &'a Geo,
}

/// Checks `body` field by field.
///
/// # Errors
/// `InvalidFields` naming every field at fault.
pub fn validate(body: ReportBody, catalogues: &Catalogues<'_>) -> Result<NewReport> {
    let mut check = Check { catalogues, errors: Vec::new() };
    let id = check.id("/id", body.id);
    let follows = check.id("/follows", body.follows);
    let occurred = check.occurred(body.occurred);
    let (place, location) = check.location(body.location.unwrap_or_default());
    let content = Content {
        follows,
        occurred: occurred.map(Occurred::canonical),
        location,
        categories: check.categories(&body.categories),
        narrative: check.text("/narrative", body.narrative, NARRATIVE_CHARS),
        language: check.language(body.language),
        harm: check.harm(body.harm),
        actors: check.actors(body.actors),
        people: check.people(body.people),
        mining_mode: check.code("/mining_mode", body.mining_mode, ListName::MiningMode),
        company: check.text("/company", body.company, SHORT_CHARS),
        smuggling: body.smuggling.map(|smuggling| check.smuggling(smuggling)),
        environment: body.environment.map(|environment| check.environment(environment)),
        governance: body.governance.map(|governance| check.governance(governance)),
        source: body.source.map(|source| check.source(source)),
        ongoing: body.ongoing,
        test: body.test.unwrap_or(false),
    };
    if check.errors.is_empty() && content.narrative.is_none() && content.categories.is_empty() {
        check.fail(
            "/narrative",
            "a report needs a narrative or at least one category",
            "un rapport doit avoir un récit ou au moins une catégorie",
        );
    }
    if !check.errors.is_empty() {
        return Err(Error { fields: check.errors, ..Error::new(Code::InvalidFields) });
    }
    Ok(NewReport { id, occurred, place, content })
}

/// Checks the location of a reviewer's decision the way a report's is checked.
///
/// # Errors
/// `InvalidFields` naming every field at fault.
pub fn validate_location(
    body: LocationBody,
    catalogues: &Catalogues<'_>,
) -> Result<(ClaimedPlace, Location)> {
    let mut check = Check { catalogues, errors: Vec::new() };
    let checked = check.location(body);
    if check.errors.is_empty() { Ok(checked) } else { Err(Error::invalid(check.errors)) }
}

/// Checks category codes the way a report's are checked.
///
/// # Errors
/// `InvalidFields` naming every code at fault.
pub fn validate_categories(codes: &[String], catalogues: &Catalogues<'_>) -> Result<Vec<String>> {
    let mut check = Check { catalogues, errors: Vec::new() };
    let checked = check.categories(codes);
    if check.errors.is_empty() { Ok(checked) } else { Err(Error::invalid(check.errors)) }
}

/// Checks a text as long as a narrative may be, and the language its sender says it is in.
///
/// # Errors
/// `InvalidFields` naming what is at fault.
pub fn validate_text(
    text: &str,
    language: Option<String>,
    catalogues: &Catalogues<'_>,
) -> Result<Option<String>> {
    let mut check = Check { catalogues, errors: Vec::new() };
    check.is_short("/text", text, NARRATIVE_CHARS);
    let language = check.language(language);
    if check.errors.is_empty() { Ok(language) } else { Err(Error::invalid(check.errors)) }
}

struct Check<'a> {
    catalogues: &'a Catalogues<'a>,
    errors: Vec<FieldError>,
}

impl Check<'_> {
    fn fail(&mut self, pointer: impl Into<String>, en: impl Into<String>, fr: impl Into<String>) {
        self.errors.push(FieldError::new(pointer, en, fr));
    }

    fn id(&mut self, pointer: &str, text: Option<String>) -> Option<ReportId> {
        let text = text?;
        let id = Id::parse(&text);
        if id.is_none() {
            self.fail(
                pointer,
                "this is not a UUID, such as 3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e",
                "ce n'est pas un UUID, tel que 3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e",
            );
        }
        id
    }

    fn occurred(&mut self, text: Option<String>) -> Option<Occurred> {
        let text = text?;
        let occurred = Occurred::parse(text.trim());
        if occurred.is_none() {
            let shown = shown(&text);
            self.fail(
                "/occurred",
                format!(
                    "{shown} is not a time: give 2024-03-05, 2024-03, 2024, 2024-03-01/2024-03-05, or an instant \
                     with its offset such as 2024-03-05T09:00:00+02:00"
                ),
                format!(
                    "{shown} n'est pas une date : donnez 2024-03-05, 2024-03, 2024, 2024-03-01/2024-03-05, ou un \
                     instant avec son décalage tel que 2024-03-05T09:00:00+02:00"
                ),
            );
        }
        occurred
    }

    fn location(&mut self, body: LocationBody) -> (ClaimedPlace, Location) {
        let point = self.point(body.lat.as_ref(), body.lon.as_ref());
        let country = self.country(body.country);
        let claimed = ClaimedPlace {
            point,
            country,
            admin1: self.admin1(body.admin1, country),
            site: self.site(body.site),
        };
        let location = Location {
            lat: point.map(LonLat::lat),
            lon: point.map(LonLat::lon),
            accuracy_m: self.number("/location/accuracy_m", body.accuracy_m, MAX_ACCURACY_M),
            country: country.map(|country| country.as_str().to_owned()),
            admin1: claimed.admin1.as_ref().map(|area| area.as_str().to_owned()),
            place: self.text("/location/place", body.place, SHORT_CHARS),
            site: claimed.site.as_ref().map(|site| site.as_str().to_owned()),
        };
        (claimed, location)
    }

    fn point(
        &mut self,
        lat: Option<&serde_json::Value>,
        lon: Option<&serde_json::Value>,
    ) -> Option<LonLat> {
        let n_errors = self.errors.len();
        let lat_deg = self.degrees("/location/lat", lat);
        let lon_deg = self.degrees("/location/lon", lon);
        match (lat_deg, lon_deg) {
            (Some(lat_deg), Some(lon_deg)) => match LonLat::new(lon_deg, lat_deg) {
                Ok(point) => Some(point),
                Err(error) => {
                    self.fail_coordinate(&error);
                    None
                }
            },
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                if self.errors.len() == n_errors {
                    let missing = if lat_deg.is_none() { "/location/lat" } else { "/location/lon" };
                    self.fail(missing, "lat and lon go together", "lat et lon vont ensemble");
                }
                None
            }
        }
    }

    fn degrees(&mut self, pointer: &str, value: Option<&serde_json::Value>) -> Option<f64> {
        let value = value?;
        let degrees = value.as_f64();
        if degrees.is_none() {
            let shown = shown_coordinate(value);
            self.fail(
                pointer,
                format!("{shown} is not a number: send decimal degrees such as -6.1360"),
                format!(
                    "{shown} n'est pas un nombre : envoyez des degrés décimaux tels que -6.1360"
                ),
            );
        }
        degrees
    }

    fn fail_coordinate(&mut self, error: &CoordinateError) {
        match error {
            CoordinateError::Longitude(lon) => self.fail(
                "/location/lon",
                format!("longitude {lon} is outside -180..=180"),
                format!("la longitude {lon} est hors de -180..=180"),
            ),
            CoordinateError::Latitude(lat) => self.fail(
                "/location/lat",
                format!("latitude {lat} is outside -90..=90"),
                format!("la latitude {lat} est hors de -90..=90"),
            ),
        }
    }

    fn country(&mut self, text: Option<String>) -> Option<CountryCode> {
        let text = text?;
        let country = self.catalogues.geo.countries().parse(text.trim());
        if country.is_none() {
            let shown = shown(&text);
            let known: Vec<&str> = self
                .catalogues
                .geo
                .countries()
                .iter()
                .map(|country| country.code.as_str())
                .collect();
            let known = known.join(", ");
            self.fail(
                "/location/country",
                format!("{shown} is none of the countries taken in here: {known}"),
                format!("{shown} n'est pas un des pays pris en charge : {known}"),
            );
        }
        country
    }

    fn admin1(
        &mut self,
        text: Option<String>,
        country: Option<CountryCode>,
    ) -> Option<crate::geo::areas::AreaId> {
        let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
        let areas = self.catalogues.geo.areas();
        let by_name = country.and_then(|country| areas.find_in_country(country, &text));
        let found = by_name.or_else(|| areas.find(&text)).map(|area| area.id.clone());
        if found.is_none() {
            self.fail(
                "/location/admin1",
                "no such area in the declared country: give its ISO 3166-2 code such as SL-E, or leave it out",
                "aucune zone de ce nom dans le pays déclaré : donnez son code ISO 3166-2 tel que SL-E, ou omettez-la",
            );
        }
        found
    }

    fn site(&mut self, text: Option<String>) -> Option<SiteId> {
        let text = text?;
        let known = SiteId::parse(text.trim())
            .filter(|site| self.catalogues.geo.sites().find(site.as_str()).is_some());
        if known.is_none() {
            let shown = shown(&text);
            self.fail(
                "/location/site",
                format!("{shown} is no known site: give its id, or name it in /location/place"),
                format!("{shown} n'est pas un site connu : donnez son identifiant, ou nommez-le dans /location/place"),
            );
        }
        known
    }

    fn categories(&mut self, codes: &[String]) -> Vec<String> {
        if codes.len() > MAX_CATEGORIES {
            self.fail_length("/categories", codes.len(), MAX_CATEGORIES);
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let mut checked = Vec::new();
        for (index, code) in codes.iter().enumerate() {
            match self.catalogues.taxonomy.leaf(code) {
                Ok(leaf) => {
                    if seen.insert(leaf.code.as_str()) {
                        checked.push(leaf.code.as_str().to_owned());
                    }
                }
                Err(error) => self.fail_category(&format!("/categories/{index}"), &error),
            }
        }
        checked
    }

    fn fail_category(&mut self, pointer: &str, error: &CodeError) {
        match error {
            CodeError::Unknown { code, did_you_mean } => {
                let code = shown(code);
                let (en, fr) = did_you_mean.as_ref().map_or_else(Default::default, |near| {
                    (format!("; did you mean {near}?"), format!(" ; vouliez-vous dire {near} ?"))
                });
                self.fail(
                    pointer,
                    format!("{code} is not in the taxonomy{en}"),
                    format!("{code} n'est pas dans la taxonomie{fr}"),
                );
            }
            CodeError::NotALeaf { code, children } => {
                let below = children.join(", ");
                self.fail(
                    pointer,
                    format!("{code} is not a leaf; choose one below it: {below}"),
                    format!("{code} n'est pas une feuille ; choisissez au-dessous : {below}"),
                );
            }
            CodeError::Retired { code, retired_on } => self.fail(
                pointer,
                format!("{code} was retired on {retired_on}"),
                format!("{code} a été retiré le {retired_on}"),
            ),
        }
    }

    fn harm(&mut self, harm: BTreeMap<String, CountBody>) -> BTreeMap<String, Count> {
        let mut checked = BTreeMap::new();
        for (measure, count) in harm {
            let pointer = format!("/harm/{}", pointer_part(&measure));
            if self.is_code(&pointer, &measure, ListName::AffectedCount)
                && let Some(count) = self.count(&pointer, count)
            {
                checked.insert(measure, count);
            }
        }
        checked
    }

    fn count(&mut self, pointer: &str, body: CountBody) -> Option<Count> {
        let n_errors = self.errors.len();
        let range = match body {
            CountBody::Exact(n) => Count { min: n, max: n, by: BTreeMap::new() },
            CountBody::Range(range) => {
                let parts = range.by.values().fold(0_u32, |sum, part| sum.saturating_add(*part));
                let min = range
                    .min
                    .or(range.max.filter(|_| range.by.is_empty()).map(|_| 0))
                    // Parts beyond the total are one fault, told of the parts.
                    .unwrap_or_else(|| range.max.map_or(parts, |max| parts.min(max)));
                // "At least two" without an upper bound is two that are known of.
                let max = range.max.unwrap_or(min);
                for (part, n) in range.by.iter().filter(|(_, n)| **n > MAX_PEOPLE) {
                    self.fail_too_many(&format!("{pointer}/by/{}", pointer_part(part)), *n);
                }
                for part in range.by.keys() {
                    self.is_code(
                        &format!("{pointer}/by/{}", pointer_part(part)),
                        part,
                        ListName::SexAge,
                    );
                }
                if parts > max {
                    self.fail(
                        format!("{pointer}/by"),
                        format!("the parts add up to {parts}, more than the total {max}"),
                        format!("les parties font {parts}, plus que le total {max}"),
                    );
                }
                Count { min, max, by: range.by }
            }
        };
        if range.min > range.max {
            let (min, max) = (range.min, range.max);
            self.fail(
                pointer,
                format!("min {min} is more than max {max}"),
                format!("min {min} dépasse max {max}"),
            );
        }
        if range.max > MAX_PEOPLE {
            self.fail_too_many(pointer, range.max);
        }
        (self.errors.len() == n_errors).then_some(range)
    }

    fn fail_too_many(&mut self, pointer: &str, n: u32) {
        self.fail(
            pointer,
            format!("{n} is more than {MAX_PEOPLE} people"),
            format!("{n} dépasse {MAX_PEOPLE} personnes"),
        );
    }

    fn actors(&mut self, actors: Vec<ActorBody>) -> Vec<Actor> {
        if actors.len() > MAX_ACTORS {
            self.fail_length("/actors", actors.len(), MAX_ACTORS);
            return Vec::new();
        }
        let one = |check: &mut Self, (index, actor): (usize, ActorBody)| {
            let at = format!("/actors/{index}");
            let is_known = check.is_code(&format!("{at}/type"), &actor.kind, ListName::ActorType);
            Actor {
                kind: if is_known { actor.kind } else { String::new() },
                role: check.code(&format!("{at}/role"), actor.role, ListName::ActorRole),
                name: check.text(&format!("{at}/name"), actor.name, SHORT_CHARS),
            }
        };
        actors.into_iter().enumerate().map(|actor| one(self, actor)).collect()
    }

    fn people(&mut self, people: Vec<PersonBody>) -> Vec<Person> {
        if people.len() > MAX_PERSONS {
            self.fail_length("/people", people.len(), MAX_PERSONS);
            return Vec::new();
        }
        let one = |check: &mut Self, (index, person): (usize, PersonBody)| {
            let at = format!("/people/{index}");
            Person {
                name: check.text(&format!("{at}/name"), person.name, SHORT_CHARS),
                contact: check.text(&format!("{at}/contact"), person.contact, SHORT_CHARS),
                role: check.word(&format!("{at}/role"), person.role, &PERSON_ROLES),
                sex_age: check.code(&format!("{at}/sex_age"), person.sex_age, ListName::SexAge),
                group: check.code(&format!("{at}/group"), person.group, ListName::AffectedGroup),
                note: check.text(&format!("{at}/note"), person.note, NOTE_CHARS),
            }
        };
        people.into_iter().enumerate().map(|person| one(self, person)).collect()
    }

    fn smuggling(&mut self, body: SmugglingBody) -> Smuggling {
        Smuggling {
            carats: self.number("/smuggling/carats", body.carats, f64::MAX),
            value: self.number("/smuggling/value", body.value, f64::MAX),
            currency: self.currency("/smuggling/currency", body.currency),
            origin: self.text("/smuggling/origin", body.origin, SHORT_CHARS),
            destination: self.text("/smuggling/destination", body.destination, SHORT_CHARS),
            route: self.text("/smuggling/route", body.route, SHORT_CHARS),
            kp_certificate: self.text("/smuggling/kp_certificate", body.kp_certificate, 100),
        }
    }

    fn environment(&mut self, body: EnvironmentBody) -> Environment {
        Environment {
            medium: self.word("/environment/medium", body.medium, &MEDIA),
            pollutant: self.text("/environment/pollutant", body.pollutant, SHORT_CHARS),
            area_ha: self.number("/environment/area_ha", body.area_ha, f64::MAX),
        }
    }

    fn governance(&mut self, body: GovernanceBody) -> Governance {
        Governance {
            practice: self.word("/governance/practice", body.practice, &PRACTICES),
            subject: self.text("/governance/subject", body.subject, SHORT_CHARS),
            amount: self.number("/governance/amount", body.amount, f64::MAX),
            currency: self.currency("/governance/currency", body.currency),
        }
    }

    fn source(&mut self, body: SourceBody) -> Source {
        Source {
            kind: self.code("/source/type", body.kind, ListName::SourceType),
            reliability: self.code(
                "/source/reliability",
                body.reliability,
                ListName::SourceReliability,
            ),
            name: self.text("/source/name", body.name, SHORT_CHARS),
            contact: self.text("/source/contact", body.contact, SHORT_CHARS),
            consent: self.code("/source/consent", body.consent, ListName::Consent),
            at_risk: body.at_risk,
        }
    }

    fn text(&mut self, pointer: &str, text: Option<String>, max_chars: usize) -> Option<String> {
        let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
        self.is_short(pointer, &text, max_chars).then_some(text)
    }

    fn is_short(&mut self, pointer: &str, text: &str, max_chars: usize) -> bool {
        let n_chars = text.chars().count();
        if n_chars > max_chars {
            self.fail(
                pointer,
                format!("this has {n_chars} characters; at most {max_chars} are taken"),
                format!("ce texte compte {n_chars} caractères ; {max_chars} au plus sont acceptés"),
            );
        }
        n_chars <= max_chars
    }

    fn number(&mut self, pointer: &str, number: Option<f64>, max: f64) -> Option<f64> {
        let number = number?;
        if !(0.0..=max).contains(&number) {
            self.fail(
                pointer,
                format!("{number} is outside 0..={max}"),
                format!("{number} est hors de 0..={max}"),
            );
            return None;
        }
        Some(number)
    }

    fn language(&mut self, text: Option<String>) -> Option<String> {
        let text =
            text.map(|text| text.trim().to_ascii_lowercase()).filter(|text| !text.is_empty())?;
        let is_code =
            matches!(text.len(), 2 | 3) && text.bytes().all(|byte| byte.is_ascii_lowercase());
        if !is_code {
            self.fail(
                "/language",
                "a language is an ISO 639 code of two or three letters, such as fr",
                "une langue est un code ISO 639 de deux ou trois lettres, tel que fr",
            );
        }
        is_code.then_some(text)
    }

    fn currency(&mut self, pointer: &str, text: Option<String>) -> Option<String> {
        let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_code {
            self.fail(
                pointer,
                "a currency is an ISO 4217 code of three capitals, such as USD",
                "une monnaie est un code ISO 4217 de trois majuscules, tel que USD",
            );
        }
        is_code.then_some(text)
    }

    fn code(&mut self, pointer: &str, code: Option<String>, list: ListName) -> Option<String> {
        code.filter(|code| self.is_code(pointer, code, list))
    }

    fn is_code(&mut self, pointer: &str, code: &str, list: ListName) -> bool {
        let list = self.catalogues.lists.list(list);
        if list.find(code).is_some() {
            return true;
        }
        let known: Vec<&str> = list.codes().iter().map(|known| known.code.as_str()).collect();
        self.fail_word(pointer, code, &known);
        false
    }

    fn word(&mut self, pointer: &str, word: Option<String>, known: &[&str]) -> Option<String> {
        let word = word?;
        if known.contains(&word.as_str()) {
            return Some(word);
        }
        self.fail_word(pointer, &word, known);
        None
    }

    fn fail_word(&mut self, pointer: &str, word: &str, known: &[&str]) {
        let (shown, known) = (shown(word), known.join(", "));
        self.fail(
            pointer,
            format!("{shown} is none of {known}"),
            format!("{shown} ne figure pas parmi {known}"),
        );
    }

    fn fail_length(&mut self, pointer: &str, n: usize, max: usize) {
        self.fail(
            pointer,
            format!("there are {n}; at most {max} are taken"),
            format!("il y en a {n} ; {max} au plus sont acceptés"),
        );
    }
}
