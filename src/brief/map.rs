//! The map of a brief: areas shaded by what was counted in them, and a circle at each generalised place.

use crate::brief::charts::{Chart, begin};
use crate::brief::drawing::{Colour, Drawing, GREY, INK, Shape, Spot, text};
use crate::brief::font::wrap;

/// Shades from few to many.
const SHADES: [Colour; 5] = [
    Colour(0xdc, 0xe9, 0xf2),
    Colour(0xb3, 0xd0, 0xe4),
    Colour(0x83, 0xb2, 0xd2),
    Colour(0x4f, 0x8f, 0xbb),
    Colour(0x27, 0x6a, 0x9b),
];
/// Ground of areas without an incident.
const NONE: Colour = Colour(0xe6, 0xea, 0xed);
/// Ground of areas whose number is not told: of no shade of the scale.
const UNTOLD: Colour = Colour(0xe3, 0xd5, 0xb8);
const CIRCLE: Colour = Colour(0xc4, 0x4e, 0x1a);
/// Radius of the largest circle.
const LARGEST: f32 = 13.0;
const SMALLEST: f32 = 2.4;
/// Width of the column beside the map.
const LEGEND: f32 = 124.0;
const KM_PER_DEGREE: f64 = 111.32;

/// A point as degrees east and north.
pub type LonLatDegrees = (f64, f64);

/// What a map shows.
pub struct Map {
    /// Title, words for those who cannot see it, and what stands where nothing is on it.
    pub chart: Chart,
    /// The areas of the country.
    pub areas: Vec<MapArea>,
    /// Generalised places and how many incidents each has.
    pub places: Vec<(LonLatDegrees, u64)>,
    /// Words under the scale of shades and of circles.
    pub words: MapWords,
}

/// An area and its count.
pub struct MapArea {
    /// Its name.
    pub name: String,
    /// Rings of its polygons, holes among them.
    pub polygons: Vec<Vec<Vec<LonLatDegrees>>>,
    /// How many incidents; `None` where that is not told.
    pub incidents: Option<u64>,
}

/// The words of a map's legend.
pub struct MapWords {
    /// What shades mean.
    pub shades: String,
    /// What circles mean.
    pub circles: String,
    /// What stands beside the ground of an area with none.
    pub none: String,
    /// What stands beside the ground of areas whose number is not told, where there may be such.
    pub untold: Option<String>,
}

/// Draws it, as high as the country asks for, at most `tallest`.
pub fn draw_map(map: &Map, width: f32, tallest: f32) -> Drawing {
    let Some(frame) = Frame::around(map, (width - LEGEND - 8.0, tallest - 34.0)) else {
        return begin(&map.chart, width, 60.0);
    };
    let mut drawing = begin(&map.chart, width, frame.height + 34.0);
    let classes = Classes::of(map.areas.iter().filter_map(|area| area.incidents));
    for area in &map.areas {
        let fill = area.incidents.map_or(UNTOLD, |incidents| classes.shade(incidents));
        for polygon in &area.polygons {
            let rings = polygon.iter().map(|ring| frame.ring(ring)).filter(|ring| ring.len() > 2);
            let rings: Vec<Vec<Spot>> = rings.collect();
            if !rings.is_empty() {
                drawing.shapes.push(Shape::Area { rings, fill });
            }
        }
    }
    let most = map.places.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let mut places = map.places.clone();
    // Small circles lie on large ones.
    places.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (place, count) in places {
        drawing.shapes.push(Shape::Circle {
            centre: frame.spot(place),
            radius: radius(count, most),
            fill: CIRCLE,
        });
    }
    frame.draw_scale(&mut drawing);
    draw_legend(&mut drawing, map, &classes, most, width - LEGEND);
    drawing
}

fn radius(count: u64, most: u64) -> f32 {
    (LARGEST * (count as f32 / most.max(1) as f32).sqrt()).max(SMALLEST)
}

/// Where degrees lie on the picture: equal scale east and north at the middle latitude.
struct Frame {
    west: f64,
    north: f64,
    /// Points a degree north.
    scale: f64,
    /// How much shorter a degree east is.
    narrowing: f64,
    width: f32,
    height: f32,
}

impl Frame {
    fn around(map: &Map, (width, tallest): Spot) -> Option<Self> {
        let spots = map.areas.iter().flat_map(|area| area.polygons.iter().flatten().flatten());
        let (mut low, mut high) = ((f64::MAX, f64::MAX), (f64::MIN, f64::MIN));
        for (lon, lat) in spots.chain(map.places.iter().map(|(place, _)| place)) {
            low = (low.0.min(*lon), low.1.min(*lat));
            high = (high.0.max(*lon), high.1.max(*lat));
        }
        if low.0 >= high.0 || low.1 >= high.1 {
            return None;
        }
        let narrowing = f64::midpoint(low.1, high.1).to_radians().cos();
        let across = f64::from(width) / ((high.0 - low.0) * narrowing);
        let along = f64::from(tallest) / (high.1 - low.1);
        let scale = across.min(along);
        Some(Self {
            west: low.0,
            north: high.1,
            scale,
            narrowing,
            width: ((high.0 - low.0) * narrowing * scale) as f32,
            height: ((high.1 - low.1) * scale) as f32,
        })
    }

