//! From a ring of positions to one we can keep: checked, on the grid of 1e-4 degrees, without repeated positions.

use geo::{Coord, LineString, MultiPolygon, Polygon};
use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

use crate::geo::packs::{degrees, whole_steps};
use crate::geodata::refusal::Refusal;

/// Scan lines by which the ground of a ring that crosses itself is measured.
const SCAN_LINES: i32 = 400;

/// A ring that crosses itself is kept when its ground is the same, to so much, whichever way it is measured.
const GROUND_TOLERANCE: f64 = 0.05;

/// Longitude and latitude; further numbers (an altitude) are dropped.
pub(crate) struct Position([f64; 2]);

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = Position;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a position, two numbers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Position, A::Error> {
                let short = || serde::de::Error::custom("a position has two numbers");
                let lon = seq.next_element()?.ok_or_else(short)?;
                let lat = seq.next_element()?.ok_or_else(short)?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Position([lon, lat]))
            }
        }
        deserializer.deserialize_seq(Numbers)
    }
}

/// A vertex in whole steps of 1e-4 degrees: lon, lat.
type Vertex = [i32; 2];

/// Checks the polygons of a feature and puts them on the grid. What is too small for the grid is dropped.
pub(crate) fn check(
    feature: usize,
    polygons: &[Vec<Vec<Position>>],
) -> Result<MultiPolygon, Refusal> {
    let mut kept = Vec::new();
    let mut n_rings = 0;
    for rings in polygons {
        let mut lines = Vec::new();
        for ring in rings {
            n_rings += 1;
            let vertices = check_ring(feature, n_rings, ring)?;
            lines.push(vertices.map(|vertices| line(&vertices)));
        }
        let mut lines = lines.into_iter();
        if let Some(Some(exterior)) = lines.next() {
            kept.push(Polygon::new(exterior, lines.flatten().collect()));
        }
    }
    if kept.is_empty() { Err(Refusal::Empty { feature }) } else { Ok(MultiPolygon(kept)) }
}

fn line(vertices: &[Vertex]) -> LineString {
    vertices.iter().map(|[lon, lat]| Coord { x: degrees(*lon), y: degrees(*lat) }).collect()
}

/// Returns the ring on the grid; `None` when nothing is left of it there.
fn check_ring(
    feature: usize,
    ring: usize,
    positions: &[Position],
) -> Result<Option<Vec<Vertex>>, Refusal> {
    let outside = positions.iter().find(|Position([lon, lat])| {
        !(-180.0..=180.0).contains(lon) || !(-90.0..=90.0).contains(lat)
    });
    if let Some(Position([lon, lat])) = outside {
        return Err(Refusal::NotDegrees { feature, lon: *lon, lat: *lat });
    }
    let fault = |fault: String| Err(Refusal::Ring { feature, ring, fault });
    if positions.len() < 4 {
        return fault(format!("has {} positions, at least 4 are needed", positions.len()));
    }
    let mut vertices: Vec<Vertex> = positions
        .iter()
        .map(|Position([lon, lat])| [whole_steps(*lon), whole_steps(*lat)])
        .collect();
    if vertices.first() != vertices.last() {
        return fault("is not closed".to_owned());
    }
    vertices.dedup();
    if vertices.len() < 4 {
        return Ok(None);
    }
    match find_crossing(&vertices) {
        Some([lon, lat]) if !is_ground_certain(&vertices) => {
            Err(Refusal::Crossing { feature, ring, lat: degrees(lat), lon: degrees(lon) })
        }
        Some(_) | None => Ok(Some(vertices)),
    }
}

/// Returns the end of an edge that properly crosses another edge of the ring.
///
/// The edges are walked from west to east; each is held against those that begin before it ends.
fn find_crossing(vertices: &[Vertex]) -> Option<Vertex> {
    let mut edges: Vec<(Vertex, Vertex)> = vertices
        .windows(2)
        .filter_map(|pair| match pair {
            [a, b] => Some(if a <= b { (*a, *b) } else { (*b, *a) }),
            _ => None,
        })
        .collect();
    edges.sort_unstable();
    for (index, edge) in edges.iter().enumerate() {
        let later = edges.iter().skip(index + 1).take_while(|other| other.0[0] <= edge.1[0]);
        for other in later {
            if is_crossing(edge, other) {
                return Some(other.0);
            }
        }
    }
    None
}

