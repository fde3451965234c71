//! What reached us under an id that was taken: kept sealed, shown to the reviewers of its country.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::quarantined;
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Error, Result};
use crate::geo::countries::CountryCode;
use crate::http::page::{self, PageRequest};
use crate::ids::{QuarantinedId, ReportId, UserId};
use crate::incidents::opening::{ERASED, gone, open_part};
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// What the cursors of this list are bound to.
const BINDING: &str = "quarantine";

/// One thing set aside.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuarantineEntry {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: QuarantinedId,
    /// The report whose id it came under.
    #[schema(value_type = uuid::Uuid)]
    report: ReportId,
    /// Why it was set aside.
    #[schema(example = "id_conflict")]
    cause: String,
    /// `channel` code.
    channel: String,
    /// ISO 3166-1 alpha-3.
    country: String,
    /// The day it came, UTC.
    received_on: NaiveDate,
    /// `open`, `kept` or `dismissed`; `erased` with the report whose id it came under.
    state: String,
}

/// A page of what was set aside.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuarantinePage {
    /// Newest first.
    items: Vec<QuarantineEntry>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
    /// How many there are.
    total: i64,
}

/// Something set aside, opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuarantinedView {
    /// What it is.
    #[serde(flatten)]
    entry: QuarantineEntry,
    /// What was sent, without names and contacts; the shape of `POST /v1/reports`.
    #[schema(value_type = crate::intake::body::ReportBody)]
    content: serde_json::Value,
}

