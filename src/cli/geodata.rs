//! `geodata`: boundary packs and what follows from them; it works beside a running server.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};

use crate::cli::progress::Progress;
use crate::cli::{CommandError, answer, open, tell};
use crate::config::StoreConfig;
use crate::context::Context;
use crate::geo::countries::CountryCode;
use crate::geo::packs::Level;
use crate::geodata::import::{ImportOptions, ImportReport, import, remove};
use crate::geodata::retag::{Mode, retag};
use crate::geodata::store;
use crate::geodata::survey::CountryReport;
use crate::geodata::tally::RetagReport;

/// Names listed of one kind; the rest is counted.
const MAX_LISTED: usize = 10;

#[derive(Debug, Subcommand)]
pub(super) enum GeodataCommand {
    /// Import boundaries: OCHA COD-AB or geoBoundaries GeoJSON, or any with `code` and `name`, gzipped or not.
    Import(ImportArgs),
    /// List the imported boundaries.
    List {
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StoreConfig,
    },
    /// Remove imported boundaries: the built-in areas of these countries are used again.
    Remove(RemoveArgs),
    /// Compute the areas of stored reports anew; a place that a reviewer settled is never touched.
    Retag(RetagArgs),
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file.
    file: PathBuf,
    /// Level of its areas, where the file does not say it.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=2))]
    level: Option<u8>,
    /// Name of the data set, where the file does not say it.
    #[arg(long)]
    source: Option<String>,
    /// Year the areas are of, where the file does not say it.
    #[arg(long)]
    year: Option<i64>,
    /// Licence and the words it asks to show; `/v1/about` shows them.
    #[arg(long, value_name = "TEXT")]
    licence: Option<String>,
    /// Countries to import, such as SLE,COD; without it, all of the file.
    #[arg(long, value_delimiter = ',')]
    country: Vec<String>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

#[derive(Debug, Args)]
pub(super) struct RemoveArgs {
    /// Level to remove.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=2))]
    level: u8,
    /// Countries, such as SLE,COD.
    #[arg(long, value_delimiter = ',', required = true)]
    country: Vec<String>,
    #[command(flatten)]
    store: StoreConfig,
}

#[derive(Debug, Args)]
pub(super) struct RetagArgs {
    /// Only show what would change.
    #[arg(long)]
    dry_run: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

pub(super) fn geodata(command: &GeodataCommand) -> Result<(), CommandError> {
    match command {
        GeodataCommand::Import(args) => import_file(args),
        GeodataCommand::List { json, store } => list(store, *json),
        GeodataCommand::Remove(args) => remove_packs(args),
        GeodataCommand::Retag(args) => retag_reports(args),
    }
}

fn import_file(args: &ImportArgs) -> Result<(), CommandError> {
    let context = open(&args.store)?;
    let options = ImportOptions {
        level: args.level.and_then(|level| Level::parse(level.into())),
        source: args.source.clone(),
        year: args.year,
        licence: args.licence.clone(),
        only: parse_countries(&context, &args.country)?,
    };
    let mut progress = Progress::new("features read", 100);
    let report = import(&context, &args.file, &options, &mut |n| progress.show(n))?;
    progress.end();
    if args.json {
        return answer_json(&report);
    }
    answer(&describe_import(&report));
    if options.licence.is_none() {
        tell("no --licence was given: most boundary data ask for words to be shown with them");
    }
    tell("reports that are stored keep their areas: see `sentinelle geodata retag --dry-run`");
    Ok(())
}

fn parse_countries(
    context: &Context,
    codes: &[String],
) -> Result<BTreeSet<CountryCode>, CommandError> {
    let geo = context.geo();
    let parse = |code: &String| {
        let unknown = || {
            CommandError::Usage(format!(
                "{code:?} is no country taken in here; give one such as SLE"
            ))
        };
        geo.countries().parse(code.trim()).ok_or_else(unknown)
    };
    codes.iter().map(parse).collect()
}

fn answer_json(value: &impl serde::Serialize) -> Result<(), CommandError> {
    answer(&serde_json::to_string(value).map_err(std::io::Error::from)?);
    Ok(())
}

fn describe_import(report: &ImportReport) -> String {
    let mut lines = vec![format!(
        "{} {}, level {}: {} features read, {} left out, {} kB kept",
        report.source,
        report.year,
        report.level,
        report.n_features,
        report.n_skipped,
        report.n_bytes.div_ceil(1_000)
    )];
    lines.extend(
        report.countries.iter().flat_map(|country| describe_country(country, report.level)),
    );
    lines.join("\n")
}

fn describe_country(report: &CountryReport, level: i16) -> Vec<String> {
    let how = if level == 1 {
        format!(" ({} by code, {} by name)", report.n_by_code, report.n_by_name)
    } else {
        String::new()
    };
    let mut lines = vec![format!(
        "{}: {} areas{how}; {} of {} known sites inside; {} % of the ground in no area, {} % in several",
        report.country,
        report.n_areas,
        report.n_sites_inside,
        report.n_sites,
        report.gap_percent,
        report.overlap_percent
    )];
    let lists = [
        ("no match in ISO 3166-2", &report.unmatched),
        ("code not on our list of ISO 3166-2", &report.unlisted_codes),
        ("has no name", &report.unnamed),
        ("in ISO 3166-2 and not in the file", &report.missing),
        ("lies elsewhere than its country", &report.outside),
    ];
    for (what, listed) in lists.into_iter().filter(|(_, listed)| !listed.is_empty()) {
        let some: Vec<&str> = listed.iter().take(MAX_LISTED).map(String::as_str).collect();
        let more = listed.len().saturating_sub(MAX_LISTED);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        lines.push(format!("  {what}: {}{more}", some.join(", ")));
    }
    lines
}

fn list(config: &StoreConfig, as_json: bool) -> Result<(), CommandError> {
    let context = open(config)?;
    let packs = context.db.read_here(|conn| Ok(store::list_packs(conn)?))?;
    if as_json {
        let shown = packs.iter().map(|pack| {
            serde_json::json!({
                "country": pack.country, "level": pack.level, "source": pack.source, "year": pack.year,
                "licence": pack.licence, "n_areas": pack.n_areas, "imported_at": pack.imported_at.and_utc(),
            })
        });
        return answer_json(&shown.collect::<Vec<_>>());
    }
    if packs.is_empty() {
        answer(
            "no boundaries are imported: first-level areas are the built-in ones, there is no second level",
        );
        return Ok(());
    }
    let lines = packs.iter().map(|pack| {
        format!(
            "{} level {}  {:4} areas  {} {}  imported {}",
            pack.country,
            pack.level,
            pack.n_areas,
            pack.source,
            pack.year,
            pack.imported_at.date()
        )
    });
    answer(&lines.collect::<Vec<_>>().join("\n"));
    Ok(())
}

fn remove_packs(args: &RemoveArgs) -> Result<(), CommandError> {
    let context = open(&args.store)?;
    let countries = parse_countries(&context, &args.country)?;
    let level = Level::parse(args.level.into())
        .ok_or_else(|| CommandError::Usage("the levels are 1 and 2".to_owned()))?;
    let removed = remove(&context, level, &countries)?;
    let removed: Vec<&str> = removed.iter().map(CountryCode::as_str).collect();
    if removed.is_empty() {
        return Err(CommandError::Usage(format!(
            "none of them has imported boundaries of level {}: see `sentinelle geodata list`",
            args.level
        )));
    }
    answer(&format!("removed level {}: {}", args.level, removed.join(" ")));
    tell("reports that are stored keep their areas: see `sentinelle geodata retag --dry-run`");
    Ok(())
}

fn retag_reports(args: &RetagArgs) -> Result<(), CommandError> {
    let context = Arc::new(open(&args.store)?);
    let mode = if args.dry_run { Mode::DryRun } else { Mode::Write };
    let mut progress = Progress::new("reports looked at", 10_000);
    let report = retag(&context, mode, &mut |n| progress.show(n))?;
    progress.end();
    if args.json {
        return answer_json(&report);
    }
    answer(&describe_retag(&report, mode));
    Ok(())
}

fn describe_retag(report: &RetagReport, mode: Mode) -> String {
    let mut lines = Vec::new();
    if !report.changes.is_empty() {
        lines.push(format!(
            "{:7} {:6} {:24} {:24} {:>9}",
            "country", "level", "from", "to", "incidents"
        ));
    }
    let shown = |area: &Option<String>| area.clone().unwrap_or_else(|| "-".to_owned());
    lines.extend(report.changes.iter().map(|change| {
        format!(
            "{:7} {:6} {:24} {:24} {:>9}",
            change.country,
            change.level,
            shown(&change.from),
            shown(&change.to),
            change.n_incidents
        )
    }));
    let verb = match mode {
        Mode::DryRun => "would change",
        Mode::Write => "changed",
    };
    lines.push(format!(
        "{} reports looked at: {} incidents {verb}, {} are kept as a reviewer settled the place, {} reports could not \
         be placed anew and stay",
        report.n_reports, report.n_incidents, report.n_kept, report.n_unplaced
    ));
    lines.join("\n")
}
