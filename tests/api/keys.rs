//! The instance key: changed beside running servers, killed at any point, with every report readable throughout.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::accounts::{AccountError, add_user};
use sentinelle::auth::types::{GrantScope, Role};
use sentinelle::clock::Clock;
use sentinelle::config::StoreConfig;
use sentinelle::context::{Context, KeyPlace, StartError};
use sentinelle::db::dialect::{self, Target};
use sentinelle::db::rows::{NewDataKeyRow, NewRows};
use sentinelle::db::schema::{audit_entries, data_keys, sealed};
use sentinelle::db::sealed::add_part;
use sentinelle::error::Code;
use sentinelle::health::examine;
use sentinelle::ids::Id;
use sentinelle::keys::files::NextFile;
use sentinelle::keys::rotation::{begin, finish, rewrap_all};
use sentinelle::keys::store::{Rotation, count_data_keys, find_state};
use sentinelle::seal::envelope::{Owner, OwnerKind, Part, Sealed};
use sentinelle::seal::key::InstanceKey;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp, submit_march};
use crate::process::Served;

fn report() -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-02-10", "location": {"country": "SLE"},
        "narrative": Uuid::new_v4(), "people": [{"name": "Kadiatu", "role": "witness"}]})
}

fn new_key() -> Arc<InstanceKey> {
    Arc::new(InstanceKey::generate().expect("a key"))
}

fn key_file(app: &TestApp) -> std::path::PathBuf {
    app.folder.path().join("instance.key")
}

fn id_in(path: &Path) -> String {
    InstanceKey::read_file(path).expect("a key file").key.id().to_owned()
}

fn counts(context: &Context) -> BTreeMap<String, i64> {
    let counts = context.db.read_here(|conn| Ok(count_data_keys(conn)?)).expect("the counts");
    counts.into_iter().map(|count| (count.key_id, count.n_data_keys)).collect()
}

fn running(context: &Context) -> Option<Rotation> {
    context.db.read_here(|conn| Ok(find_state(conn)?.running)).expect("the state")
}

/// Stores `n` notes with their keys, as many as a season of reports has.
fn seed(app: &TestApp, n: u32) {
    let mut rows = NewRows::default();
    for _ in 0..n {
        let owner = Owner { kind: OwnerKind::Report, id: Uuid::new_v4() };
        let content = app.context.sealer.seal(owner, Part::Note, 1, b"a note").expect("sealed");
        add_part(&mut rows, owner, Part::Note, 1, &content);
    }
    app.context.db.insert_here(rows).expect("stored");
}

/// Opens every sealed part there is with the keys of `context`; returns how many.
#[track_caller]
fn open_all(context: &Context) -> usize {
    type Row = (String, Id<sentinelle::db::rows::Any>, String, i32, Vec<u8>, Vec<u8>, String);
    let rows: Vec<Row> = context
        .db
        .read_here(|conn| {
            Ok(sealed::table
                .inner_join(data_keys::table.on(sealed::key_id.eq(data_keys::id.nullable())))
                .select((
                    sealed::owner_kind,
                    sealed::owner_id,
                    sealed::part,
                    sealed::version,
                    sealed::blob,
                    data_keys::wrapped,
                    data_keys::kek_id,
                ))
                .load(conn)?)
        })
        .expect("the parts");
    context.refresh_keys().expect("the keys");
    for (kind, owner, part, version, blob, wrapped_key, key_id) in &rows {
        let owner = Owner { kind: OwnerKind::parse(kind).expect("a kind"), id: owner.uuid() };
        let part = Part::parse(part).expect("a part");
        let found =
            Sealed { wrapped_key: wrapped_key.clone(), key_id: key_id.clone(), blob: blob.clone() };
        let version = u32::try_from(*version).expect("a version");
        context.sealer.open(owner, part, version, &found).expect("it opens");
    }
    rows.len()
}

/// Starts the program's inside anew, as a server does, with the key of `file`.
fn start_with(app: &TestApp, file: &Path) -> Result<Context, StartError> {
    let store = StoreConfig {
        database_url: Some(app.database_url.clone()),
        key_file: Some(file.to_owned()),
        ..StoreConfig::in_folder(app.folder.path())
    };
    Context::open(&store, Clock::system(), &mut |_| {})
}

