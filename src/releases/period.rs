//! Months, and what of them a release covers.

use std::fmt;

use chrono::NaiveDate;

use crate::error::FieldError;

/// A month of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// The year, 1900 to 2200.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
}

impl Month {
    /// Returns the month, where there is one.
    pub fn new(year: i32, month: u32) -> Option<Self> {
        ((1900..=2200).contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    /// Reads `2024-03`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let are_digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if !are_digits || year.len() != 4 || month.len() != 2 {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?)
    }

    /// Returns the month after it.
    pub fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year + 1, month: 1 },
            month => Self { month: month + 1, ..self },
        }
    }

    /// Returns its first day.
    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default()
    }

    /// Returns its last day.
    pub fn last_day(self) -> NaiveDate {
        self.next().first_day().pred_opt().unwrap_or_default()
    }

    /// Returns its quarter, 1 to 4.
    pub fn quarter(self) -> u32 {
        self.month.div_ceil(3)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:02}", self.year, self.month)
    }
}

/// When an incident was, as finely as the partition goes. What is coarser than a month stands apart from the months, so
/// that it is in no month and in their quarter or year all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// In one month.
    Month(Month),
    /// In one quarter of a year, in more than one of its months.
    Quarter(i32, u32),
    /// In one year, in more than one of its quarters.
    Year(i32),
}

impl When {
    /// Returns when an incident was that lasted from a month to a month; `None` where that is more than a year.
    pub fn spanning(first: Month, last: Month) -> Option<Self> {
        if first.year != last.year || last < first {
            return None;
        }
        Some(if first == last {
            Self::Month(first)
        } else if first.quarter() == last.quarter() {
            Self::Quarter(first.year, first.quarter())
        } else {
            Self::Year(first.year)
        })
    }

    /// Returns the month with which it is over.
    pub fn last_month(self) -> Month {
        match self {
            Self::Month(month) => month,
            Self::Quarter(year, quarter) => Month { year, month: quarter * 3 },
            Self::Year(year) => Month { year, month: 12 },
        }
    }

    /// Returns the codes of what holds it, the narrowest first.
    pub fn codes(self) -> Vec<String> {
        match self {
            Self::Month(month) => vec![
                month.to_string(),
                format!("{}-Q{}", month.year, month.quarter()),
                month.year.to_string(),
            ],
            Self::Quarter(year, quarter) => vec![
                format!("{year}-Q{quarter}-XX"),
                format!("{year}-Q{quarter}"),
                year.to_string(),
            ],
            Self::Year(year) => vec![format!("{year}-XX"), year.to_string()],
        }
    }
}

/// Returns the first and the last month of a code such as `2024`, `2024-XX`, `2024-Q1`, `2024-Q1-XX` or `2024-03`.
pub fn months_of(code: &str) -> Option<(Month, Month)> {
    let (year, rest) = code.split_at_checked(4)?;
    let year: i32 = year.parse().ok()?;
    let rest = rest.strip_suffix("-XX").unwrap_or(rest);
    if rest.is_empty() {
        return Some((Month::new(year, 1)?, Month::new(year, 12)?));
    }
    if let Some(quarter) = rest.strip_prefix("-Q") {
        let quarter: u32 = quarter.parse().ok().filter(|quarter| (1..=4).contains(quarter))?;
        return Some((Month::new(year, quarter * 3 - 2)?, Month::new(year, quarter * 3)?));
    }
    let month = Month::parse(code)?;
    Some((month, month))
}

/// Reads a month that a caller wrote.
///
/// # Errors
/// What is wrong with it.
pub fn read_month(pointer: &str, text: &str) -> Result<Month, FieldError> {
    Month::parse(text).ok_or_else(|| {
        FieldError::new(
            pointer,
            "a month is written as 2024-03, in a year from 1900 to 2200",
            "un mois s'écrit 2024-03, dans une année de 1900 à 2200",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_names_its_months() {
        let told = |code| months_of(code).map(|(from, to)| format!("{from} {to}"));

        assert_eq!(told("2024").as_deref(), Some("2024-01 2024-12"));
        assert_eq!(told("2024-XX").as_deref(), Some("2024-01 2024-12"));
        assert_eq!(told("2024-Q2").as_deref(), Some("2024-04 2024-06"));
        assert_eq!(told("2024-Q2-XX").as_deref(), Some("2024-04 2024-06"));
        assert_eq!(told("2024-03").as_deref(), Some("2024-03 2024-03"));
        assert_eq!(told("2024-Q5"), None);
        assert_eq!(told("2024-13"), None);
    }

    #[test]
    fn what_is_coarser_than_a_month_is_over_with_its_quarter_or_year() {
        let month = |text| Month::parse(text).expect("a month");
        let told = |from, to| {
            let when = When::spanning(month(from), month(to))?;
            Some(format!("{} {}", when.codes()[0], when.last_month()))
        };

        assert_eq!(told("2024-02", "2024-02").as_deref(), Some("2024-02 2024-02"));
        assert_eq!(told("2024-01", "2024-02").as_deref(), Some("2024-Q1-XX 2024-03"));
        assert_eq!(told("2024-02", "2024-05").as_deref(), Some("2024-XX 2024-12"));
        assert_eq!(told("2023-12", "2024-01"), None);
    }
}
