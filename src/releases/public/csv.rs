//! Public figures as CSV, with the row of HXL tags where that is asked for.

use csv::{Terminator, WriterBuilder};

use crate::aggregates::csv::ByteOrderMark;
use crate::error::{Error, Result};
use crate::releases::public::answer::{Cell, Figure};
use crate::releases::public::ask::By;

/// Whether the second line says in HXL what the columns are.
///
/// # Source
/// HXL 1.1, <https://hxlstandard.org/standard/1-1final/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tags {
    /// `hxl=true`.
    Written,
    /// Not.
    Omitted,
}

/// A column: its name and its tag.
type Column = (&'static str, &'static str);

const INCIDENTS: Column = ("incidents", "#event+num");
/// Whether the figure is all there is, or other incidents are told coarser or not at all.
const COMPLETE: Column = ("complete", "#meta+complete");

fn column(by: By) -> Column {
    let tag = match by {
        By::Country => "#country+code+v_iso3",
        By::Admin1 => "#adm1+code",
        By::Theme => "#event+theme",
        By::Category => "#event+type",
        By::Year => "#date+year",
        By::Quarter => "#meta+quarter",
        By::Month => "#date+month",
    };
    (by.as_str(), tag)
}

/// The columns of countries, as humanitarian data exchange has them.
const COUNTRY_COLUMNS: [Column; 6] = [
    ("country_name", "#country+name"),
    ("country", "#country+code+v_iso3"),
    ("from", "#date+start"),
    ("until", "#date+end"),
    INCIDENTS,
    COMPLETE,
];

/// Writes cells, one a line; what may not be told is empty.
///
/// # Errors
/// Never in practice: it writes to memory.
pub fn write_cells(by: &[By], cells: &[Cell], style: (ByteOrderMark, Tags)) -> Result<Vec<u8>> {
    let columns: Vec<Column> =
        by.iter().copied().map(column).chain([INCIDENTS, COMPLETE]).collect();
    let rows = cells.iter().map(|cell| {
        let keys = cell.keys.iter().map(|key| key.clone().unwrap_or_default());
        keys.chain(told(cell.figure)).collect()
    });
    write(&columns, rows, style)
}

/// Writes countries with name, code, first and last month and figure.
///
/// # Errors
/// As [`write_cells`].
pub fn write_countries(
    countries: impl Iterator<Item = (String, String, Figure)>,
    (from, until): (String, String),
    style: (ByteOrderMark, Tags),
) -> Result<Vec<u8>> {
    let rows = countries.map(|(code, name, figure)| {
        [name, code, from.clone(), until.clone()].into_iter().chain(told(figure)).collect()
    });
    write(&COUNTRY_COLUMNS, rows, style)
}

/// Returns a figure as it stands in its two columns.
fn told(figure: Figure) -> [String; 2] {
    let incidents = figure.incidents.map(|incidents| incidents.to_string());
    [incidents.unwrap_or_default(), figure.is_complete.to_string()]
}

fn write(
    columns: &[Column],
    rows: impl Iterator<Item = Vec<String>>,
    (mark, tags): (ByteOrderMark, Tags),
) -> Result<Vec<u8>> {
    let start = if mark == ByteOrderMark::Written { "\u{feff}" } else { "" };
    let mut csv =
        WriterBuilder::new().terminator(Terminator::CRLF).from_writer(start.as_bytes().to_vec());
    csv.write_record(columns.iter().map(|(name, _)| name)).map_err(Error::internal)?;
    if tags == Tags::Written {
        csv.write_record(columns.iter().map(|(_, tag)| tag)).map_err(Error::internal)?;
    }
    for row in rows {
        csv.write_record(row).map_err(Error::internal)?;
    }
    csv.into_inner().map_err(|error| Error::internal(error.to_string()))
}
