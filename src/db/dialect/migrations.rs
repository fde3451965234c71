//! Which migrations there are, which a database has had, and bringing one to where another was.

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::MigrationHarness;

use crate::db::OpenError;
use crate::db::dialect::tables::{MIGRATIONS_TABLE, list_table_names};
use crate::db::dialect::{DbConn, POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Returns the versions of every migration this program has, oldest first; the same for both engines.
///
/// # Errors
/// [`OpenError::Migrate`] when the program's own files cannot be read.
pub fn known_migrations() -> Result<Vec<String>, OpenError> {
    let all = MigrationSource::<Sqlite>::migrations(&SQLITE_MIGRATIONS)
        .map_err(|error| failed(&error))?;
    let mut versions: Vec<String> =
        all.iter().map(|migration| migration.name().version().to_string()).collect();
    versions.sort_unstable();
    Ok(versions)
}

/// Returns the versions of the migrations this database has had, oldest first; empty on a new one.
///
/// # Errors
/// When the engine refuses.
pub fn applied_migrations(conn: &mut DbConn) -> QueryResult<Vec<String>> {
    if !list_table_names(conn)?.iter().any(|name| name == MIGRATIONS_TABLE) {
        return Ok(Vec::new());
    }
    let versions: Vec<Version> =
        sql_query("SELECT version FROM __diesel_schema_migrations ORDER BY version").load(conn)?;
    Ok(versions.into_iter().map(|row| row.version).collect())
}

/// Runs those migrations that are in `versions` and no others, inside the caller's transaction.
///
/// # Errors
/// [`OpenError::Migrate`].
pub fn migrate_to(conn: &mut DbConn, versions: &[String]) -> Result<(), OpenError> {
    match conn {
        DbConn::Sqlite(conn) => run::<Sqlite, _>(conn, SQLITE_MIGRATIONS, versions),
        DbConn::Postgres(conn) => run::<Pg, _>(conn, POSTGRES_MIGRATIONS, versions),
    }
    .map_err(|error| failed(&error))
}

fn run<DB, C>(
    conn: &mut C,
    source: diesel_migrations::EmbeddedMigrations,
    versions: &[String],
) -> Result<(), Failure>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
{
    for migration in conn.pending_migrations(source)? {
        if versions.contains(&migration.name().version().to_string()) {
            conn.run_migration(&*migration)?;
        }
    }
    Ok(())
}

fn failed(error: &Failure) -> OpenError {
    OpenError::Migrate(error.to_string())
}
