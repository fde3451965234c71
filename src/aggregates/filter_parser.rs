//! Reads query parameters into an [`IncidentFilter`], and says in both languages what is wrong with them.

use crate::aggregates::cells;
use crate::aggregates::reference::Reference;
use crate::aggregates::values::{count_edits, parse_bbox, parse_days};
use crate::incidents::facts::Status;
use crate::incidents::filter::{CellFilter, FilterError, IncidentFilter};
use crate::incidents::search::query::TextQuery;

/// The parameters a filter is made of.
pub const PARAMETERS: [&str; 23] = [
    "from",
    "to",
    "country",
    "region",
    "admin1",
    "admin2",
    "theme",
    "category",
    "valence",
    "status",
    "severity",
    "channel",
    "mining_mode",
    "actor",
    "site",
    "site_distance",
    "bbox",
    "h3",
    "flag",
    "precision",
    "mapped",
    "q",
    "include",
];

const FINEST_FILTER_RESOLUTION: u8 = 7;
/// Nearer names than this are taken for typing errors.
const MAX_TYPO_EDITS: usize = 2;

impl IncidentFilter {
    /// Reads the query parameters, passing over the names in `accepted` that the caller reads itself.
    ///
    /// # Shape
    /// Comma-separated values and repeated parameters both mean OR; the lists come out sorted and unique.
    ///
    /// # Errors
    /// Every fault found, in the order sent: unknown parameter, invalid value, place not found.
    pub fn parse(
        pairs: &[(String, String)],
        accepted: &[&str],
        reference: &Reference,
    ) -> Result<Self, Vec<FilterError>> {
        let filter = Self { statuses: Vec::new(), ..Self::default() };
        let mut parser = Parser { filter, errors: Vec::new(), reference };
        for (at, (name, value)) in pairs.iter().enumerate() {
            if accepted.contains(&name.as_str()) {
                continue;
            }
            let is_repeated = pairs.iter().take(at).any(|(earlier, _)| earlier == name);
            parser.take(name, value, is_repeated, accepted);
        }
        parser.finish()
    }
}

/// Returns the refusal of a parameter that does not exist, with the nearest name that does.
pub fn refuse_unknown(name: &str, accepted: &[&str]) -> FilterError {
    let known = PARAMETERS.iter().chain(accepted);
    let nearest = known.map(|known| (count_edits(name, known), *known)).min();
    let did_you_mean =
        nearest.filter(|(edits, _)| *edits <= MAX_TYPO_EDITS).map(|(_, known)| known.to_owned());
    FilterError::UnknownParameter { name: name.chars().take(40).collect(), did_you_mean }
}

struct Parser<'a> {
    filter: IncidentFilter,
    errors: Vec<FilterError>,
    reference: &'a Reference,
}

