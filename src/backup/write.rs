//! Writes the two parts of a backup out of one snapshot, a row at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use age::stream::StreamWriter;
use base16ct::lower;
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{QueryDsl, RunQueryDsl};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::backup::error::BackupError;
use crate::backup::files::{BackupFile, FileReport};
use crate::backup::format::{
    FORMAT, FORMAT_VERSION, Header, Mark, Part, TableEnd, TableHead, Trailer,
};
use crate::backup::identities::Recipients;
use crate::backup::{Meter, Progress};
use crate::db::dialect::migrations::applied_migrations;
use crate::db::dialect::tables::{Table, count_rows, find_last_number, for_each_row, list_tables};
use crate::db::dialect::{self, DbConn, Target};
use crate::db::schema::{data_keys, instance_keys};
use crate::new_file::folder_of;

/// The time in the name of a file.
const STAMP: &str = "%Y%m%dT%H%M%SZ";
const DATA_ENDING: &str = ".data.age";
const KEYS_ENDING: &str = ".keys.age";

/// Where the parts of a backup go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The data part.
    pub data: PathBuf,
    /// The key part.
    pub keys: PathBuf,
}

impl Destination {
    /// Names the parts of a backup made at `now`: in the folder `to`, or beginning with `to` where that is no folder.
    ///
    /// # Errors
    /// [`BackupError::Write`] where the folder is not there: a missing disk must not become a folder of that name.
    pub fn new(to: &Path, keys_to: Option<&Path>, now: DateTime<Utc>) -> Result<Self, BackupError> {
        let stamp = now.format(STAMP);
        let name = |to: &Path, ending: &str| {
            let is_folder = to.is_dir() || to.to_string_lossy().ends_with('/');
            let begin = if is_folder { to.join("sentinelle") } else { to.to_owned() };
            let path = PathBuf::from(format!("{}-{stamp}{ending}", begin.display()));
            let folder = folder_of(&path);
            if folder.is_dir() {
                return Ok(path);
            }
            let source = io::Error::new(io::ErrorKind::NotFound, "the folder is not there");
            Err(BackupError::Write { path: folder.to_owned(), source })
        };
        Ok(Self { data: name(to, DATA_ENDING)?, keys: name(keys_to.unwrap_or(to), KEYS_ENDING)? })
    }
}

/// Returns the key parts beside the new one whose names say that they were made before `limit`, oldest first.
pub fn old_key_parts(destination: &Destination, limit: DateTime<Utc>) -> Vec<PathBuf> {
    let made_at = |path: &Path| {
        let name = path.file_name()?.to_str()?.strip_suffix(KEYS_ENDING)?;
        let (_, stamp) = name.rsplit_once('-')?;
        Some(NaiveDateTime::parse_from_str(stamp, STAMP).ok()?.and_utc())
    };
    let beside = std::fs::read_dir(folder_of(&destination.keys)).into_iter().flatten();
    let mut old: Vec<(DateTime<Utc>, PathBuf)> = beside
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter_map(|path| Some((made_at(&path)?, path)))
        .filter(|(made_at, _)| *made_at < limit)
        .collect();
    old.sort_unstable();
    old.into_iter().map(|(_, path)| path).collect()
}

/// What a backup holds and where it is.
#[derive(Debug, serde::Serialize)]
pub struct BackupReport {
    /// Names the backup.
    pub backup: Uuid,
    /// When the snapshot was taken.
    pub made_at: DateTime<Utc>,
    /// The migrations the database had had.
    pub migrations: Vec<String>,
    /// Ids of the instance keys needed to use it; they are not inside.
    pub instance_keys: Vec<String>,
    /// How many can open it.
    pub n_recipients: usize,
    /// The data part.
    pub data: FileReport,
    /// The key part.
    pub keys: FileReport,
    /// Rows by table.
    pub n_rows: BTreeMap<String, u64>,
}

/// Both parts, on disk and without a name yet: dropped, they are gone.
pub struct Finished {
    header: Header,
    n_recipients: usize,
    data: BackupFile,
    keys: BackupFile,
    n_rows: BTreeMap<String, u64>,
}

