//! What may be asked of a collection: the parameters of the standard, and each property as one of its own.

use geo::{Coord, Geometry};

use crate::aggregates::filter_parser::{PARAMETERS, refuse_unknown};
use crate::error::{Error, Result};
use crate::http::page::PageRequest;
use crate::http::query::{Pairs, invalid};
use crate::incidents::filter::FilterError;
use crate::incidents::selection::refuse;
use crate::ogc::collections::Collection;
use crate::ogc::cql2::expression::{Comparison, Condition, Expression, Literal, Test};
use crate::ogc::cql2::parser::parse;
use crate::ogc::cql2::wkt::boxed;
use crate::ogc::crs::Crs;
use crate::ogc::incidents::rows::Wanted;
use crate::ogc::period::Period;
use crate::ogc::property::{Kind, Property};

/// The language of filters.
pub(crate) const FILTER_LANGUAGE: &str = "cql2-text";

/// Parameters of lists that are not taken here: the standard's box, and the search in texts.
const NOT_HERE: [&str; 2] = ["bbox", "q"];

/// The parameters of the standard, with what they are.
pub(crate) const PARAMETERS_OF_STANDARD: [(&str, &str); 9] = [
    ("limit", "Features of a page; more than the most is the most."),
    ("cursor", "Where the page begins: from the link `next`."),
    (
        "bbox",
        "West, south, east, north, or six numbers with heights. What has no geometry matches every box.",
    ),
    ("bbox-crs", "Reference system of `bbox`; CRS84 unless told."),
    ("crs", "Reference system of the answer; CRS84 unless told."),
    (
        "datetime",
        "An instant, a day, or an interval such as `2024-03-01/..`. What has no date matches every interval.",
    ),
    ("filter", "A filter in CQL2 text over the queryables."),
    ("filter-lang", "Always `cql2-text`."),
    ("filter-crs", "Reference system of the coordinates in `filter`; CRS84 unless told."),
];

/// A question to a collection.
pub(crate) struct FeatureQuery {
    /// The page.
    pub(crate) page: PageRequest,
    /// Reference system of the answer.
    pub(crate) crs: Crs,
    /// What is asked.
    pub(crate) wanted: Wanted,
}

/// The parameters of `/v1/incidents` that incidents take here too, with the same meaning.
pub(crate) fn list_shared_parameters() -> impl Iterator<Item = &'static str> {
    PARAMETERS.into_iter().filter(|name| !NOT_HERE.contains(name))
}

/// The properties that are parameters of their own, asking for one value.
pub(crate) fn list_own_parameters(
    collection: Collection,
) -> impl Iterator<Item = &'static Property> {
    let is_shared =
        move |name: &str| collection == Collection::Incidents && PARAMETERS.contains(&name);
    collection.properties().iter().filter(move |property| {
        property.is_queryable && property.kind != Kind::Geometry && !is_shared(property.name)
    })
}

impl FeatureQuery {
    /// Takes what is of the standard and what are properties out of `pairs`; for incidents the filters of lists stay.
    ///
    /// # Errors
    /// `UnknownParameter`, `InvalidParameter`.
    pub(crate) fn take(pairs: &mut Pairs, collection: Collection) -> Result<Self> {
        let limit = take_limit(pairs, collection)?;
        let mut page = PageRequest::take(pairs)?;
        page.limit = limit;
        let crs = take_crs(pairs, "crs")?;
        let bbox_crs = take_crs(pairs, "bbox-crs")?;
        let bbox = pairs.take_one("bbox")?.map(|text| parse_bbox(&text, bbox_crs)).transpose()?;
        let period = pairs.take_one("datetime")?;
        let period =
            period.map(|text| Period::parse(&text).ok_or_else(refuse_period)).transpose()?;
        let mut parts = Vec::from_iter(take_filter(pairs, collection)?);
        parts.extend(take_own(pairs, collection)?);
        let expression = if parts.is_empty() { None } else { Some(Expression::All(parts)) };
        refuse_others(pairs, collection)?;
        Ok(Self { page, crs, wanted: Wanted { expression, bbox, period } })
    }
}

fn take_limit(pairs: &mut Pairs, collection: Collection) -> Result<usize> {
    let (usual, most) = collection.page_limits();
    let Some(text) = pairs.take_one("limit")? else { return Ok(usual) };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // What has too many digits is above the most too.
    let limit = text.parse::<usize>().unwrap_or(usize::MAX);
    if !is_number || limit == 0 {
        return Err(invalid(
            "limit",
            format!("limit is a number from 1; above {most} it is {most}"),
            format!("limit est un nombre à partir de 1 ; au-delà de {most}, il vaut {most}"),
        ));
    }
    Ok(limit.min(most))
}

/// Takes a reference system out of `pairs`; CRS84 where it is absent.
///
/// # Errors
/// `InvalidParameter` for one that is not on offer.
pub(crate) fn take_crs(pairs: &mut Pairs, name: &str) -> Result<Crs> {
    let Some(uri) = pairs.take_one(name)? else { return Ok(Crs::default()) };
    Crs::parse(&uri).ok_or_else(|| {
        let known = Crs::ALL.map(Crs::uri).join(", ");
        invalid(name, format!("{name} is one of {known}"), format!("{name} est l'un de {known}"))
    })
}