impl Parser<'_> {
    fn take(&mut self, name: &str, value: &str, is_repeated: bool, accepted: &[&str]) {
        match name {
            "from" | "to" | "bbox" | "mapped" | "q" if is_repeated => {
                self.refuse(name, "", "given once", "donné une seule fois");
            }
            "q" => self.take_text(value),
            "bbox" => self.take_bbox(value),
            _ if !PARAMETERS.contains(&name) => self.errors.push(refuse_unknown(name, accepted)),
            _ => value.split(',').map(str::trim).for_each(|value| self.take_value(name, value)),
        }
    }

    fn take_value(&mut self, name: &str, value: &str) {
        let reference = self.reference;
        match name {
            "from" => self.take_first_day(value),
            "to" => self.take_last_day(value),
            "country" => match reference.find_country(value) {
                Some(country) => self.filter.countries.push(country.alpha3.clone()),
                None => self.errors.push(FilterError::not_found(name, value)),
            },
            "region" => self.take_place(name, value, reference.is_region(value)),
            "admin1" => self.take_place(name, value, reference.admin1.contains_key(value)),
            "admin2" => self.take_place(name, value, reference.admin2.contains_key(value)),
            "site" => self.take_place(name, value, reference.sites.contains_key(value)),
            "theme" | "category" if !value.is_empty() && reference.is_category(value) => {
                self.filter.categories.push(value.to_owned());
            }
            "theme" | "category" => {
                let themes = reference.list_themes().join(", ");
                let en = format!("a code of the taxonomy: {themes} or one below them");
                self.refuse(
                    name,
                    value,
                    &en,
                    &format!("un code de la taxonomie : {themes} ou un code en dessous"),
                );
            }
            "status" => self.take_status(value),
            "severity" => match value.parse::<u8>() {
                Ok(severity @ 1..=5) => self.filter.severities.push(severity),
                Ok(_) | Err(_) => self.refuse(name, value, "1 to 5", "entre 1 et 5"),
            },
            "h3" => self.take_cell(value),
            "mapped" => self.take_mapped(value),
            "include" => self.take_include(value),
            listed => self.take_code(listed, value),
        }
    }

    /// Takes a value of one of the plain code lists.
    fn take_code(&mut self, name: &str, value: &str) {
        let (reference, filter) = (self.reference, &mut self.filter);
        let valences = reference.list_valences();
        let (allowed, chosen) = match name {
            "valence" => (&valences, &mut filter.valences),
            "channel" => (&reference.channels, &mut filter.channels),
            "mining_mode" => (&reference.mining_modes, &mut filter.mining_modes),
            "actor" => (&reference.actor_types, &mut filter.actors),
            "site_distance" => (&reference.site_distance_bands, &mut filter.site_distances),
            "flag" => (&reference.flags, &mut filter.flags),
            _ => (&reference.geo_precisions, &mut filter.geo_precisions),
        };
        if allowed.iter().any(|code| code == value) {
            chosen.push(value.to_owned());
        } else {
            let allowed = allowed.join(", ");
            self.refuse_value(name, value, &allowed);
        }
    }

    fn take_place(&mut self, name: &str, value: &str, is_known: bool) {
        if !is_known {
            self.errors.push(FilterError::not_found(name, value));
            return;
        }
        let chosen = match name {
            "region" => &mut self.filter.regions,
            "admin1" => &mut self.filter.admin1,
            "admin2" => &mut self.filter.admin2,
            _ => &mut self.filter.sites,
        };
        chosen.push(value.to_owned());
    }

    fn take_first_day(&mut self, value: &str) {
        match parse_days(value) {
            Some((first, _)) => self.filter.from = Some(first),
            None => self.refuse("from", value, DAY_EN, DAY_FR),
        }
    }

    fn take_last_day(&mut self, value: &str) {
        match parse_days(value) {
            Some((_, last)) => self.filter.to = Some(last),
            None => self.refuse("to", value, DAY_EN, DAY_FR),
        }
    }

    fn take_status(&mut self, value: &str) {
        if value == "all" {
            self.filter.statuses.extend(Status::ALL);
        } else if let Some(status) = Status::parse(value) {
            self.filter.statuses.push(status);
        } else {
            let allowed = Status::ALL.map(Status::as_str).join(", ");
            self.refuse_value("status", value, &format!("all, {allowed}"));
        }
    }

    fn take_mapped(&mut self, value: &str) {
        match value {
            "true" => self.filter.mapped = Some(true),
            "false" => self.filter.mapped = Some(false),
            _ => self.refuse_value("mapped", value, "true, false"),
        }
    }

    fn take_include(&mut self, value: &str) {
        match value {
            "test" => self.filter.include_test = true,
            "mismatch" => self.filter.include_mismatch = true,
            _ => self.refuse_value("include", value, "test, mismatch"),
        }
    }

    fn take_cell(&mut self, value: &str) {
        let cell = cells::parse(value)
            .filter(|cell| cells::resolution_of(*cell) <= FINEST_FILTER_RESOLUTION);
        let Some(cell) = cell else {
            return self.refuse(
                "h3",
                value,
                "an H3 cell of 15 digits at resolution 0 to 7",
                "une cellule H3 de 15 chiffres à la résolution 0 à 7",
            );
        };
        let resolution = cells::resolution_of(cell);
        let chosen =
            self.filter.h3.get_or_insert_with(|| CellFilter { resolution, cells: Vec::new() });
        if chosen.resolution == resolution {
            chosen.cells.push(cell);
        } else {
            let other = chosen.resolution;
            self.refuse(
                "h3",
                value,
                &format!("of resolution {other} like the others"),
                &format!("à la résolution {other} comme les autres"),
            );
        }
    }

    fn take_bbox(&mut self, value: &str) {
        match parse_bbox(value) {
            Some(bbox) => self.filter.bbox = Some(bbox),
            None => self.refuse(
                "bbox",
                value,
                "west,south,east,north in degrees within -180,-90,180,90, west to east and south to north",
                "ouest,sud,est,nord en degrés dans -180,-90,180,90, d’ouest en est et du sud au nord",
            ),
        }
    }

    fn take_text(&mut self, value: &str) {
        match TextQuery::parse(value) {
            Ok(query) => self.filter.q = Some(query),
            Err(fault) => {
                let (en, fr) = fault.expected();
                // The text may hold a name: it is not repeated.
                self.refuse("q", "", &en, &fr);
            }
        }
    }

    fn refuse(&mut self, name: &str, value: &str, en: &str, fr: &str) {
        self.errors.push(FilterError::invalid(name, value, en, fr));
    }

    fn refuse_value(&mut self, name: &str, value: &str, allowed: &str) {
        self.refuse(
            name,
            value,
            &format!("one of {allowed}"),
            &format!("l’une des valeurs {allowed}"),
        );
    }

    fn finish(mut self) -> Result<IncidentFilter, Vec<FilterError>> {
        if let (Some(from), Some(to)) = (self.filter.from, self.filter.to)
            && to < from
        {
            self.refuse(
                "to",
                &to.to_string(),
                &format!("on or after from, {from}"),
                &format!("égal ou postérieur à from, {from}"),
            );
        }
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        sort_lists(&mut self.filter);
        Ok(self.filter)
    }
}

