//! What the audit log says of what was asked for: codes alone.

use serde_json::Value;

use crate::audit::Entry;
use crate::auth::types::Scope;
use crate::exports::wanted::{Start, Wanted};
use crate::geo::countries::CountryCode;
use crate::incidents::filter::IncidentFilter;

/// Most characters of an entry's filter.
const MOST_CHARS: usize = 1_000;

/// Returns the file and its filter. Of places finer than areas only that they were asked for is told.
pub fn told(wanted: &Wanted, filter: &IncidentFilter) -> String {
    let mut parts = vec![wanted.file_name()];
    if !wanted.by.is_empty() {
        let by: Vec<&str> = wanted.by.iter().map(|by| by.as_str()).collect();
        parts.push(format!("by={}", by.join(",")));
    }
    if wanted.limit.is_some() || wanted.start != Start::First {
        parts.push("part".to_owned());
    }
    // A filter of plain codes always has a form in JSON.
    if let Ok(Value::Object(filters)) = serde_json::to_value(filter.canonical()) {
        for (name, value) in filters {
            let is_fine = matches!(name.as_str(), "bbox" | "h3" | "site" | "q");
            let told = if is_fine { "given".to_owned() } else { plain(&value) };
            parts.push(format!("{name}={told}"));
        }
    }
    parts.join(" ").chars().take(MOST_CHARS).collect()
}

/// Returns `entry` as one that reviewers of these countries read: those asked for, or else all that whoever asked may see. An
/// entry tells two of them; of a wider file everybody who reads all entries learns.
pub fn told_within(entry: Entry, asked_for: &[String], scope: &Scope) -> Entry {
    let countries: Vec<&str> = match scope {
        _ if !asked_for.is_empty() => asked_for.iter().map(String::as_str).collect(),
        Scope::All => Vec::new(),
        Scope::Countries(countries) => countries.iter().map(CountryCode::as_str).collect(),
    };
    match countries.as_slice() {
        [country] => entry.within(country, None),
        [country, other] => entry.within(country, Some(other)),
        _ => entry,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::aggregates::fixture::reference;
    use crate::exports::told::told;
    use crate::exports::wanted::{Format, Table, Wanted};
    use crate::http::query::Pairs;
    use crate::incidents::filter::IncidentFilter;

    #[test]
    fn codes_are_told_and_fine_places_are_not() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut pairs = Pairs(vec![
            pair("country", "SLE,COD"),
            pair("bbox", "-12,6,-10,10"),
            pair("by", "month"),
            pair("from", "2024-03"),
        ]);
        let wanted = Wanted::take(&mut pairs, Table::Aggregates, Format::Csv).unwrap();
        let filter = IncidentFilter::parse(&pairs.0, &[], &reference()).unwrap();

        assert_eq!(
            told(&wanted, &filter),
            "aggregates.csv by=month bbox=given country=COD,SLE from=2024-03-01 status=verified"
        );
    }
}
