//! Facts of the built-in lists, and what damaged ones are answered with.

use crate::taxonomy::lists::{CodeLists, ListName};

const HEADER: &str = "list,code,label_en,label_fr,maps_to";

#[test]
fn every_list_has_the_codes_of_the_file() {
    let lists = CodeLists::builtin().unwrap();

    let sizes: Vec<(&str, usize)> = ListName::ALL
        .into_iter()
        .map(|name| (name.as_str(), lists.list(name).codes().len()))
        .collect();

    assert_eq!(
        sizes,
        [
            ("actor_type", 31),
            ("actor_role", 9),
            ("affected_group", 13),
            ("affected_count", 7),
            ("sex_age", 5),
            ("count_precision", 4),
            ("severity", 5),
            ("source_type", 17),
            ("source_reliability", 6),
            ("info_credibility", 6),
            ("status", 9),
            ("date_precision", 6),
            ("geo_precision", 7),
            ("sensitivity", 4),
            ("consent", 4),
            ("mining_mode", 5),
            ("kp_working_group", 7),
            ("grant_tag", 10),
        ]
    );
}

#[test]
fn an_entry_is_found_by_its_exact_code_in_its_own_list() {
    let lists = CodeLists::builtin().unwrap();

    let guard = lists.list(ListName::ActorType).find("private_security").unwrap();
    let none = lists.list(ListName::Consent).find("none").unwrap();

    assert_eq!(guard.label.en, "Private or mine security company");
    assert_eq!(guard.label.fr, "Sécurité privée ou de la mine");
    assert_eq!(guard.maps_to.as_deref(), Some("HURIDOCS MT24 0204; ACLED inter 8"));
    assert_eq!(none.maps_to, None);
    assert!(lists.list(ListName::GeoPrecision).find("none").is_some());
    assert_eq!(lists.list(ListName::ActorType).find("Private_Security"), None);
    assert_eq!(lists.list(ListName::Status).find("private_security"), None);
}

#[test]
fn codes_keep_the_order_of_the_file() {
    let lists = CodeLists::builtin().unwrap();

    let statuses: Vec<&str> =
        lists.list(ListName::Status).codes().iter().map(|entry| entry.code.as_str()).collect();

    assert_eq!(
        statuses,
        [
            "received",
            "in_review",
            "needs_information",
            "corroborated",
            "verified",
            "disputed",
            "unverifiable",
            "rejected",
            "withdrawn"
        ]
    );
}

#[test]
fn a_code_written_wrongly_is_proposed() {
    let lists = CodeLists::builtin().unwrap();
    let cases = [
        (ListName::ActorType, "private_securty", Some("private_security")),
        (ListName::MiningMode, "semi-mechanised", Some("semi_mechanised")),
        (ListName::SourceReliability, "G", None),
        (ListName::Status, "done", None),
    ];

    for (name, written, expected) in cases {
        assert_eq!(lists.list(name).did_you_mean(written), expected, "{written}");
    }
}

#[test]
fn names_of_lists_are_read_back() {
    for name in ListName::ALL {
        assert_eq!(ListName::from_code(name.as_str()), Some(name));
    }
    assert_eq!(ListName::from_code("list"), None);
}

#[test]
fn a_damaged_line_is_named_with_its_column() {
    let cases = [
        ("actors,a,A,A,", "list: \"actors\" is not a list we know", "no such list"),
        (
            "consent,none,Other,Autre,",
            "code: \"none\" is already in consent",
            "the same code twice",
        ),
        ("consent,,None,Aucun,", "code: the code is empty", "no code"),
        ("consent,some,,Un peu,", "label_en: the label is empty", "no English label"),
        ("consent,some,Some,,", "label_fr: the label is empty", "no French label"),
    ];

    for (line, expected, reason) in cases {
        let error = CodeLists::from_csv(&[HEADER, "consent,none,None,Aucun,", line].join("\n"))
            .unwrap_err();

        assert_eq!(
            error.to_string(),
            format!("codelists.csv, line 3, column {expected}"),
            "{reason}"
        );
    }
}

#[test]
fn a_list_without_codes_is_missed() {
    let error = CodeLists::from_csv(&[HEADER, "actor_type,a,A,A,"].join("\n")).unwrap_err();

    assert_eq!(error.to_string(), "codelists.csv: list actor_role has no code");
}
