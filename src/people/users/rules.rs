//! Who may change whom.

use crate::auth::policy::{Action, may_grant, may_hold_both, may_manage};
use crate::auth::types::{Grant, Principal, Role};
use crate::error::{Code, Error, Result};
use crate::ids::UserId;
use crate::people::grants::types::{NewGrant, StoredGrant};

/// Refuses a grant that the caller may not give: above the own role, outside the own countries.
///
/// # Errors
/// `Forbidden`, saying which.
pub fn require_may_grant(principal: &Principal, grant: &Grant) -> Result<()> {
    if may_grant(principal, grant.role, &grant.written, &grant.scope) {
        return Ok(());
    }
    let (role, scope) = (grant.role.as_str(), &grant.written);
    Err(Error::forbidden(Action::ManagePeople.as_str()).detail(
        format!("you may not give or take {role} in {scope}: it is above your role or outside your countries"),
        format!("vous ne pouvez ni donner ni retirer {role} pour {scope} : c'est au-dessus de votre rôle ou hors de vos pays"),
    ))
}

/// Refuses to change a person who holds what the caller could not have given.
///
/// # Errors
/// `Forbidden`.
pub fn require_may_manage(principal: &Principal, grants: &[Grant]) -> Result<()> {
    if may_manage(principal, grants) {
        return Ok(());
    }
    Err(Error::forbidden(Action::ManagePeople.as_str()).detail(
        "the person holds a role above yours or outside your countries: ask a coordinator",
        "la personne a un rôle au-dessus du vôtre ou hors de vos pays : adressez-vous à un coordinateur",
    ))
}

/// Refuses to do to oneself what only another may do: give a role, reset a password.
///
/// # Errors
/// `Forbidden`.
pub fn require_another(principal: &Principal, person: UserId) -> Result<()> {
    if principal.user_id() != Some(person) {
        return Ok(());
    }
    Err(Error::forbidden(Action::ManagePeople.as_str()).detail(
        "nobody does this for themselves: ask another coordinator or lead",
        "personne ne le fait pour soi-même : adressez-vous à un autre coordinateur ou responsable",
    ))
}

/// Refuses a role that goes with none of those held, now or later.
///
/// # Errors
/// `RolesApart`.
pub fn require_compatible(role: Role, held: impl IntoIterator<Item = Role>) -> Result<()> {
    let is_compatible = held.into_iter().all(|other| may_hold_both(role, other));
    if is_compatible { Ok(()) } else { Err(Error::new(Code::RolesApart)) }
}

/// Refuses what the person has already; `held` are the grants that are not over.
///
/// # Errors
/// `AlreadyGranted`.
pub fn require_new<'a>(
    grant: &NewGrant,
    held: impl IntoIterator<Item = &'a StoredGrant>,
) -> Result<()> {
    let is_same = |other: &StoredGrant| {
        other.role == grant.role
            && other.scope == grant.scope
            && other.period.overlaps(&grant.period)
    };
    if held.into_iter().any(is_same) { Err(Error::new(Code::AlreadyGranted)) } else { Ok(()) }
}
