//! The columns of this server, kept current from the change sequence.
//!
//! Facts come in only by re-reading changed incidents in one snapshot, never from a handler: whoever asks first reads
//! the changes since the last number this server has seen, so that an answer is never older than the last commit
//! anybody has acknowledged, on one server or several.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::aggregates::columns::Columns;
use crate::aggregates::reference::Reference;
use crate::aggregates::store;
use crate::db::dialect::{self, DbConn};
use crate::error::Result;
use crate::seal::veil::PlaceVeil;

/// Changed incidents beyond which everything is read anew instead.
const RELOAD_FROM: usize = 200_000;

/// The columns and the change they are current to.
pub struct LiveColumns {
    state: RwLock<State>,
    /// One refresh at a time: a second asker waits for the first and then finds nothing to do.
    turn: Mutex<()>,
}

struct State {
    columns: Columns,
    seq: i64,
    is_loaded: bool,
}

impl LiveColumns {
    /// Returns columns that know nothing yet; the first question loads them.
    pub fn new(reference: Arc<Reference>) -> Self {
        let state = State { columns: Columns::new(reference), seq: 0, is_loaded: false };
        Self { state: RwLock::new(state), turn: Mutex::new(()) }
    }

    /// Brings the columns up to the last commit and answers `ask` with the change number they are current to.
    ///
    /// # Errors
    /// When the database fails, or whatever `ask` answers.
    pub fn read<T>(
        &self,
        conn: &mut DbConn,
        veil: &PlaceVeil,
        ask: impl FnOnce(&Columns, i64) -> Result<T>,
    ) -> Result<T> {
        self.refresh(conn, veil)?;
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        ask(&state.columns, state.seq)
    }

    /// Reads what changed since the last time.
    ///
    /// # Errors
    /// When the database fails.
    pub fn refresh(&self, conn: &mut DbConn, veil: &PlaceVeil) -> Result<()> {
        if self.is_current(store::find_head(conn)?) {
            return Ok(());
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        dialect::snapshot(conn, |conn| {
            let head = store::find_head(conn)?;
            if self.is_current(head) {
                return Ok(());
            }
            // Held to the end, so that nobody counts half of a batch.
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            let changed =
                if state.is_loaded { store::list_changed(conn, state.seq)? } else { Vec::new() };
            if state.is_loaded && changed.len() < RELOAD_FROM {
                store::load_some(conn, &changed, veil, &mut state.columns)?;
            } else {
                state.columns = Columns::new(Arc::clone(state.columns.reference()));
                store::load_all(conn, veil, &mut state.columns)?;
            }
            state.seq = head;
            state.is_loaded = true;
            Ok(())
        })
    }

    /// Changes what filters are checked against; rows stay.
    pub fn set_reference(&self, reference: Arc<Reference>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.columns.set_reference(reference);
    }

    fn is_current(&self, head: i64) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.is_loaded && state.seq >= head
    }

    /// Returns the memory the columns hold, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.state.read().unwrap_or_else(PoisonError::into_inner).columns.memory_bytes()
    }
}
