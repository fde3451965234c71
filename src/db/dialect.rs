//! What only one engine knows: connecting, beginning to write, bulk inserts, and how its errors read.
//!
//! Everything else in the product speaks to [`DbConn`] in the common subset of `SQLite` and `PostgreSQL`.

mod bulk;
mod erase;
pub mod load;
mod locks;
pub mod migrations;
mod outbox;
pub mod tables;
mod uuid_column;

use std::path::PathBuf;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::dsl::sql;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{Bool, Integer};
use diesel::{
    Connection, ExpressionMethods, OptionalExtension, PgConnection, QueryDsl, QueryResult,
    RunQueryDsl, SqliteConnection,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::db::OpenError;
use crate::db::rows::ChainRow;
use crate::db::schema::{audit_chains, changes, heads, incident_departures};
use crate::db::writer::{Change, ChangeKind};

pub use self::bulk::{
    insert_audit, insert_release_atoms, insert_rows, next_incident_ids, rewrap_data_keys,
};
pub use self::connection::DbConn;
pub use self::erase::{clear_log, lock_data_keys};
pub use self::locks::{lock_incident, lock_incidents, try_lock_incident};
pub use self::outbox::{find_due_event, find_due_notice, lock_due_event, lock_due_notice};
pub use self::uuid_column::DbUuid;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

mod connection {
    /// A connection to either engine.
    #[derive(diesel::MultiConnection)]
    pub enum DbConn {
        /// The embedded engine.
        Sqlite(diesel::SqliteConnection),
        /// The server.
        Postgres(diesel::PgConnection),
    }
}

/// What a role or database may have set otherwise: a zone must never move a timestamp, an acknowledged report must be
/// durable (a stricter setting stays), and after a unique violation the winner's row must be visible.
const POSTGRES_SESSION: &str = "SET TIME ZONE 'UTC';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
    SET default_transaction_isolation = 'read committed'; SET client_min_messages = 'warning';";

/// The one writer keeps more pages, since random ids touch many of them in one batch, and folds the log back less often.
const SQLITE_WRITER: &str = "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000;";

/// What the triggers on `data_keys` and `instance_keys` say.
const RETIRED_KEY: &str = "the instance key is retired";

/// How long a connection waits for a database that another process is just creating.
const CREATION_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

/// The space of advisory locks on chains: "audi" in ASCII.
const CHAIN_LOCKS: i32 = 0x6175_6469;

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file.
    Sqlite(PathBuf),
    /// A server's address.
    Postgres(String),
}

impl Target {
    /// Reads a database address.
    ///
    /// # Errors
    /// [`OpenError::UnknownScheme`] for anything but `sqlite://` and `postgres://` (or `postgresql://`).
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        if let Some(path) = url.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        // The address may hold a password: only its scheme is named.
        let scheme = url.split("://").next().unwrap_or_default();
        Err(OpenError::UnknownScheme(scheme.to_owned()))
    }

    /// Returns the engine's name.
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Makes the folder of an embedded database.
    ///
    /// # Errors
    /// [`OpenError::Folder`].
    pub fn prepare(&self) -> Result<(), OpenError> {
        let Self::Sqlite(path) = self else {
            return Ok(());
        };
        let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
            return Ok(());
        };
        std::fs::create_dir_all(folder)
            .map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })
    }

    /// Opens one connection with the settings every connection has.
    ///
    /// # Errors
    /// [`OpenError::Connect`], [`OpenError::EngineTooOld`].
    pub fn connect(&self) -> Result<DbConn, OpenError> {
        match self {
            Self::Sqlite(path) => connect_sqlite(path).map(DbConn::Sqlite),
            Self::Postgres(url) => {
                let mut conn = PgConnection::establish(url).map_err(no_connection)?;
                conn.batch_execute(POSTGRES_SESSION).map_err(no_connection)?;
                Ok(DbConn::Postgres(conn))
            }
        }
    }

    /// Returns the file of an embedded database.
    pub fn file(&self) -> Option<&std::path::Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// Tells whether an idle connection can break, as one over a network can.
    pub fn can_lose_connections(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(_) => true,
        }
    }

    /// Opens a connection for a writer.
    ///
    /// # Errors
    /// As [`Target::connect`].
    pub fn connect_writer(&self) -> Result<DbConn, OpenError> {
        let mut conn = self.connect()?;
        if let DbConn::Sqlite(conn) = &mut conn {
            conn.batch_execute(SQLITE_WRITER).map_err(no_connection)?;
        }
        Ok(conn)
    }
}

