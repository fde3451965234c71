//! A reviewer's word that two incidents are not one. It stays until somebody takes it back.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::rows::FactsRow;
use crate::db::schema::duplicate_dismissals;
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Error, Result};
use crate::ids::{DismissalId, IncidentId, UserId};
use crate::incidents::merged::{list_absorbed_ids, refuse_merged};
use crate::incidents::store::{IncidentRow, find_incident};
use crate::incidents::view::is_seen;
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// Who says so of which two incidents.
#[derive(Debug)]
pub struct Judgement {
    /// One of them.
    pub incident: IncidentId,
    /// The other.
    pub other: IncidentId,
    /// Who.
    pub by: UserId,
    /// Where.
    pub scope: Scope,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

type Seen = (IncidentRow, FactsRow);

impl Judgement {
    fn find(&self, conn: &mut DbConn, context: &Context, id: IncidentId) -> Result<Seen> {
        let found = find_incident(conn, id)?;
        let seen = found.filter(|(_, facts)| is_seen(&self.scope, &context.geo(), facts));
        seen.ok_or_else(Error::not_found)
    }

    fn find_both(&self, conn: &mut DbConn, context: &Context) -> Result<(Seen, Seen)> {
        let incident = self.find(conn, context, self.incident)?;
        let other = self.find(conn, context, self.other)?;
        refuse_merged(conn, &incident.0)?;
        refuse_merged(conn, &other.0)?;
        Ok((incident, other))
    }

    /// Writes down that they are not one. What was said already stays as it was.
    ///
    /// # Errors
    /// `NotFound` where one of them is out of scope, `Merged`; the database's failure.
    pub fn dismiss(&self, tx: &mut WriteTx<'_>, context: &Context, reason: &str) -> Result<()> {
        let (incident, other) = self.find_both(tx.conn, context)?;
        match tx.attempt(|tx| self.insert(tx, context, (incident.0.id, other.0.id), reason)) {
            Err(error) if is_there_already(&error) => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                self.record(tx, &incident, &other, "dismissed");
                Ok(())
            }
        }
    }

    fn insert(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        (one, other): (i64, i64),
        reason: &str,
    ) -> Result<()> {
        let id = DismissalId::random();
        diesel::insert_into(duplicate_dismissals::table)
            .values((
                duplicate_dismissals::uuid.eq(id),
                duplicate_dismissals::low_id.eq(one.min(other)),
                duplicate_dismissals::high_id.eq(one.max(other)),
                duplicate_dismissals::dismissed_by.eq(self.by),
                duplicate_dismissals::dismissed_at.eq(self.now.naive_utc()),
            ))
            .execute(tx.conn)?;
        let owner = Owner { kind: OwnerKind::Dismissal, id: id.uuid() };
        let why = context.sealer.seal(owner, Part::Reason, 1, reason.as_bytes())?;
        sealed::insert_part(tx.conn, owner, Part::Reason, 1, &why)?;
        Ok(())
    }

    /// Takes back what was said of them, and of what was merged into them.
    ///
    /// # Errors
    /// `NotFound` where one of them is out of scope, or nobody said so; `Merged`; the database's failure.
    pub fn undo(&self, tx: &mut WriteTx<'_>, context: &Context) -> Result<()> {
        let (incident, other) = self.find_both(tx.conn, context)?;
        let (ours, theirs) = (group(tx.conn, incident.0.id)?, group(tx.conn, other.0.id)?);
        let mut n_undone = 0;
        for (low, high) in [(ours.clone(), theirs.clone()), (theirs, ours)] {
            let said = duplicate_dismissals::table
                .filter(duplicate_dismissals::low_id.eq_any(low))
                .filter(duplicate_dismissals::high_id.eq_any(high))
                .filter(duplicate_dismissals::undone_at.is_null());
            n_undone += diesel::update(said)
                .set((
                    duplicate_dismissals::undone_by.eq(Some(self.by)),
                    duplicate_dismissals::undone_at.eq(Some(self.now.naive_utc())),
                ))
                .execute(tx.conn)?;
        }
        if n_undone == 0 {
            return Err(Error::not_found());
        }
        self.record(tx, &incident, &other, "undone");
        Ok(())
    }

    /// Leaves an entry for each side that does not tell the other: its readers may see but one of them.
    fn record(&self, tx: &mut WriteTx<'_>, incident: &Seen, other: &Seen, what: &str) {
        for (row, facts) in [incident, other] {
            let entry = Entry::new(Act::DismissedDuplicate, row.uuid, self.now)
                .by(Some(self.by))
                .detail(what)
                .within(&facts.country, facts.country_computed.as_deref());
            tx.record(entry);
        }
    }
}

/// Returns the row ids of an incident and of those merged into it.
fn group(conn: &mut DbConn, incident: i64) -> Result<Vec<i64>> {
    let mut group = list_absorbed_ids(conn, &[incident])?;
    group.push(incident);
    Ok(group)
}

fn is_there_already(error: &Error) -> bool {
    let (name, table) = ("duplicate_dismissals_pair_key", "duplicate_dismissals");
    error.database_cause().is_some_and(|cause| dialect::is_taken(cause, name, table, "high_id"))
}
