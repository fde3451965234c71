//! Local days as precisely as they are known.

use chrono::{Datelike, NaiveDate};

/// Returns the date as text: `2026`, `2026-04`, `2026-04-03`, or first and last day with a slash between; `None` where
/// nothing is known.
pub fn written(
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
    precision: Option<&str>,
) -> Option<String> {
    let (first, last) = (first?, last?);
    let text = match precision? {
        "year" => format!("{:04}", first.year()),
        "month" => format!("{:04}-{:02}", first.year(), first.month()),
        _ if first == last => first.to_string(),
        _ => format!("{first}/{last}"),
    };
    Some(text)
}

/// Returns the date as one that holds all its days, for formats that know no ranges: that of the month, or of the year, in
/// which both lie; of two years the first.
pub fn enclosing(
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
    precision: Option<&str>,
) -> Option<String> {
    let (days, precision) = ((first?, last?), precision?);
    let coarser = match days {
        (first, last) if first == last || precision == "month" || precision == "year" => precision,
        (first, last) if (first.year(), first.month()) == (last.year(), last.month()) => "month",
        _ => "year",
    };
    written(first, last, Some(coarser))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use crate::exports::dates::{enclosing, written};

    #[track_caller]
    fn check(days: [&str; 2], precision: &str, right: &str, enclosed: &str) {
        let [first, last] = days.map(|day| day.parse::<NaiveDate>().ok());

        assert_eq!(written(first, last, Some(precision)).as_deref(), Some(right));
        assert_eq!(enclosing(first, last, Some(precision)).as_deref(), Some(enclosed));
    }

    #[test]
    fn a_date_is_as_precise_as_it_is_known() {
        check(["2026-04-03", "2026-04-03"], "day", "2026-04-03", "2026-04-03");
        check(["2026-04-03", "2026-04-03"], "time", "2026-04-03", "2026-04-03");
        check(["2026-04-01", "2026-04-30"], "month", "2026-04", "2026-04");
        check(["2026-01-01", "2026-12-31"], "year", "2026", "2026");
        check(["2026-04-06", "2026-04-12"], "week", "2026-04-06/2026-04-12", "2026-04");
        check(["2026-04-27", "2026-05-03"], "range", "2026-04-27/2026-05-03", "2026");
        check(["2026-12-30", "2027-01-02"], "range", "2026-12-30/2027-01-02", "2026");
        assert_eq!(written(None, None, None), None);
    }
}
