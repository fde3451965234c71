//! Puts imported packs in the place of the built-in shapes of their countries.
//!
//! What they supersede stays known by code and name: old reports carry it, and a sender may still declare it. Which
//! new areas share its ground is found by looking where points of the new areas lay before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use geo::{BoundingRect, MultiPolygon};

use crate::geo::areas::{Area, AreaId, Areas, Parcel};
use crate::geo::countries::CountryCode;
use crate::geo::lonlat::LonLat;
use crate::geo::packs::Pack;

/// Points along each side of an area's bounding box.
const PROBES_A_SIDE: u32 = 16;

/// An area shares the ground of another when so many of its probes, one in so many, lie there; fewer are differences
/// in drawing the same line.
const ONE_PROBE_IN: usize = 12;

/// New areas by the old one whose ground they share.
type Sharing = BTreeMap<AreaId, BTreeSet<AreaId>>;

impl Areas {
    /// Returns these areas with those of `packs`, all of one level, in the place of their countries' shapes.
    pub fn with_packs(&self, packs: Vec<Pack>) -> Areas {
        let mut parcel = Parcel::default();
        for pack in packs {
            parcel.sources.insert(pack.country, pack.source);
            let known = pack.areas.into_iter().map(|(area, shape)| (self.enrich(area), shape));
            parcel.drawn.extend(known);
        }
        let imported: BTreeSet<AreaId> =
            parcel.drawn.iter().map(|(area, _)| area.id.clone()).collect();
        let is_replaced = |country, parcel: &Parcel| parcel.sources.contains_key(&country);
        for (index, area) in self.list.iter().enumerate().take(self.n_current) {
            match self.shapes.get(index) {
                Some(shape) if !is_replaced(area.country, &parcel) => {
                    parcel.drawn.push((area.clone(), shape.clone()));
                }
                _ if imported.contains(&area.id) => {}
                Some(_) => parcel.superseded.push(area.clone()),
                None => parcel.undrawn.push(area.clone()),
            }
        }
        let mut merged = Areas::new(parcel);
        let sharing = self.find_sharing(&merged);
        merged.point_to_drawn(&sharing);
        merged
    }

    /// Adds what the built-in area of the same id knows: its other names and old codes.
    fn enrich(&self, mut area: Area) -> Area {
        let Some(known) = self.get(&area.id) else {
            return area;
        };
        let others = [&known.name_en, &known.name_fr].into_iter().chain(&known.aliases);
        for name in others {
            if *name != area.name_en && *name != area.name_fr && !area.aliases.contains(name) {
                area.aliases.push(name.clone());
            }
        }
        area
    }

    /// Finds in which of these areas the imported ones of `merged` lie.
    fn find_sharing(&self, merged: &Areas) -> Sharing {
        let mut sharing = Sharing::new();
        let imported =
            merged.polygons().filter(|(area, _)| merged.sources.contains_key(&area.country));
        for (area, shape) in imported {
            let inside: Vec<LonLat> = probes(shape)
                .filter(|point| {
                    merged.covering(*point, area.country).is_some_and(|found| found.id == area.id)
                })
                .collect();
            let mut n_by_old: HashMap<&AreaId, usize> = HashMap::new();
            for old in inside.iter().filter_map(|point| self.covering(*point, area.country)) {
                *n_by_old.entry(&old.id).or_default() += 1;
            }
            let shared = n_by_old.into_iter().filter(|(_, n)| n * ONE_PROBE_IN >= inside.len());
            for (old, _) in shared {
                sharing.entry(old.clone()).or_default().insert(area.id.clone());
            }
        }
        sharing
    }

    /// Lets every area without a shape name the drawn ones that share its ground.
    fn point_to_drawn(&mut self, sharing: &Sharing) {
        let replaced: BTreeSet<CountryCode> = self.sources.keys().copied().collect();
        let n_drawn = self.shapes.len();
        let undrawn =
            self.list.iter_mut().skip(n_drawn).filter(|area| replaced.contains(&area.country));
        for area in undrawn {
            let ground: Vec<AreaId> =
                if area.former.is_empty() { vec![area.id.clone()] } else { area.former.clone() };
            let now: BTreeSet<AreaId> =
                ground.iter().filter_map(|old| sharing.get(old)).flatten().cloned().collect();
            area.former = now.into_iter().collect();
        }
    }
}

