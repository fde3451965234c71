//! Prints what labelled texts give to learn from, one JSON object a line; `src/taxonomy/data/learn_signs.py` reads it.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

use sentinelle::taxonomy::catalogue::Taxonomy;
use sentinelle::taxonomy::lexicon::classify::Classifier;
use sentinelle::taxonomy::lexicon::measure::read_labelled;
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let classifier = Classifier::builtin(&Taxonomy::builtin()?)?;
    for file in std::env::args().skip(1) {
        for one in read_labelled(&std::fs::read_to_string(&file)?)? {
            for evidence in classifier.gather(&one.text, Some(&one.language)) {
                let signs: Vec<&str> =
                    evidence.signs.iter().map(|sign| sign.name.as_str()).collect();
                let terms: Vec<(&str, f64)> =
                    evidence.terms.iter().map(|(code, score)| (code.as_str(), *score)).collect();
                let language = evidence.language.as_str();
                println!(
                    "{}",
                    json!({"file": file, "id": one.id, "language": language,
                    "categories": one.categories, "signs": signs, "terms": terms})
                );
            }
        }
    }
    Ok(())
}
