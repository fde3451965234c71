//! Whatever tables there are and their rows, in one notation for both engines; a backup is made of these.
//!
//! A row is a JSON array in the order of the columns: integers as numbers, text as text, bytes as hexadecimal digits,
//! decimals as text, nothing as `null`. What only `PostgreSQL` has (`uuid`, `timestamp`, `boolean` …) is written as
//! `SQLite` keeps it, so that the same data give the same rows and either engine can load the other's.

use diesel::connection::DefaultLoadingMode;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::result::Error as DieselError;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl, sql_query};

use crate::db::dialect::DbConn;

/// What a value is on both engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    /// A whole number; also a truth value, as 0 or 1.
    Integer,
    /// Text; also a day or an instant.
    Text,
    /// Bytes; also a UUID.
    Bytes,
    /// A decimal number.
    Real,
}

/// A column as the engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are on both engines.
    pub storage: Storage,
    kind: String,
}

/// A table as the engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in the engine's order; computed ones are left out.
    pub columns: Vec<Column>,
}

/// The engine's own list of what was done to the schema: a backup names it in its header.
pub(super) const MIGRATIONS_TABLE: &str = "__diesel_schema_migrations";

const SQLITE_COLUMNS: &str = r"
    SELECT t.name AS table_name, c.name AS column_name, c.type AS kind
    FROM pragma_table_list AS t JOIN pragma_table_xinfo(t.name) AS c
    WHERE t.schema = 'main' AND t.type IN ('table', 'virtual') AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'
      AND c.hidden = 0
    ORDER BY t.name, c.cid";

/// Without what belongs to an extension. Rows of a partition are read through its parent.
const POSTGRES_COLUMNS: &str = "
    SELECT c.relname::text AS table_name, a.attname::text AS column_name, t.typname::text AS kind
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND NOT EXISTS (SELECT 1 FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.relname COLLATE \"C\", a.attnum";

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
pub(super) struct Number {
    #[diesel(sql_type = BigInt)]
    pub(super) number: i64,
}

/// Returns every table that holds data of ours, found in the database itself.
///
/// # Shape
/// Sorted by name, without the list of migrations.
///
/// # Errors
/// When the engine refuses, or a column is of a kind that has no place in a backup: none is ever left out silently.
pub fn list_tables(conn: &mut DbConn) -> QueryResult<Vec<Table>> {
    let mut tables: Vec<Table> = Vec::new();
    for row in list_columns(conn)? {
        if row.table_name == MIGRATIONS_TABLE {
            continue;
        }
        let storage = storage_of(&row).ok_or_else(|| unknown_kind(&row))?;
        let column = Column { name: row.column_name, storage, kind: row.kind };
        match tables.last_mut().filter(|table| table.name == row.table_name) {
            Some(table) => table.columns.push(column),
            None => tables.push(Table { name: row.table_name, columns: vec![column] }),
        }
    }
    Ok(tables)
}

/// Returns the name of every table there is, the list of migrations too; empty on a new database.
///
/// # Errors
/// When the engine refuses.
pub fn list_table_names(conn: &mut DbConn) -> QueryResult<Vec<String>> {
    let mut names: Vec<String> =
        list_columns(conn)?.into_iter().map(|row| row.table_name).collect();
    names.dedup();
    Ok(names)
}

fn list_columns(conn: &mut DbConn) -> QueryResult<Vec<ColumnRow>> {
    match conn {
        DbConn::Sqlite(conn) => sql_query(SQLITE_COLUMNS).load(conn),
        DbConn::Postgres(conn) => sql_query(POSTGRES_COLUMNS).load(conn),
    }
}

fn storage_of(row: &ColumnRow) -> Option<Storage> {
    match row.kind.as_str() {
        "INTEGER" | "INT" | "int2" | "int4" | "int8" | "bool" => Some(Storage::Integer),
        "TEXT" | "text" | "varchar" | "timestamp" | "date" => Some(Storage::Text),
        "BLOB" | "bytea" | "uuid" => Some(Storage::Bytes),
        "REAL" | "float8" => Some(Storage::Real),
        _ => None,
    }
}

fn unknown_kind(row: &ColumnRow) -> DieselError {
    DieselError::QueryBuilderError(
        format!(
            "column {}.{} is of kind {:?}, which has no place in a backup",
            row.table_name, row.column_name, row.kind
        )
        .into(),
    )
}

/// Returns how many rows `table` has.
///
/// # Errors
/// When the engine refuses.
pub fn count_rows(conn: &mut DbConn, table: &Table) -> QueryResult<i64> {
    let count = format!("SELECT count(*) AS number FROM {}", quoted(&table.name));
    Ok(sql_query(count).get_result::<Number>(conn)?.number)
}

/// Hands every row of `table` to `work`, one at a time: what is held in memory is one row.
///
/// # Errors
/// Whatever `work` answers, or the engine's refusal.
pub fn for_each_row<E: From<DieselError>>(
    conn: &mut DbConn,
    table: &Table,
    mut work: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let columns =
        |read: fn(&Column) -> String| table.columns.iter().map(read).collect::<Vec<_>>().join(", ");
    let from = quoted(&table.name);
    match conn {
        DbConn::Sqlite(conn) => {
            let rows = format!("SELECT json_array({}) AS line FROM {from}", columns(read_sqlite));
            for row in sql_query(rows).load_iter::<Line, DefaultLoadingMode>(conn)? {
                work(&row?.line)?;
            }
        }
        DbConn::Postgres(conn) => {
            let rows = format!(
                "SELECT json_build_array({})::text AS line FROM {from}",
                columns(read_postgres)
            );
            for row in sql_query(rows).load_iter::<Line, PgRowByRowLoadingMode>(conn)? {
                work(&row?.line)?;
            }
        }
    }
    Ok(())
}

fn read_sqlite(column: &Column) -> String {
    let name = quoted(&column.name);
    match column.storage {
        Storage::Integer | Storage::Text => name,
        // Of nothing, `hex` makes an empty text.
        Storage::Bytes => format!("CASE WHEN {name} IS NULL THEN NULL ELSE hex({name}) END"),
        Storage::Real => {
            format!("CASE WHEN {name} IS NULL THEN NULL ELSE printf('%!.17g', {name}) END")
        }
    }
}

fn read_postgres(column: &Column) -> String {
    let name = quoted(&column.name);
    match column.kind.as_str() {
        "bytea" => format!("upper(encode({name}, 'hex'))"),
        "uuid" => format!("upper(encode(uuid_send({name}), 'hex'))"),
        "bool" => format!("{name}::int"),
        "date" => format!("to_char({name}, 'YYYY-MM-DD')"),
        // As SQLite keeps it: no fraction, or three digits, or six.
        "timestamp" => format!(
            "to_char({name}, CASE WHEN extract(microseconds FROM {name})::int % 1000000 = 0 THEN 'YYYY-MM-DD HH24:MI:SS'
             WHEN extract(microseconds FROM {name})::int % 1000 = 0 THEN 'YYYY-MM-DD HH24:MI:SS.MS'
             ELSE 'YYYY-MM-DD HH24:MI:SS.US' END)"
        ),
        "float8" => format!("{name}::text"),
        _ => name,
    }
}

