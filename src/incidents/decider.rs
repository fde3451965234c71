//! Whoever may decide on incidents, where and when: finds those in scope and signs what is done to them.

use chrono::{DateTime, Utc};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::http::{Access, Decide};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::rows::FactsRow;
use crate::error::{Code, Error, Result};
use crate::ids::{IncidentId, UserId};
use crate::incidents::merged::refuse_merged;
use crate::incidents::store::{IncidentRow, find_incident};
use crate::incidents::view::is_seen;

/// An incident within the scope of whoever asked for it.
pub type Seen = (IncidentRow, FactsRow);

/// Who decides, where and when.
#[derive(Debug, Clone)]
pub struct Decider {
    /// The person.
    pub by: UserId,
    /// Where the person may decide.
    pub scope: Scope,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

impl Decider {
    /// Returns the caller of a request.
    ///
    /// # Errors
    /// `Forbidden` for what is no person.
    pub fn of(access: &Access<Decide>, context: &Context) -> Result<Self> {
        let by = access.principal.user_id().ok_or_else(|| Error::new(Code::Forbidden))?;
        Ok(Self { by, scope: access.scope.clone(), now: context.clock.now() })
    }

    /// Finds an incident in scope.
    ///
    /// # Errors
    /// `NotFound` out of scope too; the database's failure.
    pub fn find(&self, conn: &mut DbConn, context: &Context, id: IncidentId) -> Result<Seen> {
        let found = find_incident(conn, id)?;
        let seen = found.filter(|(_, facts)| is_seen(&self.scope, &context.geo(), facts));
        seen.ok_or_else(Error::not_found)
    }

    /// Finds an incident in scope that holds its reports itself.
    ///
    /// # Errors
    /// As [`Decider::find`]; `Merged`.
    pub fn find_unmerged(
        &self,
        conn: &mut DbConn,
        context: &Context,
        id: IncidentId,
    ) -> Result<Seen> {
        let seen = self.find(conn, context, id)?;
        refuse_merged(conn, &seen.0)?;
        Ok(seen)
    }

    /// Returns an incident in scope as it is once its row is locked.
    ///
    /// # Errors
    /// `NotFound` out of scope; the database's failure.
    pub fn lock(&self, conn: &mut DbConn, context: &Context, id: IncidentId) -> Result<Seen> {
        let (before, _) = self.find(conn, context, id)?;
        dialect::lock_incident(conn, before.id)?;
        self.find(conn, context, id)
    }

    /// Returns the audit entry of `act` on an incident.
    pub fn entry(&self, act: Act, (incident, facts): (&IncidentRow, &FactsRow)) -> Entry {
        let entry = Entry::new(act, incident.uuid, self.now).by(Some(self.by));
        entry.within(&facts.country, facts.country_computed.as_deref())
    }
}
