//! Somebody who keeps backups, and ways to see a whole database.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that cannot go on fails its test"
)]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use sentinelle::backup::error::BackupError;
use sentinelle::backup::identities::{Identities, Recipients, make_identity};
use sentinelle::backup::restore::{RestoreReport, Sources, restore};
use sentinelle::backup::write::{BackupReport, Destination, Finished, back_up};
use sentinelle::db::dialect::tables::{
    Column, Storage, Table, find_last_number, for_each_row, list_tables,
};
use sentinelle::db::dialect::{DbConn, Target};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::harness::{Client, TestApp, submit_march};

/// Somebody who can open backups, and a folder for them.
pub(crate) struct Keeper {
    pub(crate) folder: TempDir,
    pub(crate) recipient: String,
    pub(crate) identity: PathBuf,
}

impl Keeper {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let identity = folder.path().join("identity.txt");
        let recipient =
            make_identity(&identity, instant("2024-04-01T12:00:00Z")).expect("an identity");
        Self { folder, recipient, identity }
    }

    pub(crate) fn identities(&self) -> Identities {
        Identities::read(&[&self.identity]).expect("an identity")
    }

    /// Backs the database up as of a made-up moment, which is in the names.
    pub(crate) fn back_up(&self, database_url: &str, now: &str) -> BackupReport {
        let recipients =
            Recipients::read(std::slice::from_ref(&self.recipient), None).expect("one");
        let to = Destination::new(self.folder.path(), None, instant(now)).expect("a folder");
        let target = Target::parse(database_url).expect("an address");
        let finished = back_up(&target, &to, &recipients, instant(now), &mut |_| {});
        finished.and_then(Finished::publish).expect("a backup")
    }

    pub(crate) fn restore(
        &self,
        data: &Path,
        keys: Option<&Path>,
        database_url: &str,
    ) -> Result<RestoreReport, BackupError> {
        let sources = Sources { data: data.to_owned(), keys: keys.map(Path::to_owned) };
        let target = Target::parse(database_url).expect("an address");
        restore(&target, &sources, &self.identities(), &mut |_| {})
    }

    /// The plain lines of a part.
    pub(crate) fn plain(&self, part: &Path) -> String {
        let identity = std::fs::read_to_string(&self.identity).expect("an identity");
        let identity: age::x25519::Identity =
            identity.lines().last().expect("a line").parse().expect("an identity");
        let file = std::fs::File::open(part).expect("a part");
        let opened = age::Decryptor::new(file).expect("an age file");
        let opened = opened.decrypt(std::iter::once(&identity as _)).expect("it is for us");
        let mut text = String::new();
        flate2::read::GzDecoder::new(opened).read_to_string(&mut text).expect("gzipped text");
        text
    }
}

pub(crate) fn instant(rfc3339: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(rfc3339).expect("an instant").to_utc()
}

pub(crate) fn connect(database_url: &str) -> DbConn {
    Target::parse(database_url).and_then(|target| target.connect()).expect("a connection")
}

