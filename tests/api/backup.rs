//! Backups: what is in them, who can open them, and that every row of every table comes back.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sentinelle::backup::error::BackupError;
use sentinelle::backup::identities::{Recipients, make_identity};
use sentinelle::backup::write::{Destination, Finished, back_up, old_key_parts};
use sentinelle::db::dialect::Target;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::contract::declared;
use crate::harness::{EmptyDatabase, TestApp};
use crate::keeper::{
    Filled, Keeper, connect, count, dump, execute, fill, instant, is_same, lines, sentinelle,
    shared_dump,
};
use crate::process::Served;

#[test]
fn every_row_of_every_table_comes_back_and_the_server_goes_on_where_it_was() {
    let app = TestApp::start();
    let Filled { monitor, reviewer, report } = fill(&app);
    let (keeper, empty) = (Keeper::new(), EmptyDatabase::new());

    let made = keeper.back_up(&app.database_url, "2024-04-02T09:00:00Z");
    let restored =
        keeper.restore(&made.data.file, Some(&made.keys.file), &empty.url).expect("a restore");

    is_same(&dump(&empty.url), &dump(&app.database_url));
    is_same(&shared_dump(&empty.url), &shared_dump(&app.database_url));
    assert_eq!(restored.n_rows, made.n_rows);
    assert_eq!(restored.n_parts_without_key, 0);
    assert_eq!(restored.instance_keys, made.instance_keys);

    let server = app.serve(&empty.url);
    let (monitor_there, reviewer_there) = (monitor.at(&server.url), reviewer.at(&server.url));
    for path in [
        "/v1/aggregates?by=country,month&status=all",
        "/v1/incidents?status=all",
        "/v1/queue",
        "/v1/quarantine",
    ] {
        assert_eq!(
            reviewer_there.get(path).expect(200).text(),
            reviewer.get(path).expect(200).text(),
            "{path}"
        );
    }
    assert_eq!(
        reviewer_there.get(&report).expect(200).text(),
        reviewer.get(&report).expect(200).text()
    );
    // The next rows get numbers of their own.
    let next = json!({"location": {"country": "SLE"}, "narrative": "after", "categories": ["rights.life_integrity.killing"]});
    reviewer_there.set_status(&monitor_there.submit(&next)["incident"], "verified");
    reviewer.set_status(&monitor.submit(&next)["incident"], "verified");
    let highest = "incidents WHERE id = (SELECT max(id) FROM incidents) AND id > 14";
    assert_eq!((count(&empty.url, highest), count(&app.database_url, highest)), (1, 1));
}

#[test]
fn every_table_of_the_migrations_is_in_a_backup_and_the_data_keys_in_their_own_part() {
    let app = TestApp::start();
    let keeper = Keeper::new();

    let made = keeper.back_up(&app.database_url, "2024-04-02T09:00:00Z");

    let right: BTreeSet<String> = declared(if app.is_postgres() { "postgres" } else { "sqlite" })
        .into_keys()
        .map(|(table, _)| table)
        .collect();
    let tables = |part: &Path| -> BTreeSet<String> {
        let plain = keeper.plain(part);
        let marks = plain.lines().filter(|line| line.starts_with('{'));
        marks
            .filter_map(|line| {
                serde_json::from_str::<Value>(line).expect("JSON")["table"]["name"]
                    .as_str()
                    .map(str::to_owned)
            })
            .collect()
    };
    let (data, keys) = (tables(&made.data.file), tables(&made.keys.file));
    assert_eq!(keys, BTreeSet::from(["data_keys", "key_rotations"].map(str::to_owned)));
    assert!(data.is_disjoint(&keys), "{data:?}");
    assert_eq!(data.union(&keys).cloned().collect::<BTreeSet<_>>(), right);
}

