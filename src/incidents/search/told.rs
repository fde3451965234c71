//! What a report tells in words, as far as it is searched: never a name, a contact or anything else of an identity.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A kind of words, by how much a hit in them tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// What happened.
    Narrative,
    /// Of smuggling, environment and governance.
    Details,
    /// The company concerned.
    Company,
    /// The place in words.
    Place,
}

impl Field {
    /// Returns how many times a hit in the narrative one here is worth.
    pub const fn weight(self) -> u16 {
        match self {
            Self::Narrative => 1,
            Self::Details => 2,
            Self::Company | Self::Place => 4,
        }
    }
}

/// Details that are codes, not words.
const CODES: [&str; 3] = ["currency", "medium", "practice"];

/// Opened parts of a report, not yet read.
#[derive(Debug, Default)]
pub struct Opened<'a> {
    /// The part `text`.
    pub text: Option<&'a [u8]>,
    /// The part `place`.
    pub place: Option<&'a [u8]>,
}

/// What is searched of a report.
#[derive(Debug, Default)]
pub struct Told<'a> {
    text: TextPart<'a>,
    place: PlacePart<'a>,
}

#[derive(Debug, Default, Deserialize)]
struct TextPart<'a> {
    #[serde(borrow)]
    narrative: Option<Sentence<'a>>,
    #[serde(borrow)]
    company: Option<Sentence<'a>>,
    #[serde(borrow)]
    language: Option<Sentence<'a>>,
    smuggling: Option<Map<String, Value>>,
    environment: Option<Map<String, Value>>,
    governance: Option<Map<String, Value>>,
}

#[derive(Debug, Default, Deserialize)]
struct PlacePart<'a> {
    #[serde(borrow)]
    location: Option<Location<'a>>,
}

#[derive(Debug, Default, Deserialize)]
struct Location<'a> {
    #[serde(borrow)]
    place: Option<Sentence<'a>>,
}

/// Borrowed where JSON needs no escapes in it.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Sentence<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Told<'a> {
    /// Reads opened parts.
    ///
    /// # Errors
    /// When one is no JSON of ours.
    pub fn read(opened: &Opened<'a>) -> serde_json::Result<Self> {
        Ok(Self {
            text: opened.text.map(serde_json::from_slice).transpose()?.unwrap_or_default(),
            place: opened.place.map(serde_json::from_slice).transpose()?.unwrap_or_default(),
        })
    }

    /// Returns the code of the language that its sender said it is in.
    pub fn language(&self) -> Option<&str> {
        self.text.language.as_ref().map(|language| &*language.0)
    }

    /// Shows each text there is with its kind.
    pub fn for_each(&self, mut show: impl FnMut(Field, &str)) {
        let TextPart { narrative, company, language: _, smuggling, environment, governance } =
            &self.text;
        let place = self.place.location.as_ref().and_then(|location| location.place.as_ref());
        let sentences = [
            (Field::Narrative, narrative.as_ref()),
            (Field::Company, company.as_ref()),
            (Field::Place, place),
        ];
        for (field, sentence) in sentences {
            if let Some(Sentence(words)) = sentence {
                show(field, words);
            }
        }
        // What was told, never the names of the fields it was told in.
        for details in [smuggling, environment, governance].into_iter().flatten() {
            for (name, told) in details {
                if let Some(words) = told.as_str().filter(|_| !CODES.contains(&name.as_str())) {
                    show(Field::Details, words);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use crate::incidents::search::told::{self, Opened, Told};
    use crate::intake::fields::{self, Field};

    #[test]
    fn words_are_searched_and_codes_numbers_and_names_are_not() {
        let text = json!({"narrative": "The \"boss\" came", "company": "Gem Co", "language": "en",
            "occurred": "2024-03-05", "categories": ["rights.life_integrity.killing"],
            "smuggling": {"carats": 2.5, "currency": "USD", "route": "par le fleuve"}, "actors": [{"type": "mob"}],
            "harm": {"killed": {"min": 1}}, "follows": null, "environment": null});
        let place = json!({"location": {"lat": 8.6, "lon": -10.9, "place": "the old bridge",
            "site": "usgs-sle001"}});
        let (text, place) = (text.to_string(), place.to_string());
        let opened = Opened { text: Some(text.as_bytes()), place: Some(place.as_bytes()) };

        let read = Told::read(&opened).expect("our JSON");

        let mut shown = Vec::new();
        read.for_each(|field, words| shown.push((field, words.to_owned())));
        let right = [
            (told::Field::Narrative, "The \"boss\" came"),
            (told::Field::Company, "Gem Co"),
            (told::Field::Place, "the old bridge"),
            (told::Field::Details, "par le fleuve"),
        ];
        assert_eq!(shown, right.map(|(field, words)| (field, words.to_owned())));
        assert_eq!(read.language(), Some("en"));
    }

    #[test]
    fn the_dictionary_says_what_is_searched_and_it_is_nothing_of_an_identity() {
        let fields = fields::rows().expect("the dictionary");
        let mut told = json!({});
        for field in fields.iter().filter(|field| !field.path.contains(['*', '['])) {
            let mut slot = &mut told;
            for step in field.path.split('.') {
                slot = &mut slot[step];
            }
            *slot = match field.kind.as_str() {
                "number" => 1.into(),
                _ => field.path.clone().into(),
            };
        }
        let told = told.to_string();
        let opened = Opened { text: Some(told.as_bytes()), place: Some(told.as_bytes()) };

        let mut searched = BTreeSet::new();
        let read = Told::read(&opened).expect("our JSON");
        read.for_each(|_, path| {
            searched.insert(path.to_owned());
        });

        let is_said = |field: &&Field| field.meaning.ends_with("; searched by q");
        let said = fields.iter().filter(is_said);
        assert!(said.clone().all(|field| ["text", "place"].contains(&field.part.as_str())));
        assert_eq!(said.map(|field| field.path.clone()).collect::<BTreeSet<_>>(), searched);
    }

    #[test]
    fn a_report_without_words_tells_nothing() {
        let opened = Opened { text: Some(b"{}"), place: None };

        let told = Told::read(&opened).expect("our JSON");

        told.for_each(|_, _| unreachable!("nothing is told"));
        assert_eq!(told.language(), None);
    }
}
