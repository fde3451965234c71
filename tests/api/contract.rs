//! The two trees of migrations are one schema, and each can be undone.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use crate::harness::TestApp;

/// Nullability by table and column.
pub(crate) type Schema = BTreeMap<(String, String), bool>;

pub(crate) fn tree(engine: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine)
}

pub(crate) fn folders(engine: &str) -> Vec<String> {
    let entries = fs::read_dir(tree(engine)).expect("a tree");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries
        .map(|entry| name(entry.expect("an entry")))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn without_comments(sql: &str) -> String {
    let cut = |line: &str| line.split("--").next().unwrap_or_default().to_owned();
    sql.lines().map(cut).collect::<Vec<_>>().join("\n")
}

/// Splits at commas outside parentheses.
fn split_items(text: &str) -> Vec<String> {
    let (mut items, mut depth) = (vec![String::new()], 0);
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                items.push(String::new());
                continue;
            }
            _ => {}
        }
        items.last_mut().expect("an item").push(letter);
    }
    items
}

/// Reads the tables out of every `up.sql`.
pub(crate) fn declared(engine: &str) -> Schema {
    let mut schema = Schema::new();
    for folder in folders(engine) {
        let sql = fs::read_to_string(tree(engine).join(folder).join("up.sql")).expect("up.sql");
        let sql = without_comments(&sql).to_lowercase();
        for statement in sql.split(';').map(str::trim) {
            let altered = statement.strip_prefix("alter table ");
            if let Some((from, to)) = altered.and_then(|words| words.split_once(" rename to ")) {
                let (renamed, others): (Schema, Schema) =
                    schema.into_iter().partition(|((table, _), _)| table == from);
                let renamed = renamed.into_iter();
                schema = others;
                schema.extend(
                    renamed.map(|((_, column), nullable)| ((to.to_owned(), column), nullable)),
                );
                continue;
            }
            if let Some(added) = altered {
                let (table, column) =
                    added.split_once(" add column ").expect("only columns are added");
                let name = column.split_whitespace().next().expect("a name");
                schema.insert(
                    (table.trim().to_owned(), name.to_owned()),
                    !column.contains("not null"),
                );
                continue;
            }
            let Some(table) = statement.strip_prefix("create table ") else {
                continue;
            };
            let (name, rest) = table.split_once('(').expect("columns");
            let (columns, _) = rest.rsplit_once(')').expect("columns");
            let items = split_items(columns);
            let items: Vec<&str> = items.iter().map(|item| item.trim()).collect();
            let is_constraint = |item: &&&str| {
                let first = item.split([' ', '(']).next().unwrap_or_default();
                ["constraint", "primary", "unique", "check", "foreign"].contains(&first)
            };
            let keys: String = items
                .iter()
                .filter(is_constraint)
                .filter(|item| item.contains("primary key"))
                .map(|item| item.replace(['(', ')', ','], " "))
                .collect::<Vec<_>>()
                .join("  ");
            let keys = format!(" {keys} ");
            for item in items.iter().filter(|item| !is_constraint(item)) {
                let column = item.split_whitespace().next().expect("a name");
                let is_key = item.contains("primary key") || keys.contains(&format!(" {column} "));
                let is_nullable = !item.contains("not null") && !is_key;
                schema.insert((name.trim().to_owned(), column.to_owned()), is_nullable);
            }
        }
    }
    schema
}

#[test]
fn both_engines_get_the_same_tables_columns_and_nullability() {
    let (sqlite, postgres) = (declared("sqlite"), declared("postgres"));

    assert_eq!(folders("sqlite"), folders("postgres"));
    assert!(sqlite.len() > 100, "the tables are read: {}", sqlite.len());
    assert_eq!(sqlite, postgres);
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

fn tables(app: &TestApp) -> BTreeSet<String> {
    let query = if app.is_postgres() {
        "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    };
    let rows = app.context.db.read_here(|conn| Ok(sql_query(query).load::<Name>(conn)?));
    rows.expect("the tables").into_iter().map(|row| row.name).collect()
}

#[test]
fn undoing_every_migration_leaves_nothing_and_they_can_be_done_again() {
    let app = TestApp::start();
    let engine = if app.is_postgres() { "postgres" } else { "sqlite" };
    let before = tables(&app);
    let names: BTreeSet<String> = declared(engine).into_keys().map(|(table, _)| table).collect();
    assert!(before.is_superset(&names), "{before:?}");
    let run = |folder: &str, file: &str| {
        let sql = fs::read_to_string(tree(engine).join(folder).join(file)).expect("a file");
        let done = app.context.db.write_here(move |tx| Ok(tx.conn.batch_execute(&sql)?));
        done.unwrap_or_else(|error| unreachable!("{folder}/{file}: {error:?}"));
    };

    for folder in folders(engine).iter().rev() {
        run(folder, "down.sql");
    }
    let left: BTreeSet<String> = tables(&app).intersection(&names).cloned().collect();
    assert!(left.is_empty(), "{left:?}");

    for folder in &folders(engine) {
        run(folder, "up.sql");
    }
    assert_eq!(tables(&app), before);
}
