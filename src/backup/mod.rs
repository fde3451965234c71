//! Backup of a whole database, beside a running server, and restore into an empty one, on either engine from either.
//!
//! A backup is two files of one snapshot: the *key part*, `data_keys` (and `key_rotations`, through which an old instance
//! key would open the next one), and the *data part*, every other table. Text is sealed under keys of its own, so whoever
//! keeps the key part for a short time only keeps the promise that erased means erased: the data part by itself opens
//! nothing. Both are encrypted with age to recipients whose identities lie elsewhere; the instance key is in neither.
//!
//! Start with [`write`](mod@write) (database → files) and [`restore`] (files → database); [`format`](mod@format) says what stands
//! in a file. The tables are found in the database, never listed here. Knows no table's meaning but that of `data_keys`
//! and `instance_keys`, and no engine: that is `db::dialect::{tables, load, migrations}`.

pub mod error;
pub mod files;
pub mod format;
pub mod identities;
mod read;
pub mod restore;
pub mod write;

/// How far a backup or a restore is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The table at work.
    pub table: &'a str,
    /// Rows done, of all tables.
    pub n_done: u64,
    /// Rows in all.
    pub n_total: u64,
}

/// Rows between two words on how far it is.
const PROGRESS_ROWS: u64 = 1_000;

/// Counts rows and tells somebody now and then.
struct Meter<'a> {
    n_done: u64,
    n_total: u64,
    tell: &'a mut dyn FnMut(Progress<'_>),
}

impl Meter<'_> {
    fn begin(&mut self, table: &str) {
        (self.tell)(Progress { table, n_done: self.n_done, n_total: self.n_total });
    }

    fn row(&mut self, table: &str) {
        self.n_done += 1;
        if self.n_done.is_multiple_of(PROGRESS_ROWS) {
            self.begin(table);
        }
    }
}
