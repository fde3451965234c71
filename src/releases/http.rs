//! Routes by which coordinators make releases.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::audit::act::Act;
use crate::audit::{Entry, not_recorded};
use crate::auth::http::{Access, ManageReleases};
use crate::auth::policy::Action;
use crate::auth::types::Scope;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::body::JsonBody;
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::query::Pairs;
use crate::http::reason::parse_reason;
use crate::ids::{Id, ReleaseId};
use crate::people::input::Faults;
use crate::releases::acts::{self, Actor};
use crate::releases::build::Span;
use crate::releases::partition::Rule;
use crate::releases::period::{Month, read_month};
use crate::releases::store;
use crate::releases::view::{ReleasePage, ReleasePreview, ReleaseView};

/// What the cursors of this list are bound to.
const BINDING: &str = "releases";

/// What a release is to cover.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReleaseToBuild, example = json!({"until": "2024-03"}))]
pub struct BuildBody {
    /// The last month; it is over.
    #[schema(example = "2024-03")]
    until: String,
    /// The first month, for the first release; later ones begin with the same. Without it, January of the year of the
    /// earliest incident.
    #[serde(default)]
    #[schema(example = "2023-01")]
    from: Option<String>,
}

/// Who asks: a coordinator whose token is not limited to some countries, since a release is of all.
fn actor(access: &Access<ManageReleases>, context: &Context) -> Result<Actor> {
    let forbidden = || Error::forbidden(Action::ManageReleases.as_str());
    if access.scope != Scope::All {
        return Err(forbidden());
    }
    let id = access.principal.user_id().ok_or_else(forbidden)?;
    Ok(Actor { id, now: context.clock.now() })
}

/// Draft a release
///
/// Counts verified incidents, divides them as finely as no figure of fewer than 5 incidents or 3 independent senders
/// comes out, and stores that as a draft. Nobody but coordinators sees it until another coordinator approves it.
#[utoipa::path(
    post, path = "/v1/releases", tag = "releases", operation_id = "create_release",
    request_body = BuildBody,
    responses((status = 201, description = "Drafted", body = ReleasePreview))
)]
pub async fn create_release(
    access: Access<ManageReleases>,
    context: web::Data<Context>,
    request: HttpRequest,
    body: JsonBody<BuildBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let actor = actor(&access, &context)?;
    let span = read_span(&body.0)?;
    let shared = context.clone();
    let counted = move |conn: &mut _| acts::count(conn, &shared, Rule::STANDARD, span, actor);
    let built = context.db.read(counted).await?;
    let stored = context.db.write(move |tx| {
        let id = acts::store_draft(tx, &built, Rule::STANDARD, actor)?;
        let release = store::find_release(tx.conn, id)?.ok_or_else(Error::not_found)?;
        Ok(ReleasePreview::of(&release, Vec::new(), &built.atoms))
    });
    Ok(HttpResponse::Created().json(stored.await?))
}

fn read_span(body: &BuildBody) -> Result<Span> {
    let mut faults = Faults::default();
    let last = faults.take(read_month("/until", &body.until));
    let first = match &body.from {
        None => Some(None),
        Some(text) => faults.take(read_month("/from", text)).map(Some),
    };
    let span = || Some(Span { first: first?, last: last? });
    faults.settle(span())
}

/// List releases
///
/// Drafts and withdrawn ones too, the newest first.
#[utoipa::path(
    get, path = "/v1/releases", tag = "releases", operation_id = "list_releases",
    params(PageParams),
    responses((status = 200, description = "One page", body = ReleasePage))
)]
pub async fn list_releases(
    access: Access<ManageReleases>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<ReleasePage>> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    pairs.refuse_rest(&["limit", "cursor"])?;
    actor(&access, &context)?;
    let before = page.position(&context.keys, BINDING)?.unwrap_or(i64::MAX);
    let limit = page.n_rows();
    let (rows, total) =
        context.db.read(move |conn| store::list_releases(conn, before, limit)).await?;
    let next = page::next_cursor(&context.keys, &page, &rows, |row| row.row_id, BINDING)?;
    let items = rows.iter().map(|release| ReleaseView::of(release, Vec::new())).collect();
    Ok(web::Json(ReleasePage { items, next, total }))
}

