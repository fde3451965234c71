//! Releases and what they are made of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{ReleaseId, UserId};
use crate::releases::partition::{Folding, Rule};
use crate::releases::period::{Month, months_of};

/// Incidents that are told as one figure, as they were released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasedAtom {
    /// Alpha-3 code.
    pub country: String,
    /// Codes of areas, `none` among them, or `*`.
    pub places: Vec<String>,
    /// Codes of times.
    pub times: Vec<String>,
    /// Codes of categories or themes, or `*`.
    pub categories: Vec<String>,
    /// The figure; `None` where it may not be told.
    pub incidents: Option<u32>,
    /// Whether it is the figure of the release before, because the new one differs too little.
    pub is_kept: bool,
    /// Why place, time and category are no finer.
    pub folded: [Option<Folding>; 3],
}

impl ReleasedAtom {
    /// Tells whether any of it lies in these months.
    pub fn touches(&self, first: Month, last: Month) -> bool {
        self.times
            .iter()
            .filter_map(|code| months_of(code))
            .any(|(from, to)| from <= last && first <= to)
    }

    /// Tells whether any of it lies in a year.
    pub fn is_in(&self, year: i32) -> bool {
        let month = |month| Month { year, month };
        self.touches(month(1), month(12))
    }

    /// Tells whether it is told as finely as anything is: one area, one month, one category.
    pub fn is_finest(&self) -> bool {
        let is_one = |codes: &[String]| codes.len() == 1;
        let is_month = self.times.iter().all(|code| Month::parse(code).is_some());
        let is_category = self.categories.iter().all(|code| code.contains('.'));
        let is_area = self.places.iter().all(|code| code != crate::releases::axis::ALL);
        is_one(&self.places)
            && is_one(&self.times)
            && is_one(&self.categories)
            && is_area
            && is_month
            && is_category
    }
}

/// Incidents that a release does not count, by reason; for coordinators.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftOut {
    /// One of their sources agreed to internal use alone.
    pub consent: u32,
    /// Without a day, or over more than a year.
    pub undated: u32,
    /// Over before the first month or after the last.
    pub other_times: u32,
    /// In a country without a member of the coalition.
    pub other_countries: u32,
    /// Without a category.
    pub uncategorised: u32,
    /// In an area or of a category that the frozen shape of their time does not know.
    pub unknown_to_shape: u32,
    /// In atoms whose figure is withheld.
    pub withheld: u32,
}

/// What is no longer shown of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// These months; `None` is all of it.
    pub months: Option<(Month, Month)>,
    /// Who withdrew it.
    pub by: UserId,
    /// When.
    pub at: DateTime<Utc>,
}

/// The second person's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approval {
    /// 1 for the first release that was published.
    pub version: i32,
    /// Who approved it.
    pub by: UserId,
    /// When: from then on it is public.
    pub at: DateTime<Utc>,
}

/// A release without its atoms.
#[derive(Debug, Clone)]
pub struct Release {
    /// Row id.
    pub row_id: i64,
    /// Public id.
    pub id: ReleaseId,
    /// The first month.
    pub first: Month,
    /// The last month.
    pub last: Month,
    /// The rule of its atoms.
    pub rule: Rule,
    /// Row id of the release whose shape it goes on with.
    pub based_on: Option<i64>,
    /// Who built it.
    pub built_by: UserId,
    /// When.
    pub built_at: DateTime<Utc>,
    /// How many atoms it has.
    pub n_atoms: i32,
    /// Of the file of its atoms, in hexadecimal.
    pub sha256: String,
    /// What it does not count.
    pub left_out: LeftOut,
    /// Whether and by whom it was approved.
    pub approval: Option<Approval>,
    /// What is no longer shown of it.
    pub withdrawals: Vec<Withdrawal>,
    /// Months of it that were withdrawn from another release: since it was published, and then it shows them no longer either; of
    /// a draft, ever, and then it would tell them again.
    pub withdrawn_elsewhere: Vec<(Month, Month)>,
}

/// Where a release stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody but coordinators sees it.
    Draft,
    /// It is public.
    Published,
    /// It was public and is no longer shown.
    Withdrawn,
}

impl State {
    /// Returns its code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Release {
    /// Returns where it stands.
    pub fn state(&self) -> State {
        if self.withdrawals.iter().any(|withdrawal| withdrawal.months.is_none()) {
            State::Withdrawn
        } else if self.approval.is_some() {
            State::Published
        } else {
            State::Draft
        }
    }

    /// Returns the months that are no longer shown of it.
    pub fn withdrawn_months(&self) -> impl Iterator<Item = (Month, Month)> {
        let own = self.withdrawals.iter().filter_map(|withdrawal| withdrawal.months);
        let elsewhere = self.withdrawn_elsewhere.iter().copied();
        own.chain(elsewhere.filter(|_| self.approval.is_some()))
    }

    /// Tells whether an atom of it is still shown, where it is not withdrawn as a whole.
    pub fn shows(&self, atom: &ReleasedAtom) -> bool {
        self.withdrawn_months().all(|(from, to)| !atom.touches(from, to))
    }
}