/// What reviewers and senders see that hangs on a secret of the instance.
#[derive(Debug, PartialEq)]
struct Seen {
    reports: Vec<Value>,
    incidents: Value,
    next_page: Value,
    found: Value,
    receipts: Vec<Value>,
    sites: Value,
}

/// What the tests send in between happened in February and is in none of these.
const MARCH: &str = "status=all&from=2024-03-01&to=2024-03-31";

fn look(url: &str, (monitor, reviewer): (&Client, &Client), ids: &[String], cursor: &str) -> Seen {
    let (monitor, reviewer) = (monitor.at(url), reviewer.at(url));
    let read = |client: &Client, path: &str| {
        let mut told = client.get(path).expect(200).json();
        // The number of the last change, which moves with every report.
        told.as_object_mut().expect("an object").remove("as_of");
        told
    };
    Seen {
        reports: ids.iter().map(|id| read(&reviewer, &format!("/v1/reports/{id}"))).collect(),
        incidents: read(&reviewer, &format!("/v1/incidents?{MARCH}&include=test,mismatch")),
        next_page: read(&reviewer, &format!("/v1/incidents?{MARCH}&limit=3&cursor={cursor}")),
        found: read(&reviewer, &format!("/v1/incidents?{MARCH}&q=mine")),
        receipts: ids
            .iter()
            .map(|id| read(&monitor, &format!("/v1/reports/{id}/receipt")))
            .collect(),
        sites: read(&reviewer, &format!("/v1/aggregates?{MARCH}&by=site")),
    }
}

#[test]
fn reports_places_senders_and_cursors_are_the_same_before_during_and_after_a_rotation() {
    let app = TestApp::start();
    let other = app.second_server();
    let clients = (&app.monitor(), &app.reviewer());
    let (sender, opener) = (clients.0.at(&other.url), clients.1.at(&other.url));
    let submitted = submit_march(clients.0, clients.1);
    let ids: Vec<String> =
        submitted.values().map(|sent| sent["id"].as_str().expect("an id").to_owned()).collect();
    let page = clients.1.get(&format!("/v1/incidents?{MARCH}&limit=3")).expect(200).json();
    let cursor = page["next"].as_str().expect("a next page").to_owned();
    let see = || [&app.url, &other.url].map(|url| look(url, clients, &ids, &cursor));
    let right = see();
    assert!(right[0] == right[1], "two servers");
    let (context, new) = (&*app.context, new_key());
    let old_id = context.sealer.instance_key().id().to_owned();
    let path = |sent: &Value| format!("/v1/reports/{}", sent["id"].as_str().expect("an id"));

    let rotation = begin(context, &new).expect("it begins");
    assert!(see() == right, "begun");
    opener.get(&path(&clients.0.submit(&report()))).expect(200);

    let pass = rewrap_all(context, &rotation, &mut |_| {}).expect("they are wrapped anew");
    assert!(pass.n_rewrapped > 30, "{pass:?}");
    assert!(see() == right, "wrapped anew");
    // The other server has not looked yet: what it seals now is under the old key.
    let late = sender.submit(&report());
    assert_eq!(counts(context)[&old_id], 2);
    other.context.refresh_keys().expect("it looks");

    assert!(finish(context, &rotation).expect("it ends"));
    assert!(!finish(context, &rotation).expect("it has ended"), "once");
    assert!(see() == right, "ended");
    assert_eq!(counts(context).keys().collect::<Vec<_>>(), [new.id()]);
    opener.get(&path(&late)).expect(200);
    opener.get(&path(&sender.submit(&report()))).expect(200);
    let name = "Kadiatu K.";
    add_user(context, name, Role::Analyst, vec![GrantScope::All]).expect("a new name");
    let again = add_user(&other.context, name, Role::Analyst, vec![GrantScope::All]);
    assert!(matches!(again, Err(AccountError::NameTaken)), "names are found as before");
}

