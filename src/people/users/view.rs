//! People as callers see them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::policy::may_name;
use crate::auth::types::{Grant, Scope};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::sealed;
use crate::error::{Error, Result};
use crate::ids::{OrganisationId, UserId};
use crate::people::caller::Caller;
use crate::people::grants::store::{list_of_users, list_usable};
use crate::people::grants::types::{GrantView, StoredGrant, meets};
use crate::people::regions::store::list_regions;
use crate::people::users::store::UserRow;
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealer};

/// A person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// The id.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// The name; absent for all who may not manage the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The organisation.
    #[schema(value_type = Option<uuid::Uuid>)]
    organisation: Option<OrganisationId>,
    /// `pending` (cannot sign in yet: no password was set), `active` or `disabled`.
    #[schema(example = "active")]
    state: &'static str,
    /// What they may do in your countries: in lists what is not over, alone what is over too.
    grants: Vec<GrantView>,
}

/// Whether grants that are over are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Those that hold or will hold.
    Lasting,
    /// Those that are over as well.
    History,
}

/// Returns the views of these people, in the same order.
///
/// # Errors
/// When the database fails or a name does not open.
pub fn view_users(
    conn: &mut DbConn,
    context: &Context,
    caller: &Caller,
    rows: &[UserRow],
    shown: Shown,
) -> Result<Vec<UserView>> {
    let geo = context.geo();
    let ids: Vec<i64> = rows.iter().map(|row| row.row_id).collect();
    let grants = list_of_users(conn, &ids, geo.countries())?;
    let usable = list_usable(conn, &ids, caller.now.naive_utc())?;
    let regions = list_regions(conn, geo.countries())?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let own = grants.iter().filter(|grant| grant.user_row == row.row_id);
        let known: Vec<(&StoredGrant, Grant)> =
            own.map(|grant| (grant, grant.resolve(&regions))).collect();
        let lasting = known.iter().filter(|(grant, _)| !grant.is_over_at(caller.now));
        let held: Vec<Grant> = lasting.map(|(_, grant)| grant.clone()).collect();
        let name = if may_name(&caller.principal, row.id, &held) {
            open_name(conn, &context.sealer, OwnerKind::User, row.id.uuid())?
        } else {
            None
        };
        let is_shown = |(grant, resolved): &&(&StoredGrant, Grant)| {
            let is_in_scope = caller.scope == Scope::All || meets(&resolved.scope, &caller.scope);
            is_in_scope && (shown == Shown::History || !grant.is_over_at(caller.now))
        };
        views.push(UserView {
            id: row.id,
            name,
            organisation: row.organisation,
            state: state(row, &usable),
            grants: known
                .iter()
                .filter(is_shown)
                .map(|(grant, _)| GrantView::of(grant, caller.now))
                .collect(),
        });
    }
    Ok(views)
}

/// Returns `pending`, `active` or `disabled`; `usable` are the row ids that [`list_usable`] found.
pub fn state(row: &UserRow, usable: &[i64]) -> &'static str {
    if row.disabled_at.is_some() {
        "disabled"
    } else if usable.contains(&row.row_id) {
        "active"
    } else {
        "pending"
    }
}

/// Opens the name of a person or a phone; `None` where its key was destroyed.
///
/// # Errors
/// When the database fails or the name does not open.
pub fn open_name(
    conn: &mut DbConn,
    sealer: &Sealer,
    kind: OwnerKind,
    id: uuid::Uuid,
) -> Result<Option<String>> {
    let owner = Owner { kind, id };
    let Some((version, content)) = sealed::find_part(conn, owner, Part::Identity)? else {
        return Ok(None);
    };
    let version = u32::try_from(version).map_err(Error::internal)?;
    let bytes = sealer.open(owner, Part::Identity, version, &content)?;
    String::from_utf8(bytes.to_vec()).map(Some).map_err(Error::internal)
}
