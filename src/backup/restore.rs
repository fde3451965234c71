//! Fills an empty database with a backup: wholly, in one transaction, or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::backup::error::BackupError;
use crate::backup::format::{ColumnHead, DATA_KEYS, Header, Part, TableEnd, TableHead};
use crate::backup::identities::Identities;
use crate::backup::read::{Next, PartReader};
use crate::backup::{Meter, Progress};
use crate::db::dialect::load::{
    Reference, begin_load, clear, forget_missing_keys, insert_json, insert_statement,
    list_key_references, put_back, remove_unused_keys, rest, set_last_number,
};
use crate::db::dialect::migrations::{known_migrations, migrate_to};
use crate::db::dialect::tables::{Table, count_rows, list_table_names, list_tables};
use crate::db::dialect::{self, DbConn, Target};

/// Rows are filed together up to so many bytes: what is held in memory, a single longer row apart.
const BATCH_BYTES: usize = 512 * 1024;

/// The files of a backup.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The data part.
    pub data: PathBuf,
    /// The key part; without it nothing that was sealed can be opened.
    pub keys: Option<PathBuf>,
}

/// What was restored.
#[derive(Debug, serde::Serialize)]
pub struct RestoreReport {
    /// Names the backup.
    pub backup: Uuid,
    /// When its snapshot was taken.
    pub made_at: DateTime<Utc>,
    /// When the key part's snapshot was taken, where there was one.
    pub keys_made_at: Option<DateTime<Utc>>,
    /// The engine it came from.
    pub from_engine: String,
    /// The migrations it had had; the program's newer ones are not among them.
    pub migrations: Vec<String>,
    /// Ids of the instance keys that wrap what was restored.
    pub instance_keys: Vec<String>,
    /// Sealed parts whose key is not there: nobody can open them.
    pub n_parts_without_key: usize,
    /// Rows by table.
    pub n_rows: BTreeMap<String, u64>,
}