#[test]
fn either_key_starts_a_server_in_the_middle_and_the_old_one_none_afterwards() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let id = app.monitor().submit(&report())["id"].as_str().expect("an id").to_owned();
    seed(&app, 50);
    let n = open_all(&app.context);
    let (context, new) = (&*app.context, new_key());
    let (old_file, new_file) = (key_file(&app), app.folder.path().join("next.key"));
    let old_id = id_in(&old_file);
    new.create_file(&new_file).expect("a key file");
    let before = start_with(&app, &new_file).map(drop);
    assert!(matches!(before, Err(StartError::WrongKey(_))), "{before:?}");

    let rotation = begin(context, &new).expect("it begins");
    for step in ["begun", "half", "all wrapped"] {
        for file in [&old_file, &new_file] {
            let started = start_with(&app, file).expect(step);
            assert_eq!(open_all(&started), n, "{step}");
            assert_eq!(started.sealer.instance_key().id(), new.id(), "{step}: new reports");
            let findings = examine(&started).findings;
            let unfinished = findings.iter().find(|finding| finding.name == "rotation");
            assert_eq!(unfinished.map(|finding| finding.state), Some("warning"), "{step}");
        }
        match step {
            "begun" => wrap_half_back(&app, &rotation),
            _ => drop(rewrap_all(context, &rotation, &mut |_| {}).expect("a pass")),
        }
    }
    let ready = app.anonymous().get("/health/ready").expect(200).json();
    let notes = ready["findings"].to_string();
    assert!(notes.contains("keys rotate"), "{notes}");
    let served =
        Served::start_with(&app, "UTC", &["--key-file", new_file.to_str().expect("a path")]);
    reviewer.at(&served.url).get(&format!("/v1/reports/{id}")).expect(200);

    finish(context, &rotation).expect("it ends");

    let refused = start_with(&app, &old_file).map(drop).expect_err("the old key opens nothing");
    let words = refused.to_string();
    assert!(matches!(refused, StartError::KeyReplaced { .. }), "{words}");
    for told in [old_id.as_str(), new.id(), "2024-04-01", "--key-file"] {
        assert!(words.contains(told), "{told} in {words}");
    }
    let started = start_with(&app, &new_file).expect("the new key opens it");
    assert_eq!(open_all(&started), n);
    assert!(examine(&started).findings.iter().all(|finding| finding.name != "rotation"));
    reviewer.at(&served.url).get(&format!("/v1/reports/{id}")).expect(200);
}

/// Wraps every other data key anew, as a run that was killed leaves them.
fn wrap_half_back(app: &TestApp, rotation: &Rotation) {
    rewrap_all(&app.context, rotation, &mut |_| {}).expect("a pass");
    let (context, rotation) = (Arc::clone(&app.context), rotation.clone());
    let (new_id, old_id) = (rotation.new_id.clone(), rotation.old_id.clone());
    let old = app.context.sealer.find_key(&old_id).expect("the old key");
    let done = app.context.db.write_here(move |tx| {
        let listed = sentinelle::keys::store::list_data_keys(
            tx.conn,
            &new_id,
            Id::from_uuid(Uuid::nil()),
            1_000,
        )?;
        let back: Vec<_> = listed
            .into_iter()
            .step_by(2)
            .map(|(id, wrapped)| {
                let wrapped = context.sealer.rewrap(&wrapped, &new_id, &old).expect("it opens");
                (id, wrapped)
            })
            .collect();
        Ok(dialect::rewrap_data_keys(tx.conn, (&new_id, &old_id), &back)?)
    });
    assert!(done.expect("stored") > 20);
}

#[test]
fn a_server_that_slept_through_it_keeps_nothing_unreadable_and_wakes_with_the_new_file() {
    let app = TestApp::start();
    let other = app.second_server();
    let (monitor, reviewer) = (app.monitor().at(&other.url), app.reviewer().at(&other.url));
    let sent = monitor.submit(&report());
    let path = format!("/v1/reports/{}", sent["id"].as_str().expect("an id"));
    let (context, new) = (&*app.context, new_key());
    let old = context.sealer.instance_key();
    let next = NextFile::choose(&KeyPlace::BesideData(key_file(&app)), None).expect("a place");
    next.ensure(&KeyPlace::BesideData(key_file(&app)), &new).expect("a file");
    let rotation = begin(context, &new).expect("it begins");
    rewrap_all(context, &rotation, &mut |_| {}).expect("a pass");
    finish(context, &rotation).expect("it ends");

    let refused = monitor.post("/v1/reports", &report()).expect_problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), Some("5"));
    reviewer.get(&path).expect_problem(503, "unavailable");
    let ready = reviewer.get("/health/ready").expect(503).json();
    assert!(ready.to_string().contains("start it anew"), "{ready}");
    assert!(other.context.refresh_keys().is_err(), "its file holds the old key still");
    assert_eq!(counts(context).keys().collect::<Vec<_>>(), [new.id()]);

    next.place(&old, &new).expect("the file is in its place");
    other.context.refresh_keys().expect("it finds the new key there");

    monitor.submit(&report());
    reviewer.get(&path).expect(200);
    reviewer.get("/health/ready").expect(200);
}

