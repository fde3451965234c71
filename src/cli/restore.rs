//! `restore`: an empty folder or database filled from a backup.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::audit::adopt::leave_unchained;
use crate::backup::identities::Identities;
use crate::backup::restore::{RestoreReport, Sources, restore as fill};
use crate::cli::progress::RowProgress;
use crate::cli::{CommandError, answer, open, tell};
use crate::clock::Clock;
use crate::config::StoreConfig;
use crate::context::StartError;
use crate::db::dialect::Target;
use crate::db::{Db, DbOptions};

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The data part.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The key part: of the same backup, or of a later one, so that what was erased in between stays erased.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "without_keys",
        conflicts_with = "without_keys"
    )]
    keys_from: Option<PathBuf>,
    /// Restore without the key part: counts, codes and decisions come back, no sealed text can ever be opened.
    #[arg(long)]
    without_keys: bool,
    /// Identity file of a recipient of the backup; `-` reads it from standard input; may be repeated.
    #[arg(long = "identity", value_name = "FILE", required = true)]
    identities: Vec<PathBuf>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

pub(super) fn restore(args: &RestoreArgs) -> Result<ExitCode, CommandError> {
    let identities = Identities::read(&args.identities)?;
    let target = Target::parse(&args.store.url()).map_err(StartError::from)?;
    let sources = Sources { data: args.from.clone(), keys: args.keys_from.clone() };
    let mut meter = RowProgress::new("loaded");
    let report = fill(&target, &sources, &identities, &mut |progress| meter.show(progress))?;
    meter.end();
    let is_opened_by_key = finish(&args.store, &report)?;
    if args.json {
        let verdict = Verdict { status: "ok", is_opened_by_key, report: &report };
        answer(&serde_json::to_string(&verdict).map_err(std::io::Error::from)?);
    } else {
        answer(&describe(&report));
    }
    advise(&report);
    Ok(ExitCode::SUCCESS)
}

#[derive(serde::Serialize)]
struct Verdict<'a> {
    status: &'static str,
    is_opened_by_key: bool,
    #[serde(flatten)]
    report: &'a RestoreReport,
}

/// Brings the schema up to date, leaves an entry in the audit log, and tells whether the instance key at hand opens what was
/// restored. Without it nothing can be signed: the entry waits for the first start with the key.
fn finish(store: &StoreConfig, report: &RestoreReport) -> Result<bool, CommandError> {
    let parts = if report.keys_made_at.is_some() { "data keys" } else { "data" };
    let entry = Entry::of_instance(Act::Restored, Clock::system().now())
        .detail(format!("{} {parts}", report.backup));
    let db = Db::open(&DbOptions::new(store.url())).map_err(StartError::from)?;
    db.write_here(move |tx| Ok(leave_unchained(tx.conn, entry)?))?;
    if report.instance_keys.is_empty() {
        return Ok(false);
    }
    // Opening chains the entry.
    let opened = open(store);
    if let Err(error) = &opened {
        tell(&format!(
            "what was restored needs the instance key {}, which is in no backup: {error}. The service does not start \
             without it",
            report.instance_keys.join(" and ")
        ));
    }
    Ok(opened.is_ok())
}

fn describe(report: &RestoreReport) -> String {
    let n_rows: u64 = report.n_rows.values().sum();
    let mut lines = vec![format!(
        "restored backup {} of {} ({}): {n_rows} rows in {} tables, counts and SHA-256 are right",
        report.backup,
        report.made_at,
        report.from_engine,
        report.n_rows.len()
    )];
    if report.keys_made_at.is_none() {
        lines.push(format!(
            "Without the key part {} sealed parts (narratives, names, places, notes, names of accounts) can be opened by \
             nobody, now and later.",
            report.n_parts_without_key
        ));
    } else if report.n_parts_without_key > 0 {
        lines.push(format!(
            "{} sealed parts were erased between the data part and the key part, and stay erased.",
            report.n_parts_without_key
        ));
    }
    lines.join("\n")
}

fn advise(report: &RestoreReport) {
    tell(&format!(
        "what happened after {} is not here: reports are to be sent again, and people disabled, keys revoked and reports \
         erased since then must be so again",
        report.made_at
    ));
}
