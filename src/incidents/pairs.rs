//! What a reviewer says of two incidents at once: both must be seen, and each side is told of it without the other.

use chrono::{DateTime, Utc};
use diesel::QueryResult;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::http::{Access, Decide};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::rows::FactsRow;
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, Result};
use crate::ids::{IncidentId, UserId};
use crate::incidents::merged::{list_absorbed_ids, refuse_merged};
use crate::incidents::store::{IncidentRow, find_incident};
use crate::incidents::view::is_seen;

/// An incident within the scope of whoever asked for it.
pub type Seen = (IncidentRow, FactsRow);

/// Who says something of incidents, where and when.
#[derive(Debug, Clone)]
pub struct Judge {
    /// Who.
    pub by: UserId,
    /// Where.
    pub scope: Scope,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

impl Judge {
    /// Returns the one whose request this is.
    ///
    /// # Errors
    /// `Forbidden` for what is no person.
    pub fn of(access: &Access<Decide>, context: &Context) -> Result<Self> {
        let by = access.principal.user_id().ok_or_else(|| Error::new(Code::Forbidden))?;
        Ok(Self { by, scope: access.scope.clone(), now: context.clock.now() })
    }

    /// Finds an incident.
    ///
    /// # Errors
    /// `NotFound` out of scope too; the database's failure.
    pub fn find(&self, conn: &mut DbConn, context: &Context, id: IncidentId) -> Result<Seen> {
        let found = find_incident(conn, id)?;
        let seen = found.filter(|(_, facts)| is_seen(&self.scope, &context.geo(), facts));
        seen.ok_or_else(Error::not_found)
    }

    /// Finds an incident that holds its reports itself.
    ///
    /// # Errors
    /// As [`Judge::find`]; `Merged`.
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

    /// Leaves an entry for each side that does not tell the other: its readers may see but one of them.
    pub fn record(&self, tx: &mut WriteTx<'_>, act: Act, (one, other): (&Seen, &Seen), what: &str) {
        for (row, facts) in [one, other] {
            let entry = Entry::new(act, row.uuid, self.now)
                .by(Some(self.by))
                .detail(what)
                .within(&facts.country, facts.country_computed.as_deref());
            tx.record(entry);
        }
    }
}

/// Returns the row ids of two incidents, the lower first: of which one something is said makes no difference.
pub fn pair_of((one, _): &Seen, (other, _): &Seen) -> (i64, i64) {
    (one.id.min(other.id), one.id.max(other.id))
}

/// Returns the row ids of an incident and of those merged into it.
///
/// # Errors
/// When the database fails.
pub fn list_group(conn: &mut DbConn, incident: i64) -> QueryResult<Vec<i64>> {
    let mut group = list_absorbed_ids(conn, &[incident])?;
    group.push(incident);
    Ok(group)
}
