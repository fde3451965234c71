//! Exports: what is listed and counted as files, row by row, in one list of columns for all formats.
//!
//! `wanted` reads what is asked for, `run` makes the file piece by piece: it takes the ids of the selection from the columns at
//! one change number and reads them page by page, so that no reader holds a snapshot and no file is ever in memory as a whole.
//! What changed meanwhile is marked in its row; a file that would not have the rows it announced is cut, never ended.
//!
//! `columns` says what is exported, `rows` reads it, `labels` names codes, `dates` and `hxl` say it as others expect; `csv`, `json`,
//! `xlsx` (in a `zip`) and `parquet` write it. `http` answers, `jobs` makes files that are fetched later.

pub mod columns;
pub mod csv;
pub mod dates;
pub mod http;
pub mod hxl;
pub mod jobs;
pub mod json;
pub mod labels;
pub mod parquet;
pub mod rows;
pub mod run;
pub mod selection;
pub mod told;
pub mod value;
pub mod wanted;
pub mod xlsx;
pub mod zip;
