//! The sender of a report answers a question: the answer is kept with the report, and the incident comes back to whoever
//! asked. Sent again it changes nothing, so that a phone may try until it is heard.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::http::{Access, SubmitReport};
use crate::auth::types::Principal;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::schema::{incident_facts, incidents, messages, reports};
use crate::db::writer::{ChangeKind, WriteTx};
use crate::error::{Code, Error, FieldError, Result};
use crate::http::body::JsonBody;
use crate::http::problem::Problem;
use crate::http::query::Pairs;
use crate::ids::{Id, MessageId, ReportId};
use crate::incidents::attention;
use crate::incidents::changing::Moment;
use crate::incidents::facts::Status;
use crate::incidents::rules::ANSWERED;
use crate::incidents::store::{IncidentRow, lock_incident, refresh_facts};
use crate::intake::prepare::Submitter;
use crate::review::decisions::{NewDecision, insert_decision};
use crate::review::messages::store::{self, Kind, NewMessage, insert, open_texts};
use crate::review::messages::{MESSAGES, parse_text};

/// What is kept as the reason of an incident's coming back; the answer itself is sealed as a message.
const REASON: &str = "its sender answered";
/// Most answers to one question.
const MOST_ANSWERS: i64 = 20;

/// An answer to a question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Answer, example = json!({"id": "9b1c6f0e-2d3a-4b5c-8d7e-6f5a4b3c2d1e", "text": "oui, 3 blessés"}))]
pub struct AnswerBody {
    /// A UUID of the client's own, so that the same answer sent again is known; phones must send one.
    #[serde(default)]
    #[schema(value_type = Option<uuid::Uuid>)]
    id: Option<String>,
    /// What the sender says; sealed.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// An answer that was taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TakenAnswer)]
pub struct TakenView {
    /// Names the answer.
    #[schema(value_type = uuid::Uuid)]
    id: MessageId,
    /// The question.
    #[schema(value_type = uuid::Uuid)]
    question: MessageId,
    /// The report it is kept with.
    #[schema(value_type = uuid::Uuid)]
    report: ReportId,
    /// The server's clock when it came first.
    answered_at: DateTime<Utc>,
}

/// Answer a question
///
/// For the sender of the report alone. The answer is kept with the report and makes no new one; the incident goes back to
/// `in_review`, to whoever asked. The same id with the same words again answers 200; with other words 409. A question may be
/// answered again, by a further answer, and so may one whose incident is decided by now: its reviewers are told.
#[utoipa::path(
    post, path = "/v1/messages/{id}/answers", tag = "reports", operation_id = "answer_question",
    params(("id" = uuid::Uuid, Path, description = "The question")),
    request_body = AnswerBody,
    responses(
        (status = 201, description = "Kept, durably", body = TakenView),
        (status = 200, description = "It had come before", body = TakenView),
        (status = 409, description = "The id is taken by other words", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The report was withdrawn or erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn answer_question(
    access: Access<SubmitReport>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<AnswerBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let question: MessageId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let submitter = context.submitter(&access.principal);
    // Before the body is looked at: what is wrong with it is nobody's business but its sender's.
    context.db.read(move |conn| find_open(conn, question, &submitter).map(drop)).await?;
    let answering = Answering {
        question,
        id: read_id(body.0.id.as_deref(), &access.principal)?,
        text: parse_text(&body.0.text)?,
        submitter,
        now: context.clock.now(),
    };
    let shared = context.clone();
    let (status, taken) = context.db.write(move |tx| answering.take(tx, &shared)).await?;
    Ok(HttpResponse::build(status).json(taken))
}

fn read_id(id: Option<&str>, principal: &Principal) -> Result<MessageId> {
    let refused = |code, en, fr| Error::field(code, FieldError::new("/id", en, fr));
    match (id, principal) {
        (Some(text), _) => Id::parse(text).ok_or_else(|| {
            refused(Code::InvalidFields, "an id is a UUID", "un identifiant est un UUID")
        }),
        (None, Principal::User { .. }) => Ok(MessageId::random()),
        (None, Principal::Device { .. }) => Err(refused(
            Code::IdRequired,
            "send a UUID of your own with each answer",
            "joignez votre propre UUID à chaque réponse",
        )),
    }
}

/// A checked answer.
struct Answering {
    question: MessageId,
    id: MessageId,
    text: String,
    submitter: Submitter,
    now: DateTime<Utc>,
}

impl Answering {
    fn take(&self, tx: &mut WriteTx<'_>, context: &Context) -> Result<(StatusCode, TakenView)> {
        let before = find_open(tx.conn, self.question, &self.submitter)?;
        dialect::lock_incidents(tx.conn, &before.incidents())?;
        // Looked at again now that nobody else changes it.
        let question = find_open(tx.conn, self.question, &self.submitter)?;
        if question.incidents() != before.incidents() {
            return Err(Error::new(Code::Unavailable));
        }
        if let Some(answered_at) = self.find_same(tx.conn, context, &question)? {
            return Ok((StatusCode::OK, self.view(&question, answered_at)));
        }
        check_number(tx.conn, question.row_id)?;
        let incident = self.put_back(tx, context, question.incident, &question)?;
        let message = NewMessage {
            id: self.id,
            report: question.report_row,
            incident: (incident.id, incident.version),
            kind: Kind::Answer(question.row_id),
            text: &self.text,
            now: self.now,
        };
        insert(tx.conn, &context.sealer, &message).map_err(name_conflict)?;
        let first = messages::table.find(question.row_id).filter(messages::answered_at.is_null());
        diesel::update(first)
            .set(messages::answered_at.eq(Some(self.now.naive_utc())))
            .execute(tx.conn)?;
        for other in question.incidents().into_iter().filter(|other| *other != question.incident) {
            if is_waiting(tx.conn, other)? {
                self.put_back(tx, context, other, &question)?;
            }
        }
        Ok((StatusCode::CREATED, self.view(&question, self.now)))
    }

    fn view(&self, question: &QuestionRow, answered_at: DateTime<Utc>) -> TakenView {
        TakenView { id: self.id, question: self.question, report: question.report, answered_at }
    }

    /// Returns when this very answer came before.
    fn find_same(
        &self,
        conn: &mut DbConn,
        context: &Context,
        question: &QuestionRow,
    ) -> Result<Option<DateTime<Utc>>> {
        let Some(earlier) = store::find(conn, self.id)? else {
            return Ok(None);
        };
        if earlier.question != Some(question.row_id) {
            return Err(Error::new(Code::IdConflict));
        }
        let texts = open_texts(conn, &context.sealer, &[self.id])?;
        if texts.get(&self.id.uuid()) != Some(&self.text) {
            return Err(Error::new(Code::IdConflict));
        }
        Ok(Some(earlier.sent_at.and_utc()))
    }

    /// Raises the version of an incident whose row is locked, and lets it wait for its reviewer again where it waited for
    /// this answer.
    fn put_back(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        incident: i64,
        question: &QuestionRow,
    ) -> Result<IncidentRow> {
        let incident = lock_incident(tx.conn, incident, self.now)?;
        let is_waiting = incident.status == Status::NeedsInformation.as_str();
        let to = if is_waiting { Status::InReview.as_str() } else { incident.status.as_str() };
        diesel::update(incidents::table.find(incident.id))
            .set(incidents::status.eq(to))
            .execute(tx.conn)?;
        if incident.id == question.incident {
            let moment = Moment { incident: incident.id, version: incident.version, now: self.now };
            attention::raise(tx.conn, moment, question.report_row, ANSWERED)?;
            refresh_facts(tx.conn, incident.id)?;
        }
        let decision = NewDecision {
            incident: incident.id,
            version: incident.version,
            decided_by: None,
            statuses: (&incident.status, to),
            fields: MESSAGES,
            reason: REASON,
            now: self.now,
        };
        insert_decision(tx.conn, &context.sealer, &decision)?;
        let (country, computed): (String, Option<String>) = incident_facts::table
            .find(incident.id)
            .select((incident_facts::country, incident_facts::country_computed))
            .first(tx.conn)?;
        let entry = Entry::new(Act::Answered, question.report, self.now)
            .detail(format!("{}>{to}", incident.status))
            .within(&country, computed.as_deref());
        tx.record(entry);
        tx.changed(incident.id, ChangeKind::Decided);
        Ok(incident)
    }
}

/// A question in the hands of the sender of its report.
#[derive(diesel::Queryable)]
struct QuestionRow {
    row_id: i64,
    /// Row id of the incident it was asked on.
    asked_on: i64,
    report_row: i64,
    report: ReportId,
    state: String,
    /// Row id of the incident that its report belongs to now.
    incident: i64,
    /// Row id of the incident that its report opened.
    home: i64,
}

impl QuestionRow {
    /// Returns the incidents that may wait for the answer: the report may have been merged or split off since.
    fn incidents(&self) -> BTreeSet<i64> {
        BTreeSet::from([self.incident, self.home, self.asked_on])
    }
}

/// Returns a question about a report of this sender, which stands; to everybody else it is not there.
fn find_open(conn: &mut DbConn, id: MessageId, submitter: &Submitter) -> Result<QuestionRow> {
    let found: QueryResult<Option<QuestionRow>> = messages::table
        .inner_join(reports::table)
        .filter(messages::uuid.eq(id))
        .filter(messages::question_id.is_null())
        .filter(reports::submitter.eq(Some(submitter.to_vec())))
        .select((
            messages::id,
            messages::incident_id,
            reports::id,
            reports::uuid,
            reports::state,
            reports::incident_id,
            reports::home_incident_id,
        ))
        .first(conn)
        .optional();
    let question = found?.ok_or_else(Error::not_found)?;
    if question.state != "active" {
        return Err(Error::new(Code::Gone));
    }
    Ok(question)
}

fn is_waiting(conn: &mut DbConn, incident: i64) -> QueryResult<bool> {
    let status: String = incidents::table.find(incident).select(incidents::status).first(conn)?;
    Ok(status == Status::NeedsInformation.as_str())
}

fn check_number(conn: &mut DbConn, question: i64) -> Result<()> {
    let answers = messages::table.filter(messages::question_id.eq(Some(question)));
    let n_answers: i64 = answers.count().get_result(conn)?;
    if n_answers < MOST_ANSWERS {
        return Ok(());
    }
    Err(Error::invalid(vec![FieldError::new(
        "",
        format!("this question has {n_answers} answers already: wait until you are asked again"),
        format!("cette question a déjà {n_answers} réponses : attendez une nouvelle question"),
    )]))
}

/// Two servers may be sent one id for two questions at once.
fn name_conflict(error: Error) -> Error {
    if store::is_id_taken(&error) { Error::new(Code::IdConflict) } else { error }
}
