//! Reveals who the people of an incident are, with a reason; its words and exact place for those who read them no
//! other way. That it is going to be done is stored first: what cannot be written down is not shown.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::audit::act::Act;
use crate::audit::{self, Entry};
use crate::auth::http::{Access, RevealIdentities};
use crate::auth::submitters::{Pseudonym, SubmitterView, find_submitters};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{reports, reveals};
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, FieldError, Result};
use crate::http::body::JsonBody;
use crate::http::problem::Problem;
use crate::http::query::Pairs;
use crate::http::reason::parse_reason;
use crate::ids::{Id, IncidentId, ReportId, RevealId, UserId};
use crate::incidents::opening::open_part;
use crate::incidents::store::find_incident;
use crate::incidents::types::ReportCodes;
use crate::incidents::view::is_seen;
use crate::intake::fields;
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// What is asked for, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Reveal, example = json!({"reason": "the witness asked to be called back"}))]
pub struct RevealBody {
    /// Why; sealed.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
    /// Any of `identities`, `text` and `place`; `identities` unless told.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 3, example = json!(["identities"]))]
    parts: Option<Vec<String>>,
}

/// What was revealed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Revealed)]
pub struct RevealView {
    /// Names this reveal in the audit log's keeping.
    #[schema(value_type = uuid::Uuid)]
    id: RevealId,
    /// The incident.
    #[schema(value_type = uuid::Uuid)]
    incident: IncidentId,
    /// The server's clock.
    revealed_at: DateTime<Utc>,
    /// What was asked for.
    parts: Vec<&'static str>,
    /// Its active reports, those merged into it too, in order of arrival.
    reports: Vec<RevealedReportView>,
}

/// The part of one report that was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RevealedReport)]
pub struct RevealedReportView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: ReportId,
    /// Spoken reference.
    reference: String,
    /// The day it came, UTC.
    received_on: NaiveDate,
    /// With `identities`: who sent it; absent when that is no longer known.
    submitted_by: Option<SubmitterView>,
    /// What was sent of the parts asked for; the shape of `POST /v1/reports`.
    #[schema(value_type = crate::intake::body::ReportBody)]
    report: Value,
}

