//! The atoms of the releases that were asked for last, in memory: they never change, and everybody asks for the same.

use std::sync::{Arc, Mutex, PoisonError};

use crate::db::dialect::DbConn;
use crate::error::Result;
use crate::releases::store;
use crate::releases::types::ReleasedAtom;

/// Releases held at once.
const MOST: usize = 4;

/// Atoms by row id of their release, the last asked for first.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Vec<(i64, Arc<[ReleasedAtom]>)>>);

impl Shelf {
    /// Returns the atoms of a release, in their order.
    ///
    /// # Errors
    /// When the database fails.
    pub fn get(&self, conn: &mut DbConn, release: i64) -> Result<Arc<[ReleasedAtom]>> {
        if let Some(atoms) = self.take_up(release, None) {
            return Ok(atoms);
        }
        let atoms: Arc<[ReleasedAtom]> = store::list_atoms(conn, release)?.into();
        self.take_up(release, Some(Arc::clone(&atoms)));
        Ok(atoms)
    }

    /// Puts a release to the front; one that is not there only where it is given.
    fn take_up(
        &self,
        release: i64,
        given: Option<Arc<[ReleasedAtom]>>,
    ) -> Option<Arc<[ReleasedAtom]>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let position = held.iter().position(|(id, _)| *id == release);
        let atoms = position.map(|position| held.remove(position).1).or(given)?;
        held.insert(0, (release, Arc::clone(&atoms)));
        held.truncate(MOST);
        Some(atoms)
    }
}
