//! `audit`: proves that the audit log is as it was written; works beside a running server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::audit::head::PublishedHeads;
use crate::audit::store;
use crate::audit::verify::{Fault, Verdict, verify};
use crate::cli::progress::Progress;
use crate::cli::{CommandError, answer, open};
use crate::config::StoreConfig;
use crate::context::{Context, StartError};
use crate::db::dialect::{Target, snapshot};
use crate::error::Error;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Check every entry, every chain and every signature; exit with 1 where something is wrong.
    Verify(VerifyArgs),
    /// Print the signed heads, one a line: publish them where nobody who runs this server can reach.
    Head {
        /// Answer as one JSON document, as `GET /v1/audit/heads` does.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StoreConfig,
    },
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Heads published earlier: prove that nothing before them was changed or cut off since.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

pub(super) fn audit(command: &AuditCommand) -> Result<ExitCode, CommandError> {
    match command {
        AuditCommand::Verify(args) => verify_log(args),
        AuditCommand::Head { json, store } => print_heads(store, *json),
    }
}

/// Opens what is there; a mistyped folder must not become a new database with nothing to verify.
fn open_existing(config: &StoreConfig) -> Result<Context, CommandError> {
    let target = Target::parse(&config.url()).map_err(StartError::from)?;
    match target.file().filter(|path| !path.exists()) {
        Some(path) => Err(CommandError::Usage(format!(
            "there is no database at {}: check --data-dir",
            path.display()
        ))),
        None => open(config),
    }
}

fn verify_log(args: &VerifyArgs) -> Result<ExitCode, CommandError> {
    let published = args.against.as_deref().map(read_heads).transpose()?;
    let published = published.map(|published| published.heads).unwrap_or_default();
    let context = open_existing(&args.store)?;
    let mut progress = Progress::new("entries verified", 100_000);
    let verdict = context.db.read_here(|conn| {
        snapshot(conn, |conn| {
            verify(conn, &context.auditor, &published, &mut |n| {
                progress.show(usize::try_from(n).unwrap_or(usize::MAX));
            })
        })
    })?;
    progress.end();
    if args.json {
        answer(&to_json(&verdict)?);
    } else {
        answer(&describe(&verdict));
    }
    Ok(if verdict.is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_heads(path: &Path) -> Result<PublishedHeads, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        CommandError::Usage(format!("cannot read the heads in {}: {error}", path.display()))
    })?;
    let heads = PublishedHeads::parse(&text).map_err(|error| {
        CommandError::Usage(format!(
            "{} holds no published heads ({error}): give what `sentinelle audit head` printed",
            path.display()
        ))
    })?;
    if heads.heads.is_empty() {
        return Err(CommandError::Usage(format!(
            "{} holds no heads, so it proves nothing: give what `sentinelle audit head` printed",
            path.display()
        )));
    }
    Ok(heads)
}

fn to_json(value: &impl serde::Serialize) -> Result<String, CommandError> {
    Ok(serde_json::to_string(value).map_err(std::io::Error::from)?)
}

fn describe(verdict: &Verdict) -> String {
    let mut lines: Vec<String> = verdict.faults.iter().map(describe_fault).collect();
    let n_more = verdict.n_faults - verdict.faults.len();
    if n_more > 0 {
        lines.push(format!("… and {n_more} more"));
    }
    let compared = match verdict.n_compared {
        0 => "compared with no published head".to_owned(),
        n => format!("compared with {n} published heads"),
    };
    let verdict_line = if verdict.is_sound {
        "the audit log is as it was written".to_owned()
    } else {
        format!("the audit log was tampered with or damaged: {} faults", verdict.n_faults)
    };
    lines.push(format!(
        "{verdict_line} ({} entries in {} chains, {compared})",
        verdict.n_entries,
        verdict.chains.len()
    ));
    lines.join("\n")
}

fn describe_fault(fault: &Fault) -> String {
    match (fault.chain, fault.position) {
        (Some(chain), Some(position)) => format!("chain {chain}, entry {position}: {}", fault.kind),
        (Some(chain), None) => format!("chain {chain}: {}", fault.kind),
        (None, _) => fault.kind.to_string(),
    }
}

fn print_heads(config: &StoreConfig, as_json: bool) -> Result<ExitCode, CommandError> {
    let context = open_existing(config)?;
    let rows = context.db.read_here(|conn| Ok::<_, Error>(store::list_chains(conn)?))?;
    let published = context.auditor.publish_all(&rows)?;
    if as_json {
        answer(&to_json(&published)?);
    } else {
        let lines = published.heads.iter().map(to_json).collect::<Result<Vec<_>, _>>()?;
        answer(&lines.join("\n"));
    }
    Ok(ExitCode::SUCCESS)
}
