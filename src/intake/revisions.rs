//! A sender corrects a report: the whole of it again, as a new revision. The earlier ones stay sealed, and readable for
//! whoever may open the report; its facts are derived from the newest.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::http::{Access, SubmitReport};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::rows::NewReportRow;
use crate::db::schema::{report_revisions, reports};
use crate::db::sealed;
use crate::db::writer::{ChangeKind, WriteTx};
use crate::error::{Code, Error, Result};
use crate::http::body::JsonBody;
use crate::http::frame;
use crate::http::problem::Problem;
use crate::http::query::Pairs;
use crate::ids::{Id, ReportId};
use crate::incidents::attention;
use crate::incidents::changing::{Moment, ReportChange, keep_report};
use crate::incidents::days::rederive;
use crate::incidents::facts::Status;
use crate::incidents::rules::REVISED_AFTER_DECISION;
use crate::incidents::store::find_report_facts;
use crate::incidents::types::ReportFacts;
use crate::intake::body::ReportBody;
use crate::intake::http::{answer, check_same_id, prepare_body};
use crate::intake::own::{Locked, check_own, lock_own};
use crate::intake::prepare::{Channel, Prepared, seal_parts};
use crate::intake::receipt::SubmissionAnswer;
use crate::intake::store::{Stored, find_stored, report_row};
use crate::seal::envelope::{Owner, OwnerKind};