#[test]
fn the_end_of_a_rotation_waits_for_whoever_is_just_storing_under_the_old_key() {
    let app = TestApp::start();
    let (context, new) = (&*app.context, new_key());
    let owner = Owner { kind: OwnerKind::Report, id: Uuid::new_v4() };
    let late = context.sealer.seal(owner, Part::Note, 1, b"late").expect("sealed");
    let later = context.sealer.seal(owner, Part::Note, 2, b"later").expect("sealed");
    let rotation = begin(context, &new).expect("it begins");
    let mut conn =
        Target::parse(&app.database_url).and_then(|target| target.connect()).expect("a connection");
    let mut rows = NewRows::default();
    add_part(&mut rows, owner, Part::Note, 1, &late);
    dialect::begin_write(&mut conn).expect("a transaction");
    dialect::insert_rows(&mut conn, &[&rows]).expect("stored, not committed");

    let ended = std::thread::scope(|scope| {
        let ending = scope.spawn(|| finish(context, &rotation));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!ending.is_finished(), "it waits");
        dialect::commit(&mut conn).expect("committed");
        ending.join().expect("an answer")
    });

    assert!(ended.expect("it ends"));
    assert_eq!(counts(context).keys().collect::<Vec<_>>(), [new.id()]);
    assert_eq!(open_all(context), 1);
    let mut rows = NewRows::default();
    add_part(&mut rows, owner, Part::Note, 2, &later);
    let refused = context.db.insert_here(rows).map_err(|error| error.code);
    assert_eq!(refused, Err(Code::Unavailable), "under a retired key nothing is kept");
    let alone = NewRows {
        data_keys: vec![NewDataKeyRow {
            id: Id::random(),
            wrapped: later.wrapped_key,
            kek_id: later.key_id,
        }],
        ..NewRows::default()
    };
    assert!(context.db.insert_here(alone).is_err());
}

#[test]
fn a_second_rotation_follows_the_first_and_a_key_never_comes_back() {
    let app = TestApp::start();
    seed(&app, 10);
    let context = &*app.context;
    let old = context.sealer.instance_key();
    let (second, third) = (new_key(), new_key());
    let rotation = begin(context, &second).expect("it begins");
    assert!(begin(context, &third).is_err(), "one at a time");
    assert_eq!(begin(context, &second).expect("it goes on"), rotation);
    finish(context, &rotation).expect("it ends: what was not wrapped anew before is now");

    assert!(begin(context, &old).is_err(), "a retired key");
    assert!(begin(context, &second).is_err(), "the key in use");
    let rotation = begin(context, &third).expect("the next one");
    rewrap_all(context, &rotation, &mut |_| {}).expect("a pass");
    finish(context, &rotation).expect("it ends");

    assert_eq!(counts(context), BTreeMap::from([(third.id().to_owned(), 10)]));
    assert_eq!(open_all(context), 10);
    let told: Vec<(String, String)> = context
        .db
        .read_here(|conn| {
            Ok(audit_entries::table
                .filter(audit_entries::subject_kind.eq("instance"))
                .order((audit_entries::chain, audit_entries::position))
                .select((audit_entries::action, audit_entries::detail))
                .load(conn)?)
        })
        .expect("the audit entries");
    let right = [("begun", &old, &second), ("finished", &old, &second)]
        .into_iter()
        .chain([("begun", &second, &third), ("finished", &second, &third)])
        .map(|(what, from, to)| {
            ("rotated_keys".to_owned(), format!("{what} {}>{}", from.id(), to.id()))
        });
    assert_eq!(told, right.collect::<Vec<_>>());
}

/// The built program with the words of a `keys` command, on the data of `app`.
fn keys(app: &TestApp, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    command.arg("keys").args(words);
    if words[0] != "restore" {
        command.args(["--database-url", &app.database_url]);
        command.arg("--data-dir").arg(app.folder.path());
    }
    command.env("SENTINELLE_LOG", "error");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[track_caller]
fn run(command: &mut Command) -> String {
    let ended = command.output().expect("the program ends");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).expect("text")
}

