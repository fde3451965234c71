//! The country view: what one country's page, and the list of countries, show. Composed of aggregates.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::Serialize;
use utoipa::ToSchema;

use crate::aggregates::answer::{Aggregate, AggregateCell, Figures, Note, Reconciliation};
use crate::aggregates::columns::Columns;
use crate::aggregates::query::{By, Query, Selector};
use crate::incidents::facts::Status;
use crate::incidents::filter::{CanonicalFilters, IncidentFilter};

const N_HOT_CELLS: usize = 10;

/// One country's page.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CountryView {
    /// Alpha-3 code.
    pub country: String,
    /// The filters in force.
    pub filters: CanonicalFilters,
    /// Every incident once.
    pub total: Figures,
    /// How the total adds up, and what is left out.
    pub reconciliation: Reconciliation,
    /// By theme.
    pub themes: Vec<AggregateCell>,
    /// By category.
    pub categories: Vec<AggregateCell>,
    /// By month, ascending; months without an incident are not listed.
    pub months: Vec<AggregateCell>,
    /// By first-level area.
    pub admin1: Vec<AggregateCell>,
    /// By review state, over all states.
    pub status: Vec<AggregateCell>,
    /// The ten resolution 5 cells with most incidents, most first.
    pub hot_cells: Vec<AggregateCell>,
    /// By site; left out for callers who may not see sites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sites: Option<Vec<AggregateCell>>,
    /// Against the period before; null without `from` and `to`.
    pub change: Option<Change>,
    /// Countries in the caller's scope.
    pub scope: Vec<String>,
    /// How complete the data is.
    pub coverage: String,
    /// Change number the numbers are current to.
    pub as_of: i64,
}

/// The list of countries.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CountryList {
    /// The filters in force.
    pub filters: CanonicalFilters,
    /// Every member country in scope, zeros included, then others that have incidents.
    pub countries: Vec<CountrySummary>,
    /// Every incident once.
    pub total: Figures,
    /// How the total adds up, and what is left out.
    pub reconciliation: Reconciliation,
    /// All countries against the period before.
    pub change: Option<Change>,
    /// Countries in the caller's scope.
    pub scope: Vec<String>,
    /// How complete the data is.
    pub coverage: String,
    /// Change number the numbers are current to.
    pub as_of: i64,
}

/// One country of the list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CountrySummary {
    /// Alpha-3 code.
    pub country: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// Against the period before; null without `from` and `to`.
    pub change: Option<Change>,
}

/// The figures against those of the equal period before.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// First day of the period before.
    #[schema(value_type = String, format = Date)]
    pub from: NaiveDate,
    /// Its last day.
    #[schema(value_type = String, format = Date)]
    pub to: NaiveDate,
    /// Its figures.
    pub previous: Figures,
    /// Incidents more (or fewer, negative) than then.
    pub incidents: i64,
    /// The same in percent of then, to one decimal; null when there were none.
    pub percent: Option<f64>,
}

impl Columns {
    /// Answers the page of one country.
    ///
    /// `selector` must be made from a filter with that country alone, which checks that it exists and is in
    /// scope. The filter's `status` holds everywhere but in `status`.
    pub fn view_country(&self, alpha3: &str, selector: &Selector<'_>, note: &Note) -> CountryView {
        let list = |by| self.aggregate(&Query::by_one(by, selector.clone()), note).cells;
        let all_statuses =
            IncidentFilter { statuses: Status::ALL.to_vec(), ..selector.filter().clone() };
        let status = self
            .aggregate(&Query::by_one(By::Status, selector.with_filter(&all_statuses)), note)
            .cells;
        let total = self.total(selector, note);
        CountryView {
            country: alpha3.to_owned(),
            filters: total.filters,
            total: total.total,
            reconciliation: total.reconciliation,
            themes: list(By::Theme),
            categories: list(By::Category),
            months: list(By::Month),
            admin1: list(By::Admin1),
            status,
            hot_cells: hottest(list(By::H3)),
            sites: selector.rights().can_see_fine_cells.then(|| list(By::Site)),
            change: Previous::of(selector.filter()).map(|before| {
                let previous = self.total(&selector.with_filter(&before.filter), note);
                before.change(total.total, previous.total)
            }),
            scope: total.scope,
            coverage: total.coverage,
            as_of: total.as_of,
        }
    }

