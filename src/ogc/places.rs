//! Sites and areas as features: reference data, the same for everybody.

use std::borrow::Cow;

use geo::{BoundingRect, Coord, Geometry, Intersects, MultiPolygon, Point, Rect};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::geo::areas::{Area, AreaId, Areas};
use crate::geo::locate::Geo;
use crate::geo::packs::Level;
use crate::geo::sites::Site;
use crate::http::page;
use crate::ogc::collections::Collection;
use crate::ogc::crs::Crs;
use crate::ogc::feature::{Feature, Properties};
use crate::ogc::incidents::fields::joined;
use crate::ogc::incidents::list::Page;
use crate::ogc::incidents::rows::Wanted;
use crate::ogc::property::{GEOMETRY, Kind, Property, Value};
use crate::ogc::query::FeatureQuery;

/// What a site has.
pub(crate) static SITE_PROPERTIES: [Property; 9] = [
    Property::queryable("name", Kind::Text, "its usual name"),
    Property::queryable("country", Kind::Text, "country, ISO 3166-1 alpha-3"),
    Property::queryable("kind", Kind::Text, "kind of mine"),
    Property::queryable("status", Kind::Text, "whether it is worked"),
    Property::queryable("operator", Kind::Text, "the company, where one is known"),
    Property::queryable("precision", Kind::Text, "how well the point is known"),
    Property::queryable("source", Kind::Text, "where the facts come from"),
    Property::queryable("licence", Kind::Text, "terms of use of the source"),
    Property::queryable(GEOMETRY, Kind::Geometry, "the point"),
];

/// What an area has.
pub(crate) static AREA_PROPERTIES: [Property; 9] = [
    Property::queryable("name_en", Kind::Text, "name in English"),
    Property::queryable("name_fr", Kind::Text, "name in French"),
    Property::queryable("country", Kind::Text, "country, ISO 3166-1 alpha-3"),
    Property::queryable("level", Kind::Integer, "1 or 2"),
    Property::queryable("zone", Kind::Text, "IANA zone"),
    Property::queryable("drawn_as", Kind::Text, "drawn areas that share its ground, with commas"),
    Property::queryable("source", Kind::Text, "where the outline comes from"),
    Property::queryable("licence", Kind::Text, "terms of use of the source"),
    Property::queryable(GEOMETRY, Kind::Geometry, "the outline"),
];

/// One of them.
enum Place<'a> {
    Site(&'a Site),
    Area(&'a Geo, Level, &'a Area, Option<&'a MultiPolygon>),
}

impl<'a> Place<'a> {
    fn id(&self) -> &'a str {
        match self {
            Self::Site(site) => site.id.as_str(),
            Self::Area(_, _, area, _) => area.id.as_str(),
        }
    }

    fn value(&self, property: &str) -> Value<'_> {
        if property == GEOMETRY {
            let shape = self.geometry().map(Cow::Owned);
            return shape.map_or(Value::Missing, Value::Shape);
        }
        match self {
            Self::Site(site) => value_of_site(site, property),
            Self::Area(geo, level, area, _) => value_of_area(geo, *level, area, property),
        }
    }

    fn geometry(&self) -> Option<Geometry> {
        match self {
            Self::Site(site) => Some(Geometry::Point(point(site))),
            Self::Area(_, _, _, shape) => shape.map(|shape| Geometry::MultiPolygon(shape.clone())),
        }
    }

    /// Tells whether it lies there, or nowhere.
    fn is_in(&self, bbox: &Geometry) -> bool {
        match self {
            Self::Site(site) => bbox.intersects(&point(site)),
            Self::Area(_, _, _, shape) => shape.is_none_or(|shape| bbox.intersects(shape)),
        }
    }

    fn bounds(&self) -> Option<Rect> {
        match self {
            Self::Site(site) => Some(point(site).bounding_rect()),
            Self::Area(_, _, _, shape) => shape.and_then(BoundingRect::bounding_rect),
        }
    }

    fn is_wanted(&self, wanted: &Wanted, properties: &[Property]) -> bool {
        let value_of = |place: usize| {
            properties.get(place).map_or(Value::Missing, |property| self.value(property.name))
        };
        wanted.bbox.as_ref().is_none_or(|bbox| self.is_in(bbox))
            && wanted.expression.as_ref().is_none_or(|it| it.judge(&value_of) == Some(true))
    }

    fn feature(&self, properties: &[Property], crs: Crs) -> Feature {
        let listed = properties.iter().filter(|property| property.kind != Kind::Geometry);
        let listed = listed.map(|property| (property.name, self.value(property.name).to_json()));
        let id = self.id().to_owned();
        Feature::new(id, self.geometry().as_ref(), Properties(listed.collect()), crs)
    }
}

