//! Geometries as filters write them: WKT and `BBOX`.

use geo::{
    Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon,
    Point, Polygon, Rect,
};

use crate::ogc::cql2::fault::Fault;
use crate::ogc::cql2::parser::Parser;
use crate::ogc::cql2::tokens::Token;

/// Fewest positions of a ring, the first of them again at the end.
const RING_POSITIONS: usize = 4;

impl Parser<'_> {
    /// Reads a geometry.
    ///
    /// # Errors
    /// Whatever is none, or lies off the map.
    pub(crate) fn geometry(&mut self) -> Result<Geometry, Fault> {
        let at = self.at();
        let Token::Word(word) = self.take() else { return Err(no_geometry(at)) };
        let word = word.to_ascii_uppercase();
        if word == "BBOX" {
            return self.bbox();
        }
        // A third coordinate is read and not looked at.
        if matches!(self.peek(), Token::Word(z) if z.eq_ignore_ascii_case("z")) {
            self.take();
        }
        Ok(match word.as_str() {
            "POINT" => Geometry::Point(self.in_brackets(Self::position)?.into()),
            "LINESTRING" => Geometry::LineString(self.line(2)?),
            "POLYGON" => Geometry::Polygon(self.polygon()?),
            "MULTIPOINT" => Geometry::MultiPoint(MultiPoint(self.list(Self::point)?)),
            "MULTILINESTRING" => {
                Geometry::MultiLineString(MultiLineString(self.list(|parser| parser.line(2))?))
            }
            "MULTIPOLYGON" => Geometry::MultiPolygon(MultiPolygon(self.list(Self::polygon)?)),
            "GEOMETRYCOLLECTION" => {
                let members = self.deeper(at, |parser| parser.list(Self::geometry))?;
                Geometry::GeometryCollection(GeometryCollection(members))
            }
            _ => return Err(no_geometry(at)),
        })
    }

    fn polygon(&mut self) -> Result<Polygon, Fault> {
        let mut rings = self.list(|parser| parser.line(RING_POSITIONS))?.into_iter();
        let exterior = rings.next().unwrap_or_else(|| LineString(Vec::new()));
        Ok(Polygon::new(exterior, rings.collect()))
    }

    fn line(&mut self, fewest: usize) -> Result<LineString, Fault> {
        let at = self.at();
        let positions = self.list(Self::position)?;
        if positions.len() < fewest {
            return Err(Fault::new(
                at,
                format!("{fewest} positions at least are needed here"),
                format!("il faut ici au moins {fewest} positions"),
            ));
        }
        Ok(LineString(positions))
    }

    /// A point of a multi-point, with brackets of its own or without.
    fn point(&mut self) -> Result<Point, Fault> {
        let position = if *self.peek() == Token::Sign("(") {
            self.in_brackets(Self::position)?
        } else {
            self.position()?
        };
        Ok(position.into())
    }

    /// Two numbers, or three.
    fn position(&mut self) -> Result<Coord, Fault> {
        let at = self.at();
        let pair = (self.number()?, self.number()?);
        if matches!(self.peek(), Token::Number(_)) {
            self.take();
        }
        self.on_the_map(at, pair)
    }

    fn on_the_map(&self, at: usize, pair: (f64, f64)) -> Result<Coord, Fault> {
        let (x, y) = self.crs.to_lon_lat(pair).ok_or_else(|| {
            let (first, second) = pair;
            Fault::new(
                at,
                format!("{first} {second} lies off the map of {}", self.crs.uri()),
                format!("{first} {second} est hors de la carte de {}", self.crs.uri()),
            )
        })?;
        Ok(Coord { x, y })
    }

    /// Four edges, or six with heights; one whose west lies east of its east goes over the date line.
    fn bbox(&mut self) -> Result<Geometry, Fault> {
        let at = self.at();
        let numbers = self.list(Self::number)?;
        let (low, high) = match *numbers.as_slice() {
            [west, south, east, north] | [west, south, _, east, north, _] => {
                (self.on_the_map(at, (west, south))?, self.on_the_map(at, (east, north))?)
            }
            _ => {
                return Err(Fault::new(
                    at,
                    "a BBOX has four numbers, or six with heights",
                    "un BBOX a quatre nombres, ou six avec les hauteurs",
                ));
            }
        };
        if low.y > high.y {
            return Err(Fault::new(
                at,
                "the south of a BBOX lies south of its north",
                "le sud d'un BBOX est au sud de son nord",
            ));
        }
        Ok(boxed(low, high))
    }

    fn number(&mut self) -> Result<f64, Fault> {
        let at = self.at();
        match self.take() {
            Token::Number(number) => Ok(number),
            other => Err(Fault::new(
                at,
                format!("a number is missing before {}", other.told()),
                format!("il manque un nombre avant {}", other.told()),
            )),
        }
    }

    fn in_brackets<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.expect("(")?;
        let inner = read(self)?;
        self.expect(")")?;
        Ok(inner)
    }

    /// One or more in brackets, with commas between.
    fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        self.in_brackets(|parser| {
            let mut list = vec![read(parser)?];
            while parser.skips(",") {
                list.push(read(parser)?);
            }
            Ok(list)
        })
    }
}

/// Returns the box between two corners as one rectangle, or as two on either side of the date line.
pub(crate) fn boxed(low: Coord, high: Coord) -> Geometry {
    if low.x <= high.x {
        return Geometry::Rect(Rect::new(low, high));
    }
    let until = Rect::new(low, Coord { x: 180.0, y: high.y });
    let from = Rect::new(Coord { x: -180.0, y: low.y }, high);
    Geometry::MultiPolygon(MultiPolygon(vec![until.to_polygon(), from.to_polygon()]))
}

fn no_geometry(at: usize) -> Fault {
    Fault::new(
        at,
        "a geometry is missing: POINT, LINESTRING, POLYGON, one of several or BBOX",
        "il manque une géométrie : POINT, LINESTRING, POLYGON, l'une des multiples ou BBOX",
    )
}