/// Writes every row of every table of `target`, as they are at one moment, to files that have no name yet.
///
/// # Errors
/// See [`BackupError`]; what was begun is removed.
pub fn back_up(
    target: &Target,
    to: &Destination,
    recipients: &Recipients,
    now: DateTime<Utc>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Finished, BackupError> {
    if let Some(path) = target.file().filter(|path| !path.exists()) {
        return Err(BackupError::NoDatabase(path.to_owned()));
    }
    let mut conn = target.connect()?;
    dialect::snapshot(&mut conn, |conn| {
        let migrations = applied_migrations(conn)?;
        let tables = list_tables(conn)?;
        if migrations.is_empty() || tables.is_empty() {
            return Err(BackupError::NothingThere);
        }
        let n_rows_of = |conn: &mut DbConn, part: Part| {
            let of_part = tables.iter().filter(|table| part.holds(table));
            of_part
                .map(|table| Ok(unsigned(count_rows(conn, table)?)))
                .sum::<diesel::QueryResult<u64>>()
        };
        let header = Header {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            part: Part::Data,
            backup: Uuid::now_v7(),
            made_at: now,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            engine: target.engine().to_owned(),
            migrations,
            instance_keys: list_instance_key_ids(conn)?,
            n_rows: n_rows_of(conn, Part::Data)?,
        };
        let key_header =
            Header { part: Part::Keys, n_rows: n_rows_of(conn, Part::Keys)?, ..header.clone() };
        let n_total = header.n_rows + key_header.n_rows;
        let mut meter = Meter { n_done: 0, n_total, tell: progress };
        let (data, mut n_rows) =
            write_part(conn, &to.data, recipients, &header, &tables, &mut meter)?;
        let (keys, of_keys) =
            write_part(conn, &to.keys, recipients, &key_header, &tables, &mut meter)?;
        n_rows.extend(of_keys);
        Ok(Finished { header, n_recipients: recipients.len(), data, keys, n_rows })
    })
}

impl Finished {
    /// Returns the id of the backup.
    pub fn id(&self) -> Uuid {
        self.header.backup
    }

    /// Returns how many can open it.
    pub fn n_recipients(&self) -> usize {
        self.n_recipients
    }

    /// Tells whether the database ever had secrets of its own.
    pub fn has_instance_keys(&self) -> bool {
        !self.header.instance_keys.is_empty()
    }

    /// Gives both files their names. The data part is last: where it is, the key part is or was.
    ///
    /// # Errors
    /// [`BackupError::Exists`], [`BackupError::Write`]; neither file is there then.
    pub fn publish(self) -> Result<BackupReport, BackupError> {
        let Self { header, n_recipients, data, keys, n_rows } = self;
        let keys = keys.publish()?;
        let data = data.publish().inspect_err(|_| {
            // A key part alone is of no use, and must not outlive its time unnoticed.
            let _ = std::fs::remove_file(&keys.file);
        })?;
        Ok(BackupReport {
            backup: header.backup,
            made_at: header.made_at,
            migrations: header.migrations,
            instance_keys: header.instance_keys,
            n_recipients,
            data,
            keys,
            n_rows,
        })
    }
}

/// Returns the ids of the instance keys that wrap anything; more than one while a key is being changed.
fn list_instance_key_ids(conn: &mut DbConn) -> diesel::QueryResult<Vec<String>> {
    let of_secrets: Vec<String> =
        instance_keys::table.select(instance_keys::kek_id).distinct().load(conn)?;
    let of_parts: Vec<String> = data_keys::table.select(data_keys::kek_id).distinct().load(conn)?;
    let ids: BTreeSet<String> = of_secrets.into_iter().chain(of_parts).collect();
    Ok(ids.into_iter().collect())
}

fn write_part(
    conn: &mut DbConn,
    path: &Path,
    recipients: &Recipients,
    header: &Header,
    tables: &[Table],
    meter: &mut Meter<'_>,
) -> Result<(BackupFile, BTreeMap<String, u64>), BackupError> {
    let mut part = PartWriter::begin(path, recipients)?;
    part.mark(&Mark::Header(header.clone()))?;
    for table in tables.iter().filter(|table| header.part.holds(table)) {
        part.table(conn, table, meter)?;
    }
    part.finish()
}

struct PartWriter {
    path: PathBuf,
    out: GzEncoder<StreamWriter<BackupFile>>,
    digest: Sha256,
    n_rows: BTreeMap<String, u64>,
}

impl PartWriter {
    fn begin(path: &Path, recipients: &Recipients) -> Result<Self, BackupError> {
        let file = BackupFile::begin(path)?;
        let failed = |source| BackupError::write(path, source);
        let encryptor = age::Encryptor::with_recipients(recipients.each())
            .map_err(|error| BackupError::Recipient(error.to_string()))?;
        let sealed = encryptor.wrap_output(file).map_err(failed)?;
        // Most of it is ciphertext in hexadecimal digits, of which no level makes less than half.
        let out = GzEncoder::new(sealed, Compression::fast());
        Ok(Self { path: path.to_owned(), out, digest: Sha256::new(), n_rows: BTreeMap::new() })
    }

    fn mark(&mut self, mark: &Mark) -> Result<(), BackupError> {
        let text = serde_json::to_string(mark).map_err(io::Error::from);
        let text = text.map_err(|source| BackupError::write(&self.path, source))?;
        self.line(&text)
    }

    fn line(&mut self, text: &str) -> Result<(), BackupError> {
        for bytes in [text.as_bytes(), b"\n"] {
            self.digest.update(bytes);
            self.out.write_all(bytes).map_err(|source| BackupError::write(&self.path, source))?;
        }
        Ok(())
    }

    fn table(
        &mut self,
        conn: &mut DbConn,
        table: &Table,
        meter: &mut Meter<'_>,
    ) -> Result<(), BackupError> {
        meter.begin(&table.name);
        self.mark(&Mark::Table(TableHead::from(table)))?;
        let mut n_rows = 0;
        for_each_row(conn, table, |row| {
            n_rows += 1;
            meter.row(&table.name);
            self.line(row)
        })?;
        let last_number = find_last_number(conn, table)?;
        self.n_rows.insert(table.name.clone(), n_rows);
        self.mark(&Mark::End(TableEnd { name: table.name.clone(), n_rows, last_number }))
    }

    fn finish(mut self) -> Result<(BackupFile, BTreeMap<String, u64>), BackupError> {
        let sha256 = lower::encode_string(&self.digest.clone().finalize());
        self.mark(&Mark::Trailer(Trailer { n_rows: self.n_rows.clone(), sha256 }))?;
        let Self { path, out, n_rows, .. } = self;
        let file = out
            .finish()
            .and_then(StreamWriter::finish)
            .map_err(|source| BackupError::write(&path, source))?;
        file.sync()?;
        Ok((file, n_rows))
    }
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
