//! Why a backup could not be made or loaded; every message says what to do, and that nothing was changed.

use std::path::{Path, PathBuf};

use crate::db::OpenError;

/// What stopped a backup or a restore.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no database; none is made by mistake.
    #[error("there is no database at {}: check --data-dir or --database-url", .0.display())]
    NoDatabase(PathBuf),
    /// The database is empty.
    #[error("the database has no tables of Sentinelle: there is nothing to back up")]
    NothingThere,
    /// A recipient or the file of recipients.
    #[error("{0}")]
    Recipient(String),
    /// An identity or its file.
    #[error("{0}")]
    Identity(String),
    /// A file is never overwritten.
    #[error("{} is there already, and a backup never overwrites: choose another name with --to", .0.display())]
    Exists(PathBuf),
    /// The machine refused to write.
    #[error("cannot write {}: {source}; no backup was made", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The machine refused to read.
    #[error("cannot read {}: {source}; nothing was restored", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Some other file.
    #[error("{} is no backup of Sentinelle: {why}; nothing was restored", path.display())]
    NotABackup {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A newer program wrote it.
    #[error("{} has format {found} and this program reads format {known}: restore with the version of Sentinelle that made it; nothing was restored", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Format found.
        found: u32,
        /// Format this program reads.
        known: u32,
    },
    /// None of the identities is a recipient's.
    #[error("none of the identities given opens {}: it was encrypted to others; nothing was restored", .0.display())]
    WrongIdentity(PathBuf),
    /// Bytes were changed or are missing.
    #[error("{} is damaged or cut off ({why}): use another copy of it; nothing was restored", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it was noticed.
        why: String,
    },
    /// The two parts were given in each other's place.
    #[error("{} is the {found} of a backup and not the {wanted}: the data part goes with --from, the key part with --keys-from; nothing was restored", path.display())]
    WrongPart {
        /// The file.
        path: PathBuf,
        /// Which part it is.
        found: &'static str,
        /// Which part it should be.
        wanted: &'static str,
    },
    /// The two parts do not belong together.
    #[error("the two files do not belong together: {0}; nothing was restored")]
    NoPair(String),
    /// Restore fills only what is empty.
    #[error(
        "the database is not empty, it has {n_tables} tables ({some}): restore only fills an empty folder or database; nothing was changed"
    )]
    NotEmpty {
        /// How many tables there are.
        n_tables: usize,
        /// Some of their names.
        some: String,
    },
    /// The backup is of a newer program.
    #[error(
        "the backup has had migration {of_backup} and this program knows none newer than {of_program} that leads there: restore with Sentinelle {program} or later, which made the backup; nothing was restored"
    )]
    NewerSchema {
        /// The migration that is unknown here.
        of_backup: String,
        /// The newest one known here.
        of_program: String,
        /// The version of the program that made the backup.
        program: String,
    },
    /// The tables differ although the migrations are the same.
    #[error("the backup does not fit the tables of its migrations: {0}; nothing was restored")]
    OtherTables(String),
    /// What was loaded is not what was saved.
    #[error("the backup does not hold together: {0}; nothing was restored")]
    Inconsistent(String),
    /// The engine.
    #[error("the database refused: {0}; nothing was changed")]
    Database(#[from] diesel::result::Error),
}

impl BackupError {
    pub(super) fn write(path: &Path, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::AlreadyExists {
            return Self::Exists(path.to_owned());
        }
        Self::Write { path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), why: why.into() }
    }
}
