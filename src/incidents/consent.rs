//! What a release may hold of an incident, by what the sources of its reports agreed to.
//!
//! A source who agreed to internal use alone keeps the whole incident out. Where one did not say, or said that there is
//! no consent, the incident is counted and nothing of it is quoted.

use std::collections::BTreeMap;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::schema::reports;
use crate::error::{Error, Result};
use crate::incidents::types::ReportCodes;

/// What a release may hold of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// It is counted, and every source agreed to be shared.
    Shared,
    /// It is counted and never quoted.
    Counted,
    /// It is left out.
    LeftOut,
}

impl Release {
    /// Returns its code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Counted => "counted",
            Self::LeftOut => "left_out",
        }
    }

    /// Returns what the `consent` code of one report allows.
    pub fn of(consent: Option<&str>) -> Self {
        match consent {
            Some("internal_use") => Self::LeftOut,
            Some("share_anonymised" | "share_identified") => Self::Shared,
            // None at all, `none`, or a code of a later list: nobody agreed to being quoted.
            Some(_) | None => Self::Counted,
        }
    }
}

/// Returns what a release may hold of each of these incidents, by row id: the least that one of its active reports
/// allows. One without an active report is left out of the answer.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn list_releases(conn: &mut DbConn, incidents: &[i64]) -> Result<BTreeMap<i64, Release>> {
    let rows: Vec<(i64, String)> = reports::table
        .filter(reports::incident_id.eq_any(incidents.to_vec()))
        .filter(reports::state.eq("active"))
        .select((reports::incident_id, reports::codes))
        .load(conn)?;
    let mut releases = BTreeMap::new();
    for (incident, codes) in rows {
        let codes: ReportCodes = serde_json::from_str(&codes).map_err(Error::internal)?;
        let release = Release::of(codes.consent.as_deref());
        let least = releases.entry(incident).or_insert(release);
        *least = release.max(*least);
    }
    Ok(releases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::lists::{CodeLists, ListName};

    #[test]
    fn every_code_of_the_list_allows_what_it_says_and_silence_allows_counting() {
        let lists = CodeLists::builtin().expect("the lists");
        let codes = lists.list(ListName::Consent).codes().iter();
        let told: Vec<(&str, &str)> = codes
            .map(|code| (code.code.as_str(), Release::of(Some(&code.code)).as_str()))
            .collect();

        assert_eq!(
            told,
            [
                ("none", "counted"),
                ("internal_use", "left_out"),
                ("share_anonymised", "shared"),
                ("share_identified", "shared"),
            ]
        );
        assert_eq!(Release::of(None), Release::Counted);
        assert!(Release::LeftOut > Release::Counted && Release::Counted > Release::Shared);
    }
}
