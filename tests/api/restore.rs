//! Restoring: all or nothing, only into what is empty, across engines and versions, and honest about what is missing.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use sentinelle::backup::error::BackupError;
use sentinelle::backup::restore::RestoreReport;
use sentinelle::backup::write::BackupReport;
use sentinelle::db::dialect::migrations::known_migrations;
use sentinelle::db::dialect::tables::list_table_names;
use sentinelle::db::{Db, DbOptions};
use sentinelle::seal::key::InstanceKey;
use serde_json::{Value, json};

use crate::contract::{folders, tree};
use crate::harness::{EmptyDatabase, TestApp};
use crate::keeper::{Filled, Keeper, connect, count, dump, execute, fill, is_same, shared_dump};

const MORNING: &str = "2024-04-02T09:00:00Z";

fn restore(keeper: &Keeper, made: &BackupReport, url: &str) -> Result<RestoreReport, BackupError> {
    keeper.restore(&made.data.file, Some(&made.keys.file), url)
}

/// Fails unless nothing was written: no table, and no file where there was none.
#[track_caller]
fn is_untouched(empty: &EmptyDatabase) {
    if !empty.url.starts_with("sqlite://") {
        let names = list_table_names(&mut connect(&empty.url)).expect("the tables");
        assert_eq!(names, Vec::<String>::new());
    }
    let files = std::fs::read_dir(empty.folder.path()).expect("a folder").count();
    assert_eq!(files, 0, "files were left behind");
}

#[track_caller]
fn refuses(restored: Result<RestoreReport, BackupError>, why: &str, empty: &EmptyDatabase) {
    let told = restored.expect_err("it is refused").to_string();
    assert!(told.contains(why), "{told:?} does not say {why:?}");
    assert!(told.contains("nothing was"), "{told:?}");
    is_untouched(empty);
}

#[test]
fn a_backup_that_is_cut_off_or_changed_anywhere_restores_nothing() {
    let app = TestApp::start();
    fill(&app);
    let (keeper, empty) = (Keeper::new(), EmptyDatabase::new());
    let made = keeper.back_up(&app.database_url, MORNING);

    for part in [&made.data.file, &made.keys.file] {
        let whole = std::fs::read(part).expect("a part");
        for place in [0, 1, 30, whole.len() / 2, whole.len() - 1] {
            std::fs::write(part, &whole[..place]).expect("a part");
            let told = restore(&keeper, &made, &empty.url).expect_err("it is cut off").to_string();
            assert!(told.contains("nothing was restored"), "cut at {place}: {told}");
            is_untouched(&empty);

            let mut changed = whole.clone();
            changed[place] ^= 1;
            std::fs::write(part, &changed).expect("a part");
            let told = restore(&keeper, &made, &empty.url).expect_err("it was changed").to_string();
            assert!(told.contains("nothing was restored"), "changed at {place}: {told}");
            is_untouched(&empty);
        }
        let longer = [whole.as_slice(), b"more"].concat();
        std::fs::write(part, longer).expect("a part");
        refuses(restore(&keeper, &made, &empty.url), "is damaged or cut off", &empty);
        std::fs::write(part, &whole).expect("a part");
    }
    restore(&keeper, &made, &empty.url).expect("the whole files restore");
}

#[test]
fn a_wrong_identity_swapped_parts_and_parts_of_two_backups_are_each_told_apart() {
    let app = TestApp::start();
    let (keeper, stranger, empty) = (Keeper::new(), Keeper::new(), EmptyDatabase::new());
    let older = keeper.back_up(&app.database_url, "2024-04-01T09:00:00Z");
    let made = keeper.back_up(&app.database_url, MORNING);
    let (data, keys) = (&made.data.file, &made.keys.file);

    refuses(restore(&stranger, &made, &empty.url), "none of the identities given opens", &empty);
    refuses(
        keeper.restore(keys, Some(data), &empty.url),
        "is the key part of a backup and not the data part",
        &empty,
    );
    refuses(
        keeper.restore(data, Some(data), &empty.url),
        "is the data part of a backup and not the key part",
        &empty,
    );
    refuses(
        keeper.restore(data, Some(&older.keys.file), &empty.url),
        "a key part may be newer, never older",
        &empty,
    );
    let nothing = keeper.folder.path().join("nothing.age");
    refuses(keeper.restore(&nothing, Some(keys), &empty.url), "cannot read", &empty);
    std::fs::write(&nothing, "words\n").expect("a file");
    refuses(keeper.restore(&nothing, Some(keys), &empty.url), "nothing was restored", &empty);
}

#[test]
fn only_an_empty_database_is_filled() {
    let app = TestApp::start();
    fill(&app);
    let keeper = Keeper::new();
    let made = keeper.back_up(&app.database_url, MORNING);
    let before = dump(&app.database_url);

    let refused = restore(&keeper, &made, &app.database_url).expect_err("it is in use").to_string();

    assert!(
        refused.contains("the database is not empty") && refused.contains("nothing was changed"),
        "{refused}"
    );
    is_same(&dump(&app.database_url), &before);
}