/// Reveal the people of an incident
///
/// Names and contacts of sources, victims, witnesses and alleged perpetrators, and who sent each report; with `text`
/// and `place` its words and exact place. For reviewers and leads of its country and for coordinators, signed in or with
/// a token issued for it. Each reveal is written to the audit log first, where the reviewers of the country see it.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/reveal", tag = "incidents", operation_id = "reveal_incident",
    params(("id" = uuid::Uuid, Path, description = "The incident")),
    request_body = RevealBody,
    responses(
        (status = 200, description = "What was asked for", body = RevealView),
        (status = 507, description = "It could not be written down, so nothing is shown", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn reveal_incident(
    access: Access<RevealIdentities>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<RevealBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let asked = Asked {
        id: RevealId::random(),
        incident: Id::parse(&path).ok_or_else(Error::not_found)?,
        parts: parse_parts(body.0.parts.as_deref())?,
        reason: parse_reason(&body.0.reason)?,
        by: access.principal.user_id().ok_or_else(|| Error::new(Code::Forbidden))?,
        scope: access.scope,
        now: context.clock.now(),
    };
    let shared = context.clone();
    let recorded = context.db.write(move |tx| record(tx, &shared, asked)).await;
    let recorded = recorded.map_err(audit::not_recorded)?;
    let shared = context.clone();
    let view = context.db.read(move |conn| open(conn, &shared, recorded)).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// The parts by the names clients use.
const PARTS: [(&str, Part); 3] =
    [("identities", Part::Identity), ("text", Part::Text), ("place", Part::Place)];

/// Returns the parts asked for, each once, in the order of [`PARTS`].
fn parse_parts(names: Option<&[String]>) -> Result<Vec<(&'static str, Part)>> {
    let Some(names) = names else {
        return Ok(PARTS.into_iter().take(1).collect());
    };
    let is_known = |name: &String| PARTS.iter().any(|(known, _)| known == name);
    if names.is_empty() || !names.iter().all(is_known) {
        return Err(Error::invalid(vec![FieldError::new(
            "/parts",
            "parts are any of identities, text and place, at least one",
            "les parties sont identities, text ou place, au moins une",
        )]));
    }
    Ok(PARTS.into_iter().filter(|(known, _)| names.iter().any(|name| name == known)).collect())
}

/// A checked request.
struct Asked {
    id: RevealId,
    incident: IncidentId,
    parts: Vec<(&'static str, Part)>,
    reason: String,
    by: UserId,
    scope: Scope,
    now: DateTime<Utc>,
}

impl Asked {
    fn names(&self) -> Vec<&'static str> {
        self.parts.iter().map(|(name, _)| *name).collect()
    }
}

/// What was written down and may now be shown: these reports and no other.
struct Recorded {
    asked: Asked,
    reports: Vec<ReportRow>,
}

/// The plain columns of a report that a reveal needs.
#[derive(diesel::Queryable)]
struct ReportRow {
    id: ReportId,
    reference: String,
    received_at: NaiveDateTime,
    submitter: Option<Vec<u8>>,
    codes: String,
}

/// Writes down that the people of an incident are going to be revealed, why and by whom.
fn record(tx: &mut WriteTx<'_>, context: &Context, asked: Asked) -> Result<Recorded> {
    let (incident, facts) = find_incident(tx.conn, asked.incident)?.ok_or_else(Error::not_found)?;
    if !is_seen(&asked.scope, &context.geo(), &facts) {
        return Err(Error::not_found());
    }
    let parts = asked.names().join(" ");
    diesel::insert_into(reveals::table)
        .values((
            reveals::uuid.eq(asked.id),
            reveals::incident_id.eq(incident.id),
            reveals::revealed_by.eq(asked.by),
            reveals::revealed_at.eq(asked.now.naive_utc()),
            reveals::parts.eq(&parts),
        ))
        .execute(tx.conn)?;
    let owner = Owner { kind: OwnerKind::Reveal, id: asked.id.uuid() };
    let reason = context.sealer.seal(owner, Part::Reason, 1, asked.reason.as_bytes())?;
    sealed::insert_part(tx.conn, owner, Part::Reason, 1, &reason)?;
    let entry = Entry::new(Act::RevealedIdentities, asked.incident, asked.now)
        .by(Some(asked.by))
        .detail(parts)
        .within(&facts.country, facts.country_computed.as_deref());
    tx.record(entry);
    let reports = reports::table
        .filter(reports::incident_id.eq(incident.id))
        .filter(reports::state.eq("active"))
        .order(reports::id)
        .select((
            reports::uuid,
            reports::reference,
            reports::received_at,
            reports::submitter,
            reports::codes,
        ))
        .load(tx.conn)?;
    Ok(Recorded { asked, reports })
}

/// Opens what was written down.
fn open(conn: &mut DbConn, context: &Context, recorded: Recorded) -> Result<RevealView> {
    let Recorded { asked, reports } = recorded;
    let submitters = if asked.parts.iter().any(|(_, part)| *part == Part::Identity) {
        let wanted: BTreeSet<Pseudonym> = reports.iter().filter_map(pseudonym_of).collect();
        find_submitters(conn, &context.sealer, &context.keys, wanted)?
    } else {
        BTreeMap::new()
    };
    let open_report = |row: ReportRow| -> Result<RevealedReportView> {
        let submitted_by = pseudonym_of(&row).and_then(|pseudonym| submitters.get(&pseudonym));
        Ok(RevealedReportView {
            submitted_by: submitted_by.cloned(),
            report: open_parts(conn, context, &row, &asked.parts)?,
            id: row.id,
            reference: row.reference,
            received_on: row.received_at.date(),
        })
    };
    Ok(RevealView {
        id: asked.id,
        incident: asked.incident,
        revealed_at: asked.now,
        parts: asked.names(),
        reports: reports.into_iter().map(open_report).collect::<Result<_>>()?,
    })
}

fn pseudonym_of(row: &ReportRow) -> Option<Pseudonym> {
    row.submitter.as_deref().and_then(|submitter| submitter.try_into().ok())
}

/// Opens `parts` of a report and joins them; what was shredded is left out.
fn open_parts(
    conn: &mut DbConn,
    context: &Context,
    row: &ReportRow,
    parts: &[(&'static str, Part)],
) -> Result<Value> {
    let owner = Owner { kind: OwnerKind::Report, id: row.id.uuid() };
    let mut report = json!({});
    for (_, part) in parts {
        let Some(opened) = open_part(conn, &context.sealer, owner, *part)? else {
            continue;
        };
        if *part == Part::Identity && opened.get("actors").is_some() {
            report = fields::join(report, [name_kinds(&row.codes)?]);
        }
        report = fields::join(report, [opened]);
    }
    Ok(report)
}

/// Returns what kinds of actors a report names: beside a list of bare names they tell who is who.
fn name_kinds(codes: &str) -> Result<Value> {
    let codes: ReportCodes = serde_json::from_str(codes).map_err(Error::internal)?;
    Ok(json!({ "actors": codes.actors }))
}
