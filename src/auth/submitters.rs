//! Finds who stands behind the pseudonyms that reports are kept under.
//!
//! Nothing stored leads from a report to its sender: the pseudonym of every account and phone is computed anew, window
//! by window, until all that are looked for are found. Whoever calls has asked the policy and written the audit entry.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult,
    RunQueryDsl,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::dialect::DbConn;
use crate::db::rows::Any;
use crate::db::schema::{devices, users};
use crate::db::sealed;
use crate::error::{Error, Result};
use crate::ids::Id;
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealer};
use crate::seal::subkeys::SubKeySet;

/// Accounts read at once.
const WINDOW: i64 = 1_000;

/// A keyed hash of a person's or phone's id; see [`SubKeySet::pseudonym`].
pub type Pseudonym = [u8; 16];

/// Who sent a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubmitterView {
    /// `person`, or `device` for a phone that is nobody's.
    #[schema(example = "person")]
    pub kind: &'static str,
    /// Of the account or the phone.
    pub id: Uuid,
    /// The name it goes by here; absent when it was erased.
    pub name: Option<String>,
}

/// Returns who stands behind each of `wanted`; whoever is no longer known is left out.
///
/// # Errors
/// When the database fails or a name does not open.
pub fn find_submitters(
    conn: &mut DbConn,
    sealer: &Sealer,
    keys: &SubKeySet,
    mut wanted: BTreeSet<Pseudonym>,
) -> Result<BTreeMap<Pseudonym, SubmitterView>> {
    let mut found = BTreeMap::new();
    for kind in [OwnerKind::User, OwnerKind::Device] {
        let mut after = 0;
        while !wanted.is_empty() {
            let window = list_ids(conn, kind, after)?;
            let Some((last, _)) = window.last() else {
                break;
            };
            after = *last;
            for (_, id) in window {
                let pseudonym = keys.pseudonym(id.uuid().as_bytes());
                if wanted.remove(&pseudonym) {
                    found.insert(pseudonym, view(conn, sealer, Owner { kind, id: id.uuid() })?);
                }
            }
        }
    }
    Ok(found)
}

/// The account or the phone behind a pseudonym, by row id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// A person.
    Person(i64),
    /// A phone that is nobody's.
    Phone(i64),
}

/// Returns who stands behind `pseudonym`, open to them or not; `None` where nobody is known.
///
/// # Errors
/// When the database fails.
pub fn find_account(
    conn: &mut DbConn,
    keys: &SubKeySet,
    pseudonym: Pseudonym,
) -> QueryResult<Option<Account>> {
    for kind in [OwnerKind::User, OwnerKind::Device] {
        let mut after = 0;
        loop {
            let window = list_ids(conn, kind, after)?;
            let Some((last, _)) = window.last() else {
                break;
            };
            after = *last;
            let is_it =
                |(_, id): &&(i64, Id<Any>)| keys.pseudonym(id.uuid().as_bytes()) == pseudonym;
            if let Some((row_id, _)) = window.iter().find(is_it) {
                let of = if kind == OwnerKind::User { Account::Person } else { Account::Phone };
                return Ok(Some(of(*row_id)));
            }
        }
    }
    Ok(None)
}

/// What a sender belongs to, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Affiliation {
    /// An organisation, by its row id: the person's own, else that of a phone it hands them, or the phone's.
    Organisation(i64),
    /// A known person whom no organisation is known of.
    Person(Pseudonym),
}

/// Returns what each of `wanted` belongs to. Who is no longer known, and a phone of nobody and no organisation, are left
/// out.
///
/// # Errors
/// When the database fails.
pub fn find_affiliations(
    conn: &mut DbConn,
    keys: &SubKeySet,
    mut wanted: BTreeSet<Pseudonym>,
) -> QueryResult<BTreeMap<Pseudonym, Affiliation>> {
    let mut found = BTreeMap::new();
    for kind in [OwnerKind::User, OwnerKind::Device] {
        let mut after = 0;
        while !wanted.is_empty() {
            let window = list_members(conn, kind, after)?;
            let Some((last, ..)) = window.last() else {
                break;
            };
            after = *last;
            for (row_id, id, organisation) in window {
                let pseudonym = keys.pseudonym(id.uuid().as_bytes());
                if !wanted.remove(&pseudonym) {
                    continue;
                }
                let affiliation = match (organisation, kind) {
                    (Some(organisation), _) => Some(Affiliation::Organisation(organisation)),
                    (None, OwnerKind::User) => {
                        let of_phone = find_organisation_of_phones(conn, row_id)?;
                        let person = Affiliation::Person(pseudonym);
                        Some(of_phone.map_or(person, Affiliation::Organisation))
                    }
                    (None, _) => None,
                };
                found.extend(affiliation.map(|affiliation| (pseudonym, affiliation)));
            }
        }
    }
    Ok(found)
}

/// Row id, public id and the organisation's row id of a person or phone.
type Member = (i64, Id<Any>, Option<i64>);

/// Returns the next window of people or phones, in order of row id.
fn list_members(conn: &mut DbConn, kind: OwnerKind, after: i64) -> QueryResult<Vec<Member>> {
    if kind == OwnerKind::Device {
        let rest = devices::table.filter(devices::id.gt(after)).order(devices::id);
        let columns = (devices::id, devices::uuid, devices::organisation_id);
        rest.limit(WINDOW).select(columns).load(conn)
    } else {
        let rest = users::table.filter(users::id.gt(after)).order(users::id);
        rest.limit(WINDOW).select((users::id, users::uuid, users::organisation_id)).load(conn)
    }
}

/// Returns the organisation that handed a person their first phone.
fn find_organisation_of_phones(conn: &mut DbConn, owner: i64) -> QueryResult<Option<i64>> {
    devices::table
        .filter(devices::owner_id.eq(owner))
        .filter(devices::organisation_id.is_not_null())
        .order(devices::id)
        .select(devices::organisation_id.assume_not_null())
        .first(conn)
        .optional()
}

/// Returns the next window of row ids with public ids, in order of row id.
fn list_ids(conn: &mut DbConn, kind: OwnerKind, after: i64) -> QueryResult<Vec<(i64, Id<Any>)>> {
    if kind == OwnerKind::Device {
        let rest = devices::table.filter(devices::id.gt(after)).order(devices::id);
        rest.limit(WINDOW).select((devices::id, devices::uuid)).load(conn)
    } else {
        let rest = users::table.filter(users::id.gt(after)).order(users::id);
        rest.limit(WINDOW).select((users::id, users::uuid)).load(conn)
    }
}

fn view(conn: &mut DbConn, sealer: &Sealer, owner: Owner) -> Result<SubmitterView> {
    let kind = if owner.kind == OwnerKind::Device { "device" } else { "person" };
    Ok(SubmitterView { kind, id: owner.id, name: open_name(conn, sealer, owner)? })
}

/// Opens the name of an account or a phone; `None` where its key was destroyed.
fn open_name(conn: &mut DbConn, sealer: &Sealer, owner: Owner) -> Result<Option<String>> {
    let Some((version, content)) = sealed::find_part(conn, owner, Part::Identity)? else {
        return Ok(None);
    };
    let version = u32::try_from(version).map_err(Error::internal)?;
    let name = sealer.open(owner, Part::Identity, version, &content)?;
    String::from_utf8(name.to_vec()).map(Some).map_err(Error::internal)
}
