//! Writes a prepared report, or recognises what it has seen before. One transaction, one outcome.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension,
    QueryDsl, QueryResult, RunQueryDsl,
};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::types::Scope;
use crate::db::dialect::{self, DbConn};
use crate::db::rows::{NewReportRow, NewRows};
use crate::db::schema::{incidents, messages, quarantined, reports};
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, Result};
use crate::geo::countries::CountryCode;
use crate::ids::{IncidentId, QuarantinedId, ReportId};
use crate::incidents::facts::Status;
use crate::incidents::opening::ERASED;
use crate::incidents::store::add_incident;
use crate::intake::prepare::Prepared;
use crate::intake::revisions;
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealed, Sealer};

/// How long the same content without an id counts as a retry.
const RETRY_WINDOW: Duration = Duration::hours(24);

/// What became of a report.
#[derive(Debug)]
pub enum Outcome {
    /// It is new.
    Created(Stored),
    /// It had come before.
    Same(Stored),
    /// Its id is taken by other content of the same sender; the new content is in quarantine.
    Conflict,
    /// Its id is taken by another sender's content; the new content is in quarantine.
    ForeignConflict,
    /// It was withdrawn or erased.
    Gone,
}

/// The state of a stored report and its incident.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct Stored {
    /// The report.
    pub report: ReportId,
    /// Its incident.
    pub incident: IncidentId,
    /// Status of the incident.
    pub status: String,
    /// The spoken reference.
    pub reference: String,
    /// When it was received.
    pub received_at: NaiveDateTime,
    /// Country of the report.
    pub country: String,
    /// `active`, `withdrawn` or `erased`.
    pub state: String,
    /// From 1; a correction is a new one.
    pub revision: i32,
    content_mac: Vec<u8>,
    submitter: Option<Vec<u8>>,
    /// Questions to its sender that wait for an answer.
    pub n_open_questions: Option<i64>,
}

impl Stored {
    /// Returns the keyed hash of what was sent first.
    pub fn first_content(&self) -> &[u8] {
        &self.content_mac
    }

    /// Tells whether this is what was sent first.
    pub fn is_first_content(&self, content_mac: &[u8]) -> bool {
        self.content_mac == content_mac
    }
}

/// Stores a report that came without an id, unless it repeats an earlier one.
///
/// As with [`new_rows`], the unique indexes decide what is new: sends that race fail with [`is_already_there`].
///
/// # Errors
/// [`is_already_there`], or the database's failure.
pub fn submit(tx: &mut WriteTx<'_>, prepared: &Prepared) -> Result<Outcome> {
    if let Some(earlier) = find_retry(tx.conn, prepared)? {
        return Ok(recognise(earlier, prepared));
    }
    tx.insert(&mut new_rows(prepared)?)?;
    Ok(created(prepared))
}

/// Answers a report that was found already there, and sets its content aside where that differs.
///
/// # Errors
/// When the database fails.
pub fn answer_earlier(
    tx: &mut WriteTx<'_>,
    prepared: &Prepared,
    sealer: &Sealer,
) -> Result<Outcome> {
    let earlier = if prepared.is_id_made_here {
        find_retry(tx.conn, prepared)?
    } else {
        find_stored(tx.conn, prepared.id)?
    };
    let mut earlier =
        earlier.ok_or_else(|| Error::internal("the report is taken and cannot be found"))?;
    if earlier.revision > 1 && revisions::is_known(tx.conn, earlier.report, &prepared.content_mac)?
    {
        // Once sent as a correction, it is no other content.
        earlier.content_mac = prepared.content_mac.to_vec();
    }
    let country = earlier.country.clone();
    let outcome = recognise(earlier, prepared);
    let is_conflict = matches!(outcome, Outcome::Conflict | Outcome::ForeignConflict);
    if is_conflict && lock_unless_erased(tx.conn, prepared.id)? {
        set_aside_once(tx, prepared, &country, sealer)?;
    }
    Ok(outcome)
}

/// Locks a report until the commit, so that an erasure comes after and finds what is set aside now; says whether it came
/// before: then nothing is kept, or what was erased would come back by another way.
fn lock_unless_erased(conn: &mut DbConn, id: ReportId) -> QueryResult<bool> {
    let report = reports::table.filter(reports::uuid.eq(id)).filter(reports::state.ne(ERASED));
    let n_locked = diesel::update(report).set(reports::state.eq(reports::state)).execute(conn)?;
    Ok(n_locked == 1)
}

