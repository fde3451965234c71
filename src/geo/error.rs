//! What can be wrong with the built-in data.

use thiserror::Error;

/// Reasons why a data file cannot be used; all of them are faults of the build, never of a request.
#[derive(Debug, Error)]
pub enum DataError {
    /// A table is not readable as CSV.
    #[error("{file} is not readable")]
    Csv {
        /// Name of the file in `src/geo/data`.
        file: &'static str,
        /// What the reader says.
        source: csv::Error,
    },
    /// The admin1 pack is not readable as gzipped JSON.
    #[error("{file} is not readable")]
    Json {
        /// Name of the file in `src/geo/data`.
        file: &'static str,
        /// What the reader says.
        source: serde_json::Error,
    },
    /// The country borders are not readable.
    #[error("the country borders are not readable")]
    Boundaries(#[source] country_boundaries::ReadError),
    /// A value is outside what the file may hold.
    #[error("{file}: {detail}")]
    Value {
        /// Name of the file in `src/geo/data`.
        file: &'static str,
        /// The value and what was expected.
        detail: String,
    },
}

impl DataError {
    /// Names a value that the file may not hold.
    pub(crate) fn value(file: &'static str, detail: impl Into<String>) -> DataError {
        DataError::Value { file, detail: detail.into() }
    }
}
