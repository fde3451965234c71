//! Who may do what: the one table, and the one function that every query's scope comes from.

use std::collections::BTreeSet;

use crate::auth::types::{Principal, Role, Scope};
use crate::error::{Code, Error, Result};

/// What a request wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// Search in narratives.
    SearchText,
    /// Ask where a point lies.
    Geotag,
    /// Ask what categories a text suggests; nothing is kept of it.
    Classify,
}

/// Returns whether `role` may do `action` at all; the scope comes from the grant.
fn may(role: Role, action: Action) -> bool {
    let is_reviewing = matches!(role, Role::Reviewer | Role::RegionalLead);
    match action {
        Action::SubmitReport | Action::ReadReceipt => is_reviewing || role == Role::Monitor,
        Action::ReadCore => is_reviewing || matches!(role, Role::Analyst | Role::Coordinator),
        Action::OpenReport | Action::Decide | Action::SearchText => is_reviewing,
        Action::Geotag => true,
        Action::Classify => may(role, Action::SubmitReport) || may(role, Action::ReadCore),
    }
}

/// Returns the countries in which `principal` may do `action`.
///
/// Monitors and devices submit from anywhere and read only their own receipts: for those two actions the scope of a
/// monitor is empty, and ownership is part of the query.
///
/// # Errors
/// `Forbidden` when no grant of the caller ever allows the action.
pub fn visible(principal: &Principal, action: Action) -> Result<Scope> {
    let scopes: Vec<Scope> = match principal {
        Principal::Device { .. } => match action {
            Action::SubmitReport | Action::ReadReceipt => vec![Scope::Countries(BTreeSet::new())],
            Action::ReadCore
            | Action::OpenReport
            | Action::Decide
            | Action::SearchText
            | Action::Geotag
            | Action::Classify => vec![],
        },
        Principal::User { grants, .. } => grants
            .iter()
            .filter(|grant| may(grant.role, action))
            .map(|grant| match grant.role {
                Role::Coordinator => Scope::All,
                Role::Monitor => Scope::Countries(BTreeSet::new()),
                Role::Reviewer
                | Role::RegionalLead
                | Role::Analyst
                | Role::Auditor
                | Role::Sysadmin => grant.scope.clone(),
            })
            .collect(),
    };
    scopes.into_iter().reduce(Scope::union).ok_or_else(|| Error::new(Code::Forbidden))
}

/// Returns where a submitter may send reports for: `None` is anywhere, since a monitor's report is never refused for
/// its country.
pub fn submission_scope(principal: &Principal) -> Option<Scope> {
    let Principal::User { grants, .. } = principal else {
        return None;
    };
    let is_monitor = grants.iter().any(|grant| grant.role == Role::Monitor);
    if is_monitor {
        return None;
    }
    let reviewing = grants.iter().filter(|grant| may(grant.role, Action::SubmitReport));
    reviewing.map(|grant| grant.scope.clone()).reduce(Scope::union)
}
