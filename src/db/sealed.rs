//! Sealed parts and their keys in the database. Opens nothing: it stores and finds bytes.

use std::collections::HashMap;

use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods,
    OptionalExtension, QueryDsl, QueryResult, RunQueryDsl,
};
use uuid::Uuid;

use crate::db::dialect::{self, DbConn};
use crate::db::rows::{Any, NewDataKeyRow, NewRows, NewSealedRow};
use crate::db::schema::{data_keys, instance_keys, sealed};
use crate::ids::Id;
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealed};
use crate::seal::subkeys::{Purpose, WrappedSubKey};

/// Owners asked about together; each is a bound value.
const CHUNK: usize = 1_000;

/// Stores a part and its key.
///
/// # Errors
/// A unique violation when this version of the part exists.
pub fn insert_part(
    conn: &mut DbConn,
    owner: Owner,
    part: Part,
    version: i32,
    content: &Sealed,
) -> QueryResult<()> {
    let mut rows = NewRows::default();
    add_part(&mut rows, owner, part, version, content);
    dialect::insert_rows(conn, &[&rows])
}

/// Adds the rows of a part and its key.
pub fn add_part(rows: &mut NewRows, owner: Owner, part: Part, version: i32, content: &Sealed) {
    // Time-ordered ids keep the keys' index in order of arrival.
    let key_id = Id::from_uuid(Uuid::now_v7());
    rows.data_keys.push(NewDataKeyRow {
        id: key_id,
        wrapped: content.wrapped_key.clone(),
        kek_id: content.key_id.clone(),
    });
    rows.sealed.push(NewSealedRow {
        owner_kind: owner.kind.as_str(),
        owner_id: Id::from_uuid(owner.id),
        part: part.as_str(),
        version,
        key_id: Some(key_id),
        blob: content.blob.clone(),
    });
}

/// Returns the newest version of a part with its version; `None` where there is none or its key was destroyed.
///
/// # Errors
/// When the database fails.
pub fn find_part(
    conn: &mut DbConn,
    owner: Owner,
    part: Part,
) -> QueryResult<Option<(i32, Sealed)>> {
    let found: Option<(i32, Vec<u8>, Vec<u8>, String)> = sealed::table
        .inner_join(
            data_keys::table
                .on(sealed::key_id.eq(diesel::NullableExpressionMethods::nullable(data_keys::id))),
        )
        .filter(sealed::owner_id.eq(Id::<Any>::from_uuid(owner.id)))
        .filter(sealed::owner_kind.eq(owner.kind.as_str()))
        .filter(sealed::part.eq(part.as_str()))
        .order(sealed::version.desc())
        .select((sealed::version, sealed::blob, data_keys::wrapped, data_keys::kek_id))
        .first(conn)
        .optional()?;
    Ok(found.map(|(version, blob, wrapped_key, key_id)| {
        (version, Sealed { wrapped_key, key_id, blob })
    }))
}

/// Returns the newest version of a part of each of these owners of one kind, by id; where there is none or its key was
/// destroyed, it is left out.
///
/// # Errors
/// When the database fails.
pub fn list_parts(
    conn: &mut DbConn,
    kind: OwnerKind,
    part: Part,
    ids: &[Uuid],
) -> QueryResult<HashMap<Uuid, (i32, Sealed)>> {
    type Row = (Id<Any>, i32, Vec<u8>, Vec<u8>, String);
    let mut found = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(CHUNK) {
        let ids: Vec<Id<Any>> = ids.iter().copied().map(Id::from_uuid).collect();
        let rows: Vec<Row> = sealed::table
            .inner_join(data_keys::table.on(sealed::key_id.eq(data_keys::id.nullable())))
            .filter(sealed::owner_id.eq_any(ids))
            .filter(sealed::owner_kind.eq(kind.as_str()))
            .filter(sealed::part.eq(part.as_str()))
            .order(sealed::version)
            .select((
                sealed::owner_id,
                sealed::version,
                sealed::blob,
                data_keys::wrapped,
                data_keys::kek_id,
            ))
            .load(conn)?;
        for (owner, version, blob, wrapped_key, key_id) in rows {
            found.insert(owner.uuid(), (version, Sealed { wrapped_key, key_id, blob }));
        }
    }
    Ok(found)
}

/// Returns the newest version of a part that there ever was, whether it opens or not.
///
/// # Errors
/// When the database fails.
pub fn find_last_version(conn: &mut DbConn, owner: Owner, part: Part) -> QueryResult<Option<i32>> {
    sealed::table
        .filter(sealed::owner_id.eq(Id::<Any>::from_uuid(owner.id)))
        .filter(sealed::owner_kind.eq(owner.kind.as_str()))
        .filter(sealed::part.eq(part.as_str()))
        .order(sealed::version.desc())
        .select(sealed::version)
        .first(conn)
        .optional()
}