/// Tells whether a report failed because it, or what it repeats, is stored.
pub fn is_already_there(error: &Error) -> bool {
    error.database_cause().is_some_and(|cause| {
        dialect::is_taken(cause, "reports_uuid_key", "reports", "uuid")
            || dialect::is_taken(cause, "reports_retry_key_key", "reports", "retry_key")
    })
}

fn recognise(earlier: Stored, prepared: &Prepared) -> Outcome {
    let is_own = earlier.submitter.as_deref() == Some(&prepared.submitter[..]);
    if !is_own {
        return Outcome::ForeignConflict;
    }
    if earlier.state != "active" || earlier.status == Status::Withdrawn.as_str() {
        return Outcome::Gone;
    }
    if earlier.content_mac == prepared.content_mac {
        Outcome::Same(earlier)
    } else {
        Outcome::Conflict
    }
}

/// Returns the outcome of a report whose rows were filed.
pub fn created(prepared: &Prepared) -> Outcome {
    Outcome::Created(Stored {
        report: prepared.id,
        incident: prepared.incident,
        status: Status::Received.as_str().to_owned(),
        reference: prepared.reference.clone(),
        received_at: prepared.received_at.naive_utc(),
        country: prepared.report.place.country.clone(),
        state: "active".to_owned(),
        revision: 1,
        content_mac: prepared.content_mac.to_vec(),
        submitter: Some(prepared.submitter.to_vec()),
        n_open_questions: None,
    })
}

/// Returns a stored report with the state of its incident.
///
/// # Errors
/// When the database fails.
pub fn find_stored(conn: &mut DbConn, id: ReportId) -> QueryResult<Option<Stored>> {
    stored().filter(reports::uuid.eq(id)).first(conn).optional()
}

/// Returns what a sender may read of a report: one's own, or one whose country is in `scope`.
///
/// # Errors
/// When the database fails.
pub fn find_receipt(
    conn: &mut DbConn,
    id: ReportId,
    submitter: &[u8],
    scope: &Scope,
) -> QueryResult<Option<Stored>> {
    let is_theirs = reports::submitter.assume_not_null().eq(submitter.to_vec());
    let query = stored().filter(reports::uuid.eq(id));
    match scope {
        Scope::All => query.first(conn).optional(),
        Scope::Countries(countries) => {
            let codes: Vec<&str> = countries.iter().map(CountryCode::as_str).collect();
            query.filter(is_theirs.or(reports::country.eq_any(codes))).first(conn).optional()
        }
    }
}

/// Returns the report without an id that this one repeats: same sender, same content, within 24 hours.
fn find_retry(conn: &mut DbConn, prepared: &Prepared) -> QueryResult<Option<Stored>> {
    let since = (prepared.received_at - RETRY_WINDOW).naive_utc();
    stored()
        .filter(reports::submitter.eq(prepared.submitter.to_vec()))
        .filter(reports::received_at.gt(since))
        .filter(reports::content_mac.eq(prepared.content_mac.to_vec()))
        .filter(reports::retry_key.is_not_null())
        .order(reports::received_at.desc())
        .first(conn)
        .optional()
}

#[diesel::dsl::auto_type(no_type_alias)]
fn stored() -> _ {
    let n_open_questions = messages::table
        .filter(messages::report_id.eq(reports::id))
        .filter(messages::question_id.is_null())
        .filter(messages::answered_at.is_null())
        .count()
        .single_value();
    reports::table.inner_join(incidents::table).select((
        reports::uuid,
        incidents::uuid,
        incidents::status,
        reports::reference,
        reports::received_at,
        reports::country,
        reports::state,
        reports::revision,
        reports::content_mac,
        reports::submitter,
        n_open_questions,
    ))
}

/// Returns what makes two sends without an id one: sender, content, and the day of the server's clock. The index on it
/// only has to catch sends that race; the window is looked up.
fn retry_key(prepared: &Prepared) -> Option<Vec<u8>> {
    prepared.is_id_made_here.then(|| {
        let day = prepared.received_at.date_naive().to_string();
        [&prepared.submitter[..], &prepared.content_mac[..], day.as_bytes()].concat()
    })
}

/// Returns what a new report writes: report, incident, facts, sealed parts and the audit entry.
///
/// # Errors
/// [`Code::Internal`] when its codes cannot be written as JSON.
pub fn new_rows(prepared: &Prepared) -> Result<NewRows> {
    let mut rows = NewRows { report: Some(report_row(prepared)?), ..NewRows::default() };
    add_incident(&mut rows, prepared.incident, &prepared.facts, prepared.received_at);
    let owner = Owner { kind: OwnerKind::Report, id: prepared.id.uuid() };
    for (part, content) in &prepared.sealed {
        sealed::add_part(&mut rows, owner, *part, 1, content);
    }
    let place = &prepared.report.place;
    let entry = Entry::new(Act::ReceivedReport, prepared.id, prepared.received_at)
        .detail(prepared.channel.as_str())
        .within(&place.country, place.country_computed.as_deref());
    rows.audit.push(entry);
    Ok(rows)
}

