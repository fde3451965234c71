//! What the sender of reports was asked, where the sender looks: with the account, token or phone that sent them.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::dsl::auto_type;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::http::{Access, ReadReceipt};
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::schema::{messages, reports};
use crate::error::{Error, Result};
use crate::http::page::{self, PageParams, PageRequest, cursor};
use crate::http::query::{Pairs, invalid};
use crate::ids::{Id, MessageId, ReportId};
use crate::intake::prepare::Submitter;
use crate::review::messages::store::{AnswerRow, list_answers, open_texts};

/// Set in the position of a page that begins among the answered: those come after all open ones.
const ANSWERED: i64 = 1 << 62;

/// A question to the sender of a report, as that sender reads it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnQuestion)]
pub struct OwnQuestionView {
    /// Names the question.
    #[schema(value_type = uuid::Uuid)]
    id: MessageId,
    /// The report it is about.
    #[schema(value_type = uuid::Uuid)]
    report: ReportId,
    /// Spoken reference of the report.
    #[schema(example = "K7QM-3XFD-K")]
    reference: String,
    /// The server's clock.
    asked_at: DateTime<Utc>,
    /// What is asked.
    text: String,
    /// Nobody has answered it yet.
    is_open: bool,
    /// What the sender answered, in order; what was said is not shown, so that a phone in other hands does not tell it.
    answers: Vec<OwnAnswerView>,
}

/// An answer as its sender is told of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnAnswer)]
pub struct OwnAnswerView {
    /// Names the answer.
    #[schema(value_type = uuid::Uuid)]
    id: MessageId,
    /// The server's clock.
    answered_at: DateTime<Utc>,
}

impl From<AnswerRow> for OwnAnswerView {
    fn from(row: AnswerRow) -> Self {
        let AnswerRow { id, question: _, sent_at } = row;
        Self { id, answered_at: sent_at.and_utc() }
    }
}

/// A page of one's own questions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnQuestionPage)]
pub struct InboxPage {
    /// Open ones first, each kind newest first.
    items: Vec<OwnQuestionView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
}

/// List what you were asked
///
/// Questions about the reports that the caller sent, to the person with every phone of theirs, or to the phone. Open ones
/// come first. With `after`, those alone that were asked after that one. What is about withdrawn reports is left out.
#[utoipa::path(
    get, path = "/v1/messages", tag = "reports", operation_id = "list_own_questions",
    params(
        ("after" = Option<uuid::Uuid>, Query, description = "A question read before"),
        PageParams,
    ),
    responses((status = 200, description = "One page", body = InboxPage))
)]
pub async fn list_own_questions(
    access: Access<ReadReceipt>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    let after = take_after(&mut pairs)?;
    pairs.refuse_rest(&["after", "limit", "cursor"])?;
    let submitter = context.submitter(&access.principal);
    let binding = format!("inbox {submitter:?} {after:?}");
    let position = page.position(&context.keys, &binding)?.unwrap_or(i64::MAX ^ ANSWERED);
    let (shared, limit) = (context.clone(), page.limit);
    let (items, last) = context
        .db
        .read(move |conn| {
            dialect::snapshot(conn, |conn| {
                let inbox = Inbox { submitter, after: find_after(conn, after, &submitter)? };
                let rows = inbox.list(conn, position, limit)?;
                let last = rows.last().filter(|_| rows.len() == limit).map(QuestionRow::position);
                Ok::<_, Error>((view(conn, &shared, rows)?, last))
            })
        })
        .await?;
    let next = last.map(|position| cursor(&context.keys, position, &binding)).transpose()?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &next {
        response.insert_header((header::LINK, page::next_link(&request, next)));
    }
    Ok(response.json(InboxPage { items, next }))
}

fn take_after(pairs: &mut Pairs) -> Result<Option<MessageId>> {
    let Some(text) = pairs.take_one("after")? else { return Ok(None) };
    Id::parse(&text).map(Some).ok_or_else(|| {
        invalid(
            "after",
            "after is the id of a question (UUID)",
            "after est l'identifiant d'une question (UUID)",
        )
    })
}

