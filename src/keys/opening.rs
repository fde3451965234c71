//! Takes up a changed instance key, and opens what another server sealed under it a moment ago.

use zeroize::Zeroizing;

use crate::db::dialect::DbConn;
use crate::error::Result;
use crate::keys::store::{self, KeyState};
use crate::seal::envelope::{Owner, Part, SealError, Sealed, Sealer};

/// Holds both keys of a rotation that runs, and seals under the one that `state` says.
///
/// # Errors
/// [`SealError::WrongKey`] when none of the held keys leads to it; [`SealError::Damaged`].
pub fn take_up(sealer: &Sealer, state: &KeyState) -> std::result::Result<(), SealError> {
    sealer.add_handed_over(&state.handovers)?;
    state.current.as_deref().map_or(Ok(()), |id| sealer.seal_under(id))
}

/// Opens a sealed part; where it is under a key this process does not hold yet, looks for that in the database.
///
/// # Errors
/// When the database fails or the part does not open.
pub fn open(
    conn: &mut DbConn,
    sealer: &Sealer,
    (owner, part, version): (Owner, Part, u32),
    content: &Sealed,
) -> Result<Zeroizing<Vec<u8>>> {
    match sealer.open(owner, part, version, content) {
        Err(SealError::WrongKey { .. }) => {
            // Only to open with: the transaction may see an older state than the one taken up last.
            sealer.add_handed_over(&store::find_state(conn)?.handovers)?;
            Ok(sealer.open(owner, part, version, content)?)
        }
        opened => Ok(opened?),
    }
}