    /// Answers the list of countries.
    pub fn list_countries(&self, selector: &Selector<'_>, note: &Note) -> CountryList {
        let now = self.aggregate(&Query::by_one(By::Country, selector.clone()), note);
        let before = Previous::of(selector.filter());
        let then = before.as_ref().map(|before| {
            self.aggregate(&Query::by_one(By::Country, selector.with_filter(&before.filter)), note)
        });
        let change =
            |now: Figures, then: Option<Figures>| Some(before.as_ref()?.change(now, then?));
        let figures_then = |country: Option<&str>| {
            let same =
                then.as_ref()?.cells.iter().find(|cell| cell.keys.get(By::Country) == country);
            Some(same.map_or_else(Figures::default, |cell| cell.figures))
        };
        let summary = |cell: &AggregateCell| CountrySummary {
            country: cell.keys.get(By::Country).unwrap_or_default().to_owned(),
            figures: cell.figures,
            change: change(cell.figures, figures_then(cell.keys.get(By::Country))),
        };
        CountryList {
            countries: now.cells.iter().map(summary).collect(),
            change: change(now.total, then.as_ref().map(|then| then.total)),
            filters: now.filters,
            total: now.total,
            reconciliation: now.reconciliation,
            scope: now.scope,
            coverage: now.coverage,
            as_of: now.as_of,
        }
    }

    fn total(&self, selector: &Selector<'_>, note: &Note) -> Aggregate {
        self.aggregate(&Query::total(selector.clone()), note)
    }
}

/// Returns the filter of the period that an answer is compared with; `None` where it is with none.
pub(crate) fn filter_before(filter: &IncidentFilter) -> Option<IncidentFilter> {
    Previous::of(filter).map(|before| before.filter)
}

struct Previous {
    from: NaiveDate,
    to: NaiveDate,
    filter: IncidentFilter,
}

impl Previous {
    fn of(filter: &IncidentFilter) -> Option<Self> {
        let (from, to) = period_before(filter.from?, filter.to?)?;
        Some(Self {
            from,
            to,
            filter: IncidentFilter { from: Some(from), to: Some(to), ..filter.clone() },
        })
    }

    fn change(&self, now: Figures, previous: Figures) -> Change {
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let incidents = signed(now.incidents) - signed(previous.incidents);
        Change {
            from: self.from,
            to: self.to,
            previous,
            incidents,
            percent: percent_of(incidents, signed(previous.incidents)),
        }
    }
}

/// Returns the period of equal length before: as many whole months, else as many days.
fn period_before(from: NaiveDate, to: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let last = from.pred_opt()?;
    let after = to.succ_opt()?;
    if from.day() == 1 && after.day() == 1 {
        let n_months = (after.year() - from.year()) * 12 + i32::try_from(after.month()).ok()?
            - i32::try_from(from.month()).ok()?;
        return Some((from.checked_sub_months(Months::new(u32::try_from(n_months).ok()?))?, last));
    }
    let n_days = u64::try_from((after - from).num_days()).ok()?;
    Some((from.checked_sub_days(Days::new(n_days))?, last))
}

/// Rounds half away from zero, to tenths.
fn percent_of(part: i64, whole: i64) -> Option<f64> {
    let thousandths =
        (part.saturating_mul(2000) + part.signum() * whole).checked_div(whole.saturating_mul(2))?;
    Some(f64::from(i32::try_from(thousandths).ok()?) / 10.0)
}

fn hottest(mut cells: Vec<AggregateCell>) -> Vec<AggregateCell> {
    cells.retain(|cell| cell.keys.get(By::H3).is_some());
    cells.sort_by_key(|cell| std::cmp::Reverse(cell.figures.incidents));
    cells.truncate(N_HOT_CELLS);
    cells
}

#[cfg(test)]
mod tests {
    use crate::aggregates::answer::{AggregateCell, Figures};
    use crate::aggregates::country::{CountryView, percent_of, period_before};
    use crate::aggregates::fixture::{March, filter, march, note, reference};
    use crate::aggregates::query::{By, Rights, Scope, Selector};

