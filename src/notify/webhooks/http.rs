//! Routes of webhooks.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::http::{Access, ManageWebhooks};
use crate::auth::types::GrantScope;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::error::{Error, FieldError, Result, Text};
use crate::http::body::JsonBody;
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::query::Pairs;
use crate::ids::{EventId, Id, UserId, WebhookId};
use crate::notify::address::Target;
use crate::notify::changes::EventKind;
use crate::notify::webhooks::acts::{self, Wanted};
use crate::notify::webhooks::sender::{self, new_secret, show_secret};
use crate::notify::webhooks::store::{self, State, WebhookRow};
use crate::people::caller::Caller;
use crate::people::grants::types::no_such_scope;
use crate::people::input::{Faults, not_one_of};
use crate::people::tokens::{require_may_end, take_owner};
use crate::seal::envelope::Part;

/// An address that changes are sent to, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: WebhookId,
    /// Whose it is; it tells of what that person may see.
    #[schema(value_type = uuid::Uuid)]
    owner: UserId,
    /// Where changes are sent to.
    #[schema(example = "https://hooks.example.org/sentinelle")]
    url: String,
    /// Of which countries.
    #[schema(example = "SLE,LBR")]
    scope: String,
    /// Of which kinds of change.
    #[schema(example = json!(["created", "changed"]))]
    kinds: Vec<String>,
    /// `active`; `paused` by its owner; `failing`: an event could not be delivered in two days; `gone`: the receiver answered
    /// 410. The latter two go on when they are set active again, with the event they stopped at.
    #[schema(example = "active")]
    state: String,
    /// Number of the change up to which events were made.
    after: i64,
    /// Events that wait to be delivered.
    pending: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When an event was last taken.
    sent_at: Option<DateTime<Utc>>,
    /// When a try last failed.
    failed_at: Option<DateTime<Utc>>,
    /// Why: `http_` and the status, `unreachable`, `unresolved`, `address_refused`, `timeout`, `tls`, `no_http`.
    #[schema(example = "http_500")]
    failure: Option<String>,
}

impl WebhookView {
    fn load(conn: &mut DbConn, context: &Context, row: WebhookRow) -> Result<Self> {
        let url = acts::open(conn, context, (row.id, Part::Address, row.address_version))?;
        let pending = store::count_pending(conn, row.row_id)?;
        Ok(Self {
            id: row.id,
            owner: row.owner,
            url: std::str::from_utf8(&url).map_err(Error::internal)?.to_owned(),
            scope: row.scope,
            kinds: row.kinds.split_ascii_whitespace().map(str::to_owned).collect(),
            state: row.state,
            after: row.position,
            pending,
            created_at: row.created_at.and_utc(),
            sent_at: row.sent_at.map(|at| at.and_utc()),
            failed_at: row.failed_at.map(|at| at.and_utc()),
            failure: row.failure,
        })
    }
}

/// A page of webhooks.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookPage {
    /// Oldest first.
    items: Vec<WebhookView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
    /// How many there are.
    total: i64,
}

/// A webhook with the secret that it was given just now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
pub struct WebhookSecretView {
    /// The webhook.
    #[serde(flatten)]
    webhook: WebhookView,
    /// What events are signed with, where it is new: `whsec_` and base64. It is shown only now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_…")]
    secret: Option<String>,
}

/// Where changes are to be sent, and which.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhook, example = json!({"url": "https://hooks.example.org/sentinelle", "scope": "SLE"}))]
pub struct NewWebhookBody {
    /// Where to: https, a public host, port 443 unless the server allows another.
    #[schema(max_length = 2000)]
    url: String,
    /// Of which countries: `all`, or countries and regions with commas between, as far as you may.
    scope: String,
    /// Of which kinds of change; absent: of all.
    #[serde(default)]
    kinds: Option<Vec<String>>,
    /// The change after which it begins, such as `as_of` of a list; absent: the last one there is.
    #[serde(default)]
    after: Option<i64>,
}

/// A webhook as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookEdit, example = json!({"url": "https://hooks.example.org/sentinelle", "scope": "SLE", "active": true}))]
pub struct WebhookBody {
    /// As in `POST`.
    #[schema(max_length = 2000)]
    url: String,
    /// As in `POST`.
    scope: String,
    /// As in `POST`.
    #[serde(default)]
    kinds: Option<Vec<String>>,
    /// Whether it sends. One that is set active tries at once what waits.
    active: bool,
    /// Whether it gets a new secret; the one it had signs nothing any more.
    #[serde(default)]
    new_secret: bool,
}

