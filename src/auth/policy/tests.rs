//! The whole policy as tables, apart from the code: DECISIONS.md *Who may* and SECURITY.md (e) in another form.

use std::collections::BTreeSet;

use crate::auth::policy::{
    Action, may_grant, may_hold_both, may_manage, may_name, reach, reach_of,
    reads_technical_entries, submission_scope, visible,
};
use crate::auth::types::{Grant, GrantScope, Limits, Principal, Role, Scope};
use crate::error::Code;
use crate::geo::countries::CountryCode;
use crate::ids::{DeviceId, SessionId, UserId};

/// Where each role may do each action: `-` never, `o` what is its own, `s` within the scope of the grant, `a` everywhere.
/// Columns as in [`Role::ALL`]: monitor, reviewer, regional lead, analyst, coordinator, auditor, sysadmin.
const WHO_MAY: [(Action, &str); 23] = [
    (Action::SubmitReport, "o s s - - - -"),
    (Action::ReadReceipt, "o s s - - - -"),
    (Action::ReadCore, "- s s s a - -"),
    (Action::OpenReport, "- s s - - - -"),
    (Action::Decide, "- s s - - - -"),
    (Action::OverseeReview, "- - s - a - -"),
    (Action::SearchText, "- s s - - - -"),
    (Action::Geotag, "o s s s a s s"),
    (Action::Classify, "o s s s a - -"),
    (Action::RevealIdentities, "- s s - a - -"),
    (Action::EraseReport, "- - - - a - -"),
    (Action::ReadAudit, "o s s o a a o"),
    (Action::ReadAuditHeads, "o s s s a s s"),
    (Action::ReadDirectory, "o s s s a s s"),
    (Action::ReadPeople, "- s s - a - -"),
    (Action::ManagePeople, "- s s - a - -"),
    (Action::ManageDevices, "- s s - a - -"),
    (Action::ManageCoalition, "- - - - a - -"),
    (Action::ManageReleases, "- - - - a - -"),
    (Action::UseAccount, "o o o o o o o"),
    (Action::ManageCredentials, "o o o o o o o"),
    (Action::ManageWebhooks, "- - s - a - -"),
    (Action::ReadMetrics, "- - - - a s s"),
];

/// Whom each role may make: a letter a role of [`Role::ALL`].
const MAY_GIVE: [(Role, &str); 7] = [
    (Role::Monitor, "-------"),
    (Role::Reviewer, "m------"),
    (Role::RegionalLead, "mr-----"),
    (Role::Analyst, "-------"),
    (Role::Coordinator, "mrlac--"),
    (Role::Auditor, "-------"),
    (Role::Sysadmin, "-------"),
];

fn country(code: &str) -> CountryCode {
    CountryCode::from_alpha3(code).expect("an alpha-3 code")
}

fn countries(codes: &[&str]) -> Scope {
    Scope::Countries(codes.iter().map(|code| country(code)).collect())
}

fn grant(role: Role, codes: &[&str]) -> Grant {
    let written = match codes {
        [one] => GrantScope::Country(country(one)),
        _ => GrantScope::Region("west".to_owned()),
    };
    Grant { role, written, scope: countries(codes) }
}

/// A sign-in: as wide as its owner.
fn session() -> Limits {
    Limits { may_reveal: true, session: Some(SessionId::random()), ..Limits::default() }
}

fn person(grants: Vec<Grant>, limits: Limits) -> Principal {
    Principal::User { id: UserId::random(), grants, limits }
}

fn signed_in(grants: Vec<Grant>) -> Principal {
    person(grants, session())
}

fn phone() -> Principal {
    Principal::Device { id: DeviceId::random(), owner: Some(UserId::random()) }
}

/// What `visible` answers: where, or never.
#[track_caller]
fn seen(principal: &Principal, action: Action) -> Option<Scope> {
    match visible(principal, action) {
        Ok(scope) => Some(scope),
        Err(error) => {
            assert_eq!(error.code, Code::Forbidden);
            None
        }
    }
}

