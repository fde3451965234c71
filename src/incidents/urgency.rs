//! How soon somebody should look at an incident, and why. Pure.
//!
//! The score is a sum of points, so that a reviewer can follow it from the reasons shown:
//!
//! | reason | points | when |
//! | --- | --- | --- |
//! | `severity_1` … `severity_5` | 10 … 50 | the severity of the incident, or the default one of its categories where worse |
//! | `uncategorised` | up to 30 in all | no category yet |
//! | `killed` | 5 | somebody was killed, or may have been |
//! | `sexual_violence` | 5 | somebody survived sexual violence, or may have |
//! | `minors` | 10 | a girl or a boy was harmed, or children work |
//! | `ongoing` | 10 | it goes on |
//! | `source_at_risk` | 50 | a source is in danger |
//!
//! What can still be stopped comes before what is over: a source in danger is urgent whatever was reported, and of two
//! equal incidents the one that goes on comes first. Of an uncategorised report nobody knows yet how bad it is: it
//! ranks like a serious one (severity 3) until harm says worse, instead of sinking for want of a severity. The severity of
//! an incident is what its reports say; a category that a reviewer gave it counts here by its default severity. From
//! [`URGENT_FROM`] points an incident is urgent.

use serde::Serialize;
use utoipa::ToSchema;

use crate::incidents::facts::{IncidentFacts, Measure};

/// Fewest points of an urgent incident: an extreme one, a severe one that goes on, any with a source in danger.
pub const URGENT_FROM: u8 = 50;

/// Points of an incident that nobody has categorised: those of severity 3, *serious* in the list `severity`.
const UNCATEGORISED_POINTS: u8 = 30;

/// Leaves of the taxonomy that say by themselves what a number of people would.
const KILLED_LEAF: &str = "rights.life_integrity.killing";
const SEXUAL_VIOLENCE_LEAF: &str = "rights.life_integrity.sexual_violence";
const MINORS_LEAF: &str = "rights.labour.child_labour";

/// Codes of the list `sex_age` for those under age.
pub const MINORS: [&str; 2] = ["f_child", "m_child"];

/// One thing that makes an incident urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Minor.
    Severity1,
    /// Moderate.
    Severity2,
    /// Serious.
    Severity3,
    /// Severe.
    Severity4,
    /// Extreme.
    Severity5,
    /// No category yet.
    Uncategorised,
    /// Somebody was killed.
    Killed,
    /// Somebody survived sexual violence.
    SexualViolence,
    /// Girls or boys were harmed.
    Minors,
    /// It goes on.
    Ongoing,
    /// A source is in danger.
    SourceAtRisk,
}

impl Reason {
    /// Every reason, in the order they are told.
    pub const ALL: [Self; 11] = [
        Self::Severity1,
        Self::Severity2,
        Self::Severity3,
        Self::Severity4,
        Self::Severity5,
        Self::Uncategorised,
        Self::Killed,
        Self::SexualViolence,
        Self::Minors,
        Self::Ongoing,
        Self::SourceAtRisk,
    ];

    /// Returns its bit, its code and its points. Codes never change; points may.
    const fn entry(self) -> (u16, &'static str, u8) {
        match self {
            Self::Severity1 => (1, "severity_1", 10),
            Self::Severity2 => (1 << 1, "severity_2", 20),
            Self::Severity3 => (1 << 2, "severity_3", 30),
            Self::Severity4 => (1 << 3, "severity_4", 40),
            Self::Severity5 => (1 << 4, "severity_5", 50),
            // It lifts the severity instead of adding to it: see `Urgency::score`.
            Self::Uncategorised => (1 << 5, "uncategorised", 0),
            Self::Killed => (1 << 6, "killed", 5),
            Self::SexualViolence => (1 << 7, "sexual_violence", 5),
            Self::Minors => (1 << 8, "minors", 10),
            Self::Ongoing => (1 << 9, "ongoing", 10),
            Self::SourceAtRisk => (1 << 10, "source_at_risk", 50),
        }
    }

    /// Returns its stable code.
    pub const fn as_str(self) -> &'static str {
        self.entry().1
    }

    fn of_severity(severity: u8) -> Option<Self> {
        match severity {
            1 => Some(Self::Severity1),
            2 => Some(Self::Severity2),
            3 => Some(Self::Severity3),
            4 => Some(Self::Severity4),
            5 => Some(Self::Severity5),
            _ => None,
        }
    }

    const fn is_severity(self) -> bool {
        matches!(
            self,
            Self::Severity1 | Self::Severity2 | Self::Severity3 | Self::Severity4 | Self::Severity5
        )
    }
}