fn sort_lists(filter: &mut IncidentFilter) {
    if filter.statuses.is_empty() {
        filter.statuses.push(Status::Verified);
    }
    sort_unique(&mut filter.statuses);
    sort_unique(&mut filter.severities);
    if let Some(h3) = &mut filter.h3 {
        sort_unique(&mut h3.cells);
    }
    for codes in [
        &mut filter.countries,
        &mut filter.regions,
        &mut filter.admin1,
        &mut filter.admin2,
        &mut filter.categories,
        &mut filter.valences,
        &mut filter.channels,
        &mut filter.mining_modes,
        &mut filter.actors,
        &mut filter.sites,
        &mut filter.site_distances,
        &mut filter.flags,
        &mut filter.geo_precisions,
    ] {
        sort_unique(codes);
    }
}

fn sort_unique<T: Ord>(values: &mut Vec<T>) {
    values.sort_unstable();
    values.dedup();
}

const DAY_EN: &str = "a day such as 2024-03-01 or a month such as 2024-03";
const DAY_FR: &str = "un jour comme 2024-03-01 ou un mois comme 2024-03";

#[cfg(test)]
mod tests {
    use crate::aggregates::fixture::{query_pairs, reference};
    use crate::incidents::facts::Status;
    use crate::incidents::filter::{FilterError, IncidentFilter};

    fn parse(query: &str) -> Result<IncidentFilter, Vec<FilterError>> {
        IncidentFilter::parse(&query_pairs(query), &["by", "cursor"], &reference())
    }

    #[track_caller]
    fn first_error(query: &str) -> FilterError {
        parse(query).expect_err(query).remove(0)
    }

    #[test]
    fn c41_a_typing_error_does_not_widen_the_query() {
        let error = first_error("catgory=rights");

        assert_eq!(error.message_en(), "unknown parameter catgory; did you mean category?");
        assert_eq!(error.message_fr(), "paramètre inconnu catgory ; vouliez-vous dire category ?");
        assert_eq!(first_error("zzzzzzzz=1").message_en(), "unknown parameter zzzzzzzz");
        assert_eq!(
            first_error("cursr=1").message_en(),
            "unknown parameter cursr; did you mean cursor?"
        );
    }

    #[test]
    fn repeated_parameters_and_commas_mean_the_same() {
        let commas = parse("country=SLE,cod,gn&by=country").unwrap();
        let repeated = parse("country=GIN&country=COD&country=SL&country=SLE").unwrap();

        assert_eq!(commas, repeated);
        assert_eq!(commas.countries, ["COD", "GIN", "SLE"]);
        assert_eq!(parse("theme=rights").unwrap(), parse("category=rights").unwrap());
    }

