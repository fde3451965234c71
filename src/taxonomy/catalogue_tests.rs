//! Facts of the built-in taxonomy, and what a damaged one is answered with.

use crate::taxonomy::catalogue::{Leaf, LeafMining, Taxonomy, Valence};
use crate::taxonomy::error::CodeError;

const HEADER: &str = "code,theme,theme_en,theme_fr,category,category_en,category_fr,subcategory,label_en,label_fr,\
                      valence,mining_mode,oecd_annex2_para,acled_event_type,acled_sub_event_type,huridocs_act_code,\
                      default_severity,retired_on";
const KILLING: &str =
    "r.life.killing,r,Rights,Droits,life,Life,Vie,killing,Killing,Homicide,negative,any,1v,,,,5,";
const ARREST: &str = "r.life.arrest,r,Rights,Droits,life,Life,Vie,arrest,Arrest,Arrestation,negative,any,,,,,3,2026-01-31";

fn taxonomy() -> Taxonomy {
    Taxonomy::builtin().unwrap()
}

fn small() -> Taxonomy {
    Taxonomy::from_csv(&[HEADER, KILLING, ARREST].join("\n")).unwrap()
}

fn codes<'a>(leaves: impl IntoIterator<Item = &'a Leaf>) -> Vec<&'a str> {
    leaves.into_iter().map(|leaf| leaf.code.as_str()).collect()
}

#[test]
fn three_themes_hold_fourteen_categories_and_sixty_leaves() {
    let taxonomy = taxonomy();

    let themes = taxonomy.themes();

    let counts: Vec<(&str, usize, usize)> = themes
        .iter()
        .map(|theme| {
            let n_leaves = theme.categories.iter().map(|category| category.leaves.len()).sum();
            (theme.code, theme.categories.len(), n_leaves)
        })
        .collect();
    assert_eq!(counts, [("governance", 4, 17), ("environment", 4, 15), ("rights", 6, 28)]);
    assert_eq!(taxonomy.leaves().len(), 60);
    let good = |leaf: &&Leaf| leaf.valence == Valence::GoodPractice;
    assert_eq!(taxonomy.leaves().iter().filter(good).count(), 11);
    assert_eq!(themes[2].label.fr, "Violations des droits humains, violence et contrebande");
    assert_eq!(themes[2].categories[5].code, "rights.smuggling_illicit_trade");
}

#[test]
fn every_harm_has_a_severity_and_no_good_practice_has_one() {
    for leaf in taxonomy().leaves() {
        assert_eq!(
            leaf.default_severity.is_some(),
            leaf.valence == Valence::Negative,
            "{}",
            leaf.code
        );
        assert_eq!(leaf.retired_on, None, "{}", leaf.code);
    }
}

#[test]
fn a_leaf_tells_all_that_its_line_tells() {
    let taxonomy = taxonomy();

    let killing = taxonomy.leaf("rights.life_integrity.killing").unwrap();
    let price = taxonomy.leaf("governance.benefit_sharing.unfair_price_artisanal").unwrap();
    let remedy = taxonomy.leaf("governance.accountability.grievance_mechanism_effective").unwrap();

    assert_eq!(killing.theme, "rights");
    assert_eq!(killing.category, "rights.life_integrity");
    assert_eq!(killing.subcategory, "killing");
    assert_eq!(killing.label.en, "Unlawful killing");
    assert_eq!(killing.label.fr, "Homicide illicite");
    assert_eq!(killing.category_label.fr, "Vie et intégrité physique");
    assert_eq!(killing.default_severity, Some(5));
    assert_eq!(killing.acled_event_type.as_deref(), Some("Violence against civilians"));
    assert_eq!(killing.acled_sub_event_type.as_deref(), Some("Attack"));
    assert_eq!(killing.huridocs_act_code.as_deref(), Some("010101010000"));
    assert_eq!(price.mining_mode, LeafMining::Artisanal);
    assert_eq!(price.acled_event_type, None);
    assert_eq!(remedy.oecd_annex2_para, ["2", "10"]);
    assert_eq!(remedy.default_severity, None);
}

#[test]
fn a_code_that_is_no_leaf_is_explained() {
    let taxonomy = taxonomy();
    let unknown = |code: &str, near: Option<&str>| CodeError::Unknown {
        code: code.to_owned(),
        did_you_mean: near.map(str::to_owned),
    };
    let killing = Some("rights.life_integrity.killing");
    let cases = [
        ("rights.life_integrity.kiling", killing, "one letter is missing"),
        ("Rights.Life_Integrity.Killing", killing, "codes are lower case"),
        ("killing", killing, "the last part alone"),
        ("violence.killing", killing, "a parent that does not exist"),
        ("", None, "nothing was written"),
        ("weather", None, "unlike all"),
        ("rights.", None, "a dot too many is not a leaf"),
    ];

    for (code, near, reason) in cases {
        assert_eq!(taxonomy.leaf(code).unwrap_err(), unknown(code, near), "{reason}");
    }
}

#[test]
fn a_parent_names_its_children_one_step_below() {
    let taxonomy = taxonomy();

    let theme = taxonomy.leaf("environment").unwrap_err();
    let category = taxonomy.leaf("rights.labour").unwrap_err();

    assert_eq!(
        theme.to_string(),
        "category \"environment\" is not a leaf, choose one below it: environment.industrial_pollution, \
         environment.artisanal_degradation, environment.ecosystem_livelihoods, environment.environmental_management"
    );
    assert_eq!(
        category.to_string(),
        "category \"rights.labour\" is not a leaf, choose one below it: rights.labour.forced_labour, \
         rights.labour.child_labour, rights.labour.unsafe_work_accident, rights.labour.wage_union_rights"
    );
}