/// How soon it should be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UrgencyClass {
    /// Before all others.
    Urgent,
    /// In turn.
    Normal,
}

/// The reasons of one incident, two bytes: the columns hold it for every incident.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Urgency(u16);

impl Urgency {
    /// Returns the urgency of an incident; `of_categories` is the greatest default severity of its categories.
    pub fn of(facts: &IncidentFacts<'_>, of_categories: Option<u8>) -> Self {
        let has_leaf = |leaf: &str| facts.categories.contains(&leaf);
        let harms = |measure: Measure| {
            let mut stated = Measure::ALL.iter().zip(&facts.harm);
            stated.any(|(known, range)| *known == measure && range.is_some_and(|of| of.max > 0))
        };
        let mut urgency = Self::default();
        if let Some(severity) = facts.severity.max(of_categories).and_then(Reason::of_severity) {
            urgency.add(severity, true);
        }
        urgency.add(Reason::Uncategorised, facts.categories.is_empty());
        urgency.add(Reason::Killed, harms(Measure::Killed) || has_leaf(KILLED_LEAF));
        urgency.add(
            Reason::SexualViolence,
            harms(Measure::SexualViolenceSurvivors) || has_leaf(SEXUAL_VIOLENCE_LEAF),
        );
        urgency.add(Reason::Minors, facts.has_minors || has_leaf(MINORS_LEAF));
        urgency.add(Reason::Ongoing, facts.is_ongoing);
        urgency.add(Reason::SourceAtRisk, facts.is_at_risk);
        urgency
    }

    fn add(&mut self, reason: Reason, is_given: bool) {
        if is_given {
            self.0 |= reason.entry().0;
        }
    }

    /// Tells whether this is one of the reasons.
    pub const fn has(self, reason: Reason) -> bool {
        self.0 & reason.entry().0 != 0
    }

    /// Returns the reasons in the order of [`Reason::ALL`]; empty when nothing speaks for haste.
    pub fn reasons(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.into_iter().filter(move |reason| self.has(*reason))
    }

    /// Returns the points, 0 to 130; the table stands at the head of this file.
    pub fn score(self) -> u8 {
        let points = |is_severity: bool| {
            let counted = self.reasons().filter(|reason| reason.is_severity() == is_severity);
            counted.map(|reason| reason.entry().2).fold(0, u8::saturating_add)
        };
        let at_least = if self.has(Reason::Uncategorised) { UNCATEGORISED_POINTS } else { 0 };
        points(true).max(at_least).saturating_add(points(false))
    }

    /// Returns the class its points put it in.
    pub fn class(self) -> UrgencyClass {
        if self.score() >= URGENT_FROM { UrgencyClass::Urgent } else { UrgencyClass::Normal }
    }
}

#[cfg(test)]
mod tests {
    use crate::incidents::facts::{HarmRange, IncidentFacts, Measure, Status};
    use crate::incidents::urgency::{
        KILLED_LEAF, MINORS, MINORS_LEAF, Reason, SEXUAL_VIOLENCE_LEAF, Urgency, UrgencyClass,
    };
    use crate::taxonomy::catalogue::Taxonomy;
    use crate::taxonomy::lists::{CodeLists, ListName};