#[test]
fn every_role_may_do_what_the_table_says_where_it_says() {
    let written: BTreeSet<Action> = WHO_MAY.into_iter().map(|(action, _)| action).collect();
    assert_eq!(written, BTreeSet::from(Action::ALL), "a row for every action");
    for (action, row) in WHO_MAY {
        let cells: Vec<&str> = row.split(' ').collect();
        assert_eq!(cells.len(), Role::ALL.len());
        for (role, cell) in Role::ALL.into_iter().zip(cells) {
            let right = match cell {
                "-" => None,
                "o" => Some(Scope::nowhere()),
                "s" => Some(countries(&["SLE", "LBR"])),
                _ => Some(Scope::All),
            };
            let holder = signed_in(vec![grant(role, &["SLE", "LBR"])]);
            assert_eq!(seen(&holder, action), right, "{role:?} {action:?}");
        }
    }
}

#[test]
fn a_person_without_a_grant_has_the_account_and_a_phone_submits_and_reads_its_receipts() {
    for action in Action::ALL {
        let is_account = [Action::UseAccount, Action::ManageCredentials].contains(&action);
        let person = signed_in(Vec::new());
        assert_eq!(seen(&person, action), is_account.then(Scope::nowhere), "{action:?}");
        let is_for_phones = [Action::SubmitReport, Action::ReadReceipt].contains(&action);
        assert_eq!(seen(&phone(), action), is_for_phones.then(Scope::nowhere), "{action:?}");
    }
}

#[test]
fn technical_entries_are_read_by_those_who_run_the_machines() {
    for role in Role::ALL {
        let holder = signed_in(vec![grant(role, &["SLE"])]);
        assert_eq!(reads_technical_entries(&holder), role == Role::Sysadmin, "{role:?}");
    }
    let sysadmin = || vec![grant(Role::Sysadmin, &["SLE"])];
    let only = |action| Limits { actions: Some([action].into()), ..session() };
    assert!(reads_technical_entries(&person(sysadmin(), only(Action::ReadAudit))));
    assert!(!reads_technical_entries(&person(sysadmin(), only(Action::ReadMetrics))));
    assert!(!reads_technical_entries(&phone()));
    assert!(!reads_technical_entries(&signed_in(Vec::new())));
}

#[test]
fn grants_add_up_action_by_action() {
    let both = signed_in(vec![grant(Role::Reviewer, &["SLE"]), grant(Role::Analyst, &["CAF"])]);

    assert_eq!(seen(&both, Action::ReadCore), Some(countries(&["SLE", "CAF"])));
    assert_eq!(seen(&both, Action::OpenReport), Some(countries(&["SLE"])));
    assert_eq!(seen(&both, Action::RevealIdentities), Some(countries(&["SLE"])));
    assert_eq!(seen(&both, Action::EraseReport), None);
    let everywhere =
        signed_in(vec![grant(Role::Analyst, &["CAF"]), grant(Role::Coordinator, &["SLE"])]);
    assert_eq!(seen(&everywhere, Action::ReadCore), Some(Scope::All));
}

#[test]
fn a_token_is_never_wider_than_its_owner_nor_than_itself() {
    let owner = || vec![grant(Role::Reviewer, &["SLE", "LBR"])];
    let within = |scope: Scope| Limits { scope: Some(scope), ..session() };

    let narrow = person(owner(), within(countries(&["SLE", "CAF"])));
    assert_eq!(seen(&narrow, Action::ReadCore), Some(countries(&["SLE"])));
    let wide = person(owner(), within(Scope::All));
    assert_eq!(seen(&wide, Action::ReadCore), Some(countries(&["SLE", "LBR"])));
    let coordinator = person(vec![grant(Role::Coordinator, &["SLE"])], within(countries(&["CAF"])));
    assert_eq!(seen(&coordinator, Action::RevealIdentities), Some(countries(&["CAF"])));
}