pub(crate) fn execute(database_url: &str, sql: &str) {
    connect(database_url).batch_execute(sql).expect("the statements run");
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

pub(crate) fn count(database_url: &str, rows: &str) -> i64 {
    let sql = format!("SELECT count(*) AS number FROM {rows}");
    sql_query(sql).get_result::<Number>(&mut connect(database_url)).expect("a number").number
}

pub(crate) fn lines(conn: &mut DbConn, sql: &str) -> Vec<String> {
    let rows: Vec<Line> = sql_query(sql).load(conn).expect("rows");
    rows.into_iter().map(|row| row.line).collect()
}

/// Every row of every table as the engine itself shows it, by table, sorted; made without any code of the product.
pub(crate) fn dump(database_url: &str) -> BTreeMap<String, Vec<String>> {
    let conn = &mut connect(database_url);
    let is_postgres = matches!(conn, DbConn::Postgres(_));
    let tables = if is_postgres {
        "SELECT table_name::text AS line FROM information_schema.tables WHERE table_schema = 'public'"
    } else {
        "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    };
    let mut dump = BTreeMap::new();
    for table in lines(conn, tables) {
        let rows = if is_postgres {
            format!("SELECT row_to_json(t)::text AS line FROM {table} t")
        } else {
            let columns = format!(
                "SELECT 'quote(\"' || name || '\")' AS line FROM pragma_table_info('{table}')"
            );
            let columns = lines(conn, &columns).join(" || ',' || ");
            format!("SELECT {columns} AS line FROM {table}")
        };
        let mut rows = lines(conn, &rows);
        rows.sort_unstable();
        // When a migration ran is of the database, not of the data.
        if table != "__diesel_schema_migrations" {
            dump.insert(table, rows);
        }
    }
    dump
}

/// The same in the notation both engines share, with the numbers that come next.
pub(crate) fn shared_dump(database_url: &str) -> BTreeMap<String, (Vec<String>, Option<i64>)> {
    let conn = &mut connect(database_url);
    let tables = list_tables(conn).expect("the tables");
    let mut dump = BTreeMap::new();
    for table in tables {
        let mut rows = Vec::new();
        let read = for_each_row(conn, &table, |row| {
            let row: Value = serde_json::from_str(row).expect("JSON");
            rows.push(row.to_string());
            Ok::<(), diesel::result::Error>(())
        });
        read.expect("the rows");
        rows.sort_unstable();
        let last = find_last_number(conn, &table).expect("a number");
        dump.insert(table.name, (rows, last));
    }
    dump
}

/// What [`fill`] has made.
pub(crate) struct Filled {
    pub(crate) monitor: Client,
    pub(crate) reviewer: Client,
    /// Path of a report with a narrative and a name.
    pub(crate) report: String,
}

/// Fails at the first table in which two databases differ.
#[track_caller]
pub(crate) fn is_same<T: PartialEq + std::fmt::Debug>(
    left: &BTreeMap<String, T>,
    right: &BTreeMap<String, T>,
) {
    assert!(left.keys().eq(right.keys()), "{:?} and {:?}", left.keys(), right.keys());
    for (table, rows) in left {
        assert_eq!(rows, &right[table], "{table}");
    }
}

/// Something in every table there is, some of it odd: umlauts, quotes, an instant with milliseconds and one with zeros
/// at its end, an incident merged into a later one, a number given to a row that is gone.
pub(crate) fn fill(app: &TestApp) -> Filled {
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    submit_march(&monitor, &reviewer);
    app.set_now("2024-04-02T08:00:00.120Z");
    let mut told = json!({"id": Uuid::new_v4(), "location": {"country": "COD", "lat": -6.1, "lon": 23.6},
        "occurred": "2024-03-05", "narrative": "CANARY-narrative: « déjà » \"vu\" \\ 0x00",
        "categories": ["rights.life_integrity.killing"], "harm": {"killed": 1}, "actors": [{"type": "private_security"}],
        "people": [{"name": "CANARY-name", "contact": "+23277000001", "role": "victim"}]});
    monitor.submit(&told);
    told["narrative"] = json!("CANARY-other");
    monitor.post("/v1/reports", &told).expect(409);
    app.device("SLE").submit(
        &json!({"id": Uuid::new_v4(), "location": {"country": "SLE"}, "narrative": "words"}),
    );
    app.set_now("2024-04-02T08:00:00.123Z");
    let last =
        monitor.submit(&json!({"location": {"country": "SLE"}, "narrative": "the last words"}));
    reviewer
        .decide(
            &last["incident"],
            &json!({"categories": ["rights.life_integrity.killing"], "reason": "CANARY-reason"}),
        )
        .expect(200);
    app.monitor();
    execute(
        &app.database_url,
        "UPDATE incidents SET merged_into = (SELECT max(id) FROM incidents) WHERE id = 1;
         INSERT INTO unchained_audit_entries (at, action, subject_kind, subject_id, detail)
         SELECT created_at, 'opened', 'report', uuid, '' FROM users WHERE id = 1;
         DELETE FROM tokens WHERE id = (SELECT max(id) FROM tokens);",
    );
    fill_empty_tables(&app.database_url);
    let report = format!("/v1/reports/{}", told["id"].as_str().expect("an id"));
    Filled { monitor, reviewer, report }
}

/// Runs the program on the application's database; the last word is a path.
pub(crate) fn sentinelle(app: &TestApp, words: &[&str], path: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    command.args(words).arg(path).arg("--data-dir").arg(app.folder.path());
    command.args(["--database-url", &app.database_url]).env("SENTINELLE_LOG", "error");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("the program runs")
}

/// Puts a made-up row into every table that has none, so that a table which a later migration adds has one to lose.
fn fill_empty_tables(database_url: &str) {
    let conn = &mut connect(database_url);
    let tables = list_tables(conn).expect("the tables");
    // Rows of one table may need those of another.
    for _ in 0..tables.len() {
        for table in &tables {
            if count(database_url, &table.name) == 0 {
                let insert = made_up_row(conn, table);
                drop(conn.batch_execute(&insert));
            }
        }
    }
    for table in &tables {
        assert!(count(database_url, &table.name) > 0, "{} has rows to lose", table.name);
    }
}

fn made_up_row(conn: &mut DbConn, table: &Table) -> String {
    let is_postgres = matches!(conn, DbConn::Postgres(_));
    let references = if is_postgres {
        format!(
            "SELECT a.attname || ' ' || confrelid::regclass || ' ' || b.attname AS line FROM pg_constraint
             JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]
             JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = confkey[1]
             WHERE contype = 'f' AND conrelid = '{}'::regclass",
            table.name
        )
    } else {
        let list = format!("pragma_foreign_key_list('{}')", table.name);
        format!("SELECT \"from\" || ' ' || \"table\" || ' ' || \"to\" AS line FROM {list}")
    };
    let references = lines(conn, &references);
    let value = |column: &Column| {
        let refers = |line: &String| {
            let words: Vec<&str> = line.split(' ').collect();
            (words[0] == column.name)
                .then(|| format!("(SELECT {} FROM {} LIMIT 1)", words[2], words[1]))
        };
        let value = match column.storage {
            Storage::Integer | Storage::Real => "1",
            Storage::Text => "'2024-04-01 12:00:00'",
            Storage::Bytes if is_postgres => "'00112233445566778899aabbccddeeff'",
            Storage::Bytes => "X'00112233445566778899aabbccddeeff'",
        };
        let value =
            if is_postgres { format!("'{}'", value.trim_matches('\'')) } else { value.into() };
        references.iter().find_map(refers).unwrap_or(value)
    };
    let numbers_itself = find_last_number(conn, table).expect("a number").is_some();
    let given = || table.columns.iter().filter(|column| !numbers_itself || column.name != "id");
    let values: Vec<String> = given().map(value).collect();
    let names: Vec<&str> = given().map(|column| column.name.as_str()).collect();
    format!("INSERT INTO {} ({}) VALUES ({})", table.name, names.join(", "), values.join(", "))
}
