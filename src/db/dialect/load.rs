//! Fills an empty database with the rows of another, in one transaction. Rows come in any order of tables, so references
//! and triggers rest meanwhile; all are put back, and every reference is proved, before the commit.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl, sql_query};

use crate::db::dialect::tables::{Number, Table, postgres_sequence, quoted};
use crate::db::dialect::{self, DbConn};

/// What rests while rows are loaded, as statements that put it back.
#[must_use = "what rests must be put back before the commit"]
pub struct Rest {
    put_back: Vec<String>,
}

#[derive(QueryableByName)]
struct Pair {
    #[diesel(sql_type = Text)]
    undo: String,
    #[diesel(sql_type = Text)]
    redo: String,
}

const SQLITE_TRIGGERS: &str = r#"
    SELECT 'DROP TRIGGER "' || replace(name, '"', '""') || '"' AS undo, sql AS redo
    FROM sqlite_schema WHERE type = 'trigger'"#;

/// References are dropped rather than deferred: proving them all at the end is one pass a table and needs no memory a
/// row. A trigger comes back as it was: ordinary, always or for replicas.
const POSTGRES_REFERENCES_AND_TRIGGERS: &str = "
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS undo,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS redo
    FROM pg_constraint
    WHERE contype = 'f' AND connamespace = current_schema()::regnamespace AND conparentid = 0
    UNION ALL
    SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', t.tgrelid::regclass, t.tgname),
           format('ALTER TABLE %s ENABLE %s TRIGGER %I', t.tgrelid::regclass,
                  CASE t.tgenabled WHEN 'A' THEN 'ALWAYS' WHEN 'R' THEN 'REPLICA' ELSE '' END, t.tgname)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.relnamespace = current_schema()::regnamespace";

/// Begins the transaction that fills a database; whoever starts on it now waits or is refused.
///
/// # Errors
/// When the engine refuses.
pub fn begin_load(conn: &mut DbConn) -> QueryResult<()> {
    if let DbConn::Sqlite(conn) = conn {
        // Inside a transaction it would do nothing. `put_back` proves every reference instead.
        conn.batch_execute("PRAGMA foreign_keys = OFF")?;
    }
    dialect::begin_write(conn)?;
    if let DbConn::Postgres(conn) = conn {
        // The lock under which a server migrates.
        conn.batch_execute("SELECT pg_advisory_xact_lock(8315173724060542316)")?;
    }
    Ok(())
}

/// Lets references and triggers rest.
///
/// # Errors
/// When the engine refuses.
pub fn rest(conn: &mut DbConn) -> QueryResult<Rest> {
    let pairs: Vec<Pair> = match conn {
        DbConn::Sqlite(conn) => sql_query(SQLITE_TRIGGERS).load(conn)?,
        DbConn::Postgres(conn) => sql_query(POSTGRES_REFERENCES_AND_TRIGGERS).load(conn)?,
    };
    for pair in &pairs {
        conn.batch_execute(&pair.undo)?;
    }
    Ok(Rest { put_back: pairs.into_iter().map(|pair| pair.redo).collect() })
}