/// Returns a grid of points over the bounding box.
pub(crate) fn probes(shape: &MultiPolygon) -> impl Iterator<Item = LonLat> + use<> {
    let bounds = shape.bounding_rect();
    bounds.into_iter().flat_map(|bounds| {
        let at = |step: u32| (f64::from(step) + 0.5) / f64::from(PROBES_A_SIDE);
        (0..PROBES_A_SIDE).flat_map(move |row| {
            (0..PROBES_A_SIDE).filter_map(move |column| {
                let lon = bounds.min().x + bounds.width() * at(column);
                LonLat::new(lon, bounds.min().y + bounds.height() * at(row)).ok()
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use chrono_tz::Africa;
    use geo::{MultiPolygon, Rect};

    use crate::geo::areas::{Area, AreaId, PackSource};
    use crate::geo::geotag::{Claim, Flag};
    use crate::geo::locate::Geo;
    use crate::geo::locate_tests::{at, code, geo};
    use crate::geo::packs::{Level, Pack, decode, encode};

    fn area(id: &str, name: &str, west: f64, south: f64) -> (Area, MultiPolygon) {
        let shape = Rect::new((west, south), (west + 1.6, south + 1.6)).to_polygon();
        let area = Area {
            id: AreaId::parse(id).unwrap(),
            country: code("SLE"),
            name_en: name.to_owned(),
            name_fr: name.to_owned(),
            aliases: Vec::new(),
            zone: Africa::Freetown,
            former: Vec::new(),
        };
        (area, shape.into())
    }

    /// Sierra Leone in four rectangles.
    fn pack(level: Level) -> Pack {
        Pack {
            level,
            country: code("SLE"),
            source: PackSource {
                name: "invented".into(),
                year: 2024,
                licence: "".into(),
                is_outdated: false,
            },
            areas: vec![
                area("SL-E", "Eastern", -11.7, 8.5),
                area("SLE-2", "Invented", -11.7, 6.9),
                area("SL-S", "Southern", -13.3, 6.9),
                area("SL-NW", "North Western", -13.3, 8.5),
            ],
        }
    }

    fn with_pack() -> Geo {
        geo().with_packs(vec![pack(Level::Admin1)])
    }

    /// The Northern province as it was before 2017, drawn in the built-in pack.
    fn old_north() -> &'static AreaId {
        let areas = geo().areas();
        &areas.get(&AreaId::parse("SL-NW").unwrap()).unwrap().former[0]
    }

    #[test]
    fn an_imported_pack_takes_the_place_of_its_country_alone() {
        let with = with_pack();

        let kenema = with.locate(at(7.88, -11.19));
        assert_eq!(kenema.admin1.unwrap().as_str(), "SLE-2");
        assert_eq!(kenema.source.to_string(), "invented 2024");
        let (kimberley, before) =
            (with.locate(at(-28.7282, 24.7623)), geo().locate(at(-28.7282, 24.7623)));
        assert_eq!(kimberley, before);
        assert_eq!(
            with.with_packs(Vec::new()).locate(at(7.88, -11.19)),
            geo().locate(at(7.88, -11.19))
        );
    }

    #[test]
    fn a_superseded_area_is_still_known_and_contradicts_nothing_on_its_ground() {
        let with = with_pack();
        let old = with.areas().get(old_north()).unwrap();
        let north_west = AreaId::parse("SL-NW").unwrap();

        assert!(old.former.contains(&north_west), "{old:?}");
        let mut claim =
            Claim { admin1: Some(old.id.clone()), point: Some(at(9.1, -12.0)), ..Claim::default() };
        assert!(!with.geotag(&claim).unwrap().flags.contains(&Flag::Admin1Mismatch));
        claim.point = Some(at(7.0, -11.5));
        assert!(with.geotag(&claim).unwrap().flags.contains(&Flag::Admin1Mismatch));
    }

    #[test]
    fn a_country_is_outdated_while_the_pack_leaves_a_current_area_out() {
        let with = with_pack();
        let north = with.areas().get(&AreaId::parse("SL-N").unwrap()).unwrap();

        assert!(with.areas().source(Some(code("SLE"))).is_outdated, "SL-N has no shape");
        assert!(!north.former.is_empty(), "and lies somewhere in those that have one");
        let by_name = with.areas().find_in_country(code("SLE"), "invented").unwrap();
        assert_eq!(by_name.id.as_str(), "SLE-2");
    }

    #[test]
    fn a_second_level_stands_beside_the_first() {
        let both = geo().with_packs(vec![pack(Level::Admin2)]);

        let kenema = both.geotag(&Claim { point: Some(at(7.88, -11.19)), ..Claim::default() });
        let kenema = kenema.unwrap();
        assert_eq!(kenema.admin1.as_ref().unwrap().as_str(), "SL-E");
        assert_eq!(kenema.admin2.as_ref().unwrap().as_str(), "SLE-2");
        let source = "Natural Earth 10m admin-1 2022; admin2: invented 2024";
        assert_eq!(kenema.boundary_source().as_deref(), Some(source));
        assert_eq!(both.locate(at(-28.7282, 24.7623)).admin2, None);
    }

    #[test]
    fn a_pack_is_kept_as_it_was_to_the_step() {
        let keep = |areas: &[(Area, MultiPolygon)]| decode(&encode(areas).unwrap()).unwrap();
        let kept = keep(&pack(Level::Admin1).areas);

        assert_eq!(kept.len(), 4);
        assert_eq!(keep(&kept), kept);
    }
}
