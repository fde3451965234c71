//! `release`: public data sets are drafted, published and withdrawn; it works beside a running server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::auth::credential::Credential;
use crate::auth::policy::{Action, visible};
use crate::auth::store::find_caller;
use crate::auth::types::Scope;
use crate::cli::{CommandError, answer, open, tell};
use crate::config::StoreConfig;
use crate::context::Context;
use crate::http::reason::parse_reason;
use crate::ids::{Id, ReleaseId};
use crate::releases::acts::{self, Actor};
use crate::releases::build::Span;
use crate::releases::http::read_months;
use crate::releases::partition::Rule;
use crate::releases::period::Month;
use crate::releases::store;
use crate::releases::types::Release;
use crate::releases::view::SharesView;

#[derive(Debug, Subcommand)]
pub(super) enum ReleaseCommand {
    /// Draft a release: nobody but coordinators sees it until another coordinator publishes it.
    Build(BuildArgs),
    /// Publish a draft that somebody else built; nobody changes it from then on.
    Publish(PublishArgs),
    /// Withdraw a published release, or some months of it.
    Withdraw(WithdrawArgs),
    /// Show every release, drafts too.
    List(ListArgs),
}

/// Whoever acts.
#[derive(Debug, Args)]
struct By {
    /// File with a token of the coordinator who acts.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    /// The last month, such as 2024-03; it is over.
    #[arg(long, value_name = "MONTH")]
    until: String,
    /// The first month, for the first release; without it, January of the year of the earliest incident.
    #[arg(long, value_name = "MONTH")]
    from: Option<String>,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    /// Id of the draft.
    id: String,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, Args)]
pub(super) struct WithdrawArgs {
    /// Id of the release.
    id: String,
    /// Why; sealed.
    #[arg(long)]
    reason: String,
    /// The first of the months to withdraw; without it, all of the release.
    #[arg(long, value_name = "MONTH")]
    from: Option<String>,
    /// The last of the months to withdraw.
    #[arg(long, value_name = "MONTH")]
    until: Option<String>,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

pub(super) fn releases(command: &ReleaseCommand) -> Result<(), CommandError> {
    match command {
        ReleaseCommand::Build(args) => build(args),
        ReleaseCommand::Publish(args) => publish(args),
        ReleaseCommand::Withdraw(args) => withdraw(args),
        ReleaseCommand::List(args) => list(args),
    }
}

fn build(args: &BuildArgs) -> Result<(), CommandError> {
    let context = open(&args.by.store)?;
    let actor = find_actor(&context, &args.by)?;
    let first = args.from.as_deref().map(month).transpose()?;
    let span = Span { first, last: month(&args.until)? };
    let id = acts::draft(&context, Rule::STANDARD, span, actor)?;
    let read = |conn: &mut _| {
        let release = store::find_release(conn, id)?.ok_or_else(crate::error::Error::not_found)?;
        let atoms = store::list_atoms(conn, release.row_id)?;
        Ok((release, SharesView::of(&atoms)))
    };
    let (release, shares) = context.db.read_here(read)?;
    if args.by.json {
        let shares = serde_json::to_value(&shares).map_err(std::io::Error::from)?;
        let left_out = serde_json::to_value(release.left_out).map_err(std::io::Error::from)?;
        let told =
            json!({"id": id, "n_atoms": release.n_atoms, "shares": shares, "left_out": left_out});
        answer(&told.to_string());
        return Ok(());
    }
    answer(&describe(&release));
    tell(&shares.for_people());
    tell(&format!("another coordinator publishes it with `sentinelle release publish {id}`"));
    Ok(())
}

fn publish(args: &PublishArgs) -> Result<(), CommandError> {
    let context = open(&args.by.store)?;
    let (actor, id) = (find_actor(&context, &args.by)?, parse_id(&args.id)?);
    let release = context.db.write_here(move |tx| acts::approve(tx, id, actor))?;
    tell_of(&release, args.by.json);
    Ok(())
}

fn withdraw(args: &WithdrawArgs) -> Result<(), CommandError> {
    let context = std::sync::Arc::new(open(&args.by.store)?);
    let (actor, id) = (find_actor(&context, &args.by)?, parse_id(&args.id)?);
    let reason = parse_reason(&args.reason)?;
    let months = read_months(args.from.as_deref(), args.until.as_deref())?;
    let shared = std::sync::Arc::clone(&context);
    let release = context
        .db
        .write_here(move |tx| acts::withdraw(tx, &shared, id, (months, &reason), actor))?;
    tell_of(&release, args.by.json);
    Ok(())
}

fn list(args: &ListArgs) -> Result<(), CommandError> {
    let context = open(&args.store)?;
    let (releases, _) =
        context.db.read_here(|conn| store::list_releases(conn, i64::MAX, i64::MAX))?;
    for release in &releases {
        tell_of(release, args.json);
    }
    Ok(())
}

fn tell_of(release: &Release, is_json: bool) {
    if !is_json {
        answer(&describe(release));
        return;
    }
    let told = json!({
        "id": release.id,
        "state": release.state().as_str(),
        "version": release.approval.map(|approval| approval.version),
        "from": release.first.to_string(),
        "until": release.last.to_string(),
        "n_atoms": release.n_atoms,
        "sha256": release.sha256,
    });
    answer(&told.to_string());
}

fn describe(release: &Release) -> String {
    let version = release.approval.map(|approval| format!(", version {}", approval.version));
    format!(
        "{}  {}{}, {} to {}, {} figures",
        release.id,
        release.state().as_str(),
        version.unwrap_or_default(),
        release.first,
        release.last,
        release.n_atoms
    )
}

/// Finds out whose token it is, and whether a coordinator's.
fn find_actor(context: &Context, by: &By) -> Result<Actor, CommandError> {
    let refused = || {
        CommandError::Usage(format!(
            "{} holds no valid token of a coordinator",
            by.token_file.display()
        ))
    };
    let text = zeroize::Zeroizing::new(std::fs::read_to_string(&by.token_file)?);
    let credential = Credential::parse(text.trim()).map_err(|_unreadable| refused())?;
    let (now, geo) = (context.clock.now(), context.geo());
    let find = |conn: &mut _| Ok(find_caller(conn, &credential, now, geo.countries())?);
    let caller = context.db.read_here(find)?.ok_or_else(refused)?;
    let scope =
        visible(&caller.principal, Action::ManageReleases).map_err(|_forbidden| refused())?;
    let id = caller.principal.user_id().filter(|_| scope == Scope::All);
    Ok(Actor { id: id.ok_or_else(refused)?, now })
}

fn month(text: &str) -> Result<Month, CommandError> {
    let wrong = || CommandError::Usage(format!("{text:?} is no month: give one such as 2024-03"));
    Month::parse(text).ok_or_else(wrong)
}

fn parse_id(text: &str) -> Result<ReleaseId, CommandError> {
    let wrong = || CommandError::Usage(format!("{text:?} is no id: see `sentinelle release list`"));
    Id::parse(text).ok_or_else(wrong)
}
