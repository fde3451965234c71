//! Lines of a built-in data file together with where they stand, so that an error can name the place.

use serde::de::DeserializeOwned;

use crate::taxonomy::error::DataError;
use crate::taxonomy::label::Label;

/// Where a line stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) file: &'static str,
    pub(crate) line: u64,
}

impl Place {
    /// Names a value of the line that the file may not hold.
    pub(crate) fn fault(self, column: &'static str, detail: impl Into<String>) -> DataError {
        DataError::Value { file: self.file, line: self.line, column, detail: detail.into() }
    }

    /// Returns the two texts as a label when both say something.
    pub(crate) fn label(
        self,
        columns: [&'static str; 2],
        texts: [String; 2],
    ) -> Result<Label, DataError> {
        for (column, text) in columns.into_iter().zip(&texts) {
            if text.trim().is_empty() {
                return Err(self.fault(column, "the label is empty"));
            }
        }
        let [en, fr] = texts;
        Ok(Label { en, fr })
    }
}

/// Reads all lines of a CSV text whose first line names the columns.
///
/// # Errors
/// A line that is not readable, or a column that is missing.
pub(crate) fn read_lines<Line: DeserializeOwned>(
    file: &'static str,
    text: &str,
) -> Result<Vec<(Place, Line)>, DataError> {
    let unreadable = |source| DataError::Csv { file, source };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().map_err(unreadable)?.clone();
    reader
        .records()
        .map(|record| {
            let record = record.map_err(unreadable)?;
            let line = record.position().map_or(0, csv::Position::line);
            let value = record.deserialize(Some(&headers)).map_err(unreadable)?;
            Ok((Place { file, line }, value))
        })
        .collect()
}

/// Returns the text, or nothing when the field was left empty.
pub(crate) fn filled(text: String) -> Option<String> {
    (!text.trim().is_empty()).then_some(text)
}
