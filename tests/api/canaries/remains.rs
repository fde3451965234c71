//! What is left when the service has stopped: every byte of the database, of the folder beside it, and of a backup.

use std::path::Path;

use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::harness::TestApp;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Returns named places and what lies there.
pub(crate) fn collect(app: &TestApp, backups: &Path) -> Vec<(String, Vec<u8>)> {
    let mut remains = Vec::new();
    read_folder(app.folder.path(), &mut remains);
    read_folder(backups, &mut remains);
    if app.is_postgres() {
        let mut conn = PgConnection::establish(&app.database_url).expect("a connection");
        let ask = |conn: &mut PgConnection, query: &str| -> Vec<String> {
            let lines: Vec<Line> = sql_query(query).load(conn).expect("an answer");
            lines.into_iter().map(|line| line.line).collect()
        };
        let tables = "SELECT table_name::text AS line FROM information_schema.tables \
                      WHERE table_schema = 'public'";
        for table in ask(&mut conn, tables) {
            let rows = format!("SELECT row_to_json(t)::text AS line FROM \"{table}\" t");
            let rows = ask(&mut conn, &rows).join("\n");
            remains.push((format!("table {table}"), rows.into_bytes()));
        }
        sql_query("CHECKPOINT").execute(&mut conn).expect("a checkpoint");
        let folder = "SELECT current_setting('data_directory') AS line";
        let own = "SELECT oid::text AS line FROM pg_database WHERE datname = current_database()";
        let (folder, own) = (ask(&mut conn, folder).concat(), ask(&mut conn, own).concat());
        // Whoever runs the tests may not be whom the files belong to; where they are, they are read.
        let folder = Path::new(&folder);
        read_folder(&folder.join("base").join(own), &mut remains);
        read_folder(&folder.join("pg_wal"), &mut remains);
        read_file(&folder.with_file_name("log"), &mut remains);
    }
    remains
}

fn read_folder(folder: &Path, remains: &mut Vec<(String, Vec<u8>)>) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_folder(&path, remains);
        } else {
            read_file(&path, remains);
        }
    }
}

fn read_file(path: &Path, remains: &mut Vec<(String, Vec<u8>)>) {
    if let Ok(bytes) = std::fs::read(path) {
        remains.push((path.display().to_string(), bytes));
    }
}
