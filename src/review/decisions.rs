//! Takes a decision: checks it against the state it was made on, stores it, and derives the facts anew.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::rows::FactsRow;
use crate::db::schema::{decisions, incident_categories, incident_facts, incidents};
use crate::db::sealed;
use crate::db::writer::{ChangeKind, WriteTx};
use crate::error::{Code, Error, FieldError, Result};
use crate::ids::{DecisionId, IncidentId, ReportId, UserId};
use crate::incidents::attention;
use crate::incidents::changing::Moment;
use crate::incidents::facts::Status;
use crate::incidents::grade::Grade;
use crate::incidents::merged::refuse_merged;
use crate::incidents::rules::may_become;
use crate::incidents::store::{
    IncidentRow, find_incident, has_override, keep_override, refresh_facts, set_override,
};
use crate::incidents::view::{IncidentView, is_seen, list_views};
use crate::review::claims::follow_decision;
use crate::review::corrections::{self, Corrections};
use crate::review::{grades, sources};
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealer};

/// A checked decision.
#[derive(Debug)]
pub struct Decision {
    /// The incident.
    pub incident: IncidentId,
    /// The version it was made on.
    pub version: i32,
    /// The new status; absent keeps it.
    pub status: Option<Status>,
    /// What is said of its fields.
    pub corrections: Corrections,
    /// Grades of its reports.
    pub report_grades: Vec<(ReportId, Grade)>,
    /// Why, in the reviewer's words; sealed.
    pub reason: String,
    /// Who decides.
    pub decided_by: Option<UserId>,
    /// Where the reviewer decides.
    pub scope: Scope,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

/// What the system did to an incident by itself.
#[derive(Debug, Clone, Copy)]
pub struct SystemAct<'a> {
    /// How the audit log names it.
    pub act: Act,
    /// The fields it changed.
    pub fields: &'a [&'a str],
    /// Why; sealed like a reviewer's reason.
    pub reason: &'a str,
}

/// Stores `decision` and returns the incident as it is then.
///
/// # Errors
/// `NotFound` out of scope; `PreconditionFailed` with the current state when somebody was faster;
/// `Merged`; `Claimed` by another; `TransitionNotAllowed`, `CategoryRequired`, `CountryUnsettled`, `SourcesNeeded`, `OwnReport`,
/// `InvalidFields`.
pub fn decide(
    tx: &mut WriteTx<'_>,
    context: &Context,
    decision: &Decision,
) -> Result<IncidentView> {
    let (incident, facts) =
        find_incident(tx.conn, decision.incident)?.ok_or_else(Error::not_found)?;
    if !is_seen(&decision.scope, &context.geo(), &facts) {
        return Err(Error::not_found());
    }
    // Taking the version first locks the row: of two reviewers on one version, exactly one gets it.
    if !take_version(tx.conn, incident.id, (decision.version, decision.now))? {
        return Err(stale(tx.conn, context, &incident, &decision.scope)?);
    }
    refuse_merged(tx.conn, &incident)?;
    if facts.n_reports == 0 {
        return Err(without_reports());
    }
    let from = Status::parse(&incident.status)
        .ok_or_else(|| Error::internal("an incident has no status we know"))?;
    let to = decision.status.map_or(Ok(from), |to| check_status(from, to))?;
    if from != to {
        sources::check(tx.conn, &context.keys, (incident.id, to), decision.decided_by)?;
    }
    follow_decision(tx.conn, incident.id, (decision.decided_by, to), decision.now)?;

    let mut fields = corrections::store(tx.conn, context, decision, (&incident, &facts))?;
    if !decision.report_grades.is_empty() {
        grades::store(tx.conn, (incident.id, decision.version + 1), &decision.report_grades)?;
        fields.push("reports");
    }
    let (version, now) = (decision.version + 1, decision.now);
    attention::lower_all(tx.conn, Moment { incident: incident.id, version, now })?;
    refresh_facts(tx.conn, incident.id)?;
    if to == Status::Verified {
        if confirm_categories(tx.conn, (incident.id, decision.version + 1))? {
            refresh_facts(tx.conn, incident.id)?;
        }
        check_verifiable(tx.conn, decision.incident)?;
    }
    diesel::update(incidents::table.find(incident.id))
        .set(incidents::status.eq(to.as_str()))
        .execute(tx.conn)?;
    record(tx, context, decision, (&incident, &facts), to, &fields)?;
    tx.changed(incident.id, kind_of_change(from, to));
    one_view(tx.conn, context, incident.id, &decision.scope)
}