    fn view(march: &March, country: &str, period: &str, rights: Rights) -> CountryView {
        let filter = filter(&format!("country={country}&{period}"));
        let selector = Selector::new(&filter, &Scope::All, rights, &reference()).unwrap();
        march.columns().view_country(country, &selector, &note())
    }

    fn count_by(by: By, cells: &[AggregateCell]) -> Vec<(&str, u64)> {
        cells
            .iter()
            .map(|cell| (cell.keys.get(by).unwrap_or("null"), cell.figures.incidents))
            .collect()
    }

    #[test]
    fn c40_a_country_counts_in_its_months() {
        let march = march();

        let before = view(&march, "LSO", "from=2024-01&to=2024-02", Rights::default());
        let during = view(&march, "LSO", "from=2024-03&to=2024-03", Rights::default());

        assert_eq!((before.total.incidents, during.total.incidents), (0, 1));
        assert_eq!(count_by(By::Month, &during.months), [("2024-03", 1)]);
        let change = during.change.unwrap();
        assert_eq!(
            (change.from.to_string(), change.to.to_string()),
            ("2024-02-01".to_owned(), "2024-02-29".to_owned())
        );
        assert_eq!((change.previous.incidents, change.incidents, change.percent), (0, 1, None));
    }

    #[test]
    fn a_page_holds_themes_areas_cells_and_all_states() {
        let march = march();

        let page = view(&march, "SLE", "", Rights::default());

        assert_eq!(count_by(By::Theme, &page.themes), [("rights", 2)]);
        assert_eq!(
            count_by(By::Category, &page.categories),
            [("rights.life_integrity", 1), ("rights.smuggling_illicit_trade", 1)]
        );
        assert_eq!(count_by(By::Admin1, &page.admin1), [("SL-E", 1), ("SL-S", 1)]);
        assert_eq!(count_by(By::Status, &page.status), [("received", 1), ("verified", 2)]);
        assert_eq!(page.hot_cells.len(), 2);
        assert_eq!((page.sites, page.change), (None, None));
    }

    #[test]
    fn sites_are_for_those_who_may_see_them() {
        let march = march();

        let page = view(&march, "SLE", "", Rights { can_see_fine_cells: true });

        assert_eq!(count_by(By::Site, &page.sites.unwrap()), [("koidu", 1), ("null", 1)]);
    }

    #[test]
    fn the_list_holds_every_member_country_with_its_change() {
        let march = march();
        let filter = filter("from=2024-03-16&to=2024-03-31");
        let selector =
            Selector::new(&filter, &Scope::All, Rights::default(), &reference()).unwrap();

        let list = march.columns().list_countries(&selector, &note());

        assert_eq!(list.countries.len(), 10);
        assert_eq!(
            list.total,
            list.countries.iter().fold(Figures::default(), |sum, country| Figures {
                incidents: sum.incidents + country.figures.incidents,
                reports: sum.reports + country.figures.reports,
                harm: list.total.harm,
            })
        );
        let cod = list.countries.iter().find(|country| country.country == "COD").unwrap();
        let change = cod.change.as_ref().unwrap();
        assert_eq!(change.from.to_string(), "2024-02-29", "16 days before");
        assert_eq!(
            (cod.figures.incidents, change.previous.incidents, change.incidents, change.percent),
            (0, 2, -2, Some(-100.0))
        );
    }

    #[test]
    fn the_period_before_has_as_many_whole_months_else_days() {
        for (from, to, expected) in [
            ("2024-03-01", "2024-03-31", ("2024-02-01", "2024-02-29")),
            ("2024-01-01", "2024-12-31", ("2023-01-01", "2023-12-31")),
            ("2024-01-01", "2024-02-29", ("2023-11-01", "2023-12-31")),
            ("2024-03-01", "2024-03-30", ("2024-01-31", "2024-02-29")),
            ("2024-03-05", "2024-03-05", ("2024-03-04", "2024-03-04")),
        ] {
            let (first, last) = period_before(from.parse().unwrap(), to.parse().unwrap()).unwrap();
            assert_eq!((first.to_string().as_str(), last.to_string().as_str()), expected);
        }
    }

    #[test]
    fn percents_have_one_decimal() {
        assert_eq!(percent_of(1, 3), Some(33.3));
        assert_eq!(percent_of(-2, 3), Some(-66.7));
        assert_eq!(percent_of(1, 0), None);
    }
}