/// Returns the highest number `table` ever gave to a row by itself, so that a number is never given twice; `None` where
/// it gives none.
///
/// # Errors
/// When the engine refuses.
pub fn find_last_number(conn: &mut DbConn, table: &Table) -> QueryResult<Option<i64>> {
    match conn {
        DbConn::Sqlite(conn) => {
            let numbers: Vec<Number> = sql_query(
                "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = t.name), 0) AS number
                 FROM sqlite_schema AS t WHERE t.type = 'table' AND t.name = ? AND t.sql LIKE '%AUTOINCREMENT%'",
            )
            .bind::<Text, _>(&table.name)
            .load(conn)?;
            Ok(numbers.into_iter().next().map(|row| row.number))
        }
        DbConn::Postgres(conn) => {
            let Some(sequence) = postgres_sequence(conn, table)? else {
                return Ok(None);
            };
            let last = format!(
                "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS number FROM {}",
                sequence.name
            );
            Ok(Some(sql_query(last).get_result::<Number>(conn)?.number))
        }
    }
}

/// What numbers the rows of a table.
#[derive(QueryableByName)]
pub(super) struct Sequence {
    /// Its name, quoted.
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    /// The numbered column.
    #[diesel(sql_type = Text)]
    pub(super) column: String,
}

pub(super) fn postgres_sequence(
    conn: &mut diesel::PgConnection,
    table: &Table,
) -> QueryResult<Option<Sequence>> {
    let found: Vec<Sequence> = sql_query(
        "SELECT s.name, s.column FROM (
             SELECT pg_get_serial_sequence(quote_ident(c.relname), a.attname) AS name, a.attname::text AS column
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
             WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = $1
               AND a.attnum > 0 AND NOT a.attisdropped) s
         WHERE s.name IS NOT NULL",
    )
    .bind::<Text, _>(&table.name)
    .load(conn)?;
    Ok(found.into_iter().next())
}

/// Returns `name` as an identifier that means this table or column whatever it holds.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Column {
    /// Returns the expression that reads this column's value out of the `nth` place of a row in our notation.
    pub(super) fn write_expression(&self, nth: usize, is_postgres: bool) -> String {
        if is_postgres { self.write_postgres(nth) } else { self.write_sqlite(nth) }
    }

    fn write_sqlite(&self, nth: usize) -> String {
        let value = format!("json_extract(value, '$[{nth}]')");
        match self.storage {
            Storage::Integer | Storage::Text => value,
            Storage::Bytes => format!("unhex({value})"),
            Storage::Real => format!("CAST({value} AS REAL)"),
        }
    }

    fn write_postgres(&self, nth: usize) -> String {
        match self.kind.as_str() {
            "bytea" => format!("decode(value->>{nth}, 'hex')"),
            "bool" => format!("(value->>{nth})::int::bool"),
            kind => format!("(value->>{nth})::{kind}"),
        }
    }
}