/// Returns what a partner who copies incidents must know of a decision.
pub(super) fn kind_of_change(from: Status, to: Status) -> ChangeKind {
    match to {
        Status::Withdrawn if from != to => ChangeKind::Withdrawn,
        Status::Rejected if from != to => ChangeKind::Rejected,
        _ => ChangeKind::Decided,
    }
}

pub(super) fn one_view(
    conn: &mut DbConn,
    context: &Context,
    incident: i64,
    scope: &Scope,
) -> Result<IncidentView> {
    list_views(conn, context, &[incident], scope)?.pop().ok_or_else(Error::not_found)
}

/// Raises the version of an incident if it is still the one that was read; says whether it was.
pub(super) fn take_version(
    conn: &mut DbConn,
    incident: i64,
    (version, now): (i32, DateTime<Utc>),
) -> QueryResult<bool> {
    let n_updated = diesel::update(
        incidents::table.filter(incidents::id.eq(incident)).filter(incidents::version.eq(version)),
    )
    .set((incidents::version.eq(version + 1), incidents::updated_at.eq(now.naive_utc())))
    .execute(conn)?;
    Ok(n_updated == 1)
}

pub(super) fn stale(
    conn: &mut DbConn,
    context: &Context,
    incident: &IncidentRow,
    scope: &Scope,
) -> Result<Error> {
    let current = one_view(conn, context, incident.id, scope)?;
    let current = serde_json::to_value(current).map_err(Error::internal)?;
    Ok(Error::new(Code::PreconditionFailed).with("current", current))
}

fn without_reports() -> Error {
    Error::new(Code::TransitionNotAllowed).detail(
        "its reports were withdrawn or erased: it stays withdrawn, and there is nothing left to decide on",
        "ses rapports ont été retirés ou effacés : il reste retiré, et il n'y a plus rien à décider",
    )
}

/// Returns the status the incident takes.
///
/// # Errors
/// `TransitionNotAllowed`.
pub(super) fn check_status(from: Status, to: Status) -> Result<Status> {
    if may_become(from, to) {
        return Ok(to);
    }
    let (from, to) = (from.as_str(), to.as_str());
    Err(Error::field(
        Code::TransitionNotAllowed,
        FieldError::new(
            "/status",
            format!("an incident that is {from} cannot become {to}"),
            format!("un incident au statut {from} ne peut pas passer à {to}"),
        ),
    ))
}

/// Makes the categories that stand the reviewer's own: verifying an incident says that they are right. Says whether
/// they were not before.
fn confirm_categories(conn: &mut DbConn, (incident, version): (i64, i32)) -> Result<bool> {
    let codes: Vec<String> = incident_categories::table
        .filter(incident_categories::incident_id.eq(incident))
        .order(incident_categories::position)
        .select(incident_categories::code)
        .load(conn)?;
    if codes.is_empty() || has_override(conn, incident, "categories")? {
        return Ok(false);
    }
    let value = serde_json::to_string(&codes).map_err(Error::internal)?;
    set_override(conn, incident, "categories", &value)?;
    keep_override(conn, (incident, version), "categories", Some(&value))?;
    Ok(true)
}

fn check_verifiable(conn: &mut DbConn, id: IncidentId) -> Result<()> {
    let (incident, facts) = find_incident(conn, id)?.ok_or_else(Error::not_found)?;
    if facts.is_mismatch {
        return Err(Error::field(
            Code::CountryUnsettled,
            FieldError::new(
                "/location",
                "decide `location` with the right country, with or before `verified`",
                "décidez « location » avec le bon pays, avec « verified » ou avant",
            ),
        ));
    }
    let n_categories: i64 = incident_categories::table
        .filter(incident_categories::incident_id.eq(incident.id))
        .count()
        .get_result(conn)?;
    if n_categories == 0 {
        return Err(Error::field(
            Code::CategoryRequired,
            FieldError::new(
                "/categories",
                "send at least one category of the taxonomy",
                "envoyez au moins une catégorie de la taxonomie",
            ),
        ));
    }
    Ok(())
}

