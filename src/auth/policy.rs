//! Who may do what: the one table, and the one function that every query's scope comes from.

use crate::auth::types::{Grant, GrantScope, Limits, Principal, Role, Scope};
use crate::error::{Error, Result};
use crate::ids::UserId;

/// What a request wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Send a report.
    SubmitReport,
    /// Read the receipt of a report: one's own, or one in scope.
    ReadReceipt,
    /// Read lists and cores: codes, days, areas, generalised places; count them.
    ReadCore,
    /// Open a narrative and an exact place.
    OpenReport,
    /// Change an incident, and judge what was set aside.
    Decide,
    /// See how much each reviewer has to do; with [`Action::Decide`], give cases to others.
    OverseeReview,
    /// Search in narratives.
    SearchText,
    /// Ask where a point lies.
    Geotag,
    /// Ask what categories a text suggests; nothing is kept of it.
    Classify,
    /// Learn who people are: names and contacts, with a reason.
    RevealIdentities,
    /// Shred a report.
    EraseReport,
    /// Read who did what.
    ReadAudit,
    /// Read the signed heads of the audit log.
    ReadAuditHeads,
    /// List organisations and regions.
    ReadDirectory,
    /// List people with their grants, and phones.
    ReadPeople,
    /// Invite, disable and hand over; whom and for what is told by [`may_grant`].
    ManagePeople,
    /// Issue, name and revoke keys of phones.
    ManageDevices,
    /// Change organisations and regions.
    ManageCoalition,
    /// Draft, approve and withdraw what everybody sees.
    ManageReleases,
    /// Read one's own account, list and end one's own sessions.
    UseAccount,
    /// Change one's own password and second factor, make tokens: with a session alone.
    ManageCredentials,
    /// Have changes sent to an address.
    ManageWebhooks,
    /// Read how the service runs.
    ReadMetrics,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 23] = [
        Self::SubmitReport,
        Self::ReadReceipt,
        Self::ReadCore,
        Self::OpenReport,
        Self::Decide,
        Self::OverseeReview,
        Self::SearchText,
        Self::Geotag,
        Self::Classify,
        Self::RevealIdentities,
        Self::EraseReport,
        Self::ReadAudit,
        Self::ReadAuditHeads,
        Self::ReadDirectory,
        Self::ReadPeople,
        Self::ManagePeople,
        Self::ManageDevices,
        Self::ManageCoalition,
        Self::ManageReleases,
        Self::UseAccount,
        Self::ManageCredentials,
        Self::ManageWebhooks,
        Self::ReadMetrics,
    ];

    /// Returns its code: in a token's limits, in audit entries, in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SubmitReport => "submit_report",
            Self::ReadReceipt => "read_receipt",
            Self::ReadCore => "read_core",
            Self::OpenReport => "open_report",
            Self::Decide => "decide",
            Self::OverseeReview => "oversee_review",
            Self::SearchText => "search_text",
            Self::Geotag => "geotag",
            Self::Classify => "classify",
            Self::RevealIdentities => "reveal_identities",
            Self::EraseReport => "erase_report",
            Self::ReadAudit => "read_audit",
            Self::ReadAuditHeads => "read_audit_heads",
            Self::ReadDirectory => "read_directory",
            Self::ReadPeople => "read_people",
            Self::ManagePeople => "manage_people",
            Self::ManageDevices => "manage_devices",
            Self::ManageCoalition => "manage_coalition",
            Self::ManageReleases => "manage_releases",
            Self::UseAccount => "use_account",
            Self::ManageCredentials => "manage_credentials",
            Self::ManageWebhooks => "manage_webhooks",
            Self::ReadMetrics => "read_metrics",
        }
    }

    /// Reads an action's code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == code)
    }
}

