//! A reviewer asks the sender of one report: the incident waits for the answer, and stays the asker's case.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::act::Act;
use crate::auth::http::{Access, Decide};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::rows::FactsRow;
use crate::db::schema::{incidents, reports};
use crate::db::writer::{ChangeKind, WriteTx};
use crate::error::{Error, FieldError, Result};
use crate::http::body::JsonBody;
use crate::http::conditional::{required_version, version_tag};
use crate::http::problem::Problem;
use crate::http::query::Pairs;
use crate::ids::{Id, IncidentId, MessageId, ReportId};
use crate::incidents::attention;
use crate::incidents::changing::Moment;
use crate::incidents::decider::Decider;
use crate::incidents::facts::Status;
use crate::incidents::merged::refuse_merged;
use crate::incidents::store::{IncidentRow, refresh_facts};
use crate::incidents::view::IncidentView;
use crate::review::assignments::take_if_free;
use crate::review::claims::follow_decision;
use crate::review::decisions::{
    NewDecision, check_status, insert_decision, one_view, stale, take_version,
};
use crate::review::merging::store::status_of;
use crate::review::messages::delivery::{self, DeliveryCode};
use crate::review::messages::store::{Kind, NewMessage, insert};
use crate::review::messages::{MESSAGES, parse_text};

/// What is kept as the reason of asking; the question itself is sealed as a message.
const ASKED: &str = "its sender was asked";

/// A question to the sender of a report.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Question, example = json!({"report": "3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e", "text": "How many were hurt?"}))]
pub struct QuestionBody {
    /// A report of the incident.
    #[schema(value_type = uuid::Uuid)]
    report: String,
    /// What is asked, in words its sender understands; sealed.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// A question that was put.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AskedQuestion)]
pub struct AskedView {
    /// Names the question.
    #[schema(value_type = uuid::Uuid)]
    id: MessageId,
    /// The report whose sender is asked.
    #[schema(value_type = uuid::Uuid)]
    report: ReportId,
    /// The server's clock.
    asked_at: DateTime<Utc>,
    /// How it goes to its sender.
    delivery: Vec<DeliveryCode>,
    /// The incident as it is now.
    incident: IncidentView,
}

/// Ask the sender of a report
///
/// The question lies where the sender looks, by the account or the phone that sent the report, and a mail says so to who
/// has one. The incident becomes `needs_information`, from `received` and `in_review` (or stays so), and the case of whoever
/// asks, unless it is somebody's. With the answer it comes back. As a decision: `If-Match`, and 409 where another works on
/// it. 409 `sender_unreachable` where nobody can be asked; `why` says why, and nothing changes.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/messages", tag = "review", operation_id = "ask_sender",
    params(
        ("id" = uuid::Uuid, Path, description = "The incident"),
        ("If-Match" = String, Header, description = "The `ETag` read", example = "\"1\""),
    ),
    request_body = QuestionBody,
    responses(
        (status = 201, description = "The question is put", body = AskedView,
         headers(("ETag" = String, description = "The version of the incident"))),
        (status = 409, description = "Another works on it, or nobody can be asked", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Somebody changed it; `current` is what it is now", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "`If-Match` is missing", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn ask_sender(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<QuestionBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let asking = Asking {
        incident: Id::parse(&path).ok_or_else(Error::not_found)?,
        version: required_version(&request)?,
        report: Id::parse(&body.0.report).ok_or_else(not_of_incident)?,
        text: parse_text(&body.0.text)?,
        decider: Decider::of(&access, &context)?,
    };
    let shared = context.clone();
    let asked = context.db.write(move |tx| asking.ask(tx, &shared)).await?;
    let tag = version_tag(asked.incident.version);
    Ok(HttpResponse::Created().insert_header((header::ETAG, tag)).json(asked))
}

fn not_of_incident() -> Error {
    Error::invalid(vec![FieldError::new(
        "/report",
        "this is no report of this incident",
        "ce n'est pas un rapport de cet incident",
    )])
}

/// A checked question.
struct Asking {
    incident: IncidentId,
    version: i32,
    report: ReportId,
    text: String,
    decider: Decider,
}

impl Asking {
    fn ask(&self, tx: &mut WriteTx<'_>, context: &Context) -> Result<AskedView> {
        let Decider { by, ref scope, now } = self.decider;
        let (incident, facts) = self.decider.find(tx.conn, context, self.incident)?;
        if !take_version(tx.conn, incident.id, (self.version, now))? {
            return Err(stale(tx.conn, context, &incident, scope)?);
        }
        refuse_merged(tx.conn, &incident)?;
        let report = find_report(tx.conn, incident.id, self.report)?.ok_or_else(not_of_incident)?;
        check_may_ask(&incident)?;
        let sender = (report.state.as_str(), report.submitter.as_deref());
        let ways = delivery::plan(tx.conn, context, sender, now)?;
        follow_decision(tx.conn, incident.id, (Some(by), Status::NeedsInformation), now)?;

        let id = MessageId::random();
        let message = NewMessage {
            id,
            report: report.row_id,
            incident: (incident.id, self.version + 1),
            kind: Kind::Question(by),
            text: &self.text,
            now,
        };
        insert(tx.conn, &context.sealer, &message)?;
        for way in &ways {
            delivery::deliver(tx.conn, *way, now)?;
        }
        let moment = Moment { incident: incident.id, version: self.version + 1, now };
        attention::lower_all(tx.conn, moment)?;
        refresh_facts(tx.conn, incident.id)?;
        self.record(tx, context, (&incident, &facts))?;
        take_if_free(tx, context, &self.decider, (&incident, &facts))?;
        Ok(AskedView {
            id,
            report: self.report,
            asked_at: now,
            delivery: ways.into_iter().map(DeliveryCode::from).collect(),
            incident: one_view(tx.conn, context, incident.id, scope)?,
        })
    }

    fn record(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        (incident, facts): (&IncidentRow, &FactsRow),
    ) -> Result<()> {
        let to = Status::NeedsInformation.as_str();
        diesel::update(incidents::table.find(incident.id))
            .set(incidents::status.eq(to))
            .execute(tx.conn)?;
        let decision = NewDecision {
            incident: incident.id,
            version: self.version + 1,
            decided_by: Some(self.decider.by),
            statuses: (&incident.status, to),
            fields: MESSAGES,
            reason: ASKED,
            now: self.decider.now,
        };
        insert_decision(tx.conn, &context.sealer, &decision)?;
        let detail = format!("{}>{to} {}", incident.status, self.report);
        tx.record(self.decider.entry(Act::AskedBack, (incident, facts)).detail(detail));
        tx.changed(incident.id, ChangeKind::Decided);
        Ok(())
    }
}

/// One that waits for an answer already may be asked more.
fn check_may_ask(incident: &IncidentRow) -> Result<()> {
    let from = status_of(incident)?;
    if from != Status::NeedsInformation {
        check_status(from, Status::NeedsInformation)?;
    }
    Ok(())
}

#[derive(diesel::Queryable)]
struct ReportRow {
    row_id: i64,
    state: String,
    submitter: Option<Vec<u8>>,
}

fn find_report(conn: &mut DbConn, incident: i64, id: ReportId) -> QueryResult<Option<ReportRow>> {
    reports::table
        .filter(reports::uuid.eq(id))
        .filter(reports::incident_id.eq(incident))
        .select((reports::id, reports::state, reports::submitter))
        .first(conn)
        .optional()
}