/// A reviewer's word.
#[derive(Debug)]
pub struct Judgement {
    /// `kept` or `dismissed`.
    pub outcome: &'static str,
    /// Why; sealed.
    pub reason: String,
    /// Who judges.
    pub decided_by: Option<UserId>,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

/// What the database keeps in plain of something set aside.
#[derive(diesel::Queryable)]
pub struct Row {
    id: i64,
    uuid: QuarantinedId,
    report: ReportId,
    cause: String,
    channel: String,
    country: String,
    country_told: String,
    received_at: NaiveDateTime,
    state: String,
}

impl Row {
    /// Returns the audit entry of `act` on it.
    fn audited(&self, act: Act, now: DateTime<Utc>) -> Entry {
        Entry::new(act, self.uuid, now).within(&self.country, Some(&self.country_told))
    }
}

impl From<Row> for QuarantineEntry {
    fn from(row: Row) -> Self {
        let Row { id: _, uuid, report, cause, channel, country, country_told: _, .. } = row;
        let (received_on, state) = (row.received_at.date(), row.state);
        Self { id: uuid, report, cause, channel, country, received_on, state }
    }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn entries() -> _ {
    quarantined::table.select((
        quarantined::id,
        quarantined::uuid,
        quarantined::report_uuid,
        quarantined::cause,
        quarantined::channel,
        quarantined::country,
        quarantined::country_told,
        quarantined::received_at,
        quarantined::state,
    ))
}

/// Seen by the reviewers of the report's country and of the country that the content names.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_seen_from(codes: Vec<String>) -> _ {
    let told: diesel::dsl::EqAny<quarantined::country_told, Vec<String>> =
        quarantined::country_told.eq_any(codes.clone());
    quarantined::country.eq_any(codes).or(told)
}

/// Returns the country codes a scope is limited to; `None` for everywhere.
fn codes(scope: &Scope) -> Option<Vec<String>> {
    match scope {
        Scope::All => None,
        Scope::Countries(countries) => {
            Some(countries.iter().map(CountryCode::as_str).map(str::to_owned).collect())
        }
    }
}

/// Returns one page of what was set aside in `scope`.
///
/// # Errors
/// `InvalidCursor`; the database's failure.
pub fn list(
    conn: &mut DbConn,
    context: &Context,
    scope: &Scope,
    page: &PageRequest,
) -> Result<QuarantinePage> {
    let after = page.position(&context.keys, BINDING)?.unwrap_or(i64::MAX);
    let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
    let mut query = entries().filter(quarantined::id.lt(after)).into_boxed();
    let mut count = quarantined::table.into_boxed();
    if let Some(codes) = codes(scope) {
        query = query.filter(is_seen_from(codes.clone()));
        count = count.filter(is_seen_from(codes));
    }
    let total = count.count().get_result(conn)?;
    let rows: Vec<Row> = query.order(quarantined::id.desc()).limit(limit).load(conn)?;
    let is_full = rows.len() == page.limit;
    let next = rows
        .last()
        .filter(|_| is_full)
        .map(|row| page::cursor(&context.keys, row.id, BINDING))
        .transpose()?;
    Ok(QuarantinePage { items: rows.into_iter().map(QuarantineEntry::from).collect(), next, total })
}

fn find(conn: &mut DbConn, scope: &Scope, id: QuarantinedId) -> Result<Row> {
    let mut query = entries().filter(quarantined::uuid.eq(id)).into_boxed();
    if let Some(codes) = codes(scope) {
        query = query.filter(is_seen_from(codes));
    }
    let row: Option<Row> = query.first(conn).optional()?;
    row.ok_or_else(Error::not_found)
}

/// Writes down that something set aside is going to be opened.
///
/// # Errors
/// `NotFound` out of scope; `Gone` when it was erased; the database's failure.
pub fn record_opening(
    tx: &mut WriteTx<'_>,
    scope: &Scope,
    id: QuarantinedId,
    (actor, now): (Option<UserId>, DateTime<Utc>),
) -> Result<Row> {
    let found = find(tx.conn, scope, id)?;
    if found.state == ERASED {
        return Err(gone());
    }
    tx.record(found.audited(Act::OpenedQuarantined, now).by(actor));
    Ok(found)
}

/// Opens what was set aside, once that is written down.
///
/// # Errors
/// `Gone` when its key was destroyed; the database's failure.
pub fn open(conn: &mut DbConn, context: &Context, found: Row) -> Result<QuarantinedView> {
    let owner = Owner { kind: OwnerKind::Quarantine, id: found.uuid.uuid() };
    let opened = open_part(conn, &context.sealer, owner, Part::Quarantine)?;
    let parts = context.fields.split(opened.ok_or_else(gone)?);
    Ok(QuarantinedView {
        entry: found.into(),
        content: crate::intake::fields::join(parts.text, parts.place),
    })
}

/// Takes down a reviewer's word; an earlier one is replaced.
///
/// # Errors
/// `NotFound` out of scope; `Gone` when it was erased; the database's failure.
pub fn judge(
    tx: &mut WriteTx<'_>,
    context: &Context,
    scope: &Scope,
    id: QuarantinedId,
    judgement: &Judgement,
) -> Result<()> {
    let found = find(tx.conn, scope, id)?;
    if found.state == ERASED {
        return Err(gone());
    }
    diesel::update(quarantined::table.filter(quarantined::uuid.eq(id)))
        .set((
            quarantined::state.eq(judgement.outcome),
            quarantined::decided_by.eq(judgement.decided_by),
            quarantined::decided_at.eq(Some(judgement.now.naive_utc())),
        ))
        .execute(tx.conn)?;
    let owner = Owner { kind: OwnerKind::Quarantine, id: id.uuid() };
    let version =
        sealed::find_part(tx.conn, owner, Part::Reason)?.map_or(1, |(version, _)| version + 1);
    let number = u32::try_from(version).map_err(Error::internal)?;
    let sealed_reason =
        context.sealer.seal(owner, Part::Reason, number, judgement.reason.as_bytes())?;
    sealed::insert_part(tx.conn, owner, Part::Reason, version, &sealed_reason)?;
    let entry = found.audited(Act::JudgedQuarantined, judgement.now);
    tx.record(entry.by(judgement.decided_by).detail(judgement.outcome));
    Ok(())
}