/// Records a decision of the system itself on an incident whose row is locked: it keeps the status, raises the version
/// and has nobody's name.
///
/// # Errors
/// When the database fails or the reason cannot be sealed.
pub fn record_by_system(
    tx: &mut WriteTx<'_>,
    sealer: &Sealer,
    incident: &IncidentRow,
    act: SystemAct<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    let version = incident.version + 1;
    diesel::update(incidents::table.find(incident.id))
        .set((incidents::version.eq(version), incidents::updated_at.eq(now.naive_utc())))
        .execute(tx.conn)?;
    let decision = NewDecision {
        incident: incident.id,
        version,
        decided_by: None,
        statuses: (&incident.status, &incident.status),
        fields: &act.fields.join(" "),
        reason: act.reason,
        now,
    };
    insert_decision(tx.conn, sealer, &decision)?;
    tx.record(Entry::new(act.act, incident.uuid, now).detail(act.fields.join(" ")));
    Ok(())
}

fn record(
    tx: &mut WriteTx<'_>,
    context: &Context,
    decision: &Decision,
    (incident, facts): (&IncidentRow, &FactsRow),
    to: Status,
    fields: &[&str],
) -> Result<()> {
    let taken = NewDecision {
        incident: incident.id,
        version: decision.version + 1,
        decided_by: decision.decided_by,
        statuses: (&incident.status, to.as_str()),
        fields: &fields.join(" "),
        reason: &decision.reason,
        now: decision.now,
    };
    insert_decision(tx.conn, &context.sealer, &taken)?;
    let detail = format!("{}>{}", incident.status, to.as_str());
    let entry = Entry::new(Act::Decided, incident.uuid, decision.now)
        .by(decision.decided_by)
        .detail(detail);
    let entry = within_countries(tx.conn, entry, incident.id, &facts.country)?;
    tx.record(entry);
    Ok(())
}

/// Returns `entry` as concerning the country that the incident has now, and beside it the one it had `before`, else the
/// one its point lies in.
fn within_countries(
    conn: &mut DbConn,
    entry: Entry,
    incident: i64,
    before: &str,
) -> QueryResult<Entry> {
    let (country, computed): (String, Option<String>) = incident_facts::table
        .find(incident)
        .select((incident_facts::country, incident_facts::country_computed))
        .first(conn)?;
    let other = if country == before { computed.as_deref() } else { Some(before) };
    Ok(entry.within(&country, other))
}

/// A decision as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct NewDecision<'a> {
    /// Row id of the incident.
    pub incident: i64,
    /// The version it makes.
    pub version: i32,
    /// Who decided; nobody for the system.
    pub decided_by: Option<UserId>,
    /// Status before and after.
    pub statuses: (&'a str, &'a str),
    /// Names of the fields it changed.
    pub fields: &'a str,
    /// Why; sealed.
    pub reason: &'a str,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

/// Stores a decision with its reason sealed.
///
/// # Errors
/// When the database fails or the reason cannot be sealed.
pub fn insert_decision(
    conn: &mut DbConn,
    sealer: &Sealer,
    decision: &NewDecision<'_>,
) -> Result<()> {
    let id = DecisionId::random();
    let (from, to) = decision.statuses;
    diesel::insert_into(decisions::table)
        .values((
            decisions::uuid.eq(id),
            decisions::incident_id.eq(decision.incident),
            decisions::version.eq(decision.version),
            decisions::decided_by.eq(decision.decided_by),
            decisions::decided_at.eq(decision.now.naive_utc()),
            decisions::from_status.eq(from),
            decisions::to_status.eq(to),
            decisions::fields.eq(decision.fields),
        ))
        .execute(conn)?;
    let owner = Owner { kind: OwnerKind::Decision, id: id.uuid() };
    let reason = sealer.seal(owner, Part::Reason, 1, decision.reason.as_bytes())?;
    Ok(sealed::insert_part(conn, owner, Part::Reason, 1, &reason)?)
}
