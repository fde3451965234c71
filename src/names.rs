//! What places and categories are called in one language; nothing where a code has no name.

use crate::error::Language;
use crate::geo::areas::Areas;
use crate::geo::locate::Geo;
use crate::taxonomy::catalogue::Taxonomy;

/// The names of one language.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    /// Countries and their areas.
    pub geo: &'a Geo,
    /// Themes and categories.
    pub taxonomy: &'a Taxonomy,
    /// The language.
    pub language: Language,
}

impl<'a> Names<'a> {
    /// Returns the name of a country.
    pub fn country(self, code: &str) -> Option<&'a str> {
        let country = self.geo.countries().find(code)?;
        self.choose(&country.name_en, &country.name_fr)
    }

    /// Returns the name of a first-level area.
    pub fn admin1(self, code: &str) -> Option<&'a str> {
        self.area(self.geo.areas(), code)
    }

    /// Returns the name of a second-level area.
    pub fn admin2(self, code: &str) -> Option<&'a str> {
        self.area(self.geo.admin2(), code)
    }

    /// Returns the label of a leaf of the taxonomy, of a category or of a theme.
    pub fn category(self, code: &str) -> Option<&'a str> {
        let mut leaves = self.taxonomy.leaves().iter();
        let label = match code.split('.').count() {
            1 => &leaves.find(|leaf| leaf.theme == code)?.theme_label,
            2 => &leaves.find(|leaf| leaf.category == code)?.category_label,
            _ => &self.taxonomy.find_leaf(code)?.label,
        };
        self.choose(&label.en, &label.fr)
    }

    fn area(self, areas: &'a Areas, code: &str) -> Option<&'a str> {
        let area = areas.find(code)?;
        self.choose(&area.name_en, &area.name_fr)
    }

    fn choose(self, english: &'a str, french: &'a str) -> Option<&'a str> {
        Some(self.language.say(english, french)).filter(|name| !name.is_empty())
    }
}
