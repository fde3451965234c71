//! The parameter `datetime`: an instant or an interval, read as the days it touches.

use chrono::{DateTime, NaiveDate};

/// From a day to a day, each of them open or included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// First day.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub to: Option<NaiveDate>,
}

impl Period {
    /// Reads an instant, `a/b`, `../b` or `a/..`, an empty end being open.
    ///
    /// An end is an instant of RFC 3339, a day, or a day with `T` behind it, as GDAL writes it; the day counts as it is written,
    /// since days of incidents are those of the place.
    pub fn parse(text: &str) -> Option<Self> {
        let Some((from, to)) = text.split_once('/') else {
            let day = parse_end(text)?;
            return Some(Self { from: Some(day), to: Some(day) });
        };
        let is_open = |end: &str| end.is_empty() || end == "..";
        let read = |end: &str| if is_open(end) { Some(None) } else { parse_end(end).map(Some) };
        let period = Self { from: read(from)?, to: read(to)? };
        let is_turned = period.from.zip(period.to).is_some_and(|(from, to)| to < from);
        (!is_turned).then_some(period)
    }

    /// Tells whether it shares a day with these.
    pub fn touches(self, first: NaiveDate, last: NaiveDate) -> bool {
        self.from.is_none_or(|from| last >= from) && self.to.is_none_or(|to| first <= to)
    }
}

fn parse_end(text: &str) -> Option<NaiveDate> {
    let (day, time) = text.split_at_checked(10)?;
    let is_plain = day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let is_instant = || DateTime::parse_from_rfc3339(text).is_ok();
    let is_known = time.is_empty() || time == "T" || is_instant();
    day.parse().ok().filter(|_| is_plain && is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(text: &str) -> Option<(String, String)> {
        let told = |end: Option<NaiveDate>| end.map_or("..".to_owned(), |day| day.to_string());
        Period::parse(text).map(|period| (told(period.from), told(period.to)))
    }

    #[test]
    fn instants_days_and_intervals_are_read() {
        for (text, from, to) in [
            ("2024-03-05T09:00:00Z", "2024-03-05", "2024-03-05"),
            ("2024-03-05T23:30:00-01:00", "2024-03-05", "2024-03-05"),
            ("2024-03-05T09:00:00.123Z/2024-03-06T00:00:00Z", "2024-03-05", "2024-03-06"),
            ("2024-03-05", "2024-03-05", "2024-03-05"),
            ("2024-03-05T/..", "2024-03-05", ".."),
            ("../2024-03-05T", "..", "2024-03-05"),
            ("2024-03-05/", "2024-03-05", ".."),
            ("/2024-03-05", "..", "2024-03-05"),
            ("../..", "..", ".."),
            ("/", "..", ".."),
        ] {
            assert_eq!(days(text), Some((from.to_owned(), to.to_owned())), "{text}");
        }
        for wrong in [
            "",
            "..",
            "2024",
            "2024-03",
            "2024-02-30",
            "20240305",
            "2024-03-05T25:00:00Z",
            "2024-03-05T09:00",
            "now",
            "+024-03-05",
            "2024-03-06/2024-03-05",
            "2024-03-05/2024-03-06/2024-03-07",
            "2024-03-05 09:00:00Z/x",
        ] {
            assert_eq!(days(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_period_touches_days_that_reach_into_it() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let march = (day("2024-03-01"), day("2024-03-31"));
        for (text, is_touched) in [
            ("2024-03-15", true),
            ("2024-03-31/..", true),
            ("2024-04-01/..", false),
            ("../2024-03-01", true),
            ("../2024-02-29", false),
            ("../..", true),
        ] {
            assert_eq!(
                Period::parse(text).unwrap().touches(march.0, march.1),
                is_touched,
                "{text}"
            );
        }
    }
}