#[test]
fn a_token_for_some_actions_does_no_other() {
    for only in Action::ALL {
        let limits = Limits { actions: Some([only].into()), ..session() };
        let everything = Role::ALL.map(|role| grant(role, &["SLE"])).to_vec();
        let narrow = person(everything, limits);
        for action in Action::ALL {
            assert_eq!(seen(&narrow, action).is_some(), action == only, "{only:?} {action:?}");
        }
    }
    let none = Limits { actions: Some(BTreeSet::new()), ..session() };
    assert_eq!(seen(&person(vec![grant(Role::Reviewer, &["SLE"])], none), Action::ReadCore), None);
}

#[test]
fn a_bearer_token_reveals_only_when_issued_for_it_and_manages_no_credentials() {
    let reviewer = || vec![grant(Role::Reviewer, &["SLE"])];
    let bearer = person(reviewer(), Limits::default());
    let for_reveals = person(reviewer(), Limits { may_reveal: true, ..Limits::default() });
    let session = signed_in(reviewer());

    for (action, rights) in [
        (Action::RevealIdentities, [false, true, true]),
        (Action::ManageCredentials, [false, false, true]),
        (Action::OpenReport, [true, true, true]),
        (Action::UseAccount, [true, true, true]),
    ] {
        let seen = [&bearer, &for_reveals, &session].map(|caller| seen(caller, action).is_some());
        assert_eq!(seen, rights, "{action:?}");
    }
    let listed = Limits { actions: Some([Action::RevealIdentities].into()), ..Limits::default() };
    assert_eq!(seen(&person(reviewer(), listed), Action::RevealIdentities), None);
}

#[test]
fn reports_are_sent_from_anywhere_by_monitors_and_from_their_countries_by_those_who_review() {
    let sends = |roles: &[(Role, &str)]| {
        let grants = roles.iter().map(|(role, code)| grant(*role, &[code])).collect();
        submission_scope(&signed_in(grants))
    };

    assert_eq!(submission_scope(&phone()), Scope::All);
    assert_eq!(sends(&[(Role::Monitor, "SLE")]), Scope::All);
    assert_eq!(sends(&[(Role::Reviewer, "SLE")]), countries(&["SLE"]));
    assert_eq!(sends(&[(Role::RegionalLead, "SLE")]), countries(&["SLE"]));
    assert_eq!(
        sends(&[(Role::Reviewer, "SLE"), (Role::RegionalLead, "CAF"), (Role::Analyst, "COD")]),
        countries(&["SLE", "CAF"])
    );
    assert_eq!(sends(&[(Role::Reviewer, "SLE"), (Role::Monitor, "CAF")]), Scope::All);
    for role in [Role::Analyst, Role::Coordinator, Role::Auditor, Role::Sysadmin] {
        assert_eq!(sends(&[(role, "SLE")]), Scope::nowhere(), "{role:?}");
    }
    let narrow = Limits { scope: Some(countries(&["SLE"])), ..Limits::default() };
    let monitor = person(vec![grant(Role::Monitor, &["CAF"])], narrow);
    assert_eq!(submission_scope(&monitor), countries(&["SLE"]), "the token was made narrower");
}

#[test]
fn nobody_gives_above_the_own_role() {
    let here = GrantScope::Country(country("SLE"));
    for (giver, row) in MAY_GIVE {
        let holder = signed_in(vec![grant(giver, &["SLE"])]);
        for (role, letter) in Role::ALL.into_iter().zip(row.chars()) {
            let may = may_grant(&holder, role, &here, &countries(&["SLE"]));
            assert_eq!(may, letter != '-', "{giver:?} gives {role:?}");
        }
    }
    for role in Role::ALL {
        assert!(!may_grant(&phone(), role, &here, &countries(&["SLE"])), "{role:?}");
        assert!(!may_grant(&signed_in(Vec::new()), role, &here, &countries(&["SLE"])), "{role:?}");
    }
}

