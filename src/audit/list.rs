//! Lists entries, newest first, as far as somebody may see them.

use std::cmp::Reverse;

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};
use diesel::dsl::sql;
use diesel::sql_types::Bool;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension,
    QueryDsl, QueryResult, RunQueryDsl,
};

use crate::db::dialect::DbConn;
use crate::db::rows::{Any, AuditRow};
use crate::db::schema::audit_entries;
use crate::geo::countries::CountryCode;
use crate::ids::{Id, UserId};

/// Bits of a [`place`] that hold the position; the rest is the chain.
const POSITION_BITS: u32 = 47;

/// One reason why somebody sees entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Everything.
    All,
    /// What concerns this country.
    Country(CountryCode),
    /// What this person did.
    Actor(UserId),
    /// What concerns the instance itself.
    Technical,
}

/// What is asked for; absent fields ask for nothing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Who did it.
    pub actor: Option<UserId>,
    /// What it was done to.
    pub subject: Option<Id<Any>>,
    /// The code of what was done.
    pub action: Option<String>,
    /// First day, UTC.
    pub first_day: Option<NaiveDate>,
    /// Last day, UTC.
    pub last_day: Option<NaiveDate>,
    /// A country it concerns.
    pub country: Option<CountryCode>,
}

/// Returns where an entry stands, as one number for a cursor.
pub fn place(row: &AuditRow) -> i64 {
    (i64::from(row.chain) << POSITION_BITS) | row.position
}

/// Returns up to `limit` entries that match `filter` and are in one of the `sights`, from the one after `after` on.
///
/// Each sight is asked for in the order of an index of its own and the answers are merged, so that a page costs the same
/// in a short log and in a long one.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut DbConn,
    sights: &[Sight],
    filter: &Filter,
    after: Option<i64>,
    limit: usize,
) -> QueryResult<Vec<AuditRow>> {
    let before = after.map(|place| find_key(conn, place)).transpose()?.flatten();
    let mut rows = Vec::new();
    for branch in branches(sights, filter) {
        rows.extend(list_branch(conn, branch, filter, before, limit)?);
    }
    rows.sort_by_key(|row| Reverse(key(row)));
    rows.dedup_by_key(|row| key(row));
    rows.truncate(limit);
    Ok(rows)
}

/// What lists are ordered by.
type Key = (NaiveDateTime, i32, i64);

fn key(row: &AuditRow) -> Key {
    (row.at, row.chain, row.position)
}

fn find_key(conn: &mut DbConn, place: i64) -> QueryResult<Option<Key>> {
    let position = place & ((1 << POSITION_BITS) - 1);
    let chain = i32::try_from(place >> POSITION_BITS).unwrap_or(i32::MAX);
    audit_entries::table
        .find((chain, position))
        .select((audit_entries::at, audit_entries::chain, audit_entries::position))
        .first(conn)
        .optional()
}

/// A condition that one index serves.
#[derive(Debug, Clone, Copy)]
enum Branch {
    All,
    Country(CountryCode),
    OtherCountry(CountryCode),
    Actor(UserId),
    Technical,
}

fn branches(sights: &[Sight], filter: &Filter) -> Vec<Branch> {
    let of_country = |country| [Branch::Country(country), Branch::OtherCountry(country)];
    let mut branches = Vec::new();
    for sight in sights {
        match (sight, filter.country) {
            (Sight::All, None) => branches.push(Branch::All),
            (Sight::All, Some(country)) => branches.extend(of_country(country)),
            (Sight::Country(country), _) => branches.extend(of_country(*country)),
            (Sight::Actor(user), _) => branches.push(Branch::Actor(*user)),
            (Sight::Technical, _) => branches.push(Branch::Technical),
        }
    }
    branches
}

fn list_branch(
    conn: &mut DbConn,
    branch: Branch,
    filter: &Filter,
    before: Option<Key>,
    limit: usize,
) -> QueryResult<Vec<AuditRow>> {
    let mut query = audit_entries::table.into_boxed();
    query = match branch {
        Branch::All => query,
        Branch::Country(country) => query.filter(audit_entries::country.eq(country.to_string())),
        Branch::OtherCountry(country) => {
            query.filter(audit_entries::country_other.eq(country.to_string()))
        }
        Branch::Actor(user) => query.filter(audit_entries::actor.assume_not_null().eq(user)),
        // As the partial index says it: a bound value would not find that index.
        Branch::Technical => query.filter(sql::<Bool>("domain = 'technical'")),
    };
    if let Some((at, chain, position)) = before {
        // The first condition is what an index is entered by.
        query = query.filter(audit_entries::at.le(at)).filter(
            audit_entries::at
                .lt(at)
                .or(audit_entries::chain.lt(chain))
                .or(audit_entries::chain.eq(chain).and(audit_entries::position.lt(position))),
        );
    }
    if let Some(actor) = filter.actor {
        query = query.filter(audit_entries::actor.assume_not_null().eq(actor));
    }
    if let Some(subject) = filter.subject {
        query = query.filter(audit_entries::subject_id.eq(subject));
    }
    if let Some(action) = &filter.action {
        query = query.filter(audit_entries::action.eq(action));
    }
    if let Some(first) = filter.first_day {
        query = query.filter(audit_entries::at.ge(first.and_time(NaiveTime::MIN)));
    }
    if let Some(next) = filter.last_day.and_then(|last| last.checked_add_days(Days::new(1))) {
        query = query.filter(audit_entries::at.lt(next.and_time(NaiveTime::MIN)));
    }
    if let Some(country) = filter.country.map(|country| country.to_string()) {
        let is_other = audit_entries::country_other.eq(country.clone());
        query = query.filter(audit_entries::country.eq(country).or(is_other));
    }
    query
        .order((
            audit_entries::at.desc(),
            audit_entries::chain.desc(),
            audit_entries::position.desc(),
        ))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(conn)
}