/// Puts back what rested and proves that every reference leads to a row.
///
/// # Errors
/// A foreign-key violation that names the table, or the engine's refusal.
pub fn put_back(conn: &mut DbConn, rest: Rest) -> QueryResult<()> {
    for statement in rest.put_back {
        conn.batch_execute(&statement)?;
    }
    let DbConn::Sqlite(conn) = conn else {
        return Ok(());
    };
    let broken: Vec<Line> = sql_query(
        "SELECT \"table\" || ' refers to rows of ' || parent || ' that are not there' AS line
         FROM pragma_foreign_key_check LIMIT 1",
    )
    .load(conn)?;
    broken.into_iter().next().map_or(Ok(()), |broken| {
        Err(diesel::result::Error::DatabaseError(
            diesel::result::DatabaseErrorKind::ForeignKeyViolation,
            Box::new(broken.line),
        ))
    })
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Removes every row of `table`: what its migration put there is in the backup, as it was then.
///
/// # Errors
/// When the engine refuses.
pub fn clear(conn: &mut DbConn, table: &Table) -> QueryResult<()> {
    // A table that may only grow may have withdrawn the right to delete; it is empty, as nobody has used it yet.
    if super::tables::count_rows(conn, table)? > 0 {
        conn.batch_execute(&format!("DELETE FROM {}", quoted(&table.name)))?;
    }
    Ok(())
}

/// Returns the statement that files rows of `table`, given as one JSON array of rows whose values stand in the order of
/// `order` (indices into the table's columns).
pub fn insert_statement(conn: &DbConn, table: &Table, order: &[usize]) -> String {
    let is_postgres = matches!(conn, DbConn::Postgres(_));
    let columns = || {
        order
            .iter()
            .enumerate()
            .filter_map(|(nth, column)| Some((nth, table.columns.get(*column)?)))
    };
    let names: Vec<String> = columns().map(|(_, column)| quoted(&column.name)).collect();
    let values: Vec<String> =
        columns().map(|(nth, column)| column.write_expression(nth, is_postgres)).collect();
    let (table, names, values) = (quoted(&table.name), names.join(", "), values.join(", "));
    if is_postgres {
        format!(
            "INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE
             SELECT {values} FROM jsonb_array_elements($1::jsonb) AS rows (value)"
        )
    } else {
        format!("INSERT INTO {table} ({names}) SELECT {values} FROM json_each(?)")
    }
}

/// Files `rows` by the statement of [`insert_statement`].
///
/// # Errors
/// When the engine refuses one of them.
pub fn insert_json(conn: &mut DbConn, statement: &str, rows: &str) -> QueryResult<usize> {
    match conn {
        DbConn::Sqlite(conn) => sql_query(statement).bind::<Text, _>(rows).execute(conn),
        DbConn::Postgres(conn) => sql_query(statement).bind::<Text, _>(rows).execute(conn),
    }
}

/// Makes `table` number its next row above `last` and above every row it has.
///
/// # Errors
/// When the engine refuses.
pub fn set_last_number(conn: &mut DbConn, table: &Table, last: i64) -> QueryResult<()> {
    match conn {
        // Inserting has raised it to the highest row already.
        DbConn::Sqlite(conn) => {
            let name = &table.name;
            sql_query(
                "INSERT INTO sqlite_sequence (name, seq)
                 SELECT ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)",
            )
            .bind::<Text, _>(name)
            .execute(conn)?;
            sql_query("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?")
                .bind::<BigInt, _>(last)
                .bind::<Text, _>(name)
                .execute(conn)?;
        }
        DbConn::Postgres(conn) => {
            let Some(sequence) = postgres_sequence(conn, table)? else {
                return Ok(());
            };
            let highest = format!(
                "SELECT greatest($1, (SELECT max({}) FROM {})) AS number",
                quoted(&sequence.column),
                quoted(&table.name)
            );
            let highest = sql_query(highest).bind::<BigInt, _>(last);
            let highest = highest.get_result::<Number>(conn)?.number;
            if highest > 0 {
                sql_query("SELECT setval($1::regclass, $2)")
                    .bind::<Text, _>(&sequence.name)
                    .bind::<BigInt, _>(highest)
                    .execute(conn)?;
            }
        }
    }
    Ok(())
}

/// A column whose values are ids of another table's rows.
#[derive(Debug, QueryableByName)]
pub struct Reference {
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Text)]
    column: String,
}

/// Returns every column that refers to `data_keys`: what is sealed under a key of its own.
///
/// # Errors
/// When the engine refuses.
pub fn list_key_references(conn: &mut DbConn) -> QueryResult<Vec<Reference>> {
    match conn {
        DbConn::Sqlite(conn) => sql_query(
            "SELECT t.name AS \"table\", f.\"from\" AS \"column\"
             FROM pragma_table_list AS t JOIN pragma_foreign_key_list(t.name) AS f
             WHERE t.schema = 'main' AND t.type = 'table' AND f.\"table\" = 'data_keys'",
        )
        .load(conn),
        DbConn::Postgres(conn) => sql_query(
            "SELECT c.relname::text AS table, a.attname::text AS column
             FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
             WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace
               AND k.confrelid = 'data_keys'::regclass",
        )
        .load(conn),
    }
}

/// Makes what is sealed under a key that is not there say so, as destroying the key does; returns how many parts.
///
/// # Errors
/// When the engine refuses.
pub fn forget_missing_keys(conn: &mut DbConn, references: &[Reference]) -> QueryResult<usize> {
    references.iter().try_fold(0, |n_parts, reference| {
        let (table, column) = (quoted(&reference.table), quoted(&reference.column));
        let forget = format!(
            "UPDATE {table} SET {column} = NULL WHERE {column} IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM data_keys WHERE data_keys.id = {table}.{column})"
        );
        Ok(n_parts + sql_query(forget).execute(conn)?)
    })
}

/// Removes the data keys under which nothing is sealed; returns how many.
///
/// # Errors
/// When the engine refuses.
pub fn remove_unused_keys(conn: &mut DbConn, references: &[Reference]) -> QueryResult<usize> {
    let unused: Vec<String> = references
        .iter()
        .map(|reference| {
            let (table, column) = (quoted(&reference.table), quoted(&reference.column));
            format!("NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.{column} = data_keys.id)")
        })
        .collect();
    if unused.is_empty() {
        return Ok(0);
    }
    sql_query(format!("DELETE FROM data_keys WHERE {}", unused.join(" AND "))).execute(conn)
}
