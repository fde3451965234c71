//! What parsing and grouping must know from outside: countries, areas, sites and code lists.

use std::collections::HashMap;

/// The reference data filters are checked against and cells are ordered by.
///
/// # Shape
/// Lists stand in the order answers show them in; codes are unique within a list.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    /// Countries, in the order of their file.
    pub countries: Vec<CountryReference>,
    /// Codes of the regions that counts are made by; the world is cut into them once.
    pub regions: Vec<String>,
    /// Codes of regions across those: a filter and a scope, but no bucket, which would count every incident twice.
    pub wider_regions: Vec<String>,
    /// First-level area code to the alpha-3 code of its country.
    pub admin1: HashMap<String, String>,
    /// Second-level area code to the alpha-3 code of its country.
    pub admin2: HashMap<String, String>,
    /// Site id to the alpha-3 code of its country.
    pub sites: HashMap<String, String>,
    /// Leaves of the taxonomy, retired ones included.
    pub categories: Vec<CategoryReference>,
    /// Severity of those leaves that have one by default, 1 to 5.
    pub default_severities: HashMap<String, u8>,
    /// Codes of `channel`.
    pub channels: Vec<String>,
    /// Codes of `mining_mode`.
    pub mining_modes: Vec<String>,
    /// Codes of `actor_type`.
    pub actor_types: Vec<String>,
    /// Codes of the flags an incident may carry.
    pub flags: Vec<String>,
    /// Codes of the distance bands to a site, nearest first.
    pub site_distance_bands: Vec<String>,
    /// Codes of `geo_precision`, finest first.
    pub geo_precisions: Vec<String>,
}

/// One country.
#[derive(Debug, Clone)]
pub struct CountryReference {
    /// ISO 3166-1 alpha-3.
    pub alpha3: String,
    /// ISO 3166-1 alpha-2.
    pub alpha2: String,
    /// Member of the coalition: listed with zeros.
    pub is_member: bool,
    /// Regions it belongs to, wider ones among them, none to several.
    pub regions: Vec<String>,
}

/// One leaf of the taxonomy, `theme.category.subcategory`.
#[derive(Debug, Clone)]
pub struct CategoryReference {
    /// Code of the leaf.
    pub code: String,
    /// Good or bad practice, a code.
    pub valence: String,
}

impl Reference {
    /// Returns the country with this alpha-3 or alpha-2 code, upper or lower case.
    pub fn find_country(&self, code: &str) -> Option<&CountryReference> {
        self.countries.iter().find(|country| {
            country.alpha3.eq_ignore_ascii_case(code) || country.alpha2.eq_ignore_ascii_case(code)
        })
    }

    /// Returns the regions of a country, none when it is unknown.
    pub fn list_regions(&self, alpha3: &str) -> &[String] {
        let country = self.countries.iter().find(|country| country.alpha3 == alpha3);
        country.map_or(&[], |country| country.regions.as_slice())
    }

    /// Returns those regions of a country that counts are made by.
    pub fn list_buckets(&self, alpha3: &str) -> impl Iterator<Item = &str> {
        let regions = self.list_regions(alpha3).iter();
        regions.filter(|region| self.regions.contains(region)).map(String::as_str)
    }

    /// Tells whether a code names a region.
    pub fn is_region(&self, code: &str) -> bool {
        self.regions.iter().chain(&self.wider_regions).any(|region| region == code)
    }

    /// Returns the alpha-3 codes of the coalition's countries, in file order.
    pub fn list_members(&self) -> Vec<String> {
        let members = self.countries.iter().filter(|country| country.is_member);
        members.map(|country| country.alpha3.clone()).collect()
    }

    /// Tells whether a code is a leaf or a parent of one.
    pub fn is_category(&self, code: &str) -> bool {
        self.categories.iter().any(|leaf| is_within(&leaf.code, code))
    }

    /// Returns the theme codes, sorted.
    pub fn list_themes(&self) -> Vec<String> {
        distinct(self.categories.iter().map(|leaf| prefix(&leaf.code, 1)))
    }

    /// Returns the valence codes, sorted.
    pub fn list_valences(&self) -> Vec<String> {
        distinct(self.categories.iter().map(|leaf| leaf.valence.as_str()))
    }
}

/// Returns the first `parts` dotted parts of a code, all of it when it has no more.
///
/// # Examples
/// Two parts of `rights.life_integrity.killing` are `rights.life_integrity`.
pub fn prefix(code: &str, parts: usize) -> &str {
    let end = code.match_indices('.').nth(parts.saturating_sub(1)).map(|(at, _)| at);
    end.and_then(|end| code.get(..end)).unwrap_or(code)
}

/// Tells whether a leaf is `code` itself or below it.
pub fn is_within(leaf: &str, code: &str) -> bool {
    leaf.strip_prefix(code).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn distinct<'a>(codes: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut codes: Vec<String> = codes.map(str::to_owned).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

#[cfg(test)]
mod tests {
    use crate::aggregates::reference::{is_within, prefix};

    #[test]
    fn a_code_has_its_dotted_parents() {
        let leaf = "rights.life_integrity.killing";

        assert_eq!(prefix(leaf, 1), "rights");
        assert_eq!(prefix(leaf, 2), "rights.life_integrity");
        assert_eq!(prefix(leaf, 3), leaf);
        assert!(is_within(leaf, "rights.life_integrity") && is_within(leaf, leaf));
        assert!(!is_within(leaf, "rights.life"), "half a part is no parent");
    }
}
