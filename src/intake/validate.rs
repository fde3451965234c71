//! From what was sent to what is true in form: every field checked on its own, every fault named at once.
//!
//! Answers may repeat numbers, dates and codes, never narrative, names or contacts.

mod harm;
mod place;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::{Code, Error, FieldError, Result};
use crate::geo::locate::Geo;
use crate::ids::{Id, ReportId};
use crate::intake::body::{
    CountBody, EnvironmentBody, GovernanceBody, LocationBody, ReportBody, SmugglingBody, SourceBody,
};
use crate::intake::occurred::Occurred;
use crate::intake::types::{
    ClaimedPlace, Content, Count, Environment, Governance, Location, NewReport, Smuggling, Source,
};
use crate::intake::validate::value::shown;
use crate::taxonomy::catalogue::Taxonomy;
use crate::taxonomy::error::CodeError;
use crate::taxonomy::lists::{CodeLists, ListName};

/// Longest narrative, in characters: about seven printed pages.
const NARRATIVE_CHARS: usize = 20_000;
/// Longest note, in characters.
const NOTE_CHARS: usize = 2_000;
/// Longest name, place or other short text, in characters.
const SHORT_CHARS: usize = 300;
const MAX_CATEGORIES: usize = 20;
/// Most codes of a list that a reviewer gives at once.
const MAX_CODES: usize = 50;

const MEDIA: [&str; 6] = ["water", "soil", "air", "forest", "wildlife", "other"];
const PRACTICES: [&str; 2] = ["good", "bad"];

/// What codes are checked against.
pub struct Catalogues<'a> {
    /// Categories.
    pub taxonomy: &'a Taxonomy,
    /// Code lists.
    pub lists: &'a CodeLists,
    /// Countries, areas and sites.
    pub geo: Arc<Geo>,
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

/// Checks a time the way a report's is checked.
///
/// # Errors
/// `InvalidFields`.
pub fn validate_occurred(text: String, catalogues: &Catalogues<'_>) -> Result<Option<Occurred>> {
    let mut check = Check { catalogues, errors: Vec::new() };
    let checked = check.occurred(Some(text));
    if check.errors.is_empty() { Ok(checked) } else { Err(Error::invalid(check.errors)) }
}

/// Checks who was harmed the way a report's is checked.
///
/// # Errors
/// `InvalidFields` naming every measure at fault.
pub fn validate_harm(
    harm: BTreeMap<String, CountBody>,
    catalogues: &Catalogues<'_>,
) -> Result<BTreeMap<String, Count>> {
    let mut check = Check { catalogues, errors: Vec::new() };
    let checked = check.harm(harm);
    if check.errors.is_empty() { Ok(checked) } else { Err(Error::invalid(check.errors)) }
}

/// Checks codes of one list, each at its own place below `pointer`.
///
/// # Errors
/// `InvalidFields` naming every code at fault.
pub fn validate_codes(
    pointer: &str,
    codes: &[String],
    list: ListName,
    catalogues: &Catalogues<'_>,
) -> Result<()> {
    let mut check = Check { catalogues, errors: Vec::new() };
    if codes.len() > MAX_CODES {
        check.fail_length(pointer, codes.len(), MAX_CODES);
    }
    for (index, code) in codes.iter().take(MAX_CODES).enumerate() {
        check.is_code(&format!("{pointer}/{index}"), code, list);
    }
    if check.errors.is_empty() { Ok(()) } else { Err(Error::invalid(check.errors)) }
}

/// Checks one code of a list.
///
/// # Errors
/// `InvalidFields`.
pub fn validate_code(
    pointer: &str,
    code: &str,
    list: ListName,
    catalogues: &Catalogues<'_>,
) -> Result<()> {
    let mut check = Check { catalogues, errors: Vec::new() };
    if check.is_code(pointer, code, list) { Ok(()) } else { Err(Error::invalid(check.errors)) }
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
}
