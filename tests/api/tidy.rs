//! The invariants of `src/ARCHITECTURE.md` and of the style sheet that a machine can hold.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The program's sources as (path below `src`, text).
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).expect("below src").display().to_string();
                found.push((name, fs::read_to_string(&path).expect("a text")));
            }
        }
    }
    assert!(found.len() > 50, "the sources are found");
    found
}

/// The lines that are code, whole-line comments left out.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[track_caller]
fn expect_nowhere(word: &str, is_checked: impl Fn(&str) -> bool, reason: &str) {
    for (name, text) in sources().iter().filter(|(name, _)| is_checked(name)) {
        let line = code(text).find(|line| line.contains(word));
        assert_eq!(line, None, "src/{name}: {reason}");
    }
}

#[test]
fn only_the_dialect_knows_the_engines() {
    let is_other = |name: &str| !name.starts_with("db/dialect");
    for word in ["DbConn::Sqlite", "DbConn::Postgres", "Target::Sqlite", "Target::Postgres"] {
        expect_nowhere(word, is_other, "only db/dialect knows which engine it is");
    }
}

#[test]
fn sql_is_written_out_in_the_dialect_and_never_put_together() {
    const RAW: [&str; 4] = ["sql_query(", "batch_execute(", "dsl::sql::<", " sql::<"];
    for word in RAW {
        expect_nowhere(
            word,
            |name| !name.starts_with("db/dialect"),
            "diesel's own words, or db/dialect",
        );
    }
    // Backups copy whatever tables the database itself names, each name quoted; values are bound there too.
    let is_of_any_table =
        |name: &str| ["tables.rs", "load.rs"].iter().any(|end| name.ends_with(end));
    let is_checked = |name: &str| name.starts_with("db/dialect") && !is_of_any_table(name);
    for (name, text) in sources().iter().filter(|(name, _)| is_checked(name)) {
        for word in ["sql_query(", "batch_execute(", ".sql("] {
            for (at, _) in text.match_indices(word) {
                let rest = text.get(at + word.len()..).unwrap_or_default().trim_start();
                // A text as it stands, or a constant.
                let is_fixed = rest.starts_with(|c: char| c == '"' || c.is_ascii_uppercase());
                let shown: String = rest.chars().take(60).collect();
                assert!(is_fixed, "src/{name}: {word} takes SQL made at run time: {shown}");
            }
        }
    }
}

#[test]
fn leaves_know_no_database_no_http_and_nothing_of_ours() {
    for leaf in ["geo", "taxonomy", "seal"] {
        let own = format!("crate::{leaf}::");
        for (name, text) in sources() {
            if !name.starts_with(&format!("{leaf}/")) {
                continue;
            }
            for line in code(&text) {
                // How letters are folded and files written is shared by the leaves and itself knows nothing.
                let shared = ["crate::letters::", "crate::new_file::", &own];
                let foreign =
                    shared.iter().fold(line.to_owned(), |line, own| line.replace(own, ""));
                let is_own = !foreign.contains("crate::");
                assert!(is_own, "src/{name}: {leaf} imports nothing of ours: {line}");
                for word in ["actix", "diesel"] {
                    assert!(!line.contains(word), "src/{name}: {leaf} knows no {word}: {line}");
                }
            }
        }
    }
}

#[test]
fn the_http_toolkit_knows_no_slice() {
    for slice in ["intake", "incidents", "review", "aggregates", "auth"] {
        let word = format!("crate::{slice}");
        expect_nowhere(&word, |name| name.starts_with("http/"), "http is a toolkit");
    }
}

#[test]
fn only_the_clock_reads_the_time() {
    for word in ["Utc::now", "Local::now", "SystemTime::now"] {
        expect_nowhere(word, |name| name != "clock.rs", "only clock.rs reads the time");
    }
}

#[test]
fn every_module_says_what_it_is_for_and_fits_in_one_reading() {
    for (name, text) in sources() {
        if name.ends_with("mod.rs") {
            assert!(text.starts_with("//!"), "src/{name} opens with what it is for");
        }
        let n_lines = text.lines().count();
        assert!(n_lines <= 620 || name == "db/schema.rs", "src/{name} has {n_lines} lines");
    }
}

/// The names that the types of a source have in the API document.
fn schema_names(text: &str) -> impl Iterator<Item = String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = move |text: &str| text.trim_start().split(|c| !is_word(c)).next().map(str::to_owned);
    text.split("#[derive(").skip(1).filter_map(move |derived| {
        let (traits, rest) = derived.split_once(")]")?;
        let kind = ["struct ", "enum "].into_iter().filter_map(|kind| rest.find(kind)).min()?;
        let (attributes, declared) = rest.split_at_checked(kind)?;
        let told =
            attributes.split_once("#[schema(").and_then(|(_, said)| said.split_once("as = "));
        let (_, own) = declared.split_once(' ')?;
        traits.contains("ToSchema").then(|| word(told.map_or(own, |(_, name)| name)))?
    })
}

#[test]
fn no_two_types_have_one_name_in_the_api_document() {
    let mut owners = BTreeMap::new();
    for (source, text) in sources() {
        for name in schema_names(&text) {
            let other = owners.insert(name.clone(), source.clone());
            assert_eq!(other, None, "src/{source}: the later {name} would replace the earlier");
        }
    }
    assert!(owners.len() > 150, "{} schemas are found", owners.len());
    assert!(owners.contains_key("Relation"), "names of `#[schema(as = …)]` are read");
}
