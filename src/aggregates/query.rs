//! What may be asked: the grouping, the rows, and the caller's scope and rights.

use std::collections::HashSet;

use crate::aggregates::cells;
use crate::aggregates::reference::Reference;
use crate::incidents::filter::{FilterError, IncidentFilter};
use crate::incidents::target::Deadline;

/// Resolution of the generalised place, the finest everyone sees.
pub const GENERAL_RESOLUTION: u8 = 5;
/// Resolution of the fine place.
pub const FINE_RESOLUTION: u8 = 7;
/// Most names `by` takes.
pub const MAX_BY: usize = 3;

/// The countries a caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every country.
    All,
    /// These alpha-3 codes.
    Countries(Vec<String>),
}

impl Scope {
    /// Tells whether a country is in scope.
    pub fn contains(&self, alpha3: &str) -> bool {
        match self {
            Self::All => true,
            Self::Countries(countries) => countries.iter().any(|country| country == alpha3),
        }
    }

    /// Returns the alpha-3 codes an answer names as its scope, in reference order; all = the members.
    pub fn list_countries(&self, reference: &Reference) -> Vec<String> {
        match self {
            Self::All => reference.list_members(),
            Self::Countries(countries) => {
                let known = reference.countries.iter().map(|country| &country.alpha3);
                known.filter(|alpha3| countries.contains(alpha3)).cloned().collect()
            }
        }
    }
}

/// What a caller may see beyond the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights {
    /// Resolution 7 cells and sites.
    pub can_see_fine_cells: bool,
}

impl Rights {
    fn require_fine(self, parameter: &str) -> Result<(), FilterError> {
        if self.can_see_fine_cells {
            Ok(())
        } else {
            Err(FilterError::Forbidden { parameter: parameter.to_owned() })
        }
    }
}

/// What cells are made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum By {
    /// Declared country, alpha-3.
    Country,
    /// Regions of the declared country.
    Region,
    /// First-level area.
    Admin1,
    /// Second-level area.
    Admin2,
    /// First part of the category codes.
    Theme,
    /// First two parts.
    Category,
    /// The leaves.
    Subcategory,
    /// Good or bad practice.
    Valence,
    /// `2024-03-05`.
    Day,
    /// ISO 8601 week, `2024-W10`.
    Week,
    /// `2024-03`.
    Month,
    /// `2024-Q1`.
    Quarter,
    /// `2024`.
    Year,
    /// Review state.
    Status,
    /// 1 to 5.
    Severity,
    /// Channels of the reports.
    Channel,
    /// Mining mode.
    MiningMode,
    /// Actor types.
    Actor,
    /// Nearest known site.
    Site,
    /// Distance band to it.
    SiteDistance,
    /// H3 cell.
    H3,
}

impl By {
    /// Every grouping, in the order of the documentation.
    pub const ALL: [Self; 21] = [
        Self::Country,
        Self::Region,
        Self::Admin1,
        Self::Admin2,
        Self::Theme,
        Self::Category,
        Self::Subcategory,
        Self::Valence,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
        Self::Status,
        Self::Severity,
        Self::Channel,
        Self::MiningMode,
        Self::Actor,
        Self::Site,
        Self::SiteDistance,
        Self::H3,
    ];

    /// Returns the name used in `by` and as the key in cells.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Region => "region",
            Self::Admin1 => "admin1",
            Self::Admin2 => "admin2",
            Self::Theme => "theme",
            Self::Category => "category",
            Self::Subcategory => "subcategory",
            Self::Valence => "valence",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
            Self::Status => "status",
            Self::Severity => "severity",
            Self::Channel => "channel",
            Self::MiningMode => "mining_mode",
            Self::Actor => "actor",
            Self::Site => "site",
            Self::SiteDistance => "site_distance",
            Self::H3 => "h3",
        }
    }

    /// Reads `by`: up to three names with commas between; an empty text is the total only.
    ///
    /// # Errors
    /// `Invalid` for an unknown name, a name given twice, or a fourth one.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, FilterError> {
        let mut list = Vec::new();
        for name in text.split(',').map(str::trim).filter(|_| !text.trim().is_empty()) {
            let by = Self::ALL
                .into_iter()
                .find(|by| by.as_str() == name)
                .ok_or_else(|| refuse_by(name))?;
            if list.contains(&by) {
                return Err(FilterError::invalid("by", name, "given once", "donné une seule fois"));
            }
            list.push(by);
        }
        check_length(list)
    }
}

fn refuse_by(name: &str) -> FilterError {
    let allowed = By::ALL.map(By::as_str).join(", ");
    FilterError::invalid(
        "by",
        name,
        format!("one of {allowed}"),
        format!("l’une des valeurs {allowed}"),
    )
}

fn check_length(list: Vec<By>) -> Result<Vec<By>, FilterError> {
    match list.get(MAX_BY) {
        Some(by) => Err(FilterError::invalid(
            "by",
            by.as_str(),
            "among at most 3 names",
            "parmi 3 noms au plus",
        )),
        None => Ok(list),
    }
}