#[test]
fn without_the_key_part_all_comes_back_but_what_was_sealed() {
    let app = TestApp::start();
    let Filled { reviewer, report, .. } = fill(&app);
    let (keeper, empty) = (Keeper::new(), EmptyDatabase::new());
    let made = keeper.back_up(&app.database_url, MORNING);

    let restored = keeper.restore(&made.data.file, None, &empty.url).expect("a restore");

    let sealed = usize::try_from(made.n_rows["sealed"]).expect("a number");
    assert_eq!((restored.n_parts_without_key, restored.keys_made_at), (sealed, None));
    assert_eq!(count(&empty.url, "data_keys"), 0);
    let server = app.serve(&empty.url);
    let there = reviewer.at(&server.url);
    let path = "/v1/aggregates?by=country,month&status=all";
    assert_eq!(there.get(path).expect(200).text(), reviewer.get(path).expect(200).text());
    assert_eq!(there.get(&report).expect(200).json()["report"], json!({}));
}

#[test]
fn what_was_erased_since_stays_erased_with_a_later_key_part() {
    let app = TestApp::start();
    let Filled { monitor, .. } = fill(&app);
    let told =
        monitor.submit(&json!({"location": {"country": "SLE"}, "narrative": "to be erased"}));
    let (keeper, empty) = (Keeper::new(), EmptyDatabase::new());
    let made = keeper.back_up(&app.database_url, "2024-04-01T09:00:00Z");
    let reference = told["reference"].as_str().expect("a reference");
    execute(
        &app.database_url,
        &format!(
            "DELETE FROM data_keys WHERE id IN (SELECT key_id FROM sealed WHERE owner_id IN
            (SELECT uuid FROM reports WHERE reference = '{reference}'))"
        ),
    );
    monitor.submit(&json!({"location": {"country": "SLE"}, "narrative": "after the data part"}));
    let later = keeper.back_up(&app.database_url, MORNING);

    let restored =
        keeper.restore(&made.data.file, Some(&later.keys.file), &empty.url).expect("a restore");

    assert_eq!(restored.n_parts_without_key, 1);
    assert_eq!(
        restored.n_rows["data_keys"],
        made.n_rows["data_keys"] - 1,
        "keys of what came later are left out"
    );
    let lost = format!(
        "sealed WHERE key_id IS NULL AND owner_id IN (SELECT uuid FROM reports WHERE reference = '{reference}')"
    );
    assert_eq!(count(&empty.url, &lost), 1);
    assert_eq!(count(&empty.url, "sealed WHERE key_id IS NULL"), 1);
}

#[test]
fn a_backup_goes_from_one_engine_to_the_other_and_back() {
    let app = TestApp::start();
    let Filled { reviewer, .. } = fill(&app);
    let (keeper, embedded, back) = (Keeper::new(), EmptyDatabase::embedded(), EmptyDatabase::new());

    let made = keeper.back_up(&app.database_url, MORNING);
    restore(&keeper, &made, &embedded.url).expect("a restore into SQLite");
    let made = keeper.back_up(&embedded.url, "2024-04-02T10:00:00Z");
    restore(&keeper, &made, &back.url).expect("a restore into the engine under test");

    is_same(&shared_dump(&embedded.url), &shared_dump(&app.database_url));
    is_same(&dump(&back.url), &dump(&app.database_url));
    let server = app.serve(&embedded.url);
    for path in
        ["/v1/aggregates?by=country,month&status=all", "/v1/incidents?status=all", "/v1/queue"]
    {
        let there = reviewer.at(&server.url).get(path).expect(200).text();
        assert_eq!(there, reviewer.get(path).expect(200).text(), "{path}");
    }
}

