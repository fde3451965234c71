//! `user`, `token` and `device`: they work beside a running server.

use std::collections::BTreeSet;

use chrono::Duration;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::auth::accounts::{add_device, add_narrow_token, add_user, invite, revoke_token};
use crate::auth::credential::Credential;
use crate::auth::invitations::{DEFAULT_HOURS, MOST_HOURS};
use crate::auth::policy::Action;
use crate::auth::tokens::Narrowing;
use crate::auth::types::{GrantScope, Role};
use crate::cli::{CommandError, answer, open, tell};
use crate::config::StoreConfig;
use crate::context::Context;
use crate::ids::Id;
use crate::people::commands;
use crate::people::organisations::store::find_by_name;

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Add a person with a role within a scope.
    Add(UserAdd),
    /// Make a link by which a person sets a password, once: the first one, or a new one.
    Invite(UserInvite),
    /// Give a person another role.
    Grant(UserGrant),
    /// Show everybody, with names.
    List(Listing),
    /// Disable an account: nothing of it works any more.
    Disable(UserDisable),
}

#[derive(Debug, Args)]
pub(super) struct UserAdd {
    /// Name to tell accounts apart; sealed in the database.
    name: String,
    /// `monitor`, `reviewer`, `regional_lead`, `analyst`, `coordinator`, `auditor`, `sysadmin`.
    #[arg(long)]
    role: String,
    /// `all`, or countries and regions: `SLE,COD` or `region:west`.
    #[arg(long)]
    scope: String,
    /// Print a token too. It skips the second factor; the making is audited.
    #[arg(long)]
    token: bool,
    /// Let that token reveal identities, which without a second factor is not to be wished for.
    #[arg(long, requires = "token")]
    reveal: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

#[derive(Debug, Args)]
pub(super) struct UserGrant {
    /// Name the person was added under.
    name: String,
    /// As for `user add`.
    #[arg(long)]
    role: String,
    /// As for `user add`.
    #[arg(long)]
    scope: String,
    #[command(flatten)]
    store: StoreConfig,
}

#[derive(Debug, Args)]
pub(super) struct UserDisable {
    /// Name the person was added under.
    name: String,
    #[command(flatten)]
    store: StoreConfig,
}

#[derive(Debug, Args)]
pub(super) struct Listing {
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

#[derive(Debug, Args)]
pub(super) struct UserInvite {
    /// Name the person was added under.
    name: String,
    /// Hours until the link stops working.
    #[arg(long, default_value_t = DEFAULT_HOURS, value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_HOURS)))]
    hours: u16,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make another token for a person.
    Add(TokenAdd),
    /// Make a token useless.
    Revoke(TokenRevoke),
}

#[derive(Debug, Args)]
pub(super) struct TokenRevoke {
    /// Its id, from `GET /v1/tokens`.
    id: String,
    #[command(flatten)]
    store: StoreConfig,
}

#[derive(Debug, Args)]
pub(super) struct TokenAdd {
    /// Name the person was added under.
    name: String,
    /// Days until it stops working; without it, it works until it is revoked.
    #[arg(long)]
    days: Option<u16>,
    /// Make a feed key, which reads lists, counts and exports only and is what spreadsheets and maps take as a password.
    #[arg(long, conflicts_with_all = ["actions", "reveal"])]
    feed: bool,
    /// Limit it to these actions, such as `read_core,open_report`.
    #[arg(long, value_delimiter = ',')]
    actions: Option<Vec<String>>,
    /// Limit it to these countries and regions: `SLE,COD` or `region:west`.
    #[arg(long)]
    scope: Option<String>,
    /// Let it reveal identities, which without a second factor is not to be wished for.
    #[arg(long)]
    reveal: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

#[derive(Debug, Subcommand)]
pub(super) enum DeviceCommand {
    /// Add a phone: its key can only submit and read its own receipts.
    Add(DeviceAdd),
    /// Show every phone, with names; never a key.
    List(Listing),
    /// Make a phone's key useless.
    Revoke(DeviceRevoke),
}

#[derive(Debug, Args)]
pub(super) struct DeviceRevoke {
    /// Its name or id.
    phone: String,
    #[command(flatten)]
    store: StoreConfig,
}

#[derive(Debug, Args)]
pub(super) struct DeviceAdd {
    /// Name to tell phones apart; sealed in the database.
    name: String,
    /// Country it works in, alpha-3 or alpha-2.
    #[arg(long)]
    country: String,
    /// Name of the person it belongs to: reports of one person's phones count as one monitor's.
    #[arg(long)]
    owner: Option<String>,
    /// Organisation that hands it out; one that is not known yet becomes a candidate.
    #[arg(long)]
    org: Option<String>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

pub(super) fn user(command: &UserCommand) -> Result<(), CommandError> {
    match command {
        UserCommand::Add(args) => user_add(args),
        UserCommand::Invite(args) => invite_person(args),
        UserCommand::Grant(args) => user_grant(args),
        UserCommand::List(args) => user_list(args),
        UserCommand::Disable(args) => user_disable(args),
    }
}

fn invite_person(args: &UserInvite) -> Result<(), CommandError> {
    let context = open(&args.store)?;
    let invitation = invite(&context, &args.name, Duration::hours(i64::from(args.hours)))?;
    let (token, expires_at) = (invitation.link.expose(), invitation.expires_at);
    if args.json {
        answer(&json!({ "token": token, "expires_at": expires_at }).to_string());
    } else {
        answer(&format!(
            "token {token}\nIt is shown only now, works once and until {expires_at}. Hand it over by a safe way; whoever has it \
             sets the password with\n\n    curl -sS ADDRESS/v1/invitations/accept -H 'Content-Type: application/json' \\\n      \
             -d '{{\"token\":\"{token}\",\"password\":\"…\"}}'"
        ));
    }
    Ok(())
}

fn user_add(args: &UserAdd) -> Result<(), CommandError> {
    let role = read_role(&args.role)?;
    let context = open(&args.store)?;
    let scopes = read_scopes(&args.scope, &context)?;
    let id = add_user(&context, &args.name, role, scopes)?;
    let narrowing = Narrowing { may_reveal: args.reveal, ..Narrowing::default() };
    let token = if args.token {
        Some(add_narrow_token(&context, &args.name, None, narrowing)?)
    } else {
        None
    };
    let token = token.as_ref().map(Credential::expose);
    if args.json {
        let mut told = json!({ "user": id });
        if let (Some(token), Some(map)) = (token, told.as_object_mut()) {
            map.insert("token".to_owned(), token.into());
        }
        answer(&told.to_string());
    } else {
        answer(&format!("user {id}"));
        if let Some(token) = token {
            answer(&format!("token {token}\nIt is shown only now. Hand it over by a safe way."));
        }
    }
    Ok(())
}

fn read_role(name: &str) -> Result<Role, CommandError> {
    Role::parse(name).ok_or_else(|| {
        let known = Role::ALL.map(Role::as_str).join(", ");
        CommandError::Usage(format!("there is no role {name:?}; the roles are {known}"))
    })
}

fn read_scopes(list: &str, context: &Context) -> Result<Vec<GrantScope>, CommandError> {
    GrantScope::parse_list(list, context.geo().countries()).map_err(|part| {
        CommandError::Usage(format!(
            "{part:?} is no country or region; give all, SLE,COD or region:west"
        ))
    })
}

fn user_grant(args: &UserGrant) -> Result<(), CommandError> {
    let role = read_role(&args.role)?;
    let context = open(&args.store)?;
    let scopes = read_scopes(&args.scope, &context)?;
    let id = commands::grant_role(&context, &args.name, role, scopes)?;
    answer(&format!("user {id}"));
    Ok(())
}

fn user_list(args: &Listing) -> Result<(), CommandError> {
    let context = open(&args.store)?;
    for user in commands::list_users(&context)? {
        let name = user.name.as_deref().unwrap_or("(erased)");
        if args.json {
            let told = json!({
                "user": user.id, "name": user.name, "state": user.state, "grants": user.grants
            });
            answer(&told.to_string());
        } else {
            let grants = user.grants.join("; ");
            answer(&format!("{}  {:8}  {name}  {grants}", user.id, user.state));
        }
    }
    Ok(())
}

fn user_disable(args: &UserDisable) -> Result<(), CommandError> {
    let context = open(&args.store)?;
    let was_enabled = commands::disable_user(&context, &args.name)?;
    answer(if was_enabled { "disabled" } else { "was disabled already" });
    Ok(())
}

pub(super) fn token(command: &TokenCommand) -> Result<(), CommandError> {
    match command {
        TokenCommand::Add(args) => token_add(args),
        TokenCommand::Revoke(args) => token_revoke(args),
    }
}

fn token_add(args: &TokenAdd) -> Result<(), CommandError> {
    let actions = args.actions.as_deref().map(read_actions).transpose()?;
    let context = open(&args.store)?;
    let scope = args.scope.as_deref().map(|list| read_scopes(list, &context)).transpose()?;
    let narrowing = if args.feed {
        Narrowing::of_feed(scope)
    } else {
        Narrowing { actions, scope, may_reveal: args.reveal, is_feed: false }
    };
    let expires_at = args.days.map(|days| context.clock.now() + Duration::days(i64::from(days)));
    let token = add_narrow_token(&context, &args.name, expires_at, narrowing)?;
    if args.json {
        answer(&json!({ "token": token.expose(), "expires_at": expires_at }).to_string());
    } else {
        answer(&format!(
            "token {}\nIt is shown only now. Hand it over by a safe way.",
            token.expose()
        ));
    }
    Ok(())
}

fn read_actions(codes: &[String]) -> Result<BTreeSet<Action>, CommandError> {
    let read = |code: &String| {
        Action::parse(code.trim()).ok_or_else(|| {
            let known = Action::ALL.map(Action::as_str).join(", ");
            CommandError::Usage(format!("there is no action {code:?}; the actions are {known}"))
        })
    };
    codes.iter().map(read).collect()
}

fn token_revoke(args: &TokenRevoke) -> Result<(), CommandError> {
    let id = Id::parse(&args.id).ok_or_else(|| {
        CommandError::Usage("a token is revoked by its id, not by its text".to_owned())
    })?;
    let was_live = revoke_token(&open(&args.store)?, id)?;
    answer(if was_live { "revoked" } else { "was revoked already" });
    Ok(())
}

pub(super) fn device(command: &DeviceCommand) -> Result<(), CommandError> {
    match command {
        DeviceCommand::Add(args) => device_add(args),
        DeviceCommand::List(args) => device_list(args),
        DeviceCommand::Revoke(args) => device_revoke(args),
    }
}

fn device_add(args: &DeviceAdd) -> Result<(), CommandError> {
    let context = open(&args.store)?;
    if let Some(name) = &args.org
        && context.db.read_here(|conn| Ok(find_by_name(conn, name)?))?.is_none()
    {
        tell(&format!("{name:?} is a new organisation: it is added as a candidate"));
    }
    let (id, key) =
        add_device(&context, &args.name, &args.country, args.owner.as_deref(), args.org.clone())?;
    if args.json {
        answer(&json!({ "device": id, "key": key.expose() }).to_string());
    } else {
        answer(&format!(
            "device {id}\nkey {}\nIt is shown only now. Hand it over by a safe way.",
            key.expose()
        ));
    }
    Ok(())
}

fn device_list(args: &Listing) -> Result<(), CommandError> {
    let context = open(&args.store)?;
    for (device, name) in commands::list_devices(&context)? {
        let state = if device.revoked_at.is_some() { "revoked" } else { "live" };
        if args.json {
            let told = json!({
                "device": device.id, "name": name, "country": device.country, "state": state,
                "owner": device.owner
            });
            answer(&told.to_string());
        } else {
            let name = name.as_deref().unwrap_or("(erased)");
            answer(&format!("{}  {}  {state:7}  {name}", device.id, device.country));
        }
    }
    Ok(())
}

fn device_revoke(args: &DeviceRevoke) -> Result<(), CommandError> {
    let was_live = commands::revoke_device(&open(&args.store)?, &args.phone)?;
    answer(if was_live { "revoked" } else { "was revoked already" });
    Ok(())
}
