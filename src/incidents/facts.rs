//! What counting knows of one incident: codes, days and numbers, never a word of a narrative.
//!
//! The columns of `crate::aggregates` are fed from these facts; how they are derived from the
//! reports of an incident is decided elsewhere.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What counting knows of one incident, codes only.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct IncidentFacts<'a> {
    /// Row id; larger is newer.
    pub id: i64,
    /// Declared country, ISO 3166-1 alpha-3.
    pub country: &'a str,
    /// Country the coordinates lie in, alpha-3.
    pub country_computed: Option<&'a str>,
    /// First-level area, ISO 3166-2 or `<iso3>-<code>`.
    pub admin1: Option<&'a str>,
    /// Second-level area.
    pub admin2: Option<&'a str>,
    /// Local days it happened on; `None` is undated.
    pub span: Option<DaySpan>,
    /// Leaf codes of the taxonomy, the primary one first.
    pub categories: &'a [&'a str],
    /// Review state.
    pub status: Status,
    /// 1 (minor) to 5 (extreme).
    pub severity: Option<u8>,
    /// Channels its reports came through.
    pub channels: &'a [&'a str],
    /// Code of `mining_mode`.
    pub mining_mode: Option<&'a str>,
    /// Codes of `actor_type`.
    pub actors: &'a [&'a str],
    /// Id of the nearest known site.
    pub site: Option<&'a str>,
    /// Distance band to that site.
    pub site_distance: Option<&'a str>,
    /// H3 cell at resolution 5; an incident without one is unmapped.
    pub cell5: Option<u64>,
    /// H3 cell at resolution 7.
    pub cell7: Option<u64>,
    /// Generalised place, longitude then latitude, WGS84 microdegrees.
    pub place_e6: Option<(i32, i32)>,
    /// Code of `geo_precision`.
    pub geo_precision: &'a str,
    /// Diagnoses such as `near_border`.
    pub flags: &'a [&'a str],
    /// A trial entry.
    pub is_test: bool,
    /// Absorbed by another incident.
    pub is_merged: bool,
    /// Declared and computed country differ and no reviewer has settled it.
    pub is_mismatch: bool,
    /// Active reports.
    pub reports: u32,
    /// People harmed, in the order of [`Measure::ALL`]; `None` is unknown, which is not 0.
    pub harm: [Option<HarmRange>; Measure::COUNT],
    /// Girls or boys are among those harmed.
    pub has_minors: bool,
    /// It goes on.
    pub is_ongoing: bool,
    /// A source is in danger.
    pub is_at_risk: bool,
    /// When its first report was received: see [`crate::incidents::target::second_of`].
    pub opened_s: u32,
}

/// The local days an incident happened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DaySpan {
    /// First day, inclusive.
    pub first: NaiveDate,
    /// Last day, inclusive, not before the first.
    pub last: NaiveDate,
    /// How precisely the witness gave it.
    pub precision: DatePrecision,
}

/// People harmed: at least `min`, at most `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HarmRange {
    /// Smallest number a report states.
    pub min: u32,
    /// Largest number a report states.
    pub max: u32,
}

/// Review state of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Nobody has looked at it.
    Received,
    /// A reviewer works on it.
    InReview,
    /// Asked back to its sender.
    NeedsInformation,
    /// Two independent sources.
    Corroborated,
    /// Checked; what counts are made of by default.
    Verified,
    /// Contested.
    Disputed,
    /// Could not be checked.
    Unverifiable,
    /// False or out of scope.
    Rejected,
    /// Taken back by its sender or removed.
    Withdrawn,
}

impl Status {
    /// Every status, in the order of its life.
    pub const ALL: [Self; 9] = [
        Self::Received,
        Self::InReview,
        Self::NeedsInformation,
        Self::Corroborated,
        Self::Verified,
        Self::Disputed,
        Self::Unverifiable,
        Self::Rejected,
        Self::Withdrawn,
    ];

    /// Returns the code of the `status` list.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::InReview => "in_review",
            Self::NeedsInformation => "needs_information",
            Self::Corroborated => "corroborated",
            Self::Verified => "verified",
            Self::Disputed => "disputed",
            Self::Unverifiable => "unverifiable",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Returns the status with this code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == code)
    }
}

/// How precisely a date is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatePrecision {
    /// An instant.
    Time,
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
    /// Between two days.
    Range,
}

impl DatePrecision {
    /// Every precision, finest first, `range` last.
    pub const ALL: [Self; 6] =
        [Self::Time, Self::Day, Self::Week, Self::Month, Self::Year, Self::Range];

    /// Returns the code of the `date_precision` list.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
            Self::Range => "range",
        }
    }

    /// Returns the precision with this code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|precision| precision.as_str() == code)
    }

    /// Tells whether the day itself is unknown.
    pub const fn is_coarser_than_a_day(self) -> bool {
        match self {
            Self::Time | Self::Day => false,
            Self::Week | Self::Month | Self::Year | Self::Range => true,
        }
    }
}

/// A number of people, one code of the `affected_count` list each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// Killed.
    Killed,
    /// Injured.
    Injured,
    /// Missing or disappeared.
    Missing,
    /// Detained.
    Detained,
    /// Displaced.
    Displaced,
    /// Survivors of sexual violence.
    SexualViolenceSurvivors,
    /// People affected in total.
    AffectedTotal,
}

impl Measure {
    /// Number of measures.
    pub const COUNT: usize = 7;

    /// Every measure, in the order of the list.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Killed,
        Self::Injured,
        Self::Missing,
        Self::Detained,
        Self::Displaced,
        Self::SexualViolenceSurvivors,
        Self::AffectedTotal,
    ];

    /// Returns the code of the `affected_count` list.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Injured => "injured",
            Self::Missing => "missing",
            Self::Detained => "detained",
            Self::Displaced => "displaced",
            Self::SexualViolenceSurvivors => "sexual_violence_survivors",
            Self::AffectedTotal => "affected_total",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::incidents::facts::{DatePrecision, Status};

    #[test]
    fn codes_are_read_back() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        for precision in DatePrecision::ALL {
            assert_eq!(DatePrecision::parse(precision.as_str()), Some(precision));
        }

        assert_eq!(Status::parse("Verified"), None);
    }
}
