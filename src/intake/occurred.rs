//! When it happened, as the witness says it, and the local days it stands for.
//!
//! Counting uses the day *at the place*. A month never becomes its first day, a day never becomes an instant.

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::incidents::facts::{DatePrecision, DaySpan};

/// A time as the witness tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurred {
    /// An instant with the offset it was told in.
    Instant {
        /// The instant.
        at: DateTime<FixedOffset>,
        /// Told as `Z`: an instant, but no word about the local clock.
        is_utc: bool,
    },
    /// A day.
    Day(NaiveDate),
    /// A month, by its first day.
    Month(NaiveDate),
    /// A year, by its first day.
    Year(NaiveDate),
    /// From one day to another, both included.
    Range(NaiveDate, NaiveDate),
}

/// Oldest year that is read: what lies before is a slip of the pen.
const FIRST_YEAR: i32 = 1900;
/// Last year that is read. A clock set to 2031 is flagged; a year of five digits is no date.
const LAST_YEAR: i32 = 9999;

impl Occurred {
    /// Reads RFC 3339 with an offset, `YYYY-MM-DD`, `YYYY-MM`, `YYYY`, or `YYYY-MM-DD/YYYY-MM-DD`; `None` otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        let parsed = if let Some((first, last)) = text.split_once('/') {
            let (first, last) = (parse_day(first)?, parse_day(last)?);
            if first > last {
                return None;
            }
            if first == last { Self::Day(first) } else { Self::Range(first, last) }
        } else {
            match text.len() {
                4 => Self::Year(parse_day(&format!("{text}-01-01"))?),
                7 => Self::Month(parse_day(&format!("{text}-01"))?),
                10 => Self::Day(parse_day(text)?),
                _ => parse_instant(text)?,
            }
        };
        (FIRST_YEAR..=LAST_YEAR).contains(&parsed.year()).then_some(parsed)
    }

    fn year(self) -> i32 {
        match self {
            Self::Instant { at, .. } => at.year(),
            Self::Day(day) | Self::Month(day) | Self::Year(day) | Self::Range(day, _) => day.year(),
        }
    }

    /// Returns the one spelling of this time that the canonical form uses.
    pub fn canonical(self) -> String {
        match self {
            Self::Instant { at, is_utc } => {
                at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, is_utc)
            }
            Self::Day(day) => day.to_string(),
            Self::Month(day) => day.format("%Y-%m").to_string(),
            Self::Year(day) => day.format("%Y").to_string(),
            Self::Range(first, last) => format!("{first}/{last}"),
        }
    }

    /// Tells whether the zone of the place is needed to know the day: an instant told in UTC.
    pub fn needs_zone(self) -> bool {
        matches!(self, Self::Instant { is_utc: true, .. })
    }

    /// Returns the local days this time stands for. An instant is read on the clock of `zone`, without one on the clock
    /// it was told in.
    pub fn span(self, zone: Option<Tz>) -> DaySpan {
        let (first, last, precision) = match self {
            Self::Instant { at, .. } => {
                let day = zone
                    .map_or_else(|| at.date_naive(), |zone| at.with_timezone(&zone).date_naive());
                (day, day, DatePrecision::Time)
            }
            Self::Day(day) => (day, day, DatePrecision::Day),
            Self::Month(first) => (first, last_before(first, 1), DatePrecision::Month),
            Self::Year(first) => (first, last_before(first, 12), DatePrecision::Year),
            Self::Range(first, last) => (first, last, DatePrecision::Range),
        };
        DaySpan { first, last, precision }
    }

    /// Tells whether no sound clock can have said this: after tomorrow, or before phones told the time.
    pub fn is_implausible(self, now: DateTime<Utc>) -> bool {
        let first = self.span(None).first;
        let is_instant = matches!(self, Self::Instant { .. });
        first > now.date_naive() + Days::new(1) || (is_instant && first.year() < 2000)
    }
}

/// Returns the day before the one that lies `n_months` after `first`.
fn last_before(first: NaiveDate, n_months: u32) -> NaiveDate {
    first
        .checked_add_months(Months::new(n_months))
        .and_then(|next| next.pred_opt())
        .unwrap_or(first)
}

fn parse_day(text: &str) -> Option<NaiveDate> {
    let is_plain =
        text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| is_plain)
}

fn parse_instant(text: &str) -> Option<Occurred> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    let is_utc = text.ends_with(['Z', 'z']);
    Some(Occurred::Instant { at, is_utc })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, zone: Option<Tz>, first: &str, last: &str, precision: DatePrecision) {
        let occurred = Occurred::parse(text).unwrap_or_else(|| panic!("{text} is read"));

        let span = occurred.span(zone);

        let days = (span.first.to_string(), span.last.to_string(), span.precision);
        assert_eq!(days, (first.to_owned(), last.to_owned(), precision), "{text}");
        assert_eq!(
            Occurred::parse(&occurred.canonical()),
            Some(occurred),
            "{text} survives its canonical form"
        );
    }

    #[test]
    fn the_day_is_that_of_the_place() {
        let lubumbashi = Some(chrono_tz::Africa::Lubumbashi);
        check(
            "2024-03-01T00:30:00+02:00",
            lubumbashi,
            "2024-03-01",
            "2024-03-01",
            DatePrecision::Time,
        );
        check("2024-02-29T22:30:00Z", lubumbashi, "2024-03-01", "2024-03-01", DatePrecision::Time);
        check("2024-02-29T22:30:00Z", None, "2024-02-29", "2024-02-29", DatePrecision::Time);
        check("2024-03-20T22:15:00+02:00", None, "2024-03-20", "2024-03-20", DatePrecision::Time);
    }

    #[test]
    fn a_coarse_time_keeps_its_width() {
        check("2024-03", None, "2024-03-01", "2024-03-31", DatePrecision::Month);
        check("2024", None, "2024-01-01", "2024-12-31", DatePrecision::Year);
        check("2024-02", None, "2024-02-01", "2024-02-29", DatePrecision::Month);
        check("2024-03-01/2024-03-05", None, "2024-03-01", "2024-03-05", DatePrecision::Range);
        check("2024-03-05/2024-03-05", None, "2024-03-05", "2024-03-05", DatePrecision::Day);
        check("9999-12", None, "9999-12-01", "9999-12-31", DatePrecision::Month);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "03/04/2024",
            "2024-13",
            "2024-02-30",
            "2024-03-05T09:00:00",
            "2024-3-5",
            "24",
            "",
            "2024-W10",
            "2024-03-05/2024-03-01",
            "0024-01-01",
            "+2024",
            "2024-03-05T25:00:00Z",
            "hier",
            "٢٠٢٤",
        ] {
            assert_eq!(Occurred::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_absurd_clock_is_noticed() {
        let now =
            DateTime::parse_from_rfc3339("2024-03-31T12:00:00Z").expect("an instant").to_utc();
        let is_implausible = |text| Occurred::parse(text).expect("a time").is_implausible(now);

        assert!(is_implausible("1970-01-01T00:00:10Z"));
        assert!(is_implausible("2031-01-01"));
        assert!(!is_implausible("2024-04-01T01:00:00+03:00"), "already tomorrow somewhere");
        assert!(!is_implausible("1998-05"), "an old story told by its month");
    }
}