/// Correct a report
///
/// For its sender alone: the whole report again, as it should have been. It becomes a new revision, from which the facts
/// are derived; what was sent before stays. The newest content once more answers 200 and changes nothing.
#[utoipa::path(
    post, path = "/v1/reports/{id}/revisions", tag = "reports", operation_id = "create_revision",
    params(("id" = uuid::Uuid, Path, description = "The report")),
    request_body = ReportBody,
    responses(
        (status = 201, description = "Stored, durably, as a new revision", body = SubmissionAnswer),
        (status = 200, description = "It is the newest revision already", body = SubmissionAnswer),
        (status = 410, description = "It was withdrawn or erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn create_revision(
    access: Access<SubmitReport>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<ReportBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: ReportId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let principal = access.principal;
    let submitter = context.submitter(&principal);
    // Before the body is looked at: what is wrong with it is nobody's business but its sender's.
    context.db.read(move |conn| check_own(conn, id, &submitter)).await?;
    let body = check_same_id(body.0, id)?;
    let prepared = Arc::new(prepare_body(&principal, &context, body, Channel::Api)?);
    let (shared, sent) = (context.clone(), Arc::clone(&prepared));
    let (status, stored) = context.db.write(move |tx| revise(tx, &shared, &sent)).await?;
    let language = frame::negotiate(request.headers());
    let answer = answer(&principal, &context, &prepared, &stored, language);
    let location = format!("/v1/reports/{}", stored.report);
    Ok(HttpResponse::build(status).insert_header((header::LOCATION, location)).json(answer))
}

fn revise(
    tx: &mut WriteTx<'_>,
    context: &Context,
    prepared: &Prepared,
) -> Result<(StatusCode, Stored)> {
    let (id, now) = (prepared.id, prepared.received_at);
    let stored = find_stored(tx.conn, id)?.ok_or_else(Error::not_found)?;
    if stored.state != "active" || stored.status == Status::Withdrawn.as_str() {
        return Err(Error::new(Code::Gone));
    }
    if is_newest(tx.conn, &stored, &prepared.content_mac)? {
        return Ok((StatusCode::OK, stored));
    }
    let locked = lock_own(tx.conn, id, &prepared.submitter, now)?;
    if locked.revision != stored.revision {
        // Another server took in a correction just now, maybe this very one.
        return Err(Error::new(Code::Unavailable));
    }
    let revision = locked.revision + 1;
    let (incident, version) = (locked.incident.id, locked.incident.version);
    let moment = Moment { incident, version, now };
    keep_report(tx.conn, locked.row_id, moment, ReportChange::Revised)?;
    keep_revision(tx.conn, &locked, &stored, prepared)?;
    update_report(tx.conn, locked.row_id, revision, report_row(prepared)?)?;
    seal_revision(tx.conn, context, prepared, revision)?;
    if attention::is_decided(tx.conn, locked.incident.id)? {
        attention::raise(tx.conn, moment, locked.row_id, REVISED_AFTER_DECISION)?;
    }
    rederive(tx.conn, context, &locked.incident)?;
    let entry = Entry::new(Act::RevisedReport, id, now)
        .detail(prepared.channel.as_str())
        .within(&prepared.report.place.country, Some(&locked.facts.country));
    tx.record(entry);
    tx.changed(locked.incident.id, ChangeKind::Decided);
    Ok((StatusCode::CREATED, find_stored(tx.conn, id)?.ok_or_else(Error::not_found)?))
}

/// Tells whether this content is the newest revision of a report.
fn is_newest(conn: &mut DbConn, stored: &Stored, content_mac: &[u8]) -> QueryResult<bool> {
    if stored.revision == 1 {
        return Ok(stored.is_first_content(content_mac));
    }
    let newest: Option<Vec<u8>> = revisions_of(stored.report)
        .filter(report_revisions::revision.eq(stored.revision))
        .select(report_revisions::content_mac)
        .first(conn)
        .optional()?;
    Ok(newest.as_deref() == Some(content_mac))
}

/// Tells whether this content was sent as some revision of a report.
///
/// # Errors
/// When the database fails.
pub fn is_known(conn: &mut DbConn, report: ReportId, content_mac: &[u8]) -> QueryResult<bool> {
    let found: Option<i32> = revisions_of(report)
        .filter(report_revisions::content_mac.eq(content_mac.to_vec()))
        .select(report_revisions::revision)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn revisions_of(report: ReportId) -> _ {
    report_revisions::table.inner_join(reports::table).filter(reports::uuid.eq(report))
}

/// An earlier revision, or the newest one, as it was placed when it came.
#[derive(Debug)]
pub struct Revision {
    /// The server's clock.
    pub received_at: NaiveDateTime,
    /// What it said in codes, days and areas.
    pub facts: ReportFacts,
}

/// Returns a revision of a report that was corrected; `None` where there is no such one, or the only one.
///
/// # Errors
/// When the database fails or the row is damaged.
pub fn find_revision(
    conn: &mut DbConn,
    report: ReportId,
    revision: i32,
) -> Result<Option<Revision>> {
    let row: Option<(NaiveDateTime, String)> = revisions_of(report)
        .filter(report_revisions::revision.eq(revision))
        .select((report_revisions::received_at, report_revisions::facts))
        .first(conn)
        .optional()?;
    let read = |(received_at, facts): (NaiveDateTime, String)| {
        Ok(Revision { received_at, facts: serde_json::from_str(&facts).map_err(Error::internal)? })
    };
    row.map(read).transpose()
}

/// Writes down the new revision; with the first correction, what was sent before it too.
fn keep_revision(
    conn: &mut DbConn,
    locked: &Locked,
    stored: &Stored,
    prepared: &Prepared,
) -> Result<()> {
    if locked.revision == 1 {
        let facts = find_report_facts(conn, locked.row_id)?;
        let came = (facts.channel.as_str(), stored.received_at);
        insert(conn, (locked.row_id, 1), stored.first_content(), came, &facts)?;
    }
    let came = (prepared.channel.as_str(), prepared.received_at.naive_utc());
    let number = (locked.row_id, locked.revision + 1);
    insert(conn, number, &prepared.content_mac, came, &prepared.report)
}

fn insert(
    conn: &mut DbConn,
    (report, revision): (i64, i32),
    content_mac: &[u8],
    (channel, received_at): (&str, NaiveDateTime),
    facts: &ReportFacts,
) -> Result<()> {
    let facts = serde_json::to_string(facts).map_err(Error::internal)?;
    diesel::insert_into(report_revisions::table)
        .values((
            report_revisions::report_id.eq(report),
            report_revisions::revision.eq(revision),
            report_revisions::content_mac.eq(content_mac.to_vec()),
            report_revisions::channel.eq(channel),
            report_revisions::received_at.eq(received_at),
            report_revisions::facts.eq(facts),
        ))
        .execute(conn)?;
    Ok(())
}

/// What of a report's row a correction changes. It keeps its id, sender, hash, reference, channel and day of arrival.
#[derive(diesel::AsChangeset)]
#[diesel(table_name = reports, treat_none_as_null = true)]
struct RevisedRow {
    revision: i32,
    follows: Option<ReportId>,
    country: String,
    country_computed: Option<String>,
    admin1: Option<String>,
    admin2: Option<String>,
    zone: Option<String>,
    geo_precision: String,
    cell5: Option<i64>,
    place_lon_e6: Option<i32>,
    place_lat_e6: Option<i32>,
    cell7_veiled: Option<Vec<u8>>,
    site_veiled: Option<Vec<u8>>,
    site_distance: Option<String>,
    boundary_source: Option<String>,
    first_day: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
    date_precision: Option<String>,
    flags: String,
    codes: String,
}

fn update_report(
    conn: &mut DbConn,
    row_id: i64,
    revision: i32,
    new: NewReportRow,
) -> QueryResult<()> {
    let row = RevisedRow {
        revision,
        follows: new.follows,
        country: new.country,
        country_computed: new.country_computed,
        admin1: new.admin1,
        admin2: new.admin2,
        zone: new.zone,
        geo_precision: new.geo_precision,
        cell5: new.cell5,
        place_lon_e6: new.place_lon_e6,
        place_lat_e6: new.place_lat_e6,
        cell7_veiled: new.cell7_veiled,
        site_veiled: new.site_veiled,
        site_distance: new.site_distance,
        boundary_source: new.boundary_source,
        first_day: new.first_day,
        last_day: new.last_day,
        date_precision: new.date_precision,
        flags: new.flags,
        codes: new.codes,
    };
    diesel::update(reports::table.find(row_id)).set(row).execute(conn)?;
    Ok(())
}

fn seal_revision(
    conn: &mut DbConn,
    context: &Context,
    prepared: &Prepared,
    revision: i32,
) -> Result<()> {
    let owner = Owner { kind: OwnerKind::Report, id: prepared.id.uuid() };
    let number = u32::try_from(revision).map_err(Error::internal)?;
    let parts = seal_parts(&context.workbench(), prepared.id, number, prepared.canonical.clone())?;
    for (part, content) in parts {
        sealed::insert_part(conn, owner, part, revision, &content)?;
    }
    Ok(())
}
