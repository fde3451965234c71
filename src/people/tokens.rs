//! Routes of bearer tokens: one's own, and revoking those of people one manages.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::credential::Credential;
use crate::auth::http::{Access, ManageCredentials, UseAccount};
use crate::auth::policy::{Action, may_name, reach, visible};
use crate::auth::store::find_row_id;
use crate::auth::tokens::{self, Narrowing, TokenRow};
use crate::auth::types::{GrantScope, Principal, Scope};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::error::{Error, FieldError, Result};
use crate::http::body::JsonBody;
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::query::Pairs;
use crate::ids::{Id, TokenId, UserId};
use crate::people::caller::Caller;
use crate::people::grants::acts::is_known_region;
use crate::people::grants::types::{no_such_scope, resolve};
use crate::people::input::{Faults, not_one_of};
use crate::people::regions::store::list_regions;
use crate::people::users::person::Person;

/// Longest life of a token made over the network.
const MOST_DAYS: u16 = 365;

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: TokenId,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it stops working; null, for some made on the server: when it is revoked.
    expires_at: Option<DateTime<Utc>>,
    /// When it was revoked; null: it was not.
    revoked_at: Option<DateTime<Utc>>,
    /// The actions it is limited to; null: whatever its owner may.
    #[schema(example = json!(["read_core"]))]
    actions: Option<Vec<String>>,
    /// Where it is limited to; null: wherever its owner may.
    #[schema(example = "SLE")]
    scope: Option<String>,
    /// Whether it may reveal identities.
    reveal: bool,
    /// Whether it is a feed key.
    feed: bool,
}

impl From<TokenRow> for TokenView {
    fn from(row: TokenRow) -> Self {
        let TokenRow { row_id: _, id, owner: _, created_at, expires_at, revoked_at, .. } = row;
        let actions =
            row.actions.map(|codes| codes.split_whitespace().map(str::to_owned).collect());
        Self {
            id,
            created_at: created_at.and_utc(),
            expires_at: expires_at.map(|at| at.and_utc()),
            revoked_at: revoked_at.map(|at| at.and_utc()),
            actions,
            scope: row.scope,
            reveal: row.may_reveal,
            feed: row.is_feed,
        }
    }
}

/// A page of tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenPage {
    /// Oldest first, those that work no longer among them.
    items: Vec<TokenView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
    /// How many there are.
    total: i64,
}

/// List tokens
///
/// Your own; with `user`, those of a person you manage. Never a secret.
#[utoipa::path(
    get, path = "/v1/tokens", tag = "people", operation_id = "list_tokens",
    params(
        ("user" = Option<uuid::Uuid>, Query, description = "Of this person"),
        PageParams,
    ),
    responses((status = 200, description = "One page", body = TokenPage))
)]
pub async fn list_tokens(
    access: Access<UseAccount>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<TokenPage>> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    let user = take_owner(&mut pairs, &access.principal)?;
    pairs.refuse_rest(&["user", "limit", "cursor"])?;
    let caller = Caller::new(access, context.clock.now());
    let binding = format!("tokens {user}");
    let range = (page.position(&context.keys, &binding)?.unwrap_or_default(), page.n_rows());
    let shared = context.clone();
    let (rows, total) = context
        .db
        .read(move |conn| {
            require_may_end(conn, &shared, &caller, user)?;
            Ok(tokens::list_of_user(conn, user, range)?)
        })
        .await?;
    let next = page::next_cursor(&context.keys, &page, &rows, |row| row.row_id, &binding)?;
    let items = rows.into_iter().map(TokenView::from).collect();
    Ok(web::Json(TokenPage { items, next, total }))
}

/// Takes `user` out of `pairs`: whose things are listed, the caller's own unless told.
///
/// # Errors
/// `NotFound` for what is no id, and for a caller who is no person.
pub fn take_owner(pairs: &mut Pairs, caller: &Principal) -> Result<UserId> {
    let owner = match pairs.take_one("user")? {
        None => caller.user_id(),
        Some(text) => Id::parse(&text),
    };
    owner.ok_or_else(Error::not_found)
}