/// List webhooks
///
/// Your own; with `user`, those of a person you manage. Never a secret.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "webhooks", operation_id = "list_webhooks",
    params(
        ("user" = Option<uuid::Uuid>, Query, description = "Of this person"),
        PageParams,
    ),
    responses((status = 200, description = "One page", body = WebhookPage))
)]
pub async fn list_webhooks(
    access: Access<ManageWebhooks>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<WebhookPage>> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    let user = take_owner(&mut pairs, &access.principal)?;
    pairs.refuse_rest(&["user", "limit", "cursor"])?;
    let caller = Caller::new(access, context.clock.now());
    let binding = format!("webhooks {user}");
    let range = (page.position(&context.keys, &binding)?.unwrap_or_default(), page.n_rows());
    let shared = context.clone();
    let (items, next, total) = context
        .db
        .read(move |conn| {
            require_may_end(conn, &shared, &caller, user)?;
            let (rows, total) = store::list_of_user(conn, user, range)?;
            let next = page::next_cursor(&shared.keys, &page, &rows, |row| row.row_id, &binding)?;
            let views = rows.into_iter().map(|row| WebhookView::load(conn, &shared, row));
            Ok((views.collect::<Result<Vec<_>>>()?, next, total))
        })
        .await?;
    Ok(web::Json(WebhookPage { items, next, total }))
}

/// Make a webhook
///
/// For coordinators, and for regional leads within their scope. From then on each change of an incident is sent once it is
/// stored, as long as its owner may see the country. The address is looked up now and on every try: whatever is not public
/// is refused.
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "webhooks", operation_id = "create_webhook",
    request_body = NewWebhookBody,
    responses((status = 201, description = "Made", body = WebhookSecretView))
)]
pub async fn create_webhook(
    access: Access<ManageWebhooks>,
    context: web::Data<Context>,
    request: HttpRequest,
    body: JsonBody<NewWebhookBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let NewWebhookBody { url, scope, kinds, after } = body.0;
    let secret = new_secret()?;
    let wanted = Wanted {
        after,
        secret: Some(secret.to_vec()),
        ..read(&context, (&url, &scope, kinds.as_deref()), State::Active).await?
    };
    if after.is_some_and(|after| after < 0) {
        return Err(Error::invalid(vec![FieldError::new(
            "/after",
            "this is the number of a change, 0 or more",
            "la valeur est le numéro d'un changement, 0 ou plus",
        )]));
    }
    let caller = Caller::new(access, context.clock.now());
    let shared = context.clone();
    let webhook = context
        .db
        .write(move |tx| {
            let row = acts::add(tx, &shared, &caller, &wanted)?;
            WebhookView::load(tx.conn, &shared, row)
        })
        .await?;
    let secret = Some(show_secret(secret.as_slice()));
    Ok(HttpResponse::Created().json(WebhookSecretView { webhook, secret }))
}

/// Read a webhook
#[utoipa::path(
    get, path = "/v1/webhooks/{id}", tag = "webhooks", operation_id = "get_webhook",
    params(("id" = uuid::Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook", body = WebhookView))
)]
pub async fn get_webhook(
    access: Access<ManageWebhooks>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<web::Json<WebhookView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: WebhookId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let caller = Caller::new(access, context.clock.now());
    let shared = context.clone();
    let view = context.db.read(move |conn| {
        let row = acts::find(conn, &shared, &caller, id)?;
        WebhookView::load(conn, &shared, row)
    });
    Ok(web::Json(view.await?))
}

/// Change a webhook
///
/// All of it. The address is checked anew, whether it is another or not.
#[utoipa::path(
    put, path = "/v1/webhooks/{id}", tag = "webhooks", operation_id = "put_webhook",
    params(("id" = uuid::Uuid, Path, description = "The webhook")),
    request_body = WebhookBody,
    responses((status = 200, description = "As it is now", body = WebhookSecretView))
)]
pub async fn put_webhook(
    access: Access<ManageWebhooks>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<WebhookBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: WebhookId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let caller = Caller::new(access, context.clock.now());
    let (finder, asker) = (context.clone(), caller.clone());
    // Before the address is looked up: nobody learns anything by the webhooks of others.
    context.db.read(move |conn| acts::find(conn, &finder, &asker, id).map(drop)).await?;
    let WebhookBody { url, scope, kinds, active, new_secret: is_new } = body.0;
    let state = if active { State::Active } else { State::Paused };
    let secret = if is_new { Some(new_secret()?) } else { None };
    let wanted = Wanted {
        secret: secret.as_ref().map(|secret| secret.to_vec()),
        ..read(&context, (&url, &scope, kinds.as_deref()), state).await?
    };
    let shared = context.clone();
    let webhook = context
        .db
        .write(move |tx| {
            let row = acts::change(tx, &shared, &caller, (id, &wanted))?;
            WebhookView::load(tx.conn, &shared, row)
        })
        .await?;
    let secret = secret.map(|secret| show_secret(secret.as_slice()));
    Ok(HttpResponse::Ok().json(WebhookSecretView { webhook, secret }))
}

