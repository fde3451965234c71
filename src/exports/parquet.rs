//! Parquet files, written row group by row group.

use std::io;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::exports::value::{End, Heading, Kind, Value, Writer, degrees};

/// Rows handed over at once.
const BATCH: usize = 1_024;
/// Rows of a row group: what is kept in memory, encoded, until it is complete.
const GROUP: usize = 16_384;

/// Writes Parquet.
pub struct ParquetWriter {
    schema: SchemaRef,
    columns: Vec<Column>,
    n_rows: usize,
    /// Gone once the file is finished.
    writer: Option<ArrowWriter<Vec<u8>>>,
    rest: Vec<u8>,
}

impl ParquetWriter {
    /// Begins a file.
    ///
    /// # Errors
    /// None that is known.
    pub fn new(headings: &[Heading]) -> io::Result<Self> {
        let field =
            |heading: &Heading| Field::new(heading.name.as_ref(), type_of(heading.kind), true);
        let fields: Vec<Field> = headings.iter().map(field).collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(GROUP))
            .set_dictionary_page_size_limit(64 * 1024)
            .set_created_by("sentinelle".to_owned())
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))
            .map_err(io::Error::other)?;
        let columns = headings.iter().map(|heading| Column::new(heading.kind)).collect();
        Ok(Self { schema, columns, n_rows: 0, writer: Some(writer), rest: Vec::new() })
    }

    fn hand_over(&mut self) -> io::Result<()> {
        if self.n_rows == 0 {
            return Ok(());
        }
        let arrays = self.columns.iter_mut().map(Column::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
        self.n_rows = 0;
        let writer = self.writer.as_mut().ok_or_else(finished)?;
        writer.write(&batch.map_err(io::Error::other)?).map_err(io::Error::other)
    }
}

impl Writer for ParquetWriter {
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
        self.n_rows += 1;
        if self.n_rows >= BATCH { self.hand_over() } else { Ok(()) }
    }

    fn finish(&mut self, end: End) -> io::Result<()> {
        self.hand_over()?;
        let mut writer = self.writer.take().ok_or_else(finished)?;
        for (key, number) in [("rows", end.rows.to_string()), ("as_of", end.as_of.to_string())] {
            writer.append_key_value_metadata(KeyValue::new(key.to_owned(), number));
        }
        self.rest = writer.into_inner().map_err(io::Error::other)?;
        Ok(())
    }

    fn take(&mut self) -> io::Result<Vec<u8>> {
        Ok(match &mut self.writer {
            // The writer knows its position by its own count.
            Some(writer) => std::mem::take(writer.inner_mut()),
            None => std::mem::take(&mut self.rest),
        })
    }
}

fn finished() -> io::Error {
    io::Error::other("the file is finished")
}

fn type_of(kind: Kind) -> DataType {
    match kind {
        Kind::Text | Kind::Date => DataType::Utf8,
        Kind::Day => DataType::Date32,
        Kind::Integer => DataType::Int64,
        Kind::Degrees => DataType::Float64,
        Kind::Boolean => DataType::Boolean,
    }
}

/// The values of one column that are not yet handed over.
enum Column {
    Text(StringBuilder),
    Day(Date32Builder),
    Integer(Int64Builder),
    Degrees(Float64Builder),
    Boolean(BooleanBuilder),
}

impl Column {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text | Kind::Date => Self::Text(StringBuilder::new()),
            Kind::Day => Self::Day(Date32Builder::new()),
            Kind::Integer => Self::Integer(Int64Builder::new()),
            Kind::Degrees => Self::Degrees(Float64Builder::new()),
            Kind::Boolean => Self::Boolean(BooleanBuilder::new()),
        }
    }

    /// Adds a value; one of another kind is nothing.
    fn push(&mut self, value: &Value<'_>) {
        match (self, value) {
            (Self::Text(builder), Value::Text(text)) => builder.append_value(text),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Day(builder), Value::Day(day)) => builder.append_value(since_1970(*day)),
            (Self::Day(builder), _) => builder.append_null(),
            (Self::Integer(builder), Value::Integer(number)) => builder.append_value(*number),
            (Self::Integer(builder), _) => builder.append_null(),
            (Self::Degrees(builder), Value::Degrees(degrees_e6)) => {
                builder.append_value(degrees(*degrees_e6));
            }
            (Self::Degrees(builder), _) => builder.append_null(),
            (Self::Boolean(builder), Value::Boolean(is_so)) => builder.append_value(*is_so),
            (Self::Boolean(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Day(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Degrees(builder) => Arc::new(builder.finish()),
            Self::Boolean(builder) => Arc::new(builder.finish()),
        }
    }
}

fn since_1970(day: NaiveDate) -> i32 {
    let days = (day - NaiveDate::default()).num_days();
    i32::try_from(days).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use crate::exports::parquet::{ParquetWriter, since_1970};
    use crate::exports::value::{End, Heading, Kind, Value, Writer};

    #[test]
    fn a_file_ends_with_its_footer_and_comes_piece_by_piece() {
        let heading = |name: &'static str, kind| Heading { name: name.into(), kind, hxl: "" };
        let headings = [heading("a", Kind::Text), heading("b", Kind::Degrees)];
        let mut writer = ParquetWriter::new(&headings).unwrap();
        let mut file = Vec::new();
        let mut n_pieces = 0;
        for row in 0..40_000 {
            writer.row(&[Value::Text("é".into()), Value::Degrees(row)]).unwrap();
            let piece = writer.take().unwrap();
            n_pieces += usize::from(!piece.is_empty());
            file.extend(piece);
        }
        writer.finish(End { rows: 40_000, as_of: 1 }).unwrap();
        file.extend(writer.take().unwrap());

        assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
        assert!(n_pieces >= 2, "{n_pieces} pieces");
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(since_1970(NaiveDate::from_ymd_opt(1970, 1, 2).unwrap()), 1);
        assert_eq!(since_1970(NaiveDate::from_ymd_opt(1969, 12, 31).unwrap()), -1);
    }
}