fn kill_when(mut child: Child, is_time: impl Fn() -> bool) {
    while !is_time() {
        let ended = child.try_wait().expect("a state");
        assert!(ended.is_none(), "it ended before it was killed: {ended:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

/// A point of a rotation, and how to tell that it is reached.
type Moment<'a> = (&'static str, Box<dyn Fn() -> bool + 'a>);

#[test]
fn a_rotation_killed_again_and_again_leaves_every_report_readable_and_comes_to_an_end() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let id = monitor.submit(&report())["id"].as_str().expect("an id").to_owned();
    seed(&app, 12_000);
    let n = open_all(&app.context);
    let context = &app.context;
    let old_id = context.sealer.instance_key().id().to_owned();
    let next_file = app.folder.path().join("instance.key.new");
    let n_new = || {
        counts(context).into_iter().filter(|(key, _)| *key != old_id).map(|one| one.1).sum::<i64>()
    };
    let is_placed = || id_in(&key_file(&app)) != old_id;
    let points: [Moment<'_>; 5] = [
        ("the file is written", Box::new(|| next_file.exists())),
        ("it began", Box::new(|| running(context).is_some())),
        ("the first batch is wrapped", Box::new(|| n_new() > 10)),
        ("half is wrapped", Box::new(|| n_new() > 6_000)),
        ("the new file is in its place", Box::new(is_placed)),
    ];

    for (point, is_time) in &points {
        kill_when(keys(&app, &["rotate"]).spawn().expect("the program starts"), is_time);

        let started = start_with(&app, &key_file(&app)).expect(point);
        assert_eq!(open_all(&started), n + 2 * usize::from(*point != points[0].0), "{point}");
        reviewer.get(&format!("/v1/reports/{id}")).expect(200);
        if *point == points[0].0 {
            monitor.submit(&report());
        }
    }
    let told: Value =
        serde_json::from_str(&run(&mut keys(&app, &["rotate", "--wait", "0", "--json"])))
            .expect("JSON");

    assert_eq!((&told["from"], &told["damaged"]), (&json!(old_id), &json!(0)));
    let new_id = told["to"].as_str().expect("a key").to_owned();
    assert_eq!(id_in(&key_file(&app)), new_id);
    assert!(!next_file.exists());
    let kept = app.folder.path().join(format!("instance.key.old-{old_id}"));
    assert_eq!(id_in(&kept), old_id);
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    doctor.args(["doctor", "--json", "--database-url", &app.database_url, "--data-dir"]);
    let found: Value = serde_json::from_str(&run(doctor.arg(app.folder.path()))).expect("JSON");
    assert!(found.to_string().contains(&format!("old-{old_id} opens nothing")), "{found}");
    assert_eq!(counts(context).into_keys().collect::<Vec<_>>(), [new_id]);
    assert_eq!(open_all(&start_with(&app, &key_file(&app)).expect("it starts")), n + 2);
    assert!(matches!(start_with(&app, &kept), Err(StartError::KeyReplaced { .. })));
}

#[test]
fn servers_that_run_seal_and_open_throughout_a_rotation() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    seed(&app, 4_000);
    let n = open_all(&app.context);
    let old_id = app.context.sealer.instance_key().id().to_owned();
    let n_servers = if app.is_postgres() { 2 } else { 1 };
    let served: Vec<Served> = (0..n_servers).map(|_| Served::start(&app, "UTC")).collect();
    let is_over = AtomicBool::new(false);

    let n_sent: usize = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..4)
            .map(|nth| {
                // Sent to one server, opened on another where there are two.
                let sends = monitor.at(&served[nth % n_servers].url);
                let opens = reviewer.at(&served[(nth + 1) % n_servers].url);
                let is_over = &is_over;
                scope.spawn(move || {
                    let mut n_sent = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        let sent = sends.submit(&report());
                        let id = sent["id"].as_str().expect("an id");
                        opens.get(&format!("/v1/reports/{id}")).expect(200);
                        n_sent += 1;
                    }
                    n_sent
                })
            })
            .collect();
        let told = run(&mut keys(&app, &["rotate", "--wait", "4"]));
        assert!(told.contains(&format!("Key {old_id} opens nothing any more")), "{told}");
        std::thread::sleep(Duration::from_millis(500));
        is_over.store(true, Ordering::Relaxed);
        senders.into_iter().map(|thread| thread.join().expect("no failure")).sum()
    });

    assert!(n_sent > 20, "{n_sent}");
    let context = start_with(&app, &key_file(&app)).expect("it starts");
    assert_eq!(counts(&context).keys().collect::<Vec<_>>(), [&id_in(&key_file(&app))]);
    assert_eq!(open_all(&context), n + 2 * n_sent, "two parts a report");
}

