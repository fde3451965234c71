//! The same aggregate as CSV, for spreadsheets and statistics programs.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};

use crate::aggregates::answer::{Aggregate, Figures};
use crate::aggregates::country::CountryView;
use crate::error::Result;
use crate::http::query::{self, Pairs};
use crate::incidents::facts::Measure;

/// The byte order mark Excel needs to read UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Whether a file starts with a byte order mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrderMark {
    /// For spreadsheets, the default.
    Written,
    /// For tools, `bom=0`.
    Omitted,
}

impl ByteOrderMark {
    /// Takes `bom` out of `pairs`.
    ///
    /// # Errors
    /// `InvalidParameter`.
    pub fn take(pairs: &mut Pairs) -> Result<Self> {
        match pairs.take_one("bom")?.as_deref() {
            None | Some("1") => Ok(Self::Written),
            Some("0") => Ok(Self::Omitted),
            Some(_) => Err(query::invalid("bom", "bom is 0 or 1", "bom est 0 ou 1")),
        }
    }
}

/// Writes an aggregate as CSV.
///
/// # Shape
/// UTF-8, comma, CRLF. Columns: `row` (`cell`, or `total` on the last line), one for every name of `by`,
/// `incidents`, `reports`, then `<measure>_min`, `_max`, `_stated`. Null is empty.
///
/// # Errors
/// Whatever `out` fails with.
pub fn write_csv(aggregate: &Aggregate, mark: ByteOrderMark, out: impl Write) -> io::Result<()> {
    let mut csv = begin(mark, out)?;
    csv.write_record(list_columns("row", aggregate.by.iter().map(|by| by.as_str())))?;
    for cell in &aggregate.cells {
        let keys = cell.keys.0.iter().map(|(_, key)| key.as_deref().unwrap_or_default());
        csv.write_record(list_fields("cell", keys, &cell.figures))?;
    }
    let no_keys = aggregate.by.iter().map(|_| "");
    csv.write_record(list_fields("total", no_keys, &aggregate.total))?;
    csv.flush()
}

/// Writes a country view as CSV: every section below the other.
///
/// # Shape
/// As [`write_csv`], with the columns `section` (`total`, `theme`, `category`, `month`, `admin1`, `status`, `hot_cell`,
/// `site`, `previous_total`) and `key` in front.
///
/// # Errors
/// Whatever `out` fails with.
pub fn write_country_csv(
    view: &CountryView,
    mark: ByteOrderMark,
    out: impl Write,
) -> io::Result<()> {
    let mut csv = begin(mark, out)?;
    csv.write_record(list_columns("section", ["key"].into_iter()))?;
    let key = [view.country.as_str()];
    csv.write_record(list_fields("total", key.into_iter(), &view.total))?;
    let no_sites = Vec::new();
    let sections = [
        ("theme", &view.themes),
        ("category", &view.categories),
        ("month", &view.months),
        ("admin1", &view.admin1),
        ("status", &view.status),
        ("hot_cell", &view.hot_cells),
        ("site", view.sites.as_ref().unwrap_or(&no_sites)),
    ];
    for (section, cells) in sections {
        for cell in cells {
            let keys = cell.keys.0.iter().map(|(_, key)| key.as_deref().unwrap_or_default());
            csv.write_record(list_fields(section, keys, &cell.figures))?;
        }
    }
    if let Some(change) = &view.change {
        let period = format!("{}/{}", change.from, change.to);
        let keys = [period.as_str()];
        csv.write_record(list_fields("previous_total", keys.into_iter(), &change.previous))?;
    }
    csv.flush()
}

fn begin<W: Write>(mark: ByteOrderMark, mut out: W) -> io::Result<csv::Writer<W>> {
    if mark == ByteOrderMark::Written {
        out.write_all(BYTE_ORDER_MARK)?;
    }
    Ok(WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out))
}

fn list_columns<'n>(first: &str, names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut columns = vec![first.to_owned()];
    columns.extend(names.map(str::to_owned));
    columns.extend(["incidents".to_owned(), "reports".to_owned()]);
    let measures = Measure::ALL.into_iter().map(Measure::as_str);
    columns.extend(
        measures
            .flat_map(|measure| ["min", "max", "stated"].map(|part| format!("{measure}_{part}"))),
    );
    columns
}

fn list_fields<'k>(
    row: &str,
    keys: impl Iterator<Item = &'k str>,
    figures: &Figures,
) -> Vec<String> {
    let mut fields = vec![row.to_owned()];
    fields.extend(keys.map(|key| disarm(key).into_owned()));
    fields.extend([figures.incidents.to_string(), figures.reports.to_string()]);
    for figure in figures.harm.list() {
        let parts = figure
            .map(|figure| [figure.min, figure.max, figure.stated].map(|part| part.to_string()));
        fields.extend(parts.unwrap_or_default());
    }
    fields
}

/// Prefixes text a spreadsheet would run as a formula, also behind blanks and in the wide letters of East Asia.
///
/// # Source
/// OWASP, CSV Injection, <https://owasp.org/www-community/attacks/CSV_Injection>.
pub fn disarm(text: &str) -> Cow<'_, str> {
    let is_unseen = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{FEFF}' | '\u{200B}'..='\u{200F}' | '\u{2060}')
    };
    let is_run = |c: char| {
        matches!(c, '=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠' | '｜' | '％')
    };
    let shown = text.trim_start_matches(is_unseen);
    if text.starts_with(['\t', '\r', '\n']) || shown.starts_with(is_run) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use crate::aggregates::csv::{ByteOrderMark, disarm, write_csv};
    use crate::aggregates::fixture::{ask, march};

    fn csv_of(query: &str, by: &str, mark: ByteOrderMark) -> String {
        let mut bytes = Vec::new();
        write_csv(&ask(&march(), query, by), mark, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_file_holds_the_cells_and_the_total() {
        let csv = csv_of("from=2024-03&to=2024-03&region=west", "country", ByteOrderMark::Omitted);

        let lines: Vec<&str> = csv.split("\r\n").collect();
        assert!(lines[0].starts_with(
            "row,country,incidents,reports,killed_min,killed_max,killed_stated,injured_min,"
        ));
        assert!(lines[0].ends_with(",affected_total_min,affected_total_max,affected_total_stated"));
        assert_eq!(lines[1], "cell,SLE,2,2,2,2,1,,,,,,,,,,,,,,,,,,");
        assert_eq!(lines[2], "cell,LBR,0,0,,,,,,,,,,,,,,,,,,,,,");
        assert_eq!(lines[5], "total,,3,3,2,2,1,,,,,,,,,,,,,,,,,,");
        assert_eq!(lines[6..], [""]);
    }

    #[test]
    fn the_byte_order_mark_is_three_bytes() {
        let marked = csv_of("", "", ByteOrderMark::Written);

        assert_eq!(
            marked.strip_prefix('\u{feff}').unwrap(),
            csv_of("", "", ByteOrderMark::Omitted)
        );
    }

    #[test]
    fn text_like_a_formula_is_disarmed() {
        assert_eq!(disarm("=1+1"), "'=1+1");
        assert_eq!(disarm("@SUM(1)"), "'@SUM(1)");
        assert_eq!(disarm(" \u{feff}+1"), "' \u{feff}+1");
        assert_eq!(disarm("＝1"), "'＝1");
        assert_eq!(disarm("\rx"), "'\rx");
        assert_eq!(disarm("SL-E"), "SL-E");
    }
}
