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
    let files = LexiconFiles { cues, concepts, lexicon };
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
fn a_damaged_lexicon_is_refused_by_file_line_and_column() {
    let term = |line: &str| format!("code,language,weight,terms\n{line}\n");
    let cases = [
        (
            term("rights.none,en,0.5,shot"),
            "lexicon.csv, line 2, column code: \"rights.none\" is no leaf of the taxonomy",
        ),
        (
            term(&format!("{KILLING},de,0.5,shot")),
            "lexicon.csv, line 2, column language: \"de\" is none of en, fr, *",
        ),
        (
            term(&format!("{KILLING},en,1.5,shot")),
            "lexicon.csv, line 2, column weight: \"1.5\" is not in -1..=1, or is 0",
        ),
        (
            term(&format!("{KILLING},en,NaN,shot")),
            "lexicon.csv, line 2, column weight: \"NaN\" is not in -1..=1, or is 0",
        ),
        (
            term(&format!("{KILLING},en,0.5,shot;gun\n{KILLING},en,0.2,shot")),
            "lexicon.csv, line 3, column terms: \"shot\" is already on line 2",
        ),
        (
            term(&format!("{KILLING},en,0.5,{{police}}")),
            "lexicon.csv, line 2, column terms: {police} has no words in this language, or only further down",
        ),
        (
            term(&format!("{KILLING},en,0.5,{{soldiers & shot")),
            "lexicon.csv, line 2, column terms: \"{soldiers\" has no closing brace, or words beside it",
        ),
        (
            term(&format!("{KILLING},en,0.5,shot & ")),
            "lexicon.csv, line 2, column terms: a part has no words",
        ),
        (
            term(&format!("{KILLING},en,0.5,shot &x gun")),
            "lexicon.csv, line 2, column terms: \"&x\" is no window of 0 to 30 words",
        ),
        (
            term(&format!("{KILLING},en,0.5,shot &31 gun")),
            "lexicon.csv, line 2, column terms: \"&31\" is no window of 0 to 30 words",
        ),
        (
            term(&format!("{KILLING},en,0.5,a & b & c & d & e")),
            "lexicon.csv, line 2, column terms: \"a & b & c & d & e\" has 5 parts, more than 4",
        ),
        (
            term(&format!("{KILLING},en,0.5,sh*ot")),
            "lexicon.csv, line 2, column terms: \"sh*ot\" holds '*' where words are expected",
        ),
        (
            term(&format!("{KILLING},en,0.5,by the")),
            "lexicon.csv, line 2, column terms: \"by the\" is 0 words without function words: write =by the",
        ),
        (
            term(&format!("{KILLING},en,0.5,by the army")),
            "lexicon.csv, line 2, column terms: \"by the army\" is 1 words without function words: write =by the army",
        ),
    ];

    for (lexicon, expected) in cases {
        assert_eq!(load(CUES, CONCEPTS, &lexicon).err().as_deref(), Some(expected));
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
