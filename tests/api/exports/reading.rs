//! Reads back what was exported, in every format, into the same words.

use std::collections::BTreeMap;
use std::io::Read;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use chrono::NaiveDate;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::harness::Answer;

/// A row by the names of its columns; nothing is the empty text, and numbers are written shortest.
pub(crate) type Row = BTreeMap<String, String>;

pub(crate) const FORMATS: [&str; 5] = ["csv", "xlsx", "geojson", "ndjson", "parquet"];

/// The rows of a file; header and tags are left out.
pub(crate) fn rows(format: &str, answer: &Answer) -> Vec<Row> {
    match format {
        "csv" => of_csv(&answer.body),
        "xlsx" => of_xlsx(&answer.body),
        "geojson" => of_geojson(answer),
        "ndjson" => {
            let lines = answer.text();
            lines
                .lines()
                .map(|line| of_object(&serde_json::from_str(line).expect("JSON")))
                .collect()
        }
        "parquet" => of_parquet(answer.body.clone()),
        other => panic!("{other}"),
    }
}

fn number(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if text.contains('.') => number.to_string(),
        _ => text.to_owned(),
    }
}

pub(crate) fn of_csv(bytes: &[u8]) -> Vec<Row> {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let header = text.split(|byte| *byte == b'\n').next().expect("a header");
    let delimiter = if header.contains(&b';') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text);
    let names = reader.headers().expect("a header").clone();
    let of_record = |record: csv::StringRecord| {
        names.iter().zip(&record).map(|(name, cell)| (name.to_owned(), number(cell))).collect()
    };
    reader.records().map(|record| of_record(record.expect("a record"))).collect()
}

fn of_object(object: &Value) -> Row {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => number(&other.to_string()),
    };
    let object = object.as_object().expect("an object");
    object.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

fn of_geojson(answer: &Answer) -> Vec<Row> {
    let file = answer.json();
    let features = file["features"].as_array().expect("features");
    assert_eq!(file["rows"], features.len(), "the last member tells the rows");
    let row = |feature: &Value| {
        let row = of_object(&feature["properties"]);
        let point = &feature["geometry"]["coordinates"];
        let told =
            |at: usize| point[at].as_f64().map_or(String::new(), |degrees| degrees.to_string());
        assert_eq!((&told(0), &told(1)), (&row["longitude"], &row["latitude"]));
        assert_eq!(feature["id"], row["id"]);
        row
    };
    features.iter().map(row).collect()
}

fn of_parquet(bytes: Vec<u8>) -> Vec<Row> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(actix_web::web::Bytes::from(bytes));
    let reader = reader.expect("a footer").build().expect("a reader");
    reader.flat_map(|batch| of_batch(&batch.expect("a batch"))).collect()
}

fn of_batch(batch: &RecordBatch) -> Vec<Row> {
    let cell = |column: &dyn Array, at: usize| {
        if column.is_null(at) {
            return String::new();
        }
        match column.data_type() {
            DataType::Utf8 => column.as_string::<i32>().value(at).to_owned(),
            DataType::Int64 => column.as_primitive::<Int64Type>().value(at).to_string(),
            DataType::Float64 => column.as_primitive::<Float64Type>().value(at).to_string(),
            DataType::Boolean => column.as_boolean().value(at).to_string(),
            DataType::Date32 => {
                let days = column.as_primitive::<Date32Type>().value(at);
                (NaiveDate::default() + chrono::Duration::days(days.into())).to_string()
            }
            other => panic!("{other}"),
        }
    };
    let row = |at| {
        let names =
            batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        names
            .into_iter()
            .zip(batch.columns())
            .map(|(name, column)| (name, cell(column, at)))
            .collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

/// The entries of an archive, by its central directory.
pub(crate) fn unzip(file: &[u8]) -> BTreeMap<String, String> {
    let word = |at: usize| usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
    let long = |at: usize| word(at) + (word(at + 2) << 16);
    let end = file.len() - 22;
    assert_eq!(file[end..end + 4], *b"PK\x05\x06", "an archive ends with its directory");
    let mut entries = BTreeMap::new();
    let mut at = long(end + 16);
    for _ in 0..word(end + 10) {
        let (packed, size, local) = (long(at + 20), long(at + 24), long(at + 42));
        let name =
            String::from_utf8(file[at + 46..at + 46 + word(at + 28)].to_vec()).expect("a name");
        let start = local + 30 + word(local + 26) + word(local + 28);
        let mut text = String::new();
        let mut unpacked = flate2::read::DeflateDecoder::new(&file[start..start + packed]);
        unpacked.read_to_string(&mut text).expect("a text");
        assert_eq!(text.len(), size);
        let mut sum = crc32fast::Hasher::new();
        sum.update(text.as_bytes());
        assert_eq!(usize::try_from(sum.finalize()).expect("64 bits"), long(at + 16), "{name}");
        entries.insert(name, text);
        at += 46 + word(at + 28) + word(at + 30) + word(at + 32);
    }
    entries
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// What stands between `start` and `end`, each time.
fn between<'t>(text: &'t str, start: &str, end: &str) -> Vec<&'t str> {
    text.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

/// The lines of the sheet, cells by the letters of their columns.
pub(crate) fn sheet(file: &[u8]) -> Vec<BTreeMap<String, String>> {
    let entries = unzip(file);
    let shared = between(&entries["xl/sharedStrings.xml"], "<t xml:space=\"preserve\">", "</t>");
    let sheet = &entries["xl/worksheets/sheet1.xml"];
    assert!(!sheet.contains("<f>") && sheet.contains("state=\"frozen\""));
    let day = NaiveDate::from_ymd_opt(1899, 12, 30).expect("a day");
    let cell = |cell: &str| {
        let (attributes, content) = cell.split_once('>').expect("a cell");
        let letters = attributes.chars().take_while(char::is_ascii_uppercase).collect::<String>();
        let value = between(content, "<v>", "</v>").first().copied().unwrap_or_default();
        let text = if attributes.contains("t=\"s\"") {
            unescape(shared[value.parse::<usize>().expect("a number")])
        } else if attributes.contains("t=\"inlineStr\"") {
            unescape(between(content, "<t xml:space=\"preserve\">", "</t>")[0])
        } else if attributes.contains("t=\"b\"") {
            (value == "1").to_string()
        } else if attributes.contains("s=\"2\"") {
            (day + chrono::Duration::days(value.parse().expect("a day"))).to_string()
        } else {
            number(value)
        };
        (letters, text)
    };
    let line = |line: &str| between(line, "<c r=\"", "</c>").into_iter().map(cell).collect();
    between(sheet, "<row ", "</row>").into_iter().map(line).collect()
}

fn of_xlsx(file: &[u8]) -> Vec<Row> {
    let lines = sheet(file);
    let (header, lines) = lines.split_first().expect("a header");
    let row = |line: &BTreeMap<String, String>| {
        let cell = |letters: &String| line.get(letters).cloned().unwrap_or_default();
        header.iter().map(|(letters, name)| (name.clone(), cell(letters))).collect()
    };
    lines.iter().map(row).collect()
}