    fn facts(severity: Option<u8>) -> IncidentFacts<'static> {
        IncidentFacts {
            id: 1,
            country: "SLE",
            country_computed: None,
            admin1: None,
            admin2: None,
            span: None,
            categories: &["rights.armed_actors.looting_pillage"],
            status: Status::Received,
            severity,
            channels: &["api"],
            mining_mode: None,
            actors: &[],
            site: None,
            site_distance: None,
            cell5: None,
            cell7: None,
            place_e6: None,
            geo_precision: "none",
            flags: &[],
            is_test: false,
            is_merged: false,
            is_mismatch: false,
            reports: 1,
            harm: [None; Measure::COUNT],
            has_minors: false,
            is_ongoing: false,
            is_at_risk: false,
            opened_s: 0,
        }
    }

    fn harm(measure: Measure, max: u32) -> [Option<HarmRange>; Measure::COUNT] {
        Measure::ALL.map(|known| (known == measure).then_some(HarmRange { min: 0, max }))
    }

    #[track_caller]
    fn expect(facts: &IncidentFacts<'_>, reasons: &[&str], score: u8, reason: &str) {
        let urgency = Urgency::of(facts, None);
        let told: Vec<&str> = urgency.reasons().map(Reason::as_str).collect();
        assert_eq!((told.as_slice(), urgency.score()), (reasons, score), "{reason}");
        let is_urgent = urgency.class() == UrgencyClass::Urgent;
        assert_eq!(is_urgent, score >= 50, "{reason}");
    }

    #[test]
    fn the_points_of_the_reasons_add_up() {
        let killed = harm(Measure::Killed, 2);
        let survivors = harm(Measure::SexualViolenceSurvivors, 1);
        let at = facts;
        for (facts, reasons, score, reason) in [
            (at(None), vec![], 0, "good practice has no severity and no haste"),
            (at(Some(1)), vec!["severity_1"], 10, "minor"),
            (at(Some(4)), vec!["severity_4"], 40, "severe and over: in turn"),
            (at(Some(5)), vec!["severity_5"], 50, "extreme is urgent"),
            (
                IncidentFacts { harm: killed, ..at(Some(5)) },
                vec!["severity_5", "killed"],
                55,
                "a death among the extreme",
            ),
            (
                IncidentFacts { harm: harm(Measure::Killed, 0), ..at(Some(4)) },
                vec!["severity_4"],
                40,
                "nobody was killed",
            ),
            (
                IncidentFacts { harm: survivors, ..at(Some(5)) },
                vec!["severity_5", "sexual_violence"],
                55,
                "survivors",
            ),
            (
                IncidentFacts { categories: &[SEXUAL_VIOLENCE_LEAF, KILLED_LEAF], ..at(Some(5)) },
                vec!["severity_5", "killed", "sexual_violence"],
                60,
                "the category says it without a number",
            ),
            (
                IncidentFacts { is_ongoing: true, ..at(Some(4)) },
                vec!["severity_4", "ongoing"],
                50,
                "severe and it goes on: urgent",
            ),
            (
                IncidentFacts { has_minors: true, ..at(Some(3)) },
                vec!["severity_3", "minors"],
                40,
                "minors",
            ),
            (
                IncidentFacts { categories: &[MINORS_LEAF], ..at(Some(4)) },
                vec!["severity_4", "minors"],
                50,
                "children work",
            ),
            (
                IncidentFacts { is_at_risk: true, ..at(None) },
                vec!["source_at_risk"],
                50,
                "a source in danger is urgent whatever was reported",
            ),
        ] {
            expect(&facts, &reasons, score, reason);
        }
    }

    #[test]
    fn the_uncategorised_rank_like_serious_ones_until_harm_says_worse() {
        let bare = |severity| IncidentFacts { categories: &[], ..facts(severity) };

        expect(&bare(None), &["uncategorised"], 30, "as severity 3");
        expect(&bare(Some(3)), &["severity_3", "uncategorised"], 30, "somebody was detained");
        expect(&bare(Some(4)), &["severity_4", "uncategorised"], 40, "somebody was injured");
        let ongoing = IncidentFacts { is_ongoing: true, ..bare(None) };
        expect(&ongoing, &["uncategorised", "ongoing"], 40, "and it goes on");
    }

    #[test]
    fn a_category_given_by_a_reviewer_counts_by_its_default_severity() {
        let score = |severity, of_categories| Urgency::of(&facts(severity), of_categories).score();

        assert_eq!(score(None, Some(5)), 50, "it came without a category");
        assert_eq!(score(Some(3), Some(5)), 50, "it is worse than was reported");
        assert_eq!(score(Some(4), Some(2)), 40, "harm stays what it is");
    }

    #[test]
    fn everything_at_once_is_the_most_there_is() {
        let everything = IncidentFacts {
            categories: &[],
            harm: [Some(HarmRange { min: 1, max: 1 }); Measure::COUNT],
            has_minors: true,
            is_ongoing: true,
            is_at_risk: true,
            ..facts(Some(5))
        };

        assert_eq!(Urgency::of(&everything, None).score(), 130);
    }

    #[test]
    fn the_codes_in_the_rule_are_those_of_the_lists() {
        let (taxonomy, lists) = (Taxonomy::builtin().unwrap(), CodeLists::builtin().unwrap());

        for leaf in [KILLED_LEAF, SEXUAL_VIOLENCE_LEAF, MINORS_LEAF] {
            assert!(taxonomy.find_leaf(leaf).is_some(), "{leaf}");
        }
        for code in MINORS {
            let codes = lists.list(ListName::SexAge);
            assert!(codes.codes().iter().any(|known| known.code == code), "{code}");
        }
        let bits = Reason::ALL.map(|reason| reason.entry().0);
        let expected: Vec<u16> = (0..11).map(|bit| 1 << bit).collect();
        assert_eq!(bits.as_slice(), expected, "one bit each");
    }
}
