//! What can be wrong with a code, and with the files the codes come from.

use chrono::NaiveDate;
use thiserror::Error;

/// Reasons why a code cannot be taken as a category.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CodeError {
    /// No theme, category or leaf has the code.
    #[error("category {code:?} is not in the taxonomy{}", hint(did_you_mean.as_deref()))]
    Unknown {
        /// What was written.
        code: String,
        /// The leaf that is written nearly so, when one is.
        did_you_mean: Option<String>,
    },
    /// The code is a theme or a category of two parts.
    #[error("category {code:?} is not a leaf, choose one below it: {}", children.join(", "))]
    NotALeaf {
        /// What was written.
        code: String,
        /// The codes one step below, in file order, retired ones left out.
        children: Vec<String>,
    },
    /// The code may no longer be used.
    #[error("category {code:?} was retired on {retired_on}")]
    Retired {
        /// What was written.
        code: String,
        /// The day in the file.
        retired_on: NaiveDate,
    },
}

fn hint(did_you_mean: Option<&str>) -> String {
    did_you_mean.map_or_else(String::new, |near| format!(", did you mean {near:?}"))
}

/// Reasons why a data file cannot be used; all of them are faults of the file, never of a request.
#[derive(Debug, Error)]
pub enum DataError {
    /// The file is not readable as CSV, or misses a column; the reader names the line.
    #[error("{file} is not readable: {source}")]
    Csv {
        /// Name of the file.
        file: &'static str,
        /// What the reader says.
        source: csv::Error,
    },
    /// A value is outside what the file may hold.
    #[error("{file}, line {line}, column {column}: {detail}")]
    Value {
        /// Name of the file.
        file: &'static str,
        /// Line of the file, the first is 1.
        line: u64,
        /// Name of the column.
        column: &'static str,
        /// The value and what was expected.
        detail: String,
    },
    /// The file lacks something that is needed.
    #[error("{file}: {detail}")]
    Missing {
        /// Name of the file.
        file: &'static str,
        /// What is missing.
        detail: String,
    },
}