fn value_of_site<'a>(site: &'a Site, property: &str) -> Value<'a> {
    match property {
        "name" => Value::text(&site.name),
        "country" => Value::text(site.country.as_str()),
        "kind" => Value::text(&site.kind),
        "status" => Value::text(&site.status),
        "operator" => Value::text_or_missing(site.operator.as_deref()),
        "precision" => Value::text(site.precision.as_str()),
        "source" => Value::text(&site.source),
        "licence" => Value::text(&site.licence),
        _ => Value::Missing,
    }
}

fn value_of_area<'a>(geo: &Geo, level: Level, area: &'a Area, property: &str) -> Value<'a> {
    let source = || areas_of(geo, level).source(Some(area.country));
    match property {
        "name_en" => Value::text(&area.name_en),
        "name_fr" => Value::text(&area.name_fr),
        "country" => Value::text(area.country.as_str()),
        "level" => Value::Number(level.number().into()),
        "zone" => Value::text(area.zone.name()),
        "drawn_as" => joined(area.former.iter().map(AreaId::as_str)),
        "source" => Value::Text(Cow::Owned(source().to_string())),
        "licence" => Value::Text(Cow::Owned(source().licence.as_ref().to_owned())),
        _ => Value::Missing,
    }
}

fn areas_of(geo: &Geo, level: Level) -> &Areas {
    match level {
        Level::Admin1 => geo.areas(),
        Level::Admin2 => geo.admin2(),
    }
}

fn point(site: &Site) -> Point {
    Point::new(site.point.lon(), site.point.lat())
}

/// Lists the places of a collection, always in the same order; incidents are none.
fn list_places(geo: &Geo, collection: Collection) -> Vec<Place<'_>> {
    let of_level = |level| {
        let areas = areas_of(geo, level).current();
        areas.map(move |(area, shape)| Place::Area(geo, level, area, shape))
    };
    match collection {
        Collection::Incidents => Vec::new(),
        Collection::Sites => geo.sites().iter().map(Place::Site).collect(),
        Collection::Areas => of_level(Level::Admin1).chain(of_level(Level::Admin2)).collect(),
    }
}

/// Lists a page.
///
/// # Errors
/// `InvalidCursor`.
pub(crate) fn list(
    context: &Context,
    collection: Collection,
    query: &FeatureQuery,
) -> Result<Page> {
    let binding = format!("ogc {} {:?}", collection.as_str(), query.wanted);
    let begin = query.page.position(&context.keys, &binding)?.unwrap_or(0);
    let begin = usize::try_from(begin).unwrap_or(usize::MAX);
    let (geo, limit) = (context.geo(), query.page.limit);
    let mut n_matched = 0;
    let mut found = Vec::new();
    for place in list_places(&geo, collection) {
        if place.is_wanted(&query.wanted, collection.properties()) {
            if n_matched >= begin && found.len() < limit {
                found.push(place.feature(collection.properties(), query.crs));
            }
            n_matched += 1;
        }
    }
    let end = begin.saturating_add(found.len());
    let next = (end < n_matched).then(|| i64::try_from(end).unwrap_or(i64::MAX));
    let next = next.map(|next| page::cursor(&context.keys, next, &binding)).transpose()?;
    let n_matched = u64::try_from(n_matched).unwrap_or(u64::MAX);
    Ok(Page { features: found, n_matched, next })
}

/// Returns one place.
///
/// # Errors
/// `NotFound`.
pub(crate) fn find(
    context: &Context,
    collection: Collection,
    id: &str,
    crs: Crs,
) -> Result<Feature> {
    let geo = context.geo();
    let found = list_places(&geo, collection).into_iter().find(|place| place.id() == id);
    let found = found.ok_or_else(Error::not_found)?;
    Ok(found.feature(collection.properties(), crs))
}

/// Returns where they are: west, south, east, north in degrees.
pub(crate) fn find_extent(context: &Context, collection: Collection) -> Option<[f64; 4]> {
    let geo = context.geo();
    let places = list_places(&geo, collection);
    let bounds = places.iter().filter_map(Place::bounds).reduce(|all, one| {
        let (low, high) = (all.min(), all.max());
        let low = Coord { x: low.x.min(one.min().x), y: low.y.min(one.min().y) };
        Rect::new(low, Coord { x: high.x.max(one.max().x), y: high.y.max(one.max().y) })
    })?;
    Some([bounds.min().x, bounds.min().y, bounds.max().x, bounds.max().y])
}
