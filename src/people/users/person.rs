//! A person with everything that decides who may change them.

use chrono::{DateTime, Utc};

use crate::auth::types::{Grant, Role};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::error::Result;
use crate::ids::UserId;
use crate::people::caller::Caller;
use crate::people::grants::store::list_of_users;
use crate::people::grants::types::StoredGrant;
use crate::people::regions::store::list_regions;
use crate::people::regions::types::Region;
use crate::people::users::store::{self, UserRow};

/// A person and the grants that are not over.
pub struct Person {
    /// The account.
    pub row: UserRow,
    /// As stored, oldest first.
    pub lasting: Vec<StoredGrant>,
    /// The same as the policy knows them.
    pub held: Vec<Grant>,
}

impl Person {
    /// Returns a person whom the caller may see; `None` for anybody else.
    ///
    /// # Errors
    /// When the database fails.
    pub fn find(
        conn: &mut DbConn,
        context: &Context,
        caller: &Caller,
        id: UserId,
    ) -> Result<Option<Self>> {
        let Some(row) = store::find_user(conn, &caller.scope, id, caller.now.naive_utc())? else {
            return Ok(None);
        };
        let geo = context.geo();
        let regions = list_regions(conn, geo.countries())?;
        let grants = list_of_users(conn, &[row.row_id], geo.countries())?;
        Ok(Some(Self::new(row, grants, &regions, caller.now)))
    }

    fn new(row: UserRow, grants: Vec<StoredGrant>, regions: &[Region], now: DateTime<Utc>) -> Self {
        let lasting: Vec<StoredGrant> =
            grants.into_iter().filter(|grant| !grant.is_over_at(now)).collect();
        let held = lasting.iter().map(|grant| grant.resolve(regions)).collect();
        Self { row, lasting, held }
    }

    /// Tells whether the person runs the programme, now or later.
    pub fn is_coordinator(&self) -> bool {
        self.lasting.iter().any(|grant| grant.role == Role::Coordinator)
    }

    /// Returns the roles held now or later.
    pub fn roles(&self) -> impl Iterator<Item = Role> {
        self.lasting.iter().map(|grant| grant.role)
    }
}