/// Restores a backup into `target`, which must have no tables.
///
/// The database is left at the migrations of the backup; opening the store brings it up to date.
///
/// # Errors
/// See [`BackupError`]; nothing is kept then, and an embedded database that was not there is not there.
pub fn restore(
    target: &Target,
    sources: &Sources,
    identities: &Identities,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<RestoreReport, BackupError> {
    let data = PartReader::open(&sources.data, Part::Data, identities)?;
    let open_keys = |path: &PathBuf| PartReader::open(path, Part::Keys, identities);
    let keys = sources.keys.as_ref().map(open_keys).transpose()?;
    if let Some(keys) = &keys {
        check_pair(&data.header, &keys.header)?;
    }
    check_migrations(&data.header)?;

    let was_there = target.file().is_none_or(Path::exists);
    target.prepare()?;
    let restored = fill(target, data, keys, progress);
    if let (Err(_), Some(file), false) = (&restored, target.file(), was_there) {
        for end in ["", "-wal", "-shm"] {
            // What the engine did not make is not there.
            let _ = std::fs::remove_file(format!("{}{end}", file.display()));
        }
    }
    restored
}

/// A key part of a later backup goes with an earlier data part: what was erased in between stays erased.
fn check_pair(data: &Header, keys: &Header) -> Result<(), BackupError> {
    if keys.backup == data.backup {
        return Ok(());
    }
    if keys.made_at < data.made_at {
        return Err(BackupError::NoPair(format!(
            "the key part is of {} and the data part of {}: a key part may be newer, never older",
            keys.made_at, data.made_at
        )));
    }
    if keys.instance_keys != data.instance_keys {
        return Err(BackupError::NoPair(format!(
            "the key part needs the instance key {}, the data part {}",
            keys.instance_keys.join(" and "),
            data.instance_keys.join(" and ")
        )));
    }
    Ok(())
}

fn check_migrations(header: &Header) -> Result<(), BackupError> {
    let known = known_migrations()?;
    let unknown = header.migrations.iter().rev().find(|version| !known.contains(version));
    unknown.map_or(Ok(()), |version| {
        Err(BackupError::NewerSchema {
            of_backup: version.clone(),
            of_program: known.last().cloned().unwrap_or_default(),
            program: header.program.clone(),
        })
    })
}

fn fill(
    target: &Target,
    mut data: PartReader,
    keys: Option<PartReader>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<RestoreReport, BackupError> {
    let mut conn = target.connect_writer()?;
    let conn = &mut conn;
    // Dropped without a commit, the connection undoes all of it, and so does the engine after a kill.
    begin_load(conn)?;
    refuse_if_used(conn)?;
    migrate_to(conn, &data.header.migrations)?;
    let tables = list_tables(conn)?;
    let references = list_key_references(conn)?;
    let resting = rest(conn)?;
    for table in &tables {
        clear(conn, table)?;
    }

    let n_total = data.header.n_rows + keys.as_ref().map_or(0, |keys| keys.header.n_rows);
    let mut meter = Meter { n_done: 0, n_total, tell: progress };
    let mut n_rows = load_part(conn, &mut data, &tables, &mut meter)?;
    let keys_header = keys.as_ref().map(|keys| keys.header.clone());
    if let Some(mut keys) = keys {
        n_rows.extend(load_part(conn, &mut keys, &tables, &mut meter)?);
    }
    let is_pair = keys_header.as_ref().is_some_and(|keys| keys.backup == data.header.backup);
    let n_parts_without_key = if is_pair { 0 } else { match_keys(conn, &references, &mut n_rows)? };
    put_back(conn, resting).map_err(broken_reference)?;
    check_counts(conn, &tables, &n_rows)?;
    dialect::commit(conn)?;

    let Header { backup, made_at, engine, migrations, instance_keys, .. } = data.header;
    Ok(RestoreReport {
        backup,
        made_at,
        keys_made_at: keys_header.map(|keys| keys.made_at),
        from_engine: engine,
        migrations,
        instance_keys,
        n_parts_without_key,
        n_rows,
    })
}

fn refuse_if_used(conn: &mut DbConn) -> Result<(), BackupError> {
    let names = list_table_names(conn)?;
    if names.is_empty() {
        return Ok(());
    }
    let some: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    Err(BackupError::NotEmpty { n_tables: names.len(), some: some.join(", ") + " …" })
}

/// Lets parts and keys that do not meet go: parts say that they cannot be opened, keys of nothing are removed.
fn match_keys(
    conn: &mut DbConn,
    references: &[Reference],
    n_rows: &mut BTreeMap<String, u64>,
) -> Result<usize, BackupError> {
    let n_parts = forget_missing_keys(conn, references)?;
    let n_unused = u64::try_from(remove_unused_keys(conn, references)?).unwrap_or(u64::MAX);
    let n_keys = n_rows.entry(DATA_KEYS.to_owned()).or_default();
    *n_keys = n_keys.saturating_sub(n_unused);
    Ok(n_parts)
}

fn broken_reference(error: diesel::result::Error) -> BackupError {
    use diesel::result::{DatabaseErrorKind, Error};
    match error {
        Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, info) => {
            BackupError::Inconsistent(info.message().to_owned())
        }
        other => other.into(),
    }
}

fn check_counts(
    conn: &mut DbConn,
    tables: &[Table],
    n_rows: &BTreeMap<String, u64>,
) -> Result<(), BackupError> {
    for table in tables {
        let (found, right) = (count_rows(conn, table)?, n_rows.get(&table.name).copied());
        if u64::try_from(found).ok() != Some(right.unwrap_or(0)) {
            return Err(BackupError::Inconsistent(format!(
                "{} has {found} rows after loading and not {}",
                table.name,
                right.unwrap_or(0)
            )));
        }
    }
    Ok(())
}

/// Loads one part to its proved end; returns the rows by table.
fn load_part(
    conn: &mut DbConn,
    part: &mut PartReader,
    tables: &[Table],
    meter: &mut Meter<'_>,
) -> Result<BTreeMap<String, u64>, BackupError> {
    let mut missing: Vec<&Table> =
        tables.iter().filter(|table| part.header.part.holds(table)).collect();
    loop {
        match part.next()? {
            Next::Table(head) => {
                let place = missing.iter().position(|table| table.name == head.name);
                let place = place.ok_or_else(|| {
                    BackupError::OtherTables(format!("{} is none of them", head.name))
                })?;
                let table = missing.swap_remove(place);
                load_table(conn, part, table, &head, meter)?;
            }
            Next::Whole(n_rows) => {
                return missing.first().map_or(Ok(n_rows), |table| {
                    Err(BackupError::OtherTables(format!("{} is missing", table.name)))
                });
            }
            Next::Row(_) | Next::End(_) => {
                return Err(part.damaged("rows stand outside a table"));
            }
        }
    }
}

fn load_table(
    conn: &mut DbConn,
    part: &mut PartReader,
    table: &Table,
    head: &TableHead,
    meter: &mut Meter<'_>,
) -> Result<(), BackupError> {
    meter.begin(&table.name);
    let order = order_of(table, head)?;
    let mut batch = Batch { statement: insert_statement(conn, table, &order), rows: String::new() };
    let mut n_rows = 0;
    let end = loop {
        match part.next()? {
            Next::Row(row) => {
                batch.add(conn, row)?;
                n_rows += 1;
                meter.row(&table.name);
            }
            Next::End(end) => break end,
            Next::Table(_) | Next::Whole(_) => {
                return Err(part.damaged("a table has no end"));
            }
        }
    };
    batch.file(conn)?;
    let TableEnd { name, n_rows: said, last_number } = end;
    if name != table.name || said != n_rows {
        return Err(part.damaged(format!("{} has {n_rows} rows and not {said}", table.name)));
    }
    if let Some(last_number) = last_number {
        set_last_number(conn, table, last_number)?;
    }
    Ok(())
}

/// Returns where in the table each column of the backup stands; both must have the same.
fn order_of(table: &Table, head: &TableHead) -> Result<Vec<usize>, BackupError> {
    let place = |wanted: &ColumnHead| {
        let found = table
            .columns
            .iter()
            .position(|column| column.name == wanted.name && column.storage == wanted.storage);
        found.ok_or_else(|| {
            BackupError::OtherTables(format!("{}.{} is another column", table.name, wanted.name))
        })
    };
    let order: Vec<usize> = head.columns.iter().map(place).collect::<Result<_, _>>()?;
    if order.len() != table.columns.len() {
        return Err(BackupError::OtherTables(format!("{} has more columns", table.name)));
    }
    Ok(order)
}

/// Rows that are filed together, as one JSON array.
struct Batch {
    statement: String,
    rows: String,
}

impl Batch {
    fn add(&mut self, conn: &mut DbConn, row: &str) -> Result<(), BackupError> {
        if !self.rows.is_empty() && self.rows.len() + row.len() > BATCH_BYTES {
            self.file(conn)?;
        }
        self.rows.push(if self.rows.is_empty() { '[' } else { ',' });
        self.rows.push_str(row);
        Ok(())
    }

    fn file(&mut self, conn: &mut DbConn) -> Result<(), BackupError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.rows.push(']');
        insert_json(conn, &self.statement, &self.rows)?;
        self.rows.clear();
        Ok(())
    }
}
