//! Reads a `GeoJSON` `FeatureCollection`, gzipped or not, one feature at a time: memory holds one of them.
//!
//! # Source
//! RFC 7946; the member `crs` is of the specification of 2008, and export tools still write it.

use std::fmt;
use std::io::{BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use geo::MultiPolygon;
use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::geodata::refusal::Refusal;
use crate::geodata::shape::{Position, check};

/// Most bytes of JSON; an ADM2 file of a large country in full detail has some 150 MB.
const MAX_MB: u64 = 512;

/// A feature with its shape checked and on the grid.
#[derive(Debug)]
pub(crate) struct Feature {
    /// From 1, as it stands in the file.
    pub(crate) number: usize,
    /// `id` of the feature itself.
    pub(crate) id: Option<Value>,
    /// Its properties.
    pub(crate) properties: Map<String, Value>,
    /// Its shape.
    pub(crate) shape: MultiPolygon,
}

/// What is done with each feature; a refusal ends the reading.
type Sink<'a> = &'a mut dyn FnMut(Feature) -> Result<(), Refusal>;

/// Reads all features and hands each to `sink`; returns the `name` of the collection.
///
/// # Errors
/// See [`Refusal`].
pub(crate) fn read_features(file: impl Read, sink: Sink<'_>) -> Result<Option<String>, Refusal> {
    let mut file = BufReader::with_capacity(1 << 16, file);
    let is_gzipped = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if is_gzipped { read_json(MultiGzDecoder::new(file), sink) } else { read_json(file, sink) }
}

fn read_json(json: impl Read, sink: Sink<'_>) -> Result<Option<String>, Refusal> {
    let mut limited = json.take(MAX_MB << 20);
    let mut refusal = None;
    let collection = Collection { sink, refusal: &mut refusal };
    let mut deserializer =
        serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 16, &mut limited));
    let read = collection.deserialize(&mut deserializer);
    let read = read.and_then(|name| deserializer.end().map(|()| name));
    match (refusal, read) {
        (Some(refusal), _) => Err(refusal),
        (None, Ok(name)) => Ok(name),
        (None, Err(_)) if limited.limit() == 0 => Err(Refusal::TooLarge { limit_mb: MAX_MB }),
        (None, Err(error)) => Err(refuse(error)),
    }
}

fn refuse(error: serde_json::Error) -> Refusal {
    let detail = error.to_string();
    match error.classify() {
        serde_json::error::Category::Io => Refusal::Io(error.into()),
        serde_json::error::Category::Data => Refusal::NotGeoJson { detail },
        serde_json::error::Category::Syntax | serde_json::error::Category::Eof => {
            Refusal::NotJson { detail }
        }
    }
}

/// The whole document; a refusal of ours leaves it by `refusal`, since the reader carries only words.
struct Collection<'a> {
    sink: Sink<'a>,
    refusal: &'a mut Option<Refusal>,
}

impl<'de> DeserializeSeed<'de> for Collection<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Collection<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of type FeatureCollection")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self { sink, refusal } = self;
        let (mut name, mut kind, mut has_features) = (None, None, false);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "type" => {
                    let told: String = map.next_value()?;
                    if told != "FeatureCollection" {
                        return Err(A::Error::custom(format!("its type is {told:?}")));
                    }
                    kind = Some(told);
                }
                "name" => name = map.next_value::<Value>()?.as_str().map(str::to_owned),
                "crs" => {
                    if let Err(found) = check_crs(&map.next_value()?) {
                        *refusal = Some(found);
                        return Err(A::Error::custom("refused"));
                    }
                }
                "features" => {
                    has_features = true;
                    map.next_value_seed(Features { sink: &mut *sink, refusal: &mut *refusal })?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if kind.is_none() || !has_features {
            return Err(A::Error::custom("`type` or `features` is missing"));
        }
        Ok(name)
    }
}

/// WGS 84 goes by these names; without the member it is what RFC 7946 prescribes.
fn check_crs(crs: &Value) -> Result<(), Refusal> {
    let name = match crs {
        Value::Null => return Ok(()),
        Value::String(name) => name.clone(),
        other => other
            .pointer("/properties/name")
            .and_then(Value::as_str)
            .map_or_else(|| other.to_string().chars().take(80).collect(), str::to_owned),
    };
    let plain = name.to_ascii_uppercase();
    let is_wgs84 = plain.ends_with("CRS84") || plain.ends_with(":4326") || plain.ends_with("/4326");
    if is_wgs84 { Ok(()) } else { Err(Refusal::Crs { name }) }
}

/// The array of features.
struct Features<'a> {
    sink: Sink<'a>,
    refusal: &'a mut Option<Refusal>,
}

impl<'de> DeserializeSeed<'de> for Features<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Features<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of features")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(body) = seq.next_element::<FeatureBody>()? {
            number += 1;
            let taken = body.check(number).and_then(|feature| (self.sink)(feature));
            if let Err(found) = taken {
                *self.refusal = Some(found);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct FeatureBody {
    id: Option<Value>,
    properties: Option<Map<String, Value>>,
    geometry: Option<GeometryBody>,
}

#[derive(Deserialize)]
struct GeometryBody {
    #[serde(rename = "type")]
    kind: String,
    coordinates: Option<Box<RawValue>>,
}

impl FeatureBody {
    fn check(self, number: usize) -> Result<Feature, Refusal> {
        let geometry = self.geometry.ok_or(Refusal::Empty { feature: number })?;
        let text = geometry.coordinates.as_deref().map_or("[]", RawValue::get);
        let unreadable = |error: serde_json::Error| Refusal::Coordinates {
            feature: number,
            detail: error.to_string(),
        };
        let polygons: Vec<Vec<Vec<Position>>> = match geometry.kind.as_str() {
            "Polygon" => vec![serde_json::from_str(text).map_err(unreadable)?],
            "MultiPolygon" => serde_json::from_str(text).map_err(unreadable)?,
            kind => return Err(Refusal::NotAnArea { feature: number, kind: kind.to_owned() }),
        };
        let shape = check(number, &polygons)?;
        Ok(Feature { number, id: self.id, properties: self.properties.unwrap_or_default(), shape })
    }
}