    #[test]
    fn months_stand_for_their_first_and_last_day() {
        let filter = parse("from=2024-02&to=2024-02").unwrap();

        assert_eq!(filter.from.unwrap().to_string(), "2024-02-01");
        assert_eq!(filter.to.unwrap().to_string(), "2024-02-29");
    }

    #[test]
    fn status_defaults_to_verified_and_all_means_all() {
        assert_eq!(parse("").unwrap(), IncidentFilter::default());
        assert_eq!(parse("status=all").unwrap().statuses, Status::ALL);
        assert_eq!(
            parse("status=received,verified").unwrap().statuses,
            [Status::Received, Status::Verified]
        );
    }

    #[test]
    fn the_echo_holds_what_was_given_and_the_status() {
        let filter = parse("to=2024-03&from=2024-03-01&bbox=-13.5,6,-10,10.25&h3=85754e67fffffff&include=mismatch,test&q=Amara").unwrap();

        let echo = serde_json::to_string(&filter.canonical()).unwrap();

        assert_eq!(
            echo,
            r#"{"from":"2024-03-01","to":"2024-03-31","status":["verified"],"bbox":[-13.5,6.0,-10.0,10.25],"h3":["85754e67fffffff"],"q":true,"include":["test","mismatch"]}"#
        );
        assert_ne!(filter.binding(), parse("q=Kadiatu").unwrap().binding());
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn wrong_values_are_refused_with_what_would_be_right() {
        for (query, expected, reason) in [
            (
                "from=2024-3-1",
                "from \"2024-3-1\" is not a day such as 2024-03-01 or a month such as 2024-03",
                "no guessing",
            ),
            (
                "from=2024-02-30",
                "from \"2024-02-30\" is not a day such as 2024-03-01 or a month such as 2024-03",
                "no such day",
            ),
            (
                "from=2024-03&to=2024-02",
                "to \"2024-02-29\" is not on or after from, 2024-03-01",
                "reversed",
            ),
            (
                "from=2024&from=2023",
                "from \"2024\" is not a day such as 2024-03-01 or a month such as 2024-03",
                "a year is neither",
            ),
            ("to=2024-01&to=2024-02", "to \"\" is not given once", "which one?"),
            ("country=XYZ", "country \"XYZ\" is not known", "404"),
            ("admin1=XX-1", "admin1 \"XX-1\" is not known", "404"),
            ("country=", "country \"\" is not known", "an empty value is no value"),
            (
                "theme=right",
                "theme \"right\" is not a code of the taxonomy: environment, governance, rights or one below them",
                "half a code",
            ),
            ("severity=6", "severity \"6\" is not 1 to 5", "limit"),
            ("mapped=yes", "mapped \"yes\" is not one of true, false", "list"),
            (
                "include=merged",
                "include \"merged\" is not one of test, mismatch",
                "merged is never counted",
            ),
            (
                "mining_mode=big",
                "mining_mode \"big\" is not one of industrial, artisanal, mixed",
                "list",
            ),
            (
                "h3=88754e6499fffff",
                "h3 \"88754e6499fffff\" is not an H3 cell of 15 digits at resolution 0 to 7",
                "too fine",
            ),
            (
                "h3=85754e67fffffff,84754e7ffffffff",
                "h3 \"84754e7ffffffff\" is not of resolution 5 like the others",
                "one resolution",
            ),
            (
                "bbox=1,2,3",
                "bbox \"1,2,3\" is not west,south,east,north in degrees within -180,-90,180,90, west to east and south to north",
                "four",
            ),
            (
                "bbox=3,1,2,4",
                "bbox \"3,1,2,4\" is not west,south,east,north in degrees within -180,-90,180,90, west to east and south to north",
                "west of",
            ),
        ] {
            assert_eq!(first_error(query).message_en(), expected, "{reason}");
        }
    }

    #[test]
    fn text_searched_for_is_not_repeated() {
        let error = first_error(&format!("q={}", "é".repeat(201)));

        assert_eq!(error.message_en(), "q \"\" is not 1 to 200 characters");
        assert_eq!(
            first_error("q=-Kadiatu").message_fr(),
            "q «  » n’est pas aussi un mot à chercher, à côté de ce que - écarte"
        );
    }
}