#[test]
fn nobody_gives_outside_the_own_scope() {
    let one = |code: &str| (GrantScope::Country(country(code)), countries(&[code]));
    let region = |name: &str, codes: &[&str]| (GrantScope::Region(name.into()), countries(codes));
    let everywhere = || (GrantScope::All, Scope::All);
    let west = &["SLE", "LBR"];
    // The holder's grant, what is given, whether that may be.
    let cases = [
        (grant(Role::RegionalLead, west), one("SLE"), true, "a country of the region"),
        (grant(Role::RegionalLead, west), one("CAF"), false, "a country outside"),
        (grant(Role::RegionalLead, west), region("west", west), true, "the region itself"),
        (
            grant(Role::RegionalLead, west),
            region("coast", west),
            false,
            "another region, though the same today",
        ),
        (grant(Role::RegionalLead, west), everywhere(), false, "everywhere"),
        (grant(Role::Reviewer, &["SLE"]), one("SLE"), true, "the own country"),
        (grant(Role::Reviewer, &["SLE"]), region("alone", &["SLE"]), false, "a region may grow"),
        (
            grant(Role::Coordinator, &["SLE"]),
            region("west", west),
            true,
            "a coordinator, any region",
        ),
        (grant(Role::Coordinator, &["SLE"]), everywhere(), true, "a coordinator, everywhere"),
    ];
    for (held, (written, resolved), right, reason) in cases {
        let holder = signed_in(vec![held]);
        assert_eq!(may_grant(&holder, Role::Monitor, &written, &resolved), right, "{reason}");
    }
}

#[test]
fn role_and_scope_of_a_gift_come_from_one_grant() {
    let holder =
        signed_in(vec![grant(Role::RegionalLead, &["CAF"]), grant(Role::Reviewer, &["SLE"])]);
    let gives = |role: Role, code: &str| {
        may_grant(&holder, role, &GrantScope::Country(country(code)), &countries(&[code]))
    };

    assert!(gives(Role::Reviewer, "CAF"));
    assert!(gives(Role::Monitor, "SLE"));
    assert!(!gives(Role::Reviewer, "SLE"), "a reviewer there, a lead only elsewhere");
}

#[test]
fn a_narrow_token_gives_no_more_than_it_holds() {
    let lead = || vec![grant(Role::RegionalLead, &["SLE", "LBR"])];
    let gives = |limits: Limits, code: &str| {
        let holder = person(lead(), limits);
        may_grant(&holder, Role::Monitor, &GrantScope::Country(country(code)), &countries(&[code]))
    };
    let within = || Limits { scope: Some(countries(&["SLE"])), ..Limits::default() };
    let only = |action| Limits { actions: Some([action].into()), ..Limits::default() };

    assert!(gives(within(), "SLE"));
    assert!(!gives(within(), "LBR"));
    assert!(gives(only(Action::ManagePeople), "LBR"));
    assert!(!gives(only(Action::ReadPeople), "LBR"));
}

#[test]
fn a_person_is_managed_by_whoever_could_have_given_each_of_their_roles() {
    let lead = signed_in(vec![grant(Role::RegionalLead, &["SLE", "LBR"])]);
    let coordinator = signed_in(vec![grant(Role::Coordinator, &["SLE"])]);
    // What the person holds, whether the lead may manage them, whether a coordinator may.
    let cases = [
        (vec![grant(Role::Monitor, &["SLE"])], true, true, "all of it could be given"),
        (
            vec![grant(Role::Monitor, &["SLE"]), grant(Role::Reviewer, &["LBR"])],
            true,
            true,
            "two roles that could be given",
        ),
        (
            vec![grant(Role::Monitor, &["SLE"]), grant(Role::Monitor, &["CAF"])],
            false,
            true,
            "one of them elsewhere",
        ),
        (
            vec![grant(Role::Monitor, &["SLE"]), grant(Role::Analyst, &["SLE"])],
            false,
            true,
            "one of them above",
        ),
        (vec![grant(Role::Auditor, &["SLE"])], false, false, "made on the server alone"),
        (Vec::new(), false, true, "whoever holds nothing belongs to coordinators"),
    ];
    for (held, lead_may, coordinator_may, reason) in cases {
        assert_eq!(may_manage(&lead, &held), lead_may, "a lead: {reason}");
        assert_eq!(may_manage(&coordinator, &held), coordinator_may, "a coordinator: {reason}");
        assert!(!may_manage(&phone(), &held), "a phone: {reason}");
    }
}

