//! What can be done that leaves an entry.

/// What an act is about, which decides who reads of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// Reports and incidents.
    Case,
    /// Accounts, organisations, grants, credentials and sign-ins.
    People,
    /// The instance itself: keys, backups, boundary packs.
    Technical,
}

impl Domain {
    /// Returns the stored code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::People => "people",
            Self::Technical => "technical",
        }
    }
}

/// Makes the enum of acts with what is stored of each, so that an act cannot be added without its codes.
macro_rules! acts {
    ($($(#[$doc:meta])* $act:ident = $domain:ident, $code:literal, $subject:literal;)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Act {
            $($(#[$doc])* $act,)*
        }

        impl Act {
            /// Every act there is.
            pub const ALL: &'static [Self] = &[$(Self::$act,)*];

            /// Returns the act with this code on this kind of subject.
            pub fn find(code: &str, subject_kind: &str) -> Option<Self> {
                let is_it =
                    |act: &Self| act.code() == code && act.subject_kind() == subject_kind;
                Self::ALL.iter().copied().find(is_it)
            }

            /// Returns the code of what was done; with the kind of the subject it names the act.
            pub fn code(self) -> &'static str {
                match self { $(Self::$act => $code,)* }
            }

            /// Returns the kind of thing it is done to.
            pub fn subject_kind(self) -> &'static str {
                match self { $(Self::$act => $subject,)* }
            }

            /// Returns what it is about.
            pub fn domain(self) -> Domain {
                match self { $(Self::$act => Domain::$domain,)* }
            }
        }
    };
}

acts! {
    /// A report came in; without an actor, so that the log never tells who reports.
    ReceivedReport = Case, "received", "report";
    /// Content was set aside; without an actor.
    SetAside = Case, "set_aside", "quarantined";
    /// A narrative and exact place were opened.
    OpenedReport = Case, "opened", "report";
    /// Texts were searched; the detail says of how many reports and where, never what for.
    SearchedReports = Case, "searched", "search";
    /// Content in quarantine was opened.
    OpenedQuarantined = Case, "opened", "quarantined";
    /// An incident was decided on.
    Decided = Case, "decided", "incident";
    /// Content in quarantine was judged.
    JudgedQuarantined = Case, "judged", "quarantined";
    /// The identities of an incident were shown.
    RevealedIdentities = Case, "revealed", "incident";
    /// An incident was linked to another, or the link undone.
    RelatedIncidents = Case, "related", "incident";
    /// Somebody said that an incident and another are not one, or took that back; the detail says which.
    DismissedDuplicate = Case, "judged_duplicate", "incident";
    /// An incident took the reports of others, was absorbed, or its absorber was; the detail says which.
    MergedIncidents = Case, "merged", "incident";
    /// Reports went back to the incidents they came from; the detail says what this one had of it.
    SplitIncident = Case, "split", "incident";
    /// A report was corrected by its sender; without an actor.
    RevisedReport = Case, "revised", "report";
    /// A report was withdrawn by its sender; without an actor.
    WithdrewReport = Case, "withdrew", "report";
    /// Somebody began to work on an incident, or went on.
    ClaimedIncident = Case, "claimed", "incident";
    /// Somebody took an incident over that another worked on.
    TookOverClaim = Case, "took_over", "incident";
    /// Somebody gave back an incident they worked on.
    ReleasedClaim = Case, "released", "incident";
    /// An incident was given to somebody, or to nobody.
    AssignedIncident = Case, "assigned", "incident";
    /// The sender of a report was asked back; the detail says of which report and what became of the status.
    AskedBack = Case, "asked", "incident";
    /// The sender of a report answered; without an actor.
    Answered = Case, "answered", "report";
    /// What people wrote about an incident was opened: its messages, or the reasons in its history; the detail says which.
    OpenedIncident = Case, "opened", "incident";
    /// A file left: rows, bytes, SHA-256 and filter are in the detail, and whether it was sent whole or cut; a long one
    /// is written down as begun too.
    Exported = Case, "exported", "export";
    /// A report was erased and its keys destroyed.
    ErasedReport = Case, "erased", "report";

    /// An organisation was added.
    AddedOrganisation = People, "added", "organisation";
    /// An organisation was changed.
    ChangedOrganisation = People, "changed", "organisation";
    /// A region was added, changed or removed.
    ChangedRegion = People, "changed", "region";
    /// An account was made.
    AddedUser = People, "added", "user";
    /// A person was invited.
    InvitedUser = People, "invited", "user";
    /// A person took an invitation up.
    AcceptedInvitation = People, "accepted_invitation", "user";
    /// An account was disabled.
    DisabledUser = People, "disabled", "user";
    /// An account was enabled again.
    EnabledUser = People, "enabled", "user";
    /// A person's work was handed over to another.
    HandedOver = People, "handed_over", "user";
    /// A person was given a role; the subject is the person, the detail says which role where.
    AddedGrant = People, "granted", "user";
    /// A person's role was taken away; subject and detail as of [`Act::AddedGrant`].
    RevokedGrant = People, "revoked_grant", "user";
    /// A token was made; it skips the second factor.
    AddedToken = People, "added_token", "user";
    /// A token was revoked.
    RevokedToken = People, "revoked", "token";
    /// A device key was made.
    AddedDevice = People, "added", "device";
    /// A device key was revoked.
    RevokedDevice = People, "revoked", "device";
    /// A device was renamed.
    RenamedDevice = People, "renamed", "device";
    /// A person signed in.
    SignedIn = People, "signed_in", "user";
    /// Somebody failed to sign in as a person we know; of others there is no entry.
    SignInFailed = People, "sign_in_failed", "user";
    /// A person signed out.
    SignedOut = People, "signed_out", "user";
    /// A session was ended from outside it.
    EndedSession = People, "ended_session", "user";
    /// A password was changed.
    ChangedPassword = People, "changed_password", "user";
    /// A second factor was set up, renewed or removed.
    ChangedSecondFactor = People, "changed_second_factor", "user";
    /// A recovery code was used up.
    UsedRecoveryCode = People, "used_recovery_code", "user";
    /// A signed-in caller asked for what they may not; the detail is the code of the action.
    Refused = People, "refused", "user";
    /// The first coordinator set the instance up.
    SetUp = People, "set_up", "user";
    /// A webhook was made: changes go to an address from then on.
    AddedWebhook = People, "added", "webhook";
    /// A webhook was changed.
    ChangedWebhook = People, "changed", "webhook";
    /// A webhook was removed.
    RemovedWebhook = People, "removed", "webhook";
    /// A webhook was tried out; the detail is the code of what went wrong.
    TestedWebhook = People, "tested", "webhook";
    /// A person changed whether and where they get mail.
    ChangedNotices = People, "changed_notices", "user";

    /// A release was drafted.
    BuiltRelease = People, "built", "release";
    /// A release was published by a second person.
    ApprovedRelease = People, "approved", "release";
    /// A release, or months of it, were withdrawn; the detail says which.
    WithdrewRelease = People, "withdrew", "release";
    /// Why a release was withdrawn was opened.
    OpenedRelease = People, "opened", "release";

    /// Boundary packs were imported or removed.
    ChangedPacks = Technical, "changed", "boundary_pack";
    /// The areas of an incident were computed anew; without an actor.
    Retagged = Technical, "retagged", "incident";
    /// The instance key was rotated.
    RotatedKeys = Technical, "rotated_keys", "instance";
    /// A backup was made.
    BackedUp = Technical, "backed_up", "instance";
    /// A backup was restored.
    Restored = Technical, "restored", "instance";
}

impl Act {
    /// Tells whether it is something coming in, of which only the day is told.
    pub fn is_intake(self) -> bool {
        matches!(
            self,
            Self::ReceivedReport
                | Self::SetAside
                | Self::RevisedReport
                | Self::WithdrewReport
                | Self::Answered
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::audit::act::Act;

    #[test]
    fn code_and_kind_of_subject_name_one_act() {
        let named: BTreeSet<_> =
            Act::ALL.iter().map(|act| (act.code(), act.subject_kind())).collect();

        assert_eq!(named.len(), Act::ALL.len());
    }
}
