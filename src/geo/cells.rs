//! H3 cells: the grid on which places are grouped, and the generalised place.
//!
//! Two sizes are in use. Resolution 7 (about 5 km²) is for those who may see the exact point,
//! resolution 5 (about 250 km²) for everybody else. The cell 5 of a point is the *parent of its
//! cell 7*, so that the small cells of one big cell always add up; within some hundred metres of an
//! edge that is not the big hexagon the point lies in.
//!
//! # Source
//! H3 by Uber (Apache-2.0), through the crate `h3o`; mean areas 5.16 km² and 252.9 km²: h3geo.org,
//! *Tables of cell statistics*.

use std::fmt;
use std::str::FromStr;

use h3o::{CellIndex, LatLng, Resolution};

use crate::geo::lonlat::LonLat;

/// One H3 cell. Its text is 15 lower-case hexadecimal digits, such as `877556d84ffffff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell(CellIndex);

impl Cell {
    /// Returns the cell of resolution 7 that holds the point.
    pub fn at_resolution_7(point: LonLat) -> Option<Cell> {
        let position = LatLng::new(point.lat(), point.lon()).ok()?;
        Some(Cell(position.to_cell(Resolution::Seven)))
    }

    /// Reads a cell as this module or any H3 library writes it, in any case.
    pub fn parse(text: &str) -> Option<Cell> {
        CellIndex::from_str(text).ok().map(Cell)
    }

    /// Returns the index as the 64-bit number of the H3 library.
    pub fn index(self) -> u64 {
        self.0.into()
    }

    /// Returns the resolution, 0 to 15.
    pub fn resolution(self) -> u8 {
        self.0.resolution().into()
    }

    /// Returns the enclosing cell at a coarser resolution, or the cell itself at its own.
    ///
    /// `None` when `resolution` is finer than the cell or beyond 15.
    pub fn parent(self, resolution: u8) -> Option<Cell> {
        let resolution = Resolution::try_from(resolution).ok()?;
        self.0.parent(resolution).map(Cell)
    }

    /// Returns the cell and those that touch it, seven of them but at the twelve pentagons.
    pub fn with_neighbours(self) -> Vec<Cell> {
        self.0.grid_disk::<Vec<_>>(1).into_iter().map(Cell).collect()
    }

    /// Returns the centre of the cell.
    pub fn centre(self) -> Option<LonLat> {
        let centre = LatLng::from(self.0);
        LonLat::new(centre.lng(), centre.lat()).ok()
    }

    /// Returns the centre, or where `is_inside` says no, the nearest centre of a smaller cell that
    /// is inside.
    ///
    /// The smaller cells are tried at resolution 7, then 8, then 9, nearest first; if none is
    /// inside, the centre stays. The same cell and area always give the same point.
    pub(crate) fn centre_inside(self, is_inside: impl Fn(LonLat) -> bool) -> Option<LonLat> {
        let centre = self.centre()?;
        if is_inside(centre) {
            return Some(centre);
        }
        let moved = [Resolution::Seven, Resolution::Eight, Resolution::Nine].into_iter().find_map(
            |resolution| {
                self.child_centres(resolution, centre).into_iter().find(|point| is_inside(*point))
            },
        );
        Some(moved.unwrap_or(centre))
    }

    /// Lists the centres of the smaller cells, nearest to `centre` first; equal distances keep the
    /// order of H3.
    fn child_centres(self, resolution: Resolution, centre: LonLat) -> Vec<LonLat> {
        let mut centres: Vec<(f64, LonLat)> = self
            .0
            .children(resolution)
            .filter_map(|child| Cell(child).centre())
            .map(|point| (centre.distance_m(point), point))
            .collect();
        centres.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        centres.into_iter().map(|(_, point)| point).collect()
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use crate::geo::cells::Cell;
    use crate::geo::lonlat::LonLat;

    fn koidu() -> Cell {
        Cell::at_resolution_7(LonLat::new(-10.9714, 8.6439).unwrap()).unwrap()
    }

    #[test]
    fn a_cell_is_written_and_read_back() {
        let text = koidu().to_string();

        assert_eq!(text.len(), 15);
        assert_eq!(Cell::parse(&text), Some(koidu()));
        assert_eq!(Cell::parse(&text.to_uppercase()), Some(koidu()));
        for wrong in ["", "x", "877556d84fffff", "0", "ffffffffffffffff"] {
            assert_eq!(Cell::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_parent_is_coarser() {
        let big = koidu().parent(5).unwrap();

        assert_eq!((koidu().resolution(), big.resolution()), (7, 5));
        assert_eq!(koidu().parent(7), Some(koidu()));
        assert_eq!(koidu().parent(8), None);
        assert_eq!(koidu().parent(16), None);
    }

    #[test]
    fn cells_that_touch_each_other_do_so_both_ways_round() {
        let cell = koidu().parent(5).unwrap();
        let near = cell.with_neighbours();

        assert_eq!(near.len(), 7);
        assert!(near.contains(&cell));
        assert!(near.iter().all(|other| other.with_neighbours().contains(&cell)));
    }

    #[test]
    fn a_centre_outside_moves_to_the_nearest_inside_and_always_the_same() {
        let cell = koidu().parent(5).unwrap();
        let centre = cell.centre().unwrap();
        let is_south = |point: LonLat| point.lat() < centre.lat() - 0.01;

        let moved = cell.centre_inside(is_south).unwrap();

        assert!(is_south(moved));
        assert!(moved.distance_m(centre) < 4_000.0);
        assert_eq!(cell.centre_inside(is_south), Some(moved));
        assert_eq!(cell.centre_inside(|_| false), Some(centre));
    }
}