/// Returns the row of a new report.
///
/// # Errors
/// [`Code::Internal`] when its codes cannot be written as JSON.
pub fn report_row(prepared: &Prepared) -> Result<NewReportRow> {
    let (report, place) = (&prepared.report, prepared.report.place.clone());
    let flags: Vec<&str> = place.flags.iter().chain(&report.flags).map(String::as_str).collect();
    Ok(NewReportRow {
        uuid: prepared.id,
        incident_id: 0,
        home_incident_id: 0,
        state: "active",
        revision: 1,
        follows: prepared.follows,
        channel: report.channel.clone(),
        submitter: Some(prepared.submitter.to_vec()),
        content_mac: prepared.content_mac.to_vec(),
        retry_key: retry_key(prepared),
        reference: prepared.reference.clone(),
        received_at: prepared.received_at.naive_utc(),
        flags: flags.join(" "),
        country: place.country,
        country_computed: place.country_computed,
        admin1: place.admin1,
        admin2: place.admin2,
        zone: place.zone,
        geo_precision: place.geo_precision,
        cell5: place.cell5,
        place_lon_e6: place.place_lon_e6,
        place_lat_e6: place.place_lat_e6,
        cell7_veiled: place.cell7_veiled,
        site_veiled: place.site_veiled,
        site_distance: place.site_distance,
        boundary_source: place.boundary_source,
        first_day: report.span.map(|span| span.first),
        last_day: report.span.map(|span| span.last),
        date_precision: report.span.map(|span| span.precision.as_str().to_owned()),
        codes: serde_json::to_string(&report.codes).map_err(Error::internal)?,
    })
}

/// Keeps content whose id is taken, sealed, once: a phone that resends it for days finds its row there.
fn set_aside_once(
    tx: &mut WriteTx<'_>,
    prepared: &Prepared,
    country: &str,
    sealer: &Sealer,
) -> Result<()> {
    let kept = tx.attempt(|tx| set_aside(tx, prepared, country, sealer));
    match kept {
        Err(error) if is_set_aside_already(&error) => Ok(()),
        other => other,
    }
}

fn is_set_aside_already(error: &Error) -> bool {
    error.database_cause().is_some_and(|cause| {
        dialect::is_taken(cause, "quarantined_content_key", "quarantined", "content_mac")
    })
}

/// `country` is that of the report whose id it came under: its reviewers see it, and those of the new content's own.
fn set_aside(
    tx: &mut WriteTx<'_>,
    prepared: &Prepared,
    country: &str,
    sealer: &Sealer,
) -> Result<()> {
    let id = QuarantinedId::random();
    let owner = Owner { kind: OwnerKind::Quarantine, id: id.uuid() };
    let content = seal_payload(sealer, owner, &prepared.canonical)?;
    diesel::insert_into(quarantined::table)
        .values((
            quarantined::uuid.eq(id),
            quarantined::report_uuid.eq(prepared.id),
            quarantined::cause.eq(Code::IdConflict.as_str()),
            quarantined::channel.eq(prepared.channel.as_str()),
            quarantined::submitter.eq(Some(prepared.submitter.to_vec())),
            quarantined::content_mac.eq(prepared.content_mac.to_vec()),
            quarantined::country.eq(country),
            quarantined::country_told.eq(&prepared.report.place.country),
            quarantined::received_at.eq(prepared.received_at.naive_utc()),
            quarantined::state.eq("open"),
        ))
        .execute(tx.conn)?;
    sealed::insert_part(tx.conn, owner, Part::Quarantine, 1, &content)?;
    let entry = Entry::new(Act::SetAside, id, prepared.received_at)
        .detail(prepared.channel.as_str())
        .within(country, Some(&prepared.report.place.country));
    tx.record(entry);
    Ok(())
}

fn seal_payload(sealer: &Sealer, owner: Owner, canonical: &serde_json::Value) -> Result<Sealed> {
    let bytes = serde_json::to_vec(canonical).map_err(Error::internal)?;
    Ok(sealer.seal(owner, Part::Quarantine, 1, &bytes)?)
}

/// Returns an instant of the store as one in UTC.
pub fn utc(at: NaiveDateTime) -> DateTime<Utc> {
    at.and_utc()
}
