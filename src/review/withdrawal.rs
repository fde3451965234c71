//! Takes a report back, at the word of its sender. It stays sealed and readable for its reviewers, and no fact of its
//! incident is made of it any more; an incident with no other report becomes `withdrawn`.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::http::{Access, SubmitReport};
use crate::context::Context;
use crate::db::schema::{incidents, reports};
use crate::db::writer::{ChangeKind, WriteTx};
use crate::error::{Error, Result};
use crate::http::body::JsonBody;
use crate::http::problem::Problem;
use crate::http::query::Pairs;
use crate::http::reason::parse_reason;
use crate::ids::{Id, ReportId};
use crate::incidents::attention;
use crate::incidents::changing::{Moment, ReportChange, keep_report};
use crate::incidents::days::rederive;
use crate::incidents::rules::REPORT_WITHDRAWN;
use crate::incidents::store::find_survivor;
use crate::intake::own::{Locked, lock_own};
use crate::intake::prepare::Submitter;
use crate::intake::receipt::ReceiptView;
use crate::intake::store::find_stored;
use crate::review::decisions::{NewDecision, insert_decision};
use crate::review::merging::store::status_now;

/// What is kept of a withdrawal where its sender gave no reason.
const NO_REASON: &str = "withdrawn by its sender";

/// Why a report is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Withdrawal, example = json!({"reason": "I was told wrong"}))]
pub struct WithdrawalBody {
    /// Why, where its sender wants to say; sealed.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 4000)]
    reason: Option<String>,
}

/// Withdraw a report
///
/// For its sender alone. Nothing is counted of it any more; an incident without another report becomes `withdrawn`.
/// Sending it again answers 410, and so does withdrawing it again.
#[utoipa::path(
    post, path = "/v1/reports/{id}/withdrawal", tag = "reports", operation_id = "withdraw_report",
    params(("id" = uuid::Uuid, Path, description = "The report")),
    request_body = WithdrawalBody,
    responses(
        (status = 200, description = "Its receipt", body = ReceiptView),
        (status = 410, description = "It was withdrawn or erased before", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn withdraw_report(
    access: Access<SubmitReport>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<WithdrawalBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let withdrawal = Withdrawal {
        report: Id::parse(&path).ok_or_else(Error::not_found)?,
        submitter: context.submitter(&access.principal),
        reason: body.0.reason.as_deref().map(parse_reason).transpose()?,
        now: context.clock.now(),
    };
    let shared = context.clone();
    let receipt = context.db.write(move |tx| withdraw(tx, &shared, &withdrawal)).await?;
    Ok(HttpResponse::Ok().json(receipt))
}

/// A checked wish to take a report back.
struct Withdrawal {
    report: ReportId,
    submitter: Submitter,
    reason: Option<String>,
    now: DateTime<Utc>,
}

fn withdraw(
    tx: &mut WriteTx<'_>,
    context: &Context,
    withdrawal: &Withdrawal,
) -> Result<ReceiptView> {
    let (id, now) = (withdrawal.report, withdrawal.now);
    let Locked { row_id, incident, facts, .. } = lock_own(tx.conn, id, &withdrawal.submitter, now)?;
    let moment = Moment { incident: incident.id, version: incident.version, now };
    keep_report(tx.conn, row_id, moment, ReportChange::Withdrawn)?;
    diesel::update(reports::table.find(row_id))
        .set(reports::state.eq("withdrawn"))
        .execute(tx.conn)?;
    // The flag stands with a report that goes on counting, so that the facts derived now have it.
    let left = find_survivor(tx.conn, incident.id)?;
    if let Some(left) = left
        && attention::is_decided(tx.conn, incident.id)?
    {
        attention::raise(tx.conn, moment, left, REPORT_WITHDRAWN)?;
    }
    let is_left = rederive(tx.conn, context, &incident)?;
    let status = status_now(tx.conn, &incident, is_left)?.as_str();
    diesel::update(incidents::table.find(incident.id))
        .set(incidents::status.eq(status))
        .execute(tx.conn)?;
    let decision = NewDecision {
        incident: incident.id,
        version: incident.version,
        decided_by: None,
        statuses: (&incident.status, status),
        fields: "reports",
        reason: withdrawal.reason.as_deref().unwrap_or(NO_REASON),
        now,
    };
    insert_decision(tx.conn, &context.sealer, &decision)?;
    let entry = Entry::new(Act::WithdrewReport, id, now)
        .detail(format!("{}>{status}", incident.status))
        .within(&facts.country, facts.country_computed.as_deref());
    tx.record(entry);
    let kind = if is_left { ChangeKind::Decided } else { ChangeKind::Withdrawn };
    tx.changed(incident.id, kind);
    let stored = find_stored(tx.conn, id)?.ok_or_else(Error::not_found)?;
    Ok(ReceiptView::of(&stored, false))
}
