//! Questions and answers about the reports of an incident, opened for whoever may open the reports; that is written down
//! first.

use std::collections::HashMap;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::act::Act;
use crate::audit::{self, Entry};
use crate::auth::http::{Access, OpenReport};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{messages, reports};
use crate::db::writer::WriteTx;
use crate::error::{Error, Result};
use crate::http::page::{self, PageParams, PageRequest, next_cursor};
use crate::http::problem::Problem;
use crate::http::query::Pairs;
use crate::ids::{Id, IncidentId, MessageId, ReportId, UserId};
use crate::incidents::handling::renew_claim;
use crate::incidents::opening::ERASED;
use crate::incidents::store::find_incident;
use crate::incidents::view::is_seen;
use crate::review::messages::store::{AnswerRow, list_answers, open_texts};

/// A question with its answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThreadQuestion)]
pub struct QuestionView {
    /// Names the question.
    #[schema(value_type = uuid::Uuid)]
    id: MessageId,
    /// The report whose sender was asked.
    #[schema(value_type = uuid::Uuid)]
    report: ReportId,
    /// Who asked.
    #[schema(value_type = Option<uuid::Uuid>)]
    asked_by: Option<UserId>,
    /// The server's clock.
    asked_at: DateTime<Utc>,
    /// What was asked.
    text: String,
    /// Nobody has answered it yet.
    is_open: bool,
    /// What the sender answered, in order of arrival.
    answers: Vec<AnswerView>,
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThreadAnswer)]
pub struct AnswerView {
    /// Names the answer.
    #[schema(value_type = uuid::Uuid)]
    id: MessageId,
    /// The server's clock.
    answered_at: DateTime<Utc>,
    /// What was answered.
    text: String,
}

/// A page of questions and answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Thread)]
pub struct ThreadPage {
    /// The incident.
    #[schema(value_type = uuid::Uuid)]
    incident: IncidentId,
    /// In the order they were asked.
    items: Vec<QuestionView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
}

/// Read questions and answers
///
/// What the senders of the incident's reports were asked and answered, of the reports merged into it too, for reviewers and
/// leads of its country. Each opening is written to the audit log first. What belongs to erased reports is gone.
#[utoipa::path(
    get, path = "/v1/incidents/{id}/messages", tag = "review", operation_id = "list_messages",
    params(("id" = uuid::Uuid, Path, description = "The incident"), PageParams),
    responses(
        (status = 200, description = "One page", body = ThreadPage),
        (status = 507, description = "It could not be written down, so nothing is shown", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list_messages(
    access: Access<OpenReport>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    pairs.refuse_rest(&["limit", "cursor"])?;
    let id: IncidentId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let binding = format!("messages {id}");
    let after = page.position(&context.keys, &binding)?.unwrap_or(0);
    let (reader, scope, now) = (access.principal.user_id(), access.scope, context.clock.now());
    let shared = context.clone();
    let record = move |tx: &mut WriteTx<'_>| {
        let (incident, facts) = find_incident(tx.conn, id)?.ok_or_else(Error::not_found)?;
        if !is_seen(&scope, &shared.geo(), &facts) {
            return Err(Error::not_found());
        }
        if let Some(reader) = reader {
            renew_claim(tx.conn, id, reader, now)?;
        }
        let entry = Entry::new(Act::OpenedIncident, id, now).by(reader).detail("messages");
        tx.record(entry.within(&facts.country, facts.country_computed.as_deref()));
        Ok(incident.id)
    };
    let incident = context.db.write(record).await.map_err(audit::not_recorded)?;
    let (shared, asked) = (context.clone(), page.clone());
    let (rows, items) = context
        .db
        .read(move |conn| {
            let rows = list_questions(conn, incident, after, asked.n_rows())?;
            let items = view(conn, &shared, &rows)?;
            Ok((rows, items))
        })
        .await?;
    let next = next_cursor(&context.keys, &page, &rows, |row| row.row_id, &binding)?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &next {
        response.insert_header((header::LINK, page::next_link(&request, next)));
    }
    Ok(response.json(ThreadPage { incident: id, items, next }))
}

#[derive(diesel::Queryable)]
struct QuestionRow {
    row_id: i64,
    id: MessageId,
    report: ReportId,
    asked_by: Option<UserId>,
    asked_at: NaiveDateTime,
    answered_at: Option<NaiveDateTime>,
}

fn list_questions(
    conn: &mut DbConn,
    incident: i64,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<QuestionRow>> {
    messages::table
        .inner_join(reports::table)
        .filter(reports::incident_id.eq(incident))
        .filter(reports::state.ne(ERASED))
        .filter(messages::question_id.is_null())
        .filter(messages::id.gt(after))
        .order(messages::id)
        .limit(limit)
        .select((
            messages::id,
            messages::uuid,
            reports::uuid,
            messages::asked_by,
            messages::sent_at,
            messages::answered_at,
        ))
        .load(conn)
}

fn view(conn: &mut DbConn, context: &Context, rows: &[QuestionRow]) -> Result<Vec<QuestionView>> {
    let row_ids: Vec<i64> = rows.iter().map(|row| row.row_id).collect();
    let mut answers = list_answers(conn, &row_ids)?;
    let of_answers = answers.values().flatten().map(|answer| answer.id);
    let ids: Vec<MessageId> = rows.iter().map(|row| row.id).chain(of_answers).collect();
    let mut texts = open_texts(conn, &context.sealer, &ids)?;
    let view = |row: &QuestionRow| {
        // Without its words it was erased a moment ago.
        let text = texts.remove(&row.id.uuid())?;
        let answers = answers.remove(&row.row_id).unwrap_or_default();
        let answers = answers.into_iter().filter_map(|answer| view_answer(answer, &mut texts));
        Some(QuestionView {
            id: row.id,
            report: row.report,
            asked_by: row.asked_by,
            asked_at: row.asked_at.and_utc(),
            text,
            is_open: row.answered_at.is_none(),
            answers: answers.collect(),
        })
    };
    Ok(rows.iter().filter_map(view).collect())
}

fn view_answer(row: AnswerRow, texts: &mut HashMap<Uuid, String>) -> Option<AnswerView> {
    let AnswerRow { id, question: _, sent_at } = row;
    Some(AnswerView { id, answered_at: sent_at.and_utc(), text: texts.remove(&id.uuid())? })
}
