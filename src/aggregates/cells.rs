//! H3 cell numbers as bits: reading, writing and coarsening them needs no geometry.
//!
//! # Source
//! H3 index layout, <https://h3geo.org/docs/core-library/h3Indexing>: one zero bit, 4 bits mode (1 = cell),
//! 3 zero bits, 4 bits resolution, 7 bits base cell (0..=121), then 15 digits of 3 bits, 7 where unused.

const RESOLUTION_SHIFT: u32 = 52;
const RESOLUTION_MASK: u64 = 0xF << RESOLUTION_SHIFT;
/// The bits above the resolution: zero, mode 1, three zeros.
const CELL_HEADER: u64 = 0b0000_1000;
const HEADER_SHIFT: u32 = 56;
const BASE_CELL_SHIFT: u32 = 45;
const LAST_BASE_CELL: u64 = 121;
const FINEST: u8 = 15;
const UNUSED_DIGIT: u64 = 7;

/// Returns the resolution of a cell, 0 to 15.
pub fn resolution_of(cell: u64) -> u8 {
    ((cell & RESOLUTION_MASK) >> RESOLUTION_SHIFT).to_le_bytes()[0]
}

/// Returns the cell at `resolution` that contains `cell`, or `None` when `cell` is coarser than that.
///
/// # Examples
/// Koidu, 8.644 north 10.971 west, lies in `8775b4463ffffff`, whose parent at resolution 5 is `8575b447fffffff`.
pub fn parent_at(cell: u64, resolution: u8) -> Option<u64> {
    if resolution > resolution_of(cell) {
        return None;
    }
    let unused_digits = (1_u64 << (3 * u32::from(FINEST - resolution))) - 1;
    Some((cell & !RESOLUTION_MASK) | (u64::from(resolution) << RESOLUTION_SHIFT) | unused_digits)
}

/// Reads a cell written as 15 hexadecimal digits.
///
/// # Errors
/// `None` when it is not such a number, or the number is not a cell.
pub fn parse(text: &str) -> Option<u64> {
    let is_hex = text.len() == 15 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let cell = u64::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
    is_cell(cell).then_some(cell)
}

/// Writes a cell as 15 lower-case hexadecimal digits.
pub fn format(cell: u64) -> String {
    format!("{cell:015x}")
}

fn is_cell(cell: u64) -> bool {
    let base_cell = (cell >> BASE_CELL_SHIFT) & 0x7F;
    cell >> HEADER_SHIFT == CELL_HEADER && base_cell <= LAST_BASE_CELL && digits_fit(cell)
}

fn digits_fit(cell: u64) -> bool {
    let resolution = resolution_of(cell);
    (1..=FINEST).all(|level| {
        let digit = (cell >> (3 * u32::from(FINEST - level))) & 7;
        (digit == UNUSED_DIGIT) == (level > resolution)
    })
}

#[cfg(test)]
mod tests {
    use h3o::{CellIndex, LatLng, Resolution};

    use crate::aggregates::cells::{format, parent_at, parse, resolution_of};

    #[test]
    fn parents_are_those_of_the_reference_library() {
        for (lat_deg, lon_deg) in
            [(8.644, -10.971), (-6.136, 23.5898), (-29.003, 28.862), (4.92, 14.56)]
        {
            let cell = LatLng::new(lat_deg, lon_deg).unwrap().to_cell(Resolution::Seven);

            for resolution in 0..=7_u8 {
                let expected = cell.parent(Resolution::try_from(resolution).unwrap()).unwrap();
                assert_eq!(parent_at(u64::from(cell), resolution), Some(u64::from(expected)));
            }
        }
    }

    #[test]
    fn the_documented_example_holds() {
        let koidu = LatLng::new(8.644, -10.971).unwrap();

        assert_eq!(koidu.to_cell(Resolution::Seven).to_string(), "8775b4463ffffff");
        assert_eq!(
            format(parent_at(parse("8775b4463ffffff").unwrap(), 5).unwrap()),
            "8575b447fffffff"
        );
    }

    #[test]
    fn a_coarse_cell_has_no_finer_parent() {
        let cell = parse("85754e67fffffff").unwrap();

        assert_eq!(parent_at(cell, 6), None);
        assert_eq!(parent_at(cell, 5), Some(cell));
    }

    #[test]
    fn cells_are_written_as_they_are_read() {
        let text = "8a2a1072b59ffff"; // The example of the H3 documentation.
        let cell = parse(text).unwrap();

        assert_eq!(format(cell), text);
        assert_eq!(resolution_of(cell), 10);
    }

    #[test]
    fn only_cells_are_read() {
        for wrong in [
            "",
            "85754e67ffffff",
            "085754e67fffffff",
            "+5754e67fffffff",
            "85754e67ffffffg",
            "115754e67fffffff",
            "85754e60fffffff",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert!(CellIndex::try_from(parse("85754e67fffffff").unwrap()).is_ok());
    }
}
