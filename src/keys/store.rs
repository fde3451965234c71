//! Rotations and wrapped keys in the database.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::dsl::count_star;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::rows::Any;
use crate::db::schema::{data_keys, instance_keys, key_rotations};
use crate::ids::Id;
use crate::seal::handover::Handover;
use crate::seal::subkeys::{Purpose, WrappedSubKey};

/// A key wrapped by the other one, while the rotation runs.
type Wrapped = Option<Vec<u8>>;

const RUNNING: &str = "running";
const FINISHED: &str = "finished";

/// A change of the instance key.
#[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable)]
pub struct Rotation {
    /// Id of the key that is replaced.
    pub old_id: String,
    /// Id of the key that replaces it.
    pub new_id: String,
    /// When it began.
    pub begun_at: NaiveDateTime,
    /// When the last data key was under the new key; `None` while it runs.
    pub finished_at: Option<NaiveDateTime>,
}

/// What a server must know of the instance key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyState {
    /// Id of the key that wraps the sub keys: the one to seal under. `None` on a new database.
    pub current: Option<String>,
    /// The change that runs.
    pub running: Option<Rotation>,
    /// While it runs, each key wrapped by the other.
    pub handovers: Vec<Handover>,
}

/// Data keys under one instance key.
#[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable)]
pub struct KeyCount {
    /// Id of the instance key.
    pub key_id: String,
    /// How many it wraps.
    pub n_data_keys: i64,
}

/// Returns which key to seal under and whether it is being changed.
///
/// # Errors
/// When the database fails.
pub fn find_state(conn: &mut DbConn) -> QueryResult<KeyState> {
    let current = instance_keys::table
        .find(Purpose::Check.as_str())
        .select(instance_keys::kek_id)
        .first(conn)
        .optional()?;
    let found: Option<(Rotation, Wrapped, Wrapped)> = key_rotations::table
        .filter(key_rotations::state.eq(RUNNING))
        .select((columns(), key_rotations::new_by_old, key_rotations::old_by_new))
        .first(conn)
        .optional()?;
    let Some((rotation, new_by_old, old_by_new)) = found else {
        return Ok(KeyState { current, running: None, handovers: Vec::new() });
    };
    let (old, new) = (&rotation.old_id, &rotation.new_id);
    let handover = |of: &String, by: &String, wrapped: Wrapped| {
        wrapped.map(|wrapped| Handover { of: of.clone(), by: by.clone(), wrapped })
    };
    let handovers = [handover(new, old, new_by_old), handover(old, new, old_by_new)];
    let handovers = handovers.into_iter().flatten().collect();
    Ok(KeyState { current, running: Some(rotation), handovers })
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        key_rotations::old_id,
        key_rotations::new_id,
        key_rotations::begun_at,
        key_rotations::finished_at,
    )
}

/// Returns the rotation that replaced, or is replacing, the key `old_id`.
///
/// # Errors
/// When the database fails.
pub fn find_rotation_from(conn: &mut DbConn, old_id: &str) -> QueryResult<Option<Rotation>> {
    key_rotations::table
        .filter(key_rotations::old_id.eq(old_id))
        .select(columns())
        .first(conn)
        .optional()
}

/// Tells whether a key was ever the instance key, or is it now.
///
/// # Errors
/// When the database fails.
pub fn is_known_key(conn: &mut DbConn, id: &str) -> QueryResult<bool> {
    let n_sub_keys: i64 =
        instance_keys::table.filter(instance_keys::kek_id.eq(id)).count().get_result(conn)?;
    Ok(n_sub_keys > 0 || find_rotation_from(conn, id)?.is_some())
}

/// Stores a rotation that begins, with both handovers: the new key by the old one, and the old one by the new.
///
/// # Errors
/// A unique violation when one runs already, or either key was part of one.
pub fn insert_rotation(
    conn: &mut DbConn,
    rotation: &Rotation,
    [new_by_old, old_by_new]: [&Handover; 2],
) -> QueryResult<()> {
    diesel::insert_into(key_rotations::table)
        .values((
            key_rotations::state.eq(RUNNING),
            key_rotations::old_id.eq(&rotation.old_id),
            key_rotations::new_id.eq(&rotation.new_id),
            key_rotations::new_by_old.eq(&new_by_old.wrapped),
            key_rotations::old_by_new.eq(&old_by_new.wrapped),
            key_rotations::begun_at.eq(rotation.begun_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends a rotation: neither key opens the other any more. Says whether it ran until now.
///
/// # Errors
/// When the database fails.
pub fn end_rotation(
    conn: &mut DbConn,
    rotation: &Rotation,
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let running =
        key_rotations::table.find(&rotation.old_id).filter(key_rotations::state.eq(RUNNING));
    let n_ended = diesel::update(running)
        .set((
            key_rotations::state.eq(FINISHED),
            key_rotations::new_by_old.eq(None::<Vec<u8>>),
            key_rotations::old_by_new.eq(None::<Vec<u8>>),
            key_rotations::finished_at.eq(Some(now.naive_utc())),
        ))
        .execute(conn)?;
    Ok(n_ended == 1)
}

/// Stores sub keys wrapped anew.
///
/// # Errors
/// When the database fails.
pub fn update_sub_keys(conn: &mut DbConn, keys: &[WrappedSubKey]) -> QueryResult<()> {
    for key in keys {
        diesel::update(instance_keys::table.find(key.purpose.as_str()))
            .set((instance_keys::wrapped.eq(&key.wrapped), instance_keys::kek_id.eq(&key.key_id)))
            .execute(conn)?;
    }
    Ok(())
}

/// Returns some data keys behind `after` that are under the instance key `key_id`, in order.
///
/// # Errors
/// When the database fails.
pub fn list_data_keys(
    conn: &mut DbConn,
    key_id: &str,
    after: Id<Any>,
    limit: i64,
) -> QueryResult<Vec<(Id<Any>, Vec<u8>)>> {
    data_keys::table
        .filter(data_keys::id.gt(after))
        .filter(data_keys::kek_id.eq(key_id))
        .order(data_keys::id)
        .limit(limit)
        .select((data_keys::id, data_keys::wrapped))
        .load(conn)
}

/// Returns all data keys that are under the instance key `key_id`, in no order: few, in the end, and found by reading the
/// table as it lies, which is several times as fast as in order.
///
/// # Errors
/// When the database fails.
pub fn list_all_data_keys(conn: &mut DbConn, key_id: &str) -> QueryResult<Vec<(Id<Any>, Vec<u8>)>> {
    data_keys::table
        .filter(data_keys::kek_id.eq(key_id))
        .select((data_keys::id, data_keys::wrapped))
        .load(conn)
}

/// Returns how many data keys are under each instance key, by id of that key.
///
/// # Errors
/// When the database fails.
pub fn count_data_keys(conn: &mut DbConn) -> QueryResult<Vec<KeyCount>> {
    data_keys::table
        .group_by(data_keys::kek_id)
        .select((data_keys::kek_id, count_star()))
        .order(data_keys::kek_id)
        .load(conn)
}