/// Reads `h3_resolution`: 3 to 5, or 7 (which needs the right to fine cells).
///
/// # Errors
/// `Invalid` for anything else.
pub fn parse_h3_resolution(text: &str) -> Result<u8, FilterError> {
    match text {
        "3" => Ok(3),
        "4" => Ok(4),
        "5" => Ok(GENERAL_RESOLUTION),
        "7" => Ok(FINE_RESOLUTION),
        _ => Err(FilterError::invalid(
            "h3_resolution",
            text,
            "one of 3, 4, 5, 7",
            "l’une des valeurs 3, 4, 5, 7",
        )),
    }
}

/// The rows a caller asks for and may see: the one predicate of counts, lists and exports.
#[derive(Debug, Clone)]
pub struct Selector<'a> {
    filter: &'a IncidentFilter,
    scope: &'a Scope,
    rights: Rights,
    /// Sets of which a row is in each.
    among: Vec<&'a HashSet<i64>>,
    /// Sets of which a row is in none.
    except: Vec<&'a HashSet<i64>>,
    overdue: Option<&'a Overdue>,
}

/// Keeps the incidents that have waited longer than their target, or the others.
#[derive(Debug, Clone)]
pub struct Overdue {
    /// Whether those that are late are wanted.
    pub is_wanted: bool,
    /// What is late now.
    pub deadline: Deadline,
    /// Where the caller knows to the second when something came.
    pub exact: Scope,
}

impl<'a> Selector<'a> {
    /// Joins a filter to the caller's scope and rights.
    ///
    /// # Errors
    /// Every `Forbidden` (fine places without the right) and `NotFound` (a place out of scope).
    pub fn new(
        filter: &'a IncidentFilter,
        scope: &'a Scope,
        rights: Rights,
        reference: &Reference,
    ) -> Result<Self, Vec<FilterError>> {
        let mut errors = list_out_of_scope(filter, scope, reference);
        let is_fine_cell = filter.h3.as_ref().is_some_and(|h3| h3.resolution > GENERAL_RESOLUTION);
        errors.extend(rights.require_fine("h3").err().filter(|_| is_fine_cell));
        errors.extend(rights.require_fine("site").err().filter(|_| !filter.sites.is_empty()));
        if errors.is_empty() {
            let (among, except) = (Vec::new(), Vec::new());
            Ok(Self { filter, scope, rights, among, except, overdue: None })
        } else {
            Err(errors)
        }
    }

    /// Keeps only these incidents, such as the result of a text search; called again, those in every set.
    #[must_use]
    pub fn among(mut self, ids: &'a HashSet<i64>) -> Self {
        self.among.push(ids);
        self
    }

    /// Leaves these incidents out.
    #[must_use]
    pub fn except(mut self, ids: &'a HashSet<i64>) -> Self {
        self.except.push(ids);
        self
    }

    /// Counts in these countries alone, of those already checked; a filter for another one finds nothing.
    #[must_use]
    pub fn within(mut self, scope: &'a Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Keeps what is late, or what is not.
    #[must_use]
    pub fn overdue(mut self, overdue: &'a Overdue) -> Self {
        self.overdue = Some(overdue);
        self
    }

    /// Returns the filter.
    pub fn filter(&self) -> &'a IncidentFilter {
        self.filter
    }

    /// Returns the caller's scope.
    pub fn scope(&self) -> &'a Scope {
        self.scope
    }

    /// Returns the caller's rights.
    pub fn rights(&self) -> Rights {
        self.rights
    }

    /// Returns the sets of which a row is in each, and those of which it is in none.
    pub(crate) fn id_sets(&self) -> (&[&'a HashSet<i64>], &[&'a HashSet<i64>]) {
        (&self.among, &self.except)
    }

    pub(crate) fn find_overdue(&self) -> Option<&'a Overdue> {
        self.overdue
    }

    /// Asks for the same rows under a changed filter; the places in it must be those already checked.
    pub(crate) fn with_filter<'b>(&self, filter: &'b IncidentFilter) -> Selector<'b>
    where
        'a: 'b,
    {
        Selector { filter, ..self.clone() }
    }
}

fn list_out_of_scope(
    filter: &IncidentFilter,
    scope: &Scope,
    reference: &Reference,
) -> Vec<FilterError> {
    let has_country = |region: &str| {
        let mut countries = reference
            .countries
            .iter()
            .filter(|country| country.regions.iter().any(|code| code == region));
        countries.any(|country| scope.contains(&country.alpha3))
    };
    let is_all = *scope == Scope::All;
    let in_scope =
        |country: Option<&String>| country.is_some_and(|country| scope.contains(country));
    let mut errors = Vec::new();
    let mut check = |parameter: &str, values: &[String], is_seen: &dyn Fn(&String) -> bool| {
        let unseen = values.iter().filter(|value| !is_all && !is_seen(value));
        errors.extend(unseen.map(|value| FilterError::not_found(parameter, value)));
    };
    check("country", &filter.countries, &|code| scope.contains(code));
    check("region", &filter.regions, &|code| has_country(code));
    check("admin1", &filter.admin1, &|code| in_scope(reference.admin1.get(code)));
    check("admin2", &filter.admin2, &|code| in_scope(reference.admin2.get(code)));
    check("site", &filter.sites, &|id| in_scope(reference.sites.get(id)));
    errors
}

