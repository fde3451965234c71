//! Changes the instance key while servers run, in steps that may each be the last of a killed process.
//!
//! [`begin`] stores each key wrapped by the other and wraps the sub keys anew; from then on servers seal under the new
//! key. [`rewrap_all`] wraps data keys anew, a batch a transaction, and may run again. [`finish`] waits for whoever is
//! just inserting, wraps what is left and deletes both handovers. Whoever calls has the new key on disk before it begins.
//!
//! Erasing needs no care here: a data key that is deleted meanwhile is not there to be stored again.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::rows::Any;
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, Result};
use crate::ids::Id;
use crate::keys::store::{self, Rotation};
use crate::seal::envelope::{SealError, Sealer};
use crate::seal::handover::Handover;
use crate::seal::key::InstanceKey;
use crate::seal::subkeys::WrappedSubKey;

/// Data keys of one write transaction: some 10 ms, which a server on the same file waits for.
const BATCH: i64 = 1_000;

/// A deadlock or a busy file passes; something that lasts does not.
const MOST_TRIES: usize = 5;

/// Why the instance key cannot be changed; the message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The key was the instance key before, or is it now.
    #[error(
        "key {0} is or was the instance key: give another file with --new-key-file, or none to have a key made"
    )]
    UsedBefore(String),
    /// Another change runs.
    #[error(
        "the instance key is being changed to {0} already: run `keys rotate` with the file of that key, or without one"
    )]
    AnotherRuns(String),
    /// The store or the keys.
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<SealError> for RotationError {
    fn from(error: SealError) -> Self {
        Self::Store(error.into())
    }
}

/// Begins to change the instance key to `new_key`, or goes on with that.
///
/// # Errors
/// See [`RotationError`].
pub fn begin(
    context: &Arc<Context>,
    new_key: &Arc<InstanceKey>,
) -> std::result::Result<Rotation, RotationError> {
    let running = || context.db.read_here(|conn| Ok(store::find_state(conn)?.running));
    if running()?.is_none() && context.db.read_here(|conn| is_known(conn, new_key.id()))? {
        return Err(RotationError::UsedBefore(new_key.id().to_owned()));
    }
    if running()?.is_none() {
        let (shared, key) = (Arc::clone(context), Arc::clone(new_key));
        let stored = context.db.write_here(move |tx| store_begin(tx, &shared, &key));
        // Another process may have been faster: then its rotation is the one that runs.
        if let Err(error) = stored
            && running()?.is_none()
        {
            return Err(error.into());
        }
    }
    context.refresh_keys()?;
    match running()? {
        Some(rotation) if rotation.new_id == new_key.id() => Ok(rotation),
        Some(rotation) => Err(RotationError::AnotherRuns(rotation.new_id)),
        None => Err(Error::internal("a rotation that began has ended").into()),
    }
}

fn is_known(conn: &mut DbConn, id: &str) -> Result<bool> {
    Ok(store::is_known_key(conn, id)?)
}

fn store_begin(tx: &mut WriteTx<'_>, context: &Context, new_key: &InstanceKey) -> Result<()> {
    let state = store::find_state(tx.conn)?;
    let old_id = state.current.ok_or_else(|| Error::internal("there is no instance key yet"))?;
    let sealer = &context.sealer;
    let old_key = sealer.find_key(&old_id).ok_or_else(|| not_held(sealer, &old_id))?;
    let now = context.clock.now();
    let rotation = Rotation {
        old_id,
        new_id: new_key.id().to_owned(),
        begun_at: now.naive_utc(),
        finished_at: None,
    };
    let (new_by_old, old_by_new) =
        (Handover::make(new_key, &old_key)?, Handover::make(&old_key, new_key)?);
    store::insert_rotation(tx.conn, &rotation, [&new_by_old, &old_by_new])?;
    rewrap_sub_keys(tx.conn, sealer, new_key)?;
    tx.record(entry("begun", &rotation, now));
    Ok(())
}

fn not_held(sealer: &Sealer, needed: &str) -> Error {
    let held = sealer.instance_key().id().to_owned();
    SealError::WrongKey { needed: needed.to_owned(), held }.into()
}

fn entry(what: &str, rotation: &Rotation, now: DateTime<Utc>) -> Entry {
    let detail = format!("{what} {}>{}", rotation.old_id, rotation.new_id);
    Entry::of_instance(Act::RotatedKeys, now).detail(detail)
}

/// Wraps the sub keys anew that are not under `new_key` yet.
fn rewrap_sub_keys(conn: &mut DbConn, sealer: &Sealer, new_key: &InstanceKey) -> Result<()> {
    let others = sealed::list_instance_keys(conn)?.into_iter();
    let others = others.filter(|sub_key| sub_key.key_id != new_key.id());
    let anew: Vec<WrappedSubKey> = others
        .map(|sub_key| sub_key.rewrap(sealer, new_key))
        .collect::<std::result::Result<_, _>>()?;
    Ok(store::update_sub_keys(conn, &anew)?)
}

