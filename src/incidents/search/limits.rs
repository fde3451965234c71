//! How much is searched, and by how many at once: a search opens texts one by one, which costs the machine what it has.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::config::SearchConfig;
use crate::error::{Code, Error, Result};
use crate::incidents::filter::IncidentFilter;

/// The limits of searching, and who searches now.
#[derive(Debug)]
pub struct Searches {
    /// Most reports opened by one search.
    pub max_reports: u64,
    /// How long one search may go on.
    pub time: Duration,
    at_once: usize,
    running: AtomicUsize,
}

/// One search that runs; it ends when dropped.
#[derive(Debug)]
pub struct Turn<'a>(&'a AtomicUsize);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Searches {
    /// Returns them as configured; nobody searches yet.
    pub fn new(config: &SearchConfig) -> Self {
        Self {
            max_reports: u64::from(config.max_reports),
            time: Duration::from_secs(u64::from(config.seconds)),
            at_once: usize::from(config.at_once),
            running: AtomicUsize::new(0),
        }
    }

    /// Begins a search.
    ///
    /// # Errors
    /// `Unavailable` when as many as may run already do.
    pub fn begin(&self) -> Result<Turn<'_>> {
        // Taken first: dropped again where it is one too many.
        let turn = Turn(&self.running);
        if self.running.fetch_add(1, Ordering::AcqRel) < self.at_once {
            return Ok(turn);
        }
        drop(turn);
        Err(Error::new(Code::Unavailable).detail(
            format!("{} text searches run already: try again in a moment", self.at_once),
            format!(
                "{} recherches de texte sont déjà en cours : réessayez dans un instant",
                self.at_once
            ),
        ))
    }

    /// Checks that a search would not open too many reports.
    ///
    /// # Errors
    /// `SearchTooWide`.
    pub fn check(&self, n_reports: u64, filter: &IncidentFilter) -> Result<()> {
        if n_reports <= self.max_reports {
            return Ok(());
        }
        let (limit, names) = (self.max_reports, narrowing(filter).join(", "));
        Err(self.too_wide((n_reports, 0), filter).detail(
            format!(
                "the other filters leave {n_reports} reports to search and at most {limit} are searched at once: narrow your search by {names}"
            ),
            format!(
                "les autres filtres laissent {n_reports} rapports à parcourir et {limit} au plus le sont à la fois : restreignez votre recherche par {names}"
            ),
        ))
    }

    /// Returns the error of a search that took too long: `n_searched` of `n_reports` were searched in time.
    pub fn took_too_long(
        &self,
        (n_reports, n_searched): (u64, u64),
        filter: &IncidentFilter,
    ) -> Error {
        let (seconds, names) = (self.time.as_secs(), narrowing(filter).join(", "));
        self.too_wide((n_reports, n_searched), filter).detail(
            format!(
                "of {n_reports} reports that the other filters leave, {n_searched} could be searched in {seconds} s: narrow your search by {names}"
            ),
            format!(
                "des {n_reports} rapports que laissent les autres filtres, {n_searched} ont pu être parcourus en {seconds} s : restreignez votre recherche par {names}"
            ),
        )
    }

    fn too_wide(&self, (n_reports, n_searched): (u64, u64), filter: &IncidentFilter) -> Error {
        let limit = self.max_reports;
        let told = json!({"reports": n_reports, "limit": limit, "searched": n_searched,
            "narrow_by": narrowing(filter)});
        Error::new(Code::SearchTooWide).with("search", told)
    }
}

/// Returns the filters that would leave fewer reports: those not given yet, else the period, which can always be shorter.
fn narrowing(filter: &IncidentFilter) -> Vec<&'static str> {
    let given = [
        ("country", !filter.countries.is_empty()),
        ("from", filter.from.is_some()),
        ("to", filter.to.is_some()),
        ("category", !filter.categories.is_empty()),
        ("admin1", !filter.admin1.is_empty()),
    ];
    let names: Vec<&str> =
        given.iter().filter(|(_, is_given)| !is_given).map(|(name, _)| *name).collect();
    if names.is_empty() { vec!["from", "to"] } else { names }
}

#[cfg(test)]
mod tests {
    use crate::config::SearchConfig;
    use crate::error::Code;
    use crate::incidents::filter::IncidentFilter;
    use crate::incidents::search::limits::Searches;

    fn searches() -> Searches {
        Searches::new(&SearchConfig { max_reports: 10, seconds: 3, at_once: 2 })
    }

    #[test]
    fn as_many_search_at_once_as_may_and_no_more() {
        let searches = searches();
        let first = searches.begin().expect("one");
        let _second = searches.begin().expect("two");

        for _ in 0..3 {
            assert_eq!(searches.begin().expect_err("a third").code, Code::Unavailable);
        }
        drop(first);
        assert!(searches.begin().is_ok(), "one ended");
    }

    #[test]
    fn too_much_is_told_with_figures_and_filters_that_help() {
        let given =
            IncidentFilter { countries: vec!["SLE".to_owned()], ..IncidentFilter::default() };

        let error = searches().check(11, &given).expect_err("too much");

        assert!(searches().check(10, &given).is_ok());
        assert_eq!(error.code, Code::SearchTooWide);
        assert_eq!(
            error.detail.expect("a sentence").en,
            "the other filters leave 11 reports to search and at most 10 are searched at once: narrow your search by from, to, category, admin1"
        );
        let error = searches().took_too_long((9, 4), &given);
        assert_eq!(
            error.detail.expect("a sentence").fr,
            "des 9 rapports que laissent les autres filtres, 4 ont pu être parcourus en 3 s : restreignez votre recherche par from, to, category, admin1"
        );
    }
}
