//! `export`: a file as of `GET /v1/exports`, of everything that coordinators see.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use actix_web::web::{Data, Query};
use clap::Args;

use crate::cli::{CommandError, open, tell};
use crate::config::StoreConfig;
use crate::exports::run::Run;
use crate::exports::selection::Question;
use crate::exports::wanted::{Format, Table, Wanted};
use crate::http::query::Pairs;
use crate::new_file::NewFile;

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Table and format: incidents.csv, reports.parquet, harm.xlsx, actors.ndjson, aggregates.csv and so on.
    #[arg(value_name = "TABLE.FORMAT")]
    file: String,
    /// Filters and the rest, as the query of the API: status=all&lang=fr.
    #[arg(long, default_value = "", hide_default_value = true)]
    query: String,
    /// New file to write, which only its owner may read; standard output unless told.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    store: StoreConfig,
}

pub(super) fn export(args: &ExportArgs) -> Result<(), CommandError> {
    let usage = |words: String| CommandError::Usage(words);
    let named = args.file.split_once('.');
    let named = named.and_then(|(table, format)| Table::parse(table).zip(Format::parse(format)));
    let Some((table, format)) = named else {
        return Err(usage(format!("{} is no TABLE.FORMAT such as incidents.csv", args.file)));
    };
    let pairs = Query::<Vec<(String, String)>>::from_query(&args.query);
    let pairs = pairs.map_err(|_broken| usage(format!("{} is no query", args.query)))?;
    let mut pairs = Pairs(pairs.into_inner());
    let context = Data::new(open(&args.store)?);
    let wanted = Wanted::take(&mut pairs, table, format)?;
    let question = Question::of_server(wanted, &pairs, &context)?;
    let selected = context.db.read_here(|conn| question.select(conn, &context, |_| false))?.1;
    let Some(selected) = selected else { return Ok(()) };
    let mut run = Run::new(&context, &question, selected)?;
    if let Err(error) = write(args.to.as_deref(), &mut run) {
        // What is only queued would not outlive the command.
        run.cut()?;
        return Err(error);
    }
    tell(&format!("{} rows", run.made().rows));
    Ok(())
}

fn write(to: Option<&Path>, run: &mut Run) -> Result<(), CommandError> {
    let Some(path) = to else { return write_to(&mut io::stdout().lock(), run) };
    let mut file = NewFile::begin(path).map_err(|error| unwritable(path, &error))?;
    write_to(&mut file, run)?;
    file.publish().map_err(|error| unwritable(path, &error))
}

fn write_to(out: &mut impl Write, run: &mut Run) -> Result<(), CommandError> {
    while let Some(piece) = run.step()? {
        out.write_all(&piece)?;
    }
    Ok(out.flush()?)
}

fn unwritable(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Usage(match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!(
                "{} is there already, and nothing is overwritten: give --to another name",
                path.display()
            )
        }
        _ => format!("cannot write {}: {error}", path.display()),
    })
}
