//! The commands. Each is a few lines over the rest of the crate; what they print is for people, or JSON with `--json`.

mod accounts;
mod audit;
mod backup;
pub mod demo;
mod doctor;
mod export;
mod geodata;
mod keys;
mod progress;
mod releases;
mod restore;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::clock::Clock;
use crate::config::{ServeConfig, StoreConfig};
use crate::context::{Context, StartError};

/// Takes in field reports on diamond mining, geotags and categorises them, and answers aggregates per country.
#[derive(Debug, Parser)]
#[command(name = "sentinelle", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    Serve {
        #[command(flatten)]
        store: StoreConfig,
        #[command(flatten)]
        serve: ServeConfig,
    },
    /// Run the service on loopback with invented reports and printed tokens, to look around.
    Demo(demo::run::DemoArgs),
    /// Bring the database's schema up to date and stop.
    Migrate {
        #[command(flatten)]
        store: StoreConfig,
    },
    /// People's accounts.
    User {
        #[command(subcommand)]
        command: accounts::UserCommand,
    },
    /// Tokens of people's accounts.
    Token {
        #[command(subcommand)]
        command: accounts::TokenCommand,
    },
    /// Write-only keys of phones.
    Device {
        #[command(subcommand)]
        command: accounts::DeviceCommand,
    },
    /// Imported boundaries, and the areas of stored reports.
    Geodata {
        #[command(subcommand)]
        command: geodata::GeodataCommand,
    },
    /// The instance key: change it, write it down, write it back.
    Keys {
        #[command(subcommand)]
        command: keys::KeysCommand,
    },
    /// The audit log: verify it, and print what it can be verified against.
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Write incidents, or what belongs to them, to a file.
    Export(export::ExportArgs),
    /// Public data sets: drafted by one coordinator, published by another.
    Release {
        #[command(subcommand)]
        command: releases::ReleaseCommand,
    },
    /// Copy everything, beside a running server, to two encrypted files.
    Backup(backup::BackupArgs),
    /// Fill an empty folder or database from a backup.
    Restore(restore::RestoreArgs),
    /// Look at key, disk and database, and say what to mend.
    Doctor {
        #[command(flatten)]
        store: StoreConfig,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the OpenAPI document.
    Openapi,
}

/// Why a command failed; the message is for people.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The store, the key or the reference data.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The store while working.
    #[error("{}", explain(.0))]
    Work(#[from] crate::error::Error),
    /// Accounts.
    #[error(transparent)]
    Account(#[from] crate::auth::accounts::AccountError),
    /// A boundary file.
    #[error("{}", explain_import(.0))]
    Import(#[from] crate::geodata::import::ImportError),
    /// The instance key.
    #[error(transparent)]
    Rotation(#[from] crate::keys::rotation::RotationError),
    /// The file of the instance key.
    #[error(transparent)]
    KeyFile(#[from] crate::keys::files::KeyFileError),
    /// A backup or a restore.
    #[error(transparent)]
    Backup(#[from] crate::backup::error::BackupError),
    /// Something asked for that cannot be.
    #[error("{0}")]
    Usage(String),
    /// The machine.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Returns an error of ours with its cause: whoever runs commands may see it.
fn explain(error: &crate::error::Error) -> String {
    error.cause.as_ref().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

fn explain_import(error: &crate::geodata::import::ImportError) -> String {
    match error {
        crate::geodata::import::ImportError::Refused(refusal) => {
            format!("{refusal}. Nothing was imported; the boundaries in use stay as they are")
        }
        crate::geodata::import::ImportError::Store(error) => explain(error),
    }
}

/// Reads the arguments, runs the command and returns what to exit with.
pub fn run() -> ExitCode {
    start_log();
    match dispatch(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            tell(&format!("sentinelle: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode, CommandError> {
    match command {
        Command::Serve { store, serve } => serve::serve(&store, &serve)?,
        Command::Demo(args) => demo::run::demo(&args)?,
        Command::Migrate { store } => serve::migrate(&store)?,
        Command::User { command } => accounts::user(&command)?,
        Command::Token { command } => accounts::token(&command)?,
        Command::Device { command } => accounts::device(&command)?,
        Command::Geodata { command } => geodata::geodata(&command)?,
        Command::Keys { command } => keys::keys(&command)?,
        Command::Release { command } => releases::releases(&command)?,
        Command::Audit { command } => return audit::audit(&command),
        Command::Export(args) => export::export(&args)?,
        Command::Backup(args) => return backup::backup(&args),
        Command::Restore(args) => return restore::restore(&args),
        Command::Doctor { store, json } => return doctor::doctor(&store, json),
        Command::Openapi => print_openapi()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_openapi() -> Result<(), CommandError> {
    let document = crate::app::openapi().to_pretty_json().map_err(std::io::Error::other)?;
    answer(&document);
    Ok(())
}

/// Opens the store with its key and tells the operator what must be known.
fn open(store: &StoreConfig) -> Result<Context, CommandError> {
    Ok(Context::open(store, Clock::system(), &mut |words| tell(words))?)
}

/// JSON lines on standard error, at `info` unless `SENTINELLE_LOG` says otherwise.
///
/// Below `info` ours alone: the framework's lines of those levels quote what clients send.
fn start_log() {
    let is_ours = |line: &tracing::Metadata<'_>| {
        *line.level() <= tracing::Level::INFO || line.target().starts_with(env!("CARGO_PKG_NAME"))
    };
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
        .with_env_var("SENTINELLE_LOG")
        .from_env_lossy();
    tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .finish()
        .with(filter_fn(is_ours))
        .init();
    let earlier = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        // The message of a panic may hold what it was working on; the place is enough to find it.
        tracing::error!(place, "panicked");
        if cfg!(debug_assertions) {
            earlier(panic);
        }
    }));
}

/// Prints an answer to standard output.
#[expect(clippy::print_stdout, reason = "commands answer on standard output")]
fn answer(text: &str) {
    println!("{text}");
}

/// Prints words for the operator to standard error, apart from answers.
#[expect(clippy::print_stderr, reason = "commands speak to people on standard error")]
fn tell(text: &str) {
    eprintln!("{text}");
}
