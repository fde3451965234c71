//! Text search: opens the sealed text inside the caller's scope and scans it. There is no plaintext index.

use std::collections::HashSet;

use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl,
    RunQueryDsl,
};
use serde_json::Value;

use crate::auth::types::Scope;
use crate::db::dialect::DbConn;
use crate::db::schema::{data_keys, incident_facts, reports, sealed};
use crate::error::{Error, Result};
use crate::geo::countries::CountryCode;
use crate::geo::names::fold;
use crate::ids::ReportId;
use crate::keys;
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealed, Sealer};

/// Reports opened at once.
const WINDOW: i64 = 500;

/// A sealed text with its report: row id, public id, incident's row id, version, blob, wrapped key, key id.
type SealedText = (i64, ReportId, i64, i32, Vec<u8>, Vec<u8>, String);

/// Returns the row ids of incidents in `scope` with an active report whose narrative, company or details hold every
/// word of `query`, case- and accent-blind.
///
/// # Errors
/// When the database fails or a part does not open.
pub fn search_text(
    conn: &mut DbConn,
    sealer: &Sealer,
    scope: &Scope,
    query: &str,
) -> Result<HashSet<i64>> {
    let words: Vec<String> = query.split_whitespace().map(fold).collect();
    let mut found = HashSet::new();
    let mut after = 0;
    loop {
        let window = list_texts(conn, scope, after)?;
        let Some(last) = window.last() else {
            return Ok(found);
        };
        after = last.0;
        for (_, report, incident, version, blob, wrapped_key, key_id) in window {
            let owner = Owner { kind: OwnerKind::Report, id: report.uuid() };
            let version = u32::try_from(version).map_err(Error::internal)?;
            let content = Sealed { wrapped_key, key_id, blob };
            let bytes = keys::opening::open(conn, sealer, (owner, Part::Text, version), &content)?;
            let text: Value = serde_json::from_slice(&bytes).map_err(Error::internal)?;
            if holds_all(&text, &words) {
                found.insert(incident);
            }
        }
    }
}

fn list_texts(conn: &mut DbConn, scope: &Scope, after: i64) -> Result<Vec<SealedText>> {
    let mut query = reports::table
        .inner_join(
            sealed::table.on(sealed::owner_id
                .eq(reports::uuid)
                .and(sealed::part.eq(Part::Text.as_str()))
                .and(sealed::owner_kind.eq(OwnerKind::Report.as_str()))),
        )
        .inner_join(incident_facts::table.on(incident_facts::incident_id.eq(reports::incident_id)))
        .inner_join(data_keys::table.on(sealed::key_id.eq(data_keys::id.nullable())))
        .filter(reports::id.gt(after))
        .filter(sealed::version.eq(reports::revision))
        .filter(reports::state.eq("active"))
        .into_boxed();
    if let Scope::Countries(countries) = scope {
        let codes: Vec<&str> = countries.iter().map(CountryCode::as_str).collect();
        let computed: Vec<Option<&str>> = codes.iter().map(|code| Some(*code)).collect();
        query = query.filter(
            incident_facts::country
                .eq_any(codes)
                .nullable()
                .or(incident_facts::country_computed.eq_any(computed)),
        );
    }
    let rows = query
        .order(reports::id)
        .limit(WINDOW)
        .select((
            reports::id,
            reports::uuid,
            reports::incident_id,
            sealed::version,
            sealed::blob,
            data_keys::wrapped,
            data_keys::kek_id,
        ))
        .load(conn)?;
    Ok(rows)
}

fn holds_all(text: &Value, words: &[String]) -> bool {
    let mut haystack = String::new();
    for name in ["narrative", "company", "smuggling", "environment", "governance"] {
        if let Some(told) = text.get(name) {
            add_words(told, &mut haystack);
        }
    }
    let haystack = fold(&haystack);
    words.iter().all(|word| haystack.contains(word.as_str()))
}

/// Adds what was told, never the names of the fields it was told in.
fn add_words(told: &Value, haystack: &mut String) {
    match told {
        Value::String(words) => {
            haystack.push_str(words);
            haystack.push(' ');
        }
        Value::Object(details) => details.values().for_each(|detail| add_words(detail, haystack)),
        Value::Array(items) => items.iter().for_each(|item| add_words(item, haystack)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_are_found_whatever_their_case_and_accents() {
        let text = json!({ "narrative": "Rivière polluée à Séguéla", "smuggling": { "route": "par le fleuve" } });
        let holds =
            |query: &str| holds_all(&text, &query.split_whitespace().map(fold).collect::<Vec<_>>());

        assert!(holds("seguela RIVIERE"));
        assert!(holds("fleuve"));
        assert!(!holds("séguéla mercure"));
        assert!(!holds("route"), "the name of a field is no word of the witness");
    }
}