/// Refuses unless `owner` is the caller or somebody they manage: what acts for others is there for those alone who may
/// end it.
///
/// # Errors
/// `NotFound`; the database's failure.
pub fn require_may_end(
    conn: &mut DbConn,
    context: &Context,
    caller: &Caller,
    owner: UserId,
) -> Result<()> {
    if caller.principal.user_id() == Some(owner) {
        return Ok(());
    }
    let scope = visible(&caller.principal, Action::ManagePeople);
    let scope = scope.map_err(|_forbidden| Error::not_found())?;
    let managing = Caller { scope, ..caller.clone() };
    let person = Person::find(conn, context, &managing, owner)?;
    let person = person.filter(|person| may_name(&caller.principal, owner, &person.held));
    person.map(drop).ok_or_else(Error::not_found)
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenToMake, example = json!({"expires_in_days": 90, "actions": ["read_core"], "scope": "SLE"}))]
pub struct TokenBody {
    /// Days until it stops working.
    #[schema(minimum = 1, maximum = 365)]
    expires_in_days: u16,
    /// These actions alone, such as `submit_report`, `read_core`, `open_report`, `decide`; absent: whatever you may.
    #[serde(default)]
    actions: Option<Vec<String>>,
    /// There alone: countries and regions with commas between; absent: wherever you may.
    #[serde(default)]
    scope: Option<String>,
    /// Whether it may reveal identities; it skips the second factor, so leave it out where you can.
    #[serde(default)]
    reveal: bool,
    /// A key for spreadsheets and maps: it reads lists, counts and exports, does nothing else, and is taken as the password
    /// of HTTP Basic too, with any name. Without `actions` and `reveal`.
    #[serde(default)]
    feed: bool,
}

/// A new token, shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NewToken)]
pub struct NewTokenView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: TokenId,
    /// The token. It is shown only now.
    #[schema(example = "snt_u_…")]
    token: String,
    /// When it stops working.
    expires_at: DateTime<Utc>,
}

/// Make a token
///
/// For programs that act for you: never wider than you, and narrower as your roles are taken away. Needs a session: a
/// token makes no tokens.
#[utoipa::path(
    post, path = "/v1/tokens", tag = "people", operation_id = "create_token",
    request_body = TokenBody,
    responses((status = 201, description = "Made", body = NewTokenView))
)]
pub async fn create_token(
    access: Access<ManageCredentials>,
    context: web::Data<Context>,
    request: HttpRequest,
    body: JsonBody<TokenBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let caller = Caller::new(access, context.clock.now());
    let narrowing = read_narrowing(&body.0, &caller.principal, &context)?;
    let expires_at = caller.now + Duration::days(i64::from(body.0.expires_in_days));
    let token = Credential::generate(narrowing.kind()).map_err(Error::internal)?;
    let hash = token.hash();
    let shared = context.clone();
    let id = context
        .db
        .write(move |tx| {
            check_scope(tx.conn, &shared, &caller.principal, &narrowing)?;
            let owner = caller.principal.user_id().ok_or_else(Error::not_found)?;
            let row_id = find_row_id(tx.conn, owner)?;
            let until = Some(expires_at);
            let id = tokens::insert(tx.conn, (row_id, hash), &narrowing, caller.now, until)?;
            tx.record(Entry::new(Act::AddedToken, owner, caller.now).by(Some(owner)));
            Ok(id)
        })
        .await?;
    let token = token.expose().to_owned();
    Ok(HttpResponse::Created().json(NewTokenView { id, token, expires_at }))
}