fn is_crossing(a: &(Vertex, Vertex), b: &(Vertex, Vertex)) -> bool {
    let (low, high) = (b.0[1].min(b.1[1]), b.0[1].max(b.1[1]));
    if a.0[1].max(a.1[1]) < low || a.0[1].min(a.1[1]) > high {
        return false;
    }
    side(a, b.0) * side(a, b.1) < 0 && side(b, a.0) * side(b, a.1) < 0
}

/// Returns on which side of an edge a vertex lies: -1, 0 or 1. Exact: steps have 22 bits.
fn side(edge: &(Vertex, Vertex), vertex: Vertex) -> i64 {
    let across = |from: Vertex, to: Vertex| {
        (i64::from(to[0]) - i64::from(from[0]), i64::from(to[1]) - i64::from(from[1]))
    };
    let ((ex, ey), (vx, vy)) = (across(edge.0, edge.1), across(edge.0, vertex));
    (ex * vy - ey * vx).signum()
}

/// Tells whether a ring encloses the same ground by its signed area and by crossing number: a loop at a vertex is a slip
/// of the pen, a figure of eight is not.
fn is_ground_certain(vertices: &[Vertex]) -> bool {
    let signed: i64 = vertices
        .windows(2)
        .map(|pair| match pair {
            [a, b] => i64::from(a[0]) * i64::from(b[1]) - i64::from(b[0]) * i64::from(a[1]),
            _ => 0,
        })
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let signed = (signed.abs() as f64) / 2.0;
    let counted = counted_area(vertices);
    (signed - counted).abs() <= GROUND_TOLERANCE * counted.max(signed)
}

/// Measures the ground inside by crossing number, in square steps.
fn counted_area(vertices: &[Vertex]) -> f64 {
    let lats = || vertices.iter().map(|vertex| vertex[1]);
    let (Some(south), Some(north)) = (lats().min(), lats().max()) else {
        return 0.0;
    };
    let height = f64::from(north - south) / f64::from(SCAN_LINES);
    let width_at = |row: i32| {
        let lat = f64::from(south) + height * (f64::from(row) + 0.5);
        let mut lons: Vec<f64> = vertices
            .windows(2)
            .filter_map(|pair| match pair {
                [a, b] => lon_at(*a, *b, lat),
                _ => None,
            })
            .collect();
        lons.sort_by(f64::total_cmp);
        lons.as_chunks::<2>().0.iter().map(|[west, east]| east - west).sum::<f64>()
    };
    (0..SCAN_LINES).map(width_at).sum::<f64>() * height
}

fn lon_at(a: Vertex, b: Vertex, lat: f64) -> Option<f64> {
    let (south, north) = if a[1] <= b[1] { (a, b) } else { (b, a) };
    let (low, high) = (f64::from(south[1]), f64::from(north[1]));
    (low <= lat && lat < high).then(|| {
        let share = (lat - low) / (high - low);
        f64::from(south[0]) + share * f64::from(north[0] - south[0])
    })
}

#[cfg(test)]
mod tests {
    use crate::geodata::refusal::Refusal;
    use crate::geodata::shape::{Position, check};

    fn ring(positions: &[[f64; 2]]) -> Vec<Vec<Vec<Position>>> {
        vec![vec![positions.iter().map(|position| Position(*position)).collect()]]
    }

    #[test]
    fn a_figure_of_eight_is_refused_and_a_slip_of_the_pen_is_not() {
        let eight = ring(&[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]);
        let slip = ring(&[
            [0.0, 0.0],
            [1.0, 0.0],
            [1.0, 1.0],
            [0.5, 1.0],
            [0.52, 0.99],
            [0.51, 1.01],
            [0.0, 1.0],
            [0.0, 0.0],
        ]);

        assert!(matches!(check(1, &eight), Err(Refusal::Crossing { ring: 1, .. })));
        assert!(check(1, &slip).is_ok());
    }

    #[test]
    fn what_is_smaller_than_the_grid_is_dropped() {
        let speck = [[0.0, 0.0], [0.000_01, 0.0], [0.000_01, 0.000_01], [0.0, 0.0]];
        let square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]];
        let mut both = ring(&square);
        both.extend(ring(&speck));

        assert_eq!(check(1, &both).unwrap().0.len(), 1);
        assert!(matches!(check(1, &ring(&speck)), Err(Refusal::Empty { feature: 1 })));
    }
}