/// Remove a webhook
///
/// What waits for it goes too.
#[utoipa::path(
    delete, path = "/v1/webhooks/{id}", tag = "webhooks", operation_id = "delete_webhook",
    params(("id" = uuid::Uuid, Path, description = "The webhook")),
    responses((status = 204, description = "Removed"))
)]
pub async fn delete_webhook(
    access: Access<ManageWebhooks>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: WebhookId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let caller = Caller::new(access, context.clock.now());
    let shared = context.clone();
    context.db.write(move |tx| acts::remove(tx, &shared, &caller, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What became of a trial.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookTrial)]
pub struct TrialView {
    /// The id the trial was sent under.
    #[schema(value_type = uuid::Uuid)]
    id: EventId,
    /// Whether the receiver took it.
    delivered: bool,
    /// What it answered; null without an answer.
    status: Option<u16>,
    /// As `failure` of a webhook.
    failure: Option<String>,
}

/// What is sent on trial.
#[derive(Debug, Serialize)]
struct TrialBody {
    #[serde(rename = "type")]
    event_type: &'static str,
    id: EventId,
}

/// Try a webhook out
///
/// Sends `{"type": "test", "id"}` now, signed as events are, whatever its state, and tells what came of it.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/test", tag = "webhooks", operation_id = "test_webhook",
    params(("id" = uuid::Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "It was tried", body = TrialView))
)]
pub async fn test_webhook(
    access: Access<ManageWebhooks>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<web::Json<TrialView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: WebhookId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let caller = Caller::new(access, context.clock.now());
    let (finder, asker) = (context.clone(), caller.clone());
    let row = context.db.read(move |conn| acts::find(conn, &finder, &asker, id)).await?;
    let event = EventId::random();
    let body = serde_json::to_string(&TrialBody { event_type: "test", id: event });
    let body = body.map_err(Error::internal)?;
    let shared = context.clone();
    let outcome = web::block(move || sender::post(&shared, &row, (event, &body)));
    let outcome = outcome.await.map_err(Error::internal)??;
    let failure = outcome.failure();
    let entry = acts::tested(id, caller.principal.user_id(), caller.now, failure.clone());
    context.db.record(entry).await?;
    let (delivered, status) = (outcome.is_taken(), outcome.status());
    Ok(web::Json(TrialView { id: event, delivered, status, failure }))
}

/// Reads what a webhook is to be, and looks its address up.
async fn read(
    context: &web::Data<Context>,
    (url, scope, kinds): (&str, &str, Option<&[String]>),
    state: State,
) -> Result<Wanted> {
    let mut faults = Faults::default();
    let at_url = |text: Text| FieldError { pointer: "/url".to_owned(), text };
    let target = Target::parse(url, context.notifier.gate.rules()).map_err(at_url);
    let target = faults.take(target);
    let scope = GrantScope::parse_list(scope, context.geo().countries());
    let scope = faults.take(scope.map_err(|_part| no_such_scope("/scope")));
    let kinds = read_kinds(kinds, &mut faults);
    let (target, scope) = faults.settle(target.zip(scope))?;
    let url = target.as_str().to_owned();
    let gate = context.notifier.gate.clone();
    let found = web::block(move || gate.check(&target)).await.map_err(Error::internal)?;
    // The same words whether nobody knows the host or it lies inside: names of a network are not to be guessed by this.
    found.map_err(|_refusal| Error::invalid(vec![at_url(not_public())]))?;
    Ok(Wanted { url, scope, kinds, state, after: None, secret: None })
}

fn not_public() -> Text {
    Text::new(
        "every address of the host must be known and public, and its port 443 unless the server allows another",
        "chaque adresse de l'hôte doit être connue et publique, et son port 443 sauf si le serveur en permet un autre",
    )
}

fn read_kinds(kinds: Option<&[String]>, faults: &mut Faults) -> Vec<EventKind> {
    let Some(kinds) = kinds else {
        return EventKind::ALL.to_vec();
    };
    if kinds.is_empty() {
        faults.add(not_one_of("/kinds", &EventKind::ALL.map(EventKind::as_str)));
    }
    let mut read = Vec::new();
    for (nth, code) in kinds.iter().enumerate() {
        match EventKind::parse(code) {
            Some(kind) if !read.contains(&kind) => read.push(kind),
            Some(_) => {}
            None => {
                let known = EventKind::ALL.map(EventKind::as_str);
                faults.add(not_one_of(&format!("/kinds/{nth}"), &known));
            }
        }
    }
    read
}
