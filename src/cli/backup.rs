//! `backup`: two encrypted files of everything, made beside a running server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::backup::identities::{Recipients, make_identity};
use crate::backup::write::{BackupReport, Destination, Finished, back_up, old_key_parts};
use crate::cli::progress::RowProgress;
use crate::cli::{CommandError, answer, open, tell};
use crate::clock::Clock;
use crate::config::StoreConfig;
use crate::context::StartError;
use crate::db::dialect::Target;
use crate::db::dialect::migrations::{applied_migrations, known_migrations};

/// How long a key part may be kept: what was erased can be read again for so long, by whoever has both parts and the key.
const KEY_PART_DAYS: i64 = 30;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct BackupArgs {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    /// Folder for the two files, or how their names begin; the time is added.
    #[arg(long, value_name = "DIR_OR_PREFIX", required = true)]
    to: Option<PathBuf>,
    /// The same for the key part alone, so that it can be kept apart and deleted after 30 days.
    #[arg(long, value_name = "DIR_OR_PREFIX")]
    keys_to: Option<PathBuf>,
    /// Who can open it: an age recipient (age1…) whose identity is kept on another machine; may be repeated.
    #[arg(long = "recipient", value_name = "RECIPIENT")]
    recipients: Vec<String>,
    /// File with more recipients, one a line.
    #[arg(long, value_name = "FILE")]
    recipients_file: Option<PathBuf>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

#[derive(Debug, Subcommand)]
enum BackupCommand {
    /// Make an age identity on a machine that is not the server, and print its recipient.
    Identity {
        /// New file for the secret.
        file: PathBuf,
    },
}

pub(super) fn backup(args: &BackupArgs) -> Result<ExitCode, CommandError> {
    match (&args.command, &args.to) {
        (Some(BackupCommand::Identity { file }), _) => identity(file),
        (None, Some(to)) => make(args, to),
        (None, None) => Err(CommandError::Usage("give --to".to_owned())),
    }
}

fn identity(file: &Path) -> Result<ExitCode, CommandError> {
    let recipient = make_identity(file, Clock::system().now())?;
    tell(&format!(
        "The identity is in {}. Keep it and a copy of it off the server: whoever has it opens every backup, and without \
         it no backup can be opened. The recipient below is no secret; give it to `sentinelle backup --recipient`.",
        file.display()
    ));
    answer(&recipient);
    Ok(ExitCode::SUCCESS)
}

fn make(args: &BackupArgs, to: &Path) -> Result<ExitCode, CommandError> {
    let recipients = Recipients::read(&args.recipients, args.recipients_file.as_deref())?;
    let target = Target::parse(&args.store.url()).map_err(StartError::from)?;
    let now = Clock::system().now();
    let destination = Destination::new(to, args.keys_to.as_deref(), now)?;
    let mut meter = RowProgress::new("saved");
    let finished =
        back_up(&target, &destination, &recipients, now, &mut |progress| meter.show(progress))?;
    meter.end();
    let recorded = record(args, &target, &finished);
    let report = finished.publish()?;
    let is_recorded = recorded.is_ok();
    if args.json {
        let verdict = Verdict { status: "ok", is_recorded, report: &report };
        answer(&serde_json::to_string(&verdict).map_err(std::io::Error::from)?);
    } else {
        answer(&describe(&report));
    }
    advise(&report, &destination);
    if let Err(why) = recorded {
        tell(&format!(
            "sentinelle: the backup is whole, but the audit log does not tell of it: {why}"
        ));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(serde::Serialize)]
struct Verdict<'a, T> {
    status: &'static str,
    is_recorded: bool,
    #[serde(flatten)]
    report: &'a T,
}

/// Writes the audit entry, before the files get their names. A database that takes no more writes is one that needs a
/// backup most, and one of an older program must not be migrated by a copy of it: both are told, neither stops it.
fn record(args: &BackupArgs, target: &Target, finished: &Finished) -> Result<(), String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let applied = target
        .connect()
        .map_err(|error| words(&error))
        .and_then(|mut conn| applied_migrations(&mut conn).map_err(|error| words(&error)))?;
    if applied != known_migrations().map_err(|error| words(&error))? {
        return Err("the database is of another version of Sentinelle".to_owned());
    }
    if !finished.has_instance_keys() {
        return Err("the database was never in use".to_owned());
    }
    let context = open(&args.store).map_err(|error| words(&error))?;
    let entry = Entry::of_instance(Act::BackedUp, context.clock.now()).detail(format!(
        "{} recipients={}",
        finished.id(),
        finished.n_recipients()
    ));
    let recorded = context.db.write_here(move |tx| {
        tx.record(entry);
        Ok(())
    });
    recorded.map_err(|error| words(&error))
}

fn describe(report: &BackupReport) -> String {
    let n_rows: u64 = report.n_rows.values().sum();
    let file = |what: &str, file: &crate::backup::files::FileReport| {
        format!(
            "{what}  {}  {} kB  sha256 {}",
            file.file.display(),
            file.n_bytes.div_ceil(1_000),
            file.sha256
        )
    };
    [
        format!("backup {} of {}: {n_rows} rows", report.backup, report.made_at),
        file("data part", &report.data),
        file("key part ", &report.keys),
        format!(
            "The instance key {} is in neither: without it nothing that was sealed can be read. Keep it apart.",
            report.instance_keys.join(" and ")
        ),
    ]
    .join("\n")
}

fn advise(report: &BackupReport, destination: &Destination) {
    tell(&format!(
        "delete the key part after {KEY_PART_DAYS} days at most: until then it can bring back what was erased"
    ));
    let old = old_key_parts(destination, report.made_at - chrono::Duration::days(KEY_PART_DAYS));
    if let (n @ 1.., Some(first)) = (old.len(), old.first()) {
        tell(&format!(
            "{n} key parts here are older than {KEY_PART_DAYS} days, delete them: {}{}",
            first.display(),
            if n > 1 { " …" } else { "" }
        ));
    }
}
