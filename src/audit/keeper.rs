//! Appends the entries of a write transaction to its chain and signs the new head, all in that transaction.

use diesel::QueryResult;

use crate::audit::Entry;
use crate::audit::chain::Chain;
use crate::audit::head::{Head, Signer, Verifier};
use crate::audit::store;
use crate::audit::tree::Peaks;
use crate::clock::Clock;
use crate::db::dialect::{self, DbConn};
use crate::db::rows::{AuditRow, ChainRow};

/// Keeps the chains of this instance.
pub struct Keeper {
    signer: Signer,
    verifier: Verifier,
    clock: Clock,
}

/// Why entries could not be kept; the acts they tell of are undone with them.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The database.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    /// Going on would sign what somebody else wrote.
    #[error(
        "the head of audit chain {0} is not as this instance signed it; see `sentinelle audit verify`"
    )]
    Forged(i32),
}

impl Keeper {
    /// Returns the keeper that signs with `signer` at the time of `clock`.
    pub fn new(signer: Signer, clock: Clock) -> Self {
        Self { verifier: signer.verifier(), signer, clock }
    }

    /// Appends `entries` to the chain of this number, in their order. The caller's transaction holds the chain until it
    /// ends.
    ///
    /// # Errors
    /// [`KeepError`].
    pub fn append(
        &self,
        conn: &mut DbConn,
        number: i32,
        entries: Vec<Entry>,
    ) -> Result<(), KeepError> {
        if entries.is_empty() {
            return Ok(());
        }
        let stored = dialect::hold_chain(conn, number)?;
        let mut chain = match &stored {
            None => Chain::empty(number),
            Some(row) => self.resume(row).ok_or(KeepError::Forged(number))?,
        };
        let rows: Vec<AuditRow> = entries.into_iter().map(|entry| chain.append(entry)).collect();
        dialect::insert_audit(conn, &rows)?;
        self.store_head(conn, &chain, stored.is_none())?;
        Ok(())
    }

    /// Returns the chain to go on with; `None` where its head is not one that this instance signed.
    fn resume(&self, row: &ChainRow) -> Option<Chain> {
        let head = Head::of_row(row)?;
        let peaks = Peaks::from_bytes(head.size, &row.peaks)?;
        let chained = row.chained.as_slice().try_into().ok()?;
        let is_ours = peaks.root() == head.root && self.verifier.is_signed(&head, &row.signature);
        is_ours.then(|| Chain::resume(row.chain, peaks, chained))
    }

    fn store_head(&self, conn: &mut DbConn, chain: &Chain, is_first: bool) -> QueryResult<()> {
        let row = self.signer.sign_chain(chain, self.clock.now().naive_utc());
        if is_first { store::insert_chain(conn, &row) } else { store::update_chain(conn, &row) }
    }
}
