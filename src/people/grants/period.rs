//! The time within which a grant holds.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::error::FieldError;

/// From then on nothing is taken: whoever means "for ever" gives no end.
const LAST_YEAR: &str = "2199-12-31";

/// From an instant to an instant; the latter is outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The instant at which it is over; `None`: it has no end.
    pub until: Option<DateTime<Utc>>,
}

impl Period {
    /// Reads days or instants (RFC 3339). A day as `from` begins at its midnight, as `until` it is the last day in full,
    /// both in UTC. A beginning that has gone by means now: what somebody could see is never changed afterwards.
    ///
    /// # Errors
    /// What is wrong with either, under `pointer`.
    pub fn read(
        pointer: &str,
        from: Option<&str>,
        until: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Self, FieldError> {
        let begin = from.map(|text| read_instant(&format!("{pointer}/from"), text, Edge::First));
        let end = until.map(|text| read_instant(&format!("{pointer}/until"), text, Edge::Last));
        let from = begin.transpose()?.map_or(now, |from| from.max(now));
        let until = end.transpose()?;
        if until.is_some_and(|until| until <= from) {
            return Err(FieldError::new(
                format!("{pointer}/until"),
                "this is over before it begins, or has gone by already",
                "la fin précède le début, ou est déjà passée",
            ));
        }
        Ok(Self { from, until })
    }

    /// Tells whether it holds at `now`.
    pub fn holds_at(&self, now: DateTime<Utc>) -> bool {
        self.from <= now && !self.is_over_at(now)
    }

    /// Tells whether it is over at `now`.
    pub fn is_over_at(&self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Tells whether both hold at some instant.
    pub fn overlaps(&self, other: &Self) -> bool {
        !self.is_over_at(other.from) && !other.is_over_at(self.from)
    }
}

#[derive(Clone, Copy)]
enum Edge {
    First,
    Last,
}

fn read_instant(pointer: &str, text: &str, edge: Edge) -> Result<DateTime<Utc>, FieldError> {
    let limit = LAST_YEAR.parse::<NaiveDate>().ok();
    let of_day = |day: NaiveDate| {
        let first = match edge {
            Edge::First => Some(day),
            Edge::Last => day.succ_opt(),
        };
        Some(first?.and_time(NaiveTime::MIN).and_utc())
    };
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(of_day);
    let instant = day.or_else(|| Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc()));
    let is_near = |at: &DateTime<Utc>| limit.is_some_and(|limit| at.date_naive() <= limit);
    instant.filter(is_near).map(whole_ms).ok_or_else(|| {
        FieldError::new(
            pointer,
            format!("give a day such as 2026-06-30, or an instant such as 2026-06-30T12:00:00Z, before {LAST_YEAR}"),
            format!("donnez un jour comme 2026-06-30, ou un instant comme 2026-06-30T12:00:00Z, avant le {LAST_YEAR}"),
        )
    })
}

/// The database keeps milliseconds.
fn whole_ms(at: DateTime<Utc>) -> DateTime<Utc> {
    at - TimeDelta::nanoseconds(i64::from(at.timestamp_subsec_nanos() % 1_000_000))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use crate::people::grants::period::Period;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn read(from: Option<&str>, until: Option<&str>) -> Result<Period, String> {
        let now = at("2024-04-01T12:00:00Z");
        Period::read("/grants/0", from, until, now).map_err(|fault| fault.pointer)
    }

    #[test]
    fn a_day_is_meant_in_full_at_either_end() {
        let period = read(Some("2024-05-01"), Some("2024-05-01")).unwrap();

        assert_eq!(period.from, at("2024-05-01T00:00:00Z"));
        assert_eq!(period.until, Some(at("2024-05-02T00:00:00Z")));
        assert!(period.holds_at(at("2024-05-01T23:59:59.999Z")));
        assert!(!period.holds_at(at("2024-04-30T23:59:59.999Z")));
        assert!(!period.holds_at(at("2024-05-02T00:00:00Z")));
    }

    #[test]
    fn an_instant_is_exact_and_its_end_outside() {
        let period = read(Some("2024-05-01T10:00:00+01:00"), Some("2024-05-01T10:00:00Z")).unwrap();

        assert_eq!(period.from, at("2024-05-01T09:00:00Z"));
        assert!(!period.holds_at(at("2024-05-01T10:00:00Z")));
    }

    #[test]
    fn what_has_gone_by_begins_now_and_cannot_end_before() {
        let now = at("2024-04-01T12:00:00Z");

        assert_eq!(read(None, None).unwrap(), Period { from: now, until: None });
        assert_eq!(read(Some("2020-01-01"), None).unwrap().from, now);
        assert_eq!(read(None, Some("2024-03-31")).unwrap_err(), "/grants/0/until");
        assert!(read(None, Some("2024-04-01")).is_ok(), "the rest of today");
        assert_eq!(read(Some("2024-05-02"), Some("2024-05-01")).unwrap_err(), "/grants/0/until");
    }

    #[test]
    fn what_is_no_day_is_refused_where_it_stands() {
        for text in ["", "yesterday", "2024-02-30", "2024-5-1x", "9999-12-31", "2200-01-01"] {
            assert_eq!(read(Some(text), None).unwrap_err(), "/grants/0/from", "{text}");
            assert_eq!(read(None, Some(text)).unwrap_err(), "/grants/0/until", "{text}");
        }
    }

    #[test]
    fn periods_that_touch_do_not_overlap() {
        let first = read(None, Some("2024-06-30")).unwrap();
        let second = read(Some("2024-07-01"), None).unwrap();
        let both = read(Some("2024-06-01"), Some("2024-07-31")).unwrap();

        assert!(!first.overlaps(&second) && !second.overlaps(&first));
        assert!(both.overlaps(&first) && second.overlaps(&both) && first.overlaps(&first));
    }
}
