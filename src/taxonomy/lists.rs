//! The short lists of codes: actors, sources, statuses, precisions and others.

use serde::Deserialize;

use crate::taxonomy::error::DataError;
use crate::taxonomy::label::Label;
use crate::taxonomy::read::{filled, read_lines};
use crate::taxonomy::suggest::nearest;

const FILE: &str = "codelists.csv";

/// Which list is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListName {
    /// Who acts.
    ActorType,
    /// In which part somebody acts.
    ActorRole,
    /// Who is affected.
    AffectedGroup,
    /// What is counted of people: the measures of harm.
    AffectedCount,
    /// Sex and age of the people counted.
    SexAge,
    /// How well a count is known.
    CountPrecision,
    /// How severe an incident is.
    Severity,
    /// Where information comes from.
    SourceType,
    /// How far a source is to be trusted, `A` to `F`.
    SourceReliability,
    /// How far one piece of information is to be believed, 1 to 6.
    InfoCredibility,
    /// State of an incident.
    Status,
    /// How well the time is known.
    DatePrecision,
    /// How well the place is known.
    GeoPrecision,
    /// Who may see something.
    Sensitivity,
    /// What a source agreed to.
    Consent,
    /// Kind of mining.
    MiningMode,
    /// Working groups of the Kimberley Process.
    KpWorkingGroup,
    /// What the holder of a grant follows: a theme they lead, a working group they watch.
    GrantTag,
}

impl ListName {
    /// All lists, in file order.
    pub const ALL: [ListName; 18] = [
        ListName::ActorType,
        ListName::ActorRole,
        ListName::AffectedGroup,
        ListName::AffectedCount,
        ListName::SexAge,
        ListName::CountPrecision,
        ListName::Severity,
        ListName::SourceType,
        ListName::SourceReliability,
        ListName::InfoCredibility,
        ListName::Status,
        ListName::DatePrecision,
        ListName::GeoPrecision,
        ListName::Sensitivity,
        ListName::Consent,
        ListName::MiningMode,
        ListName::KpWorkingGroup,
        ListName::GrantTag,
    ];

    /// Returns the name in the file and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            ListName::ActorType => "actor_type",
            ListName::ActorRole => "actor_role",
            ListName::AffectedGroup => "affected_group",
            ListName::AffectedCount => "affected_count",
            ListName::SexAge => "sex_age",
            ListName::CountPrecision => "count_precision",
            ListName::Severity => "severity",
            ListName::SourceType => "source_type",
            ListName::SourceReliability => "source_reliability",
            ListName::InfoCredibility => "info_credibility",
            ListName::Status => "status",
            ListName::DatePrecision => "date_precision",
            ListName::GeoPrecision => "geo_precision",
            ListName::Sensitivity => "sensitivity",
            ListName::Consent => "consent",
            ListName::MiningMode => "mining_mode",
            ListName::KpWorkingGroup => "kp_working_group",
            ListName::GrantTag => "grant_tag",
        }
    }

    /// Finds the list with this name.
    pub fn from_code(name: &str) -> Option<ListName> {
        ListName::ALL.into_iter().find(|list| list.as_str() == name)
    }
}

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Unique in its list.
    pub code: String,
    /// What people read.
    pub label: Label,
    /// Terms of other vocabularies (HXL, ACLED, HURIDOCS), as free text.
    pub maps_to: Option<String>,
}

/// The entries of one list, in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeList {
    codes: Vec<Code>,
}

impl CodeList {
    /// Finds the entry with exactly this code.
    pub fn find(&self, code: &str) -> Option<&Code> {
        self.codes.iter().find(|entry| entry.code == code)
    }

    /// Lists all entries in file order; at least one.
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// Returns the code that is written nearly like this one, when one is.
    pub fn did_you_mean(&self, written: &str) -> Option<&str> {
        nearest(written, self.codes.iter().map(|entry| entry.code.as_str()))
    }
}

/// All lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeLists {
    /// In the order of [`ListName::ALL`].
    lists: [CodeList; ListName::ALL.len()],
}

#[derive(Deserialize)]
struct CodeLine {
    list: String,
    code: String,
    label_en: String,
    label_fr: String,
    maps_to: String,
}

impl CodeLists {
    /// Reads the built-in lists.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn builtin() -> Result<CodeLists, DataError> {
        CodeLists::from_csv(include_str!("data/codelists.csv"))
    }

    /// Reads lists with the columns `list,code,label_en,label_fr,maps_to`.
    ///
    /// # Errors
    /// A line that is not readable, a list that is not in [`ListName`] or has no entry, a code that is empty or given
    /// twice, an empty label.
    pub fn from_csv(text: &str) -> Result<CodeLists, DataError> {
        let mut entries: Vec<(ListName, Code)> = Vec::new();
        for (place, line) in read_lines::<CodeLine>(FILE, text)? {
            let Some(name) = ListName::from_code(&line.list) else {
                return Err(place.fault("list", format!("{:?} is not a list we know", line.list)));
            };
            if line.code.trim().is_empty() {
                return Err(place.fault("code", "the code is empty"));
            }
            if entries.iter().any(|(list, entry)| *list == name && entry.code == line.code) {
                let detail = format!("{:?} is already in {}", line.code, name.as_str());
                return Err(place.fault("code", detail));
            }
            let label = place.label(["label_en", "label_fr"], [line.label_en, line.label_fr])?;
            let maps_to = filled(line.maps_to);
            entries.push((name, Code { code: line.code, label, maps_to }));
        }
        let lists = ListName::ALL.map(|name| take_list(&entries, name));
        if let Some((name, _)) =
            ListName::ALL.iter().zip(&lists).find(|(_, list)| list.codes.is_empty())
        {
            return Err(DataError::Missing {
                file: FILE,
                detail: format!("list {} has no code", name.as_str()),
            });
        }
        Ok(CodeLists { lists })
    }

    /// Returns one list.
    pub fn list(&self, name: ListName) -> &CodeList {
        static NONE: CodeList = CodeList { codes: Vec::new() };
        // `ALL` holds every name, which a test asserts, so the fallback is never used.
        ListName::ALL
            .iter()
            .zip(&self.lists)
            .find(|(known, _)| **known == name)
            .map_or(&NONE, |(_, list)| list)
    }
}

fn take_list(entries: &[(ListName, Code)], name: ListName) -> CodeList {
    CodeList {
        codes: entries
            .iter()
            .filter(|(list, _)| *list == name)
            .map(|(_, entry)| entry.clone())
            .collect(),
    }
}
