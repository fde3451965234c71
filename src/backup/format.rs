//! What stands in a part of a backup: gzipped lines of JSON inside one age file.
//!
//! ```text
//! {"header": {"format": "sentinelle-backup", "format_version": 1, "part": "data", …}}
//! {"table": {"name": "incidents", "columns": [{"name": "id", "storage": "integer"}, …]}}
//! [1,"0198…",1,"received",null,"2024-04-01 12:00:00",…]       one line a row, as `db::dialect::tables` writes it
//! {"end": {"name": "incidents", "n_rows": 1, "last_number": 1}}
//! …
//! {"trailer": {"n_rows": {"incidents": 1, …}, "sha256": "…"}}  over every byte before this line
//! ```
//!
//! It needs no program of ours to be read: `age -d -i identity.txt FILE | gunzip`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::dialect::tables::{Storage, Table};

/// The word every part begins with.
pub const FORMAT: &str = "sentinelle-backup";
/// Rises when a program of today could not read what one of tomorrow writes.
pub const FORMAT_VERSION: u32 = 1;
/// The tables of the key part: the data keys, and what leads from one instance key to the next while it is changed.
pub const KEY_TABLES: [&str; 2] = [DATA_KEYS, "key_rotations"];
/// The keys of everything sealed.
pub const DATA_KEYS: &str = "data_keys";

/// Which part of a backup a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Everything but the keys.
    Data,
    /// [`KEY_TABLES`].
    Keys,
}

impl Part {
    /// Returns what to call it before people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data part",
            Self::Keys => "key part",
        }
    }

    /// Tells whether `table` belongs to this part.
    pub fn holds(self, table: &Table) -> bool {
        match self {
            Self::Data => !Self::Keys.holds(table),
            Self::Keys => KEY_TABLES.contains(&table.name.as_str()),
        }
    }
}

/// The first line of a part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Which part this is.
    pub part: Part,
    /// Names the backup; the same in both parts.
    pub backup: Uuid,
    /// When the snapshot was taken.
    pub made_at: DateTime<Utc>,
    /// Version of the program that made it.
    pub program: String,
    /// Engine it was made on.
    pub engine: String,
    /// Versions of the migrations the database had had, oldest first.
    pub migrations: Vec<String>,
    /// Ids of the instance keys that wrap what is in the whole backup; needed to use it, and never inside.
    pub instance_keys: Vec<String>,
    /// Rows in this part.
    pub n_rows: u64,
}

/// Every line that is no row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The first line.
    Header(Header),
    /// Rows of a table follow.
    Table(TableHead),
    /// The rows of a table are over.
    End(TableEnd),
    /// The last line.
    Trailer(Trailer),
}

/// What the rows that follow are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableHead {
    /// The table.
    pub name: String,
    /// What stands in each place of a row.
    pub columns: Vec<ColumnHead>,
}

/// What stands in one place of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnHead {
    /// The column.
    pub name: String,
    /// What its values are.
    pub storage: Storage,
}

impl From<&Table> for TableHead {
    fn from(table: &Table) -> Self {
        let columns = table
            .columns
            .iter()
            .map(|column| ColumnHead { name: column.name.clone(), storage: column.storage });
        Self { name: table.name.clone(), columns: columns.collect() }
    }
}

/// What was read of a table.
#[derive(Debug, Serialize, Deserialize)]
pub struct TableEnd {
    /// The table.
    pub name: String,
    /// Its rows.
    pub n_rows: u64,
    /// The highest number it ever gave a row by itself, so that none is given twice.
    pub last_number: Option<i64>,
}

/// What the whole part was, so that nothing can be missing from it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Trailer {
    /// Rows by table.
    pub n_rows: BTreeMap<String, u64>,
    /// SHA-256 over every byte before this line, as hexadecimal digits.
    pub sha256: String,
}