#[test]
fn a_backup_beside_eight_senders_holds_whole_reports_and_all_that_were_acknowledged_before() {
    let app = TestApp::start();
    let (keeper, empty) = (Keeper::new(), EmptyDatabase::new());
    let (monitor, served) = (app.monitor(), Served::start(&app, "UTC"));
    let is_over = AtomicBool::new(false);
    let body = |n: usize| {
        json!({"location": {"country": "SLE"}, "narrative": format!("words {n} {}", Uuid::new_v4()),
        "people": [{"name": "A. Name", "role": "victim"}]})
    };

    let (ended, before) = std::thread::scope(|scope| {
        for n in 0..8 {
            let (phone, is_over) = (monitor.at(&served.url), &is_over);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    phone.submit(&body(n));
                }
            });
        }
        while count(&app.database_url, "reports") < 300 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let before = count(&app.database_url, "reports");
        let ended = sentinelle(
            &app,
            &["backup", "--json", "--recipient", &keeper.recipient, "--to"],
            keeper.folder.path(),
        );
        is_over.store(true, Ordering::Relaxed);
        (ended, before)
    });

    let after = count(&app.database_url, "reports");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let made: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    let file = |part: &str| PathBuf::from(made[part]["file"].as_str().expect("a file"));
    keeper.restore(&file("data"), Some(&file("keys")), &empty.url).expect("a restore");
    let restored = count(&empty.url, "reports");
    assert!((before..=after).contains(&restored), "{before} <= {restored} <= {after}");
    assert_eq!(made["n_rows"]["reports"], restored);
    let none = [
        "reports WHERE NOT EXISTS (SELECT 1 FROM incidents WHERE incidents.id = reports.incident_id)",
        "incidents WHERE NOT EXISTS (SELECT 1 FROM incident_facts WHERE incident_facts.incident_id = incidents.id)",
        "incidents WHERE NOT EXISTS (SELECT 1 FROM changes WHERE changes.incident_id = incidents.id)",
        "reports WHERE 2 <> (SELECT count(*) FROM sealed JOIN data_keys ON data_keys.id = sealed.key_id
             WHERE sealed.owner_id = reports.uuid AND sealed.part IN ('text', 'identity'))",
        "reports WHERE NOT EXISTS (SELECT 1 FROM audit_entries
             WHERE audit_entries.subject_id = reports.uuid AND audit_entries.action = 'received')",
        "data_keys WHERE NOT EXISTS (SELECT 1 FROM sealed WHERE sealed.key_id = data_keys.id)",
    ];
    for rows in none {
        assert_eq!(count(&empty.url, rows), 0, "{rows}");
    }
    assert_eq!(count(&app.database_url, "audit_entries WHERE action = 'backed_up'"), 1);
}

#[test]
fn nothing_told_in_confidence_and_no_destroyed_key_is_in_any_part() {
    let app = TestApp::start();
    let Filled { monitor, reviewer, .. } = fill(&app);
    let erased =
        monitor.submit(&json!({"location": {"country": "SLE"}, "narrative": "CANARY-erased"}));
    let conn = &mut connect(&app.database_url);
    let of_report = format!(
        "sealed.owner_id = (SELECT uuid FROM reports WHERE reference = '{}')",
        erased["reference"].as_str().expect("a reference")
    );
    let shown = if app.is_postgres() { "encode(wrapped, 'hex')" } else { "hex(wrapped)" };
    let wrapped = lines(
        conn,
        &format!(
            "SELECT upper({shown}) AS line FROM data_keys JOIN sealed ON key_id = data_keys.id WHERE {of_report}"
        ),
    );
    assert_eq!(wrapped.len(), 1);
    execute(
        &app.database_url,
        &format!("DELETE FROM data_keys WHERE id IN (SELECT key_id FROM sealed WHERE {of_report})"),
    );
    let keeper = Keeper::new();

    let made = keeper.back_up(&app.database_url, "2024-04-02T09:00:00Z");

    for part in [&made.data.file, &made.keys.file] {
        let bytes = std::fs::read(part).expect("a part");
        assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
        assert_eq!(std::fs::metadata(part).expect("a part").permissions().mode() & 0o777, 0o600);
        let plain = keeper.plain(part);
        assert!(!plain.contains(&wrapped[0]), "a destroyed key is in {}", part.display());
        let key = std::fs::read_to_string(app.folder.path().join("instance.key")).expect("the key");
        for secret in [
            "CANARY",
            "23277000001",
            monitor.token(),
            reviewer.token(),
            key.lines().last().expect("a line"),
        ] {
            let in_hex =
                secret.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02X}"));
            assert!(
                !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
                "{secret}"
            );
            assert!(
                !plain.contains(secret) && !plain.contains(&in_hex),
                "{secret} in {}",
                part.display()
            );
        }
    }
    let names: Vec<_> = std::fs::read_dir(keeper.folder.path()).expect("a folder").collect();
    assert_eq!(names.len(), 3, "the two parts and the identity, no file half written: {names:?}");
}