fn no_connection(error: impl std::fmt::Display) -> OpenError {
    OpenError::Connect(error.to_string())
}

/// Connects; the first switch to WAL takes the whole file and does not wait by itself, so a refusal is tried again.
fn connect_sqlite(path: &std::path::Path) -> Result<SqliteConnection, OpenError> {
    let begun_at = std::time::Instant::now();
    loop {
        match try_connect_sqlite(path) {
            Err(OpenError::Connect(words))
                if words.contains("locked") && begun_at.elapsed() < CREATION_WAIT =>
            {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            other => return other,
        }
    }
}

fn try_connect_sqlite(path: &std::path::Path) -> Result<SqliteConnection, OpenError> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).map_err(no_connection)?;
    // FULL: an acknowledged report survives a power cut. `secure_delete`: what is shredded is overwritten.
    conn.batch_execute(
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;
         PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;",
    )
    .map_err(no_connection)?;
    let version = sqlite_version(&mut conn).map_err(no_connection)?;
    if is_before(&version, [3, 51, 3]) {
        return Err(OpenError::EngineTooOld(version));
    }
    Ok(conn)
}

fn sqlite_version(conn: &mut SqliteConnection) -> QueryResult<String> {
    diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("sqlite_version()")).get_result(conn)
}

fn is_before(version: &str, oldest: [u32; 3]) -> bool {
    let numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    numbers.lt(oldest)
}

/// Hands connections to the pool.
pub struct Manager {
    target: Target,
}

impl Manager {
    /// Returns a manager for `target`.
    pub fn new(target: Target) -> Self {
        Self { target }
    }
}

impl diesel::r2d2::ManageConnection for Manager {
    type Connection = DbConn;
    type Error = OpenError;

    fn connect(&self) -> Result<DbConn, OpenError> {
        self.target.connect()
    }

    fn is_valid(&self, conn: &mut DbConn) -> Result<(), OpenError> {
        conn.batch_execute("SELECT 1").map_err(no_connection)
    }

    fn has_broken(&self, conn: &mut DbConn) -> bool {
        use diesel::r2d2::R2D2Connection;
        std::thread::panicking() || conn.is_broken()
    }
}

