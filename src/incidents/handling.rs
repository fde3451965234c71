//! Who works on an incident: the lease that somebody holds on it (a claim), and whose case it is (an assignment). Both are
//! read here and given in `crate::review`; neither is a fact, so neither changes the version.
//!
//! A claim counts until it is over. An assignment counts as long as its holder may decide in the country of the incident:
//! a case of somebody who is disabled, or whose role is over, is as free as one of nobody.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use diesel::dsl::auto_type;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl,
    QueryResult, RunQueryDsl,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::policy::{Action, reach_of};
use crate::auth::store::list_grants;
use crate::auth::types::Scope;
use crate::db::dialect::DbConn;
use crate::db::schema::{incident_assignees, incident_claims, incident_facts, incidents, users};
use crate::geo::countries::CountryCode;
use crate::geo::locate::Geo;
use crate::ids::{IncidentId, UserId};
use crate::incidents::facts::Status;
use crate::incidents::view::{SeenIncident, is_seen_from};

/// How long a claim holds unless it is renewed.
pub const LEASE: Duration = Duration::minutes(15);

/// Assignments read at once.
const WINDOW: i64 = 1_000;

/// Who works on an incident now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Claim)]
pub struct ClaimView {
    /// The person.
    #[schema(value_type = uuid::Uuid)]
    pub user: UserId,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When the incident is free again, unless the claim is renewed.
    pub until: DateTime<Utc>,
}

/// Whose case an incident is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Assignee)]
pub struct AssigneeView {
    /// The person.
    #[schema(value_type = uuid::Uuid)]
    pub user: UserId,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Whether the person may decide on it. Where not, the case is free.
    pub is_active: bool,
}

/// Who works on an incident, and whose case it is.
#[derive(Debug, Clone, Default)]
pub struct Handling {
    /// The claim on it, unless it is over.
    pub claim: Option<ClaimView>,
    /// Whose case it is, active or not.
    pub assignee: Option<AssigneeView>,
}

/// Whose incidents are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Nobody's.
    Nobody,
    /// Anybody's.
    Anybody,
    /// This person's.
    Person(UserId),
}

/// An incident whose facts let whoever sees these countries see it.
#[auto_type(no_type_alias)]
pub fn seen_from(codes: Vec<String>) -> _ {
    let declared: diesel::dsl::EqAny<incident_facts::country, Vec<String>> =
        incident_facts::country.eq_any(codes.clone());
    let computed: diesel::dsl::EqAny<
        diesel::dsl::AssumeNotNull<incident_facts::country_computed>,
        Vec<String>,
    > = incident_facts::country_computed.assume_not_null().eq_any(codes);
    declared.or(incident_facts::country_computed.is_not_null().and(computed))
}

/// Returns the country codes a scope is limited to; `None` for everywhere.
pub fn codes(scope: &Scope) -> Option<Vec<String>> {
    match scope {
        Scope::All => None,
        Scope::Countries(countries) => {
            Some(countries.iter().map(CountryCode::as_str).map(str::to_owned).collect())
        }
    }
}

/// A claim that is not over, of somebody who is not disabled.
#[auto_type(no_type_alias)]
fn holds(now: NaiveDateTime) -> _ {
    let is_running: diesel::dsl::Gt<incident_claims::expires_at, NaiveDateTime> =
        incident_claims::expires_at.gt(now);
    is_running.and(users::disabled_at.is_null())
}

/// Returns the claims on these incidents that are not over, by row id.
///
/// # Errors
/// When the database fails.
pub fn list_claims(
    conn: &mut DbConn,
    ids: &[i64],
    now: DateTime<Utc>,
) -> QueryResult<HashMap<i64, ClaimView>> {
    let rows: Vec<(i64, UserId, NaiveDateTime, NaiveDateTime)> = incident_claims::table
        .inner_join(users::table.on(users::uuid.eq(incident_claims::held_by)))
        .filter(incident_claims::incident_id.eq_any(ids.to_vec()))
        .filter(holds(now.naive_utc()))
        .select((
            incident_claims::incident_id,
            incident_claims::held_by,
            incident_claims::since,
            incident_claims::expires_at,
        ))
        .load(conn)?;
    let view = |(id, user, since, until): (i64, UserId, NaiveDateTime, NaiveDateTime)| {
        (id, ClaimView { user, since: since.and_utc(), until: until.and_utc() })
    };
    Ok(rows.into_iter().map(view).collect())
}

/// An assignment with what decides whether it counts.
#[derive(diesel::Queryable)]
struct AssignmentRow {
    incident: i64,
    assignee: UserId,
    assigned_at: NaiveDateTime,
    user_row: i64,
    disabled_at: Option<NaiveDateTime>,
    country: String,
    country_computed: Option<String>,
}

#[auto_type(no_type_alias)]
fn assignments() -> _ {
    incident_assignees::table
        .inner_join(users::table.on(users::uuid.eq(incident_assignees::assignee)))
        .inner_join(
            incident_facts::table
                .on(incident_facts::incident_id.eq(incident_assignees::incident_id)),
        )
        .inner_join(incidents::table)
        .select((
            incident_assignees::incident_id,
            incident_assignees::assignee,
            incident_assignees::assigned_at,
            users::id,
            users::disabled_at,
            incident_facts::country,
            incident_facts::country_computed,
        ))
}

/// Where people may decide, each looked up once.
pub struct Deciders<'a> {
    geo: &'a Geo,
    now: DateTime<Utc>,
    scopes: HashMap<i64, Scope>,
}

impl<'a> Deciders<'a> {
    /// Returns what knows nobody yet, at `now`.
    pub fn new(geo: &'a Geo, now: DateTime<Utc>) -> Self {
        Self { geo, now, scopes: HashMap::new() }
    }