/// One question to the columns.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    by: Vec<By>,
    h3_resolution: u8,
    selector: Selector<'a>,
}

impl<'a> Query<'a> {
    /// Joins a grouping to the rows it groups.
    ///
    /// `h3_resolution` comes from [`parse_h3_resolution`] and matters to `by=h3` only.
    ///
    /// # Errors
    /// `Forbidden` for `by=site` or resolution 7 without the right to fine places.
    pub fn new(
        by: Vec<By>,
        h3_resolution: u8,
        selector: Selector<'a>,
    ) -> Result<Self, FilterError> {
        if by.contains(&By::Site) {
            selector.rights.require_fine("by")?;
        }
        if h3_resolution > GENERAL_RESOLUTION {
            selector.rights.require_fine("h3_resolution")?;
        }
        Ok(Self { by: check_length(by)?, h3_resolution, selector })
    }

    /// Asks for the total alone, which needs no right.
    pub fn total(selector: Selector<'a>) -> Self {
        Self { by: Vec::new(), h3_resolution: GENERAL_RESOLUTION, selector }
    }

    /// Asks by one grouping the caller's rights were checked for.
    pub(crate) fn by_one(by: By, selector: Selector<'a>) -> Self {
        Self { by: vec![by], h3_resolution: GENERAL_RESOLUTION, selector }
    }

    /// Returns the grouping, none to three.
    pub fn by(&self) -> &[By] {
        &self.by
    }

    /// Returns the H3 resolution.
    pub fn h3_resolution(&self) -> u8 {
        self.h3_resolution
    }

    /// Returns the rows it is about.
    pub fn selector(&self) -> &Selector<'a> {
        &self.selector
    }
}

/// Tells whether a row's cells match a cell filter.
pub(crate) fn is_in_cells(cell: u64, resolution: u8, wanted: &[u64]) -> bool {
    cells::parent_at(cell, resolution).is_some_and(|parent| wanted.contains(&parent))
}

#[cfg(test)]
mod tests {
    use crate::aggregates::fixture::reference;
    use crate::aggregates::query::{
        By, FINE_RESOLUTION, GENERAL_RESOLUTION, Query, Rights, Scope, Selector,
        parse_h3_resolution,
    };
    use crate::incidents::filter::{FilterError, IncidentFilter};

    #[test]
    fn by_takes_three_names_once_each() {
        assert_eq!(By::parse_list("").unwrap(), []);
        assert_eq!(
            By::parse_list("country, month,site_distance").unwrap(),
            [By::Country, By::Month, By::SiteDistance]
        );
        assert_eq!(
            By::parse_list("month,month").unwrap_err().message_en(),
            "by \"month\" is not given once"
        );
        assert_eq!(
            By::parse_list("day,week,month,year").unwrap_err().message_en(),
            "by \"year\" is not among at most 3 names"
        );
        assert!(By::parse_list("country,").is_err() && By::parse_list("admin3").is_err());
    }

    #[test]
    fn fine_places_need_the_right() {
        let (reference, scope) = (reference(), Scope::All);
        let filter =
            IncidentFilter { sites: vec!["koidu".to_owned()], ..IncidentFilter::default() };
        let fine = Rights { can_see_fine_cells: true };
        let plain = IncidentFilter::default();
        let by_site = |rights| {
            Query::new(
                vec![By::Site],
                GENERAL_RESOLUTION,
                Selector::new(&plain, &scope, rights, &reference).unwrap(),
            )
        };
        let at_7 = |rights| {
            Query::new(
                vec![By::H3],
                FINE_RESOLUTION,
                Selector::new(&plain, &scope, rights, &reference).unwrap(),
            )
        };

        let error = Selector::new(&filter, &scope, Rights::default(), &reference).unwrap_err();

        assert_eq!(error, [FilterError::Forbidden { parameter: "site".to_owned() }]);
        assert!(Selector::new(&filter, &scope, fine, &reference).is_ok());
        assert!(by_site(Rights::default()).is_err() && by_site(fine).is_ok());
        assert!(at_7(Rights::default()).is_err() && at_7(fine).is_ok());
        assert!(parse_h3_resolution("6").is_err());
    }

    #[test]
    fn a_place_out_of_scope_is_as_unknown_as_one_that_does_not_exist() {
        let reference = reference();
        let scope = Scope::Countries(vec!["CAF".to_owned()]);
        let filter = IncidentFilter {
            countries: vec!["CAF".to_owned(), "SLE".to_owned()],
            regions: vec!["central".to_owned(), "west".to_owned()],
            admin1: vec!["SL-E".to_owned()],
            ..IncidentFilter::default()
        };

        let errors = Selector::new(&filter, &scope, Rights::default(), &reference).unwrap_err();

        let messages: Vec<String> = errors.iter().map(FilterError::message_en).collect();
        assert_eq!(
            messages,
            [
                "country \"SLE\" is not known",
                "region \"west\" is not known",
                "admin1 \"SL-E\" is not known"
            ]
        );
    }
}