fn read_narrowing(body: &TokenBody, principal: &Principal, context: &Context) -> Result<Narrowing> {
    let mut faults = Faults::default();
    if !(1..=MOST_DAYS).contains(&body.expires_in_days) {
        faults.add(FieldError::new(
            "/expires_in_days",
            format!("a token works 1 to {MOST_DAYS} days"),
            format!("un jeton vaut de 1 à {MOST_DAYS} jours"),
        ));
    }
    let mut actions = BTreeSet::new();
    for (index, code) in body.actions.iter().flatten().enumerate() {
        let read = read_action(&format!("/actions/{index}"), code, body.reveal, principal);
        actions.extend(faults.take(read));
    }
    if body.reveal && visible(principal, Action::RevealIdentities).is_err() {
        faults.add(beyond("/reveal"));
    }
    let scope = match &body.scope {
        None => Some(None),
        Some(text) => {
            let read = GrantScope::parse_list(text, context.geo().countries());
            faults.take(read.map_err(|_part| no_such_scope("/scope"))).map(Some)
        }
    };
    if body.feed && (body.actions.is_some() || body.reveal) {
        faults.add(FieldError::new(
            "/feed",
            "a feed key reads lists, counts and exports only: leave out \"actions\" and \"reveal\"",
            "une clé de flux lit seulement listes, comptes et exports : retirez « actions » et « reveal »",
        ));
    } else if body.feed && visible(principal, Action::ReadCore).is_err() {
        faults.add(beyond("/feed"));
    }
    let actions = body.actions.as_ref().map(|_| actions);
    let narrowing = scope.map(|scope| {
        if body.feed {
            return Narrowing::of_feed(scope);
        }
        Narrowing { actions, scope, may_reveal: body.reveal, is_feed: false }
    });
    faults.settle(narrowing)
}

fn read_action(
    pointer: &str,
    code: &str,
    may_reveal: bool,
    principal: &Principal,
) -> std::result::Result<Action, FieldError> {
    let Some(action) = Action::parse(code) else {
        let known = Action::ALL.map(Action::as_str);
        return Err(not_one_of(pointer, &known));
    };
    if action == Action::RevealIdentities && !may_reveal {
        return Err(FieldError::new(
            pointer,
            "a token reveals identities only with \"reveal\": true",
            "un jeton ne révèle des identités qu'avec « \"reveal\": true »",
        ));
    }
    // A token never makes tokens: that is for sessions.
    let is_mine = action != Action::ManageCredentials && visible(principal, action).is_ok();
    if is_mine { Ok(action) } else { Err(beyond(pointer)) }
}

fn beyond(pointer: &str) -> FieldError {
    FieldError::new(
        pointer,
        "this is beyond what you may, or what a token may",
        "ceci dépasse vos droits, ou ceux d'un jeton",
    )
}

/// A token's scope lies within its owner's, and its regions exist.
fn check_scope(
    conn: &mut DbConn,
    context: &Context,
    principal: &Principal,
    narrowing: &Narrowing,
) -> Result<()> {
    let Some(scopes) = &narrowing.scope else { return Ok(()) };
    let regions = list_regions(conn, context.geo().countries())?;
    if !scopes.iter().all(|scope| is_known_region(scope, &regions)) {
        return Err(Error::invalid(vec![no_such_scope("/scope")]));
    }
    let resolved = scopes.iter().map(|scope| resolve(scope, &regions)).reduce(Scope::union);
    let is_within = resolved.is_some_and(|resolved| reach(principal).contains(&resolved));
    if is_within { Ok(()) } else { Err(Error::invalid(vec![beyond("/scope")])) }
}

/// Revoke a token
///
/// Your own, or one of a person you manage; it works no longer from the next request on.
#[utoipa::path(
    delete, path = "/v1/tokens/{id}", tag = "people", operation_id = "delete_token",
    params(("id" = uuid::Uuid, Path, description = "The token")),
    responses((status = 204, description = "Revoked"))
)]
pub async fn delete_token(
    access: Access<UseAccount>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: TokenId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let caller = Caller::new(access, context.clock.now());
    let shared = context.clone();
    context
        .db
        .write(move |tx| {
            let token = tokens::find(tx.conn, id)?.ok_or_else(Error::not_found)?;
            require_may_end(tx.conn, &shared, &caller, token.owner)?;
            if token.revoked_at.is_none() {
                tokens::revoke(tx.conn, token.row_id, caller.now)?;
                let entry = Entry::new(Act::RevokedToken, id, caller.now);
                tx.record(entry.by(caller.principal.user_id()));
            }
            Ok(())
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