#[test]
fn a_name_is_read_by_its_bearer_by_whoever_manages_them_and_by_coordinators() {
    let (bearer, somebody) = (UserId::random(), UserId::random());
    let own = Principal::User {
        id: bearer,
        grants: vec![grant(Role::Analyst, &["SLE"])],
        limits: session(),
    };
    let lead = signed_in(vec![grant(Role::RegionalLead, &["SLE"])]);
    let coordinator = signed_in(vec![grant(Role::Coordinator, &["SLE"])]);
    let (monitor, auditor) = ([grant(Role::Monitor, &["SLE"])], [grant(Role::Auditor, &["SLE"])]);

    assert!(may_name(&own, bearer, &[grant(Role::Analyst, &["SLE"])]));
    assert!(!may_name(&own, somebody, &monitor));
    assert!(may_name(&lead, somebody, &monitor));
    assert!(!may_name(&lead, somebody, &auditor));
    assert!(may_name(&coordinator, somebody, &auditor), "known, though managed by nobody here");
    assert!(!may_name(&phone(), somebody, &monitor));
}

#[test]
fn a_credential_reaches_as_far_as_all_grants_together_and_no_further_than_itself() {
    let held = || vec![grant(Role::Analyst, &["SLE"]), grant(Role::Monitor, &["CAF"])];
    let narrow = |codes: &[&str]| Limits { scope: Some(countries(codes)), ..Limits::default() };

    assert_eq!(reach(&signed_in(held())), countries(&["SLE", "CAF"]));
    assert_eq!(reach(&person(held(), narrow(&["CAF", "COD"]))), countries(&["CAF"]));
    assert_eq!(reach(&signed_in(vec![grant(Role::Coordinator, &["SLE"])])), Scope::All);
    assert_eq!(
        reach(&person(vec![grant(Role::Coordinator, &["SLE"])], narrow(&["COD"]))),
        countries(&["COD"])
    );
    assert_eq!(reach(&signed_in(Vec::new())), Scope::nowhere());
    assert_eq!(reach(&phone()), Scope::nowhere());
}

#[test]
fn somebodys_grants_reach_where_their_roles_may_do_it() {
    let held = [
        grant(Role::Reviewer, &["SLE"]),
        grant(Role::RegionalLead, &["LBR"]),
        grant(Role::Analyst, &["CAF"]),
    ];

    assert_eq!(reach_of(&held, Action::Decide), countries(&["SLE", "LBR"]));
    assert_eq!(reach_of(&held, Action::OverseeReview), countries(&["LBR"]));
    assert_eq!(reach_of(&held[2..], Action::Decide), Scope::nowhere());
    assert_eq!(reach_of(&[], Action::Decide), Scope::nowhere());
}

#[test]
fn coordinators_neither_run_the_machines_nor_watch_themselves() {
    for one in Role::ALL {
        for other in Role::ALL {
            let is_pair =
                |left, right| (one == left && other == right) || (one == right && other == left);
            let is_apart = is_pair(Role::Coordinator, Role::Auditor)
                || is_pair(Role::Coordinator, Role::Sysadmin);
            assert_eq!(may_hold_both(one, other), !is_apart, "{one:?} {other:?}");
        }
    }
}

#[test]
fn the_code_of_an_action_reads_back() {
    let codes: BTreeSet<&str> = Action::ALL.into_iter().map(Action::as_str).collect();
    assert_eq!(codes.len(), Action::ALL.len());
    for action in Action::ALL {
        assert_eq!(Action::parse(action.as_str()), Some(action));
    }
    for (code, action) in [
        ("submit_report", Some(Action::SubmitReport)),
        ("reveal_identities", Some(Action::RevealIdentities)),
        ("read_everything", None),
        ("", None),
    ] {
        assert_eq!(Action::parse(code), action, "{code}");
    }
}