/// Brings the schema of `target` up to date, one server at a time.
///
/// # Errors
/// [`OpenError::Migrate`], or why there is no connection.
pub fn migrate(target: &Target) -> Result<(), OpenError> {
    let failed =
        |error: Box<dyn std::error::Error + Send + Sync>| OpenError::Migrate(error.to_string());
    match target.connect()? {
        DbConn::Sqlite(mut conn) => conn
            .immediate_transaction::<_, SqliteMigrationError, _>(|conn| {
                conn.run_pending_migrations(SQLITE_MIGRATIONS)
                    .map_err(SqliteMigrationError::Failed)?;
                Ok(())
            })
            .map_err(|error| failed(error.into())),
        DbConn::Postgres(mut conn) => {
            // Two servers that start together must not both migrate. The number is "sentinel" in ASCII.
            conn.batch_execute("SELECT pg_advisory_lock(8315173724060542316)")
                .map_err(|e| failed(e.into()))?;
            conn.run_pending_migrations(POSTGRES_MIGRATIONS).map(drop).map_err(failed)
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum SqliteMigrationError {
    #[error(transparent)]
    Database(#[from] DieselError),
    #[error("{0}")]
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// Begins a transaction that will write: on `SQLite` it takes the write lock at once, since a reading transaction that
/// turns to writing is refused without waiting.
///
/// # Errors
/// When the engine refuses.
pub fn begin_write(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        DbConn::Sqlite(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
        }
        DbConn::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN"),
    }
}

/// Commits what [`begin_write`] began.
///
/// # Errors
/// When it is not durable; nothing was kept then.
pub fn commit(conn: &mut DbConn) -> QueryResult<()> {
    type Of<C> = <C as Connection>::TransactionManager;
    match conn {
        DbConn::Sqlite(conn) => <Of<SqliteConnection>>::commit_transaction(conn),
        DbConn::Postgres(conn) => <Of<PgConnection>>::commit_transaction(conn),
    }
}

/// Runs `work` on one unmoving picture of the database.
///
/// # Errors
/// Whatever `work` answers, or the engine's refusal.
pub fn snapshot<T, E: From<DieselError>>(
    conn: &mut DbConn,
    work: impl FnOnce(&mut DbConn) -> Result<T, E>,
) -> Result<T, E> {
    conn.transaction(|conn| {
        if let DbConn::Postgres(conn) = conn {
            conn.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
        }
        work(conn)
    })
}

/// Takes the next change number under the lock of the head row and files `changes` under it; the last act of a write
/// transaction. Without changes it does nothing.
///
/// # Errors
/// When the engine refuses.
pub fn record_changes(conn: &mut DbConn, changes: &[Change]) -> QueryResult<()> {
    if changes.is_empty() {
        return Ok(());
    }
    diesel::update(heads::table.find("changes"))
        .set(heads::seq.eq(heads::seq + 1))
        .execute(conn)?;
    let seq: i64 = heads::table.find("changes").select(heads::seq).get_result(conn)?;
    // What is new has left no country. What other transactions noted is not seen before they put their own number in.
    if changes.iter().any(|change| change.kind != ChangeKind::Created) {
        diesel::update(incident_departures::table.filter(incident_departures::seq.is_null()))
            .set(incident_departures::seq.eq(Some(seq)))
            .execute(conn)?;
    }
    let mut rows: Vec<(i64, i64, &str)> =
        changes.iter().map(|change| (seq, change.incident, change.kind.as_str())).collect();
    rows.sort_unstable();
    rows.dedup();
    // PostgreSQL takes 65,535 values a statement; a batch is far below.
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(seq, incident, kind)| {
            (changes::seq.eq(seq), changes::incident_id.eq(incident), changes::kind.eq(kind))
        })
        .collect();
    match conn {
        DbConn::Sqlite(conn) => diesel::insert_into(changes::table).values(&rows).execute(conn),
        DbConn::Postgres(conn) => diesel::insert_into(changes::table).values(&rows).execute(conn),
    }?;
    Ok(())
}

/// Returns the number of the audit chain that `conn` writes for as long as it is open: on `PostgreSQL` the first that no
/// other connection has, on `SQLite`, where one transaction writes at a time, that of all.
///
/// # Errors
/// When the engine refuses.
pub fn claim_chain(conn: &mut DbConn) -> QueryResult<i32> {
    let DbConn::Postgres(conn) = conn else {
        return Ok(1);
    };
    let mut number = 1;
    loop {
        // Held by the session, so a server that dies gives its chain back.
        let claim = sql::<Bool>("pg_try_advisory_lock(")
            .bind::<Integer, _>(CHAIN_LOCKS)
            .sql(", ")
            .bind::<Integer, _>(number)
            .sql(")");
        if diesel::select(claim).get_result(conn)? {
            return Ok(number);
        }
        number += 1;
    }
}

/// Returns the state of an audit chain, which nobody else writes until the transaction ends; `None` before its first
/// entry.
///
/// # Errors
/// When the engine refuses.
pub fn hold_chain(conn: &mut DbConn, number: i32) -> QueryResult<Option<ChainRow>> {
    let query = audit_chains::table.find(number);
    match conn {
        DbConn::Sqlite(conn) => query.first(conn).optional(),
        // The claim is the session's; the row's lock holds even where a pooler hands sessions around.
        DbConn::Postgres(conn) => query.for_update().first(conn).optional(),
    }
}

/// Tells whether the store has no room left.
pub fn is_storage_full(error: &DieselError) -> bool {
    let DieselError::DatabaseError(_, info) = error else {
        return false;
    };
    let message = info.message();
    message.contains("database or disk is full") || message.contains("No space left on device")
}

/// Tells whether the same request may succeed a moment later: deadlock, serialisation, lost connection, busy, or sealed
/// under an instance key that was retired meanwhile.
pub fn is_worth_a_retry(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ClosedConnection,
            _,
        )
        | DieselError::BrokenTransactionManager => true,
        DieselError::DatabaseError(_, info) => {
            ["deadlock detected", "database is locked", RETIRED_KEY]
                .iter()
                .any(|words| info.message().contains(words))
        }
        _ => false,
    }
}

/// Tells whether `error` is the violation of the unique index `name` (on `table`, whose `columns` `SQLite` names instead).
pub fn is_taken(error: &DieselError, name: &str, table: &str, column: &str) -> bool {
    let DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = error else {
        return false;
    };
    info.constraint_name() == Some(name) || info.message().ends_with(&format!("{table}.{column}"))
}