/// Read a release
///
/// With every figure, what was folded and why. Why it was withdrawn is shown too; that is written to the audit log first.
#[utoipa::path(
    get, path = "/v1/releases/{id}", tag = "releases", operation_id = "get_release",
    params(("id" = uuid::Uuid, Path, description = "The release")),
    responses((status = 200, description = "The release", body = ReleasePreview))
)]
pub async fn get_release(
    access: Access<ManageReleases>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<web::Json<ReleasePreview>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let actor = actor(&access, &context)?;
    let id: ReleaseId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let found = context.db.read(move |conn| store::find_release(conn, id)).await?;
    let release = found.ok_or_else(Error::not_found)?;
    if !release.withdrawals.is_empty() {
        let entry = Entry::new(Act::OpenedRelease, id, actor.now).by(Some(actor.id));
        context.db.record(entry.detail("reasons")).await.map_err(not_recorded)?;
    }
    let shared = context.clone();
    let preview = context.db.read(move |conn| {
        let reasons = acts::open_reasons(conn, &shared, &release)?;
        let atoms = store::list_atoms(conn, release.row_id)?;
        Ok(ReleasePreview::of(&release, reasons, &atoms))
    });
    Ok(web::Json(preview.await?))
}

/// Approve a release
///
/// By another coordinator than the one who drafted it. From then on everybody sees it, and nothing of it changes.
#[utoipa::path(
    post, path = "/v1/releases/{id}/approval", tag = "releases", operation_id = "approve_release",
    params(("id" = uuid::Uuid, Path, description = "The release")),
    responses((status = 200, description = "Published", body = ReleaseView))
)]
pub async fn approve_release(
    access: Access<ManageReleases>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<web::Json<ReleaseView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let actor = actor(&access, &context)?;
    let id: ReleaseId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let release = context.db.write(move |tx| acts::approve(tx, id, actor)).await?;
    Ok(web::Json(ReleaseView::of(&release, Vec::new())))
}

/// What is to be withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReleaseToWithdraw, example = json!({"reason": "a source in March is in danger", "from": "2024-03", "until": "2024-03"}))]
pub struct WithdrawalBody {
    /// Why; sealed.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
    /// With `until`, the first of the months to withdraw; without both, all of it. Figures that touch them go whole.
    #[serde(default)]
    from: Option<String>,
    /// With `from`, the last of the months.
    #[serde(default)]
    until: Option<String>,
}

/// Withdraw a release
///
/// Or some months of it. What others hold of it is in their hands.
#[utoipa::path(
    post, path = "/v1/releases/{id}/withdrawal", tag = "releases", operation_id = "withdraw_release",
    params(("id" = uuid::Uuid, Path, description = "The release")),
    request_body = WithdrawalBody,
    responses((status = 200, description = "Withdrawn", body = ReleaseView))
)]
pub async fn withdraw_release(
    access: Access<ManageReleases>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<WithdrawalBody>,
) -> Result<web::Json<ReleaseView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let actor = actor(&access, &context)?;
    let id: ReleaseId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let reason = parse_reason(&body.0.reason)?;
    let months = read_months(body.0.from.as_deref(), body.0.until.as_deref())?;
    let shared = context.clone();
    let withdrawn = context
        .db
        .write(move |tx| acts::withdraw(tx, &shared, id, (months, &reason), actor))
        .await?;
    Ok(web::Json(ReleaseView::of(&withdrawn, Vec::new())))
}

/// Reads the months of a withdrawal: both ends, or none.
///
/// # Errors
/// `InvalidFields`.
pub fn read_months(from: Option<&str>, until: Option<&str>) -> Result<Option<(Month, Month)>> {
    let (Some(from), Some(until)) = (from.or(until), until.or(from)) else {
        return Ok(None);
    };
    let mut faults = Faults::default();
    let (first, last) =
        (faults.take(read_month("/from", from)), faults.take(read_month("/until", until)));
    faults.settle(first.zip(last)).map(Some)
}
