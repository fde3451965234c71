//! A reviewer's word that two incidents are not one. It stays until somebody takes it back.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};

use crate::audit::act::Act;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::schema::duplicate_dismissals;
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Error, Result};
use crate::ids::{DismissalId, IncidentId};
use crate::incidents::decider::{Decider, Seen};
use crate::incidents::pairs::{list_group, pair_of, record_both};
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// Who says so of which two incidents.
#[derive(Debug)]
pub struct Judgement {
    /// Who, where and when.
    pub decider: Decider,
    /// One of them.
    pub incident: IncidentId,
    /// The other.
    pub other: IncidentId,
}

impl Judgement {
    fn find_both(&self, conn: &mut DbConn, context: &Context) -> Result<(Seen, Seen)> {
        let incident = self.decider.find_unmerged(conn, context, self.incident)?;
        let other = self.decider.find_unmerged(conn, context, self.other)?;
        Ok((incident, other))
    }

    /// Writes down that they are not one. What was said already stays as it was.
    ///
    /// # Errors
    /// `NotFound` where one of them is out of scope, `Merged`; the database's failure.
    pub fn dismiss(&self, tx: &mut WriteTx<'_>, context: &Context, reason: &str) -> Result<()> {
        let (incident, other) = self.find_both(tx.conn, context)?;
        match tx.attempt(|tx| self.insert(tx, context, pair_of(&incident, &other), reason)) {
            Err(error) if is_there_already(&error) => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                self.record(tx, (&incident, &other), "dismissed");
                Ok(())
            }
        }
    }

    fn insert(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        (low, high): (i64, i64),
        reason: &str,
    ) -> Result<()> {
        let id = DismissalId::random();
        diesel::insert_into(duplicate_dismissals::table)
            .values((
                duplicate_dismissals::uuid.eq(id),
                duplicate_dismissals::low_id.eq(low),
                duplicate_dismissals::high_id.eq(high),
                duplicate_dismissals::dismissed_by.eq(self.decider.by),
                duplicate_dismissals::dismissed_at.eq(self.decider.now.naive_utc()),
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
        let (ours, theirs) =
            (list_group(tx.conn, incident.0.id)?, list_group(tx.conn, other.0.id)?);
        let mut n_undone = 0;
        for (low, high) in [(ours.clone(), theirs.clone()), (theirs, ours)] {
            let said = duplicate_dismissals::table
                .filter(duplicate_dismissals::low_id.eq_any(low))
                .filter(duplicate_dismissals::high_id.eq_any(high))
                .filter(duplicate_dismissals::undone_at.is_null());
            n_undone += diesel::update(said)
                .set((
                    duplicate_dismissals::undone_by.eq(Some(self.decider.by)),
                    duplicate_dismissals::undone_at.eq(Some(self.decider.now.naive_utc())),
                ))
                .execute(tx.conn)?;
        }
        if n_undone == 0 {
            return Err(Error::not_found());
        }
        self.record(tx, (&incident, &other), "undone");
        Ok(())
    }

    fn record(&self, tx: &mut WriteTx<'_>, both: (&Seen, &Seen), what: &str) {
        record_both(tx, &self.decider, Act::DismissedDuplicate, both, what);
    }
}

fn is_there_already(error: &Error) -> bool {
    let (name, table) = ("duplicate_dismissals_pair_key", "duplicate_dismissals");
    error.database_cause().is_some_and(|cause| dialect::is_taken(cause, name, table, "high_id"))
}