#[test]
fn status_tells_where_the_key_lies_and_what_is_under_it() {
    let app = TestApp::start();
    seed(&app, 3);
    let id = id_in(&key_file(&app));

    let told: Value =
        serde_json::from_str(&run(&mut keys(&app, &["status", "--json"]))).expect("JSON");
    assert_eq!(
        told,
        json!({"key": id, "place": "data_folder", "file": key_file(&app), "data_keys": 3,
            "data_keys_under_others": {}, "rotation": null})
    );
    let words = run(&mut keys(&app, &["status"]));
    assert!(
        words.contains("3 data keys under it") && words.contains("not being changed"),
        "{words}"
    );

    begin(&app.context, &new_key()).expect("it begins");
    let told: Value =
        serde_json::from_str(&run(&mut keys(&app, &["status", "--json"]))).expect("JSON");
    assert_eq!(told["rotation"]["from"], id);
    assert_eq!(told["data_keys_under_others"], json!({ id: 3 }));
    assert!(run(&mut keys(&app, &["status"])).contains("run it again"));
}

fn restore(app: &TestApp, to: &Path, text: &str) -> Output {
    let mut command = keys(app, &["restore", "--to"]);
    let mut child = command.arg(to).spawn().expect("the program starts");
    child.stdin.take().expect("its input").write_all(text.as_bytes()).expect("it reads");
    child.wait_with_output().expect("the program ends")
}

#[test]
fn the_key_on_paper_gives_the_key_file_back_and_a_slip_is_named() {
    let app = TestApp::start();
    let form = run(&mut keys(&app, &["recovery"]));
    let id = id_in(&key_file(&app));
    assert!(form.contains(&id) && form.contains("RÉCUPÉRATION"), "{form}");
    let groups: Vec<String> = (1..=12)
        .map(|nth| {
            let (_, rest) = form.split_once(&format!("   {nth:2}  ")).expect("a group");
            rest[..5].to_owned()
        })
        .collect();
    let file = app.folder.path().join("restored.key");

    let mut mistyped = groups.clone();
    let first = if groups[2].starts_with('7') { "8" } else { "7" };
    mistyped[2].replace_range(..1, first);
    let refused = restore(&app, &file, &mistyped.join(" "));
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && words.contains("look at group 3"), "{words}");
    assert!(!words.contains(&groups[4]), "no part of the key is shown");
    assert!(!file.exists());

    let restored = restore(&app, &file, &groups.join("\n").to_lowercase());
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    assert_eq!(id_in(&file), id);
    let again = restore(&app, &file, &groups.join("-"));
    let words = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && words.contains("never overwritten"), "{words}");
    start_with(&app, &file).expect("it opens the data");
}

#[test]
fn a_key_from_elsewhere_is_taken_and_the_file_in_use_is_left_alone() {
    let app = TestApp::start();
    seed(&app, 5);
    let old_id = id_in(&key_file(&app));
    let (file, new) = (app.folder.path().join("made-offline.key"), new_key());
    new.create_file(&file).expect("a key file");
    let path = file.to_str().expect("a path");

    let told = run(&mut keys(&app, &["rotate", "--wait", "0", "--new-key-file", path]));

    assert!(
        told.contains(new.id()) && told.contains(path) && told.contains("--key-file"),
        "{told}"
    );
    assert!(told.contains(new.recovery_text().as_str()), "shown once, before it is used");
    assert_eq!(id_in(&key_file(&app)), old_id);
    assert!(matches!(start_with(&app, &key_file(&app)), Err(StartError::KeyReplaced { .. })));
    assert_eq!(open_all(&start_with(&app, &file).expect("it starts")), 5);
}