/// Returns whether `role` may do `action` at all; the scope comes from the grant.
fn may(role: Role, action: Action) -> bool {
    let is_reviewing = matches!(role, Role::Reviewer | Role::RegionalLead);
    let is_coordinator = role == Role::Coordinator;
    match action {
        Action::SubmitReport | Action::ReadReceipt => is_reviewing || role == Role::Monitor,
        Action::ReadCore => is_reviewing || is_coordinator || role == Role::Analyst,
        Action::OpenReport | Action::Decide | Action::SearchText => is_reviewing,
        Action::RevealIdentities
        | Action::ReadPeople
        | Action::ManagePeople
        | Action::ManageDevices => is_reviewing || is_coordinator,
        Action::EraseReport | Action::ManageCoalition | Action::ManageReleases => is_coordinator,
        Action::OverseeReview | Action::ManageWebhooks => {
            is_coordinator || role == Role::RegionalLead
        }
        Action::Classify => may(role, Action::SubmitReport) || may(role, Action::ReadCore),
        Action::ReadMetrics => is_coordinator || matches!(role, Role::Auditor | Role::Sysadmin),
        Action::Geotag
        | Action::ReadAudit
        | Action::ReadAuditHeads
        | Action::ReadDirectory
        | Action::UseAccount
        | Action::ManageCredentials => true,
    }
}

/// Returns where a grant allows `action`, which its role may.
///
/// Monitors read only their own reports, and the acts of others are no business of monitors, analysts and system
/// administrators: for these the scope is empty, and ownership is part of the query.
fn scope_of(grant: &Grant, action: Action) -> Scope {
    match (grant.role, action) {
        (Role::Monitor, _) | (Role::Analyst | Role::Sysadmin, Action::ReadAudit) => {
            Scope::nowhere()
        }
        (Role::Coordinator, _) | (Role::Auditor, Action::ReadAudit) => Scope::All,
        (
            Role::Reviewer | Role::RegionalLead | Role::Analyst | Role::Auditor | Role::Sysadmin,
            _,
        ) => grant.scope.clone(),
    }
}

/// Returns whether a credential is allowed `action`, whatever its owner may.
fn is_within(limits: &Limits, action: Action) -> bool {
    let is_listed = limits.actions.as_ref().is_none_or(|actions| actions.contains(&action));
    let is_allowed_to_reveal = action != Action::RevealIdentities || limits.may_reveal;
    let is_signed_in = action != Action::ManageCredentials || limits.session.is_some();
    is_listed && is_allowed_to_reveal && is_signed_in
}

/// Returns whether everybody with an account may do it, with whatever grants or none: it touches nothing but the account.
fn is_of_own_account(action: Action) -> bool {
    matches!(action, Action::UseAccount | Action::ManageCredentials)
}

/// Returns the countries in which `principal` may do `action`.
///
/// # Errors
/// `Forbidden` when no grant of the caller ever allows the action, or the credential is too narrow for it.
pub fn visible(principal: &Principal, action: Action) -> Result<Scope> {
    let forbidden = || Error::forbidden(action.as_str());
    let Principal::User { grants, limits, .. } = principal else {
        let is_for_devices = matches!(action, Action::SubmitReport | Action::ReadReceipt);
        return if is_for_devices { Ok(Scope::nowhere()) } else { Err(forbidden()) };
    };
    if !is_within(limits, action) {
        return Err(forbidden());
    }
    if is_of_own_account(action) {
        return Ok(Scope::nowhere());
    }
    let allowed = grants.iter().filter(|grant| may(grant.role, action));
    let scopes = allowed.map(|grant| scope_of(grant, action));
    let scope = scopes.reduce(Scope::union).ok_or_else(forbidden)?;
    Ok(match &limits.scope {
        Some(limit) => scope.intersection(limit),
        None => scope,
    })
}

/// Returns the countries in which whoever holds `grants` may do `action`, by a sign-in of their own; nowhere where none
/// of the roles ever may.
pub fn reach_of(grants: &[Grant], action: Action) -> Scope {
    let allowed = grants.iter().filter(|grant| may(grant.role, action));
    let scopes = allowed.map(|grant| scope_of(grant, action));
    scopes.reduce(Scope::union).unwrap_or_else(Scope::nowhere)
}

/// Returns whether `principal` reads the audit entries that concern the instance itself, beside those in scope.
pub fn reads_technical_entries(principal: &Principal) -> bool {
    let Principal::User { grants, limits, .. } = principal else {
        return false;
    };
    is_within(limits, Action::ReadAudit) && grants.iter().any(|grant| grant.role == Role::Sysadmin)
}

