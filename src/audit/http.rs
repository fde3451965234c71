//! `GET /v1/audit`: who did what, as far as the caller may know; `GET /v1/audit/heads`: what it can be checked against.

use actix_web::{HttpRequest, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::aggregates::values::parse_days;
use crate::audit::act::Act;
use crate::audit::head::PublishedHeads;
use crate::audit::list::{Filter, Sight, list};
use crate::audit::store;
use crate::auth::http::{Access, ReadAudit, ReadAuditHeads};
use crate::auth::policy::reads_technical_entries;
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::rows::{Any, AuditRow};
use crate::error::{Error, Result};
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::query::{Pairs, invalid};
use crate::ids::{Id, UserId};

const PARAMETERS: [&str; 8] =
    ["actor", "subject", "action", "from", "to", "country", "limit", "cursor"];

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntryView {
    /// The chain it stands in.
    #[schema(example = 1)]
    chain: i32,
    /// Its place there, from 0.
    #[schema(example = 4095)]
    position: i64,
    /// The day, UTC.
    on: NaiveDate,
    /// The instant; absent for what came in, whose instant is the sender's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<DateTime<Utc>>,
    /// Who did it; null for intake, the system and commands on the server.
    #[schema(value_type = Option<uuid::Uuid>)]
    actor: Option<UserId>,
    /// What was done.
    #[schema(example = "opened")]
    action: String,
    /// What it was done to.
    subject: SubjectView,
    /// `case`, `people` or `technical`.
    #[schema(example = "case")]
    domain: String,
    /// More about it, in codes.
    detail: String,
    /// The countries it concerns, none to two.
    #[schema(example = json!(["SLE"]))]
    countries: Vec<String>,
}

/// What an entry tells of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditSubject)]
pub struct SubjectView {
    /// The kind of thing.
    #[schema(example = "report")]
    kind: String,
    /// Its id; of the instance itself, zeros.
    #[schema(value_type = uuid::Uuid)]
    id: Id<Any>,
}

impl From<AuditRow> for AuditEntryView {
    fn from(row: AuditRow) -> Self {
        let AuditRow {
            chain,
            position,
            at,
            actor,
            action,
            subject_kind,
            subject_id,
            domain,
            detail,
            country,
            country_other,
            chained: _,
        } = row;
        let came_in = Act::find(&action, &subject_kind).is_some_and(Act::is_intake);
        Self {
            chain,
            position,
            on: at.date(),
            at: (!came_in).then(|| at.and_utc()),
            actor,
            action,
            subject: SubjectView { kind: subject_kind, id: subject_id },
            domain,
            detail,
            countries: country.into_iter().chain(country_other).collect(),
        }
    }
}

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// Newest first.
    items: Vec<AuditEntryView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
}

/// List audit entries
///
/// Who did what to what, as opaque ids, newest first. Reviewers and regional leads see their countries and their own acts,
/// monitors and analysts their own acts, system administrators technical entries and their own acts, coordinators and
/// auditors all. There is no total: counting would read the whole log.
#[utoipa::path(
    get, path = "/v1/audit", tag = "audit", operation_id = "list_audit_entries",
    params(
        ("actor" = Option<uuid::Uuid>, Query, description = "Whose acts"),
        ("subject" = Option<uuid::Uuid>, Query, description = "What they were done to"),
        ("action" = Option<String>, Query, description = "What was done, such as `opened`"),
        ("from" = Option<String>, Query, description = "First day or month, UTC"),
        ("to" = Option<String>, Query, description = "Last day or month, UTC"),
        ("country" = Option<String>, Query, description = "A country they concern, such as `SLE`"),
        PageParams,
    ),
    responses((status = 200, description = "One page", body = AuditPage))
)]
pub async fn list_audit_entries(
    access: Access<ReadAudit>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<AuditPage>> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    let filter = take_filter(&mut pairs, &context)?;
    pairs.refuse_rest(&PARAMETERS)?;
    let binding = format!("audit {filter:?}");
    let after = page.position(&context.keys, &binding)?;
    let sights = sights(&access);
    let rows = context.db.read(move |conn| Ok(list(conn, &sights, &filter, after, page.limit)?));
    let rows = rows.await?;
    let is_full = rows.len() == page.limit;
    let last = rows.last().filter(|_| is_full).map(crate::audit::list::place);
    let next = last.map(|place| page::cursor(&context.keys, place, &binding)).transpose()?;
    Ok(web::Json(AuditPage { items: rows.into_iter().map(AuditEntryView::from).collect(), next }))
}

/// Returns what the caller sees.
fn sights(access: &Access<ReadAudit>) -> Vec<Sight> {
    let countries = match &access.scope {
        Scope::All => return vec![Sight::All],
        Scope::Countries(countries) => countries,
    };
    let mut sights: Vec<Sight> = countries.iter().copied().map(Sight::Country).collect();
    sights.extend(access.principal.user_id().map(Sight::Actor));
    if reads_technical_entries(&access.principal) {
        sights.push(Sight::Technical);
    }
    sights
}

fn take_filter(pairs: &mut Pairs, context: &Context) -> Result<Filter> {
    let action = pairs.take_one("action")?;
    let is_known = |code: &String| Act::ALL.iter().any(|act| act.code() == code);
    if action.as_ref().is_some_and(|code| !is_known(code)) {
        return Err(unknown_action());
    }
    let geo = context.geo();
    let parse_country = |code: String| geo.countries().parse(&code).ok_or_else(Error::not_found);
    Ok(Filter {
        actor: take_id(pairs, "actor")?,
        subject: take_id(pairs, "subject")?,
        action,
        first_day: take_days(pairs, "from")?.map(|(first, _)| first),
        last_day: take_days(pairs, "to")?.map(|(_, last)| last),
        country: pairs.take_one("country")?.map(parse_country).transpose()?,
    })
}

fn take_id<K>(pairs: &mut Pairs, name: &str) -> Result<Option<Id<K>>> {
    let refused = || {
        invalid(
            name,
            format!("{name} is an id (UUID)"),
            format!("{name} est un identifiant (UUID)"),
        )
    };
    let parse = |text: String| Id::parse(&text).ok_or_else(refused);
    pairs.take_one(name)?.map(parse).transpose()
}

fn take_days(pairs: &mut Pairs, name: &str) -> Result<Option<(NaiveDate, NaiveDate)>> {
    let refused = || {
        invalid(
            name,
            format!("{name} is a day or a month, such as 2024-03-05 or 2024-03"),
            format!("{name} est un jour ou un mois, comme 2024-03-05 ou 2024-03"),
        )
    };
    let parse = |text: String| parse_days(&text).ok_or_else(refused);
    pairs.take_one(name)?.map(parse).transpose()
}

fn unknown_action() -> Error {
    let mut codes: Vec<&str> = Act::ALL.iter().map(|act| act.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    let codes = codes.join(", ");
    invalid("action", format!("action is one of {codes}"), format!("action est l'une de {codes}"))
}

/// Get the signed heads of the audit log
///
/// One head a chain, each signed with the key of this instance. Whoever keeps a copy can prove later that nothing before
/// it was changed or cut off: `sentinelle audit verify --against FILE`.
#[utoipa::path(
    get, path = "/v1/audit/heads", tag = "audit", operation_id = "list_audit_heads",
    responses((status = 200, description = "The heads", body = PublishedHeads))
)]
pub async fn list_audit_heads(
    _: Access<ReadAuditHeads>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<PublishedHeads>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let rows = context.db.read(|conn| Ok(store::list_chains(conn)?)).await?;
    Ok(web::Json(context.auditor.publish_all(&rows)?))
}
