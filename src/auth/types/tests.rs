//! Scopes as sets, and grants as they are written.

use std::collections::BTreeSet;

use crate::auth::types::{GrantScope, Limits, Principal, Role, Scope};
use crate::geo::countries::{Countries, CountryCode};
use crate::ids::{DeviceId, UserId};

fn country(code: &str) -> CountryCode {
    CountryCode::from_alpha3(code).expect("an alpha-3 code")
}

fn codes(list: &str) -> BTreeSet<CountryCode> {
    list.split_whitespace().map(country).collect()
}

/// `*` is everywhere.
fn scope(list: &str) -> Scope {
    if list == "*" { Scope::All } else { Scope::Countries(codes(list)) }
}

#[test]
fn scopes_are_sets_of_countries() {
    // One, another: their union, their intersection, whether the first contains the second.
    for (one, other, union, intersection, contains) in [
        ("", "", "", "", true),
        ("SLE", "", "SLE", "", true),
        ("", "SLE", "SLE", "", false),
        ("SLE", "SLE", "SLE", "SLE", true),
        ("SLE LBR", "LBR", "SLE LBR", "LBR", true),
        ("LBR", "SLE LBR", "SLE LBR", "LBR", false),
        ("SLE", "CAF", "SLE CAF", "", false),
        ("*", "SLE", "*", "SLE", true),
        ("SLE", "*", "*", "SLE", false),
        ("*", "*", "*", "*", true),
        ("*", "", "*", "", true),
    ] {
        assert_eq!(scope(one).union(scope(other)), scope(union), "{one} or {other}");
        let both = scope(one).intersection(&scope(other));
        assert_eq!(both, scope(intersection), "{one} and {other}");
        assert_eq!(scope(one).contains(&scope(other)), contains, "{other} in {one}");
    }
}

#[test]
fn a_scope_has_its_own_countries_and_everywhere_has_all() {
    assert!(scope("SLE LBR").has(country("LBR")));
    assert!(!scope("SLE LBR").has(country("CAF")));
    assert!(scope("*").has(country("CAF")));
    assert!(!Scope::nowhere().has(country("CAF")));
    assert_eq!(Scope::nowhere(), scope(""));
}

#[test]
fn a_grant_reads_back_from_its_two_columns() {
    let countries = Countries::builtin().expect("countries");
    for (written, kind, value) in [
        (GrantScope::All, "all", ""),
        (GrantScope::Country(country("SLE")), "country", "SLE"),
        (GrantScope::Region("west".into()), "region", "west"),
    ] {
        assert_eq!(written.columns(), (kind, value.to_owned()));
        assert_eq!(GrantScope::from_columns(kind, value, &countries), Some(written));
    }
    assert_eq!(GrantScope::from_columns("country", "XYZ", &countries), None);
    assert_eq!(GrantScope::from_columns("continent", "SLE", &countries), None);
}

#[test]
fn a_grant_stands_for_the_countries_it_names_today() {
    let members = || codes("SLE LBR");

    assert_eq!(GrantScope::All.resolve(members()), scope("*"));
    assert_eq!(GrantScope::Country(country("CAF")).resolve(members()), scope("CAF"));
    assert_eq!(GrantScope::Region("west".into()).resolve(members()), scope("SLE LBR"));
}

#[test]
fn scopes_are_read_as_commands_write_them() {
    let countries = Countries::builtin().expect("countries");
    let read = |text: &str| GrantScope::parse_list(text, &countries);
    let (sle, cod) = (GrantScope::Country(country("SLE")), GrantScope::Country(country("COD")));
    let west = GrantScope::Region("west".into());

    assert_eq!(read("all"), Ok(vec![GrantScope::All]));
    assert_eq!(read("SLE"), Ok(vec![sle.clone()]));
    assert_eq!(read("SLE, cd,region:west"), Ok(vec![sle, cod, west]));
    assert_eq!(read("SLE,XYZ"), Err("XYZ".to_owned()));
    assert_eq!(read("region:"), Err("region:".to_owned()));
    assert_eq!(read("SLE,all"), Err("all".to_owned()));
    assert_eq!(read(""), Err(String::new()));
    for written in ["all", "SLE", "region:west"] {
        let texts: Vec<String> =
            read(written).expect("a scope").iter().map(ToString::to_string).collect();
        assert_eq!(texts, [written], "and shown as they are read");
    }
}

#[test]
fn the_name_of_a_role_reads_back() {
    let names = Role::ALL.map(Role::as_str);
    let right =
        ["monitor", "reviewer", "regional_lead", "analyst", "coordinator", "auditor", "sysadmin"];
    assert_eq!(names, right);
    assert_eq!(Role::ALL.map(|role| Role::parse(role.as_str())), Role::ALL.map(Some));
    assert_eq!(Role::parse("root"), None);
}

#[test]
fn a_phone_that_is_somebodys_submits_as_its_owner_and_acts_as_nobody() {
    let (owner, id) = (UserId::random(), DeviceId::random());
    let person = Principal::User { id: owner, grants: Vec::new(), limits: Limits::default() };
    let theirs = Principal::Device { id, owner: Some(owner) };
    let nobodys = Principal::Device { id, owner: None };

    assert_eq!(person.submitter_bytes(), owner.uuid().into_bytes());
    assert_eq!(theirs.submitter_bytes(), owner.uuid().into_bytes());
    assert_eq!(nobodys.submitter_bytes(), id.uuid().into_bytes());
    assert_eq!(person.user_id(), Some(owner));
    assert_eq!((theirs.user_id(), nobodys.user_id()), (None, None));
}