/// `sentinelle restore` of both parts, answering as JSON.
fn command(keeper: &Keeper, made: &BackupReport, url: &str, key: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    command.arg("restore").arg("--from").arg(&made.data.file);
    command.arg("--keys-from").arg(&made.keys.file).arg("--identity").arg(&keeper.identity);
    command.args(["--json", "--database-url", url]).arg("--key-file").arg(key);
    command.env("SENTINELLE_LOG", "error").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_restore_killed_in_the_middle_leaves_an_empty_database_that_can_be_filled() {
    let app = TestApp::start();
    fill(&app);
    let many = if app.is_postgres() {
        "INSERT INTO changes SELECT n, 1, 'decided' FROM generate_series(1000, 30000) n"
    } else {
        "WITH RECURSIVE n (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM n WHERE n < 30000)
         INSERT INTO changes SELECT n, 1, 'decided' FROM n"
    };
    execute(&app.database_url, many);
    let (keeper, empty) = (Keeper::new(), EmptyDatabase::new());
    let made = keeper.back_up(&app.database_url, MORNING);
    let key = app.folder.path().join("instance.key");
    let command = || command(&keeper, &made, &empty.url, &key);

    let mut killed = command().spawn().expect("the program starts");
    let mut words = BufReader::new(killed.stderr.take().expect("its words")).lines();
    let first = words.next().expect("it says how far it is").expect("text");
    killed.kill().expect("it runs");
    let ended = killed.wait_with_output().expect("it ends");

    assert!(first.contains("rows loaded (0 %"), "{first}");
    assert!(!ended.status.success() && ended.stdout.is_empty(), "it did not come to its end");
    if !app.is_postgres() || list_table_names(&mut connect(&empty.url)).is_ok() {
        let names = list_table_names(&mut connect(&empty.url)).expect("the tables");
        assert_eq!(names, Vec::<String>::new(), "nothing of it is there");
    }
    let again = command().output().expect("the program runs");
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let verdict: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!((&verdict["status"], &verdict["is_opened_by_key"]), (&json!("ok"), &json!(true)));
    let without_log = |url: &str| {
        let mut dump = dump(url);
        dump.retain(|table, _| !table.contains("audit"));
        dump
    };
    is_same(&without_log(&empty.url), &without_log(&app.database_url));
    assert_eq!(count(&empty.url, "audit_entries WHERE action = 'restored'"), 1);
}

/// Makes the schema as a program knew it that had the first `n` migrations.
fn make_old_schema(database_url: &str, n: usize) -> Vec<String> {
    let engine = if database_url.starts_with("sqlite") { "sqlite" } else { "postgres" };
    let versions: Vec<String> =
        known_migrations().expect("migrations").into_iter().take(n).collect();
    execute(
        database_url,
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL,
        run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    );
    for (folder, version) in folders(engine).iter().zip(&versions) {
        let up = tree(engine).join(folder).join("up.sql");
        execute(database_url, &std::fs::read_to_string(up).expect("up.sql"));
        execute(
            database_url,
            &format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"),
        );
    }
    versions
}

#[test]
fn a_backup_of_an_older_schema_is_restored_and_brought_up_to_date() {
    let app = TestApp::start();
    let (keeper, old, empty) = (Keeper::new(), EmptyDatabase::new(), EmptyDatabase::new());
    let versions = make_old_schema(&old.url, 2);
    execute(&old.url, "INSERT INTO heads (name, seq) VALUES ('of old', 7)");

    let made = keeper.back_up(&old.url, MORNING);
    let restored = restore(&keeper, &made, &empty.url).expect("a restore");

    assert_eq!((&restored.migrations, &made.migrations), (&versions, &versions));
    let columns = |url: &str| count(url, "reports");
    assert_eq!(columns(&empty.url), 0);
    drop(Db::open(&DbOptions::new(&empty.url)).expect("the store opens and migrates"));
    assert_eq!(count(&empty.url, "heads WHERE name = 'of old' AND seq = 7"), 1);
    assert_eq!(
        list_table_names(&mut connect(&empty.url)).expect("tables"),
        list_table_names(&mut connect(&app.database_url)).expect("tables")
    );
}

#[test]
fn a_backup_of_a_newer_schema_or_format_is_refused_with_both_versions() {
    let app = TestApp::start();
    let (keeper, empty) = (Keeper::new(), EmptyDatabase::new());
    execute(
        &app.database_url,
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000000')",
    );

    let made = keeper.back_up(&app.database_url, MORNING);

    let newest = known_migrations().expect("migrations").pop().expect("one");
    let told = restore(&keeper, &made, &empty.url).expect_err("it is newer").to_string();
    assert!(told.contains("20991231000000") && told.contains(&newest), "{told}");
    is_untouched(&empty);
}

#[test]
fn a_restore_names_the_instance_key_it_needs_where_another_is_given() {
    let app = TestApp::start();
    let (keeper, empty) = (Keeper::new(), EmptyDatabase::new());
    let made = keeper.back_up(&app.database_url, MORNING);
    let other = keeper.folder.path().join("other.key");
    InstanceKey::generate().expect("a key").create_file(&other).expect("a file");

    let ended = command(&keeper, &made, &empty.url, &other).output().expect("the program runs");

    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let verdict: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    assert_eq!((&verdict["status"], &verdict["is_opened_by_key"]), (&json!("ok"), &json!(false)));
    let key = InstanceKey::read_file(&app.folder.path().join("instance.key")).expect("a key").key;
    assert_eq!(verdict["instance_keys"], json!([key.id()]));
    let needed = format!("needs the instance key {}, which is in no backup", key.id());
    assert!(String::from_utf8_lossy(&ended.stderr).contains(&needed), "the person is told");
}