/// Destroys the data keys of what is sealed for `owner`, every version: of one part, or of all. The sealed bytes stay, and
/// nobody can open them.
///
/// # Errors
/// When the database fails.
pub fn destroy_keys(conn: &mut DbConn, owner: Owner, part: Option<Part>) -> QueryResult<usize> {
    let mut keys = sealed::table
        .filter(sealed::owner_id.eq(Id::<Any>::from_uuid(owner.id)))
        .filter(sealed::owner_kind.eq(owner.kind.as_str()))
        .filter(sealed::key_id.is_not_null())
        .select(sealed::key_id.assume_not_null())
        .into_boxed();
    if let Some(part) = part {
        keys = keys.filter(sealed::part.eq(part.as_str()));
    }
    let ids: Vec<Id<Any>> = keys.load(conn)?;
    diesel::delete(data_keys::table.filter(data_keys::id.eq_any(ids))).execute(conn)
}

/// Removes every version of a part with its keys.
///
/// # Errors
/// When the database fails.
pub fn remove_part(conn: &mut DbConn, owner: Owner, part: Part) -> QueryResult<()> {
    destroy_keys(conn, owner, Some(part))?;
    let all = sealed::table
        .filter(sealed::owner_id.eq(Id::<Any>::from_uuid(owner.id)))
        .filter(sealed::owner_kind.eq(owner.kind.as_str()))
        .filter(sealed::part.eq(part.as_str()));
    diesel::delete(all).execute(conn).map(drop)
}

/// Returns one version of a part; `None` where there is none or its key was destroyed.
///
/// # Errors
/// When the database fails.
pub fn find_version(
    conn: &mut DbConn,
    owner: Owner,
    part: Part,
    version: i32,
) -> QueryResult<Option<Sealed>> {
    let found: Option<(Vec<u8>, Vec<u8>, String)> = sealed::table
        .inner_join(
            data_keys::table
                .on(sealed::key_id.eq(diesel::NullableExpressionMethods::nullable(data_keys::id))),
        )
        .filter(sealed::owner_id.eq(Id::<Any>::from_uuid(owner.id)))
        .filter(sealed::owner_kind.eq(owner.kind.as_str()))
        .filter(sealed::part.eq(part.as_str()).and(sealed::version.eq(version)))
        .select((sealed::blob, data_keys::wrapped, data_keys::kek_id))
        .first(conn)
        .optional()?;
    Ok(found.map(|(blob, wrapped_key, key_id)| Sealed { wrapped_key, key_id, blob }))
}

/// Removes one version of a part with its key, so that the version may be written anew.
///
/// # Errors
/// When the database fails.
pub fn remove_version(
    conn: &mut DbConn,
    owner: Owner,
    part: Part,
    version: i32,
) -> QueryResult<()> {
    let this = || {
        sealed::table
            .filter(sealed::owner_id.eq(Id::<Any>::from_uuid(owner.id)))
            .filter(sealed::owner_kind.eq(owner.kind.as_str()))
            .filter(sealed::part.eq(part.as_str()).and(sealed::version.eq(version)))
    };
    let key: Option<Option<Id<Any>>> = this().select(sealed::key_id).first(conn).optional()?;
    diesel::delete(this()).execute(conn)?;
    if let Some(key) = key.flatten() {
        diesel::delete(data_keys::table.find(key)).execute(conn)?;
    }
    Ok(())
}

/// Returns the secrets of this instance, still wrapped; empty on a new database.
///
/// # Errors
/// When the database fails.
pub fn list_instance_keys(conn: &mut DbConn) -> QueryResult<Vec<WrappedSubKey>> {
    let rows: Vec<(String, Vec<u8>, String)> = instance_keys::table
        .order(instance_keys::purpose)
        .select((instance_keys::purpose, instance_keys::wrapped, instance_keys::kek_id))
        .load(conn)?;
    rows.into_iter()
        .map(|(purpose, wrapped, key_id)| {
            let purpose = Purpose::parse(&purpose)
                .map_err(|error| diesel::result::Error::DeserializationError(error.into()))?;
            Ok(WrappedSubKey { purpose, wrapped, key_id })
        })
        .collect()
}

/// Stores the secrets of a new instance.
///
/// # Errors
/// A unique violation when another server was first.
pub fn insert_instance_keys(conn: &mut DbConn, keys: &[WrappedSubKey]) -> QueryResult<()> {
    for key in keys {
        diesel::insert_into(instance_keys::table)
            .values((
                instance_keys::purpose.eq(key.purpose.as_str()),
                instance_keys::wrapped.eq(&key.wrapped),
                instance_keys::kek_id.eq(&key.key_id),
            ))
            .execute(conn)?;
    }
    Ok(())
}
