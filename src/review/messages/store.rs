//! Messages in the database, and their words.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use uuid::Uuid;

use crate::db::dialect::{self, DbConn};
use crate::db::schema::messages;
use crate::db::sealed;
use crate::error::{Error, Result};
use crate::ids::{MessageId, UserId};
use crate::keys;
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealer};

/// A message to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewMessage<'a> {
    /// Its id.
    pub id: MessageId,
    /// Row id of the report.
    pub report: i64,
    /// Row id of the incident that the report belongs to now, and the version this makes of it.
    pub incident: (i64, i32),
    /// What kind of message it is.
    pub kind: Kind,
    /// Its words; sealed.
    pub text: &'a str,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

/// Who says it.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A reviewer asks.
    Question(UserId),
    /// The sender answers the question with this row id.
    Answer(i64),
}

/// Stores a message with its words sealed.
///
/// # Errors
/// A unique violation when its id is taken, see [`is_id_taken`]; the failure of the database or of sealing.
pub fn insert(conn: &mut DbConn, sealer: &Sealer, message: &NewMessage<'_>) -> Result<()> {
    let (asked_by, question) = match message.kind {
        Kind::Question(user) => (Some(user), None),
        Kind::Answer(question) => (None, Some(question)),
    };
    let (incident, version) = message.incident;
    diesel::insert_into(messages::table)
        .values((
            messages::uuid.eq(message.id),
            messages::report_id.eq(message.report),
            messages::incident_id.eq(incident),
            messages::version.eq(version),
            messages::question_id.eq(question),
            messages::asked_by.eq(asked_by),
            messages::sent_at.eq(message.now.naive_utc()),
        ))
        .execute(conn)?;
    let owner = owner_of(message.id);
    let content = sealer.seal(owner, Part::Message, 1, message.text.as_bytes())?;
    Ok(sealed::insert_part(conn, owner, Part::Message, 1, &content)?)
}

/// Tells whether `error` says that a message of that id exists.
pub fn is_id_taken(error: &Error) -> bool {
    error
        .database_cause()
        .is_some_and(|cause| dialect::is_taken(cause, "messages_uuid_key", "messages", "uuid"))
}

/// What is kept in plain of an answer.
#[derive(Debug, Clone, Copy, diesel::Queryable)]
pub struct AnswerRow {
    /// Its id.
    pub id: MessageId,
    /// Row id of its question; of a question, none.
    pub question: Option<i64>,
    /// The server's clock.
    pub sent_at: NaiveDateTime,
}

/// Returns a message by its id.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: MessageId) -> QueryResult<Option<AnswerRow>> {
    messages::table
        .filter(messages::uuid.eq(id))
        .select((messages::uuid, messages::question_id, messages::sent_at))
        .first(conn)
        .optional()
}

/// Returns the answers to some questions, by row id of the question.
///
/// # Shape
/// Each in order of arrival.
///
/// # Errors
/// When the database fails.
pub fn list_answers(
    conn: &mut DbConn,
    questions: &[i64],
) -> QueryResult<HashMap<i64, Vec<AnswerRow>>> {
    let asked: Vec<Option<i64>> = questions.iter().copied().map(Some).collect();
    let rows: Vec<AnswerRow> = messages::table
        .filter(messages::question_id.eq_any(asked))
        .order(messages::id)
        .select((messages::uuid, messages::question_id, messages::sent_at))
        .load(conn)?;
    let mut answers: HashMap<i64, Vec<AnswerRow>> = HashMap::new();
    for row in rows {
        if let Some(question) = row.question {
            answers.entry(question).or_default().push(row);
        }
    }
    Ok(answers)
}

/// Opens the words of some messages; those whose keys were destroyed are left out. Whoever calls has asked the policy and,
/// unless it is the sender who reads, written the audit entry.
///
/// # Errors
/// When the database fails or a message does not open.
pub fn open_texts(
    conn: &mut DbConn,
    sealer: &Sealer,
    ids: &[MessageId],
) -> Result<HashMap<Uuid, String>> {
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let found = sealed::list_parts(conn, OwnerKind::Message, Part::Message, &uuids)?;
    let mut texts = HashMap::with_capacity(found.len());
    for (id, (version, content)) in found {
        let version = u32::try_from(version).map_err(Error::internal)?;
        let owner = Owner { kind: OwnerKind::Message, id };
        let bytes = keys::opening::open(conn, sealer, (owner, Part::Message, version), &content)?;
        texts.insert(id, String::from_utf8(bytes.to_vec()).map_err(Error::internal)?);
    }
    Ok(texts)
}

/// Destroys the keys of every message of a report, by its row id. That they were sent stays.
///
/// # Errors
/// When the database fails.
pub fn shred(conn: &mut DbConn, report: i64) -> QueryResult<()> {
    let ids: Vec<MessageId> =
        messages::table.filter(messages::report_id.eq(report)).select(messages::uuid).load(conn)?;
    ids.into_iter().try_for_each(|id| sealed::destroy_keys(conn, owner_of(id), None).map(drop))
}

fn owner_of(id: MessageId) -> Owner {
    Owner { kind: OwnerKind::Message, id: id.uuid() }
}
