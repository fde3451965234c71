//! What people read beside a code, in one language; where there is no label, the code itself.

use std::sync::Arc;

use actix_web::web::Data;

use crate::aggregates::query::By;
use crate::context::Context;
use crate::error::Language;
use crate::geo::locate::Geo;
use crate::names::Names;
use crate::people::regions::types::Region;
use crate::taxonomy::lists::ListName;

/// The labels of one language, as they are when an export begins.
pub struct Labels {
    language: Language,
    context: Data<Context>,
    geo: Arc<Geo>,
    regions: Arc<[Region]>,
}

impl Labels {
    /// Returns the labels of now.
    pub fn new(context: &Data<Context>, language: Language) -> Self {
        Self { language, context: context.clone(), geo: context.geo(), regions: context.regions() }
    }

    /// Returns the places.
    pub fn geo(&self) -> &Geo {
        &self.geo
    }

    /// Returns the label of a code of a list.
    pub fn list<'r>(&'r self, name: ListName, code: &'r str) -> &'r str {
        let found = self.context.lists.list(name).find(code);
        self.choose(found.map(|entry| (&*entry.label.en, &*entry.label.fr)), code)
    }

    /// Returns the name of a country.
    pub fn country<'r>(&'r self, code: &'r str) -> &'r str {
        self.names().country(code).unwrap_or(code)
    }

    /// Returns the name of a first-level area.
    pub fn admin1<'r>(&'r self, code: &'r str) -> &'r str {
        self.names().admin1(code).unwrap_or(code)
    }

    /// Returns the name of a second-level area.
    pub fn admin2<'r>(&'r self, code: &'r str) -> &'r str {
        self.names().admin2(code).unwrap_or(code)
    }

    /// Returns the label of a leaf of the taxonomy, of a category or of a theme.
    pub fn category<'r>(&'r self, code: &'r str) -> &'r str {
        self.names().category(code).unwrap_or(code)
    }

    /// Returns the label of a cell's key.
    pub fn key<'r>(&'r self, by: By, key: &'r str) -> &'r str {
        match by {
            By::Country => self.country(key),
            By::Region => {
                let found = self.regions.iter().find(|region| region.code == key);
                self.choose(found.map(|region| (&*region.name_en, &*region.name_fr)), key)
            }
            By::Admin1 => self.admin1(key),
            By::Admin2 => self.admin2(key),
            By::Theme | By::Category | By::Subcategory => self.category(key),
            By::Status => self.list(ListName::Status, key),
            By::Severity => self.list(ListName::Severity, key),
            By::MiningMode => self.list(ListName::MiningMode, key),
            By::Actor => self.list(ListName::ActorType, key),
            By::Site => self.geo.sites().find(key).map_or(key, |site| &site.name),
            By::Valence
            | By::Day
            | By::Week
            | By::Month
            | By::Quarter
            | By::Year
            | By::Channel
            | By::SiteDistance
            | By::H3 => key,
        }
    }

    fn names(&self) -> Names<'_> {
        Names { geo: &self.geo, taxonomy: &self.context.taxonomy, language: self.language }
    }

    fn choose<'r>(&self, names: Option<(&'r str, &'r str)>, code: &'r str) -> &'r str {
        let name = names.map(|(english, french)| self.language.say(english, french));
        name.filter(|name| !name.is_empty()).unwrap_or(code)
    }
}
