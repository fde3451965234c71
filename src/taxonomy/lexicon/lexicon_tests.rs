//! What a damaged lexicon is answered with, and what its syntax finds.

use crate::taxonomy::catalogue::Taxonomy;
use crate::taxonomy::lexicon::classify::{Classifier, LexiconFiles};

const CUES: &str = "cue,language,words\n\
                    function,en,the;a;of;and;was;in;by;were\n\
                    negator,en,=not;=nobody\n\
                    abbreviation,en,ppl=people\n";
const CONCEPTS: &str = "concept,language,words\nsoldiers,en,soldier;=army;men in uniform\n";
const KILLING: &str = "rights.life_integrity.killing";

fn load(cues: &str, concepts: &str, lexicon: &str) -> Result<Classifier, String> {
    let files = LexiconFiles { cues, concepts, lexicon, signs: "language,sign,code,weight\n" };
    Classifier::from_files(&Taxonomy::builtin().unwrap(), files).map_err(|error| error.to_string())
}

fn with_term(term: &str) -> Result<Classifier, String> {
    load(CUES, CONCEPTS, &format!("code,language,weight,terms\n{KILLING},en,0.9,{term}\n"))
}

#[track_caller]
fn assert_finds(term: &str, text: &str, expected: &[&str], reason: &str) {
    let classification = with_term(term).unwrap().classify(text, Some("en"));

    let words: Vec<&str> = classification
        .suggestions
        .iter()
        .flat_map(|suggestion| &suggestion.reasons)
        .map(|reason| reason.words.as_str())
        .collect();
    assert_eq!(words, expected, "{term:?} in {text:?}: {reason}");
}

#[test]
fn a_term_finds_what_its_syntax_says() {
    let cases: [(&str, &str, &[&str], &str); 17] = [
        ("shooting", "They SHOOT", &["SHOOT"], "any form, any case"),
        ("pit collapse", "The pits of the mine collapsed", &[], "another word is between"),
        (
            "pit collapse",
            "The pit was collapsing",
            &["pit was collapsing"],
            "function words are not",
        ),
        ("pit collapse", "It collapsed in the pit", &[], "the order counts"),
        ("=shooting", "They shoot", &[], "exactly as written"),
        ("=shooting", "the Shooting", &["Shooting"], "save for case"),
        ("shoot*", "shootings", &["shootings"], "a beginning"),
        ("{soldiers}", "Men in uniform came", &["Men in uniform"], "words of a concept"),
        ("{soldiers}", "army ants", &["army"], "exact words of a concept"),
        ("gun|rifle", "a rifle", &["rifle"], "an alternative"),
        ("{soldiers} > shoot", "Shooting by soldiers", &[], "the order of the parts"),
        ("{soldiers} & shoot", "Shooting by soldiers", &["Shooting", "soldiers"], "no order"),
        ("{soldiers} &1 shoot", "soldiers near Kono shoot", &[], "too far apart"),
        ("soldier & shoot", "Soldiers came. Shooting began", &[], "two sentences"),
        (
            "soldier && shoot",
            "Soldiers came. Shooting began",
            &["Soldiers", "Shooting"],
            "anywhere",
        ),
        ("~shoot", "they were not shooting", &["shooting"], "what must be denied is"),
        ("?shoot", "nobody was shooting", &["shooting"], "what may be denied is"),
    ];

    for (term, text, expected, reason) in cases {
        assert_finds(term, text, expected, reason);
    }
}

#[test]
fn short_forms_are_spelt_out_and_the_reason_keeps_what_was_written() {
    assert_finds("people shot", "ppl shot!", &["ppl shot"], "an abbreviation");
}

#[test]
fn a_damaged_line_is_refused_by_file_line_and_column() {
    let cases = [
        ("rights.none,en,0.5,shot", "2, column code: \"rights.none\" is no leaf of the taxonomy"),
        ("KILLING,de,0.5,shot", "2, column language: \"de\" is none of en, fr, *"),
        ("KILLING,en,1.5,shot", "2, column weight: \"1.5\" is not in -1..=1, or is 0"),
        ("KILLING,en,NaN,shot", "2, column weight: \"NaN\" is not in -1..=1, or is 0"),
        (
            "KILLING,en,0.5,shot;gun\nKILLING,*,0.2,shot",
            "3, column terms: \"shot\" is already on line 2",
        ),
    ];

    for (lines, expected) in cases {
        let lexicon = format!("code,language,weight,terms\n{lines}\n").replace("KILLING", KILLING);
        let error = load(CUES, CONCEPTS, &lexicon).err();
        assert_eq!(error, Some(format!("lexicon.csv, line {expected}")));
    }
}

#[test]
fn a_term_that_is_none_is_refused_with_what_is_wrong() {
    let cases = [
        ("{police}", "{police} has no words in this language, or only further down"),
        ("{soldiers & shot", "\"{soldiers\" has no closing brace, or words beside it"),
        ("shot & ", "a part has no words"),
        ("shot &x gun", "\"&x\" is no window of 0 to 30 words"),
        ("shot &31 gun", "\"&31\" is no window of 0 to 30 words"),
        ("a & b & c & d & e", "\"a & b & c & d & e\" has 5 parts, more than 4"),
        ("sh*ot", "\"sh*ot\" holds '*' where words are expected"),
        ("by the", "\"by the\" is 0 words without function words: write =by the"),
        ("by the army", "\"by the army\" is 1 words without function words: write =by the army"),
    ];

    for (term, expected) in cases {
        let error = with_term(term).err();
        assert_eq!(error, Some(format!("lexicon.csv, line 2, column terms: {expected}")));
    }
}

#[test]
fn damaged_concepts_and_cues_are_refused_by_file_line_and_column() {
    let lexicon = format!("code,language,weight,terms\n{KILLING},en,0.5,shot\n");
    let concepts = [
        (
            "The Army,en,army",
            "concepts.csv, line 2, column concept: \"The Army\" is no name in a-z and _",
        ),
        ("army,xx,army", "concepts.csv, line 2, column language: \"xx\" is none of en, fr, *"),
        (
            "army,en,soldier;Soldier",
            "concepts.csv, line 2, column words: \"Soldier\" is twice in {army}",
        ),
        (
            "army,en,{police}",
            "concepts.csv, line 2, column words: {police} has no words in this language, or only further down",
        ),
    ];
    let cues = [
        ("shout,en,hey", "cues.csv, line 2, column cue: \"shout\" is no cue we know"),
        ("function,en,of the", "cues.csv, line 2, column words: \"of the\" is not one word"),
        (
            "abbreviation,en,ppl",
            "cues.csv, line 2, column words: \"ppl\" is not written short=long",
        ),
        ("negator,en,{soldiers}", "cues.csv, line 2, column words: {soldiers} is a concept"),
    ];

    for (line, expected) in concepts {
        let damaged = format!("concept,language,words\n{line}\n");
        assert_eq!(load(CUES, &damaged, &lexicon).err().as_deref(), Some(expected));
    }
    for (line, expected) in cues {
        let damaged = format!("cue,language,words\n{line}\n");
        assert_eq!(load(&damaged, CONCEPTS, &lexicon).err().as_deref(), Some(expected));
    }
}
