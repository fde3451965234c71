//! Reads single values of query parameters: days, boxes, names almost right.

use chrono::{Months, NaiveDate};

use crate::incidents::filter::BoundingBox;

/// Reads a day or a month as its first and last day.
pub(crate) fn parse_days(value: &str) -> Option<(NaiveDate, NaiveDate)> {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match value.len() {
        10 if is_plain => value.parse().ok().map(|day| (day, day)),
        7 if is_plain => {
            let first: NaiveDate = format!("{value}-01").parse().ok()?;
            Some((first, first.checked_add_months(Months::new(1))?.pred_opt()?))
        }
        _ => None,
    }
}

/// Reads west, south, east, north in degrees.
pub(crate) fn parse_bbox(value: &str) -> Option<BoundingBox> {
    let edges: Vec<i32> =
        value.split(',').map(|edge| parse_microdegrees(edge.trim())).collect::<Option<_>>()?;
    let [west_e6, south_e6, east_e6, north_e6] = edges.try_into().ok()?;
    let is_inside = west_e6 >= -180_000_000
        && east_e6 <= 180_000_000
        && south_e6 >= -90_000_000
        && north_e6 <= 90_000_000;
    (is_inside && west_e6 <= east_e6 && south_e6 <= north_e6).then_some(BoundingBox {
        west_e6,
        south_e6,
        east_e6,
        north_e6,
    })
}

/// Reads decimal degrees as microdegrees, exactly; a seventh decimal is cut.
fn parse_microdegrees(text: &str) -> Option<i32> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_plain = [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let whole_e6 = whole.parse::<i32>().ok().filter(|_| is_plain)?.checked_mul(1_000_000)?;
    whole_e6.checked_add(fraction.parse().ok()?)?.checked_mul(sign)
}

/// Counts the letters to insert, delete or change to get from one name to the other (Levenshtein 1966).
pub(crate) fn count_edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.chars().take(40).enumerate() {
        let mut left = at + 1;
        let mut next = vec![left];
        for (pair, other) in row.windows(2).zip(&to) {
            let &[diagonal, above] = pair else { continue };
            left = (diagonal + usize::from(letter != *other)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
