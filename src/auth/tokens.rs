//! Bearer tokens of people: narrower than their owner where asked, and always with an end where made over the network.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl,
};

use crate::auth::credential::CredentialKind;
use crate::auth::policy::Action;
use crate::auth::types::GrantScope;
use crate::db::dialect::DbConn;
use crate::db::schema::{tokens, users};
use crate::ids::{TokenId, UserId};

/// How much narrower than its owner a token is; by default as wide, but for revealing.
#[derive(Debug, Clone, Default)]
pub struct Narrowing {
    /// These actions alone.
    pub actions: Option<BTreeSet<Action>>,
    /// There alone.
    pub scope: Option<Vec<GrantScope>>,
    /// Whether it may reveal identities.
    pub may_reveal: bool,
    /// A key of feeds: it reads only, and is taken as a password of HTTP Basic too.
    pub is_feed: bool,
}

impl Narrowing {
    /// Returns that of a feed key: lists, counts and exports, in `scope` alone where told.
    pub fn of_feed(scope: Option<Vec<GrantScope>>) -> Self {
        let actions = Some(BTreeSet::from([Action::ReadCore]));
        Self { actions, scope, may_reveal: false, is_feed: true }
    }

    /// Returns which kind of credential is as narrow.
    pub fn kind(&self) -> CredentialKind {
        if self.is_feed { CredentialKind::Feed } else { CredentialKind::User }
    }

    fn stored_actions(&self) -> Option<String> {
        let actions = self.actions.as_ref()?.iter().map(|action| action.as_str());
        Some(actions.collect::<Vec<_>>().join(" "))
    }

    fn stored_scope(&self) -> Option<String> {
        let scopes = self.scope.as_ref()?.iter().map(ToString::to_string);
        Some(scopes.collect::<Vec<_>>().join(","))
    }
}

/// A token as it is stored; its secret is nowhere.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct TokenRow {
    /// Row id.
    pub row_id: i64,
    /// Public id.
    pub id: TokenId,
    /// Whose it is.
    pub owner: UserId,
    /// When it was made.
    pub created_at: NaiveDateTime,
    /// When it stops working.
    pub expires_at: Option<NaiveDateTime>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<NaiveDateTime>,
    /// Codes with spaces between.
    pub actions: Option<String>,
    /// As [`GrantScope::parse_list`] reads it.
    pub scope: Option<String>,
    /// Whether it may reveal identities.
    pub may_reveal: bool,
    /// Whether it is a feed key.
    pub is_feed: bool,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn rows() -> _ {
    tokens::table.inner_join(users::table).select((
        tokens::id,
        tokens::uuid,
        users::uuid,
        tokens::created_at,
        tokens::expires_at,
        tokens::revoked_at,
        tokens::actions,
        tokens::scope,
        tokens::may_reveal,
        tokens::is_feed,
    ))
}

/// Stores the hash of a new token of the account with row id `user`.
///
/// # Errors
/// When the database fails.
pub fn insert(
    conn: &mut DbConn,
    (user, hash): (i64, [u8; 32]),
    narrowing: &Narrowing,
    now: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
) -> QueryResult<TokenId> {
    let id = TokenId::random();
    diesel::insert_into(tokens::table)
        .values((
            tokens::uuid.eq(id),
            tokens::user_id.eq(user),
            tokens::hash.eq(hash.to_vec()),
            tokens::created_at.eq(now.naive_utc()),
            tokens::expires_at.eq(expires_at.map(|at| at.naive_utc())),
            tokens::actions.eq(narrowing.stored_actions()),
            tokens::scope.eq(narrowing.stored_scope()),
            tokens::may_reveal.eq(narrowing.may_reveal),
            tokens::is_feed.eq(narrowing.is_feed),
        ))
        .execute(conn)?;
    Ok(id)
}

/// Returns up to `limit` tokens of a person after a row, oldest first, and how many there are.
///
/// # Errors
/// When the database fails.
pub fn list_of_user(
    conn: &mut DbConn,
    user: UserId,
    (after, limit): (i64, i64),
) -> QueryResult<(Vec<TokenRow>, i64)> {
    let total = tokens::table
        .inner_join(users::table)
        .filter(users::uuid.eq(user))
        .count()
        .get_result(conn)?;
    let found = rows()
        .filter(users::uuid.eq(user).and(tokens::id.gt(after)))
        .order(tokens::id)
        .limit(limit)
        .load(conn)?;
    Ok((found, total))
}

/// Returns one token.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: TokenId) -> QueryResult<Option<TokenRow>> {
    rows().filter(tokens::uuid.eq(id)).first(conn).optional()
}

/// Makes a token useless.
///
/// # Errors
/// When the database fails.
pub fn revoke(conn: &mut DbConn, row_id: i64, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(tokens::table.find(row_id))
        .set(tokens::revoked_at.eq(Some(now.naive_utc())))
        .execute(conn)
        .map(drop)
}

/// Makes every token of the account with row id `user` useless.
///
/// # Errors
/// When the database fails.
pub fn revoke_all(conn: &mut DbConn, user: i64, now: DateTime<Utc>) -> QueryResult<usize> {
    let live = tokens::table.filter(tokens::user_id.eq(user).and(tokens::revoked_at.is_null()));
    diesel::update(live).set(tokens::revoked_at.eq(Some(now.naive_utc()))).execute(conn)
}