/// What a pass over the data keys did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pass {
    /// Wrapped anew.
    pub n_rewrapped: usize,
    /// Under the old key and damaged: no key opens them, and they stay as they are.
    pub n_damaged: usize,
}

/// Wraps every data key anew that is under the old key; `progress` is told how many, batch by batch.
///
/// Between two batches it rests as long as the last one took, so that others come to write.
///
/// # Errors
/// When the database fails; what earlier batches stored stays, and running it again goes on.
pub fn rewrap_all(
    context: &Arc<Context>,
    rotation: &Rotation,
    progress: &mut dyn FnMut(usize),
) -> Result<Pass> {
    let mut pass = Pass::default();
    let mut after = Id::from_uuid(Uuid::nil());
    loop {
        let old_id = &rotation.old_id;
        let listed =
            context.db.read_here(|conn| Ok(store::list_data_keys(conn, old_id, after, BATCH)?))?;
        let Some((last, _)) = listed.last() else {
            return Ok(pass);
        };
        after = *last;
        let n_listed = listed.len();
        let anew = rewrap(&context.sealer, rotation, listed)?;
        pass.n_damaged += n_listed - anew.len();
        let started_at = Instant::now();
        pass.n_rewrapped += store_batch(context, rotation, &Arc::new(anew))?;
        progress(pass.n_rewrapped);
        std::thread::sleep(started_at.elapsed());
    }
}

/// Returns the data keys wrapped by the new key; those that are damaged are left out.
fn rewrap(
    sealer: &Sealer,
    rotation: &Rotation,
    listed: Vec<(Id<Any>, Vec<u8>)>,
) -> Result<Vec<(Id<Any>, Vec<u8>)>> {
    let new_key = sealer.find_key(&rotation.new_id);
    let new_key = new_key.ok_or_else(|| not_held(sealer, &rotation.new_id))?;
    let mut anew = Vec::with_capacity(listed.len());
    for (id, wrapped) in listed {
        match sealer.rewrap(&wrapped, &rotation.old_id, &new_key) {
            Ok(wrapped) => anew.push((id, wrapped)),
            Err(SealError::Damaged | SealError::UnknownFormat { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(anew)
}

/// Stores one batch; again where a server on the same database was in the way.
fn store_batch(
    context: &Arc<Context>,
    rotation: &Rotation,
    anew: &Arc<Vec<(Id<Any>, Vec<u8>)>>,
) -> Result<usize> {
    let mut n_tries = 1;
    loop {
        let (rotation, anew) = (rotation.clone(), Arc::clone(anew));
        let stored = context.db.write_here(move |tx| {
            let ids = (rotation.old_id.as_str(), rotation.new_id.as_str());
            Ok(dialect::rewrap_data_keys(tx.conn, ids, &anew)?)
        });
        match stored {
            Err(error) if error.code == Code::Unavailable && n_tries < MOST_TRIES => n_tries += 1,
            other => return other,
        }
    }
}

/// Ends the rotation: from its commit on the old key opens nothing, and nothing is sealed under it. What is left under it
/// is wrapped anew in the same transaction. Says whether it ran until now.
///
/// # Errors
/// When the database fails; it runs on then.
pub fn finish(context: &Arc<Context>, rotation: &Rotation) -> Result<bool> {
    let (shared, rotation) = (Arc::clone(context), rotation.clone());
    let is_ended = context.db.write_here(move |tx| store_end(tx, &shared, &rotation))?;
    // The old wrapped keys are worthless without the old key, yet nobody needs them.
    context.db.clear_log_here()?;
    Ok(is_ended)
}

fn store_end(tx: &mut WriteTx<'_>, context: &Context, rotation: &Rotation) -> Result<bool> {
    dialect::lock_data_keys(tx.conn)?;
    let now = context.clock.now();
    if !store::end_rotation(tx.conn, rotation, now)? {
        return Ok(false);
    }
    let sealer = &context.sealer;
    let new_key = sealer.find_key(&rotation.new_id);
    rewrap_sub_keys(tx.conn, sealer, &*new_key.ok_or_else(|| not_held(sealer, &rotation.new_id))?)?;
    let left = store::list_all_data_keys(tx.conn, &rotation.old_id)?;
    let anew = rewrap(sealer, rotation, left)?;
    dialect::rewrap_data_keys(tx.conn, (&rotation.old_id, &rotation.new_id), &anew)?;
    tx.record(entry("finished", rotation, now));
    Ok(true)
}