    fn spot(&self, (lon, lat): LonLatDegrees) -> Spot {
        let east = (lon - self.west) * self.narrowing * self.scale;
        let south = (self.north - lat) * self.scale;
        (4.0 + east as f32, 28.0 + south as f32)
    }

    /// Returns a ring on the picture, without the points that lie within half a point of the one before.
    fn ring(&self, ring: &[LonLatDegrees]) -> Vec<Spot> {
        let mut spots: Vec<Spot> = Vec::new();
        for spot in ring.iter().map(|place| self.spot(*place)) {
            let is_near = spots
                .last()
                .is_some_and(|last| (last.0 - spot.0).abs() + (last.1 - spot.1).abs() < 0.5);
            if !is_near {
                spots.push(spot);
            }
        }
        spots
    }

    /// Draws a bar of a round number of kilometres, at most a third as wide as the map.
    fn draw_scale(&self, drawing: &mut Drawing) {
        let points_per_km = self.scale / KM_PER_DEGREE;
        let longest = f64::from(self.width) / 3.0 / points_per_km;
        let lengths = [500.0, 200.0, 100.0, 50.0, 20.0, 10.0, 5.0];
        let Some(km) = lengths.into_iter().find(|km| *km <= longest) else { return };
        let length = (km * points_per_km) as f32;
        let (x, y) = (drawing.width - LEGEND, drawing.height - 8.0);
        drawing.line((x, y), (x + length, y), INK, 1.2);
        drawing.write(text((x, y - 4.0), format!("{km} km")).size(7.5).colour(GREY));
    }
}

/// Classes of counts: from 1 up, at most as many as there are shades.
struct Classes {
    /// The least of each class, ascending; the last has no end.
    least: Vec<u64>,
    most: u64,
}

impl Classes {
    fn of(counts: impl Iterator<Item = u64>) -> Self {
        let most = counts.max().unwrap_or(0);
        let step = most.div_ceil(SHADES.len() as u64).max(1);
        let least = (0..SHADES.len() as u64).map(|nth| 1 + nth * step);
        Self { least: least.take_while(|least| *least <= most).collect(), most }
    }

    fn shade(&self, count: u64) -> Colour {
        let class = self.least.iter().rposition(|least| *least <= count);
        class.and_then(|class| SHADES.get(class)).copied().unwrap_or(NONE)
    }

    fn label(&self, class: usize) -> String {
        let least = self.least.get(class).copied().unwrap_or(0);
        let end = self.least.get(class + 1).map_or(self.most, |next| next - 1);
        if least == end { least.to_string() } else { format!("{least}–{end}") }
    }
}

fn draw_legend(drawing: &mut Drawing, map: &Map, classes: &Classes, most: u64, left: f32) {
    let mut y = 36.0;
    heading(drawing, (left, y), &map.words.shades);
    y += 8.0;
    let none = (NONE, map.words.none.clone());
    let shades = (0..classes.least.len())
        .filter_map(|class| Some((*SHADES.get(class)?, classes.label(class))));
    let untold = map.words.untold.clone().map(|label| (UNTOLD, label));
    for (shade, label) in std::iter::once(none).chain(shades).chain(untold) {
        drawing.rect((left, y), (14.0, 9.0), shade);
        drawing.write(text((left + 19.0, y + 7.8), label).colour(GREY));
        y += 13.0;
    }
    if most == 0 {
        return;
    }
    y += 12.0;
    heading(drawing, (left, y), &map.words.circles);
    y += 6.0;
    let mut samples = vec![1, most.div_ceil(4), most];
    samples.dedup();
    for count in samples {
        let radius = radius(count, most);
        y += radius + 2.0;
        drawing.shapes.push(Shape::Circle { centre: (left + LARGEST, y), radius, fill: CIRCLE });
        let at = (left + 2.0 * LARGEST + 6.0, y + 3.0);
        drawing.write(text(at, count.to_string()).colour(GREY));
        y += radius + 3.0;
    }
}

fn heading(drawing: &mut Drawing, at: Spot, words: &str) {
    let mut y = at.1;
    for line in wrap(words, 7.5, true, LEGEND) {
        drawing.write(text((at.0, y), line).size(7.5).bold());
        y += 9.0;
    }
}
