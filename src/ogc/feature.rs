//! Features as they are sent: GeoJSON (RFC 7946), or the same in another reference system.

use geo::{Coord, Geometry, LineString, Polygon};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::ogc::crs::Crs;
use crate::ogc::links::Link;

/// One feature.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Feature {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    geometry: Option<Value>,
    properties: Properties,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
}

impl Feature {
    /// Builds a feature, its geometry in `crs`.
    pub(crate) fn new(
        id: String,
        geometry: Option<&Geometry>,
        properties: Properties,
        crs: Crs,
    ) -> Self {
        let geometry = geometry.map(|geometry| write(geometry, crs));
        Self { kind: "Feature", id, geometry, properties, links: Vec::new() }
    }

    /// Returns it as an answer of its own.
    pub(crate) fn with_links(self, links: Vec<Link>) -> Self {
        Self { links, ..self }
    }
}

/// A page of features.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FeaturePage {
    #[serde(rename = "type")]
    kind: &'static str,
    time_stamp: String,
    number_matched: u64,
    number_returned: usize,
    links: Vec<Link>,
    features: Vec<Feature>,
}

impl FeaturePage {
    /// Builds a page of features of which `n_matched` are on all pages.
    pub(crate) fn new(
        features: Vec<Feature>,
        n_matched: u64,
        links: Vec<Link>,
        time_stamp: String,
    ) -> Self {
        let (kind, number_returned) = ("FeatureCollection", features.len());
        Self { kind, time_stamp, number_matched: n_matched, number_returned, links, features }
    }
}

/// The properties of a feature in the order of their table, each of them always there.
#[derive(Debug)]
pub(crate) struct Properties(pub(crate) Vec<(&'static str, Value)>);

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Writes a geometry; of those we have, points and areas.
fn write(geometry: &Geometry, crs: Crs) -> Value {
    let position = |at: Coord| crs.from_lon_lat((at.x, at.y));
    let ring = |ring: &LineString| ring.coords().map(|at| position(*at)).collect::<Vec<_>>();
    let polygon = |polygon: &Polygon| {
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        rings.map(ring).collect::<Vec<_>>()
    };
    match geometry {
        Geometry::Point(point) => json!({"type": "Point", "coordinates": position(point.0)}),
        Geometry::Polygon(one) => json!({"type": "Polygon", "coordinates": polygon(one)}),
        Geometry::MultiPolygon(several) => {
            let polygons: Vec<_> = several.iter().map(polygon).collect();
            json!({"type": "MultiPolygon", "coordinates": polygons})
        }
        _ => Value::Null,
    }
}