/// Returns the row id after which is asked.
fn find_after(conn: &mut DbConn, after: Option<MessageId>, submitter: &Submitter) -> Result<i64> {
    let Some(after) = after else { return Ok(0) };
    let own = messages::table
        .inner_join(reports::table)
        .filter(messages::uuid.eq(after))
        .filter(messages::question_id.is_null())
        .filter(reports::submitter.eq(Some(submitter.to_vec())));
    let found: Option<i64> = own.select(messages::id).first(conn).optional()?;
    found.ok_or_else(Error::not_found)
}

/// Whose questions are listed, and from where on.
struct Inbox {
    submitter: Submitter,
    after: i64,
}

#[derive(diesel::Queryable)]
struct QuestionRow {
    row_id: i64,
    id: MessageId,
    report: ReportId,
    reference: String,
    asked_at: NaiveDateTime,
    answered_at: Option<NaiveDateTime>,
}

impl QuestionRow {
    fn position(&self) -> i64 {
        if self.answered_at.is_some() { self.row_id | ANSWERED } else { self.row_id }
    }
}

#[auto_type(no_type_alias)]
fn own(submitter: Vec<u8>, after: i64, before: i64) -> _ {
    let of_sender: diesel::dsl::Eq<reports::submitter, Option<Vec<u8>>> =
        reports::submitter.eq(Some(submitter));
    messages::table
        .inner_join(reports::table)
        .filter(of_sender)
        .filter(reports::state.eq("active"))
        .filter(messages::question_id.is_null())
        .filter(messages::id.gt(after))
        .filter(messages::id.lt(before))
        .order(messages::id.desc())
        .select((
            messages::id,
            messages::uuid,
            reports::uuid,
            reports::reference,
            messages::sent_at,
            messages::answered_at,
        ))
}

impl Inbox {
    /// Returns up to `limit` questions behind `position`.
    fn list(
        &self,
        conn: &mut DbConn,
        position: i64,
        limit: usize,
    ) -> QueryResult<Vec<QuestionRow>> {
        let own = |before: i64| own(self.submitter.to_vec(), self.after, before);
        let left = |n: usize| i64::try_from(limit - n).unwrap_or(i64::MAX);
        let is_among_answered = position & ANSWERED != 0;
        let mut rows: Vec<QuestionRow> = Vec::new();
        if !is_among_answered {
            let open = own(position).filter(messages::answered_at.is_null());
            rows = open.limit(left(0)).load(conn)?;
        }
        if rows.len() < limit {
            let before = if is_among_answered { position ^ ANSWERED } else { i64::MAX };
            let answered = own(before).filter(messages::answered_at.is_not_null());
            rows.extend(answered.limit(left(rows.len())).load::<QuestionRow>(conn)?);
        }
        Ok(rows)
    }
}

fn view(
    conn: &mut DbConn,
    context: &Context,
    rows: Vec<QuestionRow>,
) -> Result<Vec<OwnQuestionView>> {
    let ids: Vec<MessageId> = rows.iter().map(|row| row.id).collect();
    let row_ids: Vec<i64> = rows.iter().map(|row| row.row_id).collect();
    let mut texts = open_texts(conn, &context.sealer, &ids)?;
    let mut answers = list_answers(conn, &row_ids)?;
    let view = |row: QuestionRow| {
        let QuestionRow { row_id, id, report, reference, asked_at, answered_at } = row;
        let answers = answers.remove(&row_id).unwrap_or_default();
        Some(OwnQuestionView {
            id,
            report,
            reference,
            asked_at: asked_at.and_utc(),
            // Without its words it was erased a moment ago.
            text: texts.remove(&id.uuid())?,
            is_open: answered_at.is_none(),
            answers: answers.into_iter().map(OwnAnswerView::from).collect(),
        })
    };
    Ok(rows.into_iter().filter_map(view).collect())
}