    /// Tells whether the account with row id `user` has a role today by which it decides on incidents of these countries.
    ///
    /// # Errors
    /// When the database fails.
    pub fn may_decide(
        &mut self,
        conn: &mut DbConn,
        user: i64,
        (country, computed): (&str, Option<&str>),
    ) -> QueryResult<bool> {
        if !self.scopes.contains_key(&user) {
            let grants = list_grants(conn, user, self.now.naive_utc(), self.geo.countries())?;
            self.scopes.insert(user, reach_of(&grants, Action::Decide));
        }
        let scope = self.scopes.get(&user);
        Ok(scope.is_some_and(|scope| is_seen_from(scope, self.geo, country, computed)))
    }

    fn is_active(&mut self, conn: &mut DbConn, row: &AssignmentRow) -> QueryResult<bool> {
        let countries = (row.country.as_str(), row.country_computed.as_deref());
        Ok(row.disabled_at.is_none() && self.may_decide(conn, row.user_row, countries)?)
    }
}

/// Returns who works on these incidents and whose they are, by row id; those of nobody are left out.
///
/// # Errors
/// When the database fails.
pub fn list_handling(
    conn: &mut DbConn,
    geo: &Geo,
    ids: &[i64],
    now: DateTime<Utc>,
) -> QueryResult<HashMap<i64, Handling>> {
    let mut handling: HashMap<i64, Handling> = HashMap::new();
    for (id, claim) in list_claims(conn, ids, now)? {
        handling.entry(id).or_default().claim = Some(claim);
    }
    let rows: Vec<AssignmentRow> =
        assignments().filter(incident_assignees::incident_id.eq_any(ids.to_vec())).load(conn)?;
    let mut deciders = Deciders::new(geo, now);
    for row in rows {
        let is_active = deciders.is_active(conn, &row)?;
        let since = row.assigned_at.and_utc();
        let assignee = AssigneeView { user: row.assignee, since, is_active };
        handling.entry(row.incident).or_default().assignee = Some(assignee);
    }
    Ok(handling)
}

/// Puts into the views who works on the incidents and whose they are, where `deciding` may decide; elsewhere it is nobody's
/// business.
///
/// # Errors
/// When the database fails.
pub fn show_handling(
    conn: &mut DbConn,
    geo: &Geo,
    seen: &mut [SeenIncident],
    deciding: &Scope,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let is_shown = |seen: &SeenIncident| {
        is_seen_from(deciding, geo, &seen.view.country, seen.view.country_computed.as_deref())
    };
    let shown = seen.iter().filter(|seen| is_shown(seen)).map(|seen| seen.row_id);
    let shown: Vec<i64> = shown.collect();
    if shown.is_empty() {
        return Ok(());
    }
    let mut handling = list_handling(conn, geo, &shown, now)?;
    for seen in seen {
        if let Some(Handling { claim, assignee }) = handling.remove(&seen.row_id) {
            (seen.view.claim, seen.view.assignee) = (claim, assignee);
        }
    }
    Ok(())
}

/// Returns the row ids of the incidents that this person works on, or anybody for [`Whose::Nobody`] too: their complement
/// is what nobody works on.
///
/// # Errors
/// When the database fails.
pub fn list_claimed(
    conn: &mut DbConn,
    whose: Whose,
    now: DateTime<Utc>,
) -> QueryResult<HashSet<i64>> {
    let mut query = incident_claims::table
        .inner_join(users::table.on(users::uuid.eq(incident_claims::held_by)))
        .filter(holds(now.naive_utc()))
        .select(incident_claims::incident_id)
        .into_boxed();
    if let Whose::Person(user) = whose {
        query = query.filter(incident_claims::held_by.eq(user));
    }
    Ok(query.load::<i64>(conn)?.into_iter().collect())
}

/// Returns the row ids of the incidents in these statuses that are this person's, active or not; for anybody, and for
/// [`Whose::Nobody`], those of people who may decide on them.
///
/// # Errors
/// When the database fails.
pub fn list_assigned(
    conn: &mut DbConn,
    geo: &Geo,
    (whose, statuses): (Whose, &[Status]),
    now: DateTime<Utc>,
) -> QueryResult<HashSet<i64>> {
    let statuses: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
    let (mut found, mut deciders, mut after) = (HashSet::new(), Deciders::new(geo, now), 0);
    loop {
        let mut query = assignments()
            .filter(incident_assignees::incident_id.gt(after))
            .filter(incidents::status.eq_any(statuses.clone()))
            .order(incident_assignees::incident_id)
            .limit(WINDOW)
            .into_boxed();
        if let Whose::Person(user) = whose {
            query = query.filter(incident_assignees::assignee.eq(user));
        }
        let window: Vec<AssignmentRow> = query.load(conn)?;
        let Some(last) = window.last() else {
            return Ok(found);
        };
        after = last.incident;
        for row in window {
            if matches!(whose, Whose::Person(_)) || deciders.is_active(conn, &row)? {
                found.insert(row.incident);
            }
        }
    }
}

/// Renews the claim of `by` on an incident whose report they open, if they hold one.
///
/// # Errors
/// When the database fails.
pub fn renew_claim(
    conn: &mut DbConn,
    incident: IncidentId,
    by: UserId,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let this = incidents::table.filter(incidents::uuid.eq(incident)).select(incidents::id);
    let own = incident_claims::table
        .filter(incident_claims::incident_id.eq_any(this))
        .filter(incident_claims::held_by.eq(by))
        .filter(incident_claims::expires_at.gt(now.naive_utc()));
    let until = incident_claims::expires_at.eq((now + LEASE).naive_utc());
    diesel::update(own).set(until).execute(conn).map(drop)
}
