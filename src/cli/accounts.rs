//! `user`, `token` and `device`: they work beside a running server.

use chrono::Duration;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::auth::accounts::{add_device, add_token, add_user, invite};
use crate::auth::credential::Credential;
use crate::auth::invitations::{DEFAULT_HOURS, MOST_HOURS};
use crate::auth::types::{GrantScope, Role};
use crate::cli::{CommandError, answer, open};
use crate::config::StoreConfig;

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Add a person with a role within a scope.
    Add(UserAdd),
    /// Make a link by which a person sets a password, once: the first one, or a new one.
    Invite(UserInvite),
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
}

#[derive(Debug, Args)]
pub(super) struct TokenAdd {
    /// Name the person was added under.
    name: String,
    /// Days until it stops working; without it, it works until it is revoked.
    #[arg(long)]
    days: Option<u16>,
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
    /// Organisation that hands it out.
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
        UserCommand::Add(args) => add(args),
        UserCommand::Invite(args) => invite_person(args),
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

fn add(args: &UserAdd) -> Result<(), CommandError> {
    let role = Role::parse(&args.role).ok_or_else(|| {
        let known = Role::ALL.map(Role::as_str).join(", ");
        CommandError::Usage(format!("there is no role {:?}; the roles are {known}", args.role))
    })?;
    let context = open(&args.store)?;
    let scopes =
        GrantScope::parse_list(&args.scope, context.geo().countries()).map_err(|part| {
            CommandError::Usage(format!(
                "{part:?} is no country or region; give all, SLE,COD or region:west"
            ))
        })?;
    let id = add_user(&context, &args.name, role, scopes)?;
    let token = if args.token { Some(add_token(&context, &args.name, None)?) } else { None };
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

pub(super) fn token(command: &TokenCommand) -> Result<(), CommandError> {
    let TokenCommand::Add(args) = command;
    let context = open(&args.store)?;
    let expires_at = args.days.map(|days| context.clock.now() + Duration::days(i64::from(days)));
    let token = add_token(&context, &args.name, expires_at)?;
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

pub(super) fn device(command: &DeviceCommand) -> Result<(), CommandError> {
    let DeviceCommand::Add(args) = command;
    let context = open(&args.store)?;
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