#[test]
fn a_retired_leaf_is_refused_and_still_counted_under_its_parents() {
    let taxonomy = small();

    let refused = taxonomy.leaf("r.life.arrest").unwrap_err();

    assert_eq!(refused.to_string(), "category \"r.life.arrest\" was retired on 2026-01-31");
    assert!(taxonomy.find_leaf("r.life.arrest").is_some());
    assert_eq!(codes(taxonomy.leaves_under("r")), ["r.life.killing", "r.life.arrest"]);
    assert_eq!(
        taxonomy.leaf("r.life").unwrap_err().to_string(),
        "category \"r.life\" is not a leaf, choose one below it: r.life.killing"
    );
    assert_eq!(
        taxonomy.leaf("arrest").unwrap_err().to_string(),
        "category \"arrest\" is not in the taxonomy",
        "a retired code is not proposed"
    );
}

#[test]
fn a_parent_covers_its_leaves_and_never_the_reverse() {
    let taxonomy = taxonomy();

    assert_eq!(taxonomy.leaves_under("rights").count(), 28);
    assert_eq!(taxonomy.leaves_under("rights.life_integrity").count(), 5);
    assert_eq!(
        codes(taxonomy.leaves_under("rights.life_integrity.killing")),
        ["rights.life_integrity.killing"]
    );
    for none in ["", "right", "rights.", "killing", "life_integrity"] {
        assert!(!taxonomy.covers(none), "{none:?}");
    }
}

#[test]
fn codes_of_valence_and_mining_are_read_back() {
    for valence in [Valence::GoodPractice, Valence::Negative] {
        assert_eq!(Valence::from_code(valence.as_str()), Some(valence));
    }
    for mining in [LeafMining::Any, LeafMining::Industrial, LeafMining::Artisanal] {
        assert_eq!(LeafMining::from_code(mining.as_str()), Some(mining));
    }
    assert_eq!(Valence::from_code("bad"), None);
    assert_eq!(LeafMining::from_code("none_trade"), None);
}

#[track_caller]
fn assert_refused(second_line: &str, expected: &str, reason: &str) {
    let error = Taxonomy::from_csv(&[HEADER, KILLING, second_line].join("\n")).unwrap_err();
    assert_eq!(error.to_string(), expected, "{reason}");
}

#[test]
fn a_damaged_line_is_named_with_its_column() {
    let cases = [
        (KILLING, "code: \"r.life.killing\" is already on line 2", "the same code twice"),
        (
            &ARREST.replace("r.life.arrest", "r.life.arest"),
            "code: \"r.life.arest\" is not \"r.life.arrest\"",
            "the code is not made of its parts",
        ),
        (
            &ARREST.replace("Arrestation", " "),
            "label_fr: the label is empty",
            "a label is missing in French",
        ),
        (
            &ARREST.replace(",Life,", ",,"),
            "category_en: the label is empty",
            "a category has no name",
        ),
        (
            &ARREST.replace("Vie", "La vie"),
            "category_en: category \"r.life\" has another name above",
            "a category with two names",
        ),
        (
            &ARREST.replace("Rights", "rights"),
            "theme_en: theme \"r\" has another name above",
            "a theme with two names",
        ),
        (
            &ARREST.replace("negative", "bad"),
            "valence: \"bad\" is neither \"good_practice\" nor \"negative\"",
            "no such valence",
        ),
        (
            &ARREST.replace(",any,", ",river,"),
            "mining_mode: \"river\" is not one of any, industrial, artisanal",
            "no such mining mode",
        ),
        (
            &ARREST.replace(",3,", ",6,"),
            "default_severity: \"6\" is not one of 1..=5",
            "severity beyond the scale",
        ),
        (
            &ARREST.replace(",3,", ",high,"),
            "default_severity: \"high\" is not one of 1..=5",
            "severity is no number",
        ),
        (
            &ARREST.replace("2026-01-31", "2026-02-31"),
            "retired_on: \"2026-02-31\" is not a day like 2026-01-31: input is out of range",
            "a day that does not exist",
        ),
    ];

    for (line, expected, reason) in cases {
        assert_refused(line, &format!("taxonomy.csv, line 3, column {expected}"), reason);
    }
}

#[test]
fn a_file_without_lines_or_columns_is_refused() {
    let empty = Taxonomy::from_csv(HEADER).unwrap_err();
    let short = Taxonomy::from_csv(&[HEADER, "r.life.killing,r"].join("\n")).unwrap_err();
    let missing = Taxonomy::from_csv("code,theme\nr.life.killing,r\n").unwrap_err();

    assert_eq!(empty.to_string(), "taxonomy.csv: no category");
    assert_eq!(
        short.to_string(),
        "taxonomy.csv is not readable: CSV error: record 1 (line: 2, byte: 213): found record with 2 fields, but the \
         previous record has 18 fields"
    );
    assert_eq!(
        missing.to_string(),
        "taxonomy.csv is not readable: CSV deserialize error: record 1 (line: 2, byte: 11): missing field `theme_en`"
    );
}