/// Returns where a submitter may send reports for: a phone's and a monitor's report is never refused for its country,
/// unless the token was made narrower.
pub fn submission_scope(principal: &Principal) -> Scope {
    let Principal::User { grants, limits, .. } = principal else {
        return Scope::All;
    };
    let submitting = grants.iter().filter(|grant| may(grant.role, Action::SubmitReport));
    let scopes = submitting.map(|grant| match grant.role {
        Role::Monitor => Scope::All,
        _ => grant.scope.clone(),
    });
    let scope = scopes.reduce(Scope::union).unwrap_or_else(Scope::nowhere);
    match &limits.scope {
        Some(limit) => scope.intersection(limit),
        None => scope,
    }
}

/// Returns the countries that any grant of `principal` reaches; a narrower token may not reach beyond.
pub fn reach(principal: &Principal) -> Scope {
    let Principal::User { grants, limits, .. } = principal else {
        return Scope::nowhere();
    };
    let scopes = grants.iter().map(|grant| match grant.role {
        Role::Coordinator => Scope::All,
        _ => grant.scope.clone(),
    });
    let scope = scopes.reduce(Scope::union).unwrap_or_else(Scope::nowhere);
    match &limits.scope {
        Some(limit) => scope.intersection(limit),
        None => scope,
    }
}

/// Returns whether whoever holds `giver` may give `role`: nobody gives above their own. Auditors and system
/// administrators are made on the server, so that no coordinator chooses who watches coordinators.
fn may_give(giver: Role, role: Role) -> bool {
    match giver {
        Role::Coordinator => !matches!(role, Role::Auditor | Role::Sysadmin),
        Role::RegionalLead => matches!(role, Role::Monitor | Role::Reviewer),
        Role::Reviewer => role == Role::Monitor,
        Role::Monitor | Role::Analyst | Role::Auditor | Role::Sysadmin => false,
    }
}

/// Returns whether `principal` may give (and take away) `role` within `written`, which is `resolved` today.
///
/// A region is data and may grow, so it is given only by who holds the whole region, or everything.
pub fn may_grant(
    principal: &Principal,
    role: Role,
    written: &GrantScope,
    resolved: &Scope,
) -> bool {
    let Principal::User { grants, limits, .. } = principal else {
        return false;
    };
    let is_in_scope = |grant: &Grant| {
        let scope = scope_of(grant, Action::ManagePeople);
        let is_inside = match written {
            GrantScope::Region(_) => scope == Scope::All || grant.written == *written,
            GrantScope::All | GrantScope::Country(_) => scope.contains(resolved),
        };
        is_inside && limits.scope.as_ref().is_none_or(|limit| limit.contains(resolved))
    };
    is_within(limits, Action::ManagePeople)
        && grants.iter().any(|grant| may_give(grant.role, role) && is_in_scope(grant))
}

/// Returns whether `principal` may invite, disable or hand over the person who holds `grants` (those that are not over):
/// could have given each of them. Whoever holds none belongs to coordinators.
pub fn may_manage(principal: &Principal, grants: &[Grant]) -> bool {
    match grants {
        [] => may_grant(principal, Role::Coordinator, &GrantScope::All, &Scope::All),
        _ => grants
            .iter()
            .all(|grant| may_grant(principal, grant.role, &grant.written, &grant.scope)),
    }
}

/// Returns whether `principal` may read the name of the person who holds `grants`: of whom they may manage; coordinators
/// know who everybody is, and everybody who they are themselves.
pub fn may_name(principal: &Principal, person: UserId, grants: &[Grant]) -> bool {
    let knows_all = may_grant(principal, Role::Coordinator, &GrantScope::All, &Scope::All);
    principal.user_id() == Some(person) || knows_all || may_manage(principal, grants)
}

/// Returns whether one person may hold both roles: whoever decides about the programme neither runs the machines nor
/// proves who did what.
pub fn may_hold_both(one: Role, other: Role) -> bool {
    let is_apart = |role| matches!(role, Role::Sysadmin | Role::Auditor);
    !((one == Role::Coordinator && is_apart(other))
        || (other == Role::Coordinator && is_apart(one)))
}

#[cfg(test)]
mod tests;