fn parse_bbox(text: &str, crs: Crs) -> Result<Geometry> {
    read_bbox(text, crs).ok_or_else(|| {
        invalid(
            "bbox",
            format!("bbox is west,south,east,north (or six numbers with heights) in the axes of {}, south before north", crs.uri()),
            format!("bbox est ouest,sud,est,nord (ou six nombres avec les hauteurs) dans les axes de {}, le sud avant le nord", crs.uri()),
        )
    })
}

fn read_bbox(text: &str, crs: Crs) -> Option<Geometry> {
    let numbers = text.split(',').map(|number| number.trim().parse::<f64>().ok());
    let numbers: Vec<f64> = numbers.collect::<Option<_>>()?;
    let (low, high) = match *numbers.as_slice() {
        [west, south, east, north] | [west, south, _, east, north, _] => {
            ((west, south), (east, north))
        }
        _ => return None,
    };
    if numbers.iter().any(|number| !number.is_finite()) {
        return None;
    }
    let corner = |pair| crs.to_lon_lat(pair).map(|(x, y)| Coord { x, y });
    let (low, high) = (corner(low)?, corner(high)?);
    (low.y <= high.y).then(|| boxed(low, high))
}

fn refuse_period() -> Error {
    invalid(
        "datetime",
        "datetime is an instant such as 2024-03-05T09:00:00Z, a day, or an interval a/b, a/.. or ../b, its begin before its end",
        "datetime est un instant comme 2024-03-05T09:00:00Z, un jour, ou un intervalle a/b, a/.. ou ../b, le début avant la fin",
    )
}

fn take_filter(pairs: &mut Pairs, collection: Collection) -> Result<Option<Expression>> {
    let language = pairs.take_one("filter-lang")?;
    if language.is_some_and(|language| language != FILTER_LANGUAGE) {
        return Err(invalid(
            "filter-lang",
            format!("filter-lang is {FILTER_LANGUAGE}"),
            format!("filter-lang vaut {FILTER_LANGUAGE}"),
        ));
    }
    let crs = take_crs(pairs, "filter-crs")?;
    let Some(text) = pairs.take_one("filter")? else { return Ok(None) };
    let read = parse(&text, collection.properties(), crs);
    read.map(Some).map_err(|fault| invalid("filter", fault.message_en(), fault.message_fr()))
}

/// Takes the parameters that are properties: one value each.
fn take_own(pairs: &mut Pairs, collection: Collection) -> Result<Vec<Expression>> {
    let mut parts = Vec::new();
    for own in list_own_parameters(collection) {
        let Some(text) = pairs.take_one(own.name)? else { continue };
        let literal = read_literal(own.kind, &text).ok_or_else(|| refuse_literal(own))?;
        let Some(property) = collection.properties().iter().position(|known| known == own) else {
            continue;
        };
        let condition = Condition::Compared(Comparison::Equal, literal);
        parts.push(Expression::Test(Test { property, is_case_blind: false, condition }));
    }
    Ok(parts)
}

fn read_literal(kind: Kind, text: &str) -> Option<Literal> {
    match kind {
        Kind::Text => Some(Literal::Text(text.to_owned())),
        Kind::Integer => text.parse::<i32>().ok().map(|number| Literal::Number(number.into())),
        Kind::Flag => match text {
            "true" | "1" => Some(Literal::Flag(true)),
            "false" | "0" => Some(Literal::Flag(false)),
            _ => None,
        },
        Kind::Day => {
            let day = Period::parse(text).filter(|_| !text.contains('/'))?.from;
            day.map(Literal::Day)
        }
        Kind::Geometry => None,
    }
}

fn refuse_literal(property: &Property) -> Error {
    let name = property.name;
    let (en, fr) = match property.kind {
        Kind::Text => ("a text", "un texte"),
        Kind::Integer => ("a whole number", "un nombre entier"),
        Kind::Flag => ("true or false", "true ou false"),
        Kind::Day => ("a day such as 2024-03-05", "un jour comme 2024-03-05"),
        Kind::Geometry => ("asked by filter", "demandé par filter"),
    };
    invalid(name, format!("{name} is {en}"), format!("{name} est {fr}"))
}

/// Refuses what is no parameter here.
fn refuse_others(pairs: &Pairs, collection: Collection) -> Result<()> {
    let own: Vec<&str> = PARAMETERS_OF_STANDARD
        .iter()
        .map(|(name, _)| *name)
        .chain(list_own_parameters(collection).map(|property| property.name))
        .collect();
    if collection != Collection::Incidents {
        return pairs.refuse_rest(&own);
    }
    let shared: Vec<&str> = list_shared_parameters().collect();
    let unknown =
        pairs.0.iter().map(|(name, _)| name.as_str()).filter(|name| !shared.contains(name));
    let refusal = |name: &str| {
        if PARAMETERS.contains(&name) {
            // Known elsewhere, so nothing else was meant.
            return FilterError::UnknownParameter { name: name.to_owned(), did_you_mean: None };
        }
        refuse_unknown(name, &own)
    };
    let errors: Vec<FilterError> = unknown.map(refusal).collect();
    if errors.is_empty() { Ok(()) } else { Err(refuse(&errors)) }
}
