//! The collections, and what their features have.

use std::sync::LazyLock;

use crate::ogc::incidents::fields;
use crate::ogc::places;
use crate::ogc::property::Property;

/// A collection of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// Incidents at their generalised place.
    Incidents,
    /// Known mines and mining towns.
    Sites,
    /// Administrative areas.
    Areas,
}

impl Collection {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Incidents, Self::Sites, Self::Areas];

    /// Returns its id.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incidents => "incidents",
            Self::Sites => "sites",
            Self::Areas => "areas",
        }
    }

    /// Reads an id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collection| collection.as_str() == id)
    }

    /// Returns its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Incidents => "Incidents",
            Self::Sites => "Known mines and mining towns",
            Self::Areas => "Administrative areas",
        }
    }

    /// Returns what it holds, and what to know before counting it.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Incidents => {
                "Incidents reported to the coalition, verified ones unless `status` says otherwise: no census and no rate. \
                 Each stands at its generalised place, the centre of an area of about 250 square kilometres; one without a \
                 place has no geometry and matches every bbox, one without a date matches every datetime."
            }
            Self::Sites => {
                "Mines and towns known for mining, from public sources; `precision` says how well a point is known."
            }
            Self::Areas => {
                "First-level areas, and second-level ones where a country's were imported; an area of today that nobody drew \
                 yet has no geometry."
            }
        }
    }

    /// Returns what its features have, in the order they are shown.
    pub fn properties(self) -> &'static [Property] {
        static OF_INCIDENTS: LazyLock<Vec<Property>> = LazyLock::new(fields::list_properties);
        match self {
            Self::Incidents => &OF_INCIDENTS,
            Self::Sites => &places::SITE_PROPERTIES,
            Self::Areas => &places::AREA_PROPERTIES,
        }
    }

    /// Returns the kind of geometry, as the schema of queryables names it.
    pub const fn geometry_format(self) -> &'static str {
        match self {
            Self::Incidents | Self::Sites => "geometry-point",
            Self::Areas => "geometry-multipolygon",
        }
    }

    /// Returns the features of a page unless told, and the most of them.
    pub const fn page_limits(self) -> (usize, usize) {
        match self {
            Self::Incidents | Self::Sites => (100, 1_000),
            // Outlines are long.
            Self::Areas => (10, 100),
        }
    }
}