#[test]
fn a_backup_is_encrypted_always_and_overwrites_nothing() {
    let app = TestApp::start();
    let keeper = Keeper::new();
    let secret = std::fs::read_to_string(&keeper.identity).expect("an identity");
    let secret = secret.lines().last().expect("a line");
    let said = |words: &[&str]| {
        let ended = sentinelle(&app, &[words, &["--to"]].concat(), keeper.folder.path());
        assert!(!ended.status.success());
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };

    assert!(said(&["backup"]).contains("a backup is always encrypted: give --recipient"));
    assert!(said(&["backup", "--no-encryption"]).contains("unexpected argument"));
    assert!(
        said(&["backup", "--recipient", "age1nobody"])
            .contains("\"age1nobody\" in --recipient is no age recipient")
    );
    let refused = said(&["backup", "--recipient", secret]);
    assert!(refused.contains("secret identity") && !refused.contains(secret), "{refused}");
    let nowhere = sentinelle(
        &app,
        &["backup", "--recipient", &keeper.recipient, "--to"],
        &keeper.folder.path().join("disk/"),
    );
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("the folder is not there"));

    keeper.back_up(&app.database_url, "2024-04-02T09:00:00Z");
    let recipients = Recipients::read(std::slice::from_ref(&keeper.recipient), None).expect("one");
    let (target, now) =
        (Target::parse(&app.database_url).expect("an address"), instant("2024-04-02T09:00:00Z"));
    let to = Destination::new(keeper.folder.path(), None, now).expect("a folder");
    let again = back_up(&target, &to, &recipients, now, &mut |_| {});
    assert!(matches!(again.err(), Some(BackupError::Exists(_))));
    assert!(
        make_identity(&keeper.identity, now)
            .is_err_and(|error| error.to_string().contains("is there already"))
    );
    let elsewhere =
        Target::parse(&format!("sqlite://{}/nothing.db", keeper.folder.path().display()))
            .expect("an address");
    let to = Destination::new(&keeper.folder.path().join("other"), None, now).expect("a folder");
    assert!(matches!(
        back_up(&elsewhere, &to, &recipients, now, &mut |_| {}).err(),
        Some(BackupError::NoDatabase(_))
    ));
    assert!(
        !keeper.folder.path().join("nothing.db").exists(),
        "a mistyped folder becomes no database"
    );
}

#[test]
fn each_of_several_recipients_opens_a_backup_and_old_key_parts_are_named() {
    let app = TestApp::start();
    let (keeper, other) = (Keeper::new(), Keeper::new());
    let list = keeper.folder.path().join("recipients.txt");
    std::fs::write(&list, format!("# two\n{}\n\n{}\n", keeper.recipient, other.recipient))
        .expect("a file");
    let recipients = Recipients::read(&[], Some(&list)).expect("recipients");
    let (target, now) =
        (Target::parse(&app.database_url).expect("an address"), instant("2024-04-02T09:00:00Z"));
    let to = Destination::new(&keeper.folder.path().join("nightly"), None, now).expect("a folder");

    let made = back_up(&target, &to, &recipients, now, &mut |_| {})
        .and_then(Finished::publish)
        .expect("a backup");

    assert!(made.data.file.ends_with("nightly-20240402T090000Z.data.age"));
    assert!(made.keys.file.ends_with("nightly-20240402T090000Z.keys.age"));
    assert_eq!(keeper.plain(&made.data.file), other.plain(&made.data.file));
    assert_eq!(old_key_parts(&to, now), Vec::<PathBuf>::new());
    assert_eq!(old_key_parts(&to, now + chrono::Duration::seconds(1)), [made.keys.file]);
}
